//! Explanations and the audit log.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Target;

/// Why somebody may execute something, or what is missing.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// Who.
    pub user: String,
    /// What, and where.
    pub target: Target,
    /// By which way.
    pub channel: String,
    /// The revision of the tenant this holds for.
    pub revision: u64,
    /// The decision.
    pub allowed: bool,
    /// The rule that decided.
    pub rule: String,
    /// What lets the user in.
    pub paths: Vec<PathTaken>,
    /// Every link that is missing; all of them must be closed.
    pub missing: Vec<Missing>,
}

/// A path that lets a user in.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PathTaken {
    /// Where it leads.
    pub target: Target,
    /// The profile that is on the list, valid in the environment, and may execute.
    pub profile: String,
    /// How the user holds it: `"user"`, or `{"group": id}`.
    pub via: Value,
    /// The list.
    pub acl: String,
    /// On whose publish right the deployment stands.
    pub publisher: String,
}

/// A link that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// What is missing, in words.
    pub link: String,
    /// Ways to close it, the narrowest first; each with all its steps.
    pub remedies: Vec<Vec<Grant>>,
}

/// One step of a remedy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The command that does it.
    pub command: String,
    /// The permission it needs, or `operator`.
    pub needs: String,
    /// Up to five users who may do it.
    pub who: Vec<String>,
}

/// Rights of users, of one revision of the tenant.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// The revision of the tenant this holds for.
    pub revision: u64,
    /// The rights, by user and scope.
    pub cells: Vec<Cell>,
    /// The `cursor` of the next page; absent when there are no more.
    #[serde(default)]
    pub next: Option<String>,
    /// What the operator may look at by grants that stand now; with the last page, unless one user is asked about.
    #[serde(default)]
    pub support: Vec<SupportRight>,
}

/// A right of the operator by a grant of support access.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupportRight {
    /// The grant.
    pub grant: String,
    /// Where.
    pub environment: String,
    /// What a user would need to look at it: `logs-view` or `settings-view`.
    #[schema(example = "logs-view")]
    pub right: String,
    /// It ends by itself then, in microseconds since 1970-01-01T00:00:00Z.
    pub until: i64,
}

/// What a batch of definitions would give and take.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIf {
    /// The revision of the tenant that it was asked of.
    pub revision: u64,
    /// Rights that would be there after it alone.
    pub gained: Vec<Cell>,
    /// Rights that are there before it alone.
    pub lost: Vec<Cell>,
    /// There are more than the some 10,000 that are told.
    pub more: bool,
}

/// A right that a user has. It comes of a profile or of a project permission.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Who.
    pub user: String,
    /// Where: `tenant`, `environment/ID` or `project/ID`.
    #[schema(example = "environment/live")]
    pub scope: String,
    /// A permission, or `execute KIND/NAME`.
    #[schema(example = "execute integrations/order")]
    pub right: String,
    /// The access profile that gives it.
    #[serde(default)]
    pub profile: Option<String>,
    /// The list that the profile is on, where it is to execute.
    #[serde(default)]
    pub acl: Option<String>,
    /// The permission on the project that gives it.
    #[serde(default)]
    pub project_permission: Option<String>,
    /// How the user holds that: `"user"`, or `{"group": id}`.
    pub via: Value,
}

/// A page of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditPage {
    /// Links, in the order of their chains.
    pub links: Vec<AuditLink>,
    /// The `cursor` of the next page; absent when this was the last.
    #[serde(default)]
    pub next: Option<String>,
}

/// Where the chains of the audit log were signed to end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditHeads {
    /// What tells true signatures: `ed25519:` and the public key as base64url.
    pub key: String,
    /// The newest head of each chain, by writer.
    pub heads: Vec<AuditHead>,
    /// Where each chain begins of which entries were removed that are no longer kept, by writer: signed as anchors.
    pub anchors: Vec<AuditHead>,
}

/// Entries of the audit log that were looked for, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditFound {
    /// The entries in their places.
    pub links: Vec<AuditLink>,
    /// The `cursor` of the next page; absent where nothing is left.
    #[serde(default)]
    pub next: Option<String>,
}

/// Which entries of the audit log; members that are absent do not narrow.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// From this time on, in microseconds since 1970-01-01T00:00:00Z.
    #[serde(default)]
    pub from: Option<i64>,
    /// Before this time.
    #[serde(default)]
    pub to: Option<i64>,
    /// Of this user, `operator`, or `-`.
    #[serde(default)]
    pub principal: Option<String>,
    /// With this code.
    #[serde(default)]
    pub event: Option<String>,
    /// About an object whose name holds this.
    #[serde(default)]
    pub object: Option<String>,
    /// That ended so.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// By this way in.
    #[serde(default)]
    pub channel: Option<Channel>,
}

/// The way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// REST listener.
    Rest,
    /// SOAP listener.
    Soap,
    /// A schedule's fire.
    Schedule,
    /// A poll's find.
    Poll,
    /// A flow that another flow runs.
    SubFlow,
    /// A person's run now.
    Manual,
    /// Restart of an ended run.
    Restart,
    /// Resume of a waiting run.
    Resume,
    /// Administration, deploy, push.
    Admin,
}

/// How what an entry tells of ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Access said yes.
    Allowed,
    /// Access said no.
    Denied,
    /// It was done.
    Done,
    /// It failed.
    Failed,
    /// It was announced, and found absent at the next start.
    NotApplied,
}

/// Where a chain ended, signed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditHead {
    /// The tenant.
    pub tenant: String,
    /// The process that wrote it.
    pub writer: String,
    /// Place of the last entry.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
    /// When it was signed, in microseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// Ed25519, as base64url without padding.
    pub signature: String,
}

/// An entry in its place. Keep it byte for byte as it came: its hash covers the entry's JSON.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditLink {
    /// The tenant.
    pub tenant: String,
    /// The process that wrote it.
    pub writer: String,
    /// Place in the chain, from 1.
    pub seq: u64,
    /// Hash of the entry before.
    pub prev: String,
    /// Hash of this one.
    pub hash: String,
    /// What it tells.
    pub entry: AuditEntry,
}

/// What happened, by whom, on what.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditEntry {
    /// When, in microseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// Stable code.
    pub event: String,
    /// `allowed`, `denied`, `done`, `failed` or `not-applied`.
    pub outcome: String,
    /// User id, `operator`, or `-`.
    pub principal: String,
    /// The way in.
    #[serde(default)]
    pub channel: Option<String>,
    /// `kind/id` of the object.
    #[serde(default)]
    pub object: String,
    /// Names of the fields that changed.
    #[serde(default)]
    pub fields: Vec<String>,
    /// The rule that decided.
    #[serde(default)]
    pub rule: String,
    /// Revision decided on, or announced.
    #[serde(default)]
    pub revision: u64,
    /// Module or source digest.
    #[serde(default)]
    pub digest: Option<String>,
    /// The run that was opened.
    #[serde(default)]
    pub run: Option<String>,
    /// Where the request came from.
    #[serde(default)]
    pub source: String,
    /// Further metadata.
    #[serde(default)]
    pub detail: BTreeMap<String, String>,
}
