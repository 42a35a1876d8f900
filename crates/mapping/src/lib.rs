//! Expressions and mapping rules: parse, check, one intermediate form.
//!
//! [`expression`] reads the expression language, [`jq`] the standard's own, [`rules`] mapping files, [`types`] holds them to
//! document types, [`streams`] tells which of them go record by record, [`yaml`] reads the positioned
//! trees that mapping files and flows come from, [`mod@format`] writes them in one form, [`picture`]
//! draws mappings, [`nearest`] finds what was meant. Crate `compiler` makes code of what comes out.
//!
//! Deliberately absent: evaluation of any kind, files, and documents.

pub mod expression;
pub mod format;
pub mod jq;
mod nearest;
pub mod picture;
pub mod rules;
pub mod streams;
pub mod types;
pub mod yaml;

pub use expression::Expression;
pub use nearest::nearest;
pub use rules::MapFile;
