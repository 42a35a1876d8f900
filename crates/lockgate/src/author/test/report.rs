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
/// Bytes of a long value that are shown before the place where it differs.
const BEFORE_BYTES: usize = 40;

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
            let of = self.of(&case.project);
            text.push_str(&format!("{mark} {of}{}/{}", case.flow, cut_text(&case.case, VALUE_CHARS_MAX)));
            if let Some(title) = &case.title {
                text.push_str(&format!(": {}", cut_text(title, VALUE_CHARS_MAX)));
            }
            text.push('\n');
            for difference in &case.differences.told {
                text.push_str(&format!("         {}\n", place(difference)));
                let (expected, actual) = shown(difference);
                text.push_str(&format!("           expected {}\n", paint("32", &expected)));
                text.push_str(&format!("           actual   {}\n", paint("31", &actual)));
            }
            if case.differences.more > 0 {
                text.push_str(&format!("         and {} more differences\n", case.differences.more));
            }
            for note in &case.notes {
                text.push_str(&format!("         {}\n", cut_text(note, VALUE_CHARS_MAX)));
            }
        }
        text.push('\n');
        for Coverage { project, flow, tasks, entered, missing: pointers, rules, gave, rules_missing, .. } in
            &self.coverage
        {
            let of = self.of(project);
            text.push_str(&format!("{of}{flow}: {entered} of {tasks} tasks entered"));
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
        for Untested { project, flow } in &self.without_cases {
            text.push_str(&format!("{}{flow}: no cases\n", self.of(project)));
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

    /// A project's name before those of its flows, where there are several projects.
    fn of(&self, project: &str) -> String {
        let all =
            self.cases.iter().map(|case| &case.project).chain(self.without_cases.iter().map(|flow| &flow.project));
        if all.into_iter().all(|other| other == project) { String::new() } else { format!("{project}/") }
    }
}

/// Where a difference is.
pub fn place(difference: &Difference) -> String {
    let Difference { of, path, .. } = difference;
    if path.is_empty() { of.clone() } else { format!("{of} {}", cut_text(path, VALUE_CHARS_MAX)) }
}

/// Expected and actual value of a difference, cut; long ones begin where they begin to differ.
pub fn shown(difference: &Difference) -> (String, String) {
    let (Some(expected), Some(actual)) = (&difference.expected, &difference.actual) else {
        let one = |json: &Option<String>| {
            json.as_ref().map_or_else(|| "nothing".to_owned(), |json| cut_text(json, VALUE_CHARS_MAX))
        };
        return (one(&difference.expected), one(&difference.actual));
    };
    let same: usize = expected.chars().zip(actual.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let from = expected.floor_char_boundary(same.saturating_sub(BEFORE_BYTES));
    let one = |json: &str| match json.get(from..) {
        Some(rest) if from > 0 && same > VALUE_CHARS_MAX / 2 => format!("…{}", cut_text(rest, VALUE_CHARS_MAX)),
        _ => cut_text(json, VALUE_CHARS_MAX),
    };
    (one(expected), one(actual))
}

#[cfg(test)]
mod tests {
    use super::{Difference, shown};

    #[test]
    fn long_values_are_shown_where_they_differ() {
        let difference = |expected: String, actual: String| {
            let (of, path) = ("output".to_owned(), String::new());
            shown(&Difference { of, path, expected: Some(expected), actual: Some(actual) })
        };
        assert_eq!(difference("1".to_owned(), "2".to_owned()), ("1".to_owned(), "2".to_owned()));
        let long = |end: &str| format!("\"{}{end}\"", "ä".repeat(5000));
        let (expected, actual) = difference(long("x"), long("yz"));
        assert!(expected.starts_with("…ä") && expected.ends_with("äx\""), "{expected}");
        assert!(actual.starts_with("…ä") && actual.ends_with("äyz\"") && actual.chars().count() < 60, "{actual}");
    }
}
