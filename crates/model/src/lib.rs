//! The nouns of Lockgate: ids, permissions, limits, definitions, the authority manifest, the run
//! record, schedules, audit entries, diagnostics and the module ABI; and the map that what is made of
//! definitions shares from revision to revision.
//!
//! Every other crate may import this one; it imports none of them. Values are parsed once, here,
//! and carried as types from then on.
//!
//! Deliberately absent: decisions (crate `access`), storage, clocks, HTTP, and any helper that has
//! one user (it lives with that user).

pub mod abi;
pub mod audit;
pub mod definition;
pub mod diagnostic;
pub mod digest;
pub mod duration;
pub mod host_key;
pub mod id;
pub mod limits;
pub mod manifest;
pub mod permission;
pub mod principal;
pub mod run;
pub mod schedule;
pub mod shared_map;
pub mod support;
pub mod time;
pub mod trace;

pub use definition::{Definition, Kind};
pub use diagnostic::{Diagnostic, Diagnostics, Span};
pub use digest::Digest;
pub use host_key::HostKey;
pub use limits::{Limit, Limits, Quota};
pub use manifest::Manifest;
pub use permission::Permission;
pub use principal::{Channel, Principal, Target, TargetKind};
pub use run::{RunId, RunRecord};
pub use schedule::Schedule;
pub use shared_map::SharedMap;
pub use time::Timestamp;
pub use trace::TraceContext;
