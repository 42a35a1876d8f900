//! Functions: made, called, chained. A function written where it is called, or given to a built-in
//! that loops, is not lifted: its body belongs to the function around it.

use super::{Bound, Context, LambdaState, Resolver};
use crate::expression::{
    ir::{Builtin, Expr, Hint, Kind, Lambda, LambdaFacts, LambdaId, Signature, Transform},
    signature,
    tree::{Tree, What},
};

impl Resolver<'_> {
    pub(super) fn lambda(
        &mut self,
        params: &[String],
        signature: &Option<Signature>,
        body: &Tree,
        inline: bool,
    ) -> Lambda {
        let id = LambdaId(self.lambdas.len());
        let outer = (self.function, self.context, self.branch);
        self.lambdas.push(LambdaState {
            facts: LambdaFacts { uses_context: false, at_root: self.context == Context::Root, lifted: !inline },
            parent: self.context,
        });
        if !inline {
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
        self.announce(&[body]);
        let body = self.expr(body);
        self.leave();
        (self.function, self.context, self.branch) = outer;
        Lambda { id, scope, params, signature: signature.clone(), body }
    }

    /// A transform is a function of what it changes.
    pub(super) fn transform(&mut self, tree: &Tree, pattern: &Tree, update: &Tree, delete: Option<&Tree>) -> Lambda {
        let id = LambdaId(self.lambdas.len());
        let outer = (self.function, self.context, self.branch);
        self.lambdas.push(LambdaState {
            facts: LambdaFacts { uses_context: false, at_root: self.context == Context::Root, lifted: true },
            parent: self.context,
        });
        self.function = id.0 + 1;
        self.branch = 0;
        let scope = self.enter(&[]);
        // No name that can be written.
        let subject = self.declare("|", Bound::Yes);
        // The copy, and each part of it that is changed, is the context.
        let body = self.on_items(|r| Transform {
            subject,
            pattern: r.expr(pattern),
            update: r.expr(update),
            delete: delete.map(|delete| r.expr(delete)),
        });
        self.leave();
        (self.function, self.context, self.branch) = outer;
        let body =
            Expr { kind: Kind::Transform(Box::new(body)), span: tree.span, position: tree.position, token: tree.token };
        let signature = signature::parse("<(oa):o>").ok();
        Lambda { id, scope, params: vec![subject], signature, body }
    }

    /// How errors name a callee.
    pub(super) fn hint(&self, procedure: &Tree) -> Hint {
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
    pub(super) fn call(&mut self, procedure: &Tree, first: Option<&Tree>, arguments: &[Tree]) -> Kind {
        let plain = procedure.predicates.is_empty() && procedure.group.is_none();
        let count = arguments.len() + usize::from(first.is_some());
        match &procedure.what {
            What::Lambda(params, None, body) if plain => return self.inline(params, body, first, arguments),
            What::Variable(name) if plain => {
                if let Some(small) = self.small(name, count) {
                    return self.inline(&small.params, &small.body, first, arguments);
                }
            }
            _ => {}
        }
        self.calling = true;
        let callee = self.expr(procedure);
        if let (Kind::Function(builtin), true) = (&callee.kind, plain) {
            let builtin = *builtin;
            let signature = builtin.signature();
            if count < signature.params.len() && signature.params.iter().any(|p| p.context) {
                self.use_context();
            }
            // The object of the two may be the context.
            let alone = count == 1 && matches!(builtin, Builtin::Sift | Builtin::Each);
            let nth = usize::from(!alone);
            let mut given = Vec::new();
            for (i, argument) in first.into_iter().chain(arguments).enumerate() {
                given.push(match &argument.what {
                    What::Lambda(params, None, body)
                        if builtin.takes_function() && i == nth && argument.predicates.is_empty() =>
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
            return Kind::Builtin(builtin, given);
        }
        let hint = self.hint(procedure);
        let given = first.into_iter().chain(arguments).map(|a| self.expr(a)).collect();
        // A built-in called through a variable may take the context for a missing argument.
        self.use_context();
        Kind::Call(Box::new(callee), given, hint)
    }

    /// The call of a function that is written out where it is called.
    fn inline(&mut self, params: &[String], body: &Tree, first: Option<&Tree>, arguments: &[Tree]) -> Kind {
        let given = first.into_iter().chain(arguments).map(|argument| self.expr(argument)).collect();
        Kind::Inline(Box::new(self.lambda(params, &None, body, true)), given)
    }

    pub(super) fn chain(&mut self, left: &Tree, right: &Tree) -> Kind {
        if let What::Call(procedure, arguments) = &right.what {
            let mut call = self.call(procedure, Some(left), arguments);
            let made = |kind| Expr { kind, span: right.span, position: right.position, token: right.token };
            if !right.predicates.is_empty() {
                let filters = right.predicates.iter().map(|p| self.filter(p)).collect();
                call = Kind::Filtered(Box::new(made(call)), filters, right.keep_array);
            }
            if let Some(group) = &right.group {
                call = self.grouped(made(call), group);
            }
            return call;
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
        self.calling = true;
        Kind::Chain(left, self.boxed(right))
    }
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
