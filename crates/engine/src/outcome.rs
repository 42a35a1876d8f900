//! What a run ended with.

use std::collections::BTreeMap;

use lockgate_document::Document;
use lockgate_model::{
    Span,
    id::AccountName,
    run::{Bytes, RunError, TaskTime},
};

/// The end of a run, with the metadata that its record keeps.
#[derive(Debug)]
pub struct Outcome {
    /// The output, which may be *undefined*, or why there is none.
    pub result: Result<Document, Failure>,
    /// Cost units used: wasm fuel plus what intrinsics and the host charged. The same module with
    /// the same input and the same answers costs the same.
    pub cost: u64,
    /// Wall time by task, in the order of the module's task table; tasks never entered are absent.
    pub tasks: Vec<TaskTime>,
    /// Bytes and calls by account.
    pub bytes: BTreeMap<AccountName, Bytes>,
    /// Most arena bytes held at once.
    pub arena_bytes_peak: u64,
    /// Milliseconds by which waits moved its clock on, where they take no time.
    pub waited_ms: u64,
}

/// Why a run has no output. Only `error` may be logged or stored.
pub struct Failure {
    /// Kind, code, task and HTTP status: metadata only.
    pub error: RunError,
    /// The standard's error object, for the caller. Private.
    pub document: Option<Document>,
    /// The expression at fault, where the module knows it.
    pub place: Option<Place>,
    /// What failed, for the caller. Private: it may quote data or a peer.
    pub message: String,
    /// Whether the run was cancelled or nobody waited for it any more, rather than having failed.
    pub cancelled: bool,
}

/// Where an expression stands in the sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The source file.
    pub source: String,
    /// Where in that file.
    pub span: Span,
    /// The line it begins on, from 1, where the module knows it.
    pub line: Option<u32>,
    /// Offset in characters from the expression's own start, as the expression standard counts.
    pub position: u32,
    /// The token that the standard's error names.
    pub token: Option<String>,
}

/// Metadata only: the rest is private.
impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Failure").field("error", &self.error).field("place", &self.place).finish_non_exhaustive()
    }
}
