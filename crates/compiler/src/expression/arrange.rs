//! `$sort`: natively without a comparator; with one, a stable merge sort written out here, so that
//! the host never calls back. The comparator says whether its first item belongs after its second.

use lockgate_model::abi::Op;
use wasm_encoder::{BlockType, ValType};

use super::{
    arguments::{Argument, Given},
    emitter::{Context, Emitter},
    loops::Callback,
    values::HANDLE,
};

impl<'a> Emitter<'a> {
    /// `$sort(list, comparator)`
    pub(super) fn sort(&mut self, given: &Given<'a>) {
        self.push_argument(given.get(0));
        if matches!(given.get(1), Argument::Missing) {
            return self.op(Op::Sort, given.at);
        }
        let list = self.body.stash();
        let callback = self.callback(given, 1);
        self.body.ins().local_get(list);
        self.body.op(Op::Len);
        self.body.ins().i32_const(1).i32_le_s().if_(HANDLE);
        self.whole(list);
        self.body.ins().else_();
        self.merge_sort(list, &callback, given);
        self.body.ins().end();
    }

    /// Bottom-up: runs of 1, 2, 4, … items are merged from one array into the other.
    fn merge_sort(&mut self, list: u32, callback: &Callback<'a>, given: &Given<'a>) {
        let copy = |e: &mut Self| {
            e.body.ins().local_get(list);
            e.op(Op::ArrCopy, None);
            e.body.stash()
        };
        let (mut_from, mut_to) = (copy(self), copy(self));
        let mut local = || self.body.local(ValType::I32);
        let (count, width, start) = (local(), local(), local());
        let (left, left_end, right, right_end, place) = (local(), local(), local(), local(), local());
        let swap = self.body.local(ValType::I64);

        self.body.ins().local_get(list);
        self.body.op(Op::Len);
        self.body.ins().local_set(count).i32_const(1).local_set(width);
        self.body.ins().block(BlockType::Empty).loop_(BlockType::Empty);
        self.body.ins().local_get(width).local_get(count).i32_ge_s().br_if(1);
        self.body.ins().i32_const(0).local_set(start);

        // One pair of runs after the other.
        self.body.ins().block(BlockType::Empty).loop_(BlockType::Empty);
        self.body.ins().local_get(start).local_get(count).i32_ge_s().br_if(1);
        let bounded = |e: &mut Self, from: u32, to: u32| {
            // The end of a run: its start and the width, at most the count.
            let end = e.body.local(ValType::I32);
            e.body.ins().local_get(from).local_get(width).i32_add().local_set(end);
            e.body
                .ins()
                .local_get(end)
                .local_get(count)
                .local_get(end)
                .local_get(count)
                .i32_lt_s()
                .select()
                .local_set(to);
        };
        self.body.ins().local_get(start).local_tee(left).local_set(place);
        bounded(self, left, left_end);
        self.body.ins().local_get(left_end).local_set(right);
        bounded(self, right, right_end);

        self.body.ins().block(BlockType::Empty).loop_(BlockType::Empty);
        self.body.ins().local_get(place).local_get(right_end).i32_ge_s().br_if(1);
        // Take the right run's next when the left is used up, or when both have one and the
        // comparator says that the left belongs after it.
        self.body.ins().local_get(left).local_get(left_end).i32_ge_s().if_(super::values::TRUTH).i32_const(1).else_();
        self.body.ins().local_get(right).local_get(right_end).i32_ge_s().if_(super::values::TRUTH).i32_const(0).else_();
        let item = |e: &mut Self, at: u32| {
            e.body.ins().local_get(mut_from).local_get(at);
            e.body.op(Op::At);
            e.body.stash()
        };
        let (a, b) = (item(self, left), item(self, right));
        self.belongs_after(callback, a, b, given);
        self.body.ins().end().end();
        self.body.ins().if_(BlockType::Empty);
        self.put(mut_to, place, mut_from, right);
        self.body.ins().else_();
        self.put(mut_to, place, mut_from, left);
        self.body.ins().end();
        self.step_place(place);
        self.body.ins().br(0).end().end();

        self.body.ins().local_get(right_end).local_set(start).br(0).end().end();
        self.body.ins().local_get(mut_from).local_set(swap).local_get(mut_to).local_set(mut_from);
        self.body.ins().local_get(swap).local_set(mut_to);
        self.body.ins().local_get(width).i32_const(1).i32_shl().local_set(width).br(0).end().end();
        self.body.ins().local_get(mut_from);
    }

    /// `to[place] = from[at]`, and `at` goes on.
    fn put(&mut self, to: u32, place: u32, from: u32, at: u32) {
        self.body.ins().local_get(to).local_get(place).local_get(from).local_get(at);
        self.body.op(Op::At);
        self.body.op(Op::ArrPut);
        self.step_place(at);
    }

    fn step_place(&mut self, place: u32) {
        self.body.ins().local_get(place).i32_const(1).i32_add().local_set(place);
    }

    /// Pushes the comparator's truth for two items.
    fn belongs_after(&mut self, callback: &Callback<'a>, a: u32, b: u32, given: &Given<'a>) {
        match callback {
            Callback::Inline(lambda) => {
                let outer = self.enter(lambda.scope);
                for (id, local) in lambda.params.iter().zip([a, b]) {
                    self.body.ins().local_get(local);
                    self.bind(*id);
                }
                self.condition(&lambda.body);
                self.leave(lambda.scope, outer);
            }
            Callback::Value(call, _) => {
                self.with_context(Context::Null, |e| e.apply(call, &[a, b], given.at));
                self.body.op(Op::Truthy);
            }
        }
    }
}
