//! Limits: each stops its run, none can be caught, no neighbour notices.

use std::time::{Duration, Instant};

use lockgate_model::{
    Limits,
    abi::{self, NAMESPACE, Op},
    run::Phase,
};
use wasm_encoder::{BlockType, ValType};

use super::wasm::{ENGINE, NOW, Wasm, code, document, output};
use crate::{Control, Engine, EngineConfig, Mocks, Outcome, Waits};

const OPS: &[Op] = &[Op::Task, Op::SlotGet, Op::SlotSet, Op::ArrNew, Op::ArrPush, Op::NewNum, Op::Fail, Op::Wait];

/// The first task is handled, to show that no limit is; the handler would end well.
fn handled(task: &dyn Fn(&mut super::wasm::Emit<'_>)) -> Wasm {
    Wasm::new(OPS).handled("/do/0", 1, 1).task("/do/1").step(&[
        &|e| {
            e.task(0);
            task(e);
        },
        &|e| e.task(1).end(abi::DONE),
    ])
}

pub(super) fn endless() -> Wasm {
    handled(&|e| {
        e.sink.loop_(BlockType::Empty).br(0).end();
    })
}

async fn with(wasm: &Wasm, limits: Limits) -> Outcome {
    ENGINE.evaluate(&wasm.load(), document("{}"), Mocks::default(), limits, NOW).await
}

#[tokio::test]
async fn cost_stops_an_endless_loop_at_the_same_point_each_time() {
    let limits = Limits { cost_max: 5_000_000, ..Limits::default() };
    let (first, second) = (with(&endless(), limits).await, with(&endless(), limits).await);
    assert_eq!((code(&first), first.cost), ("LG-LIMIT-COST", second.cost));
    assert!((5_000_000..5_100_000).contains(&first.cost), "{}", first.cost);
}

#[tokio::test]
async fn cost_counts_what_intrinsics_charge_against_the_same_limit() {
    // Half is fuel, half is charged: neither alone would reach the limit.
    let wasm = handled(&|e| {
        e.sink.loop_(BlockType::Empty);
        e.i32(0).op(Op::SlotGet);
        e.sink.drop().br(0).end();
    });
    let limits = Limits { cost_max: 1_000_000, ..Limits::default() };
    let outcome = with(&wasm, limits).await;
    assert_eq!(code(&outcome), "LG-LIMIT-COST");
    assert!((1_000_000..1_200_000).contains(&outcome.cost), "{}", outcome.cost);
}

#[tokio::test]
async fn a_handler_that_fails_into_itself_is_stopped_by_cost() {
    let wasm = Wasm::new(OPS).handled("/do/0", 0, 1).step(&[&|e| {
        e.task(0).i32(2001).op(Op::Fail);
    }]);
    let outcome = with(&wasm, Limits { cost_max: 1_000_000, ..Limits::default() }).await;
    assert_eq!(code(&outcome), "LG-LIMIT-COST");
    assert!(outcome.tasks[0].entered > 100);
}

#[tokio::test]
async fn wall_time_stops_an_endless_loop_soon_after_its_deadline() {
    for _ in 0..3 {
        let limits = Limits { cost_max: u64::MAX, wall_ms_max: 200, ..Limits::default() };
        let started = Instant::now();
        let outcome = with(&endless(), limits).await;
        let took = started.elapsed();
        let failure = outcome.result.unwrap_err();
        assert_eq!((failure.error.code.as_str(), failure.error.status), ("LG-LIMIT-WALL", 504));
        assert_eq!((failure.error.kind.as_str(), failure.cancelled), ("timeout", false));
        if took < Duration::from_millis(300) {
            return;
        }
    }
    panic!("three times later than 100 ms past the deadline");
}

#[tokio::test]
async fn wall_time_stops_a_wait() {
    let wasm = handled(&|e| {
        e.i64(3_600_000).i32(1).op(Op::Wait).end(abi::SUSPEND);
    });
    let mocks = Mocks { waits: Waits::Real, ..Mocks::default() };
    let limits = Limits { wall_ms_max: 50, ..Limits::default() };
    let outcome = ENGINE.evaluate(&wasm.load(), document("{}"), mocks, limits, NOW).await;
    assert_eq!(code(&outcome), "LG-LIMIT-WALL");
}

#[tokio::test]
async fn an_arena_bomb_is_stopped() {
    let wasm = handled(&|e| {
        e.i32(0).op(Op::ArrNew);
        e.sink.local_set(1).loop_(BlockType::Empty).local_get(1).f64_const(1.5.into());
        e.op(Op::NewNum).op(Op::ArrPush);
        e.sink.br(0).end();
    });
    let outcome = with(&wasm, Limits { arena_bytes_max: 1 << 20, ..Limits::default() }).await;
    assert_eq!(code(&outcome), "LG-LIMIT-ARENA");
    assert!(outcome.arena_bytes_peak <= 1 << 20, "{}", outcome.arena_bytes_peak);
}

#[tokio::test]
async fn cancelling_ends_a_run_that_loops() {
    // It asks the host for something each time, as whatever our compiler emits does: that brings its fuel up to date.
    let module = handled(&|e| {
        e.sink.loop_(BlockType::Empty);
        e.i32(0).op(Op::SlotGet);
        e.sink.drop().br(0).end();
    });
    let module = module.load();
    let limits = Limits { cost_max: u64::MAX, ..Limits::default() };
    let control = Control::new();
    let permit = super::permit::permit(module.digest(), super::permit::written());
    let calls = std::sync::Arc::<super::permit::Counting>::default();
    let run = ENGINE.run(permit, &module, document("{}"), calls, limits, NOW, control.clone());
    let (outcome, ()) = tokio::join!(run, async {
        let told = async {
            while control.gauge.read().cost <= 10_000 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), told).await.expect("what it costs is told while it computes");
        assert_eq!(control.gauge.read().phase, Phase::Running);
        control.cancel.cancel();
    });
    assert!(outcome.cost >= control.gauge.read().cost);
    let failure = outcome.result.unwrap_err();
    assert_eq!((failure.error.code.as_str(), failure.cancelled), ("LG-CANCELLED", true));
}

/// Calls itself so many times before it ends; a frame holds a few values, as a lambda's does.
fn recursion(depth: i32) -> Wasm {
    let mut wasm = Wasm::new(OPS).handled("/do/0", 1, 1).task("/do/1");
    let own = (wasm.ops.len() + wasm.functions.len()) as u32;
    let params = [ValType::I32, ValType::I64, ValType::I64, ValType::I64];
    wasm.function(&params, &[ValType::I64], &[ValType::F64; 8], |e| {
        e.sink.local_get(0).i32_eqz().if_(BlockType::Empty);
        e.i32(0).op(Op::SlotGet);
        e.sink.return_().end();
        for n in 4..12 {
            e.sink.local_get(0).f64_convert_i32_s().local_set(n);
        }
        e.sink.local_get(0).i32_const(1).i32_sub().local_get(2).local_get(3).local_get(1).call(own);
        // The locals live across the call.
        for n in 4..12 {
            e.sink.local_get(n);
            if n > 4 {
                e.sink.f64_add();
            }
        }
        e.sink.drop();
    });
    wasm.step(&[
        &|e| {
            e.task(0).i32(1);
            e.sink.i32_const(depth).i64_const(1).i64_const(2).i64_const(3).call(own);
            e.op(Op::SlotSet).end(abi::DONE);
        },
        &|e| e.task(1).end(abi::DONE),
    ])
}

#[tokio::test]
async fn three_frames_for_each_of_a_thousand_nested_calls_fit_the_stack() {
    let outcome = recursion(3_000).evaluate(r#""deep""#, Mocks::default()).await;
    assert_eq!(output(&outcome), r#""deep""#);
}

#[tokio::test]
async fn recursion_past_the_stack_is_the_standards_error_and_can_be_caught() {
    let outcome = recursion(10_000_000).evaluate("{}", Mocks::default()).await;
    let error: serde_json::Value = serde_json::from_str(&output(&outcome)).unwrap();
    assert_eq!(error["code"], "U1001");
    // The thread and its stack are fit for the next run.
    assert_eq!(output(&recursion(10).evaluate("1", Mocks::default()).await), "1");
}

#[tokio::test]
async fn a_panic_in_an_intrinsic_ends_its_run_and_no_other() {
    let mut engine = Engine::new(EngineConfig { workers: 1, stacks_max: 2, ..EngineConfig::default() }).unwrap();
    engine.linker.allow_shadowing(true);
    engine
        .linker
        .func_wrap(NAMESPACE, Op::Now.row().name, |_: wasmtime::Caller<'_, Box<crate::host::Host>>| -> i64 {
            panic!("a defect of an intrinsic")
        })
        .unwrap();
    let panics = Wasm::new(&[Op::Task, Op::Now]).handled("/do/0", 1, 1).task("/do/1").step(&[
        &|e| {
            e.task(0).op(Op::Now);
            e.sink.drop();
        },
        &|e| e.task(1).end(abi::DONE),
    ]);
    let panics = engine.load(&panics.bytes()).unwrap();
    let fine = engine.load(&recursion(10).bytes()).unwrap();
    // More often than there are stacks: each is given back.
    for _ in 0..5 {
        let outcome = engine.evaluate(&panics, document("{}"), Mocks::default(), Limits::default(), NOW).await;
        assert_eq!(code(&outcome), "LG-STEP-LOST");
        let outcome = engine.evaluate(&fine, document("1"), Mocks::default(), Limits::default(), NOW).await;
        assert_eq!(output(&outcome), "1");
    }
}

#[tokio::test]
async fn intrinsics_have_stack_enough_at_the_deepest_point_of_wasm() {
    // Every eighth level (of about 1 KiB) works on a value that nests nearly as deeply as any may.
    let ops = [Op::Task, Op::SlotGet, Op::SlotSet, Op::ToString, Op::Eq, Op::Descend, Op::ArrNew, Op::ArrPush];
    let works: [&dyn Fn(&mut super::wasm::Emit<'_>); 4] = [
        &|e| {
            e.i32(2).op(Op::SlotGet).i32(1).op(Op::ToString);
            e.sink.drop();
        },
        &|e| {
            e.i32(2).op(Op::SlotGet).i32(3).op(Op::SlotGet).op(Op::Eq);
            e.sink.drop();
        },
        &|e| {
            e.i32(2).op(Op::SlotGet).op(Op::Descend);
            e.sink.drop();
        },
        &|e| {
            e.copy(2, 3);
        },
    ];
    for (n, work) in works.into_iter().enumerate() {
        let mut wasm = Wasm::new(&ops).handled("/do/0", 1, 1).task("/do/1");
        let own = wasm.ops.len() as u32;
        wasm.function(&[ValType::I32], &[], &[ValType::F64; 128], |e| {
            for local in 1..129 {
                e.sink.f64_const(f64::from(local).into()).local_set(local);
            }
            e.sink.local_get(0).i32_const(7).i32_and().i32_eqz().if_(BlockType::Empty);
            e.task(0);
            work(e);
            e.sink.end().local_get(0).i32_const(1).i32_add().call(own);
            // The locals live across the call.
            e.sink.f64_const(0.0.into());
            for local in 1..129 {
                e.sink.local_get(local).f64_add();
            }
            e.sink.drop();
        });
        let wasm = wasm.step(&[
            &|e| {
                // [[…]] 120 deep in scratch, then in slots 2 and 3.
                e.task(0).i32(0).op(Op::ArrNew);
                e.sink.local_set(1).i32_const(119).local_set(2).loop_(BlockType::Empty);
                e.i32(0).op(Op::ArrNew);
                e.sink.local_tee(3).local_get(1);
                e.op(Op::ArrPush);
                e.sink.local_get(3).local_set(1);
                e.sink.local_get(2).i32_const(1).i32_sub().local_tee(2).br_if(0).end();
                for slot in [2, 3] {
                    e.i32(slot);
                    e.sink.local_get(1);
                    e.op(Op::SlotSet);
                }
                e.sink.i32_const(0).call(own);
            },
            &|e| e.task(1).end(abi::DONE),
        ]);
        let limits = Limits { cost_max: u64::MAX, ..Limits::default() };
        let outcome = ENGINE.evaluate(&wasm.load(), document("0"), Mocks::default(), limits, NOW).await;
        assert!(output(&outcome).contains("U1001"), "work {n}");
    }
}
