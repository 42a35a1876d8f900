//! Function signatures such as `<a<n>:n>`: which arguments a function takes.

/// The parameters of a signature; what it says of the result is not used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signature {
    /// In order.
    pub params: Vec<Param>,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// Letters it takes, of `s n b l o a f`; `m` (nothing) always goes unless it is a function.
    pub letters: String,
    /// It is an array: any other value becomes an array of one.
    pub array: bool,
    /// Letter of the items of an array.
    pub items: Option<char>,
    /// It may be left out.
    pub optional: bool,
    /// Left out, it is the context value.
    pub context: bool,
    /// One or more arguments.
    pub many: bool,
}

/// Why a signature is malformed: error code and offset in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) code: &'static str,
    pub(super) offset: usize,
}

/// Reads a signature from its `<` on. Unknown letters are passed over, as the standard's
/// implementation does.
pub(super) fn parse(text: &str) -> Result<Signature, Malformed> {
    let letters: Vec<char> = text.chars().collect();
    let at = |i: usize| letters.get(i).copied();
    // Where the bracket opened at `start` closes, or the end.
    let closing = |start: usize, open: char, close: char| {
        let mut depth = 1;
        let mut i = start;
        while i < letters.len() {
            i += 1;
            match at(i) {
                Some(c) if c == close => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                Some(c) if c == open => depth += 1,
                _ => {}
            }
        }
        i
    };
    let mut params: Vec<Param> = Vec::new();
    let mut position = 1;
    while let Some(symbol) = at(position) {
        let new = |letters: &str, array: bool| Param {
            letters: letters.to_owned(),
            array,
            items: None,
            optional: false,
            context: false,
            many: false,
        };
        match symbol {
            ':' => break,
            's' | 'n' | 'b' | 'l' | 'o' => params.push(new(&symbol.to_string(), false)),
            'a' => params.push(new("asnblfo", true)),
            'f' => params.push(new("f", false)),
            'j' => params.push(new("asnblo", false)),
            'x' => params.push(new("asnblfo", false)),
            '-' => {
                if let Some(last) = params.last_mut() {
                    last.context = true;
                    last.optional = true;
                }
            }
            '?' => {
                if let Some(last) = params.last_mut() {
                    last.optional = true;
                }
            }
            '+' => {
                if let Some(last) = params.last_mut() {
                    last.many = true;
                }
            }
            '(' => {
                let end = closing(position, '(', ')');
                let choice: String = letters.get(position + 1..end).unwrap_or_default().iter().collect();
                if choice.contains('<') {
                    return Err(Malformed { code: "S0402", offset: position });
                }
                params.push(new(&choice, false));
                position = end;
            }
            '<' => match params.last_mut() {
                Some(last) if last.array || last.letters == "f" => {
                    let end = closing(position, '<', '>');
                    last.items = at(position + 1).filter(|_| last.array && end > position + 1);
                    position = end;
                }
                _ => return Err(Malformed { code: "S0401", offset: position }),
            },
            _ => {}
        }
        position += 1;
    }
    Ok(Signature { params })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_signatures_have_the_standards_codes() {
        assert_eq!(parse("<n<n>>"), Err(Malformed { code: "S0401", offset: 2 }));
        assert_eq!(parse("<(sa<n>)>"), Err(Malformed { code: "S0402", offset: 1 }));
    }

    #[test]
    fn parameters_carry_their_modifiers() {
        let signature = parse("<s-(sf)n?:a<s>>").unwrap();
        let [text, separator, limit] = signature.params.as_slice() else { panic!("three parameters") };
        assert!(text.context && text.optional && !separator.optional);
        assert_eq!(separator.letters, "sf");
        assert!(limit.optional && !limit.context);
        assert_eq!(parse("<a<n>:n>").unwrap().params[0].items, Some('n'));
    }
}
