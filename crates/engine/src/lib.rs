//! Runs the steps of a compiled module under limits; the only place that knows wasmtime.
//!
//! # A run
//!
//! A [`Module`] is loaded once, checked wholly, and shared. A run owns a `Host`: its arena of
//! documents, its frame of slots, its cost and times. Each **step** runs in a fresh wasm instance
//! that owns nothing: it sees documents as handles and works on them through the intrinsics of
//! `lockgate_model::abi`. When a step suspends for a call or a wait, its instance is gone and the
//! host remains; the answer goes to its slot, and the module is entered again where it asked to be.
//! A step that fails traps; a failure that the current task handles goes, as the standard's error
//! object, to the handler's slot, and the module is entered there.
//!
//! # What bounds it
//!
//! Cost (fuel plus charged units, `meter.rs`) and arena bytes are exact and the same on every
//! machine. Wall time and cancelling are seen at the end of a slice at the latest. None of them can
//! be caught. Wasm frames have 1 MiB of stack; using it up is the standard's error U1001. A panic in
//! an intrinsic or a connector ends its run and no other.
//!
//! # Whose turn it is
//!
//! See `executor.rs`: a short step runs where it was asked for; a long one is cut into slices on
//! worker threads that serve the tenant that has had least.
//!
//! # Neighbours
//!
//! `access` makes the permit that a run consumes; `connector-api` is what calls speak; `runtime`
//! implements [`Calls`] and keeps the record, and has [`Siblings`] for runs without a server.
//!
//! Deliberately absent: decisions, storage, sockets, retries (a flow has its own), the wall clock
//! (time is handed in), and any way to keep, log or see what passes through a run under a permit
//! (`watch.rs` is for runs without one).

mod budget;
mod calls;
mod cancel;
mod compiled;
mod config;
mod control;
mod engine;
mod executor;
mod fair;
mod flight;
mod fork;
mod frame;
mod gauge;
mod here;
mod host;
mod later;
mod ledger;
mod link;
mod load;
mod meter;
mod module;
mod outcome;
mod pending;
mod problem;
mod raised;
mod reach;
mod run;
mod shelf;
mod step;
mod stop;
mod strand;
mod streams;
mod ticker;
mod turn;
mod watch;

pub use budget::Budget;
pub use calls::{
    CallSite, Calls, Mock, MockError, Mocks, SiblingEnd, Siblings, SubEnd, SubFailure, SubRun, Taken, Waits,
};
pub use cancel::CancelToken;
pub use compiled::{Compiled, Kept, Sealer};
pub use config::EngineConfig;
pub use control::Control;
pub use engine::{Engine, Error};
pub use gauge::{Gauge, Reading};
pub use load::LoadError;
pub use module::Module;
pub use outcome::{Failure, Outcome, Place};
pub use problem::ERROR_TYPES;
pub use reach::Beside;
pub use watch::{Called, Watch};

#[cfg(test)]
mod tests;
