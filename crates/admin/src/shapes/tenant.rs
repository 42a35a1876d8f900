//! The tenant's own record, and the limits of its runs.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;

/// What the operator keeps of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantRecord {
    /// Its id.
    pub id: String,
    /// For people.
    pub title: String,
    /// How long its records are kept.
    pub retention: Retention,
}

/// How long records are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Days after a run's end.
    pub days_max: u32,
    /// The newest so many runs.
    pub runs_max: u64,
    /// Days of the audit log; absent: for ever.
    #[serde(default)]
    pub audit_days_max: Option<u32>,
}

/// Limits of a tenant's runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantLimits {
    /// Those that hold where an environment has none of its own.
    pub limits: Limits,
    /// Of these the operator set those, by name.
    pub set: BTreeMap<String, u64>,
    /// By environment.
    pub environments: BTreeMap<String, EnvironmentLimits>,
}

/// Limits of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentLimits {
    /// Those that hold.
    pub limits: Limits,
    /// Of these the operator set those of this environment, by name.
    pub set: BTreeMap<String, u64>,
}

/// Limits of a run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of documents and intermediate values.
    pub arena_bytes_max: u64,
    /// Units of work.
    pub cost_max: u64,
    /// Milliseconds of a run that somebody waits for.
    pub wall_ms_max: u64,
    /// Bytes of a reply.
    pub reply_bytes_max: u64,
    /// Bytes of a request's body.
    pub request_bytes_max: u64,
    /// Calls of connectors at a time.
    pub calls_in_flight_max: u32,
    /// Nesting depth of a document.
    pub depth_max: u32,
    /// Nesting depth of function calls in an expression; compiled into modules.
    pub recursion_max: u32,
}
