//! Schedules: what is deployed with one, its verbs for people (list, pause, resume, run now), and what
//! the scheduler asks for: the states, a step, a fire.
//!
//! A fire is an execute like any other, by the channel `schedule`, for the principal that the
//! deployment names: both gates are asked each time. Running now needs `schedules-control` and runs as
//! that same principal; whoever asked learns how it ended, never what it gave.
//!
//! Deliberately absent: waiting for a time (crate `scheduler`).

use std::{collections::BTreeMap, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use lockgate_access::{Decision, Scope, decide};
use lockgate_document::Document;
use lockgate_model::{
    Channel, Kind, Limits, Permission, RunId, Schedule, TargetKind, Timestamp,
    audit::{Entry, Outcome},
    definition::{Deployment, Unreadable},
    id::{EnvironmentId, ProjectId, TargetName, TenantId, UserId},
    run::RunError,
    schedule::{Paused, ScheduleState, Stands, Step},
};
use lockgate_store::ScheduleKey;
use serde::Serialize;
use tokio::sync::broadcast;

use crate::{Ask, Caller, Error, Finished, Runtime, View};

/// Pauses before the end of a run is written again: the first, and the longest.
const AGAIN_MIN: Duration = Duration::from_millis(100);
const AGAIN_MAX: Duration = Duration::from_secs(5);

/// A schedule that is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Whose.
    pub tenant: TenantId,
    /// Where.
    pub environment: EnvironmentId,
    /// The orchestration.
    pub name: TargetName,
    /// The project it was deployed with.
    pub project: ProjectId,
    /// When it runs.
    pub schedule: Schedule,
    /// Since when.
    pub deployed_at: Timestamp,
    /// As whom.
    pub runs_as: UserId,
}

impl Planned {
    fn key(&self) -> ScheduleKey {
        ScheduleKey { environment: self.environment.clone(), name: self.name.clone() }
    }
    fn object(&self) -> String {
        format!("{}/{}/{}", self.environment, TargetKind::Integrations.as_str(), self.name)
    }
}

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

/// How a run by hand ended: what a run record tells, and nothing of its output.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RanNow {
    /// The run.
    pub run: RunId,
    /// What it ended with, if not well.
    pub error: Option<RunError>,
}

/// The schedules of a tenant's deployments.
pub(crate) fn planned(view: &View) -> Result<Vec<Planned>, Unreadable> {
    let mut all = Vec::new();
    for row in view.rows(Kind::Deployment, "") {
        let deployment: Deployment = row.read()?;
        let Some(environment) = row.id.split('/').next().and_then(|id| EnvironmentId::parse(id).ok()) else { continue };
        for (name, module) in &deployment.orchestrations {
            let Some(schedule) = &module.manifest.schedule else { continue };
            all.push(Planned {
                tenant: view.tenant.clone(),
                environment: environment.clone(),
                name: name.clone(),
                project: deployment.project.clone(),
                schedule: schedule.clone(),
                deployed_at: deployment.deployed_at,
                runs_as: deployment.runs_as().clone(),
            });
        }
    }
    Ok(all)
}

/// For people.
impl Runtime {
    /// The schedules of an environment.
    pub async fn schedules(&self, caller: &Caller, environment: &EnvironmentId) -> Result<Vec<ScheduleStatus>, Error> {
        let view = self.may_read(caller, Permission::SchedulesControl, Scope::Environment(environment.clone())).await?;
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
        let scope = Scope::Environment(environment.clone());
        let permission = Permission::SchedulesControl;
        let decision = decide(&view.snapshot, &caller.principal, permission, scope, Channel::Admin, self.now());
        if !decision.is_allowed() {
            return Err(self.refuse(&decision, caller).await);
        }
        let found = view.planned().iter().find(|p| p.environment == *environment && p.name == *name);
        let planned =
            found.cloned().ok_or_else(|| Error::not_found(format!("schedule `{name}` in `{environment}`")))?;
        Ok((planned, decision))
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

/// For the scheduler. None of it runs anything that access was not asked about.
impl Runtime {
    /// Tenants whose deployments or schedules changed. A receiver that lagged looks at all again.
    pub fn schedule_changes(&self) -> broadcast::Receiver<TenantId> {
        self.0.views.changes()
    }

    /// Every tenant with a deployed schedule.
    pub fn scheduled_tenants(&self) -> Vec<TenantId> {
        let has = |tenant: &TenantId| self.0.views.get(tenant).is_some_and(|view| !view.planned().is_empty());
        self.0.views.tenants().into_iter().filter(has).collect()
    }

    /// The deployed schedules of a tenant, each with its state.
    pub async fn planned(&self, tenant: &TenantId) -> Result<Vec<(Planned, ScheduleState)>, Error> {
        let Some(view) = self.0.views.get(tenant).filter(|view| !view.planned().is_empty()) else {
            return Ok(Vec::new());
        };
        let mut states: BTreeMap<_, _> = self.0.store.schedules(tenant).await?.into_iter().collect();
        let state = |planned: &Planned| (planned.clone(), states.remove(&planned.key()).unwrap_or_default());
        Ok(view.planned().iter().map(state).collect())
    }

    /// Takes a step, durably, together with the entries that tell of it; `None` when it is not
    /// possible any more.
    pub async fn schedule_step(
        &self,
        planned: &Planned,
        step: Step,
        entries: Vec<Entry>,
    ) -> Result<Option<ScheduleState>, Error> {
        let taken = self.0.store.schedule_step(&planned.tenant, &planned.key(), step, entries).await?;
        if taken.is_some() {
            self.0.views.tell(&planned.tenant);
        }
        Ok(taken)
    }

    /// What tells of occurrences that do not run, and why: `overlap`, `missed` or `lost`.
    pub fn skip_entry(&self, planned: &Planned, why: &str, first: Timestamp, last: Timestamp, count: u32) -> Entry {
        let mut entry = Entry::new(self.now(), "schedule-skip", Outcome::Done, planned.runs_as.as_str());
        entry.channel = Some(Channel::Schedule);
        entry.object = planned.object();
        entry.detail = BTreeMap::from([
            ("why".to_owned(), why.to_owned()),
            ("first".to_owned(), first.to_string()),
            ("last".to_owned(), last.to_string()),
            ("count".to_owned(), count.to_string()),
        ]);
        entry
    }

    /// Runs a claimed occurrence as the schedule's principal, with `{scheduled}` as input. The
    /// occurrence is what its idempotency keys are made of: made again, the run carries the same ones.
    /// For that its input must be the same, too, and holds no time but the occurrence's.
    pub async fn fire(&self, planned: &Planned, occurrence: Timestamp) -> Result<Finished, Error> {
        let view = self.view(&planned.tenant)?;
        let principal = view.credentials.run_as(&planned.runs_as);
        let caller = Caller { principal, source: String::new(), token: None };
        let ask = Ask {
            environment: planned.environment.to_string(),
            name: planned.name.to_string(),
            kind: TargetKind::Integrations,
            channel: Channel::Schedule,
            idempotency_key: Some(occurrence.0.to_string()),
            trace: None,
        };
        let input = serde_json::json!({"scheduled": occurrence.to_string()});
        let input = async move {
            Document::parse(input.to_string().as_bytes(), &Limits::default())
                .map_err(|_| Error::Internal { what: "making the input of a scheduled run".into() })
        };
        // A defect of ours ends this run alone, and its schedule goes on.
        AssertUnwindSafe(self.execute(&caller, ask, input))
            .catch_unwind()
            .await
            .unwrap_or(Err(Error::Internal { what: "a scheduled run".into() }))
    }

    /// The claimed run ended, however it did. Returns when that is durable: until then the schedule
    /// would be taken to run, and after a restart the run would be made again.
    pub async fn ended(&self, planned: &Planned) {
        let at = self.now();
        if !self.end(planned, at).await {
            self.end_again(planned, at).await;
        }
    }

    async fn end_again(&self, planned: &Planned, at: Timestamp) {
        let (tenant, name) = (&planned.tenant, &planned.name);
        tracing::error!(%tenant, %name, "the end of a scheduled run cannot be written; it is tried again");
        let mut pause = AGAIN_MIN;
        loop {
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(AGAIN_MAX);
            if self.end(planned, at).await {
                return tracing::info!(%tenant, %name, "the end of a scheduled run is written now");
            }
        }
    }

    /// Whether that is durable now.
    async fn end(&self, planned: &Planned, at: Timestamp) -> bool {
        self.schedule_step(planned, Step::End { at }, Vec::new()).await.is_ok()
    }
}
