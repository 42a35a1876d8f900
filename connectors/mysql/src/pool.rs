//! The server of an account: how its connections are opened, and ended with what they run.

use std::{sync::Arc, time::Instant};

use lockgate_connector_api::{
    Egress, Error,
    sql::{self, Account},
};
use rustls::ClientConfig;

use crate::{
    session::Session,
    signin::{self, Files},
};

/// The connections of an account.
pub(crate) type Pool = sql::Pool<Server>;

/// Where an account leads.
pub(crate) struct Server {
    /// Who signs in, and where.
    pub account: Account,
    /// How the server proves itself.
    pub tls: Arc<ClientConfig>,
}

impl sql::Server for Server {
    type Session = Session;

    fn account(&self) -> &Account {
        &self.account
    }

    async fn open(&self, egress: &Egress, deadline: Instant) -> Result<Session, Error> {
        signin::connect(egress, &self.account, &self.tls, Files::None, deadline).await
    }

    /// One that the server may ask for a file.
    async fn open_to_load(&self, egress: &Egress, deadline: Instant) -> Result<Session, Error> {
        signin::connect(egress, &self.account, &self.tls, Files::One, deadline).await
    }

    async fn end(&self, egress: &Egress, session: Session, deadline: Instant) {
        let itself = (session.route, session.number, &*session.server);
        let _ = signin::kill(egress, &self.account, &self.tls, itself, deadline).await;
    }
}
