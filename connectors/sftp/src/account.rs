//! An opened account: sessions are opened with its settings.

use std::sync::Arc;

use lockgate_connector_api::{
    Context, Error,
    files::{Base, Server, late},
};
use russh::client;
use tokio::time::{Instant, timeout_at};

use crate::{config::Settings, connection::Connections, session::Session, ssh};

/// The account.
pub(crate) struct Account {
    pub settings: Settings,
    config: Arc<client::Config>,
    connections: Connections,
}

impl Account {
    /// With these settings.
    pub fn new(settings: Settings) -> Self {
        let config = ssh::configuration(&settings.host_key, settings.algorithms.clone());
        Self { config, settings, connections: Connections::default() }
    }
}

impl Server for Account {
    type Session = Session;

    fn base(&self) -> &Base {
        &self.settings.base
    }

    async fn open(&self, cx: &Context, deadline: Instant) -> Result<Session, Error> {
        let opened = self.connections.session(cx, &self.settings, &self.config, deadline).await?;
        timeout_at(deadline, Session::greet(opened)).await.map_err(|_| late())?
    }
}
