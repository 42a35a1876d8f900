//! `$formatBase`: whole numbers in other bases.

use crate::number::{as_script, round_half_even};
use crate::refusal::Refusal;

/// `$formatBase(value, radix)`: the value, rounded, in digits `0` to `z`; radix 10 unless told.
///
/// Every digit is exact, in base 10 as `$string` writes it; ECMA-262 §6.1.6.1.20 leaves the digits
/// behind the 53rd bit to the implementation. At most 1025 characters.
///
/// Fails with D3100 unless the radix, rounded, lies between 2 and 36, and with D1001 for what is no
/// finite number.
pub fn format_base(value: f64, radix: Option<f64>) -> Result<String, Refusal> {
    let radix = round_half_even(radix.unwrap_or(10.0), 0.0);
    if !(2.0..=36.0).contains(&radix) {
        return Err(Refusal::Radix);
    }
    if !value.is_finite() {
        return Err(Refusal::TooLarge);
    }
    let value = round_half_even(value, 0.0);
    if radix == 10.0 {
        return Ok(as_script(value, str::to_owned));
    }
    let mut limbs = limbs(value.abs());
    let mut digits = Vec::new();
    while !limbs.is_empty() {
        let digit = divide(&mut limbs, radix as u32);
        digits.extend(char::from_digit(digit, radix as u32));
    }
    if digits.is_empty() {
        digits.push('0');
    }
    let sign = if value < 0.0 { "-" } else { "" };
    Ok(sign.chars().chain(digits.into_iter().rev()).collect())
}

/// A whole number that is not negative, in base 2^32, the least limb first.
fn limbs(value: f64) -> Vec<u32> {
    let bits = value.to_bits();
    let (fraction, exponent) = (bits & ((1 << 52) - 1), (bits >> 52) as usize);
    if exponent < 1023 {
        return Vec::new();
    }
    // 1.fraction × 2^(exponent - 1023).
    let significand = u128::from(fraction | 1 << 52);
    let shift = exponent - 1023;
    let (significand, zeros) = match shift.checked_sub(52) {
        Some(left) => (significand << (left % 32), left / 32),
        None => (significand >> (52 - shift), 0),
    };
    let high = (0..4).map(|nth| (significand >> (32 * nth)) as u32);
    std::iter::repeat_n(0, zeros).chain(high).collect()
}

/// Divides, takes zeros off the end and gives the remainder.
fn divide(limbs: &mut Vec<u32>, by: u32) -> u32 {
    let mut rest = 0;
    for limb in limbs.iter_mut().rev() {
        let value = rest << 32 | u64::from(*limb);
        *limb = (value / u64::from(by)) as u32;
        rest = value % u64::from(by);
    }
    while limbs.last() == Some(&0) {
        limbs.pop();
    }
    rest as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_radix_or_a_number_out_of_range_is_refused() {
        for radix in [1.0, 37.0, -2.0, 1.4, 36.6, f64::NAN, f64::INFINITY] {
            assert_eq!(format_base(100.0, Some(radix)).map_err(Refusal::code), Err(3100), "{radix}");
        }
        assert_eq!(format_base(f64::INFINITY, None), Err(Refusal::TooLarge));
    }

    #[test]
    fn digits_of_a_base() {
        for (value, radix, text) in [
            (0.0, 2.0, "0"),
            (-0.4, 2.0, "0"),
            (100.0, 2.0, "1100100"),
            (-255.0, 16.0, "-ff"),
            (35.0, 36.0, "z"),
            (2.5, 3.0, "2"),
            (100.0, 1.6, "1100100"),
            (9007199254740991.0, 36.0, "2gosa7pa2gv"),
            (9007199254740992.0, 2.0, "100000000000000000000000000000000000000000000000000000"),
        ] {
            assert_eq!(format_base(value, Some(radix)).as_deref(), Ok(text), "{value} in {radix}");
        }
        assert_eq!(format_base(1_005_275_674_836_992_000.0, Some(7.0)).as_deref(), Ok("1541222454511024221431"));
        assert_eq!(format_base(1e21, None).as_deref(), Ok("1e+21"));
        assert_eq!(format_base(99.5, None).as_deref(), Ok("100"));
        assert!(format_base(f64::MAX, Some(2.0)).is_ok_and(|text| text.len() == 1024));
    }
}
