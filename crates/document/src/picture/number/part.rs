//! One sub-picture: its pieces, what may be wrong with them, and writing a number by them.

use crate::number::round_half_even;
use crate::picture::grouping::Grouping;
use crate::refusal::Refusal;

use super::{DecimalFormat, is};

/// Digits of the longest fraction that a number has, and some more.
const FRACTION_MAX: usize = 1100;
/// No power of ten beyond is a number.
const EXPONENT_MAX: usize = 310;

/// A sub-picture, cut as F&O 3.1 §4.7.3 says.
pub(super) struct Part {
    pub(super) prefix: String,
    active: Vec<char>,
    integer: Vec<char>,
    /// What stands behind the decimal separator, if there is one.
    fraction: Option<Vec<char>>,
    exponent: Option<Vec<char>>,
    pub(super) suffix: String,
    percents: usize,
    per_milles: usize,
}

impl Part {
    pub(super) fn cut(text: &str, format: &DecimalFormat) -> Part {
        let starts = |(_, c): &(usize, char)| format.is_active(*c) && !is(&format.exponent_separator, *c);
        let from = text.char_indices().find(starts).map_or(0, |(place, _)| place);
        let to = text.char_indices().rev().find(starts).map_or(text.len(), |(place, c)| place + c.len_utf8());
        let (rest, suffix) = text.split_at_checked(to).unwrap_or((text, ""));
        let (prefix, active) = rest.split_at_checked(from).unwrap_or(("", rest));
        let exponent_separator = format.exponent_separator.as_str();
        let (mantissa, exponent) = match active.split_once(exponent_separator) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            // At the very end it has no digits: an exponent without digits, which is refused.
            None if suffix.starts_with(exponent_separator) => (active, Some("")),
            None => (active, None),
        };
        let (integer, fraction) = match mantissa.split_once(format.decimal_separator.as_str()) {
            Some((integer, fraction)) => (integer, Some(fraction)),
            None => (mantissa, None),
        };
        Part {
            prefix: prefix.to_owned(),
            active: active.chars().collect(),
            integer: integer.chars().collect(),
            fraction: fraction.map(|fraction| fraction.chars().collect()),
            exponent: exponent.map(|exponent| exponent.chars().collect()),
            suffix: suffix.to_owned(),
            percents: text.matches(&format.percent).count(),
            per_milles: text.matches(&format.per_mille).count(),
        }
    }

    fn fraction(&self) -> &[char] {
        self.fraction.as_deref().unwrap_or_default()
    }

    /// F&O 3.1 §4.7.3. Of several faults the one with the highest code is told, as the reference does.
    pub(super) fn check(&self, format: &DecimalFormat) -> Result<(), Refusal> {
        let grouping = |c: &char| is(&format.grouping_separator, *c);
        let decimal = |c: &char| is(&format.decimal_separator, *c);
        let optional = |c: &char| is(&format.digit, *c);
        let digit = |c: &char| format.is_digit(*c);
        let beside = |first: &dyn Fn(&char) -> bool, second: &dyn Fn(&char) -> bool| {
            self.active.windows(2).any(|pair| matches!(pair, [a, b] if first(a) && second(b)))
        };
        let exponent = self.exponent.as_deref();
        if exponent.is_some_and(|exponent| exponent.is_empty() || !exponent.iter().all(digit)) {
            return Err(Refusal::Exponent);
        }
        if exponent.is_some() && self.percents + self.per_milles > 0 {
            return Err(Refusal::ExponentWithPercent);
        }
        if self.fraction().iter().rev().take_while(|c| !optional(c)).any(digit) && self.fraction().iter().any(optional)
        {
            return Err(Refusal::MandatoryAfterOptional);
        }
        if self.integer.iter().take_while(|c| !optional(c)).any(digit) && self.integer.iter().any(optional) {
            return Err(Refusal::OptionalAfterMandatory);
        }
        if beside(&grouping, &grouping) {
            return Err(Refusal::GroupingTwice);
        }
        if self.fraction.is_none() && self.integer.last().is_some_and(grouping) {
            return Err(Refusal::GroupingAtEnd);
        }
        // Of several decimal separators only the first is looked at, as in the reference.
        let at = self.active.iter().position(decimal);
        let before = at.and_then(|at| self.active.get(at.checked_sub(1)?));
        let behind = at.and_then(|at| self.active.get(at + 1));
        if before.is_some_and(grouping) || behind.is_some_and(grouping) {
            return Err(Refusal::GroupingAtDecimal);
        }
        if !self.active.iter().all(|c| format.is_active(*c)) {
            return Err(Refusal::PassiveWithin);
        }
        if !self.integer.iter().chain(self.fraction()).any(|c| format.is_place(*c)) {
            return Err(Refusal::NoDigit);
        }
        if self.percents > 0 && self.per_milles > 0 {
            return Err(Refusal::PercentAndPerMille);
        }
        if self.per_milles > 1 {
            return Err(Refusal::PerMilleTwice);
        }
        if self.percents > 1 {
            return Err(Refusal::PercentTwice);
        }
        if self.active.iter().filter(|c| decimal(c)).count() > 1 {
            return Err(Refusal::DecimalTwice);
        }
        Ok(())
    }

    /// Smallest number of digits before the decimal separator, and smallest and largest behind it
    /// (F&O 3.1 §4.7.4).
    fn sizes(&self, format: &DecimalFormat) -> (usize, usize, usize) {
        let mut whole = self.integer.iter().filter(|c| format.is_digit(**c)).count();
        let mut least = self.fraction().iter().filter(|c| format.is_digit(**c)).count();
        let mut most = self.fraction().iter().filter(|c| format.is_place(**c)).count();
        if whole == 0 && most == 0 {
            if self.exponent.is_some() {
                (least, most) = (1, 1);
            } else {
                whole = 1;
            }
        }
        if self.exponent.is_some() && whole == 0 && self.integer.iter().any(|c| is(&format.digit, *c)) {
            whole = 1;
        }
        if whole == 0 && least == 0 {
            least = 1;
        }
        (whole, least, most)
    }

    /// Appends a number without its sign (F&O 3.1 §4.7.5).
    pub(super) fn write(&self, value: f64, format: &DecimalFormat, out: &mut String) -> Result<(), Refusal> {
        let mut mantissa = match (self.percents, self.per_milles) {
            (0, 0) => value,
            (0, _) => value * 1000.0,
            _ => value * 100.0,
        };
        let mut exponent = 0_i32;
        if self.exponent.is_some() && mantissa != 0.0 {
            let places = self.integer.iter().filter(|c| format.is_digit(**c)).count();
            let most = power_of_ten(places);
            let least = if places == 0 { 0.1 } else { power_of_ten(places - 1) };
            while mantissa < least {
                mantissa *= 10.0;
                exponent -= 1;
            }
            while mantissa > most {
                mantissa /= 10.0;
                exponent += 1;
            }
        }
        if !mantissa.is_finite() {
            return Err(Refusal::TooLarge);
        }
        let (whole_min, fraction_min, fraction_max) = self.sizes(format);
        let rounded = round_half_even(mantissa, fraction_max as f64);
        // No number where the places lie far behind its last digit: there is nothing to round.
        let rounded = if rounded.is_finite() { rounded } else { mantissa };
        let text = fixed(rounded, fraction_max.min(FRACTION_MAX));
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');

        let mut digits = vec![format.zero_digit; whole_min.saturating_sub(whole.len())];
        digits.extend(format.digits(whole));
        self.grouping(format).write(&digits, out);

        digits.clear();
        digits.extend(format.digits(fraction));
        digits.resize(digits.len().max(fraction_min), format.zero_digit);
        self.write_fraction(&digits, format, out);

        if let Some(picture) = &self.exponent {
            out.push_str(&format.exponent_separator);
            if exponent < 0 {
                out.push_str(&format.minus_sign);
            }
            let text = exponent.unsigned_abs().to_string();
            out.extend(std::iter::repeat_n(format.zero_digit, picture.len().saturating_sub(text.len())));
            out.extend(format.digits(&text));
        }
        Ok(())
    }

    /// Where separators stand in the integer part.
    fn grouping(&self, format: &DecimalFormat) -> Grouping {
        let mut right = self.integer.iter().filter(|c| format.is_place(**c)).count();
        let mut separators = Vec::new();
        for c in &self.integer {
            if format.is_place(*c) {
                right -= 1;
            } else {
                separators.push((right, *c));
            }
        }
        Grouping::of(separators)
    }

    /// Appends the decimal separator and the digits behind it, if there are any.
    fn write_fraction(&self, digits: &[char], format: &DecimalFormat, out: &mut String) {
        if digits.is_empty() {
            return;
        }
        out.push_str(&format.decimal_separator);
        let mut picture = self.fraction().iter().peekable();
        for digit in digits {
            // A separator stands where it does in the picture, and never behind the last digit.
            while let Some(separator) = picture.next_if(|c| !format.is_place(**c)) {
                out.push(*separator);
            }
            picture.next();
            out.push(*digit);
        }
    }
}

/// A number with so many digits behind the point, half-way between two texts the larger one.
fn fixed(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    // Half-way there is exactly one digit more, a five: the number is odd in units of that power of two.
    let halves = value * 2_f64.powi(i32::try_from(places).unwrap_or(i32::MAX).saturating_add(1));
    if halves.fract() != 0.0 || halves % 2.0 != 1.0 {
        return text;
    }
    let more = format!("{value:.0$}", places + 1);
    let down = more.strip_suffix('5').unwrap_or(&more);
    if down.trim_end_matches('.') != text {
        return text;
    }
    // What was rounded down to an even digit has no carry: its last digit is 0 to 8.
    let mut up = text;
    if let Some(digit) = up.pop().and_then(|last| last.to_digit(10)) {
        up.extend(char::from_digit(digit + 1, 10));
    }
    up
}

fn power_of_ten(exponent: usize) -> f64 {
    format!("1e{}", exponent.min(EXPONENT_MAX)).parse().unwrap_or(f64::INFINITY)
}
