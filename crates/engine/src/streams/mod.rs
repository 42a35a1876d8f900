//! Streams of a run: what one call opens, the task behind it takes. Another call takes it as its content ([`written`]), a
//! loop takes records as they come ([`source`]); what bytes mean is said by the call that opens it ([`parsed`]).
//!
//! A stream lives in the run, never in a frame: nothing of it is a value. It is pulled by what
//! takes it, so that its source is only read as fast as its sink writes; what is under way is one
//! batch. A stream that nobody takes ends when the run goes on, and a failure of its source fails
//! the call that takes it, in the source's name. A record that cannot be written is that call's own.

mod contents;
mod feed;
mod parsed;
mod source;
mod written;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures_util::{TryStreamExt as _, stream};
use lockgate_connector_api::{Body, Error, Kind, Records, Streamed};
use lockgate_document::{Builder, Document, formats::Content};
use lockgate_model::{Limits, id::AccountName};

pub(crate) use contents::Contents;
pub(crate) use feed::{Feed, Feeding, Pulled};
pub(crate) use parsed::{records, whole};
pub(crate) use source::Source;

/// A stream that was opened and not taken yet.
pub(crate) struct Open {
    /// What comes.
    pub streamed: Streamed,
    /// What it means, where it is bytes and that is said.
    pub parse: Option<Arc<Content>>,
    /// The account it is read from; none where a mock stands in for it.
    pub account: Option<AccountName>,
    /// The operation that opened it.
    pub operation: Arc<str>,
    /// Bytes of content that came so far.
    pub read: Arc<AtomicU64>,
}

/// A connector did not do what its declaration says, or a module not what the compiler emits.
pub(crate) fn no_stream() -> Error {
    Error::new(Kind::Protocol, "no-stream", "there is no stream where one was declared")
}

fn not_declared() -> Error {
    Error::new(Kind::Protocol, "stream-content", "the stream is not of what was declared")
}

impl Open {
    /// What a mocked answer streams: its member `stream`, an array for records and a text for bytes.
    pub fn mocked(answer: &Document, account: &str, operation: &str, parse: Option<Arc<Content>>) -> Self {
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
        let account = AccountName::parse(account).ok();
        Self { streamed, parse, account, operation: operation.into(), read: Arc::default() }
    }

    /// The content of the call that takes it; without a format it is bytes.
    pub fn body(self, format: Option<&Content>, limits: &Limits) -> Result<Body, Error> {
        let read = Arc::clone(&self.read);
        match (self.streamed, self.parse, format) {
            (Streamed::Bytes(body), None, None) => Ok(counted(body, read)),
            (Streamed::Bytes(body), Some(parse), Some(format)) => {
                let records = records(counted(body, read), &parse, limits)?;
                written::written(named(records, self.account, self.operation), format, limits)
            }
            // Rows have no bytes of their own: those that are written of them are counted.
            (Streamed::Records(records), None, Some(format)) => {
                Ok(counted(written::written(records, format, limits)?, read))
            }
            _ => Err(not_declared()),
        }
    }

    /// Its records.
    pub fn source(self, limits: &Limits) -> Result<Source, Error> {
        let Self { streamed, parse, account, operation, read } = self;
        let (records, counts) = match (streamed, parse) {
            (Streamed::Bytes(body), Some(parse)) => {
                let records = records(counted(body, Arc::clone(&read)), &parse, limits)?;
                (named(records, account.clone(), operation), false)
            }
            (Streamed::Records(records), None) => (records, true),
            _ => return Err(not_declared()),
        };
        Ok(Source::new(records, counts, account, read))
    }
}

/// Content that cannot be read is a failure of the call it came out of, and not of the one that takes it.
fn named(records: Records, account: Option<AccountName>, operation: Arc<str>) -> Records {
    records.map_err(move |error| match &account {
        Some(account) => error.at(account, Some(&operation)),
        None => error,
    })
}

/// Counts what passes.
fn counted(body: Body, read: Arc<AtomicU64>) -> Body {
    let length = body.length();
    let counted = body.inspect_ok(move |bytes| {
        read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    });
    Body::new(counted).with_length(length)
}

#[cfg(test)]
mod tests;
