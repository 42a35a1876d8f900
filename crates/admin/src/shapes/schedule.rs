//! Schedules.

use serde::Deserialize;
use utoipa::ToSchema;

use super::RunError;

/// A schedule of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The orchestration.
    pub name: String,
    /// The project it was deployed with.
    pub project: String,
    /// When it runs.
    #[schema(example = "cron 0 6 * * MON-FRI Europe/Berlin")]
    pub schedule: String,
    /// As whom it runs.
    pub runs_as: String,
    /// When it fires next, in microseconds since 1970-01-01T00:00:00Z; null while it is paused and, for
    /// `after`, while its run goes on.
    pub next: Option<i64>,
    /// The occurrence that ran last.
    pub last: Option<i64>,
    /// Its run goes on.
    pub running: bool,
    /// Set while it is paused.
    pub paused: Option<Paused>,
}

/// Who paused a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Paused {
    /// Who.
    pub by: String,
    /// When, in microseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
}

/// What was skipped by hand.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SkippedNext {
    /// The occurrence that does not run, in microseconds since 1970-01-01T00:00:00Z.
    pub skipped: i64,
    /// When it fires next.
    pub next: Option<i64>,
}

/// How a run by hand ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RanNow {
    /// The run's id.
    pub run: String,
    /// What it ended with; null if it ended well.
    pub error: Option<RunError>,
}

/// When an orchestration runs by itself, as a manifest has it: one of the members.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Timing {
    /// At the minutes an expression names.
    Cron {
        /// The expression.
        expression: String,
        /// The time zone.
        timezone: String,
    },
    /// At a fixed distance.
    Every {
        /// The distance in milliseconds.
        ms: i64,
    },
    /// Once at deployment, and then after the run before.
    After {
        /// The delay in milliseconds.
        ms: i64,
    },
}
