//! What the strands of a run wait for: calls and times, of which the first to come is next.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::{
    FutureExt, StreamExt,
    future::{AbortHandle, Abortable, BoxFuture},
    stream::FuturesUnordered,
};

use lockgate_connector_api::Error;
use lockgate_document::Document;
use lockgate_model::Timestamp;

use crate::{
    Waits,
    flight::Pull,
    host::Host,
    later::Later,
    reach::Answered,
    stop::{Stop, Stopped},
    strand::StrandId,
    streams::{Pulled, Source},
};

/// Something that a strand waited for.
pub(crate) struct Came {
    pub(crate) strand: StrandId,
    pub(crate) ticket: u64,
    pub(crate) event: Event,
}

/// What came.
pub(crate) enum Event {
    /// A call has ended.
    Answered(Box<Answered>),
    /// Records of a stream that a loop goes over.
    Records(Box<Next>),
    /// Records on their way into a call that goes on.
    Pulled(Box<Pulled>),
    /// The time has passed.
    Passed { pc: u32 },
    /// The time limit of an entry point is over.
    TimedOut { pc: u32 },
}

/// The next records of a stream that a loop goes over.
pub(crate) struct Next {
    pub(crate) pull: Pull,
    pub(crate) source: Source,
    pub(crate) records: Result<Option<Document>, Error>,
}

/// Why nothing came.
pub(crate) enum Nothing {
    /// The run must end.
    Stopped(Stopped),
    /// There is nothing to wait for.
    Idle,
}

/// Everything that a run waits for.
pub(crate) struct Pending {
    waits: Waits,
    running: FuturesUnordered<Abortable<BoxFuture<'static, Came>>>,
    /// How to end those, by ticket.
    aborts: BTreeMap<u64, AbortHandle>,
    /// How to end what brings records to calls, by the ticket of the call.
    pulls: BTreeMap<u64, AbortHandle>,
    /// Which of them are calls.
    calls: BTreeSet<u64>,
    /// Times, where they do not really pass.
    later: Later<Came>,
    /// When nobody waits for the run any more, where time does not really pass.
    until: Option<i64>,
}

impl Pending {
    pub(crate) fn new(waits: Waits, until: Option<Timestamp>) -> Self {
        let until = until.map(Timestamp::ms).filter(|_| waits == Waits::Virtual);
        Self {
            waits,
            running: FuturesUnordered::new(),
            aborts: BTreeMap::new(),
            pulls: BTreeMap::new(),
            calls: BTreeSet::new(),
            later: Later::new(),
            until,
        }
    }

    /// Waits for something, at most until a limit.
    pub(crate) fn wait_for(
        &mut self,
        host: &Host,
        (strand, ticket): (StrandId, u64),
        what: Awaited,
        limit: Option<(u64, u32)>,
    ) {
        let came = move |event| Came { strand, ticket, event };
        let until = |ms: u64| host.now_ms().saturating_add_unsigned(ms);
        if matches!(what, Awaited::Call(_) | Awaited::Records(_)) {
            self.calls.insert(ticket);
        }
        let awaited: BoxFuture<'static, Event> = match (self.waits, what) {
            (_, Awaited::Call(call)) => call.map(|answered| Event::Answered(Box::new(answered))).boxed(),
            (_, Awaited::Records(next)) => next.map(|next| Event::Records(Box::new(next))).boxed(),
            (Waits::Virtual, Awaited::Time { ms, pc }) => {
                self.later.add(until(ms), ticket, came(Event::Passed { pc }));
                return self.limit(until, (strand, ticket), limit);
            }
            (Waits::Real, Awaited::Time { ms, pc }) => sleep(ms).map(move |()| Event::Passed { pc }).boxed(),
            (Waits::Virtual, Awaited::Nothing) => return self.limit(until, (strand, ticket), limit),
            (Waits::Real, Awaited::Nothing) => std::future::pending().boxed(),
        };
        let awaited = match limit {
            Some((ms, pc)) if self.waits == Waits::Real => async move {
                tokio::select! {
                    biased;
                    event = awaited => event,
                    () = sleep(ms) => Event::TimedOut { pc },
                }
            }
            .boxed(),
            limit => {
                self.limit(until, (strand, ticket), limit);
                awaited
            }
        };
        let (abort, registration) = AbortHandle::new_pair();
        // A call that begins after it had to wait takes the place of that.
        if let Some(before) = self.aborts.insert(ticket, abort) {
            before.abort();
        }
        self.running.push(Abortable::new(awaited.map(came).boxed(), registration));
    }

    /// Waits for records on their way into the call that this ticket waits for.
    pub(crate) fn pull(&mut self, (strand, ticket): (StrandId, u64), pulled: BoxFuture<'static, Pulled>) {
        let (abort, registration) = AbortHandle::new_pair();
        self.pulls.insert(ticket, abort);
        let came = pulled.map(move |pulled| Came { strand, ticket, event: Event::Pulled(Box::new(pulled)) });
        self.running.push(Abortable::new(came.boxed(), registration));
    }

    fn limit(&mut self, until: impl Fn(u64) -> i64, (strand, ticket): (StrandId, u64), limit: Option<(u64, u32)>) {
        if let Some((ms, pc)) = limit {
            self.later.add(until(ms), ticket, Came { strand, ticket, event: Event::TimedOut { pc } });
        }
    }

    /// Whether nothing is under way but time.
    pub(crate) fn is_time_alone(&self) -> bool {
        self.calls.is_empty()
    }

    /// Nothing waits for this any more.
    pub(crate) fn forget(&mut self, ticket: u64) {
        self.calls.remove(&ticket);
        for abort in [self.aborts.remove(&ticket), self.pulls.remove(&ticket)].into_iter().flatten() {
            abort.abort();
        }
        if self.waits == Waits::Virtual {
            self.later.forget(ticket);
        }
    }

    /// The next that comes.
    pub(crate) async fn next(&mut self, host: &mut Host, stop: &Stop) -> Result<Came, Nothing> {
        while !self.running.is_empty() {
            tokio::select! {
                biased;
                why = stop.reached() => return Err(Nothing::Stopped(why)),
                came = self.running.next() => if let Some(Ok(came)) = came {
                    if matches!(came.event, Event::Pulled(_)) {
                        self.pulls.remove(&came.ticket);
                        return Ok(came);
                    }
                    let comes = match &came.event {
                        Event::Answered(answered) => answered.comes_ms.filter(|_| self.waits == Waits::Virtual),
                        _ => None,
                    };
                    let Some(ms) = comes else {
                        self.forget(came.ticket);
                        return Ok(came);
                    };
                    // What is due until then, such as its time limit, comes first.
                    self.aborts.remove(&came.ticket);
                    self.later.add(ms, came.ticket, came);
                }
            }
        }
        let (ms, came) = self.later.next().ok_or(Nothing::Idle)?;
        if self.until.is_some_and(|until| ms >= until) {
            return Err(Nothing::Stopped(Stopped::Abandoned));
        }
        host.pass_until(ms);
        Ok(came)
    }
}

/// What is waited for.
pub(crate) enum Awaited {
    Call(BoxFuture<'static, Answered>),
    Records(BoxFuture<'static, Next>),
    Time {
        ms: u64,
        pc: u32,
    },
    /// Only the limit.
    Nothing,
}

fn sleep(ms: u64) -> impl Future<Output = ()> + Send + 'static {
    tokio::time::sleep(Duration::from_millis(ms))
}
