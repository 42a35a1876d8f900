//! Orchestrations: the Open Workflow (Serverless Workflow) DSL 1.0 with expressions in jq or JSONata.
//!
//! [`read`] turns a file into a tree with names resolved and every problem collected; [`emit`] turns
//! the tree into one module. What the standard has and this compiler does not have yet is refused
//! with its place (`LG-FLOW-NOT-YET`), what Lockgate will not do is refused for good
//! (`LG-FLOW-REFUSED`); nothing is ignored.
//!
//! Deliberately absent: other languages, loose mode, secrets in expressions, computed origins,
//! containers, scripts and shell commands.

mod authentication;
mod call;
mod content;
mod emit;
mod errors;
mod event;
mod fork;
mod formula;
mod function;
mod http;
mod jumps;
mod length;
mod loops;
mod openapi;
pub mod picture;
mod resource;
mod retry;
mod reuse;
mod run;
mod schedule;
mod schema;
mod soap;
mod streams;
mod switch;
mod task;
#[cfg(test)]
mod tests;
pub(crate) mod tree;

use lockgate_mapping::rules::Lines;
use lockgate_mapping::yaml::{Key, Node};
use lockgate_model::id::TargetName;

use crate::documents::Documents;
use crate::reader::{Language, Reader, find};
use formula::Place;
pub(crate) use formula::is_argument;
use reuse::reusable;
use task::{TaskReader, metadata};
use tree::{Flow, Part};

pub use call::REACH;
pub(crate) use emit::{Surroundings, emit, emit_marked, probe};
pub use errors::{ERROR_HOME, ERROR_TYPES, error_type_names};
pub(crate) use http::origin;
pub(crate) use openapi::Index;
pub(crate) use soap::Description;

/// Reads a flow. Problems go to the reader; what could be read is returned in any case, so that the
/// checks that come later can speak about it too.
pub(crate) fn read(reader: &mut Reader<'_>, node: &Node, documents: &Documents<'_>) -> Flow {
    const KEYS: &[&str] = &["document", "input", "use", "do", "output", "schedule", "evaluate", "timeout"];
    let mut flow = Flow {
        name: String::new(),
        namespace: String::new(),
        version: String::new(),
        lines: Lines::of(reader.text),
        definition: node.to_json(),
        schedule: None,
        timeout: None,
        input: Part::default(),
        output: Part::default(),
        tasks: Vec::new(),
    };
    let Some(entries) = reader.object_of(node, "a flow", KEYS) else { return flow };
    if let Some(node) = reader.required(entries, "document", "a flow", node.span) {
        document(reader, node, &mut flow);
    }
    evaluate(reader, entries);
    flow.schedule = schedule::of(reader, entries);
    let reusable = reusable(reader, find(entries, "use"));
    let mut tasks = TaskReader::new(reader, reusable, documents, &flow.name);
    tasks.functions();
    flow.timeout = find(entries, "timeout").and_then(|node| tasks.timeout(node, Place::FlowOutput));
    if let Some(node) = find(entries, "input") {
        flow.input = tasks.part(node, "input", "from", Place::FlowInput);
    }
    if let Some(node) = find(entries, "output") {
        flow.output = tasks.part(node, "output", "as", Place::FlowOutput);
    }
    if let Some(list) = tasks.reader.required(entries, "do", "a flow", node.span) {
        flow.tasks = tasks.list(list, "/do", "`do`");
    }
    let cycles = std::mem::take(&mut tasks.cycles);
    cycles.into_iter().for_each(|cycle| tasks.reader.refuse(cycle));
    if let Some(task) = tasks.past_limit {
        let message = format!("the flow has more than {} tasks", task::TASKS_MAX);
        reader.problem_help("LG-FLOW-SIZE", task, message, "split it into several flows");
    }
    flow
}

/// Reads `document`.
fn document(reader: &mut Reader<'_>, node: &Node, flow: &mut Flow) {
    const KEYS: &[&str] = &["dsl", "namespace", "name", "version", "title", "summary", "tags", "metadata"];
    let Some(entries) = reader.object_of(node, "`document`", KEYS) else { return };
    for key in ["dsl", "namespace", "name", "version"] {
        let Some(value) = reader.required(entries, key, "`document`", node.span) else { continue };
        let Some(text) = reader.string(value, &format!("`document.{key}`")) else { continue };
        match key {
            "dsl" if !matches!(semver(text), Some([1, 0, _])) => reader.problem_help(
                "LG-FLOW-VALUE",
                value.span,
                format!("version `{text}` of the language is not known"),
                "write `dsl: '1.0.3'`",
            ),
            "version" if semver(text).is_none() => reader.problem_help(
                "LG-FLOW-VALUE",
                value.span,
                format!("`{text}` is no semantic version"),
                "write it like `1.0.0`",
            ),
            "namespace" if !is_label(text) => reader.problem_help(
                "LG-FLOW-VALUE",
                value.span,
                format!("`{text}` is no namespace"),
                "1 to 63 letters, digits and `-`",
            ),
            "name" => match TargetName::parse(text) {
                Ok(_) if is_label(text) => text.clone_into(&mut flow.name),
                _ => reader.problem_help(
                    "LG-FLOW-VALUE",
                    value.span,
                    format!("`{text}` is no name of a flow"),
                    "1 to 63 of `a-z 0-9 -`, beginning and ending with a letter or digit",
                ),
            },
            "version" => text.clone_into(&mut flow.version),
            "namespace" => text.clone_into(&mut flow.namespace),
            _ => {}
        }
    }
    for (key, value) in entries {
        match key.text.as_str() {
            "title" | "summary" => {
                reader.string(value, &format!("`document.{}`", key.text));
            }
            "tags" | "metadata" => metadata(reader, value),
            _ => {}
        }
    }
}

/// Reads `evaluate`: the language of the flow's expressions, jq where nothing else is said.
fn evaluate(reader: &mut Reader<'_>, entries: &[(Key, Node)]) {
    let Some(node) = find(entries, "evaluate") else { return };
    let Some(own) = reader.object_of(node, "`evaluate`", &["language", "mode"]) else { return };
    if let Some(language) = find(own, "language") {
        match reader.string(language, "`evaluate.language`") {
            None | Some("jq") => {}
            Some("jsonata") => reader.language = Language::Jsonata,
            Some(other) => {
                let message = format!("the expression language `{other}` is not supported");
                let help = "write `evaluate: { language: jsonata }`, or leave it out for jq";
                reader.problem_help("LG-FLOW-LANGUAGE", language.span, message, help);
            }
        }
    }
    if let Some(mode) = find(own, "mode") {
        match reader.string(mode, "`evaluate.mode`") {
            None | Some("strict") => {}
            Some("loose") => reader.problem_help(
                "LG-FLOW-REFUSED",
                mode.span,
                "loose mode is refused: what is an expression must be visible",
                "remove `mode` and write expressions as `${ … }`",
            ),
            Some(_) => reader.problem("LG-FLOW-VALUE", mode.span, "`evaluate.mode` must be `strict`"),
        }
    }
}

/// The three numbers of a semantic version.
fn semver(text: &str) -> Option<[u32; 3]> {
    let core = text.split(['-', '+']).next()?;
    let mut numbers = core.split('.').map(|number| {
        let plain = !number.is_empty() && (number == "0" || !number.starts_with('0'));
        number.parse().ok().filter(|_| plain)
    });
    let version = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(version)
}

/// A DNS label, as the standard wants names and namespaces.
fn is_label(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    edge(text.chars().next())
        && edge(text.chars().last())
        && text.len() <= 63
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}
