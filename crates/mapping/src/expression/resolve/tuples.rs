//! Paths that bind names on their way (`@$name`, `#$name`, and the parents that `%` looks for), and
//! what orders or groups the items of a path.

use super::{Bound as State, Context, Resolver};
use crate::expression::{
    ir::{self, Bound, Expr, Filter, Kind, Path, Step, Tuples, VariableId},
    tree::{Group, Stage, Tree, What},
};

impl Resolver<'_> {
    /// The name under which a `%` finds its object: none that can be written.
    pub(super) fn parent_name(&self, slot: usize) -> String {
        format!("%{}", self.parents.get(slot).copied().unwrap_or(slot))
    }

    pub(super) fn tuples(&mut self, tree: &Tree, trees: &[Tree], keep: bool) -> Kind {
        let absolute = trees.first().is_some_and(|first| matches!(first.what, What::Variable(_)) || first.cons_array);
        let at_root = self.context == Context::Root;
        if !absolute {
            self.use_context();
        }
        let by_name = trees.first().is_some_and(|first| matches!(first.what, What::Name(_)));
        self.root_paths |= at_root && by_name;
        let scope = self.enter(&[]);
        let mut made = Tuples {
            path: Path { steps: Vec::new(), keep, at_root, absolute },
            scope,
            variables: Vec::new(),
            first: trees.iter().position(|step| step.tuple).unwrap_or_default(),
            bound: Vec::new(),
            group: None,
        };
        for (i, step) in trees.iter().enumerate() {
            self.tuple_step(&mut made, step, i == 0 && absolute);
        }
        if let Some(group) = &tree.group {
            made.group = Some(self.group(group));
        }
        self.leave();
        Kind::Tuples(Box::new(made))
    }

    fn tuple_step(&mut self, made: &mut Tuples, tree: &Tree, once: bool) {
        // Filters behind brackets at the start of a path are asked about what the path inside brings along.
        // A name bound behind them is not known to them.
        let named = tree.focus.is_some() || tree.index.is_some();
        let bare = (tree.tuple && !named && !tree.predicates.is_empty() && matches!(tree.what, What::Block(_)))
            .then(|| Tree { predicates: Vec::new(), ..tree.clone() });
        let whole = bare.as_ref().unwrap_or(tree);
        let expr = if once { self.expr(whole) } else { self.on_items(|r| r.expr(whole)) };
        let binds = made.path.steps.len() >= made.first;
        let mut bound = Bound {
            focus: tree.focus.as_ref().map(|name| self.bound(made, name)),
            index: tree.index.as_ref().map(|name| self.bound(made, name)),
            ancestor: tree.ancestor.map(|slot| self.bound(made, &self.parent_name(slot))),
            taken: None,
        };
        if tree.tuple
            && let Some(inner) = expr.tuples()
        {
            let names = inner.variables.iter().map(|id| self.name_of(*id));
            let names: Vec<String> = names.collect();
            bound.taken = Some(names.iter().enumerate().map(|(i, name)| (i, self.bound(made, name))).collect());
        }
        if binds {
            made.bound.push(bound);
        }
        let mut filters = Vec::new();
        if bare.is_some() {
            filters.extend(tree.predicates.iter().map(|predicate| self.filter(predicate)));
        }
        for stage in &tree.stages {
            filters.push(match stage {
                Stage::Filter(predicate) => self.filter(predicate),
                Stage::Index(name) => Filter::Place(self.bound(made, name)),
            });
        }
        made.path.steps.push(Step { expr, filters });
    }

    fn name_of(&self, id: VariableId) -> String {
        self.variables.get(id.0).map(|variable| variable.name.clone()).unwrap_or_default()
    }

    /// The number of a name among those of a tuple.
    fn bound(&mut self, made: &mut Tuples, name: &str) -> usize {
        let id = self.declare(name, State::Yes);
        made.variables.iter().position(|known| *known == id).unwrap_or_else(|| {
            made.variables.push(id);
            made.variables.len() - 1
        })
    }

    pub(super) fn grouped(&mut self, value: Expr, group: &Group) -> Kind {
        Kind::Grouped(Box::new(value), self.group(group))
    }

    /// Keys and values on items and on groups of them.
    fn group(&mut self, group: &Group) -> ir::Group {
        let pairs = self.on_items(|r| group.pairs.iter().map(|(key, value)| (r.expr(key), r.expr(value))).collect());
        ir::Group { pairs, token: group.span }
    }

    pub(super) fn order(&mut self, terms: &[(Tree, bool)]) -> Kind {
        Kind::Sort(self.on_items(|r| terms.iter().map(|(term, descends)| (r.expr(term), *descends)).collect()))
    }
}
