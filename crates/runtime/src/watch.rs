//! One execute as it is watched: its spans, its log lines, its counts. Metadata alone; whatever
//! happens here, the run goes on.
//!
//! The tree of a trace: `request` (which may be under a span of the caller's) over `decide` and
//! `run`; under `run` one span for each task that was entered, however often, and under those the
//! calls of accounts.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use lockgate_connector_api::{Answer, Error as ConnectorError, Kind as ErrorKind, Spec};
use lockgate_model::{
    RunId, RunRecord, Target, Timestamp, TraceContext,
    id::{AccountName, TenantId},
    run::{Phase, RunEnd},
    trace::SpanId,
};
use lockgate_store::{Store, Written};
use lockgate_telemetry::{Event, Line, Span, SpanKind, Telemetry, Tracer, Value, new_span, new_trace};

use crate::Clock;

/// Calls of one run that get a span of their own; more are counted in the run's.
const CALLS_MAX: usize = 256;
/// Stands in counts for an operation that the connector does not have.
const OTHER: &str = "other";

/// Counts how long the store takes.
pub(crate) fn observe(store: &dyn Store, telemetry: &Arc<Telemetry>) {
    let telemetry = telemetry.clone();
    store.observe(Arc::new(move |written, took| match written {
        Written::Definitions => telemetry.metrics.committed(took),
        Written::Runs => telemetry.metrics.appended(took),
    }));
}

/// The trace an execute is in.
pub(crate) struct Trace {
    /// As it came; it goes on to endpoints as it is where nothing is recorded here.
    came: Option<TraceContext>,
    recorded: Option<Recorded>,
}

/// What is recorded of a trace.
struct Recorded {
    tracer: Tracer,
    telemetry: Arc<Telemetry>,
    /// The trace, at the span `request`.
    request: TraceContext,
    run: SpanId,
    began: Timestamp,
    spans: Vec<Span>,
}

impl Trace {
    /// A request has come. It is recorded where spans are exported, unless its caller says that it
    /// does not record the trace.
    pub(crate) fn begin(telemetry: &Arc<Telemetry>, came: Option<TraceContext>, now: Timestamp) -> Self {
        let recorded =
            telemetry.tracer().filter(|_| came.as_ref().is_none_or(TraceContext::is_sampled)).and_then(|tracer| {
                let (own, run) = (new_span()?, new_span()?);
                let request = match &came {
                    Some(came) => came.under(own),
                    None => TraceContext::begin(new_trace()?, own),
                };
                let (tracer, telemetry) = (tracer.clone(), telemetry.clone());
                Some(Recorded { tracer, telemetry, request, run, began: now, spans: Vec::new() })
            });
        Self { came, recorded }
    }

    /// Access has decided; `rule` is its code and what it is about.
    pub(crate) fn decided(&mut self, now: Timestamp, rule: &str) {
        let Some(recorded) = &mut self.recorded else { return };
        let Some(id) = new_span() else { return };
        let code = rule.split(' ').next().unwrap_or_default();
        let attributes = vec![("lockgate.rule", code.into())];
        let span = recorded.span(id, recorded.request.parent, "decide", SpanKind::Internal, recorded.began, now);
        recorded.spans.push(Span { attributes, ..span });
    }

    /// Access said no: the trace ends here.
    pub(crate) fn refused(self, target: &Target, tenant: &TenantId, now: Timestamp) {
        let Some(mut recorded) = self.recorded else { return };
        let attributes = about(target, tenant);
        recorded.end(self.came.map(|came| came.parent), attributes, true, now);
    }
}

impl Recorded {
    fn span(
        &self,
        id: SpanId,
        parent: SpanId,
        name: impl Into<String>,
        kind: SpanKind,
        start: Timestamp,
        end: Timestamp,
    ) -> Span {
        let (trace, name) = (self.request.trace, name.into());
        Span { trace, id, parent: Some(parent), name, kind, start, end, failed: false, attributes: Vec::new() }
    }

    /// Ends the span `request` and hands all over.
    fn end(&mut self, caller: Option<SpanId>, attributes: Vec<(&'static str, Value)>, failed: bool, now: Timestamp) {
        let own = self.request.parent;
        let span = self.span(own, own, "request", SpanKind::Server, self.began, now);
        self.spans.push(Span { parent: caller, attributes, failed, ..span });
        self.tracer.take(std::mem::take(&mut self.spans), &self.telemetry);
    }
}

fn about(target: &Target, tenant: &TenantId) -> Vec<(&'static str, Value)> {
    vec![
        ("lockgate.tenant", tenant.as_str().into()),
        ("lockgate.environment", target.environment.as_str().into()),
        ("lockgate.orchestration", target.name.as_str().into()),
    ]
}

/// A run that is watched.
pub(crate) struct RunWatch {
    telemetry: Arc<Telemetry>,
    clock: Clock,
    tenant: TenantId,
    target: Target,
    run: RunId,
    opening: Event,
    since: Instant,
    state: Mutex<State>,
}

struct State {
    trace: Trace,
    opened: bool,
    /// When the engine took it up.
    ran: Timestamp,
    /// Spans of tasks that are needed before the tasks have ended.
    tasks: BTreeMap<String, SpanId>,
    calls: usize,
    /// Connectors of the accounts that were called.
    connectors: BTreeMap<AccountName, Spec>,
    /// The task and account of the last call, if it failed.
    failed: Option<(String, AccountName)>,
}

impl RunWatch {
    pub(crate) fn new(telemetry: Arc<Telemetry>, clock: Clock, trace: Trace, record: &RunRecord) -> Arc<Self> {
        let ran = clock.now();
        let state = State {
            trace,
            opened: false,
            ran,
            tasks: BTreeMap::new(),
            calls: 0,
            connectors: BTreeMap::new(),
            failed: None,
        };
        Arc::new(Self {
            telemetry,
            clock,
            tenant: record.tenant.clone(),
            target: record.target.clone(),
            run: record.id,
            opening: Event::RunOpened {
                trigger: record.trigger,
                principal: record.principal.clone(),
                version: record.version,
            },
            since: Instant::now(),
            state: Mutex::new(state),
        })
    }

    /// The run is opened.
    pub(crate) fn opened(&self) {
        self.state().opened = true;
        self.telemetry.metrics.run_opened();
        self.line(self.opening.clone());
    }

    /// The engine takes it up.
    pub(crate) fn runs(&self) {
        self.state().ran = self.clock.now();
    }

    /// The run has ended; a second end means nothing.
    pub(crate) fn ended(&self, end: &RunEnd) {
        let mut state = self.state();
        if !std::mem::take(&mut state.opened) {
            return;
        }
        // Only now: bytes of streams are known when they have passed.
        for (account, bytes) in &end.bytes {
            if let Some(connector) = state.connectors.get(account) {
                self.telemetry.metrics.call_bytes(connector.name, bytes.read, bytes.written);
            }
        }
        let took = self.since.elapsed();
        self.telemetry.metrics.run_ended(&self.tenant, &self.target.environment, &self.target.name, end.phase, took);
        if let Some(error) = &end.error {
            let account = state.failed.take().filter(|(task, _)| *task == error.task).map(|(_, account)| account);
            let (kind, code, task) = (error.kind.clone(), error.code.clone(), error.task.clone());
            self.line(Event::Failed { kind, code, task, account, status: error.status });
        }
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.line(Event::RunEnded { phase: end.phase, took_us, cost: end.cost });
        self.spans(&mut state, end);
    }

    /// The trace, at the run.
    pub(crate) fn trace(&self) -> Option<TraceContext> {
        let state = self.state();
        match &state.trace.recorded {
            Some(recorded) => Some(recorded.request.under(recorded.run)),
            None => state.trace.came.clone(),
        }
    }

    /// An account could not be opened for a call.
    pub(crate) fn not_opened(&self, task: &str, account: &AccountName, error: &ConnectorError) {
        self.failed(None, None, task, account, error);
    }

    /// A call begins.
    pub(crate) fn calling(self: &Arc<Self>, spec: &Spec, operation: &str, account: AccountName, task: &str) -> Calling {
        let operation = spec.operation(operation).map_or(OTHER, |o| o.name);
        let mut state = self.state();
        state.connectors.insert(account.clone(), *spec);
        let span = state.trace.recorded.is_some().then(new_span).flatten();
        drop(state);
        Calling {
            watch: self.clone(),
            connector: spec.name,
            operation,
            account,
            task: task.to_owned(),
            span,
            start: self.clock.now(),
            since: Instant::now(),
            over: false,
        }
    }

    fn failed(
        &self,
        connector: Option<&'static str>,
        operation: Option<&'static str>,
        task: &str,
        account: &AccountName,
        error: &ConnectorError,
    ) {
        self.state().failed = Some((task.to_owned(), account.clone()));
        self.line(Event::ConnectorError {
            kind: error.kind().as_str(),
            code: error.code(),
            connector,
            operation,
            account: account.clone(),
            task: task.to_owned(),
            status: error.status(),
        });
    }

    fn line(&self, event: Event) {
        let line = Line {
            at: self.clock.now(),
            environment: self.target.environment.clone(),
            orchestration: self.target.name.clone(),
            run: self.run,
            event,
        };
        self.telemetry.logs.add(&self.tenant, line);
    }

    /// Makes the spans of the run and its tasks, and hands all over.
    fn spans(&self, state: &mut State, end: &RunEnd) {
        let State { trace, tasks, ran, calls, .. } = state;
        let Some(recorded) = &mut trace.recorded else { return };
        let now = end.ended;
        for time in &end.tasks {
            let Some(id) = tasks.get(&time.task).copied().or_else(new_span) else { continue };
            let at = |us: u64| Timestamp(ran.0.saturating_add(i64::try_from(us).unwrap_or(i64::MAX)));
            let (first, last) = (at(time.first_us), at(time.last_us));
            let span = recorded.span(id, recorded.run, &time.task, SpanKind::Internal, first, last);
            let failed = end.error.as_ref().is_some_and(|error| error.task == time.task);
            let attributes =
                vec![("lockgate.entered", u64::from(time.entered).into()), ("lockgate.wall_us", time.wall_us.into())];
            recorded.spans.push(Span { failed, attributes, ..span });
        }
        let phase = match end.phase {
            Phase::Completed => "completed",
            Phase::Cancelled => "cancelled",
            _ => "faulted",
        };
        let mut attributes = vec![
            ("lockgate.run", self.run.to_string().as_str().into()),
            ("lockgate.phase", phase.into()),
            ("lockgate.cost", end.cost.into()),
            ("lockgate.calls", (*calls as u64).into()),
        ];
        if let Some(error) = &end.error {
            attributes.push(("lockgate.error.kind", error.kind.as_str().into()));
            attributes.push(("lockgate.error.code", error.code.as_str().into()));
            attributes.push(("lockgate.task", error.task.as_str().into()));
        }
        let failed = end.phase != Phase::Completed;
        let span = recorded.span(recorded.run, recorded.request.parent, "run", SpanKind::Internal, *ran, now);
        recorded.spans.push(Span { failed, attributes, ..span });
        let caller = trace.came.as_ref().map(|came| came.parent);
        recorded.end(caller, about(&self.target, &self.tenant), failed, now);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call under way; dropped before its end, it was cancelled.
pub(crate) struct Calling {
    watch: Arc<RunWatch>,
    connector: &'static str,
    operation: &'static str,
    account: AccountName,
    task: String,
    span: Option<SpanId>,
    start: Timestamp,
    since: Instant,
    over: bool,
}

impl Calling {
    /// The trace as the endpoint is told it.
    pub(crate) fn trace(&self) -> Option<TraceContext> {
        let state = self.watch.state();
        match (&state.trace.recorded, self.span) {
            (Some(recorded), Some(span)) => Some(recorded.request.under(span)),
            _ => state.trace.came.clone(),
        }
    }

    /// The call has ended.
    pub(crate) fn ended(mut self, outcome: Result<Answer, ConnectorError>) -> Result<Answer, ConnectorError> {
        self.over = true;
        let metrics = &self.watch.telemetry.metrics;
        match &outcome {
            Ok(answer) => {
                self.watch.state().failed = None;
                let bytes = vec![
                    ("lockgate.read_bytes", answer.read.into()),
                    ("lockgate.written_bytes", answer.written.into()),
                ];
                self.tell("ok", bytes);
            }
            Err(error) => {
                // Of a stream that broke, the call it came out of.
                let account = error.account().unwrap_or(&self.account);
                let spec = self.watch.state().connectors.get(account).copied();
                let connector = spec.map_or(self.connector, |spec| spec.name);
                let named = |name| spec.and_then(|spec| spec.operation(name)).map_or(OTHER, |operation| operation.name);
                let operation = error.operation().map_or(self.operation, named);
                let kind = error.kind();
                if kind == ErrorKind::Refused {
                    metrics.egress_refused(connector);
                }
                self.watch.failed(Some(connector), Some(operation), &self.task, account, error);
                let mut more = vec![("lockgate.error.code", error.code().into())];
                if (account, operation) == (&self.account, self.operation) {
                    self.tell(kind.as_str(), more);
                } else {
                    metrics.stream_broke(connector, operation, kind.as_str());
                    more.push(("lockgate.error.account", account.as_str().into()));
                    more.push(("lockgate.error.operation", format!("{connector}.{operation}").as_str().into()));
                    self.tell("source", more);
                }
            }
        }
        outcome
    }

    fn tell(&self, outcome: &'static str, more: Vec<(&'static str, Value)>) {
        self.watch.telemetry.metrics.called(self.connector, self.operation, outcome, self.since.elapsed());
        let mut state = self.watch.state();
        state.calls += 1;
        let State { trace, tasks, calls, .. } = &mut *state;
        let (Some(recorded), Some(id)) = (&mut trace.recorded, self.span) else { return };
        if *calls > CALLS_MAX {
            return;
        }
        let task = match tasks.get(&self.task) {
            Some(task) => *task,
            None => {
                let Some(task) = new_span() else { return };
                tasks.insert(self.task.clone(), task);
                task
            }
        };
        let name = format!("{}.{}", self.connector, self.operation);
        let span = recorded.span(id, task, name, SpanKind::Client, self.start, self.watch.clock.now());
        let mut attributes = vec![
            ("lockgate.connector", self.connector.into()),
            ("lockgate.operation", self.operation.into()),
            ("lockgate.account", self.account.as_str().into()),
            ("lockgate.outcome", outcome.into()),
        ];
        attributes.extend(more);
        recorded.spans.push(Span { failed: outcome != "ok", attributes, ..span });
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        if !self.over {
            self.tell("cancelled", Vec::new());
        }
    }
}
