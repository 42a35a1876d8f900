//! The contract of all connectors: with the test's own server, which speaks as it is told, and with
//! nginx, which asks for client certificates.

use std::{collections::BTreeMap, time::Instant};

use lockgate_connector_api::{Call, Registered, Registry};
use lockgate_connector_https::Https;
use lockgate_document::Document;
use lockgate_testkit::{
    FaultProxy, HttpsPeer, Nginx, Pki,
    contract::{self, CANARY, Proof, Wire, loopback},
    https_peer, pki,
    pki::Server,
};
use serde_json::json;

use crate::account::Account;

struct Subject {
    alpn: &'static [&'static str],
}

fn registered() -> Registered {
    let mut registry = Registry::new();
    registry.add::<Https>();
    *registry.get("https").unwrap()
}

/// Settings of an account that signs in, and its secret.
fn settings() -> (BTreeMap<String, String>, Vec<(&'static str, String)>) {
    let settings = [("auth", "basic"), ("username", "user")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    (settings.into(), vec![("password", CANARY.to_owned())])
}

fn certificate(proof: Proof) -> Server {
    match proof {
        Proof::Good => Server::Good,
        Proof::Certificate(certificate) => certificate,
        Proof::HostKey(_) => unreachable!("no identity of this connector"),
    }
}

async fn peer(pki: &Pki, proof: Proof, wire: Wire, alpn: &[&str]) -> HttpsPeer {
    let wire = match wire {
        Wire::Good => https_peer::Wire::Https,
        Wire::Silent => https_peer::Wire::Silent,
        Wire::Plain => https_peer::Wire::Plain,
        Wire::Closes => https_peer::Wire::Closes,
        Wire::Resets => https_peer::Wire::Resets,
        Wire::Garbage => https_peer::Wire::Garbage,
    };
    HttpsPeer::start_as(pki.server_config(certificate(proof), false, alpn), wire).await
}

impl contract::Subject for Subject {
    type Peer = HttpsPeer;

    fn registered(&self) -> Registered {
        registered()
    }

    fn address(&self, host: &str, port: u16) -> String {
        format!("https://{host}:{port}/base")
    }

    fn settings(&self) -> (BTreeMap<String, String>, Vec<(&'static str, String)>) {
        settings()
    }

    fn secured_words(&self) -> Vec<String> {
        vec!["HTTP/1".to_owned()]
    }

    fn probe(&self, deadline: Instant) -> Call {
        Call::new("get", Document::object([("path", "echo".into())]), deadline)
    }

    async fn serve(&self, pki: &Pki, proof: Proof, wire: Wire) -> HttpsPeer {
        peer(pki, proof, wire, self.alpn).await
    }
}

#[tokio::test]
async fn over_http1() {
    contract::run(&Subject { alpn: &["http/1.1"] }).await;
}

#[tokio::test]
async fn over_http2() {
    contract::run(&Subject { alpn: &["h2"] }).await;
}

/// A server that offers no ALPN speaks HTTP/1.1.
#[tokio::test]
async fn without_alpn() {
    contract::run(&Subject { alpn: &[] }).await;
}

/// nginx as long as it behaves; who does not is none.
enum Peer {
    Nginx(Nginx, FaultProxy),
    Stranger(HttpsPeer),
}

impl contract::Peer for Peer {
    fn port(&self) -> u16 {
        match self {
            Self::Nginx(_, proxy) => proxy.port(),
            Self::Stranger(peer) => peer.port(),
        }
    }

    fn connections(&self) -> usize {
        match self {
            Self::Nginx(_, proxy) => proxy.connections(),
            Self::Stranger(peer) => peer.connections(),
        }
    }

    fn requests(&self) -> usize {
        match self {
            Self::Nginx(server, _) => server.requests(),
            Self::Stranger(peer) => contract::Peer::requests(peer),
        }
    }

    fn raw(&self) -> Vec<u8> {
        match self {
            Self::Nginx(..) => Vec::new(),
            Self::Stranger(peer) => peer.raw(),
        }
    }
}

struct WithNginx;

impl contract::Subject for WithNginx {
    type Peer = Peer;

    fn registered(&self) -> Registered {
        registered()
    }

    fn address(&self, host: &str, port: u16) -> String {
        format!("https://{host}:{port}")
    }

    fn settings(&self) -> (BTreeMap<String, String>, Vec<(&'static str, String)>) {
        settings()
    }

    fn shows(&self, pki: &Pki) -> Option<pki::Identity> {
        Some(pki.client("subject", true))
    }

    fn secured_words(&self) -> Vec<String> {
        vec!["HTTP/1".to_owned(), "HTTP/2".to_owned()]
    }

    fn probe(&self, deadline: Instant) -> Call {
        Call::new("get", Document::object::<&str>([]), deadline)
    }

    async fn serve(&self, pki: &Pki, proof: Proof, wire: Wire) -> Peer {
        if wire != Wire::Good {
            return Peer::Stranger(peer(pki, proof, wire, &["h2", "http/1.1"]).await);
        }
        let server = Nginx::start(pki, certificate(proof), true).expect("checked by the test");
        let proxy = FaultProxy::start(server.port()).await;
        Peer::Nginx(server, proxy)
    }
}

#[tokio::test]
async fn with_nginx() {
    if Nginx::start(&Pki::new(), Server::Good, true).is_some() {
        contract::run(&WithNginx).await;
    }
}

/// nginx lets nobody in without a certificate, or with one that its CA has not signed.
#[tokio::test]
async fn with_nginx_and_no_certificate_of_its_ca() {
    let pki = Pki::new();
    let Some(server) = Nginx::start(&pki, Server::Good, true) else { return };
    std::fs::write(server.stored().join("file"), "{}").unwrap();
    for own in [None, Some(pki.client("stranger", false))] {
        let account = Account::open_with(pki.client_config(own), server.port(), &[], &[], loopback());
        account.fails("get", json!({"path": "file"})).await;
    }
    assert_eq!(server.requests(), 0);
    let own = Some(pki.client("subject", true));
    let account = Account::open_with(pki.client_config(own), server.port(), &[], &[], loopback());
    assert_eq!(account.call("get", json!({"path": "file"})).await.unwrap()["status"], 200);
}
