//! Rows 1 to 4: another tenant's things, calls without a list, deploys without a right, rights that have gone.

use serde_json::{Value, json};

use crate::house::{House, ORDER};

/// Row 1: what is another tenant's looks as what is not there, on every route of the description.
#[test]
fn a01_another_tenants_things_are_not_there() {
    let house = House::start();
    let admin = house.administrator();
    let data = house.data.display().to_string();
    let made: Value = serde_json::from_str(&house.cli(&[
        "--json",
        "operator",
        "tenant",
        "create",
        "other",
        "--data",
        &data,
        "--administrator",
        "eve",
    ]))
    .unwrap();
    let (url, ca, context) = (house.text("listener_url"), house.text("ca_file"), house.folder().join("eve.json"));
    let login = ["login", &url, "--tenant", "other", "--user", "eve", "--ca", &ca, "--token", "--password-stdin"];
    let typed = format!("{}\nKorrekt-Pferd-7-Batterie\n", made["token"].as_str().unwrap());
    let signed_in = house.cli_as(&context, &login, &typed);
    assert!(signed_in.status.success(), "{signed_in:?}");
    let made = house.cli_as(&context, &["--json", "user", "key", "add", "eve"], "");
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let eve = format!("Bearer {}", made["key"].as_str().unwrap());

    house.user("bob", &["monitor"]);
    let key = house.cli_json(&["user", "key", "add", "admin"])["id"].as_str().unwrap_or("none").to_owned();
    assert_eq!(house.order(&admin, ORDER).status, 200);
    let run = house.cli_json(&["runs", "list", "--env", "development"])["items"][0]["id"].as_str().unwrap().to_owned();
    let document = house.request(&admin, "GET", "/admin/v1/openapi.json", None, &[]).json();
    let fill = |path: &str, tenant: &str, real: bool| {
        let id = |there: &str| if real { there.to_owned() } else { "0".repeat(there.len()) };
        path.replace("{tenant}", tenant)
            .replace("{environment}", "development")
            .replace("{project}", &if real { "order-to-erp".to_owned() } else { "nothing-at-all".to_owned() })
            .replace("{user}", &id("bob"))
            .replace("{account}", &id("crm"))
            .replace("{key}", &id(&key))
            .replace("{from}", "test")
            .replace("{kind}", "users")
            .replace("{name}", &id("order-to-erp"))
            .replace(
                "{id}",
                &if path.contains("/runs/") {
                    if real { run.clone() } else { run.replace(|c: char| c.is_ascii_hexdigit() && c != '0', "0") }
                } else {
                    id("bob")
                },
            )
    };
    let (mut asked, mut probed) = (0, 0);
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            if !["GET", "PUT", "POST", "DELETE"].contains(&method.as_str()) || !path.contains("{tenant}") {
                continue;
            }
            asked += 1;
            // In the other tenant's name: nobody there, whatever is named.
            let body = (method != "GET" && method != "DELETE").then_some("{}");
            let there = house.request(&eve, &method, &fill(path, "demo", true), body, &[]);
            let absent = house.request(&eve, &method, &fill(path, "absent", true), body, &[]);
            if path.contains("/login") {
                // Each answer to somebody who signs in is of its own; that it is the same for all has tests of its own.
                assert_eq!(there.status, absent.status, "{method} {path}");
            } else {
                assert_eq!((there.status, &there.body), (absent.status, &absent.body), "{method} {path}");
                assert!(matches!(there.status, 401 | 404), "{method} {path}: {there:?}");
            }
            // In one's own, by the ids of the other one's.
            if path.matches('{').count() > 1 && body.is_none() {
                let foreign = house.request(&eve, &method, &fill(path, "other", true), None, &[]);
                let absent = house.request(&eve, &method, &fill(path, "other", false), None, &[]);
                assert_eq!(foreign.status, absent.status, "{method} {path}: {foreign:?} {absent:?}");
                probed += 1;
            }
        }
    }
    assert!(asked > 60 && probed > 20, "{asked} {probed}");
    assert_eq!(house.order(&eve, ORDER).status, 401);
    let log = house.cli(&["audit", "find", "--outcome", "failed", "--limit", "50"]);
    assert!(log.contains("authenticate"), "the attempts are in the log of whom they were made on: {log}");
}

fn flow(name: &str, tasks: &str) -> String {
    let head = format!("document: {{ dsl: '1.0.3', namespace: t, name: {name}, version: '1.0.0' }}");
    format!("{head}\nevaluate: {{ language: jsonata }}\ndo: {tasks}\n")
}

/// Row 2: without the list nothing runs: called, started by hand, started again, or run by what may be called.
#[test]
fn a02_nothing_runs_for_who_is_not_on_its_list() {
    let house = House::start();
    let folder = house.folder().join("pair");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("project.yaml"), "project: pair\n").unwrap();
    let below = "[{ below: { run: { workflow: { namespace: t, name: inner, version: latest } } } }]";
    std::fs::write(folder.join("outer.flow.yaml"), flow("outer", below)).unwrap();
    std::fs::write(folder.join("inner.flow.yaml"), flow("inner", "[{ a: { set: { n: 1 } } }]")).unwrap();
    house.cli(&["push", folder.to_str().unwrap()]);
    house.cli(&["deploy", "pair", "development"]);
    let some = ["--permission", "integrations.execute", "--permission", "user-interface-access"];
    house.cli(&[&["profile", "add", "some", "--env", "development"], &some[..]].concat());
    house.cli(&["acl", "add", "some", "--profile", "some", "--profile", "administrator"]);
    house.cli(&["acl", "assign", "some", "--to", "outer", "--env", "development"]);
    let bob = house.user("bob", &["some"]);
    let post = |name: &str| house.request(&bob, "POST", &format!("/demo/development/{name}"), Some("{}"), &[]).status;
    assert_eq!((post("inner"), post("outer")), (403, 403), "called, and by what may be called");
    let by_hand = house.cli_as(&house.folder().join("bob.json"), &["run", "inner", "--env", "development"], "");
    assert_eq!(by_hand.status.code(), Some(3), "{by_hand:?}");
    house.cli(&["acl", "assign", "some", "--to", "inner", "--env", "development"]);
    assert_eq!(post("outer"), 200, "on both lists");
    let runs = house.cli_json(&["runs", "list", "--env", "development", "--limit", "20"]);
    let of_inner = |run: &&Value| run["target"]["name"] == "inner";
    let run = runs["items"].as_array().unwrap().iter().find(of_inner).unwrap()["id"].as_str().unwrap().to_owned();
    house.cli(&["acl", "assign", "default", "--to", "inner", "--env", "development"]);
    let again = format!("/admin/v1/tenants/demo/environments/development/runs/{run}/restart");
    let again = house.request(&bob, "POST", &again, Some(r#"{"nothing": true}"#), &[]);
    assert_eq!(again.status, 403, "started again: {again:?}");
}

/// Row 3: who may not deploy to a stage does not, by no verb.
#[test]
fn a03_nobody_deploys_to_a_stage_without_the_right() {
    let house = House::start();
    for (user, profile) in [("dev", "developer"), ("mon", "monitor")] {
        house.user(user, &[profile]);
        let context = house.folder().join(format!("{user}.json"));
        for verb in [
            &["deploy", "order-to-erp", "live"][..],
            &["promote", "order-to-erp", "development", "live"],
            &["rollback", "order-to-erp", "live"],
            &["adopt", "order-to-erp", "live"],
            &["undeploy", "order-to-erp", "live"],
        ] {
            let refused = house.cli_as(&context, verb, "");
            assert!(matches!(refused.status.code(), Some(1 | 3)), "{user} {verb:?}: {refused:?}");
            let told = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(told.contains("LG-FORBIDDEN") || told.contains("LG-NOT-FOUND"), "{user} {verb:?}: {told}");
        }
    }
    let live = house.cli_json(&["deployments", "--env", "live"]);
    assert_eq!(live["items"], json!([]), "{live}");
}

/// Row 4: a right that is taken is gone with the next request, whatever was remembered of who had it.
#[test]
fn a04_a_right_that_is_taken_is_gone_with_the_next_request() {
    let house = House::start();
    house.cli(&["profile", "add", "caller", "--env", "development", "--permission", "integrations.execute"]);
    house.cli(&["acl", "add", "callers", "--profile", "caller", "--profile", "administrator"]);
    house.cli(&["acl", "assign", "callers", "--to", "order-to-erp", "--env", "development"]);
    let bob = house.user("bob", &["caller"]);
    let key = format!("Bearer {}", house.cli_json(&["user", "key", "add", "bob"])["key"].as_str().unwrap());
    let both = || [&bob, &key].map(|who| house.order(who, ORDER).status);
    for (taken, given, denied) in [
        (
            &["user", "revoke", "bob", "--profile", "caller"][..],
            &["user", "grant", "bob", "--profile", "caller"][..],
            404,
        ),
        (
            &["acl", "assign", "default", "--to", "order-to-erp", "--env", "development"],
            &["acl", "assign", "callers", "--to", "order-to-erp", "--env", "development"],
            403,
        ),
        (&["user", "disable", "bob"], &["user", "enable", "bob"], 401),
    ] {
        assert_eq!(both(), [200, 200], "{taken:?}");
        house.cli(taken);
        assert_eq!(both(), [denied, denied], "{taken:?}");
        house.cli(given);
    }
    assert_eq!(both(), [200, 200]);
}
