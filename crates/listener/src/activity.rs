//! What a connection is doing, so that one that does nothing, or never takes its reply, ends.
//!
//! HTTP/2 needs this: its pings keep a connection alive whose peer has no request in flight, and a
//! peer with a closed flow-control window answers them too.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The exchanges of one connection.
#[derive(Debug, Clone)]
pub(crate) struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    next: u64,
    /// Exchanges in flight; the time since when one replies.
    exchanges: BTreeMap<u64, Option<Instant>>,
    idle_since: Instant,
}

/// One exchange; dropped when its reply is sent or given up.
#[derive(Debug)]
pub(crate) struct Exchange {
    activity: Activity,
    number: u64,
}

/// How a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing to object to.
    Fine,
    /// No exchange for too long.
    Idle,
    /// A reply that the peer does not take.
    Stuck,
}

impl Activity {
    pub(crate) fn new(now: Instant) -> Self {
        Self(Arc::new(Mutex::new(State { next: 0, exchanges: BTreeMap::new(), idle_since: now })))
    }

    pub(crate) fn begin(&self) -> Exchange {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.exchanges.insert(number, None);
        drop(state);
        Exchange { activity: self.clone(), number }
    }

    pub(crate) fn standing(&self, now: Instant, idle_max: Duration, reply_max: Duration) -> Standing {
        let state = self.state();
        let longer = |since: Instant, max| now.saturating_duration_since(since) > max;
        if state.exchanges.is_empty() {
            return if longer(state.idle_since, idle_max) { Standing::Idle } else { Standing::Fine };
        }
        let stuck = state.exchanges.values().flatten().any(|since| longer(*since, reply_max));
        if stuck { Standing::Stuck } else { Standing::Fine }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchange {
    /// The reply is there and is being sent.
    pub(crate) fn replies(&self, now: Instant) {
        if let Some(since) = self.activity.state().exchanges.get_mut(&self.number) {
            *since = Some(now);
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        state.exchanges.remove(&self.number);
        state.idle_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(10);
    const REPLY: Duration = Duration::from_secs(30);

    #[test]
    fn a_running_request_is_neither_idle_nor_stuck() {
        let now = Instant::now();
        let activity = Activity::new(now);
        assert_eq!(activity.standing(now + IDLE, IDLE, REPLY), Standing::Fine);
        assert_eq!(activity.standing(now + IDLE * 2, IDLE, REPLY), Standing::Idle);
        let exchange = activity.begin();
        assert_eq!(activity.standing(now + REPLY * 9, IDLE, REPLY), Standing::Fine);
        exchange.replies(now);
        assert_eq!(activity.standing(now + REPLY, IDLE, REPLY), Standing::Fine);
        assert_eq!(activity.standing(now + REPLY * 2, IDLE, REPLY), Standing::Stuck);
        drop(exchange);
        assert_eq!(activity.standing(now + IDLE / 2, IDLE, REPLY), Standing::Fine);
    }
}
