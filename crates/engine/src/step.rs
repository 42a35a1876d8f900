//! One turn of a run: from an entry point until the run ends, suspends or fails.
//!
//! A step runs in a fresh instance in a fresh store and leaves nothing behind but the [`Host`]. A
//! failure that the current task handles goes to its handler at once, in another fresh instance.
//! Nothing here waits: see `executor.rs` for whose turn it is, `run.rs` for calls and waits.

use std::{sync::Arc, task::Poll, time::Instant};

use lockgate_document::{Document, Fault, Handle};
use lockgate_model::{abi, run::RunError};
use wasmtime::{Store, StoreContextMut, Trap, UpdateDeadline, WasmBacktrace};

use crate::{
    Failure, Place,
    config::TICK,
    host::{Host, Suspension, Trapped},
    problem::Problem,
    raised::Raised,
};

/// Ticks of a step's first slice, which runs on its caller's thread.
const FIRST_TICKS: u64 = 1;
/// Ticks of a slice on a worker.
const SLICE_TICKS: u64 = 2;
/// Cost of a fresh instance, beyond the first: about its time.
const ENTRY_UNITS: u64 = 1_000;
/// Cost of a caught failure: the trap, its backtrace and the error object.
const CATCH_UNITS: u64 = 4_000;

/// Where a turn begins.
pub(crate) enum Entry {
    /// At the start of the run.
    Start,
    /// After a wait.
    Resume { pc: u32 },
    /// With the answer of a call.
    Answer { document: Arc<Document>, slot: u32, pc: u32 },
    /// With the failure of a call, in the task that made it.
    Failed(Problem),
    /// After the time limit that an entry point set.
    TimedOut { pc: u32 },
}

/// Where a turn ended.
pub(crate) enum Turn {
    /// The run is done.
    Done(Document),
    /// The run wants something before it goes on.
    Suspended(Suspension),
    /// The run has failed.
    Failed(Failure),
}

/// What went wrong in a step.
struct Failed {
    what: What,
    place: Option<Place>,
    /// The task it belongs to, where that is not the current one.
    task: Option<String>,
}

/// A failure that a handler of the flow has: raised again as it is, it is that failure still.
pub(crate) struct Caught {
    error: Handle,
    problem: Problem,
    place: Option<Place>,
    task: String,
}

enum What {
    Raised(Handle),
    Problem(Problem),
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self { what: What::Problem(problem), place: None, task: None }
    }
}
impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Problem::fault(&fault).into()
    }
}

/// Runs a turn.
pub(crate) async fn turn(mut host: Box<Host>, entry: Entry) -> (Box<Host>, Turn) {
    // Since the first failure.
    let mut slice = None;
    let mut next = host.begin(entry);
    loop {
        let failed = match next {
            Ok(pc) => {
                let (back, result) = step(host, pc).await;
                host = back;
                match result {
                    Ok(turn) => return (host, turn),
                    Err(failed) => failed,
                }
            }
            Err(failed) => failed,
        };
        next = match host.catch(failed) {
            Ok(pc) => Ok(pc),
            Err(failure) => return (host, Turn::Failed(*failure)),
        };
        // A chain of short failing steps has no other point where it yields.
        if slice.get_or_insert_with(Instant::now).elapsed() >= TICK {
            yield_now().await;
            slice = None;
        }
    }
}

/// One call of the module's `step`.
async fn step(host: Box<Host>, pc: u32) -> (Box<Host>, Result<Turn, Failed>) {
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
    let host = store.data_mut();
    if let Some(why) = host.stop.reason() {
        return Err(Trapped::Stopped(why).into());
    }
    if let Some((0, pc)) = host.time_limit() {
        return Err(Trapped::TimedOut(pc).into());
    }
    host.yielded = !host.yielded;
    Ok(if host.yielded { UpdateDeadline::Yield(0) } else { UpdateDeadline::Continue(SLICE_TICKS) })
}

impl Host {
    /// Puts what the run waited for in its place; says where to go on.
    fn begin(&mut self, entry: Entry) -> Result<u32, Failed> {
        match entry {
            Entry::Start => Ok(0),
            Entry::Resume { pc } => {
                self.resume()?;
                Ok(pc)
            }
            Entry::Answer { document, slot, pc } => {
                self.resume()?;
                self.frame.import(&mut self.arena, slot, &document)?;
                Ok(pc)
            }
            Entry::Failed(problem) => {
                self.resume()?;
                Err(problem.into())
            }
            Entry::TimedOut { pc } => {
                self.resume()?;
                Err(self.timed_out(pc))
            }
        }
    }

    fn resume(&mut self) -> Result<(), Fault> {
        self.frame.clear_scratch(&mut self.arena);
        self.look_at_clock();
        self.arena.charge(ENTRY_UNITS)
    }

    /// A time limit is over: it fails where it was set.
    fn timed_out(&mut self, pc: u32) -> Failed {
        self.pc = pc;
        Problem::timed_out().into()
    }

    /// What `step` returned.
    fn ended(&mut self, result: i32) -> Result<Turn, Failed> {
        match (result, self.suspension.take()) {
            (abi::DONE, None) => {
                let output = self.frame.value(self.module.frame.output).unwrap_or(Handle::UNDEFINED);
                Ok(Turn::Done(self.give(output)?))
            }
            (abi::SUSPEND, Some(suspension)) => Ok(Turn::Suspended(suspension)),
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
        match self.caught.values().find(|caught| caught.error == error) {
            Some(caught) => Failed {
                what: What::Problem(caught.problem.clone()),
                place: caught.place.clone(),
                task: Some(caught.task.clone()),
            },
            None => failed,
        }
    }

    /// Goes to the current task's handler with the error in its slot, or ends the run.
    fn catch(&mut self, failed: Failed) -> Result<u32, Box<Failure>> {
        let failed = self.as_it_was(failed);
        let catchable = match &failed.what {
            What::Raised(_) => true,
            What::Problem(problem) => problem.catchable,
        };
        let handler = self.module.task(self.pc).and_then(|task| task.handler).filter(|_| catchable);
        let Some(handler) = handler else { return Err(Box::new(self.failure(failed))) };
        let task = failed.task.clone().unwrap_or_else(|| self.task_pointer().to_owned());
        let caught = self.arena.charge(CATCH_UNITS).and_then(|()| {
            let error = match &failed.what {
                What::Raised(error) => Raised::complete(&mut self.arena, *error, &task)?,
                What::Problem(problem) => {
                    return self.frame.import(&mut self.arena, handler.slot, &problem.object(&task));
                }
            };
            self.frame.set_value(&mut self.arena, handler.slot, error, false)
        });
        self.caught.remove(&handler.slot);
        if let Err(fault) = caught {
            // There was no room or no cost left to handle it: that ends the run.
            return Err(Box::new(self.failure(fault.into())));
        }
        self.tell_caught(&task, handler.slot);
        if let (What::Problem(problem), Some(error)) = (failed.what, self.frame.value(handler.slot)) {
            self.caught.insert(handler.slot, Caught { error, problem, place: failed.place, task });
        }
        Ok(handler.pc)
    }

    fn failure(&mut self, failed: Failed) -> Failure {
        let task = failed.task.unwrap_or_else(|| self.task_pointer().to_owned());
        let problem = match failed.what {
            What::Raised(error) => match Raised::read(&self.arena, error) {
                Some(raised) => {
                    let object = Raised::complete(&mut self.arena, error, &task)
                        .and_then(|error| self.arena.export(error, &self.limits));
                    return match object {
                        Ok(object) => raised.into_failure(task, object, failed.place),
                        Err(fault) => Problem::fault(&fault).into_failure(task, failed.place),
                    };
                }
                None => Problem::raised_no_object(),
            },
            What::Problem(problem) => problem,
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
    let place = error.downcast_ref::<WasmBacktrace>().and_then(|trace| host.module.place(trace));
    let problem = if let Some(fault) = error.downcast_ref::<Fault>() {
        Problem::fault(fault)
    } else if let Some(trapped) = error.downcast_ref::<Trapped>() {
        match trapped {
            Trapped::Raised(error) => return Failed { what: What::Raised(*error), place, task: None },
            Trapped::Function(value) => Problem::function(host.arena.view(*value).function_within()),
            Trapped::Failing => match host.failing.take() {
                Some(problem) => problem,
                None => Problem::defect("LG-MODULE", "the module failed without a reason"),
            },
            Trapped::TimedOut(pc) => return host.timed_out(*pc),
            Trapped::NoDuration => Problem::no_duration(),
            Trapped::Recursion => Problem::recursion(),
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
    Failed { what: What::Problem(problem), place, task: None }
}

/// Gives the turn back once.
async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|_| if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}
