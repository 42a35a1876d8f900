//! Cancel: an open run ends at once, for who holds `runs-control` in its environment.
//!
//! The audit entry that says who is durable before the run is told to end. Runs that it runs and waits
//! for end with it; one that it only started is a run of its own.

use std::time::{Duration, Instant};

use lockgate_access::{Decision, Scope, decide};
use lockgate_model::{
    Channel, Permission, RunId, RunRecord,
    audit::{Entry, Outcome},
    id::EnvironmentId,
    run::Phase,
};
use serde::Serialize;

use crate::{Caller, Error, Runtime};

/// A run that was told to end is waited for so long.
const END_MAX: Duration = Duration::from_secs(5);
/// Between two looks at its record.
const LOOK: Duration = Duration::from_millis(10);

/// A run that ended because somebody said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CancelledRun {
    /// Which.
    pub run: RunId,
    /// What its record says.
    pub phase: Phase,
}

impl Runtime {
    /// Ends an open run, and answers when its record says so. Refuses one that has ended, or that came
    /// to its own end in the meantime.
    pub async fn cancel_run(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        run: RunId,
    ) -> Result<CancelledRun, Error> {
        let (record, decision) = self.controlled_run(caller, environment, run).await?;
        let Some(control) = self.0.open.control(run).filter(|_| record.phase == Phase::Running) else {
            self.asked_in_vain(&decision, caller).await?;
            return Err(has_ended(run, self.phase_in_the_end(caller, &record).await?));
        };
        let mut entry = Entry::new(self.now(), "cancel", Outcome::Done, caller.principal.user.as_str());
        entry.channel = Some(decision.channel());
        entry.object = object(&record);
        entry.rule = decision.rule().to_owned();
        entry.revision = decision.revision().0;
        entry.run = Some(run);
        entry.source.clone_from(&caller.source);
        // Once it is told it is done, though whoever asked goes away.
        let (runtime, tenant) = (self.clone(), caller.tenant().clone());
        let work = tokio::spawn(async move { runtime.record(&tenant, entry).await.map(|()| control.cancel.cancel()) });
        work.await.map_err(|_| Error::Internal { what: "cancelling a run".into() })??;
        match self.phase_in_the_end(caller, &record).await? {
            phase @ Phase::Cancelled => Ok(CancelledRun { run, phase }),
            phase => Err(has_ended(run, phase)),
        }
    }

    /// A run of an environment, for who controls runs there. Asks first, then looks: who may not does not
    /// learn which there are.
    pub(crate) async fn controlled_run(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        run: RunId,
    ) -> Result<(RunRecord, Decision), Error> {
        let view = self.view(caller.tenant())?;
        let (permission, scope) = (Permission::RunsControl, Scope::Environment(environment.clone()));
        let decision = decide(&view.snapshot, &caller.principal, permission, scope, Channel::Admin, self.now());
        if !decision.is_allowed() {
            return Err(self.refuse(&decision, caller).await);
        }
        let found = self.0.store.run(caller.tenant(), run).await?;
        match found.filter(|found| found.target.environment == *environment) {
            Some(record) => Ok((record, decision)),
            None => {
                self.asked_in_vain(&decision, caller).await?;
                Err(Error::not_found(format!("run `{run}` in `{environment}`")))
            }
        }
    }

    /// Access said yes and nothing came of it: that it was asked is recorded all the same.
    pub(crate) async fn asked_in_vain(&self, decision: &Decision, caller: &Caller) -> Result<(), Error> {
        for mut entry in decision.entries(None) {
            entry.source.clone_from(&caller.source);
            self.record(caller.tenant(), entry).await?;
        }
        Ok(())
    }

    /// What a run that ends, or has ended, is recorded as. Its end is queued, so it is looked for.
    pub(crate) async fn phase_in_the_end(&self, caller: &Caller, record: &RunRecord) -> Result<Phase, Error> {
        let until = Instant::now() + END_MAX;
        let mut phase = record.phase;
        while phase == Phase::Running {
            if Instant::now() >= until {
                return Err(Error::Unavailable { what: "the end of the run".into() });
            }
            tokio::time::sleep(LOOK).await;
            let gone = || Error::not_found(format!("run `{}`", record.id));
            phase = self.0.store.run(caller.tenant(), record.id).await?.ok_or_else(gone)?.phase;
        }
        Ok(phase)
    }
}

fn has_ended(run: RunId, phase: Phase) -> Error {
    Error::Conflict { code: "LG-RUN-ENDED", message: format!("run `{run}` has ended: it is {}", phase.as_str()) }
}

/// The object of entries about a run: what ran.
fn object(record: &RunRecord) -> String {
    format!("{}/{}/{}", record.target.environment, record.target.kind.as_str(), record.target.name)
}
