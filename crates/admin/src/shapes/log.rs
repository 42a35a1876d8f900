//! Log lines of runs: metadata, never data.

use serde::Deserialize;
use utoipa::ToSchema;

use super::Phase;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
pub struct LogLine {
    /// When, in microseconds since 1970-01-01T00:00:00Z. No two lines of a tenant have the same, so
    /// that it says where one has read to.
    pub at: i64,
    /// The environment.
    pub environment: String,
    /// What runs.
    pub orchestration: String,
    /// The run.
    pub run: String,
    /// What happened.
    #[serde(flatten)]
    pub event: LogEvent,
}

/// What happened in a run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum LogEvent {
    /// It was opened.
    RunOpened {
        /// The way in: `rest`, `manual`, …
        trigger: String,
        /// For whom.
        principal: String,
        /// Project version.
        version: u64,
    },
    /// A call of an account failed, or a stream that came out of it; the flow may have handled it.
    ConnectorError {
        /// What kind of failure.
        kind: String,
        /// Its code.
        code: String,
        /// The connector; absent where the account could not be opened.
        #[serde(default)]
        connector: Option<String>,
        /// The operation; absent where the account could not be opened.
        #[serde(default)]
        operation: Option<String>,
        /// The account.
        account: String,
        /// The task that called, or that took the stream.
        task: String,
        /// The endpoint's status, if it answered with one.
        #[serde(default)]
        status: Option<u16>,
    },
    /// A task failed and nothing handled it: the run ends.
    Failed {
        /// Last segment of the standard's error type.
        kind: String,
        /// Its code.
        code: String,
        /// The task; empty where the run failed before its first.
        task: String,
        /// The account, where the last call of the task failed.
        #[serde(default)]
        account: Option<String>,
        /// HTTP status it becomes.
        status: u16,
    },
    /// It ended.
    RunEnded {
        /// How.
        phase: Phase,
        /// How long it was open, in microseconds.
        took_us: u64,
        /// Cost units used.
        cost: u64,
    },
}
