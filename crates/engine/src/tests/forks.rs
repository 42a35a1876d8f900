//! Forks: how branches come together, what each sees of the others, and what a hostile module gets.

use std::time::{Duration, Instant};

use lockgate_model::{
    Limits,
    abi::{self, Op, Timeout, fork},
};

use super::{
    permit::{Counting, run},
    wasm::{Emit, Wasm, code, output},
};
use crate::{Mock, MockError, Mocks, Waits};

const OPS: &[Op] = &[
    Op::Task,
    Op::SlotGet,
    Op::SlotSet,
    Op::IntGet,
    Op::IntSet,
    Op::Wait,
    Op::Call,
    Op::Branch,
    Op::Fork,
    Op::Place,
    Op::NewNum,
    Op::ObjNew,
    Op::Raise,
    Op::Clock,
];

/// Branch at pc 1, `count` of them; the fork's output is the run's.
fn forks(count: i64, at_once: i32, how: u32, branch: &[&dyn Fn(&mut Emit<'_>)]) -> Wasm {
    let mut wasm = Wasm::new(OPS).task("/do/0/fork");
    for _ in branch {
        wasm = wasm.task("/do/0/fork/branches/0/b");
    }
    let end = branch.len() as i32 + 1;
    let first = move |e: &mut Emit<'_>| {
        e.task(0).i32(1).i64(count).op(Op::Branch);
        e.i32(at_once).i32(how as i32).i32(1).i32(end).op(Op::Fork).end(abi::SUSPEND);
    };
    let last = |e: &mut Emit<'_>| e.end(abi::DONE);
    let mut tasks: Vec<&dyn Fn(&mut Emit<'_>)> = vec![&first];
    tasks.extend(branch);
    tasks.push(&last);
    wasm.task("/").step(&tasks)
}

/// The branch gives its place.
fn gives_its_place(e: &mut Emit<'_>) {
    e.task(1).i32(1).op(Op::Place);
    e.sink.f64_convert_i64_s();
    e.op(Op::NewNum).op(Op::SlotSet).end(abi::JOINED);
}

/// Waits so many seconds as 10 less its place.
fn waits(e: &mut Emit<'_>) {
    e.task(1).i64(10).op(Op::Place);
    e.sink.i64_sub().i64_const(1000).i64_mul();
    e.i32(2).op(Op::Wait).end(abi::SUSPEND);
}

async fn evaluated(wasm: &Wasm) -> String {
    output(&wasm.evaluate("{}", Mocks::default()).await)
}

#[tokio::test]
async fn what_branches_give_stands_in_the_order_of_the_branches() {
    assert_eq!(evaluated(&forks(3, 0, fork::JOIN, &[&gives_its_place])).await, "[0,1,2]");
    // The last one is the first to end.
    assert_eq!(evaluated(&forks(3, 0, fork::JOIN, &[&waits, &gives_its_place])).await, "[0,1,2]");
    assert_eq!(evaluated(&forks(0, 0, fork::JOIN, &[&gives_its_place])).await, "[]");
}

#[tokio::test]
async fn nothing_takes_the_place_of_nothing() {
    let nothing: &dyn Fn(&mut Emit<'_>) = &|e| {
        e.task(1).i32(1).i64(0).op(Op::SlotSet).end(abi::JOINED);
    };
    assert_eq!(evaluated(&forks(2, 0, fork::JOIN, &[nothing])).await, "[null,null]");
}

#[tokio::test]
async fn the_first_that_ends_wins_in_real_and_in_virtual_time() {
    let wasm = forks(3, 0, fork::COMPETE, &[&waits, &gives_its_place]);
    assert_eq!(evaluated(&wasm).await, "2");
    let quick: &dyn Fn(&mut Emit<'_>) = &|e| {
        e.task(1).i64(10).op(Op::Place);
        e.sink.i64_sub().i64_const(50).i64_mul();
        e.i32(2).op(Op::Wait).end(abi::SUSPEND);
    };
    let wasm = forks(9, 0, fork::COMPETE, &[quick, &gives_its_place]);
    let outcome = wasm.evaluate("{}", Mocks { waits: Waits::Real, ..Mocks::default() }).await;
    assert_eq!(output(&outcome), "8");
}

#[tokio::test]
async fn no_more_branches_run_at_once_than_the_fork_allows() {
    // Each waits a second of virtual time and gives when it ends, in seconds since the run began.
    let at: &dyn Fn(&mut Emit<'_>) = &|e| {
        e.task(1).i32(0).op(Op::Clock).op(Op::IntSet).i64(1000).i32(2).op(Op::Wait).end(abi::SUSPEND);
    };
    let ended: &dyn Fn(&mut Emit<'_>) = &|e| {
        e.task(2).i32(1).op(Op::Clock).i64(super::wasm::NOW.ms());
        e.sink.i64_sub().f64_convert_i64_s();
        e.op(Op::NewNum).op(Op::SlotSet).end(abi::JOINED);
    };
    assert_eq!(evaluated(&forks(5, 2, fork::JOIN, &[at, ended])).await, "[1000,1000,2000,2000,3000]");
    assert_eq!(evaluated(&forks(3, 1, fork::JOIN, &[at, ended])).await, "[1000,2000,3000]");
}

/// Branches with an odd place fail.
fn fails_where_odd(e: &mut Emit<'_>) {
    e.task(1).op(Op::Place);
    e.sink.i64_const(1).i64_and().i32_wrap_i64().if_(wasm_encoder::BlockType::Empty);
    e.op(Op::ObjNew).op(Op::Raise).end(abi::FAULT);
    e.sink.end();
    gives_its_place(e);
}

#[tokio::test]
async fn a_failure_fails_the_fork_unless_errors_are_collected() {
    let outcome = forks(4, 0, fork::JOIN, &[&fails_where_odd]).evaluate("{}", Mocks::default()).await;
    let failure = outcome.result.as_ref().unwrap_err();
    assert_eq!((failure.error.code.as_str(), failure.error.task.as_str()), ("LG-RAISED", "/do/0/fork/branches/0/b"));

    let collected = evaluated(&forks(4, 0, fork::COLLECT, &[&fails_where_odd])).await;
    let error = r#"{"instance":"/do/0/fork/branches/0/b"}"#;
    assert_eq!(
        collected,
        format!(
            r#"{{"output":[0,null,2,null],"errors":[{{"index":1,"error":{error}}},{{"index":3,"error":{error}}}]}}"#
        )
    );
    // Who competes and fails has not won.
    let backwards: &dyn Fn(&mut Emit<'_>) = &|e| fails_where_odd(e);
    assert_eq!(evaluated(&forks(4, 0, fork::COMPETE, &[&waits, backwards])).await, "2");
    let all_fail: &dyn Fn(&mut Emit<'_>) = &|e| {
        e.task(1).op(Op::ObjNew).op(Op::Raise).end(abi::FAULT);
    };
    let outcome = forks(4, 0, fork::COMPETE, &[all_fail]).evaluate("{}", Mocks::default()).await;
    assert_eq!(code(&outcome), "LG-RAISED");
}

#[tokio::test]
async fn the_handler_around_a_fork_has_the_error_of_its_branch() {
    let wasm = Wasm::new(OPS)
        .handled("/do/0/try/0/fork", 3, 3)
        .task("/do/0/try/0/fork/branches/0/b")
        .task("/")
        .task("/do/0/try");
    let wasm = wasm.step(&[
        &|e| {
            e.task(0).i32(1).i64(2).op(Op::Branch);
            e.i32(0).i32(fork::JOIN as i32).i32(1).i32(2).op(Op::Fork).end(abi::SUSPEND);
        },
        &fails_where_odd,
        &|e| e.end(abi::FAULT),
        &|e| {
            e.task(3).copy(3, 1).end(abi::DONE);
        },
    ]);
    assert_eq!(evaluated(&wasm).await, r#"{"instance":"/do/0/try/0/fork/branches/0/b"}"#);
}

#[tokio::test]
async fn a_branch_writes_its_own_slots_and_nobody_elses() {
    // Slot 2 holds the input; each branch counts in int slot 0 and overwrites slot 2.
    let wasm = Wasm::new(OPS).task("/").task("/b").task("/b").task("/");
    let wasm = wasm.step(&[
        &|e| {
            e.task(0).copy(0, 2).i32(0).i64(7).op(Op::IntSet).i32(1).i64(3).op(Op::Branch);
            e.i32(0).i32(fork::JOIN as i32).i32(3).i32(3).op(Op::Fork).end(abi::SUSPEND);
        },
        &|e| {
            e.task(1).i32(0).i32(0).op(Op::IntGet).i64(1);
            e.sink.i64_add();
            e.op(Op::IntSet).i64(1).i32(2).op(Op::Wait).end(abi::SUSPEND);
        },
        // What the branch sees: its own count, and the origin's slot 2 until it writes it.
        &|e| {
            e.task(2).copy(2, 1).i32(2).i32(0).op(Op::IntGet);
            e.sink.f64_convert_i64_s();
            e.op(Op::NewNum).op(Op::SlotSet);
            e.copy(2, 1).end(abi::JOINED);
        },
        &|e| {
            e.task(3).copy(2, 1).end(abi::DONE);
        },
    ]);
    assert_eq!(evaluated_with(&wasm, r#"{"a":1}"#).await, r#"{"a":1}"#);
}

async fn evaluated_with(wasm: &Wasm, input: &str) -> String {
    output(&wasm.evaluate(input, Mocks::default()).await)
}

#[tokio::test]
async fn a_branch_may_end_the_run() {
    let ends: &dyn Fn(&mut Emit<'_>) = &|e| {
        e.task(1).i32(1).op(Op::Place);
        e.sink.f64_convert_i64_s();
        e.op(Op::NewNum).op(Op::SlotSet).end(abi::DONE);
    };
    assert_eq!(evaluated(&forks(3, 0, fork::JOIN, &[&waits, ends])).await, "2");
}

#[tokio::test]
async fn a_time_limit_around_a_fork_ends_its_branches() {
    for spins in [false, true] {
        let branch: &dyn Fn(&mut Emit<'_>) = if spins {
            &|e| {
                e.task(1);
                e.sink.loop_(wasm_encoder::BlockType::Empty).br(0).end();
            }
        } else {
            &|e| {
                e.task(1).i64(3_600_000).i32(1).op(Op::Wait).end(abi::SUSPEND);
            }
        };
        let mut wasm =
            Wasm::new(OPS).handled("/do/0/limited", 4, 3).task("/do/0/limited").task("/b").task("/").task("/");
        wasm.tasks[1].timeout = Some(Timeout { slot: 0, pc: 0 });
        let wasm = wasm.step(&[
            &|e| {
                e.task(0).i32(0).op(Op::Clock).i64(50);
                e.sink.i64_add();
                e.op(Op::IntSet).task(1).i32(2).i64(3).op(Op::Branch);
                e.i32(0).i32(fork::JOIN as i32).i32(1).i32(3).op(Op::Fork).end(abi::SUSPEND);
            },
            &|e| e.end(abi::FAULT),
            branch,
            &|e| e.end(abi::FAULT),
            &|e| {
                e.task(4).copy(3, 1).end(abi::DONE);
            },
        ]);
        let started = Instant::now();
        let outcome = wasm.evaluate("{}", Mocks { waits: Waits::Real, ..Mocks::default() }).await;
        let error: serde_json::Value = serde_json::from_str(&output(&outcome)).unwrap();
        assert_eq!((&error["status"], &error["instance"]), (&408.into(), &"/do/0/limited".into()), "{error}");
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}

#[tokio::test]
async fn calls_past_the_limit_wait_for_others_and_all_are_made() {
    let calls: &dyn Fn(&mut Emit<'_>) = &|e| e.task(1).call(0, 1, 2);
    let joined: &dyn Fn(&mut Emit<'_>) = &|e| e.task(2).end(abi::JOINED);
    let wasm = forks(200, 0, fork::JOIN, &[calls, joined]);
    let answer = || {
        Mock::Error(MockError {
            kind: "communication".into(),
            status: Some(503),
            retry_after: None,
            detail: String::new(),
            told: None,
        })
    };
    let ok = || Mock::Answer(std::sync::Arc::new(super::wasm::document("1")));
    let mocks = |list: Vec<Mock>| Mocks { answers: [("erp".to_owned(), list)].into(), ..Mocks::default() };
    let limits = Limits { calls_in_flight_max: 3, ..Limits::default() };
    let outcome = wasm.evaluate_within("{}", mocks(vec![ok()]), limits).await;
    assert_eq!(output(&outcome), format!("[{}]", vec!["1"; 200].join(",")));
    let outcome = wasm.evaluate_within("{}", mocks(vec![ok(), ok(), answer()]), limits).await;
    assert_eq!(outcome.result.unwrap_err().error.kind, "communication");
}

#[tokio::test]
async fn what_a_branch_wants_that_lost_in_the_same_turn_never_happens() {
    // The first branch calls, the second gives at once.
    let calls_or_gives: &dyn Fn(&mut Emit<'_>) = &|e| {
        e.task(1).op(Op::Place);
        e.sink.i64_eqz().if_(wasm_encoder::BlockType::Empty);
        e.call(0, 1, 2);
        e.sink.end();
        gives_its_place(e);
    };
    let joined: &dyn Fn(&mut Emit<'_>) = &|e| e.task(2).end(abi::JOINED);
    let calls = std::sync::Arc::new(Counting::default());
    // The run goes on behind the fork, so that what was asked for would have its time.
    let tasks = Wasm::new(OPS).task("/do/0/fork").task("/b").task("/b").task("/do/1/wait").task("/");
    let wasm = tasks.step(&[
        &|e| {
            e.task(0).i32(1).i64(2).op(Op::Branch);
            e.i32(0).i32(fork::COMPETE as i32).i32(1).i32(3).op(Op::Fork).end(abi::SUSPEND);
        },
        calls_or_gives,
        joined,
        &|e| e.task(3).i64(20).i32(4).op(Op::Wait).end(abi::SUSPEND),
        &|e| e.task(4).end(abi::DONE),
    ]);
    let outcome = run(&wasm, "{}", calls.clone()).await;
    assert_eq!(output(&outcome), "1");
    assert!(outcome.bytes.is_empty(), "it was counted: {:?}", outcome.bytes);
    assert_eq!(calls.0.load(std::sync::atomic::Ordering::SeqCst), 0, "the loser's call was made");
    // Where nobody wins before, it is made.
    let wasm = forks(1, 0, fork::COMPETE, &[calls_or_gives, joined]);
    assert_eq!(output(&run(&wasm, "{}", calls.clone()).await), "null");
    assert_eq!(calls.0.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn two_thousand_branches_wait_at_once() {
    let wasm = forks(
        2_000,
        0,
        fork::JOIN,
        &[
            &|e| {
                e.task(1).i64(1000).i32(2).op(Op::Wait).end(abi::SUSPEND);
            },
            &gives_its_place,
        ],
    );
    let outcome = wasm.evaluate("{}", Mocks::default()).await;
    let output: Vec<u32> = serde_json::from_str(&output(&outcome)).unwrap();
    assert!(output.into_iter().eq(0..2_000));
}

#[tokio::test]
async fn forks_without_end_are_a_limit_of_the_run() {
    // Each branch forks two more, and so on.
    let forever: &dyn Fn(&mut Emit<'_>) = &|e| {
        e.task(1).i32(1).i64(2).op(Op::Branch);
        e.i32(0).i32(fork::JOIN as i32).i32(1).i32(2).op(Op::Fork).end(abi::SUSPEND);
    };
    let outcome = forks(2, 0, fork::JOIN, &[forever]).evaluate("{}", Mocks::default()).await;
    assert_eq!(code(&outcome), "LG-LIMIT-BRANCHES");
}

#[tokio::test]
async fn what_no_compiler_emits_is_a_defect_of_the_module() {
    let joined_at_once = Wasm::new(OPS).task("/").step(&[&|e| e.task(0).end(abi::JOINED)]);
    let no_such_task = Wasm::new(OPS).task("/").step(&[&|e| {
        e.task(0).i32(9).i64(1).op(Op::Branch).end(abi::DONE);
    }]);
    let no_such_slot = Wasm::new(OPS).task("/").step(&[&|e| {
        e.task(0).i32(0).i32(0).i32(9).i32(0).op(Op::Fork).end(abi::SUSPEND);
    }]);
    let no_such_way = Wasm::new(OPS).task("/").step(&[&|e| {
        e.task(0).i32(0).i32(9).i32(1).i32(0).op(Op::Fork).end(abi::SUSPEND);
    }]);
    for wasm in [joined_at_once, no_such_task, no_such_slot, no_such_way] {
        assert_eq!(code(&wasm.evaluate("{}", Mocks::default()).await), "LG-MODULE");
    }
}
