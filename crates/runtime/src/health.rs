//! How this node is: whether it can do its work, and its counts.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use lockgate_telemetry::{Gauges, Telemetry};
use tokio::sync::Mutex;

use crate::Runtime;

/// An answer is good for this long, so that strangers cannot keep the disk busy by asking.
const KNOWN_FOR: Duration = Duration::from_secs(1);
/// A store that takes longer to write is as good as one that cannot.
const WRITE_MAX: Duration = Duration::from_secs(2);

/// What is known of this node.
#[derive(Default)]
pub(crate) struct Health {
    /// Whether the store could be written, and when that was tried last.
    writable: Mutex<Option<(Instant, bool)>>,
    /// Nobody looks after schedules, and somebody should.
    unscheduled: AtomicBool,
}

/// Why requests should not be sent to this node now. It names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReady {
    /// Nothing can be made durable, so nothing can be run or changed.
    Unwritable,
    /// The store did not give the definitions of so many tenants: they are denied everything here.
    Unread(usize),
    /// Nothing fires by itself: a defect ended the scheduler, and it is begun again.
    Unscheduled,
}

impl std::fmt::Display for NotReady {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unwritable => f.write_str("the store cannot be written"),
            Self::Unread(1) => f.write_str("the definitions of 1 tenant cannot be read"),
            Self::Unread(n) => write!(f, "the definitions of {n} tenants cannot be read"),
            Self::Unscheduled => f.write_str("schedules do not fire"),
        }
    }
}

impl Runtime {
    /// Why requests should not be sent here now, if they should not. A tenant whose definitions are
    /// there and make no sense is no reason: another node would deny it, too.
    pub async fn not_ready(&self) -> Option<NotReady> {
        if !self.is_able().await {
            return Some(NotReady::Unwritable);
        }
        match self.0.views.denied().unread {
            0 if self.0.health.unscheduled.load(Ordering::SeqCst) => Some(NotReady::Unscheduled),
            0 => None,
            n => Some(NotReady::Unread(n)),
        }
    }

    /// The scheduler tells whether it does its work.
    pub fn note_scheduling(&self, works: bool) {
        self.0.health.unscheduled.store(!works, Ordering::SeqCst);
    }

    /// Whether the store can be written now, and so anything can be run or changed. Asked once a
    /// second at most, however many want to know.
    async fn is_able(&self) -> bool {
        let mut known = self.0.health.writable.lock().await;
        if let Some((when, able)) = *known
            && when.elapsed() < KNOWN_FOR
        {
            return able;
        }
        let written = tokio::time::timeout(WRITE_MAX, self.0.store.writable()).await;
        let able = matches!(written, Ok(Ok(())));
        if !able && known.is_none_or(|(_, before)| before) {
            match written {
                Ok(Err(error)) => tracing::error!(%error, "the store cannot be written: not ready"),
                _ => tracing::error!("the store takes too long to write: not ready"),
            }
        }
        *known = Some((Instant::now(), able));
        able
    }

    /// What watches this process.
    pub fn telemetry(&self) -> &std::sync::Arc<Telemetry> {
        &self.0.telemetry
    }

    /// The page of counts, as Prometheus reads it.
    pub fn metrics(&self) -> String {
        let denied = self.0.views.denied();
        let gauges = Gauges {
            engine_waiting: self.0.engine.waiting(),
            accounts_open: self.0.connections.open(),
            tenants_denied: denied.unread.saturating_add(denied.damaged),
        };
        self.0.telemetry.metrics.page(gauges)
    }
}
