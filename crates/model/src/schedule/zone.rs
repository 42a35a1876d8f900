//! Time zones by their IANA names, from the copy of the database that the program carries: the same
//! everywhere, whatever the machine has.

use std::{fmt, str::FromStr, sync::OnceLock};

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A time zone, such as `Europe/Berlin` or `UTC`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// The text names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time zone of the IANA database")]
pub struct InvalidZone(String);

fn database() -> &'static TimeZoneDatabase {
    static BUNDLED: OnceLock<TimeZoneDatabase> = OnceLock::new();
    BUNDLED.get_or_init(TimeZoneDatabase::bundled)
}

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }
    /// Its name in the database.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
    /// The names of all zones.
    pub fn names() -> Vec<String> {
        database().available().map(|name| name.as_str().to_owned()).collect()
    }
    pub(super) fn rules(&self) -> &TimeZone {
        &self.0
    }
}

impl FromStr for Zone {
    type Err = InvalidZone;
    fn from_str(name: &str) -> Result<Self, InvalidZone> {
        database().get(name).map(Self).map_err(|_| InvalidZone(name.chars().take(80).collect()))
    }
}
impl std::hash::Hash for Zone {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}
impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_those_of_the_database() {
        for bad in ["", "Mars/Olympus", "CET+1", "+02:00", "../etc/passwd", "Europe/Berlin "] {
            assert!(bad.parse::<Zone>().is_err(), "`{bad}` was taken");
        }
        for good in ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"] {
            assert_eq!(good.parse::<Zone>().unwrap().name(), good);
        }
        assert!(Zone::names().iter().any(|name| name == "Pacific/Apia"));
    }
}
