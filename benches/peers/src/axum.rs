//! `lockgate-bench-axum PORT CERT KEY [LOG]`: an axum handler over TLS that maps an order to its invoice by typed
//! structs. With LOG, a reply waits until a record of the request stands in that file and on disk: one thread
//! writes whatever has queued up while the disk was busy, and syncs once for all of it.
//!
//! No authentication, no routing to speak of, no limits: the least that a hand-written service does.

#[path = "../../mapping/by_hand.rs"]
#[allow(dead_code)]
mod by_hand;

use std::{fs::File, io::Write, net::SocketAddr};

use axum::{Router, body::Bytes, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::post};
use axum_server::{accept::NoDelayAcceptor, tls_rustls::RustlsConfig};
use tokio::sync::{mpsc, oneshot};

type Record = (Vec<u8>, oneshot::Sender<()>);
type Log = Option<mpsc::Sender<Record>>;

/// Who asked for what, when, and what came of it: about as long as a line of Lockgate's audit.
const RECORD: usize = 600;
const BATCH_MAX: usize = 1_024;

async fn map(State(log): State<Log>, body: Bytes) -> impl IntoResponse {
    let durable = match &log {
        Some(log) => {
            let (done, durable) = oneshot::channel();
            log.send((vec![b'.'; RECORD], done)).await.unwrap();
            Some(durable)
        }
        None => None,
    };
    let reply = by_hand::one(&body);
    if let Some(durable) = durable {
        durable.await.unwrap();
    }
    ([(CONTENT_TYPE, "application/json")], reply)
}

fn write(mut file: File, mut records: mpsc::Receiver<Record>) {
    let (mut batch, mut bytes) = (Vec::new(), Vec::new());
    while records.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        bytes.clear();
        batch.iter().for_each(|(record, _)| bytes.extend_from_slice(record));
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        for (_, done) in batch.drain(..) {
            let _ = done.send(());
        }
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (port, cert, key) = match &arguments[..] {
        [port, cert, key, ..] => (port.parse().unwrap(), cert, key),
        _ => panic!("PORT CERT KEY [LOG]"),
    };
    let log = arguments.get(3).map(|path| {
        let file = File::options().create(true).append(true).open(path).unwrap();
        let (log, records) = mpsc::channel(4_096);
        std::thread::spawn(|| write(file, records));
        log
    });
    rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap();
    let tls = RustlsConfig::from_pem_file(cert, key).await.unwrap();
    let app = Router::new().route("/map", post(map)).with_state(log);
    axum_server::bind_rustls(SocketAddr::from(([127, 0, 0, 1], port)), tls)
        .map(|acceptor| acceptor.acceptor(NoDelayAcceptor::new()))
        .serve(app.into_make_service())
        .await
        .unwrap();
}
