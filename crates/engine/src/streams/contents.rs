//! What the bytes of a module's calls mean, read once where the module is loaded.

use std::sync::Arc;

use lockgate_document::{Document, formats::Content};
use lockgate_model::{
    Limits,
    manifest::{Authority, ContentFormat, StreamFormat},
};

/// Of one operation.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// What the bytes of its answer mean.
    pub parse: Option<Arc<Content>>,
    /// How the records that it takes are written.
    pub format: Option<Arc<Content>>,
}

impl Contents {
    /// Reads the descriptions in a manifest; gives the name of a format that there is not, or not as it is described.
    pub fn of(authority: &Authority) -> Result<Self, String> {
        let format = match &authority.takes {
            Some(StreamFormat::Records(format)) => Some(format),
            Some(StreamFormat::Bytes) | None => None,
        };
        Ok(Self { parse: authority.parse.as_ref().map(read).transpose()?, format: format.map(read).transpose()? })
    }
}

fn read(format: &ContentFormat) -> Result<Arc<Content>, String> {
    let wrong = || format.name.clone();
    let description = match &format.description {
        Some(text) => Document::parse(text.as_bytes(), &Limits::default()).map_err(|_| wrong())?,
        None => Document::undefined(),
    };
    match Content::read(&format.name, description.root()) {
        Some(Ok(content)) => Ok(Arc::new(content)),
        Some(Err(_)) | None => Err(wrong()),
    }
}
