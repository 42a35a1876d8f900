//! The connector against real servers in this process.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a broken premise must fail the test on the spot"
)]

mod account;
mod bounds;
mod contents;
mod contract;
mod faults;
mod pages;
mod provider;
mod redirects;
mod requests;
mod signin;
mod withheld;
