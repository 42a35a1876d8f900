//! A request at the TLS listener to its reply, over kept connections: authentication (remembered
//! Basic), both gates, a durable append, a WebAssembly run, the reply. One connection shows latency,
//! 64 show throughput. Beside it, in the same run, `GET /healthz` on the same port: what TLS and HTTP
//! alone cost here.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use lockgate_model::definition::ServerIdentity;
use lockgate_testkit::process::{Running, program};
use tokio::sync::Mutex;

const SAMPLE: &str = include_str!("../orchestrations/order-to-erp/sample.json");

type Connection = Arc<Mutex<SendRequest<Full<Bytes>>>>;

struct Load {
    connections: Vec<Connection>,
    requests: Vec<(&'static str, Request<()>, Bytes)>,
}

async fn connect(ready: &serde_json::Value) -> Connection {
    let url: String = ready["listener_url"].as_str().unwrap().into();
    let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
    let ca = std::fs::read_to_string(ready["ca_file"].as_str().unwrap()).unwrap();
    let tls = lockgate_keys::client_config(&ServerIdentity::Ca(ca), None, &[b"http/1.1"]).unwrap();
    let tcp = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    tcp.set_nodelay(true).unwrap();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let stream = tokio_rustls::TlsConnector::from(tls).connect(name, tcp).await.unwrap();
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    Arc::new(Mutex::new(sender))
}

async fn send(connection: &Connection, request: &Request<()>, body: &Bytes) {
    let mut sender = connection.lock().await;
    sender.ready().await.unwrap();
    let mut one = Request::builder().method(request.method()).uri(request.uri());
    *one.headers_mut().unwrap() = request.headers().clone();
    let reply = sender.send_request(one.body(Full::new(body.clone())).unwrap()).await.unwrap();
    let status = reply.status();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
}

/// `count` requests over the first `width` connections, as fast as they go.
async fn all(load: &Load, which: usize, width: usize, count: u64) -> Duration {
    let (_, request, body) = &load.requests[which];
    let began = Instant::now();
    let share = |n: u64| count / width as u64 + u64::from(n < count % width as u64);
    let workers: Vec<_> = load.connections[..width]
        .iter()
        .enumerate()
        .map(|(n, connection)| {
            let (connection, body, request) = (connection.clone(), body.clone(), request.clone());
            let share = share(n as u64);
            tokio::spawn(async move {
                for _ in 0..share {
                    send(&connection, &request, &body).await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    began.elapsed()
}

fn rest(c: &mut Criterion) {
    let folder = lockgate_testkit::temp_dir();
    let mut command = Command::new(program());
    command.args(["quickstart", "--json", "--no-database", "--data"]).arg(folder.path().join("data"));
    command.env("LOCKGATE_LOG", "off").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Running::start(&mut command);
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();

    // A cancelled order ends in the runtime: no endpoint is part of the figure.
    let order = SAMPLE.replacen("\"status\": \"paid\"", "\"status\": \"cancelled\"", 1);
    let basic = STANDARD.encode(format!("admin:{}", ready["password"].as_str().unwrap()));
    let post = Request::post("/demo/development/order-to-erp")
        .header("host", "localhost")
        .header("authorization", format!("Basic {basic}"))
        .header("content-type", "application/json")
        .body(())
        .unwrap();
    let health = Request::get("/healthz").header("host", "localhost").body(()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let requests = vec![
        ("order, two gates, durable", post, Bytes::from(order)),
        ("healthz: TLS and HTTP alone", health, Bytes::new()),
    ];
    let mut load = Load { connections: Vec::new(), requests };
    let mut group = c.benchmark_group("request to reply");
    group.sample_size(20).measurement_time(Duration::from_secs(8)).throughput(Throughput::Elements(1));
    for width in [1, 64] {
        for which in 0..load.requests.len() {
            // New ones each time: the server ends connections that nobody uses.
            load.connections = runtime.block_on(async {
                let mut connections = Vec::new();
                for _ in 0..width {
                    connections.push(connect(&ready).await);
                }
                connections
            });
            let name = load.requests[which].0;
            group.bench_function(BenchmarkId::new(name, format!("{width} connections")), |b| {
                b.iter_custom(|count| runtime.block_on(all(&load, which, width, count)))
            });
        }
    }
    group.finish();
    println!("server: peak resident memory {} MiB", server.peak_rss_bytes() >> 20);
}

criterion_group!(benches, rest);
criterion_main!(benches);
