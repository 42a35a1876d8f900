//! JSON in and out (RFC 8259).
//!
//! The reader keeps what a conduit must keep: numbers as their lexemes, strings byte for byte, keys
//! in their order. It refuses what two readers would understand differently: keys twice in an
//! object, invalid UTF-8, half characters, a byte order mark.

mod batch;
mod lines;
mod print;
mod read;
mod records;
mod scalar;
mod scan;
mod write;

use std::fmt;

use crate::fault::Fault;

pub use lines::{JsonLines, JsonLinesWriter};
pub use records::JsonRecords;
pub use write::JsonWriter;

pub(crate) use print::{Form, Printer};
pub(crate) use read::{Pending, Source, Target, read};

/// What to do with a key that an object has twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// Refuse the text (`LG-JSON-DUPLICATE`).
    #[default]
    Refuse,
    /// The last value wins and stands where the key came first, as in ECMAScript.
    Last,
}

/// How to read JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ParseOptions {
    /// What to do with a key that an object has twice.
    pub duplicates: Duplicates,
}

/// A JSON text that was refused: what is wrong and where. Holds no part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    problem: Problem,
    offset: usize,
}

/// What can be wrong with a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    Utf8,
    Mark,
    End,
    Value,
    Number,
    Control,
    Escape,
    Surrogate,
    ItemEnd,
    FieldEnd,
    Colon,
    Key,
    Trailing,
    Duplicate,
    Depth,
    Fault(Fault),
}

impl ParseError {
    pub(crate) fn new(problem: Problem, offset: usize) -> ParseError {
        ParseError { problem, offset }
    }
    /// A stable code: `LG-JSON-…`, or that of the limit which was reached.
    pub fn code(&self) -> String {
        let code = match &self.problem {
            Problem::Utf8 => "LG-JSON-UTF8",
            Problem::Mark => "LG-JSON-MARK",
            Problem::End => "LG-JSON-END",
            Problem::Value => "LG-JSON-VALUE",
            Problem::Number => "LG-JSON-NUMBER",
            Problem::Control => "LG-JSON-CONTROL",
            Problem::Escape => "LG-JSON-ESCAPE",
            Problem::Surrogate => "LG-JSON-SURROGATE",
            Problem::ItemEnd | Problem::FieldEnd => "LG-JSON-SEPARATOR",
            Problem::Colon => "LG-JSON-COLON",
            Problem::Key => "LG-JSON-KEY",
            Problem::Trailing => "LG-JSON-TRAILING",
            Problem::Duplicate => "LG-JSON-DUPLICATE",
            Problem::Depth => "LG-JSON-DEPTH",
            Problem::Fault(fault) => return fault.code(),
        };
        code.to_owned()
    }
    /// What is wrong, in lower case.
    pub fn message(&self) -> String {
        let message = match &self.problem {
            Problem::Utf8 => "the text is not valid UTF-8",
            Problem::Mark => "the text begins with a byte order mark, which JSON does not have (RFC 8259 §8.1)",
            Problem::End => "the text ends too early",
            Problem::Value => "a value must stand here",
            Problem::Number => "the number is malformed",
            Problem::Control => "a control character in a string must be written as an escape",
            Problem::Escape => "there is no such escape",
            Problem::Surrogate => "the escape names half a character",
            Problem::ItemEnd => "`,` or `]` must stand here",
            Problem::FieldEnd => "`,` or `}` must stand here",
            Problem::Colon => "`:` must stand here",
            Problem::Key => "a key in double quotes must stand here",
            Problem::Trailing => "nothing may follow the value",
            Problem::Duplicate => "the object has this key already",
            Problem::Depth => "values nest deeper than the limit allows (depth_max)",
            Problem::Fault(fault) => return fault.to_string(),
        };
        message.to_owned()
    }
    /// Byte offset of the trouble.
    pub fn offset(&self) -> usize {
        self.offset
    }
    /// The limit that was reached, when the text itself is not to blame.
    pub fn fault(&self) -> Option<&Fault> {
        match &self.problem {
            Problem::Fault(fault) => Some(fault),
            _ => None,
        }
    }
    /// Line and column of the trouble in the `text` that was read, both from 1; columns count characters.
    pub fn line_column(&self, text: &[u8]) -> (usize, usize) {
        let before = text.get(..self.offset).unwrap_or(text);
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        // Every byte that does not continue a character begins one.
        let column = before.iter().skip(start).filter(|&&byte| byte & 0xc0 != 0x80).count() + 1;
        (line, column)
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.message(), self.offset)
    }
}
impl std::error::Error for ParseError {}

#[cfg(test)]
mod tests;
