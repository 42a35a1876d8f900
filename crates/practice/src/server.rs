//! Serves the practice ERP over TLS.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    body::{Body as _, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, oneshot},
    task::{JoinHandle, JoinSet},
    time,
};
use tokio_rustls::TlsAcceptor;

use crate::erp::{Erp, Reply};

/// Connections at once; more wait in the system's queue.
const CONNECTIONS_MAX: usize = 256;
/// Longest order in bytes.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest TLS handshake, longest wait for a request's head, and for its content.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
const REQUEST_MAX: Duration = Duration::from_secs(10);

/// A running practice endpoint; it stops when dropped.
#[derive(Debug)]
pub struct Practice {
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl Practice {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops it: no new connections, and those open end at once.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        // It can only fail by having ended already.
        let _ = (&mut self.serving).await;
    }
}

impl Drop for Practice {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Starts the practice endpoint on a loopback address; port 0 takes a free one. It offers the
/// protocols that `config` names by ALPN (`h2`, `http/1.1`).
///
/// # Errors
/// When the address is not loopback or cannot be bound.
pub async fn start(config: Arc<ServerConfig>, addr: SocketAddr) -> io::Result<Practice> {
    if !addr.ip().is_loopback() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "practice endpoints listen on loopback only"));
    }
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(serve(listener, TlsAcceptor::from(config), stopped));
    Ok(Practice { addr, stop: Some(stop), serving })
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, mut stopped: oneshot::Receiver<()>) {
    let erp = Arc::new(Mutex::new(Erp::default()));
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // Dropped at the end, which ends every connection.
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let stream = tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // Out of descriptors, or the peer is gone already: neither is cured by haste.
                Err(_) => { time::sleep(Duration::from_millis(50)).await; continue }
            },
        };
        let (acceptor, erp) = (acceptor.clone(), Arc::clone(&erp));
        connections.spawn(async move {
            let _permit = permit;
            // A practice peer has nobody to report a broken connection to.
            let _ = connection(stream, acceptor, erp).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, erp: Arc<Mutex<Erp>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let tls = time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await??;
    let service = service_fn(move |request| answer(request, Arc::clone(&erp)));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HANDSHAKE_MAX);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(100);
    builder.serve_connection(TokioIo::new(tls), service).await.map_err(io::Error::other)
}

async fn answer(request: Request<Incoming>, erp: Arc<Mutex<Erp>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    // Told by its length before it is read, or found while it is.
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let whole = match announced > BODY_BYTES_MAX {
        true => None,
        false => {
            time::timeout(REQUEST_MAX, Limited::new(body, BODY_BYTES_MAX).collect()).await.ok().and_then(Result::ok)
        }
    };
    let Some(whole) = whole else {
        return Ok(response(StatusCode::PAYLOAD_TOO_LARGE, "{\"error\":\"too large or too slow\"}".into(), None));
    };
    let body = whole.to_bytes();
    let reply = {
        let mut erp = erp.lock().unwrap_or_else(PoisonError::into_inner);
        erp.answer(&head.method, head.uri.path(), &head.headers, &body)
    };
    let Reply { status, body, retry_after_s } = reply;
    Ok(response(status, body.to_string().into(), retry_after_s))
}

fn response(status: StatusCode, body: Bytes, retry_after_s: Option<u32>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(seconds) = retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

#[cfg(test)]
mod tests {
    use lockgate_testkit::{Pki, pki::Server};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::TlsConnector;

    use super::*;

    async fn ask(pki: &Pki, addr: SocketAddr, request: &str) -> io::Result<String> {
        let stream = TcpStream::connect(addr).await?;
        let connector = TlsConnector::from(pki.client_config(None));
        let mut tls = connector.connect("localhost".try_into().unwrap(), stream).await?;
        tls.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        tls.read_to_end(&mut answer).await?;
        Ok(String::from_utf8(answer).unwrap())
    }

    #[tokio::test]
    async fn it_listens_on_loopback_alone() {
        let config = Pki::new().server_config(Server::Good, false, &[]);
        for addr in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
            assert!(start(config.clone(), addr.parse().unwrap()).await.is_err(), "{addr}");
        }
    }

    #[tokio::test]
    async fn it_answers_over_tls_until_it_is_shut_down() {
        let pki = Pki::new();
        let config = pki.server_config(Server::Good, false, &["h2", "http/1.1"]);
        let practice = start(config, "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let addr = practice.addr();
        let order = "{\"order\": 1}";
        let head = "host: localhost\r\nconnection: close\r\n";
        let post = format!("POST /erp/orders HTTP/1.1\r\n{head}content-length: {}\r\n\r\n{order}", order.len());
        let answer = ask(&pki, addr, &post).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 201 Created\r\n") && answer.contains("\"ERP-000001\""), "{answer}");
        let unsteady =
            post.replace("{\"order\": 1}", "{\"order\": 2}").replace(head, &format!("{head}x-practice: unsteady\r\n"));
        assert!(ask(&pki, addr, &unsteady).await.unwrap().contains("retry-after: 1\r\n"));
        let large = format!("POST /erp/orders HTTP/1.1\r\n{head}content-length: 2000000\r\n\r\n");
        assert!(ask(&pki, addr, &large).await.unwrap().starts_with("HTTP/1.1 413"));
        practice.shutdown().await;
        assert!(ask(&pki, addr, &post).await.is_err());
    }

    #[tokio::test]
    async fn plain_http_gets_nothing() {
        let config = Pki::new().server_config(Server::Good, false, &[]);
        let practice = start(config, "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let mut stream = TcpStream::connect(practice.addr()).await.unwrap();
        stream.write_all(b"GET /erp/orders HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!String::from_utf8_lossy(&answer).contains("HTTP/1.1"));
    }
}
