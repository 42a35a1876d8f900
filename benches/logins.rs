//! What a flood of logins costs those who call: requests at the listener, at an even pace, alone and beside a flood of
//! logins by password from many sources and for many users, wrong ones and right ones. Rounds alternate; the ratio of the
//! two p99 is what counts.
//!
//! A request's time runs from when it was due, so that one that waits behind another is late as well. Server, load and
//! flood share the machine's cores. Beside it: how many logins were answered, and how many turned away.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lockgate_keys::{Versions, client_config};
use lockgate_model::definition::ServerIdentity;
use lockgate_testkit::process::{Running, program};
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::Instant,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

const ROUNDS: usize = 6;
const ROUND: Duration = Duration::from_secs(4);
/// Requests in a second, over so many connections.
const CALLS: (u32, u32) = (200, 16);
/// Logins in a second that are tried, each source on its own connection: many times what there is room for.
const LOGINS: (u32, u32) = (400, 200);
/// Until who waits in the server's queue has been answered.
const OVER: Duration = Duration::from_secs(5);

fn main() {
    let folder = lockgate_testkit::temp_dir();
    let server = Arc::new(Server::start(&folder.path().join("data")));
    alone(calls(&server));
    let (mut quiet, mut flooded, mut answers) = (Vec::new(), Vec::new(), BTreeMap::new());
    for _ in 0..ROUNDS {
        quiet.push(Times::of(alone(calls(&server))));
        let flood = Flood::start(server.clone());
        std::thread::sleep(Duration::from_secs(1));
        flooded.push(Times::of(alone(calls(&server))));
        for (status, count) in flood.stop() {
            *answers.entry(status).or_insert(0_u32) += count;
        }
        std::thread::sleep(OVER);
    }
    println!("{} requests a second, {ROUNDS} rounds of {ROUND:?}, medians of the rounds", CALLS.0);
    let (quiet, flooded) = (Times::middle(&quiet), Times::middle(&flooded));
    println!("alone:              p50 {:>7.2?} p99 {:>7.2?} longest {:>7.2?}", quiet.p50, quiet.p99, quiet.longest);
    println!(
        "beside the flood:   p50 {:>7.2?} p99 {:>7.2?} longest {:>7.2?}",
        flooded.p50, flooded.p99, flooded.longest
    );
    let times = |a: Duration, b: Duration| b.as_secs_f64() / a.as_secs_f64();
    println!("times as long:      p50 {:.2}, p99 {:.2}", times(quiet.p50, flooded.p50), times(quiet.p99, flooded.p99));
    let seconds = (ROUND + Duration::from_secs(1)).as_secs_f64() * ROUNDS as f64;
    for (status, count) in answers {
        println!("logins answered {status}: {:.1} a second", f64::from(count) / seconds);
    }
    println!("load of the machine: {}", std::fs::read_to_string("/proc/loadavg").unwrap().trim());
}

/// On a thread of its own, so that load and flood do not wait for each other.
fn alone<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[derive(Clone, Copy)]
struct Times {
    p50: Duration,
    p99: Duration,
    longest: Duration,
}

impl Times {
    fn of(mut all: Vec<Duration>) -> Self {
        all.sort();
        Self { p50: all[all.len() / 2], p99: all[all.len() * 99 / 100], longest: all[all.len() - 1] }
    }

    fn middle(rounds: &[Self]) -> Self {
        let of = |part: fn(&Self) -> Duration| {
            let mut all: Vec<_> = rounds.iter().map(part).collect();
            all.sort();
            all[all.len() / 2]
        };
        Self { p50: of(|t| t.p50), p99: of(|t| t.p99), longest: of(|t| t.longest) }
    }
}

/// Quickstart, with a small orchestration.
struct Server {
    address: SocketAddr,
    tls: TlsConnector,
    password: String,
    _process: Running,
}

impl Server {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(program());
        command.args(["quickstart", "--json", "--no-database", "--data"]).arg(data);
        command.env("LOCKGATE_LOG", "off").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut process = Running::start(&mut command);
        let mut line = String::new();
        BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();

        let project = data.with_file_name("project");
        std::fs::create_dir_all(&project).unwrap();
        std::fs::write(project.join("project.yaml"), "project: small\n").unwrap();
        let flow = "document: { dsl: '1.0.3', namespace: bench, name: small, version: '1.0.0' }\n\
                    evaluate: { language: jsonata }\ndo:\n  - give: { set: { id: '${ orderId }' } }\n";
        std::fs::write(project.join("small.flow.yaml"), flow).unwrap();
        let folder = project.to_str().unwrap();
        for arguments in [&["build", folder][..], &["push", folder], &["deploy", "small", "development"]] {
            let context = data.join("context.json");
            let output = Command::new(program()).env("LOCKGATE_CONTEXT", context).args(arguments).output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        let ca = ServerIdentity::Ca(std::fs::read_to_string(text("ca_file")).unwrap());
        let tls = client_config(&ca, None, Versions::Both, &[b"http/1.1"]).unwrap();
        let port = text("listener_url").rsplit_once(':').unwrap().1.trim_end_matches('/').parse().unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self { address, tls: TlsConnector::from(tls), password: text("password"), _process: process }
    }

    /// A connection from an address.
    async fn connect(&self, from: Ipv4Addr) -> Connection {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        Connection { stream: self.tls.connect(name, stream).await.unwrap(), read: Vec::new() }
    }
}

struct Connection {
    stream: TlsStream<TcpStream>,
    read: Vec<u8>,
}

impl Connection {
    /// Sends a request; the status of its reply, which is read to its end.
    async fn ask(&mut self, request: &str) -> std::io::Result<u16> {
        self.stream.write_all(request.as_bytes()).await?;
        self.read.clear();
        loop {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let text = String::from_utf8_lossy(&self.read).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Ok(head.split(' ').nth(1).unwrap().parse().unwrap());
            }
        }
    }
}

fn post(path: &str, authorization: Option<&str>, body: &Value) -> String {
    let (body, authorization) = (body.to_string(), authorization.map(|of| format!("Authorization: {of}\r\n")));
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\n{}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        authorization.unwrap_or_default(),
        body.len()
    )
}

/// Requests at their pace for a round: how long each took from when it was due.
async fn calls(server: &Server) -> Vec<Duration> {
    let basic = format!("Basic {}", STANDARD.encode(format!("admin:{}", server.password)));
    let request = post("/demo/development/small", Some(&basic), &json!({"orderId": "SO-7"}));
    let (each_second, connections) = CALLS;
    let mut open = Vec::new();
    for _ in 0..connections {
        let mut connection = server.connect(Ipv4Addr::LOCALHOST).await;
        assert_eq!(connection.ask(&request).await.unwrap(), 200);
        open.push(connection);
    }
    let (begun, gap) = (Instant::now(), Duration::from_secs(1) / each_second);
    let mut all = JoinSet::new();
    for (n, mut connection) in (0..).zip(open) {
        let request = request.clone();
        all.spawn(async move {
            let (mut due, mut times) = (begun + gap * n, Vec::new());
            while due < begun + ROUND {
                tokio::time::sleep_until(due).await;
                assert_eq!(connection.ask(&request).await.unwrap(), 200);
                times.push(due.elapsed());
                due += gap * connections;
            }
            times
        });
    }
    all.join_all().await.concat()
}

/// Logins from everywhere until it is stopped.
struct Flood {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<BTreeMap<u16, u32>>,
}

impl Flood {
    fn start(server: Arc<Server>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        Self { stop, thread: std::thread::spawn(move || alone(flood(server, stopped))) }
    }

    /// How many logins were answered how.
    fn stop(self) -> BTreeMap<u16, u32> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

async fn flood(server: Arc<Server>, stop: Arc<AtomicBool>) -> BTreeMap<u16, u32> {
    let (each_second, sources) = LOGINS;
    let gap = Duration::from_secs(1) / each_second;
    let mut all = JoinSet::new();
    for n in 0..sources {
        let (server, stop) = (server.clone(), stop.clone());
        all.spawn(async move {
            let [_, _, high, low] = n.to_be_bytes();
            let from = Ipv4Addr::new(127, 7, high, low);
            let mut connection = server.connect(from).await;
            let (mut due, mut answers) = (Instant::now() + gap * n, BTreeMap::new());
            for attempt in 0_u32.. {
                tokio::time::sleep_until(due).await;
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                // One of four is right; of the others each is another user, so that no delay holds one back.
                let body = match attempt % 4 {
                    0 => json!({"user": "admin", "password": server.password}),
                    _ => json!({"user": format!("u{n}-{attempt}"), "password": "Correct-Horse-8"}),
                };
                match connection.ask(&post("/admin/v1/tenants/demo/login", None, &body)).await {
                    Ok(status) => *answers.entry(status).or_insert(0) += 1,
                    Err(_) => connection = server.connect(from).await,
                }
                due = (due + gap * sources).max(Instant::now());
            }
            answers
        });
    }
    let mut answers = BTreeMap::new();
    for (status, count) in all.join_all().await.into_iter().flatten() {
        *answers.entry(status).or_insert(0) += count;
    }
    answers
}
