//! Support access.

use std::collections::BTreeSet;

use serde::Deserialize;
use utoipa::ToSchema;

/// What a grant of support access is to be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupportWanted {
    /// Where; each is named.
    #[schema(value_type = Vec<super::Id>, min_items = 1)]
    pub environments: BTreeSet<String>,
    /// How many hours it lasts; absent for 4.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 72)]
    pub hours: Option<i64>,
    /// What for, for people.
    #[serde(default)]
    #[schema(pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]{0,200}$")]
    pub title: String,
}

/// A grant of support access that stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupportGrant {
    /// By what it can be ended.
    pub id: String,
    /// What for, for people.
    #[serde(default)]
    pub title: String,
    /// Where.
    pub environments: BTreeSet<String>,
    /// On whose right it stands.
    pub given_by: String,
    /// When it began, in microseconds since 1970-01-01T00:00:00Z.
    pub from: i64,
    /// It ends by itself then.
    pub until: i64,
}
