//! A schedule in the product: it fires by itself, is paused and resumed by whoever may, and a restart
//! carries it on.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::house::House;

const FLOW: &str = "document: { dsl: '1.0.3', namespace: test, name: tick, version: '1.0.0' }\n\
    evaluate: { language: jsonata }\nschedule: { every: PT1S }\ndo:\n  - note: { set: { at: '${ scheduled }' } }\n";

fn sources(house: &House, schedule: &str) -> String {
    let folder = house.folder().join("clock");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("project.yaml"), "project: clock\n").unwrap();
    std::fs::write(folder.join("tick.flow.yaml"), FLOW.replace("{ every: PT1S }", schedule)).unwrap();
    folder.to_str().unwrap().to_owned()
}

fn runs(house: &House) -> Vec<Value> {
    let listed = house.cli_json(&["runs", "list", "--env", "development", "--name", "tick", "--limit", "1000"]);
    listed["items"].as_array().unwrap().clone()
}

fn schedule(house: &House) -> Value {
    house.cli_json(&["schedule", "list", "--env", "development"])["items"][0].clone()
}

fn until(house: &House, what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what} does not come:\n{}", house.log());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_flow_runs_by_itself_and_over_a_restart() {
    let house = House::start();

    // A bad expression is shown at its place, and nothing is pushed.
    let folder = sources(&house, "{ cron: '0 25 * * *' }");
    let refused = house.cli_as(&house.data.join("context.json"), &["push", &folder], "");
    let shown = String::from_utf8_lossy(&refused.stderr).into_owned() + &String::from_utf8_lossy(&refused.stdout);
    assert_eq!(refused.status.code(), Some(1), "{shown}");
    assert!(shown.contains("`25` is no hour") && shown.contains(":3:22") && shown.contains("^^"), "{shown}");

    sources(&house, "{ every: PT1S }");
    house.cli(&["push", &folder]);
    house.cli(&["user", "add", "robot", "--service", "--profile", "administrator"]);
    let deployed = house.cli(&["deploy", "clock", "development", "--run-as", "robot"]);
    assert!(deployed.contains("runs by itself as `robot`: every 1 s"), "{deployed}");
    until(&house, "two runs", || runs(&house).len() >= 2);
    let all = runs(&house);
    assert!(all.iter().all(|run| run["trigger"] == "schedule" && run["principal"] == "robot"), "{all:?}");

    // Who may not, does not; then it is paused, and stays so over a restart.
    house.user("watcher", &["monitor"]);
    let denied =
        house.cli_as(&house.folder().join("watcher.json"), &["schedule", "pause", "tick", "--env", "development"], "");
    assert_eq!(denied.status.code(), Some(3), "{denied:?}");
    let seen = house.cli_as(&house.folder().join("watcher.json"), &["schedule", "list", "--env", "development"], "");
    assert!(seen.status.success() && String::from_utf8_lossy(&seen.stdout).contains("every 1 s"), "{seen:?}");
    house.cli(&["schedule", "pause", "tick", "--env", "development"]);
    until(&house, "the end of a run", || schedule(&house)["running"] == false);
    let count = runs(&house).len();
    let house = house.restart(&[]);
    assert_eq!((&schedule(&house)["next"], &schedule(&house)["paused"]["by"]), (&Value::Null, &"admin".into()));
    let listed = house.cli(&["schedule", "list", "--env", "development"]);
    assert!(listed.contains("paused by admin"), "{listed}");

    // By hand it runs all the same.
    let ran = house.cli_json(&["schedule", "run", "tick", "--env", "development"]);
    let all = runs(&house);
    assert_eq!((all.len(), &all[0]["id"]), (count + 1, &ran["run"]));

    house.cli(&["schedule", "resume", "tick", "--env", "development"]);
    until(&house, "another run", || runs(&house).len() >= count + 2);
    // Skipped: the next one is told, and it goes on.
    let due = schedule(&house)["next"].as_i64().unwrap();
    let skipped = house.cli_json(&["schedule", "skip", "tick", "--env", "development"]);
    assert!(skipped["skipped"].as_i64().unwrap() >= due, "{skipped}");
    assert_eq!(skipped["next"].as_i64(), skipped["skipped"].as_i64().map(|at| at + 1_000_000), "{skipped}");
    house.cli(&["undeploy", "clock", "development"]);
    assert_eq!(house.cli(&["schedule", "list", "--env", "development"]).trim(), "none");
    let log = house.cli(&["audit", "log", "--limit", "1000"]);
    for event in ["schedule-pause", "schedule-run", "schedule-resume", "schedule-skip"] {
        assert!(log.contains(event), "no {event} in {log}");
    }
    house.cli(&["audit", "verify"]);
}
