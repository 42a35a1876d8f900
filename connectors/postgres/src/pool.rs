//! Connections of one account, kept for the next call.
//!
//! A kept connection is used again only while the egress rule still allows its address and the
//! server is still there. One whose statement was left in the middle is cancelled at the server and
//! closed, and counts as taken until then.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lockgate_connector_api::{Context, Egress, Error, Kept, Kind, Part, Place, Places, sql::Account};
use rustls::ClientConfig;
use tokio::{runtime, time};

use crate::{failure, session::Session, signin, spec};

/// An idle connection is closed after this.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// A connection idle for longer than this is asked whether it is still there.
const PING_AFTER: Duration = Duration::from_secs(5);
const PONG_WITHIN: Duration = Duration::from_secs(2);
/// How long the clean-up after a call, or the cancelling of a statement, may take.
const CLEAN_UP_MAX: Duration = Duration::from_secs(5);

/// The connections of an account.
pub(crate) struct Pool {
    settings: Account,
    tls: Arc<ClientConfig>,
    kept: Kept<Session>,
    places: Places,
}

/// A connection on loan for one call.
pub(crate) struct Lease {
    session: Option<Session>,
    pool: Arc<Pool>,
    egress: Arc<Egress>,
    place: Option<Place>,
}

impl Pool {
    /// No connections yet.
    pub fn new(settings: Account, tls: Arc<ClientConfig>) -> Self {
        let places = Places::new(&spec::SPEC, settings.connections_max);
        let kept = Kept::new(settings.connections_max, IDLE_MAX, close);
        Self { settings, tls, kept, places }
    }

    /// A connection: a kept one, or a new one.
    pub async fn lease(self: &Arc<Self>, cx: &Context, part: Part, deadline: Instant) -> Result<Lease, Error> {
        let place = self.places.take(part, deadline).await.ok_or_else(|| {
            Error::new(
                Kind::Timeout,
                "postgres-busy",
                "all of the account's connections were taken until the deadline (setting `connections_max`)",
            )
        })?;
        let session = match self.kept(cx).await {
            Some(session) => session,
            None => signin::connect(&cx.egress, &self.settings, &self.tls, deadline).await?,
        };
        let (pool, egress) = (Arc::clone(self), Arc::clone(&cx.egress));
        Ok(Lease { session: Some(session), pool, egress, place: Some(place) })
    }

    async fn kept(&self, cx: &Context) -> Option<Session> {
        let is_fit = |session: &mut Session| cx.egress.still_allows(session.vetted) && session.is_quiet();
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
}

/// Says goodbye, as far as the server listens.
fn close(session: Session) {
    if let Ok(runtime) = runtime::Handle::try_current() {
        runtime.spawn(time::timeout(CLEAN_UP_MAX, session.close()));
    }
}

impl Lease {
    /// The connection.
    pub fn session(&mut self) -> Result<&mut Session, Error> {
        self.session.as_mut().ok_or_else(failure::broken)
    }

    /// Ends the call that the connection was lent for, and hands on its outcome.
    pub async fn finish<T>(mut self, outcome: Result<T, Error>) -> Result<T, Error> {
        let Some(session) = self.session.as_mut().filter(|session| !session.is_running()) else { return outcome };
        let settled = time::timeout(CLEAN_UP_MAX, session.settle()).await;
        if matches!(settled, Ok(Ok(()))) && !session.is_in_transaction() && !session.is_marked() {
            self.session.take().into_iter().for_each(|session| self.pool.kept.keep(session));
        }
        outcome
    }
}

/// A statement that is left in the middle must not go on at the server.
impl Drop for Lease {
    fn drop(&mut self) {
        let Some(session) = self.session.take().filter(Session::is_running) else { return };
        let Ok(runtime) = runtime::Handle::try_current() else { return };
        let (pool, egress, place) = (Arc::clone(&self.pool), Arc::clone(&self.egress), self.place.take());
        runtime.spawn(async move {
            let (host, deadline) = (pool.settings.address.host(), Instant::now() + CLEAN_UP_MAX);
            let cancel = signin::cancel(&egress, host, session.vetted, session.key, &pool.tls, deadline);
            // Where it does not get through, the closed connection ends the statement, later.
            let _ = time::timeout_at(deadline.into(), cancel).await;
            drop(session);
            drop(place);
        });
    }
}
