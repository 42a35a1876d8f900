//! The connector against real servers: OpenSSH and ProFTPD.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::unreachable,
    reason = "a broken premise must fail the test on the spot"
)]

mod account;
mod algorithms;
mod contract;
mod refusals;
mod signin;
mod streams;
mod strict;

mod files {
    lockgate_testkit::files_suite!(crate::account::Kind);
}
