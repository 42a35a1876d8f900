//! Streams between two calls of a run: what one opens, the next takes, written as its content.
//!
//! A stream lives in the run, never in a frame: nothing of it is a value. It is pulled by the call that
//! takes it, so that its source is only read as fast as its sink writes; what is under way is one
//! batch. A stream that nobody takes ends when the run goes on, and a failure of its source fails
//! the call that takes it, in the source's name. A record that cannot be written is that call's own.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt as _, stream};
use lockgate_connector_api::{Body, Error, Kind, Records, Streamed};
use lockgate_document::{Builder, CsvWriter, Document};
use lockgate_model::{Limits, id::AccountName, manifest::StreamFormat};

/// A stream that was opened and not taken yet.
pub(crate) struct Open {
    /// What comes.
    pub streamed: Streamed,
    /// The account it is read from; none where a mock stands in for it.
    pub account: Option<AccountName>,
    /// Bytes of content that came so far.
    pub read: Arc<AtomicU64>,
}

/// A connector did not do what its declaration says, or a module not what the compiler emits.
pub(crate) fn no_stream() -> Error {
    Error::new(Kind::Protocol, "no-stream", "there is no stream where one was declared")
}

impl Open {
    /// What a mocked answer streams: its member `stream`, an array for records and a text for bytes.
    pub fn mocked(answer: &Document, account: &str) -> Self {
        let given = answer.root().get("stream");
        let streamed = match given.as_str() {
            Some(text) => Streamed::Bytes(Body::full(text.to_owned())),
            None => {
                let mut builder = Builder::new(&Limits { arena_bytes_max: u64::MAX, ..Limits::default() });
                let records = builder.value(given).and_then(|()| builder.finish());
                let batch = records.map_err(|_| no_stream());
                Streamed::Records(Records::new(stream::iter([batch])))
            }
        };
        Self { streamed, account: AccountName::parse(account).ok(), read: Arc::default() }
    }

    /// The content of the call that takes it.
    pub fn body(self, format: &StreamFormat) -> Result<Body, Error> {
        let Self { streamed, read, .. } = self;
        let body = match (streamed, format) {
            (Streamed::Bytes(body), StreamFormat::Bytes) => body,
            (Streamed::Records(records), StreamFormat::Csv(delimiter)) => {
                let fields = records.fields().map(<[String]>::to_vec);
                written(records, Writer::Csv(Some(CsvWriter::new(*delimiter, fields))))
            }
            (Streamed::Records(records), StreamFormat::Json) => written(records, Writer::Json { any: false }),
            (Streamed::Records(records), StreamFormat::JsonLines) => written(records, Writer::JsonLines),
            _ => return Err(Error::new(Kind::Protocol, "stream-content", "the stream is not of what was declared")),
        };
        Ok(counted(body, read))
    }
}

/// Counts what passes.
fn counted(body: Body, read: Arc<AtomicU64>) -> Body {
    let length = body.length();
    let counted = body.inspect_ok(move |bytes| {
        read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    });
    Body::new(counted).with_length(length)
}

/// How records become bytes.
enum Writer {
    /// Taken at the end.
    Csv(Option<CsvWriter>),
    Json {
        any: bool,
    },
    JsonLines,
}

impl Writer {
    fn write(&mut self, records: &Document, out: &mut Vec<u8>) -> Result<(), Error> {
        let no_value = |_| Error::new(Kind::Input, "stream-record", "a record cannot be written");
        match self {
            Self::Csv(writer) => match writer {
                Some(writer) => writer.write(records.root(), out).map_err(|wrong| {
                    Error::new(Kind::Input, "stream-record", "a record has no place in the table")
                        .with_private(format!("{wrong}: `{}`", wrong.field()))
                }),
                None => Ok(()),
            },
            Self::Json { any } => records
                .each_item_json(|item| {
                    out.push(if std::mem::replace(any, true) { b',' } else { b'[' });
                    out.extend_from_slice(item);
                })
                .map_err(no_value),
            Self::JsonLines => records
                .each_item_json(|item| {
                    out.extend_from_slice(item);
                    out.push(b'\n');
                })
                .map_err(no_value),
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Csv(writer) => {
                if let Some(writer) = writer.take() {
                    writer.finish(out);
                }
            }
            Self::Json { any } => out.extend_from_slice(if *any { b"]" } else { b"[]" }),
            Self::JsonLines => {}
        }
    }
}

/// Records written one batch after the other.
fn written(records: Records, writer: Writer) -> Body {
    Body::new(pieces(records, writer))
}

fn pieces(records: Records, writer: Writer) -> impl Stream<Item = Result<Bytes, Error>> {
    stream::unfold(Some((records, writer)), |state| async move {
        let (mut records, mut writer) = state?;
        let mut out = Vec::new();
        loop {
            match records.next().await {
                Some(Ok(batch)) => match writer.write(&batch, &mut out) {
                    Ok(()) if out.is_empty() => {}
                    Ok(()) => return Some((Ok(out.into()), Some((records, writer)))),
                    Err(error) => return Some((Err(error), None)),
                },
                Some(Err(error)) => return Some((Err(error), None)),
                None => {
                    writer.finish(&mut out);
                    return (!out.is_empty()).then(|| (Ok(out.into()), None));
                }
            }
        }
    })
}

#[cfg(test)]
mod tests;
