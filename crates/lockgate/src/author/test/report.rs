//! What came of all cases, for people and for programs.

use std::io::IsTerminal;

use serde::Serialize;

use super::{
    case::Verdict,
    compare::Difference,
    coverage::{Coverage, Rule},
};
use crate::author::value::cut_text;

/// Characters of a value that people are shown.
const VALUE_CHARS_MAX: usize = 300;

/// All cases that were run.
#[derive(Default)]
pub struct Report {
    pub cases: Vec<Verdict>,
    pub coverage: Vec<Coverage>,
    pub without_cases: Vec<Untested>,
}

/// A flow that has no case.
#[derive(Serialize)]
pub struct Untested {
    pub project: String,
    pub flow: String,
}

/// The report as JSON.
#[derive(Serialize)]
pub struct Summed<'r> {
    passed: usize,
    failed: usize,
    cases: Vec<One<'r>>,
    coverage: &'r [Coverage],
    without_cases: &'r [Untested],
}

#[derive(Serialize)]
struct One<'r> {
    project: &'r str,
    flow: &'r str,
    case: &'r str,
    file: &'r str,
    title: Option<&'r str>,
    passed: bool,
    ms: u128,
    differences: &'r [Difference],
    differences_more: usize,
    notes: &'r [String],
}

impl Report {
    /// How many cases failed.
    pub fn failed(&self) -> usize {
        self.cases.iter().filter(|case| !case.passed()).count()
    }

    /// For programs.
    pub fn summed<'r>(&'r self) -> Summed<'r> {
        let one = |case: &'r Verdict| {
            let Verdict { project, flow, case: name, file, title, took, differences, notes } = case;
            One {
                project,
                flow,
                case: name,
                file,
                title: title.as_deref(),
                passed: case.passed(),
                ms: took.as_millis(),
                differences: &differences.told,
                differences_more: differences.more,
                notes,
            }
        };
        Summed {
            passed: self.cases.len() - self.failed(),
            failed: self.failed(),
            cases: self.cases.iter().map(one).collect(),
            coverage: &self.coverage,
            without_cases: &self.without_cases,
        }
    }

    /// For people; `missing` lists the tasks that were not entered and the rules that gave nothing.
    pub fn text(&self, missing: bool) -> String {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let paint = |code: &str, text: &str| {
            if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
        };
        if self.cases.is_empty() {
            return "no cases: write one as cases/<flow>/<case>.yaml\n".to_owned();
        }
        let mut text = String::new();
        for case in &self.cases {
            let mark = if case.passed() { paint("32", "ok    ") } else { paint("31;1", "FAILED") };
            text.push_str(&format!("{mark} {}/{}", case.flow, cut_text(&case.case, VALUE_CHARS_MAX)));
            if let Some(title) = &case.title {
                text.push_str(&format!(": {}", cut_text(title, VALUE_CHARS_MAX)));
            }
            text.push('\n');
            for difference in &case.differences.told {
                text.push_str(&format!("         {}\n", place(difference)));
                text.push_str(&format!("           expected {}\n", paint("32", &shown(&difference.expected))));
                text.push_str(&format!("           actual   {}\n", paint("31", &shown(&difference.actual))));
            }
            if case.differences.more > 0 {
                text.push_str(&format!("         and {} more differences\n", case.differences.more));
            }
            for note in &case.notes {
                text.push_str(&format!("         {}\n", cut_text(note, VALUE_CHARS_MAX)));
            }
        }
        text.push('\n');
        for Coverage { flow, tasks, entered, missing: pointers, rules, gave, rules_missing, .. } in &self.coverage {
            text.push_str(&format!("{flow}: {entered} of {tasks} tasks entered"));
            if *rules > 0 {
                text.push_str(&format!(", {gave} of {rules} rules gave something"));
            }
            text.push('\n');
            for pointer in pointers.iter().filter(|_| missing) {
                text.push_str(&format!("  not entered: {pointer}\n"));
            }
            for Rule { file, line, to, .. } in rules_missing.iter().filter(|_| missing) {
                text.push_str(&format!("  gave nothing: {file}:{line} {to}\n"));
            }
        }
        for Untested { flow, .. } in &self.without_cases {
            text.push_str(&format!("{flow}: no cases\n"));
        }
        let (all, failed) = (self.cases.len(), self.failed());
        let cases = if all == 1 { "case" } else { "cases" };
        let failed = match failed {
            0 => paint("32", "all ok"),
            failed => paint("31;1", &format!("{failed} FAILED")),
        };
        text.push_str(&format!("{all} {cases}: {failed}\n"));
        text
    }
}

/// Where a difference is.
pub fn place(difference: &Difference) -> String {
    let Difference { of, path, .. } = difference;
    if path.is_empty() { of.clone() } else { format!("{of} {}", cut_text(path, VALUE_CHARS_MAX)) }
}

/// A value of a difference, cut.
pub fn shown(json: &Option<String>) -> String {
    json.as_ref().map_or_else(|| "nothing".to_owned(), |json| cut_text(json, VALUE_CHARS_MAX))
}
