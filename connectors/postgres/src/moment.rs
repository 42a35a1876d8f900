//! Dates and times: between ISO 8601 (RFC 3339 where a moment is meant) and PostgreSQL's own form.
//!
//! Years outside 0001 to 9999 take ISO 8601's expanded form, `+10000-01-01` and `-0043-03-15` (44
//! BC); `infinity` and `-infinity` are words in both. The server keeps millionths of a second and
//! rounds what is finer in silence, so that is refused here.

/// Digits of a second's fraction that the server keeps.
const FRACTION_DIGITS_MAX: usize = 6;

/// A value is not of its type's form.
#[derive(Debug, PartialEq)]
pub(crate) struct Malformed;

/// Is it one of the two words for no moment at all?
pub(crate) fn is_infinite(text: &str) -> bool {
    matches!(text, "infinity" | "-infinity")
}

/// PostgreSQL's date as ISO 8601.
pub(crate) fn date_out(text: &str) -> Result<String, Malformed> {
    let mut out = String::with_capacity(text.len() + 1);
    if is_infinite(text) {
        out.push_str(text);
    } else {
        let (date, before_christ) = era(text);
        year_out(date, before_christ, &mut out)?;
    }
    Ok(out)
}

/// PostgreSQL's timestamp as ISO 8601, with `Z` or an offset where it has one.
pub(crate) fn timestamp_out(text: &str) -> Result<String, Malformed> {
    let mut out = String::with_capacity(text.len() + 4);
    if is_infinite(text) {
        out.push_str(text);
    } else {
        let (moment, before_christ) = era(text);
        let (date, time) = moment.split_once(' ').ok_or(Malformed)?;
        year_out(date, before_christ, &mut out)?;
        out.push('T');
        offset_out(time, &mut out);
    }
    Ok(out)
}

/// PostgreSQL's time as ISO 8601: the offset, where there is one, with minutes; none is `Z`.
pub(crate) fn time_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 3);
    offset_out(text, &mut out);
    out
}

fn offset_out(text: &str, out: &mut String) {
    match text.rfind(['+', '-']).and_then(|at| text.split_at_checked(at)) {
        Some((time, "+00")) => out.extend([time, "Z"]),
        Some((_, offset)) if offset.len() == 3 => out.extend([text, ":00"]),
        _ => out.push_str(text),
    }
}

fn era(text: &str) -> (&str, bool) {
    text.strip_suffix(" BC").map_or((text, false), |text| (text, true))
}

fn year_out(date: &str, before_christ: bool, out: &mut String) -> Result<(), Malformed> {
    let (year, rest) = date.split_once('-').ok_or(Malformed)?;
    let number: i64 = year.parse().map_err(|_| Malformed)?;
    // There is no year 0 before Christ, and ISO 8601 has one.
    let number = if before_christ { 1 - number } else { number };
    match number {
        // As nearly all are.
        1000..=9999 if !before_christ => out.push_str(date),
        0..=9999 => out.push_str(&format!("{number:04}-{rest}")),
        10_000.. => out.push_str(&format!("+{number}-{rest}")),
        _ => out.push_str(&format!("-{:04}-{rest}", number.unsigned_abs())),
    }
    Ok(())
}

/// A date as PostgreSQL reads it.
pub(crate) fn date_in(text: &str) -> Result<String, Malformed> {
    if is_infinite(text) {
        return Ok(text.to_owned());
    }
    let (date, era) = date_parts(text)?;
    Ok(format!("{date}{era}"))
}

/// A timestamp as PostgreSQL reads it. With `zoned` an offset is needed, without one it is refused:
/// the server would drop it in silence.
pub(crate) fn timestamp_in(text: &str, zoned: bool) -> Result<String, Malformed> {
    if is_infinite(text) {
        return Ok(text.to_owned());
    }
    let (date, time) = text.split_once(['T', 't', ' ']).ok_or(Malformed)?;
    let (date, era) = date_parts(date)?;
    Ok(format!("{date} {}{era}", time_in(time, zoned)?))
}

/// A time as PostgreSQL reads it; `zoned` as above.
pub(crate) fn time_in(text: &str, zoned: bool) -> Result<&str, Malformed> {
    let offset = text.find(['+', '-', 'Z', 'z']);
    let (time, offset) = offset.and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""));
    let (clock, fraction) = time.split_once('.').map_or((time, None), |(clock, fraction)| (clock, Some(fraction)));
    let fraction_fits = fraction.is_none_or(is_kept);
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next(), parts.next(), parts.next());
    let in_range = two_digits(hour, 24) && two_digits(minute, 59) && (second.is_none() || two_digits(second, 60));
    if !in_range || parts.next().is_some() || !fraction_fits || (second.is_none() && fraction.is_some()) {
        return Err(Malformed);
    }
    match (offset, zoned) {
        ("", false) => Ok(text),
        (offset, true) if is_offset(offset) => Ok(text),
        _ => Err(Malformed),
    }
}

/// Whether the server keeps all of these digits of a second.
fn is_kept(fraction: &str) -> bool {
    let digits = fraction.bytes().all(|b| b.is_ascii_digit());
    digits && !fraction.is_empty() && fraction.trim_end_matches('0').len() <= FRACTION_DIGITS_MAX
}

/// A duration (ISO 8601) as PostgreSQL reads it. A fraction stands in the seconds alone: of a year or
/// a day the server would make something else. It computes seconds in 64-bit floating point, in which
/// millionths stay exact beside nine digits.
pub(crate) fn interval_in(text: &str) -> Result<&str, Malformed> {
    if is_infinite(text) {
        return Ok(text);
    }
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b"PYMWDTHS.-".contains(&b));
    let fits = match text.split_once('.') {
        None => true,
        Some((before, after)) => {
            let whole = before.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
            before.contains('T') && whole.len() <= 9 && after.strip_suffix('S').is_some_and(is_kept)
        }
    };
    if plain && text.starts_with('P') && fits { Ok(text) } else { Err(Malformed) }
}

fn is_offset(text: &str) -> bool {
    if matches!(text, "Z" | "z") {
        return true;
    }
    let Some(rest) = text.strip_prefix(['+', '-']) else { return false };
    let (hour, minute) = rest.split_once(':').map_or((rest, None), |(hour, minute)| (hour, Some(minute)));
    two_digits(Some(hour), 15) && (minute.is_none() || two_digits(minute, 59))
}

fn two_digits(text: Option<&str>, max: u8) -> bool {
    text.is_some_and(|t| t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit()) && t.parse().is_ok_and(|n: u8| n <= max))
}

/// The date with PostgreSQL's year, and its era.
fn date_parts(text: &str) -> Result<(String, &'static str), Malformed> {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(rest) if text.starts_with('-') => (-1, rest),
        Some(rest) => (1, rest),
        None => (1, text),
    };
    let (year, rest) = digits.split_once('-').ok_or(Malformed)?;
    let (month, day) = rest.split_once('-').ok_or(Malformed)?;
    let plain = (4..=7).contains(&year.len()) && year.bytes().all(|b| b.is_ascii_digit());
    if !plain || (sign == 1 && digits == text && year.len() != 4) {
        return Err(Malformed);
    }
    let year: i64 = year.parse().map_err(|_| Malformed)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        "02" if leap => 29,
        "02" => 28,
        "04" | "06" | "09" | "11" => 30,
        _ => 31,
    };
    if !two_digits(Some(month), 12) || month == "00" || !two_digits(Some(day), days) || day == "00" {
        return Err(Malformed);
    }
    Ok(match sign * year {
        year @ 1.. => (format!("{year:04}-{rest}"), ""),
        year => (format!("{:04}-{rest}", 1 - year), " BC"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_moment_is_refused() {
        for bad in [
            "",
            "2026",
            "2026-1-1",
            "2026-13-01",
            "2026-00-01",
            "2026-02-29",
            "2026-04-31",
            "2026-01-00",
            "26-01-01",
            "12026-01-01",
            "+2026-01",
            "2026-01-01T00:00",
            "2026-01-01 BC",
            "today",
            "Infinity",
            "2026-01-01'",
        ] {
            assert_eq!(date_in(bad), Err(Malformed), "{bad}");
        }
        for bad in ["", "8:00", "08", "25:00", "08:60", "08:00:61", "08:00.5", "08:00:00.", "08:00:00.x", "08:00:00:00"]
        {
            assert_eq!(time_in(bad, false), Err(Malformed), "{bad}");
        }
        for bad in [
            "",
            "1 day",
            "-P1D",
            "P1,5D",
            "P0.1Y",
            "P0.5M",
            "P0.5W",
            "P1.5D",
            "PT1.5H",
            "PT1.5M",
            "P1.5S",
            "PT1.S",
            "PT1.5",
            "PT1.5S6M",
            "PT1.5.5S",
            "PT0.1234567S",
            "PT1234567890.5S",
        ] {
            assert_eq!(interval_in(bad), Err(Malformed), "{bad}");
        }
        assert_eq!(timestamp_in("2026-01-01T08:00:00Z", false), Err(Malformed));
        assert_eq!(timestamp_in("2026-01-01T08:00:00", true), Err(Malformed));
        assert_eq!(timestamp_in("2026-01-01T08:00:00+2:00", true), Err(Malformed));
        assert_eq!(timestamp_in("2026-01-01T08:00:00 Europe/Berlin", true), Err(Malformed));
    }

    /// The server would round it.
    #[test]
    fn what_is_finer_than_a_millionth_is_refused() {
        for (fraction, is_kept) in [
            ("5", true),
            ("123456", true),
            ("123456000", true),
            ("1234567", false),
            ("0000001", false),
            ("0000000", true),
        ] {
            let time = format!("08:30:00.{fraction}");
            assert_eq!(time_in(&time, false).is_ok(), is_kept, "{time}");
            assert_eq!(time_in(&format!("{time}+02:00"), true).is_ok(), is_kept, "{time}");
            assert_eq!(timestamp_in(&format!("2026-11-22T{time}"), false).is_ok(), is_kept, "{time}");
            assert_eq!(timestamp_in(&format!("2026-11-22T{time}Z"), true).is_ok(), is_kept, "{time}");
            assert_eq!(interval_in(&format!("P1DT-1.{fraction}S")).is_ok(), is_kept, "{time}");
        }
    }

    #[test]
    fn both_forms_name_the_same_day() {
        for (iso, postgres) in [
            ("2026-11-22", "2026-11-22"),
            ("2024-02-29", "2024-02-29"),
            ("+10000-01-01", "10000-01-01"),
            ("0000-12-31", "0001-12-31 BC"),
            ("-0043-03-15", "0044-03-15 BC"),
            ("infinity", "infinity"),
        ] {
            assert_eq!(date_in(iso).as_deref(), Ok(postgres));
            assert_eq!(date_out(postgres).as_deref(), Ok(iso));
        }
    }

    #[test]
    fn both_forms_name_the_same_moment() {
        for (postgres, iso) in [
            ("2026-11-22 08:30:00", "2026-11-22T08:30:00"),
            ("2026-11-22 08:30:00.000001", "2026-11-22T08:30:00.000001"),
            ("0044-03-15 12:00:00 BC", "-0043-03-15T12:00:00"),
        ] {
            assert_eq!(timestamp_out(postgres).as_deref(), Ok(iso));
            assert_eq!(timestamp_in(iso, false).as_deref(), Ok(postgres));
        }
        assert_eq!(timestamp_out("2026-11-22 08:30:00.5+00").as_deref(), Ok("2026-11-22T08:30:00.5Z"));
        assert_eq!(timestamp_out("2026-11-22 08:30:00+05:30").as_deref(), Ok("2026-11-22T08:30:00+05:30"));
        assert_eq!(timestamp_in("2026-11-22t08:30:00z", true).as_deref(), Ok("2026-11-22 08:30:00z"));
        assert_eq!(time_out("08:30:00-03"), "08:30:00-03:00");
        assert_eq!(time_in("24:00", false), Ok("24:00"));
    }
}
