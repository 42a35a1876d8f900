//! The listener from outside, over real sockets: the wire with a handler of the test's own, and the
//! REST routes with a whole runtime behind them.

mod rest;
mod support;
mod wire;
