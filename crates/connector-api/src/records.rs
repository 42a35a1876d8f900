//! Streamed records, out of a call: rows of a query, lines of a file.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use futures_util::{Stream, TryStreamExt as _};
use lockgate_document::Document;
use lockgate_model::id::AccountName;

use crate::{Body, Error};

/// Records that pass through in batches: a single pass, pulled by the reader, so that a slow reader
/// slows the endpoint and memory stays flat however many there are.
///
/// Each piece is one document: an array of one or more records, in order. A batch is bounded by the
/// connector in records *and* bytes; where batches begin and end has no meaning.
pub struct Records {
    batches: Pin<Box<dyn Stream<Item = Result<Document, Error>> + Send>>,
    fields: Arc<OnceLock<Vec<String>>>,
}

impl Records {
    /// Records from their batches.
    pub fn new(batches: impl Stream<Item = Result<Document, Error>> + Send + 'static) -> Self {
        Self { batches: Box::pin(batches), fields: Arc::default() }
    }

    /// States the fields that every record has, in order, for readers that must know them even where
    /// no record comes.
    #[must_use]
    pub fn with_fields(self, fields: Vec<String>) -> Self {
        self.with_fields_that_come(Arc::new(OnceLock::from(fields)))
    }

    /// The same of records that tell them as they come, with the first batch or at their end.
    #[must_use]
    pub fn with_fields_that_come(mut self, fields: Arc<OnceLock<Vec<String>>>) -> Self {
        self.fields = fields;
        self
    }

    /// The same records, where what goes wrong on the way is told in other words.
    #[must_use]
    pub fn map_err(self, told: impl FnMut(Error) -> Error + Send + 'static) -> Self {
        let Self { batches, fields } = self;
        Self { batches: Box::pin(batches.map_err(told)), fields }
    }

    /// The fields of every record, where they are known by now.
    pub fn fields(&self) -> Option<&[String]> {
        self.fields.get().map(Vec::as_slice)
    }
}

impl Stream for Records {
    type Item = Result<Document, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.batches.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Records")
    }
}

/// What streams out of a call beside its output.
#[derive(Debug)]
pub enum Streamed {
    /// The content of a file or an answer.
    Bytes(Body),
    /// Rows.
    Records(Records),
}

impl Streamed {
    /// The bytes, if it is bytes that stream.
    pub fn bytes(self) -> Option<Body> {
        match self {
            Self::Bytes(body) => Some(body),
            Self::Records(_) => None,
        }
    }

    /// The records, if it is records that stream.
    pub fn records(self) -> Option<Records> {
        match self {
            Self::Bytes(_) => None,
            Self::Records(records) => Some(records),
        }
    }

    /// Says in what goes wrong on the way which call it comes out of, as [`Error::at`] does. Whoever
    /// reads it is another call, and would take the failure for its own.
    pub(crate) fn at(self, account: &AccountName, operation: Option<&'static str>) -> Self {
        let account = account.clone();
        let named = move |error: Error| error.at(&account, operation);
        match self {
            Self::Bytes(body) => {
                let length = body.length();
                Self::Bytes(Body::new(body.map_err(named)).with_length(length))
            }
            Self::Records(records) => Self::Records(records.map_err(named)),
        }
    }
}
