//! Bytes become records, or one value, by what the call says that they mean.

use std::sync::{Arc, OnceLock};

use futures_util::{StreamExt as _, stream};
use lockgate_connector_api::{Body, Error, Kind, Records};
use lockgate_document::{
    Document, FormatError,
    formats::{self, Content},
};
use lockgate_model::Limits;

/// Records that come together at most.
const RECORDS_MAX: usize = 1_024;

/// The records in bytes, as these come.
pub(crate) fn records(body: Body, parse: &Content, limits: &Limits) -> Result<Records, Error> {
    let reader = parse.records(limits).ok_or_else(super::not_declared)?;
    let columns = Arc::new(OnceLock::new());
    let state = Some(Reading { body, reader, ended: false, columns: Arc::clone(&columns) });
    let records = Records::new(stream::unfold(state, |state| async move {
        let mut reading = state?;
        let batch = reading.next().await;
        reading.tell_columns();
        match batch {
            Ok(batch) => batch.map(|batch| (Ok(batch), Some(reading))),
            Err(error) => Some((Err(error), None)),
        }
    }));
    Ok(records.with_fields_that_come(columns))
}

/// The value of bytes that are all there.
pub(crate) fn whole(bytes: &[u8], parse: &Content, limits: &Limits) -> Result<Document, Error> {
    parse.document(bytes, limits).map_err(|wrong| not_so(&wrong))
}

struct Reading {
    body: Body,
    reader: formats::Records,
    ended: bool,
    /// Those of a table, for whoever writes the records as one.
    columns: Arc<OnceLock<Vec<String>>>,
}

impl Reading {
    fn tell_columns(&self) {
        if self.columns.get().is_none()
            && let Some(columns) = self.reader.columns()
        {
            // Nobody else sets them.
            let _ = self.columns.set(columns);
        }
    }

    async fn next(&mut self) -> Result<Option<Document>, Error> {
        loop {
            if let Some(batch) = self.reader.batch(RECORDS_MAX).map_err(|wrong| not_so(&wrong))? {
                return Ok(Some(batch));
            }
            if self.ended {
                return self.reader.complete().map(|()| None).map_err(|wrong| not_so(&wrong));
            }
            match self.body.next().await.transpose()? {
                // No bytes are the end, to the reader.
                Some(piece) if piece.is_empty() => {}
                Some(piece) => self.reader.push(&piece),
                None => {
                    self.ended = true;
                    self.reader.push(&[]);
                }
            }
        }
    }
}

/// Content that does not mean what the flow says.
fn not_so(wrong: &FormatError) -> Error {
    let text = "the content is not what `parse` says";
    Error::new(Kind::Protocol, "content-format", text).with_private(format!("{}: {wrong}", wrong.code()))
}
