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
    // Nobody in Development.
    house.cli(&["profile", "add", "door", "--env", "prelive", "--permission", "user-interface-access"]);
    house.user("stranger", &["door"]);
    let unknown = "00000000-0000-7000-8000-000000000000";

    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| ask(&house, &admin, "outer", &json!({})));
        let (outer, inner) = (in_phase(&house, "outer", "running"), in_phase(&house, "inner", "waiting"));
        let run = id(&outer);
        // The inner one waits, and shows what it did until now.
        let listed = house.cli(&["runs", "list", "--env", "development", "--phase", "waiting"]);
        assert!(listed.contains(&id(&inner)) && !listed.contains(&run), "{listed}");
        let shown = house.cli(&["runs", "show", &id(&inner), "--env", "development"]);
        assert!(shown.contains("phase      waiting\n") && shown.contains("/do/0/"), "{shown}");
        assert!(!shown.contains("cost       0\n"), "{shown}");

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
        assert_eq!((reply.status, reply.code().as_str()), (503, "LG-CANCELLED"), "{reply:?}");
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

/// A flow that says which version it is, for an order.
fn says(version: &str) -> String {
    flow("order", version, &format!("[{{ said: {{ set: {{ by: '{version}', n: '${{ n }}' }} }} }}]"))
}

/// Deploys the next version of `order`.
fn say(house: &House, version: &str) {
    deploy(house, "shop", &[("order", says(version))]).unwrap();
}

fn file(house: &House, text: &str) -> String {
    let path = house.folder().join("again.json");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn who_may_not_control_or_not_execute_restarts_nothing() {
    let house = House::start();
    let admin = house.administrator();
    say(&house, "1.0.0");
    assert_eq!(ask(&house, &admin, "order", &json!({ "n": 1 })).status, 200);
    let run = id(&in_phase(&house, "order", "completed"));
    let input = file(&house, "{\"n\": 2}");
    let in_development = |name: &str, permissions: &[&str]| {
        let mut profile = vec!["profile", "add", name, "--env", "development", "--permission", "user-interface-access"];
        permissions.iter().for_each(|permission| profile.extend(["--permission", permission]));
        house.cli(&profile);
    };
    in_development("controls", &["runs-control", "logs-view"]);
    in_development("executes", &["integrations.execute", "logs-view"]);
    in_development("both", &["integrations.execute", "runs-control"]);
    let list = ["acl", "add", "orders", "--profile", "executes", "--profile", "both", "--profile", "administrator"];
    house.cli(&list);
    house.cli(&["acl", "assign", "orders", "--to", "order", "--env", "development"]);
    // Nobody in Development.
    house.cli(&["profile", "add", "door", "--env", "prelive", "--permission", "user-interface-access"]);
    house.user("stranger", &["door"]);
    house.user("cora", &["controls"]);
    house.user("exa", &["executes"]);
    house.user("bo", &["both"]);
    let before = runs(&house).len();
    for (who, code, why) in [
        ("stranger", Some(3), "LG-NOT-FOUND"),
        ("exa", Some(3), "administer.no-permission permission=runs-control"),
        ("cora", Some(3), "execute.not-on-acl acl=orders"),
    ] {
        for more in [&[][..], &["--input", &input]] {
            let (got, text) = told(&by(&house, who, &[&["restart", run.as_str()], more].concat()));
            assert!(got == code && text.contains(why), "{who}: {text}");
        }
    }
    // By the API alone, too, and before the body is looked at.
    let path = format!("/admin/v1/tenants/demo/environments/development/runs/{run}/restart");
    let exa = "exa:Korrekt-Pferd-7-Batterie";
    assert_eq!(house.request(exa, "POST", &path, Some("{{{"), &[]).status, 403);
    assert_eq!(house.request("cora:Korrekt-Pferd-7-Batterie", "POST", &path, Some("{\"input\": 1}"), &[]).status, 403);
    assert_eq!(runs(&house).len(), before, "nothing ran");
    assert!(logged(&house, &[" execute ", "DENIED", " cora ", "integrations/order"]) >= 3);

    // Who may both, may; and what was given is not there any more.
    let (code, text) = told(&by(&house, "bo", &["restart", &run]));
    assert!(code == Some(1) && text.contains("LG-RESTART-INPUT") && text.contains("--input FILE"), "{text}");
    let (code, text) = told(&by(&house, "bo", &["restart", &run, "--input", &input]));
    assert!(code == Some(0) && text.contains("\"n\":2"), "{text}");
    let unknown = "00000000-0000-7000-8000-000000000000";
    let (code, text) = told(&by(&house, "bo", &["restart", unknown, "--input", &input]));
    assert!(code == Some(3) && text.contains("LG-NOT-FOUND"), "{text}");

    // Nothing is deployed any more, or the right behind it has fallen.
    house.user("deployer", &["developer", "publisher"]);
    let (code, text) = told(&house.cli_as(&context(&house, "deployer"), &["deploy", "shop", "development"], ""));
    assert_eq!(code, Some(0), "{text}");
    house.cli(&["user", "disable", "deployer"]);
    let (code, text) = told(&by(&house, "bo", &["restart", &run, "--input", &input]));
    assert!(code == Some(1) && text.contains("execute.publish-right-fallen publisher=deployer"), "{text}");
    house.cli(&["undeploy", "shop", "development"]);
    let (code, text) = told(&by(&house, "bo", &["restart", &run, "--input", &input]));
    assert!(code == Some(1) && text.contains("execute.not-deployed"), "{text}");
}

#[test]
fn a_restart_takes_what_is_deployed_now_and_says_so() {
    let house = House::start();
    let admin = house.administrator();
    say(&house, "1.0.0");
    assert_eq!(ask(&house, &admin, "order", &json!({ "n": 1 })).json(), json!({ "by": "1.0.0", "n": 1 }));
    let old = in_phase(&house, "order", "completed");
    say(&house, "2.0.0");
    let input = file(&house, "{\"n\": 1.0000000000000000000001}");

    let output = by(&house, "admin", &["restart", &id(&old), "--input", &input]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stdout, "{\"by\":\"2.0.0\",\"n\":1.0000000000000000000001}\n");
    let new = runs(&house)[0].clone();
    let (version, module) = (new["version"].as_u64().unwrap(), new["module"].as_str().unwrap());
    let took = old["version"].as_u64().unwrap();
    assert!(version > took && new["module"] != old["module"], "{new}");
    let said = String::from_utf8(output.stderr).unwrap();
    let expected = [
        format!("restarts order: version {version} ({module}) deployed by admin; the run took version {took}"),
        format!("source: {input}"),
        format!("run {} took version {version} ({module})", id(&new)),
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    assert_eq!((&new["trigger"], &new["restarts"]), (&json!("restart"), &old["id"]));
    let shown = house.cli(&["runs", "show", &id(&new), "--env", "development"]);
    assert!(shown.contains(&format!("restarts   {}", id(&old))), "{shown}");
    let log = house.cli(&["--json", "audit", "log", "--limit", "50"]);
    assert!(log.contains(&format!("\"restarts\":\"{}\"", id(&old))), "{log}");

    // For programs; and with nothing, as a request without a body.
    let context = context(&house, "admin");
    let arguments = ["--json", "runs", "restart", &id(&new), "--env", "development", "--input", "-"];
    let output = house.cli_as(&context, &arguments, "{\"n\":[1]}");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["output"], json!({ "by": "2.0.0", "n": [1] }), "{value}");
    assert_eq!((&value["restart"]["restarts"], &value["restart"]["version"]), (&new["id"], &json!(version)));
    assert_eq!(value["restart"]["source"], "standard input");
    let output = house.cli_as(&context, &arguments, "");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["output"], json!({ "by": "2.0.0" }), "{value}");
}

#[test]
fn a_run_of_a_schedule_is_restarted_with_its_occurrence_and_an_open_one_not_at_all() {
    let house = House::start();
    let timed = |tasks: &str| flow("tick", "1.0.0", tasks).replace("do:", "schedule: { every: PT1H }\ndo:");
    deploy(&house, "clock", &[("tick", timed("[{ note: { set: { at: '${ scheduled }' } } }]"))]).unwrap();
    house.cli(&["schedule", "run", "tick", "--env", "development"]);
    let old = in_phase(&house, "tick", "completed");
    let output = by(&house, "admin", &["restart", &id(&old)]);
    let (code, text) = told(&output);
    assert_eq!(code, Some(0), "{text}");
    let given: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        text.contains(&format!("source: the schedule's occurrence of {}", given["at"].as_str().unwrap())),
        "{text}"
    );
    let new = runs(&house)[0].clone();
    assert_eq!((&new["occurrence"], &new["restarts"]), (&old["occurrence"], &old["id"]), "{new}");
    assert_eq!((&new["principal"], &old["trigger"]), (&json!("admin"), &json!("schedule")));

    deploy(&house, "clock", &[("tick", timed(REST))]).unwrap();
    let context = context(&house, "admin");
    let arguments = ["schedule", "run", "tick", "--env", "development"];
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| house.cli_as(&context, &arguments, ""));
        let open = id(&in_phase(&house, "tick", "waiting"));
        let (code, text) = told(&by(&house, "admin", &["restart", &open]));
        assert!(code == Some(1) && text.contains("LG-RUN-OPEN"), "{text}");
        let (code, text) = told(&by(&house, "admin", &["cancel", &open]));
        assert_eq!(code, Some(0), "{text}");
        let (code, text) = told(&waiting.join().unwrap());
        assert!(code == Some(1) && text.contains("LG-CANCELLED"), "{text}");
    });
    let standing = house.cli_json(&["schedule", "list", "--env", "development"]);
    assert_eq!(standing["items"][0]["running"], false, "it is not made again: {standing}");
}
