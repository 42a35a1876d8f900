//! The connector against real servers: ProFTPD and Pure-FTPd.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::unreachable,
    reason = "a broken premise must fail the test on the spot"
)]

mod account;
mod contract;
mod data;
mod refusals;
mod resuming;
mod transfers;

mod files {
    lockgate_testkit::files_suite!(crate::account::Kind);
}
