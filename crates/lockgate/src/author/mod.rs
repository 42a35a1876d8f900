//! Commands of authors: no server, no accounts, and no network but for what `build` fetches.

pub mod build;
pub mod check;
#[cfg(test)]
mod dice;
pub mod diff;
pub mod draw;
pub mod eval;
pub mod explain;
pub mod fmt;
pub mod format;
pub mod imports;
pub mod local;
pub mod map;
mod mocked;
pub mod new;
pub mod pass;
mod records;
pub mod repl;
mod select;
pub mod sources;
pub mod test;
mod trace;
mod value;
pub mod workbench;
