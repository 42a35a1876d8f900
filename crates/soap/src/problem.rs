//! What is wrong with a description of a service, and where.

use std::{collections::BTreeMap, fmt, ops::Range};

use lockgate_document::schema::{SchemaPlace, SchemaProblem};

/// A part of a WSDL, or of what it imports, that cannot be read, leads nowhere or is not supported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The stable code, as docs/errors.md lists it.
    pub code: &'static str,
    /// The document, as it was asked for.
    pub file: String,
    /// Its line, from 1.
    pub line: u32,
    /// The character in the line, from 1.
    pub column: u32,
    /// What is wrong, in lower case.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Problem {
    pub(crate) fn new(
        code: &'static str,
        place: &Place<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Problem {
        let (line, column) = line_and_column(place.text, place.range.start);
        Problem { code, file: place.file.to_owned(), line, column, message: message.into(), help: help.into() }
    }

    /// A problem of the types, which are read by their own crate.
    pub(crate) fn of_schema(problem: SchemaProblem, texts: &BTreeMap<String, String>) -> Problem {
        let SchemaProblem { code, place, message, help } = problem;
        let (file, at) = match place {
            SchemaPlace::Bytes { file, range } => (file, range.start),
            SchemaPlace::Pointer(_) => (String::new(), 0),
        };
        let (line, column) = line_and_column(texts.get(&file).map_or("", String::as_str), at);
        Problem { code, file, line, column, message, help }
    }
}

/// Problems of one kind of a description that are told: to find the line of each takes its time.
pub(crate) const TOLD_MAX: usize = 200;

/// A place in a document.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    pub file: &'a str,
    pub text: &'a str,
    pub range: Range<usize>,
}

fn line_and_column(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// `LG-WSDL-REF: there is no message `x` (service.wsdl:7:3)`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { code, file, line, column, message, .. } = self;
        write!(f, "{code}: {message} ({file}:{line}:{column})")
    }
}
impl std::error::Error for Problem {}

/// A text of a document, short enough for a message.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
