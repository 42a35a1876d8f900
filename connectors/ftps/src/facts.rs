//! Facts about files, as programs are told them: MLST and MLSD (RFC 3659 §7), SIZE and MDTM (§3, §4).

use lockgate_connector_api::files::{Attributes, What};
use lockgate_model::Timestamp;

/// An entry of MLSD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Something in the folder.
    Named(String, Attributes),
    /// The folder itself, or its parent.
    Around,
}

/// A line of MLSD or of the reply to MLST: `fact=value;… name`. None where it is no such line.
pub(crate) fn entry(line: &str) -> Option<Entry> {
    let (facts, name) = line.split_once(' ')?;
    let (mut what, mut size, mut modified) = (What::Other, None, None);
    for fact in facts.split_terminator(';') {
        let (name, value) = fact.split_once('=')?;
        match &*name.to_ascii_lowercase() {
            "type" => match &*value.to_ascii_lowercase() {
                "cdir" | "pdir" => return Some(Entry::Around),
                "file" => what = What::File,
                "dir" => what = What::Folder,
                kind if kind.starts_with("os.unix=slink") || kind.starts_with("os.unix=symlink") => what = What::Link,
                _ => what = What::Other,
            },
            "size" => size = Some(value.parse().ok()?),
            "modify" => modified = Some(time(value)?),
            _ => {}
        }
    }
    // The size of a link or folder is none of a content.
    let size = size.filter(|_| matches!(what, What::File | What::Other));
    Some(Entry::Named(name.to_owned(), Attributes { what, size, modified }))
}

/// What the reply to MLST says: its one line that begins with a space. A folder may be told as the
/// `cdir` that it is to itself.
pub(crate) fn attributes(lines: &[String]) -> Option<Attributes> {
    let line = lines.iter().find_map(|line| line.strip_prefix(' '))?;
    match entry(line)? {
        Entry::Named(_, attributes) => Some(attributes),
        Entry::Around => Some(Attributes { what: What::Folder, size: None, modified: None }),
    }
}

/// A time (RFC 3659 §2.3): `YYYYMMDDHHMMSS`, in UTC; a fraction of a second may follow.
pub(crate) fn time(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let part = |from: usize, to: usize| whole.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    // A leap second is the last one.
    let is_time = hour < 24 && minute < 60 && second <= 60;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !is_time {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second.min(59);
    Some(Timestamp::from_ms(seconds * 1000))
}

/// Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the day
/// more of a leap year is the last one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let before_month = (month * 153 + 2) / 5;
    year * 365 + leap_days + before_month + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(what: What, size: Option<u64>, modified: Option<&str>) -> Attributes {
        Attributes { what, size, modified: modified.map(|text| time(text).unwrap()) }
    }

    #[test]
    fn what_is_no_line_of_facts_is_refused() {
        for line in
            ["", "x", "type=file;size=1;", "type; a", "size=x; a", "size=-1; a", "modify=2024; a", "-rw-r--r-- 1 a"]
        {
            assert_eq!(entry(line), None, "{line}");
        }
        assert_eq!(attributes(&["Listing".to_owned(), "End".to_owned()]), None);
    }

    #[test]
    fn facts() {
        for (line, name, attributes) in [
            (
                "type=file;size=7;modify=20240229235959;perm=r; a b ",
                "a b ",
                told(What::File, Some(7), Some("20240229235959")),
            ),
            ("Type=DIR;Sizd=4096;Modify=19700101000000.5; d", "d", told(What::Folder, None, Some("19700101000000"))),
            ("type=OS.unix=slink:/x;size=3; l", "l", told(What::Link, None, None)),
            ("type=OS.unix=chr-1/3; null", "null", told(What::Other, None, None)),
            (" c=d; e", "c=d; e", told(What::Other, None, None)),
        ] {
            assert_eq!(entry(line), Some(Entry::Named(name.to_owned(), attributes)), "{line}");
        }
        assert_eq!(entry("type=cdir;modify=20240101000000; ."), Some(Entry::Around));
        let lines = ["Start", " type=file;size=1; /a", "End"].map(str::to_owned);
        assert_eq!(attributes(&lines), Some(told(What::File, Some(1), None)));
    }

    #[test]
    fn times() {
        for (text, shown) in [
            ("19700101000000", "1970-01-01T00:00:00Z"),
            ("20240229123456", "2024-02-29T12:34:56Z"),
            ("20000301000000.999", "2000-03-01T00:00:00Z"),
            ("19991231235960", "1999-12-31T23:59:59Z"),
            ("21001231235959", "2100-12-31T23:59:59Z"),
        ] {
            assert!(
                time(text).unwrap().to_string().starts_with(shown.trim_end_matches('Z')),
                "{text}: {}",
                time(text).unwrap()
            );
        }
        for text in
            ["", "2024", "20241301000000", "20240100000000", "20240101240000", "2024010100000x", "20240101000000."]
        {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
