//! The run record: metadata only, no free text, never application data.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Channel, Digest, Target, Timestamp,
    id::{AccountName, TenantId, UserId},
};

/// A text that nobody else makes: a UUID (RFC 9562 §5.4, version 4).
pub fn unique() -> String {
    Uuid::new_v4().to_string()
}

/// A run's id: UUID version 7 (RFC 9562 §5.7), so that ids sort by start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub Uuid);

impl RunId {
    /// Of what is evaluated without a run (RFC 9562 §5.9).
    pub const NONE: Self = Self(Uuid::nil());

    /// A new id for a run that starts now.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}
impl Default for RunId {
    fn default() -> Self {
        Self::new()
    }
}
impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl FromStr for RunId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// Where a run stands: the standard's status phases (CNCF Serverless Workflow DSL 1.0, "Status Phases") and two of our
/// own, denied and lost. Nothing suspends a run here, so none is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Opened, and its first step has not begun. Kept as running.
    Pending,
    /// Opened and not ended.
    Running,
    /// Nothing of it goes on but time: a wait, or the delay before a retry. Kept as running.
    Waiting,
    /// Ended with an output.
    Completed,
    /// Ended with an error.
    Faulted,
    /// Ended by a person or by shutdown.
    Cancelled,
    /// Never started: access said no.
    Denied,
    /// The process ended before the run did; found at the next start.
    Lost,
}

impl Phase {
    /// Whether the run has not ended.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Running | Self::Waiting)
    }
    /// Stable text form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Faulted => "faulted",
            Self::Cancelled => "cancelled",
            Self::Denied => "denied",
            Self::Lost => "lost",
        }
    }
}

/// What a run ended with, as far as it may be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunError {
    /// The standard's error type, last path segment (`communication`, `expression`, …), or a limit's code.
    pub kind: String,
    /// Stable code (`LG-…`, T2001, …).
    pub code: String,
    /// Task pointer, such as `/do/1/fetch`; it comes from the flow, not from data.
    pub task: String,
    /// HTTP status it becomes.
    pub status: u16,
}

/// Bytes that went through one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bytes {
    /// Bytes read from the endpoint.
    pub read: u64,
    /// Bytes written to it.
    pub written: u64,
    /// Calls made.
    pub calls: u32,
}

/// How long one task took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskTime {
    /// Task pointer.
    pub task: String,
    /// How often it was entered.
    pub entered: u32,
    /// Wall time in microseconds, all entries together.
    pub wall_us: u64,
    /// When it was entered first, in microseconds since the run began.
    #[serde(default)]
    pub first_us: u64,
    /// When it was left last, in microseconds since the run began.
    #[serde(default)]
    pub last_us: u64,
}

/// One execution, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its id.
    pub id: RunId,
    /// The tenant.
    pub tenant: TenantId,
    /// What ran, and where.
    pub target: Target,
    /// Project version that was active.
    pub version: u64,
    /// Digest of the module that ran; absent when access said no.
    pub module: Option<Digest>,
    /// The way in.
    pub trigger: Channel,
    /// Who.
    pub principal: UserId,
    /// The run that it starts again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarts: Option<RunId>,
    /// The occurrence of a schedule that its input is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<Timestamp>,
    /// The rule that decided.
    pub decision: String,
    /// When it was opened.
    pub started: Timestamp,
    /// When it ended.
    #[serde(default)]
    pub ended: Option<Timestamp>,
    /// Where it stands.
    pub phase: Phase,
    /// What it ended with.
    #[serde(default)]
    pub error: Option<RunError>,
    /// Cost units used.
    #[serde(default)]
    pub cost: u64,
    /// Bytes per account.
    #[serde(default)]
    pub bytes: BTreeMap<AccountName, Bytes>,
    /// Time per task.
    #[serde(default)]
    pub tasks: Vec<TaskTime>,
}

/// What closing a run adds to its record.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// When.
    pub ended: Timestamp,
    /// Completed, faulted or cancelled.
    pub phase: Phase,
    /// Why, if it did not complete.
    pub error: Option<RunError>,
    /// Cost units used.
    pub cost: u64,
    /// Bytes per account.
    pub bytes: BTreeMap<AccountName, Bytes>,
    /// Time per task.
    pub tasks: Vec<TaskTime>,
}
