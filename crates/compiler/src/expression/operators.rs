//! Operators on two values, as handles.

use lockgate_mapping::expression::{
    ValueKind,
    ir::{Constant, Expr, Kind, Operator},
};
use lockgate_model::abi::{self, Op, cmp};
use wasm_encoder::ValType;

use super::{
    emitter::Emitter,
    path::reads_field,
    values::{End, HANDLE},
};
use crate::module::At;

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
                let op = self.two(left, right, Op::Compare, Op::GetCompare);
                self.body.ins().i32_const(match operator {
                    Operator::Less => cmp::LT,
                    Operator::LessEqual => cmp::LE,
                    Operator::Greater => cmp::GT,
                    _ => cmp::GE,
                });
                self.op(op, Some(at));
            }
            Operator::Concat => {
                if !self.made_text(left, right, at) {
                    self.concat(left, right, at);
                }
            }
            Operator::Range => {
                self.handle(left);
                self.handle(right);
                self.op(Op::Range, Some(at));
            }
        }
    }

    /// Pushes `left & right` part by part.
    pub(super) fn concat(&mut self, left: &'a Expr, right: &'a Expr, at: At) {
        for part in [left, right] {
            self.nested(|e| match &part.kind {
                Kind::Binary(Operator::Concat, left, right) => {
                    let at = e.at(part);
                    e.concat(left, right, at);
                }
                _ => e.value(part, End::No),
            });
        }
        self.op(Op::Concat, Some(at));
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
        // Both are equal either way around; a constant comes second, unless making it can fail.
        let first = matches!(&left.kind, Kind::Constant(constant) if !matches!(constant, Constant::Number(_, None)));
        let (value, other) = if first { (right, left) } else { (left, right) };
        if let (Some(text), true, false) = (Self::literal(other), equal, is_field(value)) {
            let k = self.index(text);
            self.handle(value);
            self.body.ins().i32_const(k);
            return self.body.op(Op::EqText);
        }
        let op = match equal {
            true => self.two(value, other, Op::Eq, Op::GetEq),
            false => self.two(value, other, Op::Ne, Op::GetNe),
        };
        self.body.op(op);
    }

    /// Pushes two values for an intrinsic; for its fused form, where the left one is a field that is read.
    fn two(&mut self, left: &'a Expr, right: &'a Expr, plain: Op, fused: Op) -> Op {
        let op = match &left.kind {
            Kind::Path(path) if reads_field(path) => {
                let k = self.nested(|e| e.path_but_last(path));
                self.body.ins().i32_const(k);
                fused
            }
            _ => {
                self.handle(left);
                plain
            }
        };
        self.handle(right);
        op
    }
}

fn is_field(expr: &Expr) -> bool {
    matches!(&expr.kind, Kind::Path(path) if reads_field(path))
}
