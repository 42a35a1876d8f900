//! Calls: operations of connectors and mappings.

use lockgate_model::id::{AccountName, TargetName};
use lockgate_model::manifest::{AccountRef, Authority, StreamFormat, Subflow};

use super::plan::{Action, Value};
use super::slots::DATA;
use super::tasks::{Around, Emitter};
use crate::flow::tree::{Account, Answer, Function, Operation, Run, Task};
use crate::mapping::compile_map;
use crate::module::FunctionId;

impl Emitter<'_, '_> {
    /// The function of a mapping; each mapping is compiled once.
    pub(super) fn map(&mut self, name: &str) -> Option<FunctionId> {
        if let Some(function) = self.maps.get(name) {
            return Some(*function);
        }
        let map = self.around.maps.get(name)?;
        let source = self.values.module.source(&map.file, &map.lines);
        match compile_map(self.values.module, map, source, self.around.tables) {
            Ok(function) => {
                self.maps.insert(name.to_owned(), function);
                Some(function)
            }
            Err(problems) => {
                self.values.problems.0.extend(problems.0);
                None
            }
        }
    }

    /// A call of a connector: suspends, and goes on with the answer.
    pub(super) fn call(&mut self, task: &Task, operation: &Operation, input: u32, around: Around<'_>) {
        let mut argument = self.template(&operation.input, Value::Slot(input));
        let Some(op) = self.authority(operation) else {
            // The account could not be read: nothing is emitted but what else is wrong is found.
            return self.finish(task, Value::Slot(input), &task.then, around);
        };
        let request = match &operation.answer {
            Answer::Response(request) => {
                let slot = self.slots.value();
                self.plan.act(Action::Store(slot, argument));
                argument = Value::Slot(slot);
                Some((slot, request))
            }
            Answer::Whole | Answer::Content | Answer::Raw => None,
        };
        let answered = self.plan.label(&task.pointer, around.catch);
        let fed = operation.takes.as_ref().map(|takes| self.feed(&takes.stream, around));
        self.plan.act(Action::Call { op, input: argument, slot: DATA, then: answered });
        for (mapping, records) in fed.into_iter().flatten() {
            self.plan.open(mapping);
            self.plan.act(Action::Fed(records));
        }
        self.plan.open(answered);
        let value = match (&operation.answer, request) {
            (Answer::Content, _) => Value::Apply(self.values.content(), Box::new(Value::Slot(DATA))),
            (Answer::Raw, _) => {
                Value::Field(Box::new(Value::Slot(DATA)), self.values.module.constant_text("body_base64"))
            }
            (Answer::Response(_), Some((asked, request))) => {
                // What was sent, and not what its expressions would give now.
                let (request, response) = (self.template(request, Value::Slot(asked)), self.values.response());
                Value::Apply2(response, Box::new(request), Box::new(Value::Slot(DATA)))
            }
            _ => Value::Slot(DATA),
        };
        self.finish(task, value, &task.then, around);
    }

    /// A function: its task, with `with` as its input and nothing else that is known here.
    pub(super) fn function(&mut self, task: &Task, function: &Function, input: u32, around: Around<'_>) {
        match &function.with {
            Some(with) => {
                let with = self.template(with, Value::Slot(input));
                self.plan.act(Action::Store(DATA, with));
            }
            None => self.data_is(input),
        }
        let leave = self.behind(task, around);
        let variables = std::mem::take(&mut self.names.variables);
        self.list(std::slice::from_ref(&function.task), around.catch, leave);
        self.names.variables = variables;
        self.epilogue(task, leave, around);
    }

    /// Another orchestration: suspends, and goes on with its output, or at once with the data as it is.
    pub(super) fn run(&mut self, task: &Task, run: &Run, input: u32, around: Around<'_>) {
        let argument = self.template(&run.input, Value::Slot(input));
        let n = TargetName::parse(&run.name).ok().and_then(|name| {
            let (namespace, version) = (run.namespace.clone(), run.version.clone().unwrap_or_default());
            index(&mut self.runs, Subflow { namespace, name, version, awaits: run.awaits })
        });
        let Some(n) = n else { return self.finish(task, Value::Slot(input), &task.then, around) };
        self.data_is(input);
        let then = self.plan.label(&task.pointer, around.catch);
        self.plan.act(Action::Run { n, input: argument, slot: DATA, then });
        self.plan.open(then);
        self.finish(task, Value::Slot(DATA), &task.then, around);
    }

    /// The operation's index in the manifest.
    fn authority(&mut self, operation: &Operation) -> Option<u32> {
        let account = match &operation.account {
            Account::Declared { name, .. } => AccountRef::Declared(AccountName::parse(name).ok()?),
            Account::Origin(origin) => AccountRef::Origin(origin.clone()),
            Account::Broken => return None,
        };
        let authority = Authority {
            connector: operation.connector.clone(),
            operation: operation.operation.clone(),
            version: operation.version.clone(),
            account,
            detail: operation.detail.clone(),
            scheme: operation.scheme.map(str::to_owned),
            parse: operation.parse.as_ref().map(|parse| parse.format.clone()),
            streams: operation.streams,
            takes: operation.takes.as_ref().map(|takes| match &takes.format {
                Some(content) => StreamFormat::Records(content.format.clone()),
                None => StreamFormat::Bytes,
            }),
        };
        index(&mut self.operations, authority)
    }
}

/// The place of an entry, which is added where it is not there.
fn index<T: PartialEq>(known: &mut Vec<T>, entry: T) -> Option<u32> {
    let place = known.iter().position(|one| *one == entry).unwrap_or_else(|| {
        known.push(entry);
        known.len() - 1
    });
    u32::try_from(place).ok()
}
