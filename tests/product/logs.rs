//! Log lines and runs as they are watched: who may, and what they tell.

use std::process::{Command, Stdio};

use lockgate_testkit::process::program;
use serde_json::Value;

use crate::{
    house::{House, ORDER},
    peered::{GET, Peers, point_at, publish},
};

const LOGS: &str = "/admin/v1/tenants/demo/environments/development/logs";

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

#[test]
fn log_lines_are_for_who_may_see_them() {
    let house = House::start();
    let admin = house.administrator();
    assert_eq!(house.request("", "GET", LOGS, None, &[]).status, 401);
    let elsewhere = LOGS.replace("demo", "other");
    assert_eq!(house.request(&admin, "GET", &elsewhere, None, &[]).status, 401);
    let nowhere = LOGS.replace("development", "nowhere");
    assert_eq!(house.request(&admin, "GET", &nowhere, None, &[]).status, 404);
    let stranger = house.user("stranger", &[]);
    assert_eq!(house.request(&stranger, "GET", LOGS, None, &[]).status, 404);
    // In the environment, and without logs-view.
    let provider = house.user("provider", &["api-portal-provider"]);
    let reply = house.request(&provider, "GET", LOGS, None, &[]);
    assert_eq!((reply.status, reply.code().as_str()), (403, "LG-FORBIDDEN"), "{reply:?}");
    let told = house.cli_as(&house.folder().join("provider.json"), &["logs", "--env", "development"], "");
    assert_eq!(told.status.code(), Some(3), "{told:?}");

    let monitor = house.user("monitor", &["monitor"]);
    let reply = house.request(&monitor, "GET", LOGS, None, &[]);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.body.contains("run-opened"), "{reply:?}");
    // Another environment has lines of its own: none.
    assert_eq!(house.cli(&["logs", "--env", "test", "--json"]), "");
}

#[test]
fn log_lines_tell_what_happened_and_nothing_of_the_data() {
    let house = House::start();
    let admin = house.administrator();
    let canary = "Zq7-canary-9fA3";
    let order = ORDER.replace("SO-1000009", canary);
    assert_eq!(house.order(&admin, &order.replace("\"active\"", "\"cancelled\"")).status, 422);
    assert_eq!(house.order(&admin, &format!("{order}x")).status, 400);
    let peers = Peers::new();
    publish(&house, &peers, &peers.start());
    point_at(&house, &peers, "https://10.0.0.1/");
    let failed = house.request(&admin, "POST", GET, Some(&format!("{{\"path\": \"/{canary}\"}}")), &[]);
    assert_eq!(failed.status, 502, "{failed:?}");
    let run = failed.headers.lines().find_map(|l| l.strip_prefix("lockgate-run: ")).unwrap().trim();

    let text = house.cli(&["logs", "--env", "development", "--json"]);
    assert!(!text.contains(canary) && !text.contains("10.0.0.1"), "{text}");
    let all = lines(&text);
    let events: Vec<&str> = all.iter().map(|l| l["event"].as_str().unwrap()).collect();
    assert_eq!(events[..2], ["run-opened", "run-ended"], "the order of quickstart: {text}");
    let of = |code: &str| all.iter().find(|l| l["event"] == "failed" && l["code"] == code);
    assert_eq!(of("LG-RAISED").unwrap()["status"], 422, "{text}");
    assert_eq!(of("LG-JSON").unwrap()["task"], "", "{text}");

    let own = lines(&house.cli(&["logs", "--env", "development", "--run", run, "--json"]));
    assert!(own.iter().all(|l| l["run"] == run) && own.len() < all.len(), "{own:?}");
    let refused = own.iter().find(|l| l["event"] == "connector-error").unwrap();
    for (key, value) in
        [("kind", "refused"), ("code", "egress"), ("account", "peer"), ("operation", "get"), ("connector", "https")]
    {
        assert_eq!(refused[key], value, "{refused}");
    }
    assert_eq!(own.last().unwrap()["phase"], "faulted");
    let shown = house.cli(&["logs", "--env", "development", "--run", run]);
    assert!(shown.contains("account=peer") && shown.contains("connector-error"), "{shown}");

    let shown = house.cli(&["runs", "show", run, "--env", "development"]);
    assert!(shown.contains("error ") && shown.contains("account    peer: ") && shown.contains('#'), "{shown}");
    let record = house.cli_json(&["runs", "show", run, "--env", "development"]);
    let task = &record["tasks"][0];
    assert!(task["last_us"].as_u64().unwrap() >= task["first_us"].as_u64().unwrap(), "{record}");
    let gone = house.cli_as(&house.data.join("context.json"), &["runs", "show", run, "--env", "test"], "");
    assert_eq!(gone.status.code(), Some(3), "a run of another environment: {gone:?}");
}

const DIVIDE: &str = "\
document: { dsl: '1.0.3', namespace: test, name: divide, version: '1.0.0', title: Divide }
evaluate: { language: jsonata }
do:
  - rows:
      call: postgres.query:1@default
      with: { account: shop, stream: true, sql: 'select 1 / (1500 - n) as q from generate_series(1, 2000) as n' }
  - file:
      call: sftp.put:1@default
      with: { account: bank, path: quotients.csv, body: '${ $stream }', format: csv }
";
const DIVIDE_PROJECT: &str = "\
project: divide
title: Divide
accounts:
  shop: { connector: postgres, operations: [query] }
  bank: { connector: sftp, operations: [put] }
";

/// The call that takes a stream fails with it, and is not to blame.
#[test]
fn a_stream_that_breaks_is_told_of_the_call_it_came_out_of() {
    let Some(house) = House::start_with_database() else { return };
    let project = house.folder().join("divide");
    std::fs::create_dir(&project).unwrap();
    std::fs::write(project.join("project.yaml"), DIVIDE_PROJECT).unwrap();
    std::fs::write(project.join("divide.flow.yaml"), DIVIDE).unwrap();
    house.cli(&["push", project.to_str().unwrap()]);
    house.cli(&["deploy", "divide", "development"]);
    let reply = house.request(&house.administrator(), "POST", "/demo/development/divide", Some("{}"), &[]);
    assert_eq!((reply.status, reply.code().as_str()), (502, "postgres-value"), "{reply:?}");
    assert!(reply.body.contains("cannot `query` with account `shop`: "), "{reply:?}");
    assert!(reply.body.contains("SQLSTATE 22012"), "{reply:?}");
    let run = reply.headers.lines().find_map(|l| l.strip_prefix("lockgate-run: ")).unwrap().trim();

    let own = lines(&house.cli(&["logs", "--env", "development", "--run", run, "--json"]));
    let broke = own.iter().find(|l| l["event"] == "connector-error").unwrap();
    for (key, value) in [
        ("connector", "postgres"),
        ("operation", "query"),
        ("account", "shop"),
        ("code", "postgres-value"),
        ("task", "/do/1/file"),
    ] {
        assert_eq!(broke[key], value, "{broke}");
    }
    let failed = own.iter().find(|l| l["event"] == "failed").unwrap();
    assert_eq!((&failed["account"], &failed["code"]), (&"shop".into(), &"postgres-value".into()), "{failed}");
    let record = house.cli_json(&["runs", "show", run, "--env", "development"]);
    assert_eq!(record["error"]["code"], "postgres-value", "{record}");

    let page = house.cli(&["operator", "metrics", "--data", house.data.to_str().unwrap()]);
    for (connector, operation, outcome) in
        [("postgres", "query", "ok"), ("postgres", "query", "rejected"), ("sftp", "put", "source")]
    {
        let line = format!(
            "lockgate_connector_calls_total{{connector=\"{connector}\",operation=\"{operation}\",outcome=\"{outcome}\"}} 1"
        );
        assert!(page.lines().any(|l| l == line), "no `{line}` in\n{page}");
    }
}

#[test]
fn who_watches_sees_runs_and_lines_as_they_come() {
    let house = House::start();
    let admin = house.administrator();
    let start = |arguments: &[&str]| {
        let mut command = Command::new(program());
        command.env("LOCKGATE_CONTEXT", house.data.join("context.json")).arg("--json").args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap()
    };
    let watching = start(&["runs", "watch", "--env", "development", "--for", "8"]);
    let following = start(&["logs", "--env", "development", "--limit", "1", "--follow", "--for", "8"]);
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(house.order(&admin, ORDER).status, 200);
    assert_eq!(house.order(&admin, &ORDER.replace("\"active\"", "\"cancelled\"")).status, 422);
    let told = |child: std::process::Child| {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        lines(&String::from_utf8(output.stdout).unwrap())
    };
    let runs = told(watching);
    let mut phases: Vec<&Value> =
        runs.iter().map(|r| &r["phase"]).filter(|p| *p != "running" && *p != "pending").collect();
    // One that was seen while it ran is told when it has ended, behind one that came and ended meanwhile.
    phases.sort_by_key(|phase| phase.as_str());
    assert_eq!(phases, ["completed", "faulted"], "only what came while it watched: {runs:?}");
    let told = told(following);
    let ended: Vec<&Value> = told.iter().filter(|l| l["event"] == "run-ended").map(|l| &l["phase"]).collect();
    assert_eq!(ended, ["completed", "completed", "faulted"], "the newest line, and those that came: {told:?}");
}
