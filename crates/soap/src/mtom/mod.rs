//! Attachments: MTOM (W3C Recommendation of 25 January 2005) with XOP, in `multipart/related` (RFC 2387).
//!
//! The envelope is the first part; in it a text `cid:ID` stands where the bytes of the part with that id belong.
//! Attachments pass piece by piece, whatever their length: neither side holds more than a piece and a head.
//!
//! Deliberately absent: where bytes come from and go to; transfer encodings, which HTTP does not need; parts that
//! come before the envelope.

mod head;
mod reader;
mod writer;

pub use head::{PartHead, content_id};
pub use reader::{Event, Reader};
pub use writer::Writer;

use crate::SoapError;

/// Longest head of a part, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Longest content id.
const ID_BYTES_MAX: usize = 256;
/// Bytes before the first part and behind the last, where nothing belongs.
const AROUND_BYTES_MAX: usize = 16 << 10;
/// Parts of one message.
const PARTS_MAX: usize = 10_000;
/// Longest boundary (RFC 2046 §5.1.1).
const BOUNDARY_MAX: usize = 70;

fn wrong(message: &'static str) -> SoapError {
    SoapError::new("LG-SOAP-MULTIPART", message)
}

/// May this be a boundary (RFC 2046 §5.1.1)?
fn is_boundary(boundary: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    !boundary.is_empty() && boundary.len() <= BOUNDARY_MAX && boundary.bytes().all(is_known) && !boundary.ends_with(' ')
}
