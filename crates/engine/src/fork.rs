//! Forks: branches begin, end and fail; what they give comes together in the strand that forked.
//!
//! A branch begins with a frame that reads what its origin's slots hold and writes only its own, so that
//! branches see nothing of each other. Branches begin one after the other, each when the one before rests
//! or ends, and never more at once than the fork allows; until the last one ended their origin rests.

use std::collections::VecDeque;

use lockgate_document::{Arena, Fault, Handle, RegionId};
use lockgate_model::abi;

use crate::{
    frame::Frame,
    host::{Host, NO_SLOT, Ready, Trapped},
    problem::Problem,
    raised::Raised,
    step::{ENTRY_UNITS, Failed, What},
    strand::{Origin, Strand, StrandId},
};

/// Entry points that the branches of one fork may have.
const ENTRIES_MAX: usize = 10_000;
/// Strands that a run may have at once.
const STRANDS_MAX: usize = 10_000;

/// What a module said of a fork that it asks for.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    /// Entry points, and how many branches begin at each.
    entries: VecDeque<(u32, u64)>,
}

/// A fork that was asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    declared: Declared,
    at_once: u64,
    how: How,
    slot: u32,
    pc: u32,
}

/// How branches come together: see [`abi::fork`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// All must end well.
    Join,
    /// The first that ends well is the one.
    Compete,
    /// All end, well or not.
    Collect,
}

/// A fork whose branches run.
#[derive(Debug)]
pub(crate) struct Fork {
    asked: Asked,
    /// Branches that have begun.
    begun: u64,
    /// Branches that have begun and not ended.
    open: u64,
    /// It stands among what is ready, to begin its next branch.
    ready: bool,
    /// Holds what branches gave until all have ended.
    region: RegionId,
    /// By place.
    outputs: Vec<Handle>,
    /// Error objects by place.
    errors: Vec<(u64, Handle)>,
}

/// Where a turn goes on: at an entry point of the strand that is now current, or with its failure.
/// None: that strand rests.
pub(crate) type Next = Option<Result<u32, Failed>>;

impl Fork {
    /// The next branch: where it begins and its place.
    fn next(&mut self) -> Option<(u32, u64)> {
        let (pc, left) = self.asked.declared.entries.front_mut()?;
        let entry = *pc;
        *left -= 1;
        if *left == 0 {
            self.asked.declared.entries.pop_front();
        }
        let place = self.begun;
        self.begun += 1;
        self.open += 1;
        Some((entry, place))
    }

    /// Is there a branch that may begin now?
    fn has_next(&self) -> bool {
        !self.asked.declared.entries.is_empty() && self.open < self.asked.at_once
    }

    pub(crate) fn close(self, arena: &mut Arena) {
        arena.close_region(self.region);
    }

    /// Keeps what a branch gave.
    fn keep(&mut self, place: u64, output: Handle) {
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        if self.outputs.len() <= place {
            self.outputs.resize(place.saturating_add(1), Handle::UNDEFINED);
        }
        if let Some(kept) = self.outputs.get_mut(place) {
            *kept = output;
        }
    }

    /// What all branches gave together, in the fork's region, which is current.
    fn together(&mut self, arena: &mut Arena) -> Result<Handle, Fault> {
        let outputs = arena.arr_new(0)?;
        arena.charge(self.begun)?;
        for place in 0..self.begun {
            let kept = usize::try_from(place).ok().and_then(|place| self.outputs.get(place));
            // An item that is not there would move the others.
            let output = kept.copied().filter(|kept| !kept.is_undefined());
            arena.arr_push(outputs, output.unwrap_or(Handle::from_raw(abi::constant_node(abi::NODE_NULL))))?;
        }
        if self.asked.how != How::Collect {
            return Ok(outputs);
        }
        let errors = arena.arr_new(0)?;
        self.errors.sort_by_key(|(place, _)| *place);
        for (place, error) in &self.errors {
            #[expect(clippy::cast_precision_loss, reason = "a place is far below 2^53")]
            let place = arena.new_num(*place as f64)?;
            let entry = object(arena, [("index", place), ("error", *error)])?;
            arena.arr_push(errors, entry)?;
        }
        object(arena, [("output", outputs), ("errors", errors)])
    }
}

fn object<const N: usize>(arena: &mut Arena, fields: [(&str, Handle); N]) -> Result<Handle, Fault> {
    let object = arena.obj_new()?;
    for (key, value) in fields {
        let key = arena.new_text(key)?;
        arena.obj_set_dyn(object, key, value)?;
    }
    Ok(object)
}

/// The intrinsics.
impl Host {
    pub(crate) fn branch(&mut self, pc: u32, count: i64) -> Result<(), Trapped> {
        if self.module.task(pc).is_none() {
            return Err(Trapped::Module("the module begins a branch at a task it does not have"));
        }
        let count = u64::try_from(count).unwrap_or(0);
        if count > 0 {
            self.declared.entries.push_back((pc, count));
        }
        if self.declared.entries.len() > ENTRIES_MAX {
            return Err(Trapped::Module("the module begins more branches than a fork may have"));
        }
        Ok(())
    }

    pub(crate) fn fork(&mut self, at_once: u32, how: u32, slot: u32, pc: u32) -> Result<(), Trapped> {
        if !self.strand.frame.has_value(slot) {
            return Err(NO_SLOT);
        }
        let how = match how {
            abi::fork::JOIN => How::Join,
            abi::fork::COMPETE => How::Compete,
            abi::fork::COLLECT => How::Collect,
            _ => return Err(Trapped::Module("the module forks in a way that is not known")),
        };
        let at_once = if at_once == 0 { u64::MAX } else { u64::from(at_once) };
        let declared = std::mem::take(&mut self.declared);
        self.suspend(crate::host::Suspension::Fork(Box::new(Asked { declared, at_once, how, slot, pc })))
    }

    pub(crate) fn place(&mut self) -> Result<i64, Trapped> {
        Ok(self.strand.origin.map_or(0, |origin| origin.place.cast_signed()))
    }
}

/// The life of a fork.
impl Host {
    /// The current strand forks and rests until its branches have ended.
    pub(crate) fn forked(&mut self, asked: Asked) -> Next {
        let region = match self.strand.frame.open_region(&mut self.arena) {
            Ok(region) => region,
            Err(fault) => return Some(Err(fault.into())),
        };
        let (outputs, errors) = (Vec::new(), Vec::new());
        self.strand.fork = Some(Fork { asked, begun: 0, open: 0, ready: false, region, outputs, errors });
        self.go_on()
    }

    /// The fork of the current strand begins another branch, rests, or has ended.
    fn go_on(&mut self) -> Next {
        let strand = self.strand.id;
        let fork = self.strand.fork.as_mut()?;
        if fork.has_next() {
            if !std::mem::replace(&mut fork.ready, true) {
                self.ready.push_back(Ready::Branch(strand));
            }
            return None;
        }
        if fork.open > 0 {
            return None;
        }
        self.arena.enter(fork.region);
        let output = fork.together(&mut self.arena);
        Some(self.end_fork(output))
    }

    /// Begins the next branch of a strand's fork, if there still is one.
    pub(crate) fn begin_branch(&mut self, origin: StrandId) -> Next {
        self.switch(origin)?;
        let fork = self.strand.fork.as_mut()?;
        fork.ready = false;
        if !fork.has_next() {
            return None;
        }
        let (pc, place) = fork.next()?;
        if fork.has_next() {
            fork.ready = true;
            self.ready.push_back(Ready::Branch(origin));
        }
        match self.branch_frame() {
            Ok(frame) => {
                self.strands += 1;
                let branch = Strand::new(self.strands, frame, Some(Origin { strand: origin, place }));
                let before = std::mem::replace(&mut self.strand, branch);
                self.resting.insert(origin, before);
                self.strand.frame.enter(&mut self.arena);
                Some(Ok(pc))
            }
            Err(failed) => Some(Err(self.fork_failed(failed))),
        }
    }

    fn branch_frame(&mut self) -> Result<Frame, Failed> {
        if self.resting.len() >= STRANDS_MAX {
            return Err(Problem::strands(STRANDS_MAX).into());
        }
        self.arena.charge(ENTRY_UNITS)?;
        Ok(self.strand.frame.branch(&mut self.arena)?)
    }

    /// The current strand, a branch, has ended well.
    pub(crate) fn joined(&mut self) -> Next {
        let (branch, origin) = (self.strand.id, self.strand.origin?);
        let output = self.strand.frame.value(self.module.frame().output).unwrap_or(Handle::UNDEFINED);
        self.tell_left(output);
        self.switch(origin.strand)?;
        let fork = self.strand.fork.as_mut()?;
        fork.open = fork.open.saturating_sub(1);
        let output = self.arena.copy_into(output, fork.region);
        self.drop_strand(branch);
        match output {
            Err(fault) => Some(Err(self.fork_failed(fault.into()))),
            Ok(output) if fork_of(&mut self.strand).is_some_and(|fork| fork.asked.how == How::Compete) => {
                Some(self.end_fork(Ok(output)))
            }
            Ok(output) => {
                fork_of(&mut self.strand)?.keep(origin.place, output);
                self.go_on()
            }
        }
    }

    /// The current strand, a branch, has failed and nothing in it handled that.
    pub(crate) fn branch_failed(&mut self, failed: Failed) -> Next {
        let (branch, origin) = (self.strand.id, self.strand.origin?);
        let task = failed.task.clone().unwrap_or_else(|| self.task_pointer().to_owned());
        let failed = Failed { task: Some(task), ..failed };
        self.switch(origin.strand)?;
        let fork = self.strand.fork.as_mut()?;
        fork.open = fork.open.saturating_sub(1);
        let goes_on = match fork.asked.how {
            How::Join => false,
            How::Compete => fork.open > 0 || fork.has_next(),
            How::Collect => true,
        };
        if !goes_on {
            return Some(Err(self.fork_failed(failed)));
        }
        if fork.asked.how == How::Collect {
            let region = fork.region;
            match self.error_in(failed, region) {
                Ok(error) => fork_of(&mut self.strand)?.errors.push((origin.place, error)),
                Err(fault) => return Some(Err(self.fork_failed(fault.into()))),
            }
        }
        self.drop_strand(branch);
        self.go_on()
    }

    /// The error object of a failure, in a region.
    fn error_in(&mut self, failed: Failed, region: RegionId) -> Result<Handle, Fault> {
        let task = failed.task.unwrap_or_default();
        match failed.what {
            What::Raised(error) => {
                let error = Raised::complete(&mut self.arena, error, &task)?;
                self.arena.copy_into(error, region)
            }
            What::Problem(problem) => self.arena.import(&problem.object(&task), region),
        }
    }

    /// The fork of the current strand gives what it gives: the strand goes on behind it.
    fn end_fork(&mut self, output: Result<Handle, Fault>) -> Result<u32, Failed> {
        let output = match output {
            Ok(output) => output,
            Err(fault) => return Err(self.fork_failed(fault.into())),
        };
        self.drop_branches();
        let Some(fork) = self.strand.fork.take() else { return Err(Problem::lost().into()) };
        self.has_come();
        self.strand.frame.take_in(&mut self.arena, fork.asked.slot, output, fork.region);
        self.strand.frame.enter(&mut self.arena);
        self.resume()?;
        Ok(fork.asked.pc)
    }

    /// The fork of the current strand fails: its branches end, and the strand has the failure.
    pub(crate) fn fork_failed(&mut self, failed: Failed) -> Failed {
        let failed = match self.resume() {
            Err(fault) => fault.into(),
            // The error lies in a branch that goes now.
            Ok(()) => match failed.what {
                What::Raised(error) => match self.strand.frame.put_in_scratch(&mut self.arena, error) {
                    Ok(error) => Failed { what: What::Raised(error), ..failed },
                    Err(fault) => fault.into(),
                },
                What::Problem(_) => failed,
            },
        };
        self.stop_fork();
        failed
    }

    /// Ends the branches of the current strand, if it has any.
    pub(crate) fn stop_fork(&mut self) {
        self.drop_branches();
        if let Some(waiting) = self.strand.waits.take() {
            self.gone.push(waiting.ticket);
        }
        if let Some(fork) = self.strand.fork.take() {
            fork.close(&mut self.arena);
        }
        self.strand.frame.enter(&mut self.arena);
    }
}

fn fork_of(strand: &mut Strand) -> Option<&mut Fork> {
    strand.fork.as_mut()
}
