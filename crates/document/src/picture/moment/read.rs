//! Reading a time by a picture: cut the text, take the components, fill in what is missing.

use crate::picture::integer::Digits;
use crate::refusal::Refusal;

use super::civil::{Civil, is_time, start_of_day};
use super::marker::{Component, Marker, Named};
use super::matching::{Piece, Step, cut};
use super::write::{MONTHS, WEEKDAYS};
use super::{Form, MomentPicture, Part};

/// What a text says of a time. The half of the day is 0 or 1, the zone minutes ahead of UTC.
#[derive(Debug, Default)]
struct Found {
    year: Option<f64>,
    month: Option<f64>,
    day: Option<f64>,
    day_of_year: Option<f64>,
    hour: Option<f64>,
    hour_of_half: Option<f64>,
    half: Option<f64>,
    minute: Option<f64>,
    second: Option<f64>,
    milli: Option<f64>,
    zone: f64,
    /// A week, or what it belongs to: no time is read from those.
    week: bool,
    week_of_year: bool,
    week_of_month: bool,
}

impl MomentPicture {
    /// The time that a text stands for; none when it has not this form. `now` fills in what the
    /// picture leaves out before its first component. D3133, D3136.
    pub fn read(&self, text: &str, now: f64) -> Result<Option<f64>, Refusal> {
        let mut steps = Vec::new();
        let mut ends = Vec::new();
        for (nth, part) in self.parts.iter().enumerate() {
            part.steps(self.parts.get(nth + 1), &mut steps)?;
            ends.push(steps.len());
        }
        let text: Vec<char> = text.chars().collect();
        let Some(cuts) = cut(&steps, &text) else { return Ok(None) };
        let mut found = Found::default();
        let mut from = 0;
        let mut markers = 0;
        for (part, end) in self.parts.iter().zip(ends) {
            let to = end.checked_sub(1).and_then(|last| cuts.get(last)).copied().unwrap_or(from);
            let piece: String = text.get(from..to).unwrap_or_default().iter().collect();
            from = to;
            if let Part::Marker(marker) = part {
                markers += 1;
                if found.take(marker, &piece).is_none() {
                    return Ok(None);
                }
            }
        }
        if markers == 0 {
            return Ok(None);
        }
        let Some(now) = Civil::at(now) else { return Ok(None) };
        found.time(&now)
    }
}

impl Part {
    /// Appends the steps that take this part off a text. A number right before a number has as many
    /// digits as its picture.
    fn steps(&self, next: Option<&Part>, steps: &mut Vec<Step>) -> Result<(), Refusal> {
        let one = |piece| Step { piece, many: false };
        let many = |piece| Step { piece, many: true };
        let marker = match self {
            Part::Literal(text) => {
                steps.extend(text.chars().map(|c| one(Piece::Exactly(c))));
                return Ok(());
            }
            Part::Marker(marker) => marker,
        };
        match marker {
            Marker::Number { component: Component::Fraction, .. } => steps.push(many(Piece::Digit('0'))),
            Marker::Number { picture, .. } => match &picture.form {
                Form::Digits(Digits { zero, mandatory, .. }) => {
                    match next {
                        Some(Part::Marker(Marker::Number { .. })) => {
                            steps.extend(std::iter::repeat_n(one(Piece::Digit(*zero)), (*mandatory).max(1)));
                        }
                        _ => steps.push(many(Piece::Digit(*zero))),
                    }
                    if picture.ordinal {
                        steps.push(one(Piece::Suffix));
                    }
                }
                Form::Letters(_) => steps.push(many(Piece::Letter)),
                Form::Roman(_) => steps.push(many(Piece::Numeral)),
                Form::Words(_) => steps.push(many(Piece::Word)),
            },
            Marker::Name { .. } | Marker::Half { .. } => steps.push(many(Piece::Letter)),
            Marker::Zone(picture) => {
                if picture.named {
                    steps.extend("GMT".chars().map(|c| one(Piece::Exactly(c))));
                }
                steps.extend([one(Piece::Sign), many(Piece::Digit('0'))]);
                if let Some(separator) = picture.separator() {
                    steps.extend([one(Piece::Exactly(separator)), many(Piece::Digit('0'))]);
                }
            }
            Marker::Calendar => return Err(Refusal::NoName),
        }
        Ok(())
    }
}

impl Found {
    /// Takes in what stands for a marker; none when it is no number after all. A name that is none
    /// leaves its component open.
    fn take(&mut self, marker: &Marker, text: &str) -> Option<()> {
        match marker {
            Marker::Number { component, picture, .. } => {
                let value = match component {
                    Component::Fraction => thousandths(text),
                    _ => picture.read(text)?,
                };
                self.put(*component, value);
            }
            Marker::Name { component, width, .. } => {
                let names: &[&str] = if *component == Named::Weekday { &WEEKDAYS } else { &MONTHS };
                let width = width.unwrap_or(usize::MAX);
                let same = |name: &&str| name.get(..width).unwrap_or(name).eq_ignore_ascii_case(text);
                // Of names that a width makes the same the last one counts, as in the reference.
                if let Some(place) = names.iter().rposition(same) {
                    let component = match component {
                        Named::Month => Component::Month,
                        Named::WeekMonth => Component::WeekMonth,
                        Named::Weekday => Component::Weekday,
                    };
                    self.put(component, place as f64 + 1.0);
                }
            }
            Marker::Half { .. } => {
                let half = ["am", "pm"].iter().position(|half| text.eq_ignore_ascii_case(half));
                self.half = half.map(|half| half as f64).or(self.half);
            }
            Marker::Zone(picture) => self.zone = picture.read(text)?,
            Marker::Calendar => {}
        }
        Some(())
    }

    fn put(&mut self, component: Component, value: f64) {
        let place = match component {
            Component::Year => &mut self.year,
            Component::Month => &mut self.month,
            Component::Day => &mut self.day,
            Component::DayOfYear => &mut self.day_of_year,
            Component::Hour => &mut self.hour,
            Component::HourOfHalf => &mut self.hour_of_half,
            Component::Minute => &mut self.minute,
            Component::Second => &mut self.second,
            Component::Fraction => &mut self.milli,
            Component::WeekOfYear | Component::WeekOfMonth | Component::WeekYear | Component::WeekMonth => {
                self.week = true;
                self.week_of_year |= component == Component::WeekOfYear;
                self.week_of_month |= matches!(component, Component::WeekOfMonth | Component::WeekMonth);
                return;
            }
            Component::Weekday => return,
        };
        *place = Some(value);
    }

    /// The time, with what is missing filled in.
    fn time(self, now: &Civil) -> Result<Option<f64>, Refusal> {
        let by_date = self.month.is_some() || self.day.is_some();
        // Dates by weeks cannot be read. Weeks of the year and of the month are no date together.
        let by_week = self.week && !(self.week_of_year && self.week_of_month);
        if by_week && self.year.is_none() && self.day_of_year.is_none() && !by_date {
            return Err(Refusal::Gap);
        }
        let by_day_of_year = self.day_of_year.is_some() && !by_date && !self.week;
        // A forenoon alone says nothing.
        let by_half = self.hour.is_none() && (self.hour_of_half.is_some() || self.half == Some(1.0));

        let mut fill = Fill { started: false, ended: false };
        let year = fill.next(self.year, now.year, 0.0)?;
        let (month, day) = if by_day_of_year {
            (1.0, fill.next(self.day_of_year, now.day_of_year(), 1.0)?)
        } else {
            (fill.next(self.month, now.month, 1.0)?, fill.next(self.day, now.day, 1.0)?)
        };
        let hour = if by_half {
            // Without a half of the day it is the morning.
            let half = fill.next(self.half, 0, 0.0)?;
            fill.next(self.hour_of_half, (now.hour + 11) % 12 + 1, 0.0)? % 12.0 + half * 12.0
        } else {
            fill.next(self.hour, now.hour, 0.0)?
        };
        let minute = fill.next(self.minute, now.minute, 0.0)?;
        let second = fill.next(self.second, now.second, 0.0)?;
        let milli = fill.next(self.milli, now.milli, 0.0)?;

        let year = if (0.0..=99.0).contains(&year) { year + 1900.0 } else { year };
        let Some(start) = start_of_day(year, month.max(1.0), day) else { return Ok(None) };
        let millis = start + ((hour * 60.0 + minute) * 60.0 + second) * 1000.0 + milli - self.zone * 60_000.0;
        Ok(Some(millis).filter(|millis| is_time(*millis)))
    }
}

/// Goes through the components from the largest: now's up to the first that is given, the least from
/// the last that is given, and none may be missing between.
struct Fill {
    started: bool,
    ended: bool,
}

impl Fill {
    fn next(&mut self, given: Option<f64>, now: i64, least: f64) -> Result<f64, Refusal> {
        match given {
            Some(_) if self.ended => Err(Refusal::Gap),
            Some(given) => {
                self.started = true;
                Ok(given)
            }
            None if self.started => {
                self.ended = true;
                Ok(least)
            }
            None => Ok(now as f64),
        }
    }
}

/// The first three digits of a fraction, in thousandths.
fn thousandths(digits: &str) -> f64 {
    let mut digits = digits.chars().map(|c| c.to_digit(10).unwrap_or(0)).chain(std::iter::repeat(0));
    digits.by_ref().take(3).fold(0.0, |sum, digit| sum * 10.0 + f64::from(digit))
}
