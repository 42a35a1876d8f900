//! Spans: what a run did when, as metadata.

use lockgate_model::{
    Timestamp,
    trace::{SpanId, TraceId},
};

/// One span that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The trace it is of.
    pub trace: TraceId,
    /// Its own id.
    pub id: SpanId,
    /// The span it is under; it may be one of the caller's.
    pub parent: Option<SpanId>,
    /// What was done: a fixed word, a task pointer, or `connector.operation`.
    pub name: String,
    /// Which side of a connection it is.
    pub kind: SpanKind,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// It failed.
    pub failed: bool,
    /// More about it; keys begin with `lockgate.`.
    pub attributes: Vec<(&'static str, Value)>,
}

/// Which side of a connection a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// Within the process.
    Internal,
    /// A request that came in.
    Server,
    /// A request that went out.
    Client,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An id, a code, a kind or a task pointer; nothing else is text here.
    Text(String),
    /// A number.
    Number(u64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

/// A fresh span id; `None` where the machine gives no random bytes, and then nothing is traced.
pub fn new_span() -> Option<SpanId> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).ok()?;
    SpanId::new(bytes)
}

/// A fresh trace id.
pub fn new_trace() -> Option<TraceId> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    TraceId::new(bytes)
}
