//! What people ask of schedules: list, pause, resume, skip the next, run now.
//!
//! All but listing needs `schedules-control`. Running now runs as the principal that the deployment
//! names; whoever asked learns how it ended, never what it gave.

use std::collections::BTreeMap;

use lockgate_access::{Decision, Scope, decide};
use lockgate_model::{
    Channel, Permission, RunId, Timestamp,
    audit::{Entry, Outcome},
    id::{EnvironmentId, ProjectId, TargetName, UserId},
    run::RunError,
    schedule::{Paused, Stands, Step},
};
use serde::Serialize;

use crate::{Caller, Error, Planned, Runtime, View, schedule::skip_detail};

/// A schedule as people see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScheduleStatus {
    /// The orchestration.
    pub name: TargetName,
    /// The project it was deployed with.
    pub project: ProjectId,
    /// When it runs, in words: `cron 0 6 * * MON-FRI Europe/Berlin`, `every 60 s`, `after 60 s`.
    pub schedule: String,
    /// As whom it runs.
    pub runs_as: UserId,
    /// When it fires next; absent while it is paused and, for `after`, while its run goes on.
    pub next: Option<Timestamp>,
    /// The occurrence that ran last.
    pub last: Option<Timestamp>,
    /// Its run goes on.
    pub running: bool,
    /// Who paused it, and when.
    pub paused: Option<Paused>,
}

/// What was skipped by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SkippedNext {
    /// The occurrence that does not run.
    pub skipped: Timestamp,
    /// When it fires next.
    pub next: Option<Timestamp>,
}

/// How a run by hand ended: what a run record tells, and nothing of its output.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RanNow {
    /// The run.
    pub run: RunId,
    /// What it ended with, if not well.
    pub error: Option<RunError>,
}

impl Runtime {
    /// The schedules of an environment, for holders of `settings-view` and for who controls them.
    pub async fn schedules(&self, caller: &Caller, environment: &EnvironmentId) -> Result<Vec<ScheduleStatus>, Error> {
        let view = self.view(caller.tenant())?;
        if !self.controls(&view, caller, environment).is_allowed() {
            self.may_read(caller, Permission::SettingsView, Scope::Environment(environment.clone())).await?;
        }
        self.schedules_of(&view, environment).await
    }

    /// The schedules of an environment, for whom they may be shown to.
    pub(crate) async fn schedules_of(
        &self,
        view: &View,
        environment: &EnvironmentId,
    ) -> Result<Vec<ScheduleStatus>, Error> {
        let mut states: BTreeMap<_, _> = self.0.store.schedules(&view.tenant).await?.into_iter().collect();
        let here = view.planned().iter().filter(|planned| planned.environment == *environment);
        Ok(here
            .map(|planned| {
                let state = states.remove(&planned.key()).unwrap_or_default();
                ScheduleStatus {
                    name: planned.name.clone(),
                    project: planned.project.clone(),
                    schedule: planned.schedule.to_string(),
                    runs_as: planned.runs_as.clone(),
                    next: planned.schedule.due(planned.deployed_at, &state),
                    last: state.last.as_ref().map(|last| last.occurrence),
                    running: state.last.as_ref().is_some_and(|last| last.stands == Stands::Running),
                    paused: state.paused,
                }
            })
            .collect())
    }

    /// Nothing fires from now on; a run under way goes on. Pausing what is paused changes nothing.
    pub async fn pause_schedule(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        name: &TargetName,
    ) -> Result<(), Error> {
        let (planned, decision) = self.may_control(caller, environment, name).await?;
        let step = Step::Pause { by: caller.principal.user.clone(), at: self.now() };
        let entry = by_hand(caller, &planned, &decision, "schedule-pause", self.now());
        self.settled(&planned, step, entry).await
    }

    /// It fires again; what passed while it was paused is not made up for.
    pub async fn resume_schedule(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        name: &TargetName,
    ) -> Result<(), Error> {
        let (planned, decision) = self.may_control(caller, environment, name).await?;
        let entry = by_hand(caller, &planned, &decision, "schedule-resume", self.now());
        self.settled(&planned, Step::Resume { at: self.now() }, entry).await
    }

    /// Its next occurrence does not run; the one after that does.
    pub async fn skip_schedule(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        name: &TargetName,
    ) -> Result<SkippedNext, Error> {
        let (planned, decision) = self.may_control(caller, environment, name).await?;
        let state = self.0.store.schedules(&planned.tenant).await?;
        let state = state.into_iter().find(|(key, _)| *key == planned.key()).map(|(_, state)| state);
        let due = planned.schedule.due(planned.deployed_at, &state.unwrap_or_default());
        let nothing = |message| Error::Conflict { code: "LG-SCHEDULE-NOTHING-DUE", message };
        let skipped = due.ok_or_else(|| {
            nothing(format!(
                "nothing of `{name}` is due that could be skipped: it is paused, or waits for its run to end"
            ))
        })?;
        let mut entry = by_hand(caller, &planned, &decision, "schedule-skip", self.now());
        entry.detail = skip_detail("asked", skipped, skipped, 1);
        let step = Step::SkipNext { occurrence: skipped };
        let next = self.schedule_step(&planned, step, vec![entry]).await?.ok_or_else(|| {
            nothing(format!("what was due of `{name}` has run or was skipped in the meantime: look what is due now"))
        })?;
        Ok(SkippedNext { skipped, next: planned.schedule.due(planned.deployed_at, &next) })
    }

    /// Runs it now as its principal, paused or not, and waits for the run. It goes on if the caller
    /// goes away.
    pub async fn run_schedule(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        name: &TargetName,
    ) -> Result<RanNow, Error> {
        let (planned, decision) = self.may_control(caller, environment, name).await?;
        let occurrence = self.now();
        let entry = by_hand(caller, &planned, &decision, "schedule-run", occurrence);
        if self.schedule_step(&planned, Step::ByHand { occurrence }, vec![entry]).await?.is_none() {
            let message = format!("a run of `{name}` by its schedule is under way; wait for it to end");
            return Err(Error::Conflict { code: "LG-SCHEDULE-RUNNING", message });
        }
        let runtime = self.clone();
        let runs_as = planned.runs_as.clone();
        let work = tokio::spawn(async move {
            let finished = runtime.fire(&planned, occurrence).await;
            let at = runtime.now();
            if !runtime.end(&planned, at).await {
                // Who asked does not wait for a disk to have room.
                tokio::spawn(async move { runtime.end_again(&planned, at).await });
            }
            finished
        });
        match work.await.map_err(|_| Error::Internal { what: "running a schedule".into() })? {
            Ok(finished) => Ok(RanNow { run: finished.run, error: finished.result.err().map(|failure| failure.error) }),
            Err(error) if matches!(error.status(), 403 | 404) => {
                let message = format!("`{runs_as}`, as whom `{name}` runs, may not run it: see the audit log");
                Err(Error::Conflict { code: "LG-SCHEDULE-DENIED", message })
            }
            Err(error) => Err(error),
        }
    }

    /// Asks first, then looks: who may not control schedules does not learn which there are.
    async fn may_control(
        &self,
        caller: &Caller,
        environment: &EnvironmentId,
        name: &TargetName,
    ) -> Result<(Planned, Decision), Error> {
        let view = self.view(caller.tenant())?;
        let decision = self.controls(&view, caller, environment);
        if !decision.is_allowed() {
            return Err(self.refuse(&decision, caller).await);
        }
        let found = view.planned().iter().find(|p| p.environment == *environment && p.name == *name);
        let planned =
            found.cloned().ok_or_else(|| Error::not_found(format!("schedule `{name}` in `{environment}`")))?;
        Ok((planned, decision))
    }

    fn controls(&self, view: &View, caller: &Caller, environment: &EnvironmentId) -> Decision {
        let (permission, scope) = (Permission::SchedulesControl, Scope::Environment(environment.clone()));
        decide(&view.snapshot, &caller.principal, permission, scope, Channel::Admin, self.now())
    }

    /// Takes a step that may have been taken already; that it was asked is recorded in any case.
    async fn settled(&self, planned: &Planned, step: Step, entry: Entry) -> Result<(), Error> {
        if self.schedule_step(planned, step, vec![entry.clone()]).await?.is_none() {
            self.record(&planned.tenant, entry).await?;
        }
        Ok(())
    }
}

fn by_hand(caller: &Caller, planned: &Planned, decision: &Decision, event: &str, now: Timestamp) -> Entry {
    let mut entry = Entry::new(now, event, Outcome::Done, caller.principal.user.as_str());
    entry.channel = Some(Channel::Admin);
    entry.object = planned.object();
    entry.rule = decision.rule().to_owned();
    entry.revision = decision.revision().0;
    entry.source.clone_from(&caller.source);
    entry
}
