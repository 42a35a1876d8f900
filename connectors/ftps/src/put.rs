//! `put`: a file appears under its name as a whole or not at all.
//!
//! The content is written to a temporary name in the same folder, its size is checked, and only then
//! is it renamed.

use std::sync::Arc;

use futures_util::StreamExt as _;
use lockgate_connector_api::{
    Body, Context, Error,
    files::{
        Pool, Remote, change,
        input::Exists,
        not_stored,
        undo::{self, Traces},
        unlike,
    },
};
use tokio::time::Instant;

use crate::{
    account::Account,
    ascii::Outgoing,
    data::{Asked, Data, Opening},
    failure,
    reply::Class,
    session::Session,
    transfer::Transfer,
};

/// What is to be written, and where.
pub(crate) struct Put {
    pub path: Remote,
    pub exists: Exists,
    pub transfer: Transfer,
    pub content: Body,
}

/// Writes a file; gives the length of its content. The deadline holds; what is left to tidy up then is
/// tidied up behind it.
pub(crate) async fn put(pool: Arc<Pool<Account>>, cx: Context, put: Put, deadline: Instant) -> Result<u64, Error> {
    let own = cx.clone();
    undo::whole(pool, cx, deadline, move |session, traces| {
        Box::pin(async move { upload(put, session, traces, &own, deadline).await })
    })
    .await
}

async fn upload(
    put: Put,
    session: &mut Session,
    traces: &mut Traces,
    cx: &Context,
    deadline: Instant,
) -> Result<u64, Error> {
    let Put { path, exists, transfer, content } = put;
    // Told before gigabytes were sent for nothing; the rename decides.
    change::check_free(session, &path, exists).await?;
    session.represent(transfer).await?;
    let temporary = path.temporary()?;
    traces.temporary = Some(temporary.clone());
    let asked = Asked { offset: 0, verb: "STOR", argument: temporary.as_str() };
    let data = Data::open(session, cx, asked, deadline).await;
    // Refused for good: no file came about. What could not be done for now may have begun.
    if matches!(&data, Err(Opening::Refused(reply)) if reply.class() == Class::Never) {
        traces.temporary = None;
    }
    let (length, is_proven) = write(session, data?, content, transfer).await?;
    // The ends of lines may be longer or shorter there.
    let stored = match transfer {
        Transfer::Binary => session.size(&temporary).await?,
        Transfer::Ascii => None,
    };
    match stored.map(|stored| stored == length) {
        Some(true) => {}
        None if is_proven => {}
        Some(false) if is_proven => return Err(not_stored()),
        _ => return Err(failure::cut()),
    }
    change::rename(session, traces, &temporary, &path, exists).await?;
    Ok(length)
}

/// Sends a content; gives its length, and whether its end was proven by TLS.
async fn write(
    session: &mut Session,
    mut data: Data,
    mut content: Body,
    transfer: Transfer,
) -> Result<(u64, bool), Error> {
    let stated = content.length();
    let mut lines = (transfer == Transfer::Ascii).then(Outgoing::default);
    let mut length = 0_u64;
    while let Some(piece) = content.next().await.transpose()? {
        length = length.saturating_add(piece.len() as u64);
        if stated.is_some_and(|stated| length > stated) {
            return Err(unlike());
        }
        match &mut lines {
            Some(lines) => data.write(session, &lines.piece(&piece)).await?,
            None => data.write(session, &piece).await?,
        }
    }
    if stated.is_some_and(|stated| length != stated) {
        return Err(unlike());
    }
    Ok((length, data.finish(session).await?))
}
