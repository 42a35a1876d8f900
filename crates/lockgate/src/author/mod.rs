//! Commands of authors: no server, no network, no accounts.

pub mod build;
pub mod check;
pub mod eval;
pub mod map;
pub mod new;
pub mod repl;
pub mod sources;
pub mod workbench;
