//! What is certain of a value before it is computed, besides its [`kind`](super::ValueKind): shorter
//! code may be written where it holds.

use lockgate_mapping::expression::{
    ValueKind,
    ir::{Builtin, Constant, Expr, Filter, Kind, Operator, Path},
};

use super::emitter::Emitter;

impl<'a> Emitter<'a> {
    /// Computing it cannot fail and does nothing else, so that nobody sees when it is done.
    pub(super) fn cannot_fail(&self, expr: &Expr) -> bool {
        match &expr.kind {
            Kind::Constant(Constant::Number(value, _)) => value.is_finite(),
            Kind::Constant(_) | Kind::Context | Kind::Root | Kind::External(_) | Kind::Name(_) => true,
            // One that is a number may be infinite.
            Kind::Variable(_) => self.kind_of(expr) != ValueKind::Number,
            Kind::Path(path) => self.path_cannot_fail(path),
            Kind::Binary(
                Operator::Equal | Operator::NotEqual | Operator::In | Operator::And | Operator::Or,
                left,
                right,
            ) => self.cannot_fail(left) && self.cannot_fail(right),
            Kind::Builtin(Builtin::Exists | Builtin::Not | Builtin::Boolean, given) => match given.as_slice() {
                [argument] => self.cannot_fail(argument),
                _ => false,
            },
            Kind::Block(_, body) => match body.as_slice() {
                [only] => self.cannot_fail(only),
                _ => false,
            },
            _ => false,
        }
    }

    fn path_cannot_fail(&self, path: &Path) -> bool {
        path.steps.iter().all(|step| {
            let by_place = step.filters.iter().all(|filter| matches!(filter, Filter::Index(_)));
            let plain = matches!(step.expr.kind, Kind::Name(_) | Kind::Context | Kind::Root | Kind::Variable(_));
            by_place && plain && self.cannot_fail(&step.expr)
        })
    }

    /// It is no array, whatever it is.
    pub(super) fn is_no_array(&self, expr: &Expr) -> bool {
        match &expr.kind {
            Kind::Constant(_) | Kind::Object(_) | Kind::Negate(_) | Kind::Lambda(_) | Kind::Function(_) => true,
            Kind::Binary(operator, _, _) => *operator != Operator::Range,
            Kind::Builtin(builtin, _) => {
                matches!(
                    builtin,
                    Builtin::String
                        | Builtin::Uppercase
                        | Builtin::Lowercase
                        | Builtin::Trim
                        | Builtin::Substring
                        | Builtin::Join
                        | Builtin::Boolean
                        | Builtin::Not
                        | Builtin::Contains
                ) || self.kind_of(expr) != ValueKind::Any
            }
            Kind::Block(_, body) => body.last().is_none_or(|last| self.is_no_array(last)),
            Kind::Condition(_, then, otherwise) => {
                self.is_no_array(then) && otherwise.as_ref().is_none_or(|otherwise| self.is_no_array(otherwise))
            }
            Kind::Bind(_, value) | Kind::Settled(value) => self.is_no_array(value),
            Kind::Inline(lambda, _) => self.is_no_array(&lambda.body),
            _ => self.kind_of(expr) != ValueKind::Any,
        }
    }
}
