//! The operation `unload`: rows of a table come out as CSV by `copy … to stdout`. Nothing in them is
//! looked at on the way, so it is as fast as the server.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use lockgate_connector_api::{
    Answer, Body, Context, Error, Streamed,
    sql::{Unload, Work, row_bytes_max},
};
use lockgate_model::Limits;
use tokio::time;

use crate::{
    calls::{remaining_ms, undo},
    failure::{self, CODES},
    pool::{Lease, Pool},
    session::{Given, Session},
};

/// Bytes after which a piece of the stream ends.
const PIECE_BYTES_MIN: usize = 64 << 10;

/// Reads a table, in a transaction that can only read.
pub(crate) async fn unload(pool: &Arc<Pool>, cx: &Context, work: Work) -> Result<Answer, Error> {
    let unload = Unload::read(&work.input, CODES)?;
    let mut lease = pool.lease(cx, work.part, work.deadline).await?;
    let columns = unload.quoted_columns('"');
    // By a query, because a view cannot be copied.
    let sql = format!(
        "copy (select {columns} from {}) to stdout (format csv, header {}, delimiter '{}')",
        unload.table.quoted('"'),
        unload.header,
        unload.delimiter,
    );
    if let Err(error) = begin(lease.session()?, &sql, &work).await {
        return lease.finish(Err(error)).await;
    }
    if work.stream {
        let output = work.built(CODES, |out| out.begin_object().and_then(|()| out.end()))?;
        let body = pieces(lease, work.limits, work.deadline);
        return Ok(Answer { output, stream: Some(Streamed::Bytes(body)), read: 0, written: 0 });
    }
    let outcome = whole(lease.session()?, &work).await;
    lease.finish(outcome).await
}

async fn begin(session: &mut Session, sql: &str, work: &Work) -> Result<(), Error> {
    session.say(&format!("begin read only; set local statement_timeout = {}", remaining_ms(work)))?;
    session.heard().await?;
    let begun = session.copy(sql).await;
    if begun.is_err() {
        undo(session)?;
    }
    begun
}

async fn whole(session: &mut Session, work: &Work) -> Result<Answer, Error> {
    let mut all = BytesMut::new();
    loop {
        let (piece, more) = piece(session, &work.limits).await?;
        all.extend_from_slice(&piece);
        if all.len() as u64 > work.limits.reply_bytes_max {
            return Err(CODES.too_large());
        }
        if !more {
            break;
        }
    }
    let text = str::from_utf8(&all).map_err(|_| failure::protocol("a copy is no UTF-8"))?;
    let output = work.built(CODES, |out| {
        out.begin_object()?;
        out.key("body")?;
        out.text(text)?;
        out.end()
    })?;
    Ok(Answer { output, stream: None, read: all.len() as u64, written: 0 })
}

/// The pieces as they are pulled; a reader that drops them ends the statement.
fn pieces(lease: Lease, limits: Limits, deadline: std::time::Instant) -> Body {
    Body::new(stream::try_unfold(Some(lease), move |lease| async move {
        let Some(mut lease) = lease else { return Ok(None) };
        let pulled = time::timeout_at(deadline.into(), piece(lease.session()?, &limits)).await;
        match pulled.unwrap_or_else(|_| Err(CODES.late())) {
            Ok((piece, true)) => Ok(Some((piece, Some(lease)))),
            Ok((piece, false)) => {
                // All of it is here: whether the connection can be used again changes nothing.
                let _ = lease.finish(Ok(())).await;
                Ok((!piece.is_empty()).then_some((piece, None)))
            }
            Err(error) => lease.finish(Err(error)).await,
        }
    }))
}

/// The next piece, and whether more may come.
async fn piece(session: &mut Session, limits: &Limits) -> Result<(Bytes, bool), Error> {
    let mut piece = BytesMut::new();
    while piece.len() < PIECE_BYTES_MIN {
        match session.given(row_bytes_max(limits)).await {
            Ok(Given::Copied(row)) => piece.extend_from_slice(&row),
            Ok(Given::Ran(_)) => {}
            Ok(Given::Ready) => {
                undo(session)?;
                return Ok((piece.freeze(), false));
            }
            Ok(Given::Row(_)) => return Err(failure::protocol("a row in the place of a copy")),
            Err(error) => {
                undo(session)?;
                return Err(error);
            }
        }
    }
    Ok((piece.freeze(), true))
}
