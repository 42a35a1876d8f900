//! Done, suspend, resume: the ordinary ways through a run.

use std::collections::BTreeMap;

use lockgate_model::{
    Digest, Limits,
    abi::{self, Op},
};

use super::wasm::{ENGINE, NOW, Wasm, document, output};
use crate::{Engine, EngineConfig, Mocks, Waits};

const BASIC: &[Op] = &[Op::Task, Op::SlotGet, Op::SlotSet, Op::IntGet, Op::IntSet, Op::Clock, Op::Wait, Op::NewNum];

pub(super) fn echo() -> Wasm {
    Wasm::new(BASIC).task("/do/0/echo").step(&[&|e| {
        e.task(0).copy(0, 1).end(abi::DONE);
    }])
}

#[tokio::test]
async fn the_output_slot_is_the_output() {
    let outcome = echo().evaluate(r#"{"a":[1,2.50,"x"]}"#, Mocks::default()).await;
    assert_eq!(output(&outcome), r#"{"a":[1,2.50,"x"]}"#);
    assert_eq!(outcome.tasks.len(), 1);
    assert_eq!((outcome.tasks[0].task.as_str(), outcome.tasks[0].entered), ("/do/0/echo", 1));
    assert!(outcome.cost > 0 && outcome.arena_bytes_peak > 0);
    assert_eq!(outcome.bytes, BTreeMap::new());
}

#[tokio::test]
async fn a_slot_never_set_is_undefined() {
    let wasm = Wasm::new(BASIC).task("/").step(&[&|e| e.task(0).end(abi::DONE)]);
    let outcome = wasm.evaluate("1", Mocks::default()).await;
    assert!(outcome.result.unwrap().is_undefined());
}

#[tokio::test]
async fn the_same_run_costs_the_same() {
    let module = echo().load();
    let mut costs = Vec::new();
    for _ in 0..3 {
        let input = document(r#"{"a":[1,2.50,"x"]}"#);
        costs.push(ENGINE.evaluate(&module, input, Mocks::default(), Limits::default(), NOW).await.cost);
    }
    assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
}

/// Waits, then gives the milliseconds the clock has moved on; slots outlive the wait.
pub(super) fn waiting(ms: i64) -> Wasm {
    Wasm::new(BASIC).task("/do/0/before").task("/do/1/after").step(&[
        &|e| {
            e.task(0).copy(0, 2).i32(0).op(Op::Clock).op(Op::IntSet);
            e.i64(ms).i32(1).op(Op::Wait).end(abi::SUSPEND);
        },
        &|e| {
            e.task(1).i32(1).op(Op::Clock).i32(0).op(Op::IntGet);
            e.sink.i64_sub().f64_convert_i64_s();
            e.op(Op::NewNum).op(Op::SlotSet).end(abi::DONE);
        },
    ])
}

#[tokio::test]
async fn a_virtual_wait_moves_the_clock_and_takes_no_time() {
    let started = std::time::Instant::now();
    let outcome = waiting(3_600_000).evaluate("{}", Mocks::default()).await;
    assert_eq!(output(&outcome), "3600000");
    assert!(started.elapsed().as_secs() < 60);
    assert_eq!(outcome.tasks.iter().map(|t| t.task.as_str()).collect::<Vec<_>>(), ["/do/0/before", "/do/1/after"]);
}

#[tokio::test]
async fn a_real_wait_takes_its_time() {
    let mocks = Mocks { waits: Waits::Real, ..Mocks::default() };
    let outcome = waiting(30).evaluate("{}", mocks).await;
    assert!(output(&outcome).parse::<f64>().unwrap() >= 30.0);
}

#[tokio::test]
async fn a_negative_wait_is_none() {
    let mocks = Mocks { waits: Waits::Real, ..Mocks::default() };
    assert!(output(&waiting(-1).evaluate("{}", mocks).await).parse::<f64>().unwrap() < 1_000.0);
}

#[tokio::test]
async fn what_scratch_held_lives_on_in_its_slot() {
    // The number is made in scratch, which the next task empties.
    let wasm = Wasm::new(BASIC).task("/do/0").task("/do/1").step(&[&|e| {
        e.task(0).i32(2);
        e.sink.f64_const(42.0.into());
        e.op(Op::NewNum).op(Op::SlotSet);
        e.task(1).copy(2, 1).end(abi::DONE);
    }]);
    assert_eq!(output(&wasm.evaluate("{}", Mocks::default()).await), "42");
}

#[tokio::test]
async fn a_stale_handle_ends_the_run() {
    let wasm = Wasm::new(BASIC).handled("/do/0", 1, 2).task("/do/1").step(&[
        &|e| {
            e.task(0);
            e.sink.f64_const(42.0.into());
            e.op(Op::NewNum);
            e.sink.local_set(1);
            e.task(0).i32(1);
            e.sink.local_get(1);
            e.op(Op::SlotSet).end(abi::DONE);
        },
        // The handler must not be reached.
        &|e| e.task(1).copy(0, 1).end(abi::DONE),
    ]);
    let outcome = wasm.evaluate("{}", Mocks::default()).await;
    assert_eq!(super::wasm::code(&outcome), "LG-STALE-HANDLE");
}

#[tokio::test]
async fn ten_thousand_runs_leave_nothing_behind() {
    let mut echo = echo();
    // Its own module: other tests hold the other one.
    echo.header.name = "ten-thousand".into();
    let module = echo.load();
    let mut peaks = std::collections::BTreeSet::new();
    for _ in 0..10_000 {
        let outcome = ENGINE.evaluate(&module, document(r#"{"a":1}"#), Mocks::default(), Limits::default(), NOW).await;
        peaks.insert(outcome.arena_bytes_peak);
        assert!(outcome.result.is_ok());
    }
    assert_eq!(peaks.len(), 1, "an arena has seen another run");
    assert_eq!(std::sync::Arc::strong_count(&module), 2, "the shelf and this test");
}

#[tokio::test]
async fn a_slot_set_again_and_again_holds_one_generation() {
    let looping = |turns: i64| {
        Wasm::new(BASIC).task("/do/0").step(&[&|e| {
            e.sink.i64_const(turns).local_set(1).loop_(wasm_encoder::BlockType::Empty);
            // Scratch is emptied by the task, the old slot by the new one.
            e.task(0).copy(0, 2).copy(2, 3).i32(2);
            e.sink.f64_const(7.0.into());
            e.op(Op::NewNum).op(Op::SlotSet);
            e.sink.local_get(1).i64_const(1).i64_sub().local_tee(1).i64_eqz().i32_eqz().br_if(0).end();
            e.copy(3, 1).end(abi::DONE);
        }])
    };
    let few = looping(10).evaluate(r#"["some","value"]"#, Mocks::default()).await;
    let many = looping(20_000).evaluate(r#"["some","value"]"#, Mocks::default()).await;
    assert_eq!(output(&many), r#"["some","value"]"#);
    assert_eq!(few.arena_bytes_peak, many.arena_bytes_peak);
}

#[tokio::test]
async fn a_dropped_run_ends_and_lets_go() {
    let mut endless = super::limits::endless();
    endless.header.name = "dropped".into();
    let module = endless.load();
    let limits = Limits { cost_max: u64::MAX, ..Limits::default() };
    let run = ENGINE.evaluate(&module, document("{}"), Mocks::default(), limits, NOW);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(30), run).await.is_err());
    for _ in 0..1_000 {
        if std::sync::Arc::strong_count(&module) == 2 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("it still runs");
}

#[tokio::test]
async fn a_forged_handle_ends_the_run() {
    for handle in [0x0001_0000_0000_0000_i64, 0x0000_0001_0000_ffff, 0x0000_0009_0000_0000, -1, i64::MIN, i64::MAX, 1] {
        let wasm = Wasm::new(BASIC).handled("/do/0", 1, 2).task("/do/1").step(&[
            &|e| {
                e.task(0).i32(1).i64(handle).op(Op::SlotSet).end(abi::DONE);
            },
            &|e| e.task(1).copy(0, 1).end(abi::DONE),
        ]);
        let outcome = wasm.evaluate("{}", Mocks::default()).await;
        assert_eq!(super::wasm::code(&outcome), "LG-STALE-HANDLE", "{handle:x}");
    }
}

#[tokio::test]
async fn a_module_loads_from_its_own_machine_code_and_no_other() {
    let (echo, other) = (echo().bytes(), waiting(5).bytes());
    let compiled = ENGINE.compile(&echo).unwrap();
    assert!(matches!(ENGINE.load_compiled(&other, &compiled), Err(crate::LoadError::Forbidden(_))));
    assert!(ENGINE.load_compiled(&echo[1..], &compiled).is_err());
    let module = ENGINE.load_compiled(&echo, &compiled).unwrap();
    let input = document(r#"{"a":[1,2.50,"x"]}"#);
    let outcome = ENGINE.evaluate(&module, input, Mocks::default(), Limits::default(), NOW).await;
    assert_eq!(output(&outcome), r#"{"a":[1,2.50,"x"]}"#);
}

#[tokio::test]
async fn kept_machine_code_is_proven_before_it_is_used() {
    let seal = |key: &'static str| {
        move |parts: &[&[u8]]| Digest::of_parts([key.as_bytes()].into_iter().chain(parts.iter().copied()))
    };
    let engine = || Engine::new(EngineConfig { modules_bytes_max: 0, ..EngineConfig::alone() }).unwrap();
    let (echo, other) = (echo().bytes(), waiting(5).bytes());
    let sealer = seal("ours");
    // The shelf holds what was loaded last: another module first, each time.
    let engine = engine();
    let fresh = |kept: Option<&[u8]>, wasm: &[u8]| {
        let before = if wasm == echo { &other } else { &echo };
        engine.load(before).unwrap();
        engine.load_kept(wasm, kept, &sealer).unwrap()
    };
    let kept = fresh(None, &echo).keep.expect("there was nothing yet");
    assert!(fresh(Some(&kept), &echo).keep.is_none(), "good code was compiled again");
    // Any bit of it, any length, another module's, another key's: compiled again, and replaced by the same.
    let stride = kept.len() / 50;
    for place in (0..kept.len()).step_by(stride).chain([0, 15, 16, 47, 48, kept.len() - 1]) {
        let mut bad = kept.clone();
        bad[place] ^= 1;
        assert!(fresh(Some(&bad), &echo).keep.is_some(), "byte {place} was not proven");
    }
    for length in [0, 1, 16, 48, kept.len() - 1] {
        assert!(fresh(Some(&kept[..length]), &echo).keep.is_some(), "{length} bytes were taken");
    }
    assert!(fresh(Some(&kept), &other).keep.is_some(), "code of another module was taken");
    engine.load(&other).unwrap();
    assert!(engine.load_kept(&echo, Some(&kept), &seal("theirs")).unwrap().keep.is_some(), "under another key");
    // And it runs.
    let module = fresh(Some(&kept), &echo).module;
    let outcome = engine.evaluate(&module, document("[1]"), Mocks::default(), Limits::default(), NOW).await;
    assert_eq!(output(&outcome), "[1]");
}

#[test]
fn modules_make_room_for_others_by_their_size() {
    let engine = |bytes| Engine::new(EngineConfig { modules_bytes_max: bytes, ..EngineConfig::alone() }).unwrap();
    let (first, second) = (echo().bytes(), waiting(5).bytes());
    let small = engine(0);
    let bytes = small.load(&first).unwrap().bytes() + small.load(&second).unwrap().bytes();
    assert!(small.loaded(&Digest::of(&first)).is_none() && small.loaded(&Digest::of(&second)).is_some());
    let both = engine(bytes * 3 / 2 - 1);
    both.load(&first).unwrap();
    both.load(&second).unwrap();
    assert!(both.loaded(&Digest::of(&first)).is_some() && both.loaded(&Digest::of(&second)).is_some());
    // The one used longest ago goes.
    both.load(&waiting(6).bytes()).unwrap();
    assert!(both.loaded(&Digest::of(&first)).is_none() && both.loaded(&Digest::of(&second)).is_some());
}
