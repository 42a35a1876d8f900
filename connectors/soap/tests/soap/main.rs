//! The connector against real services, and against one of this process that misbehaves.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a broken premise must fail the test on the spot"
)]

mod account;
mod answers;
mod attachments;
mod contract;
mod encryption;
mod faults;
mod peers;
mod refusals;
mod security;
mod signin;
mod withheld;
