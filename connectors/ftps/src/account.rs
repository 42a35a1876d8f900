//! An opened account: sessions are opened with its settings.

use lockgate_connector_api::{
    Context, Error,
    files::{Base, Server},
};
use tokio::time::Instant;

use crate::{config::Settings, open, session::Session};

/// The account.
pub(crate) struct Account(pub Settings);

impl Server for Account {
    type Session = Session;

    const TAKES_LINES: bool = true;

    fn base(&self) -> &Base {
        &self.0.base
    }

    async fn open(&self, cx: &Context, deadline: Instant) -> Result<Session, Error> {
        open::open(cx, &self.0, deadline).await
    }
}
