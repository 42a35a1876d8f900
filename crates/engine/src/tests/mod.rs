//! The engine as a whole, with modules written by hand.

mod calls;
mod failures;
mod fairness;
mod forks;
mod here;
mod hostile;
mod limits;
mod permit;
mod places;
mod runs;
mod timeouts;
pub(crate) mod wasm;
mod watch;
