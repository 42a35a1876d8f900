//! A run from its start to its end: turns, and between them calls and waits.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::FutureExt as _;
use lockgate_document::{Document, Fault};
use lockgate_model::{Limits, RunId, Timestamp, id::AccountName};

use crate::{
    Budget, Control, Gauge, Module, Outcome, Waits, Watch,
    executor::{Begun, Executor, Lost},
    fair::Account,
    flight::{Asked, Pull, What},
    host::Host,
    pending::{Awaited, Came, Event, Next, Nothing, Pending},
    problem::Problem,
    reach::{Answered, Reach, Wrong},
    step::Entry,
    stop::Stop,
    strand::{MAIN, StrandId},
    streams::{Feed, Feeding, Open, Pulled, Source, no_stream},
    turn::{Turned, turn},
};

/// What a run is given.
pub(crate) struct Start<'a> {
    /// Its id; the nil one where no run was opened for it.
    pub(crate) id: RunId,
    pub(crate) module: &'a Arc<Module>,
    pub(crate) input: Document,
    pub(crate) limits: Limits,
    /// What its clock shows at the start.
    pub(crate) now: Timestamp,
    /// When that was.
    pub(crate) began: Instant,
    pub(crate) stop: Arc<Stop>,
    pub(crate) gauge: Arc<Gauge>,
    /// Who looks on; nobody where there is an environment.
    pub(crate) watch: Option<Arc<dyn Watch>>,
    /// What it may cost, where somebody waits for it who shares that.
    pub(crate) budget: Option<Arc<Budget>>,
}

impl<'a> Start<'a> {
    /// A run that starts now.
    pub(crate) fn new(
        module: &'a Arc<Module>,
        input: Document,
        limits: Limits,
        now: Timestamp,
        control: Control,
    ) -> Self {
        let began = Instant::now();
        // A limit past the end of the clock is no limit; a day is past every default.
        let wall = Duration::from_millis(limits.wall_ms_max);
        let deadline = began.checked_add(wall).unwrap_or(began + Duration::from_secs(86_400));
        let stop = Arc::new(Stop::new(deadline, control.cancel.clone()));
        let Control { gauge, budget, .. } = control;
        Self { id: RunId::NONE, module, input, limits, now, began, stop, gauge, watch: None, budget }
    }
}

/// A run between its turns.
struct Run {
    stop: Arc<Stop>,
    reach: Reach,
    pending: Pending,
    gauge: Arc<Gauge>,
    /// Streams that a strand's last call opened.
    opened: BTreeMap<StrandId, Open>,
    /// Streams that loops go over, by strand and slot, between two rounds.
    loops: BTreeMap<(StrandId, u32), Source>,
    /// Records on their way into calls while the module makes others of them, by the ticket of the call.
    feeds: BTreeMap<u64, Feeding>,
    /// What calls under way read from streams of other accounts, by ticket.
    sources: BTreeMap<u64, (AccountName, Arc<AtomicU64>)>,
    /// What runs of others that are waited for take, by ticket.
    within: BTreeMap<u64, Arc<Budget>>,
    /// Calls and runs of others that succeeded, by task and branch.
    succeeded: BTreeMap<(String, Vec<u64>), u32>,
}

/// Runs a module to its end.
pub(crate) async fn run(executor: &Executor, account: Account, start: Start<'_>, reach: Reach) -> Outcome {
    let (waits, until) = match &reach {
        Reach::Bound { .. } => (Waits::Real, None),
        Reach::Mocked(beside) => (beside.mocks.waits, beside.until),
    };
    let stop = Arc::clone(&start.stop);
    let mut run = Run {
        stop: Arc::clone(&stop),
        reach,
        pending: Pending::new(waits, until),
        gauge: Arc::clone(&start.gauge),
        opened: BTreeMap::new(),
        loops: BTreeMap::new(),
        feeds: BTreeMap::new(),
        sources: BTreeMap::new(),
        within: BTreeMap::new(),
        succeeded: BTreeMap::new(),
    };
    let mut host = match Host::new(start, waits) {
        Ok(host) => host,
        Err(fault) => return run.refused(Problem::fault(&fault)),
    };
    let mut next = (MAIN, Entry::Start);
    loop {
        let (back, turned) = match turned(executor, &account, &stop, host, next).await {
            Ok(turned) => turned,
            Err(Lost) => return run.refused(Problem::lost()),
        };
        host = back;
        run.gauge.has_cost(host.cost());
        if let Some(result) = turned.end {
            return run.ended(&mut host, result);
        }
        for strand in turned.strands_gone {
            run.opened.remove(&strand);
            run.loops.retain(|(of, _), _| *of != strand);
        }
        for strand in turned.failed {
            run.opened.remove(&strand);
        }
        for shut in turned.shut {
            run.loops.remove(&shut);
        }
        let asked = run.ask(&host, turned.asked).await;
        for ticket in turned.gone {
            run.pending.forget(ticket);
            run.feeds.remove(&ticket);
            run.read(ticket);
            // What was broken off has cost what it took; an empty budget is found by the next step.
            let _ = run.paid(&mut host, ticket, 0);
        }
        next = match asked {
            Ok(()) => run.next(&mut host).await,
            Err(problem) => (host.strand.id, Entry::Failed(problem)),
        };
        // Calls that are answered at once would otherwise keep this thread for ever.
        tokio::task::coop::consume_budget().await;
    }
}

/// One turn, here or on the workers.
async fn turned(
    executor: &Executor,
    account: &Account,
    stop: &Arc<Stop>,
    host: Box<Host>,
    (strand, entry): (StrandId, Entry),
) -> Result<(Box<Host>, Turned), Lost> {
    let mut ticket = match executor.begin(account, stop, turn(host, strand, entry))? {
        Begun::Ended(turned) => return Ok(turned),
        Begun::Queued(ticket) => ticket,
    };
    tokio::select! {
        biased;
        turned = &mut ticket => return turned,
        why = stop.reached() => stop.set(why),
    }
    ticket.expedite();
    ticket.await
}

impl Run {
    /// Begins what the strands want.
    async fn ask(&mut self, host: &Host, asked: Vec<Asked>) -> Result<(), Problem> {
        for Asked { strand, ticket, what, limit } in asked {
            // A branch that asked may have ended in the same turn: what it wanted must not happen.
            if !host.awaits(strand, ticket) {
                continue;
            }
            let awaited = match what {
                What::Wait { ms, pc } => Awaited::Time { ms, pc },
                What::Nothing => Awaited::Nothing,
                What::Pull(pull) => Awaited::Records(self.records(strand, ticket, pull, host.limits)?.boxed()),
                What::Fed(records) => {
                    if let Some(feeding) = self.feeds.remove(&ticket) {
                        let given = feeding.given(records.map(|records| *records), host.limits);
                        self.pending.pull((strand, ticket), given.boxed());
                    }
                    continue;
                }
                What::Call(call) => {
                    self.reach.durable(&self.stop).await?;
                    // A stream passes once: whoever comes next takes it, or it ends here.
                    let mut stream = self.opened.remove(&strand);
                    let feeding = match call.feeds.is_empty() {
                        false => Some(self.between(&mut stream, call.feeds.clone(), host.limits)?),
                        true => None,
                    };
                    let site = (call.task.clone(), call.branch.clone());
                    let occurrence = self.succeeded.get(&site).copied().unwrap_or(0);
                    let begun = self.reach.call(host, call, (stream, occurrence), limit, &self.stop);
                    if let Some(account) = begun.account {
                        self.gauge.count(account, |bytes| bytes.calls = bytes.calls.saturating_add(1));
                    }
                    if let Some(source) = begun.source {
                        self.sources.insert(ticket, source);
                    }
                    if let Some(budget) = begun.budget {
                        self.within.insert(ticket, budget);
                    }
                    if let Some(feeding) = feeding {
                        self.reads(ticket, feeding.source());
                        self.pending.pull((strand, ticket), feeding.next(host.limits).boxed());
                    }
                    Awaited::Call(begun.call)
                }
            };
            self.pending.wait_for(host, (strand, ticket), awaited, limit);
        }
        Ok(())
    }

    /// A call takes its stream by way of the module.
    fn between(&mut self, stream: &mut Option<Open>, feeds: Vec<Feed>, limits: Limits) -> Result<Feeding, Problem> {
        let source = stream.take().ok_or_else(no_stream).and_then(|open| open.source(&limits));
        let (feeding, open) = Feeding::between(source.map_err(|error| Problem::connector(&error))?, feeds);
        *stream = Some(open);
        Ok(feeding)
    }

    /// The next records of a stream that a loop goes over.
    fn records(
        &mut self,
        strand: StrandId,
        ticket: u64,
        pull: Pull,
        limits: Limits,
    ) -> Result<impl Future<Output = Next> + Send + use<>, Problem> {
        let source = match pull.first {
            true => self.opened.remove(&strand).ok_or_else(no_stream).and_then(|open| open.source(&limits)),
            false => self.loops.remove(&(strand, pull.slot)).ok_or_else(no_stream),
        };
        let mut source = source.map_err(|error| Problem::connector(&error))?;
        self.reads(ticket, &source);
        Ok(async move {
            let records = source.batch(pull.size, &limits).await;
            Next { pull, source, records }
        })
    }

    /// What comes of a source while a ticket waits for it is counted with its account.
    fn reads(&mut self, ticket: u64, source: &Source) {
        if let Some(account) = source.account.clone() {
            self.sources.insert(ticket, (account, Arc::clone(&source.read)));
        }
    }

    /// The strand that goes on next.
    async fn next(&mut self, host: &mut Host) -> (StrandId, Entry) {
        loop {
            if self.pending.is_time_alone() {
                self.gauge.waits();
            }
            let came = match self.pending.next(host, &self.stop).await {
                Ok(came) => came,
                Err(Nothing::Stopped(why)) => return (host.strand.id, Entry::Failed(Problem::stopped(why))),
                Err(Nothing::Idle) => {
                    let detail = "the module waits for nothing";
                    return (host.strand.id, Entry::Failed(Problem::defect("LG-MODULE", detail)));
                }
            };
            let Came { strand, ticket, event } = came;
            if !matches!(event, Event::Pulled(_)) {
                self.read(ticket);
            }
            let entry = match event {
                Event::Pulled(pulled) => {
                    let Pulled { feeding, records } = *pulled;
                    // Without records the call goes on by itself to its end.
                    let (Some(records), Some(Feed { slot, pc })) = (records, feeding.feed()) else { continue };
                    if feeding.is_first() {
                        host.allow_for(&records);
                    }
                    self.feeds.insert(ticket, feeding);
                    Entry::Records { records, slot, pc }
                }
                Event::Records(next) => {
                    if let Ok(Some(records)) = &next.records {
                        host.allow_for(records);
                    }
                    self.came(strand, *next)
                }
                Event::Passed { pc } => Entry::Resume { pc },
                Event::TimedOut { pc } => Entry::TimedOut { pc },
                Event::Answered(answered) => match self.paid(host, ticket, answered.cost) {
                    Ok(()) => self.answered(strand, *answered),
                    Err(fault) => Entry::Failed(Problem::fault(&fault)),
                },
            };
            if host.awaits(strand, ticket) {
                return (strand, entry);
            }
        }
    }

    /// Records for a loop, or the end of its stream.
    fn came(&mut self, strand: StrandId, next: Next) -> Entry {
        let Next { pull, source, records } = next;
        match records {
            Ok(Some(records)) => {
                self.loops.insert((strand, pull.slot), source);
                Entry::Answer { document: Arc::new(records), slot: pull.slot, pc: pull.pc }
            }
            Ok(None) => Entry::Resume { pc: pull.done },
            Err(error) => Entry::Failed(Problem::connector(&error)),
        }
    }

    fn answered(&mut self, strand: StrandId, answered: Answered) -> Entry {
        let Answered { result, asked, .. } = answered;
        let given = match result {
            Ok(given) => given,
            Err(Wrong::Problem(problem)) => return Entry::Failed(problem),
            Err(Wrong::Raised(error)) => return Entry::Raised(error),
        };
        if let Some((account, read, written)) = given.passed {
            self.gauge.count(account, |bytes| {
                bytes.read = bytes.read.saturating_add(read);
                bytes.written = bytes.written.saturating_add(written);
            });
        }
        *self.succeeded.entry((asked.task, asked.branch)).or_default() += 1;
        if let Some(opened) = given.opened {
            self.opened.insert(strand, opened);
        }
        match given.document {
            Some(document) => Entry::Answer { document, slot: asked.slot, pc: asked.pc },
            None => Entry::Resume { pc: asked.pc },
        }
    }

    /// Counts what a call that ended has read from another account's stream.
    fn read(&mut self, ticket: u64) {
        if let Some((account, read)) = self.sources.remove(&ticket) {
            let read = read.swap(0, Ordering::Relaxed);
            self.gauge.count(account, |bytes| bytes.read = bytes.read.saturating_add(read));
        }
    }

    /// A run of another that a ticket waited for has ended, or is not waited for any more.
    fn paid(&mut self, host: &mut Host, ticket: u64, cost: u64) -> Result<(), Fault> {
        self.within.remove(&ticket).map_or(Ok(()), |budget| host.has_within(&budget, cost))
    }

    fn ended(self, host: &mut Host, result: Result<Document, crate::Failure>) -> Outcome {
        host.tell_ended();
        self.gauge.has_cost(host.cost());
        Outcome { waited_ms: host.waited_ms(), ..self.outcome(result, host.arena.bytes_peak()) }
    }

    /// An end without a host: at the start, or when it was lost.
    fn refused(self, problem: Problem) -> Outcome {
        self.outcome(Err(problem.into_failure(String::new(), None)), 0)
    }

    fn outcome(mut self, result: Result<Document, crate::Failure>, arena_bytes_peak: u64) -> Outcome {
        // What a stop broke off was read all the same.
        let open: Vec<u64> = self.sources.keys().copied().collect();
        for ticket in open {
            self.read(ticket);
        }
        let within: u64 = self.within.values().map(|budget| budget.taken()).sum();
        let cost = self.gauge.cost().saturating_add(within);
        let (tasks, bytes) = (self.gauge.tasks(), self.gauge.take_bytes());
        Outcome { result, cost, tasks, bytes, arena_bytes_peak, waited_ms: 0 }
    }
}
