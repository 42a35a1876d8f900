//! Scopes and what a name means in them.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_model::Diagnostic;

use super::{Bound, Frame, Resolver};
use crate::expression::{
    Unbound, builtin,
    ir::{Builtin, Constant, Kind, Scope, ScopeId, Variable, VariableId},
    tree::{Stage, Tree, What},
};

impl Resolver<'_> {
    /// Opens a scope with the names bound in `trees`, not in scopes inside them.
    pub(super) fn enter(&mut self, trees: &[&Tree]) -> ScopeId {
        let scope = ScopeId(self.scopes.len());
        self.scopes.push(Scope::default());
        self.frames.push(Frame {
            scope,
            function: self.function,
            branch: self.branch,
            names: BTreeMap::new(),
            rebound: BTreeSet::new(),
            small: BTreeMap::new(),
        });
        self.announce(trees);
        scope
    }

    /// The names that `trees` bind in the innermost scope, none of them bound yet.
    pub(super) fn announce(&mut self, trees: &[&Tree]) {
        let mut names = Vec::new();
        for tree in trees {
            bound_in(tree, &mut names);
        }
        for name in names {
            if let Some(frame) = self.frames.last_mut()
                && frame.names.contains_key(&name)
            {
                frame.rebound.insert(name.clone());
            }
            self.declare(&name, Bound::No);
        }
    }

    pub(super) fn leave(&mut self) {
        self.frames.pop();
    }

    /// A variable of the innermost scope.
    pub(super) fn declare(&mut self, name: &str, bound: Bound) -> VariableId {
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
        self.variables.push(Variable {
            name: name.to_owned(),
            captured: None,
            scope: frame.scope,
            number: false,
            unread: false,
        });
        if let Some(scope) = self.scopes.get_mut(frame.scope.0) {
            scope.variables.push(id);
        }
        id
    }

    pub(super) fn capture(&mut self, id: VariableId) {
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
    pub(super) fn lookup(&mut self, name: &str) -> Vec<Kind> {
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

    /// What the surroundings say of a name that is bound nowhere.
    pub(super) fn unbound(&self, name: &str, called: bool) -> Option<Diagnostic> {
        let names = self.frames.iter().flat_map(|frame| &frame.names);
        let bound = names.clone().filter(|(_, (_, bound))| *bound != Bound::No);
        let own = bound.map(|(name, _)| name.as_str()).collect();
        let later = names.clone().any(|(known, _)| known == name);
        (self.unbound)(&Unbound { name, own, later, called })
    }

    /// A plain name would be a function with a `$` before it.
    pub(super) fn is_function_name(&self, name: &str) -> bool {
        self.frames.iter().any(|frame| frame.names.contains_key(name)) || builtin::is_builtin(name)
    }
}

/// The names that `:=` binds in the scope of this tree, in order; inner scopes keep their own.
pub(super) fn bound_in(tree: &Tree, names: &mut Vec<String>) {
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
        What::Sort(terms) => terms.iter().for_each(|(term, _)| visit(term)),
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
    for (key, value) in tree.group.iter().flat_map(|group| &group.pairs) {
        bound_in(key, names);
        bound_in(value, names);
    }
    for stage in &tree.stages {
        if let Stage::Filter(predicate) = stage {
            bound_in(predicate, names);
        }
    }
}
