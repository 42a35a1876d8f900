//! Offsets from UTC and how they are written (F&O 3.1 §9.8.4.6).

use crate::picture::grouping::Grouping;
use crate::picture::integer::{Digits, Form, IntegerPicture};
use crate::refusal::Refusal;

/// An offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Zone {
    west: bool,
    hours: i64,
    minutes: i64,
}

impl Zone {
    pub(super) const UTC: Zone = Zone { west: false, hours: 0, minutes: 0 };

    /// `±HHMM`, `±HH:MM` or `Z`; shorter numbers are read as such: `100` is one hour.
    pub(super) fn parse(text: &str) -> Result<Zone, Refusal> {
        let text = text.trim();
        if text == "Z" {
            return Ok(Zone::UTC);
        }
        let (west, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let digits = match digits.split_once(':') {
            Some((hours, minutes)) if hours.len() <= 2 && minutes.len() == 2 => format!("{hours}{minutes}"),
            _ => digits.to_owned(),
        };
        if !(1..=4).contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(Refusal::Zone);
        }
        let number: i64 = digits.parse().map_err(|_| Refusal::Zone)?;
        Ok(Zone { west: west && number > 0, hours: number / 100, minutes: number % 100 })
    }

    /// What local times are ahead of UTC.
    pub(super) fn millis(self) -> f64 {
        let millis = ((self.hours * 60 + self.minutes) * 60_000) as f64;
        if self.west { -millis } else { millis }
    }
}

/// How an offset is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ZonePicture {
    picture: IntegerPicture,
    /// `GMT` stands before it.
    pub(super) named: bool,
    /// UTC is written `Z`.
    zulu: bool,
}

impl ZonePicture {
    /// Fails with D3134 when there are not one to four digits without separators.
    pub(super) fn new(picture: IntegerPicture, named: bool, zulu: bool) -> Result<ZonePicture, Refusal> {
        let fits = |digits: &Digits| digits.grouping.is_regular() || (1..=4).contains(&digits.mandatory);
        match &picture.form {
            Form::Digits(digits) if fits(digits) => Ok(ZonePicture { picture, named, zulu }),
            _ => Err(Refusal::ZonePicture),
        }
    }

    /// What stands between hours and minutes.
    pub(super) fn separator(&self) -> Option<char> {
        match &self.picture.form {
            Form::Digits(Digits { grouping: Grouping::Every(_, separator), .. }) => Some(*separator),
            _ => None,
        }
    }

    pub(super) fn write(&self, zone: Zone, out: &mut String) {
        if self.zulu && zone == Zone::UTC {
            out.push('Z');
            return;
        }
        out.push_str(if self.named { "GMT" } else { "" });
        out.push(if zone.west { '-' } else { '+' });
        let hours_alone = match &self.picture.form {
            Form::Digits(digits) => !digits.grouping.is_regular() && digits.mandatory <= 2,
            _ => false,
        };
        if !hours_alone {
            out.push_str(&self.picture.format((zone.hours * 100 + zone.minutes) as f64));
            return;
        }
        out.push_str(&self.picture.format(zone.hours as f64));
        if zone.minutes > 0 {
            out.push_str(&format!(":{:02}", zone.minutes));
        }
    }

    /// Minutes ahead of UTC that a text in this form stands for: its sign and its digits.
    pub(super) fn read(&self, text: &str) -> Option<f64> {
        let text = text.get(if self.named { 3 } else { 0 }..)?;
        let (west, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+')?),
        };
        let (hours, minutes) = match self.separator() {
            Some(separator) => digits.split_once(separator)?,
            None => digits.split_at_checked(2).unwrap_or((digits, "")),
        };
        let minutes = if minutes.is_empty() { 0.0 } else { minutes.parse().ok()? };
        let minutes = hours.parse::<f64>().ok()? * 60.0 + minutes;
        Some(if west { -minutes } else { minutes })
    }
}
