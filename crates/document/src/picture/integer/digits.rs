//! Decimal digit patterns (F&O 3.1 §4.6.1) and the suffixes of ordinals.

use crate::refusal::Refusal;

use super::{Digits, Grouping};

/// The zeros of all families of decimal digits: general category Nd of Unicode 15.
#[rustfmt::skip]
const ZEROS: [u32; 68] = [
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0,
    0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620,
    0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0,
    0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x11F50,
    0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E950,
    0x1FBF0,
];

/// The zero of the family that a digit belongs to.
fn zero_of(c: char) -> Option<char> {
    let zero = ZEROS.into_iter().rev().find(|zero| *zero <= c as u32).filter(|zero| c as u32 - zero < 10);
    zero.and_then(char::from_u32)
}

impl Digits {
    /// Digits are mandatory, `#` is an optional one, all else is a separator.
    pub(super) fn parse(token: &str) -> Result<Digits, Refusal> {
        let mut family = None;
        let (mut mandatory, mut optional) = (0, 0);
        let mut separators = Vec::new();
        // From the right, so that separators know their place.
        for c in token.chars().rev() {
            match zero_of(c) {
                Some(zero) if *family.get_or_insert(zero) != zero => return Err(Refusal::DigitFamilies),
                Some(_) => mandatory += 1,
                None if c == '#' => optional += 1,
                None => separators.push((mandatory + optional, c)),
            }
        }
        separators.reverse();
        let zero = family.ok_or(Refusal::Sequence)?;
        Ok(Digits { zero, mandatory, optional, grouping: Grouping::of(separators) })
    }

    /// Appends a number of which these are the ASCII digits.
    pub(super) fn write(&self, text: &str, out: &mut String) {
        let digit = |c: char| char::from_u32(self.zero as u32 + c.to_digit(10)?);
        let mut digits = vec![self.zero; self.mandatory.saturating_sub(text.len())];
        digits.extend(text.chars().filter_map(digit));
        self.grouping.write(&digits, out);
    }

    /// The number at the start of a text. ASCII digits are read in every family.
    pub(super) fn read(&self, text: &str) -> Option<f64> {
        let value = |c: char| {
            let own = (c as u32).wrapping_sub(self.zero as u32);
            if own < 10 { Some(own) } else { c.to_digit(10) }
        };
        let digits = text.trim_start().chars().filter(|c| !self.grouping.has(*c)).map_while(value);
        let ascii: String = digits.filter_map(|digit| char::from_digit(digit, 10)).collect();
        ascii.parse().ok()
    }
}

/// The English suffix of an ordinal that ends with these digits.
pub(super) fn suffix(digits: &str) -> &'static str {
    match digits.as_bytes() {
        [.., b'1', _] => "th",
        [.., b'1'] => "st",
        [.., b'2'] => "nd",
        [.., b'3'] => "rd",
        _ => "th",
    }
}
