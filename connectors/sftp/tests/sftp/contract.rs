//! The contract of all connectors, with each server.

use std::{collections::BTreeMap, time::Instant};

use lockgate_connector_api::{Call, Registered, Registry};
use lockgate_connector_sftp::Sftp;
use lockgate_document::Document;
use lockgate_model::definition::ServerIdentity;
use lockgate_testkit::{
    FaultProxy, Pki,
    contract::{self, Proof, Stranger, Wire, files::Kind as _, files::Server as _},
    fault_proxy::{Fault, Way},
    ssh_peer::Shown,
};

use crate::account::{KEYS, Kind, Server, sign_in};

struct Subject(Kind);

/// A server behind a proxy, or somebody who is none.
enum Peer {
    Server { server: Server, proxy: FaultProxy },
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
            Self::Server { server, .. } => server.requests(),
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
        registry.add::<Sftp>();
        *registry.get("sftp").unwrap()
    }

    fn address(&self, host: &str, port: u16) -> String {
        format!("sftp://{host}:{port}")
    }

    fn settings(&self) -> (BTreeMap<String, String>, Vec<(&'static str, String)>) {
        let (settings, secrets) = sign_in(self.0);
        (settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), secrets)
    }

    fn identity(&self, _: &Pki) -> ServerIdentity {
        ServerIdentity::HostKey(match self.0 {
            Kind::Openssh => KEYS.fingerprint("host_ed25519"),
            Kind::Proftpd => KEYS.public("host_rsa"),
        })
    }

    fn secured_words(&self) -> Vec<String> {
        vec!["ssh-connection".to_owned(), "ssh-userauth".to_owned()]
    }

    fn speaks_first(&self) -> bool {
        true
    }

    fn probe(&self, deadline: Instant) -> Call {
        Call::new("list", Document::object::<&str>([]), deadline)
    }

    async fn serve(&self, _: &Pki, proof: Proof, wire: Wire) -> Peer {
        let shown = match proof {
            Proof::Good => Shown::Own,
            Proof::HostKey(shown) => shown,
            Proof::Certificate(_) => unreachable!("no identity of this connector"),
        };
        // Bytes of the key exchange, after which the sign-in begins.
        let (talking, answering) = (1_200, 2_000);
        let fault = match wire {
            Wire::Silent => return Peer::Stranger(Stranger::start(&[]).await),
            Wire::Plain => {
                return Peer::Stranger(Stranger::start(&[b"220 peer-words\r\n331 go on\r\n"]).await);
            }
            Wire::Good => Fault::None,
            Wire::Closes => Fault::Truncate(Way::Up, talking),
            Wire::Resets => Fault::Reset(Way::Up, talking),
            Wire::Garbage => Fault::Endless(answering),
        };
        let server = Server::start_telling(self.0, shown).expect("checked by the test");
        let proxy = FaultProxy::start(server.port()).await;
        proxy.always(fault);
        Peer::Server { server, proxy }
    }
}

#[tokio::test]
async fn with_openssh() {
    holds(Kind::Openssh).await;
}

#[tokio::test]
async fn with_proftpd() {
    holds(Kind::Proftpd).await;
}

async fn holds(kind: Kind) {
    if kind.start().is_some() {
        contract::run(&Subject(kind)).await;
    }
}
