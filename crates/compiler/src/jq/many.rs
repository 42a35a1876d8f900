//! Expressions with any number of outputs, as loops around what is done with each.
//!
//! Where several parts of an expression have outputs, every combination is an output. The order is jq's: the
//! right side of an operator is the outer loop, of a text the last part, of an object the first field.

use lockgate_mapping::jq::{Entry, Expr, Kind, Outputs, Piece};
use lockgate_model::abi;
use lockgate_model::abi::jq::Operation;
use wasm_encoder::ValType;

use super::emitter::{Bound, Emitter, Here, NULL, Then, Value};
use super::one::arithmetic;

impl<'a> Emitter<'a> {
    /// Writes `then` for each output.
    pub(super) fn each(&mut self, expr: &Expr, here: Here<'_>, then: &mut Then<'_, 'a>) {
        if expr.outputs == Outputs::One {
            let value = self.value(expr, here);
            return self.give(value, then);
        }
        if self.enter() {
            self.outputs(expr, here, then);
        }
        self.leave();
    }

    /// The same with code of its own.
    fn with(&mut self, expr: &Expr, here: Here<'_>, mut write: impl FnMut(&mut Self, Value)) {
        self.each(expr, here, &mut Then::Do(&mut write));
    }

    fn outputs(&mut self, expr: &Expr, here: Here<'_>, then: &mut Then<'_, 'a>) {
        match &expr.kind {
            Kind::Empty => {}
            Kind::Recurse => {
                let all = self.operate(Operation::Recurse, &[here.input], expr, here);
                self.over(all, then);
            }
            Kind::Iterate { of, optional } => self.with(of, here, |e, of| {
                e.trying(*optional, here, |e, here| {
                    let items = e.operate(Operation::Items, &[of], expr, here);
                    e.over(items, then);
                });
            }),
            Kind::Index { of, key, optional } => self.with(key, here, |e, key| {
                e.with(of, here, |e, of| {
                    e.trying(*optional, here, |e, here| {
                        let part = e.operate(Operation::Index, &[of, key], expr, here);
                        e.give(part, then);
                    });
                });
            }),
            Kind::Slice { of, from, to, optional } => self.bounded(from.as_deref(), here, &mut |e, from| {
                e.bounded(to.as_deref(), here, &mut |e, to| {
                    e.with(of, here, |e, of| {
                        e.trying(*optional, here, |e, here| {
                            let part = e.operate(Operation::Slice, &[of, from, to], expr, here);
                            e.give(part, then);
                        });
                    });
                });
            }),
            Kind::Optional(inner) => self.trying(true, here, |e, here| e.each(inner, here, then)),
            Kind::Pipe(first, next) => self.with(first, here, |e, value| e.each(next, here.on(value), then)),
            Kind::Comma(parts) => self.comma(parts, here, then),
            Kind::Bind { source, name, body } => self.with(source, here, |e, value| {
                let bound = Bound { name, value, outer: here.bound };
                e.each(body, Here { bound: Some(&bound), ..here }, then);
            }),
            Kind::Alternative(first, other) => self.alternative(first, other, here, then),
            Kind::If { condition, then: yes, otherwise } => {
                let no = otherwise.as_deref();
                let is_one = yes.outputs == Outputs::One && no.is_none_or(|no| no.outputs == Outputs::One);
                self.with(condition, here, |e, condition| {
                    e.truth(condition);
                    if is_one {
                        let value = e.either(yes, no, here);
                        return e.give(value, then);
                    }
                    // The condition is on the stack: it waits in a local while the list is made.
                    let truth = e.body.local(ValType::I32);
                    e.body.ins().local_set(truth);
                    e.gathered(then, |e, then| {
                        e.body.ins().local_get(truth);
                        e.when();
                        e.each(yes, here, then);
                        e.otherwise();
                        match no {
                            Some(no) => e.each(no, here, then),
                            None => e.give(here.input, then),
                        }
                        e.end();
                    });
                });
            }
            Kind::And(left, right) => self.logic(true, left, right, here, then),
            Kind::Or(left, right) => self.logic(false, left, right, here, then),
            Kind::Compare(how, left, right) => self.with(right, here, |e, right| {
                e.with(left, here, |e, left| {
                    let value = e.compared(*how, left, right, expr, here);
                    e.give(value, then);
                });
            }),
            Kind::Arithmetic(operator, left, right) => self.with(right, here, |e, right| {
                e.with(left, here, |e, left| {
                    let value = e.operate(arithmetic(*operator), &[left, right], expr, here);
                    e.give(value, then);
                });
            }),
            Kind::Negate(inner) => self.with(inner, here, |e, value| {
                let value = e.operate(Operation::Negate, &[value], expr, here);
                e.give(value, then);
            }),
            Kind::Select(condition) => self.with(condition, here, |e, value| {
                e.truth(value);
                e.when();
                e.give(here.input, then);
                e.end();
            }),
            Kind::First(source) => {
                let first = self.first(source, here);
                self.body.ins().local_get(first).i64_const(abi::UNDEFINED).i64_ne();
                self.when();
                self.give(Value::Local(first), then);
                self.end();
            }
            Kind::Call(function, argument) => {
                let Some(argument) = argument else { return };
                self.with(argument, here, |e, argument| {
                    let value = e.call(*function, Some(argument), expr, here);
                    e.give(value, then);
                });
            }
            Kind::Text(pieces) => self.texts(expr, pieces, pieces.len(), &mut Vec::new(), here, then),
            Kind::Object(entries) => self.objects(entries, 0, &mut Vec::new(), here, then),
            // They have one output and never come here.
            Kind::Identity
            | Kind::Null
            | Kind::Boolean(_)
            | Kind::Number(_)
            | Kind::Variable(_)
            | Kind::Array(_)
            | Kind::Not
            | Kind::Quantifier { .. } => {}
        }
    }

    /// Writes something whose errors end it and nothing else, where that is asked for. What is done with an
    /// output is written by closures that know where errors went before.
    fn trying(&mut self, is_tried: bool, here: Here<'_>, write: impl FnOnce(&mut Self, Here<'_>)) {
        if !is_tried {
            return write(self, here);
        }
        let catch = self.block();
        write(self, Here { catch: Some(catch), ..here });
        self.end();
    }

    fn bounded(&mut self, bound: Option<&Expr>, here: Here<'_>, write: &mut dyn FnMut(&mut Self, Value)) {
        match bound {
            Some(bound) => self.each(bound, here, &mut Then::Do(write)),
            None => write(self, NULL),
        }
    }

    /// One part after the other; the next is not asked before the outputs of the last are done with.
    fn comma(&mut self, parts: &[Expr], here: Here<'_>, then: &mut Then<'_, 'a>) {
        if let Then::Push(_) = then {
            return parts.iter().for_each(|part| self.each(part, here, then));
        }
        let turn = self.body.local(ValType::I32);
        self.body.ins().i32_const(0).local_set(turn);
        let again = self.looped();
        let list = self.body.list();
        for (nth, part) in (0_i32..).zip(parts) {
            self.body.ins().local_get(turn).i32_const(nth).i32_eq();
            self.when();
            self.each(part, here, &mut Then::Push(list));
            self.end();
        }
        self.over(Value::Local(list), then);
        let count = i32::try_from(parts.len()).unwrap_or(i32::MAX);
        self.body.ins().local_get(turn).i32_const(1).i32_add().local_tee(turn).i32_const(count).i32_lt_s();
        self.jump_if(again);
        self.end();
    }

    /// The outputs of `first` that are true, or all of `other` where there are none.
    fn alternative(&mut self, first: &Expr, other: &Expr, here: Here<'_>, then: &mut Then<'_, 'a>) {
        self.gathered(then, |e, then| {
            let found = e.body.local(ValType::I32);
            e.body.ins().i32_const(0).local_set(found);
            e.with(first, here, |e, value| {
                e.truth(value);
                e.when();
                e.body.ins().i32_const(1).local_set(found);
                e.give(value, then);
                e.end();
            });
            e.body.ins().local_get(found).i32_eqz();
            e.when();
            e.each(other, here, then);
            e.end();
        });
    }

    /// For each left side that does not decide, each right side.
    fn logic(&mut self, and: bool, left: &Expr, right: &Expr, here: Here<'_>, then: &mut Then<'_, 'a>) {
        self.with(left, here, |e, left| {
            let truth = e.body.local(ValType::I32);
            e.truth(left);
            e.body.ins().local_set(truth);
            e.gathered(then, |e, then| {
                e.body.ins().local_get(truth);
                if !and {
                    e.body.ins().i32_eqz();
                }
                e.when();
                e.with(right, here, |e, right| {
                    e.truth(right);
                    let value = e.truth_taken();
                    e.give(value, then);
                });
                e.otherwise();
                e.give(Self::boolean(!and), then);
                e.end();
            });
        });
    }

    /// Texts of all combinations of their parts, of which the first `left` are still to come.
    fn texts(
        &mut self,
        expr: &Expr,
        pieces: &[Piece],
        left: usize,
        values: &mut Vec<Value>,
        here: Here<'_>,
        then: &mut Then<'_, 'a>,
    ) {
        let before = values.len();
        for nth in (0..left).rev() {
            let Some(Piece::Value(inner)) = pieces.get(nth) else { continue };
            if inner.outputs == Outputs::Any {
                self.with(inner, here, |e, value| {
                    let before = values.len();
                    values.push(value);
                    e.texts(expr, pieces, nth, values, here, then);
                    values.truncate(before);
                });
                values.truncate(before);
                return;
            }
            let value = self.value(inner, here);
            values.push(value);
        }
        let in_order: Vec<_> = values.iter().rev().copied().collect();
        let text = self.text(pieces, &in_order, expr, here);
        self.give(text, then);
        values.truncate(before);
    }

    /// Objects of all combinations of their names and values, from field `next` on.
    fn objects(
        &mut self,
        entries: &[Entry],
        next: usize,
        fields: &mut Vec<(Value, Value)>,
        here: Here<'_>,
        then: &mut Then<'_, 'a>,
    ) {
        let before = fields.len();
        for (nth, entry) in entries.iter().enumerate().skip(next) {
            if entry.key.outputs == Outputs::One && entry.value.outputs == Outputs::One {
                let field = (self.value(&entry.key, here), self.value(&entry.value, here));
                fields.push(field);
                continue;
            }
            self.with(&entry.key, here, |e, key| {
                e.with(&entry.value, here, |e, value| {
                    let before = fields.len();
                    fields.push((key, value));
                    e.objects(entries, nth + 1, fields, here, then);
                    fields.truncate(before);
                });
            });
            fields.truncate(before);
            return;
        }
        let object = self.object(entries, fields, here);
        self.give(object, then);
        fields.truncate(before);
    }
}
