//! Ways in which somebody tried to get more than they were given; each was open once.

use crate::house::{House, ORDER, ORDER_PATH};

fn flow(name: &str) -> String {
    format!(
        "document: {{ dsl: '1.0.3', namespace: t, name: {name}, version: '1.0.0' }}\nevaluate: {{ language: jsonata }}\ndo:\n  - a: {{ set: {{ x: 1 }} }}\n"
    )
}

#[test]
fn a_name_that_is_active_elsewhere_is_not_taken() {
    let house = House::start();
    let admin = house.administrator();
    let project = |id: &str, flows: &[&str]| {
        let folder = house.folder().join(id);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("project.yaml"), format!("project: {id}\n")).unwrap();
        for name in flows {
            std::fs::write(folder.join(format!("{name}.flow.yaml")), flow(name)).unwrap();
        }
        folder.to_str().unwrap().to_owned()
    };
    house.cli(&["push", &project("pa", &["dup", "other"])]);
    house.cli(&["deploy", "pa", "live"]);
    house.cli(&["push", &project("pa", &["other"])]);
    // The head no longer holds `dup`, but it is active in live.
    let pushed = house.cli_as(&house.data.join("context.json"), &["push", &project("pb", &["dup"])], "");
    assert!(!pushed.status.success(), "{pushed:?}");
    assert_eq!(house.order(&admin, ORDER).status, 200, "the tenant is not harmed");
    let house = house.restart(&[]);
    assert_eq!(house.order(&admin, ORDER).status, 200, "nor after a restart");
}

#[test]
fn who_deploys_does_not_decide_who_may_run_it() {
    let house = House::start();
    house.cli(&["profile", "add", "low", "--permission", "integrations.execute", "--env", "development"]);
    house.cli(&["acl", "add", "open", "--profile", "low"]);
    house.cli(&["acl", "add", "closed", "--profile", "administrator"]);
    house.cli(&["acl", "assign", "closed", "--to", "order-to-erp", "--env", "development"]);
    let low = house.user("low", &["low"]);
    house.user("pub", &["publisher"]);
    assert_eq!(house.order(&low, ORDER).status, 403);
    let context = house.folder().join("pub.json");
    let deployed = house.cli_as(&context, &["deploy", "order-to-erp", "development", "--acl", "open"], "");
    assert!(!deployed.status.success(), "{deployed:?}");
    assert_eq!(house.order(&low, ORDER).status, 403);
}

#[test]
fn a_secret_is_not_sent_where_the_account_is_pointed_afterwards() {
    let house = House::start();
    let secret = house.folder().join("secret");
    std::fs::write(&secret, "CANARY-S3CRET").unwrap();
    let ca = house.text("ca_file");
    let from = format!("token={}", secret.display());
    let bind = |context: &str, address: &str, more: &[&str]| {
        let set = ["account", "set", "vault", "--env", "development", "--connector", "https", "--address", address];
        let arguments = [&set[..], &["--ca", &ca, "--set", "auth=bearer"], more].concat();
        house.cli_as(&house.folder().join(context), &arguments, "").status.success()
    };
    assert!(bind("data/context.json", "https://api.example.com/v1", &["--secret", &from]));
    let binder = ["--permission", "accounts.update", "--permission", "user-interface-access"];
    house.cli(&[&["profile", "add", "binder", "--env", "development"], &binder[..]].concat());
    house.user("eve", &["binder"]);
    assert!(!bind("eve.json", "https://evil.example.com/v1", &[]), "the address");
    assert!(!bind("eve.json", "https://api.example.com/v1", &["--set", "proxy=evil.example.com:8080"]), "a proxy");
    assert!(bind("eve.json", "https://evil.example.com/v1", &["--secret", &from]), "with a secret of their own");
}

#[test]
fn who_keeps_the_list_of_users_gives_no_rights() {
    let house = House::start();
    house.cli(&["profile", "add", "clerk", "--permission", "user-management", "--everywhere"]);
    let clerk = house.user("cle", &["clerk"]);
    let put = |user: &str, body: &str| {
        house.request(&clerk, "PUT", &format!("/admin/v1/tenants/demo/users/{user}"), Some(body), &[]).status
    };
    assert!(put("dora", r#"{"kind":"native"}"#) < 300, "adding a user without rights is the clerk's work");
    assert_eq!(put("eve", r#"{"kind":"native","profiles":["administrator"]}"#), 403);
    assert_eq!(put("cle", r#"{"kind":"native","profiles":["clerk","administrator"]}"#), 403);
    house.cli(&["user", "add", "ida", "--profile", "administrator"]);
    assert_eq!(
        put("ida", r#"{"kind":"service","profiles":["administrator"]}"#),
        403,
        "another kind opens other ways in"
    );
    let token = house.request(&clerk, "POST", "/admin/v1/tenants/demo/users/ida/token", Some("{}"), &[]);
    assert_eq!(token.status, 403, "a token of somebody with rights is their rights");
    // What lasts would be good for rights that others give later.
    let key = house.request(&clerk, "POST", "/admin/v1/tenants/demo/users/dora/keys", Some("{}"), &[]);
    assert_eq!(key.status, 403, "a key of somebody who may get rights");
    let token = house.request(&clerk, "POST", "/admin/v1/tenants/demo/users/dora/token", Some("{}"), &[]);
    assert_eq!(token.status, 200, "inviting is the clerk's work");
}

#[test]
fn nested_sources_do_not_end_the_process() {
    let house = House::start();
    let admin = house.administrator();
    let stranger = house.user("nob", &[]);
    for depth in [50, 150, 3_000] {
        let deep = flow("deep").replace("x: 1", &format!("x: '${{ {}1{} }}'", "[".repeat(depth), "]".repeat(depth)));
        let files = serde_json::json!({"files": {"project.yaml": "project: zz\n", "deep.flow.yaml": deep}}).to_string();
        let path = "/admin/v1/tenants/demo/projects/zz/versions";
        let by_stranger = house.request(&stranger, "POST", path, Some(&files), &[]);
        assert!(matches!(by_stranger.status, 403 | 404), "not worth parsing: {by_stranger:?}");
        let pushed = house.request(&admin, "POST", path, Some(&files), &[]);
        assert!(pushed.status == 422 || pushed.status < 300, "{depth}: {pushed:?}");
    }
    assert_eq!(house.request(&admin, "POST", ORDER_PATH, Some(ORDER), &[]).status, 200);
}
