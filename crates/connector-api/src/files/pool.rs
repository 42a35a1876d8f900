//! Sessions kept for the next call. A session is lent to one call at a time, and again only while
//! the egress rule still allows its addresses.

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout, timeout_at};

use super::{Server, Session};
use crate::{Context, Error, Kept, Kind, Part, Place, Places, Spec};

/// An idle session is closed after this.
const IDLE_MAX: Duration = Duration::from_secs(50);
/// A session idle for longer than this is asked whether the server is still there.
const TRUSTED_FOR: Duration = Duration::from_millis(500);
/// How long it may take to answer, and to close what a failed call left open.
const ALIVE_WITHIN: Duration = Duration::from_secs(3);

/// The sessions of an account.
pub struct Pool<S: Server> {
    server: S,
    kept: Kept<S::Session>,
    places: Places,
}

/// A session on loan. It goes back by [`Lease::give_back`] alone; dropped, it is closed.
pub struct Lease<S: Server> {
    /// The session.
    pub session: S::Session,
    pool: Arc<Pool<S>>,
    place: Place,
}

impl<S: Server> Pool<S> {
    /// So many sessions at once; none is opened yet.
    pub fn new(spec: &Spec, server: S, sessions_max: usize) -> Self {
        Self { places: Places::new(spec, sessions_max), kept: Kept::new(sessions_max, IDLE_MAX, drop), server }
    }

    /// The server.
    pub fn server(&self) -> &S {
        &self.server
    }

    /// A session for one call, by the deadline.
    ///
    /// # Errors
    /// `Timeout` when all were taken until then, and what keeps a session from being opened.
    pub async fn lease(self: &Arc<Self>, cx: &Context, part: Part, deadline: Instant) -> Result<Lease<S>, Error> {
        let place = self.place(part, deadline).await?;
        let is_fit = |session: &mut S::Session| session.is_whole() && cx.egress.still_allows(session.route());
        while let Some((mut session, idle)) = self.kept.take(is_fit) {
            if idle < TRUSTED_FOR || is_alive(&mut session, deadline).await {
                return Ok(Lease { session, pool: Arc::clone(self), place });
            }
        }
        self.opened(cx, place, deadline).await
    }

    /// A new session, by the deadline.
    ///
    /// # Errors
    /// As [`Pool::lease`].
    pub async fn fresh(self: &Arc<Self>, cx: &Context, deadline: Instant) -> Result<Lease<S>, Error> {
        let place = self.place(Part::Ends, deadline).await?;
        self.opened(cx, place, deadline).await
    }

    async fn opened(self: &Arc<Self>, cx: &Context, place: Place, deadline: Instant) -> Result<Lease<S>, Error> {
        let session = self.server.open(cx, deadline).await?;
        Ok(Lease { session, pool: Arc::clone(self), place })
    }

    async fn place(&self, part: Part, deadline: Instant) -> Result<Place, Error> {
        self.places.take(part, deadline.into_std()).await.ok_or_else(|| {
            Error::new(
                Kind::Timeout,
                "file-busy",
                "all of the account's sessions were taken until the deadline (setting `sessions_max`)",
            )
        })
    }
}

async fn is_alive(session: &mut impl Session, deadline: Instant) -> bool {
    matches!(timeout_at(deadline.min(Instant::now() + ALIVE_WITHIN), session.ask()).await, Ok(Ok(())))
}

impl<S: Server> Lease<S> {
    /// Another session in the same place, where this one broke.
    ///
    /// # Errors
    /// What keeps a session from being opened.
    pub async fn renew(&mut self, cx: &Context, deadline: Instant) -> Result<(), Error> {
        self.session = self.pool.server.open(cx, deadline).await?;
        Ok(())
    }

    /// Gives the session back, if another call can use it.
    pub fn give_back(self) {
        if self.session.is_whole() {
            self.pool.kept.keep(self.session);
        }
        drop(self.place);
    }

    /// Closes what a failed call left open, if that is quick, and gives the session back.
    pub async fn settle_and_give_back(mut self) {
        // A session that cannot even do that is dropped.
        if matches!(timeout(ALIVE_WITHIN, self.session.settle()).await, Ok(Ok(()))) {
            self.give_back();
        }
    }
}

impl<S: Server> fmt::Debug for Pool<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("kept", &self.kept).field("places", &self.places).finish_non_exhaustive()
    }
}

impl<S: Server> fmt::Debug for Lease<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("place", &self.place).finish_non_exhaustive()
    }
}
