//! Expressions and mapping rules: parse, check, one intermediate form.
//!
//! [`expression`] reads the expression language, [`rules`] mapping files, [`streams`] tells which of
//! them go record by record, [`yaml`] reads the positioned trees that mapping files and flows are
//! made of, [`mod@format`] writes them in one form, [`picture`] draws mappings, [`nearest`] finds what
//! was meant. Crate `compiler` makes code of what comes out.
//!
//! Deliberately absent: evaluation of any kind, files, and the check of mappings against document
//! types, which comes with the types.

pub mod expression;
pub mod format;
mod nearest;
pub mod picture;
pub mod rules;
pub mod streams;
pub mod yaml;

pub use expression::Expression;
pub use nearest::nearest;
pub use rules::MapFile;
