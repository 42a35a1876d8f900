//! Streams between two calls: one asks for its answer as a stream, the next takes it.
//!
//! A stream passes once and cannot be kept, so the two stand directly after each other in one list
//! and run always together: neither has an `if`, and nothing jumps between them. To try again is to
//! try both again, which the list around them can do.

use lockgate_model::Diagnostic;

use super::jumps::jumps;
use super::tree::{Call, Operation, Source, Target, Task, Work};
use crate::reader::Reader;

const TOGETHER: &str = "the call that streams and the call that takes it stand together and run always together";

/// Connects the calls of a list that stream with those that take the streams.
pub(super) fn connect(reader: &mut Reader<'_>, tasks: &mut [Task]) {
    let mut refuse = |span, message: String, help: &str| {
        reader.refuse(Diagnostic::new("LG-FLOW-STREAM", span, message).help(help));
    };
    for place in 0..tasks.len() {
        let Some(task) = tasks.get(place) else { return };
        let Some(operation) = operation(task) else { continue };
        let before = place.checked_sub(1).and_then(|before| tasks.get(before));
        let source = before.and_then(self::operation).filter(|before| before.streams);
        if let Some(takes) = &operation.takes {
            if source.is_none() {
                refuse(
                    takes.span,
                    "there is no stream to take: the task before does not stream".to_owned(),
                    "give the call before `stream: true`",
                );
            }
            if task.condition.is_some() {
                refuse(task.span, format!("`{}` takes a stream and has an `if`", task.name), TOGETHER);
            }
            if tasks.iter().flat_map(jumps).any(|jump| jump.to == Target::Task(place)) {
                refuse(task.span, format!("a `then` leads to `{}`, which takes a stream", task.name), TOGETHER);
            }
        }
        if operation.streams {
            if task.condition.is_some() {
                refuse(task.span, format!("`{}` streams and has an `if`", task.name), TOGETHER);
            }
            if task.then.to != Target::Continue {
                refuse(task.then.span, format!("`{}` streams and has a `then`", task.name), TOGETHER);
            }
            let next = tasks.get(place + 1).and_then(self::operation);
            if next.is_none_or(|next| next.takes.is_none()) {
                refuse(
                    task.span,
                    format!("`{}` streams and the next task does not take it", task.name),
                    "the next task must be a connector's call with a member `${ $stream }`; without `stream: true` \
                     the answer is a value that can be used anywhere",
                );
            }
        }
        let from = before.zip(source).map(|(task, source)| Source {
            task: task.pointer.clone(),
            connector: source.connector.clone(),
            operation: source.operation.clone(),
        });
        if let Some(Work::Call(Call::Operation(operation))) = tasks.get_mut(place).map(|task| &mut task.work)
            && let Some(takes) = &mut operation.takes
        {
            takes.from = from;
        }
    }
}

fn operation(task: &Task) -> Option<&Operation> {
    match &task.work {
        Work::Call(Call::Operation(operation)) => Some(operation),
        _ => None,
    }
}
