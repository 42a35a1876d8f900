//! Characters and names: XML 1.0 (fifth edition) §2.2 and §2.3, Namespaces in XML 1.0 §3 and §4.

/// A character that an XML document may hold, written as itself or by its number: production \[2\].
pub(super) fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// White space: production \[3\].
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Length of the run of characters of XML at the start that holds no such byte.
pub(super) fn plain(text: &str, is_stop: impl Fn(u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(rest) = bytes.get(from..) {
        let is_special = |byte: &u8| matches!(byte, 0..=8 | 11 | 12 | 14..=31 | 0xef) || is_stop(*byte);
        let Some(run) = rest.iter().position(is_special) else { break };
        from += run;
        match bytes.get(from..) {
            // U+FFFE and U+FFFF in UTF-8; other characters begin like them.
            Some([0xef, 0xbf, 0xbe | 0xbf, ..]) => return from,
            Some([0xef, ..]) => from += 3,
            _ => return from,
        }
    }
    bytes.len()
}

/// A name without colon: production \[4\] of Namespaces in XML.
pub(super) fn is_plain_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(starts_name) && chars.all(continues_name)
}

/// Prefix, which may be empty, and local part of a qualified name; none when it is no such name.
pub(super) fn split(name: &str) -> Option<(&str, &str)> {
    let (prefix, local) = match name.split_once(':') {
        Some((prefix, local)) if is_plain_name(prefix) => (prefix, local),
        Some(_) => return None,
        None => ("", name),
    };
    is_plain_name(local).then_some((prefix, local))
}

/// Production \[4\], without the colon.
fn starts_name(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
        | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

/// Production \[4a\], without the colon.
fn continues_name(c: char) -> bool {
    starts_name(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_is_no_name() {
        for name in
            ["", ":", "a:", ":a", "a:b:c", "1", "-a", ".a", "a b", "a:1", "\u{37e}", "a\u{2190}", "\u{d7}", "a@"]
        {
            assert_eq!(split(name), None, "{name:?}");
        }
        assert_eq!(split("a.b-1"), Some(("", "a.b-1")));
        assert_eq!(split("größe:\u{10400}·"), Some(("größe", "\u{10400}·")));
    }

    #[test]
    fn what_is_no_character_is_no_character() {
        for c in ['\0', '\u{8}', '\u{b}', '\u{c}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
            assert!(!is_char(c), "{c:?}");
        }
        for c in ['\t', '\n', '\r', ' ', '\u{7f}', '\u{85}', '\u{fffd}', '\u{1fffe}', '\u{10ffff}'] {
            assert!(is_char(c), "{c:?}");
        }
    }
}
