//! Writing: one record is one line and one field is one value.
//!
//! What has no place in a table (an object, an array, a field that the header does not name) is
//! refused with its place and never flattened or dropped. A number is its own text, a boolean `true`
//! or `false`, null and absent are empty. A text stands as it is, quoted where it could be misread
//! without; nothing is put before texts that a spreadsheet would take for a formula, because a reader
//! could not tell it from the data.
//!
//! Deliberately absent: choosing what a table looks like; a [`Dialect`] says it.

use std::{collections::HashMap, fmt};

use super::dialect::{Dialect, Escape, Header, Quoting};
use crate::charset::Charset;
use crate::format::{FormatError, RecordWriter};
use crate::node::{Kind, Node};
use crate::options::Empty;

/// Fields of a record that are looked for one after the other.
const FEW: usize = 16;

/// Lines written so far go out as bytes; the header is kept to hold each record against it.
#[derive(Debug)]
pub struct CsvWriter {
    dialect: Dialect,
    fields: Option<Vec<String>>,
    begun: bool,
    records: u64,
    /// The line at hand, before it is encoded.
    line: Vec<u8>,
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
#[non_exhaustive]
pub enum CsvProblem {
    /// It is no object.
    NoObject,
    /// It is no array, and the records of the table are arrays.
    NoArray,
    /// A field holds an object, an array or a function.
    NoValue,
    /// The header does not name the field.
    NoColumn,
    /// A column has no name.
    NoName,
    /// A text holds a NUL.
    Nul,
    /// A text needs quotes, and the table has none.
    NoQuotes,
    /// The line would be empty, which is no record, and there is no other way to write it.
    NoLine,
    /// The character set has not all characters of a text.
    NoCharacter,
}

impl CsvError {
    /// Name of the field at fault; application data, never for a log.
    pub fn field(&self) -> &str {
        &self.field
    }
}

impl CsvProblem {
    fn code(self) -> &'static str {
        match self {
            CsvProblem::NoObject | CsvProblem::NoArray | CsvProblem::NoLine => "LG-CSV-RECORD",
            CsvProblem::NoValue | CsvProblem::NoQuotes => "LG-CSV-VALUE",
            CsvProblem::NoColumn => "LG-CSV-COLUMN",
            CsvProblem::NoName => "LG-CSV-HEADER",
            CsvProblem::Nul => "LG-CSV-NUL",
            CsvProblem::NoCharacter => "LG-CHARSET",
        }
    }
    fn message(self) -> &'static str {
        match self {
            CsvProblem::NoObject => "is no object",
            CsvProblem::NoArray => "is no array",
            CsvProblem::NoValue => "has a field that is no single value",
            CsvProblem::NoColumn => "has a field that the header does not name",
            CsvProblem::NoName => "has a field whose name is empty",
            CsvProblem::Nul => "has a text with a NUL in it",
            CsvProblem::NoQuotes => "has a text that needs quotes, which the table does not have",
            CsvProblem::NoLine => "would be an empty line, which is no record",
            CsvProblem::NoCharacter => "has a character that the character set of the table does not have",
        }
    }
}

impl fmt::Display for CsvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} {}", self.record, self.problem.message())
    }
}
impl std::error::Error for CsvError {}

impl From<CsvError> for FormatError {
    fn from(error: CsvError) -> Self {
        let message = format!("a record {}", error.problem.message());
        FormatError::new(error.problem.code(), 0, message).of_record(error.record)
    }
}

impl CsvWriter {
    /// A table of this dialect. The columns are those that the dialect names, or these, or the fields of
    /// the first record.
    pub fn new(dialect: Dialect, fields: Option<Vec<String>>) -> Self {
        let fields = match &dialect.header {
            Header::Names(names) => Some(names.clone()),
            _ => fields,
        };
        Self { dialect, fields, begun: false, records: 0, line: Vec::new() }
    }

    /// Appends the lines of an array of records.
    pub fn write(&mut self, records: Node<'_>, out: &mut Vec<u8>) -> Result<(), CsvError> {
        records.items().try_for_each(|record| self.record(record, out))
    }

    /// Appends what is still missing: the header of a table without records.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        // Names that cannot be written refuse the first record; without any there is nothing to name.
        let _ = self.header(out);
    }

    /// Appends what stands before the first record, or nothing when it is refused.
    fn header(&mut self, out: &mut Vec<u8>) -> Result<(), CsvError> {
        if self.begun {
            return Ok(());
        }
        let wrong = |problem, field: &str| CsvError { record: 1, problem, field: field.to_owned() };
        let is_line = self.dialect.header == Header::Line;
        let fields = self.fields.as_deref().filter(|_| is_line).unwrap_or_default();
        let mut line = Vec::new();
        for (place, field) in fields.iter().enumerate() {
            self.divide(place, &mut line);
            let written =
                if field.is_empty() { Err(CsvProblem::NoName) } else { self.text(field, place == 0, &mut line) };
            written.map_err(|problem| wrong(problem, field))?;
        }
        if !fields.is_empty() {
            self.end_line(&mut line);
        }
        let mut encoded = if self.dialect.mark { self.dialect.charset.mark().to_vec() } else { Vec::new() };
        encode(self.dialect.charset, &line, &mut encoded).map_err(|problem| wrong(problem, ""))?;
        out.extend_from_slice(&encoded);
        self.begun = true;
        Ok(())
    }

    /// Appends one record, or nothing when it is refused.
    fn record(&mut self, record: Node<'_>, out: &mut Vec<u8>) -> Result<(), CsvError> {
        self.records += 1;
        let number = self.records;
        let wrong =
            |(problem, field): (CsvProblem, &str)| CsvError { record: number, problem, field: field.to_owned() };
        let arrays = self.dialect.header == Header::Arrays;
        match (arrays, record.kind()) {
            (true, Kind::Array) | (false, Kind::Object) => {}
            (true, _) => return Err(wrong((CsvProblem::NoArray, ""))),
            (false, _) => return Err(wrong((CsvProblem::NoObject, ""))),
        }
        if self.fields.is_none() && !arrays && !record.is_empty() {
            self.fields = Some(record.entries().map(|(key, _)| key.to_owned()).collect());
        }
        let columns = if arrays { record.len() } else { self.fields.as_ref().map_or(0, Vec::len) };
        if columns == 0 {
            return Err(wrong((CsvProblem::NoLine, "")));
        }
        self.header(out)?;
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        let written = if arrays { self.items(record, &mut line) } else { self.object(record, &mut line) };
        let written = written.and_then(|()| self.ended(&mut line)).map_err(wrong);
        let encoded =
            written.and_then(|()| encode(self.dialect.charset, &line, out).map_err(|problem| wrong((problem, ""))));
        self.line = line;
        encoded
    }

    /// The fields of an object in the order of the columns.
    fn object<'a>(&'a self, record: Node<'a>, line: &mut Vec<u8>) -> Result<(), (CsvProblem, &'a str)> {
        let fields = self.fields.as_deref().unwrap_or_default();
        let mut found = 0;
        // Records mostly have their fields in the order of the header. Where they do not, looking for
        // each field of many would be quadratic.
        let mut entries = record.entries();
        let mut by_name: Option<HashMap<&str, Node<'_>>> = None;
        let mut find = |field: &str| match record.len() {
            0..=FEW => Some(record.get(field)),
            _ => by_name.get_or_insert_with(|| record.entries().collect()).get(field).copied(),
        };
        for (place, field) in fields.iter().enumerate() {
            self.divide(place, line);
            let value = match entries.next() {
                Some((key, value)) if key == field => Some(value),
                _ => find(field).filter(|value| !value.is_undefined()),
            };
            found += usize::from(value.is_some());
            self.value(value, place == 0, line).map_err(|problem| (problem, field.as_str()))?;
        }
        if found < record.len() {
            let known = |key: &str| fields.iter().any(|field| field == key);
            let extra = record.entries().find(|(key, _)| !known(key)).map_or("", |(key, _)| key);
            return Err((CsvProblem::NoColumn, extra));
        }
        Ok(())
    }
    /// The items of an array.
    fn items(&self, record: Node<'_>, line: &mut Vec<u8>) -> Result<(), (CsvProblem, &'static str)> {
        record.items().enumerate().try_for_each(|(place, value)| {
            self.divide(place, line);
            self.value(Some(value), place == 0, line).map_err(|problem| (problem, ""))
        })
    }

    fn divide(&self, place: usize, line: &mut Vec<u8>) {
        if place > 0 {
            line.push(self.dialect.delimiter);
        }
    }
    fn end_line(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(self.dialect.line_end.text().as_bytes());
    }
    /// Ends a record. One empty field alone would be an empty line, which readers skip.
    fn ended<'a>(&self, line: &mut Vec<u8>) -> Result<(), (CsvProblem, &'a str)> {
        match self.dialect.quote {
            Some(quote) if line.is_empty() && self.dialect.empty == Empty::Text => {
                line.extend_from_slice(&[quote, quote])
            }
            _ if line.is_empty() => return Err((CsvProblem::NoLine, "")),
            _ => {}
        }
        self.end_line(line);
        Ok(())
    }

    fn value(&self, value: Option<Node<'_>>, is_first: bool, line: &mut Vec<u8>) -> Result<(), CsvProblem> {
        let always = self.dialect.quote.filter(|_| self.dialect.quoting == Quoting::Always);
        let Some(value) = value.filter(|value| value.kind() != Kind::Null) else {
            // In quotes it would be a text, where that makes a difference.
            let quote = always.filter(|_| self.dialect.empty == Empty::Text);
            line.extend(quote.into_iter().chain(quote));
            return Ok(());
        };
        match value.kind() {
            Kind::Boolean => {
                let word = if value.as_bool() == Some(true) { "true" } else { "false" };
                line.extend(always);
                line.extend_from_slice(word.as_bytes());
                line.extend(always);
            }
            Kind::Number => {
                line.extend(always);
                value.with_lexeme(|lexeme| line.extend_from_slice(lexeme.as_bytes()));
                line.extend(always);
            }
            Kind::String => self.text(value.as_str().unwrap_or_default(), is_first, line)?,
            _ => return Err(CsvProblem::NoValue),
        }
        Ok(())
    }

    /// A text as a field: in quotes when it could be misread without them, or when blanks at its ends
    /// could be trimmed by a reader.
    fn text(&self, text: &str, is_first: bool, line: &mut Vec<u8>) -> Result<(), CsvProblem> {
        let Dialect { delimiter, quote, escape, comment, .. } = self.dialect;
        let bytes = text.as_bytes();
        let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
        let (mut plain, mut nul) = (true, false);
        for byte in bytes {
            plain &= *byte != delimiter && Some(*byte) != quote && !matches!(byte, b'\r' | b'\n');
            nul |= *byte == 0;
        }
        if nul {
            return Err(CsvProblem::Nul);
        }
        plain &= escape == Escape::Doubled || !bytes.contains(&b'\\');
        plain &= !is_first || comment.is_none() || bytes.first().copied() != comment;
        let blanks = is_blank(bytes.first()) || is_blank(bytes.last());
        let empty = bytes.is_empty() && self.dialect.empty != Empty::Text;
        // At the start of the file a reader would take it for a byte order mark.
        let marks = is_first && text.starts_with('\u{feff}');
        match quote {
            Some(quote) if !plain || blanks || empty || marks || self.dialect.quoting == Quoting::Always => {
                line.push(quote);
                for byte in bytes {
                    match escape {
                        Escape::Doubled if *byte == quote => line.push(quote),
                        Escape::Backslash if *byte == quote || *byte == b'\\' => line.push(b'\\'),
                        _ => {}
                    }
                    line.push(*byte);
                }
                line.push(quote);
            }
            Some(_) => line.extend_from_slice(bytes),
            None if empty || marks => return Err(CsvProblem::NoQuotes),
            None if plain && !(blanks && self.dialect.trim) => line.extend_from_slice(bytes),
            None if escape == Escape::Backslash => self.escaped(bytes, is_first, line),
            None => return Err(CsvProblem::NoQuotes),
        }
        Ok(())
    }

    /// A text without quotes: what has a meaning stands behind a backslash.
    fn escaped(&self, bytes: &[u8], is_first: bool, line: &mut Vec<u8>) {
        let last = bytes.len().saturating_sub(1);
        for (place, byte) in bytes.iter().enumerate() {
            let is_edge = place == 0 || place == last;
            let means = *byte == self.dialect.delimiter
                || matches!(byte, b'\\' | b'\r' | b'\n')
                || (is_edge && matches!(byte, b' ' | b'\t'))
                || (place == 0 && is_first && Some(*byte) == self.dialect.comment);
            if means {
                line.push(b'\\');
            }
            line.push(*byte);
        }
    }
}

impl RecordWriter for CsvWriter {
    fn write(&mut self, record: Node<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        Ok(self.record(record, out)?)
    }
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        Ok(self.header(out)?)
    }
}

/// A line in another character set.
fn encode(charset: Charset, line: &[u8], out: &mut Vec<u8>) -> Result<(), CsvProblem> {
    if charset == Charset::UTF_8 {
        out.extend_from_slice(line);
        return Ok(());
    }
    let start = out.len();
    let encoded = charset.encode(std::str::from_utf8(line).unwrap_or_default(), out);
    encoded.map_err(|_| {
        out.truncate(start);
        CsvProblem::NoCharacter
    })
}
