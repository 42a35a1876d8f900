//! Streams: loops over records as they come, and mappings between a call that streams and one that takes the stream.

use super::plan::{Action, Label, Number, Test, Value};
use super::slots::DATA;
use super::tasks::{Around, Emitter};
use crate::flow::tree::{For, Mapped, Taken, Task};
use crate::mapping::{compile_each, compile_map};
use crate::module::FunctionId;

impl Emitter<'_, '_> {
    /// Records that come for the call behind go through the mappings of their stream: where, and what each makes of them.
    pub(super) fn feed(&mut self, taken: &Taken, around: Around<'_>) -> Vec<(Label, Value)> {
        let mut fed = Vec::new();
        for map in &taken.maps {
            let slot = self.slots.value();
            let records = self.mapped(map, Value::Slot(slot));
            let mapping = self.plan.label(&map.task, around.catch);
            self.plan.act(Action::Feed(slot, mapping));
            fed.push((mapping, records));
        }
        fed
    }

    /// A mapping of a stream does nothing by itself: its task is over when the call behind it begins.
    pub(super) fn mapping(&mut self, task: &Task, input: u32, around: Around<'_>) {
        self.data_is(input);
        self.finish(task, Value::Slot(DATA), &task.then, around);
    }

    /// A loop over records as they come.
    pub(super) fn each_streamed(&mut self, task: &Task, (work, taken): (&For, &Taken), around: Around<'_>) {
        let (records, item, number) = (self.slots.value(), self.slots.value(), self.slots.value());
        let (index, place) = (self.slots.int(), self.slots.int());
        let [first, round, next, leave, done] = [(); 5].map(|()| self.plan.label(&task.pointer, around.catch));
        let maps: Vec<Label> = taken.maps.iter().map(|map| self.plan.label(&map.task, around.catch)).collect();
        let came = maps.first().copied().unwrap_or(first);
        let size = work.batch.unwrap_or(0);
        let pull = |first| Action::Pull { slot: records, size, first, then: came, done };
        self.plan.act(Action::StoreInt(index, Number::Constant(0)));
        self.plan.act(pull(true));

        let behind = maps.iter().skip(1).chain([&first]);
        for ((label, map), next) in maps.iter().zip(&taken.maps).zip(behind) {
            self.plan.open(*label);
            self.plan.act(Action::Begin);
            let mapped = self.mapped(map, Value::Slot(records));
            self.plan.act(Action::Store(records, mapped));
            self.plan.act(Action::Goto(*next));
        }

        self.plan.open(first);
        self.plan.act(Action::Begin);
        self.plan.act(Action::StoreInt(place, Number::Constant(0)));
        self.plan.act(Action::Goto(round));

        self.plan.open(round);
        self.plan.act(Action::Begin);
        // Of a batch there is one round; mappings may have made none of it, or several.
        let count = match work.batch {
            None => Number::Length(records),
            Some(batch) => Number::Batches(records, batch),
        };
        self.plan.act(Action::GotoUnless(Test::Less(Number::Slot(place), count), next));
        let value = match work.batch {
            None => Value::Item(records, place),
            Some(batch) => Value::Batch(records, place, batch),
        };
        self.round(work, value, (item, number, index));
        if let Some(condition) = &work.condition
            && let Some(holds) = self.values.condition(condition, &self.names)
        {
            self.plan.act(Action::GotoUnless(Test::Holds(holds, Value::Slot(DATA)), leave));
        }
        self.plan.act(Action::StoreInt(place, Number::Next(place)));
        self.plan.act(Action::StoreInt(index, Number::Next(index)));
        self.list(&work.tasks, around.catch, round);
        self.names.variables.truncate(self.names.variables.len() - 2);

        self.plan.open(next);
        self.plan.act(pull(false));

        self.plan.open(leave);
        self.plan.act(Action::Shut(records));
        self.plan.act(Action::Goto(done));

        self.plan.open(done);
        for slot in [records, item] {
            self.plan.act(Action::Store(slot, Value::Undefined));
        }
        self.finish(task, Value::Slot(DATA), &task.then, around);
    }

    /// Records as a mapping makes them of others.
    fn mapped(&mut self, map: &Mapped, records: Value) -> Value {
        match self.each_of(map) {
            Some(function) => Value::Apply(function, Box::new(records)),
            None => Value::Undefined,
        }
    }

    /// The function of a mapping over records; each is compiled once.
    fn each_of(&mut self, mapped: &Mapped) -> Option<FunctionId> {
        if let Some(function) = self.each.get(&mapped.name) {
            return Some(*function);
        }
        let map = self.around.maps.get(&mapped.name)?;
        let source = self.values.module.source(&map.file, &map.lines);
        let (tables, maps) = (self.around.tables, &mut self.maps);
        let each = compile_each(self.values.module, map, source, tables, mapped.span, |module| {
            if let Some(function) = maps.get(&map.name) {
                return Ok(*function);
            }
            let function = compile_map(module, map, source, tables)?;
            maps.insert(map.name.clone(), function);
            Ok(function)
        });
        match each {
            Ok(function) => {
                self.each.insert(mapped.name.clone(), function);
                Some(function)
            }
            Err(problems) => {
                self.values.problems.0.extend(problems.0);
                None
            }
        }
    }
}
