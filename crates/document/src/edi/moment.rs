//! Dates and times: digits in the interchange, ISO 8601 in values.

/// `CCYYMMDD` as `2026-11-22`; `YYMMDD` as `26-11-22`, whose century nobody says.
pub(super) fn date(digits: &str) -> Option<String> {
    let (year, month, day) = match digits.len() {
        6 => (digits.get(..2)?, digits.get(2..4)?, digits.get(4..)?),
        8 => (digits.get(..4)?, digits.get(4..6)?, digits.get(6..)?),
        _ => return None,
    };
    let in_year = number(year)?;
    let is_leap = in_year % 4 == 0 && (in_year % 100 != 0 || in_year % 400 == 0);
    let days = match number(month)? {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&number(day)?).then(|| format!("{year}-{month}-{day}"))
}

/// `HHMM`, with seconds, tenths and hundredths where there are some.
pub(super) fn time(digits: &str) -> Option<String> {
    if !matches!(digits.len(), 4 | 6 | 7 | 8) {
        return None;
    }
    let part = |at: usize| digits.get(at..at + 2);
    let (hour, minute) = (part(0)?, part(2)?);
    if number(hour)? > 23 || number(minute)? > 59 {
        return None;
    }
    let Some(second) = part(4) else { return Some(format!("{hour}:{minute}")) };
    let fraction = digits.get(6..)?;
    number(fraction)?;
    if number(second)? > 59 {
        return None;
    }
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{hour}:{minute}:{second}{point}{fraction}"))
}

/// The digits of a date or a time in exactly the form in which it is shown.
pub(super) fn digits(text: &str, shown: fn(&str) -> Option<String>) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (shown(&digits)? == text).then_some(digits)
}

fn number(digits: &str) -> Option<u32> {
    digits.bytes().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
}
