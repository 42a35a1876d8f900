//! Connections of one account, kept for the next call.
//!
//! A kept connection is used again only while the egress rule still allows its address and the
//! server is still there. One whose statement was left in the middle is cancelled at the server and
//! closed, and counts as taken until then.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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

/// The connections of an account.
pub(crate) struct Pool {
    settings: Settings,
    tls: Arc<ClientConfig>,
    idle: Mutex<Vec<Idle>>,
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
        Self { room: Arc::new(Semaphore::new(settings.connections_max)), settings, tls, idle: Mutex::default() }
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
            let Idle { mut session, since } = self.idle().pop()?;
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
        let mut idle = self.idle();
        let reaper_runs = !idle.is_empty();
        idle.push(Idle { session, since: Instant::now() });
        drop(idle);
        if !reaper_runs {
            tokio::spawn(reap(Arc::downgrade(self)));
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes what nobody has used for a while, until nothing is idle any more.
async fn reap(pool: std::sync::Weak<Pool>) {
    loop {
        time::sleep(IDLE_MAX).await;
        let Some(pool) = pool.upgrade() else { return };
        let (old, young): (Vec<_>, Vec<_>) =
            mem::take(&mut *pool.idle()).into_iter().partition(|idle| idle.since.elapsed() >= IDLE_MAX);
        let ends = {
            let mut idle = pool.idle();
            idle.splice(0..0, young);
            idle.is_empty()
        };
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
        if matches!(settled, Ok(Ok(()))) && !session.is_in_transaction() {
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
