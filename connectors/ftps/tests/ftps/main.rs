//! The connector against real servers: ProFTPD and Pure-FTPd.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a broken premise must fail the test on the spot"
)]

mod account;
mod contract;
mod data;
mod faults;
mod files;
mod refusals;
mod replacing;
mod streams;
mod transfers;
