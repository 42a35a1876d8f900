//! Numbers by their JSON texts: whether they are whole, and multiples of each other. Exact at any
//! length and exponent, as a float is not.

/// Digits that a divisor has at most.
pub(super) const DIVISOR_DIGITS_MAX: usize = 18;

/// A number as digits × 10^exponent, without zeros at either end; zero has no digits.
struct Decimal {
    digits: Vec<u8>,
    exponent: i64,
}

fn read(lexeme: &str) -> Decimal {
    let lexeme = lexeme.strip_prefix('-').unwrap_or(lexeme);
    let (mantissa, exponent) = lexeme.split_once(['e', 'E']).unwrap_or((lexeme, "0"));
    // An exponent past i64 is past every digit count too.
    let beyond = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
    let exponent = exponent.parse::<i64>().unwrap_or(beyond).clamp(i64::MIN / 2, i64::MAX / 2);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|digit| digit.wrapping_sub(b'0')).collect();
    let zeros = digits.iter().rev().take_while(|digit| **digit == 0).count();
    let kept = digits.len() - zeros;
    let digits: Vec<u8> = digits.into_iter().take(kept).skip_while(|digit| *digit == 0).collect();
    let exponent = exponent.saturating_sub(fraction.len() as i64).saturating_add(zeros as i64);
    Decimal { digits, exponent }
}

/// Has it no fraction?
pub(super) fn is_whole(lexeme: &str) -> bool {
    let number = read(lexeme);
    number.digits.is_empty() || number.exponent >= 0
}

/// Digits in all, and behind the point, that a number needs (XML Schema Part 2, §4.3.11 and §4.3.12).
pub(super) fn digits(lexeme: &str) -> (u64, u64) {
    let number = read(lexeme);
    if number.digits.is_empty() {
        return (0, 0);
    }
    let fraction = number.exponent.min(0).unsigned_abs();
    let whole = (number.digits.len() as i64).saturating_add(number.exponent).max(0).unsigned_abs();
    // Zeros behind the point stand in no digit that is written, and count.
    (whole.saturating_add(fraction), fraction)
}

/// Is it a number as XML has them: digits with perhaps a sign and a point; as a float with an exponent
/// too, or one of the words for what is none?
pub(super) fn is_text_of_number(text: &str, float: bool) -> bool {
    if float && matches!(text, "INF" | "-INF" | "NaN") {
        return true;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']).filter(|_| float) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let signed = |text: &str| text.strip_prefix(['+', '-']).unwrap_or(text).to_owned();
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = signed(mantissa);
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    let exponent = exponent.map(signed);
    (!whole.is_empty() || !fraction.is_empty())
        && all_digits(whole)
        && all_digits(fraction)
        && exponent.is_none_or(|exponent| !exponent.is_empty() && all_digits(&exponent))
}

/// Can it divide: more than zero, with digits that are few enough?
pub(super) fn divides(lexeme: &str) -> bool {
    let number = read(lexeme);
    !lexeme.starts_with('-') && !number.digits.is_empty() && number.digits.len() <= DIVISOR_DIGITS_MAX
}

/// Is the one a whole multiple of the other, which [`divides`]?
pub(super) fn is_multiple(lexeme: &str, divisor: &str) -> bool {
    let (number, divisor) = (read(lexeme), read(divisor));
    if number.digits.is_empty() {
        return true;
    }
    // What ends with another digit than zero is no multiple of ten.
    let Ok(power) = u64::try_from(number.exponent.saturating_sub(divisor.exponent)) else { return false };
    let by = divisor.digits.iter().fold(0u128, |sum, digit| sum * 10 + u128::from(*digit));
    if by == 0 {
        return false;
    }
    let rest = number.digits.iter().fold(0u128, |rest, digit| (rest * 10 + u128::from(*digit)) % by);
    // Both are below 10^18: their product is below 2^128.
    (rest * power_of_ten(power, by)).is_multiple_of(by)
}

/// 10^power modulo a number below 10^18.
fn power_of_ten(mut power: u64, by: u128) -> u128 {
    let (mut result, mut base) = (1 % by, 10 % by);
    while power > 0 {
        if power & 1 == 1 {
            result = result * base % by;
        }
        base = base * base % by;
        power >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_are_exact() {
        for (number, divisor) in [
            ("0", "7"),
            ("-0.0e5", "0.3"),
            ("0.3", "0.1"),
            ("1.15", "0.01"),
            ("19.99", "0.01"),
            ("-4.50", "1.5"),
            ("1e308", "0.5"),
            ("1e100000000000000000000", "4"),
            ("123456789012345678901234567890", "10"),
            ("0.0075", "0.0001"),
            ("12e-1", "0.4"),
        ] {
            assert!(is_multiple(number, divisor), "{number} {divisor}");
        }
        for (number, divisor) in [
            ("1", "7"),
            ("0.35", "0.1"),
            ("0.00751", "0.0001"),
            ("123456789012345678901234567891", "10"),
            ("9007199254740993", "2"),
            ("1e308", "3"),
            ("1e-100000000000000000000", "1"),
        ] {
            assert!(!is_multiple(number, divisor), "{number} {divisor}");
        }
    }

    #[test]
    fn numbers_of_xml_are_told_from_other_texts() {
        for text in ["0", "-1", "+1.50", ".5", "5.", "007"] {
            assert!(is_text_of_number(text, false), "{text}");
        }
        for text in ["", ".", "-", "1e3", "INF", " 1", "1,5", "0x1", "--1", "1.2.3", "١"] {
            assert!(!is_text_of_number(text, false), "{text}");
        }
        for (text, expected) in [("1e3", true), ("-.5E-7", true), ("NaN", true), ("+INF", false), ("1e", false)] {
            assert_eq!(is_text_of_number(text, true), expected, "{text}");
        }
        for (text, expected) in [("12.50", (3, 1)), ("0.001", (3, 3)), ("1200", (4, 0)), ("0", (0, 0)), ("-7", (1, 0))]
        {
            assert_eq!(digits(text), expected, "{text}");
        }
    }

    #[test]
    fn whole_numbers_are_known_by_their_digits() {
        for whole in ["0", "-0.0", "1.0", "10.50e1", "1e400", "-7", "100e-2", "0e-9"] {
            assert!(is_whole(whole), "{whole}");
        }
        for fraction in ["0.1", "1e-1", "9007199254740993.5", "1.000000000000000000000000001"] {
            assert!(!is_whole(fraction), "{fraction}");
        }
        for (divisor, expected) in [("0.01", true), ("0", false), ("-1", false), ("1234567890123456789", false)] {
            assert_eq!(divides(divisor), expected, "{divisor}");
        }
    }
}
