//! Connections of one account, kept for the next call.
//!
//! A kept connection is used again only while the egress rule still allows its address and the
//! server is still there. One whose statement was left in the middle is ended at the server, and
//! counts as taken until then.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lockgate_connector_api::{Context, Egress, Error, Kept, Kind, Part, Place, Places, sql::Account};
use rustls::ClientConfig;
use tokio::{runtime, time};

use crate::{
    failure,
    session::Session,
    signin::{self, Files},
    spec,
};

/// An idle connection is closed after this.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// A connection idle for longer than this is asked whether it is still there.
const PING_AFTER: Duration = Duration::from_secs(5);
const PONG_WITHIN: Duration = Duration::from_secs(2);
/// How long the clean-up after a call, or the ending of a statement, may take.
const CLEAN_UP_MAX: Duration = Duration::from_secs(5);

/// The connections of an account.
pub(crate) struct Pool {
    account: Account,
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
    /// It serves this call alone.
    is_once: bool,
}

impl Pool {
    /// No connections yet.
    pub fn new(account: Account, tls: Arc<ClientConfig>) -> Self {
        let places = Places::new(&spec::SPEC, account.connections_max);
        let kept = Kept::new(account.connections_max, IDLE_MAX, close);
        Self { account, tls, kept, places }
    }

    /// A connection: a kept one, or a new one. One that may be asked for a file is new and not kept.
    pub async fn lease(
        self: &Arc<Self>,
        cx: &Context,
        part: Part,
        files: Files,
        deadline: Instant,
    ) -> Result<Lease, Error> {
        let place = self.places.take(part, deadline).await.ok_or_else(|| {
            Error::new(
                Kind::Timeout,
                "mysql-busy",
                "all of the account's connections were taken until the deadline (setting `connections_max`)",
            )
        })?;
        let kept = if files == Files::None { self.kept(cx).await } else { None };
        let session = match kept {
            Some(session) => session,
            None => signin::connect(&cx.egress, &self.account, &self.tls, files, deadline).await?,
        };
        let (pool, egress, is_once) = (Arc::clone(self), Arc::clone(&cx.egress), files == Files::One);
        Ok(Lease { session: Some(session), pool, egress, place: Some(place), is_once })
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
    /// The connection serves this call alone: what the call does to it, a reset would leave.
    pub fn use_up(&mut self) {
        self.is_once = true;
    }

    /// The connection.
    pub fn session(&mut self) -> Result<&mut Session, Error> {
        self.session.as_mut().ok_or_else(failure::broken)
    }

    /// Ends the call that the connection was lent for, and hands on its outcome.
    pub async fn finish<T>(mut self, outcome: Result<T, Error>) -> Result<T, Error> {
        let Some(session) = self.session.as_mut().filter(|session| !session.is_running()) else { return outcome };
        if self.is_once {
            self.session.take().into_iter().for_each(close);
        } else if let Ok(Ok(())) = time::timeout(CLEAN_UP_MAX, session.reset()).await {
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
            let deadline = Instant::now() + CLEAN_UP_MAX;
            let kill = signin::kill(
                &egress,
                &pool.account,
                &pool.tls,
                (session.vetted, session.number, &session.server),
                deadline,
            );
            // Where it does not get through, the closed connection ends the statement, later.
            let _ = time::timeout_at(deadline.into(), kill).await;
            drop(session);
            drop(place);
        });
    }
}
