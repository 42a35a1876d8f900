//! Expressions of the language JSONata 2.2: text to tree to intermediate form.
//!
//! [`Expression::parse`] takes the whole grammar and gives the standard's error codes.
//! [`Expression::resolve`] gives the form that the compiler consumes: names resolved, paths
//! typed, what is not compiled yet refused with its place. Deliberately absent: evaluation.
//!
//! A diagnostic's span ends where the standard's `position` is.

mod ast;
mod builtin;
mod fold;
mod format;
pub mod ir;
mod kinds;
mod lexer;
mod normalise;
mod parser;
mod resolve;
mod signature;
mod tree;

use lockgate_model::diagnostic::{Diagnostic, Diagnostics, Span};

pub use builtin::{builtins, is_builtin, signature_of};
pub use format::{format, is_same};
pub use kinds::{ValueKind, kind_of};

/// A parsed expression.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    tree: Box<tree::Tree>,
    /// For each `%`, the one whose name it goes by.
    parents: Vec<usize>,
}

impl Expression {
    /// Parses one expression. Spans in problems are bytes in `text`.
    pub fn parse(text: &str) -> Result<Expression, Diagnostics> {
        let (tree, parents) =
            parser::parse(text).and_then(normalise::normalise).map_err(|problem| Diagnostics(vec![*problem.0]))?;
        Ok(Expression { text: text.to_owned(), tree, parents })
    }

    /// Stands for an expression that cannot be read. It is like `*`: nothing is known of its value.
    pub(crate) fn unread() -> Expression {
        let (text, nowhere) = (String::new(), Span::default());
        let tree = Box::new(tree::Tree::new(tree::What::Wildcard, nowhere, 0, nowhere));
        Expression { text, tree, parents: Vec::new() }
    }

    /// Its intermediate form. `outer` tells which names the surroundings provide; they hide
    /// built-ins of the same name. What is not compiled is refused: `LG-EXPR-EVAL` for `$eval`,
    /// `LG-EXPR-REGEX` for a regular expression that cannot be had in linear time.
    pub fn resolve(&self, outer: &dyn Fn(&str) -> bool) -> Result<ir::Program, Diagnostics> {
        resolve::resolve(&self.tree, &self.parents, false, outer)
    }

    /// As [`Expression::resolve`] where all names are known: what `unbound` says of one that is bound
    /// nowhere refuses it, and none leaves it undefined.
    pub fn resolve_closed(
        &self,
        outer: &dyn Fn(&str) -> bool,
        unbound: &dyn Fn(&Unbound<'_>) -> Option<Diagnostic>,
    ) -> Result<ir::Program, Diagnostics> {
        resolve::resolve_closed(&self.tree, &self.parents, outer, unbound)
    }

    /// The same for an expression whose context is an item of the document and not its root: the
    /// root is `$$`.
    pub fn resolve_on_item(&self, outer: &dyn Fn(&str) -> bool) -> Result<ir::Program, Diagnostics> {
        resolve::resolve(&self.tree, &self.parents, true, outer)
    }

    /// The variable that the whole expression binds: `rate` of `$rate := 2`.
    pub fn binds(&self) -> Option<&str> {
        match &self.tree.what {
            tree::What::Bind(name, _) => Some(name),
            _ => None,
        }
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A name that is bound nowhere.
#[derive(Debug)]
pub struct Unbound<'n> {
    /// The name, without `$`.
    pub name: &'n str,
    /// What the expression itself binds around the place.
    pub own: Vec<&'n str>,
    /// The expression binds it, but only further on.
    pub later: bool,
    /// It is called, or stands right of `~>`.
    pub called: bool,
}

/// A diagnostic on its way out of a recursion: one pointer wide.
#[derive(Debug)]
struct Problem(Box<Diagnostic>);

impl Problem {
    fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    fn token(mut self, token: impl Into<String>) -> Self {
        self.0.token = Some(token.into());
        self
    }
}

fn problem(code: &str, span: Span, message: impl Into<String>) -> Problem {
    Problem(Box::new(Diagnostic::new(code, span, message)))
}

/// A number as the standard writes it: the shortest digits that read back as the same value,
/// in the layout of ECMAScript's `Number::toString`.
pub fn number_text(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{:e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or_default());
    let point = exponent + 1;
    let text = if (0..21).contains(&exponent) {
        if count <= point {
            format!("{digits}{}", zeros(point - count))
        } else {
            let (whole, part) =
                digits.split_at_checked(usize::try_from(point).unwrap_or_default()).unwrap_or((&digits, ""));
            format!("{whole}.{part}")
        }
    } else if (-6..0).contains(&exponent) {
        format!("0.{}{digits}", zeros(-point))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, ""));
        let dot = if rest.is_empty() { "" } else { "." };
        format!("{first}{dot}{rest}e{sign}{}", exponent.abs())
    };
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests;
