//! Where in an expression the cursor stands: after a `$`, or in a path, and then which values the name
//! belongs to. Looks at characters alone, since a line that is being typed is mostly no expression yet.
//!
//! Deliberately absent: parameters of functions, whose values only the run knows.

/// What stands before the cursor.
#[derive(Debug, PartialEq, Eq)]
pub enum Place<'t> {
    /// A variable or function that begins at this byte, with its `$`.
    Variable(usize, &'t str),
    /// A field that begins at this byte, and the expression of the values that have it.
    Field { start: usize, begun: &'t str, of: String },
    /// A text, a comment or a number: nothing to complete.
    Nothing,
}

/// Brackets that are open, and what their inside is about.
struct Frame {
    /// The expression of the context inside; empty where it is the input.
    context: String,
    /// Where the operand that is being written begins; none where one is expected.
    operand: Option<usize>,
    /// The last token was a dot, which stands at this byte.
    dot: Option<usize>,
    /// The function that is called.
    call: Option<String>,
}

impl Frame {
    fn new(context: String, call: Option<String>) -> Self {
        Self { context, operand: None, dot: None, call }
    }
}

/// What stands before the cursor, which is behind `text`.
pub fn place(text: &str) -> Place<'_> {
    walk(text).0
}

/// The name of the function whose arguments are being written.
pub fn open_call(text: &str) -> Option<String> {
    walk(text).1.into_iter().rev().find_map(|frame| frame.call)
}

/// The place behind the text, and the brackets that are open there.
fn walk(text: &str) -> (Place<'_>, Vec<Frame>) {
    let mut frames = vec![Frame::new(String::new(), None)];
    let mut at = 0;
    let mut caret = false;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(c) = rest.chars().next() else { break };
        let (start, word) = (at, rest.get(..word_bytes(rest)).unwrap_or_default());
        let Some(frame) = frames.last_mut() else { break };
        at += c.len_utf8();
        let was_caret = std::mem::take(&mut caret);
        match c {
            _ if c.is_whitespace() => {
                caret = was_caret;
                // Blanks end no path, yet a name behind them is another one.
                continue;
            }
            '"' | '\'' => match closing(rest, c) {
                Some(length) => {
                    at = start + length;
                    frame.begin(start);
                }
                None => return (Place::Nothing, frames),
            },
            '/' if rest.starts_with("/*") => match rest.find("*/") {
                Some(length) => at = start + length + 2,
                None => return (Place::Nothing, frames),
            },
            '/' if frame.operand.is_none() => match closing(rest, '/') {
                Some(length) => {
                    at = start + length;
                    frame.begin(start);
                }
                None => return (Place::Nothing, frames),
            },
            '`' => match rest.get(1..).and_then(|rest| rest.find('`')) {
                Some(length) => {
                    at = start + length + 2;
                    frame.begin(start);
                }
                None => {
                    let of = frame.around(text, start);
                    return (Place::Field { start, begun: rest, of }, frames);
                }
            },
            '(' | '[' | '{' => {
                let operand = frame.operand.and_then(|from| text.get(from..frame.dot.unwrap_or(start)));
                let inside = match (operand, c, frame.dot.is_some()) {
                    (Some(path), '[' | '{', _) | (Some(path), '(', true) => join(&frame.context, path),
                    (Some(path), _, _) if was_caret => join(&frame.context, path.trim_end().trim_end_matches('^')),
                    _ => frame.context.clone(),
                };
                let called = operand.filter(|_| c == '(' && frame.dot.is_none() && !was_caret);
                let call = called.and_then(|path| {
                    let name = path.trim_end().rsplit(|c: char| !is_word(c)).next()?;
                    name.strip_prefix('$').filter(|name| !name.is_empty()).map(str::to_owned)
                });
                frame.begin(start);
                frames.push(Frame::new(inside, call));
            }
            ')' | ']' | '}' => {
                if frames.len() > 1 {
                    frames.pop();
                }
            }
            '.' if rest.starts_with("..") => {
                at += 1;
                frame.end();
            }
            '.' => frame.dot = Some(start),
            // Behind an operand they multiply or divide with a rest.
            '*' | '%' if frame.operand.is_none() || frame.dot.is_some() => frame.begin(start),
            '@' | '#' => {}
            '^' => caret = true,
            _ if word.is_empty() => frame.end(),
            _ => {
                at = start + word.len();
                if at == text.len() {
                    return (frame.unfinished(text, start, word), frames);
                }
                match word {
                    "and" | "or" | "in" if frame.operand.is_some() && frame.dot.is_none() => frame.end(),
                    _ => frame.begin(start),
                }
            }
        }
    }
    let Some(frame) = frames.last() else { return (Place::Nothing, frames) };
    let place = match (frame.operand, frame.dot) {
        (Some(_), None) => Place::Nothing,
        _ => Place::Field { start: text.len(), begun: "", of: frame.around(text, text.len()) },
    };
    (place, frames)
}

impl Frame {
    /// A value begins here, or the path goes on.
    fn begin(&mut self, start: usize) {
        if self.dot.take().is_none() || self.operand.is_none() {
            // What follows a value without a dot goes on with it: `a[…]`, `f(…)`.
            self.operand.get_or_insert(start);
        }
    }

    fn end(&mut self) {
        (self.operand, self.dot) = (None, None);
    }

    /// The values that a name which begins at `start` belongs to.
    fn around(&self, text: &str, start: usize) -> String {
        let path = self.operand.and_then(|from| text.get(from..self.dot.unwrap_or(start)));
        let path = path.filter(|_| self.dot.is_some()).unwrap_or_default();
        let of = join(&self.context, path);
        if of.is_empty() { "$".to_owned() } else { of }
    }

    /// A word that ends at the cursor.
    fn unfinished<'t>(&self, text: &'t str, start: usize, word: &'t str) -> Place<'t> {
        if word.starts_with('$') {
            return Place::Variable(start, word);
        }
        if word.starts_with(|c: char| c.is_ascii_digit()) || (self.operand.is_some() && self.dot.is_none()) {
            return Place::Nothing;
        }
        Place::Field { start, begun: word, of: self.around(text, start) }
    }
}

fn is_word(c: char) -> bool {
    !c.is_whitespace() && !".[]{}(),@#;:?+-*/%|=<>^&!~\"'`".contains(c)
}

fn word_bytes(rest: &str) -> usize {
    rest.find(|c| !is_word(c)).unwrap_or(rest.len())
}

/// Bytes up to and with the quote that closes what begins here.
fn closing(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    rest.char_indices().skip(1).find_map(|(at, c)| {
        let closes = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at + 1)
    })
}

fn join(context: &str, path: &str) -> String {
    let path = path.trim();
    match (context.is_empty(), path.is_empty()) {
        (true, _) => path.to_owned(),
        (_, true) => context.to_owned(),
        _ => format!("{context}.{path}"),
    }
}

/// A name as it stands in a path: in backticks unless it is a plain word. None for one that cannot be
/// written.
pub fn quoted(name: &str) -> Option<String> {
    let plain = !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !["and", "or", "in", "true", "false", "null", "function", "λ"].contains(&name);
    match plain {
        true => Some(name.to_owned()),
        false => (!name.contains(['`', '\n'])).then(|| format!("`{name}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(text: &str) -> (String, String) {
        match place(text) {
            Place::Field { start, begun, of } => {
                assert_eq!(text.get(start..), Some(begun), "{text}");
                (begun.to_owned(), of)
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_field_knows_what_it_is_a_field_of() {
        for (text, begun, of) in [
            ("", "", "$"),
            ("cu", "cu", "$"),
            ("customer.", "", "customer"),
            ("customer.add", "add", "customer"),
            ("a.b[0].c.d", "d", "a.b[0].c"),
            ("1 + total * li", "li", "$"),
            ("lines[pri", "pri", "lines"),
            ("lines[status = 'x' and pri", "pri", "lines"),
            ("orders[lines[qty > 1].pro", "pro", "orders.lines[qty > 1]"),
            ("lines.(qty * pr", "pr", "lines"),
            ("lines.{'a': options.na", "na", "lines.options"),
            ("lines{sku: q", "q", "lines"),
            ("lines^(>p", "p", "lines"),
            ("$sum(lines.pr", "pr", "lines"),
            ("$x.fi", "fi", "$x"),
            ("$f(1).n", "n", "$f(1)"),
            ("(a; b.c", "c", "b"),
            ("$contains(a, /[(]/) ? b.c", "c", "b"),
            ("'a.b' & c.", "", "c"),
            ("a /* b.( */ .c", "c", "a /* b.( */"),
            ("`first name`.`x y", "`x y", "`first name`"),
            ("*.n", "n", "*"),
            ("a.%.n", "n", "a.%"),
            ("a in b.c", "c", "b"),
            ("[1..c.d", "d", "c"),
            ("a / b.c", "c", "b"),
        ] {
            assert_eq!(field(text), (begun.to_owned(), of.to_owned()), "{text}");
        }
    }

    #[test]
    fn variables_are_told_from_fields_and_from_what_cannot_be_completed() {
        assert_eq!(place("1 + $su"), Place::Variable(4, "$su"));
        assert_eq!(place("a.$"), Place::Variable(2, "$"));
        for text in ["'te", "\"a.b", "a /* b.", "12", "/a.b", "a[0]", "a b"] {
            assert_eq!(place(text), Place::Nothing, "{text}");
        }
    }

    #[test]
    fn the_call_that_is_open_is_the_innermost() {
        assert_eq!(open_call("$map(a, $pad(b, ").as_deref(), Some("pad"));
        assert_eq!(open_call("$map($pad(b, 2), ").as_deref(), Some("map"));
        assert_eq!(open_call("$map(a)"), None);
        assert_eq!(open_call("(a.(b"), None);
    }

    #[test]
    fn names_are_quoted_where_they_must_be() {
        assert_eq!(quoted("größe").as_deref(), Some("größe"));
        assert_eq!(quoted("first name").as_deref(), Some("`first name`"));
        assert_eq!((quoted("in").as_deref(), quoted("a`b")), (Some("`in`"), None));
    }

    /// Whatever is typed, it comes back with a place.
    #[test]
    fn no_text_is_too_odd() {
        let pieces = [
            "(", ")", "[", "]", "{", "}", ".", "..", "a", "$x", "`", "'", "/", "*", "é", "😀", "\\", "^", "@", "#",
            " ", "1",
        ];
        let mut seed = 7u32;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..(seed % 12) {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text.push_str(pieces[(seed >> 16) as usize % pieces.len()]);
            }
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let _ = (place(&text), open_call(&text));
        }
    }
}
