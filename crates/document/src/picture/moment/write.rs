//! Writing the components of a time (F&O 3.1 §9.8.4.3 to §9.8.4.7).

use crate::picture::integer::Case;

use super::civil::Civil;
use super::marker::{Component, Marker, Named};
use super::zone::Zone;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl Marker {
    /// Appends what stands for the marker.
    pub(super) fn write(&self, civil: &Civil, zone: Zone, out: &mut String) {
        match self {
            Marker::Number { component, picture, kept } => {
                let value = component.of(civil);
                // No year has more digits than a power of ten that fits.
                let kept = kept.and_then(|kept| 10_i64.checked_pow(kept)).map_or(value, |power| value % power);
                out.push_str(&picture.format(kept as f64));
            }
            Marker::Name { component, case, width } => {
                let letters = component.of(civil).chars().take(width.unwrap_or(usize::MAX));
                out.extend(letters.map(|letter| match case {
                    Case::Upper => letter.to_ascii_uppercase(),
                    Case::Lower => letter.to_ascii_lowercase(),
                    Case::Title => letter,
                }));
            }
            Marker::Half { upper } => out.push_str(match (civil.hour >= 12, upper) {
                (false, false) => "am",
                (false, true) => "AM",
                (true, false) => "pm",
                (true, true) => "PM",
            }),
            Marker::Zone(picture) => picture.write(zone, out),
            Marker::Calendar => out.push_str("ISO"),
        }
    }
}

impl Component {
    /// Its value in a time.
    pub(super) fn of(self, civil: &Civil) -> i64 {
        match self {
            Component::Year => civil.year,
            Component::Month => civil.month,
            Component::Day => civil.day,
            Component::DayOfYear => civil.day_of_year(),
            Component::Weekday => civil.weekday(),
            Component::WeekOfYear => civil.week_of_year().number,
            Component::WeekOfMonth => civil.week_of_month().number,
            Component::WeekYear => civil.week_of_year().of,
            Component::WeekMonth => civil.week_of_month().of,
            Component::Hour => civil.hour,
            Component::HourOfHalf => (civil.hour + 11) % 12 + 1,
            Component::Minute => civil.minute,
            Component::Second => civil.second,
            Component::Fraction => civil.milli,
        }
    }
}

impl Named {
    fn of(self, civil: &Civil) -> &'static str {
        let (names, number): (&[&str], i64) = match self {
            Named::Month => (&MONTHS, civil.month),
            Named::WeekMonth => (&MONTHS, civil.week_of_month().of),
            Named::Weekday => (&WEEKDAYS, civil.weekday()),
        };
        usize::try_from(number - 1).ok().and_then(|place| names.get(place)).copied().unwrap_or_default()
    }
}
