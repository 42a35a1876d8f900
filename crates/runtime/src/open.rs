//! Runs that are open on this node, and their end when the process has to end.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use dashmap::DashMap;
use lockgate_engine::{Control, Reading};
use lockgate_model::{RunId, RunRecord, run::Phase};
use tokio::{sync::Notify, task::JoinSet};

use crate::Runtime;

/// A cancelled run is given this long to end.
const END_MAX: Duration = Duration::from_secs(5);

/// The open runs.
#[derive(Default)]
pub(crate) struct OpenRuns {
    runs: DashMap<RunId, Open>,
    count: AtomicUsize,
    fewer: Notify,
    /// Runs whose callers are gone, being closed in the store.
    closing: Mutex<JoinSet<()>>,
}

struct Open {
    control: Control,
    waited_for: bool,
}

impl OpenRuns {
    /// A run is opened; `control` ends it and shows how far it is.
    pub(crate) fn add(&self, run: RunId, control: Control, waited_for: bool) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.runs.insert(run, Open { control, waited_for });
    }

    /// The hold on a run; `None` if it is not open here.
    pub(crate) fn control(&self, run: RunId) -> Option<Control> {
        self.runs.get(&run).map(|open| open.control.clone())
    }

    /// The record of a run with how far it is now, where it is open here. On disk it is running until it ends.
    pub(crate) fn seen(&self, record: RunRecord) -> RunRecord {
        let open = self.control(record.id).filter(|_| record.phase == Phase::Running);
        let Some(control) = open else { return record };
        let Reading { phase, cost, tasks, bytes } = control.gauge.read();
        RunRecord { phase, cost, tasks, bytes, ..record }
    }

    /// A run is closed, or handed to [`OpenRuns::aside`].
    pub(crate) fn remove(&self, run: RunId) {
        if self.runs.remove(&run).is_some() {
            self.count.fetch_sub(1, Ordering::SeqCst);
            self.fewer.notify_waiters();
        }
    }

    /// Brings something to its end that nobody waits for: closing a run, or one that goes on by itself.
    pub(crate) fn aside(&self, closing: impl Future<Output = ()> + Send + 'static) {
        // Without a runtime the process is ending, and the next start finds the run lost.
        let Ok(handle) = tokio::runtime::Handle::try_current() else { return };
        let mut all = self.closing();
        while all.try_join_next().is_some() {}
        all.spawn_on(closing, &handle);
    }

    async fn none(&self) {
        loop {
            let mut fewer = std::pin::pin!(self.fewer.notified());
            fewer.as_mut().enable();
            if self.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            fewer.await;
        }
    }

    fn closing(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.closing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runtime {
    /// Cancels the open runs that a caller waits for: they end with 503, and are recorded as
    /// cancelled. What fires by itself is left to who fires it, who makes it again.
    pub fn cancel_waited_for(&self) {
        self.0.open.runs.iter().filter(|open| open.waited_for).for_each(|open| open.control.cancel.cancel());
    }

    /// Cancels what is still open and waits until every run is closed in the store, or queued there:
    /// what a process does when it no longer serves.
    pub async fn finish(&self) {
        self.0.open.runs.iter().for_each(|open| open.control.cancel.cancel());
        if tokio::time::timeout(END_MAX, self.0.open.none()).await.is_err() {
            tracing::error!("runs did not end when they were cancelled; the next start finds them lost");
        }
        let mut closing = std::mem::take(&mut *self.0.open.closing());
        while closing.join_next().await.is_some() {}
    }
}
