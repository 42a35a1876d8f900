//! Declarations of connectors.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A connector's declaration.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    /// Its name.
    pub name: String,
    /// One sentence for people.
    pub help: String,
    /// The form of addresses.
    pub address: Value,
    /// How a server may prove itself.
    pub identities: Vec<String>,
    /// Settings and secrets.
    pub fields: Vec<Value>,
    /// What it can do.
    pub operations: Vec<Value>,
}
