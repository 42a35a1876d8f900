//! Records become the content of a call.

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use lockgate_connector_api::{Body, Error, Kind, Records};
use lockgate_document::{CsvWriter, Document, RecordWriter, formats::Content};
use lockgate_model::Limits;

/// Records written one batch after the other.
pub(super) fn written(records: Records, format: &Content, limits: &Limits) -> Result<Body, Error> {
    let writer = match format.writer(limits).ok_or_else(super::not_declared)? {
        _ if format.is_table() => Writer::Later(format.clone()),
        writer => Writer::Other(writer),
    };
    Ok(Body::new(pieces(records, writer)))
}

/// How records become bytes.
enum Writer {
    /// A table, whose columns may be known when the first records are.
    Later(Content),
    /// A table can tell which field has no place in it. Taken at the end.
    Table(Option<CsvWriter>),
    Other(Box<dyn RecordWriter>),
}

impl Writer {
    /// Something came of the records, or their end.
    fn ready(&mut self, records: &Records) {
        if let Self::Later(format) = self {
            *self = Self::Table(format.table(records.fields().map(<[String]>::to_vec)));
        }
    }

    fn write(&mut self, records: &Document, out: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Table(Some(table)) => table.write(records.root(), out).map_err(|wrong| {
                Error::new(Kind::Input, "stream-record", "a record has no place in the table")
                    .with_private(format!("{wrong}: `{}`", wrong.field()))
            }),
            Self::Table(None) | Self::Later(_) => Ok(()),
            Self::Other(writer) => {
                records.root().items().try_for_each(|record| writer.write(record, out)).map_err(unwritten)
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Later(_) => Ok(()),
            Self::Table(table) => {
                if let Some(table) = table.take() {
                    table.finish(out);
                }
                Ok(())
            }
            Self::Other(writer) => writer.finish(out).map_err(unwritten),
        }
    }
}

fn unwritten(wrong: lockgate_document::FormatError) -> Error {
    Error::new(Kind::Input, "stream-record", "a record cannot be written")
        .with_private(format!("{}: {wrong}", wrong.code()))
}

fn pieces(records: Records, writer: Writer) -> impl Stream<Item = Result<Bytes, Error>> {
    stream::unfold(Some((records, writer)), |state| async move {
        let (mut records, mut writer) = state?;
        let mut out = Vec::new();
        loop {
            let next = records.next().await;
            writer.ready(&records);
            let (written, ended) = match next {
                Some(Ok(batch)) => (writer.write(&batch, &mut out), false),
                Some(Err(error)) => (Err(error), true),
                None => (writer.finish(&mut out), true),
            };
            match (written, ended) {
                (Err(error), _) => return Some((Err(error), None)),
                (Ok(()), true) => return (!out.is_empty()).then(|| (Ok(out.into()), None)),
                (Ok(()), false) if out.is_empty() => {}
                (Ok(()), false) => return Some((Ok(out.into()), Some((records, writer)))),
            }
        }
    })
}
