//! Runs: metadata, never data.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;

/// What kind of thing is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// An orchestration.
    Integrations,
    /// A REST API in front of one.
    RestApis,
    /// A SOAP API in front of one.
    SoapApis,
}

/// What was or is to be executed, and where.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The environment.
    pub environment: String,
    /// Its kind.
    pub kind: TargetKind,
    /// Its name.
    pub name: String,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Opened, and its first step has not begun.
    Pending,
    /// Opened and not ended.
    Running,
    /// Nothing of it goes on but time.
    Waiting,
    /// Ended with an output.
    Completed,
    /// Ended with an error.
    Faulted,
    /// Ended by a person or by shutdown.
    Cancelled,
    /// Never started: access said no.
    Denied,
    /// The process ended before the run did.
    Lost,
}

/// One execution, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Its id: a UUID of version 7.
    pub id: String,
    /// The tenant.
    pub tenant: String,
    /// What ran, and where.
    pub target: Target,
    /// Project version that was active.
    pub version: u64,
    /// Digest of the module that ran; absent when access said no.
    pub module: Option<String>,
    /// The way in: `rest`, `manual`, …
    pub trigger: String,
    /// Who.
    pub principal: String,
    /// The run that it starts again.
    pub restarts: Option<String>,
    /// The occurrence of a schedule that its input is made of.
    pub occurrence: Option<i64>,
    /// The rule that decided.
    pub decision: String,
    /// When it was opened, in microseconds since 1970-01-01T00:00:00Z.
    pub started: i64,
    /// When it ended.
    pub ended: Option<i64>,
    /// Where it stands.
    pub phase: Phase,
    /// What it ended with.
    pub error: Option<RunError>,
    /// Cost units used so far.
    pub cost: u64,
    /// Bytes by account.
    pub bytes: BTreeMap<String, Bytes>,
    /// Time by task.
    pub tasks: Vec<TaskTime>,
}

/// What starting a run again would run, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestartPlan {
    /// The run that is started again.
    pub run: String,
    /// What it ran.
    pub name: String,
    /// What kind of thing that is.
    pub kind: TargetKind,
    /// The version that run took.
    pub took: VersionOf,
    /// The version that is deployed now.
    pub takes: VersionOf,
    /// Who deployed that.
    pub deployed_by: String,
    /// The occurrence of a schedule that its input is made of; absent when it has to be given.
    pub occurrence: Option<i64>,
}

/// A version of what runs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionOf {
    /// Version of the project.
    pub version: u64,
    /// Digest of the module.
    pub module: Option<String>,
}

/// A run that ended because somebody said so.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelledRun {
    /// Which.
    pub run: String,
    /// What its record says.
    pub phase: Phase,
}

/// What a run ended with, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunError {
    /// Last segment of the standard's error type, or a limit's code.
    pub kind: String,
    /// Stable code.
    pub code: String,
    /// Task pointer.
    pub task: String,
    /// HTTP status it becomes.
    pub status: u16,
}

/// Bytes that went through one account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bytes {
    /// Bytes read from the endpoint.
    pub read: u64,
    /// Bytes written to it.
    pub written: u64,
    /// Calls made.
    pub calls: u32,
}

/// How long one task took.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskTime {
    /// Task pointer.
    pub task: String,
    /// How often it was entered.
    pub entered: u32,
    /// Wall time in microseconds, all entries together.
    pub wall_us: u64,
    /// When it was entered first, in microseconds since the run began.
    pub first_us: u64,
    /// When it was left last, in microseconds since the run began.
    pub last_us: u64,
}

/// Why a run that somebody waits for failed: RFC 9457 with two members more.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunProblem {
    /// The standard's error type, or the flow's own.
    #[serde(rename = "type")]
    pub kind: String,
    /// In words.
    pub title: String,
    /// What failed; it may quote data or a peer. A flow may raise an error without one.
    #[serde(default)]
    pub detail: Option<String>,
    /// The task that failed.
    pub instance: String,
    /// The reply's status.
    pub status: u16,
    /// Stable code.
    pub code: String,
    /// The expression at fault, where it is known.
    pub place: Option<RunPlace>,
}

/// Where an expression at fault stands in the sources.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunPlace {
    /// The file.
    pub file: String,
    /// The line that the expression begins on, from 1, where it is known.
    #[serde(default)]
    pub line: Option<u32>,
    /// First byte of the expression.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// Offset in characters within the expression.
    pub position: u32,
    /// The token at fault.
    pub token: Option<String>,
}
