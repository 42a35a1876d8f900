//! ISO 8601 texts, as `$toMillis` takes them without a picture.

use super::civil::{is_time, start_of_day};

/// Milliseconds since 1970; a text without a zone is in UTC. None when it has not the form.
pub(super) fn read(text: &str) -> Option<f64> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.digits(4)?;
    let month = rest.after(b'-').map_or(Some(1.0), |_| rest.digits(2))?;
    let day = rest.after(b'-').map_or(Some(1.0), |_| rest.digits(2))?;
    let mut millis = 0.0;
    if rest.after(b'T').is_some() {
        let hour = rest.digits(2)?;
        rest.after(b':')?;
        let minute = rest.digits(2)?;
        rest.after(b':')?;
        let second = rest.digits(2)?;
        let fraction = rest.after(b'.').map_or(Some(0.0), |_| rest.fraction())?;
        // The end of the day may be written as its 24th hour.
        let valid =
            (hour < 24.0 && minute < 60.0 && second < 60.0) || (hour == 24.0 && minute + second + fraction == 0.0);
        if !valid {
            return None;
        }
        millis = ((hour * 60.0 + minute) * 60.0 + second) * 1000.0 + fraction - rest.zone()? * 60_000.0;
    }
    if !rest.0.is_empty() || !(1.0..=12.0).contains(&month) || !(1.0..=31.0).contains(&day) {
        return None;
    }
    start_of_day(year, month, day).map(|start| start + millis).filter(|millis| is_time(*millis))
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn after(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        (*first == byte).then(|| self.0 = rest)
    }

    /// A number of so many digits.
    fn digits(&mut self, count: usize) -> Option<f64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0.0, |sum, digit| Some(sum * 10.0 + value(*digit)?))
    }

    /// The first three digits of a fraction, in thousandths.
    fn fraction(&mut self) -> Option<f64> {
        let count = self.0.iter().take_while(|digit| digit.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at_checked(count).filter(|(digits, _)| !digits.is_empty())?;
        self.0 = rest;
        let digits = digits.iter().copied().chain([b'0', b'0']).take(3);
        digits.into_iter().try_fold(0.0, |sum, digit| Some(sum * 10.0 + value(digit)?))
    }

    /// Minutes ahead of UTC.
    fn zone(&mut self) -> Option<f64> {
        if self.0.is_empty() || self.after(b'Z').is_some() {
            return Some(0.0);
        }
        let sign = if self.after(b'-').is_some() { -1.0 } else { self.after(b'+').map(|()| 1.0)? };
        let hours = self.digits(2)?;
        self.after(b':');
        let minutes = self.digits(2)?;
        (hours < 24.0 && minutes < 60.0).then_some(sign * (hours * 60.0 + minutes))
    }
}

fn value(digit: u8) -> Option<f64> {
    digit.is_ascii_digit().then(|| f64::from(digit - b'0'))
}
