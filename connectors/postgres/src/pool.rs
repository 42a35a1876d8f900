//! Connections of one account, kept for the next call.
//!
//! A kept connection is used again only while the egress rule still allows its address and the
//! server is still there. One whose statement was left in the middle is cancelled at the server and
//! closed, and counts as taken until then.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use lockgate_connector_api::{Context, Egress, Error, Kind};
use rustls::ClientConfig;
use tokio::{
    runtime,
    sync::{OwnedSemaphorePermit, Semaphore},
    time,
};

use crate::{config::Settings, failure, session::Session, signin};

/// An idle connection is closed after this.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// A connection idle for longer than this is asked whether it is still there.
const PING_AFTER: Duration = Duration::from_secs(5);
const PONG_WITHIN: Duration = Duration::from_secs(2);
/// How long the clean-up after a call, or the cancelling of a statement, may take.
const CLEAN_UP_MAX: Duration = Duration::from_secs(5);

struct Idle {
    session: Session,
    since: Instant,
}

#[derive(Default)]
struct Kept {
    idle: Vec<Idle>,
    /// A task closes what stays idle; it ends when nothing is.
    reaped: bool,
}

/// The connections of an account.
pub(crate) struct Pool {
    settings: Settings,
    tls: Arc<ClientConfig>,
    kept: Mutex<Kept>,
    room: Arc<Semaphore>,
}

/// A connection on loan for one call.
pub(crate) struct Lease {
    session: Option<Session>,
    pool: Arc<Pool>,
    egress: Arc<Egress>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Pool {
    /// No connections yet.
    pub fn new(settings: Settings, tls: Arc<ClientConfig>) -> Self {
        Self { room: Arc::new(Semaphore::new(settings.connections_max)), settings, tls, kept: Mutex::default() }
    }

    /// A connection: a kept one, or a new one.
    pub async fn lease(self: &Arc<Self>, cx: &Context, deadline: Instant) -> Result<Lease, Error> {
        let permit = match time::timeout_at(deadline.into(), Arc::clone(&self.room).acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(failure::broken()),
            Err(_) => {
                return Err(Error::new(
                    Kind::Timeout,
                    "postgres-busy",
                    "all of the account's connections were taken until the deadline (setting `connections_max`)",
                ));
            }
        };
        let session = match self.kept(cx).await {
            Some(session) => session,
            None => signin::connect(&cx.egress, &self.settings, &self.tls, deadline).await?,
        };
        let (pool, egress) = (Arc::clone(self), Arc::clone(&cx.egress));
        Ok(Lease { session: Some(session), pool, egress, permit: Some(permit) })
    }

    async fn kept(&self, cx: &Context) -> Option<Session> {
        loop {
            // The one used last is the most likely to be alive.
            let Idle { mut session, since } = self.locked().idle.pop()?;
            if since.elapsed() >= IDLE_MAX || !cx.egress.still_allows(session.vetted) || !session.is_quiet() {
                continue;
            }
            if since.elapsed() < PING_AFTER {
                return Some(session);
            }
            if let Ok(Ok(())) = time::timeout(PONG_WITHIN, session.ping()).await {
                return Some(session);
            }
        }
    }

    fn keep(self: &Arc<Self>, session: Session) {
        let mut kept = self.locked();
        kept.idle.push(Idle { session, since: Instant::now() });
        if !mem::replace(&mut kept.reaped, true) {
            tokio::spawn(reap(Arc::downgrade(self)));
        }
    }

    fn locked(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out what nobody has used for a while. Nothing is left to be reaped when it says so.
    fn old(&self) -> (Vec<Idle>, bool) {
        let mut kept = self.locked();
        let (old, young) = mem::take(&mut kept.idle).into_iter().partition(|idle| idle.since.elapsed() >= IDLE_MAX);
        kept.idle = young;
        kept.reaped = !kept.idle.is_empty();
        (old, !kept.reaped)
    }
}

/// Closes what stays idle, until nothing is.
async fn reap(pool: Weak<Pool>) {
    loop {
        time::sleep(IDLE_MAX).await;
        let Some(pool) = pool.upgrade() else { return };
        let (old, ends) = pool.old();
        for Idle { session, .. } in old {
            let _ = time::timeout(CLEAN_UP_MAX, session.close()).await;
        }
        if ends {
            return;
        }
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
            self.session.take().into_iter().for_each(|session| self.pool.keep(session));
        }
        outcome
    }
}

/// A statement that is left in the middle must not go on at the server.
impl Drop for Lease {
    fn drop(&mut self) {
        let Some(session) = self.session.take().filter(Session::is_running) else { return };
        let Ok(runtime) = runtime::Handle::try_current() else { return };
        let (pool, egress, permit) = (Arc::clone(&self.pool), Arc::clone(&self.egress), self.permit.take());
        runtime.spawn(async move {
            let (host, deadline) = (pool.settings.address.host(), Instant::now() + CLEAN_UP_MAX);
            let cancel = signin::cancel(&egress, host, session.vetted, session.key, &pool.tls, deadline);
            // Where it does not get through, the closed connection ends the statement, later.
            let _ = time::timeout_at(deadline.into(), cancel).await;
            drop(session);
            drop(permit);
        });
    }
}
