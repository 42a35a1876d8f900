//! JSON Lines: one JSON text a line, in UTF-8. A line ends with a line feed, the last one also with
//! the end of the input; a carriage return before it is a blank. Blank lines are left out.

use std::fmt;

use lockgate_model::Limits;

use super::ParseOptions;
use super::batch::Batch;
use super::write::print;
use crate::document::Document;
use crate::fault::Fault;
use crate::format::{FormatError, RecordReader, RecordWriter};
use crate::node::Node;

/// Reads a record from each line. What is held is the line at hand and the piece it came in. Its `Debug`
/// text shows no data.
pub struct JsonLines {
    limits: Limits,
    options: ParseOptions,
    buffer: Vec<u8>,
    /// Where the next line begins in the buffer.
    at: usize,
    /// So many bytes of it hold no line feed.
    looked: usize,
    /// Where the buffer begins in all that was pushed.
    base: u64,
    ended: bool,
    records: u64,
    failed: Option<FormatError>,
}

impl JsonLines {
    /// Nothing yet; each line is read under these limits.
    pub fn new(limits: &Limits, options: ParseOptions) -> Self {
        let (at, looked, base, records) = (0, 0, 0, 0);
        Self { limits: *limits, options, buffer: Vec::new(), at, looked, base, ended: false, records, failed: None }
    }

    /// The next line that is complete, and where it begins.
    fn line(&mut self) -> Result<Option<(usize, usize)>, FormatError> {
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let end = rest.iter().skip(self.looked).position(|byte| *byte == b'\n').map(|length| self.looked + length);
        let (length, next) = match end {
            Some(length) => (length, self.at + length + 1),
            None if self.ended && !rest.is_empty() => (rest.len(), self.buffer.len()),
            None if rest.len() as u64 > self.limits.arena_bytes_max => {
                return Err(FormatError::fault(&Fault::ArenaFull, self.base + self.at as u64));
            }
            None => {
                self.looked = rest.len();
                return Ok(None);
            }
        };
        let start = std::mem::replace(&mut self.at, next);
        self.looked = 0;
        Ok(Some((start, start + length)))
    }

    /// Some of the next records that are complete, in an array; none when more bytes are needed or all
    /// were given. What is wrong is told when those before it were given.
    pub fn batch(&mut self, records_max: usize) -> Result<Option<Document>, FormatError> {
        let mut batch = Batch::new(&self.limits);
        loop {
            match self.filled() {
                Ok(Some((start, end))) if batch.is_full(end - start, records_max) => {
                    self.at = start;
                    break;
                }
                Ok(Some((start, end))) => {
                    let line = self.buffer.get(start..end).unwrap_or_default();
                    match batch.push(line, self.limits.depth_max, self.options) {
                        Ok(()) => self.records += 1,
                        Err(error) => self.fuse(FormatError::json(&error, self.base + start as u64)),
                    }
                }
                Ok(None) => break,
                Err(error) if batch.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(batch.finish())
    }

    /// The next line that is not blank.
    fn filled(&mut self) -> Result<Option<(usize, usize)>, FormatError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        loop {
            match self.line() {
                Ok(Some((start, end))) => {
                    let line = self.buffer.get(start..end).unwrap_or_default();
                    if !line.trim_ascii().is_empty() {
                        return Ok(Some((start, end)));
                    }
                }
                Ok(None) => return Ok(None),
                Err(error) => {
                    self.fuse(error);
                    return self.filled();
                }
            }
        }
    }

    /// There are no further records.
    fn fuse(&mut self, error: FormatError) {
        self.failed = Some(error.of_record(self.records + 1));
    }
}

impl RecordReader for JsonLines {
    fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.buffer.drain(..self.at);
        self.base += self.at as u64;
        self.at = 0;
        self.buffer.extend_from_slice(bytes);
    }
    fn end(&mut self) {
        self.ended = true;
    }
    fn next(&mut self) -> Result<Option<Document>, FormatError> {
        let Some((start, end)) = self.filled()? else { return Ok(None) };
        let line = self.buffer.get(start..end).unwrap_or_default();
        match Document::parse_with(line, &self.limits, self.options) {
            Ok(record) => {
                self.records += 1;
                Ok(Some(record))
            }
            Err(error) => {
                self.fuse(FormatError::json(&error, self.base + start as u64));
                self.filled().map(|_| None)
            }
        }
    }
}

impl fmt::Debug for JsonLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonLines({} records, {} bytes held)", self.records, self.buffer.len() - self.at)
    }
}

/// Writes each record on a line of its own.
#[derive(Debug)]
pub struct JsonLinesWriter {
    record_bytes_max: u64,
    records: u64,
}

impl JsonLinesWriter {
    /// Nothing yet; no record may print to more than these bytes.
    pub fn new(record_bytes_max: u64) -> Self {
        Self { record_bytes_max, records: 0 }
    }
}

impl RecordWriter for JsonLinesWriter {
    fn write(&mut self, record: Node<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        self.records += 1;
        let before = out.len();
        print(record, out, self.record_bytes_max, self.records).inspect_err(|_| out.truncate(before))?;
        out.push(b'\n');
        Ok(())
    }
    fn finish(&mut self, _: &mut Vec<u8>) -> Result<(), FormatError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
