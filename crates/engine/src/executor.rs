//! Runs steps: short ones where they were asked for, long ones in slices on worker threads.
//!
//! A step is CPU work that never waits: it runs until it ends, suspends or has used up its slice.
//!
//! * **A short step runs on its caller's thread**, without a hop: most end within their first
//!   slice. One that does not is moved to the workers, so that the threads that move bytes are
//!   never held longer than one slice; a tenant that holds them often loses the short way for a
//!   while, and so does one that is ahead of its share while others wait.
//! * **The workers serve the tenant that has had least** (`fair.rs`), one slice at a time.
//! * **A begun step holds a stack.** Stacks are counted, for all and for each tenant; at the cap,
//!   steps wait unbegun. A begun step always ends, because its cost is bounded.
//! * **A stopped step goes first**: its next slice only lets it end.
//!
//! A panic in a step ends that step alone.
//!
//! Deliberately absent: what a step is (`step.rs`), and any bound on how many may queue: the
//! runtime turns requests away when too many wait.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    thread,
    time::Instant,
};

use tokio::sync::oneshot;

use crate::{
    config::EngineConfig,
    fair::{Account, Queue},
    stop::{Stop, Stopped},
    ticker::Ticker,
};

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The step was lost: it panicked, or the engine is closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lost;

/// Where a step is after its first slice.
pub(crate) enum Begun<T> {
    /// At its end.
    Ended(T),
    /// On its way to a worker.
    Queued(Ticket<T>),
}

/// A step on its way; dropping the ticket stops it.
pub(crate) struct Ticket<T> {
    shared: Arc<Shared>,
    job: u64,
    account: Account,
    stop: Arc<Stop>,
    answer: oneshot::Receiver<T>,
    ended: bool,
}

/// Runs steps; see the module.
pub(crate) struct Executor {
    shared: Arc<Shared>,
    workers: Vec<thread::JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    work: Condvar,
    ticker: Ticker,
}

struct State {
    queue: Queue<Work>,
    closing: bool,
}

impl Executor {
    pub(crate) fn start(config: &EngineConfig, ticker: Ticker) -> std::io::Result<Self> {
        let queue = Queue::new(config.stacks_max, config.stacks_per_tenant_max);
        let shared =
            Arc::new(Shared { state: Mutex::new(State { queue, closing: false }), work: Condvar::new(), ticker });
        let mut executor = Self { shared, workers: Vec::new() };
        for n in 0..config.workers.max(1) {
            let shared = Arc::clone(&executor.shared);
            let worker = thread::Builder::new().name(format!("lockgate-step-{n}")).spawn(move || serve(&shared))?;
            executor.workers.push(worker);
        }
        Ok(executor)
    }

    /// A tenant's share of the workers, against 1 for others; 0 is taken as 1.
    pub(crate) fn set_weight(&self, account: &Account, weight: u32) {
        self.shared.lock().queue.set_weight(account, weight);
    }

    /// What cuts slices.
    pub(crate) fn ticker(&self) -> &Ticker {
        &self.shared.ticker
    }

    /// Steps that wait for a worker.
    pub(crate) fn waiting(&self) -> usize {
        self.shared.lock().queue.waiting()
    }

    /// Runs `work`: its first slice here if that is fair, the rest on the workers.
    ///
    /// `work` must look at `stop` when it begins and after each slice, and end once it is set.
    pub(crate) fn begin<F>(&self, account: &Account, stop: &Arc<Stop>, work: F) -> Result<Begun<F::Output>, Lost>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        let mut work = Box::pin(work);
        let started = Instant::now();
        let here = self.shared.begin_here(account, started);
        if here {
            let polled = self.shared.poll(work.as_mut());
            self.shared.ran_here(account, started, !matches!(polled, Ok(Poll::Pending)));
            if let Poll::Ready(output) = polled? {
                return Ok(Begun::Ended(output));
            }
        }
        let (sender, answer) = oneshot::channel();
        let work = Box::pin(async move {
            // Nobody waits for the answer of a dropped ticket.
            let _ = sender.send(work.await);
        });
        let job = self.shared.wait(account, here, work);
        let (shared, account, stop) = (Arc::clone(&self.shared), account.clone(), Arc::clone(stop));
        Ok(Begun::Queued(Ticket { shared, job, account, stop, answer, ended: false }))
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        let dropped = {
            let mut state = self.shared.lock();
            state.closing = true;
            state.queue.clear()
        };
        // Outside the lock: whoever waits for them is told.
        drop(dropped);
        self.shared.work.notify_all();
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its steps; there is nothing to learn from its end.
            let _ = worker.join();
        }
    }
}

impl<T> Ticket<T> {
    /// Lets the step see at once that it was stopped.
    pub(crate) fn expedite(&self) {
        if self.shared.lock().queue.expedite(self.job, &self.account) {
            self.shared.work.notify_one();
        }
    }
}

impl<T> Future for Ticket<T> {
    type Output = Result<T, Lost>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.answer).poll(cx);
        self.ended |= polled.is_ready();
        polled.map_err(|_| Lost)
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        if !self.ended {
            self.stop.set(Stopped::Abandoned);
            self.expedite();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that could panic half-way runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One slice; a panic in it is caught.
    fn poll<F: Future + ?Sized>(&self, work: Pin<&mut F>) -> Result<Poll<F::Output>, Lost> {
        let _running = self.ticker.running();
        // Work waits for nothing but its next slice: no waker is needed.
        let mut cx = Context::from_waker(Waker::noop());
        // A step that panicked is dropped, and with it all it could have left half done.
        catch_unwind(AssertUnwindSafe(|| work.poll(&mut cx))).map_err(|_| {
            tracing::error!("a step panicked; its run is lost");
            Lost
        })
    }

    fn begin_here(&self, account: &Account, now: Instant) -> bool {
        let mut state = self.lock();
        !state.closing && state.queue.begin_here(account, now)
    }

    fn ran_here(&self, account: &Account, started: Instant, ended: bool) {
        let now = Instant::now();
        let mut state = self.lock();
        state.queue.ran_here(account, now.saturating_duration_since(started), now);
        if ended {
            state.queue.ended(account);
            if state.queue.is_contended() {
                self.work.notify_one();
            }
        }
    }

    fn wait(&self, account: &Account, begun: bool, work: Work) -> u64 {
        let mut state = self.lock();
        if state.closing {
            // The work is dropped, which its ticket sees.
            return 0;
        }
        let job = state.queue.wait(account, begun, work);
        drop(state);
        self.work.notify_one();
        job
    }
}

/// A worker: one slice after the other.
fn serve(shared: &Shared) {
    let mut state = shared.lock();
    while !state.closing {
        let Some(mut job) = state.queue.pick() else {
            state = shared.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        drop(state);
        let started = Instant::now();
        let ended = !matches!(shared.poll(job.work.as_mut()), Ok(Poll::Pending));
        if ended {
            // Freed outside the lock: it may hold a large arena.
            job.work = Box::pin(std::future::ready(()));
        }
        let used = started.elapsed();
        state = shared.lock();
        state.queue.ran(&job, used);
        match ended {
            true if job.begun => state.queue.ended(&job.account),
            true => {}
            false if state.closing => {}
            false => state.queue.push(job),
        }
    }
}

#[cfg(test)]
mod tests;
