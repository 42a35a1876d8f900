//! Expressions of jq, as far as the profile goes that flows have: text to tree.
//!
//! The profile:
//!
//! | form | |
//! |---|---|
//! | values | `null` `true` `false` `1.5` `"text"` `"a \(.b) c"` `[…]` `{a: 1, b, "c d": 2, (.e): 3, $f}` |
//! | paths | `.` `..` `.a` `."a b"` `.[e]` `.[1]` `.[1:2]` `.[]`, and each with `?` |
//! | operators | `|` `,` `//` `or` `and` `== != < <= > >=` `+ - * / %`, `-` before a value |
//! | conditions | `if … then … elif … else … end`, also without `else` |
//! | variables | `$name`, `… as $name | …` |
//! | functions | `add all any empty first from_entries has join keys last length map not select split to_entries tonumber tostring type` |
//!
//! All else of jq is refused by name (`LG-JQ-PROFILE`), what is no jq with its place (`LG-JQ-SYNTAX`).
//! Deliberately absent: evaluation, `def`, `reduce`, `foreach`, `try … catch`, assignments, formats, regular
//! expressions, modules.
//!
//! Source: the manual of jq 1.7 (jqlang.org/manual/v1.7); precedence as in its grammar.

mod lexer;
mod parser;
#[cfg(test)]
mod tests;
mod tree;

use lockgate_model::diagnostic::{Diagnostic, Diagnostics, Span};

pub use tree::{Arithmetic, Compare, Entry, Expr, Function, Kind, Outputs, Piece};

/// Levels that an expression may nest, chains of operators and steps included.
pub const DEPTH_MAX: u16 = 128;

/// A parsed expression.
#[derive(Debug, Clone)]
pub struct Filter {
    text: String,
    root: Expr,
}

/// A `$name` that an expression reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable<'f> {
    /// The name, without `$`.
    pub name: &'f str,
    /// Where it stands.
    pub span: Span,
    /// The field that is read of it at once, as in `$task.name`.
    pub field: Option<&'f str>,
}

impl Filter {
    /// Parses one expression. Spans in problems are bytes in `text`.
    pub fn parse(text: &str) -> Result<Filter, Diagnostics> {
        match parser::parse(text) {
            Ok(root) => Ok(Filter { text: text.to_owned(), root }),
            Err(problem) => Err(Diagnostics(vec![*problem])),
        }
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The whole expression.
    pub fn root(&self) -> &Expr {
        &self.root
    }

    /// The same with no output in place of null: what is not there is nothing to go over.
    pub fn unless_null(self) -> Filter {
        let span = self.root.span;
        let leaf = |kind| Box::new(Expr::new(kind, span));
        let is_there = Kind::Compare(Compare::NotEqual, leaf(Kind::Identity), leaf(Kind::Null));
        let first = leaf(Kind::First(Box::new(self.root)));
        let root = Expr::new(Kind::Pipe(first, leaf(Kind::Select(leaf(is_there)))), span);
        Filter { text: self.text, root }
    }

    /// The variables that it reads, its own included.
    pub fn variables(&self) -> Vec<Variable<'_>> {
        let mut found = Vec::new();
        variables(&self.root, None, &mut found);
        found
    }

    /// The text that every result begins with, where it is a joined text: `"/orders/" + …` or `"/orders/\(…)"`.
    pub fn literal_prefix(&self) -> Option<&str> {
        let mut expr = &self.root;
        loop {
            match &expr.kind {
                // Only a string may be added to a string.
                Kind::Arithmetic(Arithmetic::Add, left, _) => expr = left,
                Kind::Text(pieces) => {
                    return match pieces.as_slice() {
                        [Piece::Text(text), ..] => Some(text),
                        _ => None,
                    };
                }
                _ => return None,
            }
        }
    }
}

fn variables<'f>(expr: &'f Expr, field: Option<&'f str>, found: &mut Vec<Variable<'f>>) {
    match &expr.kind {
        Kind::Variable(name) => found.push(Variable { name, span: expr.span, field }),
        Kind::Index { of, key, .. } => {
            let field = match &key.kind {
                Kind::Text(pieces) => match pieces.as_slice() {
                    [Piece::Text(name)] => Some(name.as_str()),
                    _ => None,
                },
                _ => None,
            };
            variables(of, field, found);
            variables(key, None, found);
        }
        _ => expr.each_child(&mut |child| variables(child, None, found)),
    }
}

/// A problem on its way out of a recursion.
type Problem = Box<Diagnostic>;

fn syntax(span: Span, message: impl Into<String>) -> Problem {
    Box::new(Diagnostic::new("LG-JQ-SYNTAX", span, message))
}

/// What is jq and not in the profile.
fn outside(span: Span, what: &str, help: &str) -> Problem {
    let message = format!("{what} is not in the jq profile");
    Box::new(Diagnostic::new("LG-JQ-PROFILE", span, message).help(help))
}

trait Helped {
    fn help(self, help: impl Into<String>) -> Self;
}

impl Helped for Problem {
    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
