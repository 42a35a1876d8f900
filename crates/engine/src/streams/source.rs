//! Records of a stream, taken by the strand that loops over them or maps them.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::{FutureExt as _, StreamExt as _};
use lockgate_connector_api::{Error, Kind, Records};
use lockgate_document::{Builder, Document, Fault};
use lockgate_model::{Limits, id::AccountName};

/// Where records come from.
pub(crate) struct Source {
    /// None when all have come.
    records: Option<Records>,
    /// They come without bytes: what they take is counted.
    counts: bool,
    /// The account they are read from.
    pub account: Option<AccountName>,
    /// Bytes that came so far.
    pub read: Arc<AtomicU64>,
    /// Some that came too early, and how many of these were given.
    held: Option<(Document, usize)>,
}

impl Source {
    pub fn new(records: Records, counts: bool, account: Option<AccountName>, read: Arc<AtomicU64>) -> Self {
        Self { records: Some(records), counts, account, read, held: None }
    }

    /// The next records as an array: so many, unless there are no more; as they come where that is 0.
    pub async fn batch(&mut self, size: u32, limits: &Limits) -> Result<Option<Document>, Error> {
        if size == 0 {
            return self.next().await;
        }
        let size = size as usize;
        let mut list = Builder::new(limits);
        list.begin_array().map_err(too_large)?;
        let mut taken = 0;
        while taken < size {
            let (some, from) = match self.held.take() {
                Some(held) => held,
                None => match self.next().await? {
                    Some(some) => (some, 0),
                    None => break,
                },
            };
            let until = some.root().len().min(from + size - taken);
            (from..until).try_for_each(|place| list.value(some.root().at(place))).map_err(too_large)?;
            taken += until - from;
            if until < some.root().len() {
                self.held = Some((some, until));
            }
        }
        if taken == 0 {
            return Ok(None);
        }
        list.end().and_then(|()| list.finish()).map(Some).map_err(too_large)
    }

    /// The next that are not none.
    async fn next(&mut self) -> Result<Option<Document>, Error> {
        while let Some(records) = &mut self.records {
            // A connector's own code may panic where it is polled.
            let Ok(next) = AssertUnwindSafe(records.next()).catch_unwind().await else {
                self.records = None;
                return Err(panicked());
            };
            let Some(some) = next.transpose()? else {
                self.records = None;
                break;
            };
            if self.counts {
                self.read.fetch_add(some.bytes_used(), Ordering::Relaxed);
            }
            if !some.root().is_empty() {
                return Ok(Some(some));
            }
        }
        Ok(None)
    }
}

fn panicked() -> Error {
    Error::new(Kind::Protocol, "LG-CONNECTOR-DEFECT", "the connector failed by a defect of its own")
}

fn too_large(_: Fault) -> Error {
    Error::new(Kind::TooLarge, "stream-batch", "so many records are larger than the limit: make the batches smaller")
}
