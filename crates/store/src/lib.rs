//! Keeps definitions, deployments, modules, run records, states of schedules and the audit log behind
//! one port.
//!
//! [`Store`] is the port; [`SqliteStore`] is what stands behind it in one process. A second
//! implementation for many nodes is held to the same promises by the contract suite in
//! `tests/contract/`. Rows are handed out as they are: who may do what is decided in `access`, who
//! somebody is in `identity`, and what a row means by its reader.
//!
//! What the store itself holds to:
//! - An audit entry is durable before the effect it records. A change announces its revision in the
//!   audit log first; a revision that was announced and never came gets a `not-applied` entry.
//! - A [`Deployment`](lockgate_model::definition::Deployment) row is written by [`Store::activate`]
//!   alone, which spends a [`DeployPermit`](lockgate_access::DeployPermit).
//! - A failed write is an error for its caller, never a silent loss and never a panic.
//!
//! Deliberately absent: application data (this crate cannot name a document type), clocks (times
//! come in), decisions (what is kept how long is one, too) and encryption (sealed rows arrive sealed).

mod error;
mod port;
mod sqlite;

pub use error::Error;
pub use port::{
    BLOB_BYTES_MAX, Change, FOUND_MAX, Found, LogPlace, ModuleKey, Observer, Put, RUNS_DEFAULT, RUNS_MAX, RunQuery,
    RunsKept, ScheduleKey, Since, Snapshot, Store, Version, Written,
};
pub use sqlite::{Counts, Directory, SqliteStore};
