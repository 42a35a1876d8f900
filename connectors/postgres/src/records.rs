//! Rows become records: all in one document, or batch by batch as they are pulled.

use std::{sync::Arc, time::Instant};

use fallible_iterator::FallibleIterator as _;
use futures_util::stream;
use lockgate_connector_api::{
    Error, Kind, Records,
    sql::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX, row_bytes_max},
};
use lockgate_document::{Builder, Document};
use lockgate_model::Limits;
use postgres_protocol::message::backend::DataRowBody;
use tokio::time;

use crate::{
    failure,
    pool::Lease,
    read::{self, Unread},
    session::{Given, Session},
    statement::{Column, Statement},
};

/// What a statement gave in all.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Rows it counted.
    pub rows: u64,
    /// Bytes of data in its rows.
    pub bytes: u64,
}

/// Writes all rows that come as one array, until the server is ready again.
pub(crate) async fn gather(
    session: &mut Session,
    statement: &Statement,
    limits: &Limits,
    out: &mut Builder,
) -> Result<Gathered, Error> {
    let mut gathered = Gathered::default();
    out.begin_array().map_err(|fault| failure::fault(&fault))?;
    loop {
        match session.given(row_bytes_max(limits)).await? {
            Given::Row(row) => {
                gathered.bytes += row.buffer().len() as u64;
                if gathered.bytes > limits.reply_bytes_max {
                    return Err(failure::too_large());
                }
                record(out, &statement.columns, &row, limits)?;
            }
            Given::Ran(rows) => gathered.rows += rows,
            Given::Ready => break,
        }
    }
    out.end().map_err(|fault| failure::fault(&fault))?;
    Ok(gathered)
}

/// The rows as they are pulled. The server runs no further ahead than the buffers of the connection
/// let it. When the reader drops the stream, the statement is cancelled.
pub(crate) fn stream(lease: Lease, statement: Arc<Statement>, limits: Limits, deadline: Instant) -> Records {
    let fields = statement.columns.iter().map(|column| column.name.clone()).collect();
    let reading = Some((lease, statement));
    let batches = stream::try_unfold(reading, move |reading| async move {
        let Some((mut lease, statement)) = reading else { return Ok(None) };
        let pulled = time::timeout_at(deadline.into(), batch(lease.session()?, &statement, &limits)).await;
        match pulled
            .unwrap_or_else(|_| Err(Error::new(Kind::Timeout, "postgres-timeout", "the rows did not end in time")))
        {
            Ok((document, true)) => Ok(Some((document, Some((lease, statement))))),
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
async fn batch(session: &mut Session, statement: &Statement, limits: &Limits) -> Result<(Document, bool), Error> {
    let mut out = Builder::new(limits);
    let (mut records, mut bytes, mut more) = (0, 0, true);
    out.begin_array().map_err(|fault| failure::fault(&fault))?;
    while more && records < BATCH_RECORDS_MAX && bytes < BATCH_BYTES_MAX {
        match session.given(row_bytes_max(limits)).await? {
            Given::Row(row) => {
                (records, bytes) = (records + 1, bytes + row.buffer().len() as u64);
                record(&mut out, &statement.columns, &row, limits)?;
            }
            Given::Ran(_) => {}
            Given::Ready => more = false,
        }
    }
    let document = out.end().and_then(|()| out.finish()).map_err(|fault| failure::fault(&fault))?;
    Ok((document, more))
}

fn record(out: &mut Builder, columns: &[Column], row: &DataRowBody, limits: &Limits) -> Result<(), Error> {
    let fault = |fault| failure::fault(&fault);
    let mut ranges = row.ranges();
    out.begin_object().map_err(fault)?;
    for column in columns {
        let range = ranges.next().map_err(|e| failure::of_io(&e))?;
        let range = range.ok_or_else(|| failure::protocol("a row has too few columns"))?;
        let cell = range.and_then(|range| row.buffer().get(range));
        out.key(&column.name).map_err(fault)?;
        read::value(out, &column.of, cell, limits).map_err(|unread| match unread {
            Unread::Fault(fault) => failure::fault(&fault),
            Unread::Malformed => Error::new(
                Kind::Protocol,
                "postgres-form",
                "a value is not in the form its type has in this connection (select it as text: `column::text`)",
            )
            .with_private(format!("column `{}` of type `{}`", column.name, column.of.name)),
        })?;
    }
    out.end().map_err(fault)
}
