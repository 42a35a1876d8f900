//! `stable`: files that nobody is writing are those whose size and time stay the same for a while, as
//! far as a server tells them.
//!
//! No session is held meanwhile.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::{Attributes, Pool, Remote, Server, Session as _, What, change::nothing_there, listing::Listing};
use crate::{Context, Error, Kind, Part};

/// Waits until a file has stayed the same for that long.
///
/// # Errors
/// `Unavailable` when it did not, `Timeout` without waiting where the deadline comes first, and the
/// server's.
pub async fn file<S: Server>(
    pool: &Arc<Pool<S>>,
    cx: &Context,
    part: Part,
    path: &Remote,
    span: Duration,
    deadline: Instant,
) -> Result<Attributes, Error> {
    let before = look(pool, cx, part, path, deadline).await?;
    pass(span, deadline).await?;
    let after = look(pool, cx, part, path, deadline).await?;
    if before == after { Ok(after) } else { Err(unstable()) }
}

/// The files of a folder that have stayed the same for that long, and all else that is in it.
///
/// # Errors
/// As [`file()`].
pub async fn folder<'a, S: Server>(
    pool: &Arc<Pool<S>>,
    cx: &Context,
    part: Part,
    (folder, listing): (&Remote, impl Fn() -> Listing<'a>),
    span: Duration,
    deadline: Instant,
) -> Result<(Vec<(String, Attributes)>, bool), Error> {
    let (before, _) = super::list(pool, cx, part, folder, listing(), deadline).await?;
    pass(span, deadline).await?;
    let (mut entries, more) = super::list(pool, cx, part, folder, listing(), deadline).await?;
    let before: BTreeMap<String, Attributes> = before.into_iter().collect();
    entries.retain(|(name, attributes)| attributes.what != What::File || before.get(name) == Some(attributes));
    Ok((entries, more))
}

async fn look<S: Server>(
    pool: &Arc<Pool<S>>,
    cx: &Context,
    part: Part,
    path: &Remote,
    deadline: Instant,
) -> Result<Attributes, Error> {
    let mut lease = pool.lease(cx, part, deadline).await?;
    let found = lease.session.follow(path).await;
    lease.give_back();
    found?.ok_or_else(nothing_there)
}

async fn pass(span: Duration, deadline: Instant) -> Result<(), Error> {
    if deadline.saturating_duration_since(Instant::now()) <= span {
        return Err(Error::new(Kind::Timeout, "file-timeout", "less time is left than `stable` wants to watch"));
    }
    sleep(span).await;
    Ok(())
}

/// A file that somebody may be writing.
pub fn unstable() -> Error {
    Error::new(
        Kind::Unavailable,
        "file-changed",
        "the file changed while it was watched (`stable`): it is still being written",
    )
}
