//! What is wrong with a document type.

use std::{fmt, ops::Range};

/// A part of a schema that cannot be read, or is not supported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaProblem {
    /// The stable code, as docs/errors.md lists it.
    pub code: &'static str,
    /// Where it is.
    pub place: SchemaPlace,
    /// What is wrong, in lower case.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// A place in a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaPlace {
    /// A JSON pointer (RFC 6901) into the document.
    Pointer(String),
    /// Bytes of one of the documents.
    Bytes {
        /// Its name.
        file: String,
        /// From byte to byte.
        range: Range<usize>,
    },
}

impl SchemaProblem {
    pub(super) fn at(
        code: &'static str,
        pointer: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> SchemaProblem {
        SchemaProblem { code, place: SchemaPlace::Pointer(pointer.into()), message: message.into(), help: help.into() }
    }
}

impl fmt::Display for SchemaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        match &self.place {
            SchemaPlace::Pointer(pointer) => write!(f, " (at `{pointer}`)"),
            SchemaPlace::Bytes { file, range } => write!(f, " (at byte {} of `{file}`)", range.start),
        }
    }
}
impl std::error::Error for SchemaProblem {}
