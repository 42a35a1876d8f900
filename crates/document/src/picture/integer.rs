//! `$formatInteger` and `$parseInteger`: a whole number by a picture such as `#,##0`, `0;o`, `Ww` or
//! `I` (F&O 3.1 §4.6), and back.
//!
//! Pictures are decimal digits of any family with separators, `A` and `a` (letters as columns of a
//! spreadsheet have them), `I` and `i` (roman), `W`, `w` and `Ww` (English words); `;o` behind makes
//! ordinals of digits and words. Any other picture is refused: numbering sequences are left to the
//! implementation.
//!
//! Reading back is lenient as in the reference: what is in a text beyond the digits ends the number.
//! Where the reference yields `NaN` there is no number. Unlike there, what is written with other
//! separators than commas, in other digits, with a minus sign or as thousands of trillions is read back.

use crate::number::as_script;
use crate::refusal::Refusal;

use super::grouping::Grouping;

pub(super) use words::vocabulary;

mod digits;
mod words;

/// A picture of a whole number, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegerPicture {
    pub(super) form: Form,
    pub(super) ordinal: bool,
}

/// The primary format token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    Digits(Digits),
    Letters(Case),
    Roman(Case),
    Words(Case),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Lower,
    Title,
}

/// A decimal digit pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digits {
    /// The zero of its family of digits.
    pub(super) zero: char,
    pub(super) mandatory: usize,
    pub(super) optional: usize,
    pub(super) grouping: Grouping,
}

/// Largest number with a roman numeral; larger ones are written in digits, as F&O 3.1 §4.6.1 allows.
const ROMAN_MAX: f64 = 1e6;

/// `$formatInteger(value, picture)`: the value, rounded down, as the picture shows it.
///
/// Fails with D3130 (no digit in the picture), D3131 (digits of two families) and D1001 (no finite
/// number).
pub fn format_integer(value: f64, picture: &str) -> Result<String, Refusal> {
    let picture = IntegerPicture::parse(picture)?;
    if !value.is_finite() {
        return Err(Refusal::TooLarge);
    }
    Ok(picture.format(value))
}

/// `$parseInteger(text, picture)`: the number that a text stands for, none when it is no number.
///
/// Fails with D3130 and D3131 as [`format_integer`] does.
pub fn parse_integer(text: &str, picture: &str) -> Result<Option<f64>, Refusal> {
    Ok(IntegerPicture::parse(picture)?.read(text))
}

impl IntegerPicture {
    /// Understands a picture. D3130, D3131.
    pub fn parse(picture: &str) -> Result<IntegerPicture, Refusal> {
        let (token, modifier) = picture.rsplit_once(';').unwrap_or((picture, ""));
        let form = match token {
            "A" => Form::Letters(Case::Upper),
            "a" => Form::Letters(Case::Lower),
            "I" => Form::Roman(Case::Upper),
            "i" => Form::Roman(Case::Lower),
            "W" => Form::Words(Case::Upper),
            "w" => Form::Words(Case::Lower),
            "Ww" => Form::Words(Case::Title),
            _ => Form::Digits(Digits::parse(token)?),
        };
        Ok(IntegerPicture { form, ordinal: modifier.starts_with('o') })
    }

    /// A finite number as the picture shows it, rounded down.
    pub fn format(&self, value: f64) -> String {
        let value = value.floor();
        let size = value.abs();
        let mut out = String::from(if value < 0.0 { "-" } else { "" });
        match &self.form {
            Form::Letters(case) => out.push_str(&case.apply(letters(size))),
            Form::Roman(_) if size > ROMAN_MAX => out.push_str(&plain(size)),
            Form::Roman(case) => out.push_str(&case.apply(roman(size))),
            Form::Words(case) => out.push_str(&case.apply(words::spell(size, self.ordinal))),
            Form::Digits(digits) => {
                let text = plain(size);
                digits.write(&text, &mut out);
                if self.ordinal {
                    out.push_str(digits::suffix(&text));
                }
            }
        }
        out
    }

    /// The number that a text stands for.
    pub fn read(&self, text: &str) -> Option<f64> {
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1.0, rest),
            None => (1.0, text),
        };
        let size = match &self.form {
            Form::Letters(_) => read_letters(rest),
            Form::Roman(_) => read_roman(rest),
            Form::Words(_) => words::read(rest),
            Form::Digits(digits) => digits.read(rest),
        };
        // Adding zero takes the sign off a negative zero.
        size.map(|size| sign * size + 0.0).filter(|value| value.is_finite())
    }
}

impl Case {
    /// The same letters in this case; the title case is how words come.
    fn apply(self, text: String) -> String {
        match self {
            Case::Upper => text.to_ascii_uppercase(),
            Case::Lower => text.to_ascii_lowercase(),
            Case::Title => text,
        }
    }
}

/// All digits of a whole number that is not negative.
fn plain(size: f64) -> String {
    // From here on ECMAScript's text has an exponent.
    if size < 1e21 { as_script(size, str::to_owned) } else { format!("{size:.0}") }
}

/// Columns of a spreadsheet: Z is followed by AA. Zero has no letters.
fn letters(mut size: f64) -> String {
    let mut letters = Vec::new();
    while size > 0.0 {
        letters.push(char::from(b'A' + ((size - 1.0) % 26.0) as u8));
        size = ((size - 1.0) / 26.0).floor();
    }
    letters.iter().rev().collect()
}

fn read_letters(text: &str) -> Option<f64> {
    text.chars().try_fold(0.0, |sum, c| {
        let value = c.to_digit(36).filter(|_| c.is_ascii_alphabetic())? - 9;
        Some(sum * 26.0 + f64::from(value))
    })
}

const NUMERALS: [(f64, &str); 13] = [
    (1000.0, "M"),
    (900.0, "CM"),
    (500.0, "D"),
    (400.0, "CD"),
    (100.0, "C"),
    (90.0, "XC"),
    (50.0, "L"),
    (40.0, "XL"),
    (10.0, "X"),
    (9.0, "IX"),
    (5.0, "V"),
    (4.0, "IV"),
    (1.0, "I"),
];

/// Zero has no numeral.
fn roman(mut size: f64) -> String {
    let mut out = String::new();
    for (value, numeral) in NUMERALS {
        while size >= value {
            size -= value;
            out.push_str(numeral);
        }
    }
    out
}

/// A numeral before a larger one is taken away from it.
fn read_roman(text: &str) -> Option<f64> {
    let mut largest = 1.0;
    text.chars().rev().try_fold(0.0, |sum, c| {
        let value = match c.to_ascii_uppercase() {
            'M' => 1000.0,
            'D' => 500.0,
            'C' => 100.0,
            'L' => 50.0,
            'X' => 10.0,
            'V' => 5.0,
            'I' => 1.0,
            _ => return None,
        };
        if value < largest {
            return Some(sum - value);
        }
        largest = value;
        Some(sum + value)
    })
}

#[cfg(test)]
mod tests;
