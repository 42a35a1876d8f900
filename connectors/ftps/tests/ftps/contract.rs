//! The contract of all connectors, with each server.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use lockgate_connector_api::{Call, Registered, Registry};
use lockgate_connector_ftps::Ftps;
use lockgate_document::Document;
use lockgate_testkit::{
    FaultProxy, FtpServer, Pki,
    contract::{self, Proof, Wire},
    fault_proxy::{Fault, Way},
    ftp_peer::Setup,
    pki,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

use crate::account::{Kind, Server, sign_in};

struct Subject(Kind);

/// A server behind a proxy, or somebody who is none.
enum Peer {
    Server { server: FtpServer, proxy: FaultProxy },
    Stranger { port: u16, connections: Arc<AtomicUsize>, raw: Arc<Mutex<Vec<u8>>>, _accepting: JoinHandle<()> },
}

impl Peer {
    /// Says each of these words after it has heard something, the first ones at once, and never goes
    /// over to TLS.
    async fn stranger(words: &'static [&'static [u8]]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, raw) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let accepting = tokio::spawn({
            let (connections, raw) = (Arc::clone(&connections), Arc::clone(&raw));
            async move {
                while let Ok((mut stream, _)) = listener.accept().await {
                    connections.fetch_add(1, Ordering::SeqCst);
                    let raw = Arc::clone(&raw);
                    tokio::spawn(async move {
                        let mut words = words.iter();
                        let mut buffer = [0; 4096];
                        loop {
                            if let Some(words) = words.next() {
                                let _ = stream.write_all(words).await;
                            }
                            match stream.read(&mut buffer).await {
                                Ok(read @ 1..) => raw.lock().unwrap().extend_from_slice(&buffer[..read]),
                                _ => break,
                            }
                        }
                    });
                }
            }
        });
        Self::Stranger { port, connections, raw, _accepting: accepting }
    }
}

impl contract::Peer for Peer {
    fn port(&self) -> u16 {
        match self {
            Self::Server { proxy, .. } => proxy.port(),
            Self::Stranger { port, .. } => *port,
        }
    }

    fn connections(&self) -> usize {
        match self {
            Self::Server { proxy, .. } => proxy.connections(),
            Self::Stranger { connections, .. } => connections.load(Ordering::SeqCst),
        }
    }

    fn requests(&self) -> usize {
        match self {
            // Attempts to sign in, and what was transferred; Pure-FTPd tells contents alone.
            Self::Server { server, .. } => server.log("PASS ") + server.log("RETR ") + server.log("\"GET "),
            Self::Stranger { .. } => 0,
        }
    }

    fn raw(&self) -> Vec<u8> {
        match self {
            Self::Server { .. } => Vec::new(),
            Self::Stranger { raw, .. } => raw.lock().unwrap().clone(),
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
            Wire::Silent => return Peer::stranger(&[]).await,
            Wire::Plain => {
                return Peer::stranger(&[b"220 peer-words\r\n", b"234 go on\r\n331 peer-words\r\n", b"230 in\r\n"])
                    .await;
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
    if Server::start(kind).is_some() {
        contract::run(&Subject(kind)).await;
    }
}
