//! The load: one `wrk` on the second core, and what the server used meanwhile.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::servers::Server;

/// Ticks of `/proc/PID/stat` a second, on every Linux that Rust runs on (`sysconf(_SC_CLK_TCK)`).
const TICKS: f64 = 100.0;

/// What is sent.
pub struct Request {
    url: String,
    body: Option<String>,
}

/// What one round gave.
pub struct Measured {
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// User and system time of the server, in microseconds for a request.
    pub cpu_us: f64,
    /// Replies that were no 2xx, and what failed before a reply.
    pub refused: u64,
}

impl Request {
    pub fn get(server: &Server, path: &str) -> Self {
        Self { url: format!("{}{path}", server.origin), body: None }
    }

    pub fn post(server: &Server, body: &str) -> Self {
        Self { url: format!("{}{}", server.origin, server.path), body: Some(body.to_owned()) }
    }

    pub fn is_post(&self) -> bool {
        self.body.is_some()
    }
}

/// Holds a server's reply to what it should be, numbers as f64.
pub fn same(server: &Server, request: &Request, expected: &Value) {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--fail-with-body", "-k", "--max-time", "30", "-H", "Content-Type: application/json"]);
    if let Some(basic) = &server.basic {
        curl.args(["-H", &format!("Authorization: Basic {basic}")]);
    }
    curl.args(["--data-binary", request.body.as_deref().unwrap(), &request.url]);
    let mut reply = String::new();
    // Node-RED listens before its flows run.
    lockgate_testkit::wait_until(&server.name, Duration::from_secs(30), || {
        let output = curl.output().unwrap();
        reply = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success()
    });
    let reply: Value = serde_json::from_str(&reply).unwrap_or_else(|e| panic!("{}: {e}: {reply}", server.name));
    assert_eq!(plain(&reply), plain(expected), "{}", server.name);
}

fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64()),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        other => other.clone(),
    }
}

/// So many seconds over so many connections, as fast as they go.
pub fn measure(server: &Server, request: &Request, width: usize, seconds: u32, folder: &Path) -> Measured {
    let script = folder.join("request.lua");
    let mut lua = String::new();
    if let Some(body) = &request.body {
        lua += &format!(
            "wrk.method = \"POST\"\nwrk.headers[\"Content-Type\"] = \"application/json\"\nwrk.body = [==[{body}]==]\n"
        );
    }
    if let Some(basic) = &server.basic {
        lua += &format!("wrk.headers[\"Authorization\"] = \"Basic {basic}\"\n");
    }
    std::fs::write(&script, lua).unwrap();
    let before = server.cpu_seconds(TICKS);
    let mut wrk = Command::new("taskset");
    wrk.args(["-c", "1", "wrk", "-t1", &format!("-c{width}"), &format!("-d{seconds}s"), "--timeout", "10s"]);
    let output = wrk.args(["--latency", "-s"]).arg(&script).arg(&request.url).stderr(Stdio::inherit()).output();
    let output = output.unwrap_or_else(|e| panic!("taskset and wrk (packages util-linux and wrk): {e}"));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "wrk: {text}");
    let used = server.cpu_seconds(TICKS) - before;
    let count = number(&text, "", " requests in");
    Measured {
        per_second: number(&text, "Requests/sec:", "\n"),
        p50_ms: milliseconds(&text, "50%"),
        p99_ms: milliseconds(&text, "99%"),
        cpu_us: used * 1e6 / count.max(1.0),
        refused: if text.contains("Non-2xx") { number(&text, "Non-2xx or 3xx responses:", "\n") as u64 } else { 0 }
            + u64::from(text.contains("Socket errors")),
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The number between two texts on one line.
fn number(text: &str, before: &str, after: &str) -> f64 {
    let upto = text.split_once(before).map_or(text, |(_, rest)| rest).split_once(after).map_or("", |(upto, _)| upto);
    let word = upto.split_whitespace().next_back().unwrap_or_default();
    word.parse().unwrap_or_else(|_| panic!("no number before `{after}` in {text}"))
}

/// `99%   1.20ms` in milliseconds.
fn milliseconds(text: &str, percentile: &str) -> f64 {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(percentile)).unwrap_or_default().trim();
    let unit = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let value: f64 = line[..line.len() - unit.len()].parse().unwrap_or_else(|_| panic!("no {percentile} in {text}"));
    value
        * match unit {
            "us" => 0.001,
            "ms" => 1.0,
            "s" => 1_000.0,
            other => panic!("unit {other} in {text}"),
        }
}
