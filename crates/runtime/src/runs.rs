//! Looking at runs: metadata alone, for holders of `logs-view` in the environment.

use lockgate_access::Scope;
use lockgate_model::{
    Permission, RunId, RunRecord, Timestamp,
    id::{EnvironmentId, TargetName, TenantId},
    run::Phase,
};
use lockgate_store::{RUNS_DEFAULT, RUNS_MAX, RunQuery};

use crate::{Caller, Error, Runtime};

/// Which runs of an environment.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Of this orchestration or API.
    pub name: Option<TargetName>,
    /// In this phase.
    pub phase: Option<Phase>,
    /// Opened before this one.
    pub before: Option<RunId>,
    /// Opened at this time or later.
    pub since: Option<Timestamp>,
    /// At most so many.
    pub limit: u32,
}

/// The least id that a run of this time may have: ids begin with their milliseconds (RFC 9562 §5.7).
fn least_id(at: Timestamp) -> Option<RunId> {
    // 48 bits of time: what is later than any id has the last one.
    let ms = u64::try_from(at.ms()).unwrap_or_default().min((1 << 48) - 1);
    format!("{:08x}-{:04x}-7000-8000-000000000000", ms >> 16, ms & 0xffff).parse().ok()
}

impl Runtime {
    /// Runs of an environment, newest first.
    pub async fn runs(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        filter: RunFilter,
    ) -> Result<Vec<RunRecord>, Error> {
        self.may_read(caller, Permission::LogsView, Scope::Environment(environment.clone())).await?;
        self.found_runs(caller.tenant(), environment, filter).await
    }

    /// Runs of an environment, for whom they may be shown to.
    pub(crate) async fn found_runs(
        &self,
        tenant: &TenantId,
        environment: &EnvironmentId,
        filter: RunFilter,
    ) -> Result<Vec<RunRecord>, Error> {
        let query = RunQuery {
            environment: Some(environment.clone()),
            name: filter.name,
            phase: filter.phase,
            before: filter.before,
            since: filter.since.and_then(least_id),
            limit: filter.limit,
        };
        match filter.phase.filter(|phase| phase.is_open()) {
            Some(phase) => self.open_runs(tenant, phase, query).await,
            None => {
                let found = self.0.store.runs(tenant, query).await?;
                Ok(found.into_iter().map(|record| self.0.open.seen(record)).collect())
            }
        }
    }

    /// Open runs in a phase. Which of them wait is not on disk: they are looked through until there are enough.
    async fn open_runs(&self, tenant: &TenantId, phase: Phase, asked: RunQuery) -> Result<Vec<RunRecord>, Error> {
        let enough = if asked.limit == 0 { RUNS_DEFAULT } else { asked.limit } as usize;
        let mut query = RunQuery { phase: Some(Phase::Running), limit: RUNS_MAX, ..asked };
        let mut found = Vec::new();
        loop {
            let page = self.0.store.runs(tenant, query.clone()).await?;
            let Some(oldest) = page.last().map(|record| record.id) else { break };
            let seen = page.into_iter().map(|record| self.0.open.seen(record));
            found.extend(seen.filter(|record| record.phase == phase));
            if found.len() >= enough {
                break;
            }
            query.before = Some(oldest);
        }
        found.truncate(enough);
        Ok(found)
    }

    /// One run of an environment.
    pub async fn run(&self, caller: &Caller, environment: &EnvironmentId, run: RunId) -> Result<RunRecord, Error> {
        self.may_read(caller, Permission::LogsView, Scope::Environment(environment.clone())).await?;
        self.found_run(caller.tenant(), environment, run).await
    }

    pub(crate) async fn found_run(
        &self,
        tenant: &TenantId,
        environment: &EnvironmentId,
        run: RunId,
    ) -> Result<RunRecord, Error> {
        self.0
            .store
            .run(tenant, run)
            .await?
            .filter(|found| found.target.environment == *environment)
            .map(|record| self.0.open.seen(record))
            .ok_or_else(|| Error::not_found(format!("run `{run}` in `{environment}`")))
    }
}
