//! A limit on everything, unit in the name, all in one place. A tenant has the product's unless the operator sets
//! others, for the tenant or for one of its environments; they are passed explicitly.

use std::{collections::BTreeMap, fmt, ops::RangeInclusive, str::FromStr};

use serde::{Deserialize, Serialize};

/// Limits of one run. Defaults are those of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Arena bytes a run may hold: documents, intermediate values, slots.
    pub arena_bytes_max: u64,
    /// Cost units: wasm fuel plus what intrinsics charge.
    pub cost_max: u64,
    /// Wall time in milliseconds of a run that somebody waits for.
    pub wall_ms_max: u64,
    /// Bytes of a printed reply.
    pub reply_bytes_max: u64,
    /// Bytes of a request body.
    pub request_bytes_max: u64,
    /// Connector calls one run may have in flight; further ones of its branches wait.
    pub calls_in_flight_max: u32,
    /// Nesting depth of a document.
    pub depth_max: u32,
    /// Nesting depth of function calls in an expression (error U1001 past it). The default is
    /// compiled into the module, so that the same module behaves the same everywhere.
    pub recursion_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            arena_bytes_max: 64 << 20,
            cost_max: 1_000_000_000,
            wall_ms_max: 60_000,
            reply_bytes_max: 16 << 20,
            request_bytes_max: 16 << 20,
            calls_in_flight_max: 64,
            depth_max: 128,
            recursion_max: 1_000,
        }
    }
}

/// The name of one of [`Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "see the members of `Limits` of the same names")]
pub enum Limit {
    ArenaBytesMax,
    CostMax,
    WallMsMax,
    ReplyBytesMax,
    RequestBytesMax,
    CallsInFlightMax,
    DepthMax,
    RecursionMax,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ArenaBytesMax,
        Self::CostMax,
        Self::WallMsMax,
        Self::ReplyBytesMax,
        Self::RequestBytesMax,
        Self::CallsInFlightMax,
        Self::DepthMax,
        Self::RecursionMax,
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ArenaBytesMax => "arena_bytes_max",
            Self::CostMax => "cost_max",
            Self::WallMsMax => "wall_ms_max",
            Self::ReplyBytesMax => "reply_bytes_max",
            Self::RequestBytesMax => "request_bytes_max",
            Self::CallsInFlightMax => "calls_in_flight_max",
            Self::DepthMax => "depth_max",
            Self::RecursionMax => "recursion_max",
        }
    }

    /// What may be set: below it nothing could run, above it one run would take what others need or what documents
    /// and listeners cannot hold. `None` for what is the same everywhere.
    pub fn bounds(self) -> Option<RangeInclusive<u64>> {
        Some(match self {
            Self::ArenaBytesMax => 64 << 10..=1 << 30,
            Self::CostMax => 10_000..=1_000_000_000_000,
            Self::WallMsMax => 100..=3_600_000,
            Self::ReplyBytesMax | Self::RequestBytesMax => 1 << 10..=16 << 20,
            Self::CallsInFlightMax => 1..=1_024,
            Self::DepthMax => 8..=256,
            Self::RecursionMax => return None,
        })
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = || Self::ALL.map(Self::as_str).join(", ");
        let found = Self::ALL.into_iter().find(|limit| limit.as_str() == text);
        found.ok_or_else(|| format!("there is no limit `{text}`: {}", all()))
    }
}

/// The limits that an operator set, of a tenant or of one of its environments. What is not in it falls back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quota(BTreeMap<Limit, u64>);

impl Quota {
    /// Sets a limit, or lets it fall back; an error says what could be set.
    pub fn set(&mut self, limit: Limit, value: Option<u64>) -> Result<(), String> {
        let Some(value) = value else {
            self.0.remove(&limit);
            return Ok(());
        };
        let Some(bounds) = limit.bounds() else {
            return Err(format!("`{limit}` is compiled into modules: it is the same everywhere"));
        };
        if !bounds.contains(&value) {
            return Err(format!("`{limit}` is from {} to {}, not {value}", bounds.start(), bounds.end()));
        }
        self.0.insert(limit, value);
        Ok(())
    }

    /// Nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What holds where these are set, and the others fall back to `below`.
    pub fn over(&self, below: Limits) -> Limits {
        let mut held = below;
        for (limit, value) in &self.0 {
            let short = || u32::try_from(*value).unwrap_or(u32::MAX);
            match limit {
                Limit::ArenaBytesMax => held.arena_bytes_max = *value,
                Limit::CostMax => held.cost_max = *value,
                Limit::WallMsMax => held.wall_ms_max = *value,
                Limit::ReplyBytesMax => held.reply_bytes_max = *value,
                Limit::RequestBytesMax => held.request_bytes_max = *value,
                Limit::CallsInFlightMax => held.calls_in_flight_max = short(),
                Limit::DepthMax => held.depth_max = short(),
                Limit::RecursionMax => held.recursion_max = short(),
            }
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_bounds_and_members_are_of_the_same_limits() {
        let defaults = serde_json::to_value(Limits::default()).unwrap();
        assert_eq!(defaults.as_object().unwrap().len(), Limit::ALL.len());
        for limit in Limit::ALL {
            assert_eq!(limit.as_str().parse(), Ok(limit));
            assert_eq!(serde_json::to_value(limit).unwrap(), limit.as_str());
            let default = defaults[limit.as_str()].as_u64().unwrap();
            let Some(bounds) = limit.bounds() else { continue };
            assert!(bounds.contains(&default), "{limit}");
            for (value, is_taken) in [
                (*bounds.start(), true),
                (*bounds.end(), true),
                (bounds.start() - 1, false),
                (bounds.end() + 1, false),
                (u64::MAX, false),
            ] {
                let mut quota = Quota::default();
                assert_eq!(quota.set(limit, Some(value)).is_ok(), is_taken, "{limit} {value}");
                let held = serde_json::to_value(quota.over(Limits::default())).unwrap();
                assert_eq!(held[limit.as_str()], if is_taken { value } else { default }, "{limit} {value}");
                quota.set(limit, None).unwrap();
                assert!(quota.is_empty());
            }
        }
        assert!(Quota::default().set(Limit::RecursionMax, Some(1)).is_err(), "it is in the module");
        assert!("cost".parse::<Limit>().unwrap_err().contains("cost_max"));
    }

    #[test]
    fn whole_limits_of_before_are_read() {
        let whole = Limits { depth_max: 3, ..Limits::default() };
        let quota: Quota = serde_json::from_value(serde_json::to_value(whole).unwrap()).unwrap();
        assert_eq!(quota.over(Limits::default()), whole);
    }
}
