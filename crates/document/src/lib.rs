//! Values and formats: one arena per run, regions, handles with generation; JSON, XML, CSV, files of
//! fixed width and EDI in and out; document types.
//!
//! A run works on values that the host holds in an [`Arena`] and that a module names by [`Handle`]s.
//! The methods of the arena are the intrinsics of [`lockgate_model::abi`]; the engine links each to
//! the method of the same name. A [`Document`] is a value that owns its arena and crosses from crate
//! to crate; [`Node`] reads it and [`Builder`] writes it.
//!
//! The other formats, which [`formats`] has by name, give and take records through [`RecordReader`] and [`RecordWriter`]: [`csv`] as its
//! `Dialect` says, [`fixed`] as its `Layout` says, [`xml`], and [`edi`], which is X12 and EDIFACT.
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
pub mod csv;
mod datum;
mod document;
pub mod duration;
pub mod edi;
mod equality;
mod fault;
mod feed;
pub mod fixed;
mod format;
pub mod formats;
mod handle;
mod index;
mod intrinsics;
mod json;
mod keys;
mod memory;
mod meter;
mod node;
mod number;
mod options;
pub mod pattern;
pub mod picture;
mod plan;
pub mod radix;
mod records;
mod refusal;
mod region;
mod rows;
pub mod schema;
mod standard;
mod text;
pub mod url;
mod value;
mod values;
pub mod xml;

pub use arena::Arena;
pub use builder::Builder;
pub use constants::Constants;
pub use csv::{CsvError, CsvProblem, CsvReader, CsvWriter};
pub use document::Document;
pub use fault::{ExpressionError, Fault};
pub use fixed::{FixedReader, FixedWriter};
pub use format::{FormatError, RecordReader, RecordWriter};
pub use handle::{Handle, RegionId};
pub use json::{Duplicates, JsonLines, JsonLinesWriter, JsonRecords, JsonWriter, ParseError, ParseOptions};
/// What values may take: readers and builders ask for it.
pub use lockgate_model::Limits;
pub use node::{Kind, Node};
pub use options::{LayoutProblem, LayoutProblems};
pub use refusal::Refusal;
pub use value::Value;
