//! A prepared statement, and its parameters in the form the server takes.

use std::sync::Arc;

use lockgate_connector_api::{Error, sql};
use lockgate_document::{Builder, Fault, Node};

use crate::{failure, types::Type, write};

/// A column of the rows that a statement gives.
#[derive(Debug)]
pub(crate) struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub of: Arc<Type>,
}

impl Column {
    /// Whether its values are names of cursors.
    pub fn is_cursor(&self) -> bool {
        self.of.name == "refcursor"
    }
}

/// What the server knows under a name until its connection ends.
#[derive(Debug)]
pub(crate) struct Statement {
    /// The name.
    pub name: String,
    /// Types of `$1`, `$2` …
    pub parameters: Vec<Arc<Type>>,
    /// Empty when it gives no rows.
    pub columns: Vec<Column>,
}

/// Values of `$1`, `$2` … as text; none is null.
pub(crate) type Values = Vec<Option<String>>;

impl Statement {
    /// The values of the parameters. Refused are a wrong number of them and those that do not fit
    /// their types.
    pub fn values<'a>(&self, given: impl ExactSizeIterator<Item = Node<'a>>) -> Result<Values, Error> {
        if given.len() != self.parameters.len() {
            let detail = format!("{} are given, the statement takes {}", given.len(), self.parameters.len());
            return Err(failure::input("the number of parameters is not the statement's").with_private(detail));
        }
        let value = |(at, (node, of)): (usize, (Node<'a>, &Arc<Type>))| {
            write::parameter(node, of).map_err(|wrong| {
                let detail = format!("parameter {} (`{}`): {wrong}", at + 1, of.name);
                failure::input("a parameter does not fit its type").with_private(detail)
            })
        };
        given.zip(&self.parameters).enumerate().map(value).collect()
    }

    /// Refuses rows that would not make objects: none at all, or two columns of one name.
    pub fn gives_objects(&self) -> Result<(), Error> {
        sql::gives_objects(self.columns.iter().map(|c| c.name.as_str()), failure::CODES)
    }

    /// Writes name and type of each column.
    pub fn describe(&self, out: &mut Builder) -> Result<(), Fault> {
        sql::describe(self.columns.iter().map(|c| (c.name.as_str(), c.of.name.as_str())), out)
    }
}

/// Bytes of data in values.
pub(crate) fn bytes(values: &Values) -> u64 {
    values.iter().flatten().map(|text| text.len() as u64).sum()
}
