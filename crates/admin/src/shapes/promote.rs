//! What a promotion would change.

use serde::Deserialize;
use utoipa::ToSchema;

use super::Authority;

/// What a promotion would change, before it does.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// From where.
    pub from: String,
    /// To where.
    pub to: String,
    /// What.
    pub project: String,
    /// The version that would become active.
    pub version: u64,
    /// Digest of its sources.
    pub source: String,
    /// The version that is active there now.
    pub replaces: Option<u64>,
    /// Its orchestrations.
    pub orchestrations: Vec<PromotedOrchestration>,
    /// The accounts they use, here and there.
    pub accounts: Vec<PromotedAccount>,
    /// What they may touch that what is active there now may not.
    pub gains: Vec<Authority>,
    /// What they may not touch any more.
    pub loses: Vec<Authority>,
    /// The ACL that was asked for, for what has none there yet.
    pub acl: Option<String>,
    /// All reasons for which it would be refused as things stand; none if it would be done.
    pub refusals: Vec<String>,
}

/// One orchestration of a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromotedOrchestration {
    /// Its name.
    pub name: String,
    /// Digest of the module: the same there as here.
    pub module: String,
    /// Digest of the module that is active there now.
    pub replaces: Option<String>,
    /// The ACL that is assigned here.
    pub acl_from: Option<String>,
    /// The ACL that is assigned there; none where nothing is yet, and then it gets the one that was
    /// asked for, or `default`.
    pub acl_to: Option<String>,
    /// When it runs by itself, if it does.
    pub schedule: Option<String>,
    /// As whom it would run by itself there.
    pub runs_as: Option<String>,
}

/// One account of a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromotedAccount {
    /// As the project names it: a declared name, or a literal origin.
    pub account: String,
    /// The binding here.
    pub from: Option<BoundTo>,
    /// The binding there; none is what has to be bound first.
    pub to: Option<BoundTo>,
}

/// Where an account leads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BoundTo {
    /// The bound account.
    pub name: String,
    /// Its connector.
    pub connector: String,
    /// Its address.
    pub address: String,
    /// How the server proves itself: `ca`, `system`, `pin` or `host-key`.
    pub identity: String,
}
