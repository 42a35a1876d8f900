//! `try`: the attempt, the handler, retries and what is done with an error that stays.

use super::plan::{Action, Catch, Label, Number, Test, Value};
use super::slots::DATA;
use super::tasks::{Around, Emitter};
use crate::flow::tree::{Backoff, Duration, Retry, Task, Try};

impl Emitter<'_, '_> {
    /// A task with a handler; see docs/orchestrations.md, "errors", for the order of things.
    pub(super) fn attempt(&mut self, task: &Task, work: &Try, input: u32, around: Around<'_>) {
        let error = self.slots.value();
        let (attempt, started) = (self.slots.int(), self.slots.int());
        if let Some(retry) = &work.retry {
            self.plan.act(Action::StoreInt(attempt, Number::Constant(0)));
            if retry.duration.is_some() {
                self.plan.act(Action::StoreInt(started, Number::Clock));
            }
        }
        let again = self.plan.label(&task.pointer, around.catch);
        let handler = self.plan.label(&task.pointer, around.catch);
        let leave = self.behind(task, around);
        self.plan.act(Action::Goto(again));

        self.plan.open(again);
        self.data_is(input);
        let catch = Some(Catch { label: handler, slot: error });
        let outer = self.plan.limit;
        if let Some(length) = work.retry.as_ref().and_then(|retry| retry.attempt.as_ref()) {
            // The attempt fails inside the `try`, so that its own handler has the error.
            let attempt = self.plan.label(&task.pointer, catch);
            self.plan.act(Action::Goto(attempt));
            self.plan.open(attempt);
            self.plan.act(Action::Begin);
            self.limited(length, Value::Slot(input), &task.pointer, catch);
        }
        self.list(&work.tasks, catch, leave);
        self.plan.limit = outer;
        self.epilogue(task, leave, around);

        self.plan.open(handler);
        self.plan.act(Action::Begin);
        self.names.variables.push((work.name.clone(), error));
        let outward = self.plan.label(&task.pointer, around.catch);
        self.filter(work, error, input, outward);
        if let Some(retry) = &work.retry {
            let enough = self.plan.label(&task.pointer, around.catch);
            self.retry(retry, input, (attempt, started, error), enough, again);
            self.plan.open(enough);
        }
        self.caught(task, work, input, outward, around);
        self.names.variables.pop();
        self.plan.open(outward);
        self.plan.act(Action::Raise(Value::Slot(error)));
    }

    /// Sends an error outward that this `catch` is not for.
    fn filter(&mut self, work: &Try, error: u32, input: u32, outward: Label) {
        for filter in &work.filter {
            let field = self.values.module.constant_text(filter.field);
            let any_of = filter.any_of.iter().map(|json| self.values.module.constant_json(json)).collect();
            self.plan.act(Action::GotoUnless(Test::OneOf { slot: error, field, any_of }, outward));
        }
        if let Some(when) = &work.when
            && let Some(holds) = self.values.condition(when, &self.names)
        {
            self.plan.act(Action::GotoUnless(Test::Holds(holds, Value::Slot(input)), outward));
        }
        if let Some(except) = &work.except
            && let Some(holds) = self.values.condition(except, &self.names)
        {
            self.plan.act(Action::GotoIf(Test::Holds(holds, Value::Slot(input)), outward));
        }
    }

    fn retry(
        &mut self,
        retry: &Retry,
        input: u32,
        (attempt, started, error): (u32, u32, u32),
        enough: Label,
        again: Label,
    ) {
        if let Some(when) = &retry.when
            && let Some(holds) = self.values.condition(when, &self.names)
        {
            self.plan.act(Action::GotoUnless(Test::Holds(holds, Value::Slot(input)), enough));
        }
        if let Some(except) = &retry.except
            && let Some(holds) = self.values.condition(except, &self.names)
        {
            self.plan.act(Action::GotoIf(Test::Holds(holds, Value::Slot(input)), enough));
        }
        if let Some(count) = retry.count {
            let left = Test::Less(Number::Slot(attempt), Number::Constant(i64::from(count)));
            self.plan.act(Action::GotoUnless(left, enough));
        }
        self.plan.act(Action::StoreInt(attempt, Number::Next(attempt)));
        let at_once = matches!((&retry.delay, &retry.jitter), (Duration::Constant(0), None));
        let delay = if at_once { Number::Constant(0) } else { self.delay(retry, input, attempt) };
        let mut delay = Number::Pause(Box::new(delay), error);
        if at_once || retry.duration.is_some() {
            let pause = self.slots.int();
            self.plan.act(Action::StoreInt(pause, delay));
            delay = Number::Slot(pause);
        }
        if let (Some(duration), Number::Slot(pause)) = (&retry.duration, &delay) {
            // Another attempt begins within it or not at all.
            let pause = *pause;
            let begins = Number::Sum(Box::new(Number::Since(started)), Box::new(Number::Slot(pause)));
            let duration = self.length(duration, Value::Slot(input));
            self.plan.act(Action::GotoUnless(Test::Less(begins, duration), enough));
        }
        if let (true, Number::Slot(pause)) = (at_once, &delay) {
            let none = Test::Less(Number::Slot(*pause), Number::Constant(1));
            self.plan.act(Action::GotoIf(none, again));
        }
        self.plan.act(Action::Wait(delay, again));
    }

    /// The pause before an attempt, whose number is in a slot.
    fn delay(&mut self, retry: &Retry, input: u32, attempt: u32) -> Number {
        let delay = self.length(&retry.delay, Value::Slot(input));
        let delay = match retry.backoff {
            Backoff::Constant => delay,
            Backoff::Linear => Number::Times(Box::new(delay), attempt),
            Backoff::Exponential => Number::Doubled(Box::new(delay), attempt),
        };
        let Some(jitter) = &retry.jitter else { return delay };
        let [from, to] = [&jitter.from, &jitter.to].map(|part| self.length(part, Value::Slot(input)));
        Number::Sum(Box::new(delay), Box::new(Number::Between(Box::new(from), Box::new(to))))
    }

    /// What happens with an error that is caught and not retried any more.
    fn caught(&mut self, task: &Task, work: &Try, input: u32, outward: Label, around: Around<'_>) {
        let then = work.then.as_ref().unwrap_or(&task.then);
        match &work.caught {
            Some(tasks) => {
                self.data_is(input);
                let leave = self.plan.label(&task.pointer, around.catch);
                self.list(tasks, around.catch, leave);
                self.plan.open(leave);
                self.plan.act(Action::Begin);
                self.finish(task, Value::Slot(DATA), then, around);
            }
            // Retries that did not help leave the error as it is, unless `then` says where its path leads.
            None if work.retry.is_some() && work.then.is_none() => self.plan.act(Action::Goto(outward)),
            None => {
                self.data_is(input);
                self.finish(task, Value::Slot(DATA), then, around);
            }
        }
    }
}
