//! Lengths of time as the standard writes them: ISO 8601 durations, and objects of units.
//!
//! Deliberately absent: years and months, which have no fixed length.

/// Units of an object, and their milliseconds.
pub const UNITS: [(&str, i64); 5] =
    [("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000), ("seconds", 1000), ("milliseconds", 1)];

/// Milliseconds of 366 days: no wait, delay, timeout or interval of a flow is longer. A run may end sooner, by its limit.
pub const MS_MAX: i64 = 366 * 86_400_000;

/// `P[nW][nD][T[nH][nM][nS]]` in milliseconds; years and months have no fixed length.
pub fn iso8601(text: &str) -> Option<i64> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let days = units(date, &[('W', 604_800_000), ('D', 86_400_000)])?;
    days.checked_add(units(time, &[('H', 3_600_000), ('M', 60_000), ('S', 1000)])?)
}

/// Numbers with unit letters, in this order, each at most once.
fn units(text: &str, mut known: &[(char, i64)]) -> Option<i64> {
    let mut sum: i64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, tail) = rest.split_at(end);
        let letter = tail.chars().next()?;
        let place = known.iter().position(|(unit, _)| *unit == letter)?;
        let (_, unit) = known.get(place)?;
        known = known.get(place + 1..)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || (number.contains('.') && fraction.is_empty()) || fraction.len() > 9 {
            return None;
        }
        sum = sum.checked_add(whole.parse::<i64>().ok()?.checked_mul(*unit)?)?;
        if !fraction.is_empty() {
            let scale = 10_i64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
            sum = sum.checked_add(
                i64::try_from(fraction.parse::<i128>().ok()? * i128::from(*unit) / i128::from(scale)).ok()?,
            )?;
        }
        rest = tail.get(letter.len_utf8()..)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::iso8601;

    #[test]
    fn durations() {
        for (text, ms) in [
            ("PT0S", 0),
            ("PT1.5S", 1500),
            ("PT0.0015S", 1),
            ("P1DT2H", 93_600_000),
            ("P2W", 1_209_600_000),
            ("PT1M30S", 90_000),
        ] {
            assert_eq!(iso8601(text), Some(ms), "{text}");
        }
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "1D",
            "P1Y",
            "P1M",
            "PT1S1M",
            "PT1X",
            "PT.5S",
            "PT5.S",
            "P1DT",
            "PT99999999999999999999S",
        ] {
            assert_eq!(iso8601(text), None, "{text}");
        }
    }
}
