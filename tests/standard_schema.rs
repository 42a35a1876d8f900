//! Every flow that ships is one of the standard's own JSON Schema, as editors read it: those of the repository, the one
//! that `lockgate new` writes, and the examples of the pages. What this runtime adds to the standard stands in places
//! that the standard leaves open.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use lockgate_mapping::yaml;
use lockgate_testkit::{process::program, workspace_root};
use serde_json::Value;

/// What an editor is told the schema by, before its address.
const MODELINE: &str = "# yaml-language-server: $schema=";

const HEAD: &str = "document: { dsl: '1.0.3', namespace: pages, name: example, version: '1.0.0' }\n";

/// The standard's schema.
struct Standard {
    id: String,
    validator: Validator,
}

impl Standard {
    /// None where a developer has no suites.
    fn read() -> Option<Self> {
        let file = lockgate_testkit::suite("sw-ctk")?.join("schema/workflow.yaml");
        let schema = value(&std::fs::read_to_string(file).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        Some(Self { id: schema["$id"].as_str().unwrap().to_owned(), validator })
    }

    /// Where a flow is not of the schema, and how; nothing where it is.
    fn problems(&self, flow: &str) -> Vec<String> {
        let flow = match value(flow) {
            Ok(flow) => flow,
            Err(problem) => return vec![problem],
        };
        let mut told = Vec::new();
        self.validator.iter_errors(&flow).for_each(|error| nearest(&error, &mut told));
        // What is wrong below leaves the whole around it unread.
        let below = |of: &str, place: &str| place.strip_prefix(of).is_some_and(|rest| rest.starts_with('/'));
        let echoes = |problem: &Problem| problem.unread && told.iter().any(|other| below(&problem.place, &other.place));
        told.iter()
            .filter(|problem| !echoes(problem))
            .map(|problem| format!("{}: {}", problem.place, problem.says))
            .collect()
    }
}

struct Problem {
    /// A JSON pointer.
    place: String,
    says: String,
    /// It says no more than that something there was not looked at.
    unread: bool,
}

impl From<&ValidationError<'_>> for Problem {
    fn from(error: &ValidationError) -> Self {
        let unread = matches!(error.kind(), ValidationErrorKind::UnevaluatedProperties { .. });
        Self { place: error.instance_path().to_string(), says: error.masked().to_string(), unread }
    }
}

fn value(text: &str) -> Result<Value, String> {
    let node = yaml::parse("flow", text).map_err(|e| e.to_string())?;
    Ok(serde_json::from_str(&node.to_json()).unwrap())
}

/// How deep in a flow an error was found, within the alternatives of a choice too.
fn depth(error: &ValidationError) -> usize {
    let own = error.instance_path().as_str().matches('/').count();
    alternatives(error).iter().flatten().map(depth).max().unwrap_or(own)
}

fn alternatives<'e>(error: &'e ValidationError) -> &'e [Vec<ValidationError<'static>>] {
    match error.kind() {
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => context,
        _ => &[],
    }
}

/// Of a choice that nothing fits only what the alternative says that was meant: one that is not of another kind by a
/// constant, then the one that came furthest, then the one with the fewest errors.
fn nearest(error: &ValidationError, told: &mut Vec<Problem>) {
    let furthest = |errors: &[ValidationError]| errors.iter().map(depth).max().unwrap_or_default();
    let other = |errors: &[ValidationError]| {
        errors.iter().any(|error| matches!(error.kind(), ValidationErrorKind::Constant { .. }))
    };
    let tried = alternatives(error).iter().filter(|errors| !errors.is_empty());
    match tried.min_by_key(|errors| (other(errors), Reverse(furthest(errors)), errors.len())) {
        Some(errors) => {
            errors.iter().filter(|inner| depth(inner) == furthest(errors)).for_each(|inner| nearest(inner, told));
        }
        None => told.push(error.into()),
    }
}

/// The files below a folder whose names end so; no build folder's.
fn files(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            files(&path, end, found);
        } else if name.ends_with(end) {
            found.push(path);
        }
    }
}

/// The flows of a page by their places: blocks ```` ```yaml ```` without more. Tasks get a head, and `do` around them.
fn flows(page: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(page).unwrap();
    let (mut found, mut open) = (BTreeMap::new(), None::<(String, bool, String)>);
    for (line, content) in (1..).zip(text.lines()) {
        match (&mut open, content.trim_start().strip_prefix("```")) {
            (None, Some(fence)) => {
                open = Some((format!("{}:{line}", page.display()), fence.trim() == "yaml", String::new()));
            }
            (Some((.., block)), None) => writeln!(block, "{content}").unwrap(),
            (Some(_), Some(_)) => {
                let (place, is_flow, block) = open.take().unwrap();
                if is_flow {
                    let lines = || block.lines();
                    let has = |key: &str| lines().any(|line| line.starts_with(key));
                    let head = if has("document:") { "" } else { HEAD };
                    let tasks = if has("do:") { "" } else { "do:\n" };
                    found.insert(place, format!("{head}{tasks}{block}"));
                }
            }
            (None, None) => {}
        }
    }
    found
}

#[test]
fn what_is_not_of_the_standard_is_refused_at_its_place() {
    let Some(standard) = Standard::read() else { return };
    assert!(standard.problems("document: { dsl: '1.0.3'").len() == 1, "no YAML is no flow");
    let task = |task: &str| standard.problems(&format!("{HEAD}do: [ a: {task} ]"));
    assert_eq!(task("{ set: { a: 1 }, output: { as: '${ a }' } }"), [""; 0]);
    for (wrong, place, says) in [
        ("{ set: { a: 1 }, outptu: { as: '${ a }' } }", "/do/0/a", "outptu"),
        ("{ do: [ { b: { wait: PT1S, whne: '${ a }' } } ] }", "/do/0/a/do/0/b", "whne"),
        ("{ for: { each: b, inn: '${ c }' }, do: [ { b: { set: { c: 1 } } } ] }", "/do/0/a/for", "in"),
        ("{ try: [ { b: { set: { c: 1 } } } ], catch: { retry: { dealy: PT1S } } }", "/do/0/a/catch/retry", "dealy"),
        ("{ call: http, with: { method: get } }", "/do/0/a/with", "endpoint"),
        ("{ raise: { error: { type: https://example.com/x } } }", "/do/0/a/raise/error", "status"),
        ("{ wait: { minuts: 1 } }", "/do/0/a/wait", "minuts"),
        ("{ wait: 5 }", "/do/0/a/wait", "type"),
        ("{}", "/do/0/a", "required"),
    ] {
        let told = task(wrong);
        let named = told.iter().any(|problem| problem.starts_with(&format!("{place}: ")) && problem.contains(says));
        assert!(named, "{wrong}: {told:#?}");
    }
    for (wrong, says) in [
        ("do: []", "document"),
        ("document: { dsl: '1.0.3', namespace: t, name: a, version: '1.0.0' }", "do"),
        ("document: { dsl: '1.0.3', namespace: t, name: a, version: one }\ndo: []", "/document/version"),
        ("document: { dsl: '1.0.3', namespace: t, name: a b, version: '1.0.0' }\ndo: []", "/document/name"),
    ] {
        let told = standard.problems(wrong);
        assert!(told.iter().any(|problem| problem.contains(says)), "{wrong}: {told:#?}");
    }
}

#[test]
fn every_flow_that_ships_is_of_the_standard() {
    let Some(standard) = Standard::read() else { return };
    let (root, made) = (workspace_root(), lockgate_testkit::temp_dir());
    let output = Command::new(program()).args(["new", "made", "--in"]).arg(made.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let (mut paths, mut pages) = (Vec::new(), Vec::new());
    files(&root, ".flow.yaml", &mut paths);
    files(made.path(), ".flow.yaml", &mut paths);
    files(&root, ".md", &mut pages);
    let written = paths.len();
    let read = |path: PathBuf| (path.display().to_string(), std::fs::read_to_string(&path).unwrap());
    let mut all: BTreeMap<String, String> = paths.into_iter().map(read).collect();
    let shown = pages.iter().flat_map(|page| flows(page)).collect::<BTreeMap<_, _>>();
    assert!(written >= 45 && shown.len() >= 20, "only {written} flows, and {} in the pages", shown.len());
    all.extend(shown);
    let mut wrong = String::new();
    for (place, flow) in &all {
        for problem in standard.problems(flow) {
            writeln!(wrong, "{place}: {problem}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn editors_are_told_the_address_that_the_schema_has() {
    let Some(standard) = Standard::read() else { return };
    let root = workspace_root();
    let line = format!("{MODELINE}{}", standard.id);
    for file in ["crates/lockgate/src/author/template/flow.yaml", "docs/orchestrations.md"] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let lines: Vec<_> = text.lines().filter(|line| line.starts_with(MODELINE)).collect();
        assert_eq!(lines, [&line], "{file}");
    }
}
