//! A prepared statement and its parameters.

use lockgate_connector_api::{
    Error,
    sql::{self, Typed},
};
use lockgate_document::{Builder, Fault, Node};

use crate::{
    failure,
    types::Column,
    write::{self, Value},
};

/// What the server knows under a number until the connection is reset.
#[derive(Debug)]
pub(crate) struct Statement {
    /// The number.
    pub number: u32,
    /// How many `?` it has.
    pub parameters: usize,
    /// Empty when it gives no rows, or the server cannot know beforehand.
    pub columns: Vec<Column>,
}

impl Statement {
    /// The values of the parameters. Refused are a wrong number of them and those that no parameter
    /// can have.
    pub fn values<'a>(
        &self,
        given: impl ExactSizeIterator<Item = Node<'a>>,
        types: &[Option<Typed>],
    ) -> Result<Vec<Value>, Error> {
        if types.len() > self.parameters {
            return Err(failure::input("`types` is longer than the statement has parameters"));
        }
        if given.len() != self.parameters {
            let detail = format!("{} are given, the statement takes {}", given.len(), self.parameters);
            return Err(failure::input("the number of parameters is not the statement's").with_private(detail));
        }
        let value = |(at, node): (usize, Node<'a>)| {
            write::parameter(node, types.get(at).copied().flatten()).map_err(|wrong| {
                failure::input("a parameter cannot be given to the server")
                    .with_private(format!("parameter {}: {wrong}", at + 1))
            })
        };
        given.enumerate().map(value).collect()
    }
}

/// Refuses rows that would not make objects: none at all, or two columns of one name.
pub(crate) fn gives_objects(columns: &[Column]) -> Result<(), Error> {
    sql::gives_objects(columns.iter().map(|c| c.name.as_str()), failure::CODES)
}

/// Writes name and type of each column.
pub(crate) fn describe(columns: &[Column], out: &mut Builder) -> Result<(), Fault> {
    sql::describe(columns.iter().map(|c| (c.name.as_str(), c.of.as_str())), out)
}

/// The word that a statement begins with, in lower case; none where it begins with a comment.
pub(crate) fn first_word(sql: &str) -> String {
    sql.trim_start().chars().take_while(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether a connection is as good as new when it was reset after this statement. A reset keeps the database and the role
/// that were chosen (`use`, `set role`). What begins with a comment may hold either.
pub(crate) fn leaves_nothing(sql: &str) -> bool {
    match &*first_word(sql) {
        "" | "use" | "call" => false,
        "set" => !sql.to_ascii_lowercase().contains("role"),
        _ => true,
    }
}
