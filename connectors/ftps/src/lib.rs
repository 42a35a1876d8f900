//! Connector `ftps`: files on an FTP server, over TLS.
//!
//! `config` reads the account, `open` secures a connection and signs in, `control` carries commands and
//! `reply` reads what is answered; `session` has the requests that `files` of connector-api is made of,
//! and `account` opens one. `data` carries contents, to a port that
//! `passive` reads, under the TLS session that `tickets` keeps; with them come and go what `listing`,
//! `get` and `put` ask for. `facts` and `lines` read what servers tell of files, `ascii` translates the
//! ends of lines. What does not depend on the protocol is `files`: inputs, paths, outputs, the operations
//! and their undoing, sessions kept between calls. `spec` is the declaration.
//!
//! Deliberately absent: FTP in the clear (there is no way to write it down), data connections in the
//! clear, active mode (nobody connects to us), the address that PASV names, and proxies that speak FTP. The
//! client of FTP is ours; docs/decisions/0022 says why.

mod account;
mod ascii;
mod config;
mod control;
mod data;
mod facts;
mod failure;
mod get;
mod lines;
mod listing;
mod open;
mod passive;
mod put;
mod reply;
mod session;
mod spec;
mod tickets;

use std::{sync::Arc, time::Instant};

use lockgate_connector_api::{
    Answer, Call, Config, Connector, Context, Error, Spec,
    files::{Pool, calls},
};

use account::Account;

/// One account on an FTPS server.
pub struct Ftps(Arc<Pool<Account>>);

impl Connector for Ftps {
    const SPEC: Spec = spec::SPEC;

    fn open(config: Config, _: &Context) -> Result<Self, Error> {
        let settings = config::Settings::read(&config)?;
        let sessions_max = settings.sessions_max;
        Ok(Self(Arc::new(Pool::new(&spec::SPEC, Account(settings), sessions_max))))
    }

    async fn invoke(&self, cx: &Context, call: Call) -> Result<Answer, Error> {
        calls::invoke(&self.0, cx, call).await
    }

    /// Connects, verifies the server, signs in and looks at the base, which must be a folder.
    async fn test(&self, cx: &Context, deadline: Instant) -> Result<(), Error> {
        calls::test(&self.0, cx, deadline.into()).await
    }
}
