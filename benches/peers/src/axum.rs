//! `lockgate-bench-axum PORT CERT KEY [LOG]`: an axum handler over TLS that maps an order to its invoice by typed
//! structs. With LOG, a reply waits until the request is recorded durably there.
//!
//! No authentication, no routing to speak of, no limits: the least that a hand-written service does.

#[path = "../../mapping/by_hand.rs"]
#[allow(dead_code)]
mod by_hand;
mod log;

use std::{net::SocketAddr, path::Path};

use axum::{Router, body::Bytes, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::post};
use axum_server::{accept::NoDelayAcceptor, tls_rustls::RustlsConfig};

use log::Log;

async fn map(State(log): State<Option<Log>>, body: Bytes) -> impl IntoResponse {
    let durable = match &log {
        Some(log) => Some(log.append().await),
        None => None,
    };
    let reply = by_hand::one(&body);
    if let Some(durable) = durable {
        durable.await.unwrap();
    }
    ([(CONTENT_TYPE, "application/json")], reply)
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (port, cert, key) = match &arguments[..] {
        [port, cert, key, ..] => (port.parse().unwrap(), cert, key),
        _ => panic!("PORT CERT KEY [LOG]"),
    };
    let log = arguments.get(3).map(|path| Log::open(Path::new(path)));
    rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap();
    let tls = RustlsConfig::from_pem_file(cert, key).await.unwrap();
    let app = Router::new().route("/map", post(map)).with_state(log);
    axum_server::bind_rustls(SocketAddr::from(([127, 0, 0, 1], port)), tls)
        .map(|acceptor| acceptor.acceptor(NoDelayAcceptor::new()))
        .serve(app.into_make_service())
        .await
        .unwrap();
}
