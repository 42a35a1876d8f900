//! Lines of LIST, which were meant for people: those of Unix `ls -l` and of DOS, as the common servers
//! write them. For servers that know no MLSD.
//!
//! A line that is neither is an error and never skipped: an entry that is silently missing would be
//! taken for one that is not there. Times are not read, as nobody says in which zone they are.

use lockgate_connector_api::files::{Attributes, What};

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// An entry.
    Named(String, Attributes),
    /// `total 12`, or nothing.
    Nothing,
}

/// Reads a line. None where its form is not known.
pub(crate) fn read(line: &str) -> Option<Line> {
    let is_total = line.strip_prefix("total").is_some_and(|rest| rest.trim().bytes().all(|byte| byte.is_ascii_digit()));
    if line.trim().is_empty() || is_total {
        return Some(Line::Nothing);
    }
    let (name, attributes) = unix(line).or_else(|| dos(line))?;
    (!name.is_empty()).then(|| Line::Named(name.to_owned(), attributes))
}

/// `drwxr-xr-x 2 owner group 4096 Jan 31 12:00 name`; owner and group may be missing, or be of several
/// words.
fn unix(line: &str) -> Option<(&str, Attributes)> {
    let what = match line.bytes().next()? {
        b'-' => What::File,
        b'd' => What::Folder,
        b'l' => What::Link,
        b'b' | b'c' | b'p' | b's' => What::Other,
        _ => return None,
    };
    let rights = line.get(1..10)?;
    if !rights.bytes().all(|byte| b"-rwxsStTl".contains(&byte)) {
        return None;
    }
    let words: Vec<Word<'_>> = words(line).collect();
    // The size stands right before the first date.
    let (size, after) = (2..words.len()).find_map(|at| {
        let after = date(words.get(at..)?)?;
        let size = words.get(at - 1)?.text.parse::<u64>().ok()?;
        Some((size, after))
    })?;
    // One blank; those that follow belong to the name.
    let name = line.get(after..)?.strip_prefix(' ')?;
    let name = match what {
        What::Link => name.split_once(" -> ").map_or(name, |(name, _)| name),
        _ => name,
    };
    Some((name, Attributes { what, size: (what == What::File).then_some(size), modified: None }))
}

/// The end of a date: `Jan 31 12:00`, `Jan 31 2024`, `31 Jan 2024` or `2024-01-31 12:00`.
fn date(words: &[Word<'_>]) -> Option<usize> {
    let [first, second, ..] = words else { return None };
    if is_iso_date(first.text) && is_clock(second.text) {
        return Some(second.end);
    }
    let third = words.get(2)?;
    let is_day = |text: &str| text.parse::<u8>().is_ok_and(|day| (1..=31).contains(&day));
    let is_month = |text: &str| text.chars().count() >= 3 && text.chars().all(|c| c.is_alphabetic() || c == '.');
    let is_year = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_date = is_month(first.text) && is_day(second.text) || is_day(first.text) && is_month(second.text);
    (is_date && (is_clock(third.text) || is_year(third.text))).then_some(third.end)
}

fn is_iso_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| if matches!(at, 4 | 7) { b == b'-' } else { b.is_ascii_digit() })
}

fn is_clock(text: &str) -> bool {
    let is_two = |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once(':').is_some_and(|(hour, rest)| is_two(hour) && rest.split(':').all(is_two))
}

/// `01-31-24 12:00PM <DIR> name`, and a size instead of `<DIR>`.
fn dos(line: &str) -> Option<(&str, Attributes)> {
    let mut words = words(line);
    let (date, clock, kind) = (words.next()?, words.next()?, words.next()?);
    let is_date = matches!(date.text.len(), 8 | 10)
        && date.text.split(['-', '/']).count() == 3
        && date.text.bytes().all(|byte| byte.is_ascii_digit() || b"-/".contains(&byte));
    let clock = clock.text.trim_end_matches(['A', 'P', 'M', 'a', 'p', 'm']);
    if !is_date || !is_clock(clock) {
        return None;
    }
    let (what, size) = match kind.text {
        "<DIR>" => (What::Folder, None),
        "<JUNCTION>" | "<SYMLINK>" | "<SYMLINKD>" => (What::Link, None),
        number => (What::File, Some(number.replace(',', "").parse().ok()?)),
    };
    // Names stand in a column, so blanks at their beginning cannot be told from those before it.
    let name = line.get(kind.end..)?.trim_start_matches(' ');
    Some((name, Attributes { what, size, modified: None }))
}

/// A word and where it ends.
#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    end: usize,
}

fn words(line: &str) -> impl Iterator<Item = Word<'_>> {
    let mut end = 0;
    line.split(' ').filter_map(move |text| {
        let word = Word { text, end: end + text.len() };
        end = word.end + 1;
        (!text.is_empty()).then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_known_form_is_refused() {
        for line in [
            "hello",
            "-rw-r--r--",
            "-rw-r--r-- 1 a b 7 name",
            "-rw-r--r-- 1 a b x Jan 31 12:00 name",
            "-rw-r--r-- 1 a b 7 Jan 31 12:00",
            "-rw-r--r-- 1 a b 7 Jan 31 12:00 ",
            "-?????????   1 a b 7 Jan 31 12:00 x",
            "01-31-24  12:00PM       x name",
            "01-31-24  12:00PM       <DIR>",
            "+i8388621.48594,m825718503,r,s280,\tdjb.html",
            "NAME.DIR;1    1/9   2-MAR-1994 18:09 [SYS] (RWED)",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn lines_of_the_common_servers() {
        let named =
            |name: &str, what, size| Some(Line::Named(name.to_owned(), Attributes { what, size, modified: None }));
        for (line, name, what, size) in [
            ("-rw-r--r--   1 ftp      ftp             7 Jan 31 12:00 a.txt", "a.txt", What::File, Some(7)),
            ("-rw-r--r--   1 ftp      ftp             7 Jan 31  2024  a  b ", " a  b ", What::File, Some(7)),
            ("drwxrwsr-t+  2 0 0 4096 Feb  1 01:02 in", "in", What::Folder, None),
            ("lrwxrwxrwx   1 u g 7 Jan 31 12:00 l -> a -> b", "l", What::Link, None),
            ("-rw-r--r-- 1 domain users with blanks 12345678901 Jan 31 12:00 x", "x", What::File, Some(12_345_678_901)),
            ("-rw------- 1 u 7 Mär 31 12:00 grüße", "grüße", What::File, Some(7)),
            ("-rw------- 1 u g 7 31 Jan 2024 x", "x", What::File, Some(7)),
            ("-rw------- 1 u g 7 2024-01-31 12:00 x", "x", What::File, Some(7)),
            ("crw-rw-rw- 1 root root 1, 3 Jan 31 12:00 null", "null", What::Other, None),
            ("-rw-r--r-- 1 u g 5 Jan 31 12:00 7 Jan 31 12:00 y", "7 Jan 31 12:00 y", What::File, Some(5)),
            ("01-31-24  12:00PM       <DIR>          Program Files", "Program Files", What::Folder, None),
            ("01-31-2024  09:02AM            1,234 a b.txt", "a b.txt", What::File, Some(1234)),
        ] {
            assert_eq!(read(line), named(name, what, size), "{line}");
        }
        for line in ["", "total 12", "total", "  "] {
            assert_eq!(read(line), Some(Line::Nothing), "{line}");
        }
    }
}
