//! Names to variables, slots and built-ins; contexts made explicit; constants folded; what is not
//! compiled refused, all of it at once.
//!
//! Scopes are the language's: a block or a function is one, `:=` binds in the innermost, and a
//! name not bound there yet means the one further out. Where only the run can tell (a binding in
//! one branch, or used by a function made before it) both are kept: see [`Resolver::lookup`].

use std::collections::BTreeMap;

use lockgate_model::diagnostic::{Diagnostic, Diagnostics, Span};

use super::{
    builtin, fold,
    ir::{
        Builtin, Constant, Expr, Filter, Hint, Kind, Lambda, LambdaFacts, LambdaId, Path, Program, Scope, ScopeId,
        Signature, Step, Variable, VariableId,
    },
    kinds, problem,
    tree::{Stage, Tree, What},
};

/// Resolves a tree; `outer` tells whether the surroundings provide a name, `on_item` whether the
/// context is an item rather than the root.
pub(super) fn resolve(tree: &Tree, on_item: bool, outer: &dyn Fn(&str) -> bool) -> Result<Program, Diagnostics> {
    let mut resolver = Resolver {
        outer,
        problems: Diagnostics::default(),
        variables: Vec::new(),
        scopes: Vec::new(),
        lambdas: Vec::new(),
        frames: Vec::new(),
        function: 0,
        branch: 0,
        context: if on_item { Context::Item } else { Context::Root },
        root_paths: false,
        lifted: false,
    };
    let scope = resolver.enter(&[tree]);
    let root = resolver.expr(tree);
    let mut program = Program {
        root,
        scope,
        root_paths: resolver.root_paths,
        lifted: resolver.lifted,
        unsettled: false,
        variables: resolver.variables,
        scopes: resolver.scopes,
        lambdas: resolver.lambdas.into_iter().map(|l| l.facts).collect(),
    };
    kinds::infer(&mut program);
    program.unsettled = kinds::unsettled(&program.root);
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
}

struct LambdaState {
    facts: LambdaFacts,
    /// The context where it is made.
    parent: Context,
}

struct Resolver<'a> {
    outer: &'a dyn Fn(&str) -> bool,
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
    lifted: bool,
}

impl Resolver<'_> {
    // --- scopes

    /// Opens a scope with the names bound in `trees`, not in scopes inside them.
    fn enter(&mut self, trees: &[&Tree]) -> ScopeId {
        let scope = ScopeId(self.scopes.len());
        self.scopes.push(Scope::default());
        self.frames.push(Frame { scope, function: self.function, branch: self.branch, names: BTreeMap::new() });
        let mut names = Vec::new();
        for tree in trees {
            bound_in(tree, &mut names);
        }
        for name in names {
            self.declare(&name, Bound::No);
        }
        scope
    }

    fn leave(&mut self) {
        self.frames.pop();
    }

    /// A variable of the innermost scope.
    fn declare(&mut self, name: &str, bound: Bound) -> VariableId {
        let id = VariableId(self.variables.len());
        let Some(frame) = self.frames.last_mut() else {
            return id;
        };
        if let Some((known, state)) = frame.names.get_mut(name) {
            if bound == Bound::Yes {
                *state = bound;
            }
            return *known;
        }
        frame.names.insert(name.to_owned(), (id, bound));
        self.variables.push(Variable { name: name.to_owned(), captured: None, scope: frame.scope, number: false });
        if let Some(scope) = self.scopes.get_mut(frame.scope.0) {
            scope.variables.push(id);
        }
        id
    }

    fn capture(&mut self, id: VariableId) {
        let Some(variable) = self.variables.get_mut(id.0) else {
            return;
        };
        if variable.captured.is_none()
            && let Some(scope) = self.scopes.get_mut(variable.scope.0)
        {
            variable.captured = Some(scope.captured);
            scope.captured += 1;
        }
    }

    /// What a name means here: the variables it may be, innermost first, and what it is when none
    /// of them is bound.
    fn lookup(&mut self, name: &str) -> Vec<Kind> {
        let mut found = Vec::new();
        let mut captured = Vec::new();
        let mut certain = false;
        for frame in self.frames.iter().rev() {
            let Some((id, bound)) = frame.names.get(name) else {
                continue;
            };
            let here = frame.function == self.function;
            if *bound == Bound::No && here {
                continue;
            }
            if !here {
                captured.push(*id);
            }
            found.push(Kind::Variable(*id));
            if *bound == Bound::Yes {
                certain = true;
                break;
            }
        }
        for id in captured {
            self.capture(id);
        }
        if certain {
            return found;
        }
        if name == "$" {
            found.push(Kind::Root);
        } else if (self.outer)(name) {
            found.push(Kind::External(name.to_owned()));
        } else if let Some(builtin) = Builtin::find(name) {
            found.push(Kind::Function(builtin));
        } else if found.is_empty() {
            found.push(Kind::Constant(Constant::Undefined));
        }
        found
    }

    /// A plain name would be a function with a `$` before it.
    fn is_function_name(&self, name: &str) -> bool {
        self.frames.iter().any(|frame| frame.names.contains_key(name)) || builtin::is_builtin(name)
    }

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

    fn later(&mut self, span: Span, what: &str) -> Kind {
        self.problems.push(refusal(span, what));
        Kind::Constant(Constant::Undefined)
    }

    fn boxed(&mut self, tree: &Tree) -> Box<Expr> {
        Box::new(self.expr(tree))
    }

    fn exprs(&mut self, trees: &[Tree]) -> Vec<Expr> {
        trees.iter().map(|t| self.expr(t)).collect()
    }

    fn expr(&mut self, tree: &Tree) -> Expr {
        let made = |kind| Expr { kind, span: tree.span, position: tree.position, token: tree.token };
        let kind = self.kind(tree);
        self.refuse_forms(tree);
        if !tree.predicates.is_empty() {
            let filters = tree.predicates.iter().map(|p| self.filter(p)).collect();
            return made(Kind::Filtered(Box::new(made(kind)), filters, tree.keep_array));
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

    /// The forms that any node may carry and that are not compiled yet.
    fn refuse_forms(&mut self, tree: &Tree) {
        if let Some(group) = &tree.group {
            self.later(group.span, "grouping `{…}` after a path");
        }
        if tree.focus.is_some() {
            self.later(tree.span, "the context variable `@`");
        }
        if tree.index.is_some() {
            self.later(tree.span, "the position variable `#`");
        }
    }

    fn kind(&mut self, tree: &Tree) -> Kind {
        match &tree.what {
            What::Path(steps, keep) => self.path(steps, *keep),
            What::Name(name) => Kind::Name(name.clone()),
            What::Variable(name) if name.is_empty() => {
                self.use_context();
                Kind::Context
            }
            What::Variable(name) => self.variable(name, tree),
            What::Text(text) => Kind::Constant(Constant::Text(text.clone())),
            What::Number(value, lexeme) => {
                Kind::Constant(Constant::Number(*value, Some(fold::json_number(*value, lexeme))))
            }
            What::Boolean(value) => Kind::Constant(Constant::Boolean(*value)),
            What::Null => Kind::Constant(Constant::Null),
            What::Regex => self.later(tree.span, "a regular expression"),
            What::Wildcard => {
                self.use_context();
                Kind::Wildcard
            }
            What::Descendant => {
                self.use_context();
                Kind::Descendants
            }
            What::Parent(_) => self.later(tree.span, "the parent `%`"),
            What::Transform => self.later(tree.span, "the transform `|…|…|`"),
            What::Sort => self.later(tree.span, "the order-by clause `^(…)`"),
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
            What::Bind(name, value) => {
                let value = self.boxed(value);
                let inside = self.frames.last().is_some_and(|frame| self.branch > frame.branch);
                let id = self.declare(name, if inside { Bound::Maybe } else { Bound::Yes });
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

    fn variable(&mut self, name: &str, tree: &Tree) -> Kind {
        let mut found = self.lookup(name).into_iter().rev();
        let Some(mut kind) = found.next() else {
            return Kind::Constant(Constant::Undefined);
        };
        let unbound = matches!(kind, Kind::Constant(Constant::Undefined));
        if unbound && name == "eval" {
            self.problems.push(
                problem(
                    "LG-EXPR-EVAL",
                    tree.span,
                    "`$eval` is refused: what runs is compiled and checked before it runs",
                )
                .help("write the expression itself, or choose between expressions with `? :`")
                .token(name),
            );
        } else if unbound && builtin::is_refused(name) {
            self.problems.push(refusal(tree.span, &format!("the function `${name}`")).token(name));
        }
        for inner in found {
            let expr = |kind| Expr { kind, span: tree.span, position: tree.position, token: tree.token };
            kind = Kind::Coalesce(Box::new(expr(inner)), Box::new(expr(kind)));
        }
        kind
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
        let mut filters = Vec::new();
        for stage in &tree.stages {
            match stage {
                Stage::Filter(predicate) => filters.push(self.filter(predicate)),
                Stage::Index(span) => {
                    self.later(*span, "the position variable `#`");
                }
            }
        }
        Step { expr, filters }
    }

    // --- functions

    fn lambda(&mut self, params: &[String], signature: &Option<Signature>, body: &Tree, inline: bool) -> Lambda {
        let id = LambdaId(self.lambdas.len());
        let outer = (self.function, self.context, self.branch);
        self.lambdas.push(LambdaState {
            facts: LambdaFacts { uses_context: false, at_root: self.context == Context::Root },
            parent: self.context,
        });
        if !inline {
            self.lifted = true;
            self.function = id.0 + 1;
            self.branch = 0;
            if self.context != Context::Root {
                self.context = Context::Captured(id.0);
            }
            if signature.as_ref().is_some_and(|s| s.params.iter().any(|p| p.context)) {
                // Its own arguments may come from the context of the call, which `apply` brings.
                self.use_context();
            }
        }
        let scope = self.enter(&[]);
        let params = params.iter().map(|name| self.declare(name, Bound::Yes)).collect();
        let mut names = Vec::new();
        bound_in(body, &mut names);
        for name in names {
            self.declare(&name, Bound::No);
        }
        let body = self.expr(body);
        self.leave();
        (self.function, self.context, self.branch) = outer;
        Lambda { id, scope, params, signature: signature.clone(), body }
    }

    /// How errors name a callee.
    fn hint(&self, procedure: &Tree) -> Hint {
        match &procedure.what {
            What::Path(steps, _) => match steps.first().map(|s| &s.what) {
                Some(What::Name(name)) => Hint { token: Some(name.clone()), forgotten: self.is_function_name(name) },
                _ => Hint::default(),
            },
            What::Variable(name) => Hint { token: Some(name.clone()), forgotten: false },
            _ => Hint::default(),
        }
    }

    /// A call; `first` is the left side of `~>`.
    fn call(&mut self, procedure: &Tree, first: Option<&Tree>, arguments: &[Tree]) -> Kind {
        let plain = procedure.predicates.is_empty() && procedure.group.is_none();
        if let What::Lambda(params, None, body) = &procedure.what
            && plain
        {
            let given = first.into_iter().chain(arguments).map(|a| self.expr(a)).collect();
            let lambda = self.lambda(params, &None, body, true);
            return Kind::Inline(Box::new(lambda), given);
        }
        let callee = self.expr(procedure);
        if let (Kind::Function(builtin), true) = (&callee.kind, plain) {
            let builtin = *builtin;
            let count = arguments.len() + usize::from(first.is_some());
            let signature = builtin.signature();
            if count < signature.params.len() && signature.params.iter().any(|p| p.context) {
                self.use_context();
            }
            let mut given = Vec::new();
            for (i, argument) in first.into_iter().chain(arguments).enumerate() {
                given.push(match &argument.what {
                    What::Lambda(params, None, body)
                        if builtin.takes_function() && i == 1 && argument.predicates.is_empty() =>
                    {
                        let lambda = self.in_branch(|r| r.lambda(params, &None, body, true));
                        Expr {
                            kind: Kind::Lambda(Box::new(lambda)),
                            span: argument.span,
                            position: argument.position,
                            token: argument.token,
                        }
                    }
                    _ => self.expr(argument),
                });
            }
            self.refuse_patterns(builtin, &given);
            return Kind::Builtin(builtin, given);
        }
        let hint = self.hint(procedure);
        let given = first.into_iter().chain(arguments).map(|a| self.expr(a)).collect();
        // A built-in called through a variable may take the context for a missing argument.
        self.use_context();
        Kind::Call(Box::new(callee), given, hint)
    }

    /// A function may stand where a string is looked for: it comes with regular expressions.
    fn refuse_patterns(&mut self, builtin: Builtin, given: &[Expr]) {
        if !matches!(builtin, Builtin::Contains | Builtin::Split) {
            return;
        }
        for argument in given {
            if matches!(argument.kind, Kind::Function(_) | Kind::Lambda(_) | Kind::Partial(..)) {
                self.later(argument.span, "a function as a pattern");
            }
        }
    }

    fn chain(&mut self, left: &Tree, right: &Tree) -> Kind {
        if let What::Call(procedure, arguments) = &right.what {
            let call = self.call(procedure, Some(left), arguments);
            self.refuse_forms(right);
            if right.predicates.is_empty() {
                return call;
            }
            let filters = right.predicates.iter().map(|p| self.filter(p)).collect();
            let call = Expr { kind: call, span: right.span, position: right.position, token: right.token };
            return Kind::Filtered(Box::new(call), filters, right.keep_array);
        }
        if !may_be_function(left) {
            let direct = match &right.what {
                What::Lambda(_, None, _) => true,
                What::Variable(name) => matches!(self.lookup(name).as_slice(), [Kind::Function(_)]),
                _ => false,
            };
            if direct && right.predicates.is_empty() && right.group.is_none() {
                return self.call(right, Some(left), &[]);
            }
        }
        let left = self.boxed(left);
        Kind::Chain(left, self.boxed(right))
    }
}

fn refusal(span: Span, what: &str) -> Diagnostic {
    problem("LG-EXPR-LATER", span, format!("{what} is not compiled yet"))
        .help("this part of the language comes with a later version of the compiler")
}

/// A value that is surely none is data or an operator's result.
fn may_be_function(tree: &Tree) -> bool {
    match &tree.what {
        What::Path(steps, _) => !steps.iter().all(|s| matches!(s.what, What::Name(_))),
        What::Text(_) | What::Number(..) | What::Boolean(_) | What::Null | What::Binary(..) | What::Negate(_) => false,
        What::Array(_) | What::Object(_) => !tree.predicates.is_empty(),
        What::Chain(_, right) => match &right.what {
            What::Call(procedure, _) => may_return_function(procedure),
            _ => true,
        },
        What::Call(procedure, _) => may_return_function(procedure),
        _ => true,
    }
}

fn may_return_function(procedure: &Tree) -> bool {
    !matches!(&procedure.what, What::Variable(name) if matches!(
        Builtin::find(name),
        Some(
            Builtin::Sum | Builtin::Count | Builtin::Max | Builtin::Min | Builtin::Average | Builtin::String
            | Builtin::Number | Builtin::Boolean | Builtin::Exists | Builtin::Not | Builtin::Join | Builtin::Split
            | Builtin::Uppercase | Builtin::Lowercase | Builtin::Substring | Builtin::Contains | Builtin::Trim
            | Builtin::Length | Builtin::Floor | Builtin::Ceil | Builtin::Round | Builtin::Abs | Builtin::Keys
            | Builtin::Now
        )
    ))
}

/// The names that `:=` binds in the scope of this tree, in order; inner scopes keep their own.
fn bound_in(tree: &Tree, names: &mut Vec<String>) {
    let mut visit = |t: &Tree| bound_in(t, names);
    match &tree.what {
        What::Bind(name, value) => {
            visit(value);
            names.push(name.clone());
        }
        What::Path(steps, _) => steps.iter().for_each(visit),
        What::Array(items) => items.iter().for_each(visit),
        What::Object(pairs) => pairs.iter().for_each(|(k, v)| {
            visit(k);
            visit(v);
        }),
        What::Negate(operand) => visit(operand),
        What::Binary(_, left, right)
        | What::Chain(left, right)
        | What::Default(left, right)
        | What::Coalesce(left, right) => {
            visit(left);
            visit(right);
        }
        What::Condition(condition, then, otherwise) => {
            visit(condition);
            visit(then);
            if let Some(otherwise) = otherwise {
                visit(otherwise);
            }
        }
        What::Call(procedure, arguments) | What::Partial(procedure, arguments) => {
            visit(procedure);
            arguments.iter().for_each(visit);
        }
        _ => {}
    }
    for predicate in &tree.predicates {
        bound_in(predicate, names);
    }
    for stage in &tree.stages {
        if let Stage::Filter(predicate) = stage {
            bound_in(predicate, names);
        }
    }
}
