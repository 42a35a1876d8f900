//! The strands of a run: its main line and the branches of its forks, each with a frame of its own.
//!
//! One strand is current and works on the run's arena; the others rest: they wait for an answer, for time,
//! or for the branches of their own fork.

use std::collections::BTreeMap;

use lockgate_document::Handle;

use crate::{fork::Fork, frame::Frame, host::Host, ledger::Timing, step::Caught, streams::Feed};

/// A strand's number within its run; a branch's is higher than that of the strand that forked.
pub(crate) type StrandId = u32;

/// The main line.
pub(crate) const MAIN: StrandId = 0;

/// One line of a run.
pub(crate) struct Strand {
    pub(crate) id: StrandId,
    pub(crate) frame: Frame,
    /// The task that is current for errors.
    pub(crate) pc: u32,
    /// Failures that handlers have, by the slot of the error.
    pub(crate) caught: BTreeMap<u32, Caught>,
    pub(crate) timing: Timing,
    /// Where a branch comes from; none for the main line.
    pub(crate) origin: Option<Origin>,
    /// The branches that it waits for.
    pub(crate) fork: Option<Fork>,
    /// What it waits for.
    pub(crate) waits: Option<Waiting>,
    /// What records go by on their way into the call that it makes next.
    pub(crate) feeds: Vec<Feed>,
    /// The task whose call waits while records go by.
    pub(crate) caller: Option<u32>,
    /// Streams that its loops go over: the slot and the task of each.
    pub(crate) streams: Vec<(u32, String)>,
}

/// Where a branch comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    /// The strand that forked.
    pub(crate) strand: StrandId,
    /// Which of its branches this is, from 0.
    pub(crate) place: u64,
}

/// What a strand at rest waits for.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// What comes for it has the same number; anything else comes too late.
    pub(crate) ticket: u64,
    pub(crate) call: WaitingCall,
}

/// How far the call of a strand at rest is.
#[derive(Debug)]
pub(crate) enum WaitingCall {
    /// It makes none.
    None,
    /// It has to wait for its turn: too many are in flight.
    Queued { operation: u32, input: Handle, slot: u32, pc: u32 },
    /// Its answer is awaited.
    InFlight { bytes: u64 },
}

impl Strand {
    /// The main line of a run.
    pub(crate) fn main(frame: Frame) -> Self {
        Self::new(MAIN, frame, None)
    }

    /// A strand that has not begun.
    pub(crate) fn new(id: StrandId, frame: Frame, origin: Option<Origin>) -> Self {
        Self {
            id,
            frame,
            pc: 0,
            caught: BTreeMap::new(),
            timing: None,
            origin,
            fork: None,
            waits: None,
            feeds: Vec::new(),
            caller: None,
            streams: Vec::new(),
        }
    }
}

impl Host {
    /// Makes a strand current; none where it is gone.
    pub(crate) fn switch(&mut self, id: StrandId) -> Option<()> {
        if self.strand.id != id {
            let next = self.resting.remove(&id)?;
            let before = std::mem::replace(&mut self.strand, next);
            self.resting.insert(before.id, before);
        }
        self.strand.frame.enter(&mut self.arena);
        Some(())
    }

    /// A strand, wherever it is.
    pub(crate) fn strand(&self, id: StrandId) -> Option<&Strand> {
        if self.strand.id == id { Some(&self.strand) } else { self.resting.get(&id) }
    }

    /// Ends all strands that come from the current one.
    pub(crate) fn drop_branches(&mut self) {
        // A branch has a higher number than its origin, so one pass finds the branches of branches too.
        let mut origins = std::collections::BTreeSet::from([self.strand.id]);
        for strand in self.resting.values() {
            if strand.origin.is_some_and(|origin| origins.contains(&origin.strand)) {
                origins.insert(strand.id);
            }
        }
        origins.remove(&self.strand.id);
        for id in origins {
            self.drop_strand(id);
        }
    }

    /// Ends a resting strand.
    pub(crate) fn drop_strand(&mut self, id: StrandId) {
        let Some(mut strand) = self.resting.remove(&id) else { return };
        self.gauge.leaves(&mut strand.timing);
        if let Some(waiting) = strand.waits.take() {
            self.gone.push(waiting.ticket);
            self.landed(&waiting.call);
        }
        if let Some(fork) = strand.fork {
            fork.close(&mut self.arena);
        }
        strand.frame.close(&mut self.arena);
        self.strands_gone.push(id);
    }

    /// The places of the current strand within its forks, the outermost first.
    pub(crate) fn branch_path(&self, id: StrandId) -> Vec<u64> {
        let origins = std::iter::successors(self.strand(id).and_then(|strand| strand.origin), |origin| {
            self.strand(origin.strand).and_then(|strand| strand.origin)
        });
        let mut path: Vec<u64> = origins.map(|origin| origin.place).collect();
        path.reverse();
        path
    }
}
