//! The connector against PostgreSQL servers that the tests start for themselves.
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
mod practice;
mod queries;
mod refusals;
mod routines;
mod streams;
mod transactions;
mod types;
