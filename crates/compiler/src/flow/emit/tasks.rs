//! Tasks become segments of the plan.

use std::collections::BTreeMap;

use lockgate_model::manifest::{Authority, Subflow};

use super::Surroundings;
use super::plan::{Action, Catch, Label, Limit, Number, Plan, Test, Value};
use super::slots::{DATA, INPUT, Names, Slots};
use super::values::Values;
use crate::flow::tree::{Call, Case, Duration, Flow, For, Items, Jump, Part, Target, Task, Template, Work};
use crate::flow::{errors, event};
use crate::module::FunctionId;

/// `$runtime`
const RUNTIME: &str = concat!(r#"{"name":"lockgate","version":""#, env!("CARGO_PKG_VERSION"), r#"","metadata":{}}"#);

/// What an export that is not of its schema is called.
const EXPORTED: &str = "what the task exports";

/// What stands around a task: where its list's errors and exits go.
#[derive(Clone, Copy)]
pub(super) struct Around<'l> {
    /// Handler of the nearest `try`.
    pub catch: Option<Catch>,
    /// Beginnings of the tasks of the list.
    pub tasks: &'l [Label],
    /// Behind the list.
    pub leave: Label,
    /// This task's place in the list.
    pub place: usize,
}

impl Around<'_> {
    fn next(&self) -> Label {
        self.tasks.get(self.place + 1).copied().unwrap_or(self.leave)
    }
}

/// Emits one flow.
pub(super) struct Emitter<'e, 'm> {
    /// What `step` does, so far.
    pub plan: Plan,
    /// The frame.
    pub slots: Slots,
    /// Compiles expressions.
    pub values: Values<'m>,
    /// The manifest's operations, in the order of their first call.
    pub operations: Vec<Authority>,
    /// The manifest's orchestrations.
    pub runs: Vec<Subflow>,
    /// What expressions at this point know.
    pub names: Names,
    /// Mappings compiled so far.
    pub maps: BTreeMap<String, FunctionId>,
    /// The same over records.
    pub each: BTreeMap<String, FunctionId>,
    /// The project around the flow.
    pub around: &'e Surroundings<'e>,
    /// The flow's end.
    end: Label,
}

impl<'e, 'm> Emitter<'e, 'm> {
    pub fn new(values: Values<'m>, flow: &Flow, around: &'e Surroundings<'e>) -> Self {
        let mut slots = Slots::new();
        let names = Names::of(flow, &mut slots);
        let mut plan = Plan::default();
        let start = plan.label("/input", None);
        let end = plan.label("/output", None);
        plan.open(start);
        Self {
            plan,
            slots,
            values,
            operations: Vec::new(),
            runs: Vec::new(),
            names,
            maps: BTreeMap::new(),
            each: BTreeMap::new(),
            around,
            end,
        }
    }

    /// The whole flow: input, tasks, output.
    pub fn flow(&mut self, flow: &Flow) {
        self.of("/input");
        self.plan.act(Action::Begin);
        if let Some(slot) = self.names.workflow {
            let workflow = self.values.workflow(&flow.definition);
            self.plan.act(Action::Store(slot, Value::Apply(workflow, Box::new(Value::Slot(INPUT)))));
        }
        if let Some(slot) = self.names.runtime {
            let runtime = self.constant(RUNTIME);
            self.plan.act(Action::Store(slot, runtime));
        }
        self.hold(&flow.input, INPUT, "the input of the flow");
        let from = flow.input.shape.as_ref();
        let from = from.map_or(Value::Slot(INPUT), |from| self.template(from, Value::Slot(INPUT)));
        self.plan.act(Action::Store(DATA, from));
        if let Some(slot) = self.names.context {
            self.plan.act(Action::Store(slot, Value::Slot(DATA)));
        }
        if let Some(timeout) = &flow.timeout {
            let set = self.plan.label("/timeout", None);
            self.plan.act(Action::Goto(set));
            self.plan.open(set);
            self.plan.act(Action::Begin);
            self.of("/timeout");
            self.limited(timeout, Value::Slot(DATA), "/timeout", None);
        }
        self.list(&flow.tasks, None, self.end);
        self.plan.open(self.end);
        self.of("/output");
        self.plan.act(Action::Begin);
        if let Some(output) = &flow.output.shape {
            let output = self.template(output, Value::Slot(DATA));
            self.plan.act(Action::Store(DATA, output));
        }
        self.hold(&flow.output, DATA, "the output of the flow");
        self.plan.act(Action::Done);
    }

    /// Fails unless the value in a slot is of the part's schema.
    fn hold(&mut self, part: &Part, slot: u32, what: &str) {
        let Some(schema) = &part.schema else { return };
        let (schema, what) = (self.values.module.constant_json(schema), self.values.module.constant_text(what));
        self.plan.act(Action::Hold(Value::Slot(slot), schema, what));
    }

    /// What a template gives, which is of the schema.
    fn held(&mut self, template: &Template, input: u32, schema: &str, what: &str) -> Value {
        let value = self.template(template, Value::Slot(input));
        let slot = self.slots.value();
        self.plan.act(Action::Store(slot, value));
        let (schema, what) = (self.values.module.constant_json(schema), self.values.module.constant_text(what));
        self.plan.act(Action::Hold(Value::Slot(slot), schema, what));
        Value::Slot(slot)
    }

    fn constant(&mut self, json: &str) -> Value {
        Value::Constant(self.values.module.constant_json(json))
    }

    pub(super) fn template(&mut self, template: &Template, context: Value) -> Value {
        self.values.template(template, &self.names, context)
    }

    /// Milliseconds of a length of time.
    pub(super) fn length(&mut self, length: &Duration, context: Value) -> Number {
        match length {
            Duration::Constant(milliseconds) => Number::Constant(*milliseconds),
            Duration::Computed(formula) => match self.values.formula(formula, &self.names) {
                Some(function) => Number::Duration(Value::Apply(function, Box::new(context))),
                None => Number::Constant(0),
            },
        }
    }

    /// A list of tasks, the first of which comes next.
    pub(super) fn list(&mut self, tasks: &[Task], catch: Option<Catch>, leave: Label) {
        let labels: Vec<Label> = tasks.iter().map(|task| self.plan.label(&task.pointer, catch)).collect();
        if labels.is_empty() {
            self.plan.act(Action::Goto(leave));
        }
        if let Some(first) = labels.first() {
            self.plan.act(Action::Goto(*first));
        }
        for (place, (task, label)) in tasks.iter().zip(&labels).enumerate() {
            self.plan.open(*label);
            self.one(task, Around { catch, tasks: &labels, leave, place });
        }
    }

    /// A task at the entry point opened last; its slots serve others behind it.
    pub(super) fn one(&mut self, task: &Task, around: Around<'_>) {
        let mark = self.slots.mark();
        let outer = (self.names.input, self.names.output, self.names.task);
        let subject = self.of(&task.pointer);
        self.task(task, around);
        self.values.module.of(subject);
        (self.names.input, self.names.output, self.names.task) = outer;
        self.slots.release(mark);
    }

    /// What follows is this task, or part of the flow.
    fn of(&mut self, pointer: &str) -> String {
        self.values.module.of(pointer.to_owned())
    }

    /// `$task`, where the task's own expressions use it. What it holds of the input and the output costs their
    /// length, so only who asks for them has them.
    fn describe(&mut self, task: &Task) -> Option<u32> {
        if !task.mentions("task") {
            return None;
        }
        let slot = self.slots.value();
        let name = serde_json::Value::from(task.name.as_str());
        let reference = serde_json::Value::from(task.pointer.as_str());
        let json = format!("{{\"name\":{name},\"reference\":{reference},\"definition\":{}}}", task.definition);
        let described = self.constant(&json);
        let input = if task.mentions("task.input") { Value::Slot(DATA) } else { Value::Undefined };
        let described = Value::Apply2(self.values.task(), Box::new(described), Box::new(input));
        self.plan.act(Action::Store(slot, described));
        Some(slot)
    }

    fn task(&mut self, task: &Task, around: Around<'_>) {
        self.plan.act(Action::Begin);
        self.names.output = None;
        self.names.input = None;
        self.names.task = self.describe(task);
        // Before anything else of the task, so that one that is passed over holds nobody up. Its `$input` is what it
        // sees: the input as it came.
        self.names.input = Some(DATA);
        if let Some(condition) = &task.condition
            && let Some(holds) = self.values.condition(condition, &self.names)
        {
            self.plan.act(Action::GotoUnless(Test::Holds(holds, Value::Slot(DATA)), around.next()));
        }
        self.names.input = None;
        self.hold(&task.input, DATA, "the input of the task");
        let input = self.input(task);
        self.names.input = Some(input);
        let outer = self.plan.limit;
        if let Some(timeout) = &task.timeout {
            self.limited(timeout, Value::Slot(input), &task.pointer, around.catch);
        }
        self.work(task, input, around);
        self.plan.limit = outer;
    }

    /// What follows has a time limit, which fails where the segment before it is.
    pub(super) fn limited(&mut self, length: &Duration, context: Value, pointer: &str, catch: Option<Catch>) {
        let slot = self.slots.int();
        let length = self.length(length, context);
        self.plan.act(Action::StoreInt(slot, Number::Sum(Box::new(Number::Clock), Box::new(length))));
        self.plan.limit = Some(Limit { slot, label: self.plan.opened() });
        let within = self.plan.label(pointer, catch);
        self.plan.act(Action::Goto(within));
        self.plan.open(within);
        self.plan.act(Action::Begin);
    }

    fn work(&mut self, task: &Task, input: u32, around: Around<'_>) {
        match &task.work {
            Work::Set(template) => {
                let value = self.template(template, Value::Slot(input));
                self.finish(task, value, &task.then, around);
            }
            Work::Emit(template) => {
                let event = self.held(template, input, event::SCHEMA, "the event");
                self.finish(task, event, &task.then, around);
            }
            Work::Raise(error @ Template::Constant(_)) => {
                let error = self.template(error, Value::Slot(input));
                self.plan.act(Action::Raise(error));
            }
            Work::Raise(error) => {
                let error = self.held(error, input, errors::SCHEMA, "the error");
                self.plan.act(Action::Raise(error));
            }
            Work::Wait(length) => {
                let length = self.length(length, Value::Slot(input));
                let waited = self.plan.label(&task.pointer, around.catch);
                self.plan.act(Action::Wait(length, waited));
                self.plan.open(waited);
                self.finish(task, Value::Slot(input), &task.then, around);
            }
            Work::Do(tasks) => {
                self.data_is(input);
                let leave = self.behind(task, around);
                self.list(tasks, around.catch, leave);
                self.epilogue(task, leave, around);
            }
            Work::Switch(cases) => self.switch(task, cases, input, around),
            Work::Fork(fork) => self.fork(task, fork, input, around),
            Work::For(work) => match &work.items {
                Items::Value(items) => self.each(task, (work, items), input, around),
                Items::Stream(taken) => {
                    self.data_is(input);
                    self.each_streamed(task, (work, taken), around);
                }
            },
            Work::Try(work) => self.attempt(task, work, input, around),
            Work::Call(Call::Map { input: Items::Stream(_), .. }) => self.mapping(task, input, around),
            Work::Call(Call::Map { name, input: Items::Value(argument), .. }) => {
                let map = self.map(name);
                let argument = self.template(argument, Value::Slot(input));
                let value = match map {
                    Some(map) => Value::Apply(map, Box::new(argument)),
                    None => Value::Undefined,
                };
                self.finish(task, value, &task.then, around);
            }
            Work::Call(Call::Broken(given)) => {
                let given = self.template(given, Value::Slot(input));
                self.finish(task, given, &task.then, around);
            }
            Work::Call(Call::Operation(operation)) => self.call(task, operation, input, around),
            Work::Run(run) => self.run(task, run, input, around),
            Work::Function(function) => self.function(task, function, input, around),
            Work::Broken => self.finish(task, Value::Undefined, &task.then, around),
        }
    }

    /// Computes the task's input; returns the slot it lies in.
    fn input(&mut self, task: &Task) -> u32 {
        let later = |part: &Part| part.mentions("input");
        let moves_on = !matches!(
            task.work,
            Work::Set(_)
                | Work::Emit(_)
                | Work::Raise(_)
                | Work::Switch(_)
                | Work::Wait(_)
                | Work::Call(Call::Map { .. })
        );
        let kept = match &task.work {
            Work::Try(_) => true,
            Work::For(work) => work.condition.as_ref().is_some_and(|c| c.mentions("input")),
            _ => false,
        } || later(&task.export)
            || ((moves_on || tells_output(task)) && later(&task.output));
        match &task.input.shape {
            Some(from) => {
                let slot = self.slots.value();
                let value = self.template(from, Value::Slot(DATA));
                self.plan.act(Action::Store(slot, value));
                slot
            }
            None if kept => {
                let slot = self.slots.value();
                self.plan.act(Action::Store(slot, Value::Slot(DATA)));
                slot
            }
            None => DATA,
        }
    }

    pub(super) fn data_is(&mut self, slot: u32) {
        if slot != DATA {
            self.plan.act(Action::Store(DATA, Value::Slot(slot)));
        }
    }

    /// `output.as`, `export.as`, and on to where `then` leads.
    pub(super) fn finish(&mut self, task: &Task, mut value: Value, then: &Jump, around: Around<'_>) {
        if let Some(slot) = self.names.task
            && tells_output(task)
        {
            self.plan.act(Action::Store(DATA, value));
            let done = Value::Apply2(self.values.task_done(), Box::new(Value::Slot(slot)), Box::new(Value::Slot(DATA)));
            self.plan.act(Action::Store(slot, done));
            value = Value::Slot(DATA);
        }
        if let Some(output) = &task.output.shape {
            value = self.template(output, value);
        }
        if !matches!(value, Value::Slot(DATA)) {
            self.plan.act(Action::Store(DATA, value));
        }
        self.hold(&task.output, DATA, "the output of the task");
        if let (None, Some(slot)) = (&task.export.shape, self.names.context) {
            // Without a shape, what is exported is the context as it is.
            self.hold(&task.export, slot, EXPORTED);
        }
        if let (Some(export), Some(slot)) = (&task.export.shape, self.names.context) {
            self.names.output = Some(DATA);
            let mut exported = self.template(export, Value::Slot(DATA));
            self.names.output = None;
            if task.export.schema.is_some() {
                // What is not of its schema never becomes the context.
                let held = self.slots.value();
                self.plan.act(Action::Store(held, exported));
                self.hold(&task.export, held, EXPORTED);
                exported = Value::Slot(held);
            }
            self.plan.act(Action::Store(slot, exported));
        }
        self.plan.act(Action::Goto(self.target(then, around)));
    }

    fn target(&self, jump: &Jump, around: Around<'_>) -> Label {
        match &jump.to {
            Target::Continue | Target::Named(_) => around.next(),
            Target::Exit => around.leave,
            Target::End => self.end,
            Target::Task(place) => around.tasks.get(*place).copied().unwrap_or(around.leave),
        }
    }

    /// Where a task's inner list leads: straight on, unless the task shapes its output.
    pub(super) fn behind(&mut self, task: &Task, around: Around<'_>) -> Label {
        if task.output.is_empty() && task.export.is_empty() {
            self.target(&task.then, around)
        } else {
            self.plan.label(&task.pointer, around.catch)
        }
    }

    /// The segment behind an inner list, when [`Self::behind`] made one.
    pub(super) fn epilogue(&mut self, task: &Task, label: Label, around: Around<'_>) {
        if task.output.is_empty() && task.export.is_empty() {
            return;
        }
        self.plan.open(label);
        self.plan.act(Action::Begin);
        self.finish(task, Value::Slot(DATA), &task.then, around);
    }

    fn switch(&mut self, task: &Task, cases: &[Case], input: u32, around: Around<'_>) {
        let shapes = !(task.input.is_empty() && task.output.is_empty() && task.export.is_empty());
        let mut outcomes = Vec::new();
        let mut default = &task.then;
        for case in cases {
            let Some(when) = &case.when else {
                default = &case.then;
                break;
            };
            let Some(holds) = self.values.condition(when, &self.names) else { continue };
            let label = if shapes {
                let label = self.plan.label(&task.pointer, around.catch);
                outcomes.push((label, &case.then));
                label
            } else {
                self.target(&case.then, around)
            };
            self.plan.act(Action::GotoIf(Test::Holds(holds, Value::Slot(input)), label));
        }
        self.finish(task, Value::Slot(input), default, around);
        for (label, then) in outcomes {
            self.plan.open(label);
            self.finish(task, Value::Slot(input), then, around);
        }
    }

    fn each(&mut self, task: &Task, (work, items): (&For, &Template), input: u32, around: Around<'_>) {
        let (collection, item, number) = (self.slots.value(), self.slots.value(), self.slots.value());
        let index = self.slots.int();
        let items = self.template(items, Value::Slot(input));
        self.plan.act(Action::Store(collection, items));
        self.data_is(input);
        if let Some(rounds) = work.rounds {
            return self.rounds(task, (work, rounds), (collection, item, number, index), around);
        }
        self.plan.act(Action::StoreInt(index, Number::Constant(0)));
        let head = self.plan.label(&task.pointer, around.catch);
        let done = self.plan.label(&task.pointer, around.catch);
        self.plan.act(Action::Goto(head));

        self.plan.open(head);
        self.plan.act(Action::Begin);
        let count = match work.batch {
            None => Number::Length(collection),
            Some(batch) => Number::Batches(collection, batch),
        };
        self.plan.act(Action::GotoUnless(Test::Less(Number::Slot(index), count), done));
        self.round(work, item_of(work, collection, index), (item, number, index));
        if let Some(condition) = &work.condition
            && let Some(holds) = self.values.condition(condition, &self.names)
        {
            self.plan.act(Action::GotoUnless(Test::Holds(holds, Value::Slot(DATA)), done));
        }
        self.plan.act(Action::StoreInt(index, Number::Next(index)));
        self.list(&work.tasks, around.catch, head);
        self.names.variables.truncate(self.names.variables.len() - 2);

        self.plan.open(done);
        // The items may be large: they are let go here and not at the flow's end.
        for slot in [collection, item] {
            self.plan.act(Action::Store(slot, Value::Undefined));
        }
        self.finish(task, Value::Slot(DATA), &task.then, around);
    }

    /// The variables of the round over this value whose number is in the i64 slot `index`.
    pub(super) fn round(&mut self, work: &For, value: Value, (item, number, index): (u32, u32, u32)) {
        self.plan.act(Action::Store(item, value));
        self.plan.act(Action::Store(number, Value::Number(index)));
        self.names.variables.push((work.each.clone(), item));
        self.names.variables.push((work.at.clone(), number));
    }
}

/// Is `$task.output` asked for? Then the output is the data before it is shaped.
fn tells_output(task: &Task) -> bool {
    task.output.mentions("task.output") || task.export.mentions("task.output")
}

/// What the round whose number is in the i64 slot `index` is over.
pub(super) fn item_of(work: &For, collection: u32, index: u32) -> Value {
    match work.batch {
        None => Value::Item(collection, index),
        Some(batch) => Value::Batch(collection, index, batch),
    }
}
