//! What the formats have in common: a refusal with its place, and records that come and go one at a
//! time.
//!
//! A reader is fed bytes as they arrive and gives each record when it is complete; a writer turns
//! each record into bytes. Neither holds more than one record and the piece at hand, so that a
//! stream of any length passes in flat memory. JSON documents that are read as a whole have their
//! own [`ParseError`](crate::ParseError).
//!
//! Deliberately absent: where bytes come from and go to; which format a name or a media type means.

use std::{borrow::Cow, fmt};

use crate::{document::Document, fault::Fault, json::ParseError, node::Node};

/// A text of a format that was refused, or a value that the format cannot write: what is wrong and
/// where. Holds no part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatError {
    code: Cow<'static, str>,
    message: Cow<'static, str>,
    offset: u64,
    record: Option<u64>,
}

impl FormatError {
    /// A problem with a stable code , as docs/errors.md lists it, at this byte of all that was pushed.
    pub fn new(code: &'static str, offset: u64, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Cow::Borrowed(code), message: message.into(), offset, record: None }
    }
    /// A limit that was reached at this byte.
    pub fn fault(fault: &Fault, offset: u64) -> Self {
        Self { code: Cow::Owned(fault.code()), message: Cow::Owned(fault.to_string()), offset, record: None }
    }
    /// A JSON text that was refused, where it begins at this byte.
    pub(crate) fn json(error: &ParseError, base: u64) -> Self {
        let (code, message) = (Cow::Owned(error.code()), Cow::Owned(error.message()));
        Self { code, message, offset: base + error.offset() as u64, record: None }
    }
    /// The same, of this record; they count from 1.
    #[must_use]
    pub fn of_record(mut self, record: u64) -> Self {
        self.record = Some(record);
        self
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.code
    }
    /// What is wrong, in lower case.
    pub fn message(&self) -> &str {
        &self.message
    }
    /// Byte offset of the trouble in all that was read; 0 for what could not be written.
    pub fn offset(&self) -> u64 {
        self.offset
    }
    /// Number of the record at fault, from 1, where records are read or written.
    pub fn record(&self) -> Option<u64> {
        self.record
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.record {
            Some(record) => write!(f, " (record {record}, byte {})", self.offset),
            None => write!(f, " (byte {})", self.offset),
        }
    }
}
impl std::error::Error for FormatError {}

/// Records out of bytes that arrive piece by piece.
pub trait RecordReader: Send {
    /// Takes the next bytes, as many as there are.
    fn push(&mut self, bytes: &[u8]);
    /// No more bytes will come.
    fn end(&mut self);
    /// The next record that is complete; none when more bytes are needed or, after
    /// [`end`](RecordReader::end), when all were given. After an error there are no further records.
    fn next(&mut self) -> Result<Option<Document>, FormatError>;
}

/// Records into bytes.
pub trait RecordWriter: Send {
    /// Appends the bytes of one record.
    fn write(&mut self, record: Node<'_>, out: &mut Vec<u8>) -> Result<(), FormatError>;
    /// Appends what follows the last record.
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), FormatError>;
}
