//! Entries of a folder as they are shown: by name, those that were asked for, none that is there
//! only while a call works on it.

use std::borrow::Cow;

use super::{Attributes, path::is_temporary};
use crate::{Error, Kind};

/// Bytes of all names together; what does not fit is more than can be shown.
const NAMES_BYTES_MAX: usize = 32 << 20;

/// Collects the entries of one folder.
#[derive(Debug)]
pub struct Listing<'a> {
    pattern: Option<&'a str>,
    entries_max: usize,
    entries: Vec<(String, Attributes)>,
    names_bytes: usize,
    more: bool,
    /// The first name to be shown that is no text.
    unreadable: Option<String>,
}

impl<'a> Listing<'a> {
    /// Of names that fit a pattern, so many at most.
    pub fn new(pattern: Option<&'a str>, entries_max: usize) -> Self {
        Self { pattern, entries_max, entries: Vec::new(), names_bytes: 0, more: false, unreadable: None }
    }

    /// Takes an entry in, if it is to be shown. The folder itself, its parent and files that are being
    /// written are not.
    pub fn take(&mut self, name: &[u8], attributes: Attributes) {
        // What is no UTF-8 stands for one character each, so that a pattern can leave it out.
        let text = String::from_utf8_lossy(name);
        let hidden = matches!(&*text, "" | "." | "..") || is_temporary(&text);
        if hidden || self.pattern.is_some_and(|pattern| !matches(pattern, &text)) {
            return;
        }
        let fits = self.entries.len() < self.entries_max && self.names_bytes + name.len() <= NAMES_BYTES_MAX;
        if !fits || self.more {
            self.more = true;
        } else if matches!(text, Cow::Owned(_)) {
            self.unreadable.get_or_insert_with(|| name.escape_ascii().take(1024).map(char::from).collect());
        } else {
            self.names_bytes += name.len();
            self.entries.push((text.into_owned(), attributes));
        }
    }

    /// Whether there are more entries than were asked for, so that no further one can be shown.
    pub fn is_full(&self) -> bool {
        self.more
    }

    /// The entries by name, and whether there are more.
    ///
    /// # Errors
    /// `Protocol` when one of them has a name that no call could give back.
    pub fn finish(mut self) -> Result<(Vec<(String, Attributes)>, bool), Error> {
        if let Some(name) = self.unreadable {
            return Err(unreadable().with_private(format!("`{name}`")));
        }
        self.entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok((self.entries, self.more))
    }
}

fn unreadable() -> Error {
    Error::new(
        Kind::Protocol,
        "file-name",
        "a name in the folder is not UTF-8, so no call could name that file (rename it there, or list with a `pattern` that leaves it out)",
    )
}

/// Whether a name fits a pattern of `*` (any characters), `?` (one character) and classes of one character:
/// `[a-z_]`, and `[!a-z]` for all others. Takes at most name times pattern steps.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<One>, Vec<char>) = (parts(pattern), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = name.get(n) {
        match pattern.get(p) {
            Some(One::Star) => {
                star = Some((p, n));
                p += 1;
            }
            Some(one) if one.is(*character) => (p, n) = (p + 1, n + 1),
            _ => match star {
                // The last star takes one character more.
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, n) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|one| matches!(one, One::Star)))
}

/// A part of a pattern.
enum One {
    Star,
    Any,
    Is(char),
    /// Characters from one to another, and whether these are left out.
    Class(Vec<(char, char)>, bool),
}

impl One {
    fn is(&self, character: char) -> bool {
        match self {
            Self::Star => false,
            Self::Any => true,
            Self::Is(one) => *one == character,
            Self::Class(ranges, is_not) => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&character)) != *is_not
            }
        }
    }
}

fn parts(pattern: &str) -> Vec<One> {
    let (mut parts, mut rest) = (Vec::new(), pattern);
    while let Some(first) = rest.chars().next() {
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
        parts.push(match first {
            '*' => One::Star,
            '?' => One::Any,
            '[' => match class(rest) {
                Some((class, after)) => {
                    rest = after;
                    class
                }
                // A bracket that nothing closes is itself.
                None => One::Is('['),
            },
            one => One::Is(one),
        });
    }
    parts
}

/// What stands between brackets, and what follows. A `]` or `-` at the beginning, and a `-` at the end, is itself.
fn class(text: &str) -> Option<(One, &str)> {
    let (inside, is_not) = text.strip_prefix('!').map_or((text, false), |inside| (inside, true));
    let end = inside.char_indices().skip(1).find(|(_, character)| *character == ']')?.0;
    let (inside, after) = (inside.get(..end)?, inside.get(end + 1..)?);
    let (characters, mut ranges) = (inside.chars().collect::<Vec<_>>(), Vec::new());
    let mut left = characters.as_slice();
    loop {
        left = match left {
            [from, '-', to, rest @ ..] => {
                ranges.push((*from, *to));
                rest
            }
            [one, rest @ ..] => {
                ranges.push((*one, *one));
                rest
            }
            [] => return Some((One::Class(ranges, is_not), after)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("*", "", true),
            ("*", "a", true),
            ("", "a", false),
            ("*.csv", "a.csv", true),
            ("*.csv", ".csv", true),
            ("*.csv", "a.csv.tmp", false),
            ("a?c*", "abc", true),
            ("a?c*", "ac", false),
            ("*ab*ab", "abxab", true),
            ("*ab*ab", "xab", false),
            ("[a]", "a", true),
            ("[a]", "[a]", false),
            ("[[]a]", "[a]", true),
            ("[a", "[a", true),
            ("[]", "[]", true),
            ("[!]", "[!]", true),
            ("[]a]", "]", true),
            ("[!]a]", "]", false),
            ("*-[0-9][0-9].csv", "in-07.csv", true),
            ("*-[0-9][0-9].csv", "in-7.csv", false),
            ("*-[0-9][0-9].csv", "in-x7.csv", false),
            ("[!.]*", ".hidden", false),
            ("[!.]*", "shown", true),
            ("[!a-cx]", "b", false),
            ("[!a-cx]", "x", false),
            ("[!a-cx]", "d", true),
            ("[!a]", "", false),
            ("[a-]", "-", true),
            ("[-a]", "-", true),
            ("[z-a]", "m", false),
            ("[à-ü]", "é", true),
            ("*[0-9]*[0-9]", "a1b2", true),
            ("?", "ü", true),
            (&"*a".repeat(60), &"a".repeat(4000), true),
            (&format!("{}b", "*a".repeat(60)), &"a".repeat(4000), false),
            (&format!("{}b", "*[!b]".repeat(50)), &"a".repeat(4000), false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
