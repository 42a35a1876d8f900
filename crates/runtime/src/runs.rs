//! Looking at runs: metadata alone, for holders of `logs-view` in the environment.

use lockgate_access::Scope;
use lockgate_model::{
    Permission, RunId, RunRecord,
    id::{EnvironmentId, TargetName},
    run::Phase,
};
use lockgate_store::RunQuery;

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
    /// At most so many.
    pub limit: u32,
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
        let query = RunQuery {
            environment: Some(environment.clone()),
            name: filter.name,
            phase: filter.phase,
            before: filter.before,
            limit: filter.limit,
        };
        Ok(self.0.store.runs(caller.tenant(), query).await?)
    }

    /// One run of an environment.
    pub async fn run(&self, caller: &Caller, environment: &EnvironmentId, run: RunId) -> Result<RunRecord, Error> {
        self.may_read(caller, Permission::LogsView, Scope::Environment(environment.clone())).await?;
        self.0
            .store
            .run(caller.tenant(), run)
            .await?
            .filter(|found| found.target.environment == *environment)
            .ok_or_else(|| Error::not_found(format!("run `{run}` in `{environment}`")))
    }
}
