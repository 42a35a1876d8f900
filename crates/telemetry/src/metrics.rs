//! Counts, as Prometheus reads them: each is described once, in [`DESCRIBED`], from which the page
//! of docs/operations.md and the help texts are written.

use std::time::Duration;

use lockgate_model::{
    Timestamp,
    id::{EnvironmentId, TargetName, TenantId},
    run::Phase,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::{
    labels::{Named, Names, OTHER},
    process,
};

/// What kind of number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counted into buckets.
    Histogram,
}

/// One family of counts.
#[derive(Debug, Clone, Copy)]
pub struct Described {
    /// Its name, as it stands on the page: counters end in `_total`.
    pub name: &'static str,
    /// Its kind.
    pub kind: Type,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

const fn described(name: &'static str, kind: Type, labels: &'static [&'static str], help: &'static str) -> Described {
    Described { name, kind, labels, help }
}

/// Every family there is, in the order of the page.
pub const DESCRIBED: &[Described] = &[
    described(
        "lockgate_requests_total",
        Type::Counter,
        &["route", "status"],
        "Requests by route (`target`, `admin`, `token`, `health`, `metrics`, `none`) and class of status (`2xx` to `5xx`, `gone` when the caller went away)",
    ),
    described("lockgate_request_seconds", Type::Histogram, &["route"], "Time from a request's head to its reply"),
    described("lockgate_request_body_bytes_total", Type::Counter, &[], "Bytes of request bodies that were taken in"),
    described("lockgate_reply_body_bytes_total", Type::Counter, &[], "Bytes of replies to targets"),
    described(
        "lockgate_runs_total",
        Type::Counter,
        &["tenant", "environment", "orchestration", "phase"],
        "Ended runs by what they ended with; names past the bound are `other`",
    ),
    described("lockgate_run_seconds", Type::Histogram, &["phase"], "Time from the opening of a run to its end"),
    described("lockgate_runs_open", Type::Gauge, &[], "Runs that are open"),
    described("lockgate_executes_refused_total", Type::Counter, &[], "Executes that access refused"),
    described("lockgate_run_arena_bytes", Type::Histogram, &[], "Most memory for documents that a run held at once"),
    described("lockgate_engine_waiting", Type::Gauge, &[], "Steps that wait for a worker"),
    described(
        "lockgate_connector_calls_total",
        Type::Counter,
        &["connector", "operation", "outcome"],
        "Calls of accounts by outcome: `ok`, the kind of the failure, `cancelled`, or `source` where the stream \
         that the call took broke; the call it came out of counts again then, with the kind",
    ),
    described(
        "lockgate_connector_call_seconds",
        Type::Histogram,
        &["connector", "operation"],
        "Time of a call of an account",
    ),
    described(
        "lockgate_connector_bytes_total",
        Type::Counter,
        &["connector", "direction"],
        "Bytes of content `read` from and `written` to endpoints by runs that ended",
    ),
    described(
        "lockgate_egress_refusals_total",
        Type::Counter,
        &["connector"],
        "Calls that the egress rule refused: nothing was sent",
    ),
    described("lockgate_accounts_open", Type::Gauge, &[], "Accounts that are opened, with their pooled connections"),
    described(
        "lockgate_tenants_denied",
        Type::Gauge,
        &[],
        "Tenants that are denied everything because their definitions cannot be read, or make no sense",
    ),
    described(
        "lockgate_logins_failed_total",
        Type::Counter,
        &["event"],
        "Credentials that were not true: at `login`, or with a request (`authenticate`)",
    ),
    described(
        "lockgate_store_commit_seconds",
        Type::Histogram,
        &[],
        "Time from asking for a change of definitions until it is durable",
    ),
    described(
        "lockgate_audit_append_seconds",
        Type::Histogram,
        &[],
        "Time from asking for an entry of audit or runs until it is durable",
    ),
    described("lockgate_spans_exported_total", Type::Counter, &[], "Spans that a collector took"),
    described(
        "lockgate_spans_dropped_total",
        Type::Counter,
        &["reason"],
        "Spans that were dropped: the `queue` was full, or the `collector` did not take them",
    ),
    described("lockgate_build_info", Type::Gauge, &["version"], "The version that runs; always 1"),
    described("process_resident_memory_bytes", Type::Gauge, &[], "Resident memory of the process"),
    described(
        "process_start_time_seconds",
        Type::Gauge,
        &[],
        "When the process started, in seconds since 1970-01-01T00:00:00Z",
    ),
];

/// Which class of address a request went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// An orchestration or API.
    Target,
    /// The admin API.
    Admin,
    /// `/healthz` or `/readyz`.
    Health,
    /// `/metrics`.
    Metrics,
    /// The token endpoints and their keys.
    Token,
    /// Nothing that is there.
    None,
}

impl Route {
    fn as_str(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Admin => "admin",
            Self::Health => "health",
            Self::Metrics => "metrics",
            Self::Token => "token",
            Self::None => "none",
        }
    }
}

/// Numbers that are asked for when the page is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gauges {
    /// Steps that wait for a worker.
    pub engine_waiting: usize,
    /// Opened accounts.
    pub accounts_open: usize,
    /// Tenants without a view.
    pub tenants_denied: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: &'static str,
    status: &'static str,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRoute {
    route: &'static str,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Run {
    tenant: String,
    environment: String,
    orchestration: String,
    phase: &'static str,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfPhase {
    phase: &'static str,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    connector: &'static str,
    operation: &'static str,
    outcome: &'static str,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOperation {
    connector: &'static str,
    operation: &'static str,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDirection {
    connector: &'static str,
    direction: &'static str,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfConnector {
    connector: &'static str,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfEvent {
    event: &'static str,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfReason {
    reason: &'static str,
}
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfVersion {
    version: &'static str,
}

type Times<L> = Family<L, Histogram, fn() -> Histogram>;

/// Half a millisecond to a minute.
fn seconds() -> Histogram {
    Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
}

/// The counts of one process.
pub struct Metrics {
    registry: Registry,
    names: Names,
    requests: Family<Request, Counter>,
    request_seconds: Times<OfRoute>,
    request_bytes: Counter,
    reply_bytes: Counter,
    runs: Family<Run, Counter>,
    run_seconds: Times<OfPhase>,
    runs_open: Gauge,
    refused: Counter,
    arena_bytes: Histogram,
    engine_waiting: Gauge,
    calls: Family<Call, Counter>,
    call_seconds: Times<OfOperation>,
    call_bytes: Family<OfDirection, Counter>,
    egress_refusals: Family<OfConnector, Counter>,
    accounts_open: Gauge,
    tenants_denied: Gauge,
    logins_failed: Family<OfEvent, Counter>,
    commit_seconds: Histogram,
    append_seconds: Histogram,
    spans_exported: Counter,
    spans_dropped: Family<OfReason, Counter>,
    resident: Gauge,
}

impl Metrics {
    pub(crate) fn new(now: Timestamp) -> Self {
        let metrics = Self {
            registry: Registry::default(),
            names: Names::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            request_bytes: Counter::default(),
            reply_bytes: Counter::default(),
            runs: Family::default(),
            run_seconds: Family::new_with_constructor(seconds),
            runs_open: Gauge::default(),
            refused: Counter::default(),
            // 16 KiB to 256 MiB.
            arena_bytes: Histogram::new((0..8).map(|n| f64::from(16_u32 << 10) * 4_f64.powi(n))),
            engine_waiting: Gauge::default(),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(seconds),
            call_bytes: Family::default(),
            egress_refusals: Family::default(),
            accounts_open: Gauge::default(),
            tenants_denied: Gauge::default(),
            logins_failed: Family::default(),
            commit_seconds: seconds(),
            append_seconds: seconds(),
            spans_exported: Counter::default(),
            spans_dropped: Family::default(),
            resident: Gauge::default(),
        };
        metrics.registered(now)
    }

    fn registered(mut self, now: Timestamp) -> Self {
        let mut all = Registered(Registry::default());
        all.add("lockgate_requests_total", self.requests.clone());
        all.add("lockgate_request_seconds", self.request_seconds.clone());
        all.add("lockgate_request_body_bytes_total", self.request_bytes.clone());
        all.add("lockgate_reply_body_bytes_total", self.reply_bytes.clone());
        all.add("lockgate_runs_total", self.runs.clone());
        all.add("lockgate_run_seconds", self.run_seconds.clone());
        all.add("lockgate_runs_open", self.runs_open.clone());
        all.add("lockgate_executes_refused_total", self.refused.clone());
        all.add("lockgate_run_arena_bytes", self.arena_bytes.clone());
        all.add("lockgate_engine_waiting", self.engine_waiting.clone());
        all.add("lockgate_connector_calls_total", self.calls.clone());
        all.add("lockgate_connector_call_seconds", self.call_seconds.clone());
        all.add("lockgate_connector_bytes_total", self.call_bytes.clone());
        all.add("lockgate_egress_refusals_total", self.egress_refusals.clone());
        all.add("lockgate_accounts_open", self.accounts_open.clone());
        all.add("lockgate_tenants_denied", self.tenants_denied.clone());
        all.add("lockgate_logins_failed_total", self.logins_failed.clone());
        all.add("lockgate_store_commit_seconds", self.commit_seconds.clone());
        all.add("lockgate_audit_append_seconds", self.append_seconds.clone());
        all.add("lockgate_spans_exported_total", self.spans_exported.clone());
        all.add("lockgate_spans_dropped_total", self.spans_dropped.clone());
        let build = Family::<OfVersion, Gauge>::default();
        build.get_or_create(&OfVersion { version: env!("CARGO_PKG_VERSION") }).set(1);
        all.add("lockgate_build_info", build);
        all.add("process_resident_memory_bytes", self.resident.clone());
        let start = Gauge::<i64>::default();
        start.set(now.ms() / 1_000);
        all.add("process_start_time_seconds", start);
        self.registry = all.0;
        self
    }

    /// The page: OpenMetrics text, which Prometheus reads.
    pub fn page(&self, gauges: Gauges) -> String {
        self.engine_waiting.set(i64::try_from(gauges.engine_waiting).unwrap_or(i64::MAX));
        self.accounts_open.set(i64::try_from(gauges.accounts_open).unwrap_or(i64::MAX));
        self.tenants_denied.set(i64::try_from(gauges.tenants_denied).unwrap_or(i64::MAX));
        self.resident.set(process::resident_bytes().unwrap_or_default());
        let mut page = String::new();
        // A string takes everything.
        let _ = encode(&mut page, &self.registry);
        page
    }

    /// A request was answered with a status, or its caller went away.
    pub fn request(&self, route: Route, status: Option<u16>, took: Duration) {
        let status = match status.map(|s| s / 100) {
            None => "gone",
            Some(..=2) => "2xx",
            Some(3) => "3xx",
            Some(4) => "4xx",
            Some(5..) => "5xx",
        };
        let route = route.as_str();
        self.requests.get_or_create(&Request { route, status }).inc();
        self.request_seconds.get_or_create(&OfRoute { route }).observe(took.as_secs_f64());
    }

    /// Bytes of a request's body were taken in.
    pub fn request_body(&self, bytes: u64) {
        self.request_bytes.inc_by(bytes);
    }

    /// Bytes of a target's reply.
    pub fn reply_body(&self, bytes: u64) {
        self.reply_bytes.inc_by(bytes);
    }

    /// Access refused an execute.
    pub fn refused(&self) {
        self.refused.inc();
    }

    /// A run was opened.
    pub fn run_opened(&self) {
        self.runs_open.inc();
    }

    /// A run was closed.
    pub fn run_ended(
        &self,
        tenant: &TenantId,
        environment: &EnvironmentId,
        orchestration: &TargetName,
        phase: Phase,
        took: Duration,
    ) {
        self.runs_open.dec();
        let phase = phase.as_str();
        let named = self.names.of(tenant, environment, orchestration);
        let name = |shown: bool, name: &str| if shown { name.to_owned() } else { OTHER.to_owned() };
        let labels = Run {
            tenant: name(named != Named::Not, tenant.as_str()),
            environment: name(named == Named::Wholly, environment.as_str()),
            orchestration: name(named == Named::Wholly, orchestration.as_str()),
            phase,
        };
        self.runs.get_or_create(&labels).inc();
        self.run_seconds.get_or_create(&OfPhase { phase }).observe(took.as_secs_f64());
    }

    /// The most memory for documents a run held.
    pub fn arena(&self, bytes_peak: u64) {
        self.arena_bytes.observe(bytes_peak as f64);
    }

    /// An operation of an account was called. The names are those of the connectors that ship.
    pub fn called(&self, connector: &'static str, operation: &'static str, outcome: &'static str, took: Duration) {
        self.calls.get_or_create(&Call { connector, operation, outcome }).inc();
        self.call_seconds.get_or_create(&OfOperation { connector, operation }).observe(took.as_secs_f64());
    }

    /// A stream broke after the call that it came out of had answered.
    pub fn stream_broke(&self, connector: &'static str, operation: &'static str, outcome: &'static str) {
        self.calls.get_or_create(&Call { connector, operation, outcome }).inc();
    }

    /// Bytes that a run moved through an account of a connector.
    pub fn call_bytes(&self, connector: &'static str, read: u64, written: u64) {
        for (direction, bytes) in [("read", read), ("written", written)] {
            self.call_bytes.get_or_create(&OfDirection { connector, direction }).inc_by(bytes);
        }
    }

    /// The egress rule refused a call.
    pub fn egress_refused(&self, connector: &'static str) {
        self.egress_refusals.get_or_create(&OfConnector { connector }).inc();
    }

    /// A credential was not true.
    pub fn login_failed(&self, event: &'static str) {
        self.logins_failed.get_or_create(&OfEvent { event }).inc();
    }

    /// A change of definitions became durable.
    pub fn committed(&self, took: Duration) {
        self.commit_seconds.observe(took.as_secs_f64());
    }

    /// An entry of audit or runs became durable.
    pub fn appended(&self, took: Duration) {
        self.append_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn spans_exported(&self, spans: usize) {
        self.spans_exported.inc_by(spans as u64);
    }

    pub(crate) fn spans_dropped(&self, reason: &'static str, spans: usize) {
        self.spans_dropped.get_or_create(&OfReason { reason }).inc_by(spans as u64);
    }
}

/// Registers what [`DESCRIBED`] describes.
struct Registered(Registry);

impl Registered {
    fn add(&mut self, name: &'static str, metric: impl prometheus_client::registry::Metric) {
        let help = DESCRIBED.iter().find(|d| d.name == name).map_or("", |d| d.help);
        // The encoder puts back the ending of counters.
        let stem = name.strip_suffix("_total").unwrap_or(name);
        self.0.register(stem, help, metric);
    }
}

#[cfg(test)]
mod tests;
