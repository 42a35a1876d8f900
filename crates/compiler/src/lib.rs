//! Flows and mappings become one WASM module and its authority manifest; deterministic.
//!
//! [`Project`] reads and checks the files of a project, with all problems of all files at once, and
//! compiles each orchestration with its mappings into one module of the ABI in `lockgate_model::abi`.
//! The same sources give the same bytes everywhere, whatever order the files come in.
//!
//! Deliberately absent: files, sockets and clocks (the caller brings texts and the catalog of
//! connectors), running anything, bindings and secrets, and any interpreter of expressions.

pub mod described;
mod documents;
pub mod expression;
mod flow;
mod format;
pub mod jq;
pub mod mapping;
pub mod module;
pub mod project;
mod reader;
mod types;

pub use lockgate_mapping::{
    MapFile,
    streams::{Streams, Whole},
};

pub use documents::Named;
pub use documents::lock::{IMPORT_BYTES_MAX, IMPORTS_MAX, Import, LOCK_FILE, Lock};
pub use expression::{
    Scope, compile_condition, compile_expression, expression_module, expression_module_within, expression_record_module,
};
pub use flow::{ERROR_TYPES, REACH, error_type_names, picture::picture as flow_picture};
pub use format::{format, is_named};
pub use mapping::{Passes, RecordModule, Tables, compile_map, explain_module, map_module, map_record_module};
pub use module::{Compiled, Mark};
pub use project::{Case, Catalog, Declaration, OperationInfo, Project, Sources};
pub use types::Types;

/// Version of the compiler: with the source digest and the ABI it decides a module's bytes.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
