//! The connector against MariaDB servers that the tests start for themselves, and against servers of
//! the tests' own where none misbehaves so.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    reason = "a broken premise must fail the test on the spot"
)]

mod account;
mod contract;
mod endings;
mod faults;
mod hostile;
mod loads;
mod pooling;
mod queries;
mod refusals;
mod streams;
mod types;
