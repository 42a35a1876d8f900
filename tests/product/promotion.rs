//! From one environment to the next: the same bytes, other accounts; and back again.

use serde_json::{Value, json};

use crate::house::{House, ORDER};

const PROMOTE: [&str; 4] = ["promote", "order-to-erp", "development", "test"];

/// Binds the practice service in `test` as it is in `development`, and opens the way to it.
fn bind_in_test(house: &House) {
    let accounts = house.cli_json(&["account", "list", "--env", "development"]);
    let address = |name: &str| {
        let one = accounts["items"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap();
        one["address"].as_str().unwrap().to_owned()
    };
    let (crm, erp) = (address("crm"), address("erp"));
    let (data, ca, sftp) = (house.data.to_str().unwrap(), house.text("ca_file"), &house.ready["sftp"]);
    for address in [&crm, &erp] {
        let port = address.rsplit_once(':').unwrap().1.split('/').next().unwrap();
        house.cli(&["operator", "egress", "allow", "--data", data, "demo", "test", "127.0.0.1/32", port]);
    }
    house.cli(&["account", "add", "crm", "--env", "test", "--connector", "https", "--address", &crm, "--ca", &ca]);
    let binding = ["account", "add", "erp", "--env", "test", "--connector", "sftp", "--address", &erp, "--host-key"];
    let host_key = sftp["host_key"].as_str().unwrap();
    let settings = [host_key, "--set", "username=practice", "--set", "auth=password", "--secret", "password=-"];
    let context = house.data.join("context.json");
    let bound = house.cli_as(&context, &[&binding[..], &settings].concat(), sftp["password"].as_str().unwrap());
    assert!(bound.status.success(), "{bound:?}");
}

fn module(house: &House, environment: &str) -> Value {
    let active = house.cli_json(&["deployments", "--env", environment]);
    active["items"][0]["orchestrations"]["order-to-erp"]["module"].clone()
}

#[test]
fn a_promotion_is_refused_until_its_accounts_are_bound_and_says_so_before() {
    let house = House::start();
    let plan: Value =
        serde_json::from_str(&house.cli_no(&[&["--json"], &PROMOTE[..], &["--dry-run"]].concat())).unwrap();
    let refusals = plan["refusals"].as_array().unwrap();
    assert_eq!(refusals.len(), 2, "each account that is not bound: {plan}");
    assert!(refusals.iter().all(|one| one.as_str().unwrap().contains("` is not bound")), "{plan}");
    assert_eq!(plan["accounts"][0]["to"], Value::Null);
    let shown = house.cli_no(&[&PROMOTE[..], &["--dry-run"]].concat());
    assert!(shown.contains("! erp") && shown.contains("`lockgate account add crm`"), "{shown}");
    assert_eq!(shown.matches("it would be refused").count(), 2, "{shown}");

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
    assert_eq!((&plan["refusals"], &plan["replaces"]), (&json!([]), &Value::Null), "{plan}");
    assert_eq!(plan["orchestrations"][0]["module"], module(&house, "development"));
    assert!(!plan["gains"].as_array().unwrap().is_empty(), "all its authority is new there: {plan}");
    house.cli(&PROMOTE);
    let first = module(&house, "development");
    assert_eq!(module(&house, "test"), first, "the same digest");
    let run = house.request(&house.administrator(), "POST", "/demo/test/order-to-erp", Some(ORDER), &[]);
    assert_eq!(run.status, 200, "{run:?}");

    // Another version here; there the first one goes on.
    version(&house, 4);
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

/// Pushes the orders with another number of attempts, and deploys that in `development`.
fn version(house: &House, attempts: u32) -> Value {
    let project = house.folder().join("order-to-erp");
    if !project.exists() {
        copy(&lockgate_testkit::workspace_root().join("orchestrations/order-to-erp"), &project);
    }
    let file = project.join("order-to-erp.flow.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, after) = text.split_once("          count: ").unwrap();
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    std::fs::write(&file, format!("{before}          count: {attempts}{rest}")).unwrap();
    house.cli(&["push", project.to_str().unwrap()]);
    house.cli(&["deploy", "order-to-erp", "development"]);
    module(house, "development")
}

#[test]
fn rollbacks_go_further_back_and_to_a_version_that_is_named() {
    let house = House::start();
    let first = module(&house, "development");
    let (second, third) = (version(&house, 4), version(&house, 5));
    assert!(first != second && second != third);
    let back = |more: &[&str]| house.cli_json(&[&["rollback", "order-to-erp", "development"], more].concat());
    assert_eq!((back(&[])["version"].clone(), module(&house, "development")), (json!(2), second));
    assert_eq!((back(&[])["version"].clone(), module(&house, "development")), (json!(1), first.clone()));
    let admin = house.data.join("context.json");
    for (more, why) in [(&[][..], "before"), (&["--to", "1"], "what is active"), (&["--to", "9"], "never active")] {
        let refused = house.cli_as(&admin, &[&["rollback", "order-to-erp", "development"], more].concat(), "");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("LG-ROLLBACK") && said.contains(why), "{more:?}: {said}");
        assert_eq!(module(&house, "development"), first);
    }
    assert_eq!((back(&["--to", "3"])["version"].clone(), module(&house, "development")), (json!(3), third));
}

#[test]
fn a_rollback_keeps_as_whom_schedules_run_where_the_caller_may_say_so() {
    let house = House::start();
    version(&house, 4);
    for robot in ["robot", "droid"] {
        house.cli(&["user", "add", robot, "--service", "--profile", "administrator"]);
    }
    house.cli(&["deploy", "order-to-erp", "development", "--run-as", "robot"]);
    let run_as =
        || house.cli_json(&["deployments", "--env", "development"])["items"][0]["run_as"].as_str().map(str::to_owned);
    assert_eq!(run_as().as_deref(), Some("robot"));
    let rollback = ["rollback", "order-to-erp", "development"];
    house.cli(&rollback);
    assert_eq!(run_as().as_deref(), Some("robot"), "who may name somebody keeps the name");
    house.cli(&[&rollback[..], &["--to", "2", "--run-as", "droid"]].concat());
    assert_eq!(run_as().as_deref(), Some("droid"));

    // Who may deploy and may not give rights: as themself, and nobody else.
    house.user("pat", &["publisher"]);
    let pat = house.folder().join("pat.json");
    let refused = house.cli_as(&pat, &[&rollback[..], &["--run-as", "robot"]].concat(), "");
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    assert_eq!(run_as().as_deref(), Some("droid"));
    let done = house.cli_as(&pat, &rollback, "");
    assert!(done.status.success(), "{done:?}");
    assert_eq!(run_as(), None);
}

#[test]
fn a_plan_says_what_would_run_by_itself_and_as_whom() {
    let house = House::start();
    let project = house.folder().join("clock");
    std::fs::create_dir_all(&project).unwrap();
    std::fs::write(project.join("project.yaml"), "project: clock\n").unwrap();
    let flow = "document: { dsl: '1.0.3', namespace: test, name: tick, version: '1.0.0' }\n\
        evaluate: { language: jsonata }\nschedule: { every: PT24H }\ndo:\n  - note: { set: { at: '${ scheduled }' } }\n";
    std::fs::write(project.join("tick.flow.yaml"), flow).unwrap();
    house.cli(&["push", project.to_str().unwrap()]);
    house.cli(&["deploy", "clock", "development"]);
    house.cli(&["user", "add", "robot", "--service", "--profile", "administrator"]);
    house.cli(&["acl", "add", "night", "--profile", "administrator"]);
    let plan = ["promote", "clock", "development", "test", "--dry-run"];
    let shown = house.cli(&plan);
    assert!(shown.contains("tick  every 86400 s  as admin"), "{shown}");
    assert!(shown.contains("ACL default (new)"), "{shown}");
    let named = [&plan[..], &["--run-as", "robot", "--acl", "night"]].concat();
    let shown = house.cli(&named);
    assert!(
        shown.contains("as robot") && shown.contains("ACL night (new)") && shown.contains("it would be done"),
        "{shown}"
    );
    let shown = house.cli_no(&[&plan[..], &["--run-as", "nobody", "--acl", "none"]].concat());
    assert!(shown.contains("no user `nobody`") && shown.contains("`none`"), "all that is in the way: {shown}");
    assert_eq!(house.cli_json(&["deployments", "--env", "test"])["items"], json!([]), "nothing happened");
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
