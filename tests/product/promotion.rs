//! From one environment to the next: the same bytes, other accounts; and back again.

use serde_json::{Value, json};

use crate::house::{House, ORDER};

const PROMOTE: [&str; 4] = ["promote", "order-to-erp", "development", "test"];

/// Binds the practice service in `test` as it is in `development`, and opens the way to it.
fn bind_in_test(house: &House) {
    let accounts = house.cli_json(&["account", "list", "--env", "development"]);
    let erp = &accounts["items"][0];
    let (address, ca) = (erp["address"].as_str().unwrap(), house.text("ca_file"));
    house.cli(&["account", "add", "erp", "--env", "test", "--connector", "https", "--address", address, "--ca", &ca]);
    let port = address.rsplit_once(':').unwrap().1.split('/').next().unwrap();
    let data = house.data.to_str().unwrap();
    house.cli(&["operator", "egress", "allow", "--data", data, "demo", "test", "127.0.0.1/32", port]);
}

fn module(house: &House, environment: &str) -> Value {
    let active = house.cli_json(&["deployments", "--env", environment]);
    active["items"][0]["orchestrations"]["order-to-erp"]["module"].clone()
}

#[test]
fn a_promotion_is_refused_until_its_accounts_are_bound_and_says_so_before() {
    let house = House::start();
    let plan = house.cli_json(&[&PROMOTE[..], &["--dry-run"]].concat());
    assert!(plan["refusal"].as_str().unwrap().contains("`erp` is not bound"), "{plan}");
    assert_eq!(plan["accounts"][0]["to"], Value::Null);
    let shown = house.cli(&[&PROMOTE[..], &["--dry-run"]].concat());
    assert!(shown.contains("! erp") && shown.contains("it would be refused"), "{shown}");

    let admin = house.data.join("context.json");
    let refused = house.cli_as(&admin, &PROMOTE, "");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("LG-DEPLOY-UNBOUND"), "{refused:?}");
    assert_eq!(module(&house, "test"), Value::Null, "nothing became active");

    let missing = house.cli_as(&admin, &["promote", "order-to-erp", "prelive", "test"], "");
    assert!(String::from_utf8_lossy(&missing.stderr).contains("LG-NOT-PUBLISHED"), "{missing:?}");
    let same = house.cli_as(&admin, &["promote", "order-to-erp", "test", "test"], "");
    assert!(String::from_utf8_lossy(&same.stderr).contains("LG-PROMOTE"), "{same:?}");
}

#[test]
fn who_may_not_deploy_there_may_not_promote_or_roll_back() {
    let house = House::start();
    bind_in_test(&house);
    let developer = house.user("dora", &["developer"]);
    let path = "/admin/v1/tenants/demo/environments/test/deployments/order-to-erp";
    let promote = house.request(&developer, "POST", &format!("{path}/from/development"), Some("{}"), &[]);
    assert!(matches!(promote.status, 403 | 404), "{promote:?}");
    let back = house.request(&developer, "POST", &format!("{path}/rollback"), None, &[]);
    assert!(matches!(back.status, 403 | 404), "{back:?}");
    let stranger = house.user("eve", &[]);
    let plan = house.request(&stranger, "GET", &format!("{path}/from/development"), None, &[]);
    assert_eq!(plan.status, 404, "{plan:?}");
    assert_eq!(module(&house, "test"), Value::Null);
    let log = house.cli(&["audit", "export"]);
    assert!(log.lines().any(|l| l.contains("\"dora\"") && l.contains("\"denied\"")), "the denial is in the log");
}

#[test]
fn the_bytes_that_ran_here_run_there_and_one_command_brings_the_old_ones_back() {
    let house = House::start();
    bind_in_test(&house);
    let plan = house.cli_json(&[&PROMOTE[..], &["--dry-run"]].concat());
    assert_eq!((&plan["refusal"], &plan["replaces"]), (&Value::Null, &Value::Null), "{plan}");
    assert_eq!(plan["orchestrations"][0]["module"], module(&house, "development"));
    assert!(!plan["gains"].as_array().unwrap().is_empty(), "all its authority is new there: {plan}");
    house.cli(&PROMOTE);
    let first = module(&house, "development");
    assert_eq!(module(&house, "test"), first, "the same digest");
    let run = house.request(&house.administrator(), "POST", "/demo/test/order-to-erp", Some(ORDER), &[]);
    assert_eq!(run.status, 200, "{run:?}");

    // Another version here; there the first one goes on.
    let folder = lockgate_testkit::temp_dir();
    let project = folder.path().join("order-to-erp");
    copy(&lockgate_testkit::workspace_root().join("orchestrations/order-to-erp"), &project);
    let file = project.join("order-to-erp.flow.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text.replace("count: 3", "count: 4");
    assert_ne!(changed, text);
    std::fs::write(&file, changed).unwrap();
    house.cli(&["push", project.to_str().unwrap()]);
    house.cli(&["deploy", "order-to-erp", "development"]);
    assert_eq!(module(&house, "test"), first, "a deploy here changes nothing there");
    house.cli(&PROMOTE);
    assert_ne!(module(&house, "test"), first);
    let back = house.cli_json(&["rollback", "order-to-erp", "test"]);
    assert_eq!(back["environment"], json!("test"));
    assert_eq!(module(&house, "test"), first);
    assert_eq!(house.request(&house.administrator(), "POST", "/demo/test/order-to-erp", Some(ORDER), &[]).status, 200);

    let links = house.cli(&["audit", "export"]);
    for event in ["\"promotion\"", "\"rollback\""] {
        assert!(links.contains(event), "{event} is not in the log");
    }
    assert!(house.cli(&["audit", "verify"]).contains("holds"));
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
