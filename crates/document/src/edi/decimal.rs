//! Numbers, digit by digit: nothing is rounded and nothing goes through floating point.
//!
//! X12.6 has whole numbers with an implied point (`N2`: `1250` is 12.50) and decimal numbers (`R`);
//! ISO 9735 has decimal numbers with the mark that UNA names. Signs and marks do not count as length
//! in either. In a value a number has the form of JSON: zeros that only fill are gone, and there is a
//! digit before the point.

use super::{
    limits::DIGITS_MAX,
    scalar::{Wrong, has_exponents},
    syntax::{Mode, Syntax},
};

/// A number in another notation, with how many digits the interchange has of it.
pub(super) struct Number {
    pub lexeme: String,
    pub digits: usize,
}

/// The parts of a number: its sign, digits before and after the point, a power of ten.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: Option<&'a str>,
}

fn are_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn parts<'a>(text: &'a str, is_mark: impl Fn(u8) -> bool, exponents: &[char]) -> Option<Parts<'a>> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = match rest.split_once(exponents) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let mark = mantissa.bytes().position(&is_mark);
    let (whole, fraction) = match mark.and_then(|mark| mantissa.split_at_checked(mark)) {
        Some((whole, fraction)) => (whole, fraction.get(1..).unwrap_or_default()),
        None => (mantissa, ""),
    };
    let is_power = exponent.is_none_or(|power| {
        let digits = power.strip_prefix(['-', '+']).unwrap_or(power);
        are_digits(digits) && (1..=3).contains(&digits.len())
    });
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    (has_digits && are_digits(whole) && are_digits(fraction) && is_power).then_some(Parts {
        negative,
        whole,
        fraction,
        exponent,
    })
}

/// The JSON number of a text; with `implied` the text has no mark and that many digits are the
/// fraction.
pub(super) fn read(text: &str, implied: Option<u8>, mode: &Mode) -> Option<Number> {
    let exponents: &[char] = if has_exponents(mode) && implied.is_none() { &['E'] } else { &[] };
    let number = parts(text, |byte| implied.is_none() && mode.is_mark(byte), exponents)?;
    // A mark at the right end may be left out in X12 (X12.6) and may not stand in EDIFACT.
    let ends_with_mark = text.as_bytes().last().is_some_and(|byte| !byte.is_ascii_digit());
    if ends_with_mark && mode.syntax == Syntax::Edifact || number.exponent.is_some_and(|power| power.starts_with('+')) {
        return None;
    }
    let digits = number.whole.len() + number.fraction.len();
    let (padded, whole, fraction);
    (whole, fraction) = match implied.map(usize::from) {
        Some(places) => {
            padded = format!("{:0>width$}", number.whole, width = places + 1);
            padded.split_at_checked(padded.len() - places)?
        }
        None => (number.whole, number.fraction),
    };
    let whole = whole.trim_start_matches('0');
    let mut lexeme = String::with_capacity(text.len() + 2);
    lexeme.push_str(if number.negative { "-" } else { "" });
    lexeme.push_str(if whole.is_empty() { "0" } else { whole });
    if !fraction.is_empty() {
        lexeme.push('.');
        lexeme.push_str(fraction);
    }
    if let Some(power) = number.exponent {
        lexeme.push('E');
        lexeme.push_str(power);
    }
    // What is larger than any number of a document is refused here, with its place.
    if number.exponent.is_some() || whole.len() > 300 {
        lexeme.parse::<f64>().ok().filter(|number| number.is_finite())?;
    }
    (digits <= DIGITS_MAX && lexeme.len() < DIGITS_MAX).then_some(Number { lexeme, digits })
}

/// The text of a JSON number: filled with zeros to `min` digits, and without the zero before the
/// point where `max` has no room for it.
pub(super) fn write(lexeme: &str, implied: Option<u8>, mode: &Mode, min: usize, max: usize) -> Result<Number, Wrong> {
    let refused = |what: &'static str| Wrong::new("LG-EDI-TYPE", what);
    let min = min.min(DIGITS_MAX);
    let number = parts(lexeme, |byte| byte == b'.', &['e', 'E']).ok_or(refused("is no number"))?;
    let mut all = format!("{}{}", number.whole, number.fraction);
    let mut fraction = number.fraction.len() as i64;
    let mut power = number.exponent.map(|power| power.trim_start_matches('+'));
    if implied.is_some() || !has_exponents(mode) {
        fraction -= power.take().and_then(|power| power.parse().ok()).unwrap_or(0);
        let places = implied.map_or(fraction.max(0), i64::from);
        // As many digits after the point as the notation has.
        while fraction < places && all.len() <= DIGITS_MAX {
            all.push('0');
            fraction += 1;
        }
        while fraction > places {
            if !(all.ends_with('0') || all.is_empty()) {
                return Err(refused("has more decimals than its element"));
            }
            all.pop();
            fraction -= 1;
        }
    }
    let places = usize::try_from(fraction).unwrap_or(0);
    if all.len() > DIGITS_MAX || places > DIGITS_MAX {
        return Err(refused("has more digits than any element"));
    }
    // At least one digit before the point, and no more zeros than are asked for.
    let mut all = format!("{:0>width$}", all.trim_start_matches('0'), width = places + 1);
    if implied.is_some() {
        all = format!("{:0>min$}", all.trim_start_matches('0'));
        all = if all.is_empty() { "0".to_owned() } else { all };
    } else if places > 0 && all.len() > max && all.starts_with('0') {
        all.remove(0);
    } else {
        all = format!("{all:0>min$}");
    }
    let digits = all.len();
    let mut text = if number.negative { "-".to_owned() } else { String::new() };
    match (implied, all.split_at_checked(digits - places.min(digits))) {
        (None, Some((whole, fraction))) if places > 0 => {
            text.push_str(whole);
            text.push(char::from(mode.delimiters.decimal));
            text.push_str(fraction);
        }
        _ => text.push_str(&all),
    }
    if let Some(power) = power {
        text.push('E');
        text.push_str(power);
    }
    Ok(Number { lexeme: text, digits })
}
