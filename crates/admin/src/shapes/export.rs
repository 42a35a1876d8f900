//! What a tenant is, as a whole.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A page of what a tenant is.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantExport {
    /// The revision of the tenant that all pages are of.
    pub revision: u64,
    /// The environments that are exported.
    pub environments: Vec<String>,
    /// The kinds that are in it.
    #[schema(example = json!(["environment", "account"]))]
    pub kinds: Vec<String>,
    /// The kinds that are not in it, or not of all environments.
    pub left_out: Vec<LeftOut>,
    /// The things, in the order that they are made in.
    pub items: Vec<ExportedThing>,
    /// The `cursor` of the next page; absent where there is none.
    #[serde(default)]
    pub next: Option<String>,
}

/// A kind that is not in it, or not of all environments.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The kind.
    pub kind: String,
    /// What it takes.
    #[schema(example = "user-management")]
    pub permission: String,
}

/// One thing.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportedThing {
    /// Its kind.
    #[schema(example = "group")]
    pub kind: String,
    /// Its id: of what lies in an environment, with that in front.
    pub id: String,
    /// Its body, as `apply` takes it; of a schedule `paused`.
    #[schema(value_type = Object)]
    pub body: Value,
}
