//! Schedules: what is deployed with one, and what the scheduler asks for: the states, a step, a fire.
//!
//! A fire is an execute like any other, by the channel `schedule`, for the principal that the
//! deployment names: both gates are asked each time.
//!
//! Deliberately absent: waiting for a time (crate `scheduler`), and what people ask for ([`crate::control`]).

use std::{collections::BTreeMap, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use lockgate_document::Document;
use lockgate_model::{
    Channel, Kind, Limits, Schedule, TargetKind, Timestamp,
    audit::{Entry, Outcome},
    definition::{Deployment, Unreadable},
    id::{EnvironmentId, ProjectId, TargetName, TenantId, UserId},
    schedule::{ScheduleState, Step},
};
use lockgate_store::ScheduleKey;
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
    pub(crate) fn key(&self) -> ScheduleKey {
        ScheduleKey { environment: self.environment.clone(), name: self.name.clone() }
    }
    pub(crate) fn object(&self) -> String {
        format!("{}/{}/{}", self.environment, TargetKind::Integrations.as_str(), self.name)
    }
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

/// What a run is given that a schedule fires.
pub(crate) fn scheduled_input(occurrence: Timestamp) -> Result<Document, Error> {
    let input = serde_json::json!({"scheduled": occurrence.to_string()});
    Document::parse(input.to_string().as_bytes(), &Limits::default())
        .map_err(|_| Error::Internal { what: "making the input of a scheduled run".into() })
}

/// What an entry tells of occurrences that do not run.
pub(crate) fn skip_detail(why: &str, first: Timestamp, last: Timestamp, count: u32) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("why".to_owned(), why.to_owned()),
        ("first".to_owned(), first.to_string()),
        ("last".to_owned(), last.to_string()),
        ("count".to_owned(), count.to_string()),
    ])
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
        entry.detail = skip_detail(why, first, last, count);
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
            idempotency_key: Some(occurrence.0.to_string()),
            occurrence: Some(occurrence),
            ..Ask::new(planned.environment.as_str(), planned.name.as_str(), Channel::Schedule)
        };
        let input = async move { scheduled_input(occurrence) };
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

    pub(crate) async fn end_again(&self, planned: &Planned, at: Timestamp) {
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
    pub(crate) async fn end(&self, planned: &Planned, at: Timestamp) -> bool {
        self.schedule_step(planned, Step::End { at }, Vec::new()).await.is_ok()
    }
}
