//! Calls of the operations, and the test of an account.

use std::sync::Arc;

use lockgate_document::Node;
use tokio::time::Instant;

use super::{
    Pool, Server, Session as _, What,
    change::{self, nothing_there},
    content::Content,
    get::{self, Get},
    input::{self, Transfer},
    listing::Listing,
    output,
    put::{self, Put},
    stable,
};
use crate::{Answer, Call, Context, Error, Kind, Part, Streamed};

/// Runs an operation below an account's base.
///
/// # Errors
/// `Input` before anything is sent, `Configuration` for an operation that there is not, and the server's.
pub async fn invoke<S: Server>(pool: &Arc<Pool<S>>, cx: &Context, call: Call) -> Result<Answer, Error> {
    match call.operation.as_str() {
        "list" => list(pool, cx, call).await,
        "stat" => stat(pool, cx, call).await,
        "get" => read(pool, cx, call).await,
        "put" => write(pool, cx, call).await,
        "move" => relocate(pool, cx, call).await,
        "delete" | "mkdir" => change_one(pool, cx, call).await,
        _ => Err(Error::new(Kind::Configuration, "unknown-operation", "the connector has no such operation")),
    }
}

async fn list<S: Server>(pool: &Arc<Pool<S>>, cx: &Context, call: Call) -> Result<Answer, Error> {
    let (input, part, deadline) = (call.input.root(), Part::of(&call), call.deadline.into());
    input::known_keys(input, &["path", "pattern", "entries_max", "stable"])?;
    let folder = pool.server().base().below(input::folder(input)?)?;
    let (pattern, entries_max) = (input::pattern(input)?, input::entries_max(input)?);
    let listing = || Listing::new(pattern, entries_max);
    let (entries, more) = match input::stable(input)? {
        None => super::list(pool, cx, part, &folder, listing(), deadline).await?,
        Some(span) => stable::folder(pool, cx, part, (&folder, listing), span, deadline).await?,
    };
    output::list(&entries, more, &call.limits).map(output::answer)
}

async fn stat<S: Server>(pool: &Arc<Pool<S>>, cx: &Context, call: Call) -> Result<Answer, Error> {
    let input = call.input.root();
    input::known_keys(input, &["path"])?;
    let path = pool.server().base().below(input::folder(input)?)?;
    let mut lease = pool.lease(cx, Part::of(&call), call.deadline.into()).await?;
    let found = lease.session.follow(&path).await;
    lease.give_back();
    output::stat(&found?.ok_or_else(nothing_there)?, &call.limits).map(output::answer)
}

async fn read<S: Server>(pool: &Arc<Pool<S>>, cx: &Context, call: Call) -> Result<Answer, Error> {
    let (input, limits) = (call.input.root(), &call.limits);
    let transfer = keys_and_transfer::<S>(input, &["path", "parse", "offset", "stable"])?;
    let (name, parse) = (input::path(input, "path")?, input::parse(input)?);
    let path = pool.server().base().below(name)?;
    let get = Get { path, transfer, offset: input::offset(input, transfer)? };
    let (part, deadline) = (Part::of(&call), call.deadline.into());
    let watched = match input::stable(input)? {
        None => None,
        Some(span) => Some(stable::file(pool, cx, part, &get.path, span, deadline).await?),
    };
    let (attributes, body) = get::get(pool, cx, part, get, deadline).await?;
    if watched.is_some_and(|watched| watched != attributes) {
        return Err(stable::unstable());
    }
    if call.stream {
        let output = output::get(&attributes, None, limits)?;
        return Ok(Answer { output, stream: Some(Streamed::Bytes(body)), read: 0, written: 0 });
    }
    let bytes = body.collect(limits.reply_bytes_max).await?;
    let read = bytes.len() as u64;
    let shown = parse.read(name, bytes, limits)?;
    Ok(Answer { output: output::get(&attributes, Some(shown), limits)?, stream: None, read, written: 0 })
}

async fn write<S: Server>(pool: &Arc<Pool<S>>, cx: &Context, call: Call) -> Result<Answer, Error> {
    let (input, limits) = (call.input.root(), &call.limits);
    let transfer = keys_and_transfer::<S>(input, &["path", "exists", "temporary", "body", "body_base64"])?;
    let path = pool.server().base().below(input::path(input, "path")?)?;
    let (exists, temporary) = (input::exists(input)?, input::temporary(input)?);
    let content = Content::new(input::content(input, call.body, limits)?, transfer);
    let written = put::put(pool, cx, Put { path, exists, temporary, content }, call.deadline.into()).await?;
    Ok(Answer { output: output::put(written, limits)?, stream: None, read: 0, written })
}

async fn relocate<S: Server>(pool: &Arc<Pool<S>>, cx: &Context, call: Call) -> Result<Answer, Error> {
    let (input, base) = (call.input.root(), pool.server().base());
    input::known_keys(input, &["from", "to", "exists"])?;
    let (from, to) = (base.below(input::path(input, "from")?)?, base.below(input::path(input, "to")?)?);
    let mv = change::Move { from, to, exists: input::exists(input)? };
    change::relocate(Arc::clone(pool), cx.clone(), mv, call.deadline.into()).await?;
    output::done(&call.limits)
}

async fn change_one<S: Server>(pool: &Arc<Pool<S>>, cx: &Context, call: Call) -> Result<Answer, Error> {
    let input = call.input.root();
    input::known_keys(input, &["path"])?;
    let path = pool.server().base().below(input::path(input, "path")?)?;
    let mut lease = pool.lease(cx, Part::of(&call), call.deadline.into()).await?;
    let changed = match call.operation.as_str() {
        "delete" => change::delete(&mut lease.session, &path).await,
        _ => change::make_folder(&mut lease.session, &path).await,
    };
    lease.give_back();
    changed.and_then(|()| output::done(&call.limits))
}

/// How the content travels; other keys than these are refused, and so is `transfer` where there is
/// only one way.
fn keys_and_transfer<S: Server>(input: Node<'_>, keys: &[&str]) -> Result<Transfer, Error> {
    let transfer: &[&str] = if S::TAKES_LINES { &["transfer"] } else { &[] };
    input::known_keys(input, &[keys, transfer].concat())?;
    input::transfer(input)
}

/// Opens a session and looks at the base, which must be a folder.
///
/// # Errors
/// `NotFound` or `Configuration` where it is none, and what keeps a session from being opened.
pub async fn test<S: Server>(pool: &Arc<Pool<S>>, cx: &Context, deadline: Instant) -> Result<(), Error> {
    let mut lease = pool.fresh(cx, deadline).await?;
    let found = lease.session.follow(&pool.server().base().itself()).await;
    lease.give_back();
    match found?.ok_or_else(nothing_there)?.what {
        What::File => {
            Err(Error::new(Kind::Configuration, "file-base", "the base of the account is a file, and no folder"))
        }
        _ => Ok(()),
    }
}
