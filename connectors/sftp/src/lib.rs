//! Connector `sftp`: files on an SSH server.
//!
//! `config` reads the account, `host_key` and `ssh` prove the server and sign in, `session` speaks
//! SFTP (`wire` has its packets) and `pool` keeps sessions between calls. `input` and `path` read a
//! call and keep it below the account's base; `listing`, `get`, `put` and `change` are the
//! operations (`undo` takes back those of more than one step), `output` what they answer. `spec` is
//! the declaration.
//!
//! Deliberately absent: trust on first use (the host key is part of the account), SHA-1 and CBC,
//! compression (a small answer could become a large one before any limit sees it), shells, commands
//! and forwarding, and any way to reach an address past the egress rule: sockets come from
//! `Egress::dial` alone. The client of SFTP is ours, since handles are bytes that a text cannot hold
//! and since reads and writes must be bounded where they wait.

mod change;
mod config;
mod failure;
mod get;
mod host_key;
mod input;
mod leash;
mod listing;
mod output;
mod path;
mod pool;
mod put;
mod session;
mod spec;
mod ssh;
mod undo;
mod wire;

use std::{sync::Arc, time::Instant};

use lockgate_connector_api::{Address, Answer, Call, Config, Connector, Context, Error, Kind, Part, Spec, Streamed};
use lockgate_model::definition::ServerIdentity;

use pool::Account;
use wire::Request;

/// One account on an SFTP server.
pub struct Sftp(Arc<Account>);

impl Connector for Sftp {
    const SPEC: Spec = spec::SPEC;

    fn open(config: Config, _: &Context) -> Result<Self, Error> {
        Ok(Self(Arc::new(Account::new(config::Settings::read(&config)?))))
    }

    async fn invoke(&self, cx: &Context, call: Call) -> Result<Answer, Error> {
        let (account, deadline, limits) = (&self.0, call.deadline.into(), call.limits);
        let (base, part) = (&account.settings().base, Part::of(&call));
        let input = call.input.root();
        match call.operation.as_str() {
            "list" => {
                input::known_keys(input, &["path", "pattern", "entries_max"])?;
                let (folder, pattern) = (base.below(input::folder(input)?)?, input::pattern(input)?);
                let entries_max = input::entries_max(input)?;
                let mut lease = account.lease(cx, part, deadline).await?;
                let listed = listing::list(&mut lease.session, &folder, pattern, entries_max).await;
                lease.give_back();
                let (entries, more) = listed?;
                output::list(&entries, more, &limits).map(output::answer)
            }
            "stat" => {
                input::known_keys(input, &["path"])?;
                let path = base.below(input::folder(input)?)?;
                let mut lease = account.lease(cx, part, deadline).await?;
                let attributes = listing::stat(&mut lease.session, &path).await;
                lease.give_back();
                output::stat(&attributes?, &limits).map(output::answer)
            }
            "get" => {
                input::known_keys(input, &["path", "parse"])?;
                let (name, parse) = (input::path(input, "path")?, input::parse(input)?);
                let path = base.below(name)?;
                let lease = account.lease(cx, part, deadline).await?;
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
                let written = put::put(Arc::clone(account), cx.clone(), put, deadline).await?;
                Ok(Answer { output: output::put(written, &limits)?, stream: None, read: 0, written })
            }
            "move" => {
                input::known_keys(input, &["from", "to", "exists"])?;
                let (from, to) = (base.below(input::path(input, "from")?)?, base.below(input::path(input, "to")?)?);
                let exists = input::exists(input)?;
                let mv = change::Move { from, to, exists };
                change::relocate(Arc::clone(account), cx.clone(), mv, deadline).await?;
                output::done(&limits)
            }
            "delete" | "mkdir" => {
                input::known_keys(input, &["path"])?;
                let path = base.below(input::path(input, "path")?)?;
                let mut lease = account.lease(cx, part, deadline).await?;
                let changed = match call.operation.as_str() {
                    "delete" => change::delete(&mut lease.session, &path).await,
                    _ => change::make_folder(&mut lease.session, &path).await,
                };
                lease.give_back();
                changed.and_then(|()| output::done(&limits))
            }
            _ => Err(Error::new(Kind::Configuration, "unknown-operation", "the connector has no such operation")),
        }
    }

    /// Connects, checks the host key, signs in and looks at the base, which must be a folder.
    async fn test(&self, cx: &Context, deadline: Instant) -> Result<(), Error> {
        let base = self.0.settings().base.itself();
        let mut lease = self.0.fresh(cx, deadline.into()).await?;
        let found = lease.session.attributes(&Request::Stat(base.as_str())).await;
        lease.give_back();
        match output::kind(&found?) {
            "file" => {
                Err(Error::new(Kind::Configuration, "sftp-base", "the base of the account is a file, and no folder"))
            }
            _ => Ok(()),
        }
    }

    /// The fingerprint of the server's host key.
    async fn shown_identity(address: Address, cx: Context, deadline: Instant) -> Result<Option<ServerIdentity>, Error> {
        let fingerprint = ssh::fingerprint(&cx, address.host(), address.port(), deadline.into()).await?;
        Ok(Some(ServerIdentity::HostKey(fingerprint)))
    }
}
