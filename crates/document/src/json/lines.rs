//! JSON Lines: one JSON text a line, in UTF-8. A line ends with a line feed, the last one also with
//! the end of the input; a carriage return before it is a blank. Blank lines are left out.

use lockgate_model::Limits;

use super::ParseOptions;
use super::write::print;
use crate::document::Document;
use crate::fault::Fault;
use crate::format::{FormatError, RecordReader, RecordWriter};
use crate::node::Node;

/// Reads a record from each line. What is held is the line at hand and the piece it came in.
#[derive(Debug)]
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

    fn record(&mut self) -> Result<Option<Document>, FormatError> {
        while let Some((start, end)) = self.line()? {
            let line = self.buffer.get(start..end).unwrap_or_default();
            if line.trim_ascii().is_empty() {
                continue;
            }
            let document = Document::parse_with(line, &self.limits, self.options)
                .map_err(|error| FormatError::json(&error, self.base + start as u64))?;
            self.records += 1;
            return Ok(Some(document));
        }
        Ok(None)
    }
}

impl RecordReader for JsonLines {
    fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.at);
        self.base += self.at as u64;
        self.at = 0;
        self.buffer.extend_from_slice(bytes);
    }
    fn end(&mut self) {
        self.ended = true;
    }
    fn next(&mut self) -> Result<Option<Document>, FormatError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.record().map_err(|error| {
            let error = error.of_record(self.records + 1);
            self.failed = Some(error.clone());
            error
        })
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
