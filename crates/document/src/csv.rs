//! Writing CSV as records come: RFC 4180, a header line first, lines ended by CRLF.
//!
//! One record is one line and one field is one value: what has no place in a table (an object, an
//! array, a field that the header does not name) is refused with its place and never flattened or
//! dropped. A number is its own text, a boolean `true` or `false`, null and absent are empty. A text
//! stands as it is, quoted where RFC 4180 §2 (5)–(7) asks for it; nothing is put before texts that
//! a spreadsheet would take for a formula, because a reader could not tell it from the data.
//!
//! Deliberately absent: reading CSV, and other encodings than UTF-8.

use std::fmt;

use lockgate_model::manifest::Delimiter;

use crate::node::{Kind, Node};

/// Lines written so far go out as bytes; the header is kept to hold each record against it.
#[derive(Debug)]
pub struct CsvWriter {
    delimiter: Delimiter,
    fields: Option<Vec<String>>,
    begun: bool,
    records: u64,
}

/// A record that has no place in the table. `Display` names no data; [`CsvError::field`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvError {
    /// Number of the record, from 1.
    pub record: u64,
    /// What is wrong with it.
    pub problem: CsvProblem,
    field: String,
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CsvProblem {
    /// It is no object.
    NoObject,
    /// A field holds an object, an array or a function.
    NoValue,
    /// The header does not name the field.
    NoColumn,
}

impl CsvError {
    /// Name of the field at fault; application data, never for a log.
    pub fn field(&self) -> &str {
        &self.field
    }
}

impl fmt::Display for CsvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            CsvProblem::NoObject => "is no object",
            CsvProblem::NoValue => "has a field that is no single value",
            CsvProblem::NoColumn => "has a field that the first record did not have",
        };
        write!(f, "record {} {problem}", self.record)
    }
}
impl std::error::Error for CsvError {}

impl CsvWriter {
    /// A table divided by this character. The columns are these, or the fields of the first record.
    pub fn new(delimiter: Delimiter, fields: Option<Vec<String>>) -> Self {
        Self { delimiter, fields, begun: false, records: 0 }
    }

    /// Appends the lines of an array of records.
    pub fn write(&mut self, records: Node<'_>, out: &mut Vec<u8>) -> Result<(), CsvError> {
        records.items().try_for_each(|record| self.record(record, out))
    }

    /// Appends what is still missing: the header of a table without records.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.header(out);
    }

    fn header(&mut self, out: &mut Vec<u8>) {
        if let (false, Some(fields)) = (self.begun, &self.fields) {
            self.begun = true;
            for (place, field) in fields.iter().enumerate() {
                if place > 0 {
                    out.push(self.delimiter.byte());
                }
                text(field, self.delimiter, out);
            }
            out.extend_from_slice(b"\r\n");
        }
    }

    fn record(&mut self, record: Node<'_>, out: &mut Vec<u8>) -> Result<(), CsvError> {
        self.records += 1;
        let number = self.records;
        let wrong = |problem, field: &str| Err(CsvError { record: number, problem, field: field.to_owned() });
        if record.kind() != Kind::Object {
            return wrong(CsvProblem::NoObject, "");
        }
        if self.fields.is_none() {
            self.fields = Some(record.entries().map(|(key, _)| key.to_owned()).collect());
        }
        self.header(out);
        let fields = self.fields.as_deref().unwrap_or_default();
        let mut found = 0;
        let line = out.len();
        // Records mostly have their fields in the order of the header.
        let mut entries = record.entries();
        for (place, field) in fields.iter().enumerate() {
            if place > 0 {
                out.push(self.delimiter.byte());
            }
            let value = match entries.next() {
                Some((key, value)) if key == field => value,
                _ => record.get(field),
            };
            found += usize::from(!value.is_undefined());
            match value.kind() {
                Kind::Undefined | Kind::Null => {}
                Kind::Boolean => out.extend_from_slice(if value.as_bool() == Some(true) { b"true" } else { b"false" }),
                Kind::Number => value.with_lexeme(|lexeme| out.extend_from_slice(lexeme.as_bytes())),
                Kind::String => text(value.as_str().unwrap_or_default(), self.delimiter, out),
                Kind::Array | Kind::Object | Kind::Function => return wrong(CsvProblem::NoValue, field),
            }
        }
        if found < record.len() {
            let known = |key: &str| fields.iter().any(|field| field == key);
            let extra = record.entries().find(|(key, _)| !known(key)).map_or("", |(key, _)| key);
            return wrong(CsvProblem::NoColumn, extra);
        }
        // One empty field alone would be an empty line, which readers skip.
        if fields.len() == 1 && out.len() == line {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }
}

/// A text as a field: in quotes when it holds the delimiter, a quote or a line end, or when blanks
/// at its ends could be trimmed by a reader.
fn text(text: &str, delimiter: Delimiter, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let plain = !bytes.iter().any(|byte| *byte == delimiter.byte() || matches!(byte, b'"' | b'\r' | b'\n'))
        && !matches!((bytes.first(), bytes.last()), (Some(b' ' | b'\t'), _) | (_, Some(b' ' | b'\t')));
    if plain {
        out.extend_from_slice(bytes);
        return;
    }
    out.push(b'"');
    for byte in bytes {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests;
