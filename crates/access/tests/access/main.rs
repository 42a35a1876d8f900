//! Access decisions, asked from outside the crate.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot set up its tenant has failed"
)]

mod administer;
mod change;
mod deploy;
mod documentation;
mod execute;
mod explain;
mod matrix;
mod model;
mod permits;
mod snapshot;
mod support;
mod tenant;
