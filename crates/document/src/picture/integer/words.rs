//! Numbers in English words, `One Hundred and Twenty-Third`, and back.

const SMALL: [&str; 20] = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
];
const SMALL_ORDINALS: [&str; 20] = [
    "Zeroth",
    "First",
    "Second",
    "Third",
    "Fourth",
    "Fifth",
    "Sixth",
    "Seventh",
    "Eighth",
    "Ninth",
    "Tenth",
    "Eleventh",
    "Twelfth",
    "Thirteenth",
    "Fourteenth",
    "Fifteenth",
    "Sixteenth",
    "Seventeenth",
    "Eighteenth",
    "Nineteenth",
];
const TENS: [&str; 8] = ["Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety"];
const TENS_ORDINALS: [&str; 8] =
    ["Twentieth", "Thirtieth", "Fortieth", "Fiftieth", "Sixtieth", "Seventieth", "Eightieth", "Ninetieth"];
const LARGE: [(f64, &str, &str); 5] = [
    (1e12, "Trillion", "Trillionth"),
    (1e9, "Billion", "Billionth"),
    (1e6, "Million", "Millionth"),
    (1e3, "Thousand", "Thousandth"),
    (1e2, "Hundred", "Hundredth"),
];

/// A whole number that is not negative, in title case.
pub(super) fn spell(size: f64, ordinal: bool) -> String {
    let mut out = String::new();
    put(size, false, ordinal, &mut out);
    out
}

/// Appends a number, which stands behind a larger part when `joined`. Goes down by three digits at
/// least for each step, so a hundred steps deep at most.
fn put(size: f64, joined: bool, ordinal: bool, out: &mut String) {
    if let Some((value, word, word_ordinal)) = LARGE.into_iter().find(|(value, ..)| size >= *value) {
        let count = (size / value).floor();
        // Far above 2^53 the product may exceed what it was divided from.
        let rest = (size - count * value).max(0.0);
        out.push_str(if joined { ", " } else { "" });
        put(count, false, false, out);
        out.push(' ');
        out.push_str(if ordinal && rest == 0.0 { word_ordinal } else { word });
        if rest > 0.0 {
            put(rest, true, ordinal, out);
        }
        return;
    }
    out.push_str(if joined { " and " } else { "" });
    let (tens, ones) = ((size / 10.0) as usize, (size % 10.0) as usize);
    let small = if ordinal { &SMALL_ORDINALS } else { &SMALL };
    match tens.checked_sub(2) {
        None => out.push_str(small.get(size as usize).copied().unwrap_or_default()),
        Some(place) => {
            let tens = if ordinal && ones == 0 { &TENS_ORDINALS } else { &TENS };
            out.push_str(tens.get(place).copied().unwrap_or_default());
            if ones > 0 {
                out.push('-');
                out.push_str(small.get(ones).copied().unwrap_or_default());
            }
        }
    }
}

/// Every word and what it stands for, in title case.
pub(in crate::picture) fn vocabulary() -> impl Iterator<Item = (&'static str, f64)> {
    let small = SMALL.into_iter().chain(SMALL_ORDINALS).zip((0..20).chain(0..20)).map(|(word, n)| (word, f64::from(n)));
    let tens = TENS.into_iter().chain(TENS_ORDINALS).zip((2..10).chain(2..10));
    let tens = tens.map(|(word, n)| (word, f64::from(n * 10)));
    let large = LARGE.into_iter().flat_map(|(value, word, ordinal)| [(word, value), (ordinal, value)]);
    small.chain(tens).chain(large)
}

/// The number that words stand for, in any case; none when one of them is no number.
pub(super) fn read(text: &str) -> Option<f64> {
    // Parts to be added; a hundred, a thousand … multiplies the last and what is smaller before it.
    let mut parts = vec![0.0];
    let mut rest = text;
    loop {
        let (word, next) = next_word(rest);
        let (_, value) = vocabulary().find(|(known, _)| known.eq_ignore_ascii_case(word))?;
        let mut last = parts.pop().unwrap_or_default();
        if value >= 100.0 {
            while let Some(smaller) = parts.pop_if(|part| *part < value) {
                last += smaller;
            }
            parts.push(last * value);
        } else if last >= 1000.0 {
            parts.extend([last, value]);
        } else {
            parts.push(last + value);
        }
        match next {
            Some(next) => rest = next,
            None => return Some(parts.iter().sum()),
        }
    }
}

/// The first word, and what follows the blank, hyphen, comma or `and` behind it.
fn next_word(text: &str) -> (&str, Option<&str>) {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '-' | '\\');
    let comma = |(place, c): &(usize, char)| {
        is_end(*c) || (*c == ',' && text.get(place + 1..).is_some_and(|rest| rest.starts_with(char::is_whitespace)))
    };
    let Some((place, c)) = text.char_indices().find(comma) else { return (text, None) };
    let (word, rest) = text.split_at_checked(place).unwrap_or((text, ""));
    let behind = |text: &'_ str| text.chars().next().map_or(0, char::len_utf8);
    let mut rest = rest.get(c.len_utf8()..).unwrap_or_default();
    if c == ',' {
        rest = rest.get(behind(rest)..).unwrap_or_default();
    } else if let Some((and, after)) = rest.split_at_checked(3)
        && c.is_whitespace()
        && and.eq_ignore_ascii_case("and")
        && after.starts_with(char::is_whitespace)
    {
        rest = after.get(behind(after)..).unwrap_or_default();
    }
    (word, Some(rest))
}
