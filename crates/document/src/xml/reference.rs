//! References (XML 1.0 §4.1 and §4.6): characters by number, and the five entities.

use super::names::{self, is_space};
use super::problem::Problem;

/// Longest reference that is looked at: `&#x10ffff;` with many zeros before it.
const BYTES_MAX: usize = 64;

/// The reference that the text begins with, and its length; none when the text ends within it.
pub(super) fn read(text: &str) -> Result<Option<(char, usize)>, Problem> {
    let end = text.bytes().take(BYTES_MAX).position(|byte| byte == b';');
    let inside = text.get(1..end.unwrap_or(text.len())).unwrap_or_default();
    let is_other = |byte: u8| is_space(byte) || matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'');
    if inside.len() > BYTES_MAX || inside.bytes().any(is_other) {
        return Err(Problem::Ampersand);
    }
    end.map(|end| Ok((character(inside)?, end + 1))).transpose()
}

/// What stands between `&` and `;` as a character.
fn character(name: &str) -> Result<char, Problem> {
    let Some(number) = name.strip_prefix('#') else {
        return match name {
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "amp" => Ok('&'),
            "apos" => Ok('\''),
            "quot" => Ok('"'),
            _ if names::is_plain_name(name) => Err(Problem::Entity),
            _ => Err(Problem::Ampersand),
        };
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(Problem::Ampersand);
    }
    let number = u32::from_str_radix(digits, radix).map_err(|_| Problem::NumberOfNone)?;
    char::from_u32(number).filter(|c| names::is_char(*c)).ok_or(Problem::NumberOfNone)
}
