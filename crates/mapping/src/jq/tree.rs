//! The tree of an expression.

use lockgate_model::diagnostic::Span;

/// An expression: a function of one value that gives any number of values, its outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
    /// How many outputs it has.
    pub outputs: Outputs,
    pub(super) height: u16,
}

/// How many outputs an expression has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outputs {
    /// Exactly one.
    One,
    /// None, one or many.
    Any,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `.`
    Identity,
    /// `..`
    Recurse,
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number in the notation of JSON.
    Number(String),
    /// A text with expressions in it.
    Text(Vec<Piece>),
    /// `$name`
    Variable(String),
    /// `[…]`; none: `[]`.
    Array(Option<Box<Expr>>),
    /// `{…}`
    Object(Vec<Entry>),
    /// `-e`
    Negate(Box<Expr>),
    /// `of[key]`; `optional`: what has no such part has no output.
    Index {
        /// Of what.
        of: Box<Expr>,
        /// A name or a place.
        key: Box<Expr>,
        /// `?`
        optional: bool,
    },
    /// `of[from:to]`
    Slice {
        /// Of what.
        of: Box<Expr>,
        /// Where it begins.
        from: Option<Box<Expr>>,
        /// Where it ends.
        to: Option<Box<Expr>>,
        /// `?`
        optional: bool,
    },
    /// `of[]`
    Iterate {
        /// Of what.
        of: Box<Expr>,
        /// `?`
        optional: bool,
    },
    /// `e?`: an error ends the outputs.
    Optional(Box<Expr>),
    /// `a | b`
    Pipe(Box<Expr>, Box<Expr>),
    /// `a, b, …`
    Comma(Vec<Expr>),
    /// `a // b`
    Alternative(Box<Expr>, Box<Expr>),
    /// `a and b`
    And(Box<Expr>, Box<Expr>),
    /// `a or b`
    Or(Box<Expr>, Box<Expr>),
    /// `a == b` …
    Compare(Compare, Box<Expr>, Box<Expr>),
    /// `a + b` …
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// `if condition then then else otherwise end`
    If {
        /// `if`
        condition: Box<Expr>,
        /// `then`
        then: Box<Expr>,
        /// `else`; without it the input.
        otherwise: Option<Box<Expr>>,
    },
    /// `source as $name | body`
    Bind {
        /// What is bound.
        source: Box<Expr>,
        /// The name, without `$`.
        name: String,
        /// Where it is known.
        body: Box<Expr>,
    },
    /// `empty`
    Empty,
    /// `not`
    Not,
    /// `select(condition)`
    Select(Box<Expr>),
    /// `first(source)`
    First(Box<Expr>),
    /// `any(source; condition)`, or `all` of them.
    Quantifier {
        /// `all`
        all: bool,
        /// What is asked.
        source: Box<Expr>,
        /// What is asked of it.
        condition: Box<Expr>,
    },
    /// A function of the input and perhaps of one value.
    Call(Function, Option<Box<Expr>>),
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// The text of a value.
    Value(Expr),
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name.
    pub key: Expr,
    /// Its value.
    pub value: Expr,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// An operator that computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

/// A function that gives one value for its input and its argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// `add`
    Add,
    /// `from_entries`
    FromEntries,
    /// `has(key)`
    Has,
    /// `join(separator)`
    Join,
    /// `keys`
    Keys,
    /// `length`
    Length,
    /// `split(separator)`
    Split,
    /// `to_entries`
    ToEntries,
    /// `tonumber`
    ToNumber,
    /// `tostring`
    ToString,
    /// `type`
    Type,
}

impl Expr {
    pub(super) fn new(kind: Kind, span: Span) -> Expr {
        let mut expr = Expr { kind, span, outputs: Outputs::One, height: 0 };
        let (mut height, mut all_one) = (0, true);
        expr.each_child(&mut |child| {
            height = height.max(child.height + 1);
            all_one &= child.outputs == Outputs::One;
        });
        expr.height = height;
        let is_one = match &expr.kind {
            // Whatever is gathered or asked, it is one array or one answer.
            Kind::Array(_) | Kind::Quantifier { .. } => true,
            Kind::Recurse | Kind::Iterate { .. } | Kind::Empty | Kind::Select(_) | Kind::First(_) => false,
            Kind::Optional(_) | Kind::Comma(_) => false,
            Kind::Index { optional, .. } | Kind::Slice { optional, .. } => !optional && all_one,
            _ => all_one,
        };
        expr.outputs = if is_one { Outputs::One } else { Outputs::Any };
        expr
    }

    /// A text without expressions in it.
    pub(super) fn text(text: String, span: Span) -> Expr {
        Expr::new(Kind::Text(vec![Piece::Text(text)]), span)
    }

    /// Visits what it is made of.
    pub fn each_child<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        match &self.kind {
            Kind::Identity
            | Kind::Recurse
            | Kind::Null
            | Kind::Boolean(_)
            | Kind::Number(_)
            | Kind::Variable(_)
            | Kind::Array(None)
            | Kind::Empty
            | Kind::Not
            | Kind::Call(_, None) => {}
            Kind::Text(pieces) => {
                for piece in pieces {
                    if let Piece::Value(value) = piece {
                        visit(value);
                    }
                }
            }
            Kind::Object(entries) => {
                for entry in entries {
                    visit(&entry.key);
                    visit(&entry.value);
                }
            }
            Kind::Array(Some(inner))
            | Kind::Negate(inner)
            | Kind::Optional(inner)
            | Kind::Select(inner)
            | Kind::First(inner)
            | Kind::Call(_, Some(inner)) => visit(inner),
            Kind::Iterate { of, .. } => visit(of),
            Kind::Index { of, key, .. } => {
                visit(of);
                visit(key);
            }
            Kind::Slice { of, from, to, .. } => {
                visit(of);
                from.iter().chain(to).for_each(|bound| visit(bound));
            }
            Kind::Comma(parts) => parts.iter().for_each(visit),
            Kind::Pipe(a, b)
            | Kind::Alternative(a, b)
            | Kind::And(a, b)
            | Kind::Or(a, b)
            | Kind::Compare(_, a, b)
            | Kind::Arithmetic(_, a, b) => {
                visit(a);
                visit(b);
            }
            Kind::If { condition, then, otherwise } => {
                visit(condition);
                visit(then);
                otherwise.iter().for_each(|otherwise| visit(otherwise));
            }
            Kind::Bind { source, body, .. } => {
                visit(source);
                visit(body);
            }
            Kind::Quantifier { source, condition, .. } => {
                visit(source);
                visit(condition);
            }
        }
    }
}
