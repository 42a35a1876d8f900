//! Support access: what a tenant's administrator lets the operator look at, where, and until when.
//!
//! Deliberately absent: who may open one and what it shows (crate `access`).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    id::{EnvironmentId, UserId},
};

/// The longest span of a grant, whatever its row says: 72 hours.
pub const SPAN_MAX_MS: i64 = 72 * 3_600_000;

/// A grant: the body of a row of kind `support-grant`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupportGrant {
    /// What for, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Where. There is no way to say "everywhere".
    pub environments: BTreeSet<EnvironmentId>,
    /// On whose right it stands.
    pub given_by: UserId,
    /// It begins then.
    pub from: Timestamp,
    /// It ends by itself then.
    pub until: Timestamp,
}

impl SupportGrant {
    /// When it ends: no later than the longest span allows.
    pub fn end(&self) -> Timestamp {
        self.until.min(self.from.plus_ms(SPAN_MAX_MS))
    }

    /// It has begun and has not ended.
    pub fn stands(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_ends_by_itself_and_is_never_longer_than_the_longest() {
        let of = |until| SupportGrant {
            title: String::new(),
            environments: BTreeSet::new(),
            given_by: UserId::parse("ada").unwrap(),
            from: Timestamp::from_ms(1_000),
            until,
        };
        let grant = of(Timestamp::from_ms(5_000));
        let stands = [999, 1_000, 4_999, 5_000].map(|ms| grant.stands(Timestamp::from_ms(ms)));
        assert_eq!(stands, [false, true, true, false]);
        let endless = of(Timestamp(i64::MAX));
        assert!(endless.stands(Timestamp::from_ms(1_000 + SPAN_MAX_MS - 1)));
        assert!(!endless.stands(Timestamp::from_ms(1_000 + SPAN_MAX_MS)));
    }
}
