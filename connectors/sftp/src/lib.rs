//! Connector `sftp`: files on an SSH server.
//!
//! `config` reads the account, `algorithms`, `host_key` and `ssh` prove the server and sign in, `connection` shares what
//! is signed in among sessions, `session` speaks SFTP (`wire` has its packets), with `listing`, `get` and `put` for what takes many of them; `account`
//! ties them together. What does not depend on the protocol is `files` of connector-api: inputs, paths,
//! outputs, the operations and their undoing, sessions kept between calls. `spec` is the declaration.
//!
//! Deliberately absent: trust on first use (the host key is part of the account), SHA-1 and CBC,
//! compression (a small answer could become a large one before any limit sees it), shells, commands
//! and forwarding, and any way to reach an address past the egress rule: sockets come from
//! `Egress::dial` alone. The client of SFTP is ours, since handles are bytes that a text cannot hold
//! and since reads and writes must be bounded where they wait.

mod account;
mod algorithms;
mod config;
mod connection;
mod failure;
mod get;
mod host_key;
mod leash;
mod listing;
mod put;
mod session;
mod spec;
mod ssh;
mod wire;

use std::{sync::Arc, time::Instant};

use lockgate_connector_api::{
    Address, Answer, Call, Config, Connector, Context, Error, Proxy, Spec,
    files::{Pool, calls},
};
use lockgate_model::definition::ServerIdentity;

use account::Account;

/// One account on an SFTP server.
pub struct Sftp(Arc<Pool<Account>>);

impl Connector for Sftp {
    const SPEC: Spec = spec::SPEC;

    fn open(config: Config, _: &Context) -> Result<Self, Error> {
        let settings = config::Settings::read(&config)?;
        let sessions_max = settings.sessions_max;
        Ok(Self(Arc::new(Pool::new(&spec::SPEC, Account::new(settings), sessions_max))))
    }

    async fn invoke(&self, cx: &Context, call: Call) -> Result<Answer, Error> {
        calls::invoke(&self.0, cx, call).await
    }

    /// Connects, checks the host key, signs in and looks at the base, which must be a folder.
    async fn test(&self, cx: &Context, deadline: Instant) -> Result<(), Error> {
        calls::test(&self.0, cx, deadline.into()).await
    }

    /// The fingerprint of the server's host key.
    async fn shown_identity(
        address: Address,
        proxy: Option<Proxy>,
        cx: Context,
        deadline: Instant,
    ) -> Result<Option<ServerIdentity>, Error> {
        let server = (address.host(), address.port());
        let fingerprint = ssh::fingerprint(&cx, server, proxy.as_ref(), deadline.into()).await?;
        Ok(Some(ServerIdentity::HostKey(fingerprint)))
    }
}
