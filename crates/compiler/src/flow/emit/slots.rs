//! The frame's slots, numbered statically, and the names that expressions know them by.

use lockgate_mapping::expression::{Unbound, builtins, is_builtin};
use lockgate_model::{Diagnostic, Span};

use crate::expression::Scope;
use crate::flow::formula::{Place, is_argument};
use crate::flow::tree::Flow;
use crate::reader::nearest;

/// Slot of the run's input; it is never written.
pub(super) const INPUT: u32 = 0;
/// Slot of the current data; at the end it holds the output.
pub(super) const DATA: u32 = 1;

/// Hands out slots; those of a task that ended serve the next one.
#[derive(Debug)]
pub(super) struct Slots {
    value: Count,
    int: Count,
}

/// Slots in use and the most that ever were.
#[derive(Debug, Clone, Copy)]
struct Count {
    used: u32,
    most: u32,
}

impl Count {
    fn take(&mut self) -> u32 {
        let slot = self.used;
        self.used += 1;
        self.most = self.most.max(self.used);
        slot
    }
}

/// How many slots were in use at some point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    value: u32,
    int: u32,
}

impl Slots {
    pub fn new() -> Self {
        Self { value: Count { used: DATA + 1, most: DATA + 1 }, int: Count { used: 0, most: 0 } }
    }
    /// A value slot.
    pub fn value(&mut self) -> u32 {
        self.value.take()
    }
    /// An i64 slot.
    pub fn int(&mut self) -> u32 {
        self.int.take()
    }
    /// Remembers which slots are in use.
    pub fn mark(&self) -> Mark {
        Mark { value: self.value.used, int: self.int.used }
    }
    /// Gives back what was taken since.
    pub fn release(&mut self, mark: Mark) {
        self.value.used = mark.value;
        self.int.used = mark.int;
    }
    /// Value slots of the frame.
    pub fn values(&self) -> u32 {
        self.value.most
    }
    /// i64 slots of the frame.
    pub fn ints(&self) -> u32 {
        self.int.most
    }
}

/// What `$name` means where an expression stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// `$context`, once something in the flow mentions it.
    pub context: Option<u32>,
    /// `$workflow`
    pub workflow: Option<u32>,
    /// `$runtime`
    pub runtime: Option<u32>,
    /// `$task`, where the task's own expressions use it.
    pub task: Option<u32>,
    /// `$input` of the task.
    pub input: Option<u32>,
    /// `$output` of the task.
    pub output: Option<u32>,
    /// Items, indexes and errors of the tasks around, innermost last.
    pub variables: Vec<(String, u32)>,
}

impl Names {
    /// Slots for the runtime's arguments that the flow uses.
    pub fn of(flow: &Flow, slots: &mut Slots) -> Self {
        let mut exports = false;
        flow.each_task(&mut |task| exports |= !task.export.is_empty());
        // An export that nothing reads is still computed: it may fail, and a `catch` may want that.
        let context = (exports || flow.mentions("context")).then(|| slots.value());
        let mut slot = |name: &str| flow.mentions(name).then(|| slots.value());
        Self { context, workflow: slot("workflow"), runtime: slot("runtime"), ..Self::default() }
    }
}

impl Names {
    fn slot(&self, name: &str) -> Option<u32> {
        match name {
            "context" => self.context,
            "workflow" => self.workflow,
            "runtime" => self.runtime,
            "task" => self.task,
            "input" => self.input,
            "output" => self.output,
            _ => self.variables.iter().rev().find(|(known, _)| known == name).map(|(_, slot)| *slot),
        }
    }
}

/// The names of a place.
pub(super) struct Here<'n> {
    /// What they mean.
    pub names: &'n Names,
    /// What kind of place it is.
    pub place: Place,
}

impl Scope for Here<'_> {
    fn slot(&self, name: &str) -> Option<u32> {
        self.names.slot(name)
    }

    fn unbound(&self, unbound: &Unbound<'_>) -> Option<Diagnostic> {
        let name = unbound.name;
        let elsewhere = match name {
            "error" => Some("`$error` exists inside a `catch` without `as`; to fail on purpose, use a `raise` task"),
            "item" => Some("`$item` exists inside a loop without `each`"),
            "index" => Some("`$index` exists inside a loop without `at`"),
            // The runtime's own are reported where the expression is read.
            _ if is_argument(name) => return None,
            // There is such a function, and it is reported as not compiled.
            _ if is_builtin(name) => return None,
            _ => None,
        };
        let variables = self.names.variables.iter().map(|(name, _)| name.as_str());
        let known = variables.chain(unbound.own.iter().copied()).chain(self.place.arguments().iter().copied());
        let help = match (elsewhere, nearest(name, known.clone().chain(builtins().filter(|_| unbound.called)))) {
            _ if unbound.later => "it is bound further on: put its `:=` first".to_owned(),
            (Some(elsewhere), _) => elsewhere.to_owned(),
            (None, Some(near)) => format!("did you mean `${near}`?"),
            (None, None) => format!("usable here: {}", known.map(|n| format!("`${n}`")).collect::<Vec<_>>().join(", ")),
        };
        let message = format!("nothing is called `${name}` here");
        Some(Diagnostic::new("LG-FLOW-ARGUMENT", Span::default(), message).help(help))
    }
}
