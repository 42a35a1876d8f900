//! Opens one connection: dial through the egress rule, secure it, agree on a protocol.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, time};
use tokio_rustls::TlsConnector;

use super::{
    HTTPS, failure,
    outgoing::Outgoing,
    watched::{Broken, Watched},
};
use crate::{Context, Error, Host, Kind, Proxy, Route};

/// Where a request goes on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Host.
    pub host: Host,
    /// Port.
    pub port: u16,
}

impl Origin {
    /// `host` or `host:port`, as the `Host` header wants it.
    pub fn authority(&self) -> String {
        if self.port == HTTPS.port { self.host.to_string() } else { format!("{}:{}", self.host, self.port) }
    }
}

/// The sending half of a connection.
#[derive(Debug)]
pub(crate) enum Sender {
    /// One request at a time.
    Http1(http1::SendRequest<Outgoing>),
    /// Many.
    Http2(http2::SendRequest<Outgoing>),
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Where requests go in.
    pub sender: Sender,
    /// The addresses by which it goes.
    pub route: Route,
    /// Why TLS ended, once it has.
    pub broken: Broken,
}

/// Longest head of an endpoint's answer.
const HEAD_BYTES_MAX: usize = 64 << 10;
const HEADERS_MAX: usize = 256;
/// Bytes of an HTTP/2 answer that may come before they are read, and of all of a connection's
/// (RFC 9113 §6.9.1).
const WINDOW_BYTES: u32 = 1 << 20;
const WINDOW_BYTES_MAX: u32 = i32::MAX.unsigned_abs();
/// How long an HTTP/2 connection with requests in flight may be silent before it is asked.
const PING_AFTER: Duration = Duration::from_secs(15);
const PONG_WITHIN: Duration = Duration::from_secs(10);

/// Opens a connection for so many requests at once. The handshake must end by the deadline.
pub(crate) async fn open(
    cx: &Context,
    origin: &Origin,
    proxy: Option<&Proxy>,
    tls: Arc<ClientConfig>,
    requests_max: usize,
    deadline: Instant,
) -> Result<Connection, Error> {
    let (stream, route) = cx.egress.dial(&origin.host, origin.port, proxy, deadline).await?;
    let secured = time::timeout_at(deadline.into(), secure(stream, origin, tls, requests_max));
    let (sender, broken) = secured.await.map_err(|_| timed_out())??;
    Ok(Connection { sender, route, broken })
}

async fn secure(
    stream: TcpStream,
    origin: &Origin,
    tls: Arc<ClientConfig>,
    requests_max: usize,
) -> Result<(Sender, Broken), Error> {
    let name = match &origin.host {
        Host::Name(name) => ServerName::try_from(name.clone())
            .map_err(|_| Error::new(Kind::Configuration, "https-name", "the host cannot stand in a certificate"))?,
        Host::Ip(ip) => ServerName::from(*ip),
    };
    let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(|e| failure::of(&e))?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let (stream, broken) = Watched::new(stream);
    let stream = TokioIo::new(stream);
    // The driver task ends by itself when the last sender is gone and nothing is in flight.
    if http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX));
        // Answers that wait for their readers must not hold up the others: each has its own window, and
        // the connection has them all. One that adapts has the connection's for every stream.
        let all = u32::try_from(requests_max).unwrap_or(u32::MAX).saturating_mul(WINDOW_BYTES).min(WINDOW_BYTES_MAX);
        builder.initial_stream_window_size(WINDOW_BYTES).initial_connection_window_size(all);
        // All requests of the account share it: a peer that vanished must not hold them up for long.
        builder.timer(TokioTimer::new()).keep_alive_interval(PING_AFTER).keep_alive_timeout(PONG_WITHIN);
        let (sender, driver) = builder.handshake(stream).await.map_err(|e| failure::of(&e))?;
        tokio::spawn(driver);
        Ok((Sender::Http2(sender), broken))
    } else {
        let mut builder = http1::Builder::new();
        builder.max_headers(HEADERS_MAX).max_buf_size(HEAD_BYTES_MAX);
        let (sender, driver) = builder.handshake(stream).await.map_err(|e| failure::of(&e))?;
        tokio::spawn(driver);
        Ok((Sender::Http1(sender), broken))
    }
}

fn timed_out() -> Error {
    Error::new(Kind::Timeout, "https-timeout", "the endpoint was not reached in time")
}
