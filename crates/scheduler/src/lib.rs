//! Schedules fire: what is due is claimed, run as the deployment's principal, and told when it is
//! skipped. A single node.
//!
//! [`Scheduler::turn`] does what is due at the runtime's `now` and says when it is needed again;
//! [`Scheduler::run`] calls it in time until it is stopped, and [`keep_running`] begins anew what ended
//! by a defect. What to do about one schedule is decided
//! in `plan`, from the deployment and the stored state alone, so that a restart neither loses an
//! occurrence nor makes it twice:
//! - An occurrence is claimed durably before it runs. Of those that were missed, the latest runs.
//! - A run whose process ended before it did is made again once, with the same idempotency keys.
//! - While a run of a schedule goes on, its occurrences are skipped. Each skip is in the audit log.
//!
//! Deliberately absent: expressions and calendars (crate `model`), decisions (each fire asks `access`,
//! through `runtime`), storage, and several nodes: one process fires.

mod keep;
mod plan;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    panic::AssertUnwindSafe,
    time::Duration,
};

use futures_util::{FutureExt, future::join_all};
use lockgate_model::{Timestamp, audit::Entry, id::TenantId, schedule::Step};
use lockgate_runtime::{Error, Planned, Runtime};
use tokio::{
    sync::broadcast::{self, error::TryRecvError},
    task::JoinSet,
};

pub use keep::keep_running;
use plan::{Deed, Skipped, plan};

/// The clock is looked at again after so long at most: it may have been set.
const LOOK_MS_MAX: i64 = 30_000;
/// A tenant whose schedules cannot be read is looked at again after so long.
const RETRY_MS: i64 = 1_000;
/// A tenant whose schedules met a defect of ours is looked at again after so long.
const DEFECT_MS: i64 = 30_000;
/// Pauses before a fire that found no free worker is tried again, in milliseconds.
const BUSY_MS: [u64; 4] = [500, 2_000, 8_000, 30_000];

/// Fires the schedules of all tenants of a runtime.
pub struct Scheduler {
    runtime: Runtime,
    changes: broadcast::Receiver<TenantId>,
    /// Tenants that have to be looked at, whatever the time.
    changed: BTreeSet<TenantId>,
    /// When each other tenant has to be looked at.
    next: BTreeMap<TenantId, Timestamp>,
    /// The clock's time when it was looked at last.
    seen: Timestamp,
    runs: JoinSet<()>,
}

/// How a scheduler ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Runs that went on when the grace was over: they are cancelled, and made again at the next start.
    pub interrupted: usize,
}

impl Scheduler {
    /// A scheduler that has to look at every tenant.
    pub fn new(runtime: Runtime) -> Self {
        let changes = runtime.schedule_changes();
        let changed = runtime.scheduled_tenants().into_iter().collect();
        let seen = runtime.now();
        Self { runtime, changes, changed, next: BTreeMap::new(), seen, runs: JoinSet::new() }
    }

    /// Fires in time until `stop` is there; then nothing fires any more, and runs under way have `grace`
    /// to end.
    pub async fn run(mut self, stop: impl Future<Output = ()>, grace: Duration) -> Ended {
        let mut stop = std::pin::pin!(stop);
        loop {
            // Not broken off by `stop`: what was claimed is fired.
            let next = self.turn().await;
            self.runtime.note_scheduling(true);
            let now = self.runtime.now();
            let ms = next.map_or(LOOK_MS_MAX, |next| (next.0.saturating_sub(now.0) / 1_000).saturating_add(1));
            let wait = Duration::from_millis(u64::try_from(ms.clamp(0, LOOK_MS_MAX)).unwrap_or_default());
            tokio::select! {
                biased;
                () = &mut stop => break,
                told = self.changes.recv() => self.note(told.map_err(|error| match error {
                    broadcast::error::RecvError::Lagged(_) => TryRecvError::Lagged(0),
                    broadcast::error::RecvError::Closed => TryRecvError::Closed,
                })),
                Some(_) = self.runs.join_next() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        let _ = tokio::time::timeout(grace, self.settled()).await;
        let interrupted = self.runs.len();
        if interrupted > 0 {
            tracing::warn!(runs = interrupted, "scheduled runs are cancelled; the next start makes them again");
        }
        self.runs.shutdown().await;
        Ended { interrupted }
    }

    /// Waits for the runs under way.
    pub async fn settled(&mut self) {
        while self.runs.join_next().await.is_some() {}
    }

    /// Does what is due now; returns when the next occurrence is, as far as it is known.
    pub async fn turn(&mut self) -> Option<Timestamp> {
        loop {
            loop {
                match self.changes.try_recv() {
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                    told => self.note(told),
                }
            }
            let now = self.runtime.now();
            if now < std::mem::replace(&mut self.seen, now) {
                // The clock was set back: what was to wait for may be far away now.
                self.changed.extend(self.next.keys().cloned());
            }
            let due = self.next.iter().filter(|(_, at)| **at <= now).map(|(tenant, _)| tenant.clone());
            let mut look: BTreeSet<TenantId> = due.collect();
            look.append(&mut self.changed);
            if look.is_empty() {
                return self.next.values().min().copied();
            }
            // Together, so that the claims of one moment are one write.
            let looks = look.into_iter().map(|tenant| look_at_apart(&self.runtime, tenant, now));
            for (tenant, looked) in join_all(looks).await {
                match looked.next {
                    Some(next) => self.next.insert(tenant, next),
                    None => self.next.remove(&tenant),
                };
                for (planned, occurrence) in looked.fires {
                    self.runs.spawn(carry_out(self.runtime.clone(), planned, occurrence));
                }
            }
        }
    }

    fn note(&mut self, told: Result<TenantId, TryRecvError>) {
        match told {
            Ok(tenant) => drop(self.changed.insert(tenant)),
            // Too much at once to be told of each.
            Err(TryRecvError::Lagged(_)) => {
                self.changed.extend(self.runtime.scheduled_tenants());
                self.changed.extend(self.next.keys().cloned());
            }
            Err(TryRecvError::Empty | TryRecvError::Closed) => {}
        }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        // A defect of the scheduler is none of the runs: they go on, and tell of their ends.
        if std::thread::panicking() {
            self.runs.detach_all();
        }
    }
}

/// What came of looking at a tenant.
#[derive(Default)]
struct Looked {
    /// When to look again.
    next: Option<Timestamp>,
    /// Occurrences that were claimed.
    fires: Vec<(Planned, Timestamp)>,
}

/// A defect that the schedules of one tenant meet is not the others'.
async fn look_at_apart(runtime: &Runtime, tenant: TenantId, now: Timestamp) -> (TenantId, Looked) {
    match AssertUnwindSafe(look_at(runtime, tenant.clone(), now)).catch_unwind().await {
        Ok(looked) => looked,
        Err(_) => {
            tracing::error!(%tenant, "a defect keeps the schedules of a tenant from firing; they are tried again");
            (tenant, Looked { next: Some(now.plus_ms(DEFECT_MS)), fires: Vec::new() })
        }
    }
}

/// Plans each schedule of a tenant and takes the steps that are due.
async fn look_at(runtime: &Runtime, tenant: TenantId, now: Timestamp) -> (TenantId, Looked) {
    let planned = match runtime.planned(&tenant).await {
        Ok(planned) => planned,
        Err(error) => {
            tracing::error!(%tenant, %error, "the schedules of a tenant cannot be read");
            return (tenant, Looked { next: Some(now.plus_ms(RETRY_MS)), fires: Vec::new() });
        }
    };
    let deeds = planned.into_iter().map(|(planned, state)| {
        let deed = plan(&planned, &state, now);
        async move { do_it(runtime, planned, deed).await }
    });
    let mut looked = Looked::default();
    for done in join_all(deeds).await {
        match done {
            Done::Again(at) => looked.next = looked.next.into_iter().chain(at).min(),
            Done::Fire(planned, occurrence) => looked.fires.push((*planned, occurrence)),
            Done::Failed => {
                looked.next = Some(looked.next.map_or(now.plus_ms(RETRY_MS), |at| at.min(now.plus_ms(RETRY_MS))))
            }
        }
    }
    (tenant, looked)
}

enum Done {
    /// Nothing, before that time.
    Again(Option<Timestamp>),
    /// This is to run.
    Fire(Box<Planned>, Timestamp),
    /// The store does not answer.
    Failed,
}

/// A step that was taken changes the state, so that the tenant is looked at again at once.
async fn do_it(runtime: &Runtime, planned: Planned, deed: Deed) -> Done {
    let (step, fire, skipped) = match deed {
        Deed::Wait(until) => return Done::Again(until),
        Deed::Fire { occurrence, missed } => (Step::Claim { occurrence }, Some(occurrence), missed),
        Deed::Repeat { occurrence } => (Step::Repeat, Some(occurrence), None),
        Deed::Skip(skipped) => (Step::Skip { through: skipped.last }, None, Some(skipped)),
        Deed::GiveUp(skipped) => (Step::GiveUp { at: runtime.now() }, None, Some(skipped)),
        Deed::SetBack => {
            let (tenant, environment, name) = (&planned.tenant, &planned.environment, &planned.name);
            tracing::warn!(%tenant, %environment, %name, "the clock was far ahead when this schedule ran last: it counts from now");
            (Step::SetBack { at: runtime.now() }, None, None)
        }
    };
    let entries = skipped.map(|skipped| entry(runtime, &planned, skipped)).into_iter().collect();
    match runtime.schedule_step(&planned, step, entries).await {
        // Not possible any more: somebody else was faster, and told of it.
        Ok(None) => Done::Again(None),
        Ok(Some(_)) => fire.map_or(Done::Again(None), |occurrence| Done::Fire(Box::new(planned), occurrence)),
        Err(error) => {
            let (tenant, name) = (&planned.tenant, &planned.name);
            tracing::error!(%tenant, %name, %error, "an occurrence cannot be claimed; it is tried again");
            Done::Failed
        }
    }
}

fn entry(runtime: &Runtime, planned: &Planned, skipped: Skipped) -> Entry {
    runtime.skip_entry(planned, skipped.why, skipped.first, skipped.last, skipped.count)
}

/// Runs a claimed occurrence. What it ends with is in its run record, a refusal in the audit log.
async fn carry_out(runtime: Runtime, planned: Planned, occurrence: Timestamp) {
    let mut pauses = BUSY_MS.into_iter();
    let finished = loop {
        match runtime.fire(&planned, occurrence).await {
            Err(Error::Unavailable { .. }) if let Some(ms) = pauses.next() => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
            finished => break finished,
        }
    };
    if let Err(error) = finished {
        let (tenant, environment, name) = (&planned.tenant, &planned.environment, &planned.name);
        tracing::warn!(%tenant, %environment, %name, %occurrence, code = error.code(), "a scheduled run did not come about");
    }
    runtime.ended(&planned).await;
}
