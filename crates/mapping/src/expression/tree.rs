//! The tree after paths are put together: what the standard's implementation calls its processed
//! syntax tree.

use lockgate_model::diagnostic::Span;

use super::{ast::Operator, signature::Signature};

/// A node of the tree.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) what: What,
    pub(super) span: Span,
    /// The standard's position.
    pub(super) position: u32,
    /// The node's own token.
    pub(super) token: Span,
    /// Filters on the value of a node that is no step of a path.
    pub(super) predicates: Vec<Tree>,
    /// Filters and position variables of a step.
    pub(super) stages: Vec<Stage>,
    pub(super) group: Option<Group>,
    pub(super) keep_array: bool,
    /// An array constructor that is a step: its arrays are not flattened into the path's result.
    pub(super) cons_array: bool,
    /// `@$name`
    pub(super) focus: Option<String>,
    /// `#$name` before any filter.
    pub(super) index: Option<String>,
    /// The parent that somebody looks for is what this step is taken on.
    pub(super) ancestor: Option<usize>,
    /// A step whose results bring names along, or what such a step is made of.
    pub(super) tuple: bool,
    /// Parents that are still looked for further out.
    pub(super) seeking: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(super) enum Stage {
    Filter(Box<Tree>),
    /// `#$name` behind a filter.
    Index(String),
}

#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) span: Span,
    pub(super) pairs: Vec<(Tree, Tree)>,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Path(Vec<Tree>, bool),
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
    /// With its slot among the parents looked for.
    Parent(usize),
    Placeholder,
    Binary(Operator, Box<Tree>, Box<Tree>),
    Negate(Box<Tree>),
    Array(Vec<Tree>),
    Object(Vec<(Tree, Tree)>),
    Bind(String, Box<Tree>),
    Chain(Box<Tree>, Box<Tree>),
    Condition(Box<Tree>, Box<Tree>, Option<Box<Tree>>),
    Default(Box<Tree>, Box<Tree>),
    Coalesce(Box<Tree>, Box<Tree>),
    Call(Box<Tree>, Vec<Tree>),
    Partial(Box<Tree>, Vec<Tree>),
    Lambda(Vec<String>, Option<Signature>, Box<Tree>),
    Block(Vec<Tree>),
    /// Pattern, update, and what is deleted.
    Transform(Box<Tree>, Box<Tree>, Option<Box<Tree>>),
    /// Terms with whether they descend.
    Sort(Vec<(Tree, bool)>),
}

impl Tree {
    /// A node with nothing but its form.
    pub(super) fn new(what: What, span: Span, position: u32, token: Span) -> Self {
        Self {
            what,
            span,
            position,
            token,
            predicates: Vec::new(),
            stages: Vec::new(),
            group: None,
            keep_array: false,
            cons_array: false,
            focus: None,
            index: None,
            ancestor: None,
            tuple: false,
            seeking: Vec::new(),
        }
    }

    /// The standard's name of this type of node.
    pub(super) fn type_name(&self) -> &'static str {
        match &self.what {
            What::Path(..) => "path",
            What::Name(_) => "name",
            What::Variable(_) => "variable",
            What::Text(_) => "string",
            What::Number(..) => "number",
            What::Boolean(_) | What::Null => "value",
            What::Regex(..) => "regex",
            What::Wildcard => "wildcard",
            What::Descendant => "descendant",
            What::Parent(_) => "parent",
            What::Placeholder => "operator",
            What::Binary(..) => "binary",
            What::Negate(_) | What::Array(_) | What::Object(_) => "unary",
            What::Bind(..) => "bind",
            What::Chain(..) => "apply",
            What::Condition(..) | What::Default(..) | What::Coalesce(..) => "condition",
            What::Call(..) => "function",
            What::Partial(..) => "partial",
            What::Lambda(..) => "lambda",
            What::Block(_) => "block",
            What::Transform(..) => "transform",
            What::Sort(_) => "sort",
        }
    }
}
