//! A flow as a picture: a box for each task, a frame around tasks that lie in another, an arrow for each way
//! on.
//!
//! The picture is SVG 1.1 with a style sheet for light and dark; the same file gives the same bytes.
//!
//! Deliberately absent: scripts, fonts and anything else from outside the picture; places that somebody
//! keeps: the layout follows from the flow.

mod layout;
mod svg;
#[cfg(test)]
mod tests;

use lockgate_mapping::yaml;
use lockgate_model::{Diagnostic, Diagnostics, Span};

use super::tree::{Account, Call, Flow, Jump, Operation, Target, Task, Work};
use crate::Sources;
use crate::documents::Documents;
use crate::reader::Reader;

/// Tasks that a picture shows at most: laying out takes longer than linearly, and nobody looks at more.
const TASKS_MAX: usize = 500;
/// Shapes that all arrows together pass by at most: each of them is one more place to lay out.
const PASSED_MAX: usize = 6_000;

/// The picture of a flow's file; `beside` are the files that lie in its folder, of which it shows what documents say
/// of the operations that it calls.
///
/// Errors: all problems of the file; LG-DRAW-SIZE for more than [`TASKS_MAX`] tasks, or too many long ways between them.
pub fn picture(file: &str, text: &str, beside: &Sources) -> Result<String, Diagnostics> {
    let node = yaml::parse(file, text)?;
    // Documents are named as they lie to the flow.
    let mut reader = Reader::new(file.rsplit('/').next().unwrap_or(file), text);
    let (documents, _) = Documents::new(beside.texts());
    let flow = super::read(&mut reader, &node, &documents);
    reader.without_documents();
    let problems = reader.problems.0.into_iter().map(|problem| problem.file(file));
    Diagnostics(problems.collect()).into_result(())?;
    let mut tasks = 0;
    flow.each_task(&mut |_| tasks += 1);
    if tasks > TASKS_MAX {
        let message = format!("the flow has {tasks} tasks, and a picture shows {TASKS_MAX} at most");
        let problem = Diagnostic::new("LG-DRAW-SIZE", Span::new(0, 1), message).help("split it into several flows");
        return Err(Diagnostics(vec![problem.file(file)]));
    }
    let drawing = Drawing::of(&flow);
    if drawing.passed() > PASSED_MAX {
        let message = "too many of the flow's ways lead far, past other tasks, for a picture";
        let problem = Diagnostic::new("LG-DRAW-SIZE", Span::new(0, 1), message).help("split it into several flows");
        return Err(Diagnostics(vec![problem.file(file)]));
    }
    Ok(svg::svg(&flow, &drawing, &layout::layout(&drawing)))
}

/// What is drawn.
#[derive(Debug)]
struct Drawing {
    shapes: Vec<Shape>,
    arrows: Vec<Arrow>,
}

/// A box, or the frame around some.
#[derive(Debug)]
struct Shape {
    look: Look,
    /// The frame that it lies in.
    within: Option<usize>,
    name: String,
    /// What the task does, in a few words.
    does: String,
    /// All of it.
    title: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Where the flow begins or ends.
    Edge,
    Frame,
    Data,
    Call,
    Control,
    Wait,
    Error,
}

/// A way on from one shape to another.
#[derive(Debug)]
struct Arrow {
    from: usize,
    to: usize,
    label: String,
    /// Taken when something fails or does not hold.
    aside: bool,
}

/// What stands around a list of tasks.
#[derive(Clone, Copy)]
struct Around<'a> {
    within: Option<usize>,
    entries: &'a [usize],
    place: usize,
    leave: usize,
    /// Where errors go.
    catch: Option<usize>,
}

impl Around<'_> {
    fn next(&self) -> usize {
        self.entries.get(self.place + 1).copied().unwrap_or(self.leave)
    }
}

/// The shape that every flow ends in.
const END: usize = 1;

impl Drawing {
    fn of(flow: &Flow) -> Self {
        let mut drawing = Self { shapes: Vec::new(), arrows: Vec::new() };
        for name in ["start", "end"] {
            drawing.shape(Look::Edge, None, name, "", "");
        }
        let first = drawing.list(&flow.tasks, None, END, None);
        drawing.arrow(0, first, "");
        drawing
    }

    /// How many shapes its arrows pass by.
    fn passed(&self) -> usize {
        let place = |shape: usize| if shape == END { self.shapes.len() } else { shape };
        self.arrows.iter().map(|arrow| place(arrow.from).abs_diff(place(arrow.to))).sum()
    }

    fn shape(&mut self, look: Look, within: Option<usize>, name: &str, does: &str, title: &str) -> usize {
        let (name, does, title) = (name.to_owned(), does.to_owned(), title.to_owned());
        self.shapes.push(Shape { look, within, name, does, title });
        self.shapes.len() - 1
    }

    fn arrow(&mut self, from: usize, to: usize, label: &str) {
        self.draw(Arrow { from, to, label: label.to_owned(), aside: false });
    }

    fn aside(&mut self, from: usize, to: usize, label: &str) {
        self.draw(Arrow { from, to, label: label.to_owned(), aside: true });
    }

    /// Two ways between the same shapes are one arrow with both labels.
    fn draw(&mut self, arrow: Arrow) {
        let same = |known: &&mut Arrow| (known.from, known.to) == (arrow.from, arrow.to);
        match self.arrows.iter_mut().find(same) {
            Some(known) if known.label.is_empty() || arrow.label.is_empty() => {
                known.label += &arrow.label;
                known.aside &= arrow.aside;
            }
            Some(known) => {
                known.label = format!("{}, {}", known.label, arrow.label);
                known.aside &= arrow.aside;
            }
            None => self.arrows.push(arrow),
        }
    }

    /// A list of tasks; gives the shape where it begins.
    fn list(&mut self, tasks: &[Task], within: Option<usize>, leave: usize, catch: Option<usize>) -> usize {
        // A task with others in it stands in a frame with them, and is where they are entered.
        let mut frames = Vec::new();
        let mut entries = Vec::new();
        for task in tasks {
            let frame =
                matches!(task.work, Work::Do(_) | Work::For(_) | Work::Fork(_) | Work::Function(_) | Work::Try(_))
                    .then(|| self.shape(Look::Frame, within, "", "", ""));
            let (look, does) = meaning(task);
            entries.push(self.shape(look, frame.or(within), &task.name, &does, &task.definition));
            frames.push(frame);
        }
        for (place, (task, frame)) in tasks.iter().zip(frames).enumerate() {
            let Some(own) = entries.get(place).copied() else { continue };
            let around = Around { within: frame.or(within), entries: &entries, place, leave, catch };
            if task.condition.is_some() {
                self.aside(own, around.next(), "if not");
            }
            self.task(task, own, around);
        }
        entries.first().copied().unwrap_or(leave)
    }

    fn task(&mut self, task: &Task, own: usize, around: Around<'_>) {
        let then = target(&task.then, around);
        match &task.work {
            Work::Set(_) | Work::Emit(_) | Work::Wait(_) | Work::Call(_) | Work::Run(_) | Work::Broken => {
                self.arrow(own, then, "")
            }
            Work::Raise(_) => {
                if let Some(catch) = around.catch {
                    self.aside(own, catch, "");
                }
            }
            Work::Switch(cases) => {
                for case in cases {
                    self.arrow(own, target(&case.then, around), &case.name);
                }
                if cases.iter().all(|case| case.when.is_some()) {
                    self.arrow(own, then, "else");
                }
            }
            Work::Do(tasks) => {
                let first = self.list(tasks, around.within, then, around.catch);
                self.arrow(own, first, "");
            }
            Work::Fork(fork) => {
                for branch in &fork.branches {
                    let first = self.list(std::slice::from_ref(branch), around.within, then, None);
                    self.arrow(own, first, "");
                }
            }
            Work::Function(function) => {
                let first = self.list(std::slice::from_ref(&function.task), around.within, then, around.catch);
                self.arrow(own, first, "");
            }
            Work::For(work) => {
                let first = self.list(&work.tasks, around.within, own, around.catch);
                self.arrow(own, first, &format!("each {}", work.each));
                self.arrow(own, then, "done");
            }
            Work::Try(work) => {
                let handler = self.shape(Look::Error, around.within, "catch", &caught(task), "");
                let first = self.list(&work.tasks, around.within, then, Some(handler));
                self.arrow(own, first, "");
                self.aside(own, handler, "error");
                if work.retry.is_some() {
                    self.aside(handler, own, "retry");
                }
                let leave = target(work.then.as_ref().unwrap_or(&task.then), around);
                match &work.caught {
                    Some(tasks) => {
                        let first = self.list(tasks, around.within, leave, around.catch);
                        self.arrow(handler, first, "");
                    }
                    None if work.retry.is_some() => {}
                    None => self.arrow(handler, leave, ""),
                }
            }
        }
    }
}

fn target(jump: &Jump, around: Around<'_>) -> usize {
    match &jump.to {
        Target::Continue | Target::Named(_) => around.next(),
        Target::Exit => around.leave,
        Target::End => END,
        Target::Task(place) => around.entries.get(*place).copied().unwrap_or(around.leave),
    }
}

/// What a task does.
fn meaning(task: &Task) -> (Look, String) {
    let kind = |look, does: &str| (look, does.to_owned());
    match &task.work {
        Work::Emit(_) => kind(Look::Data, "emit"),
        Work::Set(_) => kind(Look::Data, "set"),
        Work::Wait(_) => kind(Look::Wait, "wait"),
        Work::Raise(_) => kind(Look::Error, "raise"),
        Work::Switch(_) => kind(Look::Control, "switch"),
        Work::Do(_) => kind(Look::Control, "do"),
        Work::Fork(fork) => kind(Look::Control, if fork.compete { "fork, the first wins" } else { "fork" }),
        Work::For(work) => (Look::Control, format!("for each {}", work.each)),
        Work::Try(_) => kind(Look::Control, "try"),
        Work::Call(Call::Map { name, .. }) => (Look::Data, format!("map {name}")),
        Work::Call(Call::Operation(operation)) => (Look::Call, called(operation)),
        Work::Function(_) => kind(Look::Control, "call"),
        Work::Run(run) => (Look::Call, format!("run {}", run.name)),
        Work::Call(Call::Broken(_)) | Work::Broken => (Look::Call, described(&task.definition).unwrap_or_default()),
    }
}

/// A call of an operation whose description is not there: the operation, and what the description is called.
fn described(definition: &str) -> Option<String> {
    let task: serde_json::Value = serde_json::from_str(definition).ok()?;
    let with = task.get("with").filter(|_| task.get("call").is_some_and(|call| call == "openapi"))?;
    let endpoint = with.pointer("/document/endpoint")?;
    let address = endpoint.get("uri").unwrap_or(endpoint).as_str()?;
    let name = address.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(address);
    Some(format!("{} {name}", with.get("operationId")?.as_str()?))
}

fn called(operation: &Operation) -> String {
    let at = match &operation.account {
        Account::Declared { name, .. } => name.as_str(),
        Account::Origin(origin) => origin.as_str(),
        Account::Broken => "",
    };
    format!("{}.{} {at}", operation.connector, operation.operation)
}

/// Which errors a handler is for.
fn caught(task: &Task) -> String {
    let Work::Try(work) = &task.work else { return String::new() };
    let fields = work.filter.iter().filter_map(|filter| {
        let value: serde_json::Value = serde_json::from_str(filter.any_of.first()?).ok()?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(text.rsplit('/').next().unwrap_or_default().to_owned())
    });
    fields.collect::<Vec<_>>().join(" ")
}
