//! Calls of the operations that move no content, and the test of an account.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    Base, Pool, Server, Session as _, What,
    change::{self, nothing_there},
    input, output,
};
use crate::{Answer, Call, Context, Error, Kind, Part};

/// Runs `stat`, `move`, `delete` or `mkdir` below a base.
///
/// # Errors
/// `Input` before anything is sent, `Configuration` for another operation, and the server's.
pub async fn invoke<S: Server>(pool: &Arc<Pool<S>>, base: &Base, cx: &Context, call: Call) -> Result<Answer, Error> {
    let (deadline, part, limits) = (Instant::from(call.deadline), Part::of(&call), call.limits);
    let input = call.input.root();
    match call.operation.as_str() {
        "stat" => {
            input::known_keys(input, &["path"])?;
            let path = base.below(input::folder(input)?)?;
            let mut lease = pool.lease(cx, part, deadline).await?;
            let found = lease.session.follow(&path).await;
            lease.give_back();
            output::stat(&found?.ok_or_else(nothing_there)?, &limits).map(output::answer)
        }
        "move" => {
            input::known_keys(input, &["from", "to", "exists"])?;
            let (from, to) = (base.below(input::path(input, "from")?)?, base.below(input::path(input, "to")?)?);
            let exists = input::exists(input)?;
            let mv = change::Move { from, to, exists };
            change::relocate(Arc::clone(pool), cx.clone(), mv, deadline).await?;
            output::done(&limits)
        }
        "delete" | "mkdir" => {
            input::known_keys(input, &["path"])?;
            let path = base.below(input::path(input, "path")?)?;
            let mut lease = pool.lease(cx, part, deadline).await?;
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

/// Opens a session and looks at the base, which must be a folder.
///
/// # Errors
/// `NotFound` or `Configuration` where it is none, and what keeps a session from being opened.
pub async fn test<S: Server>(pool: &Arc<Pool<S>>, base: &Base, cx: &Context, deadline: Instant) -> Result<(), Error> {
    let mut lease = pool.fresh(cx, deadline).await?;
    let found = lease.session.follow(&base.itself()).await;
    lease.give_back();
    match found?.ok_or_else(nothing_there)?.what {
        What::File => {
            Err(Error::new(Kind::Configuration, "file-base", "the base of the account is a file, and no folder"))
        }
        _ => Ok(()),
    }
}
