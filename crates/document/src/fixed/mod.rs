//! Files of fixed width in and out, record by record, as a [`Layout`] says.
//!
//! A record is a line, or so many characters or bytes without a line end; a field is the characters
//! at a place in it. Numbers keep their digits and never pass through an f64. What does not fit is
//! refused with its record, field and column, in both directions; nothing is cut off and nothing is
//! rounded.
//!
//! Deliberately absent: packed and binary numbers, places that mean different things by another
//! field's value (a record type each says it), and the order in which records must come.

mod layout;
mod number;
mod read;
mod write;

use lockgate_model::Limits;

use crate::document::Document;
use crate::format::{FormatError, RecordReader as _, RecordWriter as _};
use crate::node::{Kind, Node};

pub use layout::{FIELDS_MAX, LENGTH_MAX, Layout, RECORD_TYPES_MAX};
pub use read::FixedReader;
pub use write::FixedWriter;

/// A whole file as an array of its records.
pub fn read_all(bytes: &[u8], layout: &Layout, limits: &Limits) -> Result<Document, FormatError> {
    let mut reader = FixedReader::new(layout, limits);
    reader.push(bytes);
    reader.end();
    reader.all()
}

/// An array of records as a whole file.
pub fn write_all(records: Node<'_>, layout: &Layout) -> Result<Vec<u8>, FormatError> {
    if records.kind() != Kind::Array {
        return Err(FormatError::new("LG-FIXED-RECORD", 0, "a file is written from an array of records"));
    }
    let (mut writer, mut out) = (FixedWriter::new(layout), Vec::new());
    records.items().try_for_each(|record| writer.write(record, &mut out))?;
    writer.finish(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests;
