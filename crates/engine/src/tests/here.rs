//! Runs on their caller's thread: they end as all others do.

use std::{collections::BTreeMap, time::Duration, time::Instant};

use lockgate_model::{
    Limits,
    abi::{self, Op},
};

use super::{
    limits::endless,
    runs::{echo, waiting},
    wasm::{ENGINE, NOW, Wasm, code, document, output},
};
use crate::{Mocks, Outcome};

fn here(wasm: &Wasm, limits: Limits) -> Outcome {
    ENGINE.evaluate_here(&wasm.load(), document(r#"{"a":[1,2.50,"x"]}"#), limits, NOW)
}

#[tokio::test]
async fn a_run_here_gives_and_costs_what_it_does_elsewhere() {
    let elsewhere = echo().evaluate(r#"{"a":[1,2.50,"x"]}"#, Mocks::default()).await;
    let here = here(&echo(), Limits::default());
    assert_eq!(output(&here), output(&elsewhere));
    assert_eq!((here.cost, here.arena_bytes_peak), (elsewhere.cost, elsewhere.arena_bytes_peak));
    assert_eq!((here.tasks[0].task.as_str(), here.tasks[0].entered), ("/do/0/echo", 1));
    assert_eq!(here.bytes, BTreeMap::new());
}

#[test]
fn a_wait_here_is_over_at_once() {
    let started = Instant::now();
    assert_eq!(output(&here(&waiting(3_600_000), Limits::default())), "3600000");
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_call_here_fails_as_one_without_a_mock() {
    const OPS: &[Op] = &[Op::Task, Op::SlotGet, Op::Call];
    let calls = |tasks: Wasm| {
        tasks.step(&[
            &|e| {
                e.task(0).call(0, 1, 0);
            },
            &|e| e.task(1).end(abi::DONE),
        ])
    };
    let outcome = here(&calls(Wasm::new(OPS).task("/do/0/send").task("/do/1")), Limits::default());
    assert_eq!(code(&outcome), "LG-NO-MOCK");
    assert!(outcome.result.unwrap_err().message.contains("`erp`"));
    // The flow may handle it.
    let outcome = here(&calls(Wasm::new(OPS).handled("/do/0/send", 1, 1).task("/do/1")), Limits::default());
    assert!(output(&outcome).contains("LG-NO-MOCK"));
}

#[test]
fn limits_hold_here() {
    let limits = Limits { cost_max: 5_000_000, ..Limits::default() };
    let costs = [here(&endless(), limits), here(&endless(), limits)];
    assert_eq!((code(&costs[0]), costs[0].cost), ("LG-LIMIT-COST", costs[1].cost));
    let limits = Limits { cost_max: u64::MAX, wall_ms_max: 50, ..Limits::default() };
    assert_eq!(code(&here(&endless(), limits)), "LG-LIMIT-WALL");
}

#[test]
fn runs_here_take_turns() {
    let limits = Limits { cost_max: 20_000_000, ..Limits::default() };
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| here(&endless(), limits))).collect();
        for run in runs {
            assert_eq!(code(&run.join().unwrap()), "LG-LIMIT-COST");
        }
    });
}
