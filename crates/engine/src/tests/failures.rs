//! Failures: what a handler gets, what the caller gets, what the record keeps.

use lockgate_model::abi::{self, Op};

use super::wasm::{Wasm, code, output};
use crate::Mocks;

const OPS: &[Op] = &[Op::Task, Op::SlotGet, Op::SlotSet, Op::Fail, Op::Raise, Op::Num, Op::Call];

/// Task 0 does something; its handler, task 1, gives the error as output.
fn caught(task: &dyn Fn(&mut super::wasm::Emit<'_>)) -> Wasm {
    Wasm::new(OPS).handled("/do/0/try", 1, 1).task("/do/0/catch").step(&[
        &|e| {
            e.task(0);
            task(e);
            e.end(abi::DONE);
        },
        &|e| e.task(1).end(abi::DONE),
    ])
}

fn uncaught(task: &dyn Fn(&mut super::wasm::Emit<'_>)) -> Wasm {
    let mut wasm = caught(task);
    wasm.tasks[0].handler = None;
    wasm
}

async fn error_of(wasm: Wasm, input: &str) -> serde_json::Value {
    serde_json::from_str(&output(&wasm.evaluate(input, Mocks::default()).await)).unwrap()
}

#[tokio::test]
async fn an_expression_error_reaches_its_handler() {
    let error = error_of(
        caught(&|e| {
            e.i32(0).op(Op::SlotGet).i32(2001).op(Op::Num);
            e.sink.drop();
        }),
        r#""text""#,
    )
    .await;
    assert_eq!(error["type"], "https://open-workflow-specification.org/dsl/errors/types/expression");
    assert_eq!(
        (&error["status"], &error["code"], &error["instance"]),
        (&400.into(), &"T2001".into(), &"/do/0/try".into())
    );
}

#[tokio::test]
async fn an_expression_error_that_nothing_catches_is_ours() {
    let wasm = uncaught(&|e| {
        e.i32(2001).op(Op::Fail);
    });
    let failure = wasm.evaluate("{}", Mocks::default()).await.result.unwrap_err();
    assert_eq!((failure.error.kind.as_str(), failure.error.code.as_str()), ("expression", "T2001"));
    assert_eq!((failure.error.status, failure.error.task.as_str()), (500, "/do/0/try"));
    let document = failure.document.unwrap();
    assert_eq!(document.root().get("code").as_str(), Some("T2001"));
}

#[tokio::test]
async fn the_depth_counter_raises_the_standards_code() {
    let wasm = uncaught(&|e| {
        e.i32(abi::TOO_DEEP).op(Op::Fail);
    });
    assert_eq!(code(&wasm.evaluate("{}", Mocks::default()).await), "U1001");
}

#[tokio::test]
async fn a_raised_error_gets_its_instance_and_keeps_the_rest() {
    let raise = |e: &mut super::wasm::Emit<'_>| {
        e.i32(0).op(Op::SlotGet).op(Op::Raise);
    };
    let input = r#"{"type":"https://acme.example/errors/stock","status":409,"title":"no stock"}"#;
    let error = error_of(caught(&raise), input).await;
    assert_eq!(
        (&error["status"], &error["title"], &error["instance"]),
        (&409.into(), &"no stock".into(), &"/do/0/try".into())
    );

    let own = r#"{"type":"x","status":409,"instance":"/elsewhere"}"#;
    assert_eq!(error_of(caught(&raise), own).await["instance"], "/elsewhere");

    let failure = uncaught(&raise).evaluate(input, Mocks::default()).await.result.unwrap_err();
    // A type of the flow's own may have come from data: it is not recorded.
    assert_eq!((failure.error.kind.as_str(), failure.error.status), ("raised", 409));
    assert_eq!(failure.message, "no stock");
}

#[tokio::test]
async fn a_run_ends_with_all_that_an_error_has() {
    let raises = uncaught(&|e| {
        e.i32(0).op(Op::SlotGet).op(Op::Raise);
    });
    let standard = format!("{}validation", crate::ERROR_TYPES);
    for (ty, title, expect) in
        [("x", "", "raised error"), (standard.as_str(), "", "validation error"), ("x", r#","title":"own""#, "own")]
    {
        let input = format!(r#"{{"type":"{ty}","status":422{title}}}"#);
        let failure = raises.evaluate(&input, Mocks::default()).await.result.unwrap_err();
        let error: serde_json::Value =
            serde_json::from_slice(&failure.document.unwrap().print(1 << 10).unwrap()).unwrap();
        assert_eq!((&error["type"], &error["status"], &error["title"]), (&ty.into(), &422.into(), &expect.into()));
        assert!(error["instance"].is_string(), "{error}");
    }
}

#[tokio::test]
async fn a_raised_standard_type_is_recorded_by_both_its_names() {
    let homes = std::iter::once(crate::ERROR_TYPES).chain(crate::problem::ERROR_TYPES_TOO);
    for prefix in homes {
        let input = format!(r#"{{"type":"{prefix}validation","status":200}}"#);
        let wasm = uncaught(&|e| {
            e.i32(0).op(Op::SlotGet).op(Op::Raise);
        });
        let failure = wasm.evaluate(&input, Mocks::default()).await.result.unwrap_err();
        assert_eq!((failure.error.kind.as_str(), failure.error.status), ("validation", 500), "{prefix}");
    }
}

#[tokio::test]
async fn what_is_raised_must_be_an_object() {
    let wasm = uncaught(&|e| {
        e.i32(0).op(Op::SlotGet).op(Op::Raise);
    });
    assert_eq!(code(&wasm.evaluate("7", Mocks::default()).await), "LG-RAISED-NO-ERROR");
}

#[tokio::test]
async fn what_raised_before_a_task_began_has_the_task_of_its_entry() {
    let mut wasm = Wasm::new(OPS).handled("/do/0", 1, 1).task("/do/1").step(&[
        &|e| {
            e.i32(2001).op(Op::Fail).end(abi::DONE);
        },
        &|e| e.task(1).end(abi::DONE),
    ]);
    wasm.tasks[1].handler = None;
    assert_eq!(error_of(wasm, "{}").await["instance"], "/do/0");
}

#[tokio::test]
async fn a_module_that_gives_up_or_contradicts_itself_ends_the_run() {
    let gives_up = caught(&|e| e.end(abi::FAULT));
    assert_eq!(code(&gives_up.evaluate("{}", Mocks::default()).await), "LG-MODULE");
    let suspends_for_nothing = caught(&|e| e.end(abi::SUSPEND));
    assert_eq!(code(&suspends_for_nothing.evaluate("{}", Mocks::default()).await), "LG-MODULE");
    let ends_while_calling = caught(&|e| {
        e.i32(0).i32(0).op(Op::SlotGet).i32(1).i32(1).op(Op::Call);
    });
    assert_eq!(code(&ends_while_calling.evaluate("{}", Mocks::default()).await), "LG-MODULE");
    let unreachable = caught(&|e| {
        e.sink.unreachable();
    });
    assert_eq!(code(&unreachable.evaluate("{}", Mocks::default()).await), "LG-MODULE");
    let no_such_slot = caught(&|e| {
        e.copy(0, 4);
    });
    assert_eq!(code(&no_such_slot.evaluate("{}", Mocks::default()).await), "LG-MODULE");
    let no_such_task = caught(&|e| {
        e.task(9);
    });
    assert_eq!(code(&no_such_task.evaluate("{}", Mocks::default()).await), "LG-MODULE");
}
