//! What a call says of its parameters, where the server does not tell their types.

use lockgate_document::{Kind, Node};

use super::{Codes, items};
use crate::Error;

/// What the text of a parameter stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// Bytes, in base64.
    Bytes,
    /// A moment, as RFC 3339 writes it.
    Timestamp,
}

impl Typed {
    /// Reads a list in the parameters' order. Null is what the value itself decides, as it does for
    /// parameters past the list's end.
    pub(super) fn read(list: Node<'_>, codes: Codes) -> Result<Vec<Option<Self>>, Error> {
        let refused =
            || codes.input("`types` must be a list of `bytes`, `timestamp` and null, in the parameters' order");
        if !matches!(list.kind(), Kind::Undefined | Kind::Array) {
            return Err(refused());
        }
        let one = |node: Node<'_>| match (node.kind(), node.as_str()) {
            (Kind::Null, _) => Ok(None),
            (_, Some("bytes")) => Ok(Some(Self::Bytes)),
            (_, Some("timestamp")) => Ok(Some(Self::Timestamp)),
            _ => Err(refused()),
        };
        items(list).map(one).collect()
    }
}
