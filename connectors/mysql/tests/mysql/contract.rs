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
use lockgate_connector_mysql::Mysql;
use lockgate_testkit::{
    FaultProxy, Mariadb, Pki,
    contract::{self, CANARY, Proof, Wire},
    fault_proxy::{Fault, Way},
    pki,
};
use rustls::pki_types::ServerName;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsConnector;

use crate::hostile::GREETS_NATIVE;

/// What a client sends to ask for TLS: its abilities, how much it takes at once, its characters, and
/// nothing about itself (MySQL source documentation, `Protocol::SSLRequest`).
const ASKS_FOR_TLS: [u8; 36] = [
    32, 0, 0, 1, 0, 0x8a, 0x08, 0, 0, 0, 0, 0x40, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0,
];

/// All is well (`OK_Packet`), in the clear.
const ALL_IS_WELL: &[u8] = b"\x07\0\0\x02\0\0\0\x02\0\0\0";

/// The server starts with the suite's own PKI and serves all checks: making one takes two seconds.
#[derive(Default)]
struct Subject(Arc<OnceLock<Mariadb>>);

enum Peer {
    Server { server: Arc<OnceLock<Mariadb>>, proxy: FaultProxy, earlier: usize },
    Stranger { port: u16, connections: Arc<AtomicUsize>, raw: Arc<Mutex<Vec<u8>>>, _accepting: JoinHandle<()> },
}

/// Sign-ins and statements that a server has logged.
fn requests(server: &Mariadb) -> usize {
    let log = server.statements();
    log.matches("Connect\t").count() + log.matches("Execute\t").count()
}

impl Peer {
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
        registry.add::<Mysql>();
        *registry.get("mysql").unwrap()
    }

    fn address(&self, host: &str, port: u16) -> String {
        format!("mysql://{host}:{port}/peer")
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
        let server = self.0.get_or_init(|| Mariadb::start(pki).expect("checked by the test"));
        server.serve_with(&pki.server(certificate));
        let proxy = FaultProxy::start(server.port()).await;
        proxy.always(match wire {
            // Says nothing; says that it has TLS, and goes on without it.
            Wire::Silent => return Peer::stranger(b"", b"").await,
            Wire::Plain => return Peer::stranger(GREETS_NATIVE, ALL_IS_WELL).await,
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
    let length = stream.read_u32_le().await.unwrap();
    stream.read_exact(&mut vec![0; length as usize]).await.unwrap();
    stream.write_all(&ASKS_FOR_TLS).await.unwrap();
    let config = (*pki.client_config(None)).clone();
    let tls = TlsConnector::from(Arc::new(config));
    let mut stream = tls.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    // The server hears the end and ends as well: then all is counted.
    stream.shutdown().await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    proxy.carried()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_mariadb() {
    let Some(_) = crate::account::shared() else { return };
    contract::run(&Subject::default()).await;
}
