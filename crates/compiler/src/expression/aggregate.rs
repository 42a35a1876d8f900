//! `$sum`, `$average`, `$max` and `$min` of numbers that are computed item by item: the numbers go
//! into the result as they come, and no list of them is built.

use lockgate_mapping::expression::{
    ValueKind,
    ir::{Builtin, Expr, Kind, Lambda, Path, Step},
};
use wasm_encoder::{BlockType, ValType};

use super::{
    arguments::{Argument, Given},
    emitter::{Context, Emitter},
    numbers::NUMBER,
};

/// A list of numbers that need not be built.
enum Numbers<'a> {
    /// What the last step of a path gives.
    Step(&'a Path, &'a [Step], &'a Expr),
    /// `$map(list, function)` with the function written there.
    Map(&'a Expr, &'a Lambda),
}

impl<'a> Emitter<'a> {
    /// Pushes an aggregate of numbers computed item by item; false when the argument is another list.
    pub(super) fn aggregate(&mut self, builtin: Builtin, given: &Given<'a>) -> bool {
        let Argument::Expr(list) = given.get(0) else {
            return false;
        };
        let Some(numbers) = self.numbers_of(list) else {
            return false;
        };
        let (result, count) = (self.body.local(ValType::F64), self.body.local(ValType::I32));
        let start = match builtin {
            Builtin::Max => f64::NEG_INFINITY,
            Builtin::Min => f64::INFINITY,
            _ => 0.0,
        };
        self.body.ins().f64_const(start.into()).local_set(result).i32_const(0).local_set(count);
        match numbers {
            Numbers::Step(path, before, last) => {
                let selecting = self.leading(path, before, true);
                let items = self.body.stash();
                self.each(items, |e, item, _, _| {
                    e.with_context(Context::Local(item), |e| {
                        e.when_selected(selecting, |e| e.take_number(builtin, last, result, count));
                    });
                });
            }
            Numbers::Map(list, lambda) => {
                self.handle(list);
                let items = self.body.stash();
                self.each(items, |e, item, place, _| {
                    let outer = e.enter(lambda.scope);
                    e.set_params(lambda, item, place, items);
                    e.take_number(builtin, &lambda.body, result, count);
                    e.leave(lambda.scope, outer);
                });
            }
        }
        self.body.ins().local_get(count).if_(NUMBER).local_get(result);
        if builtin == Builtin::Average {
            self.body.ins().local_get(count).f64_convert_i32_s().f64_div();
        }
        self.body.ins().else_().f64_const(f64::NAN.into()).end();
        true
    }

    fn numbers_of(&self, list: &'a Expr) -> Option<Numbers<'a>> {
        match &list.kind {
            Kind::Path(path) => {
                let (last, before) = path.steps.split_last()?;
                let plain = !before.is_empty() && last.filters.is_empty();
                (plain && self.kind_of(&last.expr) == ValueKind::Number)
                    .then_some(Numbers::Step(path, before, &last.expr))
            }
            Kind::Builtin(Builtin::Map, given) => match given.as_slice() {
                [list, Expr { kind: Kind::Lambda(lambda), .. }]
                    if lambda.signature.is_none() && self.kind_of(&lambda.body) == ValueKind::Number =>
                {
                    Some(Numbers::Map(list, lambda))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Takes the number of one item, if it has one, into the result.
    fn take_number(&mut self, builtin: Builtin, expr: &'a Expr, result: u32, count: u32) {
        let at = self.at(expr);
        let number = self.body.local(ValType::F64);
        self.number(expr, 0, at);
        self.finite(expr, 1001, at);
        self.body.ins().local_tee(number).local_get(number).f64_eq().if_(BlockType::Empty);
        self.body.ins().local_get(result).local_get(number);
        match builtin {
            Builtin::Max => self.body.ins().f64_max(),
            Builtin::Min => self.body.ins().f64_min(),
            _ => self.body.ins().f64_add(),
        };
        self.body.ins().local_set(result).local_get(count).i32_const(1).i32_add().local_set(count).end();
    }
}
