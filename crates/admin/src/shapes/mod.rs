//! The forms of what goes in and out, as the OpenAPI document shows them.
//!
//! The values themselves are of the crates `model` and `runtime`; these mirrors exist because those
//! crates know nothing of OpenAPI. A mirror refuses unknown and missing members, and the tests read
//! real answers into them: one that has gone stale fails there.

mod access;
mod connector;
mod definition;
mod deploy;
mod export;
mod log;
mod promote;
mod run;
mod schedule;
mod session;
mod support;
mod tenant;

pub use access::{
    AuditEntry, AuditFound, AuditHead, AuditHeads, AuditLink, AuditPage, AuditQuery, Cell, Channel, Explanation, Grant,
    Matrix, Missing, Outcome, PathTaken, SupportRight, WhatIf,
};
pub use connector::Connector;
pub use definition::{
    Acl, Assignment, Batch, BatchItem, BatchKind, Definition, DefinitionBody, Environment, Group, Profile,
    ProjectPermission, User, UserKind, ValidIn,
};
pub use deploy::{
    Account, AccountBinding, AccountRef, Authority, Deployed, DeployedApi, DeployedModule, DeployedOrchestration,
    Deployment, Manifest, Project, ProjectVersion, Pushed, ServerIdentity,
};
pub use export::{ExportedThing, LeftOut, TenantExport};
pub use log::{LogEvent, LogLine};
pub use promote::{BoundTo, PromotedAccount, PromotedOrchestration, Promotion};
pub use run::{
    Bytes, CancelledRun, Phase, RestartPlan, RunError, RunPlace, RunProblem, RunRecord, Target, TargetKind, TaskTime,
    VersionOf,
};
pub use schedule::{Paused, RanNow, Schedule, SkippedNext, Timing};
pub use session::{
    Asked, BoundBy, CertificateInfo, CertificateWanted, Enrolment, KeyInfo, KeyWanted, NewKey, PasskeyAdded,
    PasskeyAnswer, PasskeyInfo, PasswordPolicy, PasswordPreset, Recovery, SecondFactorStatus, Session, SessionInfo,
    Who,
};
pub use support::{SupportGrant, SupportWanted};
pub use tenant::{EnvironmentLimits, Limits, Retention, TenantLimits, TenantRecord};

use serde::Deserialize;
use utoipa::ToSchema;

/// An id, or the name of an orchestration or API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, ToSchema)]
#[schema(pattern = "^[a-z0-9][a-z0-9_.@-]{0,63}$")]
pub struct Id(pub String);

/// The id of a run: a UUID of version 7.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(format = "uuid")]
pub struct RunId(pub String);

/// Why a request was refused: problem details (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The row of the page of errors that explains it.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", example = "/admin/v1/errors#LG-FORBIDDEN")]
    pub kind: String,
    /// The status in words.
    #[schema(example = "Forbidden")]
    pub title: String,
    /// The reply's status.
    #[schema(minimum = 400, maximum = 599, example = 403)]
    pub status: u16,
    /// What is wrong, and what to do.
    pub detail: String,
    /// Stable code; `type` leads to its explanation.
    #[schema(example = "LG-FORBIDDEN")]
    pub code: String,
    /// What to do about it.
    #[serde(default)]
    pub help: Option<String>,
    /// All problems of the sources, with their places.
    #[serde(default)]
    pub problems: Option<Vec<Problem>>,
}

/// One problem in one source file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Stable code, or the expression standard's own.
    #[schema(example = "S0201")]
    pub code: String,
    /// The file, as it was sent.
    pub file: String,
    /// From 1; absent where the sources are not in the request.
    #[serde(default)]
    pub line: Option<u64>,
    /// In characters, from 1; absent where the sources are not in the request.
    #[serde(default)]
    pub column: Option<u64>,
    /// First byte of the place.
    pub start: u64,
    /// One past its last byte.
    pub end: u64,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default)]
    pub help: Option<String>,
    /// The offending token, where the standard names one.
    #[serde(default)]
    pub token: Option<String>,
}
