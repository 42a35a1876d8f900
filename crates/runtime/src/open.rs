//! Runs that are open on this node, and their end when the process has to end.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use dashmap::DashMap;
use lockgate_engine::CancelToken;
use lockgate_model::RunId;
use tokio::{sync::Notify, task::JoinSet};

use crate::Runtime;

/// A cancelled run is given this long to end.
const END_MAX: Duration = Duration::from_secs(5);

/// The open runs.
#[derive(Default)]
pub(crate) struct OpenRuns {
    cancels: DashMap<RunId, CancelToken>,
    count: AtomicUsize,
    fewer: Notify,
    /// Runs whose callers are gone, being closed in the store.
    closing: Mutex<JoinSet<()>>,
}

impl OpenRuns {
    /// A run is opened; `cancel` ends it.
    pub(crate) fn add(&self, run: RunId, cancel: CancelToken) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.cancels.insert(run, cancel);
    }

    /// A run is closed, or handed to [`OpenRuns::close_aside`].
    pub(crate) fn remove(&self, run: RunId) {
        if self.cancels.remove(&run).is_some() {
            self.count.fetch_sub(1, Ordering::SeqCst);
            self.fewer.notify_waiters();
        }
    }

    /// Closes a run on the side.
    pub(crate) fn close_aside(&self, closing: impl Future<Output = ()> + Send + 'static) {
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
    /// Cancels every run that is open: they end with 503, and are recorded as cancelled.
    pub fn cancel_all(&self) {
        self.0.open.cancels.iter().for_each(|open| open.value().cancel());
    }

    /// Cancels what is still open and waits until every run is closed in the store, or queued there:
    /// what a process does when it no longer serves.
    pub async fn finish(&self) {
        self.cancel_all();
        if tokio::time::timeout(END_MAX, self.0.open.none()).await.is_err() {
            tracing::error!("runs did not end when they were cancelled; the next start finds them lost");
        }
        let mut closing = std::mem::take(&mut *self.0.open.closing());
        while closing.join_next().await.is_some() {}
    }
}
