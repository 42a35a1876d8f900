//! Flows that a flow runs where there is no server: the others of its project, as test cases and local runs have them.
//!
//! The bounds and the errors are those of [`nest`](crate::nest); what is asked of nobody is a right, and what is
//! written nowhere is a record.
//!
//! Where time is virtual a flow below runs to its end before the one above goes on, and that many milliseconds of its
//! clock later its output comes. Nothing it does happens past the time at which the one above waits no longer. Two
//! things are not as on a server: of branches that race, the loser's flows have run to their end, and runs that would
//! be open together by the clock are so only while they compute.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use lockgate_document::Node;
use lockgate_engine::{
    Beside, Called, Engine, Failure, Mocks, Module, Outcome, SiblingEnd, SubEnd, SubFailure, SubRun, Waits, Watch,
};
use lockgate_model::{Limits, Timestamp};
use tokio::{runtime::Handle, task::JoinSet};

use crate::{
    Error,
    nest::{Nest, Place, refused},
};

/// What is between a flow and its task where a task of another flow is told.
const OF: char = '#';
/// Failures that are told of runs that nobody waited for.
const TOLD_MAX: usize = 20;

/// What one flow from outside has below it.
pub struct Siblings {
    family: Arc<Family>,
    nest: Nest,
}

/// What all of them share.
struct Family {
    engine: Arc<Engine>,
    /// Modules by the names of their flows.
    modules: Arc<BTreeMap<String, Vec<u8>>>,
    mocks: Arc<Mocks>,
    limits: Limits,
    /// When the one from outside ends at the latest, where time is virtual.
    ends: Instant,
    watch: Option<Arc<dyn Watch>>,
    /// Runs that have begun below.
    runs: AtomicU64,
    ran: Mutex<Ran>,
    /// Runs that nobody waits for.
    aside: Mutex<JoinSet<()>>,
}

/// What flows below did.
#[derive(Debug, Default)]
pub struct Ran {
    /// The tasks that were entered, by flow.
    pub tasks: BTreeMap<String, BTreeSet<String>>,
    /// By flow, which numbers of its frames were not 0 at the end of a run.
    pub ints: BTreeMap<String, BTreeSet<usize>>,
    /// Failures of runs that nobody waited for: the flow, the code and the task. The first 20.
    pub failed: Vec<(String, String, String)>,
}

impl Siblings {
    /// None has run yet. `modules` are the bytes by the names of the flows; what a flow below does is told to `watch`
    /// with `flow#` before each task.
    pub fn new(
        engine: &Arc<Engine>,
        modules: &Arc<BTreeMap<String, Vec<u8>>>,
        mocks: &Arc<Mocks>,
        limits: Limits,
        watch: Option<Arc<dyn Watch>>,
    ) -> Arc<Self> {
        let family = Family {
            engine: Arc::clone(engine),
            modules: Arc::clone(modules),
            mocks: Arc::clone(mocks),
            limits,
            ends: Instant::now() + Duration::from_millis(limits.wall_ms_max.min(WALL_MS_MAX)),
            watch,
            runs: AtomicU64::new(0),
            ran: Mutex::default(),
            aside: Mutex::default(),
        };
        Arc::new(Self { family: Arc::new(family), nest: Nest::default() })
    }

    /// Waits for the runs that nobody waited for.
    pub async fn aside(&self) {
        loop {
            // Those that end may have begun others.
            let mut aside = std::mem::take(&mut *self.family.aside.lock().unwrap_or_else(PoisonError::into_inner));
            if aside.is_empty() {
                return;
            }
            while aside.join_next().await.is_some() {}
        }
    }

    /// What was done below so far.
    pub fn ran(&self) -> Ran {
        std::mem::take(&mut *self.family.ran())
    }

    /// A flow may run here: its module, its place and its limits.
    fn open(&self, sub: &SubRun, nest: &Nest) -> Result<(Arc<Module>, Option<Place>), Error> {
        let name = sub.subflow.name.as_str();
        let place = nest.take()?;
        let wasm = self.family.modules.get(name).ok_or_else(|| Error::NotFound { what: format!("`{name}`") })?;
        let module = self.family.engine.load(wasm).map_err(|e| Error::invalid("LG-ENGINE", e.to_string()))?;
        nest.check(module.header())?;
        Ok((module, place))
    }
}

/// A day.
const WALL_MS_MAX: u64 = 86_400_000;

impl lockgate_engine::Siblings for Siblings {
    fn has(&self, name: &str) -> bool {
        self.family.modules.contains_key(name)
    }

    fn run(self: Arc<Self>, sub: SubRun, now: Timestamp, until: Option<Timestamp>) -> BoxFuture<'static, SiblingEnd> {
        let nest = self.nest.within(&sub);
        let (module, place) = match self.open(&sub, &nest) {
            Ok(opened) => opened,
            Err(error) => return Box::pin(std::future::ready(refusal(&error))),
        };
        let family = Arc::clone(&self.family);
        let awaits = sub.subflow.awaits;
        let is_virtual = family.mocks.waits == Waits::Virtual;
        let mut limits = nest.limits(family.limits);
        if is_virtual {
            // Who does not wait by the clock does by the wall: a case is over when all of it is.
            let left = family.ends.saturating_duration_since(Instant::now()).as_millis();
            limits.wall_ms_max = limits.wall_ms_max.min(u64::try_from(left).unwrap_or(u64::MAX)).max(1);
        }
        let flow = sub.subflow.name.to_string();
        let budget = nest.budget();
        let below = Arc::new(Self { family: Arc::clone(&family), nest });
        let until = until.filter(|_| awaits);
        let beside = Beside { mocks: Arc::clone(&family.mocks), siblings: Some(below), until, budget };
        let watch: Arc<dyn Watch> = Arc::new(Within {
            run: family.runs.fetch_add(1, Ordering::Relaxed) + 1,
            flow: flow.clone(),
            family: Arc::clone(&family),
        });
        let (engine, running) = (Arc::clone(&family.engine), Arc::clone(&family));
        let run = async move {
            let outcome = engine.evaluate_beside(&module, sub.input, beside, limits, now, Some(watch)).await;
            drop(place);
            running.add(&flow, &outcome);
            if let (Err(failure), false) = (&outcome.result, awaits) {
                running.tell(flow, failure);
            }
            outcome
        };
        let goes_on = || SiblingEnd { end: SubEnd { result: Ok(undefined()), cost: 0 }, took_ms: 0 };
        Box::pin(async move {
            if awaits {
                let Outcome { result, cost, waited_ms, .. } = run.await;
                // What was given up has not failed: nothing comes of it before the time at which it was.
                let given_up = until.filter(|_| result.as_ref().is_err_and(|failure| failure.cancelled));
                let took_ms = given_up.map_or(waited_ms, |until| u64::try_from(until.ms() - now.ms()).unwrap_or(0));
                let result = result.map_err(|failure| SubFailure::Failed(Box::new(failure)));
                return SiblingEnd { end: SubEnd { result, cost }, took_ms };
            }
            match is_virtual {
                true => drop(run.await),
                false => {
                    let mut aside = family.aside.lock().unwrap_or_else(PoisonError::into_inner);
                    aside.spawn_on(async move { drop(run.await) }, &Handle::current());
                }
            }
            goes_on()
        })
    }
}

impl Family {
    fn ran(&self) -> std::sync::MutexGuard<'_, Ran> {
        self.ran.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, flow: &str, outcome: &Outcome) {
        let mut ran = self.ran();
        let entered = ran.tasks.entry(flow.to_owned()).or_default();
        entered.extend(outcome.tasks.iter().map(|time| time.task.clone()));
    }

    fn tell(&self, flow: String, failure: &Failure) {
        let mut ran = self.ran();
        if ran.failed.len() < TOLD_MAX {
            ran.failed.push((flow, failure.error.code.clone(), failure.error.task.clone()));
        }
    }
}

/// Tells who looks on what a flow below does.
struct Within {
    /// Which of the family's runs it is, from 1.
    run: u64,
    flow: String,
    family: Arc<Family>,
}

impl Within {
    fn tell(&self, task: &str, to: impl FnOnce(&dyn Watch, &str)) {
        if let Some(watch) = &self.family.watch {
            to(watch.as_ref(), &format!("{}{OF}{task}", self.flow));
        }
    }

    /// Each run has strands of its own.
    fn strand(&self, strand: u64) -> u64 {
        self.run << u32::BITS | strand
    }
}

impl Watch for Within {
    fn entered(&self, strand: u64, task: &str, data: Node<'_>) {
        self.tell(task, |watch, task| watch.entered(self.strand(strand), task, data));
    }
    fn left(&self, strand: u64, data: Node<'_>) {
        self.tell("", |watch, _| watch.left(self.strand(strand), data));
    }
    fn called(&self, task: &str, call: &Called<'_>) {
        self.tell(task, |watch, task| watch.called(task, call));
    }
    fn streamed(&self, task: &str, content: &[u8]) {
        self.tell(task, |watch, task| watch.streamed(task, content));
    }
    fn waited(&self, task: &str, ms: u64) {
        self.tell(task, |watch, task| watch.waited(task, ms));
    }
    fn caught(&self, strand: u64, task: &str, error: Node<'_>) {
        self.tell(task, |watch, task| watch.caught(self.strand(strand), task, error));
    }
    fn ended(&self, ints: &[i64]) {
        let mut ran = self.family.ran();
        let known = ran.ints.entry(self.flow.clone()).or_default();
        known.extend(ints.iter().enumerate().filter(|(_, int)| **int != 0).map(|(slot, _)| slot));
    }
}

fn refusal(error: &Error) -> SiblingEnd {
    SiblingEnd { end: SubEnd { result: Err(refused(error)), cost: 0 }, took_ms: 0 }
}

fn undefined() -> lockgate_document::Document {
    lockgate_document::Document::undefined()
}

#[cfg(test)]
mod tests;
