//! The tree as written, before paths are put together.

use lockgate_model::diagnostic::Span;

use super::signature::Signature;

/// A node and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// All of it.
    pub(super) span: Span,
    /// Where its own token ends: the standard's position of this node.
    pub(super) position: u32,
    /// Its own token.
    pub(super) token: Span,
    /// `[]` was asked for.
    pub(super) keep_array: bool,
    /// Longest way down to a leaf.
    pub(super) height: u16,
}

/// Binary operators without special form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
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
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `&`
    Concat,
    /// `and`
    And,
    /// `or`
    Or,
    /// `in`
    In,
    /// `..`
    Range,
}

impl Operator {
    /// As written.
    pub fn text(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%",
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterEqual => ">=",
            Operator::Concat => "&",
            Operator::And => "and",
            Operator::Or => "or",
            Operator::In => "in",
            Operator::Range => "..",
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Name(String),
    Variable(String),
    Text(String),
    Number(f64, String),
    Boolean(bool),
    Null,
    /// Pattern and flags.
    Regex(String, String),
    Wildcard,
    Descendant,
    Parent,
    /// `?` as an argument.
    Placeholder,
    Dot(Box<Node>, Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    Negate(Box<Node>),
    Array(Vec<Node>),
    Object(Vec<(Node, Node)>),
    Filter(Box<Node>, Box<Node>),
    Group(Box<Node>, Vec<(Node, Node)>),
    /// Terms with whether they descend.
    Sort(Box<Node>, Vec<(Node, bool)>),
    Bind(Box<Node>, Box<Node>),
    /// `@$name`
    Focus(Box<Node>, String),
    /// `#$name`
    Index(Box<Node>, String),
    Chain(Box<Node>, Box<Node>),
    Condition(Box<Node>, Box<Node>, Option<Box<Node>>),
    /// `?:`
    Default(Box<Node>, Box<Node>),
    /// `??`
    Coalesce(Box<Node>, Box<Node>),
    Call(Box<Node>, Vec<Node>),
    Partial(Box<Node>, Vec<Node>),
    Lambda(Vec<String>, Option<Signature>, Box<Node>),
    Block(Vec<Node>),
    Transform(Box<Node>, Box<Node>, Option<Box<Node>>),
    /// The end of the text where an operand was expected.
    End,
}
