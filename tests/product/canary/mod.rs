//! Nothing is kept: a mark that exists nowhere else goes through every operation of every connector,
//! every listener, a schedule and every failing path, and then everything the process has written is
//! searched for it, in the forms that data takes on its way. A planted leak is found in each of them.
//!
//! A connector joins by being in the catalog: the test fails until `project` and `paths` drive it.

mod paths;
mod project;
mod search;

use std::{
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use paths::{Endpoint, World};
use search::{Kept, MARK, found, leaks, written};
use serde_json::{Value, json};

use crate::house::{House, ORDER, Reply};

/// What is sent: no two are the same.
fn canary(which: &str) -> String {
    format!("canary {which} {MARK}")
}

/// A house whose program has a connector that panics, with the project of canaries deployed.
struct Cage {
    house: House,
    world: World,
    admin: String,
}

impl Cage {
    /// None where a server is not installed, which is said.
    fn start() -> Option<Self> {
        let house = House::start_for_canaries();
        let cage = Self { admin: house.administrator(), world: World::start(&house)?, house };
        let folder = cage.house.folder().join("canaries");
        for (file, text) in project::files() {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let data = cage.house.data.to_str().unwrap();
        cage.house.cli(&[
            "operator",
            "egress",
            "allow",
            "--data",
            data,
            "demo",
            "development",
            "127.0.0.1/32",
            "1-65535",
        ]);
        for endpoint in &cage.world.endpoints {
            endpoint.bind(&cage.house, "add", &endpoint.at("127.0.0.1", endpoint.port), &endpoint.identity, "");
        }
        let defect = ["--connector", "defect", "--address", "defect://127.0.0.1:1", "--system"];
        cage.house.cli(&[&["account", "add", "the-defect", "--env", "development"][..], &defect].concat());
        cage.house.cli(&["push", folder.to_str().unwrap()]);
        cage.house.cli(&["deploy", "canaries", "development"]);
        assert_eq!(cage.post("prepare", &json!({})).status, 200);
        Some(cage)
    }

    fn post(&self, name: &str, input: &Value) -> Reply {
        let path = format!("/demo/development/{name}");
        self.house.request(&self.admin, "POST", &path, Some(&input.to_string()), &[])
    }

    /// Calls an operation with a canary.
    fn call(&self, connector: &str, operation: &str, which: &str, n: u64) -> Reply {
        self.post(&project::name(connector, operation), &json!({"text": canary(which), "n": n}))
    }

    /// How often calls ended so, by the server's own counts.
    fn counted(&self, connector: &str, operation: &str, outcome: &str) -> u64 {
        let head = format!(
            "lockgate_connector_calls_total{{connector=\"{connector}\",operation=\"{operation}\",outcome=\"{outcome}\"}} "
        );
        let page = self.metrics();
        page.lines().find_map(|line| line.strip_prefix(&head)).map_or(0, |n| n.parse().unwrap())
    }

    fn metrics(&self) -> String {
        self.house.cli(&["operator", "metrics", "--data", self.house.data.to_str().unwrap()])
    }

    /// All that is left behind: files, and what the process tells about itself.
    fn kept(&self) -> Kept {
        let mut kept = written(&self.house);
        for (name, arguments) in [
            ("audit", &["audit", "export"][..]),
            ("runs", &["--json", "runs", "list", "--env", "development"]),
            ("logs", &["--json", "logs", "--env", "development"]),
        ] {
            kept.push((name.into(), self.house.cli(arguments).into_bytes()));
        }
        kept.push(("metrics".into(), self.metrics().into_bytes()));
        kept
    }
}

#[test]
fn what_went_through_is_found_nowhere() {
    let Some(cage) = Cage::start() else { return };
    through_every_operation(&cage);
    through_streams_and_a_schedule(&cage);
    through_refusals(&cage);
    through_failing_orchestrations(&cage);
    through_a_defect(&cage);
    for endpoint in &cage.world.endpoints {
        through_failing_endpoints(&cage, endpoint);
    }
    every_connector_was_driven(&cage);

    let kept = cage.kept();
    assert!(kept.iter().any(|(name, _)| name.ends_with("-wal")), "the write-ahead log is searched");
    assert_eq!(found(&kept), Vec::new(), "data was kept");
    no_core_is_written(cage);
}

/// Data in every member of every input, and back in the answer where the endpoint repeats it.
fn through_every_operation(cage: &Cage) {
    for (connector, operation, _) in project::OPERATIONS {
        let reply = cage.call(connector, operation, &format!("in {connector}"), 1);
        assert_eq!(reply.status, 200, "{connector}.{operation}: {reply:.600?}");
        assert!(cage.counted(connector, operation, "ok") > 0, "{connector}.{operation} was not called");
        let repeats = [("https", "get"), ("https", "post"), ("soap", "call"), ("sftp", "get"), ("postgres", "query")];
        if repeats.contains(&(connector, operation)) {
            assert!(reply.body.contains(MARK), "{connector}.{operation} gave nothing back: {reply:.600?}");
        }
    }
    // And through what is shipped.
    let reply = cage.house.order(&cage.admin, &ORDER.replace("Sofia", &canary("in the order")));
    assert_eq!(reply.status, 200, "{reply:.600?}");
}

fn through_streams_and_a_schedule(cage: &Cage) {
    for name in ["rows-to-file", "rows-to-table", "table-to-table", "file-to-web", "web-to-file"] {
        let reply = cage.post(name, &json!({"text": canary(name)}));
        assert_eq!(reply.status, 200, "{name}: {reply:.600?}");
    }
    let by_schedule = || {
        let runs = cage.house.cli_json(&["runs", "list", "--env", "development"]);
        let mut runs = runs["items"].as_array().unwrap().iter();
        runs.any(|run| {
            let nightly = run["target"].to_string().contains("nightly") && run["trigger"] == "schedule";
            nightly && run["phase"] == "completed"
        })
    };
    let end = Instant::now() + Duration::from_secs(30);
    while !by_schedule() {
        assert!(Instant::now() < end, "the schedule does not run");
        std::thread::sleep(Duration::from_millis(200));
    }
    cage.house.cli(&["schedule", "pause", "nightly", "--env", "development"]);
}

/// Nobody, nowhere, not JSON, and whatever a request can carry beside its body.
fn through_refusals(cage: &Cage) {
    let (house, admin) = (&cage.house, &cage.admin);
    let malformed = format!("{{\"a\": \"{}\"", canary("malformed"));
    let echo = "/demo/development/echo";
    assert_eq!(house.request(admin, "POST", echo, Some(&malformed), &[]).status, 400);
    let body = json!({"text": canary("of a stranger")}).to_string();
    assert_eq!(house.request(&format!("nobody:{MARK}"), "POST", echo, Some(&body), &[]).status, 401);
    assert_eq!(house.request(&format!("Bearer lgk_{MARK}"), "POST", echo, Some(&body), &[]).status, 401);
    assert_eq!(cage.post("nowhere", &json!({"text": canary("to nowhere")})).status, 404);
    let text = format!("Content-Type: text/{MARK}");
    assert_eq!(house.request(admin, "POST", echo, Some(&body), &[&text]).status, 415);
    let url = format!("{echo}?q={MARK}");
    let headers = [format!("X-Note: {MARK}"), format!("Cookie: a={MARK}"), format!("User-Agent: {MARK}")];
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    assert_eq!(house.request(admin, "POST", &url, Some(&body), &headers).status, 200);
    // As the whole of a document that is only a text.
    assert!(house.request(admin, "POST", echo, Some(&json!(canary("alone")).to_string()), &[]).status < 500);
}

/// Raised, wrongly typed, too much for the run's memory, refused by the database with the data in its
/// words, and broken off when much of a stream has passed.
fn through_failing_orchestrations(cage: &Cage) {
    for (how, status) in [("back", 200), ("raise", 409), ("number", 500), ("bomb", 500)] {
        let reply = cage.post("echo", &json!({"how": how, "text": canary(how)}));
        assert_eq!(reply.status, status, "{how}: {reply:.300?}");
    }
    let reply = cage.post("mistyped", &json!({"text": canary("mistyped")}));
    assert_eq!((reply.status, reply.body.contains(MARK)), (502, true), "the database says it: {reply:.600?}");
    let reply = cage.post("breaking", &json!({"text": canary("breaking")}));
    assert_eq!(reply.status, 502, "{reply:.600?}");
    assert!(reply.body.contains("zero"), "it broke where it should: {reply:.600?}");
}

/// A connector that panics ends its own run alone, and its words are told to nobody.
fn through_a_defect(cage: &Cage) {
    for at in ["once", "later"] {
        let reply = cage.post("defect-go", &json!({"at": at, "text": canary(at)}));
        assert_eq!((reply.status, reply.code().as_str()), (502, "LG-CONNECTOR-DEFECT"), "{at}: {reply:?}");
    }
    let reply = cage.post("defect-stream", &json!({"text": canary("in a stream")}));
    assert_eq!(reply.status, 502, "{reply:?}");
    assert_eq!(cage.post("echo", &json!({"text": "still there"})).status, 200);
    assert!(cage.house.log().contains("tests/defect/program.rs:"), "the log names the place of the panic");
}

/// An address that is not allowed, one where nobody is, one where somebody else is, and one that breaks
/// off in the middle of the answer. That each came about is seen in the counts.
fn through_failing_endpoints(cage: &Cage, endpoint: &Endpoint) {
    let (connector, operation) = (endpoint.connector, endpoint.operation);
    let bind = |address: &str, identity: &[String]| endpoint.bind(&cage.house, "set", address, identity, "");
    let call = |which: &str| cage.call(connector, operation, &format!("{connector} {which}"), 2);
    let fails = |which: &str, kinds: &[&str]| {
        let count = || kinds.iter().map(|kind| cage.counted(connector, operation, kind)).sum::<u64>();
        let before = count();
        let reply = call(which);
        assert!(reply.status >= 500, "{connector} {which}: {reply:.600?}");
        assert!(count() > before, "{connector} {which}: no {kinds:?} was counted, but {reply:.600?}");
    };
    let (own, other) = (&endpoint.identity, &endpoint.other_identity);
    let at_home = endpoint.at("127.0.0.1", endpoint.port);
    bind(&endpoint.at("127.0.0.2", endpoint.port), own);
    fails("refused", &["refused"]);
    bind(&endpoint.nobody(), own);
    fails("down", &["unreachable"]);
    bind(&at_home, other);
    fails("impostor", &["identity"]);

    let proxy = cage.world.proxy(endpoint);
    bind(&endpoint.at("127.0.0.1", proxy.port()), own);
    assert_eq!(call("whole").status, 200);
    for fault in endpoint.faults(proxy.carried().1) {
        // Another port is another binding: no connection is left from before.
        let proxy = cage.world.proxy(endpoint);
        proxy.always(fault);
        bind(&endpoint.at("127.0.0.1", proxy.port()), own);
        fails(&format!("{fault:?}"), &["unreachable", "protocol", "timeout"]);
        assert!(proxy.happened(), "{connector}: {fault:?} did not come about");
    }
    // A wrong secret was sent, and is one.
    if endpoint.password.is_some() {
        endpoint.bind(&cage.house, "set", &at_home, own, MARK);
        fails("wrong secret", &["authentication"]);
    }
}

/// Each operation of the catalog has succeeded, each connector has failed in each way.
fn every_connector_was_driven(cage: &Cage) {
    let registry = lockgate_connector_catalog::registry();
    for spec in registry.specs() {
        let all = |outcome: &str| spec.operations.iter().map(|o| cage.counted(spec.name, o.name, outcome)).sum::<u64>();
        for operation in spec.operations {
            let driven = cage.counted(spec.name, operation.name, "ok") > 0;
            assert!(driven, "no canary went through {}.{}: drive it in `project`", spec.name, operation.name);
        }
        for outcome in ["refused", "unreachable", "identity"] {
            assert!(all(outcome) > 0, "no canary saw {} fail as {outcome}: drive it in `paths`", spec.name);
        }
    }
}

/// Ends the process by the signal of a crash.
fn no_core_is_written(cage: Cage) {
    let Cage { mut house, .. } = cage;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", house.process.0.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
    let killed = Command::new("kill").args(["-ABRT", &house.process.0.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let ended = house.process.0.wait().unwrap();
    assert!(ended.signal() == Some(6) && !ended.core_dumped(), "{ended:?}");
    for folder in [Path::new("."), &house.data, house.folder()] {
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let cores: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with("core")).collect();
        assert!(cores.is_empty(), "{cores:?} in {}", folder.display());
    }
}

#[test]
fn a_planted_leak_is_found_in_every_form() {
    for (form, leak) in leaks() {
        let places = found(&vec![("file".to_owned(), leak)]);
        assert!(places.iter().any(|(_, in_form, _)| *in_form == form), "{form} is not found");
    }
    assert_eq!(found(&vec![("file".to_owned(), b"nothing of it".to_vec())]), Vec::new());
}

/// The walk sees what it must: files of any depth, temporary files, the log, a row in the store.
#[test]
fn a_planted_leak_is_found_wherever_it_lies() {
    let house = House::start();
    std::fs::create_dir_all(house.folder().join("tmp/deep")).unwrap();
    assert_eq!(found(&written(&house)), Vec::new());
    let project = house.folder().join("project");
    std::fs::create_dir(&project).unwrap();
    std::fs::write(project.join("project.yaml"), format!("project: leak\ntitle: {MARK}\n")).unwrap();
    std::fs::write(project.join("README.md"), "a project without flows").unwrap();
    let places = |house: &House| found(&written(house)).into_iter().map(|(name, ..)| name).collect::<Vec<_>>();
    house.cli(&["group", "add", "leak", "--title", MARK]);
    let store = places(&house);
    assert!(store.iter().any(|name| name.ends_with("-wal") || name.ends_with(".db")), "{store:?}");
    let plant = |path: &Path| std::fs::write(path, format!("x{MARK}x")).unwrap();
    let planted = [house.data.join("planted"), house.folder().join("tmp/deep/planted")];
    planted.iter().for_each(|path| plant(path));
    let after = places(&house);
    for path in &planted {
        assert!(after.contains(&path.display().to_string()), "{} is not found: {after:?}", path.display());
    }
    let mut log = house.log();
    log.push_str(MARK);
    std::fs::write(house.folder().join("log"), log).unwrap();
    assert!(places(&house).contains(&"log".to_owned()));
}
