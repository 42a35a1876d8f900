//! Cron expressions: five fields, by the clocks of a time zone.
//!
//! minute (0–59), hour (0–23), day of the month (1–31), month (1–12 or JAN–DEC), day of the week (0–7
//! or SUN–SAT; 0 and 7 are Sunday), separated by blanks. A field is `*`, or a list of values and
//! ranges; `*` and ranges take a step (`*/15`, `8-18/2`). When both days are given, one of them is
//! enough (POSIX, `crontab`).
//!
//! Where clocks go forward, a time that does not exist occurs at the first instant after the gap. Where
//! they go back, a time that exists twice occurs twice when the hour is `*` or has `*/n`, as in
//! vixie-cron: what runs each hour leaves none out. With hours of its own an expression means a time of
//! the day, which occurs the first time alone. Times that fall together are one occurrence.

use std::{fmt, ops::Range, str::FromStr};

use jiff::{
    civil::{Date, DateTime},
    tz::{AmbiguousOffset, TimeZone},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Zone;
use crate::Timestamp;

/// 29 February comes again after eight years at most.
const YEARS_MAX: i16 = 9;
const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A cron expression.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    /// The hour is `*` or has `*/n`: a rhythm, and no time of the day.
    hourly: bool,
    /// `None` for `*`.
    days: Option<u64>,
    months: u64,
    weekdays: Option<u64>,
}

/// Why a text is no cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidCron {
    /// Bytes of the text that are meant.
    pub at: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

fn invalid(at: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> InvalidCron {
    InvalidCron { at, message: message.into(), help: help.into() }
}

/// One of the five.
struct Field {
    name: &'static str,
    first: u8,
    last: u8,
    /// Names of the values from `first` on.
    names: &'static [&'static str],
}

const MINUTE: Field = Field { name: "minute", first: 0, last: 59, names: &[] };
const HOUR: Field = Field { name: "hour", first: 0, last: 23, names: &[] };
const DAY: Field = Field { name: "day of the month", first: 1, last: 31, names: &[] };
const MONTH: Field = Field { name: "month", first: 1, last: 12, names: MONTHS };
const WEEKDAY: Field = Field { name: "day of the week", first: 0, last: 7, names: WEEKDAYS };

impl FromStr for Cron {
    type Err = InvalidCron;

    fn from_str(text: &str) -> Result<Self, InvalidCron> {
        let words = words(text);
        let whole = 0..text.len();
        let [minute, hour, day, month, weekday] = words.as_slice() else {
            let help = match text.trim() {
                nickname if nickname.starts_with('@') => "names such as `@daily` are not known: write `0 0 * * *`",
                _ if words.len() == 6 => "there is no field for seconds: `schedule.every` takes intervals from PT1S",
                _ => "write minute, hour, day of the month, month and day of the week: `0 6 * * MON-FRI`",
            };
            return Err(invalid(
                whole,
                format!("a cron expression has five fields, this one has {}", words.len()),
                help,
            ));
        };
        let mut weekdays = WEEKDAY.read(weekday)?;
        if weekdays & 1 << 7 != 0 {
            weekdays = weekdays & !(1 << 7) | 1;
        }
        let cron = Self {
            text: words.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(" "),
            minutes: MINUTE.read(minute)?,
            hours: HOUR.read(hour)?,
            hourly: hour.1.split(',').any(|item| item.starts_with('*')),
            days: (day.1 != "*").then(|| DAY.read(day)).transpose()?,
            months: MONTH.read(month)?,
            weekdays: (weekday.1 != "*").then_some(weekdays),
        };
        // 2000 was a leap year: each day that ever comes was in it.
        let comes = |month: i8, days: u64| {
            Date::new(2000, month, 1).is_ok_and(|first| (1..=first.days_in_month()).any(|day| has(days, day)))
        };
        match cron.days {
            Some(days) if cron.weekdays.is_none() && !(1..=12).any(|m| has(cron.months, m) && comes(m, days)) => {
                Err(invalid(
                    day.0..day.0 + day.1.len(),
                    "this day never comes in these months",
                    "choose another day or month",
                ))
            }
            _ => Ok(cron),
        }
    }
}

/// The words of a text with their places.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut place = 0;
    for word in text.split([' ', '\t', '\n']) {
        if !word.is_empty() {
            words.push((place, word));
        }
        place += word.len() + 1;
    }
    words
}

fn has(bits: u64, value: i8) -> bool {
    u32::try_from(value).is_ok_and(|value| bits.checked_shr(value).unwrap_or(0) & 1 == 1)
}

impl Field {
    /// The values that a field names, as bits.
    fn read(&self, (place, text): &(usize, &str)) -> Result<u64, InvalidCron> {
        let mut bits = 0;
        let mut at = *place;
        for item in text.split(',') {
            bits |= self.item(at, item)?;
            at += item.len() + 1;
        }
        Ok(bits)
    }

    fn item(&self, at: usize, item: &str) -> Result<u64, InvalidCron> {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some((at + range.len() + 1, step))),
            None => (item, None),
        };
        let (first, last) = if range == "*" {
            (self.first, self.last)
        } else if let Some((first, last)) = range.split_once('-') {
            let (from, to) = (self.value(at, first)?, self.value(at + first.len() + 1, last)?);
            if from > to {
                let message = format!("the range `{range}` of the {} runs backwards", self.name);
                return Err(invalid(at..at + range.len(), message, "write the two halves as a list"));
            }
            (from, to)
        } else {
            let value = self.value(at, range)?;
            if let Some((step_at, step)) = step {
                let help = format!("write `{range}-{}/{step}`", self.last);
                let message = format!("a step of the {} follows `*` or a range", self.name);
                return Err(invalid(at..step_at + step.len(), message, help));
            }
            (value, value)
        };
        let step = match step {
            None => 1,
            Some((at, text)) => match text.parse::<u8>() {
                Ok(step) if step > 0 && step <= self.last - self.first && digits(text) => step,
                _ => {
                    let message = format!("`{text}` is no step of the {}", self.name);
                    return Err(invalid(at..at + text.len(), message, format!("1 to {}", self.last - self.first)));
                }
            },
        };
        Ok((first..=last).step_by(usize::from(step)).fold(0, |bits, value| bits | 1 << value))
    }

    fn value(&self, at: usize, text: &str) -> Result<u8, InvalidCron> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let named = named.and_then(|place| u8::try_from(place).ok()).map(|place| place + self.first);
        let number = text.parse::<u8>().ok().filter(|_| digits(text));
        let value = named.or(number).filter(|value| (self.first..=self.last).contains(value));
        value.ok_or_else(|| {
            let help = match (self.names.first(), self.names.last()) {
                (Some(first), Some(last)) => format!("{} to {}, or {first} to {last}", self.first, self.last),
                _ => format!("{} to {}, `*`, lists, ranges and steps", self.first, self.last),
            };
            let message = match text {
                "" => format!("a value of the {} is missing", self.name),
                _ => format!("`{text}` is no {}", self.name),
            };
            invalid(at..at + text.len(), message, help)
        })
    }
}

/// `+5` is a number for Rust and none here.
fn digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

impl Cron {
    /// The first occurrence later than a time.
    pub fn next_after(&self, zone: &Zone, time: Timestamp) -> Option<Timestamp> {
        let rules = zone.rules();
        let after = jiff::Timestamp::from_microsecond(time.0).ok()?;
        let mut local = rules.to_datetime(after);
        let next = loop {
            local = self.next_local(local)?;
            let (first, second) = instants(rules, local)?;
            let second = second.filter(|_| self.hourly);
            // Not later: its clock time came before, in the first pass of an hour that comes twice.
            if let Some(next) = [Some(first), second].into_iter().flatten().find(|next| *next > after) {
                break next;
            }
        };
        let repeated = if self.hourly { self.in_second_pass(rules, after, next) } else { None };
        Some(Timestamp(repeated.unwrap_or(next).as_microsecond()))
    }

    /// The first occurrence between two times in an hour that has come already: the clock time that
    /// follows in the first pass lies behind all of the second.
    fn in_second_pass(
        &self,
        rules: &TimeZone,
        after: jiff::Timestamp,
        before: jiff::Timestamp,
    ) -> Option<jiff::Timestamp> {
        for change in rules.following(after).take_while(|change| change.timestamp() < before) {
            let begins = change.timestamp();
            let mut local = change.offset().to_datetime(begins).checked_sub(jiff::Span::new().minutes(1)).ok()?;
            let found = loop {
                local = self.next_local(local)?;
                let found = change.offset().to_timestamp(local).ok()?;
                if found >= begins {
                    break found;
                }
            };
            if matches!(rules.to_ambiguous_timestamp(local).offset(), AmbiguousOffset::Fold { .. }) && found < before {
                return Some(found);
            }
        }
        None
    }

    /// The latest occurrence that is not later than `now`, from `first`, which is one.
    pub(super) fn latest(&self, zone: &Zone, first: Timestamp, now: Timestamp) -> Timestamp {
        // Windows that double: the first in which there is one holds few.
        let mut window_us: i64 = 3_600_000_000;
        let mut found = None;
        while found.is_none() && now.0.saturating_sub(window_us) > first.0 {
            found = self.next_after(zone, Timestamp(now.0.saturating_sub(window_us))).filter(|next| *next <= now);
            window_us = window_us.saturating_mul(2);
        }
        let mut latest = found.unwrap_or(first);
        while let Some(next) = self.next_after(zone, latest).filter(|next| *next <= now) {
            latest = next;
        }
        latest
    }

    /// The first minute later than a clock time that the expression names.
    fn next_local(&self, after: DateTime) -> Option<DateTime> {
        let minute = after.date().at(after.hour(), after.minute(), 0, 0);
        let start = minute.checked_add(jiff::Span::new().minutes(1)).ok()?;
        let mut date = start.date();
        let mut from = (start.hour(), start.minute());
        while date.year() <= start.year().saturating_add(YEARS_MAX) {
            if !has(self.months, date.month()) {
                date = date.last_of_month().tomorrow().ok()?;
            } else {
                if self.on(date)
                    && let Some((hour, minute)) = self.time(from)
                {
                    return Some(date.at(hour, minute, 0, 0));
                }
                date = date.tomorrow().ok()?;
            }
            from = (0, 0);
        }
        None
    }

    /// Days of the month and days of the week: one of them is enough where both are given.
    fn on(&self, date: Date) -> bool {
        let day = self.days.map(|days| has(days, date.day()));
        let weekday = self.weekdays.map(|days| has(days, date.weekday().to_sunday_zero_offset()));
        match (day, weekday) {
            (Some(day), Some(weekday)) => day || weekday,
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => true,
        }
    }

    /// The first hour and minute not before the given ones.
    fn time(&self, (hour, minute): (i8, i8)) -> Option<(i8, i8)> {
        let first = |from: i8| (from..60).find(|m| has(self.minutes, *m));
        if has(self.hours, hour)
            && let Some(minute) = first(minute)
        {
            return Some((hour, minute));
        }
        Some(((hour.saturating_add(1)..24).find(|h| has(self.hours, *h))?, first(0)?))
    }
}

/// When clocks show a time: the first time they do, or the end of the gap that they leap over; and the
/// second time, if they do twice.
fn instants(rules: &TimeZone, local: DateTime) -> Option<(jiff::Timestamp, Option<jiff::Timestamp>)> {
    match rules.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => Some((offset.to_timestamp(local).ok()?, None)),
        AmbiguousOffset::Fold { before, after } => {
            Some((before.to_timestamp(local).ok()?, Some(after.to_timestamp(local).ok()?)))
        }
        AmbiguousOffset::Gap { after, .. } => {
            // Read with the offset that holds after the gap, the time lies before it.
            let before = after.to_timestamp(local).ok()?;
            let end = rules.following(before).find(|change| change.offset() == after)?;
            Some((end.timestamp(), None))
        }
    }
}

/// As it was written, with single blanks.
impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl Serialize for Cron {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text)
    }
}
impl<'de> Deserialize<'de> for Cron {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
