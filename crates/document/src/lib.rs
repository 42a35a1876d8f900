//! Values and formats: one arena per run, regions, handles with generation, JSON in and out,
//! CSV out.
//!
//! A run works on values that the host holds in an [`Arena`] and that a module names by [`Handle`]s.
//! The methods of the arena are the intrinsics of [`lockgate_model::abi`]; the engine links each to
//! the method of the same name. A [`Document`] is a value that owns its arena and crosses from crate
//! to crate; [`Node`] reads it and [`Builder`] writes it.
//!
//! What the language does with texts and numbers alone stands apart, as pure functions: [`picture`],
//! [`pattern`], [`radix`], [`affix`], [`url`] and [`base64`]. They refuse by [`Refusal`]. Document
//! types, which values and mappings are checked against, are [`schema`]s.
//!
//! What holds everywhere:
//! - Memory is bounded: `arena_bytes_max` is asked where a buffer grows, before it grows.
//! - Time is bounded: what touches bytes or items charges for them, and nothing goes deeper than
//!   `depth_max` (256 at most).
//! - A handle is never trusted: a wrong one is a [`Fault`], never a panic and never another run's value.
//! - Nothing here prints application data: not `Display`, not `Debug`.
//!
//! Deliberately absent: clocks, files, sockets; frames, tasks and suspending (crate `engine`); the
//! language itself (crate `mapping`); any library's value type.

pub mod affix;
mod arena;
pub mod base64;
mod builder;
pub mod charset;
mod constants;
mod copy;
mod csv;
mod datum;
mod document;
mod equality;
mod fault;
mod format;
mod handle;
mod index;
mod intrinsics;
mod json;
mod memory;
mod meter;
mod node;
mod number;
pub mod pattern;
pub mod picture;
pub mod radix;
mod refusal;
mod region;
pub mod schema;
mod standard;
mod text;
pub mod url;
mod value;
mod values;

pub use arena::Arena;
pub use builder::Builder;
pub use constants::Constants;
pub use csv::{CsvError, CsvProblem, CsvWriter};
pub use document::Document;
pub use fault::{ExpressionError, Fault};
pub use format::{FormatError, RecordReader, RecordWriter};
pub use handle::{Handle, RegionId};
pub use json::{Duplicates, ParseError, ParseOptions};
pub use node::{Kind, Node};
pub use refusal::Refusal;
pub use value::Value;
