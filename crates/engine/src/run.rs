//! A run from its start to its end: turns, and between them calls and waits.

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use lockgate_access::ExecutePermit;
use lockgate_connector_api::Call;
use lockgate_document::Document;
use lockgate_model::{
    Limits, Timestamp,
    id::AccountName,
    run::{Bytes, TaskTime},
};

use crate::{
    CallSite, Called, Calls, CancelToken, Mock, Mocks, Module, Outcome, Waits, Watch,
    calls::account_text,
    executor::{Begun, Executor, Lost},
    fair::Account,
    host::{Host, Suspension},
    problem::Problem,
    step::{Entry, Turn, turn},
    stop::Stop,
    streams::{Open, no_stream},
};

/// What a run is given.
pub(crate) struct Start<'a> {
    pub(crate) module: &'a Arc<Module>,
    pub(crate) input: Document,
    pub(crate) limits: Limits,
    /// What its clock shows at the start.
    pub(crate) now: Timestamp,
    /// When that was.
    pub(crate) began: Instant,
    pub(crate) stop: Arc<Stop>,
    /// Who looks on; nobody where there is an environment.
    pub(crate) watch: Option<Arc<dyn Watch>>,
}

impl<'a> Start<'a> {
    /// A run that starts now.
    pub(crate) fn new(
        module: &'a Arc<Module>,
        input: Document,
        limits: Limits,
        now: Timestamp,
        cancel: CancelToken,
    ) -> Self {
        let began = Instant::now();
        // A limit past the end of the clock is no limit; a day is past every default.
        let wall = Duration::from_millis(limits.wall_ms_max);
        let deadline = began.checked_add(wall).unwrap_or(began + Duration::from_secs(86_400));
        Self { module, input, limits, now, began, stop: Arc::new(Stop::new(deadline, cancel)), watch: None }
    }
}

/// What stands at the other end of a run's calls.
pub(crate) enum Reach {
    /// Bound accounts, under a permit.
    Bound {
        permit: ExecutePermit,
        calls: Arc<dyn Calls>,
        /// The permit's receipt has become durable.
        durable: bool,
    },
    /// Mocks.
    Mocked {
        mocks: Mocks,
        /// Calls so far, by list of mocks.
        taken: BTreeMap<String, usize>,
    },
}

/// A run between its turns.
struct Run<'a> {
    executor: &'a Executor,
    account: Account,
    stop: Arc<Stop>,
    reach: Reach,
    limits: Limits,
    bytes: BTreeMap<AccountName, Bytes>,
    /// Successful calls by task.
    succeeded: BTreeMap<String, u32>,
    /// As of the last turn, in case the next one is lost.
    cost: u64,
}

/// Runs a module to its end.
pub(crate) async fn run(executor: &Executor, account: Account, start: Start<'_>, reach: Reach) -> Outcome {
    let waits = match &reach {
        Reach::Bound { .. } => Waits::Real,
        Reach::Mocked { mocks, .. } => mocks.waits,
    };
    let (stop, limits) = (Arc::clone(&start.stop), start.limits);
    let (bytes, succeeded) = (BTreeMap::new(), BTreeMap::new());
    let mut run = Run { executor, account, stop, reach, limits, bytes, succeeded, cost: 0 };
    // A stream that the call before opened.
    let mut opened = None;
    let mut host = match Host::new(start, waits) {
        Ok(host) => host,
        Err(fault) => return run.refused(Problem::fault(&fault)),
    };
    let mut entry = Entry::Start;
    loop {
        let turned = match run.turn(host, entry).await {
            Ok(turned) => turned,
            Err(Lost) => {
                return run.refused(Problem::lost());
            }
        };
        host = turned.0;
        run.cost = host.cost();
        entry = match turned.1 {
            Turn::Done(output) => return run.ended(&mut host, Ok(output)),
            Turn::Failed(failure) => return run.ended(&mut host, Err(failure)),
            Turn::Suspended(Suspension::Wait { ms, pc }) => run.wait(&mut host, waits, ms, pc).await,
            Turn::Suspended(Suspension::Call { operation, input, slot, pc }) => {
                let limit = host.time_limit();
                let late = async {
                    match limit {
                        Some((left, _)) => tokio::time::sleep(Duration::from_millis(left)).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    answer = run.call(&host, operation, *input, &mut opened) => match answer {
                        Ok(document) => Entry::Answer { document, slot, pc },
                        Err(problem) => Entry::Failed(problem),
                    },
                    () = late => Entry::TimedOut { pc: limit.map_or(0, |(_, pc)| pc) },
                }
            }
        };
        // Calls that are answered at once would otherwise keep this thread for ever.
        tokio::task::coop::consume_budget().await;
    }
}

impl Run<'_> {
    async fn turn(&self, host: Box<Host>, entry: Entry) -> Result<(Box<Host>, Turn), Lost> {
        let mut ticket = match self.executor.begin(&self.account, &self.stop, turn(host, entry))? {
            Begun::Ended(turned) => return Ok(turned),
            Begun::Queued(ticket) => ticket,
        };
        tokio::select! {
            biased;
            turned = &mut ticket => return turned,
            why = self.stop.reached() => self.stop.set(why),
        }
        ticket.expedite();
        ticket.await
    }

    async fn wait(&self, host: &mut Host, waits: Waits, ms: u64, pc: u32) -> Entry {
        let (ms, entry) = match host.time_limit() {
            Some((left, pc)) if left < ms => (left, Entry::TimedOut { pc }),
            _ => (ms, Entry::Resume { pc }),
        };
        host.waited(ms);
        if waits == Waits::Real {
            tokio::select! {
                biased;
                why = self.stop.reached() => return Entry::Failed(Problem::stopped(why)),
                () = tokio::time::sleep(Duration::from_millis(ms)) => {}
            }
        }
        entry
    }

    async fn call(
        &mut self,
        host: &Host,
        operation: u32,
        input: Document,
        opened: &mut Option<Open>,
    ) -> Result<Arc<Document>, Problem> {
        let authority = host.module.operation(operation).ok_or_else(Problem::undeclared)?;
        let task = host.task_pointer();
        // It passes once: whoever comes next takes it, or it ends here.
        let stream = opened.take();
        match &mut self.reach {
            Reach::Mocked { mocks, taken } => match mocks.next(authority, taken, |mock| {
                host.tell_called(&Called { authority, input: &input, mock });
            }) {
                Some(Mock::Answer(document)) => {
                    let document = Arc::clone(document);
                    if let Some(format) = &authority.takes {
                        let body = stream.ok_or_else(no_stream).and_then(|open| open.body(format));
                        let written = match body {
                            Ok(body) => body.collect(self.limits.arena_bytes_max).await,
                            Err(error) => Err(error),
                        };
                        host.tell_streamed(&written.map_err(|error| Problem::connector(&error))?);
                    }
                    if authority.streams {
                        *opened = Some(Open::mocked(&document, account_text(&authority.account)));
                    }
                    Ok(document)
                }
                Some(Mock::Error(error)) => Err(Problem::mock(error)),
                None => {
                    Err(Problem::no_mock(account_text(&authority.account), &authority.connector, &authority.operation))
                }
            },
            Reach::Bound { permit, calls, durable } => {
                if !*durable {
                    tokio::select! {
                        biased;
                        why = self.stop.reached() => return Err(Problem::stopped(why)),
                        receipt = permit.receipt().durable() => receipt.map_err(|e| Problem::not_durable(e.to_string()))?,
                    }
                    *durable = true;
                }
                let account = calls.account(operation);
                let occurrence = self.succeeded.get(task).copied().unwrap_or(0);
                let site = CallSite { operation, task: task.to_owned(), occurrence };
                let mut call = Call::new(authority.operation.clone(), input, self.stop.deadline());
                call.limits = self.limits;
                call.stream = authority.streams;
                let mut source = None;
                if let Some(format) = &authority.takes {
                    let open = stream.ok_or_else(no_stream).map_err(|error| Problem::connector(&error))?;
                    source = Some((open.account.clone(), Arc::clone(&open.read)));
                    call.body = Some(open.body(format).map_err(|error| Problem::connector(&error))?);
                }
                let calls = Arc::clone(calls);
                // The connector's own code may panic where it is called and where it is polled.
                let calling = AssertUnwindSafe(async move { calls.call(site, call).await }).catch_unwind();
                let bytes = self.bytes.entry(account.clone()).or_default();
                bytes.calls = bytes.calls.saturating_add(1);
                let answer = tokio::select! {
                    biased;
                    why = self.stop.reached() => Err(Problem::stopped(why)),
                    answer = calling => answer.map_err(|_| Problem::connector_panicked()),
                };
                if let Some((Some(account), read)) = source {
                    let bytes = self.bytes.entry(account).or_default();
                    bytes.read = bytes.read.saturating_add(read.load(Ordering::Relaxed));
                }
                let answer = answer?;
                let answer = answer.map_err(|error| Problem::connector(&error))?;
                let bytes = self.bytes.entry(account.clone()).or_default();
                bytes.read = bytes.read.saturating_add(answer.read);
                bytes.written = bytes.written.saturating_add(answer.written);
                *self.succeeded.entry(task.to_owned()).or_default() += 1;
                if authority.streams {
                    let streamed = answer.stream.ok_or_else(no_stream).map_err(|error| Problem::connector(&error))?;
                    *opened = Some(Open { streamed, account: Some(account), read: Arc::default() });
                }
                Ok(Arc::new(answer.output))
            }
        }
    }

    fn ended(self, host: &mut Host, result: Result<Document, crate::Failure>) -> Outcome {
        host.tell_ended();
        let tasks = host.task_times();
        self.outcome(result, tasks, host.arena.bytes_peak())
    }

    /// An end without a host: at the start, or when it was lost.
    fn refused(self, problem: Problem) -> Outcome {
        self.outcome(Err(problem.into_failure(String::new(), None)), Vec::new(), 0)
    }

    fn outcome(self, result: Result<Document, crate::Failure>, tasks: Vec<TaskTime>, arena_bytes_peak: u64) -> Outcome {
        Outcome { result, cost: self.cost, tasks, bytes: self.bytes, arena_bytes_peak }
    }
}
