//! XML in and out (XML 1.0, fifth edition; Namespaces in XML 1.0), whole and as records.
//!
//! A document is an object with one field, its root. An element is a string when it has text alone and
//! no attributes; `null` when `xsi:nil` says so; otherwise an object: attributes as `@name` first, then
//! its text as `#text`, or a field for each child, or, where fields would lose order or text, all it
//! holds as the array `#content`. docs/formats/xml.md has the whole correspondence with examples.
//!
//! Reading is strict: what is not well-formed is refused with its byte, and so is every document type
//! declaration, so that no entity, file or address can be pulled in. Writing is canonical: one value
//! gives one text.
//!
//! Deliberately absent: validation (DTD, XSD), entities beyond the five, XML 1.1, white space for the
//! eye, comments and processing instructions in values.

mod build;
mod declaration;
mod input;
mod names;
mod namespaces;
mod options;
mod problem;
mod read;
mod records;
mod reference;
mod tag;
mod token;
mod way;
mod write;

pub use namespaces::Namespaces;
pub use options::{Arrays, XmlOptions};
pub use read::read;
pub use records::{XmlRecordReader, XmlRecordWriter};
pub use write::write;

/// Longest name of an element or attribute, in bytes.
const NAME_BYTES_MAX: usize = 1_024;
/// Longest name of a namespace that is declared, in bytes.
const URI_BYTES_MAX: usize = 2_048;
/// Most attributes of one element.
const ATTRIBUTES_MAX: usize = 1_000;
/// Longest tag with all its attributes, in bytes.
const TAG_BYTES_MAX: usize = 4 << 20;

#[cfg(test)]
mod tests;
