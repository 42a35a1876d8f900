//! Which fields of the source an expression reads.
//!
//! The answer is for people: of a value that a function computes at run time (a key, the result of a
//! call) nothing is known, and then it is left out.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{Field, Tree};
use crate::expression::ir::{Expr, Filter, Kind, Lambda, Program, Step, Tuples, VariableId};

/// Fields, in the order in which they were first named.
type Fields = BTreeSet<Field>;

/// Functions whose result is made of the items of their arguments.
const PASSING: [&str; 7] = ["append", "reverse", "distinct", "sort", "filter", "single", "shuffle"];
/// Functions that call their second argument with the items of the first.
const CALLING: [&str; 7] = ["map", "filter", "single", "sort", "reduce", "sift", "each"];

/// The fields that a program reads on a context, in the order of the expression, and the fields that its
/// value is made of.
pub(super) fn reads(program: &Program, context: &Fields, tree: &mut Tree) -> (Fields, Fields) {
    let mut reader = Reader { tree, bound: BTreeMap::new(), read: Fields::new() };
    let value = reader.value(&program.root, context);
    (reader.read, value)
}

/// Whether the value is one of the source as it stands there: a path without conditions.
pub(super) fn is_copy(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::Context | Kind::Root => true,
        Kind::Path(path) => path.steps.iter().all(|step| {
            step.filters.is_empty() && matches!(step.expr.kind, Kind::Name(_) | Kind::Context | Kind::Root)
        }),
        _ => false,
    }
}

/// Whether the value is known without a source.
pub(super) fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::Constant(_) => true,
        Kind::Negate(inner) | Kind::Keep(inner) => is_constant(inner),
        Kind::Array(items, _) => items.iter().all(|(item, _)| is_constant(item)),
        Kind::Object(pairs) => pairs.iter().all(|(key, value)| is_constant(key) && is_constant(value)),
        Kind::Block(_, body) => matches!(body.as_slice(), [one] if is_constant(one)),
        _ => false,
    }
}

struct Reader<'t> {
    tree: &'t mut Tree,
    /// What variables stand for.
    bound: BTreeMap<VariableId, Fields>,
    read: Fields,
}

impl Reader<'_> {
    /// An expression whose value is used: what it is made of is read.
    fn value(&mut self, expr: &Expr, context: &Fields) -> Fields {
        let made_of = self.origin(expr, context);
        self.read.extend(&made_of);
        made_of
    }

    fn values<'e>(&mut self, list: impl IntoIterator<Item = &'e Expr>, context: &Fields) {
        for expr in list {
            self.value(expr, context);
        }
    }

    fn origins<'e>(&mut self, list: impl IntoIterator<Item = &'e Expr>, context: &Fields) -> Fields {
        list.into_iter().flat_map(|expr| self.origin(expr, context)).collect()
    }

    /// The fields that the value of an expression is made of, so that a further step can go on from them.
    fn origin(&mut self, expr: &Expr, context: &Fields) -> Fields {
        match &expr.kind {
            Kind::Constant(_) | Kind::External(_) | Kind::Function(_) | Kind::Regex(..) => Fields::new(),
            Kind::Context => context.clone(),
            Kind::Root => Fields::from([Tree::ROOT]),
            Kind::Variable(id) => self.bound.get(id).cloned().unwrap_or_default(),
            Kind::Name(name) => self.below(context, name),
            Kind::Wildcard => self.below(context, "*"),
            Kind::Descendants => self.below(context, "**"),
            Kind::Path(path) => {
                let start = if path.at_root { Fields::from([Tree::ROOT]) } else { context.clone() };
                path.steps.iter().fold(start, |at, step| self.step(step, &at))
            }
            Kind::Tuples(tuples) => self.tuples(tuples, context),
            Kind::Grouped(value, group) => {
                let items = self.origin(value, context);
                self.values(group.pairs.iter().flat_map(|(key, value)| [key, value]), &items);
                Fields::new()
            }
            Kind::Sort(terms) => {
                self.values(terms.iter().map(|(term, _)| term), context);
                context.clone()
            }
            Kind::Filtered(value, filters, _) => {
                let items = self.origin(value, context);
                self.filters(filters, &items);
                items
            }
            Kind::Keep(value) | Kind::Settled(value) => self.origin(value, context),
            Kind::Negate(value) => {
                self.value(value, context);
                Fields::new()
            }
            Kind::Binary(_, a, b) | Kind::Chain(a, b) => {
                self.values([a.as_ref(), b.as_ref()], context);
                Fields::new()
            }
            Kind::Array(items, _) => self.origins(items.iter().map(|(item, _)| item), context),
            Kind::Object(pairs) => {
                self.values(pairs.iter().flat_map(|(key, value)| [key, value]), context);
                Fields::new()
            }
            Kind::Block(_, body) => {
                let Some((last, before)) = body.split_last() else { return Fields::new() };
                for expr in before {
                    match expr.kind {
                        Kind::Bind(..) => self.origin(expr, context),
                        _ => self.value(expr, context),
                    };
                }
                self.origin(last, context)
            }
            Kind::Bind(id, value) => {
                let made_of = self.origin(value, context);
                self.bound.insert(*id, made_of.clone());
                made_of
            }
            Kind::Condition(when, then, otherwise) => {
                self.value(when, context);
                self.origins(std::iter::once(then.as_ref()).chain(otherwise.as_deref()), context)
            }
            Kind::Default(a, b) | Kind::Coalesce(a, b) => self.origins([a.as_ref(), b.as_ref()], context),
            Kind::Lambda(lambda) => {
                self.value(&lambda.body, context);
                Fields::new()
            }
            Kind::Builtin(builtin, given) => self.call(builtin.name(), given, context),
            Kind::Inline(lambda, given) => {
                for (param, given) in lambda.params.iter().zip(given) {
                    let made_of = self.origin(given, context);
                    self.bound.insert(*param, made_of);
                }
                self.origin(&lambda.body, context)
            }
            Kind::Call(callee, given, _) => {
                self.values(std::iter::once(callee.as_ref()).chain(given), context);
                Fields::new()
            }
            Kind::Partial(callee, given, _) => {
                self.values(std::iter::once(callee.as_ref()).chain(given.iter().flatten()), context);
                Fields::new()
            }
            Kind::Transform(transform) => {
                let items = self.origin(&transform.pattern, context);
                self.values(std::iter::once(&transform.update).chain(&transform.delete), &items);
                Fields::new()
            }
        }
    }

    fn below(&mut self, context: &Fields, name: &str) -> Fields {
        context.iter().map(|field| self.tree.below(*field, name)).collect()
    }

    fn step(&mut self, step: &Step, at: &Fields) -> Fields {
        let made_of = self.origin(&step.expr, at);
        self.filters(&step.filters, &made_of);
        made_of
    }

    fn filters(&mut self, filters: &[Filter], items: &Fields) {
        for filter in filters {
            if let Filter::Predicate(predicate) = filter {
                self.value(predicate, items);
            }
            items.iter().for_each(|field| self.tree.is_list(*field));
        }
    }

    fn tuples(&mut self, tuples: &Tuples, context: &Fields) -> Fields {
        let mut at = if tuples.path.at_root { Fields::from([Tree::ROOT]) } else { context.clone() };
        for (i, step) in tuples.path.steps.iter().enumerate() {
            let bound = i.checked_sub(tuples.first).and_then(|i| tuples.bound.get(i));
            let variable = |number: Option<usize>| number.and_then(|number| tuples.variables.get(number).copied());
            if let Some(id) = variable(bound.and_then(|bound| bound.ancestor)) {
                self.bound.insert(id, at.clone());
            }
            let items = self.origin(&step.expr, &at);
            let focus = variable(bound.and_then(|bound| bound.focus));
            if let Some(id) = focus {
                self.bound.insert(id, items.clone());
            }
            self.filters(&step.filters, &items);
            if focus.is_none() {
                at = items;
            }
        }
        let Some(group) = &tuples.group else { return at };
        self.values(group.pairs.iter().flat_map(|(key, value)| [key, value]), &at);
        Fields::new()
    }

    fn call(&mut self, name: &str, given: &[Expr], context: &Fields) -> Fields {
        if let (true, [items, function, rest @ ..]) = (CALLING.contains(&name), given)
            && let Kind::Lambda(lambda) = &function.kind
        {
            let items = self.value(items, context);
            self.values(rest, context);
            self.called(name, lambda, &items, context);
            return if PASSING.contains(&name) { items } else { Fields::new() };
        }
        if PASSING.contains(&name) {
            return self.origins(given, context);
        }
        self.values(given, context);
        Fields::new()
    }

    /// A function that is called with items.
    fn called(&mut self, name: &str, lambda: &Lambda, items: &Fields, context: &Fields) {
        // `$reduce` brings what it has so far, then the item; `$sort` brings two items.
        let places: &[usize] = match name {
            "reduce" => &[1],
            "sort" => &[0, 1],
            _ => &[0],
        };
        for param in places.iter().filter_map(|place| lambda.params.get(*place)) {
            self.bound.insert(*param, items.clone());
        }
        self.value(&lambda.body, context);
    }
}
