//! Expressions with exactly one output, as values.

use lockgate_mapping::jq::{Arithmetic, Compare, Expr, Function, Kind, Outputs, Piece};
use lockgate_model::abi::jq::Operation;
use lockgate_model::abi::{self, Op};

use super::emitter::{Bound, Emitter, Here, NULL, Then, Value};

impl Emitter<'_> {
    /// The output of an expression that has one.
    pub(super) fn value(&mut self, expr: &Expr, here: Here<'_>) -> Value {
        match &expr.kind {
            Kind::Identity => here.input,
            Kind::Null => NULL,
            Kind::Boolean(value) => Self::boolean(*value),
            Kind::Number(lexeme) => Value::Constant(abi::constant(self.m.constant_json(lexeme))),
            Kind::Variable(name) => self.variable(name, expr, here),
            Kind::Text(pieces) => {
                let values: Vec<_> = pieces
                    .iter()
                    .filter_map(|piece| match piece {
                        Piece::Value(inner) => Some(self.value(inner, here)),
                        Piece::Text(_) => None,
                    })
                    .collect();
                self.text(pieces, &values, expr, here)
            }
            Kind::Array(None) => {
                let list = self.body.list();
                Value::Local(list)
            }
            Kind::Array(Some(inner)) => {
                let list = self.body.list();
                self.each(inner, here, &mut Then::Push(list));
                Value::Local(list)
            }
            Kind::Object(entries) => {
                let mut fields = Vec::with_capacity(entries.len());
                for entry in entries {
                    fields.push((self.value(&entry.key, here), self.value(&entry.value, here)));
                }
                self.object(entries, &fields, here)
            }
            Kind::Negate(inner) => {
                let value = self.value(inner, here);
                self.operate(Operation::Negate, &[value], expr, here)
            }
            Kind::Index { of, key, .. } => {
                let key = self.value(key, here);
                let of = self.value(of, here);
                self.operate(Operation::Index, &[of, key], expr, here)
            }
            Kind::Slice { of, from, to, .. } => {
                let from = self.bound(from.as_deref(), here);
                let to = self.bound(to.as_deref(), here);
                let of = self.value(of, here);
                self.operate(Operation::Slice, &[of, from, to], expr, here)
            }
            Kind::Pipe(first, then) => {
                let value = self.value(first, here);
                self.value(then, here.on(value))
            }
            Kind::Bind { source, name, body } => {
                let value = self.value(source, here);
                let bound = Bound { name, value, outer: here.bound };
                self.value(body, Here { bound: Some(&bound), ..here })
            }
            Kind::Alternative(first, other) => {
                let result = self.handle_local();
                let value = self.value(first, here);
                self.store(value, result);
                self.truth(value);
                self.body.ins().i32_eqz();
                self.when();
                let value = self.value(other, here);
                self.store(value, result);
                self.end();
                Value::Local(result)
            }
            Kind::If { condition, then, otherwise } => {
                self.condition(condition, here);
                self.either(then, otherwise.as_deref(), here)
            }
            Kind::Arithmetic(operator, left, right) => {
                let right = self.value(right, here);
                let left = self.value(left, here);
                self.operate(arithmetic(*operator), &[left, right], expr, here)
            }
            Kind::Compare(Compare::Less | Compare::LessOrEqual | Compare::Greater | Compare::GreaterOrEqual, ..) => {
                self.ordered(expr, here)
            }
            Kind::Compare(..) | Kind::And(..) | Kind::Or(..) | Kind::Not | Kind::Quantifier { .. } => {
                self.condition(expr, here);
                self.truth_taken()
            }
            Kind::Call(function, argument) => {
                let argument = argument.as_deref().map(|argument| self.value(argument, here));
                self.call(*function, argument, expr, here)
            }
            // They have any number of outputs and never come here.
            Kind::Recurse
            | Kind::Iterate { .. }
            | Kind::Optional(_)
            | Kind::Comma(_)
            | Kind::Empty
            | Kind::Select(_)
            | Kind::First(_) => NULL,
        }
    }

    /// Pushes whether an expression with one output is true.
    pub(super) fn condition(&mut self, expr: &Expr, here: Here<'_>) {
        match &expr.kind {
            Kind::Compare(how @ (Compare::Equal | Compare::NotEqual), left, right) => {
                let right = self.value(right, here);
                let left = self.value(left, here);
                self.equal(*how, left, right);
            }
            Kind::Compare(..) => {
                let value = self.ordered(expr, here);
                self.push(value);
                self.body.ins().i64_const(abi::constant_node(abi::NODE_TRUE)).i64_eq();
            }
            Kind::And(left, right) => {
                self.condition(left, here);
                self.both_or(true, right, here);
            }
            Kind::Or(left, right) => {
                self.condition(left, here);
                self.both_or(false, right, here);
            }
            Kind::Not => {
                self.truth(here.input);
                self.body.ins().i32_eqz();
            }
            Kind::Pipe(first, then) => {
                let value = self.value(first, here);
                self.condition(then, here.on(value));
            }
            Kind::Quantifier { all, source, condition } => self.quantifier(*all, source, condition, here),
            _ => {
                let value = self.value(expr, here);
                self.truth(value);
            }
        }
    }

    /// With the left side's truth on the stack, that of `and` or `or`; the right side is asked when needed.
    fn both_or(&mut self, and: bool, right: &Expr, here: Here<'_>) {
        let result = self.body.local(wasm_encoder::ValType::I32);
        self.body.ins().local_tee(result);
        if !and {
            self.body.ins().i32_eqz();
        }
        self.when();
        self.condition(right, here);
        self.body.ins().local_set(result);
        self.end();
        self.body.ins().local_get(result);
    }

    /// Pushes whether two values are equal, or are not.
    pub(super) fn equal(&mut self, how: Compare, left: Value, right: Value) {
        self.push(left);
        self.push(right);
        self.body.op(Op::Eq);
        if how == Compare::NotEqual {
            self.body.ins().i32_eqz();
        }
    }

    fn ordered(&mut self, expr: &Expr, here: Here<'_>) -> Value {
        let Kind::Compare(how, left, right) = &expr.kind else { return NULL };
        let right = self.value(right, here);
        let left = self.value(left, here);
        self.compared(*how, left, right, expr, here)
    }

    pub(super) fn compared(&mut self, how: Compare, left: Value, right: Value, expr: &Expr, here: Here<'_>) -> Value {
        match how {
            Compare::Equal | Compare::NotEqual => {
                self.equal(how, left, right);
                self.truth_taken()
            }
            Compare::Less => self.operate(Operation::Less, &[left, right], expr, here),
            Compare::LessOrEqual => self.operate(Operation::LessOrEqual, &[left, right], expr, here),
            Compare::Greater => self.operate(Operation::Less, &[right, left], expr, here),
            Compare::GreaterOrEqual => self.operate(Operation::LessOrEqual, &[right, left], expr, here),
        }
    }

    /// With a condition on the stack, the value of the one part or the other; without `else` the input.
    pub(super) fn either(&mut self, then: &Expr, otherwise: Option<&Expr>, here: Here<'_>) -> Value {
        let result = self.handle_local();
        self.when();
        let value = self.value(then, here);
        self.store(value, result);
        self.otherwise();
        let value = otherwise.map_or(here.input, |otherwise| self.value(otherwise, here));
        self.store(value, result);
        self.end();
        Value::Local(result)
    }

    /// Pushes whether some output is true, or all are; the rest is not asked.
    fn quantifier(&mut self, all: bool, source: &Expr, condition: &Expr, here: Here<'_>) {
        let answer = self.body.local(wasm_encoder::ValType::I32);
        self.body.ins().i32_const(i32::from(all)).local_set(answer);
        let done = self.block();
        self.each(
            source,
            here,
            &mut Then::Do(&mut |e, item| {
                let decide = |e: &mut Emitter<'_>| {
                    if all {
                        e.body.ins().i32_eqz();
                    }
                    e.when();
                    e.body.ins().i32_const(i32::from(!all)).local_set(answer);
                    e.jump(done);
                    e.end();
                };
                if condition.outputs == Outputs::One {
                    e.condition(condition, here.on(item));
                    decide(e);
                } else {
                    e.each(
                        condition,
                        here.on(item),
                        &mut Then::Do(&mut |e, value| {
                            e.truth(value);
                            decide(e);
                        }),
                    );
                }
            }),
        );
        self.end();
        self.body.ins().local_get(answer);
    }

    /// A bound of a part; none is null.
    fn bound(&mut self, bound: Option<&Expr>, here: Here<'_>) -> Value {
        bound.map_or(NULL, |bound| self.value(bound, here))
    }

    pub(super) fn call(&mut self, function: Function, argument: Option<Value>, expr: &Expr, here: Here<'_>) -> Value {
        let operation = match function {
            Function::Add => Operation::Sum,
            Function::FromEntries => Operation::FromEntries,
            Function::Has => Operation::Has,
            Function::Join => Operation::Join,
            Function::Keys => Operation::Keys,
            Function::Length => Operation::Length,
            Function::Split => Operation::Split,
            Function::ToEntries => Operation::ToEntries,
            Function::ToNumber => Operation::ToNumber,
            Function::ToString => Operation::ToString,
            Function::Type => Operation::Type,
        };
        let given: Vec<_> = [here.input].into_iter().chain(argument).collect();
        self.operate(operation, &given, expr, here)
    }

    /// A text of these pieces, whose expressions have these values.
    pub(super) fn text(&mut self, pieces: &[Piece], values: &[Value], expr: &Expr, here: Here<'_>) -> Value {
        if let [Piece::Text(text)] = pieces {
            return self.text_constant(text);
        }
        let mut values = values.iter();
        let mut parts = Vec::with_capacity(pieces.len());
        for piece in pieces {
            parts.push(match piece {
                Piece::Text(text) => self.text_constant(text),
                Piece::Value(_) => {
                    let value = values.next().copied().unwrap_or(NULL);
                    self.operate(Operation::ToString, &[value], expr, here)
                }
            });
        }
        if let [one] = parts.as_slice() {
            return *one;
        }
        let list = self.body.list();
        for part in parts {
            self.give(part, &mut Then::Push(list));
        }
        self.body.ins().local_get(list).i64_const(abi::UNDEFINED);
        self.body.op(Op::Join);
        self.taken()
    }

    /// An object of these entries, whose names and values are these.
    pub(super) fn object(
        &mut self,
        entries: &[lockgate_mapping::jq::Entry],
        fields: &[(Value, Value)],
        here: Here<'_>,
    ) -> Value {
        self.body.op(Op::ObjNew);
        let object = self.taken();
        for (entry, (key, value)) in entries.iter().zip(fields) {
            if let Kind::Text(pieces) = &entry.key.kind
                && let [Piece::Text(name)] = pieces.as_slice()
            {
                let name = self.m.constant_text(name);
                self.push(object);
                self.body.ins().i32_const(name.cast_signed());
                self.push(*value);
                self.body.op(Op::ObjSet);
            } else {
                self.operate(Operation::Set, &[object, *key, *value], &entry.key, here);
            }
        }
        object
    }
}

pub(super) fn arithmetic(operator: Arithmetic) -> Operation {
    match operator {
        Arithmetic::Add => Operation::Add,
        Arithmetic::Subtract => Operation::Subtract,
        Arithmetic::Multiply => Operation::Multiply,
        Arithmetic::Divide => Operation::Divide,
        Arithmetic::Remainder => Operation::Remainder,
    }
}
