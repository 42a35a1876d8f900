//! Rows become records: all in one document, or batch by batch as they are pulled.

use std::time::Instant;

use futures_util::stream;
use lockgate_connector_api::{
    Error, Kind, Records,
    sql::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX, row_bytes_max},
};
use lockgate_document::{Builder, Document};
use lockgate_model::Limits;
use tokio::time;

use crate::{
    failure,
    pool::Lease,
    read,
    session::{Given, Session},
    types::Column,
};

/// What rows were in all.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Gathered {
    /// How many.
    pub rows: u64,
    /// Bytes of data in them.
    pub bytes: u64,
}

/// Writes the rows of one result, each as an object, up to its end.
pub(crate) async fn gather(
    session: &mut Session,
    columns: &[Column],
    limits: &Limits,
    out: &mut Builder,
    gathered: &mut Gathered,
) -> Result<(), Error> {
    loop {
        match session.given(row_bytes_max(limits)).await? {
            Given::Row(row) => {
                *gathered = Gathered { rows: gathered.rows + 1, bytes: gathered.bytes + row.len() as u64 };
                if gathered.bytes > limits.reply_bytes_max {
                    return Err(failure::too_large());
                }
                read::record(out, columns, &row, limits)?;
            }
            Given::Ran { .. } => return Ok(()),
            Given::Columns(..) | Given::Ready => return Err(failure::protocol("rows do not end")),
        }
    }
}

/// The rows as they are pulled. The server runs no further ahead than the buffers of the connection
/// let it. When the reader drops the stream, the statement is ended at the server.
pub(crate) fn stream(lease: Lease, columns: Vec<Column>, limits: Limits, deadline: Instant) -> Records {
    let fields = columns.iter().map(|column| column.name.clone()).collect();
    let batches = stream::try_unfold(Some((lease, columns)), move |reading| async move {
        let Some((mut lease, columns)) = reading else { return Ok(None) };
        let pulled = time::timeout_at(deadline.into(), batch(lease.session()?, &columns, &limits)).await;
        match pulled.unwrap_or_else(|_| Err(Error::new(Kind::Timeout, "mysql-timeout", "the rows did not end in time")))
        {
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
async fn batch(session: &mut Session, columns: &[Column], limits: &Limits) -> Result<(Document, bool), Error> {
    let mut out = Builder::new(limits);
    let (mut records, mut bytes, mut more) = (0, 0, true);
    out.begin_array().map_err(|fault| failure::fault(&fault))?;
    while more && records < BATCH_RECORDS_MAX && bytes < BATCH_BYTES_MAX {
        match session.given(row_bytes_max(limits)).await? {
            Given::Row(row) => {
                (records, bytes) = (records + 1, bytes + row.len() as u64);
                read::record(&mut out, columns, &row, limits)?;
            }
            Given::Ran { .. } => {}
            Given::Ready => more = false,
            Given::Columns(..) => return Err(failure::protocol("rows of a second result")),
        }
    }
    let document = out.end().and_then(|()| out.finish()).map_err(|fault| failure::fault(&fault))?;
    Ok((document, more))
}
