//! The newest log lines of each tenant, in memory.
//!
//! A line is an event of a run with metadata alone. Lines are in nobody's file: they go when they
//! are displaced and when the process ends. A tenant that writes much displaces its own lines, and
//! among those the lines of the environment that has most.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use dashmap::DashMap;
use lockgate_model::{
    Channel, RunId, Timestamp,
    id::{AccountName, EnvironmentId, TargetName, TenantId, UserId},
    run::Phase,
};
use serde::Serialize;

/// Lines of one tenant.
pub const LINES_MAX: usize = 2_000;
/// Lines of all tenants together: with more tenants than it gives full rings for, each has its
/// share of it, but never less than [`LINES_MIN`].
pub const LINES_ALL_MAX: usize = 200_000;
/// Lines that a tenant has however many there are.
pub const LINES_MIN: usize = 100;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// When; no two lines of a tenant have the same, so that it tells where one has read to.
    pub at: Timestamp,
    /// The environment.
    pub environment: EnvironmentId,
    /// What runs.
    pub orchestration: TargetName,
    /// The run.
    pub run: RunId,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// It was opened.
    RunOpened {
        /// The way in.
        trigger: Channel,
        /// For whom.
        principal: UserId,
        /// Version of the project.
        version: u64,
    },
    /// A call of an account failed, or a stream that came out of it; the flow may have handled it.
    ConnectorError {
        /// What kind of failure.
        kind: &'static str,
        /// Its code.
        code: &'static str,
        /// The connector; absent where the account could not be opened.
        #[serde(skip_serializing_if = "Option::is_none")]
        connector: Option<&'static str>,
        /// The operation; absent where the account could not be opened.
        #[serde(skip_serializing_if = "Option::is_none")]
        operation: Option<&'static str>,
        /// The account.
        account: AccountName,
        /// The task that called, or that took the stream.
        task: String,
        /// The endpoint's status, if it answered with one.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
    },
    /// A task failed and nothing handled it: the run ends.
    Failed {
        /// The standard's error type, last segment.
        kind: String,
        /// Its code.
        code: String,
        /// The task; empty where the run failed before its first.
        task: String,
        /// The account, where the last call of the task failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        account: Option<AccountName>,
        /// The status it becomes.
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

/// Which lines of an environment.
#[derive(Debug, Clone, Default)]
pub struct LogQuery {
    /// Written after this one; absent for the newest.
    pub after: Option<Timestamp>,
    /// Of this run.
    pub run: Option<RunId>,
    /// At most so many.
    pub limit: usize,
}

/// The lines of all tenants.
#[derive(Debug, Default)]
pub struct Logs(DashMap<TenantId, Arc<Mutex<Ring>>>);

#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<Line>,
    by_environment: BTreeMap<EnvironmentId, usize>,
    last: Option<Timestamp>,
}

impl Logs {
    /// Adds a line; its time is moved on where another line has it.
    pub fn add(&self, tenant: &TenantId, line: Line) {
        let ring = self.ring(tenant);
        let lines_max = (LINES_ALL_MAX / self.0.len().max(1)).clamp(LINES_MIN, LINES_MAX);
        lock(&ring).add(line, lines_max);
    }

    /// Lines of an environment in the order they were written: the first ones after a place, or the
    /// newest.
    pub fn lines(&self, tenant: &TenantId, environment: &EnvironmentId, query: &LogQuery) -> Vec<Line> {
        let Some(ring) = self.0.get(tenant).map(|ring| ring.clone()) else { return Vec::new() };
        let ring = lock(&ring);
        let fits = |line: &&Line| line.environment == *environment && query.run.is_none_or(|run| run == line.run);
        if let Some(after) = query.after {
            let from = ring.lines.partition_point(|line| line.at <= after);
            return ring.lines.range(from..).filter(fits).take(query.limit).cloned().collect();
        }
        let mut newest: Vec<Line> = ring.lines.iter().rev().filter(fits).take(query.limit).cloned().collect();
        newest.reverse();
        newest
    }

    fn ring(&self, tenant: &TenantId) -> Arc<Mutex<Ring>> {
        if let Some(ring) = self.0.get(tenant) {
            return ring.clone();
        }
        self.0.entry(tenant.clone()).or_default().clone()
    }
}

fn lock(ring: &Mutex<Ring>) -> MutexGuard<'_, Ring> {
    ring.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ring {
    fn add(&mut self, mut line: Line, lines_max: usize) {
        while self.lines.len() >= lines_max {
            self.displace();
        }
        if let Some(Timestamp(last)) = self.last {
            line.at = line.at.max(Timestamp(last.saturating_add(1)));
        }
        self.last = Some(line.at);
        *self.by_environment.entry(line.environment.clone()).or_default() += 1;
        self.lines.push_back(line);
    }

    /// The oldest line of the environment that has most.
    fn displace(&mut self) {
        let most =
            self.by_environment.iter().max_by_key(|(_, lines)| **lines).map(|(environment, _)| environment.clone());
        let at = most.and_then(|most| self.lines.iter().position(|line| line.environment == most));
        let Some(gone) = self.lines.remove(at.unwrap_or(0)) else { return };
        if let Some(lines) = self.by_environment.get_mut(&gone.environment) {
            *lines -= 1;
            if *lines == 0 {
                self.by_environment.remove(&gone.environment);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::parse(name).unwrap()
    }
    fn environment(name: &str) -> EnvironmentId {
        EnvironmentId::parse(name).unwrap()
    }
    fn line(at: i64, place: &str, run: RunId) -> Line {
        let event = Event::RunEnded { phase: Phase::Completed, took_us: 1, cost: 2 };
        let orchestration = TargetName::parse("order").unwrap();
        Line { at: Timestamp(at), environment: environment(place), orchestration, run, event }
    }
    fn all(logs: &Logs, of: &str, place: &str) -> Vec<Line> {
        logs.lines(&tenant(of), &environment(place), &LogQuery { limit: usize::MAX, ..LogQuery::default() })
    }

    #[test]
    fn lines_of_another_tenant_or_environment_are_not_there() {
        let logs = Logs::default();
        let run = RunId::new();
        logs.add(&tenant("acme"), line(5, "live", run));
        assert_eq!(all(&logs, "acme", "live").len(), 1);
        for (of, place) in [("acme", "test"), ("other", "live")] {
            assert!(all(&logs, of, place).is_empty());
            let query = LogQuery { after: Some(Timestamp(0)), run: Some(run), limit: 9 };
            assert!(logs.lines(&tenant(of), &environment(place), &query).is_empty());
        }
    }

    #[test]
    fn the_ring_is_bounded_and_a_flood_displaces_its_own_environment() {
        let logs = Logs::default();
        let acme = tenant("acme");
        for at in 0..10 {
            logs.add(&acme, line(at, "live", RunId::new()));
        }
        for at in 0..(LINES_MAX as i64 * 2) {
            logs.add(&acme, line(at, "development", RunId::new()));
        }
        assert_eq!(all(&logs, "acme", "live").len(), 10);
        assert_eq!(all(&logs, "acme", "development").len(), LINES_MAX - 10);
        // With many tenants each has its share.
        for n in 0..LINES_ALL_MAX / LINES_MIN {
            logs.add(&tenant(&format!("t{n}")), line(0, "live", RunId::new()));
        }
        logs.add(&acme, line(0, "development", RunId::new()));
        let ring = logs.ring(&acme);
        assert_eq!(lock(&ring).lines.len(), LINES_MIN);
    }

    #[test]
    fn who_has_read_to_a_line_gets_those_after_it() {
        let logs = Logs::default();
        let (acme, live) = (tenant("acme"), environment("live"));
        let runs: Vec<RunId> = (0..4).map(|_| RunId::new()).collect();
        for run in &runs {
            // The clock stands still.
            logs.add(&acme, line(7, "live", *run));
        }
        let page = |after, run, limit| logs.lines(&acme, &live, &LogQuery { after, run, limit });
        let newest = page(None, None, 2);
        assert_eq!(newest.iter().map(|l| l.run).collect::<Vec<_>>(), runs[2..]);
        let first = page(Some(Timestamp(0)), None, 2);
        assert_eq!(first.iter().map(|l| l.run).collect::<Vec<_>>(), runs[..2]);
        let next = page(Some(first[1].at), None, 9);
        assert_eq!(next.iter().map(|l| l.run).collect::<Vec<_>>(), runs[2..]);
        assert_eq!(page(None, Some(runs[1]), 9).len(), 1);
    }
}
