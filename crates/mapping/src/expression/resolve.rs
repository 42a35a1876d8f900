//! Names to variables, slots and built-ins; contexts made explicit; constants folded; what is refused
//! is refused all at once.
//!
//! Scopes are the language's: a block or a function is one, `:=` binds in the innermost, and a
//! name not bound there yet means the one further out. Where only the run can tell (a binding in
//! one branch, or used by a function made before it) both are kept: see [`Resolver::lookup`].

mod calls;
mod scopes;
mod tuples;
mod written_out;

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use lockgate_document::pattern::Pattern;
use lockgate_model::diagnostic::{Diagnostic, Diagnostics, Span};

use super::{
    Problem, Unbound, builtin, fold,
    ir::{
        Builtin, Constant, Expr, Filter, Kind, LambdaFacts, Path, Program, Scope, ScopeId, Step, Variable, VariableId,
    },
    kinds, problem,
    tree::{Stage, Tree, What},
};
use written_out::Small;

/// Resolves a tree; `outer` tells whether the surroundings provide a name, `on_item` whether the
/// context is an item rather than the root.
pub(super) fn resolve(
    tree: &Tree,
    parents: &[usize],
    on_item: bool,
    outer: &dyn Fn(&str) -> bool,
) -> Result<Program, Diagnostics> {
    resolved(tree, parents, on_item, outer, &|_| None)
}

/// The same where `unbound` judges names that are bound nowhere.
pub(super) fn resolve_closed(
    tree: &Tree,
    parents: &[usize],
    outer: &dyn Fn(&str) -> bool,
    unbound: &dyn Fn(&Unbound<'_>) -> Option<Diagnostic>,
) -> Result<Program, Diagnostics> {
    resolved(tree, parents, false, outer, unbound)
}

fn resolved(
    tree: &Tree,
    parents: &[usize],
    on_item: bool,
    outer: &dyn Fn(&str) -> bool,
    unbound: &dyn Fn(&Unbound<'_>) -> Option<Diagnostic>,
) -> Result<Program, Diagnostics> {
    let mut resolver = Resolver {
        outer,
        parents,
        unbound,
        calling: false,
        problems: Diagnostics::default(),
        variables: Vec::new(),
        scopes: Vec::new(),
        lambdas: Vec::new(),
        frames: Vec::new(),
        function: 0,
        branch: 0,
        context: if on_item { Context::Item } else { Context::Root },
        root_paths: false,
        written: 0,
    };
    let scope = resolver.enter(&[tree]);
    let root = resolver.expr(tree);
    let mut program = Program {
        root,
        scope,
        root_paths: resolver.root_paths,
        lifted: false,
        unsettled: false,
        constructed: false,
        variables: resolver.variables,
        scopes: resolver.scopes,
        lambdas: resolver.lambdas.into_iter().map(|l| l.facts).collect(),
    };
    kinds::infer(&mut program);
    kinds::find_unread(&mut program);
    program.unsettled = kinds::unsettled(&program.root);
    program.constructed = program.root.any(&|expr| matches!(expr.kind, Kind::Array(_, true)));
    resolver.problems.into_result(program)
}

/// What `$` is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    Root,
    /// The item of a step, a filter or the like, in the same function.
    Item,
    /// What it was where this lifted function was made.
    Captured(usize),
}

/// Whether a name of a frame is bound where the resolver stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    No,
    Maybe,
    Yes,
}

struct Frame {
    scope: ScopeId,
    function: usize,
    branch: usize,
    names: BTreeMap<String, (VariableId, Bound)>,
    /// Names that are bound in more than one place.
    rebound: BTreeSet<String>,
    /// Names that are bound to a small function.
    small: BTreeMap<String, Rc<Small>>,
}

struct LambdaState {
    facts: LambdaFacts,
    /// The context where it is made.
    parent: Context,
}

struct Resolver<'a> {
    outer: &'a dyn Fn(&str) -> bool,
    /// For each `%`, the one whose name it goes by.
    parents: &'a [usize],
    unbound: &'a dyn Fn(&Unbound<'_>) -> Option<Diagnostic>,
    /// The next node is what is called.
    calling: bool,
    problems: Diagnostics,
    variables: Vec<Variable>,
    scopes: Vec<Scope>,
    lambdas: Vec<LambdaState>,
    frames: Vec<Frame>,
    /// The function being resolved: 0 is the expression, else a lifted lambda's number plus one.
    function: usize,
    /// How many branches or loop bodies the resolver is in.
    branch: usize,
    context: Context,
    root_paths: bool,
    /// Nodes of small functions that were written out.
    written: usize,
}

impl Resolver<'_> {
    // --- contexts

    /// The context is used here; a lifted function must bring it along.
    fn use_context(&mut self) {
        let mut context = self.context;
        while let Context::Captured(lambda) = context {
            let Some(state) = self.lambdas.get_mut(lambda) else {
                return;
            };
            state.facts.uses_context = true;
            context = state.parent;
        }
    }

    /// Resolves with an item as context, in a body that runs any number of times.
    fn on_items<T>(&mut self, resolve: impl FnOnce(&mut Self) -> T) -> T {
        let context = std::mem::replace(&mut self.context, Context::Item);
        let value = self.in_branch(resolve);
        self.context = context;
        value
    }

    fn in_branch<T>(&mut self, resolve: impl FnOnce(&mut Self) -> T) -> T {
        self.branch += 1;
        let value = resolve(self);
        self.branch -= 1;
        value
    }

    // --- expressions

    fn refuse(&mut self, problem: Problem) {
        self.problems.push(*problem.0);
    }

    fn boxed(&mut self, tree: &Tree) -> Box<Expr> {
        Box::new(self.expr(tree))
    }

    fn exprs(&mut self, trees: &[Tree]) -> Vec<Expr> {
        trees.iter().map(|t| self.expr(t)).collect()
    }

    fn expr(&mut self, tree: &Tree) -> Expr {
        let made = |kind| Expr { kind, span: tree.span, position: tree.position, token: tree.token };
        let mut kind = self.kind(tree);
        if !tree.predicates.is_empty() {
            let filters = tree.predicates.iter().map(|p| self.filter(p)).collect();
            kind = Kind::Filtered(Box::new(made(kind)), filters, tree.keep_array);
        }
        if let Some(group) = &tree.group {
            return match kind {
                Kind::Tuples(_) => made(kind),
                _ => made(self.grouped(made(kind), group)),
            };
        }
        if !tree.predicates.is_empty() {
            return made(kind);
        }
        let fresh = matches!(
            kind,
            Kind::Builtin(..)
                | Kind::Call(..)
                | Kind::Chain(..)
                | Kind::Inline(..)
                | Kind::Wildcard
                | Kind::Descendants
        );
        if tree.keep_array && fresh {
            return made(Kind::Keep(Box::new(made(kind))));
        }
        if matches!(tree.what, What::Chain(..)) && matches!(kind, Kind::Builtin(..) | Kind::Call(..)) {
            return made(Kind::Settled(Box::new(made(kind))));
        }
        made(kind)
    }

    fn kind(&mut self, tree: &Tree) -> Kind {
        let called = std::mem::take(&mut self.calling);
        match &tree.what {
            What::Path(steps, keep) if steps.iter().any(|step| step.tuple) => {
                self.tuples(tree, steps, *keep || tree.keep_array)
            }
            What::Path(steps, keep) => self.path(steps, *keep || tree.keep_array),
            What::Name(name) => Kind::Name(name.clone()),
            What::Variable(name) if name.is_empty() => {
                self.use_context();
                Kind::Context
            }
            What::Variable(name) => self.variable(name, tree, called),
            What::Text(text) => Kind::Constant(Constant::Text(text.clone())),
            What::Number(value, lexeme) => {
                Kind::Constant(Constant::Number(*value, Some(fold::json_number(*value, lexeme))))
            }
            What::Boolean(value) => Kind::Constant(Constant::Boolean(*value)),
            What::Null => Kind::Constant(Constant::Null),
            What::Regex(pattern, flags) => self.regex(tree, pattern, flags),
            What::Wildcard => {
                self.use_context();
                Kind::Wildcard
            }
            What::Descendant => {
                self.use_context();
                Kind::Descendants
            }
            What::Parent(slot) => self.variable(&self.parent_name(*slot), tree, false),
            What::Transform(pattern, update, delete) => {
                Kind::Lambda(Box::new(self.transform(tree, pattern, update, delete.as_deref())))
            }
            What::Sort(terms) => self.order(terms),
            What::Placeholder => Kind::Constant(Constant::Undefined),
            What::Negate(operand) => fold::negate(self.boxed(operand)),
            What::Binary(operator, left, right) => {
                let left = self.boxed(left);
                // The right side of `and` and `or` may not be reached.
                let right = self.in_branch(|r| r.boxed(right));
                fold::binary(*operator, left, right)
            }
            What::Array(items) => {
                let items = items.iter().map(|item| (self.expr(item), matches!(item.what, What::Array(_)))).collect();
                Kind::Array(items, tree.cons_array)
            }
            What::Object(pairs) => self.object(pairs),
            What::Bind(name, bound) => {
                let value = self.boxed(bound);
                let inside = self.frames.last().is_some_and(|frame| self.branch > frame.branch);
                let id = self.declare(name, if inside { Bound::Maybe } else { Bound::Yes });
                if !inside {
                    self.remember(name, bound);
                }
                if inside
                    && let Some(frame) = self.frames.last_mut()
                    && let Some((_, bound @ Bound::No)) = frame.names.get_mut(name)
                {
                    *bound = Bound::Maybe;
                }
                Kind::Bind(id, value)
            }
            What::Chain(left, right) => self.chain(left, right),
            What::Condition(condition, then, otherwise) => {
                let condition = self.boxed(condition);
                let then = self.in_branch(|r| r.boxed(then));
                let otherwise = otherwise.as_ref().map(|node| self.in_branch(|r| r.boxed(node)));
                Kind::Condition(condition, then, otherwise)
            }
            What::Default(left, right) => {
                let left = self.boxed(left);
                Kind::Default(left, self.in_branch(|r| r.boxed(right)))
            }
            What::Coalesce(left, right) => {
                let left = self.boxed(left);
                Kind::Coalesce(left, self.in_branch(|r| r.boxed(right)))
            }
            What::Call(procedure, arguments) => self.call(procedure, None, arguments),
            What::Partial(procedure, arguments) => {
                let given =
                    arguments.iter().map(|a| (!matches!(a.what, What::Placeholder)).then(|| self.expr(a))).collect();
                let hint = self.hint(procedure);
                self.calling = true;
                Kind::Partial(self.boxed(procedure), given, hint)
            }
            What::Lambda(params, signature, body) => {
                Kind::Lambda(Box::new(self.lambda(params, signature, body, false)))
            }
            What::Block(body) => {
                let scope = self.enter(&body.iter().collect::<Vec<_>>());
                let body = self.exprs(body);
                self.leave();
                Kind::Block(scope, body)
            }
        }
    }

    fn variable(&mut self, name: &str, tree: &Tree, called: bool) -> Kind {
        let mut found = self.lookup(name).into_iter().rev();
        let Some(mut kind) = found.next() else {
            return Kind::Constant(Constant::Undefined);
        };
        let unbound = matches!(kind, Kind::Constant(Constant::Undefined));
        if unbound && name == builtin::EVAL {
            self.refuse(
                problem(
                    "LG-EXPR-EVAL",
                    tree.span,
                    "`$eval` is refused: what runs is compiled and checked before it runs",
                )
                .help("write the expression itself, or choose between expressions with `? :`")
                .token(name),
            );
        } else if (unbound || (!called && matches!(kind, Kind::Function(Builtin::Error))))
            // As a value `$error` is rather the error of a `catch` than the function.
            && let Some(problem) = self.unbound(name, called)
        {
            self.problems.push(Diagnostic { span: tree.span, token: Some(name.to_owned()), ..problem });
        }
        for inner in found {
            let expr = |kind| Expr { kind, span: tree.span, position: tree.position, token: tree.token };
            kind = Kind::Coalesce(Box::new(expr(inner)), Box::new(expr(kind)));
        }
        kind
    }

    /// A pattern is held to its engine here, so that what runs never meets a malformed one.
    fn regex(&mut self, tree: &Tree, pattern: &str, flags: &str) -> Kind {
        if let Err(wrong) = Pattern::parse(pattern, flags) {
            // Behind the opening slash; what is wrong with the flags stands behind the closing one.
            let at = tree.span.start as usize + 1 + wrong.offset + usize::from(wrong.offset == pattern.len());
            let span = Span::new(at.min(tree.span.end.saturating_sub(1) as usize), tree.span.end as usize);
            self.refuse(problem("LG-EXPR-REGEX", span, wrong.message).token(pattern));
        }
        Kind::Regex(pattern.to_owned(), flags.to_owned())
    }

    fn object(&mut self, pairs: &[(Tree, Tree)]) -> Kind {
        // An object takes an array given as its context apart and groups by key. With the root as
        // context the array is one item, so its fields see it as an item and no more as the root.
        let context = self.context;
        if context == Context::Root {
            self.context = Context::Item;
        }
        let made = pairs.iter().map(|(key, value)| (self.expr(key), self.expr(value))).collect();
        self.context = context;
        Kind::Object(made)
    }

    fn filter(&mut self, predicate: &Tree) -> Filter {
        if let What::Number(value, _) = predicate.what {
            return Filter::Index(value);
        }
        Filter::Predicate(self.on_items(|r| r.expr(predicate)))
    }

    fn path(&mut self, trees: &[Tree], keep: bool) -> Kind {
        let absolute = trees.first().is_some_and(|first| matches!(first.what, What::Variable(_)) || first.cons_array);
        let at_root = self.context == Context::Root;
        if !absolute {
            self.use_context();
        }
        let mut steps = Vec::new();
        for (i, tree) in trees.iter().enumerate() {
            steps.push(if i == 0 && absolute { self.step(tree) } else { self.on_items(|r| r.step(tree)) });
        }
        let by_name = trees.first().is_some_and(|first| matches!(first.what, What::Name(_)));
        self.root_paths |= at_root && by_name;
        Kind::Path(Path { steps, keep, at_root, absolute })
    }

    fn step(&mut self, tree: &Tree) -> Step {
        let expr = self.expr(tree);
        Step { expr, filters: self.stages(tree) }
    }

    fn stages(&mut self, tree: &Tree) -> Vec<Filter> {
        let filter = |stage: &Stage| match stage {
            Stage::Filter(predicate) => Some(self.filter(predicate)),
            // A path with a position variable goes another way.
            Stage::Index(_) => None,
        };
        tree.stages.iter().filter_map(filter).collect()
    }
}
