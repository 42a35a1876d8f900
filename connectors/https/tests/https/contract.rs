//! The connector against a real server: the contract of all connectors.

use std::{collections::BTreeMap, time::Instant};

use lockgate_connector_api::{Call, Registered, Registry};
use lockgate_connector_https::Https;
use lockgate_document::Document;
use lockgate_testkit::{
    HttpsPeer, Pki,
    contract::{self, CANARY, Proof, Wire},
    https_peer,
    pki::Server,
};

struct Subject {
    alpn: &'static [&'static str],
}

impl contract::Subject for Subject {
    type Peer = HttpsPeer;

    fn registered(&self) -> Registered {
        let mut registry = Registry::new();
        registry.add::<Https>();
        *registry.get("https").unwrap()
    }

    fn address(&self, host: &str, port: u16) -> String {
        format!("https://{host}:{port}/base")
    }

    fn settings(&self) -> (BTreeMap<String, String>, Vec<(&'static str, String)>) {
        let settings = [("auth", "basic"), ("username", "user")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        (settings.into(), vec![("password", CANARY.to_owned())])
    }

    fn secured_words(&self) -> Vec<String> {
        vec!["HTTP/1".to_owned()]
    }

    fn probe(&self, deadline: Instant) -> Call {
        Call::new("get", Document::object([("path", "echo".into())]), deadline)
    }

    async fn serve(&self, pki: &Pki, proof: Proof, wire: Wire) -> HttpsPeer {
        let certificate = match proof {
            Proof::Good => Server::Good,
            Proof::Certificate(certificate) => certificate,
            Proof::HostKey(_) => unreachable!("no identity of this connector"),
        };
        let wire = match wire {
            Wire::Good => https_peer::Wire::Https,
            Wire::Silent => https_peer::Wire::Silent,
            Wire::Plain => https_peer::Wire::Plain,
            Wire::Closes => https_peer::Wire::Closes,
            Wire::Resets => https_peer::Wire::Resets,
            Wire::Garbage => https_peer::Wire::Garbage,
        };
        HttpsPeer::start_as(pki.server_config(certificate, false, self.alpn), wire).await
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
