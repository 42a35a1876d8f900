//! Finding where a value ends, over bytes that arrive in pieces. Knows strings and brackets and judges
//! nothing: what it marks off is then read by the one reader that knows the grammar.

use crate::text::plain_run;

/// How far the search for a value's end has come.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The next byte to look at, counted from the value's first.
    next: usize,
    shape: Shape,
    /// Brackets that are open.
    depth: u32,
    in_string: bool,
    escaped: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Shape {
    #[default]
    Unseen,
    Container,
    String,
    /// A number or a word: it ends before the byte that cannot be part of it.
    Bare,
}

impl Scan {
    /// No byte of the value has been looked at.
    pub(super) fn is_at_start(&self) -> bool {
        self.next == 0
    }

    /// The length of the value that `bytes` begin with; none while they do not hold all of it. The
    /// same bytes, and more, come with the next call.
    pub(super) fn length(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.shape == Shape::Unseen {
            self.shape = match bytes.first()? {
                b'{' | b'[' => Shape::Container,
                b'"' => Shape::String,
                _ => Shape::Bare,
            };
            if self.shape == Shape::String {
                (self.in_string, self.next) = (true, 1);
            }
        }
        if self.shape == Shape::Bare {
            let rest = bytes.get(self.next..)?;
            let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t');
            let found = rest.iter().position(ends).map(|length| self.next + length);
            self.next = bytes.len();
            return found;
        }
        loop {
            if self.in_string && !self.string(bytes) {
                return None;
            }
            if self.shape == Shape::String {
                return Some(self.next);
            }
            if self.brackets(bytes)? {
                return Some(self.next);
            }
        }
    }

    /// Goes to the end of the string; false when it is not there yet.
    fn string(&mut self, bytes: &[u8]) -> bool {
        loop {
            let Some(rest) = bytes.get(self.next..).filter(|rest| !rest.is_empty()) else { return false };
            if std::mem::take(&mut self.escaped) {
                self.next += 1;
                continue;
            }
            let (run, _) = plain_run(rest);
            self.next += (run + 1).min(rest.len());
            match rest.get(run) {
                Some(b'"') => {
                    self.in_string = false;
                    return true;
                }
                Some(b'\\') => self.escaped = true,
                // A control character is the reader's to refuse.
                Some(_) => {}
                None => return false,
            }
        }
    }

    /// Goes to the next string, or to where the value ends (true); none when neither is there yet.
    fn brackets(&mut self, bytes: &[u8]) -> Option<bool> {
        for &byte in bytes.get(self.next..)? {
            self.next += 1;
            match byte {
                b'"' => {
                    self.in_string = true;
                    return Some(false);
                }
                // Far too deep to be read: where it ends does not matter.
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(true);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_it_ends_however_it_is_cut() {
        let values = [
            r#"{"a":[1,"]}\"\\",{"b":"\\"}]}"#,
            r#"[[],{},"",[" \" "]]"#,
            r#""a \" \\ , ] end""#,
            "\"\u{e9}\u{1f600}01234567890123456789\"",
            "-12.5e3",
            "true",
        ];
        for value in values {
            for after in [",", "]", " ", "\n", "}"] {
                let text = format!("{value}{after}{{}}");
                for cut in 1..=text.len() {
                    let mut scan = Scan::default();
                    let early = scan.length(&text.as_bytes()[..cut]);
                    let found = early.or_else(|| scan.length(text.as_bytes()));
                    assert_eq!(found, Some(value.len()), "{text} cut at {cut}");
                }
            }
        }
    }

    #[test]
    fn what_does_not_end_has_no_length() {
        for text in ["{\"a\":[1]", "\"abc\\\"", "[\"]", "12", ""] {
            assert_eq!(Scan::default().length(text.as_bytes()), None, "{text}");
        }
    }
}
