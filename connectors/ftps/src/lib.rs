//! Connector `ftps`: files on an FTP server, over TLS.
//!
//! `config` reads the account, `open` secures a connection and signs in, `control` carries commands and
//! `reply` reads what is answered; `session` has the requests that `files` of connector-api is made of,
//! and `account` opens one. `data` carries contents, to a port that
//! `passive` reads, under the TLS session that `tickets` keeps. `listing`, `get`
//! and `put` are the operations with contents: `facts` and `lines` read what servers tell of files,
//! `transfer` and `ascii` say how they travel. What does not depend
//! on the protocol is `files`: paths, outputs, the other operations and their undoing, sessions kept
//! between calls. `spec` is the declaration.
//!
//! Deliberately absent: FTP in the clear (there is no way to write it down), data connections in the
//! clear, active mode (nobody connects to us), the address that PASV names, and proxies of FTP. The
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
mod transfer;

use std::{sync::Arc, time::Instant};

use lockgate_connector_api::{
    Answer, Call, Config, Connector, Context, Error, Part, Spec, Streamed,
    files::{Pool, calls, input, listing::Listing, output},
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
        let (pool, deadline, limits) = (&self.0, call.deadline.into(), call.limits);
        let (base, part) = (&pool.server().0.base, Part::of(&call));
        let input = call.input.root();
        match call.operation.as_str() {
            "list" => {
                input::known_keys(input, &["path", "pattern", "entries_max"])?;
                let (folder, pattern) = (base.below(input::folder(input)?)?, input::pattern(input)?);
                let listing = Listing::new(pattern, input::entries_max(input)?);
                let mut lease = pool.lease(cx, part, deadline).await?;
                let listed = listing::list(&mut lease.session, cx, &folder, listing, deadline).await;
                lease.give_back();
                let (entries, more) = listed?;
                output::list(&entries, more, &limits).map(output::answer)
            }
            "get" => {
                input::known_keys(input, &["path", "parse", "offset", "transfer"])?;
                let (name, parse) = (input::path(input, "path")?, input::parse(input)?);
                let (path, transfer) = (base.below(name)?, transfer::read(input)?);
                let get = get::Get { path, transfer, offset: transfer::offset(input, transfer)? };
                let lease = pool.lease(cx, part, deadline).await?;
                let (attributes, body) = get::get(lease, cx, get, deadline).await?;
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
                input::known_keys(input, &["path", "exists", "body", "body_base64", "transfer"])?;
                let path = base.below(input::path(input, "path")?)?;
                let (exists, transfer) = (input::exists(input)?, transfer::read(input)?);
                let content = input::content(input, call.body, &limits)?;
                let put = put::Put { path, exists, transfer, content };
                let written = put::put(Arc::clone(pool), cx.clone(), put, deadline).await?;
                Ok(Answer { output: output::put(written, &limits)?, stream: None, read: 0, written })
            }
            _ => calls::invoke(pool, base, cx, call).await,
        }
    }

    /// Connects, verifies the server, signs in and looks at the base, which must be a folder.
    async fn test(&self, cx: &Context, deadline: Instant) -> Result<(), Error> {
        calls::test(&self.0, &self.0.server().0.base, cx, deadline.into()).await
    }
}
