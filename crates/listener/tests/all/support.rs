//! A server on loopback, and clients that speak TLS to it.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use lockgate_keys::{Authority, ClientCertificates, Identity, Versions, client_config, server_config};
use lockgate_listener::{Drained, Handler, Server, Settings};
use lockgate_model::{Timestamp, definition::ServerIdentity};
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Now: certificates are judged by the real clock.
#[expect(clippy::disallowed_methods, reason = "rustls asks the real clock whether a certificate is valid")]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap())
}

/// A server that runs until it is stopped.
pub struct Running {
    pub address: SocketAddr,
    authority: Authority,
    stop: watch::Sender<bool>,
    served: JoinHandle<Drained>,
}

impl Running {
    pub async fn start<H: Handler>(settings: Settings, handler: H) -> Self {
        Self::start_with(settings, handler, |_| ClientCertificates::None).await
    }

    pub async fn start_with<H: Handler>(
        settings: Settings,
        handler: H,
        clients: impl FnOnce(&Authority) -> ClientCertificates,
    ) -> Self {
        let authority = Authority::create("test", now()).unwrap();
        let own = authority.server(&["localhost", "127.0.0.1"], now()).unwrap();
        let tls = server_config(&own, &clients(&authority), lockgate_keys::ALPN_HTTP).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, mut stopped) = watch::channel(false);
        let stopped = async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let served = tokio::spawn(Server::new(tls, settings).serve(listener, handler, stopped));
        Self { address, authority, stop, served }
    }

    /// A client's certificate of the server's own authority.
    pub fn client_identity(&self, name: &str) -> Identity {
        self.authority.client(name, now()).unwrap()
    }

    /// Begins the end.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Stops and waits.
    pub async fn drained(self) -> Drained {
        self.stop();
        self.served.await.unwrap()
    }

    pub async fn tls(&self, alpn: &[&[u8]], own: Option<&Identity>) -> std::io::Result<TlsStream<TcpStream>> {
        let ca = ServerIdentity::Ca(self.authority.certificate_pem());
        let config = client_config(&ca, own, Versions::Both, alpn).unwrap();
        let tcp = TcpStream::connect(self.address).await?;
        TlsConnector::from(config).connect(ServerName::try_from("localhost").unwrap(), tcp).await
    }

    /// Sends bytes over HTTP/1.1 and reads until the server closes or nothing comes for a second.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut tls = self.tls(&[b"http/1.1"], None).await.unwrap();
        tls.write_all(bytes).await.unwrap();
        read_all(&mut tls).await
    }

    /// One exchange over HTTP/1.1 by a client that shows a certificate, if it is asked for one.
    pub async fn send_as(&self, own: &Identity, request: Request<Full<Bytes>>) -> Response<Bytes> {
        let tls = self.tls(&[b"http/1.1"], Some(own)).await.unwrap();
        let (mut to, connection) = http1::handshake(TokioIo::new(tls)).await.unwrap();
        tokio::spawn(connection);
        let (head, body) = to.send_request(request).await.unwrap().into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    }

    /// One exchange on a connection of its own.
    pub async fn send(&self, http2: bool, request: Request<Full<Bytes>>) -> Response<Bytes> {
        let answered = if http2 {
            let tls = self.tls(&[b"h2"], None).await.unwrap();
            let (mut to, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(tls)).await.unwrap();
            tokio::spawn(connection);
            to.send_request(request).await.unwrap()
        } else {
            let tls = self.tls(&[b"http/1.1"], None).await.unwrap();
            let (mut to, connection) = http1::handshake(TokioIo::new(tls)).await.unwrap();
            tokio::spawn(connection);
            to.send_request(request).await.unwrap()
        };
        let (head, body) = answered.into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    }
}

/// Whatever comes until the end, or until nothing comes for a second.
pub async fn read_all(tls: &mut TlsStream<TcpStream>) -> String {
    let (mut all, mut some) = (Vec::new(), [0; 4096]);
    while let Ok(Ok(n)) = tokio::time::timeout(Duration::from_secs(1), tls.read(&mut some)).await {
        if n == 0 {
            break;
        }
        all.extend_from_slice(&some[..n]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Whether the server has ended the connection within a time.
pub async fn is_closed(tls: &mut TlsStream<TcpStream>, within: Duration) -> bool {
    let mut rest = Vec::new();
    tokio::time::timeout(within, tls.read_to_end(&mut rest)).await.is_ok()
}

/// A request with the `host` that HTTP/1.1 asks for.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let mut builder =
        Request::builder().method(method).uri(format!("https://localhost{path}")).header("host", "localhost");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Full::new(body.into())).unwrap()
}
