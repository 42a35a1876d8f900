//! One turn of a run: its strands go on, one after the other, until each rests or the run ends.
//!
//! Nothing here waits: see `executor.rs` for whose turn it is, `run.rs` for calls and waits.

use std::{task::Poll, time::Instant};

use lockgate_document::Document;

use crate::{
    Failure,
    config::TICK,
    flight::Asked,
    host::{Host, Ready, Suspension},
    step::{Ended, Entry, step},
    strand::StrandId,
};

/// What a turn gave.
#[derive(Default)]
pub(crate) struct Turned {
    /// How the run ended, if it did.
    pub(crate) end: Option<Result<Document, Failure>>,
    /// What strands wait for now.
    pub(crate) asked: Vec<Asked>,
    /// Tickets that nothing waits for any more.
    pub(crate) gone: Vec<u64>,
    /// Strands that ended.
    pub(crate) strands_gone: Vec<StrandId>,
    /// Streams that loops want no more of.
    pub(crate) shut: Vec<(StrandId, u32)>,
    /// Strands that caught a failure.
    pub(crate) failed: Vec<StrandId>,
}

/// Runs a turn that begins with one strand.
pub(crate) async fn turn(mut host: Box<Host>, strand: StrandId, entry: Entry) -> (Box<Host>, Turned) {
    let mut turned = Turned::default();
    // Since the first rest or failure.
    let mut slice = None;
    let mut first = Some(Ready::Strand(strand, entry));
    loop {
        let ready = match first.take().or_else(|| host.ready.pop_front()) {
            Some(ready) => ready,
            None => {
                host.begin_queued(&mut turned.asked);
                match host.ready.pop_front() {
                    Some(ready) => ready,
                    None => break,
                }
            }
        };
        let mut next = match ready {
            Ready::Strand(strand, entry) => host.switch(strand).map(|()| host.begin(entry)),
            Ready::Branch(origin) => host.begin_branch(origin),
        };
        while let Some(at) = next {
            let ended = match at {
                Ok(pc) => {
                    let (back, ended) = step(host, pc).await;
                    host = back;
                    ended
                }
                Err(failed) => Err(failed),
            };
            next = match ended {
                Ok(Ended::Done(output)) => {
                    turned.end = Some(Ok(output));
                    return (host, turned);
                }
                Ok(Ended::Joined) => host.joined(),
                Ok(Ended::Suspended(Suspension::Fork(fork))) => {
                    // It may have a time limit, whatever its branches do.
                    turned.asked.extend(host.rest_on_branches());
                    host.forked(*fork)
                }
                Ok(Ended::Suspended(suspension)) => {
                    turned.asked.extend(host.rest(suspension));
                    None
                }
                Err(failed) => {
                    // A call that still gets records which go by this strand ends with it.
                    host.has_come();
                    match host.catch(failed) {
                        Ok(pc) => Some(Ok(pc)),
                        Err(failed) if host.strand.origin.is_none() || !failed.is_catchable() => {
                            turned.end = Some(Err(host.failure(failed)));
                            return (host, turned);
                        }
                        Err(failed) => host.branch_failed(failed),
                    }
                }
            };
            // Many short steps, or failing ones, have no other point where they yield.
            let goes_on = next.is_some() || !host.ready.is_empty();
            if goes_on && slice.get_or_insert_with(Instant::now).elapsed() >= TICK {
                yield_now().await;
                slice = None;
            }
        }
    }
    turned.gone = std::mem::take(&mut host.gone);
    turned.strands_gone = std::mem::take(&mut host.strands_gone);
    turned.shut = std::mem::take(&mut host.shut);
    turned.failed = std::mem::take(&mut host.failed);
    (host, turned)
}

/// Gives the turn back once.
async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|_| if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}
