//! Which tasks of a flow its cases entered, and which rules of its mappings gave something.
//!
//! Rules are counted in a run of their own, by a module that marks them: what is tested is what is deployed,
//! which has no marks.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use lockgate_compiler::{Mark, Project, Sources};
use lockgate_engine::{Module, Watch};
use lockgate_mapping::rules::Lines;
use serde::Serialize;

use crate::author::workbench::Workbench;

/// Tasks and rules of one flow over all its cases.
#[derive(Serialize)]
pub struct Coverage {
    pub project: String,
    pub flow: String,
    /// How many tasks it has.
    pub tasks: usize,
    /// How many of them were entered.
    pub entered: usize,
    /// Pointers of the others, in the order of the flow.
    pub missing: Vec<String>,
    /// How many rules the mappings have that it calls.
    pub rules: usize,
    /// How many of them gave something.
    pub gave: usize,
    /// The others.
    pub rules_missing: Vec<Rule>,
    #[serde(skip)]
    marked: Option<Arc<Module>>,
}

/// A rule of a mapping.
#[derive(Serialize)]
pub struct Rule {
    pub file: String,
    pub line: usize,
    pub to: String,
    /// Its slot in the frame of the module that marks.
    #[serde(skip)]
    slot: usize,
}

impl Coverage {
    /// No case was run yet.
    pub fn new(project: &Project, sources: &Sources, flow: &str, module: &Module, bench: &Workbench) -> Self {
        let mut seen = BTreeSet::new();
        // The flow's own input and output stand in the table too and are no tasks.
        let pointers = module.tasks().iter().map(|task| &task.pointer).filter(|pointer| pointer.starts_with("/do/"));
        let missing: Vec<String> = pointers.filter(|pointer| seen.insert(*pointer)).cloned().collect();
        // Mappings that are too large to be marked besides are not counted.
        let marked = project.marked(flow).filter(|(_, marks)| !marks.is_empty());
        let marked = marked.and_then(|(compiled, marks)| Some((bench.load(&compiled).ok()?, marks)));
        let rules_missing = marked.as_ref().map_or_else(Vec::new, |(_, marks)| places(marks, sources));
        Self {
            project: project.id().to_string(),
            flow: flow.to_owned(),
            tasks: missing.len(),
            entered: 0,
            missing,
            rules: rules_missing.len(),
            gave: 0,
            rules_missing,
            marked: marked.map(|(module, _)| module),
        }
    }

    /// These tasks were entered.
    pub fn entered<'t>(&mut self, tasks: impl Iterator<Item = &'t str>) {
        let entered: BTreeSet<&str> = tasks.collect();
        self.missing.retain(|pointer| !entered.contains(pointer.as_str()));
        self.entered = self.tasks - self.missing.len();
    }

    /// The module that marks, where rules have yet to give something.
    pub fn marked(&self) -> Option<&Arc<Module>> {
        self.marked.as_ref().filter(|_| !self.rules_missing.is_empty())
    }

    /// The rules of these slots gave something.
    pub fn gave(&mut self, slots: &BTreeSet<usize>) {
        self.rules_missing.retain(|rule| !slots.contains(&rule.slot));
        self.gave = self.rules - self.rules_missing.len();
    }
}

/// Where the rules stand, in the order of their files.
fn places(marks: &[Mark], sources: &Sources) -> Vec<Rule> {
    let mut lines: Option<(&str, Lines)> = None;
    let mut rules = Vec::new();
    for (slot, Mark { file, span, to }) in marks.iter().enumerate() {
        if lines.as_ref().is_none_or(|(of, _)| of != file) {
            lines = Some((file, Lines::of(sources.0.get(file).map_or("", String::as_str))));
        }
        let line = lines.as_ref().map_or(1, |(_, lines)| lines.line(span.start));
        rules.push(Rule { file: file.clone(), line, to: to.clone(), slot });
    }
    rules.sort_by(|a, b| (&a.file, a.line, a.slot).cmp(&(&b.file, b.line, b.slot)));
    rules
}

/// Which numbers of a frame were not 0 when the run was over.
#[derive(Default)]
pub struct Marks(Mutex<BTreeSet<usize>>);

impl Marks {
    /// Their slots.
    pub fn slots(&self) -> BTreeSet<usize> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Watch for Marks {
    fn ended(&self, ints: &[i64]) {
        let slots = ints.iter().enumerate().filter(|(_, int)| **int != 0).map(|(slot, _)| slot);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(slots);
    }
}
