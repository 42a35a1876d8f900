//! Connector `sftp`: files on an SSH server.
//!
//! `config` reads the account, `host_key` and `ssh` prove the server and sign in, `session` speaks
//! SFTP (`wire` has its packets); `account` ties them together. `listing`, `get` and `put` are the
//! operations with contents. What does not depend on the protocol is `files` of connector-api: inputs,
//! paths, outputs, the other operations and their undoing, sessions kept between calls. `spec` is the
//! declaration.
//!
//! Deliberately absent: trust on first use (the host key is part of the account), SHA-1 and CBC,
//! compression (a small answer could become a large one before any limit sees it), shells, commands
//! and forwarding, and any way to reach an address past the egress rule: sockets come from
//! `Egress::dial` alone. The client of SFTP is ours, since handles are bytes that a text cannot hold
//! and since reads and writes must be bounded where they wait.

mod account;
mod config;
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
    Address, Answer, Call, Config, Connector, Context, Error, Part, Spec, Streamed,
    files::{Pool, calls, input, listing::Listing, output},
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
        let (pool, deadline, limits) = (&self.0, call.deadline.into(), call.limits);
        let (base, part) = (&pool.server().settings.base, Part::of(&call));
        let input = call.input.root();
        match call.operation.as_str() {
            "list" => {
                input::known_keys(input, &["path", "pattern", "entries_max"])?;
                let (folder, pattern) = (base.below(input::folder(input)?)?, input::pattern(input)?);
                let listing = Listing::new(pattern, input::entries_max(input)?);
                let mut lease = pool.lease(cx, part, deadline).await?;
                let listed = listing::list(&mut lease.session, &folder, listing).await;
                lease.give_back();
                let (entries, more) = listed?;
                output::list(&entries, more, &limits).map(output::answer)
            }
            "get" => {
                input::known_keys(input, &["path", "parse"])?;
                let (name, parse) = (input::path(input, "path")?, input::parse(input)?);
                let path = base.below(name)?;
                let lease = pool.lease(cx, part, deadline).await?;
                let (attributes, body) = get::get(lease, &path, deadline).await?;
                if call.stream {
                    let output = output::get(&attributes, None, &limits)?;
                    return Ok(Answer { output, stream: Some(Streamed::Bytes(body)), read: 0, written: 0 });
                }
                let bytes = body.collect(limits.reply_bytes_max).await?;
                let read = bytes.len() as u64;
                let shown = parse.read(name, bytes, &limits)?;
                Ok(Answer { output: output::get(&attributes, Some(shown), &limits)?, stream: None, read, written: 0 })
            }
            "put" => {
                input::known_keys(input, &["path", "exists", "body", "body_base64"])?;
                let path = base.below(input::path(input, "path")?)?;
                let exists = input::exists(input)?;
                let content = input::content(input, call.body, &limits)?;
                let put = put::Put { path, exists, content };
                let written = put::put(Arc::clone(pool), cx.clone(), put, deadline).await?;
                Ok(Answer { output: output::put(written, &limits)?, stream: None, read: 0, written })
            }
            _ => calls::invoke(pool, base, cx, call).await,
        }
    }

    /// Connects, checks the host key, signs in and looks at the base, which must be a folder.
    async fn test(&self, cx: &Context, deadline: Instant) -> Result<(), Error> {
        calls::test(&self.0, &self.0.server().settings.base, cx, deadline.into()).await
    }

    /// The fingerprint of the server's host key.
    async fn shown_identity(address: Address, cx: Context, deadline: Instant) -> Result<Option<ServerIdentity>, Error> {
        let fingerprint = ssh::fingerprint(&cx, address.host(), address.port(), deadline.into()).await?;
        Ok(Some(ServerIdentity::HostKey(fingerprint)))
    }
}
