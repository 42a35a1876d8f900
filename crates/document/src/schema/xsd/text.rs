//! Small things about texts of XSD.

/// A text from a file, short enough for a message.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

/// A regular expression of XSD (XML Schema Part 2, appendix F) in the language of mappings; the error
/// says what of it is not supported. It matches whole texts.
pub(super) fn pattern(source: &str) -> Result<String, &'static str> {
    let mut out = String::from("^(?:");
    let mut letters = source.chars().peekable();
    let mut in_class = 0u32;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('i' | 'I' | 'c' | 'C') => return Err("`\\i` and `\\c` (characters of names)"),
                Some('p' | 'P') => return Err("`\\p{…}` (categories and blocks of characters)"),
                Some(escaped) => {
                    out.push('\\');
                    out.push(escaped);
                }
                None => return Err("a `\\` at the end"),
            },
            '[' if in_class > 0 => return Err("a class taken out of a class (`[a-z-[x]]`)"),
            '[' => {
                in_class += 1;
                out.push('[');
            }
            ']' if in_class > 0 => {
                in_class -= 1;
                out.push(']');
            }
            // No anchors in XSD, and no groups but the plain one.
            '^' | '$' if in_class == 0 => {
                out.push('\\');
                out.push(letter);
            }
            '(' if in_class == 0 => {
                out.push_str("(?:");
                if letters.peek() == Some(&'?') {
                    return Err("`(?`");
                }
            }
            _ => out.push(letter),
        }
    }
    out.push_str(")$");
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn patterns_match_whole_texts() {
        assert_eq!(pattern(r"[A-Z]{3}|\d+(a|b)?").unwrap(), r"^(?:[A-Z]{3}|\d+(?:a|b)?)$");
        assert_eq!(pattern("[^$]^").unwrap(), r"^(?:[^$]\^)$");
        for refused in [r"\i\c*", r"\p{Lu}", "[a-z-[aeiou]]", "(?i)x", "a\\"] {
            assert!(pattern(refused).is_err(), "{refused}");
        }
    }
}
