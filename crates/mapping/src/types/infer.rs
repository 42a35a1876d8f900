//! The shape of an expression: its resolved form walked once, from the leaves up.
//!
//! What is followed: paths with filters and order-by, constructors, variables that are bound once,
//! conditions, operators and the built-in functions whose result is known. All else is
//! [`Shape::any`], of which nothing is said. Reported here are fields that the source's type does not
//! have, and values that a function or an operator surely refuses.

use std::{cell::RefCell, collections::BTreeMap};

use lockgate_document::schema::Types;
use lockgate_model::Span;

use super::{
    builtin,
    shape::{Fields, Many, Member, Missing, Part, Shape, Source},
};
use crate::expression::ir::{
    Builtin, Constant, Expr, Filter, Kind, Lambda, Operator, Path, Program, Step, Tuples, VariableId,
};

/// A field that cannot be there, and its place in the expression.
#[derive(Debug)]
pub struct Absent {
    /// The field.
    pub name: String,
    /// Its place.
    pub at: Span,
    /// Why.
    pub missing: Missing,
}

/// A value that a function or an operator refuses whenever there is one.
#[derive(Debug)]
pub struct Misfit {
    /// What refuses it.
    pub of: String,
    /// Where the value stands in the expression.
    pub at: Span,
    /// The kinds that it takes.
    pub wanted: Types,
    /// What comes.
    pub comes: Types,
    /// These are the kinds of the items of a list.
    pub items: bool,
}

/// What is known of an expression.
#[derive(Debug)]
pub struct Inferred {
    /// Its value.
    pub shape: Shape,
    /// Fields that cannot be there.
    pub absent: Vec<Absent>,
    /// Values that are refused.
    pub misfits: Vec<Misfit>,
}

/// The shape of an expression on a document of the source's type, at an item of it or at its root.
pub fn infer(program: &Program, source: Source<'_>, root: &Shape, context: &Shape) -> Inferred {
    let bindings = RefCell::new(BTreeMap::<VariableId, usize>::new());
    program.root.any(&|expr| {
        if let Kind::Bind(id, _) = &expr.kind {
            *bindings.borrow_mut().entry(*id).or_default() += 1;
        }
        false
    });
    // What is bound twice, or shared with a function that may run at any time, has no one shape.
    let once = |id: VariableId, count: usize| {
        count == 1 && program.variables.get(id.0).is_some_and(|variable| variable.captured.is_none())
    };
    let once = bindings.into_inner().into_iter().filter(|(id, count)| once(*id, *count)).map(|(id, _)| id).collect();
    let mut walk = Walk { source, root, once, bound: BTreeMap::new(), absent: Vec::new(), misfits: Vec::new() };
    let shape = walk.expr(&program.root, context);
    Inferred { shape, absent: walk.absent, misfits: walk.misfits }
}

pub(super) struct Walk<'s> {
    pub(super) source: Source<'s>,
    root: &'s Shape,
    /// Variables that `:=` binds at one place.
    once: Vec<VariableId>,
    bound: BTreeMap<VariableId, Shape>,
    absent: Vec<Absent>,
    misfits: Vec<Misfit>,
}

impl Walk<'_> {
    pub(super) fn expr(&mut self, expr: &Expr, context: &Shape) -> Shape {
        match &expr.kind {
            Kind::Constant(constant) => of_constant(constant),
            Kind::Context => context.clone(),
            Kind::Root => self.root.clone(),
            Kind::Variable(id) => self.bound.get(id).cloned().unwrap_or_else(Shape::any),
            Kind::External(_) | Kind::Wildcard | Kind::Descendants | Kind::Function(_) | Kind::Regex(..) => {
                Shape::any()
            }
            Kind::Name(name) => self.field(name, expr.span, context),
            Kind::Path(path) => self.path(path, context),
            Kind::Tuples(tuples) => self.tuples(tuples, context),
            Kind::Grouped(value, group) => {
                let value = self.expr(value, context);
                let item = self.source.items(&value);
                let all = self.source.sequence(&value);
                for (key, value) in &group.pairs {
                    self.expr(key, &item);
                    self.expr(value, &all);
                }
                Shape::object().or_nothing(value.undefined)
            }
            Kind::Sort(terms) => {
                let item = self.source.items(context);
                for (term, _) in terms {
                    self.expr(term, &item);
                }
                self.source.sequence(context)
            }
            Kind::Filtered(value, filters, keep) => {
                let mut shape = self.expr(value, context);
                for filter in filters {
                    shape = self.filter(filter, &shape);
                }
                if *keep { self.source.kept(&shape) } else { shape }
            }
            Kind::Keep(value) => {
                let shape = self.expr(value, context);
                self.source.kept(&shape)
            }
            Kind::Settled(value) => self.expr(value, context),
            Kind::Negate(value) => {
                let shape = self.expr(value, context);
                Shape::number().or_nothing(shape.undefined)
            }
            Kind::Binary(operator, left, right) => {
                let (of_left, of_right) = (self.expr(left, context), self.expr(right, context));
                if is_arithmetic(*operator) {
                    for (side, shape) in [(left, &of_left), (right, &of_right)] {
                        self.takes(operator.text(), Types::NUMBER, false, side.span, shape);
                    }
                }
                of_operator(*operator, &of_left, &of_right)
            }
            Kind::Array(items, cons) => {
                let mut all = Shape::never();
                for (item, whole) in items {
                    let shape = self.expr(item, context);
                    let shape = if *whole { shape } else { self.source.items(&shape) };
                    all = all.or(Shape { undefined: false, ..shape });
                }
                // As a step of a path such an array is not taken apart, which shapes do not tell.
                if *cons { Shape::any() } else { Shape::array(all) }
            }
            Kind::Object(pairs) => self.object(pairs, context),
            Kind::Block(_, body) => {
                let mut shape = Shape::nothing();
                for part in body {
                    shape = self.expr(part, context);
                }
                shape
            }
            Kind::Bind(id, value) => {
                let shape = self.expr(value, context);
                let bound = if self.once.contains(id) { shape.clone() } else { Shape::any() };
                self.bound.insert(*id, bound);
                shape
            }
            Kind::Condition(condition, then, otherwise) => {
                self.expr(condition, context);
                let then = self.expr(then, context);
                match otherwise {
                    Some(otherwise) => then.or(self.expr(otherwise, context)),
                    None => then.or_nothing(true),
                }
            }
            Kind::Default(left, right) | Kind::Coalesce(left, right) => {
                let left = self.expr(left, context);
                let right = self.expr(right, context);
                Shape { undefined: false, ..left }.or(right)
            }
            Kind::Lambda(lambda) => {
                self.function(lambda, &[], context);
                Shape::any()
            }
            Kind::Inline(lambda, given) => {
                let given: Vec<Shape> = given.iter().map(|value| self.expr(value, context)).collect();
                self.function(lambda, &given, context)
            }
            Kind::Builtin(function, given) => self.builtin(*function, given, context),
            Kind::Call(callee, given, _) => {
                self.expr(callee, context);
                given.iter().for_each(|value| drop(self.expr(value, context)));
                Shape::any()
            }
            Kind::Partial(callee, given, _) => {
                self.expr(callee, context);
                given.iter().flatten().for_each(|value| drop(self.expr(value, context)));
                Shape::any()
            }
            Kind::Transform(_) => Shape::any(),
            Kind::Chain(left, right) => {
                self.expr(left, context);
                self.expr(right, context);
                Shape::any()
            }
        }
    }

    fn field(&mut self, name: &str, at: Span, context: &Shape) -> Shape {
        match self.source.field(context, name) {
            Ok(shape) => shape,
            Err(missing) => {
                self.absent.push(Absent { name: name.to_owned(), at, missing });
                Shape::any()
            }
        }
    }

    fn path(&mut self, path: &Path, context: &Shape) -> Shape {
        let shape = self.steps(&path.steps, path.absolute, context);
        if path.keep { self.source.kept(&shape) } else { shape }
    }

    fn steps(&mut self, steps: &[Step], absolute: bool, context: &Shape) -> Shape {
        let mut shape = context.clone();
        for (i, step) in steps.iter().enumerate() {
            shape = if i == 0 && absolute {
                let value = self.expr(&step.expr, context);
                self.filtered(&step.filters, value)
            } else {
                self.step(step, &shape)
            };
        }
        shape
    }

    /// A step is taken on each item of what the one before gave.
    fn step(&mut self, step: &Step, context: &Shape) -> Shape {
        if context.is_nothing() {
            return Shape::nothing();
        }
        if let Kind::Sort(_) = &step.expr.kind {
            let sorted = self.expr(&step.expr, context);
            return self.filtered(&step.filters, sorted);
        }
        let item = Shape { undefined: false, ..self.source.items(context) };
        let each = self.expr(&step.expr, &item);
        let each = self.filtered(&step.filters, each);
        if context.may_be_array() {
            // What an expression gives of an item may hang on a condition in it.
            let surely = matches!(step.expr.kind, Kind::Name(_)) || !each.undefined;
            return self.source.of_each(context, &each, surely).or(Shape { many: Many::Said, ..each });
        }
        each.or_nothing(context.undefined)
    }

    fn filtered(&mut self, filters: &[Filter], shape: Shape) -> Shape {
        filters.iter().fold(shape, |shape, filter| self.filter(filter, &shape))
    }

    fn filter(&mut self, filter: &Filter, shape: &Shape) -> Shape {
        match filter {
            Filter::Index(_) => self.source.items(shape).or_nothing(true),
            Filter::Predicate(predicate) => {
                let item = self.source.items(shape);
                self.expr(predicate, &Shape { undefined: false, ..item });
                self.source.picked(shape)
            }
            Filter::Place(_) => shape.clone(),
        }
    }

    /// Up to the first step that makes tuples; behind it nothing is known.
    fn tuples(&mut self, tuples: &Tuples, context: &Shape) -> Shape {
        let before = tuples.path.steps.get(..tuples.first).unwrap_or_default();
        self.steps(before, tuples.path.absolute, context);
        Shape::any()
    }

    fn object(&mut self, pairs: &[(Expr, Expr)], context: &Shape) -> Shape {
        // An array as context is taken apart, and its items are grouped by key.
        let (item, all) = match context.may_be_array() {
            true => (self.source.items(context), self.source.sequence(context).or(context.clone())),
            false => (context.clone(), context.clone()),
        };
        let mut members: Option<Vec<Member>> = Some(Vec::new());
        for (key, value) in pairs {
            self.expr(key, &item);
            let value = self.expr(value, &all);
            match (&key.kind, &mut members) {
                (Kind::Constant(Constant::Text(name)), Some(members)) => {
                    members.push(Member { name: name.clone(), at: key.span, value });
                }
                _ => members = None,
            }
        }
        Shape::one(Part::Object(members.map_or(Fields::Any, Fields::Of)))
    }

    /// The value of a function's body with its parameters given.
    pub(super) fn function(&mut self, lambda: &Lambda, given: &[Shape], context: &Shape) -> Shape {
        for (i, id) in lambda.params.iter().enumerate() {
            self.bound.insert(*id, given.get(i).cloned().unwrap_or_else(Shape::any));
        }
        self.expr(&lambda.body, context)
    }

    fn builtin(&mut self, function: Builtin, given: &[Expr], context: &Shape) -> Shape {
        let mut shapes: Vec<Shape> = Vec::new();
        let mut result = None;
        for (i, value) in given.iter().enumerate() {
            if let (Kind::Lambda(lambda), Some(list)) = (&value.kind, shapes.first())
                && matches!(function, Builtin::Map | Builtin::Filter | Builtin::Single)
                && i == 1
            {
                let list = list.clone();
                let item = Shape { undefined: false, ..self.source.items(&list) };
                result = Some(self.function(lambda, &[item, Shape::whole(), self.source.kept(&list)], context));
                shapes.push(Shape::any());
                continue;
            }
            shapes.push(self.expr(value, context));
        }
        if let (Builtin::Lookup, [list, _], [_, key]) = (function, shapes.as_slice(), given)
            && let Kind::Constant(Constant::Text(name)) = &key.kind
        {
            let list = list.clone();
            return self.field(name, key.span, &list).or_nothing(true);
        }
        for ((value, shape), (wanted, items)) in given.iter().zip(&shapes).zip(builtin::takes(function, given.len())) {
            self.takes(&format!("${}", function.name()), wanted, items, value.span, shape);
        }
        builtin::result(function, &shapes, result, self.source)
    }

    /// Asks whether something takes a value of this shape; `items`: each item of it, as of a list.
    fn takes(&mut self, of: &str, wanted: Types, items: bool, at: Span, shape: &Shape) {
        let shape = if items { self.source.items(shape) } else { shape.clone() };
        let Some(comes) = shape.types().filter(|comes| !comes.is_empty() && !comes.meets(wanted)) else { return };
        self.misfits.push(Misfit { of: of.to_owned(), at, wanted, comes, items });
    }
}

fn is_arithmetic(operator: Operator) -> bool {
    use Operator::{Add, Divide, Multiply, Remainder, Subtract};
    matches!(operator, Add | Subtract | Multiply | Divide | Remainder)
}

/// What a constant is.
pub(super) fn of_constant(constant: &Constant) -> Shape {
    match constant {
        Constant::Undefined => Shape::nothing(),
        Constant::Null => Shape::one(Part::Null),
        Constant::Boolean(_) => Shape::boolean(),
        Constant::Number(value, _) => Shape::one(Part::Number { whole: value.fract() == 0.0 }),
        Constant::Text(text) => Shape::constant(text),
    }
}

fn of_operator(operator: Operator, left: &Shape, right: &Shape) -> Shape {
    let undefined = left.undefined || right.undefined;
    match operator {
        Operator::Add | Operator::Subtract | Operator::Multiply => {
            let is_whole = |shape: &Shape| shape.types().is_some_and(|types| types == Types::INTEGER);
            Shape::one(Part::Number { whole: is_whole(left) && is_whole(right) }).or_nothing(undefined)
        }
        Operator::Divide | Operator::Remainder => Shape::number().or_nothing(undefined),
        Operator::Equal | Operator::NotEqual | Operator::And | Operator::Or | Operator::In => Shape::boolean(),
        Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual => {
            Shape::boolean().or_nothing(undefined)
        }
        Operator::Concat => Shape::text(),
        Operator::Range => Shape::array(Shape::whole()).or_nothing(undefined),
    }
}
