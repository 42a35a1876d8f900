//! Schedules over a whole runtime, with a clock of the test's own and a connector whose answers the
//! test holds back. Refusals first.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "test code: a broken premise must fail the test on the spot"
)]

mod control;
mod faulty;
mod fires;
mod house;
mod refusals;
mod restart;
mod trouble;
