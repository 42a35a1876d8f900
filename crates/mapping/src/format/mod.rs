//! The canonical form of YAML files: comments stay where they stand, the meaning stays what it was.
//!
//! A file is read to a [`Sheet`], a tree that holds comments and blank lines beside the values; what
//! is known of its kind (which texts are expressions, in which order keys stand, what may lie on one
//! line) is put into that tree, and the tree is written. What was written is read again and compared
//! with what there was before anything is given back.
//!
//! Indentation is two blanks, lines end with LF and are 100 characters long where that can be. Quotes
//! stand where YAML 1.2 needs them. Objects and arrays in braces stay so where they fit on a line.
//!
//! Deliberately absent: what flows and projects are made of; crate `compiler` tells it.

mod mapping;
mod scalar;
mod sheet;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeSet;

use lockgate_model::{Diagnostic, Diagnostics, Span};

use crate::{
    expression,
    yaml::{self, Node, Value},
};
use sheet::{Form, Sheet};

pub use mapping::mapping;

/// Characters of a line.
const WIDTH: usize = 100;

/// What is known of a kind of files.
#[derive(Debug, Default)]
pub struct Kind<'k> {
    /// Where the values begin that are expressions, bare or as `${ … }`.
    pub expressions: BTreeSet<u32>,
    /// The order of the keys of the file, where it has no meaning.
    pub keys: &'k [&'k str],
}

/// The canonical form of a file. `file` names it in problems.
///
/// Errors: those of [`yaml::parse`], and `LG-FMT` should what was written not read back as the same.
pub fn format(file: &str, text: &str, kind: &Kind<'_>) -> Result<String, Diagnostics> {
    let root = yaml::parse(file, text)?;
    let sheet = sheet::read(text, &root, kind)?.ordered(kind.keys);
    finish(file, text, &root, sheet, !kind.keys.is_empty())
}

/// Writes a sheet and holds it against what it was made of. `moved`: keys may stand in another order.
fn finish(file: &str, text: &str, root: &Node, sheet: Sheet, moved: bool) -> Result<String, Diagnostics> {
    let alike = Alike { expressions: sheet.expressions(), moved };
    let written = write::write(sheet);
    let faithful = yaml::parse(file, &written)
        .is_ok_and(|read| alike.same(root, &read) && sheet::comments(text, root) == sheet::comments(&written, &read));
    if faithful {
        return Ok(written);
    }
    let message = "the canonical form of this file would not mean the same";
    let problem = Diagnostic::new("LG-FMT", Span::new(0, 0), message).file(file);
    Err(Diagnostics(vec![problem.help("the file is left as it is; this is a defect of the formatter")]))
}

/// What may differ between two trees that mean the same.
struct Alike {
    /// Where expressions begin in the first, which are the same when their trees are.
    expressions: BTreeSet<u32>,
    /// The order of keys.
    moved: bool,
}

impl Alike {
    fn same(&self, a: &Node, b: &Node) -> bool {
        match (&a.value, &b.value) {
            (Value::Scalar(one), Value::Scalar(other)) => {
                let word = matches!(one.kind, yaml::Kind::Null | yaml::Kind::Boolean(_));
                let formula = self.expressions.contains(&a.span.start);
                let text = word || one.text == other.text || formula && is_same_expression(&one.text, &other.text);
                one.kind == other.kind && text
            }
            (Value::Sequence(one), Value::Sequence(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(a, b)| self.same(a, b))
            }
            (Value::Mapping(one), Value::Mapping(other)) => {
                let (mut one, mut other): (Vec<_>, Vec<_>) = (one.iter().collect(), other.iter().collect());
                if self.moved {
                    one.sort_by_key(|(key, _)| &key.text);
                    other.sort_by_key(|(key, _)| &key.text);
                }
                one.len() == other.len()
                    && one.iter().zip(&other).all(|((k, a), (l, b))| k.text == l.text && self.same(a, b))
            }
            _ => false,
        }
    }
}

fn is_same_expression(a: &str, b: &str) -> bool {
    match (enclosed(a), enclosed(b)) {
        (Some(a), Some(b)) => expression::is_same(a, b),
        (None, None) => expression::is_same(a, b),
        _ => false,
    }
}

/// What stands in `${ … }`.
fn enclosed(text: &str) -> Option<&str> {
    text.trim().strip_prefix("${")?.strip_suffix('}')
}

impl Sheet {
    /// The entries of an object in this order; others stand behind these as they did.
    fn ordered(mut self, keys: &[&str]) -> Sheet {
        if let Form::Mapping { entries, .. } = &mut self.form {
            entries.sort_by_key(|(key, _)| keys.iter().position(|k| *k == key.text).unwrap_or(keys.len()));
        }
        self
    }
}
