//! Connections to the account's own origin, kept for the next request.
//!
//! A kept connection is used again only while the egress rule still allows its addresses. One
//! HTTP/2 connection is shared; HTTP/1.1 connections are lent out one request at a time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use hyper::client::conn::{http1, http2};
use lockgate_connector_api::{Context, Error, Kind, Part, Place, Places, Vetted};

use crate::{
    connection::{Connection, Sender},
    failure,
    outgoing::Outgoing,
    spec,
    watched::Broken,
};

/// An idle connection is closed after this; most servers close theirs later.
const IDLE_MAX: Duration = Duration::from_secs(50);
/// Kept idle at most.
const KEPT_MAX: usize = 64;

#[derive(Debug)]
struct Idle {
    sender: http1::SendRequest<Outgoing>,
    vetted: Vec<Vetted>,
    broken: Broken,
    since: Instant,
}

#[derive(Debug)]
struct Shared {
    sender: http2::SendRequest<Outgoing>,
    vetted: Vec<Vetted>,
    broken: Broken,
}

#[derive(Debug, Default)]
struct Kept {
    idle: Vec<Idle>,
    shared: Option<Shared>,
    /// The server is known to take one request a connection, so connections open side by side.
    one_by_one: bool,
}

/// The connections of one account.
#[derive(Debug)]
pub(crate) struct Pool {
    kept: Mutex<Kept>,
    /// Held while a connection is opened and it may turn out to be one that all can share.
    opening: tokio::sync::Mutex<()>,
    in_flight: Places,
}

/// A connection on loan for one request.
#[derive(Debug)]
pub(crate) struct Lease {
    /// Where the request goes in.
    pub sender: Sender,
    /// It has carried a request before, so the server may be closing it just now.
    pub reused: bool,
    vetted: Vec<Vetted>,
    broken: Broken,
    /// None for a connection that no pool takes back.
    pool: Option<Arc<Pool>>,
}

impl Lease {
    /// A connection that is used once.
    pub fn unpooled(connection: Connection) -> Self {
        let Connection { sender, vetted, broken } = connection;
        Self { sender, reused: false, vetted, broken, pool: None }
    }

    /// What a failure of this connection was.
    pub fn failure(&self, error: &(dyn std::error::Error + 'static)) -> Error {
        self.broken.get().cloned().unwrap_or_else(|| failure::of(error))
    }

    /// Gives the connection back after a whole answer was read.
    pub fn give_back(self) {
        let (Some(pool), Sender::Http1(sender)) = (self.pool, self.sender) else { return };
        if sender.is_closed() {
            return;
        }
        let mut kept = pool.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.idle.len() < KEPT_MAX {
            kept.idle.push(Idle { sender, vetted: self.vetted, broken: self.broken, since: Instant::now() });
        }
    }
}

impl Pool {
    /// No connections yet; at most `requests_max` requests in flight.
    pub fn new(requests_max: usize) -> Self {
        Self {
            kept: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
            in_flight: Places::new(&spec::SPEC, requests_max),
        }
    }

    /// Waits for room for one more request.
    pub async fn room(&self, part: Part, deadline: Instant) -> Result<Place, Error> {
        self.in_flight.take(part, deadline).await.ok_or_else(|| {
            Error::new(
                Kind::Timeout,
                "https-busy",
                "all of the account's requests in flight were taken until the deadline (setting `requests_max`)",
            )
        })
    }

    /// A connection that is ready for a request: a kept one, or one that `open` opens.
    pub async fn lease<F>(self: &Arc<Self>, cx: &Context, fresh: bool, open: impl FnOnce() -> F) -> Result<Lease, Error>
    where
        F: Future<Output = Result<Connection, Error>>,
    {
        if !fresh && let Some(lease) = self.kept(cx).await {
            return Ok(lease);
        }
        // Until it is known that the server takes one request a connection, one caller opens and
        // the others wait to see whether they can share.
        let one_by_one = self.kept.lock().unwrap_or_else(PoisonError::into_inner).one_by_one;
        let opening = if one_by_one { None } else { Some(self.opening.lock().await) };
        if opening.is_some()
            && !fresh
            && let Some(lease) = self.kept(cx).await
        {
            return Ok(lease);
        }
        let Connection { sender, vetted, broken } = open().await?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match &sender {
            Sender::Http1(_) => kept.one_by_one = true,
            Sender::Http2(sender) => {
                kept.one_by_one = false;
                let (vetted, broken) = (vetted.clone(), Arc::clone(&broken));
                kept.shared = Some(Shared { sender: sender.clone(), vetted, broken });
            }
        }
        Ok(Lease { sender, reused: false, vetted, broken, pool: Some(Arc::clone(self)) })
    }

    async fn kept(self: &Arc<Self>, cx: &Context) -> Option<Lease> {
        let allowed = |vetted: &[Vetted]| vetted.iter().all(|v| cx.egress.still_allows(*v));
        loop {
            let (mut sender, vetted, broken) = {
                let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.shared = kept.shared.take().filter(|s| !s.sender.is_closed() && allowed(&s.vetted));
                match &kept.shared {
                    Some(s) => (Sender::Http2(s.sender.clone()), s.vetted.clone(), Arc::clone(&s.broken)),
                    None => {
                        kept.idle
                            .retain(|i| !i.sender.is_closed() && i.since.elapsed() < IDLE_MAX && allowed(&i.vetted));
                        // The one used last is the least likely to be closed by the server.
                        let idle = kept.idle.pop()?;
                        (Sender::Http1(idle.sender), idle.vetted, idle.broken)
                    }
                }
            };
            let ready = match &mut sender {
                Sender::Http1(sender) => sender.ready().await,
                Sender::Http2(sender) => sender.ready().await,
            };
            match (ready, &sender) {
                (Ok(()), _) => {
                    return Some(Lease { sender, reused: true, vetted, broken, pool: Some(Arc::clone(self)) });
                }
                (Err(_), Sender::Http1(_)) => {}
                (Err(_), Sender::Http2(_)) => {
                    self.kept.lock().unwrap_or_else(PoisonError::into_inner).shared = None;
                }
            }
        }
    }
}
