//! Looking on: what a watcher is told, and in which order.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use lockgate_document::Node;
use lockgate_model::{
    Limits,
    abi::{self, Op},
};

use super::wasm::{ENGINE, NOW, Wasm, document, output};
use crate::{Called, Mock, MockError, Mocks, Watch};

const OPS: &[Op] = &[Op::Task, Op::SlotGet, Op::SlotSet, Op::Call, Op::Wait, Op::IntSet];

#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Told {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

fn shown(node: Node<'_>) -> String {
    node.as_str().map_or_else(|| format!("{:?}", node.kind()), str::to_owned)
}

impl Watch for Told {
    fn entered(&self, _: u64, task: &str, data: Node<'_>) {
        self.add(format!("{task} {}", shown(data)));
    }
    fn called(&self, task: &str, call: &Called<'_>) {
        self.add(format!("{task} calls {} {} {:?}", call.authority.operation, shown(call.input.root()), call.mock));
    }
    fn waited(&self, task: &str, ms: u64) {
        self.add(format!("{task} waits {ms}"));
    }
    fn caught(&self, _: u64, task: &str, error: Node<'_>) {
        self.add(format!("{task} failed {}", shown(error.get("detail"))));
    }
    fn ended(&self, ints: &[i64]) {
        self.add(format!("ended {ints:?}"));
    }
}

fn told(wasm: &Wasm, answers: Vec<Mock>) -> (Vec<String>, crate::Outcome) {
    let module = ENGINE.load(&wasm.bytes()).unwrap();
    let mocks = Mocks { answers: BTreeMap::from([("erp".to_owned(), answers)]), ..Mocks::default() };
    let told = Arc::new(Told::default());
    let watch: Arc<dyn Watch> = Arc::clone(&told) as _;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let run = ENGINE.evaluate_watched(&module, document("\"in\""), mocks, Limits::default(), NOW, Some(watch));
    let outcome = runtime.block_on(run);
    let lines = told.0.lock().unwrap().clone();
    (lines, outcome)
}

fn flow() -> Wasm {
    Wasm::new(OPS).handled("/do/0/send", 2, 1).task("/do/1/after").task("/do/0/catch").step(&[
        &|e| {
            e.task(0).call(0, 1, 1);
        },
        &|e| {
            e.task(1).i32(0).i64(7).op(Op::IntSet).end(abi::DONE);
        },
        &|e| {
            e.task(2).end(abi::DONE);
        },
    ])
}

#[test]
fn a_call_without_mock_and_its_failure_are_told() {
    let (lines, outcome) = told(&flow(), Vec::new());
    assert!(outcome.result.is_ok());
    let [first, call, caught, handler, ended] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((first.as_str(), call.as_str()), ("/do/0/send in", "/do/0/send calls post in None"));
    assert!(caught.starts_with("/do/0/send failed no mock for"), "{caught}");
    assert_eq!((handler.as_str(), ended.as_str()), ("/do/0/catch Object", "ended [0, 0]"));
}

#[test]
fn tasks_and_calls_are_told_in_their_order() {
    let (lines, outcome) = told(&flow(), vec![Mock::Answer(Arc::new(document("\"out\"")))]);
    assert_eq!(output(&outcome), "\"out\"");
    let calls = "/do/0/send calls post in Some((\"erp\", 0))";
    assert_eq!(lines[..3], ["/do/0/send in", calls, "/do/1/after out"]);
    assert_eq!(lines[3], "ended [7, 0]");
}

#[test]
fn a_failed_call_is_told_with_its_error() {
    let error = MockError {
        kind: "communication".into(),
        status: Some(503),
        retry_after: None,
        detail: "down".into(),
        told: None,
    };
    let (lines, _) = told(&flow(), vec![Mock::Error(error)]);
    assert_eq!(lines[2], "/do/0/send failed down", "{lines:?}");
}
