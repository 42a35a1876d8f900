//! The contract of all connectors, with each server.

use std::{collections::BTreeMap, fs, time::Instant};

use lockgate_connector_api::{Call, Registered, Registry};
use lockgate_connector_ftps::Ftps;
use lockgate_document::Document;
use lockgate_testkit::{
    FaultProxy, FtpServer, Pki,
    contract::{self, Proof, Stranger, Wire, files::Kind as _},
    fault_proxy::{Fault, Way},
    ftp_peer::Setup,
    pki,
};

use crate::account::{Kind, sign_in};

struct Subject(Kind);

/// A server behind a proxy, or somebody who is none.
enum Peer {
    Server { server: FtpServer, proxy: FaultProxy },
    Stranger(Stranger),
}

impl contract::Peer for Peer {
    fn port(&self) -> u16 {
        match self {
            Self::Server { proxy, .. } => proxy.port(),
            Self::Stranger(stranger) => stranger.port(),
        }
    }

    fn connections(&self) -> usize {
        match self {
            Self::Server { proxy, .. } => proxy.connections(),
            Self::Stranger(stranger) => stranger.connections(),
        }
    }

    fn requests(&self) -> usize {
        match self {
            // Attempts to sign in, and what was transferred; Pure-FTPd tells contents alone.
            Self::Server { server, .. } => server.log("PASS ") + server.log("RETR ") + server.log("\"GET "),
            Self::Stranger(stranger) => stranger.requests(),
        }
    }

    fn raw(&self) -> Vec<u8> {
        match self {
            Self::Server { .. } => Vec::new(),
            Self::Stranger(stranger) => stranger.raw(),
        }
    }
}

impl contract::Subject for Subject {
    type Peer = Peer;

    fn registered(&self) -> Registered {
        let mut registry = Registry::new();
        registry.add::<Ftps>();
        *registry.get("ftps").unwrap()
    }

    fn address(&self, host: &str, port: u16) -> String {
        format!("ftps://{host}:{port}")
    }

    fn settings(&self) -> (BTreeMap<String, String>, Vec<(&'static str, String)>) {
        let (settings, secrets) = sign_in(self.0);
        (settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), secrets)
    }

    fn secured_words(&self) -> Vec<String> {
        [FtpServer::USER, "USER", "PASS", "FEAT"].map(str::to_owned).to_vec()
    }

    fn speaks_first(&self) -> bool {
        self.0 != Kind::Implicit
    }

    fn probe(&self, deadline: Instant) -> Call {
        Call::new("get", Document::object([("path", "probe".into())]), deadline)
    }

    async fn serve(&self, pki: &Pki, proof: Proof, wire: Wire) -> Peer {
        let shown = match proof {
            Proof::Good => pki::Server::Good,
            Proof::Certificate(shown) => shown,
            Proof::HostKey(_) => unreachable!("no identity of this connector"),
        };
        // Bytes of the handshake, after which the sign-in begins.
        let (talking, answering) = (1_900, 1_500);
        let fault = match wire {
            Wire::Silent => return Peer::Stranger(Stranger::start(&[]).await),
            Wire::Plain => {
                let words: &[&[u8]] = &[b"220 peer-words\r\n", b"234 go on\r\n331 peer-words\r\n", b"230 in\r\n"];
                return Peer::Stranger(Stranger::start(words).await);
            }
            Wire::Good => Fault::None,
            Wire::Closes => Fault::Truncate(Way::Up, talking),
            Wire::Resets => Fault::Reset(Way::Up, talking),
            Wire::Garbage => Fault::Endless(answering),
        };
        let setup = Setup { shown, ..self.0.setup() };
        let server = FtpServer::start(pki, &setup).expect("checked by the test");
        fs::write(server.files().join("probe"), "peer-words").unwrap();
        let proxy = FaultProxy::start(server.port()).await;
        proxy.always(fault);
        Peer::Server { server, proxy }
    }
}

#[tokio::test]
async fn with_proftpd() {
    holds(Kind::Proftpd).await;
}

#[tokio::test]
async fn with_proftpd_and_implicit_tls() {
    holds(Kind::Implicit).await;
}

#[tokio::test]
async fn with_proftpd_that_tells_no_facts() {
    holds(Kind::Plain).await;
}

#[tokio::test]
async fn with_pure_ftpd() {
    holds(Kind::PureFtpd).await;
}

async fn holds(kind: Kind) {
    if kind.start().is_some() {
        contract::run(&Subject(kind)).await;
    }
}
