//! An opened account: sessions are opened with its settings.

use std::sync::Arc;

use lockgate_connector_api::{
    Context, Error,
    files::{Base, Server, late},
};
use russh::client;
use tokio::time::{Instant, timeout_at};

use crate::{config::Settings, session::Session, ssh};

/// The account.
pub(crate) struct Account {
    pub settings: Settings,
    config: Arc<client::Config>,
}

impl Account {
    /// With these settings.
    pub fn new(settings: Settings) -> Self {
        Self { config: ssh::configuration(&settings.host_key, settings.algorithms.clone()), settings }
    }
}

impl Server for Account {
    type Session = Session;

    fn base(&self) -> &Base {
        &self.settings.base
    }

    async fn open(&self, cx: &Context, deadline: Instant) -> Result<Session, Error> {
        let connected = ssh::open(cx, &self.settings, Arc::clone(&self.config), deadline).await?;
        timeout_at(deadline, Session::greet(connected)).await.map_err(|_| late())?
    }
}
