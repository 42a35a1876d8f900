//! The inputs of the operations.

use lockgate_connector_api::Error;
use lockgate_document::{Document, Kind, Node};

use crate::failure;

/// Longest statement in bytes. It stays prepared, so it is held once for each connection.
const SQL_BYTES_MAX: usize = 256 << 10;

/// A statement and the value of its `parameters`, undefined where there is none.
pub(crate) struct Asked<'a> {
    /// The statement.
    pub sql: &'a str,
    parameters: Node<'a>,
}

/// Reads an input.
pub(crate) fn read(input: &Document) -> Result<Asked<'_>, Error> {
    let root = input.root();
    if let Some((other, _)) = root.entries().find(|(name, _)| !matches!(*name, "sql" | "parameters")) {
        let detail = format!("`{other}` is neither `sql` nor `parameters`");
        return Err(failure::input("the input has a member that the operation does not take").with_private(detail));
    }
    let sql = root.get("sql").as_str().filter(|sql| !sql.trim().is_empty());
    let sql = sql.ok_or_else(|| failure::input("`sql` must be a statement"))?;
    if sql.len() > SQL_BYTES_MAX {
        return Err(failure::input("`sql` is longer than 256 KiB"));
    }
    let parameters = root.get("parameters");
    if !matches!(parameters.kind(), Kind::Undefined | Kind::Null | Kind::Array) {
        return Err(failure::input("`parameters` must be a list"));
    }
    Ok(Asked { sql, parameters })
}

impl<'a> Asked<'a> {
    /// The parameters of one run.
    pub fn once(&self) -> impl ExactSizeIterator<Item = Node<'a>> + use<'a> {
        items(self.parameters)
    }

    /// The parameters of many runs.
    pub fn lists(&self) -> Result<Vec<Node<'a>>, Error> {
        if self.parameters.kind() != Kind::Array || self.parameters.items().any(|list| list.kind() != Kind::Array) {
            return Err(failure::input("`parameters` must be a list of lists, one for each run"));
        }
        Ok(self.parameters.items().collect())
    }
}

/// The items of a list.
pub(crate) fn items(list: Node<'_>) -> impl ExactSizeIterator<Item = Node<'_>> + use<'_> {
    let length = if list.kind() == Kind::Array { list.len() } else { 0 };
    (0..length).map(move |at| list.at(at))
}
