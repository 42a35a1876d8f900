//! Points in time, handed in from outside: the core never asks a clock.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub fn from_ms(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000))
    }
    /// Whole milliseconds since the epoch.
    pub fn ms(self) -> i64 {
        self.0.div_euclid(1_000)
    }
    /// This time plus some milliseconds.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1_000)))
    }
}

/// The text is no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time: expected one as `2026-11-22T04:05:06Z`")]
pub struct InvalidTime;

/// From RFC 3339.
impl std::str::FromStr for Timestamp {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        text.parse::<jiff::Timestamp>().map(|time| Self(time.as_microsecond())).map_err(|_| InvalidTime)
    }
}

/// RFC 3339 in UTC with milliseconds: `2026-11-22T04:05:06.789Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.ms()) {
            Ok(t) => write!(f, "{t:.3}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn prints_rfc_3339_with_milliseconds() {
        assert_eq!(Timestamp::from_ms(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_ms(1_763_784_306_789).to_string(), "2025-11-22T04:05:06.789Z");
        assert_eq!("2025-11-22T05:05:06.789+01:00".parse(), Ok(Timestamp::from_ms(1_763_784_306_789)));
        for wrong in ["", "2025-11-22", "yesterday", "1763784306"] {
            assert!(wrong.parse::<Timestamp>().is_err(), "{wrong}");
        }
    }
}
