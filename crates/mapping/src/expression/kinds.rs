//! Which expressions are surely numbers: those are computed as plain f64, with NaN as undefined,
//! and never boxed on the way.

use std::collections::{BTreeMap, BTreeSet};

use super::ir::{Builtin, Constant, Expr, Filter, Kind, Lambda, Operator, Program, Variable, VariableId};

/// What is known of a value before it is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// A number or undefined.
    Number,
    /// true or false, never undefined.
    Boolean,
    /// Nothing is known.
    Any,
}

/// What is known of an expression's value.
pub fn kind_of(expr: &Expr, variables: &[Variable]) -> ValueKind {
    match &expr.kind {
        Kind::Constant(Constant::Number(..)) | Kind::Negate(_) => ValueKind::Number,
        Kind::Constant(Constant::Boolean(_)) => ValueKind::Boolean,
        Kind::Variable(id) if variables.get(id.0).is_some_and(|v| v.number) => ValueKind::Number,
        Kind::Binary(operator, _, _) => match operator {
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
                ValueKind::Number
            }
            Operator::Equal | Operator::NotEqual | Operator::And | Operator::Or | Operator::In => ValueKind::Boolean,
            _ => ValueKind::Any,
        },
        Kind::Builtin(builtin, _) => match builtin {
            Builtin::Sum
            | Builtin::Count
            | Builtin::Max
            | Builtin::Min
            | Builtin::Average
            | Builtin::Number
            | Builtin::Length
            | Builtin::Floor
            | Builtin::Ceil
            | Builtin::Round
            | Builtin::Abs => ValueKind::Number,
            Builtin::Exists => ValueKind::Boolean,
            _ => ValueKind::Any,
        },
        Kind::Condition(_, then, otherwise) => match (kind_of(then, variables), otherwise) {
            (ValueKind::Number, None) => ValueKind::Number,
            (kind, Some(otherwise)) if kind == kind_of(otherwise, variables) => kind,
            _ => ValueKind::Any,
        },
        Kind::Block(_, body) => body.last().map_or(ValueKind::Any, |last| kind_of(last, variables)),
        Kind::Inline(lambda, _) => kind_of(&lambda.body, variables),
        Kind::Bind(_, value) | Kind::Settled(value) => kind_of(value, variables),
        Kind::Coalesce(left, right) => {
            let kind = kind_of(left, variables);
            if kind == kind_of(right, variables) { kind } else { ValueKind::Any }
        }
        _ => ValueKind::Any,
    }
}

/// Finds the variables that are numbers whatever happens: assumes all that are bound, then drops
/// those with another value until nothing changes.
pub(super) fn infer(program: &mut Program) {
    let place = Expr {
        kind: Kind::Constant(Constant::Number(0.0, None)),
        span: program.root.span,
        position: 0,
        token: program.root.token,
    };
    // Parameters that a built-in's loop sets to the place of the item.
    let mut places: BTreeSet<VariableId> = BTreeSet::new();
    let mut sources: Vec<(VariableId, Option<&Expr>)> = Vec::new();
    visit(&program.root, &mut |expr| match &expr.kind {
        Kind::Bind(id, value) => sources.push((*id, Some(value))),
        Kind::Builtin(builtin, given) => {
            let nth = match builtin {
                Builtin::Map | Builtin::Filter | Builtin::Single => 1,
                Builtin::Reduce => 2,
                _ => return,
            };
            if let Some(Kind::Lambda(lambda)) = given.get(1).map(|e| &e.kind)
                && lambda.signature.is_none()
            {
                places.extend(lambda.params.get(nth));
            }
        }
        Kind::Lambda(lambda) => {
            for id in &lambda.params {
                // A name given twice is one variable, which holds the item as well.
                let once = lambda.params.iter().filter(|other| *other == id).count() == 1;
                sources.push((*id, (once && places.contains(id)).then_some(&place)));
            }
        }
        Kind::Inline(lambda, given) => {
            for (i, id) in lambda.params.iter().enumerate() {
                sources.push((*id, given.get(i)));
            }
        }
        _ => {}
    });
    let mut variables = program.variables.clone();
    for variable in &mut variables {
        variable.number = false;
    }
    for (id, _) in &sources {
        if let Some(variable) = variables.get_mut(id.0) {
            variable.number = variable.captured.is_none();
        }
    }
    loop {
        let mut changed = false;
        for (id, value) in &sources {
            let number = value.is_some_and(|v| kind_of(v, &variables) == ValueKind::Number);
            if let Some(variable) = variables.get_mut(id.0)
                && variable.number
                && !number
            {
                variable.number = false;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    program.variables = variables;
}

/// Finds the variables that are bound to one function and read nowhere, and whether any function is left
/// that is lifted.
pub(super) fn find_unread(program: &mut Program) {
    let (mut functions, mut read, mut bound) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
    visit(&program.root, &mut |expr| match &expr.kind {
        // The last is the block's value.
        Kind::Block(_, body) => {
            for expr in body.split_last().map_or(&[][..], |(_, before)| before) {
                if let Kind::Bind(id, value) = &expr.kind
                    && let Kind::Lambda(lambda) = &value.kind
                {
                    functions.insert(*id, lambda.id);
                }
            }
        }
        Kind::Variable(id) => {
            read.insert(*id);
        }
        Kind::Bind(id, _) => *bound.entry(*id).or_insert(0) += 1,
        _ => {}
    });
    // What else is bound to the name may fail, or bind another one.
    let alone = |id: &VariableId| !read.contains(id) && bound.get(id) == Some(&1);
    for (id, lambda) in functions.iter().filter(|(id, _)| alone(id)) {
        if let (Some(variable), Some(facts)) = (program.variables.get_mut(id.0), program.lambdas.get_mut(lambda.0)) {
            variable.unread = true;
            facts.lifted = false;
        }
    }
    program.lifted = program.lambdas.iter().any(|facts| facts.lifted);
}

/// Whether a function value of an expression may end with an unsettled sequence.
pub(super) fn unsettled(root: &Expr) -> bool {
    root.any(&|expr| match &expr.kind {
        Kind::Function(builtin) => builtin.gives_sequence(),
        Kind::Lambda(lambda) => {
            lambda.body.ends().iter().any(|end| matches!(&end.kind, Kind::Builtin(b, _) if b.gives_sequence()))
        }
        _ => false,
    })
}

/// Calls `look` on an expression and all in it.
pub(super) fn visit<'e>(expr: &'e Expr, look: &mut dyn FnMut(&'e Expr)) {
    look(expr);
    fn filters<'e>(list: &'e [Filter], look: &mut dyn FnMut(&'e Expr)) {
        for filter in list {
            if let Filter::Predicate(predicate) = filter {
                visit(predicate, look);
            }
        }
    }
    fn pairs<'e>(list: &'e [(Expr, Expr)], look: &mut dyn FnMut(&'e Expr)) {
        for (key, value) in list {
            visit(key, look);
            visit(value, look);
        }
    }
    fn body<'e>(lambda: &'e Lambda, look: &mut dyn FnMut(&'e Expr)) {
        visit(&lambda.body, look);
    }
    match &expr.kind {
        Kind::Constant(_)
        | Kind::Context
        | Kind::Root
        | Kind::Variable(_)
        | Kind::External(_)
        | Kind::Name(_)
        | Kind::Wildcard
        | Kind::Descendants
        | Kind::Regex(..)
        | Kind::Function(_) => {}
        Kind::Path(path) => {
            for step in &path.steps {
                visit(&step.expr, look);
                filters(&step.filters, look);
            }
        }
        Kind::Tuples(tuples) => {
            for step in &tuples.path.steps {
                visit(&step.expr, look);
                filters(&step.filters, look);
            }
            tuples.group.iter().for_each(|group| pairs(&group.pairs, look));
        }
        Kind::Grouped(value, group) => {
            visit(value, look);
            pairs(&group.pairs, look);
        }
        Kind::Transform(transform) => {
            visit(&transform.pattern, look);
            visit(&transform.update, look);
            if let Some(delete) = &transform.delete {
                visit(delete, look);
            }
        }
        Kind::Sort(terms) => terms.iter().for_each(|(term, _)| visit(term, look)),
        Kind::Filtered(value, list, _) => {
            visit(value, look);
            filters(list, look);
        }
        Kind::Keep(value) | Kind::Settled(value) | Kind::Negate(value) | Kind::Bind(_, value) => visit(value, look),
        Kind::Binary(_, a, b) | Kind::Default(a, b) | Kind::Coalesce(a, b) | Kind::Chain(a, b) => {
            visit(a, look);
            visit(b, look);
        }
        Kind::Array(items, _) => items.iter().for_each(|(item, _)| visit(item, look)),
        Kind::Object(list) => pairs(list, look),
        Kind::Block(_, list) | Kind::Builtin(_, list) => list.iter().for_each(|e| visit(e, look)),
        Kind::Condition(a, b, c) => {
            visit(a, look);
            visit(b, look);
            if let Some(c) = c {
                visit(c, look);
            }
        }
        Kind::Lambda(lambda) => body(lambda, look),
        Kind::Inline(lambda, given) => {
            given.iter().for_each(|e| visit(e, look));
            body(lambda, look);
        }
        Kind::Call(callee, given, _) => {
            visit(callee, look);
            given.iter().for_each(|e| visit(e, look));
        }
        Kind::Partial(callee, given, _) => {
            visit(callee, look);
            given.iter().flatten().for_each(|e| visit(e, look));
        }
    }
}
