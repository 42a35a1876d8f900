//! Writing: heads and boundaries, between which the caller sends the bytes.

use super::{is_boundary, wrong};
use crate::{SoapError, Version};

/// The id of the envelope's part.
const ROOT: &str = "envelope@lockgate";

/// A message in parts.
#[derive(Debug, Clone)]
pub struct Writer {
    boundary: String,
    version: Version,
    action: String,
}

impl Writer {
    /// With a boundary that stands in none of the parts: random characters of the caller's, 32 or more.
    pub fn new(boundary: &str, version: Version, action: &str) -> Result<Writer, SoapError> {
        if !is_boundary(boundary) || boundary.contains([' ', '?', '=', ':', '/', '(', ')', ',', '\'']) {
            return Err(wrong("a boundary is 1 to 70 letters, digits, `-`, `_`, `.` and `+`"));
        }
        let action = action.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect();
        Ok(Writer { boundary: boundary.to_owned(), version, action })
    }

    /// The HTTP headers of the message.
    pub fn http_headers(&self) -> Vec<(&'static str, String)> {
        let Writer { boundary, version, action } = self;
        let inner = version.media_type();
        let mut content = format!(
            "multipart/related; type=\"application/xop+xml\"; start=\"<{ROOT}>\"; start-info=\"{inner}\"; boundary=\"{boundary}\""
        );
        match version {
            Version::Soap11 => vec![("content-type", content), ("soapaction", format!("\"{action}\""))],
            Version::Soap12 => {
                content.push_str(&format!("; action=\"{action}\""));
                vec![("content-type", content)]
            }
        }
    }

    /// What stands before the envelope.
    pub fn envelope(&self) -> Vec<u8> {
        let inner = self.version.media_type();
        let head = format!(
            "--{}\r\ncontent-type: application/xop+xml; charset=utf-8; type=\"{inner}\"\r\ncontent-transfer-encoding: \
             binary\r\ncontent-id: <{ROOT}>\r\n\r\n",
            self.boundary
        );
        head.into_bytes()
    }

    /// What stands before an attachment, behind what came before it.
    pub fn attachment(&self, content_id: &str, content_type: &str) -> Result<Vec<u8>, SoapError> {
        let is_plain = |text: &str, also: &[u8]| {
            !text.is_empty()
                && text.len() <= 200
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || also.contains(&byte))
        };
        if !is_plain(content_id, b"@.-_") {
            return Err(wrong("a content id is 1 to 200 letters, digits, `@`, `.`, `-` and `_`"));
        }
        if !is_plain(content_type, b"/.-_+;= \"") {
            return Err(wrong("the media type of an attachment is none"));
        }
        let head = format!(
            "\r\n--{}\r\ncontent-type: {content_type}\r\ncontent-transfer-encoding: binary\r\ncontent-id: \
             <{content_id}>\r\n\r\n",
            self.boundary
        );
        Ok(head.into_bytes())
    }

    /// What stands behind the last part.
    pub fn end(&self) -> Vec<u8> {
        format!("\r\n--{}--\r\n", self.boundary).into_bytes()
    }
}
