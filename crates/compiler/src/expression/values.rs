//! The three ways to compute an expression: as a handle, as a truth value, and (see
//! [`super::numbers`]) as a number.

use lockgate_mapping::expression::{
    ValueKind,
    ir::{Builtin, Constant, Expr, Hint, Kind, Operator, VariableId},
    kind_of,
};
use lockgate_model::abi::{self, Op};
use wasm_encoder::{BlockType, ValType};

use super::{emitter::Emitter, path::reads_field};
use crate::module::At;

pub(super) const HANDLE: BlockType = BlockType::Result(ValType::I64);
pub(super) const TRUTH: BlockType = BlockType::Result(ValType::I32);
const TRUE: i64 = abi::constant_node(abi::NODE_TRUE);

/// Whether an expression is the end of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It is not.
    No,
    /// Of one written into a loop: a sequence is not settled.
    Inline,
    /// Of a lifted one: a sequence is not settled, and a call does not nest.
    Lifted,
}

impl<'a> Emitter<'a> {
    /// Pushes the value as a handle.
    pub(crate) fn handle(&mut self, expr: &'a Expr) {
        self.end(expr, End::No);
    }

    /// The same for the end of a function.
    pub(super) fn end(&mut self, expr: &'a Expr, end: End) {
        self.nested(|e| e.value(expr, end));
    }

    pub(super) fn kind_of(&self, expr: &Expr) -> ValueKind {
        kind_of(expr, &self.program.variables)
    }

    /// Pushes the value of an expression that has been entered.
    pub(super) fn value(&mut self, expr: &'a Expr, end: End) {
        match &expr.kind {
            Kind::Constant(constant) => {
                let at = self.at(expr);
                self.constant(constant, Some(at));
            }
            Kind::Context => self.push_context(),
            Kind::Root => self.push_root(),
            Kind::Variable(id) => match self.number_local(*id) {
                Some(local) => {
                    let at = self.at(expr);
                    self.body.ins().local_get(local);
                    self.op(Op::NewNum, Some(at));
                }
                None => self.variable(*id),
            },
            Kind::External(name) => self.external(name),
            Kind::Name(name) => {
                // An item of a step, which is looked into as `$lookup` does.
                self.push_context();
                self.text_constant(name);
                self.body.op(Op::GetDyn);
            }
            // With an array among the values it is an array that does not settle.
            Kind::Wildcard => self.normalised(Op::Wildcard, abi::seq::LAST),
            Kind::Descendants => self.normalised(Op::Descend, 0),
            Kind::Path(path) => self.path(path),
            Kind::Tuples(tuples) => self.tuples_value(expr, tuples),
            Kind::Grouped(value, group) => self.grouped(expr, value, group),
            Kind::Transform(transform) => self.transform(expr, transform),
            // Only a step of a path orders anything.
            Kind::Sort(_) => {
                self.body.ins().i64_const(abi::UNDEFINED);
            }
            Kind::Filtered(value, filters, keep) => self.filtered(value, filters, *keep),
            Kind::Keep(value) => self.kept(value),
            Kind::Settled(value) => self.value(value, End::No),
            Kind::Binary(operator, left, right) => self.binary(expr, *operator, left, right),
            Kind::Array(items, cons) => self.array(items, *cons),
            Kind::Object(pairs) => self.object(expr, pairs),
            Kind::Block(scope, body) => {
                let outer = self.enter(*scope);
                self.before_last(body);
                match body.last() {
                    Some(last) => {
                        self.end(last, end);
                        // One item may be what a function ended with: it is settled in its turn.
                        let calls = matches!(
                            last.kind,
                            Kind::Builtin(Builtin::Map | Builtin::Each, _)
                                | Kind::Call(..)
                                | Kind::Inline(..)
                                | Kind::Chain(..)
                        );
                        if end == End::No && calls {
                            self.settle();
                        }
                    }
                    None => {
                        self.body.ins().i64_const(abi::UNDEFINED);
                    }
                }
                self.leave(*scope, outer);
            }
            Kind::Bind(id, value) => match self.number_local(*id) {
                Some(local) => {
                    let at = self.at(expr);
                    self.number(value, 0, at);
                    self.body.ins().local_tee(local);
                    self.op(Op::NewNum, Some(at));
                }
                None => {
                    self.handle(value);
                    let local = self.body.stash();
                    self.body.ins().local_get(local);
                    self.bind(*id);
                    self.body.ins().local_get(local);
                }
            },
            Kind::Condition(condition, then, otherwise) => {
                self.condition(condition);
                self.body.ins().if_(HANDLE);
                self.end(then, end);
                self.body.ins().else_();
                match otherwise {
                    Some(otherwise) => self.end(otherwise, end),
                    None => {
                        self.body.ins().i64_const(abi::UNDEFINED);
                    }
                }
                self.body.ins().end();
            }
            Kind::Default(left, right) => {
                self.handle(left);
                let local = self.body.stash();
                self.body.ins().local_get(local);
                self.body.op(Op::Truthy);
                self.body.ins().if_(HANDLE).local_get(local).else_();
                self.end(right, end);
                self.body.ins().end();
            }
            Kind::Coalesce(left, right) => {
                self.handle(left);
                let local = self.body.stash();
                self.body.ins().local_get(local).i64_eqz().if_(HANDLE);
                self.end(right, end);
                self.body.ins().else_().local_get(local).end();
            }
            Kind::Lambda(lambda) => self.lambda(lambda),
            Kind::Function(builtin) => self.builtin_value(*builtin),
            Kind::Regex(source, flags) => self.matcher(source, flags),
            Kind::Builtin(builtin, given) => self.builtin(expr, *builtin, given, end),
            Kind::Inline(lambda, given) => {
                let outer = self.enter_inline(lambda, given);
                self.end(&lambda.body, if end == End::No { End::No } else { End::Inline });
                self.leave(lambda.scope, outer);
            }
            Kind::Call(callee, given, hint) => self.call(expr, callee, given, hint, end),
            Kind::Partial(callee, given, hint) => self.partial(expr, callee, given, hint),
            Kind::Chain(left, right) => {
                self.chain(expr, left, right);
                self.settle();
            }
            Kind::Negate(_) => {
                let at = self.at(expr);
                self.computed(expr, 0, at);
                self.op(Op::NewNum, Some(at));
            }
        }
    }

    fn is_unread(&self, id: VariableId) -> bool {
        self.program.variables.get(id.0).is_some_and(|variable| variable.unread)
    }

    /// Writes all expressions of a block but the last, for their bindings.
    pub(super) fn before_last(&mut self, body: &'a [Expr]) {
        let Some((_, before)) = body.split_last() else {
            return;
        };
        for expr in before {
            match &expr.kind {
                Kind::Bind(id, _) if self.is_unread(*id) => {}
                // A number that is only bound is never boxed.
                Kind::Bind(id, value) if self.number_local(*id).is_some() => {
                    let at = self.at(expr);
                    self.number(value, 0, at);
                    if let Some(local) = self.number_local(*id) {
                        self.body.ins().local_set(local);
                    }
                }
                Kind::Bind(id, value) => {
                    self.handle(value);
                    self.bind(*id);
                }
                _ => {
                    self.handle(expr);
                    self.body.ins().drop();
                }
            }
        }
    }

    /// `[]` on something whose own sequence is kept.
    fn kept(&mut self, value: &'a Expr) {
        match &value.kind {
            Kind::Wildcard => self.normalised(Op::Wildcard, abi::seq::KEEP | abi::seq::LAST),
            Kind::Builtin(builtin, given) if builtin.takes_function() => {
                self.builtin_kept(value, *builtin, given);
            }
            Kind::Chain(left, right) => {
                self.chain(value, left, right);
                self.settle_kept();
            }
            // Only a sequence of one is kept: a single value is itself, an array is one.
            _ => {
                self.end(value, End::Inline);
                self.settle_kept();
            }
        }
    }

    /// A wildcard of the context on its own: one item stands for itself.
    pub(super) fn normalised(&mut self, op: Op, flags: i32) {
        let acc = self.sequence();
        self.push_context();
        self.body.op(op);
        self.add(acc, Op::SeqPush);
        self.close(acc, flags);
    }

    // --- truth

    /// Pushes 1 when `$boolean` of the value is true, else 0.
    pub(crate) fn condition(&mut self, expr: &'a Expr) {
        self.nested(|e| e.truth(expr));
    }

    /// The same for an expression that has been entered.
    pub(super) fn truth(&mut self, expr: &'a Expr) {
        match &expr.kind {
            Kind::Constant(constant) => {
                let truth = match constant {
                    Constant::Undefined | Constant::Null => false,
                    Constant::Boolean(value) => *value,
                    Constant::Number(value, _) => *value != 0.0,
                    Constant::Text(text) => !text.is_empty(),
                };
                self.body.ins().i32_const(truth.into());
            }
            Kind::Binary(Operator::And, left, right) => {
                self.condition(left);
                self.body.ins().if_(TRUTH);
                self.condition(right);
                self.body.ins().else_().i32_const(0).end();
            }
            Kind::Binary(Operator::Or, left, right) => {
                self.condition(left);
                self.body.ins().if_(TRUTH).i32_const(1).else_();
                self.condition(right);
                self.body.ins().end();
            }
            Kind::Binary(Operator::Equal | Operator::NotEqual, left, right) => self.equality(expr, left, right),
            Kind::Binary(Operator::In, left, right) => {
                self.handle(left);
                self.handle(right);
                self.body.op(Op::In);
            }
            Kind::Binary(
                operator @ (Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual),
                left,
                right,
            ) => {
                if self.both_numbers(left, right) {
                    let at = self.at(expr);
                    self.number(left, 0, at);
                    self.number(right, 0, at);
                    self.compare_numbers(*operator);
                } else {
                    self.value(expr, End::No);
                    self.body.ins().i64_const(TRUE).i64_eq();
                }
            }
            Kind::Settled(value) => self.truth(value),
            Kind::Builtin(builtin, given) if self.builtin_condition(expr, *builtin, given) => {}
            Kind::Condition(condition, then, otherwise) => {
                self.condition(condition);
                self.body.ins().if_(TRUTH);
                self.condition(then);
                self.body.ins().else_();
                match otherwise {
                    Some(otherwise) => self.condition(otherwise),
                    None => {
                        self.body.ins().i32_const(0);
                    }
                }
                self.body.ins().end();
            }
            Kind::Block(scope, body) => {
                let outer = self.enter(*scope);
                self.before_last(body);
                match body.last() {
                    Some(last) => self.condition(last),
                    None => {
                        self.body.ins().i32_const(0);
                    }
                }
                self.leave(*scope, outer);
            }
            Kind::Inline(lambda, given) => {
                let outer = self.enter_inline(lambda, given);
                self.condition(&lambda.body);
                self.leave(lambda.scope, outer);
            }
            _ if self.kind_of(expr) == ValueKind::Number => {
                let at = self.at(expr);
                self.computed(expr, 0, at);
                self.finite(expr, 1001, at);
                // Neither zero nor undefined.
                self.body.ins().f64_abs().f64_const(0.0.into()).f64_gt();
            }
            Kind::Path(path) if reads_field(path) => {
                let k = self.path_but_last(path);
                self.body.ins().i32_const(k);
                self.body.op(Op::GetTruthy);
            }
            _ => {
                self.value(expr, End::No);
                self.body.op(Op::Truthy);
            }
        }
    }

    /// The text of a string constant.
    pub(super) fn literal(expr: &Expr) -> Option<&str> {
        match &expr.kind {
            Kind::Constant(Constant::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A value that a filter never takes for a place: true, false or undefined.
    pub(super) fn is_truth(expr: &Expr) -> bool {
        match &expr.kind {
            Kind::Constant(Constant::Boolean(_)) => true,
            Kind::Binary(operator, _, _) => matches!(
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
            ),
            Kind::Builtin(builtin, _) => {
                matches!(builtin, Builtin::Exists | Builtin::Not | Builtin::Boolean | Builtin::Contains)
            }
            _ => false,
        }
    }

    /// The place that a callee's errors name.
    pub(super) fn call_place(&mut self, expr: &Expr, hint: &Hint) -> At {
        let token = hint.token.clone().unwrap_or_default();
        self.at_token(expr, &token)
    }
}
