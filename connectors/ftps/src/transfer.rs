//! How a content travels, and what a call says about it that other servers of files have no use for.

use lockgate_connector_api::{Error, Kind};
use lockgate_document::{Kind as Is, Node};

/// How contents are represented on their way (RFC 959 §3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transfer {
    /// Byte by byte.
    Binary,
    /// Lines, whose ends are translated.
    Ascii,
}

/// `transfer`: how a content is represented on its way.
pub(crate) fn read(input: Node<'_>) -> Result<Transfer, Error> {
    let given = input.get("transfer");
    match (given.kind(), given.as_str()) {
        (Is::Undefined | Is::Null, _) | (_, Some("binary")) => Ok(Transfer::Binary),
        (_, Some("ascii")) => Ok(Transfer::Ascii),
        _ => Err(refused("`transfer` must be `binary` or `ascii`")),
    }
}

/// `offset`: the byte at which to begin.
pub(crate) fn offset(input: Node<'_>, transfer: Transfer) -> Result<u64, Error> {
    let given = input.get("offset");
    if matches!(given.kind(), Is::Undefined | Is::Null) {
        return Ok(0);
    }
    let offset = given.as_i64().and_then(|offset| u64::try_from(offset).ok());
    match offset.ok_or_else(|| refused("`offset` must be a whole number of bytes"))? {
        1.. if transfer == Transfer::Ascii => {
            Err(refused("`offset` counts bytes, which `transfer: ascii` does not keep"))
        }
        offset => Ok(offset),
    }
}

fn refused(text: &'static str) -> Error {
    Error::new(Kind::Input, "file-input", text)
}
