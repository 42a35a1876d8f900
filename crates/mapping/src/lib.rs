//! Expressions and mapping rules: parse, check, one intermediate form.

pub mod expression;
pub mod rules;
pub mod yaml;

pub use expression::Expression;
pub use rules::MapFile;
