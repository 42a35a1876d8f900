//! Numbers: untouched ones are their lexeme, computed ones an f64.
//!
//! Untouched numbers compare exactly, as decimals: `1`, `1.0` and `1e0` are equal, 9007199254740993
//! and 9007199254740992 are not. As soon as one side was computed, both are f64.

use std::cmp::Ordering;
use std::fmt::{self, Write as _};
use std::str;

/// A number of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number<'a> {
    /// Plain notation: `mantissa` × 10^-`scale`. At most 18 digits, so that the scale is below 19.
    Exact { mantissa: i64, scale: u8 },
    /// Any other notation.
    Lexeme(&'a str),
    /// Computed.
    Float(f64),
}

/// Powers of ten that an f64 holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];
/// Up to here every whole number is an f64.
const WHOLE_MAX: u64 = 1 << 53;

impl Number<'_> {
    /// The nearest f64; infinite when there is none.
    #[inline]
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Number::Float(value) => value,
            Number::Exact { mantissa, scale: 0 } => mantissa as f64,
            Number::Exact { mantissa, scale } => match POWERS.get(usize::from(scale)) {
                // Both operands are exact, so the division rounds once: correctly.
                Some(power) if mantissa.unsigned_abs() <= WHOLE_MAX => mantissa as f64 / power,
                _ => self.as_reply(parse_f64),
            },
            Number::Lexeme(lexeme) => parse_f64(lexeme),
        }
    }

    /// Its text in a reply: the lexeme, or the shortest text that gives the same f64.
    pub(crate) fn as_reply<R>(self, then: impl FnOnce(&str) -> R) -> R {
        match self {
            Number::Exact { mantissa, scale: 0 } => then(itoa::Buffer::new().format(mantissa)),
            Number::Exact { mantissa, scale } => then(Plain::new(mantissa, scale).as_str()),
            Number::Lexeme(lexeme) => then(lexeme),
            Number::Float(value) => as_script(value, then),
        }
    }

    /// Its text by `$string`: whole untouched numbers give their digits, all others fifteen digits at most.
    pub(crate) fn as_string<R>(self, then: impl FnOnce(&str) -> R) -> R {
        if self.is_whole() { self.as_reply(then) } else { as_fifteen(self.to_f64(), then) }
    }

    /// Is it untouched and written with digits alone? Then its text needs no f64.
    pub(crate) fn is_whole(self) -> bool {
        match self {
            Number::Exact { scale, .. } => scale == 0,
            Number::Lexeme(lexeme) => is_whole(lexeme),
            Number::Float(_) => false,
        }
    }

    fn is_untouched(self) -> bool {
        !matches!(self, Number::Float(_))
    }

    /// Order of two numbers; a computed one is finite, so there always is one.
    pub(crate) fn order(self, other: Number<'_>) -> Ordering {
        match (self, other) {
            (Number::Exact { mantissa: a, scale: n }, Number::Exact { mantissa: b, scale: m }) => {
                // At most 18 digits each and scales below 19: no overflow.
                let a = i128::from(a) * 10i128.pow(u32::from(m.saturating_sub(n)));
                let b = i128::from(b) * 10i128.pow(u32::from(n.saturating_sub(m)));
                a.cmp(&b)
            }
            _ if self.is_untouched() && other.is_untouched() => {
                self.as_reply(|a| other.as_reply(|b| Decimal::read(a).order(&Decimal::read(b))))
            }
            _ => self.to_f64().partial_cmp(&other.to_f64()).unwrap_or(Ordering::Equal),
        }
    }
    /// Are they the same number?
    pub(crate) fn same(self, other: Number<'_>) -> bool {
        match (self, other) {
            (Number::Exact { mantissa: a, scale: n }, Number::Exact { mantissa: b, scale: m }) if n == m => a == b,
            (Number::Float(a), Number::Float(b)) => a == b,
            _ => self.order(other) == Ordering::Equal,
        }
    }
}

/// Mantissa and scale of a JSON number in plain notation; none for other notations, for more than
/// eighteen digits, for minus zero, whose sign would be lost, and for what is no number.
pub(crate) fn exact(lexeme: &[u8]) -> Option<(i64, u8)> {
    let (is_negative, digits) = match lexeme {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // Nineteen bytes are eighteen digits and a point.
    if digits.len() > 19 || matches!(digits, [] | [b'.', ..] | [.., b'.'] | [b'0', b'0'..=b'9', ..]) {
        return None;
    }
    let (mut mantissa, mut point, mut count) = (0i64, None, 0);
    for &byte in digits {
        match byte {
            b'0'..=b'9' if count < 18 => {
                mantissa = mantissa * 10 + i64::from(byte - b'0');
                count += 1;
            }
            b'.' if point.is_none() => point = Some(count),
            _ => return None,
        }
    }
    if is_negative && mantissa == 0 {
        return None;
    }
    let scale = point.map_or(0, |before| count - before);
    Some((if is_negative { -mantissa } else { mantissa }, scale))
}

/// The f64 that JSON number text stands for, rounded correctly.
pub(crate) fn parse_f64(lexeme: &str) -> f64 {
    // Never fails: the reader and our own printers write no other text.
    lexeme.parse().unwrap_or(f64::NAN)
}

/// Digits with perhaps a sign before them.
fn is_whole(lexeme: &str) -> bool {
    let digits = lexeme.strip_prefix('-').unwrap_or(lexeme);
    lexeme != "-0" && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// ECMAScript's text of a number (Number::toString).
pub(crate) fn as_script<R>(value: f64, then: impl FnOnce(&str) -> R) -> R {
    // Zero has no sign in JSON's texts either.
    let whole = value as i64;
    if whole as f64 == value && whole.unsigned_abs() < WHOLE_MAX {
        return then(itoa::Buffer::new().format(whole));
    }
    if let Some((mantissa, scale)) = hundredths(value) {
        return then(Plain::new(mantissa, scale).as_str());
    }
    then(ryu_js::Buffer::new().format(value))
}

/// ECMAScript's `Number(value.toPrecision(15))` as text; whole numbers keep all their digits.
pub(crate) fn as_fifteen<R>(value: f64, then: impl FnOnce(&str) -> R) -> R {
    if value.trunc() == value {
        return as_script(value, then);
    }
    let mut buffer = ryu_js::Buffer::new();
    let shortest = buffer.format(value);
    let (digits, last) = significant(shortest);
    // A text of at most fifteen digits lies nearer than half a step of the fifteenth: it is the answer.
    if digits <= 15 {
        return then(shortest);
    }
    let mut rounded = Scribble::new();
    if digits == 16 && last == b'5' {
        // It may lie right between two texts of fifteen digits: ECMAScript then takes the upper one.
        let mut long = Scribble::new();
        let _ = write!(long, "{:.40e}", value.abs());
        round_up_at_fifteen(long.as_str(), value < 0.0, &mut rounded);
    } else {
        let _ = write!(rounded, "{value:.14e}");
    }
    as_script(parse_f64(rounded.as_str()), then)
}

/// Number of significant digits of a text, and the last of them.
fn significant(text: &str) -> (usize, u8) {
    let mantissa = text.split('e').next().unwrap_or(text);
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).skip_while(|&digit| digit == b'0');
    digits.fold((0, b'0'), |(count, _), digit| (count + 1, digit))
}

/// `d.ddd…e±x` to fifteen digits, half up.
fn round_up_at_fifteen(long: &str, negative: bool, out: &mut Scribble) {
    let (mantissa, exponent) = long.split_once('e').unwrap_or((long, "0"));
    let mut digits = mantissa.bytes().filter(u8::is_ascii_digit).map(|digit| i64::from(digit - b'0'));
    let kept = digits.by_ref().take(15).fold(0, |sum, digit| sum * 10 + digit);
    let kept = kept + i64::from(digits.next().is_some_and(|next| next >= 5));
    let exponent: i64 = exponent.parse().unwrap_or_default();
    let _ = write!(out, "{}{kept}e{}", if negative { "-" } else { "" }, exponent - 14);
}

/// `$round`: half to even at `digits` places, shifted as a decimal text is, so that 4.525 is a half.
pub(crate) fn round_half_even(value: f64, digits: f64) -> f64 {
    if digits == 0.0 || digits.is_nan() {
        return nearest_even(value) + 0.0;
    }
    if let Some(rounded) = round_clear_cut(value, digits) {
        return rounded;
    }
    let shifted = nearest_even(shift(value, digits));
    shift(shifted, -digits) + 0.0
}

/// The usual case: a value that is clearly nearer to one neighbour, whatever the last bits say.
fn round_clear_cut(value: f64, digits: f64) -> Option<f64> {
    let power = if (1.0..=9.0).contains(&digits) { POWERS.get(digits as usize)? } else { return None };
    let shifted = value * power;
    if digits.trunc() != digits || shifted.abs() >= 1e9 {
        return None;
    }
    let near = shifted.round();
    // The product is off by less than 1e-6 here, so a distance of up to 0.49 decides.
    if (shifted - near).abs() > 0.49 {
        return None;
    }
    Some(near / power + 0.0)
}

/// A value of one or two decimal places, as most amounts are. No other text of at most fifteen digits
/// stands for the same f64, so it is the shortest one.
fn hundredths(value: f64) -> Option<(i64, u8)> {
    const MAX: f64 = 1e12;
    if value.abs() > MAX {
        return None;
    }
    let count = (value * 100.0 + 0.5f64.copysign(value)) as i64;
    if count as f64 / 100.0 != value {
        return None;
    }
    Some(if count % 10 == 0 { (count / 10, 1) } else { (count, 2) })
}

/// Nearest whole number, a half to the even one.
fn nearest_even(value: f64) -> f64 {
    value.round_ties_even()
}

/// `value` × 10^`digits` as decimal text: append the exponent and read again.
fn shift(value: f64, digits: f64) -> f64 {
    if digits.trunc() != digits || !value.is_finite() {
        return f64::NAN;
    }
    let mut buffer = ryu_js::Buffer::new();
    let text = buffer.format(value);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: f64 = exponent.parse().unwrap_or_default();
    let mut shifted = Scribble::new();
    let _ = write!(shifted, "{mantissa}e{}", exponent + digits);
    parse_f64(shifted.as_str())
}

/// Plain notation of an exact number.
struct Plain {
    bytes: [u8; 24],
    len: usize,
}
impl Plain {
    fn new(mantissa: i64, scale: u8) -> Plain {
        let mut plain = Plain { bytes: [0; 24], len: 0 };
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(mantissa.unsigned_abs());
        let scale = usize::from(scale);
        if mantissa < 0 {
            plain.put(b"-");
        }
        match digits.len().checked_sub(scale).filter(|&whole| whole > 0) {
            Some(whole) => {
                let (before, after) = digits.as_bytes().split_at_checked(whole).unwrap_or_default();
                plain.put(before);
                plain.put(b".");
                plain.put(after);
            }
            None => {
                plain.put(b"0.");
                for _ in digits.len()..scale {
                    plain.put(b"0");
                }
                plain.put(digits.as_bytes());
            }
        }
        plain
    }
    fn put(&mut self, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(self.len..self.len + bytes.len()) {
            place.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }
    fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// A short text on the stack.
struct Scribble {
    bytes: [u8; 64],
    len: usize,
}
impl Scribble {
    fn new() -> Scribble {
        Scribble { bytes: [0; 64], len: 0 }
    }
    fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}
impl fmt::Write for Scribble {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let place = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

/// A lexeme as sign, digits and exponent: 0.d₁d₂… × 10^exponent with d₁ ≠ 0; zero has no digits.
struct Decimal<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}
impl<'a> Decimal<'a> {
    fn read(lexeme: &'a str) -> Decimal<'a> {
        let (negative, rest) = match lexeme.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, lexeme),
        };
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        // An exponent past i64 is past every digit count too.
        let beyond = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
        let exponent = exponent.parse::<i64>().unwrap_or(beyond).clamp(i64::MIN / 2, i64::MAX / 2);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let (shorter, skipped) = if whole.is_empty() {
            let shorter = fraction.trim_start_matches('0');
            (shorter, (fraction.len() - shorter.len()) as i64)
        } else {
            (fraction, 0)
        };
        let exponent = exponent.saturating_add(whole.len() as i64 - skipped);
        let whole = if shorter.is_empty() { whole.trim_end_matches('0') } else { whole };
        Decimal { negative, whole: whole.as_bytes(), fraction: shorter.as_bytes(), exponent }
    }
    fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }
    fn order(&self, other: &Decimal<'_>) -> Ordering {
        match (self.is_zero(), other.is_zero()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return if other.negative { Ordering::Greater } else { Ordering::Less },
            (false, true) => return if self.negative { Ordering::Less } else { Ordering::Greater },
            (false, false) => {}
        }
        let sizes = self.exponent.cmp(&other.exponent).then_with(|| {
            let mine = self.whole.iter().chain(self.fraction);
            mine.cmp(other.whole.iter().chain(other.fraction))
        });
        match (self.negative, other.negative) {
            (false, false) => sizes,
            (true, true) => sizes.reverse(),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

#[cfg(test)]
mod tests;
