//! The contract of all connectors, with one server that is reached through a proxy.

use std::{
    collections::BTreeMap,
    marker::PhantomData,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use lockgate_connector_api::{Call, Registered};
use rustls::pki_types::ServerName;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsConnector;

use super::{Database, Server, call};
use crate::{
    FaultProxy, Pki,
    contract::{self, CANARY, Proof, Wire},
    fault_proxy::{Fault, Way},
    pki,
};

/// A database as the contract of all connectors takes it. Its server starts with the suite's own PKI
/// and serves all checks: making one takes seconds.
#[derive(Debug)]
pub struct Subject<D: Database>(Arc<OnceLock<D::Server>>, PhantomData<D>);

impl<D: Database> Default for Subject<D> {
    fn default() -> Self {
        Self(Arc::default(), PhantomData)
    }
}

/// A server, or somebody who takes its place.
#[derive(Debug)]
pub enum Peer<S> {
    /// The server, through a proxy.
    Server {
        /// The server.
        server: Arc<OnceLock<S>>,
        /// Where it is reached.
        proxy: FaultProxy,
        /// Requests before this peer's own.
        earlier: usize,
    },
    /// Somebody else.
    Stranger {
        /// Its port.
        port: u16,
        /// Connections it accepted.
        connections: Arc<AtomicUsize>,
        /// What it heard.
        raw: Arc<Mutex<Vec<u8>>>,
        /// What accepts.
        accepting: JoinHandle<()>,
    },
}

impl<S> Peer<S> {
    /// Says that, and that again to whatever it hears.
    async fn stranger(greeting: &'static [u8], answer: &'static [u8]) -> Self {
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
                        let _ = stream.write_all(greeting).await;
                        let mut buffer = [0; 4096];
                        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                            raw.lock().unwrap().extend_from_slice(&buffer[..read]);
                            let _ = stream.write_all(answer).await;
                        }
                    });
                }
            }
        });
        Self::Stranger { port, connections, raw, accepting }
    }
}

impl<S: Server> contract::Peer for Peer<S> {
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
            Self::Server { server, earlier, .. } => server.get().unwrap().requests() - earlier,
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

impl<D: Database> contract::Subject for Subject<D> {
    type Peer = Peer<D::Server>;

    fn registered(&self) -> Registered {
        D::registered()
    }

    fn address(&self, host: &str, port: u16) -> String {
        format!("{}://{host}:{port}/peer", D::SCHEME.name)
    }

    fn settings(&self) -> (BTreeMap<String, String>, Vec<(&'static str, String)>) {
        ([("username".to_owned(), "app".to_owned())].into(), vec![("password", CANARY.to_owned())])
    }

    fn secured_words(&self) -> Vec<String> {
        ["app", "peer", "select"].map(str::to_owned).into()
    }

    /// Who says something without having been asked, be it of no TLS.
    fn speaks_first(&self) -> bool {
        !D::WITHOUT_TLS.0.is_empty()
    }

    fn probe(&self, deadline: Instant) -> Call {
        Call { deadline, ..call("query", "select 1", json!([])) }
    }

    async fn serve(&self, pki: &Pki, proof: Proof, wire: Wire) -> Peer<D::Server> {
        let certificate = match proof {
            Proof::Good => pki::Server::Good,
            Proof::Certificate(certificate) => certificate,
            Proof::HostKey(_) => panic!("no identity of this connector"),
        };
        let server = self.0.get_or_init(|| D::Server::start(pki).expect("checked by the test"));
        server.serve_with(&pki.server(certificate));
        let proxy = FaultProxy::start(server.port()).await;
        proxy.always(match wire {
            // Says nothing; has no TLS, or goes on without it.
            Wire::Silent => return Peer::stranger(b"", b"").await,
            Wire::Plain => return Peer::stranger(D::WITHOUT_TLS.0, D::WITHOUT_TLS.1).await,
            Wire::Good => Fault::None,
            Wire::Closes => Fault::Truncate(Way::Up, handshake::<D>(pki, &proxy).await.0 + 1),
            Wire::Resets => Fault::Reset(Way::Up, handshake::<D>(pki, &proxy).await.0 + 1),
            Wire::Garbage => Fault::Endless(handshake::<D>(pki, &proxy).await.1 + 1),
        });
        Peer::Server { server: Arc::clone(&self.0), proxy, earlier: server.requests() }
    }
}

/// Bytes that go up and down for a session in which nothing is said: after one more, something is.
async fn handshake<D: Database>(pki: &Pki, proxy: &FaultProxy) -> (u64, u64) {
    D::handshake(pki, proxy.port()).await;
    proxy.carried()
}

/// Connects, reads what is said first, asks for TLS by those bytes, and ends without a word.
pub async fn ask_and_secure(pki: &Pki, port: u16, asks: &[u8], alpn: &[&[u8]], speaks_first: bool) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    if speaks_first {
        let length = stream.read_u32_le().await.unwrap();
        stream.read_exact(&mut vec![0; length as usize]).await.unwrap();
    }
    stream.write_all(asks).await.unwrap();
    if !speaks_first {
        assert_eq!(stream.read_u8().await.unwrap(), b'S');
    }
    let mut config = (*pki.client_config(None)).clone();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let tls = TlsConnector::from(Arc::new(config));
    let mut stream = tls.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    // The server hears the end and ends as well: then all is counted.
    stream.shutdown().await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
}
