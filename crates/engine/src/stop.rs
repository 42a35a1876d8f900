//! Why a running step must end, set from outside and read by the step itself.

use std::{
    sync::atomic::{AtomicU8, Ordering},
    time::Instant,
};

use crate::CancelToken;

/// The wish that a run end, and when it ends by itself.
#[derive(Debug)]
pub(crate) struct Stop {
    wish: AtomicU8,
    deadline: Instant,
    cancel: CancelToken,
}

/// Why a run is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// Its wall time is over.
    Wall,
    /// Somebody cancelled it.
    Cancelled,
    /// Nobody waits for it any more.
    Abandoned,
}

const GO: u8 = 0;
const WALL: u8 = 1;
const CANCELLED: u8 = 2;
const ABANDONED: u8 = 3;

impl Stop {
    pub(crate) fn new(deadline: Instant, cancel: CancelToken) -> Self {
        Self { wish: AtomicU8::new(GO), deadline, cancel }
    }
    /// When the wall time ends.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }
    /// Ends the run.
    pub(crate) fn set(&self, why: Stopped) {
        let wish = match why {
            Stopped::Wall => WALL,
            Stopped::Cancelled => CANCELLED,
            Stopped::Abandoned => ABANDONED,
        };
        self.wish.store(wish, Ordering::Release);
    }
    /// Whether, and why, the run must end.
    pub(crate) fn reason(&self) -> Option<Stopped> {
        match self.wish.load(Ordering::Acquire) {
            WALL => Some(Stopped::Wall),
            CANCELLED => Some(Stopped::Cancelled),
            ABANDONED => Some(Stopped::Abandoned),
            _ if self.cancel.is_cancelled() => Some(Stopped::Cancelled),
            _ if Instant::now() >= self.deadline => Some(Stopped::Wall),
            _ => None,
        }
    }
    /// Resolves when there is a reason from outside to end.
    pub(crate) async fn reached(&self) -> Stopped {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Stopped::Cancelled,
            () = tokio::time::sleep_until(self.deadline.into()) => Stopped::Wall,
        }
    }
}
