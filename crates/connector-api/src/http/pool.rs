//! Connections to the account's own origin, kept for the next request.
//!
//! A kept connection is used again only while the egress rule still allows its addresses. One
//! HTTP/2 connection is shared; HTTP/1.1 connections are lent out one request at a time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use hyper::client::conn::{http1, http2};
use tokio::time;

use super::{
    connection::{Connection, Sender},
    failure,
    outgoing::Outgoing,
    watched::Broken,
};
use crate::{Context, Error, Kept, Kind, Part, Place, Places, Route, Spec};

/// An idle connection is closed after this; most servers close theirs later.
const IDLE_MAX: Duration = Duration::from_secs(50);
/// A kept connection is ready for the next request after this, or it is left.
const READY_WITHIN: Duration = Duration::from_secs(1);
/// Kept idle at most.
const KEPT_MAX: usize = 64;

#[derive(Debug)]
struct Idle {
    sender: http1::SendRequest<Outgoing>,
    route: Route,
    broken: Broken,
}

#[derive(Debug, Clone)]
struct Shared {
    sender: http2::SendRequest<Outgoing>,
    route: Route,
    broken: Broken,
}

/// The connections of one account.
#[derive(Debug)]
pub(crate) struct Pool {
    idle: Kept<Idle>,
    /// The newest is the one that is shared.
    shared: Kept<Shared>,
    /// The server is known to take one request a connection, so connections open side by side.
    one_by_one: AtomicBool,
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
    route: Route,
    broken: Broken,
    /// None for a connection that no pool takes back.
    pool: Option<Arc<Pool>>,
}

impl Lease {
    /// A connection that is used once.
    pub fn unpooled(connection: Connection) -> Self {
        let Connection { sender, route, broken } = connection;
        Self { sender, reused: false, route, broken, pool: None }
    }

    /// What a failure of this connection was.
    pub fn failure(&self, error: &(dyn std::error::Error + 'static)) -> Error {
        self.broken.get().cloned().unwrap_or_else(|| failure::of(error))
    }

    /// Gives the connection back after a whole answer was read.
    pub fn give_back(self) {
        let (Some(pool), Sender::Http1(sender)) = (self.pool, self.sender) else { return };
        if !sender.is_closed() {
            pool.idle.keep(Idle { sender, route: self.route, broken: self.broken });
        }
    }
}

impl Pool {
    /// No connections yet; at most `requests_max` requests in flight.
    pub fn new(spec: &Spec, requests_max: usize) -> Self {
        Self {
            idle: Kept::new(KEPT_MAX, IDLE_MAX, drop),
            shared: Kept::new(KEPT_MAX, IDLE_MAX, drop),
            one_by_one: AtomicBool::new(false),
            opening: tokio::sync::Mutex::default(),
            in_flight: Places::new(spec, requests_max),
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
        let one_by_one = self.one_by_one.load(Ordering::Relaxed);
        let opening = if one_by_one { None } else { Some(self.opening.lock().await) };
        if opening.is_some()
            && !fresh
            && let Some(lease) = self.kept(cx).await
        {
            return Ok(lease);
        }
        let Connection { sender, route, broken } = open().await?;
        self.one_by_one.store(matches!(sender, Sender::Http1(_)), Ordering::Relaxed);
        if let Sender::Http2(sender) = &sender {
            self.shared.keep(Shared { sender: sender.clone(), route, broken: Arc::clone(&broken) });
        }
        Ok(Lease { sender, reused: false, route, broken, pool: Some(Arc::clone(self)) })
    }

    async fn kept(self: &Arc<Self>, cx: &Context) -> Option<Lease> {
        loop {
            let shared = self.shared.share(|shared| !shared.sender.is_closed() && cx.egress.still_allows(shared.route));
            let (mut sender, route, broken) = match shared {
                Some(Shared { sender, route, broken }) => (Sender::Http2(sender), route, broken),
                None => {
                    let idle = self.idle.take(|idle| !idle.sender.is_closed() && cx.egress.still_allows(idle.route));
                    let (Idle { sender, route, broken }, _) = idle?;
                    (Sender::Http1(sender), route, broken)
                }
            };
            let ready = async {
                match &mut sender {
                    Sender::Http1(sender) => sender.ready().await,
                    Sender::Http2(sender) => sender.ready().await,
                }
            };
            // One that has closed meanwhile is not fit any more, nor one that is busy with what nobody waits for.
            if matches!(time::timeout(READY_WITHIN, ready).await, Ok(Ok(()))) {
                return Some(Lease { sender, reused: true, route, broken, pool: Some(Arc::clone(self)) });
            }
        }
    }
}
