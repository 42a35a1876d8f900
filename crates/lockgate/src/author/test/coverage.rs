//! Which tasks of a flow its cases entered.

use std::collections::BTreeSet;

use lockgate_engine::{Module, Outcome};
use serde::Serialize;

/// Tasks of one flow over all its cases.
#[derive(Serialize)]
pub struct Coverage {
    pub project: String,
    pub flow: String,
    /// How many it has.
    pub tasks: usize,
    /// How many of them were entered.
    pub entered: usize,
    /// Pointers of the others, in the order of the flow.
    pub missing: Vec<String>,
}

impl Coverage {
    /// No case was run yet.
    pub fn new(project: &str, flow: &str, module: &Module) -> Self {
        let mut seen = BTreeSet::new();
        // The flow's own input and output stand in the table too and are no tasks.
        let pointers = module.tasks().iter().map(|task| &task.pointer).filter(|pointer| pointer.starts_with("/do/"));
        let missing: Vec<String> = pointers.filter(|pointer| seen.insert(*pointer)).cloned().collect();
        Self { project: project.to_owned(), flow: flow.to_owned(), tasks: missing.len(), entered: 0, missing }
    }

    /// A case was run.
    pub fn add(&mut self, outcome: &Outcome) {
        let entered: BTreeSet<&str> = outcome.tasks.iter().map(|time| time.task.as_str()).collect();
        self.missing.retain(|pointer| !entered.contains(pointer.as_str()));
        self.entered = self.tasks - self.missing.len();
    }
}
