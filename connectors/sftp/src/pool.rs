//! Sessions kept for the next call. A session is lent to one call at a time, and again only while
//! the egress rule still allows its address.

use std::{sync::Arc, time::Duration};

use lockgate_connector_api::{Context, Error, Kept, Kind, Part, Place, Places};
use russh::client;
use tokio::time::{Instant, timeout, timeout_at};

use crate::{config::Settings, failure, session::Session, spec, ssh, wire::Request};

/// An idle session is closed after this.
const IDLE_MAX: Duration = Duration::from_secs(50);
/// A session idle for longer than this is asked whether the server is still there.
const TRUSTED_FOR: Duration = Duration::from_millis(500);
/// How long it may take to answer.
const ALIVE_WITHIN: Duration = Duration::from_secs(3);

/// An opened account.
pub(crate) struct Account {
    settings: Settings,
    config: Arc<client::Config>,
    kept: Kept<Session>,
    places: Places,
}

/// A session on loan. It goes back by [`Lease::give_back`] alone; dropped, it is closed.
pub(crate) struct Lease {
    pub session: Session,
    account: Arc<Account>,
    place: Place,
}

impl Account {
    /// No sessions yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            config: ssh::configuration(settings.host_key.algorithms()),
            places: Places::new(&spec::SPEC, settings.sessions_max),
            kept: Kept::new(settings.sessions_max, IDLE_MAX, drop),
            settings,
        }
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A session for one call, by the deadline.
    pub async fn lease(self: &Arc<Self>, cx: &Context, part: Part, deadline: Instant) -> Result<Lease, Error> {
        let place = self.place(part, deadline).await?;
        let is_fit = |session: &mut Session| session.is_whole() && cx.egress.still_allows(session.vetted);
        while let Some((mut session, idle)) = self.kept.take(is_fit) {
            if idle < TRUSTED_FOR || is_alive(&mut session, deadline).await {
                return Ok(Lease { session, account: Arc::clone(self), place });
            }
        }
        self.opened(cx, place, deadline).await
    }

    /// A new session, by the deadline.
    pub async fn fresh(self: &Arc<Self>, cx: &Context, deadline: Instant) -> Result<Lease, Error> {
        let place = self.place(Part::Ends, deadline).await?;
        self.opened(cx, place, deadline).await
    }

    async fn opened(self: &Arc<Self>, cx: &Context, place: Place, deadline: Instant) -> Result<Lease, Error> {
        let connected = ssh::open(cx, &self.settings, Arc::clone(&self.config), deadline).await?;
        let session = timeout_at(deadline, Session::greet(connected)).await.map_err(|_| failure::late())??;
        Ok(Lease { session, account: Arc::clone(self), place })
    }

    async fn place(&self, part: Part, deadline: Instant) -> Result<Place, Error> {
        self.places.take(part, deadline.into_std()).await.ok_or_else(|| {
            Error::new(
                Kind::Timeout,
                "sftp-busy",
                "all of the account's sessions were taken until the deadline (setting `sessions_max`)",
            )
        })
    }
}

/// A request that changes nothing, before one that must not be sent twice.
async fn is_alive(session: &mut Session, deadline: Instant) -> bool {
    let until = deadline.min(Instant::now() + ALIVE_WITHIN);
    matches!(timeout_at(until, session.ask(&Request::RealPath("."))).await, Ok(Ok(_)))
}

impl Lease {
    /// Gives the session back, if another call can use it.
    pub fn give_back(self) {
        if self.session.is_whole() {
            self.account.kept.keep(self.session);
        }
        drop(self.place);
    }

    /// Closes what a failed call left open, if that is quick, and gives the session back.
    pub async fn close_and_give_back(mut self, handle: bytes::Bytes) {
        let closing = async {
            self.session.settle().await?;
            self.session.order(&Request::Close(&handle)).await
        };
        // A session that cannot even close a file is dropped.
        if matches!(timeout(ALIVE_WITHIN, closing).await, Ok(Ok(()))) {
            self.give_back();
        }
    }
}
