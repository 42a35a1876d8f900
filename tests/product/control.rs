//! People end runs and start them again: who may, what it says, and what is recorded.

use std::{
    path::PathBuf,
    process::Output,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    house::House,
    subflows::{ask, deploy, flow, run, runs},
};

const REST: &str = "[{ rest: { wait: PT1H } }]";

/// Somebody's context file.
fn context(house: &House, who: &str) -> PathBuf {
    match who {
        "admin" => house.data.join("context.json"),
        other => house.folder().join(format!("{other}.json")),
    }
}

/// A command about runs in Development, by somebody.
fn by(house: &House, who: &str, arguments: &[&str]) -> Output {
    let arguments = [&["runs"], arguments, &["--env", "development"]].concat();
    house.cli_as(&context(house, who), &arguments, "")
}

/// Exit code and what was told.
fn told(output: &Output) -> (Option<i32>, String) {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

fn until<T>(house: &House, what: &str, look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{what} does not come:\n{}", house.log());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The newest run of an orchestration that is in a phase.
fn found(house: &House, name: &str, phase: &str) -> Option<Value> {
    runs(house).into_iter().find(|run| run["target"]["name"] == name && run["phase"] == phase)
}

/// The newest run of an orchestration, once it is in a phase.
fn in_phase(house: &House, name: &str, phase: &str) -> Value {
    until(house, &format!("a {phase} run of {name}"), || found(house, name, phase))
}

fn id(run: &Value) -> String {
    run["id"].as_str().unwrap().to_owned()
}

/// Lines of the audit log in which all of these words stand.
fn logged(house: &House, words: &[&str]) -> usize {
    let log = house.cli(&["audit", "log", "--limit", "500"]);
    log.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

#[test]
fn a_run_that_is_cancelled_ends_at_once_with_those_it_runs() {
    let house = House::start();
    let admin = house.administrator();
    let outer = format!("[{{ below: {} }}]", run("inner", "latest", ""));
    deploy(&house, "both", &[("outer", flow("outer", "1.0.0", &outer)), ("inner", flow("inner", "1.0.0", REST))])
        .unwrap();
    house.user("watcher", &["monitor"]);
    house.user("stranger", &[]);
    let unknown = "00000000-0000-7000-8000-000000000000";

    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| ask(&house, &admin, "outer", &json!({})));
        let (outer, inner) = (in_phase(&house, "outer", "running"), in_phase(&house, "inner", "running"));
        let run = id(&outer);

        // Who may not see the environment is told nothing, who may not control runs is told that.
        for run in [run.as_str(), unknown] {
            let (code, text) = told(&by(&house, "stranger", &["cancel", run]));
            assert!(code == Some(3) && text.contains("LG-NOT-FOUND"), "{text}");
            let (code, text) = told(&by(&house, "watcher", &["cancel", run]));
            assert!(code == Some(3) && text.contains("permission=runs-control"), "{text}");
        }
        let (code, text) = told(&by(&house, "admin", &["cancel", unknown]));
        assert!(code == Some(3) && text.contains("LG-NOT-FOUND") && text.contains(unknown), "{text}");
        let elsewhere = house.cli_as(&context(&house, "admin"), &["runs", "cancel", &run, "--env", "test"], "");
        assert!(told(&elsewhere).1.contains("LG-NOT-FOUND"), "{elsewhere:?}");
        assert!(found(&house, "outer", "running").is_some(), "nothing of that ended it");

        let (code, text) = told(&by(&house, "admin", &["cancel", &run]));
        assert_eq!((code, text), (Some(0), format!("run {run} is cancelled\n")));
        let reply = waiting.join().unwrap();
        assert_eq!((reply.status, reply.code_of_problem().as_str()), (503, "LG-CANCELLED"), "{reply:?}");
        let shown = house.cli_json(&["runs", "show", &run, "--env", "development"]);
        assert_eq!((&shown["phase"], &shown["error"]["code"]), (&json!("cancelled"), &json!("LG-CANCELLED")));
        let inner = id(&inner);
        until(&house, "the end of the run below", || {
            let shown = house.cli_json(&["runs", "show", &inner, "--env", "development"]);
            (shown["phase"] == "cancelled").then_some(())
        });

        // Once more: it has ended.
        let (code, text) = told(&by(&house, "admin", &["cancel", &run]));
        assert!(code == Some(1) && text.contains("LG-RUN-ENDED") && text.contains("it is cancelled"), "{text}");
    });
    assert_eq!(logged(&house, &[" cancel ", " done ", " admin ", "development/integrations/outer"]), 1);
    assert_eq!(logged(&house, &["administer", "DENIED", "watcher"]), 2);
    house.cli(&["audit", "verify"]);
}
