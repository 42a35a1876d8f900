//! The contract of all connectors, with one server that is reached through a proxy.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use lockgate_connector_api::{Call, Registered, Registry};
use lockgate_connector_postgres::Postgres;
use lockgate_testkit::{
    FaultProxy, Pki,
    contract::{self, CANARY, Proof, Wire},
    fault_proxy::{Fault, Way},
    pki, postgres,
};
use rustls::pki_types::ServerName;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsConnector;

/// What a client sends first to ask for TLS (PostgreSQL, protocol-message-formats, SSLRequest).
const ASKS_FOR_TLS: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// The server starts with the suite's own PKI and serves all checks: making a cluster takes a second.
#[derive(Default)]
struct Subject(Arc<OnceLock<postgres::Postgres>>);

enum Peer {
    Server { server: Arc<OnceLock<postgres::Postgres>>, proxy: FaultProxy, earlier: usize },
    Stranger { port: u16, connections: Arc<AtomicUsize>, raw: Arc<Mutex<Vec<u8>>>, _accepting: JoinHandle<()> },
}

/// Sign-ins and statements that a server has logged.
fn requests(server: &postgres::Postgres) -> usize {
    let log = server.log();
    log.matches("connection authorized: user=app").count() + log.matches("execute ").count()
}

impl Peer {
    /// Hears what it is asked, gives that answer, and hears on.
    async fn stranger(answer: &'static [u8]) -> Self {
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
                        let mut buffer = [0; 4096];
                        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                            raw.lock().unwrap().extend_from_slice(&buffer[..read]);
                            let _ = stream.write_all(answer).await;
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
            Self::Server { server, earlier, .. } => requests(server.get().unwrap()) - earlier,
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
        registry.add::<Postgres>();
        *registry.get("postgres").unwrap()
    }

    fn address(&self, host: &str, port: u16) -> String {
        format!("postgres://{host}:{port}/peer")
    }

    fn settings(&self) -> (BTreeMap<String, String>, Vec<(&'static str, String)>) {
        ([("username".to_owned(), "app".to_owned())].into(), vec![("password", CANARY.to_owned())])
    }

    fn secured_words(&self) -> Vec<String> {
        ["app", "peer", "select"].map(str::to_owned).into()
    }

    fn probe(&self, deadline: Instant) -> Call {
        Call { deadline, ..crate::account::call("query", "select 1", json!([])) }
    }

    async fn serve(&self, pki: &Pki, proof: Proof, wire: Wire) -> Peer {
        let certificate = match proof {
            Proof::Good => pki::Server::Good,
            Proof::Certificate(certificate) => certificate,
            Proof::HostKey(_) => unreachable!("no identity of this connector"),
        };
        let server = self.0.get_or_init(|| postgres::Postgres::start(pki).expect("checked by the test"));
        server.serve_with(&pki.server(certificate));
        let proxy = FaultProxy::start(server.port()).await;
        proxy.always(match wire {
            // Takes the question for TLS and leaves it at that; says that it has none.
            Wire::Silent => return Peer::stranger(b"").await,
            Wire::Plain => return Peer::stranger(b"N").await,
            Wire::Good => Fault::None,
            Wire::Closes => Fault::Truncate(Way::Up, handshake(pki, &proxy).await.0 + 1),
            Wire::Resets => Fault::Reset(Way::Up, handshake(pki, &proxy).await.0 + 1),
            Wire::Garbage => Fault::Endless(handshake(pki, &proxy).await.1 + 1),
        });
        Peer::Server { server: Arc::clone(&self.0), proxy, earlier: requests(server) }
    }
}

/// Bytes that go up and down for a session in which nothing is said: after one more, something is.
async fn handshake(pki: &Pki, proxy: &FaultProxy) -> (u64, u64) {
    let mut stream = TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap();
    stream.write_all(&ASKS_FOR_TLS).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'S');
    let mut config = (*pki.client_config(None)).clone();
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    let tls = TlsConnector::from(Arc::new(config));
    let mut stream = tls.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    // The server hears the end and ends as well: then all is counted.
    stream.shutdown().await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    proxy.carried()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_postgresql() {
    let Some(_) = crate::account::shared() else { return };
    contract::run(&Subject::default()).await;
}
