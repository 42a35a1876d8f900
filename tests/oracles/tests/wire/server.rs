//! A real server over an empty store: TLS, listeners, admin API and the operator's socket. Its clock stands still at
//! the hour that keys and grants of the generated tenants are about.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::future::pending;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use lockgate_admin::{OperatorPlace, router, serve_operator};
use lockgate_connector_api::Registry;
use lockgate_connector_https::Https;
use lockgate_engine::{Engine, EngineConfig};
use lockgate_identity::DigestKey;
use lockgate_keys::{ALPN_HTTP, Authority, ClientCertificates, Keeper, Master, Versions, client_config, server_config};
use lockgate_listener::{Front, Server as Tls, Settings};
use lockgate_model::{Timestamp, definition::ServerIdentity, id::TenantId};
use lockgate_oracles::world::NOW;
use lockgate_runtime::{Clock, Parts, Runtime};
use lockgate_store::SqliteStore;
use rustls_pki_types::ServerName;
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// The password of everybody.
pub const PASSWORD: &str = "Correct-Horse-7";

/// The server, and the store below it.
pub struct Server {
    pub store: Arc<SqliteStore>,
    master: Arc<Master>,
    address: SocketAddr,
    ca: ServerIdentity,
    socket: PathBuf,
    _dir: tempfile::TempDir,
}

/// What is sent.
#[derive(Debug, Clone)]
pub struct Ask {
    pub by: By,
    pub method: &'static str,
    pub path: String,
    /// The tag that `if-match` names.
    pub only_if: Option<&'static str>,
    pub body: Option<String>,
}

/// What an asker shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    Nothing,
    Basic(String),
    Bearer(String),
    /// The operator's socket.
    Socket,
}

/// What came back.
#[derive(Debug)]
pub struct Told {
    pub status: u16,
    pub body: String,
    pub run: Option<String>,
}

/// A connection of HTTP/2, for many requests at a time.
pub type Line = http2::SendRequest<Full<Bytes>>;

impl Server {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&dir.path().join("store"), Timestamp(NOW)).unwrap());
        let master = Arc::new(Master::open_or_create(&dir.path().join("keys")).unwrap());
        let parts = Parts {
            store: store.clone(),
            engine: Arc::new(Engine::new(EngineConfig { stacks_max: 64, ..EngineConfig::default() }).unwrap()),
            master: master.clone(),
            registry: Arc::new(registry()),
            clock: Clock::from_fn(|| Timestamp(NOW)),
        };
        let runtime = Runtime::open(parts).await.unwrap();
        // Certificates are judged by the real clock.
        let now = Clock::system().now();
        let authority = Authority::create("wire", now).unwrap();
        let own = authority.server(&["localhost"], now).unwrap();
        let tls = server_config(&own, &ClientCertificates::None, ALPN_HTTP).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Settings::default();
        let front = Front::new(runtime.clone(), router(runtime.clone()), &settings);
        tokio::spawn(Tls::new(tls, settings).serve(listener, front, pending()));
        let socket = dir.path().join("operator.sock");
        let place = OperatorPlace { data: dir.path().to_owned(), keeper: |_| Ok(Keeper::File) };
        tokio::spawn(serve_operator(UnixListener::bind(&socket).unwrap(), runtime, place, pending()));
        Self { store, master, address, ca: ServerIdentity::Ca(authority.certificate_pem()), socket, _dir: dir }
    }

    /// What the server keys the digests of a tenant's API keys with.
    pub fn digest_key(&self, tenant: &TenantId) -> DigestKey {
        let key = self.master.hmac_key(tenant, "identity").unwrap();
        DigestKey::new(key.digest([b"digest key".as_slice()]).0)
    }

    async fn tls(&self, from: Ipv4Addr, alpn: &[&[u8]]) -> TlsStream<tokio::net::TcpStream> {
        let config = client_config(&self.ca, None, Versions::Both, alpn).unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(from.into(), 0)).unwrap();
        let tcp = socket.connect(self.address).await.unwrap();
        TlsConnector::from(config).connect(ServerName::try_from("localhost").unwrap(), tcp).await.unwrap()
    }

    /// A connection of HTTP/2.
    pub async fn line(&self) -> Line {
        let tls = self.tls(Ipv4Addr::LOCALHOST, &[b"h2"]).await;
        let (line, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(tls)).await.unwrap();
        tokio::spawn(connection);
        line
    }

    /// Asks over a line; what the operator asks goes over the socket.
    pub async fn ask(&self, line: &Line, ask: &Ask) -> Told {
        if ask.by == By::Socket {
            let stream = UnixStream::connect(&self.socket).await.unwrap();
            let (mut to, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            return told(to.send_request(request(ask, "http://operator")).await.unwrap()).await;
        }
        told(line.clone().send_request(request(ask, "https://localhost")).await.unwrap()).await
    }

    /// Asks over a connection of its own of HTTP/1.1, from this address: who tries passwords waits by source.
    pub async fn ask_from(&self, from: Ipv4Addr, ask: &Ask) -> Told {
        let tls = self.tls(from, &[b"http/1.1"]).await;
        let (mut to, connection) = http1::handshake(TokioIo::new(tls)).await.unwrap();
        tokio::spawn(connection);
        told(to.send_request(request(ask, "")).await.unwrap()).await
    }
}

/// The connectors that the tenants' projects name.
pub fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.add::<Https>();
    registry
}

fn request(ask: &Ask, origin: &str) -> Request<Full<Bytes>> {
    let mut builder = Request::builder().method(ask.method).uri(format!("{origin}{}", ask.path));
    if origin.is_empty() {
        builder = builder.header("host", "localhost");
    }
    match &ask.by {
        By::Nothing | By::Socket => {}
        By::Basic(user) => {
            let shown = STANDARD.encode(format!("{user}:{PASSWORD}"));
            builder = builder.header("authorization", format!("Basic {shown}"));
        }
        By::Bearer(token) => builder = builder.header("authorization", format!("Bearer {token}")),
    }
    if let Some(tag) = ask.only_if {
        builder = builder.header("if-match", tag);
    }
    if ask.body.is_some() {
        builder = builder.header("content-type", "application/json");
    }
    builder.body(Full::from(ask.body.clone().unwrap_or_default())).unwrap()
}

async fn told(reply: Response<Incoming>) -> Told {
    let (head, body) = reply.into_parts();
    let run = head.headers.get("lockgate-run").map(|run| run.to_str().unwrap().to_owned());
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
    Told { status: head.status.as_u16(), body, run }
}

impl Told {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}
