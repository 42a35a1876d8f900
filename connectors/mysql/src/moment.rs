//! Dates and times as the server sends them, in ISO 8601 (RFC 3339 where a moment is meant).
//!
//! What the server holds and no calendar does (`0000-00-00`, a month without a day) stands there with
//! its zeros.

use lockgate_connector_api::Error;

use crate::{failure, fields::Fields};

/// A date.
pub(crate) fn date(bytes: &[u8]) -> Result<String, Error> {
    if bytes.is_empty() {
        return Ok("0000-00-00".to_owned());
    }
    let mut fields = Fields(bytes);
    let (year, month, day) = (fields.short()?, fields.byte()?, fields.byte()?);
    Ok(format!("{year:04}-{month:02}-{day:02}"))
}

/// A date with a time. The server leaves out what is zero at the end.
pub(crate) fn date_time(bytes: &[u8]) -> Result<String, Error> {
    let date = date(bytes)?;
    let time = clock(bytes.get(4..).unwrap_or_default())?;
    Ok(format!("{date}T{time}"))
}

/// A time, or a span of time: up to 838 hours, before or after.
pub(crate) fn time(bytes: &[u8]) -> Result<String, Error> {
    if bytes.is_empty() {
        return Ok("00:00:00".to_owned());
    }
    let mut fields = Fields(bytes);
    let (is_negative, days) = (fields.byte()? != 0, fields.long()?);
    let hours = days.checked_mul(24).ok_or_else(|| failure::protocol("a time is too long"))?;
    let sign = if is_negative { "-" } else { "" };
    Ok(format!("{sign}{}", clock_from(hours, fields)?))
}

fn clock(bytes: &[u8]) -> Result<String, Error> {
    if bytes.is_empty() { Ok("00:00:00".to_owned()) } else { clock_from(0, Fields(bytes)) }
}

fn clock_from(hours: u32, mut fields: Fields<'_>) -> Result<String, Error> {
    let hours = hours.saturating_add(fields.byte()?.into());
    let (minutes, seconds) = (fields.byte()?, fields.byte()?);
    let millionths = if fields.0.is_empty() { 0 } else { fields.long()? };
    let mut text = format!("{hours:02}:{minutes:02}:{seconds:02}");
    if millionths != 0 {
        text.push_str(format!(".{millionths:06}").trim_end_matches('0'));
    }
    Ok(text)
}

/// A moment of RFC 3339 in UTC, in which sessions are, as the server reads it. None for what is no moment,
/// what is finer than the millionths that the server keeps, and a leap second, which it does not know.
pub(crate) fn utc(text: &str) -> Option<String> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let (clock, _) = time.split_at_checked(8)?;
    let fraction = time.get(8..)?.trim_end_matches(|c: char| !c.is_ascii_digit());
    let fraction = fraction.split(['+', '-']).next()?;
    let is_plain = date.len() == 10 && clock.bytes().filter(|b| *b == b':').count() == 2 && !text.contains('[');
    if !is_plain || clock.ends_with("60") || fraction.len() > ".123456".len() {
        return None;
    }
    let moment: jiff::Timestamp = text.parse().ok()?;
    Some(moment.strftime("%Y-%m-%d %H:%M:%S%.f").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_in_utc() {
        for (text, told) in [
            ("2026-11-22T08:30:00Z", Some("2026-11-22 08:30:00")),
            ("2026-11-22t08:30:00.5z", Some("2026-11-22 08:30:00.5")),
            ("2026-11-22T08:30:00.000001+02:00", Some("2026-11-22 06:30:00.000001")),
            ("2026-12-31T23:30:00-05:30", Some("2027-01-01 05:00:00")),
            ("2024-03-01T00:30:00+01:00", Some("2024-02-29 23:30:00")),
            ("2026-11-22T08:30:00", None),
            ("2026-11-22T08:30:00.1234567Z", None),
            ("2016-12-31T23:59:60Z", None),
            ("2026-02-30T08:30:00Z", None),
            ("2026-11-22T08:30Z", None),
            ("20261122T083000Z", None),
            ("2026-11-22T08:30:00Z[Europe/Berlin]", None),
            ("2026-11-22T08:30:00+01:00[Europe/Berlin]", None),
            ("2026-11-22T25:00:00Z", None),
            ("0000-00-00T00:00:00Z", None),
            ("soon", None),
            ("2026-11-22Tä8:30:00Z", None),
        ] {
            assert_eq!(utc(text).as_deref(), told, "{text}");
        }
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        for bytes in [&[234, 7][..], &[234, 7, 11]] {
            assert!(date(bytes).is_err(), "{bytes:?}");
        }
        assert!(date_time(&[234, 7, 11, 22, 8]).is_err());
        assert!(date_time(&[234, 7, 11, 22, 8, 30, 0, 1]).is_err());
        assert!(time(&[1, 0, 0]).is_err());
        assert!(time(&[0, 255, 255, 255, 255, 0, 0, 0]).is_err());
    }

    #[test]
    fn what_is_left_out_is_zero() {
        assert_eq!(date(&[]).unwrap(), "0000-00-00");
        assert_eq!(date_time(&[]).unwrap(), "0000-00-00T00:00:00");
        assert_eq!(date_time(&[234, 7, 11, 22]).unwrap(), "2026-11-22T00:00:00");
        assert_eq!(date_time(&[234, 7, 11, 22, 8, 30, 1]).unwrap(), "2026-11-22T08:30:01");
        assert_eq!(date_time(&[234, 7, 11, 22, 8, 30, 1, 32, 161, 7, 0]).unwrap(), "2026-11-22T08:30:01.5");
        assert_eq!(time(&[]).unwrap(), "00:00:00");
        assert_eq!(time(&[1, 34, 0, 0, 0, 22, 59, 59, 1, 0, 0, 0]).unwrap(), "-838:59:59.000001");
    }
}
