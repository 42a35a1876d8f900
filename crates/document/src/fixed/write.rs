//! Writing: each field of a record in its columns, padded; nothing is cut off and nothing is rounded.

use super::layout::{Content, Field, Layout, RecordType, Unit, is_dated};
use super::number::Misfit;
use crate::format::{FormatError, RecordWriter};
use crate::node::{Kind, Node};
use crate::options::Empty;

/// Writes records of a layout.
#[derive(Debug)]
pub struct FixedWriter {
    layout: Layout,
    records: u64,
    /// The record at hand, before it is encoded.
    line: String,
}

/// Code and message.
type Wrong = (&'static str, String);

impl FixedWriter {
    /// A writer of this layout.
    pub fn new(layout: &Layout) -> Self {
        Self { layout: layout.clone(), records: 0, line: String::new() }
    }

    /// The record in the character set of the file, without a line end.
    fn record(&self, record: Node<'_>, line: &mut String) -> Result<Vec<u8>, Wrong> {
        let (kind, record) = self.kind(record)?;
        if record.kind() != Kind::Object {
            return Err(("LG-FIXED-RECORD", "a record is no object".to_owned()));
        }
        let mut found = 0;
        for field in &kind.fields {
            let value = field.column.map(|_| record.get(&field.name)).filter(|value| !value.is_undefined());
            found += usize::from(value.is_some());
            self.field(field, value, line)?;
        }
        if found < record.len() {
            return Err(("LG-FIXED-FIELD", "the record has a field that the layout does not name".to_owned()));
        }
        if self.layout.line_end.is_some() && line.contains(['\r', '\n']) {
            return Err(("LG-FIXED-VALUE", "a text holds a line end, which would end the record".to_owned()));
        }
        if self.records == 1 && self.layout.unit == Unit::Characters && line.starts_with('\u{feff}') {
            return Err(("LG-FIXED-VALUE", "the file would begin with a byte order mark, which is no text".to_owned()));
        }
        let mut bytes = Vec::new();
        let encoded = self.layout.charset.encode(line, &mut bytes);
        encoded.map_err(|error| ("LG-CHARSET", error.message().to_owned()))?;
        self.is_told_apart(kind, if self.layout.unit == Unit::Bytes { &bytes } else { line.as_bytes() })?;
        Ok(bytes)
    }

    /// The type of a record, and its fields.
    fn kind<'a>(&self, record: Node<'a>) -> Result<(&RecordType, Node<'a>), Wrong> {
        let wrong = |what: &str| ("LG-FIXED-RECORD", what.to_owned());
        if !self.layout.wrapped {
            return self
                .layout
                .types
                .first()
                .map(|kind| (kind, record))
                .ok_or_else(|| wrong("there is no record type"));
        }
        let mut entries = record.entries();
        let (Some((name, fields)), None) = (entries.next(), entries.next()) else {
            return Err(wrong("a record is an object with the name of its type alone"));
        };
        let kind = self.layout.types.iter().find(|kind| kind.name == name);
        kind.map(|kind| (kind, fields)).ok_or_else(|| wrong("the layout has no record type of this name"))
    }

    /// Would a reader take the record for one of this type?
    fn is_told_apart(&self, kind: &RecordType, line: &[u8]) -> Result<(), Wrong> {
        let selects = |other: &&RecordType| match &other.when {
            Some(when) => self.layout.is_selected(line, when) == Some(true),
            None => true,
        };
        match self.layout.types.iter().find(selects) {
            Some(selected) if std::ptr::eq(selected, kind) => Ok(()),
            _ => Err(("LG-FIXED-RECORD", "the record would be read as one of another type".to_owned())),
        }
    }

    fn field(&self, field: &Field, value: Option<Node<'_>>, line: &mut String) -> Result<(), Wrong> {
        let wrong = |code, what: &str| Err((code, format!("{} {what}", field.told())));
        match &field.content {
            Content::Filler => {
                field.padded("", 0, line);
                return Ok(());
            }
            Content::Constant(constant) => return self.fit(field, constant, line),
            Content::Text | Content::Number(_) | Content::Date(_) => {}
        }
        let Some(value) = value.filter(|value| value.kind() != Kind::Null) else {
            if field.empty == Empty::Text {
                return wrong("LG-FIXED-VALUE", "has no value");
            }
            line.push_str(&field.blank());
            return Ok(());
        };
        match (&field.content, value.kind()) {
            (Content::Text | Content::Date(_), Kind::String) => {
                let text = value.as_str().unwrap_or_default();
                match &field.content {
                    Content::Date(_) if text.is_empty() && field.empty != Empty::Text => {}
                    Content::Date(pattern) if !is_dated(text, pattern) => {
                        return wrong("LG-FIXED-DATE", &format!("is not written as {pattern}"));
                    }
                    _ => {}
                }
                self.fit(field, text, line)
            }
            (Content::Text, Kind::Boolean) => {
                self.fit(field, if value.as_bool() == Some(true) { "true" } else { "false" }, line)
            }
            (Content::Text, Kind::Number) => self.fit(field, &value.lexeme().unwrap_or_default(), line),
            (Content::Number(number), Kind::Number) => {
                let lexeme = value.lexeme().unwrap_or_default();
                match number.write(&lexeme, field.width, field.pad == '0') {
                    Ok(digits) => self.fit(field, &digits, line),
                    Err(Misfit::Long) => wrong("LG-FIXED-WIDTH", "is too narrow for its number"),
                    Err(Misfit::Negative) => wrong("LG-FIXED-VALUE", "has no place for the sign of a negative number"),
                    Err(Misfit::Fraction) => {
                        wrong("LG-FIXED-VALUE", "has not enough decimals: the number would be rounded")
                    }
                }
            }
            (Content::Number(_), _) => wrong("LG-FIXED-VALUE", "takes a number alone"),
            _ => wrong("LG-FIXED-VALUE", "takes no value of this kind"),
        }
    }

    /// A text that takes no more columns than the field has.
    fn fit(&self, field: &Field, text: &str, line: &mut String) -> Result<(), Wrong> {
        let taken =
            self.layout.width(text).map_err(|message| ("LG-CHARSET", format!("{}: {message}", field.told())))?;
        if taken > field.width {
            return Err(("LG-FIXED-WIDTH", format!("{} is too narrow for its text", field.told())));
        }
        field.padded(text, taken, line);
        Ok(())
    }
}

impl RecordWriter for FixedWriter {
    fn write(&mut self, record: Node<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        self.records += 1;
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        let written = self.record(record, &mut line);
        self.line = line;
        let bytes = written.map_err(|(code, message)| FormatError::new(code, 0, message).of_record(self.records))?;
        out.extend_from_slice(&bytes);
        let Some(line_end) = self.layout.line_end else { return Ok(()) };
        self.layout.charset.encode(line_end.text(), out)
    }
    fn finish(&mut self, _: &mut Vec<u8>) -> Result<(), FormatError> {
        Ok(())
    }
}
