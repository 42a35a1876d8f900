//! Records: elements at one path of a document of any length, and one element for each record.

use std::fmt;

use lockgate_model::Limits;

use super::names;
use super::namespaces::Scope;
use super::options::{XmlOptions, is_path};
use super::problem::Problem;
use super::read::Reader;
use super::write::Writer;
use crate::document::Document;
use crate::format::{FormatError, RecordReader, RecordWriter};
use crate::node::Node;

/// Reads the elements at one path. Each record is the value of its element; what stands elsewhere is
/// checked and dropped. Holds one record and the piece at hand.
pub struct XmlRecordReader {
    /// After an error nothing is kept but the error.
    reader: Result<Reader, FormatError>,
    given: u64,
}

impl XmlRecordReader {
    /// Records at a path from the root, as values have the names: `orders/order`. The limits are those
    /// of each record.
    pub fn new(path: &str, options: &XmlOptions, limits: &Limits) -> Result<XmlRecordReader, FormatError> {
        if !is_path(path) {
            return Err(Problem::OptionPath.at(0));
        }
        let reader = Reader::new(Some(path.to_owned()), options.clone(), *limits);
        Ok(XmlRecordReader { reader: Ok(reader), given: 0 })
    }
    /// Bytes that are held between pieces, but for the record that has begun.
    #[cfg(test)]
    pub(super) fn bytes_held(&self) -> usize {
        self.reader.as_ref().map_or(0, Reader::bytes_held)
    }
}

impl RecordReader for XmlRecordReader {
    fn push(&mut self, bytes: &[u8]) {
        if let Ok(reader) = &mut self.reader {
            reader.push(bytes);
        }
    }
    fn end(&mut self) {
        if let Ok(reader) = &mut self.reader {
            reader.end();
        }
    }
    fn next(&mut self) -> Result<Option<Document>, FormatError> {
        let reader = self.reader.as_mut().map_err(|error| error.clone())?;
        match reader.next() {
            Ok(record) => {
                self.given += u64::from(record.is_some());
                Ok(record)
            }
            Err(error) => {
                let error = if reader.is_within() { error.of_record(self.given + 1) } else { error };
                self.reader = Err(error.clone());
                Err(error)
            }
        }
    }
}

/// How many records; no data.
impl fmt::Debug for XmlRecordReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "XmlRecordReader({} records)", self.given)
    }
}

/// Writes records as elements of one name within one root.
pub struct XmlRecordWriter {
    root: String,
    record: String,
    options: XmlOptions,
    scope: Scope,
    has_begun: bool,
    written: u64,
}

impl XmlRecordWriter {
    /// The names of the root and of each record, as values have them.
    pub fn new(root: &str, record: &str, options: &XmlOptions) -> Result<XmlRecordWriter, FormatError> {
        if names::split(root).is_none() || names::split(record).is_none() {
            return Err(Problem::OptionName.at(0));
        }
        Ok(XmlRecordWriter {
            root: root.to_owned(),
            record: record.to_owned(),
            options: options.clone(),
            scope: Scope::default(),
            has_begun: false,
            written: 0,
        })
    }

    /// Appends all or nothing.
    fn append(
        &mut self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Writer<'_>, &str, &str) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        let begin = out.len();
        let XmlRecordWriter { root, record, options, scope, has_begun, .. } = self;
        let mut writer = Writer::new(options, scope, out);
        let mut written = Ok(());
        if !*has_begun {
            written = writer.prolog().and_then(|()| writer.begin_root(root));
        }
        let written = written.and_then(|()| write(&mut writer, root, record));
        match written {
            Ok(()) => *has_begun = true,
            Err(_) => {
                out.truncate(begin);
                scope.close_within(usize::from(*has_begun));
            }
        }
        written
    }
}

impl RecordWriter for XmlRecordWriter {
    fn write(&mut self, record: Node<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        self.written += 1;
        let number = self.written;
        self.append(out, |writer, _, name| writer.element(name, record, 2)).map_err(|error| error.of_record(number))
    }
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        self.append(out, |writer, root, _| writer.end_root(root))
    }
}

/// How many records; no data.
impl fmt::Debug for XmlRecordWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "XmlRecordWriter({} records)", self.written)
    }
}
