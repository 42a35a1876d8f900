//! Streams: a call asks for its answer as a stream, and the task behind it takes it: another call as a member of its input,
//! a loop as its items, or a mapping, which gives a stream again.
//!
//! A stream passes once and cannot be kept, so these stand directly after each other in one list
//! and run always together: none has an `if`, and nothing jumps between them. To try again is to
//! try all again, which the list around them can do.

use lockgate_model::{Diagnostic, Span};

use super::jumps::jumps;
use super::tree::{Call, Items, Mapped, Operation, Source, Taken, Target, Task, Work};
use crate::reader::Reader;

const TOGETHER: &str = "the call that streams and what takes the stream stand together and run always together";

/// Connects the tasks of a list that stream with those that take the streams.
pub(super) fn connect(reader: &mut Reader<'_>, tasks: &mut [Task]) {
    let mut refuse = |span, message: String, help: &str| {
        reader.refuse(Diagnostic::new("LG-FLOW-STREAM", span, message).help(help));
    };
    // What the task before streams.
    let mut coming: Option<Taken> = None;
    for place in 0..tasks.len() {
        let jumped = tasks.iter().flat_map(jumps).any(|jump| jump.to == Target::Task(place));
        let next_takes = tasks.get(place + 1).is_some_and(|next| takes(next).is_some());
        let Some(task) = tasks.get_mut(place) else { return };
        let before = coming.take();
        if let Some(at) = takes(task) {
            if before.is_none() {
                refuse(
                    at,
                    "there is no stream to take: the task before does not stream".to_owned(),
                    "give the call before `stream: true`",
                );
            }
            if task.condition.is_some() {
                refuse(task.span, format!("`{}` takes a stream and has an `if`", task.name), TOGETHER);
            }
            if jumped {
                refuse(task.span, format!("a `then` leads to `{}`, which takes a stream", task.name), TOGETHER);
            }
            if let Work::For(work) = &task.work
                && work.rounds.is_some()
            {
                refuse(
                    task.span,
                    "the rounds over a stream come one after the other".to_owned(),
                    "take `metadata: { batch: 100 }`, and within it a loop over the batch with `concurrency` or `errors`",
                );
            }
        }
        coming = streams(task, before.clone());
        if coming.is_some() {
            if task.condition.is_some() {
                refuse(task.span, format!("`{}` streams and has an `if`", task.name), TOGETHER);
            }
            if task.then.to != Target::Continue {
                refuse(task.then.span, format!("`{}` streams and has a `then`", task.name), TOGETHER);
            }
            if !next_takes {
                refuse(
                    task.span,
                    format!("`{}` streams and the next task does not take it", task.name),
                    "the next task takes it as `${ $stream }`: a connector's call as a member of its input, a loop under \
                     `in`, a mapping under `input`; without `stream: true` the answer is a value that can be used anywhere",
                );
            }
        }
        if let (Work::Call(Call::Map { input: Items::Stream(_), .. }), false) = (&task.work, is_bare(task)) {
            refuse(
                task.span,
                format!("`{}` maps a stream: what it gives is no value", task.name),
                "leave out `input`, `output`, `export` and `timeout`, or map a value",
            );
        }
        if let (Some(taken), Some(before)) = (taken_mut(task), before) {
            *taken = Taken { span: taken.span, ..before };
        }
    }
}

/// The stream that a task gives, where one comes or it makes one.
fn streams(task: &Task, before: Option<Taken>) -> Option<Taken> {
    match &task.work {
        Work::Call(Call::Operation(operation)) if operation.streams => {
            let source = Source {
                task: task.pointer.clone(),
                connector: operation.connector.clone(),
                operation: operation.operation.clone(),
                is_parsed: operation.parse.is_some(),
            };
            Some(Taken { span: task.span, from: Some(source), maps: Vec::new() })
        }
        Work::Call(Call::Map { name, input: Items::Stream(_), span, .. }) => {
            let mut taken = before.unwrap_or(Taken { span: task.span, from: None, maps: Vec::new() });
            taken.maps.push(Mapped { name: name.clone(), span: *span, task: task.pointer.clone() });
            Some(taken)
        }
        _ => None,
    }
}

/// Where the stream is written that a task takes, if it takes one.
fn takes(task: &Task) -> Option<Span> {
    match &task.work {
        Work::Call(Call::Operation(operation)) => operation.takes.as_ref().map(|takes| takes.stream.span),
        Work::Call(Call::Map { input: Items::Stream(taken), .. }) => Some(taken.span),
        Work::For(work) => match &work.items {
            Items::Stream(taken) => Some(taken.span),
            Items::Value(_) => None,
        },
        _ => None,
    }
}

fn taken_mut(task: &mut Task) -> Option<&mut Taken> {
    match &mut task.work {
        Work::Call(Call::Operation(operation)) => {
            let Operation { takes, .. } = operation.as_mut();
            takes.as_mut().map(|takes| &mut takes.stream)
        }
        Work::Call(Call::Map { input: Items::Stream(taken), .. }) => Some(taken),
        Work::For(work) => match &mut work.items {
            Items::Stream(taken) => Some(taken),
            Items::Value(_) => None,
        },
        _ => None,
    }
}

/// A task without anything around what it does.
fn is_bare(task: &Task) -> bool {
    task.input.is_empty() && task.output.is_empty() && task.export.is_empty() && task.timeout.is_none()
}
