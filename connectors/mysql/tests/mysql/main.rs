//! The connector against MariaDB servers that the tests start for themselves, and against servers of
//! the tests' own where none misbehaves so.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a broken premise must fail the test on the spot"
)]

mod account;
mod endings;
mod hostile;
mod loads;
mod pooling;
mod queries;
mod routines;
mod signin;
mod streams;
mod types;
