//! Calls: answers and failures, mocked and bound.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use futures_util::{FutureExt, future::BoxFuture};
use lockgate_connector_api::{Answer, Call, Error, Kind};
use lockgate_model::{
    Limits,
    abi::{self, Op},
    id::AccountName,
    manifest::Subflow,
    run::Bytes,
};

use super::{
    permit::{run, run_within},
    wasm::{Wasm, code, document, output, text},
};
use crate::{CallSite, Calls, Mock, MockError, Mocks, SubEnd, SubFailure, SubRun};

const OPS: &[Op] = &[Op::Task, Op::SlotGet, Op::SlotSet, Op::Call, Op::Get, Op::IntGet, Op::IntSet];

/// Calls `post` with the input; the answer, or the error that was caught, is the output.
fn one_call() -> Wasm {
    Wasm::new(OPS).handled("/do/0/send", 2, 1).task("/do/1/after").task("/do/0/catch").step(&[
        &|e| {
            e.task(0).call(0, 1, 1);
        },
        &|e| e.task(1).end(abi::DONE),
        &|e| e.task(2).end(abi::DONE),
    ])
}

fn mocks(key: &str, list: Vec<Mock>) -> Mocks {
    Mocks { answers: BTreeMap::from([(key.to_owned(), list)]), ..Mocks::default() }
}

fn answer(json: &str) -> Mock {
    Mock::Answer(Arc::new(document(json)))
}

#[tokio::test]
async fn a_call_takes_its_mock_by_the_narrowest_name() {
    for key in ["erp.post", "erp", "https.post"] {
        let outcome = one_call().evaluate("{}", mocks(key, vec![answer(r#"{"id":7}"#)])).await;
        assert_eq!(output(&outcome), r#"{"id":7}"#, "{key}");
    }
}

#[tokio::test]
async fn a_call_without_mock_fails_and_names_the_account() {
    let wasm = Wasm::new(OPS).task("/do/0/send").step(&[&|e| {
        e.task(0).call(0, 1, 0);
    }]);
    let outcome = wasm.evaluate("{}", mocks("crm", vec![answer("1")])).await;
    let failure = outcome.result.unwrap_err();
    assert_eq!((failure.error.kind.as_str(), failure.error.task.as_str()), ("configuration", "/do/0/send"));
    assert!(failure.message.contains("`erp`"), "{}", failure.message);
}

#[tokio::test]
async fn a_mocked_error_reaches_the_handler_with_its_status() {
    let error = MockError {
        kind: "communication".into(),
        status: Some(503),
        retry_after: None,
        detail: "down".into(),
        told: None,
    };
    let outcome = one_call().evaluate("{}", mocks("erp", vec![Mock::Error(error)])).await;
    let caught: serde_json::Value = serde_json::from_str(&output(&outcome)).unwrap();
    assert_eq!(caught["type"], "https://open-workflow-specification.org/dsl/errors/types/communication");
    assert_eq!((&caught["status"], &caught["detail"]), (&503.into(), &"down".into()));
    assert_eq!(caught["instance"], "/do/0/send");
}

#[tokio::test]
async fn mocks_are_taken_in_order_and_the_last_stays() {
    // Three calls; the first answers go to slots 2 and 3, the last to the output.
    let wasm = || {
        Wasm::new(OPS).task("/do/0").task("/do/1").task("/do/2").task("/do/3").step(&[
            &|e| {
                e.task(0).call(0, 2, 1);
            },
            &|e| {
                e.task(1).call(0, 3, 2);
            },
            &|e| {
                e.task(2).call(0, 1, 3);
            },
            &|e| e.task(3).end(abi::DONE),
        ])
    };
    let outcome = wasm().evaluate("{}", mocks("erp", vec![answer("1"), answer("2")])).await;
    assert_eq!(output(&outcome), "2");
}

/// Accounts that answer by a rule and remember how they were called.
struct Accounts {
    seen: Mutex<Vec<(CallSite, String)>>,
    answer: fn(usize) -> Result<&'static str, Error>,
}

impl Accounts {
    fn new(answer: fn(usize) -> Result<&'static str, Error>) -> Arc<Self> {
        Arc::new(Self { seen: Mutex::default(), answer })
    }
}

impl Calls for Accounts {
    fn run(self: Arc<Self>, sub: SubRun) -> BoxFuture<'static, SubEnd> {
        let mut seen = self.seen.lock().unwrap();
        seen.push((sub.site, text(&sub.input)));
        let result = match (self.answer)(seen.len()) {
            Ok(json) => Ok(document(json)),
            Err(error) => Err(SubFailure::Refused {
                kind: "authorization",
                code: error.code().to_owned(),
                status: 403,
                detail: "not on the list".to_owned(),
            }),
        };
        drop(seen);
        async move { SubEnd { result, cost: 1_000_000 } }.boxed()
    }
    fn call(&self, site: CallSite, call: Call) -> BoxFuture<'static, Result<Answer, Error>> {
        let mut seen = self.seen.lock().unwrap();
        seen.push((site, text(&call.input)));
        let answer = (self.answer)(seen.len());
        drop(seen);
        async move {
            tokio::task::yield_now().await;
            answer.map(|json| Answer { output: document(json), stream: None, read: 10, written: 3 })
        }
        .boxed()
    }
    fn account(&self, _: u32) -> AccountName {
        "erp-live".parse().unwrap()
    }
}

#[tokio::test]
async fn a_bound_call_gets_the_input_and_is_counted() {
    let calls = Accounts::new(|_| Ok(r#"{"ok":true}"#));
    let outcome = run(&one_call(), r#"{"n":1}"#, calls.clone()).await;
    assert_eq!(output(&outcome), r#"{"ok":true}"#);
    assert_eq!(
        *calls.seen.lock().unwrap(),
        [(
            CallSite { operation: 0, task: "/do/0/send".into(), branch: Vec::new(), occurrence: 0 },
            r#"{"n":1}"#.to_owned()
        )]
    );
    let bytes = Bytes { read: 10, written: 3, calls: 1 };
    assert_eq!(outcome.bytes, BTreeMap::from([("erp-live".parse().unwrap(), bytes)]));
}

#[tokio::test]
async fn a_connector_error_that_nothing_catches_is_a_bad_gateway() {
    let wasm = || {
        Wasm::new(OPS).task("/do/0/send").step(&[&|e| {
            e.task(0).call(0, 1, 0);
        }])
    };
    let calls = Accounts::new(|_| Err(Error::new(Kind::Rejected, "https-status", "refused").with_private("secret")));
    let failure = run(&wasm(), "{}", calls).await.result.unwrap_err();
    assert_eq!((failure.error.kind.as_str(), failure.error.status), ("communication", 502));
    assert_eq!(failure.error.code, "https-status");
    assert!(failure.message.contains("secret"), "the caller is told");
    assert!(!format!("{failure:?}").contains("secret"), "the log is not");

    let calls = Accounts::new(|_| Err(Error::new(Kind::Timeout, "deadline", "too late")));
    let failure = run(&wasm(), "{}", calls).await.result.unwrap_err();
    assert_eq!((failure.error.kind.as_str(), failure.error.status), ("timeout", 504));

    // What was not sent is no endpoint's fault, and not that of who asked.
    let calls = Accounts::new(|_| Err(Error::new(Kind::Input, "https-input", "no path")));
    let failure = run(&wasm(), "{}", calls).await.result.unwrap_err();
    assert_eq!((failure.error.kind.as_str(), failure.error.status), ("validation", 500));
}

#[tokio::test]
async fn a_repetition_has_the_occurrence_of_what_it_repeats() {
    // Fails once, is repeated by its handler, succeeds, and is called again.
    let wasm = Wasm::new(OPS).handled("/do/0/send", 0, 2).task("/do/1").step(&[
        &|e| {
            e.task(0).call(0, 1, 1);
        },
        &|e| {
            // The second time round the run is done.
            e.i32(0).i32(0).op(Op::IntGet);
            e.sink.i64_const(1).i64_add();
            e.op(Op::IntSet).i32(0).op(Op::IntGet);
            e.sink.i64_const(2).i64_eq().if_(wasm_encoder::BlockType::Empty);
            e.end(abi::DONE);
            e.sink.end();
            e.task(0).call(0, 1, 1);
        },
    ]);
    let calls = Accounts::new(|n| if n == 1 { Err(Error::new(Kind::Unreachable, "c", "t")) } else { Ok("1") });
    assert_eq!(output(&run(&wasm, "{}", calls.clone()).await), "1");
    let occurrences: Vec<u32> = calls.seen.lock().unwrap().iter().map(|(site, _)| site.occurrence).collect();
    assert_eq!(occurrences, [0, 0, 1]);
}

struct Panics;
impl Calls for Panics {
    fn run(self: Arc<Self>, _: SubRun) -> BoxFuture<'static, SubEnd> {
        panic!("a defect further on")
    }
    fn call(&self, _: CallSite, _: Call) -> BoxFuture<'static, Result<Answer, Error>> {
        panic!("a defect of the connector")
    }
    fn account(&self, _: u32) -> AccountName {
        "erp".parse().unwrap()
    }
}

#[tokio::test]
async fn a_connector_that_panics_fails_its_call_alone() {
    let outcome = run(&one_call(), "{}", Arc::new(Panics)).await;
    let caught: serde_json::Value = serde_json::from_str(&output(&outcome)).unwrap();
    assert_eq!(caught["code"], "LG-CONNECTOR-DEFECT");
}

#[tokio::test]
async fn an_operation_that_is_not_declared_ends_the_run() {
    let wasm = Wasm::new(OPS).handled("/do/0", 1, 1).task("/do/1").step(&[
        &|e| {
            e.task(0).call(2, 1, 1);
        },
        &|e| e.task(1).end(abi::DONE),
    ]);
    assert_eq!(code(&wasm.evaluate("{}", Mocks::default()).await), "LG-MODULE");
}

/// Runs orchestration 0; what it gives, or its error, is the output.
fn one_run(awaits: bool) -> Wasm {
    let ops = &[Op::Task, Op::SlotGet, Op::SlotSet, Op::Run];
    let mut wasm = Wasm::new(ops).handled("/do/0/below", 2, 3).task("/").task("/");
    wasm.manifest.runs.push(Subflow {
        namespace: "t".into(),
        name: "other".parse().unwrap(),
        version: "1.0.0".into(),
        awaits,
    });
    wasm.step(&[
        &|e| {
            e.task(0).copy(0, 1).i32(0).i32(0).op(Op::SlotGet).i32(1).i32(1).op(Op::Run).end(abi::SUSPEND);
        },
        &|e| e.task(1).end(abi::DONE),
        &|e| e.task(2).copy(3, 1).end(abi::DONE),
    ])
}

#[tokio::test]
async fn an_orchestration_that_is_run_gives_its_output_and_charges_its_cost() {
    let calls = Accounts::new(|_| Ok(r#"{"below":1}"#));
    let outcome = run(&one_run(true), r#"{"n":1}"#, calls.clone()).await;
    assert_eq!(output(&outcome), r#"{"below":1}"#);
    assert!(outcome.cost > 1_000_000, "{}", outcome.cost);
    assert!(outcome.bytes.is_empty(), "it has no account: {:?}", outcome.bytes);
    assert_eq!(calls.seen.lock().unwrap()[0].1, r#"{"n":1}"#);
    // A second one of the same task is another one, whatever it is given.
    let mut twice = one_run(true);
    twice.tasks[1] = twice.tasks[0].clone();
    let twice = Wasm { functions: Vec::new(), ..twice }.step(&[
        &|e| {
            e.task(0).i32(0).i32(0).op(Op::SlotGet).i32(1).i32(1).op(Op::Run).end(abi::SUSPEND);
        },
        &|e| {
            e.task(1).i32(0).i32(0).op(Op::SlotGet).i32(1).i32(2).op(Op::Run).end(abi::SUSPEND);
        },
        &|e| e.end(abi::DONE),
    ]);
    let again = Accounts::new(|_| Ok("1"));
    run(&twice, "{}", again.clone()).await;
    let occurrences: Vec<u32> = again.seen.lock().unwrap().iter().map(|(site, _)| site.occurrence).collect();
    assert_eq!(occurrences, [0, 1]);
    // Who does not wait for it goes on with what it had.
    assert_eq!(output(&run(&one_run(false), r#"{"n":1}"#, calls).await), r#"{"n":1}"#);
}

#[tokio::test]
async fn an_orchestration_that_may_not_run_fails_the_task_that_runs_it() {
    let calls = Accounts::new(|_| Err(Error::new(Kind::Protocol, "LG-FORBIDDEN", "")));
    let error: serde_json::Value = serde_json::from_str(&output(&run(&one_run(true), "{}", calls).await)).unwrap();
    assert_eq!(
        (&error["status"], &error["code"], &error["instance"]),
        (&403.into(), &"LG-FORBIDDEN".into(), &"/do/0/below".into()),
        "{error}"
    );
    // What is below may cost no more than what is left.
    let calls = Accounts::new(|_| Ok("1"));
    let limits = Limits { cost_max: 500_000, ..Limits::default() };
    let outcome = run_within(&one_run(true), "{}", calls, limits).await;
    assert_eq!(code(&outcome), "LG-LIMIT-COST");
}

#[tokio::test]
async fn an_orchestration_that_is_run_is_mocked_by_its_name() {
    let mocks = |list| Mocks { answers: [("run.other".to_owned(), list)].into(), ..Mocks::default() };
    let answer = Mock::Answer(Arc::new(document("7")));
    assert_eq!(output(&one_run(true).evaluate("{}", mocks(vec![answer])).await), "7");
    let none = output(&one_run(true).evaluate("{}", Mocks::default()).await);
    assert!(none.contains("LG-NO-MOCK") && none.contains("run.other"), "{none}");
    let undeclared = Wasm::new(&[Op::Task, Op::SlotGet, Op::Run]).task("/").step(&[&|e| {
        e.task(0).i32(0).i32(0).op(Op::SlotGet).i32(1).i32(0).op(Op::Run).end(abi::SUSPEND);
    }]);
    assert_eq!(code(&undeclared.evaluate("{}", Mocks::default()).await), "LG-MODULE");
}
