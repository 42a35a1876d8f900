//! Sets of characters, and ECMAScript's idea of upper and lower case.

use std::fmt::Write as _;
use std::sync::OnceLock;

const LAST: u32 = char::MAX as u32;
/// No characters: a range may pass over them, but not begin or end with one.
const SURROGATES: (u32, u32) = (0xd800, 0xdfff);

/// Code points in ranges that are sorted and do not touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CharSet {
    ranges: Vec<(u32, u32)>,
}

/// `\d` (ECMA-262 §22.2.2.9).
const DIGITS: [(u32, u32); 1] = [(0x30, 0x39)];
/// `\w`.
const WORD: [(u32, u32); 4] = [(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)];
/// `\s`: WhiteSpace and LineTerminator.
const SPACE: [(u32, u32); 10] = [
    (0x09, 0x0d),
    (0x20, 0x20),
    (0xa0, 0xa0),
    (0x1680, 0x1680),
    (0x2000, 0x200a),
    (0x2028, 0x2029),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x3000, 0x3000),
    (0xfeff, 0xfeff),
];
/// What `.` does not take.
const LINE_ENDS: [(u32, u32); 3] = [(0x0a, 0x0a), (0x0d, 0x0d), (0x2028, 0x2029)];

impl CharSet {
    pub(super) fn digits() -> CharSet {
        CharSet { ranges: DIGITS.to_vec() }
    }
    pub(super) fn word() -> CharSet {
        CharSet { ranges: WORD.to_vec() }
    }
    pub(super) fn space() -> CharSet {
        CharSet { ranges: SPACE.to_vec() }
    }
    pub(super) fn dot() -> CharSet {
        CharSet { ranges: LINE_ENDS.to_vec() }.complement()
    }
    pub(super) fn one(c: char) -> CharSet {
        CharSet { ranges: vec![(c as u32, c as u32)] }
    }

    /// All of some ranges, in any order.
    pub(super) fn of(mut ranges: Vec<(u32, u32)>) -> CharSet {
        ranges.sort_unstable();
        let mut joined: Vec<(u32, u32)> = Vec::new();
        for (first, last) in ranges {
            match joined.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
                _ => joined.push((first, last)),
            }
        }
        CharSet { ranges: joined }
    }

    pub(super) fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    pub(super) fn complement(&self) -> CharSet {
        let without = CharSet::of(self.ranges.iter().copied().chain([SURROGATES]).collect());
        let mut ranges = Vec::new();
        let mut next = 0;
        for (first, last) in without.ranges {
            if next < first {
                ranges.push((next, first - 1));
            }
            next = last + 1;
        }
        if next <= LAST {
            ranges.push((next, LAST));
        }
        CharSet { ranges }
    }

    fn has(&self, c: u32) -> bool {
        let behind = self.ranges.partition_point(|(_, last)| *last < c);
        self.ranges.get(behind).is_some_and(|(first, _)| *first <= c)
    }

    /// With all that the flag `i` takes for the same character (ECMA-262 §22.2.2.7.3).
    pub(super) fn any_case(self) -> CharSet {
        if let [(first, last)] = *self.ranges
            && first == last
            && let Ok(ascii) = u8::try_from(first)
            && ascii.is_ascii()
        {
            let both = [ascii.to_ascii_lowercase(), ascii.to_ascii_uppercase()];
            return CharSet::of(both.map(|c| (c.into(), c.into())).to_vec());
        }
        let mut ranges = self.ranges.clone();
        ranges.extend(cases().iter().filter(|(c, _)| self.has(*c)).map(|(_, upper)| (*upper, *upper)));
        let upper = CharSet::of(ranges);
        let mut ranges = upper.ranges.clone();
        ranges.extend(cases().iter().filter(|(_, c)| upper.has(*c)).map(|(c, _)| (*c, *c)));
        CharSet::of(ranges)
    }

    /// Appends the set in the syntax of crate `regex`.
    pub(super) fn write(&self, out: &mut String) {
        if self.ranges.is_empty() {
            let _ = write!(out, r"[^\x{{0}}-\x{{{LAST:X}}}]");
            return;
        }
        out.push('[');
        for &(first, last) in &self.ranges {
            let _ = write!(out, r"\x{{{first:X}}}-\x{{{last:X}}}");
        }
        out.push(']');
    }
}

/// Characters and what ECMAScript's `Canonicalize` makes of them, where that is another: their upper
/// case, if it is one UTF-16 unit and no ASCII letter stands for another character.
fn cases() -> &'static [(u32, u32)] {
    static CASES: OnceLock<Vec<(u32, u32)>> = OnceLock::new();
    CASES.get_or_init(|| ('\0'..='\u{ffff}').filter_map(|c| Some((c as u32, upper(c)? as u32))).collect())
}

fn upper(c: char) -> Option<char> {
    let mut upper = c.to_uppercase();
    let (Some(single), None) = (upper.next(), upper.next()) else { return None };
    let counts = single != c && single.len_utf16() == 1 && (c.is_ascii() || !single.is_ascii());
    counts.then_some(single)
}
