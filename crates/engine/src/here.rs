//! A run from its start to its end on the caller's thread.
//!
//! For programs that do nothing else meanwhile: a mapping by pipe, a test, a bench. There is no queue
//! and no neighbour to be fair to; a slice that ends goes on at once, unless the run is to stop.
//! Deliberately absent: calls (see [`crate::Engine::evaluate`] for mocks) and real waits.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use crate::{
    Failure, Outcome, Waits,
    calls::account_text,
    flight::{Asked, What},
    host::Host,
    later::Later,
    problem::Problem,
    run::Start,
    step::Entry,
    strand::MAIN,
    streams::no_stream,
    ticker::Ticker,
    turn::turn,
};

/// Where such runs have their turn: one at a time, so that one stack does for all.
#[derive(Debug, Default)]
pub(crate) struct Here(Mutex<()>);

impl Here {
    /// Runs a module to its end.
    pub(crate) fn run(&self, ticker: &Ticker, start: Start<'_>) -> Outcome {
        let turn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let host = match Host::new(start, Waits::Virtual) {
            Ok(host) => host,
            Err(fault) => return refused(Problem::fault(&fault)),
        };
        let running = ticker.running();
        // What panicked is dropped, and with it all it could have left half done.
        let outcome = catch_unwind(AssertUnwindSafe(|| to_its_end(host))).unwrap_or_else(|_| {
            tracing::error!("a step panicked; its run is lost");
            refused(Problem::lost())
        });
        drop((running, turn));
        outcome
    }
}

fn to_its_end(mut host: Box<Host>) -> Outcome {
    let mut later = Later::new();
    let mut next = (MAIN, Entry::Start);
    loop {
        let turned;
        (host, turned) = whole(turn(host, next.0, next.1));
        if let Some(result) = turned.end {
            return ended(&mut host, result);
        }
        turned.gone.into_iter().for_each(|ticket| later.forget(ticket));
        let now = host.now_ms();
        let asked = turned.asked.into_iter().filter(|asked| host.awaits(asked.strand, asked.ticket));
        for Asked { strand, ticket, what, limit } in asked.collect::<Vec<_>>() {
            match what {
                What::Wait { ms, pc } => {
                    later.add(now.saturating_add_unsigned(ms), ticket, (strand, Entry::Resume { pc }));
                }
                What::Call(call) => later.add(now, ticket, (strand, Entry::Failed(no_call(&host, call.operation)))),
                // Without calls there are no streams.
                What::Pull(_) => {
                    later.add(now, ticket, (strand, Entry::Failed(Problem::connector(&no_stream()))));
                }
                What::Fed(_) | What::Nothing => {}
            }
            if let Some((ms, pc)) = limit {
                later.add(now.saturating_add_unsigned(ms), ticket, (strand, Entry::TimedOut { pc }));
            }
        }
        next = match later.next() {
            Some((ms, next)) => {
                host.pass_until(ms);
                next
            }
            None => (host.strand.id, Entry::Failed(Problem::defect("LG-MODULE", "the module waits for nothing"))),
        };
    }
}

fn no_call(host: &Host, operation: u32) -> Problem {
    match host.module.callee(operation) {
        Some(authority) => {
            Problem::no_mock(account_text(&authority.account), &authority.connector, &authority.operation)
        }
        None => Problem::undeclared(),
    }
}

/// Polls until it is done: it waits for nothing but its next slice.
fn whole<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

fn ended(host: &mut Host, result: Result<lockgate_document::Document, Failure>) -> Outcome {
    let (tasks, bytes) = (host.gauge.tasks(), BTreeMap::new());
    let (arena_bytes_peak, waited_ms) = (host.arena.bytes_peak(), host.waited_ms());
    Outcome { result, cost: host.cost(), tasks, bytes, arena_bytes_peak, waited_ms }
}

fn refused(problem: Problem) -> Outcome {
    let result = Err(problem.into_failure(String::new(), None));
    Outcome { result, cost: 0, tasks: Vec::new(), bytes: BTreeMap::new(), arena_bytes_peak: 0, waited_ms: 0 }
}
