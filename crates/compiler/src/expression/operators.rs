//! Operators on two values, as handles.

use lockgate_mapping::expression::{
    ValueKind,
    ir::{Expr, Kind, Operator},
};
use lockgate_model::abi::{self, Op, cmp};
use wasm_encoder::ValType;

use super::{emitter::Emitter, values::HANDLE};

impl<'a> Emitter<'a> {
    /// Pushes the value of `left operator right`.
    pub(super) fn binary(&mut self, expr: &'a Expr, operator: Operator, left: &'a Expr, right: &'a Expr) {
        let at = self.at(expr);
        match operator {
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide | Operator::Remainder => {
                self.computed(expr, 0, at);
                self.op(Op::NewNum, Some(at));
            }
            Operator::Equal | Operator::NotEqual | Operator::And | Operator::Or | Operator::In => {
                self.truth(expr);
                self.truth_to_handle();
            }
            Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual => {
                if self.both_numbers(left, right) {
                    return self.comparison_of_numbers(expr, operator, left, right);
                }
                self.handle(left);
                self.handle(right);
                self.body.ins().i32_const(match operator {
                    Operator::Less => cmp::LT,
                    Operator::LessEqual => cmp::LE,
                    Operator::Greater => cmp::GT,
                    _ => cmp::GE,
                });
                self.op(Op::Compare, Some(at));
            }
            Operator::Concat => {
                self.handle(left);
                self.handle(right);
                self.op(Op::Concat, Some(at));
            }
            Operator::Range => {
                self.handle(left);
                self.handle(right);
                self.op(Op::Range, Some(at));
            }
        }
    }

    /// A comparison as a value: undefined when either side is.
    fn comparison_of_numbers(&mut self, expr: &'a Expr, operator: Operator, left: &'a Expr, right: &'a Expr) {
        let at = self.at(expr);
        let (a, b) = (self.body.local(ValType::F64), self.body.local(ValType::F64));
        self.number(left, 0, at);
        self.body.ins().local_set(a);
        self.number(right, 0, at);
        self.body.ins().local_set(b);
        self.body.ins().local_get(a).local_get(a).f64_eq().local_get(b).local_get(b).f64_eq().i32_and();
        self.body.ins().if_(HANDLE).local_get(a).local_get(b);
        self.compare_numbers(operator);
        self.truth_to_handle();
        self.body.ins().else_().i64_const(abi::UNDEFINED).end();
    }

    /// Pushes 1 or 0 for `=` and `!=`; both are 0 when either side is undefined.
    pub(super) fn equality(&mut self, expr: &'a Expr, left: &'a Expr, right: &'a Expr) {
        let Kind::Binary(operator, _, _) = &expr.kind else {
            return;
        };
        let equal = *operator == Operator::Equal;
        if self.both_numbers(left, right) {
            let at = self.at(expr);
            self.number(left, 0, at);
            self.number(right, 0, at);
            if equal {
                self.body.ins().f64_eq();
            } else {
                let (a, b) = (self.body.local(ValType::F64), self.body.local(ValType::F64));
                self.body.ins().local_set(b).local_tee(a).local_get(b).f64_lt();
                self.body.ins().local_get(a).local_get(b).f64_gt().i32_or();
            }
            return;
        }
        if self.kind_of(left) == ValueKind::Boolean && self.kind_of(right) == ValueKind::Boolean {
            self.condition(left);
            self.condition(right);
            if equal {
                self.body.ins().i32_eq();
            } else {
                self.body.ins().i32_ne();
            }
            return;
        }
        let literal = match (Self::literal(left), Self::literal(right)) {
            (_, Some(text)) => Some((left, text)),
            (Some(text), _) => Some((right, text)),
            _ => None,
        };
        if let (Some((value, text)), true) = (literal, equal) {
            let k = self.index(text);
            self.handle(value);
            self.body.ins().i32_const(k);
            return self.body.op(Op::EqText);
        }
        self.handle(left);
        self.handle(right);
        self.body.op(if equal { Op::Eq } else { Op::Ne });
    }
}
