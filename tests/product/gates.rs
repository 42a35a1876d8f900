//! The listener's refusals, in the order they are answered, and the order that goes through.

use crate::house::{House, ORDER, ORDER_PATH};

#[test]
fn the_listener_refuses_before_it_runs_anything() {
    let house = House::start();
    let admin = house.administrator();

    // 401: nobody, somebody else, a wrong password, another tenant, a half-right header.
    for who in ["", "admin:wrong", "nobody:wrong", "Bearer lgk_0000_1111", "Bearer nonsense"] {
        let reply = house.order(who, ORDER);
        assert_eq!((reply.status, reply.code().as_str()), (401, "LG-UNAUTHENTICATED"), "{who}: {reply:?}");
    }
    let elsewhere = house.request(&admin, "POST", "/other/development/order-to-erp", Some(ORDER), &[]);
    assert_eq!(elsewhere.status, 401, "{elsewhere:?}");
    assert!(elsewhere.headers.to_lowercase().contains("www-authenticate: basic"), "{elsewhere:?}");

    let log = house.cli(&["audit", "log", "--limit", "10"]);
    assert!(log.contains("authenticate") && log.contains("failed"), "the attempts are not in the audit log: {log}");

    // 404: an unknown environment or name, ids that cannot be, and a stranger to the environment.
    for path in [
        "/demo/nowhere/order-to-erp",
        "/demo/development/unknown",
        "/demo/development/..%2fx",
        "/demo/Development/order-to-erp",
    ] {
        let reply = house.request(&admin, "POST", path, Some(ORDER), &[]);
        assert_eq!(reply.status, 404, "{path}: {reply:?}");
    }
    let stranger = house.user("stranger", &[]);
    let reply = house.order(&stranger, ORDER);
    assert_eq!((reply.status, reply.code().as_str()), (404, "LG-NOT-FOUND"), "{reply:?}");

    // 403: a profile in the environment, and no way through the ACL.
    let watcher = house.user("watcher", &["monitor"]);
    let reply = house.order(&watcher, ORDER);
    assert_eq!((reply.status, reply.code().as_str()), (403, "LG-FORBIDDEN"), "{reply:?}");

    // 409: may, but it is not deployed there.
    let reply = house.request(&admin, "POST", "/demo/test/order-to-erp", Some(ORDER), &[]);
    assert_eq!((reply.status, reply.code().as_str()), (409, "LG-NOT-PUBLISHED"), "{reply:?}");

    // Only then what is wrong with the request itself.
    let reply = house.request(&admin, "POST", ORDER_PATH, Some(ORDER), &["Content-Type: text/plain"]);
    assert_eq!(reply.status, 415, "{reply:?}");
    let reply = house.order(&admin, "{\"orderId\": \"1\",}");
    assert_eq!(reply.status, 400, "{reply:?}");
    assert!(reply.body.contains("\"line\":1"), "{reply:?}");
    let reply = house.order(&admin, "{\"a\":1,\"a\":2}");
    assert_eq!(reply.status, 400, "a duplicate key: {reply:?}");
    let reply = house.order(&admin, &format!("{}1{}", "[".repeat(200), "]".repeat(200)));
    assert_eq!(reply.status, 400, "nested too deep: {reply:?}");
    let reply = house.request(&admin, "GET", ORDER_PATH, None, &[]);
    assert_eq!(reply.status, 405, "{reply:?}");
    assert!(reply.headers.to_lowercase().contains("allow: post"), "{reply:?}");

    // And an order goes through.
    let reply = house.order(&admin, ORDER);
    assert_eq!(reply.status, 200, "{reply:?}\n{}", house.log());
    assert_eq!(reply.json()["status"], "accepted", "{reply:?}");
    assert!(reply.json()["bytes"].as_u64() > Some(100), "a file was written: {reply:?}");
    assert!(reply.headers.to_lowercase().contains("lockgate-run: "), "{reply:?}");
}

#[test]
fn a_raised_error_is_answered_as_it_was_raised() {
    let house = House::start();
    let admin = house.administrator();
    let nothing_open = ORDER.replace("\"active\"", "\"cancelled\"");
    let reply = house.order(&admin, &nothing_open);
    assert_eq!(reply.status, 422, "{reply:?}");
    assert_eq!(reply.json()["title"], "the order has no line to deliver", "{reply:?}");
    let runs = house.cli_json(&["runs", "list", "--env", "development", "--phase", "faulted"]);
    let record = &runs["items"][0];
    assert_eq!(record["error"]["status"], 422, "{runs}");
    assert!(!runs.to_string().contains("SO-1000009"), "the run record holds data of the order: {runs}");
}

#[test]
fn withdrawing_the_publishers_right_stops_what_it_published() {
    let house = House::start();
    let admin = house.administrator();
    let publisher = house.user("pub", &["administrator"]);
    let context = house.folder().join("pub.json");
    let deployed = house.cli_as(&context, &["deploy", "order-to-erp", "development"], "");
    assert!(deployed.status.success(), "{deployed:?}");
    assert_eq!(house.order(&admin, ORDER).status, 200);
    assert_eq!(house.order(&publisher, ORDER).status, 200);

    house.cli(&["user", "revoke", "pub", "--profile", "administrator"]);
    let reply = house.order(&admin, ORDER);
    assert_eq!((reply.status, reply.code().as_str()), (409, "LG-NOT-PUBLISHED"), "{reply:?}");

    // Somebody who holds the right adopts it: the same bytes go on.
    let before =
        house.cli_json(&["runs", "list", "--env", "development", "--limit", "1"])["items"][0]["module"].clone();
    house.cli(&["adopt", "order-to-erp", "development"]);
    assert_eq!(house.order(&admin, ORDER).status, 200);
    let after = house.cli_json(&["runs", "list", "--env", "development", "--limit", "1"])["items"][0]["module"].clone();
    assert_eq!(before, after);
    house.cli(&["undeploy", "order-to-erp", "development"]);
    assert_ne!(house.order(&admin, ORDER).status, 200);
}

#[test]
fn a_disabled_user_is_nobody_at_once() {
    let house = House::start();
    let bob = house.user("bob", &["administrator"]);
    assert_eq!(house.order(&bob, ORDER).status, 200);
    house.cli(&["user", "disable", "bob"]);
    assert_eq!(house.order(&bob, ORDER).status, 401);
    let shut_out = house.cli_as(&house.folder().join("bob.json"), &["runs", "list", "--env", "development"], "");
    assert_eq!(shut_out.status.code(), Some(3), "the session lives on: {shut_out:?}");
    house.cli(&["user", "enable", "bob"]);
    assert_eq!(house.order(&bob, ORDER).status, 200);
}

#[test]
fn an_api_key_opens_its_environment_alone() {
    let house = House::start();
    house.cli(&["user", "add", "robot", "--service", "--profile", "administrator"]);
    let key = house.cli_json(&["user", "key", "add", "robot", "--env", "development"]);
    let elsewhere = house.cli_json(&["user", "key", "add", "robot", "--env", "live"]);
    let bearer = |key: &serde_json::Value| format!("Bearer {}", key["key"].as_str().unwrap());
    assert_eq!(house.order(&bearer(&key), ORDER).status, 200);
    assert_eq!(house.order(&bearer(&elsewhere), ORDER).status, 404);
    house.cli(&["user", "key", "rm", key["id"].as_str().unwrap()]);
    assert_eq!(house.order(&bearer(&key), ORDER).status, 401);
}

#[test]
fn an_endpoint_that_is_not_who_it_should_be_gets_no_order() {
    let house = House::start();
    let admin = house.administrator();
    let bind = |address: &str, identity: &[&str]| {
        let set = ["account", "set", "crm", "--env", "development", "--connector", "https", "--address", address];
        house.cli_as(&house.data.join("context.json"), &[&set[..], identity].concat(), "")
    };
    let accounts = house.cli_json(&["account", "list", "--env", "development"]);
    let crm = accounts["items"].as_array().unwrap().iter().find(|one| one["name"] == "crm").unwrap();
    let address = crm["address"].as_str().unwrap().to_owned();

    // Another pin than the certificate's.
    let pin = format!("sha256:{}", "ab".repeat(32));
    assert!(bind(&address, &["--pin", &pin]).status.success());
    let reply = house.order(&admin, ORDER);
    assert_eq!(reply.status, 502, "{reply:?}");
    let tested =
        house.cli_as(&house.data.join("context.json"), &["account", "test", "crm", "--env", "development"], "");
    assert_eq!(tested.status.code(), Some(1), "{tested:?}");
    // Roots that do not know the endpoint's CA.
    assert!(bind(&address, &["--system"]).status.success());
    assert_eq!(house.order(&admin, ORDER).status, 502);

    // Addresses nobody may dial: not allowed by the operator, or never.
    let ca = house.text("ca_file");
    for address in [
        "https://127.0.0.1:9/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[::1]:9/",
        "https://[fd00:ec2::254]/",
    ] {
        let bound = bind(address, &["--ca", &ca]);
        assert!(bound.status.success(), "{address}: {bound:?}");
        let reply = house.order(&admin, ORDER);
        assert_eq!((reply.status, reply.json()["code"].as_str()), (502, Some("egress")), "{address}: {reply:?}");
    }
    // A disguise is no address at all.
    assert!(!bind("https://2852039166/", &["--ca", &ca]).status.success());
    assert!(!bind("https://0251.0376.0251.0376/", &["--ca", &ca]).status.success());
    // Plain HTTP cannot be written down.
    assert!(!bind("http://127.0.0.1:9/", &["--ca", &ca]).status.success());
}
