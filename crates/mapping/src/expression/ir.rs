//! The intermediate form: what the compiler consumes.
//!
//! Names are resolved to variables, frame slots or built-ins; constants are folded; a variable
//! that a lifted function shares knows its place in an environment; everything that is not
//! compiled has been refused. Contexts are explicit: the root of the document, or the item at hand.

use lockgate_model::diagnostic::Span;

use super::kinds;

pub use super::ast::Operator;
pub use super::builtin::Builtin;
pub use super::signature::{Param, Signature};

/// Index into [`Program::variables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariableId(pub usize);

/// Index into [`Program::scopes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(pub usize);

/// Index into [`Program::lambdas`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LambdaId(pub usize);

/// A resolved expression.
#[derive(Debug, Clone)]
pub struct Program {
    /// The expression.
    pub root: Expr,
    /// The outermost scope.
    pub scope: ScopeId,
    /// All variables.
    pub variables: Vec<Variable>,
    /// All scopes.
    pub scopes: Vec<Scope>,
    /// What lambdas need of their surroundings.
    pub lambdas: Vec<LambdaFacts>,
    /// A path starts with a field of the root.
    pub root_paths: bool,
    /// It has functions that are lifted out of it.
    pub lifted: bool,
    /// A function value of it may end with a sequence that has not been settled: a sequence of one
    /// then stands for its item only where the call's result is used.
    pub unsettled: bool,
    /// An array of it is constructed as a step of a path: such an array is one item for a path that
    /// goes on from it later.
    pub constructed: bool,
}

/// A variable.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Without the `$`.
    pub name: String,
    /// Its index in its scope's environment, when a lifted function shares it.
    pub captured: Option<u32>,
    /// Its scope.
    pub scope: ScopeId,
    /// Every value bound to it is a number or undefined, and it is not shared.
    pub number: bool,
    /// It is bound to a function that nobody reads: all its calls are written out.
    pub unread: bool,
}

/// A scope: a block, a function, or the whole expression.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Variables bound in it, parameters first.
    pub variables: Vec<VariableId>,
    /// How many of them stand in its environment; none: it has no environment.
    pub captured: u32,
}

/// What a lifted function needs when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LambdaFacts {
    /// It uses the context of the place where it is made, which is not the root.
    pub uses_context: bool,
    /// Its context is the root.
    pub at_root: bool,
    /// It is a function of the module, not a part of the function around it.
    pub lifted: bool,
}

/// An expression and where it stands.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: Kind,
    /// All of it, in bytes of the expression.
    pub span: Span,
    /// The standard's position.
    pub position: u32,
    /// Its own token, for the errors it raises.
    pub token: Span,
}

/// A value known at compile time.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// No value.
    Undefined,
    /// null
    Null,
    /// true, false
    Boolean(bool),
    /// A number; digits as JSON when it was written so, none when it was computed.
    Number(f64, Option<String>),
    /// A string.
    Text(String),
}

impl Expr {
    /// Whether `is` holds for it or anything in it.
    pub fn any(&self, is: &dyn Fn(&Expr) -> bool) -> bool {
        let mut found = false;
        kinds::visit(self, &mut |expr| found |= is(expr));
        found
    }

    /// The expressions whose value is its value when they are reached: the ends of its branches.
    pub fn ends(&self) -> Vec<&Expr> {
        match &self.kind {
            Kind::Condition(_, then, otherwise) => {
                let mut ends = then.ends();
                ends.extend(otherwise.iter().flat_map(|e| e.ends()));
                ends
            }
            Kind::Block(_, body) => body.last().map(Expr::ends).unwrap_or_default(),
            Kind::Default(_, right) | Kind::Coalesce(_, right) => right.ends(),
            Kind::Inline(lambda, _) => lambda.body.ends(),
            _ => vec![self],
        }
    }
}

/// Kinds of expressions.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A constant.
    Constant(Constant),
    /// `$`: the context.
    Context,
    /// `$$`: the root.
    Root,
    /// A variable.
    Variable(VariableId),
    /// A name that the surroundings provide: a frame slot or a binding.
    External(String),
    /// A field of the context: only as a step.
    Name(String),
    /// `*` of the context.
    Wildcard,
    /// `**` of the context.
    Descendants,
    /// A path.
    Path(Path),
    /// `%`, `@` or `#`: a path that brings names along; see [`Tuples`].
    Tuples(Box<Tuples>),
    /// A value grouped by keys: keys and values.
    Grouped(Box<Expr>, Group),
    /// A step that orders what the steps before gave: terms, each with whether it descends.
    Sort(Vec<(Expr, bool)>),
    /// Filters on a value that is no step; whether `[]` was asked for.
    Filtered(Box<Expr>, Vec<Filter>, bool),
    /// `[]` on a call or a wildcard, whose sequence then stays an array.
    Keep(Box<Expr>),
    /// A call made by `~>`: where it ends a function, it is not the function's call in tail position.
    Settled(Box<Expr>),
    /// `-x`
    Negate(Box<Expr>),
    /// An operator on two values.
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// Items, each with whether it stays one item whatever it is; whether the array is a step's.
    Array(Vec<(Expr, bool)>, bool),
    /// Keys and values.
    Object(Vec<(Expr, Expr)>),
    /// Expressions in a scope of their own; the last is the value.
    Block(ScopeId, Vec<Expr>),
    /// `$x := value`
    Bind(VariableId, Box<Expr>),
    /// `a ? b : c`
    Condition(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    /// `a ?: b`
    Default(Box<Expr>, Box<Expr>),
    /// `a ?? b`
    Coalesce(Box<Expr>, Box<Expr>),
    /// A function.
    Lambda(Box<Lambda>),
    /// A regular expression: a function that matches. Its pattern and its flags are well formed.
    Regex(String, String),
    /// A built-in as a value.
    Function(Builtin),
    /// A built-in called.
    Builtin(Builtin, Vec<Expr>),
    /// A function written where it is called: arguments are bound to its parameters.
    Inline(Box<Lambda>, Vec<Expr>),
    /// A function value called; a name to propose when the callee is no function.
    Call(Box<Expr>, Vec<Expr>, Hint),
    /// Some arguments given; `None` is one left open.
    Partial(Box<Expr>, Vec<Option<Expr>>, Hint),
    /// The body of a transform: a copy of the variable's value, changed.
    Transform(Box<Transform>),
    /// `value ~> function`, the function not written as a call.
    Chain(Box<Expr>, Box<Expr>),
}

/// Why a callee may be no function, and what the error calls it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hint {
    /// The callee's name as the standard's errors give it.
    pub token: Option<String>,
    /// It is a plain name, and a variable of that name is a function: a `$` was forgotten.
    pub forgotten: bool,
}

/// A function.
#[derive(Debug, Clone)]
pub struct Lambda {
    /// Its facts.
    pub id: LambdaId,
    /// The scope of its parameters.
    pub scope: ScopeId,
    /// Its parameters.
    pub params: Vec<VariableId>,
    /// What arguments it takes.
    pub signature: Option<Signature>,
    /// Its body.
    pub body: Expr,
}

/// A path.
#[derive(Debug, Clone)]
pub struct Path {
    /// The steps, at least one.
    pub steps: Vec<Step>,
    /// `[]` was asked for: the result stays an array.
    pub keep: bool,
    /// The first step's context is the root.
    pub at_root: bool,
    /// The first step is a value of its own, not taken for each item of the context: a variable or
    /// an array constructor.
    pub absolute: bool,
}

impl Path {
    /// Its first step is an array that is constructed, or ends with a path from one: it is the list of
    /// the items that the path goes on from.
    pub fn first_is_array(&self) -> bool {
        self.steps.first().is_some_and(|step| match step.expr.kind {
            Kind::Array(_, true) => true,
            // Of the values of their own only such a one stands in brackets.
            Kind::Block(..) => self.absolute,
            _ => false,
        })
    }

    /// It goes on from such an array: when that is empty it is the path's value.
    pub fn starts_with_array(&self) -> bool {
        let plain = self.steps.first().is_some_and(|step| step.filters.is_empty());
        self.steps.len() > 1 && plain && self.first_is_array()
    }

    /// The field that the last step reads, when it does nothing else.
    pub fn ends_with_field(&self) -> Option<&str> {
        if self.starts_with_array() {
            return None;
        }
        let last = self.steps.last()?;
        match &last.expr.kind {
            Kind::Name(name) if last.filters.is_empty() => Some(name),
            _ => None,
        }
    }
}

/// A step of a path: evaluated for each item of what the step before gave.
#[derive(Debug, Clone)]
pub struct Step {
    /// What is evaluated.
    pub expr: Expr,
    /// Filters on each item's result.
    pub filters: Vec<Filter>,
}

/// A filter.
#[derive(Debug, Clone)]
pub enum Filter {
    /// A constant place, negative from the end.
    Index(f64),
    /// An expression on each item: a number selects by place, else its truth decides.
    Predicate(Expr),
    /// Not a filter: the variable of that number in [`Tuples`] is the place of each item.
    Place(usize),
}

/// `|pattern|update,delete|`, the body of a function of one parameter.
#[derive(Debug, Clone)]
pub struct Transform {
    /// The parameter.
    pub subject: VariableId,
    /// What of the copy is changed.
    pub pattern: Expr,
    /// An object of fields that are set.
    pub update: Expr,
    /// Names of fields that are removed.
    pub delete: Option<Expr>,
}

/// A path of which a step binds names: from there on each item is a tuple of itself and what was
/// bound on the way to it.
#[derive(Debug, Clone)]
pub struct Tuples {
    /// The path; its steps from `first` on make tuples.
    pub path: Path,
    /// The scope of the names, opened anew for each tuple.
    pub scope: ScopeId,
    /// What a tuple holds behind its item.
    pub variables: Vec<VariableId>,
    /// The first step that makes tuples.
    pub first: usize,
    /// What each step from `first` on binds.
    pub bound: Vec<Bound>,
    /// How the tuples are grouped.
    pub group: Option<Group>,
}

/// `{…}` after a path or another value.
#[derive(Debug, Clone)]
pub struct Group {
    /// Keys, of each item, and values, of all items with one key.
    pub pairs: Vec<(Expr, Expr)>,
    /// Its first brace.
    pub token: Span,
}

/// What a step adds to a tuple: numbers of variables.
#[derive(Debug, Clone, Default)]
pub struct Bound {
    /// `@$name`: the result, while the item stays what the step was taken on.
    pub focus: Option<usize>,
    /// `#$name`: the place of the result.
    pub index: Option<usize>,
    /// What the step was taken on, for a `%`.
    pub ancestor: Option<usize>,
    /// The step gives tuples itself: numbers of its variables and of ours that take them over.
    pub taken: Option<Vec<(usize, usize)>>,
}

impl Expr {
    /// The tuples that this expression ends with.
    pub fn tuples(&self) -> Option<&Tuples> {
        match &self.kind {
            Kind::Tuples(tuples) if tuples.group.is_none() => Some(tuples),
            Kind::Block(_, body) => body.last()?.tuples(),
            _ => None,
        }
    }
}
