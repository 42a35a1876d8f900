//! One step of a strand: from an entry point until it ends, suspends or fails, and what follows from that.
//!
//! A step runs in a fresh instance in a fresh store and leaves nothing behind but the [`Host`]. A
//! failure that the current task handles goes to its handler at once, in another fresh instance.

use std::sync::Arc;

use lockgate_document::{Document, Fault, Handle};
use lockgate_model::{abi, run::RunError};
use wasmtime::{Store, StoreContextMut, Trap, UpdateDeadline, WasmBacktrace};

use crate::{
    Failure, Place,
    host::{Host, Suspension, Trapped},
    problem::Problem,
    raised::Raised,
    strand::StrandId,
};

/// Ticks of a step's first slice, which runs on its caller's thread.
const FIRST_TICKS: u64 = 1;
/// Ticks of a slice on a worker.
const SLICE_TICKS: u64 = 2;
/// Cost of a fresh instance, beyond the first: about its time.
pub(crate) const ENTRY_UNITS: u64 = 1_000;
/// Cost of a caught failure: the trap, its backtrace and the error object.
const CATCH_UNITS: u64 = 4_000;

/// Where a strand goes on.
pub(crate) enum Entry {
    /// At the start of the run.
    Start,
    /// After a wait.
    Resume { pc: u32 },
    /// With the answer of a call.
    Answer { document: Arc<Document>, slot: u32, pc: u32 },
    /// With records on their way into the call that it waits for.
    Records { records: Document, slot: u32, pc: u32 },
    /// With the failure of a call, in the task that made it.
    Failed(Problem),
    /// With another failure of its call.
    Fails(Failed),
    /// With an error object that another orchestration raised.
    Raised(Document),
    /// After the time limit that an entry point set.
    TimedOut { pc: u32 },
}

/// Where a step ended well.
pub(crate) enum Ended {
    /// The run is done.
    Done(Document),
    /// The strand is a branch, and done.
    Joined,
    /// The strand wants something before it goes on.
    Suspended(Suspension),
}

/// What went wrong in a step.
pub(crate) struct Failed {
    pub(crate) what: What,
    pub(crate) place: Option<Place>,
    /// The task it belongs to, where that is not the current one.
    pub(crate) task: Option<String>,
    /// The strand and entry point that have it, where that is not where the step was.
    pub(crate) at: Option<(StrandId, u32)>,
}

/// A failure that a handler of the flow has: raised again as it is, it is that failure still.
pub(crate) struct Caught {
    error: Handle,
    problem: Problem,
    place: Option<Place>,
    task: String,
}

impl Caught {
    pub(crate) fn problem(&self) -> &Problem {
        &self.problem
    }
}

pub(crate) enum What {
    Raised(Handle),
    Problem(Box<Problem>),
}

impl Failed {
    /// May a handler of the flow have it?
    pub(crate) fn is_catchable(&self) -> bool {
        match &self.what {
            What::Raised(_) => true,
            What::Problem(problem) => problem.catchable,
        }
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self { what: What::Problem(Box::new(problem)), place: None, task: None, at: None }
    }
}
impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Problem::fault(&fault).into()
    }
}

/// One call of the module's `step`.
pub(crate) async fn step(host: Box<Host>, pc: u32) -> (Box<Host>, Result<Ended, Failed>) {
    let mut host = host;
    if let Some(why) = host.stop.reason() {
        return (host, Err(Problem::stopped(why).into()));
    }
    let fuel = match host.enter(pc) {
        Ok(fuel) => fuel,
        Err(fault) => return (host, Err(fault.into())),
    };
    let module = Arc::clone(&host.module);
    let mut store = Store::new(module.pre.module().engine(), host);
    store.set_epoch_deadline(FIRST_TICKS);
    store.epoch_deadline_callback(at_epoch);
    let called = async {
        store.set_fuel(fuel)?;
        let instance = module.pre.instantiate(&mut store)?;
        let step = instance
            .get_module_export(&mut store, &module.step)
            .and_then(wasmtime::Extern::into_func)
            .ok_or(Trapped::Module("the module has no function `step`"))?
            .typed::<i32, i32>(&store)?;
        step.call_async(&mut store, pc.cast_signed()).await
    }
    .await;
    let fuel_left = store.get_fuel().unwrap_or(0);
    let mut host = store.into_data();
    host.leave(fuel_left);
    let result = match called {
        Ok(result) => host.ended(result),
        Err(error) => Err(failed(&mut host, &error)),
    };
    (host, result)
}

/// A slice has ended: stop, or yield and go on.
///
/// Asked again right after the yield, before wasm goes on: a run that was stopped while it waited
/// for its turn ends without using it.
fn at_epoch(mut store: StoreContextMut<'_, Box<Host>>) -> wasmtime::Result<UpdateDeadline> {
    let fuel_left = store.get_fuel().unwrap_or(0);
    let host = store.data_mut();
    let goes_on = host.goes_on(fuel_left);
    if let Some(why) = host.stop.reason() {
        return Err(Trapped::Stopped(why).into());
    }
    if let Some((strand, pc)) = host.time_is_over() {
        return Err(Trapped::TimedOut(strand, pc).into());
    }
    goes_on?;
    host.yielded = !host.yielded;
    Ok(if host.yielded { UpdateDeadline::Yield(0) } else { UpdateDeadline::Continue(SLICE_TICKS) })
}

impl Host {
    /// Puts what the strand waited for in its place; says where to go on.
    pub(crate) fn begin(&mut self, entry: Entry) -> Result<u32, Failed> {
        if let Entry::Records { records, slot, pc } = entry {
            self.resume()?;
            self.strand.frame.import(&mut self.arena, slot, &records)?;
            self.strand.caller = Some(std::mem::replace(&mut self.strand.pc, pc));
            return Ok(pc);
        }
        self.has_come();
        match entry {
            Entry::Records { pc, .. } => Ok(pc),
            Entry::Start => Ok(0),
            Entry::Resume { pc } => {
                self.resume()?;
                Ok(pc)
            }
            Entry::Answer { document, slot, pc } => {
                self.resume()?;
                self.strand.frame.import(&mut self.arena, slot, &document)?;
                Ok(pc)
            }
            Entry::Failed(problem) => {
                self.resume()?;
                Err(problem.into())
            }
            Entry::Fails(failed) => {
                self.resume()?;
                Err(failed)
            }
            Entry::Raised(error) => {
                self.resume()?;
                let error = self.strand.frame.import_to_scratch(&mut self.arena, &error)?;
                Err(Failed { what: What::Raised(error), place: None, task: None, at: None })
            }
            Entry::TimedOut { pc } => {
                self.resume()?;
                Err(Failed { at: Some((self.strand.id, pc)), ..Problem::timed_out().into() })
            }
        }
    }

    /// A strand goes on.
    pub(crate) fn resume(&mut self) -> Result<(), Fault> {
        self.strand.frame.clear_scratch(&mut self.arena);
        self.look_at_clock();
        self.arena.charge(ENTRY_UNITS)
    }

    /// What `step` returned.
    fn ended(&mut self, result: i32) -> Result<Ended, Failed> {
        match (result, self.suspension.take()) {
            (abi::DONE, None) => {
                let output = self.strand.frame.value(self.module.frame.output).unwrap_or(Handle::UNDEFINED);
                Ok(Ended::Done(self.give(output)?))
            }
            (abi::JOINED, None) if self.strand.origin.is_some() => Ok(Ended::Joined),
            (abi::SUSPEND, Some(suspension)) => Ok(Ended::Suspended(suspension)),
            (abi::FAULT, _) => Err(Problem::defect("LG-MODULE", "the module gave up").into()),
            _ => {
                let detail = "the module's result does not fit what it asked for before";
                Err(Problem::defect("LG-MODULE", detail).into())
            }
        }
    }

    /// A filter that does not match raises its error on, unchanged: to whoever looks at it next it
    /// is the failure it was, at the task where it was.
    fn as_it_was(&self, failed: Failed) -> Failed {
        let What::Raised(error) = failed.what else { return failed };
        match self.strand.caught.values().find(|caught| caught.error == error) {
            Some(caught) => Failed {
                what: What::Problem(Box::new(caught.problem.clone())),
                place: caught.place.clone(),
                task: Some(caught.task.clone()),
                at: None,
            },
            None => failed,
        }
    }

    /// Goes to the current task's handler with the error in its slot; gives the failure back where there is none.
    pub(crate) fn catch(&mut self, failed: Failed) -> Result<u32, Failed> {
        if let Some((strand, pc)) = failed.at
            && self.switch(strand).is_some()
        {
            self.stop_fork();
            self.strand.pc = pc;
        }
        let failed = Failed { at: None, ..self.as_it_was(failed) };
        let handler = self.module.task(self.strand.pc).and_then(|task| task.handler).filter(|_| failed.is_catchable());
        let Some(handler) = handler else { return Err(failed) };
        let task = failed.task.clone().unwrap_or_else(|| self.task_pointer().to_owned());
        let caught = self.arena.charge(CATCH_UNITS).and_then(|()| {
            let error = match &failed.what {
                What::Raised(error) => Raised::complete(&mut self.arena, *error, &task)?,
                What::Problem(problem) => {
                    return self.strand.frame.import(&mut self.arena, handler.slot, &problem.object(&task));
                }
            };
            self.strand.frame.set_value(&mut self.arena, handler.slot, error, false)
        });
        self.strand.caught.remove(&handler.slot);
        let failed_at = std::mem::replace(&mut self.strand.pc, handler.pc);
        self.shut_left();
        self.strand.pc = failed_at;
        // What the call that could not begin would have taken.
        self.strand.feeds.clear();
        self.failed.push(self.strand.id);
        if let Err(fault) = caught {
            // There was no room or no cost left to handle it: that ends the run.
            return Err(fault.into());
        }
        self.tell_caught(&task, handler.slot);
        if let (What::Problem(problem), Some(error)) = (failed.what, self.strand.frame.value(handler.slot)) {
            self.strand.caught.insert(handler.slot, Caught { error, problem: *problem, place: failed.place, task });
        }
        Ok(handler.pc)
    }

    /// The end of the run with a failure.
    pub(crate) fn failure(&mut self, failed: Failed) -> Failure {
        let task = failed.task.unwrap_or_else(|| self.task_pointer().to_owned());
        let problem = match failed.what {
            What::Raised(error) => match Raised::read(&self.arena, error) {
                Some(raised) => {
                    let object = raised
                        .whole(&mut self.arena, error, &task)
                        .and_then(|error| self.arena.export(error, &self.limits));
                    return match object {
                        Ok(object) => raised.into_failure(task, object, failed.place),
                        Err(fault) => Problem::fault(&fault).into_failure(task, failed.place),
                    };
                }
                None => Problem::raised_no_object(),
            },
            What::Problem(problem) => *problem,
        };
        problem.into_failure(task, failed.place)
    }
}

impl Problem {
    /// The end of a run that nothing handled.
    pub(crate) fn into_failure(self, task: String, place: Option<Place>) -> Failure {
        let document = Some(self.object(&task));
        let error = RunError { kind: self.kind.segment().to_owned(), code: self.code, task, status: self.http };
        Failure { error, document, place, message: self.detail, cancelled: self.cancelled }
    }
}

/// What a trap carries.
fn failed(host: &mut Host, error: &wasmtime::Error) -> Failed {
    let trace = error.downcast_ref::<WasmBacktrace>();
    let place = trace.and_then(|trace| host.module.place(trace));
    let mut problem = if let Some(fault) = error.downcast_ref::<Fault>() {
        Problem::fault(fault)
    } else if let Some(trapped) = error.downcast_ref::<Trapped>() {
        match trapped {
            Trapped::Raised(error) => return Failed { what: What::Raised(*error), place, task: None, at: None },
            Trapped::Failing => match host.failing.take() {
                Some(problem) => problem,
                None => Problem::defect("LG-MODULE", "the module failed without a reason"),
            },
            Trapped::TimedOut(strand, pc) => {
                return Failed { at: Some((*strand, *pc)), ..Problem::timed_out().into() };
            }
            Trapped::Stopped(why) => Problem::stopped(*why),
            Trapped::Module(detail) => Problem::defect("LG-MODULE", *detail),
        }
    } else {
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => Problem::cost(),
            Some(Trap::StackOverflow) => Problem::recursion(),
            // The text is wasmtime's own: it knows no data.
            _ => Problem::defect("LG-MODULE", format!("the module trapped: {}", error.root_cause())),
        }
    };
    if problem.is_stop() {
        let function = trace.and_then(|trace| host.module.function(trace));
        problem.detail += &whereabouts(host.task_pointer(), place.as_ref(), function.as_deref());
    }
    Failed { what: What::Problem(Box::new(problem)), place, task: None, at: None }
}

/// What the text of a stop tells of where it was: the task, and the line of the rule or expression, else the function.
/// All of it is what the publisher wrote.
fn whereabouts(task: &str, place: Option<&Place>, function: Option<&str>) -> String {
    let task = abi::function_name(task);
    let at = match (place, function) {
        (Some(Place { source, line: Some(line), .. }), _) => {
            Some(format!("{} line {line}", abi::function_name(source)))
        }
        (_, Some(function)) => Some(format!("`{function}`")),
        _ => None,
    };
    match (task.as_str(), at) {
        ("", None) => String::new(),
        ("", Some(at)) => format!(", at {at}"),
        (task, None) => format!(", in task `{task}`"),
        (task, Some(at)) => format!(", in task `{task}`, at {at}"),
    }
}
