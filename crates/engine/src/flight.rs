//! Calls in flight: how many a run may have at once, and which wait for others to end.
//!
//! What a call is given is a document of its own while it flies. Together these documents are held to the
//! arena's size; a call past that, or past the number of calls, stays a value of the arena until others landed.

use lockgate_document::{Document, Handle};

use crate::{
    host::{Host, Input, Ready, Suspension},
    problem::Problem,
    step::{Entry, Failed},
    strand::{StrandId, Waiting, WaitingCall},
    streams::Feed,
};

/// What a turn leaves to wait for.
pub(crate) struct Asked {
    pub(crate) strand: StrandId,
    /// What comes for it has this number.
    pub(crate) ticket: u64,
    pub(crate) what: What,
    /// Whatever is asked, it ends after so many milliseconds, and goes on at an entry point.
    pub(crate) limit: Option<(u64, u32)>,
}

/// What is asked for.
pub(crate) enum What {
    /// An operation of an account, or an orchestration.
    Call(CallAsked),
    /// Time to pass.
    Wait { ms: u64, pc: u32 },
    /// The next records of a stream.
    Pull(Pull),
    /// The call that waits gets these records; none where none are left of those it was about to get.
    Fed(Option<Box<Document>>),
    /// Nothing that comes from outside: branches run, or the call has to wait.
    Nothing,
}

/// Records to get.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pull {
    /// The slot that gets them, by which the stream is known.
    pub(crate) slot: u32,
    /// How many; 0 is as they come.
    pub(crate) size: u32,
    /// The stream is the one that was opened last.
    pub(crate) first: bool,
    /// Where to go on.
    pub(crate) pc: u32,
    /// Where to go on when there are none.
    pub(crate) done: u32,
}

/// A call to make.
pub(crate) struct CallAsked {
    pub(crate) operation: u32,
    pub(crate) input: Document,
    pub(crate) slot: u32,
    pub(crate) pc: u32,
    /// Pointer of the task that calls.
    pub(crate) task: String,
    /// Places within the forks around it.
    pub(crate) branch: Vec<u64>,
    /// What the records that it takes go by, one after the other.
    pub(crate) feeds: Vec<Feed>,
}

impl Host {
    /// May another call begin?
    pub(crate) fn may_call(&self) -> bool {
        let (calls, bytes) = self.flight;
        calls < self.limits.calls_in_flight_max.max(1) && (calls == 0 || bytes < self.limits.arena_bytes_max)
    }

    /// A call that flew, or waited to, has ended.
    pub(crate) fn landed(&mut self, call: &WaitingCall) {
        if let WaitingCall::InFlight { bytes } = call {
            let (calls, before) = self.flight;
            self.flight = (calls.saturating_sub(1), before.saturating_sub(*bytes));
        }
    }

    /// What the current strand waits for from now on; none where nothing comes from outside.
    pub(crate) fn rest(&mut self, suspension: Suspension) -> Option<Asked> {
        if let Suspension::Fed(records) = suspension {
            return self.fed_on(records);
        }
        self.tickets += 1;
        let (strand, ticket, limit) = (self.strand.id, self.tickets, self.time_limit());
        let asked = |what| Asked { strand, ticket, what, limit };
        let (call, asked) = match suspension {
            Suspension::Call { operation, input: Input::Document(input), slot, pc } => {
                let (call, what) = self.take_off(operation, *input, slot, pc);
                (call, Some(asked(what)))
            }
            Suspension::Call { operation, input: Input::Value(input), slot, pc } => {
                self.queue.push_back((strand, ticket));
                (WaitingCall::Queued { operation, input, slot, pc }, limit.map(|_| asked(What::Nothing)))
            }
            Suspension::Wait { ms, pc } => {
                self.tell_waited(ms);
                (WaitingCall::None, Some(asked(What::Wait { ms, pc })))
            }
            Suspension::Pull(pull) => (WaitingCall::None, Some(asked(What::Pull(pull)))),
            Suspension::Fork(_) | Suspension::Fed(_) => return self.rest_on_branches(),
        };
        self.strand.waits = Some(Waiting { ticket, call });
        asked
    }

    /// Records have gone by: the current strand waits on for its call.
    fn fed_on(&mut self, records: Option<Box<Document>>) -> Option<Asked> {
        if let Some(pc) = self.strand.caller.take() {
            self.strand.pc = pc;
        }
        let ticket = self.strand.waits.as_ref()?.ticket;
        Some(Asked { strand: self.strand.id, ticket, what: What::Fed(records), limit: None })
    }

    /// The current strand waits for its branches from now on; what is asked for is the end of its time.
    pub(crate) fn rest_on_branches(&mut self) -> Option<Asked> {
        let limit = self.time_limit()?;
        self.tickets += 1;
        let (strand, ticket) = (self.strand.id, self.tickets);
        self.strand.waits = Some(Waiting { ticket, call: WaitingCall::None });
        Some(Asked { strand, ticket, what: What::Nothing, limit: Some(limit) })
    }

    fn take_off(&mut self, operation: u32, input: Document, slot: u32, pc: u32) -> (WaitingCall, What) {
        let bytes = input.bytes_used();
        let (calls, before) = self.flight;
        self.flight = (calls + 1, before.saturating_add(bytes));
        let (task, branch) = (self.task_pointer().to_owned(), self.branch_path(self.strand.id));
        let feeds = std::mem::take(&mut self.strand.feeds);
        (WaitingCall::InFlight { bytes }, What::Call(CallAsked { operation, input, slot, pc, task, branch, feeds }))
    }

    /// Begins calls that had to wait, as many as may.
    pub(crate) fn begin_queued(&mut self, asked: &mut Vec<Asked>) {
        while self.may_call() {
            let Some((strand, ticket)) = self.queue.pop_front() else { return };
            let waits = self.strand(strand).and_then(|strand| strand.waits.as_ref());
            let Some(WaitingCall::Queued { operation, input, slot, pc }) =
                waits.filter(|waits| waits.ticket == ticket).map(|waits| &waits.call)
            else {
                continue;
            };
            let (operation, input, slot, pc): (u32, Handle, u32, u32) = (*operation, *input, *slot, *pc);
            if self.switch(strand).is_none() {
                continue;
            }
            match self.export(input) {
                Ok(input) => {
                    let (call, what) = self.take_off(operation, input, slot, pc);
                    let limit = self.time_limit();
                    self.strand.waits = Some(Waiting { ticket, call });
                    asked.push(Asked { strand, ticket, what, limit });
                }
                Err(fault) => {
                    self.ready.push_back(Ready::Strand(strand, Entry::Fails(Failed::from(fault))));
                    return;
                }
            }
        }
    }

    /// Something has come: does its strand still wait for it?
    pub(crate) fn awaits(&self, strand: StrandId, ticket: u64) -> bool {
        let waits = self.strand(strand).and_then(|strand| strand.waits.as_ref());
        waits.is_some_and(|waits| waits.ticket == ticket)
    }

    /// The current strand has what it waited for.
    pub(crate) fn has_come(&mut self) {
        self.strand.caller = None;
        if let Some(waits) = self.strand.waits.take() {
            self.gone.push(waits.ticket);
            self.landed(&waits.call);
        }
    }
}

impl Problem {
    /// More strands than a run may have.
    pub(crate) fn strands(max: usize) -> Self {
        Self::limit("LG-LIMIT-BRANCHES", format!("the run has more than {max} branches at once"))
    }
}
