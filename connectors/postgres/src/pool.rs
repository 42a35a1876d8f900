//! The server of an account: how its connections are opened, and what they run is cancelled.

use std::{sync::Arc, time::Instant};

use lockgate_connector_api::{
    Egress, Error,
    sql::{self, Account},
};
use rustls::ClientConfig;

use crate::{session::Session, signin};

/// The connections of an account.
pub(crate) type Pool = sql::Pool<Server>;
/// A connection on loan.
pub(crate) type Lease = sql::Lease<Server>;

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
        signin::connect(egress, &self.account, &self.tls, deadline).await
    }

    async fn end(&self, egress: &Egress, session: Session, deadline: Instant) {
        let host = self.account.address.host();
        let _ = signin::cancel(egress, host, session.route, session.key, &self.tls, deadline).await;
    }
}
