//! Paths and filters: the sequence rules of the language.
//!
//! What stands between two steps is a handle whose items are the next step's inputs (`len`, `at`).
//! A step by name is one intrinsic; every other step is a loop over the items that gathers what
//! each gives.

use lockgate_mapping::expression::ir::{Expr, Filter, Kind, Path, Step};
use lockgate_model::abi::{self, Op, seq};
use wasm_encoder::{BlockType, ValType};

use super::{
    emitter::{Context, Emitter},
    values::HANDLE,
};

impl<'a> Emitter<'a> {
    /// Pushes the value of a path.
    pub(super) fn path(&mut self, path: &'a Path) {
        if path.ends_with_field().is_some() {
            let k = self.path_but_last(path);
            self.body.ins().i32_const(k);
            self.body.op(if path.keep { Op::GetKept } else { Op::Get });
            return;
        }
        let Some((last, before)) = path.steps.split_last() else {
            self.body.ins().i64_const(abi::UNDEFINED);
            return;
        };
        let flags = seq::LAST | if path.keep { seq::KEEP } else { 0 };
        if before.is_empty() {
            return self.first_step(path, last, flags);
        }
        let (Some((first, between)), true) = (before.split_first(), path.starts_with_array()) else {
            let selecting = self.leading(path, before, is_loop(last));
            return match selecting {
                [] => self.step(last, flags),
                _ => self.step_on(last, selecting, flags, false),
            };
        };
        self.first_step(path, first, seq::INNER);
        let array = self.body.stash();
        self.body.ins().local_get(array);
        self.body.op(Op::Len);
        self.body.ins().i32_eqz().if_(HANDLE).local_get(array).else_().local_get(array);
        for step in between {
            self.step(step, seq::INNER);
        }
        self.step(last, flags);
        self.body.ins().end();
    }

    /// Pushes what the steps before the fields that a path ends with give, and returns the index of
    /// those fields.
    pub(super) fn path_but_last(&mut self, path: &'a Path) -> i32 {
        let fields = path.steps.iter().rev().map_while(field).count();
        let (before, fields) = path.steps.split_at(path.steps.len() - fields);
        if before.is_empty() {
            self.push_path_input();
        } else {
            self.steps(path, before);
        }
        self.fields(fields)
    }

    /// The index of a field, or of several in a row.
    fn fields<'s>(&mut self, steps: &'s [Step]) -> i32 {
        let name = |step: &'s Step| match &step.expr.kind {
            Kind::Name(name) => Some(name.as_str()),
            _ => None,
        };
        let names: Vec<&str> = steps.iter().filter_map(name).collect();
        match names.as_slice() {
            [name] => self.index(name),
            names => self.m.constant_json(&serde_json::Value::from(names).to_string()) as i32,
        }
    }

    /// Pushes what leading steps give.
    pub(super) fn steps(&mut self, path: &'a Path, steps: &'a [Step]) {
        self.leading(path, steps, false);
    }

    /// The same. Filters of a step that a loop can ask about each item as it comes to it are left to
    /// that loop, so that nothing stands between the two; those of the last step are returned when the
    /// caller is such a loop.
    pub(super) fn leading(&mut self, path: &'a Path, steps: &'a [Step], loops: bool) -> &'a [Filter] {
        let mut selecting: &'a [Filter] = &[];
        let mut rest = steps;
        while let Some((step, after)) = rest.split_first() {
            let is_first = rest.len() == steps.len();
            let leaves = |e: &Self, n: usize| {
                rest.get(n).is_some_and(|step| e.can_wait(step)) && rest.get(n + 1).map_or(loops, is_loop)
            };
            let mut fields = if selecting.is_empty() { rest.iter().map_while(field).count() } else { 0 };
            let named = rest.get(fields).is_some_and(|step| matches!(step.expr.kind, Kind::Name(_)));
            if selecting.is_empty() && named && leaves(self, fields) {
                fields += 1;
            }
            if let Some((last, _)) = rest.get(..fields).and_then(<[Step]>::split_last) {
                if is_first {
                    self.push_path_input();
                }
                let k = self.fields(rest.get(..fields).unwrap_or_default());
                self.body.ins().i32_const(k);
                self.body.op(if last.filters.is_empty() { Op::GetStep } else { Op::GetEach });
                selecting = &last.filters;
                rest = rest.get(fields..).unwrap_or_default();
                continue;
            }
            if is_first {
                self.first_step(path, step, seq::INNER);
            } else if selecting.is_empty() {
                self.step(step, seq::INNER);
            } else {
                self.step_on(step, selecting, seq::INNER, false);
                selecting = &[];
            }
            rest = after;
        }
        selecting
    }

    /// Whether the loop over what a step gives may ask the step's filters: they decide by the item
    /// alone, and as asking cannot fail nobody sees that it is done later.
    fn can_wait(&self, step: &Step) -> bool {
        let certain = |filter: &Filter| match filter {
            Filter::Predicate(predicate) => Self::is_truth(predicate) && self.cannot_fail(predicate),
            _ => false,
        };
        !step.filters.is_empty() && step.filters.iter().all(certain)
    }

    /// Writes something that is done when these filters select the context.
    pub(super) fn when_selected(&mut self, filters: &'a [Filter], write: impl FnOnce(&mut Self)) {
        let mut open = 0;
        for filter in filters {
            if let Filter::Predicate(predicate) = filter {
                self.condition(predicate);
                self.body.ins().if_(BlockType::Empty);
                open += 1;
            }
        }
        write(self);
        for _ in 0..open {
            self.body.ins().end();
        }
    }

    /// Pushes what the first step gives.
    pub(super) fn first_step(&mut self, path: &'a Path, step: &'a Step, flags: i32) {
        let field = matches!(step.expr.kind, Kind::Name(_));
        // Only another value than the document can hold an array that a path has constructed.
        let constructed = self.program.constructed && flags & seq::INNER != 0 && step.filters.is_empty();
        let other = !path.first_is_array() && !matches!(step.expr.kind, Kind::Array(..) | Kind::Root | Kind::Name(_));
        if constructed && other && (path.absolute || path.at_root) {
            let context = if path.absolute { self.context } else { self.item_context() };
            self.with_context(context, |e| e.handle(&step.expr));
            self.body.ins().i32_const(seq::INNER);
            return self.body.op(Op::SeqOne);
        }
        if path.absolute {
            self.handle(&step.expr);
            let kept = if step.filters.is_empty() { flags } else { flags & !seq::LAST };
            return self.filters(&step.filters, kept);
        }
        if field && step.filters.is_empty() {
            self.push_path_input();
            return self.step(step, flags);
        }
        if !path.at_root {
            self.push_context();
            return self.step_on(step, &[], flags, true);
        }
        // The root is one item, so the step is taken once and gives what the path goes on with.
        let context = self.item_context();
        self.with_context(context, |e| {
            e.handle(&step.expr);
            e.filters(&step.filters, flags);
        });
    }

    /// Takes one step from the handle on the stack.
    pub(super) fn step(&mut self, step: &'a Step, flags: i32) {
        if let Kind::Sort(terms) = &step.expr.kind {
            let list = self.body.stash();
            self.body.ins().local_get(list);
            self.body.op(Op::Len);
            // Nothing to order: the path ends here.
            self.body.ins().i32_eqz().if_(HANDLE).i64_const(abi::UNDEFINED).else_();
            // An array of one that was constructed is one item now.
            self.body.ins().local_get(list);
            self.body.op(Op::Len);
            self.body.ins().i32_const(1).i32_eq().if_(HANDLE);
            let one = self.sequence();
            self.body.ins().local_get(list);
            self.add(one, Op::SeqPush);
            self.close(one, seq::INNER);
            self.body.ins().else_().local_get(list).end();
            self.order(&step.expr, terms, None);
            // One item that was picked by its place stays an array when it is one.
            let picked = matches!(step.filters.last(), None | Some(Filter::Index(_)));
            let filtered = if picked { flags } else { flags & !seq::LAST };
            self.filters_of(&step.filters, seq::INNER, false);
            // The items of one that was picked are what the path goes on with, however it was made.
            if step.filters.is_empty() || !picked || flags & seq::INNER == 0 {
                let acc = self.sequence();
                self.add(acc, Op::SeqPush);
                self.close(acc, filtered);
            }
            self.body.ins().end();
            return;
        }
        if let (Kind::Name(name), true) = (&step.expr.kind, step.filters.is_empty()) {
            let k = self.index(name);
            self.body.ins().i32_const(k);
            self.body.op(match flags & (seq::INNER | seq::KEEP) {
                0 => Op::Get,
                seq::KEEP => Op::GetKept,
                _ => Op::GetStep,
            });
            return;
        }
        self.step_on(step, &[], flags, false);
    }

    /// The same for a step that is no plain name, on those items that `selecting` lets through.
    /// `or_once`: it is taken on nothing too.
    fn step_on(&mut self, step: &'a Step, selecting: &'a [Filter], flags: i32, or_once: bool) {
        if step.filters.iter().all(|filter| matches!(filter, Filter::Index(_))) {
            return self.step_once_or_on_each(step, selecting, flags, or_once);
        }
        let list = self.body.stash();
        let acc = self.sequence();
        self.each_item(list, or_once, |e, item, _, _| {
            e.with_context(Context::Local(item), |e| e.when_selected(selecting, |e| e.gather(step, acc)));
        });
        self.close(acc, flags);
    }

    /// Takes a step that only picks by place from the handle on the stack. Nearly always that is one value: then
    /// the loop ends after its first round, and what it gave is all there is, without a sequence.
    fn step_once_or_on_each(&mut self, step: &'a Step, selecting: &'a [Filter], flags: i32, or_once: bool) {
        let list = self.body.stash();
        let [count, i] = [ValType::I32; 2].map(|ty| self.body.local(ty));
        let [acc, item, result] = [ValType::I64; 3].map(|ty| self.body.local(ty));
        self.body.ins().local_get(list);
        self.body.op(Op::Items);
        if or_once {
            self.body.ins().local_get(list).i64_eqz().i32_sub();
        }
        self.body.ins().local_set(count);
        self.body.ins().block(BlockType::Empty);
        self.body.ins().local_get(count).i32_const(0).i32_lt_s().if_(BlockType::Empty);
        self.body.ins().local_get(list).local_set(item).else_();
        self.body.op(Op::SeqNew);
        self.body.ins().local_set(acc).local_get(count).i32_eqz().br_if(1);
        self.body.ins().i32_const(0).local_set(i).local_get(list).i32_const(0);
        self.body.op(Op::At);
        self.body.ins().local_set(item).end();

        self.body.ins().loop_(BlockType::Empty);
        if !selecting.is_empty() {
            self.body.ins().i64_const(abi::UNDEFINED).local_set(result);
        }
        self.with_context(Context::Local(item), |e| {
            e.when_selected(selecting, |e| {
                e.handle(&step.expr);
                e.filters(&step.filters, seq::INNER);
                e.body.ins().local_set(result);
            });
        });
        self.body.ins().local_get(count).i32_const(0).i32_lt_s().br_if(1);
        self.body.ins().local_get(i).i32_const(1).i32_add().local_set(i);
        self.body.ins().local_get(acc).local_get(result).local_get(list).local_get(i);
        self.body.op(Op::SeqNext);
        self.body.ins().local_set(item).local_get(i).local_get(count).i32_lt_s().br_if(0).end().end();

        self.body.ins().local_get(count).i32_const(0).i32_lt_s().if_(HANDLE).local_get(result);
        if flags & seq::KEEP != 0 || !step.filters.is_empty() || !self.is_no_array(&step.expr) {
            self.body.ins().i32_const(flags);
            self.body.op(Op::SeqOne);
        }
        self.body.ins().else_();
        self.close(acc, flags);
        self.body.ins().end();
    }

    /// Adds what a step gives for the context to the sequence in `acc`.
    fn gather(&mut self, step: &'a Step, acc: u32) {
        self.handle(&step.expr);
        let Some((last, before)) = step.filters.split_last() else {
            return self.add(acc, Op::SeqPush);
        };
        self.filters(before, seq::INNER);
        match last {
            Filter::Index(n) => {
                self.body.ins().f64_const((*n).into());
                self.body.op(Op::Index);
                self.add(acc, Op::SeqPush);
            }
            // What a filter lets through is added as it is: no sequence of its own is needed.
            Filter::Predicate(predicate) => self.select(predicate, acc, !has_index(before)),
            Filter::Place(_) => {
                self.body.ins().drop();
            }
        }
    }

    /// Applies filters to the handle on the stack; `flags` close the last one's sequence.
    pub(super) fn filters(&mut self, filters: &'a [Filter], flags: i32) {
        self.filters_of(filters, flags, true);
    }

    /// The same; `or_once`: on nothing the first predicate is asked once about nothing.
    fn filters_of(&mut self, filters: &'a [Filter], flags: i32, or_once: bool) {
        let count = filters.len();
        for (i, filter) in filters.iter().enumerate() {
            let flags = if i + 1 == count { flags } else { seq::INNER };
            match filter {
                Filter::Index(n) => {
                    self.body.ins().f64_const((*n).into());
                    self.body.op(Op::Index);
                    if flags & seq::KEEP != 0 {
                        self.body.op(Op::Keep);
                    }
                }
                Filter::Predicate(predicate) => {
                    let list = self.body.stash();
                    let acc = self.sequence();
                    self.body.ins().local_get(list);
                    let or_once = or_once && !has_index(filters.get(..i).unwrap_or_default());
                    self.select(predicate, acc, or_once);
                    self.close(acc, flags);
                }
                // A path with a position variable goes another way.
                Filter::Place(_) => {}
            }
        }
    }

    /// Adds the items of the handle on the stack that a predicate selects to the sequence in `acc`.
    /// `or_once`: on nothing the predicate is asked once about nothing, for the error it may raise.
    fn select(&mut self, predicate: &'a Expr, acc: u32, or_once: bool) {
        let list = self.body.stash();
        self.each_item(list, or_once, |e, item, i, count| {
            e.with_context(Context::Local(item), |e| {
                e.select_one(predicate, acc, item, i, count);
            });
        });
    }

    /// Pushes a value with its filters.
    pub(super) fn filtered(&mut self, value: &'a Expr, filters: &'a [Filter], keep: bool) {
        match value.kind {
            // Of nothing it is nothing, of an array without items a list without any.
            Kind::Descendants => {
                self.normalised(Op::Descend, seq::INNER);
                self.body.ins().i64_const(abi::UNDEFINED);
                self.push_context();
                self.body.ins().i64_eqz().i32_eqz().select();
            }
            _ => self.handle(value),
        }
        // This gives a list in any case, which may be empty.
        let listed = matches!(value.kind, Kind::Wildcard);
        self.filters_of(filters, if keep { seq::KEEP } else { 0 }, !listed);
    }
}

/// Its value is that of the field that its last step reads.
pub(super) fn reads_field(path: &Path) -> bool {
    path.ends_with_field().is_some() && !path.keep
}

/// The field that a step reads, when it does nothing else.
pub(super) fn field(step: &Step) -> Option<&str> {
    match &step.expr.kind {
        Kind::Name(name) if step.filters.is_empty() => Some(name),
        _ => None,
    }
}

/// A step that is taken by a loop over the items.
fn is_loop(step: &Step) -> bool {
    field(step).is_none() && !matches!(step.expr.kind, Kind::Sort(_))
}

/// A place was picked: what comes after it is asked about what there is only.
fn has_index(filters: &[Filter]) -> bool {
    filters.iter().any(|f| matches!(f, Filter::Index(_)))
}
