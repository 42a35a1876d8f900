//! CSV in and out, record by record: RFC 4180 and what a [`Dialect`] says differently.
//!
//! A field is a text, byte for byte; it becomes a number only where the dialect names its column.
//! What two readers would understand differently is refused with its place: lines of more or fewer
//! fields than the header has, quotes where none can stand, names of columns that are empty or twice.
//! A line without any character is no record.
//!
//! Deliberately absent: guessing (a delimiter, a character set, a type), dates, and nested values.

mod dialect;
mod read;
mod scan;
mod write;

use lockgate_model::Limits;

use crate::document::Document;
use crate::format::{FormatError, RecordReader as _, RecordWriter};
use crate::node::{Kind, Node};

pub use dialect::Dialect;
pub use read::CsvReader;
pub use scan::{COLUMNS_MAX, FIELD_BYTES_MAX, RECORD_BYTES_MAX};
pub use write::{CsvError, CsvProblem, CsvWriter};

/// A whole table as an array of its records.
pub fn read_all(bytes: &[u8], dialect: &Dialect, limits: &Limits) -> Result<Document, FormatError> {
    let mut reader = CsvReader::new(dialect, limits);
    reader.push(bytes);
    reader.end();
    reader.all()
}

/// An array of records as a whole table. The columns are those that the dialect names, or the fields
/// of the first record.
pub fn write_all(records: Node<'_>, dialect: &Dialect) -> Result<Vec<u8>, FormatError> {
    if records.kind() != Kind::Array {
        return Err(FormatError::new("LG-CSV-RECORD", 0, "a table is written from an array of records"));
    }
    let (mut writer, mut out) = (CsvWriter::new(dialect.clone(), None), Vec::new());
    records.items().try_for_each(|record| RecordWriter::write(&mut writer, record, &mut out))?;
    RecordWriter::finish(&mut writer, &mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests;
