//! Rows become records: all in one document, or batch by batch as they are pulled.

use std::{sync::Arc, time::Instant};

use futures_util::stream;
use lockgate_document::{Builder, Document};
use lockgate_model::Limits;
use tokio::time;

use super::{Lease, Row, Server, Session};
use crate::{Error, Records};

/// Records of a batch of a stream.
const BATCH_RECORDS_MAX: usize = 1_000;
/// Bytes of data after which a batch of a stream ends.
const BATCH_BYTES_MAX: u64 = 256 << 10;

/// What rows were in all.
#[derive(Debug, Default, Clone, Copy)]
pub struct Gathered {
    /// How many.
    pub rows: u64,
    /// How many the statement counted.
    pub counted: u64,
    /// Bytes of data in them.
    pub bytes: u64,
}

/// Writes the rows of one result, each as an object, up to its end. `gathered` goes on from what came
/// before.
///
/// # Errors
/// `TooLarge` past the limits of the run, and what fails on the way.
pub async fn gather<S: Session>(
    session: &mut S,
    columns: &S::Columns,
    limits: &Limits,
    out: &mut Builder,
    gathered: &mut Gathered,
) -> Result<(), Error> {
    loop {
        match session.row(columns, limits, out).await? {
            Row::Written(bytes) => {
                (gathered.rows, gathered.bytes) = (gathered.rows + 1, gathered.bytes + bytes);
                if gathered.bytes > limits.reply_bytes_max {
                    return Err(S::CODES.too_large());
                }
            }
            Row::End(counted) => {
                gathered.counted = gathered.counted.saturating_add(counted);
                return Ok(());
            }
        }
    }
}

/// The rows as they are pulled, each with these fields. The server runs no further ahead than the
/// buffers of the connection let it. When the reader drops the stream, the statement is ended at the
/// server.
pub fn stream<S: Server>(
    lease: Lease<S>,
    columns: Arc<<S::Session as Session>::Columns>,
    fields: Vec<String>,
    limits: Limits,
    deadline: Instant,
) -> Records {
    let batches = stream::try_unfold(Some((lease, columns)), move |reading| async move {
        let Some((mut lease, columns)) = reading else { return Ok(None) };
        let pulled = time::timeout_at(deadline.into(), batch(lease.session()?, &columns, &limits)).await;
        match pulled.unwrap_or_else(|_| Err(S::Session::CODES.late())) {
            Ok((document, true)) => Ok(Some((document, Some((lease, columns))))),
            Ok((document, false)) => {
                // All rows are here: whether the connection can be used again changes nothing.
                let _ = lease.finish(Ok(())).await;
                Ok((!document.root().is_empty()).then_some((document, None)))
            }
            Err(error) => lease.finish(Err(error)).await,
        }
    });
    Records::new(batches).with_fields(fields)
}

/// The next rows, and whether more may come.
async fn batch<S: Session>(session: &mut S, columns: &S::Columns, limits: &Limits) -> Result<(Document, bool), Error> {
    let mut out = Builder::new(limits);
    let (mut records, mut bytes, mut more) = (0, 0, true);
    out.begin_array().map_err(|fault| S::CODES.fault(&fault))?;
    while more && records < BATCH_RECORDS_MAX && bytes < BATCH_BYTES_MAX {
        match session.row(columns, limits, &mut out).await? {
            Row::Written(length) => (records, bytes) = (records + 1, bytes + length),
            Row::End(_) => more = false,
        }
    }
    let document = out.end().and_then(|()| out.finish()).map_err(|fault| S::CODES.fault(&fault))?;
    Ok((document, more))
}
