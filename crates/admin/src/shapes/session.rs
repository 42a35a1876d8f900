//! Sessions and credentials.

use serde::Deserialize;
use utoipa::ToSchema;

/// A new session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The token, shown once; it goes as `Authorization: Bearer`.
    pub session: String,
    /// Whose.
    pub user: String,
    /// Whose tenant.
    pub tenant: String,
    /// When it ends, in microseconds since 1970-01-01T00:00:00Z.
    pub expires: i64,
}

/// Who a credential belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Who {
    /// The tenant.
    pub tenant: String,
    /// The user.
    pub user: String,
    /// `basic`, `api-key` or `session`.
    pub credential: String,
    /// Set for an API key that is good for one environment alone.
    #[serde(default)]
    pub only_environment: Option<String>,
}

/// A new API key, shown once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// Its id, which may be shown again.
    pub id: String,
    /// The key, as it goes behind `Authorization: Bearer`.
    pub key: String,
    /// When it ends, in microseconds since 1970-01-01T00:00:00Z.
    #[serde(default)]
    pub expires: Option<i64>,
}

/// An API key as it may be shown again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyInfo {
    /// Its id.
    pub id: String,
    /// On whose behalf it acts.
    pub user: String,
    /// The only environment it is good for.
    #[serde(default)]
    pub environment: Option<String>,
    /// When it ends, in microseconds since 1970-01-01T00:00:00Z.
    #[serde(default)]
    pub expires: Option<i64>,
}
