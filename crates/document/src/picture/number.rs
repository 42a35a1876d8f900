//! `$formatNumber`: a number by a picture such as `#,##0.00` (F&O 3.1 §4.7).
//!
//! A picture has one sub-picture, or two: the second is for negative numbers. A sub-picture is a
//! prefix, an active part of digits and separators, and a suffix. What counts as a digit or as a
//! separator is said by a [`DecimalFormat`].
//!
//! Where the reference implementation breaks, the specification holds: grouping separators stand
//! between digits only, all of those of the fraction count, a prefix may stand before an exponent, and
//! numbers from 1e21 on keep their digits. As there, a mantissa may reach the power of ten that bounds
//! it, and an exponent separator that ends the active part is refused.

use crate::refusal::Refusal;

use part::Part;

mod part;

/// Characters and texts with a meaning in a picture: the decimal format of F&O 3.1 §4.7.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecimalFormat {
    decimal_separator: String,
    grouping_separator: String,
    exponent_separator: String,
    infinity: String,
    minus_sign: String,
    nan: String,
    percent: String,
    per_mille: String,
    zero_digit: char,
    digit: String,
    pattern_separator: String,
}

impl Default for DecimalFormat {
    fn default() -> Self {
        DecimalFormat {
            decimal_separator: ".".to_owned(),
            grouping_separator: ",".to_owned(),
            exponent_separator: "e".to_owned(),
            infinity: "Infinity".to_owned(),
            minus_sign: "-".to_owned(),
            nan: "NaN".to_owned(),
            percent: "%".to_owned(),
            per_mille: "‰".to_owned(),
            zero_digit: '0',
            digit: "#".to_owned(),
            pattern_separator: ";".to_owned(),
        }
    }
}

impl DecimalFormat {
    /// Sets the property with this name, such as `decimal-separator`. Other names and empty texts
    /// change nothing.
    pub fn set(&mut self, name: &str, value: &str) {
        let Some(first) = value.chars().next() else { return };
        let property = match name {
            "decimal-separator" => &mut self.decimal_separator,
            "grouping-separator" => &mut self.grouping_separator,
            "exponent-separator" => &mut self.exponent_separator,
            "infinity" => &mut self.infinity,
            "minus-sign" => &mut self.minus_sign,
            "NaN" => &mut self.nan,
            "percent" => &mut self.percent,
            "per-mille" => &mut self.per_mille,
            "digit" => &mut self.digit,
            "pattern-separator" => &mut self.pattern_separator,
            "zero-digit" => {
                self.zero_digit = first;
                return;
            }
            _ => return,
        };
        value.clone_into(property);
    }

    /// One of the ten digits, which stand for mandatory digits in a picture?
    fn is_digit(&self, c: char) -> bool {
        (c as u32).checked_sub(self.zero_digit as u32).is_some_and(|value| value < 10)
    }
    fn is_place(&self, c: char) -> bool {
        self.is_digit(c) || is(&self.digit, c)
    }
    fn is_active(&self, c: char) -> bool {
        let separators =
            [&self.decimal_separator, &self.grouping_separator, &self.exponent_separator, &self.pattern_separator];
        self.is_place(c) || separators.into_iter().any(|separator| is(separator, c))
    }
    /// The same number in this format's digits.
    fn digits(&self, ascii: &str) -> Vec<char> {
        let digit = |c: char| char::from_u32(self.zero_digit as u32 + (c as u32).wrapping_sub('0' as u32));
        ascii.chars().map(|c| digit(c).unwrap_or(c)).collect()
    }
}

/// Is the property this one character?
fn is(property: &str, c: char) -> bool {
    property.strip_prefix(c).is_some_and(str::is_empty)
}

/// `$formatNumber(value, picture, options)`: the value as the picture shows it.
///
/// Fails with D3080 to D3093 for what is wrong with the picture, and with D1001 when scaling by a
/// percent sign or an exponent leaves the range of numbers.
pub fn format_number(value: f64, picture: &str, format: &DecimalFormat) -> Result<String, Refusal> {
    let mut parts = picture.split(format.pattern_separator.as_str()).map(|text| Part::cut(text, format));
    let (Some(first), second, None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Refusal::SubPictures);
    };
    first.check(format)?;
    second.as_ref().map_or(Ok(()), |second| second.check(format))?;
    if value.is_nan() {
        return Ok(format.nan.clone());
    }
    let mut out = String::new();
    let part = match &second {
        _ if value >= 0.0 => &first,
        Some(second) => second,
        None => {
            out.push_str(&format.minus_sign);
            &first
        }
    };
    out.push_str(&part.prefix);
    if value.is_infinite() {
        out.push_str(&format.infinity);
    } else {
        part.write(value.abs(), format, &mut out)?;
    }
    out.push_str(&part.suffix);
    Ok(out)
}

#[cfg(test)]
mod tests;
