//! The listener from outside, over real sockets: the wire with a handler of the test's own, and the
//! REST routes with a whole runtime behind them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a broken premise must fail the test on the spot"
)]

mod certificates;
mod rest;
mod support;
mod tokens;
mod wire;
