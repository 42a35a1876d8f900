//! The admin API with a whole runtime behind it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code: a broken premise must fail the test on the spot"
)]

mod authenticator;
mod conditions;
mod console;
mod day;
mod described;
mod exports;
mod flood;
mod house;
mod limits;
mod looks;
mod operations;
mod operator;
mod page;
mod pages;
mod passkeys;
mod passwords;
mod refusals;
mod rights;
mod second_factors;
mod sessions;
mod support;
mod tenants;
mod timing;
mod watched;
