//! Outputs of operations.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use lockgate_document::{Builder, Document, Fault};
use lockgate_model::Limits;

use super::{Attributes, What};
use crate::{Answer, Error, Kind};

/// How a content is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parse {
    /// By the ending `.json`, else as text where it is UTF-8, else as bytes.
    Auto,
    /// As JSON.
    Json,
    /// As text in UTF-8.
    Text,
    /// As bytes.
    Base64,
}

/// How a content stands in an output.
#[derive(Debug)]
pub enum Shown {
    /// Parsed JSON.
    Document(Box<Document>),
    /// A text.
    Text(String),
    /// Shown in base64.
    Bytes(Bytes),
}

impl Parse {
    /// Reads a content.
    pub fn read(self, path: &str, bytes: Bytes, limits: &Limits) -> Result<Shown, Error> {
        let is_json = path.len() > 5 && path.to_ascii_lowercase().ends_with(".json");
        match self {
            Self::Auto if is_json => json(&bytes, limits),
            Self::Auto => Ok(match std::str::from_utf8(&bytes) {
                Ok(text) => Shown::Text(text.to_owned()),
                Err(_) => Shown::Bytes(bytes),
            }),
            Self::Json => json(&bytes, limits),
            Self::Text => String::from_utf8(bytes.into()).map(Shown::Text).map_err(|_| {
                Error::new(Kind::Protocol, "file-text", "the file is not text in UTF-8 (use `parse: bytes`)")
            }),
            Self::Base64 => Ok(Shown::Bytes(bytes)),
        }
    }
}

fn json(bytes: &[u8], limits: &Limits) -> Result<Shown, Error> {
    let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    Document::parse(json, limits)
        .map(|document| Shown::Document(Box::new(document)))
        .map_err(|e| Error::new(Kind::Protocol, "file-json", "the file is not JSON").with_private(e.to_string()))
}

/// The output of `list`.
pub fn list(entries: &[(String, Attributes)], more: bool, limits: &Limits) -> Result<Document, Error> {
    build(limits, |out| {
        out.key("entries")?;
        out.begin_array()?;
        for (name, attributes) in entries {
            out.begin_object()?;
            out.key("name")?;
            out.text(name)?;
            describe(out, attributes)?;
            out.end()?;
        }
        out.end()?;
        out.key("more")?;
        out.boolean(more)
    })
}

/// The output of `stat`.
pub fn stat(attributes: &Attributes, limits: &Limits) -> Result<Document, Error> {
    build(limits, |out| describe(out, attributes))
}

/// The output of `get`.
pub fn get(attributes: &Attributes, shown: Option<Shown>, limits: &Limits) -> Result<Document, Error> {
    build(limits, |out| {
        describe(out, attributes)?;
        match shown {
            None => Ok(()),
            Some(Shown::Document(document)) => {
                out.key("body")?;
                out.value(document.root())
            }
            Some(Shown::Text(text)) => {
                out.key("body")?;
                out.text(&text)
            }
            Some(Shown::Bytes(bytes)) => {
                out.key("body_base64")?;
                out.text(&STANDARD.encode(&bytes))
            }
        }
    })
}

/// The output of `put`.
pub fn put(size: u64, limits: &Limits) -> Result<Document, Error> {
    build(limits, |out| {
        out.key("size")?;
        out.integer(i64::try_from(size).unwrap_or(i64::MAX))
    })
}

/// The answer of an operation that moves no content.
pub fn answer(output: Document) -> Answer {
    Answer { output, stream: None, read: 0, written: 0 }
}

/// An answer without anything in it.
pub fn done(limits: &Limits) -> Result<Answer, Error> {
    build(limits, |_| Ok(())).map(answer)
}

fn describe(out: &mut Builder, attributes: &Attributes) -> Result<(), Fault> {
    out.key("kind")?;
    out.text(match attributes.what {
        What::File => "file",
        What::Folder => "folder",
        What::Link => "link",
        What::Other => "other",
    })?;
    if let Some(size) = attributes.size {
        out.key("size")?;
        out.integer(i64::try_from(size).unwrap_or(i64::MAX))?;
    }
    if let Some(modified) = attributes.modified {
        out.key("modified")?;
        out.text(&modified.to_string())?;
    }
    Ok(())
}

fn build(limits: &Limits, fill: impl FnOnce(&mut Builder) -> Result<(), Fault>) -> Result<Document, Error> {
    let built = || {
        let mut out = Builder::new(limits);
        out.begin_object()?;
        fill(&mut out)?;
        out.end()?;
        out.finish()
    };
    built().map_err(|fault| {
        Error::new(Kind::TooLarge, "file-output", "the answer does not fit into the run's limits")
            .with_private(fault.to_string())
    })
}
