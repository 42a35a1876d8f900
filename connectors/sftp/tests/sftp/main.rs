//! The connector against real servers: OpenSSH and ProFTPD.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a broken premise must fail the test on the spot"
)]

mod account;
mod contract;
mod faults;
mod files;
mod refusals;
mod replacing;
mod streams;
