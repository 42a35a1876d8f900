//! `$map`, `$filter` and `$reduce` as loops. A function literal is written into the loop; a
//! function value is called through the dispatcher with as many arguments as it takes.

use lockgate_mapping::expression::ir::{Kind, Lambda, VariableId};
use lockgate_model::abi::{self, Op, seq};
use wasm_encoder::{BlockType, ValType};

use super::{
    arguments::{Argument, Given},
    emitter::{Context, Emitter},
    functions::Prepared,
    values::{End, HANDLE},
};

/// The function argument of a higher-order function.
pub(super) enum Callback<'a> {
    /// Written into the loop.
    Inline(&'a Lambda),
    /// Called; the i32 local says how many parameters it takes.
    Value(Prepared, u32),
}

impl<'a> Emitter<'a> {
    /// The function argument; T0410 when it is none.
    pub(super) fn callback(&mut self, given: &Given<'a>, i: usize) -> Callback<'a> {
        if let Argument::Expr(expr) = given.get(i)
            && let Kind::Lambda(lambda) = &expr.kind
            && lambda.signature.is_none()
        {
            return Callback::Inline(lambda);
        }
        let function = self.argument_local(given.get(i));
        self.is_function(function);
        self.body.ins().i32_eqz().if_(BlockType::Empty);
        self.fail(410, given.at);
        self.body.ins().end();
        let call = self.prepare(function, given.at);
        let arity = self.body.local(ValType::I32);
        self.body.ins().local_get(function);
        self.body.op(Op::FnArity);
        self.body.ins().local_set(arity);
        Callback::Value(call, arity)
    }

    /// Binds a parameter of a literal to a handle local.
    fn set_param(&mut self, lambda: &'a Lambda, nth: usize, local: u32) {
        if let Some(id) = lambda.params.get(nth) {
            self.body.ins().local_get(local);
            self.bind(*id);
        }
    }

    /// Binds a parameter of a literal to a place in a list.
    fn set_place(&mut self, id: Option<&VariableId>, place: u32) {
        let Some(id) = id else {
            return;
        };
        self.body.ins().local_get(place).f64_convert_i32_s();
        match self.number_local(*id) {
            Some(local) => {
                self.body.ins().local_set(local);
            }
            None => {
                self.body.op(Op::NewNum);
                self.bind(*id);
            }
        }
    }

    /// Binds the parameters of a literal to an item, its place and the list.
    pub(super) fn set_params(&mut self, lambda: &'a Lambda, item: u32, place: u32, list: u32) {
        self.set_param(lambda, 0, item);
        self.set_place(lambda.params.get(1), place);
        if lambda.params.len() > 2 {
            self.whole(list);
            let whole = self.body.stash();
            self.set_param(lambda, 2, whole);
        }
    }

    /// Pushes the list as an array, also a single value.
    pub(super) fn whole(&mut self, list: u32) {
        self.body.ins().local_get(list).i32_const('a' as i32).i32_const(1);
        self.body.op(Op::Check);
    }

    /// Pushes what the function gives for an item, its place and the list: as a handle, or as a
    /// truth value.
    pub(super) fn on_item(
        &mut self,
        callback: &Callback<'a>,
        item: u32,
        place: u32,
        list: u32,
        truth: bool,
        given: &Given<'a>,
    ) {
        match callback {
            Callback::Inline(lambda) => {
                let outer = self.enter(lambda.scope);
                self.set_params(lambda, item, place, list);
                if truth {
                    self.condition(&lambda.body);
                } else {
                    self.end(&lambda.body, End::Inline);
                }
                self.leave(lambda.scope, outer);
            }
            Callback::Value(call, arity) => {
                let count = self.body.local(ValType::I32);
                let (index, whole) = (self.body.local(ValType::I64), self.body.local(ValType::I64));
                self.body.ins().i32_const(1).local_set(count);
                self.body.ins().local_get(*arity).i32_const(2).i32_ge_s().if_(BlockType::Empty);
                self.body.ins().i32_const(2).local_set(count).local_get(place).f64_convert_i32_s();
                self.body.op(Op::NewNum);
                self.body.ins().local_set(index).end();
                self.body.ins().local_get(*arity).i32_const(3).i32_ge_s().if_(BlockType::Empty);
                self.body.ins().i32_const(3).local_set(count);
                self.whole(list);
                self.body.ins().local_set(whole).end();
                self.with_context(Context::Null, |e| {
                    e.apply_counted(call, &[item, index, whole], Some(count), given.at);
                });
                if truth {
                    self.body.op(Op::Truthy);
                }
            }
        }
    }

    /// `$map(list, function)`
    pub(super) fn map(&mut self, given: &Given<'a>, flags: i32) {
        let list = self.argument_local(given.get(0));
        let callback = self.callback(given, 1);
        let acc = self.sequence();
        self.each(list, |e, item, place, _| {
            e.on_item(&callback, item, place, list, false, given);
            e.add(acc, Op::SeqAdd);
        });
        self.close(acc, flags);
        self.unless_nothing(list, flags);
    }

    /// At the end of a function a sequence is not settled, but of nothing, in the local, there is none.
    pub(super) fn unless_nothing(&mut self, of: u32, flags: i32) {
        if flags & seq::INNER != 0 {
            let gathered = self.body.stash();
            self.body.ins().i64_const(abi::UNDEFINED).local_get(gathered).local_get(of).i64_eqz().select();
        }
    }

    /// `$filter(list, function)`
    pub(super) fn filter(&mut self, given: &Given<'a>, flags: i32) {
        let list = self.argument_local(given.get(0));
        let callback = self.callback(given, 1);
        let acc = self.sequence();
        self.each(list, |e, item, place, _| {
            e.on_item(&callback, item, place, list, true, given);
            e.body.ins().if_(BlockType::Empty).local_get(acc).local_get(item);
            e.body.op(Op::SeqAdd);
            e.body.ins().end();
        });
        self.close(acc, flags);
        self.unless_nothing(list, flags);
    }

    /// `$reduce(list, function, start)`
    pub(super) fn reduce(&mut self, given: &Given<'a>) {
        let list = self.argument_local(given.get(0));
        let callback = self.callback(given, 1);
        let acc = self.body.local(ValType::I64);
        let from = self.body.local(ValType::I32);
        self.push_argument(given.get(2));
        if !matches!(given.get(2), Argument::Missing) {
            self.body.ins().i32_const('j' as i32).i32_const(3);
            self.op(Op::Check, given.at);
        }
        self.body.ins().local_set(acc);
        self.body.ins().local_get(list).i64_eqz().if_(HANDLE).i64_const(abi::UNDEFINED).else_();
        match &callback {
            Callback::Inline(lambda) if lambda.params.len() >= 2 => {}
            Callback::Inline(_) => self.fail(3050, given.at),
            Callback::Value(_, arity) => {
                self.body.ins().local_get(*arity).i32_const(2).i32_lt_s().if_(BlockType::Empty);
                self.fail(3050, given.at);
                self.body.ins().end();
            }
        }
        // Without a start the first item is it.
        self.body.ins().i32_const(0).local_set(from);
        self.body.ins().local_get(acc).i64_eqz().local_get(list);
        self.body.op(Op::Len);
        self.body.ins().i32_const(0).i32_gt_s().i32_and().if_(BlockType::Empty);
        self.body.ins().local_get(list).i32_const(0);
        self.body.op(Op::At);
        self.body.ins().local_set(acc).i32_const(1).local_set(from).end();
        self.each_from(list, from, false, |e, item, place, _| {
            match &callback {
                Callback::Inline(lambda) => {
                    let outer = e.enter(lambda.scope);
                    e.set_param(lambda, 0, acc);
                    e.set_param(lambda, 1, item);
                    e.set_place(lambda.params.get(2), place);
                    if lambda.params.len() > 3 {
                        e.whole(list);
                        let whole = e.body.stash();
                        e.set_param(lambda, 3, whole);
                    }
                    e.handle(&lambda.body);
                    e.leave(lambda.scope, outer);
                }
                Callback::Value(call, arity) => {
                    e.reduce_call(call, *arity, [acc, item, list], place, given);
                    e.settle();
                }
            }
            e.body.ins().local_set(acc);
        });
        self.body.ins().local_get(acc).end();
    }

    fn reduce_call(&mut self, call: &Prepared, arity: u32, [acc, item, list]: [u32; 3], place: u32, given: &Given<'a>) {
        let count = self.body.local(ValType::I32);
        let (index, whole) = (self.body.local(ValType::I64), self.body.local(ValType::I64));
        self.body.ins().i32_const(2).local_set(count);
        self.body.ins().local_get(arity).i32_const(3).i32_ge_s().if_(BlockType::Empty);
        self.body.ins().i32_const(3).local_set(count).local_get(place).f64_convert_i32_s();
        self.body.op(Op::NewNum);
        self.body.ins().local_set(index).end();
        self.body.ins().local_get(arity).i32_const(4).i32_ge_s().if_(BlockType::Empty);
        self.body.ins().i32_const(4).local_set(count);
        self.whole(list);
        self.body.ins().local_set(whole).end();
        self.with_context(Context::Null, |e| {
            e.apply_counted(call, &[acc, item, index, whole], Some(count), given.at);
        });
    }
}
