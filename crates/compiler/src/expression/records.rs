//! An expression for some of its records at a time.
//!
//! The module takes an array of records and gives what the expression's sequence has of them, item by
//! item, and behind these how many results of the last step they come from and how many records met the
//! conditions. A sequence of all records is
//! these items one after the other; only where they are fewer than two does more count, which is left to
//! the expression itself: see [`Selection`].

use lockgate_mapping::{
    Expression,
    expression::ir::Step,
    rules::Lines,
    streams::{Selection, Streams, Whole},
};
use lockgate_model::{
    abi::{DONE, Op, seq},
    diagnostic::Diagnostics,
};
use wasm_encoder::{BlockType, ValType};

use super::{
    INPUT, NoNames, OUTPUT, define,
    emitter::{Context, Emitter, Names, Place},
    one_step, start,
};
use crate::module::{Body, Compiled, ModuleBuilder};

/// Where an expression's records are, and its module for some of them; or why it needs the whole document.
pub fn expression_record_module(source: &str) -> Result<Result<(Streams, Compiled), Whole>, Diagnostics> {
    let e = Expression::parse(source)?;
    let program = e.resolve(&|_| false)?;
    let selection = match Selection::of(&program, source) {
        Ok(selection) => selection,
        Err(whole) => return Ok(Err(whole)),
    };
    let mut m = ModuleBuilder::new("expression");
    let place = Place { source: m.source("expression", &Lines::of(source)), base: 0 };
    let id = m.declare(&m.title(place.source, 0), &[ValType::I64], &[ValType::I64]);
    let mut emitter = Emitter::new(&mut m, &program, place, Names::Slots(&NoNames), e.text());
    emitter.begin(RECORDS);
    emitter.selected(&selection);
    let function = define(emitter, id, &e, 0)?;

    let mut step = Body::new(1);
    start(&mut step);
    step.ins().i32_const(OUTPUT as i32).i32_const(INPUT as i32);
    step.op(Op::SlotGet);
    step.call(function);
    step.op(Op::SlotSet);
    step.ins().i32_const(DONE);
    Ok(Ok((selection.streams, one_step(m, step, 2)?)))
}

/// Parameter of the function: the records.
const RECORDS: u32 = 0;

impl<'a> Emitter<'a> {
    /// Pushes the items that the records give, how many results they come from, and how many records passed.
    fn selected(&mut self, selection: &Selection<'a>) {
        let records = self.passing(selection);
        let passed = self.body.local(ValType::I32);
        self.body.ins().local_get(records);
        self.body.op(Op::Len);
        self.body.ins().local_set(passed);
        let Some((last, before)) = selection.steps.split_last() else {
            return self.with_counts(records, [passed, passed]);
        };
        self.body.ins().local_get(records);
        for step in before {
            self.step(step, seq::INNER);
        }
        let contexts = self.body.stash();
        let (acc, count) = (self.sequence(), self.body.local(ValType::I32));
        self.body.ins().i32_const(0).local_set(count);
        self.each_item(contexts, false, |e, item, _, _| {
            e.with_context(Context::Local(item), |e| e.result(last, acc, count));
        });
        self.close(acc, seq::INNER);
        let items = self.body.stash();
        self.with_counts(items, [count, passed]);
    }

    /// A local with those of the records that meet the conditions.
    fn passing(&mut self, selection: &Selection<'a>) -> u32 {
        if selection.streams.conditions == 0 {
            return RECORDS;
        }
        let list = self.body.list();
        self.each_item(RECORDS, false, |e, item, _, _| {
            e.body.ins().block(BlockType::Empty);
            e.with_context(Context::Local(item), |e| {
                for condition in selection.conditions() {
                    e.condition(condition);
                    e.body.ins().i32_eqz().br_if(0);
                }
            });
            e.push(list, item);
            e.body.ins().end();
        });
        list
    }

    /// Adds what a step gives for the context to a sequence, and counts it where it gives something.
    fn result(&mut self, step: &'a Step, acc: u32, count: u32) {
        self.handle(&step.expr);
        self.filters(&step.filters, seq::INNER);
        let value = self.body.stash();
        self.body.ins().local_get(value).i64_eqz().i32_eqz().local_get(count).i32_add().local_set(count);
        self.body.ins().local_get(value);
        self.add(acc, Op::SeqPush);
    }

    /// Pushes a list of these items, and the numbers behind them.
    fn with_counts(&mut self, items: u32, counts: [u32; 2]) {
        let list = self.body.list();
        self.each_item(items, false, |e, item, _, _| e.push(list, item));
        for count in counts {
            self.body.ins().local_get(list).local_get(count).f64_convert_i32_s();
            self.body.op(Op::NewNum);
            self.body.op(Op::ArrPush);
        }
        self.body.ins().local_get(list);
    }

    fn push(&mut self, list: u32, item: u32) {
        self.body.ins().local_get(list).local_get(item);
        self.body.op(Op::ArrPush);
    }
}
