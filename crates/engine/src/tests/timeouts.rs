//! Time limits of tasks: they end what computes, waits and calls, and fail where they were set.

use std::time::{Duration, Instant};

use lockgate_model::abi::{self, Op, Timeout};
use wasm_encoder::BlockType;

use super::wasm::{Emit, Wasm, code, output};
use crate::{Mocks, Outcome, Waits};

const OPS: &[Op] = &[Op::Task, Op::SlotGet, Op::SlotSet, Op::IntSet, Op::Clock, Op::Wait, Op::Call];

/// Sets a limit at pc 0, in milliseconds from now, and does something at pc 1; its failure goes to pc 2, whose
/// output is the error.
fn limited(ms: i64, slow: &dyn Fn(&mut Emit<'_>)) -> Wasm {
    let mut wasm =
        Wasm::new(OPS).handled("/do/0/limited", 2, 3).handled("/do/0/limited/do/0/slow", 3, 3).task("/").task("/");
    wasm.tasks[1].timeout = Some(Timeout { slot: 0, pc: 0 });
    wasm.step(&[
        &|e| {
            e.task(0).i32(0).op(Op::Clock).i64(ms);
            e.sink.i64_add();
            e.op(Op::IntSet).task(1);
            slow(e);
        },
        &|e| e.end(abi::DONE),
        &|e| e.task(2).copy(3, 1).end(abi::DONE),
        // The handler inside the limit never has its failure.
        &|e| e.end(abi::FAULT),
    ])
}

async fn really(wasm: &Wasm) -> Outcome {
    wasm.evaluate("{}", Mocks { waits: Waits::Real, ..Mocks::default() }).await
}

fn timed_out(outcome: &Outcome) {
    let error: serde_json::Value = serde_json::from_str(&output(outcome)).unwrap();
    assert_eq!((&error["status"], &error["instance"]), (&408.into(), &"/do/0/limited".into()), "{error}");
}

#[tokio::test]
async fn what_computes_too_long_fails_where_its_limit_was_set() {
    let started = Instant::now();
    timed_out(
        &really(&limited(50, &|e| {
            e.sink.loop_(BlockType::Empty).br(0).end();
        }))
        .await,
    );
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_wait_ends_with_the_limit_really_and_virtually() {
    let waits = limited(50, &|e| {
        e.i64(3_600_000).i32(1).op(Op::Wait).end(abi::SUSPEND);
    });
    timed_out(&really(&waits).await);
    timed_out(&waits.evaluate("{}", Mocks::default()).await);
    // A limit that is over already lets no wait begin.
    let late = limited(-1, &|e| {
        e.i64(3_600_000).i32(1).op(Op::Wait).end(abi::SUSPEND);
    });
    timed_out(&really(&late).await);
}

#[tokio::test]
async fn a_limit_that_is_not_reached_changes_nothing() {
    let waits = limited(3_600_000, &|e| {
        e.i64(10).i32(1).op(Op::Wait).end(abi::SUSPEND);
    });
    assert!(really(&waits).await.result.unwrap().is_undefined());
}

#[tokio::test]
async fn a_limit_without_a_handler_ends_the_run() {
    let mut wasm = limited(50, &|e| {
        e.i64(3_600_000).i32(1).op(Op::Wait).end(abi::SUSPEND);
    });
    wasm.tasks[0].handler = None;
    let outcome = really(&wasm).await;
    assert_eq!(code(&outcome), "LG-TIMEOUT");
    let failure = outcome.result.unwrap_err();
    assert_eq!(
        (failure.error.kind.as_str(), failure.error.status, failure.error.task.as_str()),
        ("timeout", 504, "/do/0/limited")
    );
}
