//! Counts and health: who may see them, and that they tell nothing they must not.

use std::time::{Duration, Instant};

use crate::{
    house::{House, ORDER},
    peered::{GET, JSON, Peers, point_at, publish},
};

fn token(house: &House) -> String {
    std::fs::read_to_string(house.data.join("metrics.token")).unwrap()
}

fn has(page: &str, line: &str) {
    assert!(page.lines().any(|l| l == line), "no `{line}` in\n{page}");
}

#[test]
fn counts_are_shown_to_the_operator_alone() {
    let (house, peers) = (House::start(), Peers::new());
    let peer = peers.start();
    publish(&house, &peers, &peer);
    let admin = house.administrator();
    let key = house.cli_json(&["user", "key", "add", "admin"])["key"].as_str().unwrap().to_owned();
    let context: serde_json::Value =
        serde_json::from_slice(&std::fs::read(house.data.join("context.json")).unwrap()).unwrap();
    let token = token(&house);
    let (short, long) = (token[1..].to_owned(), format!("{token}x"));
    for who in ["", &admin, &format!("Bearer {key}"), &format!("Bearer {}", context["token"].as_str().unwrap())] {
        let reply = house.request(who, "GET", "/metrics", None, &[]);
        assert_eq!((reply.status, reply.code().as_str()), (401, "LG-UNAUTHENTICATED"), "{who}: {reply:?}");
    }
    for wrong in
        ["Bearer ", "Bearer x", &format!("Bearer {short}"), &format!("Bearer {long}"), &format!("bearer {token}")]
    {
        let header = format!("Authorization: {wrong}");
        assert_eq!(house.request("", "GET", "/metrics", None, &[&header]).status, 401, "{wrong}");
    }
    // The token opens nothing else.
    let operators = format!("Bearer {token}");
    assert_eq!(house.order(&operators, ORDER).status, 401);
    assert_eq!(house.request(&operators, "GET", "/admin/v1/tenants/demo/users", None, &[]).status, 401);
    assert_eq!(house.request(&operators, "POST", "/metrics", Some("{}"), &[]).status, 405);
    assert_eq!(house.request(&operators, "GET", "/metrics/x", None, &[]).status, 404);

    assert_eq!(house.order(&admin, ORDER).status, 200);
    assert_eq!(house.request(&admin, "POST", GET, Some(JSON), &[]).status, 200);
    assert_eq!(house.order("admin:wrong", ORDER).status, 401);
    let reply = house.request(&operators, "GET", "/metrics", None, &[]);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.headers.contains("application/openmetrics-text"), "{}", reply.headers);
    let page = reply.body;
    // Quickstart's own order and this one.
    has(
        &page,
        "lockgate_runs_total{tenant=\"demo\",environment=\"development\",orchestration=\"order-to-erp\",phase=\"completed\"} 2",
    );
    has(&page, "lockgate_connector_calls_total{connector=\"https\",operation=\"get\",outcome=\"ok\"} 3");
    has(&page, "lockgate_connector_calls_total{connector=\"sftp\",operation=\"put\",outcome=\"ok\"} 2");
    has(&page, "lockgate_logins_failed_total{event=\"authenticate\"} 3");
    has(&page, "lockgate_runs_open 0");
    let count = |name: &str| {
        let line = page.lines().find(|l| l.starts_with(name)).unwrap_or_else(|| panic!("no {name} in\n{page}"));
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    for name in [
        "lockgate_audit_append_seconds_count",
        "lockgate_store_commit_seconds_count",
        "lockgate_run_arena_bytes_count",
        "lockgate_requests_total{route=\"admin\",status=\"2xx\"}",
        "lockgate_request_body_bytes_total",
        "lockgate_reply_body_bytes_total",
        "lockgate_connector_bytes_total{connector=\"https\",direction=\"read\"}",
        "lockgate_accounts_open",
        "process_resident_memory_bytes",
    ] {
        assert!(count(name) > 0.0, "{name}");
    }
    for secret in ["SO-1000009", &token, &house.text("password")] {
        assert!(!page.contains(secret), "`{secret}` is in the counts");
    }
    // The same over the operator's own socket.
    let own = house.cli(&["operator", "metrics", "--data", house.data.to_str().unwrap()]);
    has(&own, "lockgate_connector_calls_total{connector=\"https\",operation=\"get\",outcome=\"ok\"} 3");
}

#[test]
fn an_account_that_is_bound_anew_or_removed_is_let_go() {
    let (house, peers) = (House::start(), Peers::new());
    let peer = peers.start();
    publish(&house, &peers, &peer);
    let admin = house.administrator();
    let open = || {
        let page = house.cli(&["operator", "metrics", "--data", house.data.to_str().unwrap()]);
        let line = page.lines().find(|line| line.starts_with("lockgate_accounts_open ")).unwrap().to_owned();
        line.rsplit(' ').next().unwrap().parse::<u32>().unwrap()
    };
    let others = open();
    let get = || assert_eq!(house.request(&admin, "POST", GET, Some(JSON), &[]).status, 200);
    get();
    assert_eq!(open(), others + 1);
    point_at(&house, &peers, &format!("https://127.0.0.1:{}/base/", peer.port()));
    assert_eq!(open(), others, "bound anew");
    get();
    house.cli(&["account", "rm", "peer", "--env", "development"]);
    assert_eq!(open(), others, "removed");
}

#[test]
fn an_egress_refusal_and_a_denial_are_counted() {
    let (house, peers) = (House::start(), Peers::new());
    publish(&house, &peers, &peers.start());
    let admin = house.administrator();
    point_at(&house, &peers, "https://10.0.0.1/");
    assert_eq!(house.request(&admin, "POST", GET, Some(JSON), &[]).status, 502);
    let watcher = house.user("watcher", &["monitor"]);
    assert_eq!(house.order(&watcher, ORDER).status, 403);
    let page = house.cli(&["operator", "metrics", "--data", house.data.to_str().unwrap()]);
    has(&page, "lockgate_egress_refusals_total{connector=\"https\"} 1");
    has(&page, "lockgate_connector_calls_total{connector=\"https\",operation=\"get\",outcome=\"refused\"} 1");
    has(&page, "lockgate_executes_refused_total 1");
    has(
        &page,
        "lockgate_runs_total{tenant=\"demo\",environment=\"development\",orchestration=\"get\",phase=\"faulted\"} 1",
    );
}

#[test]
fn a_server_that_cannot_write_lives_and_is_not_ready() {
    let house = House::start();
    let admin = house.administrator();
    let get = |house: &House, path: &str| {
        let reply = house.request("", "GET", path, None, &[]);
        (reply.status, reply.body)
    };
    assert_eq!(get(&house, "/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(get(&house, "/readyz"), (200, "ok\n".to_owned()));
    // A file may not grow past this: the system refuses the write, as it does on a full disk.
    let largest = std::fs::read_dir(&house.data).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).max().unwrap();
    let blocks = (largest / 512) + 1_024;
    let house = house.serve(&format!("trap '' XFSZ; ulimit -S -f {blocks};"), &[]);
    assert_eq!(get(&house, "/readyz"), (200, "ok\n".to_owned()));
    let until = Instant::now() + Duration::from_secs(60);
    // The endpoint is gone, so orders fail; what counts is that each is written down.
    while house.order(&admin, ORDER).status != 503 {
        assert!(Instant::now() < until, "the store takes everything");
    }
    let until = Instant::now() + Duration::from_secs(20);
    while get(&house, "/readyz").0 == 200 {
        assert!(Instant::now() < until, "ready, and nothing can be written");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(get(&house, "/readyz"), (503, "the store cannot be written\n".to_owned()));
    assert_eq!(get(&house, "/healthz"), (200, "ok\n".to_owned()));
    // There is room again: it goes on, and nobody restarted it.
    let process = house.process.0.id().to_string();
    let room = std::process::Command::new("prlimit").args(["--pid", &process, "--fsize=unlimited:"]).status();
    assert!(room.unwrap().success());
    let until = Instant::now() + Duration::from_secs(60);
    while get(&house, "/readyz").0 != 200 {
        assert!(Instant::now() < until, "there is room, and it is not ready");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(house.order(&admin, ORDER).status, 502);
    // Each run that was opened is closed in time.
    let path = "/admin/v1/tenants/demo/environments/development/runs?limit=1000";
    let runs = || house.request(&admin, "GET", path, None, &[]).json();
    while runs()["items"].as_array().unwrap().iter().any(|run| run["ended"].is_null()) {
        assert!(Instant::now() < until, "a run stays open");
        std::thread::sleep(Duration::from_millis(200));
    }
}
