//! Numbers as f64: NaN is undefined and passes through arithmetic by itself.
//!
//! An infinity is error D1001 where the language would meet it: as an operand, or where the number
//! becomes a value (`new_num`). A bound on each expression's size, known while compiling, leaves
//! out the checks that cannot fail.

use lockgate_mapping::expression::{
    ValueKind,
    ir::{Builtin, Constant, Expr, Kind, Operator},
};
use lockgate_model::abi::Op;
use wasm_encoder::{BlockType, ValType};

use super::{emitter::Emitter, path::reads_field, values::End};
use crate::module::At;

pub(super) const NUMBER: BlockType = BlockType::Result(ValType::F64);

impl<'a> Emitter<'a> {
    /// Pushes the value as a number; a value that is none is error `code` at `at`.
    pub(super) fn number(&mut self, expr: &'a Expr, code: i32, at: At) {
        self.nested(|e| e.computed(expr, code, at));
    }

    /// The same for an expression that has been entered.
    pub(super) fn computed(&mut self, expr: &'a Expr, code: i32, at: At) {
        match &expr.kind {
            Kind::Constant(Constant::Number(value, _)) => {
                self.body.ins().f64_const((*value).into());
            }
            Kind::Constant(Constant::Undefined) => {
                self.body.ins().f64_const(f64::NAN.into());
            }
            Kind::Variable(id) if self.number_local(*id).is_some() => {
                if let Some(local) = self.number_local(*id) {
                    self.body.ins().local_get(local);
                }
            }
            Kind::Path(path) if reads_field(path) => {
                let k = self.path_but_last(path);
                self.body.ins().i32_const(k).i32_const(code);
                self.op(Op::GetNum, Some(at));
            }
            Kind::Settled(value) => self.computed(value, code, at),
            Kind::Negate(operand) => {
                let own = self.at(expr);
                self.number(operand, 1002, own);
                self.finite(operand, 1001, own);
                self.body.ins().f64_neg();
            }
            Kind::Binary(
                operator @ (Operator::Add
                | Operator::Subtract
                | Operator::Multiply
                | Operator::Divide
                | Operator::Remainder),
                left,
                right,
            ) => self.arithmetic(expr, *operator, left, right),
            Kind::Builtin(builtin, given) if self.kind_of(expr) == ValueKind::Number => {
                self.builtin_number(expr, *builtin, given);
            }
            Kind::Condition(condition, then, otherwise) => {
                self.condition(condition);
                self.body.ins().if_(NUMBER);
                self.number(then, code, at);
                self.body.ins().else_();
                match otherwise {
                    Some(otherwise) => self.number(otherwise, code, at),
                    None => {
                        self.body.ins().f64_const(f64::NAN.into());
                    }
                }
                self.body.ins().end();
            }
            Kind::Block(scope, body) if !body.is_empty() => {
                let outer = self.enter(*scope);
                self.before_last(body);
                if let Some(last) = body.last() {
                    self.number(last, code, at);
                }
                self.leave(*scope, outer);
            }
            Kind::Inline(lambda, given) => {
                let outer = self.enter_inline(lambda, given);
                self.number(&lambda.body, code, at);
                self.leave(lambda.scope, outer);
            }
            Kind::Bind(id, value) if self.number_local(*id).is_some() => {
                self.number(value, code, at);
                if let Some(local) = self.number_local(*id) {
                    self.body.ins().local_tee(local);
                }
            }
            _ => {
                self.value(expr, End::No);
                self.body.ins().i32_const(code);
                self.op(Op::Num, Some(at));
            }
        }
    }

    fn arithmetic(&mut self, expr: &'a Expr, operator: Operator, left: &'a Expr, right: &'a Expr) {
        let at = self.at(expr);
        self.number(left, 2001, at);
        self.finite(left, 1001, at);
        self.number(right, 2002, at);
        self.finite(right, 1001, at);
        if operator == Operator::Remainder {
            return self.body.op(Op::Rem);
        }
        match operator {
            Operator::Add => self.body.ins().f64_add(),
            Operator::Subtract => self.body.ins().f64_sub(),
            Operator::Multiply => self.body.ins().f64_mul(),
            _ => self.body.ins().f64_div(),
        };
    }

    /// Error `code` when the number on the stack, the value of `expr`, is infinite.
    pub(super) fn finite(&mut self, expr: &Expr, code: i32, at: At) {
        if !self.bound(expr).is_finite() {
            self.check_finite(code, at);
        }
    }

    /// The same for any number.
    pub(super) fn check_finite(&mut self, code: i32, at: At) {
        let local = self.body.local(ValType::F64);
        self.body.ins().local_tee(local).f64_abs().f64_const(f64::INFINITY.into()).f64_eq().if_(BlockType::Empty);
        self.fail(code, Some(at));
        self.body.ins().end().local_get(local);
    }

    /// No number this expression gives is larger in size.
    fn bound(&self, expr: &Expr) -> f64 {
        // An operand has been checked.
        let operand = |expr: &Expr| self.bound(expr).min(f64::MAX);
        match &expr.kind {
            Kind::Constant(Constant::Number(value, _)) => value.abs(),
            Kind::Negate(value) => operand(value),
            Kind::Binary(Operator::Add | Operator::Subtract, left, right) => operand(left) + operand(right),
            Kind::Binary(Operator::Multiply, left, right) => operand(left) * operand(right),
            Kind::Binary(Operator::Divide, left, right) => match &right.kind {
                Kind::Constant(Constant::Number(value, _)) if *value != 0.0 => operand(left) / value.abs(),
                _ => f64::INFINITY,
            },
            Kind::Binary(Operator::Remainder, left, _) => operand(left),
            Kind::Builtin(Builtin::Count | Builtin::Length, _) => 1e18,
            Kind::Builtin(
                Builtin::Floor
                | Builtin::Ceil
                | Builtin::Round
                | Builtin::Abs
                | Builtin::Max
                | Builtin::Min
                | Builtin::Number,
                _,
            ) => f64::MAX,
            _ if self.kind_of(expr) == ValueKind::Number => f64::INFINITY,
            // What is read from a document is finite.
            _ => f64::MAX,
        }
    }

    /// Both sides are numbers, so that they compare as such.
    pub(super) fn both_numbers(&self, left: &Expr, right: &Expr) -> bool {
        self.kind_of(left) == ValueKind::Number && self.kind_of(right) == ValueKind::Number
    }

    /// Compares the two numbers on the stack; an undefined one gives 0.
    pub(super) fn compare_numbers(&mut self, operator: Operator) {
        let mut ins = self.body.ins();
        match operator {
            Operator::Less => ins.f64_lt(),
            Operator::LessEqual => ins.f64_le(),
            Operator::Greater => ins.f64_gt(),
            _ => ins.f64_ge(),
        };
    }
}
