//! Ordering and grouping: keys are computed here, item by item; the host sorts and gathers by them.

use lockgate_mapping::expression::ir::{Constant, Expr, Group, Kind, Tuples};
use lockgate_model::abi::{self, Op};
use wasm_encoder::{BlockType, ValType};

use super::{
    emitter::{Context, Emitter},
    values::HANDLE,
};
use crate::module::At;

/// Terms of one order-by.
const TERMS_MAX: usize = 31;

impl<'a> Emitter<'a> {
    /// Orders the items on the stack, which are tuples when those are given.
    pub(super) fn order(&mut self, expr: &'a Expr, terms: &'a [(Expr, bool)], tuples: Option<&'a Tuples>) {
        let at = self.at_token(expr, "");
        // A bit for each term says whether it descends.
        self.too_large |= terms.len() > TERMS_MAX;
        let list = self.body.stash();
        self.body.ins().local_get(list);
        self.body.op(Op::Len);
        // One item has no order: its keys are not asked for.
        self.body.ins().i32_const(1).i32_le_s().if_(HANDLE).local_get(list).else_();
        let keys = self.sequence();
        self.each(list, |e, item, _, _| {
            let key = e.new_env(terms.len());
            e.on_tuple(tuples, item, |e| {
                for (i, (term, _)) in terms.iter().enumerate() {
                    e.handle(term);
                    let value = e.body.stash();
                    e.set_variable(key, i, value);
                }
            });
            e.body.ins().local_get(keys).local_get(key);
            e.body.op(Op::SeqAdd);
        });
        let descending = terms.iter().take(TERMS_MAX).enumerate().filter(|(_, (_, descends))| *descends);
        let descending = descending.fold(0, |bits, (i, _)| bits | 1 << i);
        self.body.ins().local_get(list).local_get(keys).i32_const(descending);
        self.op(Op::SortBy, Some(at));
        self.body.ins().end();
    }

    /// Writes something with an item, or a tuple's item and names, as context.
    fn on_tuple(&mut self, tuples: Option<&'a Tuples>, item: u32, write: impl FnOnce(&mut Self)) {
        match tuples {
            None => self.with_context(Context::Local(item), write),
            Some(tuples) => {
                let outer = self.enter(tuples.scope);
                let context = self.open_tuple(tuples, item);
                self.with_context(Context::Local(context), write);
                self.leave(tuples.scope, outer);
            }
        }
    }

    /// Pushes the items or tuples in `list` grouped.
    pub(super) fn group(&mut self, expr: &'a Expr, group: &'a Group, list: u32, tuples: Option<&'a Tuples>) {
        let at = At { position: group.token.end, ..self.at_token(expr, "") };
        self.body.op(Op::ObjNew);
        let groups = self.body.stash();
        // Nothing is grouped as one item of which nothing is known, an empty array too.
        if tuples.is_none() {
            self.body.ins().local_get(list);
            self.body.op(Op::Len);
            self.body.ins().i32_eqz().if_(BlockType::Empty).i64_const(abi::UNDEFINED).local_set(list).end();
        }
        self.each_item(list, true, |e, item, _, _| {
            e.on_group(tuples, item, |e| {
                for (i, (key, _)) in group.pairs.iter().enumerate() {
                    e.handle(key);
                    let key = e.body.stash();
                    e.body.ins().local_get(groups).local_get(key).i32_const(i as i32).local_get(item);
                    e.op(Op::GroupAdd, Some(at));
                }
            });
        });
        self.body.op(Op::ObjNew);
        let result = self.body.stash();
        self.body.ins().local_get(groups);
        self.body.op(Op::Keys);
        let keys = self.body.stash();
        self.each(keys, |e, key, _, _| {
            e.body.ins().local_get(groups).local_get(key);
            e.body.op(Op::GroupData);
            let data = e.body.stash();
            let pair = e.body.local(ValType::I32);
            e.body.ins().local_get(groups).local_get(key);
            e.body.op(Op::GroupPair);
            e.body.ins().local_set(pair);
            let data = match tuples {
                Some(tuples) => e.reduced(tuples, data),
                None => data,
            };
            e.on_group(tuples, data, |e| {
                for (i, (key_expr, value)) in group.pairs.iter().enumerate() {
                    if matches!(key_expr.kind, Kind::Constant(Constant::Undefined)) {
                        continue;
                    }
                    e.body.ins().local_get(pair).i32_const(i as i32).i32_eq().if_(BlockType::Empty);
                    e.handle(value);
                    let value = e.body.stash();
                    e.body.ins().local_get(result).local_get(key).local_get(value);
                    e.op(Op::ObjSetDyn, Some(at));
                    e.body.ins().end();
                }
            });
        });
        self.body.ins().local_get(result);
    }

    /// As [`Emitter::on_tuple`]; nothing is an item too, of which no names are known.
    fn on_group(&mut self, tuples: Option<&'a Tuples>, item: u32, write: impl FnOnce(&mut Self)) {
        let Some(open) = tuples else {
            return self.on_tuple(None, item, write);
        };
        // Without any tuple the names are undefined and so is the context.
        let tuple = self.body.local(ValType::I64);
        self.body.ins().local_get(item).i64_eqz().if_(HANDLE);
        let none = self.new_tuple(open);
        self.body.ins().local_get(none).else_().local_get(item).end().local_set(tuple);
        self.on_tuple(tuples, tuple, write);
    }

    /// The tuples of a group as one: each variable has the values of all of them.
    fn reduced(&mut self, tuples: &'a Tuples, data: u32) -> u32 {
        let one = self.body.local(ValType::I64);
        self.body.ins().local_get(data);
        self.body.op(Op::Len);
        self.body.ins().i32_const(1).i32_le_s().if_(HANDLE).local_get(data).else_();
        let all = self.new_tuple(tuples);
        self.each(data, |e, tuple, _, _| {
            for i in 0..=tuples.variables.len() {
                e.variable_of(all, i);
                e.variable_of(tuple, i);
                e.body.op(Op::Append);
                let value = e.body.stash();
                e.set_variable(all, i, value);
            }
        });
        self.body.ins().local_get(all).end().local_set(one);
        one
    }

    /// Pushes a value that is no such path, grouped.
    pub(super) fn grouped(&mut self, expr: &'a Expr, value: &'a Expr, group: &'a Group) {
        self.handle(value);
        let list = self.body.stash();
        self.group(expr, group, list, None);
    }
}
