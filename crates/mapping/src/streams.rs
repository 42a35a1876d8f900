//! Whether a mapping goes record by record, and if not, what needs the whole document.
//!
//! A mapping does when its target is an array of what its rules make of each item of one list of the
//! source: `each` is names that lead to the list, with conditions on the item alone, and no rule looks
//! outside the item. Or when its source says `records`.
//!
//! An expression by itself does when it is a path that leads to such a list by names, and goes on with
//! steps that are taken for each item alone.
//!
//! What is found here is what can be seen in the file. Where the result hangs on how many items there
//! are in all, whoever runs it must still do as the whole document would: see [`Streams`].

use lockgate_model::Span;

use crate::{
    expression::ir::{Builtin, Constant, Expr, Filter, Kind, Operator, Path, Program, Step},
    rules::{ArrayRule, Formula, From, MapFile, Target},
};

/// A mapping that goes record by record.
///
/// Its result is the array of what the records give, with two exceptions, both those of sequences in
/// expressions. When one record alone passes `each`, and it is itself an array, its items are what is
/// iterated: where there are conditions, or where the list is gathered of several places. When none
/// passes, `default` stands for the array.
#[derive(Debug, Clone)]
pub struct Streams {
    /// Names that lead to the records; none: the source is the list.
    pub path: Vec<String>,
    /// How many conditions a record must meet.
    pub conditions: usize,
}

/// Why a mapping needs the whole document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// In words for users.
    pub reason: String,
    /// Where, in the mapping's file.
    pub span: Span,
}

/// The conditions that an item must meet, in order, of the `each` of a mapping that goes record by record.
pub fn conditions(each: &Program) -> impl Iterator<Item = &Expr> {
    let filters = match &each.root.kind {
        Kind::Path(path) => path.steps.last().map(|step| step.filters.as_slice()),
        Kind::Filtered(_, filters, _) => Some(filters.as_slice()),
        _ => None,
    };
    predicates(filters.unwrap_or_default())
}

fn predicates(filters: &[Filter]) -> impl Iterator<Item = &Expr> {
    filters.iter().filter_map(|filter| match filter {
        Filter::Predicate(predicate) => Some(predicate),
        Filter::Index(_) | Filter::Place(_) => None,
    })
}

/// An expression that goes record by record. Its value is that of a path's sequence: what its steps give
/// of each record, one after the other.
///
/// As of a mapping, two things hang on all records at once. What a sequence of one item or none is, and
/// an only record that is itself an array: where the one name of the path is looked up in a list, or where
/// steps go on from `$[…]` that one record passes, its items are meant.
#[derive(Debug, Clone)]
pub struct Selection<'p> {
    /// Where the records are.
    pub streams: Streams,
    /// The conditions on a record, in order.
    filters: &'p [Filter],
    /// The steps that are taken from each record.
    pub steps: &'p [Step],
}

impl<'p> Selection<'p> {
    /// How an expression goes record by record, or why it does not, with its place in the expression.
    pub fn of(program: &'p Program, text: &str) -> Result<Self, Whole> {
        let selection = select(program).and_then(|(path, filters, steps)| {
            filters.iter().try_for_each(|filter| condition(filter, program.root.span))?;
            steps.iter().try_for_each(|step| alone(step, program.root.span))?;
            let streams = Streams { path, conditions: filters.len() };
            Ok(Self { streams, filters, steps })
        });
        selection.map_err(|(span, reason)| {
            let marked = text.get(span.start as usize..span.end as usize).unwrap_or_default();
            whole(span, &reason.replace("{}", marked))
        })
    }

    /// The conditions that a record must meet, in order.
    pub fn conditions(&self) -> impl Iterator<Item = &'p Expr> + use<'p> {
        predicates(self.filters)
    }
}

/// The names that lead to the records, the conditions on each, and the steps that are taken from it.
type Split<'p> = (Vec<String>, &'p [Filter], &'p [Step]);

fn select(program: &Program) -> Result<Split<'_>, Refused> {
    let root = &program.root;
    let outer = program.scopes.get(program.scope.0).is_some_and(|scope| !scope.variables.is_empty());
    if outer {
        return Err((root.span, "`{}` keeps a variable from one record to the next"));
    }
    let path = match &root.kind {
        Kind::Context | Kind::Root => return Ok((Vec::new(), &[], &[])),
        Kind::Filtered(value, filters, _) if matches!(value.kind, Kind::Context | Kind::Root) => {
            return Ok((Vec::new(), filters, &[]));
        }
        Kind::Path(path) => path,
        Kind::Tuples(_) => {
            return Err((root.span, "`{}` brings names along (`@`, `#` or `%`): it needs all records at once"));
        }
        _ => return Err((root.span, "`{}` needs all records at once")),
    };
    if let Some((first, steps)) = path.steps.split_first() {
        match &first.expr.kind {
            Kind::Context | Kind::Root => return Ok((Vec::new(), &first.filters, steps)),
            Kind::Filtered(value, filters, _)
                if first.filters.is_empty() && matches!(value.kind, Kind::Context | Kind::Root) =>
            {
                return Ok((Vec::new(), filters, steps));
            }
            _ => {}
        }
    }
    let name = |step: &Step| match &step.expr.kind {
        Kind::Name(name) => Some(name.clone()),
        _ => None,
    };
    let bare = path.steps.iter().take_while(|step| name(step).is_some() && step.filters.is_empty()).count();
    let asked = path
        .steps
        .get(bare)
        .filter(|step| name(step).is_some() && step.filters.iter().all(|filter| condition(filter, root.span).is_ok()));
    let names = match (bare, asked) {
        (_, Some(_)) => bare + 1,
        // What the last name reads is read of each record: that is faster than to go to it.
        (2.., None) if bare == path.steps.len() => bare - 1,
        _ => bare,
    };
    let Some((before, steps)) = path.steps.split_at_checked(names).filter(|_| names > 0) else {
        return Err((root.span, "`{}` does not begin with names that lead to the records"));
    };
    let filters = before.last().map_or(&[] as &[Filter], |step| &step.filters);
    Ok((before.iter().filter_map(name).collect(), filters, steps))
}

/// A step that is taken for each item alone.
fn alone(step: &Step, path: Span) -> Result<(), Refused> {
    if matches!(step.expr.kind, Kind::Sort(_)) || step.filters.iter().any(|f| matches!(f, Filter::Place(_))) {
        return Err((path, "the order of `{}` needs all records at once"));
    }
    let expressions = predicates(&step.filters).chain([&step.expr]);
    match expressions.filter_map(outside).next() {
        Some(span) => Err((span, "`{}` reads outside the record")),
        None => Ok(()),
    }
}

impl MapFile {
    /// How the mapping goes record by record, or why it does not. Of a file without problems.
    pub fn streams(&self) -> Result<Streams, Whole> {
        let Target::Array(rule) = &self.target else {
            let span = first(&self.target).map(whole_of).unwrap_or_default();
            return Err(whole(span, "the target is one object, made of the whole document"));
        };
        let ArrayRule { each, when, default, entry, .. } = rule.as_ref();
        let program = each.expression.resolve(&|_| false).map_err(|_| whole(whole_of(each), "`each` has problems"))?;
        if self.records.is_none() {
            if let Some(when) = when {
                return Err(whole(whole_of(when), "the condition of the whole array is asked of the document"));
            }
            if let Some(default) = default {
                constant(default)?;
            }
            if let Some(entry) = entry {
                inside(entry)?;
            }
        }
        let path = records(&program).map_err(|(span, reason)| {
            let text = each.expression.text().get(span.start as usize..span.end as usize).unwrap_or_default();
            whole(each.origin.span(span), &reason.replace("{}", text))
        })?;
        Ok(Streams { path, conditions: conditions(&program).count() })
    }
}

fn whole(span: Span, reason: &str) -> Whole {
    Whole { reason: reason.to_owned(), span }
}

fn whole_of(formula: &Formula) -> Span {
    formula.origin.span(Span::new(0, formula.expression.text().len()))
}

/// Calls `look` on each formula of a target.
fn formulas<'f>(target: &'f Target, look: &mut dyn FnMut(&'f Formula) -> Result<(), Whole>) -> Result<(), Whole> {
    match target {
        Target::Object(fields) => fields.iter().try_for_each(|field| formulas(&field.target, look)),
        Target::Array(rule) => {
            let ArrayRule { each, when, default, entry, .. } = rule.as_ref();
            [Some(each), when.as_ref(), default.as_ref()].into_iter().flatten().try_for_each(&mut *look)?;
            entry.iter().try_for_each(|entry| formulas(entry, look))
        }
        Target::Value(rule) => {
            let from = match &rule.from {
                From::Formula(formula) => formula,
                From::Lookup { key, .. } => key,
            };
            [Some(from), rule.when.as_ref(), rule.default.as_ref()].into_iter().flatten().try_for_each(look)
        }
    }
}

/// The first formula of a target.
fn first(target: &Target) -> Option<&Formula> {
    let mut found = None;
    let _ = formulas(target, &mut |formula| {
        found.get_or_insert(formula);
        Ok(())
    });
    found
}

/// Nothing in the entry looks outside the item.
fn inside(entry: &Target) -> Result<(), Whole> {
    formulas(entry, &mut |formula| {
        let Ok(program) = formula.expression.resolve_on_item(&|_| false) else { return Ok(()) };
        match outside(&program.root) {
            None => Ok(()),
            Some(span) => {
                let text = formula.expression.text().get(span.start as usize..span.end as usize).unwrap_or_default();
                Err(whole(formula.origin.span(span), &format!("`{text}` reads outside the record")))
            }
        }
    })
}

/// The first place where an expression on an item reads the document.
fn outside(root: &Expr) -> Option<Span> {
    let at = std::cell::Cell::new(None);
    root.any(&|expr| {
        let reads = match &expr.kind {
            Kind::Root => true,
            // The whole path says more than its first step.
            Kind::Path(Path { steps, .. }) => steps.first().is_some_and(|step| matches!(step.expr.kind, Kind::Root)),
            _ => false,
        };
        if reads && at.get().is_none() {
            at.set(Some(expr.span));
        }
        reads
    });
    at.get()
}

/// An expression on the document that reads nothing of it.
fn constant(formula: &Formula) -> Result<(), Whole> {
    let Ok(program) = formula.expression.resolve(&|_| false) else { return Ok(()) };
    let reads = program.root.any(&|expr| match &expr.kind {
        Kind::Context | Kind::Root | Kind::Wildcard | Kind::Descendants | Kind::Tuples(_) => true,
        Kind::Path(path) => !path.absolute,
        _ => false,
    });
    match reads {
        true => Err(whole(whole_of(formula), "what stands for an empty array reads the document")),
        false => Ok(()),
    }
}

/// Why an `each` needs the whole document, and where; `{}` stands for the text there.
type Refused = (Span, &'static str);

/// The names that lead to the records.
fn records(program: &Program) -> Result<Vec<String>, Refused> {
    let root = &program.root;
    let outer = program.scopes.get(program.scope.0).is_some_and(|scope| !scope.variables.is_empty());
    if outer {
        return Err((root.span, "`{}` keeps a variable from one record to the next"));
    }
    let (path, filters) = match &root.kind {
        Kind::Context | Kind::Root => (Vec::new(), [].as_slice()),
        Kind::Filtered(value, filters, _) if matches!(value.kind, Kind::Context | Kind::Root) => {
            (Vec::new(), filters.as_slice())
        }
        Kind::Path(path) => way(path, root.span)?,
        Kind::Tuples(_) => {
            return Err((root.span, "`{}` brings names along (`@`, `#` or `%`): it needs all records at once"));
        }
        _ => return Err((root.span, "`{}` needs all records at once")),
    };
    filters.iter().try_for_each(|filter| condition(filter, root.span))?;
    Ok(path)
}

/// A path that is names alone, and the filters of the last one.
fn way(path: &Path, span: Span) -> Result<(Vec<String>, &[Filter]), Refused> {
    let Some((last, before)) = path.steps.split_last() else { return Ok((Vec::new(), &[])) };
    // `$[…]` is a path of the document itself.
    if let (Kind::Context | Kind::Root, []) = (&last.expr.kind, before) {
        return Ok((Vec::new(), &last.filters));
    }
    let mut names = Vec::new();
    for step in &path.steps {
        match &step.expr.kind {
            Kind::Name(name) => names.push(name.clone()),
            Kind::Sort(_) => return Err((span, "the order of `{}` needs all records at once")),
            _ => return Err((step.expr.span, "`{}` is no name on the way to the records")),
        }
    }
    match before.iter().find(|step| !step.filters.is_empty()) {
        Some(step) => Err((step.expr.span, "only the last name on the way to the records has conditions, not `{}`")),
        None => Ok((names, &last.filters)),
    }
}

/// A filter that asks each item for itself.
fn condition(filter: &Filter, path: Span) -> Result<(), Refused> {
    match filter {
        Filter::Index(_) | Filter::Place(_) => Err((path, "`{}` picks by position, which needs all records at once")),
        Filter::Predicate(predicate) => match outside(predicate) {
            Some(span) => Err((span, "`{}` reads outside the record")),
            None if is_condition(predicate) => Ok(()),
            None => {
                Err((predicate.span, "`{}` may be a position: compare it, or ask `$boolean(…)` or `$exists(…)` of it"))
            }
        },
    }
}

/// Its value is never a number or a list of numbers, which would pick by position.
fn is_condition(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::Constant(constant) => !matches!(constant, Constant::Number(..)),
        Kind::Binary(operator, ..) => matches!(
            operator,
            Operator::Equal
                | Operator::NotEqual
                | Operator::Less
                | Operator::LessEqual
                | Operator::Greater
                | Operator::GreaterEqual
                | Operator::And
                | Operator::Or
                | Operator::In
                | Operator::Concat
        ),
        Kind::Builtin(builtin, _) => {
            matches!(builtin, Builtin::Exists | Builtin::Not | Builtin::Boolean | Builtin::Contains | Builtin::String)
        }
        Kind::Condition(_, then, otherwise) => is_condition(then) && otherwise.as_deref().is_none_or(is_condition),
        Kind::Block(_, body) => body.last().is_some_and(is_condition),
        Kind::Default(left, right) | Kind::Coalesce(left, right) => is_condition(left) && is_condition(right),
        Kind::Settled(value) => is_condition(value),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
