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

/// Whether a name fits a pattern of `*` (any characters) and `?` (one character). Takes at most
/// name times pattern steps.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == name.get(n) => (p, n) = (p + 1, n + 1),
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
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
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
            ("[a]", "a", false),
            ("?", "ü", true),
            (&"*a".repeat(60), &"a".repeat(4000), true),
            (&format!("{}b", "*a".repeat(60)), &"a".repeat(4000), false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
