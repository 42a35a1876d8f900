//! Orchestrations that run orchestrations: for whom, within what, and what becomes of their errors.

use serde_json::{Value, json};

use crate::house::{House, Reply};

/// A flow of one file.
pub fn flow(name: &str, version: &str, tasks: &str) -> String {
    format!(
        "document: {{ dsl: '1.0.3', namespace: t, name: {name}, version: '{version}' }}\n\
         evaluate: {{ language: jsonata }}\ndo: {tasks}\n"
    )
}

pub fn run(name: &str, version: &str, more: &str) -> String {
    format!("{{ run: {{ workflow: {{ namespace: t, name: {name}, version: {version} }}{more} }} }}")
}

/// Pushes and deploys a project of these flows; answers what the first command that fails says.
pub fn deploy(house: &House, project: &str, flows: &[(&str, String)]) -> Result<(), String> {
    let folder = house.folder().join(project);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("project.yaml"), format!("project: {project}\n")).unwrap();
    for (name, text) in flows {
        std::fs::write(folder.join(format!("{name}.flow.yaml")), text).unwrap();
    }
    let context = house.data.join("context.json");
    for command in [vec!["push", folder.to_str().unwrap()], vec!["deploy", project, "development"]] {
        let output = house.cli_as(&context, &command, "");
        if !output.status.success() {
            return Err(String::from_utf8(output.stderr).unwrap());
        }
    }
    Ok(())
}

pub fn ask(house: &House, who: &str, name: &str, body: &Value) -> Reply {
    house.request(who, "POST", &format!("/demo/development/{name}"), Some(&body.to_string()), &[])
}

pub fn runs(house: &House) -> Vec<Value> {
    house.cli_json(&["runs", "list", "--env", "development", "--limit", "50"])["items"].as_array().unwrap().clone()
}

#[test]
fn a_flow_runs_another_for_the_same_principal_and_its_list_is_asked() {
    let house = House::start();
    let admin = house.administrator();
    let outer = format!("[{{ below: {} }}, {{ after: {{ set: {{ got: '${{ $ }}' }} }} }}]", run("inner", "latest", ""));
    let inner = "[{ double: { set: { n: '${ n * 2 }' } } }]".to_owned();
    deploy(&house, "both", &[("outer", flow("outer", "1.0.0", &outer)), ("inner", flow("inner", "2.1.0", &inner))])
        .unwrap();

    let reply = ask(&house, &admin, "outer", &json!({ "n": 21 }));
    assert_eq!((reply.status, reply.json()), (200, json!({ "got": { "n": 42 } })), "{}", house.log());
    // Each is a run of its own.
    let all = runs(&house);
    let named = |name: &str| all.iter().filter(|run| run["target"]["name"] == name).collect::<Vec<_>>();
    assert_eq!((named("outer").len(), named("inner").len()), (1, 1), "{all:?}");
    let below = named("inner")[0];
    assert_eq!((&below["trigger"], &below["phase"]), (&json!("sub-flow"), &json!("completed")), "{below}");
    assert_eq!(below["principal"], named("outer")[0]["principal"]);
    assert!(named("outer")[0]["cost"].as_u64() > below["cost"].as_u64(), "the one around pays for it: {all:?}");

    // Somebody who may run the outer one and not the inner one.
    house.cli(&["profile", "add", "outer-only", "--env", "development", "--permission", "integrations.execute"]);
    house.cli(&["acl", "add", "outer-list", "--profile", "outer-only", "--profile", "administrator"]);
    house.cli(&["acl", "assign", "outer-list", "--to", "outer", "--env", "development"]);
    let some = house.user("some", &["outer-only"]);
    let reply = ask(&house, &some, "outer", &json!({ "n": 1 }));
    assert_eq!(reply.status, 403, "{reply:?}");
    let problem = reply.json();
    assert_eq!((&problem["code"], &problem["instance"]), (&json!("LG-FORBIDDEN"), &json!("/do/0/below")), "{problem}");
    assert_eq!(ask(&house, &some, "inner", &json!({ "n": 1 })).status, 403);
    let log = house.cli(&["audit", "log", "--limit", "200"]);
    let denied =
        |line: &str| ["execute", "DENIED", "some", "integrations/inner"].iter().all(|word| line.contains(word));
    assert!(log.lines().filter(|line| denied(line)).count() >= 2, "both refusals are in the audit log: {log}");
}

#[test]
fn what_fails_below_is_caught_above_as_the_task_that_ran_it() {
    let house = House::start();
    let admin = house.administrator();
    let outer = format!(
        "[{{ tries: {{ try: [{{ below: {} }}], catch: {{ as: e, do: [{{ told: {{ set: '${{ $e }}' }} }}] }} }} }}]",
        run("inner", "1.0.0", "")
    );
    let inner = "[{ fails: { raise: { error: { type: 'https://example.com/late', status: 418, title: too late } } } }]";
    deploy(&house, "both", &[("outer", flow("outer", "1.0.0", &outer)), ("inner", flow("inner", "1.0.0", inner))])
        .unwrap();
    let reply = ask(&house, &admin, "outer", &json!({}));
    assert_eq!(
        (reply.status, reply.json()),
        (
            200,
            json!({ "type": "https://example.com/late", "status": 418, "title": "too late", "instance": "/do/0/tries/try/0/below" })
        )
    );
    let wrong = "[{ fails: { set: { a: '${ 1 + \"a\" }' } } }]";
    deploy(&house, "both", &[("outer", flow("outer", "1.0.0", &outer)), ("inner", flow("inner", "1.0.0", wrong))])
        .unwrap();
    let caught = ask(&house, &admin, "outer", &json!({})).json();
    assert_eq!(
        (&caught["code"], &caught["instance"]),
        (&json!("T2002"), &json!("/do/0/tries/try/0/below")),
        "{caught}"
    );
}

#[test]
fn versions_that_do_not_fit_and_flows_that_are_not_there_are_told() {
    let house = House::start();
    let admin = house.administrator();
    let outer = |version: &str| flow("outer", "1.0.0", &format!("[{{ below: {} }}]", run("inner", version, "")));
    let inner = |version: &str| flow("inner", version, "[{ ok: { set: { ok: true } } }]");
    let told = deploy(&house, "both", &[("outer", outer("9.9.9")), ("inner", inner("1.0.0"))]).unwrap_err();
    assert!(told.contains("LG-UNKNOWN-FLOW") && told.contains("9.9.9"), "{told}");
    let told = deploy(&house, "alone", &[("outer", outer("latest"))]).unwrap_err();
    assert!(told.contains("LG-UNKNOWN-FLOW") && told.contains("latest"), "{told}");

    // Of another project: what is there is found when it runs.
    deploy(&house, "alone", &[("outer", outer("1.0.0"))]).unwrap();
    let problem = ask(&house, &admin, "outer", &json!({})).json();
    assert_eq!(problem["code"], "LG-NOT-FOUND", "{problem}");
    deploy(&house, "other", &[("inner", inner("2.0.0"))]).unwrap();
    let problem = ask(&house, &admin, "outer", &json!({})).json();
    assert_eq!(problem["code"], "LG-RUN-VERSION", "{problem}");
    let elsewhere = inner("1.0.0").replace("namespace: t", "namespace: elsewhere");
    assert!(elsewhere.contains("elsewhere"));
    deploy(&house, "other", &[("inner", elsewhere)]).unwrap();
    let problem = ask(&house, &admin, "outer", &json!({})).json();
    assert_eq!((&problem["code"], &problem["status"]), (&json!("LG-RUN-NAMESPACE"), &json!(500)), "{problem}");
    deploy(&house, "other", &[("inner", inner("1.0.0"))]).unwrap();
    assert_eq!(ask(&house, &admin, "outer", &json!({})).json(), json!({ "ok": true }));
}

#[test]
fn a_flow_that_runs_itself_ends_and_one_that_is_not_waited_for_goes_on() {
    let house = House::start();
    let admin = house.administrator();
    let endless = format!("[{{ again: {} }}]", run("endless", "latest", ""));
    deploy(&house, "loops", &[("endless", flow("endless", "1.0.0", &endless))]).unwrap();
    let reply = ask(&house, &admin, "endless", &json!({}));
    assert_eq!((reply.status, reply.code().as_str()), (500, "LG-LIMIT-RUNS"), "{reply:?}");

    let starter = format!("[{{ start: {} }}]", run("slow", "latest", ", await: false"));
    let slow = "[{ rest: { wait: PT2S } }, { done: { set: { done: true } } }]";
    deploy(&house, "aside", &[("starter", flow("starter", "1.0.0", &starter)), ("slow", flow("slow", "1.0.0", slow))])
        .unwrap();
    let reply = ask(&house, &admin, "starter", &json!({ "passes": "on" }));
    assert_eq!((reply.status, reply.json()), (200, json!({ "passes": "on" })));
    let phase = || runs(&house).into_iter().find(|run| run["target"]["name"] == "slow").map(|run| run["phase"].clone());
    assert!([Some(json!("pending")), Some(json!("running")), Some(json!("waiting"))].contains(&phase()), "it goes on");
    for _ in 0..100 {
        if phase() == Some(json!("completed")) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("it did not end: {:?}", phase());
}
