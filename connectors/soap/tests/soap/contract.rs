//! The contract of all connectors, with the test's own server, which answers the weather.

use std::{collections::BTreeMap, time::Instant};

use lockgate_connector_api::{Call, Registered, Registry};
use lockgate_connector_soap::Soap;
use lockgate_testkit::{
    HttpsPeer, Pki,
    contract::{self, CANARY, Proof, Wire},
    https_peer,
    pki::Server,
};

use crate::account::{BASE, TOLD, call, envelope, forecast, told};

struct Subject {
    alpn: &'static [&'static str],
}

impl contract::Subject for Subject {
    type Peer = HttpsPeer;

    fn registered(&self) -> Registered {
        let mut registry = Registry::new();
        registry.add::<Soap>();
        *registry.get("soap").unwrap()
    }

    fn address(&self, host: &str, port: u16) -> String {
        format!("https://{host}:{port}{BASE}")
    }

    fn settings(&self) -> (BTreeMap<String, String>, Vec<(&'static str, String)>) {
        let settings =
            [("auth", "basic"), ("username", "user"), ("security", "username-text"), ("token_username", "user")];
        let settings = settings.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        (settings, vec![("password", CANARY.to_owned()), ("token_password", CANARY.to_owned())])
    }

    fn secured_words(&self) -> Vec<String> {
        vec!["HTTP/1".to_owned(), "Envelope".to_owned()]
    }

    fn probe(&self, deadline: Instant) -> Call {
        Call { deadline, ..call("read", forecast("Ulm")) }
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
        let peer = HttpsPeer::start_as(pki.server_config(certificate, false, self.alpn), wire).await;
        peer.answers(BASE, |_| told(200, "text/xml", envelope("", TOLD)));
        peer
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
