//! The accept loop: TCP, TLS, HTTP/1.1 or HTTP/2 as ALPN says, under [`Settings`].
//!
//! Every connection is a task of its own. It ends by itself, when it breaks a limit, or at shutdown:
//! then listening stops at once, requests in flight may end until the drain deadline, what still runs
//! then is told to end, and what is left a moment later is dropped (which cancels its runs).

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls_pki_types::CertificateDer;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::MissedTickBehavior,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    Reply, ReplyBody, RequestBody, Settings,
    activity::{Activity, Exchange, Standing},
    admission::{Admission, Admitted},
    pace::Paced,
    reply::BoxError,
};

/// For replies of what was ended at the end of the drain.
const LAST_REPLIES: Duration = Duration::from_secs(1);

/// After an accept that failed for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What answers requests.
pub trait Handler: Clone + Send + Sync + 'static {
    /// Answers one request. Its extensions hold the peer's [`SocketAddr`] and its [`Peer`].
    fn handle(&self, request: Request<RequestBody>) -> impl Future<Output = Reply> + Send;

    /// The server stops: what asks whether it is ready is told no from here on.
    fn stopping(&self) {}

    /// The time for requests in flight is over: what still runs is to end now. Says whether it does,
    /// so that there will be replies to wait a moment for.
    fn out_of_time(&self) -> bool {
        false
    }
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Where from.
    pub address: SocketAddr,
    /// The certificate it has shown and holds the key of, if the TLS configuration asked for one. Who vouches
    /// for it is said there: nobody, where any is taken.
    pub certificate: Option<CertificateDer<'static>>,
}

/// A TLS server.
#[derive(Debug, Clone)]
pub struct Server {
    tls: Arc<rustls::ServerConfig>,
    settings: Settings,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were dropped at the deadline with a request in flight.
    pub dropped: usize,
}

impl Server {
    /// A server with a TLS configuration of crate `keys`. ALPN must offer `h2` for HTTP/2.
    pub fn new(tls: Arc<rustls::ServerConfig>, settings: Settings) -> Self {
        Self { tls, settings }
    }

    /// Serves until `stop` is there, then drains.
    pub async fn serve<H: Handler>(
        self,
        listener: TcpListener,
        handler: H,
        stop: impl Future<Output = ()> + Send,
    ) -> Drained {
        let admission = Admission::new(&self.settings);
        let (stopping, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((tcp, address)) => {
                        let Some(place) = admission.admit(address.ip()) else {
                            tracing::debug!(source = %address.ip(), "too many connections");
                            continue;
                        };
                        let server = self.clone();
                        connections.spawn(server.connection(tcp, address, place, handler.clone(), stopped.clone()));
                    }
                    Err(error) => accept_failed(&error).await,
                },
            }
        }
        drop(listener);
        handler.stopping();
        let _ = stopping.send(true);
        if !all_end(&mut connections, self.settings.drain()).await && handler.out_of_time() {
            all_end(&mut connections, LAST_REPLIES).await;
        }
        let dropped = connections.len();
        connections.shutdown().await;
        Drained { dropped }
    }

    async fn connection<H: Handler>(
        self,
        tcp: TcpStream,
        address: SocketAddr,
        _place: Admitted,
        handler: H,
        stopped: watch::Receiver<bool>,
    ) {
        // Replies are written whole; waiting for more to fill a segment only delays them.
        let _ = tcp.set_nodelay(true);
        let handshake = TlsAcceptor::from(self.tls.clone()).accept(tcp);
        let tls = match tokio::time::timeout(self.settings.handshake(), handshake).await {
            Ok(Ok(tls)) => tls,
            Ok(Err(error)) => return tracing::debug!(source = %address.ip(), %error, "no TLS handshake"),
            Err(_) => return tracing::debug!(source = %address.ip(), "the TLS handshake took too long"),
        };
        let (_, session) = tls.get_ref();
        let http2 = session.alpn_protocol() == Some(b"h2");
        let certificate = session.peer_certificates().and_then(|chain| chain.first()).map(|c| c.clone().into_owned());
        let peer = Peer { address, certificate };
        let activity = Activity::new(Instant::now());
        let service = {
            let (settings, activity) = (self.settings, activity.clone());
            service_fn(move |request: Request<Incoming>| {
                let (handler, exchange, peer) = (handler.clone(), activity.begin(), peer.clone());
                async move { Ok::<_, Infallible>(exchanged(&handler, request, peer, exchange, &settings).await) }
            })
        };
        let io = TokioIo::new(Paced::<TlsStream<TcpStream>>::new(tls, &self.settings));
        let watched = Watched { activity, stopped, settings: self.settings };
        if http2 {
            let connection = self.http2().serve_connection(io, service);
            watched.drive(connection, http2::Connection::graceful_shutdown).await;
        } else {
            let connection = self.http1().serve_connection(io, service);
            watched.drive(connection, http1::Connection::graceful_shutdown).await;
        }
    }

    fn http1(&self) -> http1::Builder {
        let mut builder = http1::Builder::new();
        let head_bytes = usize::try_from(self.settings.head_bytes_max).unwrap_or(usize::MAX);
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(self.settings.head())
            .max_headers(self.settings.headers_max)
            .max_header_size(head_bytes)
            .half_close(false);
        builder
    }

    fn http2(&self) -> http2::Builder<TokioExecutor> {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.settings.streams_max)
            .max_header_list_size(self.settings.head_bytes_max)
            .max_pending_accept_reset_streams(self.settings.resets_pending_max)
            .max_local_error_reset_streams(self.settings.resets_by_fault_max)
            // Together with the budget for bodies this bounds what a connection holds unread.
            .initial_stream_window_size(256 << 10)
            .initial_connection_window_size(1 << 20)
            .max_send_buf_size(256 << 10)
            .keep_alive_interval(self.settings.idle() / 2)
            .keep_alive_timeout(self.settings.stall());
        builder
    }
}

/// Whether all connections ended within a time.
async fn all_end(connections: &mut JoinSet<()>, within: Duration) -> bool {
    let all = async { while connections.join_next().await.is_some() {} };
    tokio::time::timeout(within, all).await.is_ok()
}

async fn accept_failed(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted) {
        return;
    }
    tracing::warn!(%error, "connections cannot be accepted for now");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

async fn exchanged<H: Handler>(
    handler: &H,
    request: Request<Incoming>,
    peer: Peer,
    exchange: Exchange,
    settings: &Settings,
) -> Response<Sent> {
    let mut request = request.map(|body| RequestBody::new(body, settings));
    request.extensions_mut().insert(peer.address);
    request.extensions_mut().insert(peer);
    let reply = handler.handle(request).await;
    exchange.replies(Instant::now());
    reply.map(|body| Sent { body, _exchange: exchange })
}

/// A reply's body on its way out; the exchange lasts as long as it.
struct Sent {
    body: ReplyBody,
    _exchange: Exchange,
}

impl Body for Sent {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection that is asked to end when it idles or the server stops, and dropped when it sticks.
struct Watched {
    activity: Activity,
    stopped: watch::Receiver<bool>,
    settings: Settings,
}

impl Watched {
    async fn drive<C>(mut self, connection: C, end: fn(Pin<&mut C>))
    where
        C: Future<Output = hyper::Result<()>>,
    {
        let mut connection = pin!(connection);
        let mut look = tokio::time::interval(self.settings.look());
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut asked_to_end = false;
        let mut stopping = false;
        loop {
            tokio::select! {
                ended = &mut connection => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection broke");
                    }
                    return;
                }
                _ = self.stopped.wait_for(|stopped| *stopped), if !stopping => {
                    stopping = true;
                    end(connection.as_mut());
                }
                _ = look.tick() => {
                    let standing =
                        self.activity.standing(Instant::now(), self.settings.idle(), self.settings.reply());
                    match standing {
                        Standing::Fine => {}
                        Standing::Stuck => return tracing::debug!("a peer does not take its reply"),
                        // It was asked and did not go.
                        Standing::Idle if asked_to_end => return,
                        Standing::Idle => {
                            asked_to_end = true;
                            end(connection.as_mut());
                        }
                    }
                }
            }
        }
    }
}
