//! An HTTPS server on loopback that answers, echoes and misbehaves, and remembers what it saw.
//!
//! Routes:
//! `/echo` the request as JSON; `/status/N` that status with `Retry-After: 7` and a text;
//! `/redirect/N?to=URL`; `/big/N` N zeros; `/endless` zeros without end; `/slow` a byte each
//! 50 ms; `/late/N` an answer after N milliseconds; `/hang` no answer; `/truncate` less than its length says; `/text`, `/latin1`, `/binary`,
//! `/json`, `/badjson`, `/empty`, `/twice` (two headers of one name) a content of that kind; and what a test puts there.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rustls::ServerConfig;
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// How the server behaves below HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// TLS and HTTP as they should be.
    Https,
    /// Accepts and says nothing.
    Silent,
    /// Speaks plain HTTP where TLS is expected.
    Plain,
    /// Ends the session when the first request arrives.
    Closes,
    /// Resets the TCP connection when the first request arrives.
    Resets,
    /// Answers the first request with bytes that are no HTTP.
    Garbage,
    /// Answers a connection's first request and resets when the second arrives, as a server does
    /// that has just given up waiting.
    OneAnswer,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// Method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// `Host`, or HTTP/2's `:authority`.
    pub authority: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Content.
    pub body: Bytes,
}

#[derive(Debug, Default)]
struct Seen {
    connections: AtomicUsize,
    sessions: AtomicUsize,
    client_certificates: AtomicUsize,
    sent: AtomicU64,
    requests: Mutex<Vec<Arrived>>,
    raw: Mutex<Vec<u8>>,
    /// Target to media type and content.
    put: Mutex<BTreeMap<String, (String, Bytes)>>,
    /// Path to what answers there.
    answering: Mutex<BTreeMap<String, Answering>>,
}

/// What a test answers itself.
#[derive(Debug, Clone)]
pub struct Told {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// Content.
    pub body: Bytes,
}

#[derive(Clone)]
struct Answering(Arc<dyn Fn(&Arrived) -> Told + Send + Sync>);

impl std::fmt::Debug for Answering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answering")
    }
}

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct HttpsPeer {
    addr: SocketAddr,
    seen: Arc<Seen>,
    accepting: JoinHandle<()>,
}

impl Drop for HttpsPeer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl HttpsPeer {
    /// Starts a server on a free port of 127.0.0.1.
    pub async fn start(config: Arc<ServerConfig>) -> Self {
        Self::start_as(config, Wire::Https).await
    }

    /// Starts one that behaves so.
    pub async fn start_as(config: Arc<ServerConfig>, wire: Wire) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let addr = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let acceptor = TlsAcceptor::from(config);
        let accepting = tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                // Dropped with this task, so every connection ends with the server.
                let mut connections = tokio::task::JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    seen.connections.fetch_add(1, Ordering::SeqCst);
                    connections.spawn(connection(stream, acceptor.clone(), wire, Arc::clone(&seen)));
                }
            }
        });
        Self { addr, seen, accepting }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.addr.port()
    }

    /// Answers requests for this path and query with this from now on.
    pub fn put(&self, target: &str, media_type: &str, content: impl Into<Bytes>) {
        self.seen.put.lock().unwrap().insert(target.to_owned(), (media_type.to_owned(), content.into()));
    }

    /// Answers requests for this path so from now on.
    pub fn answers(&self, path: &str, answer: impl Fn(&Arrived) -> Told + Send + Sync + 'static) {
        self.seen.answering.lock().unwrap().insert(path.to_owned(), Answering(Arc::new(answer)));
    }

    /// TCP connections accepted.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// TLS sessions completed.
    pub fn sessions(&self) -> usize {
        self.seen.sessions.load(Ordering::SeqCst)
    }

    /// TLS sessions in which the client showed a certificate.
    pub fn client_certificates(&self) -> usize {
        self.seen.client_certificates.load(Ordering::SeqCst)
    }

    /// Requests that arrived, in order.
    pub fn requests(&self) -> Vec<Arrived> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// Bytes that arrived outside TLS, or as a request to a misbehaving server.
    pub fn raw(&self) -> Vec<u8> {
        self.seen.raw.lock().unwrap().clone()
    }

    /// Bytes of content handed to the network by the streaming routes.
    pub fn sent(&self) -> u64 {
        self.seen.sent.load(Ordering::SeqCst)
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, wire: Wire, seen: Arc<Seen>) {
    // A connection that fails is what many tests are about: nothing to report here.
    let _ = serve(stream, acceptor, wire, seen).await;
}

async fn serve(mut stream: TcpStream, acceptor: TlsAcceptor, wire: Wire, seen: Arc<Seen>) -> io::Result<()> {
    match wire {
        Wire::Silent => {
            keep(&mut stream, &seen, usize::MAX).await?;
            return Ok(());
        }
        Wire::Plain => {
            keep(&mut stream, &seen, 1).await?;
            return stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 5\r\n\r\nplain").await;
        }
        _ => {}
    }
    let mut tls = acceptor.accept(stream).await?;
    seen.sessions.fetch_add(1, Ordering::SeqCst);
    if tls.get_ref().1.peer_certificates().is_some_and(|c| !c.is_empty()) {
        seen.client_certificates.fetch_add(1, Ordering::SeqCst);
    }
    match wire {
        Wire::Closes => {
            keep(&mut tls, &seen, 1).await?;
            tls.shutdown().await
        }
        Wire::Resets => {
            keep(&mut tls, &seen, 1).await?;
            // SO_LINGER 0: closing sends RST.
            tls.get_ref().0.set_zero_linger()
        }
        Wire::Garbage => {
            keep(&mut tls, &seen, 1).await?;
            tls.write_all(b"\x00\x01 this is no HTTP \xff\r\n\r\n").await?;
            tls.shutdown().await
        }
        Wire::OneAnswer => {
            keep(&mut tls, &seen, 1).await?;
            tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await?;
            tls.flush().await?;
            keep(&mut tls, &seen, 1).await?;
            tls.get_ref().0.set_zero_linger()
        }
        _ => {
            let service = service_fn(move |request| route(request, Arc::clone(&seen)));
            let io = TokioIo::new(tls);
            auto::Builder::new(TokioExecutor::new()).serve_connection(io, service).await.map_err(io::Error::other)
        }
    }
}

/// Reads until `bytes` or the end, remembering what came.
async fn keep(stream: &mut (impl AsyncReadExt + Unpin), seen: &Seen, bytes: usize) -> io::Result<()> {
    let mut buffer = [0; 16 << 10];
    let mut read = 0;
    while read < bytes {
        match stream.read(&mut buffer).await? {
            0 => break,
            n => {
                read += n;
                seen.raw.lock().unwrap().extend_from_slice(&buffer[..n]);
            }
        }
    }
    Ok(())
}

type Content = UnsyncBoxBody<Bytes, io::Error>;

fn full(bytes: impl Into<Bytes>) -> Content {
    Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}

fn streamed(pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static, seen: Arc<Seen>) -> Content {
    let pieces = pieces.map(move |piece| {
        let piece = piece?;
        seen.sent.fetch_add(piece.len() as u64, Ordering::SeqCst);
        Ok(Frame::data(piece))
    });
    StreamBody::new(pieces).boxed_unsync()
}

async fn route(request: Request<Incoming>, seen: Arc<Seen>) -> Result<Response<Content>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
    let target = head.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let authority = head.uri.authority().map(ToString::to_string).unwrap_or_else(|| {
        head.headers.get(header::HOST).map(|h| String::from_utf8_lossy(h.as_bytes()).into_owned()).unwrap_or_default()
    });
    let arrived = Arrived { method: head.method.to_string(), target, authority, headers: head.headers, body };
    seen.requests.lock().unwrap().push(arrived.clone());
    Ok(answer(&arrived, seen).await)
}

async fn answer(arrived: &Arrived, seen: Arc<Seen>) -> Response<Content> {
    const ZEROS: &[u8] = &[0; 16 << 10];
    let put = seen.put.lock().unwrap().get(&arrived.target).cloned();
    if let Some((media_type, content)) = put {
        return Response::builder().header(header::CONTENT_TYPE, media_type).body(full(content)).unwrap();
    }
    let (path, query) = arrived.target.split_once('?').unwrap_or((&arrived.target, ""));
    let own = seen.answering.lock().unwrap().get(path).cloned();
    if let Some(Answering(own)) = own {
        let told = own(arrived);
        let builder = Response::builder().status(told.status);
        let builder = told.headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, value));
        return builder.body(full(told.body)).unwrap();
    }
    // A base path may stand before: only the last two segments choose.
    let mut segments = path.rsplit('/');
    let (last, before) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    let ok = |media_type: &str, content: Content| {
        Response::builder().header(header::CONTENT_TYPE, media_type).body(content).unwrap()
    };
    match (before, last) {
        (_, "echo") => ok("application/json", full(echo(arrived).to_string())),
        ("status", number) => Response::builder()
            .status(number.parse::<u16>().unwrap())
            .header(header::RETRY_AFTER, "7")
            .header(header::CONTENT_TYPE, "text/plain")
            .body(full("peer-words-on-status"))
            .unwrap(),
        ("redirect", number) => Response::builder()
            .status(number.parse::<u16>().unwrap())
            .header(header::LOCATION, decoded(query.strip_prefix("to=").unwrap_or_default()))
            .body(full("moved"))
            .unwrap(),
        ("big", number) => {
            let bytes: usize = number.parse().unwrap();
            let pieces = (0..bytes.div_ceil(ZEROS.len()))
                .map(move |i| Ok(Bytes::from_static(&ZEROS[..ZEROS.len().min(bytes - i * ZEROS.len())])));
            let content = streamed(stream::iter(pieces), seen);
            let builder = Response::builder().header(header::CONTENT_LENGTH, bytes);
            builder.header(header::CONTENT_TYPE, "application/octet-stream").body(content).unwrap()
        }
        (_, "endless") => ok("text/plain", streamed(stream::repeat_with(|| Ok(Bytes::from_static(ZEROS))), seen)),
        (_, "slow") => {
            let pieces = stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Some((Ok(Bytes::from_static(b"x")), ()))
            });
            ok("text/plain", streamed(pieces, seen))
        }
        ("late", number) => {
            tokio::time::sleep(Duration::from_millis(number.parse().unwrap())).await;
            ok("application/json", full("{\"late\": true}"))
        }
        (_, "hang") => std::future::pending().await,
        (_, "truncate") => {
            let pieces = stream::once(async { Ok(Bytes::from_static(b"ten bytes!")) }).chain(stream::once(async {
                // Head and first bytes shall be on their way before the end comes.
                tokio::time::sleep(Duration::from_millis(50)).await;
                Err(io::Error::other("truncated on purpose"))
            }));
            let content = streamed(pieces, seen);
            Response::builder().header(header::CONTENT_LENGTH, 1000).body(content).unwrap()
        }
        (_, "text") => ok("text/plain; charset=utf-8", full("grüße")),
        (_, "latin1") => ok("text/plain; charset=ISO-8859-1", full(&b"gr\xfc\xdfe"[..])),
        (_, "binary") => ok("image/png", full(&b"\x89PNG\0\xff"[..])),
        (_, "json") => {
            ok("application/problem+json", full("{\"n\": 1.10, \"big\": 12345678901234567890, \"t\": [null]}"))
        }
        (_, "badjson") => ok("application/json", full("{\"a\": 1, \"a\": 2")),
        (_, "empty") => Response::builder().status(StatusCode::NO_CONTENT).body(full("")).unwrap(),
        (_, "twice") => Response::builder().header("x-two", "one").header("x-two", "two").body(full("")).unwrap(),
        _ => ok("text/plain", full("ok")),
    }
}

/// A query value without its percent encoding.
fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        let mut digit = || char::from(bytes.next().unwrap()).to_digit(16).unwrap();
        out.push(if byte == b'%' { (digit() * 16 + digit()) as u8 } else { byte });
    }
    String::from_utf8(out).unwrap()
}

fn echo(arrived: &Arrived) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: Map<String, Value> =
        arrived.headers.iter().map(|(k, v)| (k.as_str().to_owned(), text(v.as_bytes()).into())).collect();
    json!({
        "method": arrived.method,
        "target": arrived.target,
        "authority": arrived.authority,
        "headers": headers,
        "body": text(&arrived.body),
    })
}
