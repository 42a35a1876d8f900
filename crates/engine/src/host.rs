//! The host side of one run: its arena, strands, cost and times; what the intrinsics work on.
//!
//! It lives from the run's start to its end and passes from one short-lived instance to the next.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Instant,
};

use lockgate_document::{Arena, Document, Fault, Handle};
use lockgate_model::{Limits, RunId, Timestamp, abi, duration::MS_MAX};

use crate::{
    Budget, Gauge, Module, Watch,
    calls::Waits,
    flight::Pull,
    fork::{self, Declared},
    frame::Frame,
    meter::Meter,
    problem::Problem,
    run::Start,
    step::Entry,
    stop::{Stop, Stopped},
    strand::{MAIN, Strand, StrandId},
    streams::Feed,
};

/// What a run may cost more for each byte that records of a stream take: its limit is not one of how much it passes on.
const UNITS_PER_RECORD_BYTE: u64 = 16;
/// Bytes that are copied out of the arena for one cost unit.
const BYTES_PER_UNIT: u64 = 16;
/// Bytes of a flow's arena that its output may keep alive.
const HANDED_OVER_MAX: u64 = 256 << 10;
/// One run.
pub(crate) struct Host {
    pub(crate) arena: Box<Arena>,
    pub(crate) module: Arc<Module>,
    pub(crate) limits: Limits,
    pub(crate) stop: Arc<Stop>,
    /// A slice has ended and the step has yielded for it.
    pub(crate) yielded: bool,
    /// The strand that steps.
    pub(crate) strand: Strand,
    /// The others.
    pub(crate) resting: BTreeMap<StrandId, Strand>,
    /// The number of the youngest strand.
    pub(crate) strands: StrandId,
    /// What can go on in this turn.
    pub(crate) ready: VecDeque<Ready>,
    /// Calls that wait for others to end.
    pub(crate) queue: VecDeque<(StrandId, u64)>,
    /// Calls under way, and the bytes of what they were given.
    pub(crate) flight: (u32, u64),
    /// Branches of the fork that the step is about to ask for.
    pub(crate) declared: Declared,
    /// Tickets that nothing waits for any more, and strands that ended.
    pub(crate) gone: Vec<u64>,
    pub(crate) strands_gone: Vec<StrandId>,
    /// Streams that loops want no more of: the strand and the slot.
    pub(crate) shut: Vec<(StrandId, u32)>,
    /// Strands that caught a failure: a stream that was opened before is nobody's any more.
    pub(crate) failed: Vec<StrandId>,
    /// The run's.
    id: RunId,
    /// The number of the last ticket.
    pub(crate) tickets: u64,
    /// What the step wants before it goes on.
    pub(crate) suspension: Option<Suspension>,
    /// Why an intrinsic trapped with [`Trapped::Failing`].
    pub(crate) failing: Option<Problem>,
    /// Who looks on, outside any environment.
    pub(crate) watch: Option<Arc<dyn Watch>>,
    meter: Meter,
    pub(crate) gauge: Arc<Gauge>,
    clock: Clock,
    clock_ms: i64,
}

/// What a step asked for when it suspended.
pub(crate) enum Suspension {
    /// An operation of an account, or an orchestration, by its index; the answer goes to `slot`.
    Call { operation: u32, input: Input, slot: u32, pc: u32 },
    /// Time to pass.
    Wait { ms: u64, pc: u32 },
    /// The next records of a stream.
    Pull(Pull),
    /// What was made of records on their way into the call that waits.
    Fed(Option<Box<Document>>),
    /// Branches to run.
    Fork(Box<fork::Asked>),
}

/// What a call is given.
pub(crate) enum Input {
    /// A document of its own.
    Document(Box<Document>),
    /// A value of the arena, until the call has its turn.
    Value(Handle),
}

/// What can go on.
pub(crate) enum Ready {
    /// A strand that waited.
    Strand(StrandId, Entry),
    /// The next branch of a strand's fork.
    Branch(StrandId),
}

/// Where `clock()` comes from; asked once a step.
#[derive(Debug, Clone, Copy)]
struct Clock {
    start: Timestamp,
    started: Instant,
    waits: Waits,
    waited_ms: i64,
}

/// What an intrinsic of the host itself traps with; those of the arena trap with a [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trapped {
    /// An error object that the flow raised.
    #[error("the flow raised an error")]
    Raised(Handle),
    /// What [`Host::failing`] says.
    #[error("a failure of the host")]
    Failing,
    /// The time limit that this entry point of a strand set is over.
    #[error("the task takes too long")]
    TimedOut(StrandId, u32),
    /// The run must end.
    #[error("the run was stopped")]
    Stopped(Stopped),
    /// What our compiler never emits.
    #[error("{0}")]
    Module(&'static str),
}

impl Host {
    /// A run at its start: `input` is in its slot.
    pub(crate) fn new(start: Start<'_>, waits: Waits) -> Result<Box<Self>, Fault> {
        let Start { id, module, input, limits, now, began, stop, gauge, watch, budget } = start;
        let budget = budget.unwrap_or_else(|| Arc::new(Budget::new(limits.cost_max)));
        budget.hold_to(limits.cost_max);
        let (mut arena, input) = input.into_arena()?;
        arena.set_limits(&limits);
        arena.set_constants(Arc::clone(module.constants()));
        arena.set_now(now);
        gauge.begins(module, began);
        let frame = Frame::open(&mut arena, module.frame(), input)?;
        Ok(Box::new(Self {
            id,
            meter: Meter::new(budget, &arena),
            gauge,
            clock: Clock { start: now, started: began, waits, waited_ms: 0 },
            clock_ms: now.ms(),
            arena,
            module: Arc::clone(module),
            strand: Strand::main(frame),
            resting: BTreeMap::new(),
            strands: MAIN,
            ready: VecDeque::new(),
            queue: VecDeque::new(),
            flight: (0, 0),
            declared: Declared::default(),
            gone: Vec::new(),
            strands_gone: Vec::new(),
            shut: Vec::new(),
            failed: Vec::new(),
            tickets: 0,
            limits,
            stop,
            yielded: false,
            suspension: None,
            failing: None,
            watch,
        }))
    }

    /// Cost so far.
    pub(crate) fn cost(&self) -> u64 {
        self.meter.cost(&self.arena)
    }

    /// A step begins at `pc`: returns its fuel.
    pub(crate) fn enter(&mut self, pc: u32) -> Result<u64, Fault> {
        self.gauge.runs();
        self.strand.pc = pc;
        self.yielded = false;
        self.suspension = None;
        self.declared = Declared::default();
        self.clock_ms = self.clock.ms();
        self.meter.grant(&mut self.arena)
    }

    /// The step has ended with this much fuel left.
    pub(crate) fn leave(&mut self, fuel_left: u64) {
        self.meter.take_back(&self.arena, fuel_left);
        self.gauge.has_cost(self.cost());
    }

    /// The step goes on, with this much fuel left.
    pub(crate) fn goes_on(&mut self, fuel_left: u64) -> Result<(), Fault> {
        self.gauge.has_cost(self.cost() + self.meter.burnt(fuel_left));
        self.meter.goes_on(&self.arena, fuel_left)
    }

    /// A run within has ended or was broken off.
    pub(crate) fn has_within(&mut self, budget: &Budget, cost: u64) -> Result<(), Fault> {
        self.meter.add(budget, cost)
    }

    /// Whether enough was charged to take it off the fuel.
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        self.meter.is_due(&self.arena)
    }

    /// Takes what was charged off the fuel: returns the new fuel.
    pub(crate) fn settle(&mut self, fuel_left: u64) -> Result<u64, Fault> {
        self.meter.take_back(&self.arena, fuel_left);
        self.meter.grant(&mut self.arena)
    }

    /// The time limit of the current strand that ends first: in how many milliseconds, and the entry point that
    /// has it.
    pub(crate) fn time_limit(&self) -> Option<(u64, u32)> {
        let (ends, pc) = self.ends(&self.strand)?;
        Some((u64::try_from(ends.saturating_sub(self.clock.ms())).unwrap_or(0), pc))
    }

    /// The strand and the entry point whose time limit is over, among the current one and those it comes from.
    pub(crate) fn time_is_over(&self) -> Option<(StrandId, u32)> {
        let now = self.clock.ms();
        let mut over = None;
        let mut strand = Some(&self.strand);
        while let Some(one) = strand {
            if let Some((_, pc)) = self.ends(one).filter(|(ends, _)| *ends <= now) {
                over = Some((one.id, pc));
            }
            strand = one.origin.and_then(|origin| self.strand(origin.strand));
        }
        over
    }

    /// When the time limits around a strand's current task end, the first of them, and the entry point that has it.
    fn ends(&self, strand: &Strand) -> Option<(i64, u32)> {
        let mut first: Option<(i64, u32)> = None;
        let mut around = self.module.task(strand.pc).and_then(|task| task.timeout);
        while let Some(timeout) = around {
            let ends = strand.frame.int(timeout.slot).unwrap_or(i64::MAX);
            if first.is_none_or(|(earliest, _)| ends <= earliest) {
                first = Some((ends, timeout.pc));
            }
            around = self.module.task(timeout.pc).and_then(|task| task.timeout);
        }
        first
    }

    /// Expressions see the time at which the run goes on.
    pub(crate) fn look_at_clock(&mut self) {
        self.arena.set_now(Timestamp::from_ms(self.clock.ms()));
    }

    /// What the clock shows.
    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.ms()
    }

    /// By how much waits have moved the clock on, where nothing really waits.
    pub(crate) fn waited_ms(&self) -> u64 {
        u64::try_from(self.clock.waited_ms).unwrap_or(0)
    }

    /// Where nothing really waits: the clock shows this time, if it did not before.
    pub(crate) fn pass_until(&mut self, ms: i64) {
        let passed = ms.saturating_sub(self.clock.ms()).max(0);
        self.clock.waited_ms = self.clock.waited_ms.saturating_add(passed);
    }

    /// Pointer of the current task; empty where the module names none.
    pub(crate) fn task_pointer(&self) -> &str {
        self.module.task(self.strand.pc).map_or("", |task| task.pointer.as_str())
    }

    // --- the intrinsics that are not the arena's

    pub(crate) fn task(&mut self, pc: u32) -> Result<(), Trapped> {
        if self.module.task(pc).is_none() {
            return Err(Trapped::Module("the module enters a task it does not have"));
        }
        self.strand.pc = pc;
        self.gauge.enters(&mut self.strand.timing, pc);
        self.tell_entered();
        self.strand.frame.clear_scratch(&mut self.arena);
        Ok(())
    }

    pub(crate) fn slot_get(&mut self, n: u32) -> Result<Handle, Trapped> {
        self.strand.frame.value(n).ok_or(NO_SLOT)
    }

    pub(crate) fn slot_set(&mut self, n: u32, h: Handle) -> wasmtime::Result<()> {
        if !self.strand.frame.has_value(n) {
            return Err(NO_SLOT.into());
        }
        let only = self.module.tasks().len() <= 1;
        match self.strand.frame.set_value(&mut self.arena, n, h, only) {
            Err(Fault::FunctionValue) => {
                let problem = Problem::function(self.arena.view(h).function_within());
                Err(self.fail_with(problem).into())
            }
            set => Ok(set?),
        }
    }

    pub(crate) fn int_get(&mut self, n: u32) -> Result<i64, Trapped> {
        self.strand.frame.int(n).ok_or(NO_SLOT)
    }

    pub(crate) fn int_set(&mut self, n: u32, value: i64) -> Result<(), Trapped> {
        self.strand.frame.set_int(n, value).ok_or(NO_SLOT)
    }

    pub(crate) fn clock(&mut self) -> Result<i64, Trapped> {
        Ok(self.clock_ms)
    }

    pub(crate) fn raise(&mut self, error: Handle) -> Result<(), Trapped> {
        Err(Trapped::Raised(error))
    }

    pub(crate) fn fail(&mut self, code: i32) -> wasmtime::Result<()> {
        if code == abi::TOO_DEEP {
            return Err(self.fail_with(Problem::recursion()).into());
        }
        Err(Fault::standard(code).into())
    }

    pub(crate) fn call(&mut self, op: u32, input: Handle, slot: u32, pc: u32) -> wasmtime::Result<()> {
        if self.module.operation(op).is_none() {
            return Err(Trapped::Module("the module calls an operation it does not declare").into());
        }
        self.calls(op, input, slot, pc)
    }

    pub(crate) fn run(&mut self, n: u32, input: Handle, slot: u32, pc: u32) -> wasmtime::Result<()> {
        let Some(index) = self.module.run_index(n) else {
            return Err(Trapped::Module("the module runs an orchestration it does not declare").into());
        };
        self.calls(index, input, slot, pc)
    }

    fn calls(&mut self, operation: u32, input: Handle, slot: u32, pc: u32) -> wasmtime::Result<()> {
        if !self.strand.frame.has_value(slot) {
            return Err(NO_SLOT.into());
        }
        let input = match self.may_call() {
            true => Input::Document(Box::new(self.export(input)?)),
            false => Input::Value(input),
        };
        Ok(self.suspend(Suspension::Call { operation, input, slot, pc })?)
    }

    pub(crate) fn hold(&mut self, h: Handle, k: u32, what: u32) -> wasmtime::Result<()> {
        let violations = self.arena.violations(h, k)?;
        if violations.is_empty() {
            return Ok(());
        }
        let what = self.arena.view(Handle::from_raw(abi::constant(what))).as_str().unwrap_or_default();
        // What comes in from outside is its sender's fault.
        let problem = Problem::invalid(what, &violations, self.strand.pc == 0);
        Err(self.fail_with(problem).into())
    }

    pub(crate) fn unique(&mut self) -> Result<Handle, Fault> {
        self.arena.new_text(&lockgate_model::run::unique())
    }

    pub(crate) fn run_id(&mut self) -> Result<Handle, Fault> {
        self.arena.new_text(&self.id.to_string())
    }

    pub(crate) fn duration(&mut self, h: Handle) -> Result<i64, Trapped> {
        let length = lockgate_document::duration::milliseconds(self.arena.view(h));
        length.filter(|ms| *ms <= MS_MAX).ok_or_else(|| self.fail_with(Problem::no_duration()))
    }

    pub(crate) fn pause(&mut self, ms: i64, slot: u32) -> Result<i64, Trapped> {
        let said = self.strand.caught.get(&slot).and_then(|caught| caught.problem().after);
        let said = said.map_or(0, |after| i64::try_from(after.as_millis()).unwrap_or(MS_MAX).min(MS_MAX));
        Ok(ms.max(said))
    }

    pub(crate) fn wait(&mut self, ms: i64, pc: u32) -> Result<(), Trapped> {
        self.suspend(Suspension::Wait { ms: u64::try_from(ms).unwrap_or(0), pc })
    }

    pub(crate) fn pull(&mut self, slot: u32, size: u32, first: u32, pc: u32, done: u32) -> Result<(), Trapped> {
        if !self.strand.frame.has_value(slot) {
            return Err(NO_SLOT);
        }
        let first = first != 0;
        if first {
            let task = self.task_pointer().to_owned();
            self.strand.streams.retain(|(known, _)| *known != slot);
            self.strand.streams.push((slot, task));
        }
        self.suspend(Suspension::Pull(Pull { slot, size, first, pc, done }))
    }

    pub(crate) fn shut(&mut self, slot: u32) -> Result<(), Trapped> {
        self.strand.streams.retain(|(known, _)| *known != slot);
        self.shut.push((self.strand.id, slot));
        Ok(())
    }

    /// Records of a stream have come.
    pub(crate) fn allow_for(&mut self, records: &Document) {
        self.meter.allow(records.bytes_used().saturating_mul(UNITS_PER_RECORD_BYTE));
    }

    /// What the run and those within may cost.
    pub(crate) fn budget(&self) -> &Arc<Budget> {
        self.meter.budget()
    }

    /// Loops that the current task is not within have ended, however that was.
    pub(crate) fn shut_left(&mut self) {
        let here = self.module.task(self.strand.pc).map_or("", |task| task.pointer.as_str());
        let within = |task: &str| here.strip_prefix(task).is_some_and(|rest| rest.starts_with('/'));
        let (strand, shut) = (self.strand.id, &mut self.shut);
        self.strand.streams.retain(|(slot, task)| {
            let stays = within(task);
            if !stays {
                shut.push((strand, *slot));
            }
            stays
        });
    }

    pub(crate) fn feed(&mut self, slot: u32, pc: u32) -> Result<(), Trapped> {
        if !self.strand.frame.has_value(slot) {
            return Err(NO_SLOT);
        }
        self.strand.feeds.push(Feed { slot, pc });
        Ok(())
    }

    pub(crate) fn fed(&mut self, h: Handle) -> wasmtime::Result<()> {
        if self.strand.caller.is_none() {
            return Err(Trapped::Module("the module gives records to a call that takes none").into());
        }
        let records = match h.is_undefined() {
            true => None,
            false => Some(Box::new(self.export(h)?)),
        };
        Ok(self.suspend(Suspension::Fed(records))?)
    }

    /// The run's output. What the run has made goes with it where that saves a copy and keeps little
    /// alive besides.
    pub(crate) fn give(&mut self, h: Handle) -> Result<Document, Fault> {
        if self.module.tasks().len() > 1 && self.arena.bytes_used() > HANDED_OVER_MAX {
            return self.export(h);
        }
        // A stale handle is a fault, not undefined.
        self.arena.kind(h)?;
        Ok(self.arena.hand_over(h))
    }

    /// A value as a document of its own.
    pub(crate) fn export(&mut self, h: Handle) -> Result<Document, Fault> {
        let document = self.arena.export(h, &self.limits)?;
        self.arena.charge(document.bytes_used() / BYTES_PER_UNIT)?;
        Ok(document)
    }

    /// What an intrinsic traps with that fails with a problem of its own.
    fn fail_with(&mut self, problem: Problem) -> Trapped {
        self.failing = Some(problem);
        Trapped::Failing
    }

    pub(crate) fn suspend(&mut self, suspension: Suspension) -> Result<(), Trapped> {
        if self.suspension.is_some() {
            return Err(Trapped::Module("the module asks for a second thing before it suspends for the first"));
        }
        self.suspension = Some(suspension);
        Ok(())
    }
}

pub(crate) const NO_SLOT: Trapped = Trapped::Module("the module uses a slot that its frame does not have");

impl Clock {
    fn ms(&self) -> i64 {
        let passed = match self.waits {
            Waits::Virtual => self.waited_ms,
            Waits::Real => i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX),
        };
        self.start.ms().saturating_add(passed)
    }
}
