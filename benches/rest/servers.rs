//! The servers that are measured, each on the first core.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    rc::Rc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lockgate_testkit::{
    Pki,
    pki::Server as Certificate,
    process::{Running, program},
    wait_until,
};
use serde_json::{Value, json};

#[path = "../mapping/by_hand.rs"]
#[expect(dead_code, reason = "the bench of mappings uses all of it")]
mod by_hand;

const ORDER: &str = include_str!("../../orchestrations/order-to-erp/sample.json");
const INVOICE: &str = include_str!("../mapping/invoice.jsonata");

/// A server that runs.
#[derive(Clone)]
pub struct Server {
    pub name: String,
    /// `https://localhost:PORT`.
    pub origin: String,
    /// Where orders are sent.
    pub path: String,
    /// Credentials of Basic authentication.
    pub basic: Option<String>,
    process: Rc<Running>,
}

impl Server {
    pub fn named(&self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self.clone() }
    }

    pub fn peak_rss_bytes(&self) -> u64 {
        self.process.peak_rss_bytes()
    }

    /// User and system time so far (proc_pid_stat(5), fields 14 and 15).
    pub fn cpu_seconds(&self, ticks: f64) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.0.id())).unwrap();
        let fields: Vec<_> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        let ticked = |field: usize| fields[field - 3].parse::<f64>().unwrap();
        (ticked(14) + ticked(15)) / ticks
    }
}

/// The shipped order, compact.
pub fn order() -> String {
    serde_json::from_str::<Value>(ORDER).unwrap().to_string()
}

/// Its invoice.
pub fn invoice() -> Value {
    serde_json::from_slice(&by_hand::one(order().as_bytes())).unwrap()
}

/// On the first core alone.
fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(program).stdin(Stdio::null()).stderr(Stdio::inherit());
    command
}

fn skipped<T>(what: &str, reason: &str) -> Option<T> {
    println!("left out: {what} ({reason})");
    None
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn wait_for(port: u16) {
    wait_until("the port", Duration::from_secs(60), || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
}

/// Quickstart, with an orchestration that maps an order to its invoice.
pub fn lockgate(name: &str, data: &Path) -> Server {
    let mut command = pinned(&program());
    command.args(["quickstart", "--json", "--no-database", "--data"]).arg(data);
    command.env("LOCKGATE_LOG", "off").stdout(Stdio::piped());
    let mut process = Running::start(&mut command);
    let mut line = String::new();
    BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();

    let project = data.with_file_name("project");
    std::fs::create_dir_all(&project).unwrap();
    std::fs::write(project.join("project.yaml"), "project: invoices\n").unwrap();
    let expression = INVOICE.replace('\n', "\n            ");
    let flow = format!(
        "document: {{ dsl: '1.0.3', namespace: bench, name: invoice, version: '1.0.0' }}\n\
         evaluate: {{ language: jsonata }}\n\
         do:\n  - map:\n      set: |-\n            ${{ {expression} }}\n"
    );
    std::fs::write(project.join("invoice.flow.yaml"), flow).unwrap();
    let folder = project.to_str().unwrap();
    for arguments in [&["build", folder][..], &["push", folder], &["deploy", "invoices", "development"]] {
        let output =
            Command::new(program()).env("LOCKGATE_CONTEXT", data.join("context.json")).args(arguments).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let basic = STANDARD.encode(format!("admin:{}", ready["password"].as_str().unwrap()));
    Server {
        name: name.to_owned(),
        origin: ready["listener_url"].as_str().unwrap().to_owned(),
        path: "/demo/development/invoice".to_owned(),
        basic: Some(basic),
        process: Rc::new(process),
    }
}

/// The service on axum: nothing kept, a line of a file synced, and the rows that Lockgate writes.
pub fn axum(folder: &Path) -> Option<Vec<Server>> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/target/release/lockgate-bench-axum");
    if !program.is_file() {
        return skipped("axum", "run `cargo build --release` in benches/peers");
    }
    let (cert, key) = certificate(folder);
    let started = |name: &str, log: Option<PathBuf>| {
        let port = free_port();
        let mut command = pinned(&program);
        command.arg(port.to_string()).args([&cert, &key]).args(log);
        let process = Rc::new(Running::start(&mut command));
        wait_for(port);
        let origin = format!("https://localhost:{port}");
        Server { name: name.to_owned(), origin, path: "/map".to_owned(), basic: None, process }
    };
    Some(vec![
        started("axum by hand", None),
        started("axum by hand, a line synced", Some(folder.join("axum.log"))),
        started("axum by hand, the same rows", Some(folder.join("axum.sqlite"))),
    ])
}

fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let identity = Pki::new().server(Certificate::Good);
    std::fs::write(&cert, identity.certificate_pem()).unwrap();
    std::fs::write(&key, identity.key_pem()).unwrap();
    (cert, key)
}

/// Node-RED with one flow: HTTP in, a change node with the same JSONata, HTTP response.
pub fn node_red(folder: &Path) -> Option<Server> {
    let Some(modules) = std::env::var_os("LOCKGATE_NODE_RED").map(PathBuf::from) else {
        return skipped("Node-RED", "LOCKGATE_NODE_RED names a `node_modules` with `node-red`");
    };
    let (cert, key) = certificate(folder);
    let (port, home) = (free_port(), folder.join("node-red"));
    std::fs::create_dir_all(&home).unwrap();
    let rule =
        json!({ "t": "set", "p": "payload", "pt": "msg", "to": format!("payload.({INVOICE})"), "tot": "jsonata" });
    let flow = json!([
        { "id": "t", "type": "tab", "label": "map" },
        { "id": "ask", "type": "http in", "z": "t", "url": "/map", "method": "post", "wires": [["map"]] },
        { "id": "map", "type": "change", "z": "t", "rules": [rule], "wires": [["reply"]] },
        { "id": "reply", "type": "http response", "z": "t", "statusCode": "200", "wires": [] },
    ]);
    std::fs::write(home.join("flow.json"), flow.to_string()).unwrap();
    let settings = json!({
        "uiHost": "127.0.0.1", "uiPort": port, "flowFile": home.join("flow.json"), "userDir": home,
        "httpAdminRoot": false, "telemetry": { "enabled": false }, "logging": { "console": { "level": "warn" } },
    });
    let tls = format!("{{ key: fs.readFileSync({key:?}), cert: fs.readFileSync({cert:?}) }}");
    let script =
        format!("const fs = require('fs');\nmodule.exports = Object.assign({settings}, {{ https: {tls} }});\n");
    std::fs::write(home.join("settings.cjs"), script).unwrap();
    // The Node.js beside it, where there is one, else the machine's.
    let node = modules.join("node/bin/node");
    let mut command = pinned(if node.is_file() { &node } else { Path::new("node") });
    command.arg(modules.join("node-red/red.js")).arg("-s").arg(home.join("settings.cjs")).arg("-u").arg(&home);
    let process = Rc::new(Running::start(command.stdout(std::fs::File::create(home.join("log")).unwrap())));
    wait_for(port);
    let origin = format!("https://localhost:{port}");
    Some(Server { name: "Node-RED".to_owned(), origin, path: "/map".to_owned(), basic: None, process })
}
