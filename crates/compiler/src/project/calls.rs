//! Calls of flows against what the project declares and the catalog has.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_mapping::MapFile;
use lockgate_model::Diagnostic;
use lockgate_model::id::AccountName;
use lockgate_model::manifest::StreamContent;

use super::declaration::Declaration;
use super::input;
use super::sources::{Catalog, OperationInfo, version_matches};
use crate::flow::tree::{Account, Call, Content, Flow, Items, Operation, Taken, Work};
use crate::reader::{Reader, list, nearest};

/// Checks the calls against the project itself; without `accounts` nothing is known of these.
pub(super) fn check_declared(
    reader: &mut Reader<'_>,
    flow: &Flow,
    accounts: Option<&BTreeMap<AccountName, Declaration>>,
    maps: &BTreeMap<String, MapFile>,
) {
    each_call(flow, &mut |call| match call {
        Call::Broken(_) => {}
        Call::Operation(operation) => {
            if let Some(accounts) = accounts {
                declared(reader, operation, accounts);
            }
        }
        Call::Map { name, version, span, .. } => match maps.get(name) {
            None => {
                let known = maps.keys().map(String::as_str);
                let help = match nearest(name, known.clone()) {
                    Some(near) => format!("did you mean `map.{near}`?"),
                    None => format!("mappings of this project: {}; a new one stands in `{name}.map.yaml`", list(known)),
                };
                reader.refuse(
                    Diagnostic::new("LG-UNKNOWN-MAPPING", *span, format!("there is no mapping `{name}`"))
                        .help(help)
                        .token(name),
                );
            }
            Some(map) => {
                if let Some(version) = version
                    && !map.version.is_empty()
                    && !version_matches(version, &map.version)
                {
                    reader.problem_help(
                        "LG-UNKNOWN-MAPPING",
                        *span,
                        format!("there is no version {version} of mapping `{name}`"),
                        format!("`{}` has version {}", map.file, map.version),
                    );
                }
            }
        },
    });
}

fn declared(reader: &mut Reader<'_>, operation: &Operation, accounts: &BTreeMap<AccountName, Declaration>) {
    let Account::Declared { name, span } = &operation.account else { return };
    let Some(declaration) = accounts.get(name.as_str()) else {
        let known = accounts.keys().map(AccountName::as_str);
        let help = match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "declare it in project.yaml: `accounts: {{ {name}: {{ connector: {}, operations: [{}] }} }}`",
                operation.connector, operation.operation
            ),
        };
        reader.refuse(
            Diagnostic::new("LG-UNKNOWN-ACCOUNT", *span, format!("there is no account `{name}` in project.yaml"))
                .help(help)
                .token(name),
        );
        return;
    };
    // What the declaration lacks is reported at its own place.
    if declaration.connector.is_empty() || declaration.operations.is_empty() {
        return;
    }
    if declaration.connector != operation.connector {
        reader.problem_help(
            "LG-CALL-ACCOUNT",
            *span,
            format!("account `{name}` is of connector `{}`, not `{}`", declaration.connector, operation.connector),
            format!("call an operation of `{}`, or name another account", declaration.connector),
        );
        return;
    }
    if !declaration.operations.contains(&operation.operation) {
        reader.problem_help(
            "LG-UNDECLARED-OPERATION",
            operation.span,
            format!("account `{name}` does not declare the operation `{}`", operation.operation),
            format!("add it in project.yaml: `operations: [{}]`", {
                let all = declaration.operations.iter().chain([&operation.operation]);
                all.map(String::as_str).collect::<Vec<_>>().join(", ")
            }),
        );
    }
}

/// Checks the calls against the catalog.
pub(super) fn check_known(reader: &mut Reader<'_>, flow: &Flow, catalog: &Catalog) {
    flow.each_task(&mut |task| match &task.work {
        Work::For(work) => {
            if let Items::Stream(taken) = &work.items {
                check_records(reader, taken, catalog);
            }
        }
        Work::Call(Call::Map { input: Items::Stream(taken), .. }) => check_records(reader, taken, catalog),
        _ => {}
    });
    each_call(flow, &mut |call| {
        let Call::Operation(operation) = call else { return };
        let Some(operations) = catalog.connectors.get(&operation.connector) else {
            let known = catalog.connectors.keys().map(String::as_str);
            let help = match nearest(&operation.connector, known.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("installed: {}", list(known)),
            };
            let message = format!("there is no connector `{}`", operation.connector);
            reader.problem_help("LG-UNKNOWN-CONNECTOR", operation.span, message, help);
            return;
        };
        let Some(known) = operations.get(&operation.operation) else {
            let all = operations.keys().map(String::as_str);
            let help = match nearest(&operation.operation, all.clone()) {
                Some(near) => format!("did you mean `{}.{near}`?", operation.connector),
                None => format!("it has {}", list(all)),
            };
            let message = format!("connector `{}` has no operation `{}`", operation.connector, operation.operation);
            reader.problem_help("LG-UNKNOWN-OPERATION", operation.span, message, help);
            return;
        };
        if !version_matches(&operation.version, &known.version) {
            reader.problem_help(
                "LG-UNKNOWN-OPERATION",
                operation.span,
                format!(
                    "there is no version {} of `{}.{}`",
                    operation.version, operation.connector, operation.operation
                ),
                format!("installed: version {}", known.version),
            );
        }
        check_stream(reader, operation, known, catalog);
        input::check(reader, operation, known);
        let is_fixed = |place: &str| known.constant.iter().any(|fixed| holds(fixed, place) || holds(place, fixed));
        for (member, span) in operation.computed.iter().filter(|(place, _)| is_fixed(place)) {
            reader.problem_help(
                "LG-CALL-CONSTANT",
                *span,
                format!("`{member}` of `{}.{}` cannot be computed", operation.connector, operation.operation),
                "a deployment must know it: write it out, and bring data in by the call's other members",
            );
        }
    });
}

/// Whether a place of an input is another one, or holds it: `steps` holds `steps[].sql`.
fn holds(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// What streams must be able to, and what is read or taken must have a form.
fn check_stream(reader: &mut Reader<'_>, operation: &Operation, known: &OperationInfo, catalog: &Catalog) {
    let name = format!("{}.{}", operation.connector, operation.operation);
    if operation.streams && known.gives.is_none() {
        let help = "leave out `stream: true`: its answer is a value";
        reader.problem_help("LG-FLOW-STREAM", operation.span, format!("`{name}` cannot stream its answer"), help);
    }
    if let Some(parse) = &operation.parse {
        if known.gives != Some(StreamContent::Bytes) {
            let message = format!("the answer of `{name}` is not bytes");
            reader.problem_help("LG-FLOW-STREAM", parse.span, message, "leave out `parse`");
        } else if operation.streams && !parse.records {
            no_records(reader, parse);
        }
    }
    let Some(takes) = &operation.takes else { return };
    if known.takes.as_ref() != Some(&takes.member) {
        let help = match &known.takes {
            Some(member) => format!("it takes one as `{member}`"),
            None => "only an operation that sends content takes one (`lockgate connector doc`)".to_owned(),
        };
        let message = format!("`{name}` takes no stream as `{}`", takes.member);
        reader.problem_help("LG-FLOW-STREAM", takes.stream.span, message, help);
    }
    match (content(&takes.stream, catalog), &takes.format) {
        (Some(StreamContent::Records), None) => reader.problem_help(
            "LG-FLOW-STREAM",
            takes.stream.span,
            "this stream is of records, and nothing says how they are written",
            "say it beside: `format: csv`, `json`, `json-lines`, …",
        ),
        (Some(StreamContent::Records), Some(format)) if !format.records => no_records(reader, format),
        (Some(StreamContent::Bytes), Some(format)) => reader.problem_help(
            "LG-FLOW-STREAM",
            format.span,
            "this stream is of bytes, which pass as they are",
            "leave out `format`, or say what the bytes mean in the call that streams: `parse: csv`",
        ),
        _ => {}
    }
}

fn no_records(reader: &mut Reader<'_>, content: &Content) {
    let help = "name the root and a record: `{ xml: { records: orders/order } }`";
    reader.problem_help("LG-FLOW-STREAM", content.span, "nothing says what the records are", help);
}

/// Checks that what goes record by record has records.
fn check_records(reader: &mut Reader<'_>, taken: &Taken, catalog: &Catalog) {
    if content(taken, catalog) == Some(StreamContent::Bytes) && taken.maps.is_empty() {
        let help = "say what they mean in the call that streams: `parse: csv`";
        reader.problem_help("LG-FLOW-STREAM", taken.span, "this stream is of bytes, which are no records", help);
    }
}

/// What a stream is of, where that is known.
fn content(taken: &Taken, catalog: &Catalog) -> Option<StreamContent> {
    let from = taken.from.as_ref()?;
    let gives = catalog.connectors.get(&from.connector)?.get(&from.operation)?.gives?;
    Some(if from.is_parsed || !taken.maps.is_empty() { StreamContent::Records } else { gives })
}

/// What the calls of a flow are mocked as: `<account>.<operation>`, or `<connector>.<operation>`; what it runs as
/// `run.<flow>`.
pub(super) fn names(flow: &Flow) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    flow.each_task(&mut |task| {
        if let Work::Run(run) = &task.work {
            names.insert(format!("run.{}", run.name));
        }
    });
    each_call(flow, &mut |call| {
        let Call::Operation(operation) = call else { return };
        names.insert(format!("{}.{}", operation.connector, operation.operation));
        match &operation.account {
            Account::Declared { name: account, .. } | Account::Origin(account) => {
                names.insert(format!("{account}.{}", operation.operation));
            }
            Account::Broken => {}
        }
    });
    names
}

/// A stream from one task of a flow into the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// JSON pointer of the task that streams.
    pub from_task: String,
    /// What it calls, such as `postgres.query`.
    pub from: String,
    /// JSON pointer of the task that takes the stream.
    pub into_task: String,
    /// What that calls, or `for`.
    pub into: String,
    /// The member that is the stream.
    pub member: String,
}

/// The streams of a flow, in the order of its tasks.
pub(super) fn streams(flow: &Flow) -> Vec<Stream> {
    let mut streams = Vec::new();
    flow.each_task(&mut |task| {
        let (taken, into, member) = match &task.work {
            Work::Call(Call::Operation(operation)) => {
                let Some(takes) = &operation.takes else { return };
                let into = format!("{}.{}", operation.connector, operation.operation);
                (&takes.stream, into, takes.member.as_str())
            }
            Work::Call(Call::Map { name, input: Items::Stream(taken), .. }) => (taken, format!("map.{name}"), "input"),
            Work::For(work) => match &work.items {
                Items::Stream(taken) => (taken, "for".to_owned(), "in"),
                Items::Value(_) => return,
            },
            _ => return,
        };
        let Some(from) = &taken.from else { return };
        let (from_task, from) = match taken.maps.last() {
            Some(map) => (map.task.clone(), format!("map.{}", map.name)),
            None => (from.task.clone(), format!("{}.{}", from.connector, from.operation)),
        };
        streams.push(Stream { from_task, from, into_task: task.pointer.clone(), into, member: member.to_owned() });
    });
    streams
}

fn each_call<'f>(flow: &'f Flow, each: &mut dyn FnMut(&'f Call)) {
    flow.each_task(&mut |task| {
        if let Work::Call(call) = &task.work {
            each(call);
        }
    });
}
