//! Giving records one by one, in batches or all at once: what readers of records share.

use lockgate_model::Limits;

use crate::document::Document;
use crate::format::FormatError;
use crate::handle::Handle;
use crate::rows::Rows;

/// Bytes of source after which a batch of records is given. The buffers of larger ones go back to the
/// system each time, which costs more than is won.
const BATCH_BYTES: u64 = 16 << 10;

/// Where records come from.
pub(crate) trait Source {
    /// Reads the next record that is complete.
    fn record(&mut self, rows: &mut Rows) -> Result<Option<Handle>, FormatError>;
    /// Where in the source the next record begins.
    fn offset(&self) -> u64;
}

/// Records of a source, each document under the limits. Nothing comes after an error but the error.
pub(crate) struct Records<S> {
    pub(crate) source: S,
    limits: Limits,
    failed: Option<FormatError>,
}

impl<S: Source> Records<S> {
    pub(crate) fn new(source: S, limits: &Limits) -> Self {
        Self { source, limits: *limits, failed: None }
    }
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// The next record.
    pub(crate) fn one(&mut self) -> Result<Option<Document>, FormatError> {
        self.settled(|records| {
            let mut rows = Rows::new(&records.limits);
            let record = records.source.record(&mut rows)?;
            Ok(record.map(|record| rows.only(record)))
        })
    }

    /// The next records as one array of at most so many. What is wrong with a record is told when those
    /// before it were given.
    pub(crate) fn batch(&mut self, records_max: usize) -> Result<Option<Document>, FormatError> {
        self.settled(|records| {
            let mut rows = Rows::new(&records.limits);
            let end = records.source.offset() + BATCH_BYTES;
            while rows.kept() < records_max && records.source.offset() < end {
                match records.add(&mut rows) {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) if rows.kept() == 0 => return Err(error),
                    Err(error) => {
                        records.failed = Some(error);
                        break;
                    }
                }
            }
            if rows.kept() == 0 { Ok(None) } else { records.finish(rows).map(Some) }
        })
    }

    /// All records as one array; no more bytes will come.
    pub(crate) fn all(mut self) -> Result<Document, FormatError> {
        let mut rows = Rows::new(&self.limits);
        while self.add(&mut rows)? {}
        self.finish(rows)
    }

    fn add(&mut self, rows: &mut Rows) -> Result<bool, FormatError> {
        let Some(record) = self.source.record(rows)? else { return Ok(false) };
        rows.keep(record).map_err(|fault| FormatError::fault(&fault, self.source.offset()))?;
        Ok(true)
    }
    fn finish(&self, rows: Rows) -> Result<Document, FormatError> {
        rows.finish().map_err(|fault| FormatError::fault(&fault, self.source.offset()))
    }

    fn settled<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, FormatError>) -> Result<T, FormatError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = read(self);
        if let Err(error) = &result {
            self.failed = Some(error.clone());
        }
        result
    }
}
