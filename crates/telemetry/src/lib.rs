//! What people and machines can watch: counts, log lines and traces of runs.
//!
//! - [`Metrics`] counts; its page is Prometheus text. The values of its labels are bounded.
//! - [`Logs`] holds the newest [`Line`]s of each tenant in memory.
//! - [`Tracer`] takes the [`Span`]s of ended runs; an [`Exporter`] sends them to a collector.
//!
//! Whatever goes in here is metadata: ids, codes, kinds, task pointers, numbers. There is no field
//! for a text that a flow, a caller or an endpoint made.
//!
//! Deliberately absent: decisions about who may look (crate `runtime`), HTTP in (front doors), any
//! file, and anything that could make a run wait: what cannot be taken is dropped and counted.

mod exporter;
mod labels;
mod logs;
mod metrics;
mod otlp;
mod process;
mod span;

use std::sync::OnceLock;

use lockgate_model::Timestamp;

pub use exporter::{Collector, Exporter, InvalidCollector, Tracer};
pub use logs::{Event, LINES_ALL_MAX, LINES_MAX, LINES_MIN, Line, LogQuery, Logs};
pub use metrics::{DESCRIBED, Described, Gauges, Metrics, Route, Type};
pub use span::{Span, SpanKind, Value, new_span, new_trace};

/// Everything that watches one process.
pub struct Telemetry {
    /// Counts.
    pub metrics: Metrics,
    /// Log lines.
    pub logs: Logs,
    tracer: OnceLock<Tracer>,
}

impl Telemetry {
    /// Nothing counted yet, for a process that started `now`.
    pub fn new(now: Timestamp) -> Self {
        Self { metrics: Metrics::new(now), logs: Logs::default(), tracer: OnceLock::new() }
    }

    /// From here on spans are exported; a second tracer changes nothing.
    pub fn trace_to(&self, tracer: Tracer) {
        let _ = self.tracer.set(tracer);
    }

    /// Where spans go, if they go anywhere.
    pub fn tracer(&self) -> Option<&Tracer> {
        self.tracer.get()
    }
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}
