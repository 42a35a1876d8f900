//! The input of the operation `call`: a procedure or function by its name, and values for it.

use lockgate_document::{Document, Kind, Node};

use super::{Codes, Name, items, load::has_only};
use crate::Error;

/// A routine to be called.
#[derive(Debug, Clone, Copy)]
pub struct Routine<'a> {
    /// Its name.
    pub name: Name<'a>,
    parameters: Node<'a>,
}

impl<'a> Routine<'a> {
    /// Reads the input of the operation.
    ///
    /// # Errors
    /// `Input` when it breaks the rules.
    pub fn read(input: &'a Document, codes: Codes) -> Result<Self, Error> {
        let root = input.root();
        has_only(root, &["routine", "parameters"], codes)?;
        let wrong = "`routine` must be the name of a procedure or function";
        let name = Name::read(root.get("routine"), wrong, codes)?;
        let parameters = root.get("parameters");
        if !matches!(parameters.kind(), Kind::Undefined | Kind::Null | Kind::Array) {
            return Err(codes.input("`parameters` must be a list"));
        }
        Ok(Self { name, parameters })
    }

    /// The values of its `in` and `inout` parameters.
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = Node<'a>> + use<'a> {
        items(self.parameters)
    }
}
