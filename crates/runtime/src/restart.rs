//! Restart: what a run ran, once more, by whoever asks now and with the version that is deployed now.
//!
//! It needs `runs-control` and the right to execute. No input is kept of any run: it is given again, or it
//! is made of the occurrence of a schedule, as it was the first time. The new run is a new occurrence for
//! endpoints: its idempotency keys are its own.

use lockgate_access::{Decision, decide_execute};
use lockgate_document::Document;
use lockgate_model::{
    Channel, Digest, RunId, TargetKind, Timestamp, TraceContext,
    id::{EnvironmentId, TargetName, UserId},
};
use serde::Serialize;

use crate::{Ask, Caller, Error, Finished, Runtime, schedule::scheduled_input};

/// What a restart would run, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestartPlan {
    /// The run that is started again.
    pub run: RunId,
    /// What it ran.
    pub name: TargetName,
    /// What kind of thing that is.
    pub kind: TargetKind,
    /// The version that run took.
    pub took: VersionOf,
    /// The version that is deployed now.
    pub takes: VersionOf,
    /// Who deployed that.
    pub deployed_by: UserId,
    /// The occurrence of a schedule that its input is made of; absent when it has to be given.
    pub occurrence: Option<Timestamp>,
}

/// A version of what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct VersionOf {
    /// Version of the project.
    pub version: u64,
    /// Digest of the module.
    pub module: Option<Digest>,
}

impl Runtime {
    /// What a restart would run. Whoever may not restart it is refused, and so is one that is open.
    pub async fn restart_plan(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        run: RunId,
    ) -> Result<RestartPlan, Error> {
        Ok(self.plan_restart(caller, environment, run).await?.0)
    }

    /// Starts a run again and waits for it. `input` is read only after access has said yes.
    pub async fn restart_run(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        run: RunId,
        trace: Option<TraceContext>,
        input: Option<impl Future<Output = Result<Document, Error>> + Send>,
    ) -> Result<Finished, Error> {
        let (plan, control) = self.plan_restart(caller, environment, run).await?;
        // What is given is no occurrence's.
        let occurrence = plan.occurrence.filter(|_| input.is_none());
        if input.is_none() && occurrence.is_none() {
            self.asked_in_vain(&control, caller).await?;
            let text = format!("nothing is kept of what run `{run}` was given: give its input again (`--input FILE`)");
            return Err(Error::invalid("LG-RESTART-INPUT", text));
        }
        let ask = Ask {
            environment: environment.to_string(),
            name: plan.name.to_string(),
            kind: plan.kind,
            channel: Channel::Restart,
            idempotency_key: None,
            trace,
            occurrence,
            restarts: Some(run),
        };
        let input = async move {
            match (input, occurrence) {
                (Some(given), _) => given.await,
                (None, Some(occurrence)) => scheduled_input(occurrence),
                (None, None) => Ok(Document::undefined()),
            }
        };
        self.execute(caller, ask, input).await
    }

    async fn plan_restart(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        run: RunId,
    ) -> Result<(RestartPlan, Decision), Error> {
        let (record, control) = self.controlled_run(caller, environment, run).await?;
        let view = self.view(caller.tenant())?;
        let target = record.target.clone();
        let decision = decide_execute(&view.snapshot, &caller.principal, target, Channel::Restart, self.now());
        let decision = decision.of_restart(run);
        if !decision.is_allowed() {
            return Err(self.refuse(&decision, caller).await);
        }
        if self.0.open.control(run).is_some() {
            self.asked_in_vain(&control, caller).await?;
            let message = format!("run `{run}` is open: wait for its end, or cancel it first");
            return Err(Error::Conflict { code: "LG-RUN-OPEN", message });
        }
        // Its end may be on its way into the store.
        self.phase_in_the_end(caller, &record).await?;
        let internal = || Error::Internal { what: "restarting a run".into() };
        let (deployment, module) = view.deployed(environment, &record.target.name).ok_or_else(internal)?;
        let plan = RestartPlan {
            run,
            took: VersionOf { version: record.version, module: record.module },
            takes: VersionOf { version: deployment.version, module: Some(module.module) },
            deployed_by: deployment.publisher.clone(),
            occurrence: record.occurrence,
            kind: record.target.kind,
            name: record.target.name,
        };
        Ok((plan, control))
    }
}
