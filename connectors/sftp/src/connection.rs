//! Connections of an account. Each carries several sessions, since signing in costs a server more than
//! a thousand requests do.
//!
//! Deliberately absent: a wish for another connection while one has room. What breaks one breaks all
//! sessions on it, and each of their calls goes on or fails by itself.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use lockgate_connector_api::{Context, Error, Route, files::late};
use russh::{
    Channel,
    client::{self, Handle, Msg},
};
use tokio::{
    sync::{self, OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};

use crate::{
    config::Settings,
    failure,
    leash::Leash,
    ssh::{self, Ended, Trust},
};

/// Sessions that one connection carries: fewer than the ten that OpenSSH allows (`MaxSessions`).
const SESSIONS_MAX: usize = 8;
/// How long the next connection waits for one that is being opened, to share it; and how long a server
/// may take for one more session before it gets a connection of its own.
const PATIENCE: Duration = Duration::from_secs(3);

/// One connection, signed in. It ends with its last session.
pub(crate) struct Connection {
    pub handle: Handle<Trust>,
    pub ended: Ended,
    pub route: Route,
    _leash: Leash,
    /// Places of sessions; closed when no further one may be opened.
    places: Arc<Semaphore>,
}

impl Connection {
    /// With room for sessions.
    pub fn new(handle: Handle<Trust>, ended: Ended, route: Route, leash: Leash) -> Self {
        Self { handle, ended, route, _leash: leash, places: Arc::new(Semaphore::new(SESSIONS_MAX)) }
    }

    /// Carries no session but those that it carries already: something went wrong with it.
    pub fn close_to_others(&self) {
        self.places.close();
    }

    fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok().filter(|_| !self.handle.is_closed())
    }
}

/// A channel with SFTP in it, and the connection that it is part of.
pub(crate) struct Opened {
    pub channel: Channel<Msg>,
    pub connection: Arc<Connection>,
    pub place: OwnedSemaphorePermit,
}

/// The connections of an account.
#[derive(Default)]
pub(crate) struct Connections {
    open: Mutex<Vec<Weak<Connection>>>,
    /// Held by the one who opens a connection.
    turn: sync::Mutex<()>,
}

impl Connections {
    /// Opens a session, over a connection that is there or a new one.
    pub async fn session(
        &self,
        cx: &Context,
        settings: &Settings,
        config: &Arc<client::Config>,
        deadline: Instant,
    ) -> Result<Opened, Error> {
        let _turn = timeout_at(deadline.min(Instant::now() + PATIENCE), self.turn.lock()).await;
        while let Some((connection, place)) = self.with_room(cx) {
            match timeout(PATIENCE, ssh::channel(&connection)).await {
                Ok(Ok(channel)) => return Ok(Opened { channel, connection, place }),
                // Servers differ in how many they allow.
                _ => connection.close_to_others(),
            }
        }
        let connection = Arc::new(ssh::open(cx, settings, Arc::clone(config), deadline).await?);
        let place = connection.place().ok_or_else(failure::broken)?;
        let channel = timeout_at(deadline, ssh::channel(&connection)).await.map_err(|_| late())??;
        self.open.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&connection));
        Ok(Opened { channel, connection, place })
    }

    fn with_room(&self, cx: &Context) -> Option<(Arc<Connection>, OwnedSemaphorePermit)> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|connection| connection.strong_count() > 0);
        let allowed = |connection: &Arc<Connection>| cx.egress.still_allows(connection.route);
        let mut connections = open.iter().filter_map(Weak::upgrade).filter(allowed);
        connections.find_map(|connection| connection.place().map(|place| (connection, place)))
    }
}
