//! Connections of one account, kept for the next call.
//!
//! A kept connection is used again only while the egress rule still allows its addresses and the
//! server is still there. One whose statement was left in the middle is ended at the server, and
//! counts as taken until then.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{runtime, time};

use super::{Codes, Server, Session, work::SPARE};
use crate::{Context, Egress, Error, Kept, Part, Place, Places, Spec};

/// An idle connection is closed after this.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// A connection idle for longer than this is asked whether it is still there.
const PING_AFTER: Duration = Duration::from_secs(5);
const PONG_WITHIN: Duration = Duration::from_secs(2);
/// How long the clean-up after a call, or the ending of a statement, may take.
const CLEAN_UP_MAX: Duration = Duration::from_secs(5);

/// The connections of an account.
pub struct Pool<S: Server> {
    server: S,
    kept: Kept<S::Session>,
    places: Places,
}

/// A connection on loan for one call.
pub struct Lease<S: Server> {
    session: Option<S::Session>,
    pool: Arc<Pool<S>>,
    egress: Arc<Egress>,
    place: Option<Place>,
    deadline: Instant,
    /// It serves this call alone.
    is_once: bool,
}

impl<S: Server> Pool<S> {
    const CODES: Codes = <S::Session as Session>::CODES;

    /// No connections yet.
    pub fn new(spec: &Spec, server: S) -> Self {
        let connections_max = server.account().connections_max;
        let places = Places::new(spec, connections_max);
        Self { server, kept: Kept::new(connections_max, IDLE_MAX, close), places }
    }

    /// A connection: a kept one, or a new one.
    ///
    /// # Errors
    /// `Timeout` when all were taken until the deadline, and what keeps one from being opened.
    pub async fn lease(self: &Arc<Self>, cx: &Context, part: Part, deadline: Instant) -> Result<Lease<S>, Error> {
        let place = self.place(part, deadline).await?;
        let session = match self.kept(cx).await {
            Some(session) => session,
            None => self.server.open(&cx.egress, deadline).await?,
        };
        Ok(self.lent(cx, session, place, deadline, false))
    }

    /// A new connection that serves this call alone, which streams a file to the server.
    ///
    /// # Errors
    /// As [`Pool::lease`].
    pub async fn lease_to_load(self: &Arc<Self>, cx: &Context, deadline: Instant) -> Result<Lease<S>, Error> {
        let place = self.place(Part::Ends, deadline).await?;
        let session = self.server.open_to_load(&cx.egress, deadline).await?;
        Ok(self.lent(cx, session, place, deadline, true))
    }

    async fn place(&self, part: Part, deadline: Instant) -> Result<Place, Error> {
        self.places.take(part, deadline).await.ok_or_else(|| Self::CODES.busy())
    }

    fn lent(
        self: &Arc<Self>,
        cx: &Context,
        session: S::Session,
        place: Place,
        deadline: Instant,
        is_once: bool,
    ) -> Lease<S> {
        let (pool, egress) = (Arc::clone(self), Arc::clone(&cx.egress));
        Lease { session: Some(session), pool, egress, place: Some(place), deadline, is_once }
    }

    async fn kept(&self, cx: &Context) -> Option<S::Session> {
        let is_fit = |session: &mut S::Session| cx.egress.still_allows(session.route()) && session.is_quiet();
        loop {
            let (mut session, idle) = self.kept.take(is_fit)?;
            if idle < PING_AFTER {
                return Some(session);
            }
            if let Ok(Ok(())) = time::timeout(PONG_WITHIN, session.ping()).await {
                return Some(session);
            }
        }
    }

    /// Makes a connection fit for the next call and keeps it. One that cannot be is closed.
    async fn keep(self: Arc<Self>, mut session: S::Session, place: Option<Place>) {
        match time::timeout(CLEAN_UP_MAX, session.renew()).await {
            Ok(Ok(true)) => self.kept.keep(session),
            _ => drop(session),
        }
        drop(place);
    }
}

/// Says goodbye, as far as the server listens.
fn close<S: Session>(session: S) {
    if let Ok(runtime) = runtime::Handle::try_current() {
        runtime.spawn(time::timeout(CLEAN_UP_MAX, session.close()));
    }
}

impl<S: Server> Lease<S> {
    /// The connection serves this call alone: what the call does to it cannot be undone.
    pub fn use_up(&mut self) {
        self.is_once = true;
    }

    /// The connection.
    ///
    /// # Errors
    /// Never while it is on loan.
    pub fn session(&mut self) -> Result<&mut S::Session, Error> {
        self.session.as_mut().ok_or_else(|| Pool::<S>::CODES.broken())
    }

    /// Ends the call that the connection was lent for, and hands on its outcome: what is done is done,
    /// whether or not the connection can be made fit for another call in time.
    ///
    /// # Errors
    /// The outcome's own.
    pub async fn finish<T>(mut self, outcome: Result<T, Error>) -> Result<T, Error> {
        // One that is left in the middle goes with the lease.
        let Some(session) = self.session.take_if(|session| !session.is_running()) else { return outcome };
        if self.is_once {
            close(session);
            return outcome;
        }
        // It goes on by itself where the call ends first.
        let keeping = tokio::spawn(Arc::clone(&self.pool).keep(session, self.place.take()));
        let until = self.deadline.checked_sub(SPARE).unwrap_or(self.deadline);
        let _ = time::timeout_at(until.into(), keeping).await;
        outcome
    }
}

/// A statement that is left in the middle must not go on at the server.
impl<S: Server> Drop for Lease<S> {
    fn drop(&mut self) {
        let Some(session) = self.session.take().filter(Session::is_running) else { return };
        let Ok(runtime) = runtime::Handle::try_current() else { return };
        let (pool, egress, place) = (Arc::clone(&self.pool), Arc::clone(&self.egress), self.place.take());
        runtime.spawn(async move {
            let deadline = Instant::now() + CLEAN_UP_MAX;
            // Where it does not get through, the closed connection ends the statement, later.
            let _ = time::timeout_at(deadline.into(), pool.server.end(&egress, session, deadline)).await;
            drop(place);
        });
    }
}

impl<S: Server> fmt::Debug for Pool<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("kept", &self.kept).field("places", &self.places).finish_non_exhaustive()
    }
}

impl<S: Server> fmt::Debug for Lease<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("place", &self.place).field("is_once", &self.is_once).finish_non_exhaustive()
    }
}
