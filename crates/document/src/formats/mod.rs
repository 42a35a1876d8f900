//! The formats by their names: a reader or a writer of records each, and what a whole document is in it. A
//! list of records is the array of them, unless the format has documents of its own, as XML has.
//!
//! Deliberately absent: where a description stands and how what is wrong with it is shown.

mod content;
mod records;

pub use content::Content;
pub use records::{Below, Records, Shape, below, listed};

use lockgate_model::Limits;

use crate::{
    csv::{self, CsvReader, CsvWriter},
    document::Document,
    edi,
    fault::Fault,
    fixed::{self, FixedReader, FixedWriter},
    format::{FormatError, RecordWriter},
    json::{Duplicates, JsonLines, JsonLinesWriter, JsonRecords, JsonWriter, ParseOptions},
    node::Kind,
    schema::Schema,
    xml,
};

/// What documents come in or go out as.
#[derive(Debug, Clone)]
pub enum Format {
    /// One JSON document.
    Json,
    /// A JSON document a line; all of them are one array.
    Jsonl,
    /// A table; its rows are one array.
    Csv(Box<csv::Dialect>),
    /// A file of fixed width; its records are one array.
    Fixed(Box<fixed::Layout>),
    /// One XML document.
    Xml(Box<xml::XmlOptions>),
    /// An interchange of X12 or EDIFACT.
    Edi(Box<edi::Dialect>),
}

impl Format {
    /// Reads XML so that what a document type says is an array is one, however many elements there are.
    pub fn hold_to(&mut self, source: &Schema) {
        if let Self::Xml(options) = self {
            options.arrays.add(source.arrays());
        }
    }

    /// The records at a place of a document; none where this format has no place but itself.
    pub fn records(&self, path: &[String], limits: &Limits, options: ParseOptions) -> Option<Records> {
        match self {
            Self::Json => Some(Records::Json(Box::new(JsonRecords::new(path.to_vec(), limits, options)))),
            // A name that no element can have leads nowhere.
            Self::Xml(xml) if path.iter().all(|name| !name.contains('/')) => {
                let reader = xml::XmlRecordReader::new(&path.join("/"), xml, limits).ok()?;
                Some(Records::Single(Box::new(reader), *limits))
            }
            // A message is a document of its own.
            Self::Xml(_) => None,
            Self::Edi(_) if !path.is_empty() => None,
            _ if !path.is_empty() => {
                let records = self.records(&[], limits, options)?;
                Some(Records::Below(Box::new(Below::new(records, path, limits))))
            }
            Self::Jsonl => Some(Records::Lines(JsonLines::new(limits, options))),
            Self::Csv(dialect) => Some(Records::Csv(Box::new(CsvReader::new(dialect, limits)))),
            Self::Fixed(layout) => Some(Records::Fixed(Box::new(FixedReader::new(layout, limits)))),
            Self::Edi(dialect) => {
                Some(Records::Single(Box::new(edi::Reader::new(dialect.as_ref().clone(), limits)), *limits))
            }
        }
    }

    /// The same where a document is the list of its records, or says itself where they are.
    pub fn records_of_list(&self, path: &[String], limits: &Limits, options: ParseOptions) -> Option<Records> {
        match self {
            Self::Xml(_) | Self::Edi(_) => None,
            // A name on the way may come again: the last one counts.
            Self::Json if options.duplicates == Duplicates::Last && !path.is_empty() => None,
            _ => self.records(path, limits, options),
        }
    }

    /// A whole document: the array of its records where the format has no other. JSON has a reader of its
    /// own, which tells line and column.
    pub fn document(&self, text: &[u8], limits: &Limits, options: ParseOptions) -> Result<Document, FormatError> {
        match self {
            Self::Xml(xml) => xml::read(text, xml, limits),
            Self::Edi(dialect) => edi::read(text, dialect, limits),
            _ => self.list(text, limits, options),
        }
    }

    /// The array of the records of a document.
    pub fn list(&self, text: &[u8], limits: &Limits, options: ParseOptions) -> Result<Document, FormatError> {
        match self.records(&[], limits, options) {
            Some(records) => records.all(text, limits),
            None => Ok(Document::undefined()),
        }
    }

    /// A writer of records; none where the format writes whole documents alone.
    pub fn writer(&self, limits: &Limits) -> Option<Box<dyn RecordWriter>> {
        Some(match self {
            Self::Json => Box::new(JsonWriter::new(limits.reply_bytes_max)),
            Self::Jsonl => Box::new(JsonLinesWriter::new(limits.reply_bytes_max)),
            Self::Csv(dialect) => Box::new(CsvWriter::new(dialect.as_ref().clone(), None)),
            Self::Fixed(layout) => Box::new(FixedWriter::new(layout)),
            Self::Xml(options) => {
                let (root, record) = options.records.as_ref()?;
                Box::new(xml::XmlRecordWriter::new(root, record, options).ok()?)
            }
            Self::Edi(dialect) => {
                let heads = Document::undefined();
                Box::new(edi::Writer::new(dialect.as_ref().clone(), heads.root()).ok()?)
            }
        })
    }

    /// The bytes of a whole document.
    pub fn print(&self, document: &Document, limits: &Limits) -> Result<Vec<u8>, FormatError> {
        let root = document.root();
        let mut out = Vec::new();
        match (self, root.kind()) {
            (Self::Json, Kind::Undefined) => out.extend_from_slice(b"null\n"),
            (Self::Json, _) => {
                let printed = document.print(limits.reply_bytes_max);
                out = printed.map_err(|fault| FormatError::fault(&fault, 0))?;
                out.push(b'\n');
            }
            (Self::Xml(xml), _) if xml.records.is_none() => {
                xml::write(root, xml, &mut out)?;
            }
            (Self::Edi(dialect), kind) if kind != Kind::Array => edi::write(root, dialect, &mut out)?,
            (_, kind) => {
                let Some(mut writer) = self.writer(limits) else { return Ok(out) };
                let written = match kind {
                    Kind::Array => root.items().try_for_each(|item| {
                        writer.write(item, &mut out)?;
                        // A value may stand in it over and over: what is written is bounded, as JSON is.
                        match out.len() as u64 > limits.reply_bytes_max {
                            true => Err(FormatError::fault(&Fault::ReplyTooLarge, 0)),
                            false => Ok(()),
                        }
                    }),
                    _ => writer.write(root, &mut out),
                };
                written.and_then(|()| writer.finish(&mut out))?;
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests;
