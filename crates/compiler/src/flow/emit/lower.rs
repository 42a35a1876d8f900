//! The plan as the function `step`: a loop with a branch table over the entry points.
//!
//! ```wat
//! (loop $again
//!   (block $bad (block $last … (block $first (br_table $first … $last $bad (local.get $pc)))
//!     ;; first segment … falls into the second or jumps: (local.set $pc …) (br $again)
//!   ) unreachable))
//! ```

use lockgate_model::abi::{self, Handler, Op, Task, Timeout};
use wasm_encoder::{BlockType, ValType};

use super::plan::{Action, Number, Plan, Segment, Test, Value};
use crate::module::Body;

/// Doublings after which the delay of a retry grows no more.
const DOUBLINGS_MAX: i64 = 20;

/// The body of `step`.
pub(super) fn step(plan: &Plan) -> Body {
    let places = plan.places();
    let count = plan.segments().len() as u32;
    let mut lower = Lower { body: Body::new(1), places, pc: 0, again: 0, scratch: None };
    lower.body.ins().loop_(BlockType::Empty);
    for _ in 0..=count {
        lower.body.ins().block(BlockType::Empty);
    }
    lower.body.ins().local_get(0).br_table(0..count, count).end();
    for (pc, segment) in (0u32..).zip(plan.segments()) {
        lower.pc = pc;
        // Blocks still open around this segment: those of later segments and `$bad`; the loop is next.
        lower.again = count - pc;
        lower.segment(segment);
        lower.body.ins().end();
    }
    lower.body.ins().unreachable().end().unreachable();
    lower.body
}

/// The table of tasks: one row for each entry point.
pub(super) fn tasks(plan: &Plan) -> Vec<Task> {
    let places = plan.places();
    let handler = |segment: &Segment| {
        let catch = segment.catch?;
        Some(Handler { pc: places.get(catch.label.0).copied()?, slot: catch.slot })
    };
    let timeout = |segment: &Segment| {
        let limit = segment.limit?;
        Some(Timeout { slot: limit.slot, pc: places.get(limit.label.0).copied()? })
    };
    let task = |segment: &Segment| Task {
        pointer: segment.pointer.clone(),
        handler: handler(segment),
        timeout: timeout(segment),
    };
    plan.segments().map(task).collect()
}

struct Lower {
    body: Body,
    places: Vec<u32>,
    /// The segment being written.
    pc: u32,
    /// Depth of the loop from inside that segment.
    again: u32,
    scratch: Option<u32>,
}

impl Lower {
    fn segment(&mut self, segment: &Segment) {
        let last = segment.actions.len().saturating_sub(1);
        for (index, action) in segment.actions.iter().enumerate() {
            self.action(action, index == last);
        }
    }

    fn place(&self, label: super::plan::Label) -> u32 {
        self.places.get(label.0).copied().unwrap_or(u32::MAX)
    }

    fn index(&mut self, index: u32) {
        self.body.ins().i32_const(index.cast_signed());
    }

    fn action(&mut self, action: &Action, last: bool) {
        match action {
            Action::Begin => {
                self.index(self.pc);
                self.body.op(Op::Task);
            }
            Action::Store(slot, value) => {
                self.index(*slot);
                self.value(value);
                self.body.op(Op::SlotSet);
            }
            Action::StoreInt(slot, number) => {
                self.index(*slot);
                self.number(number);
                self.body.op(Op::IntSet);
            }
            Action::Hold(value, schema, what) => {
                self.value(value);
                self.index(*schema);
                self.index(*what);
                self.body.op(Op::Hold);
            }
            Action::Goto(label) => {
                let pc = self.place(*label);
                if !(last && pc == self.pc + 1) {
                    self.index(pc);
                    let again = self.again;
                    self.body.ins().local_set(0).br(again);
                }
            }
            // `pc` is read at the loop's head only, so it may be set before it is known to be needed.
            Action::GotoIf(test, label) => {
                self.index(self.place(*label));
                self.body.ins().local_set(0);
                self.test(test);
                let again = self.again;
                self.body.ins().br_if(again);
            }
            Action::GotoUnless(test, label) => {
                self.index(self.place(*label));
                self.body.ins().local_set(0);
                self.test(test);
                let again = self.again;
                self.body.ins().i32_eqz().br_if(again);
            }
            Action::Call { op, input, slot, then } => {
                self.index(*op);
                self.value(input);
                self.index(*slot);
                self.index(self.place(*then));
                self.body.op(Op::Call);
                self.body.ins().i32_const(abi::SUSPEND).return_();
            }
            Action::Run { n, input, slot, then } => {
                self.index(*n);
                self.value(input);
                self.index(*slot);
                self.index(self.place(*then));
                self.body.op(Op::Run);
                self.body.ins().i32_const(abi::SUSPEND).return_();
            }
            Action::Pull { slot, size, first, then, done } => {
                for index in [*slot, *size, u32::from(*first), self.place(*then), self.place(*done)] {
                    self.index(index);
                }
                self.body.op(Op::Pull);
                self.body.ins().i32_const(abi::SUSPEND).return_();
            }
            Action::Shut(slot) => {
                self.index(*slot);
                self.body.op(Op::Shut);
            }
            Action::Feed(slot, label) => {
                self.index(*slot);
                self.index(self.place(*label));
                self.body.op(Op::Feed);
            }
            Action::Fed(records) => {
                self.value(records);
                self.body.op(Op::Fed);
                self.body.ins().i32_const(abi::SUSPEND).return_();
            }
            Action::Wait(milliseconds, then) => {
                self.number(milliseconds);
                self.index(self.place(*then));
                self.body.op(Op::Wait);
                self.body.ins().i32_const(abi::SUSPEND).return_();
            }
            Action::Branch(label, count) => {
                self.index(self.place(*label));
                self.number(count);
                self.body.op(Op::Branch);
            }
            Action::Fork { at_once, how, slot, then } => {
                self.index(*at_once);
                self.index(*how);
                self.index(*slot);
                self.index(self.place(*then));
                self.body.op(Op::Fork);
                self.body.ins().i32_const(abi::SUSPEND).return_();
            }
            Action::Join => {
                self.body.ins().i32_const(abi::JOINED).return_();
            }
            Action::Raise(value) => {
                self.value(value);
                self.body.op(Op::Raise);
                self.body.ins().i32_const(abi::FAULT).return_();
            }
            Action::Done => {
                self.body.ins().i32_const(abi::DONE).return_();
            }
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Undefined => {
                self.body.ins().i64_const(abi::UNDEFINED);
            }
            Value::Slot(slot) => self.slot(*slot),
            Value::Constant(index) => {
                self.body.ins().i64_const(abi::constant(*index));
            }
            Value::Apply(function, value) => {
                self.value(value);
                self.body.call(*function);
            }
            Value::Apply2(function, first, second) => {
                self.value(first);
                self.value(second);
                self.body.call(*function);
            }
            Value::Item(slot, index) => {
                self.slot(*slot);
                self.int(*index);
                self.body.ins().i32_wrap_i64();
                self.body.op(Op::At);
            }
            Value::Batch(slot, number, size) => {
                self.slot(*slot);
                self.int(*number);
                self.index(*size);
                self.body.op(Op::Batch);
            }
            Value::Number(slot) => {
                self.int(*slot);
                self.body.ins().f64_convert_i64_s();
                self.body.op(Op::NewNum);
            }
            Value::Field(value, name) => {
                self.value(value);
                self.index(*name);
                self.body.op(Op::Get);
            }
        }
    }

    fn slot(&mut self, slot: u32) {
        self.index(slot);
        self.body.op(Op::SlotGet);
    }

    fn int(&mut self, slot: u32) {
        self.index(slot);
        self.body.op(Op::IntGet);
    }

    fn number(&mut self, number: &Number) {
        match number {
            Number::Constant(value) => {
                self.body.ins().i64_const(*value);
            }
            Number::Slot(slot) => self.int(*slot),
            Number::Next(slot) => {
                self.int(*slot);
                self.body.ins().i64_const(1).i64_add();
            }
            Number::Length(slot) => {
                self.slot(*slot);
                self.body.op(Op::Len);
                self.body.ins().i64_extend_i32_u();
            }
            Number::Batches(slot, size) => {
                let size = i64::from(*size);
                self.slot(*slot);
                self.body.op(Op::Len);
                self.body.ins().i64_extend_i32_u().i64_const(size - 1).i64_add().i64_const(size).i64_div_u();
            }
            Number::Place => self.body.op(Op::Place),
            Number::Clock => self.body.op(Op::Clock),
            Number::Since(slot) => {
                self.body.op(Op::Clock);
                self.int(*slot);
                self.body.ins().i64_sub();
            }
            Number::Times(length, slot) => {
                self.number(length);
                self.int(*slot);
                self.body.ins().i64_mul();
            }
            Number::Doubled(base, slot) => {
                let times = *self.scratch.get_or_insert_with(|| self.body.local(ValType::I64));
                self.number(base);
                self.int(*slot);
                self.body.ins().i64_const(1).i64_sub().local_tee(times).i64_const(DOUBLINGS_MAX);
                self.body.ins().local_get(times).i64_const(DOUBLINGS_MAX).i64_lt_s().select().i64_shl();
            }
            Number::Duration(value) => {
                self.value(value);
                self.body.op(Op::Duration);
            }
            Number::Pause(least, slot) => {
                self.number(least);
                self.index(*slot);
                self.body.op(Op::Pause);
            }
            Number::Between(least, most) => {
                self.number(least);
                self.number(most);
                self.body.op(Op::Between);
            }
            Number::Sum(first, second) => {
                self.number(first);
                self.number(second);
                self.body.ins().i64_add();
            }
        }
    }

    fn test(&mut self, test: &Test) {
        match test {
            Test::Holds(function, value) => {
                self.value(value);
                self.body.call(*function);
            }
            Test::OneOf { slot, field, any_of } => {
                self.body.ins().i32_const(0);
                for constant in any_of {
                    self.slot(*slot);
                    self.index(*field);
                    self.body.op(Op::Get);
                    self.body.ins().i64_const(abi::constant(*constant));
                    self.body.op(Op::Eq);
                    self.body.ins().i32_or();
                }
            }
            Test::Less(first, second) => {
                self.number(first);
                self.number(second);
                self.body.ins().i64_lt_s();
            }
        }
    }
}
