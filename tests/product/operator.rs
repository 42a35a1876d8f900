//! What only the operator may do, over the local socket: tenants and private ranges.

use crate::house::{House, ORDER, with_input};

fn operator(house: &House, arguments: &[&str]) -> std::process::Output {
    let mut command = std::process::Command::new(lockgate_testkit::process::program());
    command.args(["--json", "operator"]).args(arguments).arg("--data").arg(&house.data);
    with_input(&mut command, "")
}

#[test]
fn tenants_are_apart_and_the_operator_suspends_them() {
    let house = House::start();
    let admin = house.administrator();
    for reserved in ["admin", "healthz"] {
        assert!(!operator(&house, &["tenant", "create", reserved]).status.success(), "{reserved}");
    }
    assert!(!operator(&house, &["tenant", "create", "demo"]).status.success(), "it exists already");
    let created = operator(&house, &["tenant", "create", "acme", "--administrator", "root"]);
    assert!(created.status.success(), "{created:?}");
    let token =
        serde_json::from_slice::<serde_json::Value>(&created.stdout).unwrap()["token"].as_str().unwrap().to_owned();

    // A token is no password, and is spent once.
    assert_eq!(house.request(&format!("root:{token}"), "POST", "/acme/development/x", Some("{}"), &[]).status, 401);
    let context = house.folder().join("root.json");
    let login = |secrets: &str| {
        let (url, ca) = (house.text("listener_url"), house.text("ca_file"));
        let arguments =
            ["login", &url, "--tenant", "acme", "--user", "root", "--ca", &ca, "--token", "--password-stdin"];
        house.cli_as(&context, &arguments, secrets)
    };
    let weak = login(&format!("{token}\nshort\n"));
    assert!(!weak.status.success(), "{weak:?}");
    let done = login(&format!("{token}\nKorrekt-Pferd-7-Batterie\n"));
    assert!(done.status.success(), "{done:?}");
    assert!(!login(&format!("{token}\nAndere-Batterie-8-Klammer\n")).status.success(), "a token was spent twice");

    // Neither's credentials mean anything to the other; one name says nothing about the other.
    let root = "root:Korrekt-Pferd-7-Batterie";
    assert_eq!(house.order(root, ORDER).status, 401);
    assert_eq!(house.request(&admin, "POST", "/acme/development/order-to-erp", Some(ORDER), &[]).status, 401);
    assert_eq!(house.request(root, "POST", "/acme/development/order-to-erp", Some(ORDER), &[]).status, 404);
    let users = house.cli_as(&context, &["--json", "user", "list"], "");
    assert!(users.status.success() && !String::from_utf8_lossy(&users.stdout).contains("\"admin\""), "{users:?}");

    // Suspended: nothing runs, nobody does anything. Resumed: as before.
    assert!(operator(&house, &["tenant", "suspend", "demo"]).status.success());
    let reply = house.order(&admin, ORDER);
    assert!(matches!(reply.status, 401 | 403 | 404), "{reply:?}");
    let shut = house.cli_as(&house.data.join("context.json"), &["user", "list"], "");
    assert_eq!(shut.status.code(), Some(3), "{shut:?}");
    assert!(operator(&house, &["tenant", "resume", "demo"]).status.success());
    assert_eq!(house.order(&admin, ORDER).status, 200);
}

#[test]
fn the_operator_says_how_many_run_records_are_kept() {
    let house = House::start();
    let admin = house.administrator();
    for wrong in [["--runs", "0"], ["--days", "0"], ["--days", "many"]] {
        let refused = operator(&house, &["tenant", "keep", "demo", wrong[0], wrong[1]]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    }
    assert_eq!(operator(&house, &["tenant", "keep", "absent", "--runs", "1"]).status.code(), Some(3));
    let told = |output: std::process::Output| {
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let as_it_is = told(operator(&house, &["tenant", "keep", "demo"]));
    assert_eq!(as_it_is, serde_json::json!({"days_max": 30, "runs_max": 1_000_000}));
    for _ in 0..4 {
        assert_eq!(house.order(&admin, ORDER).status, 200);
    }
    let runs = || {
        let all = house.cli_json(&["runs", "list", "--env", "development"])["items"].clone();
        all.as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = runs();
    let kept = told(operator(&house, &["tenant", "keep", "demo", "--runs", "2"]));
    assert_eq!(kept, serde_json::json!({"days_max": 30, "runs_max": 2}));
    lockgate_testkit::wait_until("old records go", std::time::Duration::from_secs(60), || runs().len() == 2);
    assert_eq!(runs(), all[..2], "the newest stay");
    let context = house.data.join("context.json");
    for verb in ["show", "cancel", "restart"] {
        let gone = house.cli_as(&context, &["runs", verb, &all[3], "--env", "development"], "");
        assert!(
            gone.status.code() == Some(3) && String::from_utf8_lossy(&gone.stderr).contains("LG-NOT-FOUND"),
            "{gone:?}"
        );
    }
    house.cli(&["audit", "verify"]);
}

#[test]
fn withdrawing_an_allowance_closes_the_way_at_once() {
    let house = House::start();
    let admin = house.administrator();
    assert_eq!(house.order(&admin, ORDER).status, 200);
    let listed = operator(&house, &["egress", "list", "demo"]);
    let value: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let rows = value["items"].as_array().unwrap();
    // Exactly the practice addresses and ports, nothing wider.
    assert_eq!(rows.len(), 2, "{value}");
    for row in rows {
        let (cidr, port) = (row["cidr"].as_str().unwrap(), row["port_first"].to_string());
        assert_eq!((cidr, &row["port_first"]), ("127.0.0.1/32", &row["port_last"]), "{value}");
        let range = ["demo", "development", cidr, &port];
        let withdrawn = operator(&house, &[&["egress", "withdraw"], &range[..]].concat());
        assert!(withdrawn.status.success(), "{withdrawn:?}");
        // Also for the connection that is still open in the pool.
        assert_eq!(house.order(&admin, ORDER).status, 502, "{row}");
        assert!(operator(&house, &[&["egress", "allow"], &range[..]].concat()).status.success());
        assert_eq!(house.order(&admin, ORDER).status, 200);
    }
    // Metadata addresses stay refused whatever is allowed: alone they are no range, in a wider one it is
    // said. A range must be one.
    let alone = operator(&house, &["egress", "allow", "demo", "development", "169.254.169.254/32", "80"]);
    assert!(!alone.status.success() && String::from_utf8_lossy(&alone.stderr).contains("LG-EGRESS"), "{alone:?}");
    let data = house.data.to_str().unwrap();
    let wider =
        house.cli(&["operator", "egress", "allow", "demo", "development", "169.254.0.0/16", "80", "--data", data]);
    assert!(wider.contains("on port 80\n") && wider.contains("169.254.169.254"), "{wider}");
    assert!(!operator(&house, &["egress", "allow", "demo", "development", "not-a-range", "1"]).status.success());
    assert!(!operator(&house, &["egress", "allow", "demo", "nowhere", "10.0.0.0/8", "1"]).status.success());
}

#[test]
fn quickstart_withdraws_its_own_allowances_alone() {
    let ports = |house: &House| -> Vec<u64> {
        let listed = operator(house, &["egress", "list", "demo"]);
        let value: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
        value["items"].as_array().unwrap().iter().map(|row| row["port_first"].as_u64().unwrap()).collect()
    };
    let house = House::start();
    let first = ports(&house);
    // As narrow as those of quickstart.
    let done = operator(&house, &["egress", "allow", "demo", "development", "127.0.0.1/32", "1"]);
    assert!(done.status.success(), "{done:?}");
    let house = house.restart(&["--new-password"]);
    let second = ports(&house);
    assert!(second.len() == 3 && second.contains(&1), "{first:?} {second:?}");
    assert_eq!(house.order(&house.administrator(), ORDER).status, 200);
    let house = house.restart(&["--new-password"]);
    let third = ports(&house);
    assert!(third.len() == 3 && third.contains(&1), "{second:?} {third:?}");
    assert!(third.iter().all(|port| *port == 1 || !second.contains(port)), "{second:?} {third:?}");
}

/// Strangers who hold every connection the server takes leave it descriptors for its own files and
/// its operator.
#[test]
fn a_crowd_of_strangers_shuts_nobody_out() {
    let house = House::start().serve("ulimit -n 128;", &[]);
    let at = house.text("listener_url").trim_start_matches("https://").to_owned();
    let crowd: Vec<_> = (0..200).map(|_| std::net::TcpStream::connect(&at).unwrap()).collect();
    for verb in ["suspend", "resume"] {
        let done = operator(&house, &["tenant", verb, "demo"]);
        assert!(done.status.success(), "{verb}: {done:?}");
    }
    drop(crowd);
    assert_eq!(house.request("", "GET", "/readyz", None, &[]).body, "ok\n");
    assert!(house.log().contains("raise the limit of file descriptors"));
    assert_eq!(house.request(&house.administrator(), "GET", "/admin/v1/tenants/demo/users", None, &[]).status, 200);
}
