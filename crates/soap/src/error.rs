//! Why an envelope could not be written, or was refused.

use std::{borrow::Cow, fmt};

use lockgate_document::{Fault as Limit, FormatError, schema::Violation};

/// What is wrong with a message. The text holds no data of the message; `pointer` is made of its names and is
/// as private as the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoapError {
    /// The stable code, as docs/errors.md lists it.
    pub code: Cow<'static, str>,
    /// What is wrong, in lower case, with what to do.
    pub message: Cow<'static, str>,
    /// The value at fault: a JSON pointer (RFC 6901).
    pub pointer: Option<String>,
}

impl SoapError {
    pub(crate) fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> SoapError {
        SoapError { code: Cow::Borrowed(code), message: message.into(), pointer: None }
    }
    pub(crate) fn at(mut self, pointer: impl Into<String>) -> SoapError {
        self.pointer = Some(pointer.into());
        self
    }
}

/// What the types say and does not hold.
impl From<Violation> for SoapError {
    fn from(violation: Violation) -> SoapError {
        SoapError {
            code: Cow::Borrowed("LG-SOAP-VALUE"),
            message: Cow::Owned(violation.message),
            pointer: Some(violation.pointer),
        }
    }
}

impl From<FormatError> for SoapError {
    fn from(error: FormatError) -> SoapError {
        SoapError { code: Cow::Owned(error.code().to_owned()), message: Cow::Owned(error.to_string()), pointer: None }
    }
}

impl From<Limit> for SoapError {
    fn from(limit: Limit) -> SoapError {
        SoapError { code: Cow::Owned(limit.code()), message: Cow::Owned(limit.to_string()), pointer: None }
    }
}

impl fmt::Display for SoapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        self.pointer.as_ref().map_or(Ok(()), |pointer| write!(f, " (at `{pointer}`)"))
    }
}
impl std::error::Error for SoapError {}
