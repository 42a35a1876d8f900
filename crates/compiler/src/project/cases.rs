//! `cases/<flow>/<case>.yaml`: an input, what the endpoints answer, what must come out.
//!
//! ```yaml
//! title: an order of two lines
//! now: '2026-11-22T10:00:00Z'
//! input: { orderId: SO-1, … }
//! mocks:
//!   erp.post:
//!     - error: { type: communication, status: 503 }
//!     - expect: { path: /orders }    # what the call brings: the fields that are named
//!       answer: { status: 201, body: { erpId: E-7 } }
//! expect:
//!   output: { … }        # or error: { status: 422, … }: the fields that are named must be equal
//! ```
//!
//! Mocks stand under `<account>.<operation>`, or the origin of an http call and its method; those for the calls of one
//! flow alone under `<flow>/<account>.<operation>`. Each call takes the next of the list, and the last one stays. `expect: nothing` is an output that is
//! undefined.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use lockgate_mapping::yaml::{self, Key, Node};
use lockgate_model::{Diagnostics, Span, Timestamp};

use crate::flow::{ERROR_HOME, ERROR_TYPES};
use crate::reader::{Reader, find, list, nearest};

/// One case; values are JSON texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Flow it is for.
    pub flow: String,
    /// Its name: the file's, without folder and ending.
    pub name: String,
    /// File it stands in.
    pub file: String,
    /// What it shows, in words.
    pub title: Option<String>,
    /// When the run begins; [`NOW`] where the case says nothing.
    pub now: Timestamp,
    /// The flow's input; undefined when absent.
    pub input: Option<String>,
    /// What the endpoints are asked and answer.
    pub mocks: Exchanges,
    /// What must come out.
    pub expect: Expect,
    /// Where the names of its mocks stand.
    pub(super) named: Vec<(String, Span)>,
}

/// When a run of a case begins that names no time: 2026-01-01T00:00:00Z.
pub const NOW: Timestamp = Timestamp(1_767_225_600_000_000);

/// Exchanges with endpoints by `<account>.<operation>`, in the order of the calls.
pub type Exchanges = BTreeMap<String, Vec<Exchange>>;

/// One call and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Fields that the input of the call must have.
    pub expect: Option<String>,
    /// What comes back.
    pub reply: Reply,
}

/// Members of an error object that only some connectors give: a fault of SOAP, and the SQLSTATE of a database.
pub const TOLD: [&str; 2] = ["fault", "sqlstate"];

/// What an endpoint answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The connector's answer.
    Answer(String),
    /// An error.
    Error {
        /// Last part of the standard's error type, such as `communication`.
        kind: String,
        /// Status of the peer, when there is one.
        status: Option<u16>,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
        /// What it says in its protocol's own terms: one of [`TOLD`], and its value.
        told: Option<(&'static str, String)>,
    },
}

/// What must come out of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// This output.
    Output(String),
    /// An error object that has these fields.
    Error(String),
    /// An output that is undefined.
    Nothing,
}

/// What `expect` may name.
const OUTCOMES: [&str; 2] = ["output", "error"];
/// What a mock gives.
const REPLIES: [&str; 2] = ["answer", "error"];

/// Reads one case.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, flow: &str, name: &str, file: &str) -> Option<Case> {
    let entries = reader.object_of(node, "a case", &["title", "now", "input", "mocks", "expect"])?;
    let title = find(entries, "title").and_then(|title| reader.string(title, "`title`"));
    let now = find(entries, "now").and_then(|now| time(reader, now));
    let mocks = find(entries, "mocks").map(|node| exchanges(reader, node)).unwrap_or_default();
    let expect = reader.required(entries, "expect", "a case", node.span)?;
    let wanted = match expect.as_text() {
        Some("nothing") => &[],
        _ => reader.object_of(expect, "`expect`", &OUTCOMES)?,
    };
    let expect = match wanted {
        [] if expect.as_text().is_some() => Expect::Nothing,
        [(key, node)] if key.text == "output" => Expect::Output(node.to_json()),
        [(key, node)] if key.text == "error" => {
            reader.object(node, "`expect.error`")?;
            Expect::Error(expected_error(&node.to_json()))
        }
        // What it names instead is told.
        named if named.iter().any(|(key, _)| !OUTCOMES.contains(&key.text.as_str())) => return None,
        _ => {
            let help = "`expect: nothing` is for a flow that gives no output";
            reader.problem_help("LG-CASE-VALUE", expect.span, "`expect` must name one of `output`, `error`", help);
            return None;
        }
    };
    Some(Case {
        flow: flow.to_owned(),
        name: name.to_owned(),
        file: file.to_owned(),
        title: title.map(str::to_owned),
        now: now.unwrap_or(NOW),
        input: find(entries, "input").map(Node::to_json),
        mocks,
        expect,
        named: find(entries, "mocks").and_then(Node::entries).map(names).unwrap_or_default(),
    })
}

/// The standard's types may be named shortly, as in `mocks`.
fn expected_error(json: &str) -> String {
    let Ok(mut error) = serde_json::from_str::<serde_json::Value>(json) else { return json.to_owned() };
    if let Some(serde_json::Value::String(kind)) = error.get_mut("type")
        && ERROR_TYPES.contains(&kind.as_str())
    {
        kind.insert_str(0, ERROR_HOME);
    }
    error.to_string()
}

fn names(mocks: &[(Key, Node)]) -> Vec<(String, Span)> {
    mocks.iter().map(|(key, _)| (key.text.clone(), key.span)).collect()
}

/// Finds mocks that no call can take; `calls` are those of each flow.
pub(super) fn check(reader: &mut Reader<'_>, case: &Case, calls: &BTreeMap<&str, BTreeSet<String>>) {
    let all: BTreeSet<&str> = calls.values().flatten().map(String::as_str).collect();
    // One without a dot is refused already.
    for (name, span) in case.named.iter().filter(|(name, _)| name.contains('.') && !all.contains(name.as_str())) {
        // What stands before the first `/` of an origin is no flow.
        let of = name.split_once('/').and_then(|(flow, call)| Some((flow, call, calls.get(flow)?)));
        let (who, call, known): (_, _, BTreeSet<&str>) = match of {
            Some((_, call, calls)) if calls.contains(call) => continue,
            Some((flow, call, calls)) => {
                (format!("flow `{flow}` does not call"), call, calls.iter().map(String::as_str).collect())
            }
            None => ("no flow calls".to_owned(), name.as_str(), all.clone()),
        };
        let near = nearest(call, known.iter().copied());
        let help = match (near, of) {
            (Some(near), Some((flow, ..))) => format!("did you mean `{flow}/{near}`?"),
            (Some(near), None) => format!("did you mean `{near}`?"),
            (None, Some((flow, ..))) => format!("calls of `{flow}`: {}", list(known.into_iter())),
            (None, None) => format!("calls of this project: {}", list(known.into_iter())),
        };
        reader.problem_help("LG-CASE-VALUE", *span, format!("{who} `{call}`"), help);
    }
}

/// Reads a file of mocks alone, as `mocks` of a case: what the endpoints answer where nothing is expected.
pub fn mocks(file: &str, text: &str) -> Result<Exchanges, Diagnostics> {
    let (node, problems) = yaml::read(file, text);
    let Some(node) = node else { return problems.into_result(Exchanges::new()) };
    let mut reader = Reader::new(file, text);
    reader.problems = problems;
    let exchanges = exchanges(&mut reader, &node);
    for list in node.entries().unwrap_or_default().iter().filter_map(|(_, list)| list.items()) {
        for (key, _) in list.iter().filter_map(Node::entries).flatten().filter(|(key, _)| key.text == "expect") {
            let help = "leave it out, or write a case and run it with `lockgate test`";
            reader.problem_help("LG-CASE-VALUE", key.span, "`expect` of a mock is for test cases", help);
        }
    }
    reader.problems.into_result(exchanges)
}

fn exchanges(reader: &mut Reader<'_>, node: &Node) -> Exchanges {
    let mut all = Exchanges::new();
    for (key, node) in reader.object(node, "`mocks`").unwrap_or_default() {
        if !key.text.contains('.') {
            reader.problem("LG-CASE-VALUE", key.span, "a mock stands under `<account>.<operation>`");
        }
        let list = reader.array(node, "the mocks of an operation").unwrap_or_default();
        let list: Vec<Exchange> = list.iter().filter_map(|node| exchange(reader, node)).collect();
        all.insert(key.text.clone(), list);
    }
    all
}

fn exchange(reader: &mut Reader<'_>, node: &Node) -> Option<Exchange> {
    let entries = reader.object_of(node, "a mock", &["expect", "answer", "error"])?;
    let expect = find(entries, "expect").map(Node::to_json);
    let reply = match (find(entries, "answer"), find(entries, "error")) {
        (Some(answer), None) => Reply::Answer(answer.to_json()),
        (None, Some(node)) => error(reader, node)?,
        // A misspelt one is told.
        (None, None)
            if entries.iter().any(|(key, _)| key.text != "expect" && nearest(&key.text, REPLIES).is_some()) =>
        {
            return None;
        }
        _ => {
            reader.problem("LG-CASE-VALUE", node.span, "a mock must have one of `answer`, `error`");
            return None;
        }
    };
    Some(Exchange { expect, reply })
}

/// A time of RFC 3339.
fn time(reader: &mut Reader<'_>, node: &Node) -> Option<Timestamp> {
    let text = reader.string(node, "`now`")?;
    let time = text.parse::<jiff::Timestamp>().ok();
    if time.is_none() {
        let help = "write it like '2026-11-22T10:00:00Z'";
        reader.problem_help("LG-CASE-VALUE", node.span, format!("`{text}` is no time of RFC 3339"), help);
    }
    time.map(|time| Timestamp(time.as_microsecond()))
}

fn error(reader: &mut Reader<'_>, node: &Node) -> Option<Reply> {
    let entries = reader.object_of(node, "`error`", &["type", "status", "retryAfter", "fault", "sqlstate"])?;
    let kind = reader.required(entries, "type", "`error`", node.span)?;
    let text = reader.string(kind, "`type`")?;
    if !ERROR_TYPES.contains(&text) {
        let help = format!("one of {}", list(ERROR_TYPES.iter().copied()));
        reader.problem_help("LG-CASE-VALUE", kind.span, format!("`{text}` is no type of error"), help);
    }
    let status = find(entries, "status").and_then(|node| reader.whole(node, "`status`"));
    let after = find(entries, "retryAfter").and_then(|node| reader.whole(node, "`retryAfter`"));
    let retry_after = after.map(|seconds| Duration::from_secs(u64::from(seconds)));
    let told = TOLD.into_iter().find_map(|name| Some((name, find(entries, name)?.to_json())));
    Some(Reply::Error { kind: text.to_owned(), status: status.and_then(|s| u16::try_from(s).ok()), retry_after, told })
}
