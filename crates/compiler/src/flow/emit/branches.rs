//! `fork`, and loops whose rounds run at once: branches with frames of their own.
//!
//! Nothing around a branch reaches into it: its failures end it and become the fork's, time limits around the fork
//! end it from outside. So its segments have no handler and no limit but those within.

use lockgate_model::abi;

use super::plan::{Action, Label, Number, Value};
use super::slots::DATA;
use super::tasks::{Around, Emitter, item_of};
use crate::flow::tree::{For, Fork, Rounds, Task};

impl Emitter<'_, '_> {
    /// A fork: every branch is one task.
    pub(super) fn fork(&mut self, task: &Task, fork: &Fork, input: u32, around: Around<'_>) {
        self.data_is(input);
        let begins: Vec<Label> = fork.branches.iter().map(|branch| self.plan.label(&branch.pointer, None)).collect();
        for label in &begins {
            self.plan.act(Action::Branch(*label, Number::Constant(1)));
        }
        let how = if fork.compete { abi::fork::COMPETE } else { abi::fork::JOIN };
        let joined = self.plan.label(&task.pointer, around.catch);
        self.plan.act(Action::Fork { at_once: 0, how, slot: DATA, then: joined });
        self.apart(|emitter| {
            let leave = emitter.plan.label(&task.pointer, None);
            for (branch, begin) in fork.branches.iter().zip(&begins) {
                emitter.plan.open(*begin);
                emitter.one(branch, Around { catch: None, tasks: &[*begin], leave, place: 0 });
            }
            emitter.plan.open(leave);
            emitter.plan.act(Action::Join);
        });
        self.plan.open(joined);
        self.finish(task, Value::Slot(DATA), &task.then, around);
    }

    /// A loop whose rounds know nothing of each other; `collection` and `index` are its slots.
    pub(super) fn rounds(
        &mut self,
        task: &Task,
        (work, rounds): (&For, Rounds),
        (collection, item, number, index): (u32, u32, u32, u32),
        around: Around<'_>,
    ) {
        let begin = self.plan.label(&task.pointer, None);
        let count = match work.batch {
            None => Number::Length(collection),
            Some(batch) => Number::Batches(collection, batch),
        };
        self.plan.act(Action::Branch(begin, count));
        let how = if rounds.collect { abi::fork::COLLECT } else { abi::fork::JOIN };
        let done = self.plan.label(&task.pointer, around.catch);
        self.plan.act(Action::Fork { at_once: rounds.at_once, how, slot: DATA, then: done });
        self.apart(|emitter| {
            let leave = emitter.plan.label(&task.pointer, None);
            emitter.plan.open(begin);
            emitter.plan.act(Action::Begin);
            emitter.plan.act(Action::StoreInt(index, Number::Place));
            emitter.round(work, item_of(work, collection, index), (item, number, index));
            emitter.list(&work.tasks, None, leave);
            emitter.names.variables.truncate(emitter.names.variables.len() - 2);
            emitter.plan.open(leave);
            emitter.plan.act(Action::Join);
        });
        self.plan.open(done);
        self.plan.act(Action::Store(collection, Value::Undefined));
        self.finish(task, Value::Slot(DATA), &task.then, around);
    }

    /// Emits branches.
    fn apart(&mut self, emit: impl FnOnce(&mut Self)) {
        let outer = self.plan.limit.take();
        emit(self);
        self.plan.limit = outer;
    }
}
