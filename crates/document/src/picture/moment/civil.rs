//! The Gregorian calendar, before 1582 too: days since 1970-01-01 and the parts of a date.

const MILLIS_A_DAY: f64 = 86_400_000.0;
/// Largest distance from 1970 in milliseconds (ECMA-262 §21.4.1.1).
const MILLIS_MAX: f64 = 8.64e15;
/// Years farther away than this are beyond [`MILLIS_MAX`] whatever the rest is.
const YEARS_MAX: f64 = 400_000.0;

/// A date and a time of day. Months and days count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) milli: i64,
    /// Days since 1970-01-01.
    days: i64,
}

/// A week of a year or a month, as ISO 8601 counts them: it belongs where its Thursday lies.
pub(super) struct Week {
    /// The year or the month, from 1, that it belongs to.
    pub(super) of: i64,
    /// Its number there, from 1.
    pub(super) number: i64,
}

impl Civil {
    /// The parts of a time in milliseconds since 1970; none when it is too far away.
    pub(super) fn at(millis: f64) -> Option<Civil> {
        if !is_time(millis) {
            return None;
        }
        let millis = millis.trunc() as i64;
        let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
        let (year, month, day) = date_of(days);
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
        Some(Civil { year, month, day, hour, minute, second: rest / 1000 % 60, milli: rest % 1000, days })
    }

    /// From 1 on the first of January.
    pub(super) fn day_of_year(&self) -> i64 {
        self.days - days_of(self.year, 1, 1) + 1
    }

    /// From 1 on Monday.
    pub(super) fn weekday(&self) -> i64 {
        weekday(self.days)
    }

    pub(super) fn week_of_year(&self) -> Week {
        let start = |year| first_week(days_of(year, 1, 1));
        let of = (self.year - 1..=self.year + 1).rev().find(|year| start(*year) <= self.days).unwrap_or(self.year);
        Week { of, number: (self.days - start(of)) / 7 + 1 }
    }

    pub(super) fn week_of_month(&self) -> Week {
        // The month by its distance from the first January there was.
        let now = self.year * 12 + self.month - 1;
        let start = |month: i64| first_week(days_of(month.div_euclid(12), month.rem_euclid(12) + 1, 1));
        let of = (now - 1..=now + 1).rev().find(|month| start(*month) <= self.days).unwrap_or(now);
        Week { of: of.rem_euclid(12) + 1, number: (self.days - start(of)) / 7 + 1 }
    }
}

/// Milliseconds since 1970 at the start of a day; the month counts from 1 and days may lie outside
/// it. None when it is too far away. (ECMA-262 §21.4.1.28, MakeDay.)
pub(super) fn start_of_day(year: f64, month: f64, day: f64) -> Option<f64> {
    let year = year + ((month - 1.0) / 12.0).floor();
    let month = (month - 1.0).rem_euclid(12.0) + 1.0;
    if year.abs() > YEARS_MAX || !month.is_finite() {
        return None;
    }
    Some((days_of(year as i64, month as i64, 1) as f64 + day - 1.0) * MILLIS_A_DAY)
}

/// Is it a time at all?
pub(super) fn is_time(millis: f64) -> bool {
    millis.abs() <= MILLIS_MAX
}

/// Day of the week, from 1 on Monday: 1970 began with a Thursday.
fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

/// The Monday of the week in which the first Thursday at or after this first day lies.
fn first_week(first: i64) -> i64 {
    match weekday(first) {
        day @ 1..=4 => first - day + 1,
        day => first + 8 - day,
    }
}

/// Days of 400 years.
const ERA_DAYS: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;

/// Days since 1970-01-01. Years are counted from March, so that the leap day is their last.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * ERA_DAYS + year * 365 + year / 4 - year / 100 + in_year - EPOCH_DAYS
}

/// Year, month and day of a day since 1970-01-01.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_DAYS;
    let (era, day) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let in_year = day - (365 * year + year / 4 - year / 100);
    let march_month = (5 * in_year + 2) / 153;
    let month = (march_month + 2) % 12 + 1;
    (era * 400 + year + i64::from(month <= 2), month, in_year - (153 * march_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_each_others_inverse() {
        let mut before = date_of(-800_000);
        for days in -799_999..800_000 {
            let (year, month, day) = date_of(days);
            assert_eq!(days_of(year, month, day), days);
            let follows = (year, month, day) == (before.0, before.1, before.2 + 1)
                || (year, month, day) == (before.0, before.1 + 1, 1)
                || (year, month, day) == (before.0 + 1, 1, 1);
            assert!(follows, "{before:?} {year}-{month}-{day}");
            before = (year, month, day);
        }
        assert_eq!(date_of(0), (1970, 1, 1));
        assert_eq!(date_of(11_016), (2000, 2, 29));
        assert_eq!(date_of(-719_528), (0, 1, 1));
    }

    #[test]
    fn times_too_far_away_have_no_parts() {
        for millis in [f64::NAN, f64::INFINITY, 8.64e15 + 1.0, -8.65e15] {
            assert_eq!(Civil::at(millis), None);
        }
        assert_eq!(Civil::at(8.64e15).map(|civil| (civil.year, civil.month, civil.day)), Some((275_760, 9, 13)));
        assert_eq!(Civil::at(-8.64e15).map(|civil| (civil.year, civil.month, civil.day)), Some((-271_821, 4, 20)));
        assert_eq!(start_of_day(1e9, 1.0, 1.0), None);
        assert_eq!(start_of_day(2000.0, f64::INFINITY, 1.0), None);
    }
}
