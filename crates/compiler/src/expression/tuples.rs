//! Paths that bind names: `%`, `@$name`, `#$name`.
//!
//! A tuple is an environment: variable 0 is the item, the others what was bound on the way to it. A
//! step goes over the tuples so far, opens the path's scope with what each holds, and makes a tuple of
//! each result.

use lockgate_mapping::expression::ir::{Bound, Expr, Filter, Kind, Step, Tuples};
use lockgate_model::abi::{self, Op, seq};
use wasm_encoder::{BlockType, ValType};

use super::{
    emitter::{Context, Emitter},
    values::HANDLE,
};

/// Where a step's items come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Items {
    /// Plain items.
    Plain,
    /// Tuples.
    Tuples,
}

impl<'a> Emitter<'a> {
    /// Pushes the value of such a path.
    pub(super) fn tuples_value(&mut self, expr: &'a Expr, tuples: &'a Tuples) {
        if let Some(group) = &tuples.group {
            self.stream_or_nothing(tuples);
            let stream = self.body.stash();
            return self.group(expr, group, stream, Some(tuples));
        }
        let (path, first) = (&tuples.path, tuples.path.steps.first());
        let Some(first) = first.filter(|_| tuples.first > 0 && path.starts_with_array()) else {
            return self.items_of_stream(tuples, None);
        };
        // An array constructor that is empty is the path's value.
        self.first_step(path, first, seq::INNER);
        let array = self.body.stash();
        self.body.ins().local_get(array);
        self.body.op(Op::Len);
        self.body.ins().i32_eqz().if_(HANDLE).local_get(array).else_();
        self.items_of_stream(tuples, Some(array));
        self.body.ins().end();
    }

    /// Pushes the tuples to be grouped: nothing, where the path ends before it makes any.
    fn stream_or_nothing(&mut self, tuples: &'a Tuples) {
        let before = tuples.path.steps.get(..tuples.first).unwrap_or_default();
        if before.is_empty() {
            return self.tuple_stream(tuples, None);
        }
        self.steps(&tuples.path, before);
        let items = self.body.stash();
        self.body.ins().local_get(items);
        self.body.op(Op::Len);
        self.body.ins().i32_eqz().if_(HANDLE).i64_const(abi::UNDEFINED).else_();
        self.tuple_stream(tuples, Some((items, before.len())));
        self.body.ins().end();
    }

    /// Pushes the items of a path's tuples.
    fn items_of_stream(&mut self, tuples: &'a Tuples, first: Option<u32>) {
        self.tuple_stream(tuples, first.map(|first| (first, 1)));
        let stream = self.body.stash();
        let acc = self.sequence();
        self.each(stream, |e, tuple, _, _| {
            e.variable_of(tuple, 0);
            e.add(acc, Op::SeqAdd);
        });
        self.close(acc, if tuples.path.keep { seq::KEEP } else { 0 });
    }

    /// Pushes the tuples that an expression ends with.
    fn stream_of(&mut self, expr: &'a Expr) {
        match &expr.kind {
            Kind::Tuples(tuples) => self.tuple_stream(tuples, None),
            Kind::Block(scope, body) => {
                let outer = self.enter(*scope);
                self.before_last(body);
                if let Some(last) = body.last() {
                    self.stream_of(last);
                }
                self.leave(*scope, outer);
            }
            _ => self.handle(expr),
        }
    }

    /// Pushes the tuples of a path; what its first steps give, so many, may stand in a local already.
    fn tuple_stream(&mut self, tuples: &'a Tuples, given: Option<(u32, usize)>) {
        let (before, after) = tuples.path.steps.split_at(tuples.first.min(tuples.path.steps.len()));
        // A first step is taken on nothing too.
        let mut once = before.is_empty();
        if let Some((items, steps)) = given {
            self.body.ins().local_get(items);
            for step in before.get(steps..).unwrap_or_default() {
                self.step(step, seq::INNER);
            }
        } else if !before.is_empty() {
            self.steps(&tuples.path, before);
        } else if tuples.path.absolute || tuples.path.at_root {
            // A value of its own is taken once, whatever the context is; the root is one item.
            self.push_context();
            self.unless_undefined(|e, context| {
                let acc = e.sequence();
                e.body.ins().local_get(acc).local_get(context);
                e.body.op(Op::SeqAdd);
                e.close(acc, seq::INNER);
            });
        } else {
            self.push_path_input();
        }
        let mut items = Items::Plain;
        for (step, bound) in after.iter().zip(&tuples.bound) {
            match &step.expr.kind {
                Kind::Sort(terms) => {
                    self.order(&step.expr, terms, (items == Items::Tuples).then_some(tuples));
                    if items == Items::Plain {
                        self.as_tuples(tuples, bound);
                    }
                }
                _ => self.tuple_step(tuples, step, bound, items, once),
            }
            self.tuple_filters(tuples, step);
            (items, once) = (Items::Tuples, false);
        }
    }

    /// Sorted items become tuples; a position variable is their place.
    fn as_tuples(&mut self, tuples: &'a Tuples, bound: &'a Bound) {
        let list = self.body.stash();
        let acc = self.sequence();
        self.each(list, |e, item, place, _| {
            let tuple = e.new_tuple(tuples);
            e.set_variable(tuple, 0, item);
            if let Some(index) = bound.index {
                e.set_place_of(tuple, index, place);
            }
            e.body.ins().local_get(acc).local_get(tuple);
            e.body.op(Op::SeqAdd);
        });
        self.close(acc, seq::INNER);
    }

    /// Takes a step on the items or tuples on the stack, and pushes the tuples it gives.
    fn tuple_step(&mut self, tuples: &'a Tuples, step: &'a Step, bound: &'a Bound, items: Items, once: bool) {
        let list = self.body.stash();
        let acc = self.sequence();
        self.each_item(list, once, |e, from, _, _| {
            let outer = e.enter(tuples.scope);
            let context = match items {
                Items::Plain => from,
                Items::Tuples => e.open_tuple(tuples, from),
            };
            e.with_context(Context::Local(context), |e| match &bound.taken {
                Some(taken) => {
                    e.stream_of(&step.expr);
                    let results = e.body.stash();
                    e.each(results, |e, result, _, _| {
                        let tuple = e.tuple_from(tuples, items, from);
                        for (inner, ours) in taken {
                            e.variable_of(result, inner + 1);
                            let value = e.body.stash();
                            e.set_variable(tuple, ours + 1, value);
                        }
                        e.variable_of(result, 0);
                        let item = e.body.stash();
                        e.bind_tuple(tuple, item, context, None, bound);
                        e.body.ins().local_get(acc).local_get(tuple);
                        e.body.op(Op::SeqAdd);
                    });
                }
                None => {
                    e.handle(&step.expr);
                    let results = e.body.stash();
                    e.each(results, |e, result, place, _| {
                        let tuple = e.tuple_from(tuples, items, from);
                        e.bind_tuple(tuple, result, context, Some(place), bound);
                        e.body.ins().local_get(acc).local_get(tuple);
                        e.body.op(Op::SeqAdd);
                    });
                }
            });
            e.leave(tuples.scope, outer);
        });
        self.close(acc, seq::INNER);
    }

    /// Sets what a step binds in a tuple.
    fn bind_tuple(&mut self, tuple: u32, result: u32, context: u32, place: Option<u32>, bound: &'a Bound) {
        match bound.focus {
            Some(focus) => {
                self.set_variable(tuple, focus + 1, result);
                self.set_variable(tuple, 0, context);
            }
            None => self.set_variable(tuple, 0, result),
        }
        if let (Some(index), Some(place)) = (bound.index, place) {
            self.set_place_of(tuple, index, place);
        }
        if let Some(ancestor) = bound.ancestor {
            self.set_variable(tuple, ancestor + 1, context);
        }
    }

    /// Applies a step's filters to the tuples on the stack.
    fn tuple_filters(&mut self, tuples: &'a Tuples, step: &'a Step) {
        for filter in &step.filters {
            match filter {
                Filter::Index(n) => {
                    let list = self.body.stash();
                    // A place where there is no tuple leaves none, which is not nothing.
                    let acc = self.sequence();
                    self.body.ins().local_get(acc);
                    self.body.ins().local_get(list).f64_const((*n).into());
                    self.body.op(Op::Index);
                    self.body.op(Op::SeqAdd);
                    self.close(acc, seq::INNER);
                }
                Filter::Place(variable) => {
                    let list = self.body.stash();
                    self.each(list, |e, tuple, place, _| e.set_place_of(tuple, *variable, place));
                    self.body.ins().local_get(list);
                }
                Filter::Predicate(predicate) => {
                    let list = self.body.stash();
                    let acc = self.sequence();
                    self.each(list, |e, tuple, place, count| {
                        let outer = e.enter(tuples.scope);
                        let item = e.open_tuple(tuples, tuple);
                        e.with_context(Context::Local(item), |e| e.select_one(predicate, acc, tuple, place, count));
                        e.leave(tuples.scope, outer);
                    });
                    self.close(acc, seq::INNER);
                }
            }
        }
    }

    // --- tuples

    /// Binds what a tuple holds in the path's scope; gives a local with its item.
    pub(super) fn open_tuple(&mut self, tuples: &'a Tuples, tuple: u32) -> u32 {
        for (i, id) in tuples.variables.iter().enumerate() {
            self.variable_of(tuple, i + 1);
            self.bind(*id);
        }
        self.variable_of(tuple, 0);
        self.body.stash()
    }

    /// A new tuple, with what the one before holds.
    fn tuple_from(&mut self, tuples: &'a Tuples, items: Items, from: u32) -> u32 {
        match items {
            Items::Plain => self.new_tuple(tuples),
            Items::Tuples => {
                self.body.ins().local_get(from);
                self.body.op(Op::EnvCopy);
                self.body.stash()
            }
        }
    }

    pub(super) fn new_tuple(&mut self, tuples: &'a Tuples) -> u32 {
        self.new_env(tuples.variables.len() + 1)
    }

    /// A local with a new environment of so many variables that stands alone.
    pub(super) fn new_env(&mut self, variables: usize) -> u32 {
        self.body.ins().i64_const(abi::UNDEFINED).i32_const(variables as i32);
        self.body.op(Op::EnvNew);
        self.body.stash()
    }

    /// Pushes a variable of an environment in a local.
    pub(super) fn variable_of(&mut self, env: u32, i: usize) {
        self.body.ins().local_get(env).i32_const(0).i32_const(i as i32);
        self.body.op(Op::EnvGet);
    }

    /// Sets one to a handle local.
    pub(super) fn set_variable(&mut self, env: u32, i: usize, value: u32) {
        self.body.ins().local_get(env).i32_const(i as i32).local_get(value);
        self.body.op(Op::EnvSet);
    }

    /// Sets variable `index` of a tuple to a place.
    fn set_place_of(&mut self, tuple: u32, index: usize, place: u32) {
        self.body.ins().local_get(tuple).i32_const(index as i32 + 1).local_get(place).f64_convert_i32_s();
        self.body.op(Op::NewNum);
        self.body.op(Op::EnvSet);
    }

    /// Adds an item to the sequence in `acc` as often as a predicate on the context selects it.
    pub(super) fn select_one(&mut self, predicate: &'a Expr, acc: u32, item: u32, place: u32, count: u32) {
        if Self::is_truth(predicate) {
            self.condition(predicate);
            self.body.ins().if_(BlockType::Empty).local_get(acc).local_get(item);
            self.body.op(Op::SeqAdd);
            self.body.ins().end();
            return;
        }
        self.handle(predicate);
        self.body.ins().local_get(place).local_get(count);
        self.body.op(Op::Selects);
        // A list of places may name one more than once.
        let times = self.body.local(ValType::I32);
        self.body.ins().local_set(times).block(BlockType::Empty).loop_(BlockType::Empty);
        self.body.ins().local_get(times).i32_eqz().br_if(1).local_get(acc).local_get(item);
        self.body.op(Op::SeqAdd);
        self.body.ins().local_get(times).i32_const(1).i32_sub().local_set(times).br(0).end().end();
    }
}
