//! Execute: decide, open the run in one append, run, wait for the append, close.
//!
//! Opening the run overlaps with reading the input and with mapping; the first connector call (in
//! `engine`) and the reply (here) wait until it is durable. A run whose caller goes away is closed
//! as cancelled.

use std::{collections::BTreeMap, sync::Arc};

use lockgate_access::{Durability, ExecutePermit, decide_execute};
use lockgate_document::Document;
use lockgate_engine::{Control, Failure, Outcome, Reading};
use lockgate_model::{
    Channel, Digest, Limits, RunId, RunRecord, Target, TargetKind, Timestamp, TraceContext,
    id::{AccountName, EnvironmentId, TargetName, TenantId},
    run::{Phase, RunEnd, RunError},
};

use crate::{
    Caller, Error, Runtime, View,
    connections::RunCalls,
    nest::{Nest, Place},
    watch::{RunWatch, Trace},
};

/// Steps that may wait for a worker; a request that comes on top is answered 503 at once.
const WAITING_MAX: usize = 2_000;
/// Wall time of runs that nobody waits for, in milliseconds.
pub const WALL_MS_IN_BACKGROUND: u64 = 3_600_000;

/// What is to be executed, as the way in knows it.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Environment, as written in the request.
    pub environment: String,
    /// Orchestration or API, as written in the request.
    pub name: String,
    /// What kind of thing that is.
    pub kind: TargetKind,
    /// The way in.
    pub channel: Channel,
    /// The caller's own key for this occurrence, if it sent one.
    pub idempotency_key: Option<String>,
    /// The trace the caller is in, if it said so.
    pub trace: Option<TraceContext>,
    /// The occurrence of a schedule that the input is made of.
    pub occurrence: Option<Timestamp>,
    /// The run that is started again.
    pub restarts: Option<RunId>,
}

impl Ask {
    /// A request for an orchestration, by which nothing else is said.
    pub fn new(environment: impl Into<String>, name: impl Into<String>, channel: Channel) -> Self {
        Self {
            environment: environment.into(),
            name: name.into(),
            kind: TargetKind::Integrations,
            channel,
            idempotency_key: None,
            trace: None,
            occurrence: None,
            restarts: None,
        }
    }
}

/// A run that ended.
#[derive(Debug)]
pub struct Finished {
    /// Its id.
    pub run: RunId,
    /// Project version that it took.
    pub version: u64,
    /// Digest of the module that ran.
    pub module: Digest,
    /// Its output (which may be undefined), or why there is none.
    pub result: Result<Document, Failure>,
    /// Cost units used.
    pub cost: u64,
    /// Limits it ran under, for printing the output.
    pub limits: Limits,
}

impl Runtime {
    /// Runs a target for a caller. `input` is read only after access has said yes.
    pub async fn execute(
        &self,
        caller: &Caller,
        ask: Ask,
        input: impl Future<Output = Result<Document, Error>> + Send,
    ) -> Result<Finished, Error> {
        self.open_run(caller, &ask, Nest::default()).await?.run(input).await
    }

    /// Decides whether a target may run, and opens its run.
    pub(crate) async fn open_run(&self, caller: &Caller, ask: &Ask, nest: Nest) -> Result<Opened, Error> {
        let place = nest.take()?;
        let view = self.view(caller.tenant())?;
        let target = target(ask)?;
        // Before anything is decided: a yes that leads to no run would have to be told of as well.
        if self.0.engine.waiting() > WAITING_MAX {
            return Err(Error::Unavailable { what: "a free worker".into() });
        }
        let mut trace = Trace::begin(&self.0.telemetry, ask.trace.clone(), self.now());
        let mut decision = decide_execute(&view.snapshot, &caller.principal, target.clone(), ask.channel, self.now());
        if let Some(run) = ask.restarts {
            decision = decision.of_restart(run);
        }
        trace.decided(self.now(), decision.rule());
        if !decision.is_allowed() {
            self.0.telemetry.metrics.refused();
            trace.refused(&target, caller.tenant(), self.now());
            return Err(self.refuse(&decision, caller).await);
        }
        let run = RunId::new();
        let internal = || Error::Internal { what: "opening the run".into() };
        let record = RunRecord { occurrence: ask.occurrence, ..decision.record(run).ok_or_else(internal)? };
        let version = record.version;
        let module = decision.module().ok_or_else(internal)?;
        let name = decision.target().map_or_else(|| target.name.clone(), |t| t.name.clone());
        let (_, deployed) = view.deployed(&target.environment, &name).ok_or_else(internal)?;
        let watch = RunWatch::new(self.0.telemetry.clone(), self.0.clock.clone(), trace, &record);
        let mut limits = nest.limits(view.limits.at(target.environment.as_str()));
        // What a schedule runs has its time, also when somebody starts it again.
        let in_background = !waited_for(ask.channel) || ask.occurrence.is_some();
        if in_background && !nest.is_bounded() {
            limits.wall_ms_max = WALL_MS_IN_BACKGROUND;
        }
        let calls =
            self.calls(&view, (run, &target), deployed.accounts.clone(), ask, (caller, &nest), watch.clone())?;
        let receipt = self.0.store.open_run(&decision, record).await?;
        let durable = receipt.durability();
        let open = OpenRun::new(self, &view.tenant, run, watch, waited_for(ask.channel));
        let permit = decision.permit(receipt).map_err(|denied| Error::Forbidden { rule: denied.rule })?;
        Ok(Opened { runtime: self.clone(), nest, place, version, module, permit, durable, calls, limits, open })
    }

    fn calls(
        &self,
        view: &Arc<View>,
        (run, target): (RunId, &Target),
        accounts: Vec<AccountName>,
        ask: &Ask,
        (caller, nest): (&Caller, &Nest),
        watch: Arc<RunWatch>,
    ) -> Result<Arc<RunCalls>, Error> {
        // Without a key of the caller's, every run is an occurrence of its own.
        let occurrence = match &ask.idempotency_key {
            Some(key) => key.clone().into_bytes(),
            None => run.0.as_bytes().to_vec(),
        };
        Ok(Arc::new(RunCalls {
            runtime: self.clone(),
            caller: caller.clone(),
            nest: nest.clone(),
            view: view.clone(),
            environment: target.environment.clone(),
            accounts,
            occurrence,
            origin: format!("{}/{}/{}/{}", ask.channel.as_str(), target.environment, target.kind.as_str(), target.name),
            nobody: AccountName::parse("0-unbound").map_err(|_| Error::Internal { what: "opening the run".into() })?,
            watch,
        }))
    }
}

/// A run that is open and has not begun.
pub(crate) struct Opened {
    runtime: Runtime,
    nest: Nest,
    place: Option<Place>,
    version: u64,
    module: Digest,
    permit: ExecutePermit,
    durable: Durability,
    calls: Arc<RunCalls>,
    limits: Limits,
    open: OpenRun,
}

impl Opened {
    /// Runs it to its end.
    pub(crate) async fn run(
        self,
        input: impl Future<Output = Result<Document, Error>> + Send,
    ) -> Result<Finished, Error> {
        let Self { runtime, nest, place, version, module: digest, permit, durable, calls, limits, open } = self;
        let unavailable = || Error::Unavailable { what: "the audit log".into() };
        let (run, control) = (open.run, Control { budget: nest.budget(), ..open.control.clone() });
        let prepared = async { tokio::join!(runtime.module(&open.tenant, digest), input) };
        let prepared = tokio::select! {
            biased;
            () = control.cancel.cancelled() => None,
            prepared = prepared => Some(prepared),
        };
        let Some((module, input)) = prepared else {
            // It was cancelled while its input was on its way.
            let failure = cancelled();
            open.close(ended_early(runtime.now(), Phase::Cancelled, failure.error.clone())).await;
            durable.await.map_err(|_| unavailable())?;
            return Ok(Finished { run, version, module: digest, result: Err(failure), cost: 0, limits });
        };
        let module = module.and_then(|module| {
            nest.check(module.header())?;
            Ok(module)
        });
        let (module, input) = match (module, input) {
            (Ok(module), Ok(input)) => (module, input),
            (Err(error), _) | (_, Err(error)) => {
                open.close(refused_end(runtime.now(), &error)).await;
                durable.await.map_err(|_| unavailable())?;
                return Err(error);
            }
        };
        open.watch.runs();
        let now = runtime.now();
        let outcome = runtime.0.engine.run(permit, &module, input, calls, limits, now, control).await;
        runtime.0.telemetry.metrics.arena(outcome.arena_bytes_peak);
        // Its end first: what is opened and ended before the disk is free is written once.
        open.close(end(runtime.now(), &outcome)).await;
        drop(place);
        // No reply before the decision is on disk, whatever the reply is.
        durable.await.map_err(|_| unavailable())?;
        Ok(Finished { run, version, module: digest, result: outcome.result, cost: outcome.cost, limits })
    }
}

/// Whether somebody waits for the runs of a channel.
fn waited_for(channel: Channel) -> bool {
    matches!(channel, Channel::Rest | Channel::Soap | Channel::Manual | Channel::Restart)
}

/// Ids that cannot be are absent like those that are not there.
fn target(ask: &Ask) -> Result<Target, Error> {
    let absent = || Error::not_found("such object");
    Ok(Target {
        environment: EnvironmentId::parse(&ask.environment).map_err(|_| absent())?,
        kind: ask.kind,
        name: TargetName::parse(&ask.name).map_err(|_| absent())?,
    })
}

/// A run that is open: it is closed on every path, also when the caller goes away.
struct OpenRun {
    runtime: Runtime,
    tenant: TenantId,
    run: RunId,
    control: Control,
    closed: bool,
    watch: Arc<RunWatch>,
}

impl OpenRun {
    fn new(runtime: &Runtime, tenant: &TenantId, run: RunId, watch: Arc<RunWatch>, waited_for: bool) -> Self {
        watch.opened();
        let control = Control::new();
        runtime.0.open.add(run, control.clone(), waited_for);
        Self { runtime: runtime.clone(), tenant: tenant.clone(), run, control, closed: false, watch }
    }

    async fn close(mut self, end: RunEnd) {
        self.watch.ended(&end);
        self.runtime.0.store.close_run(&self.tenant, self.run, end).await;
        // Only now: a caller that goes away while the end is being queued leaves it to `drop`.
        self.closed = true;
        self.runtime.0.open.remove(self.run);
    }
}

impl Drop for OpenRun {
    fn drop(&mut self) {
        if self.closed {
            return;
        }
        self.control.cancel.cancel();
        // What it did until then was done.
        let Reading { cost, bytes, tasks, .. } = self.control.gauge.read();
        let (store, tenant, run) = (self.runtime.0.store.clone(), self.tenant.clone(), self.run);
        let end = RunEnd { ended: self.runtime.now(), phase: Phase::Cancelled, error: None, cost, bytes, tasks };
        self.watch.ended(&end);
        self.runtime.0.open.aside(async move { store.close_run(&tenant, run, end).await });
        self.runtime.0.open.remove(self.run);
    }
}

fn end(now: Timestamp, outcome: &Outcome) -> RunEnd {
    let (phase, error) = match &outcome.result {
        Ok(_) => (Phase::Completed, None),
        Err(failure) if failure.cancelled => (Phase::Cancelled, Some(failure.error.clone())),
        Err(failure) => (Phase::Faulted, Some(failure.error.clone())),
    };
    RunEnd { ended: now, phase, error, cost: outcome.cost, bytes: outcome.bytes.clone(), tasks: outcome.tasks.clone() }
}

fn refused_end(now: Timestamp, error: &Error) -> RunEnd {
    let kind = if error.status() < 500 { "validation" } else { "runtime" };
    ended_early(now, Phase::Faulted, error_of(kind, error.code(), error.status()))
}

/// The end of a run whose first task was never entered.
fn ended_early(now: Timestamp, phase: Phase, error: RunError) -> RunEnd {
    RunEnd { ended: now, phase, error: Some(error), cost: 0, bytes: BTreeMap::new(), tasks: Vec::new() }
}

fn error_of(kind: &str, code: &str, status: u16) -> RunError {
    RunError { kind: kind.to_owned(), code: code.to_owned(), task: String::new(), status }
}

/// What the engine tells of a run that was cancelled.
fn cancelled() -> Failure {
    Failure {
        error: error_of("runtime", "LG-CANCELLED", 503),
        document: None,
        place: None,
        message: "the run was cancelled".to_owned(),
        cancelled: true,
    }
}
