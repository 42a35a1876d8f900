//! `cases/<flow>/<case>.yaml`: an input, what the endpoints answer, what must come out.
//!
//! ```yaml
//! title: an order of two lines
//! input: { orderId: SO-1, … }
//! mocks:
//!   erp.post:
//!     - error: { type: communication, status: 503 }
//!     - answer: { status: 201, body: { erpId: E-7 } }
//! expect:
//!   output: { … }        # or error: { status: 422, … }: the fields that are named must be equal
//! ```
//!
//! Mocks stand under `<account>.<operation>`, or the origin of an http call and its method; each
//! call takes the next of the list, and the last one stays.

use std::collections::BTreeMap;

use lockgate_mapping::yaml::Node;

use crate::flow::ERROR_TYPES;
use crate::reader::{Reader, find, list};

/// One case; values are JSON texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Flow it is for.
    pub flow: String,
    /// Its name: the file's, without folder and ending.
    pub name: String,
    /// File it stands in.
    pub file: String,
    /// The flow's input; undefined when absent.
    pub input: Option<String>,
    /// What the endpoints answer, by `<account>.<operation>`, in the order of the calls.
    pub mocks: BTreeMap<String, Vec<Reply>>,
    /// What must come out.
    pub expect: Expect,
}

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
    },
}

/// What must come out of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// This output.
    Output(String),
    /// An error object that has these fields.
    Error(String),
}

/// Reads one case.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, flow: &str, name: &str, file: &str) -> Option<Case> {
    let entries = reader.object_of(node, "a case", &["title", "input", "mocks", "expect"])?;
    if let Some(title) = find(entries, "title") {
        reader.string(title, "`title`");
    }
    let mut mocks = BTreeMap::new();
    for (key, node) in find(entries, "mocks").and_then(|node| reader.object(node, "`mocks`")).unwrap_or_default() {
        if !key.text.contains('.') {
            reader.problem("LG-CASE-VALUE", key.span, "a mock stands under `<account>.<operation>`");
        }
        let replies = reader.array(node, "the mocks of an operation").unwrap_or_default();
        let replies: Vec<Reply> = replies.iter().filter_map(|node| reply(reader, node)).collect();
        mocks.insert(key.text.clone(), replies);
    }
    let expect = reader.required(entries, "expect", "a case", node.span)?;
    let wanted = reader.object_of(expect, "`expect`", &["output", "error"])?;
    let expect = match wanted {
        [(key, node)] if key.text == "output" => Expect::Output(node.to_json()),
        [(key, node)] if key.text == "error" => {
            reader.object(node, "`expect.error`")?;
            Expect::Error(node.to_json())
        }
        _ => {
            reader.problem("LG-CASE-VALUE", expect.span, "`expect` must name one of `output`, `error`");
            return None;
        }
    };
    Some(Case {
        flow: flow.to_owned(),
        name: name.to_owned(),
        file: file.to_owned(),
        input: find(entries, "input").map(Node::to_json),
        mocks,
        expect,
    })
}

fn reply(reader: &mut Reader<'_>, node: &Node) -> Option<Reply> {
    let entries = reader.object_of(node, "a mock", &["answer", "error"])?;
    match entries {
        [(key, node)] if key.text == "answer" => Some(Reply::Answer(node.to_json())),
        [(key, node)] if key.text == "error" => error(reader, node),
        _ => {
            reader.problem("LG-CASE-VALUE", node.span, "a mock must have one of `answer`, `error`");
            None
        }
    }
}

fn error(reader: &mut Reader<'_>, node: &Node) -> Option<Reply> {
    let entries = reader.object_of(node, "`error`", &["type", "status"])?;
    let kind = reader.required(entries, "type", "`error`", node.span)?;
    let text = reader.string(kind, "`type`")?;
    if !ERROR_TYPES.contains(&text) {
        let help = format!("one of {}", list(ERROR_TYPES.iter().copied()));
        reader.problem_help("LG-CASE-VALUE", kind.span, format!("`{text}` is no type of error"), help);
    }
    let status = find(entries, "status").and_then(|node| reader.whole(node, "`status`"));
    Some(Reply::Error { kind: text.to_owned(), status: status.and_then(|s| u16::try_from(s).ok()) })
}
