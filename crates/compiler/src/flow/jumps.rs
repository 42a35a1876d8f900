//! Names within one task list: unique, jumps lead somewhere, every task can be reached.

use lockgate_model::Diagnostic;

use super::tree::{Jump, Target, Task, Work};
use crate::reader::{Reader, list, nearest};

/// Resolves the jumps of a list and reports what is wrong with them.
pub(super) fn resolve(reader: &mut Reader<'_>, tasks: &mut [Task]) {
    self::names(reader, tasks);
    let names: Vec<String> = tasks.iter().map(|task| task.name.clone()).collect();
    for task in tasks.iter_mut() {
        point(reader, &mut task.then, &names, &task.name);
        match &mut task.work {
            Work::Switch(cases) => cases.iter_mut().for_each(|case| point(reader, &mut case.then, &names, &task.name)),
            Work::Try(work) => work.then.iter_mut().for_each(|then| point(reader, then, &names, &task.name)),
            _ => {}
        }
    }
    unreachable_tasks(reader, tasks);
}

/// Reports names that a list has twice.
pub(super) fn names(reader: &mut Reader<'_>, tasks: &[Task]) {
    let mut known = std::collections::BTreeSet::new();
    for task in tasks {
        if !known.insert(task.name.as_str()) {
            reader.problem_help(
                "LG-FLOW-NAME",
                task.span,
                format!("there are two tasks `{}` in this list", task.name),
                "rename one: `then` could not tell them apart",
            );
        }
    }
}

/// Leads a jump of the task `own` to its task.
fn point(reader: &mut Reader<'_>, jump: &mut Jump, names: &[String], own: &str) {
    let Target::Named(name) = &jump.to else { return };
    match names.iter().position(|known| known == name) {
        Some(index) => jump.to = Target::Task(index),
        None => {
            let known = names.iter().map(String::as_str);
            let meant = known.clone().filter(|known| *known != own).chain(["continue", "exit", "end"]);
            let help = match nearest(name, meant) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("`then` leads to a task of the same list: {}", list(known)),
            };
            reader.refuse(
                Diagnostic::new("LG-FLOW-THEN", jump.span, format!("there is no task `{name}` in this list"))
                    .help(help)
                    .token(name),
            );
        }
    }
}

fn unreachable_tasks(reader: &mut Reader<'_>, tasks: &[Task]) {
    // A jump that leads nowhere is reported already; what it should have reached is not reported too.
    let broken = tasks.iter().any(|task| jumps(task).any(|jump| matches!(jump.to, Target::Named(_))));
    if broken || tasks.iter().any(|task| matches!(task.work, Work::Broken)) {
        return;
    }
    let mut reached = vec![false; tasks.len()];
    let mut open = vec![0];
    while let Some(index) = open.pop() {
        let (Some(task), Some(seen)) = (tasks.get(index), reached.get_mut(index)) else { continue };
        if std::mem::replace(seen, true) {
            continue;
        }
        if task.condition.is_some() {
            open.push(index + 1);
        }
        for jump in jumps(task) {
            match jump.to {
                Target::Continue => open.push(index + 1),
                Target::Task(next) => open.push(next),
                Target::Exit | Target::End | Target::Named(_) => {}
            }
        }
    }
    for (task, reached) in tasks.iter().zip(reached) {
        if !reached {
            reader.problem_help(
                "LG-FLOW-UNREACHABLE",
                task.span,
                format!("task `{}` is never reached", task.name),
                "lead a `then` to it, or remove it",
            );
        }
    }
}

/// Where a task can go on when it was not skipped.
pub(super) fn jumps(task: &Task) -> impl Iterator<Item = &Jump> {
    let (cases, own): (&[_], _) = match &task.work {
        Work::Switch(cases) => (cases, cases.iter().all(|case| case.when.is_some())),
        Work::Raise(_) => (&[], false),
        _ => (&[], true),
    };
    let caught = match &task.work {
        Work::Try(work) => work.then.as_ref(),
        _ => None,
    };
    cases.iter().map(|case| &case.then).chain(own.then_some(&task.then)).chain(caught)
}
