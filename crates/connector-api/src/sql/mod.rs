//! What connectors of SQL databases have in common, whatever their protocol: the account, its
//! connections, the operations and their input, and rows that become records.
//!
//! Deliberately absent: any SQL, and types of values; each database has its own.

mod account;
mod codes;
mod load;
mod name;
mod pool;
mod records;
mod routine;
mod session;
mod spec;
mod transaction;
mod typed;
mod work;

use lockgate_document::{Builder, Document, Fault, Kind as Value, Node};
use lockgate_model::Limits;

use crate::Error;

pub use account::Account;
pub use codes::Codes;
pub use load::{Content, Load, Unload};
pub use name::{Name, quoted};
pub use pool::{Lease, Pool};
pub use records::{Gathered, gather, stream};
pub use routine::Routine;
pub use session::{Row, Server, Session};
pub use spec::{BATCH, CALL, EXECUTE, LOAD, QUERY, TRANSACTION, fields};
pub use transaction::{Begin, Done, Transactional, of_run, transaction};
pub use typed::Typed;
pub use work::Work;

/// Longest statement in bytes. It may stay prepared, so it is held once for each connection.
const SQL_BYTES_MAX: usize = 256 << 10;

/// A statement and the value of its `parameters`, undefined where there is none.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The statement.
    pub sql: &'a str,
    /// What it says of its parameters; empty where the server tells their types.
    pub types: Vec<Option<Typed>>,
    parameters: Node<'a>,
    codes: Codes,
}

impl<'a> Asked<'a> {
    /// Reads an input of `sql` and `parameters`.
    ///
    /// # Errors
    /// `Input` for other members, a statement that is none or too long, and parameters that are no
    /// list.
    pub fn read(input: &'a Document, codes: Codes) -> Result<Self, Error> {
        Self::of(input.root(), &[], codes)
    }

    /// Reads an input that can have `types` as well, for a server that does not tell those.
    ///
    /// # Errors
    /// As [`Asked::read`].
    pub fn typed(input: &'a Document, codes: Codes) -> Result<Self, Error> {
        Self::of(input.root(), &["types"], codes)
    }

    /// Reads an object that may have other members beside these.
    pub(crate) fn of(root: Node<'a>, others: &[&str], codes: Codes) -> Result<Self, Error> {
        let known: Vec<&str> = ["sql", "parameters"].into_iter().chain(others.iter().copied()).collect();
        load::has_only(root, &known, codes)?;
        let sql = root.get("sql").as_str().filter(|sql| !sql.trim().is_empty());
        let sql = sql.ok_or_else(|| codes.input("`sql` must be a statement"))?;
        if sql.len() > SQL_BYTES_MAX {
            return Err(codes.input("`sql` is longer than 256 KiB"));
        }
        let parameters = root.get("parameters");
        if !matches!(parameters.kind(), Value::Undefined | Value::Null | Value::Array) {
            return Err(codes.input("`parameters` must be a list"));
        }
        Ok(Self { sql, types: Typed::read(root.get("types"), codes)?, parameters, codes })
    }

    /// The parameters of one run.
    pub fn once(&self) -> impl ExactSizeIterator<Item = Node<'a>> + use<'a> {
        items(self.parameters)
    }

    /// The parameters of many runs.
    ///
    /// # Errors
    /// `Input` when they are no list of lists.
    pub fn lists(&self) -> Result<Vec<Node<'a>>, Error> {
        if self.parameters.kind() != Value::Array || self.parameters.items().any(|list| list.kind() != Value::Array) {
            return Err(self.codes.input("`parameters` must be a list of lists, one for each run"));
        }
        Ok(self.parameters.items().collect())
    }
}

/// The items of a list.
pub fn items(list: Node<'_>) -> impl ExactSizeIterator<Item = Node<'_>> + use<'_> {
    let length = if list.kind() == Value::Array { list.len() } else { 0 };
    (0..length).map(move |at| list.at(at))
}

/// Says for which list of parameters, from 0, an error is.
pub fn in_list(at: usize, error: Error) -> Error {
    let detail = format!("list {}: {}", at + 1, error.private().reveal());
    error.with_private(detail)
}

/// Refuses rows that would not make objects: without columns, or with two of one name.
///
/// # Errors
/// `Input`.
pub fn gives_objects<'a>(columns: impl Iterator<Item = &'a str>, codes: Codes) -> Result<(), Error> {
    let mut names: Vec<&str> = columns.collect();
    if names.is_empty() {
        return Err(codes.input("the statement gives no rows (use `execute` for what changes data)"));
    }
    names.sort_unstable();
    match names.array_windows().find(|[one, next]| one == next) {
        None => Ok(()),
        Some([name, _]) => Err(codes
            .input("two columns have one name: give each its own with `as`")
            .with_private(format!("`{name}` is there twice"))),
    }
}

/// Writes name and type of each column, as a list of objects.
///
/// # Errors
/// When the document's limits are reached.
pub fn describe<'a>(columns: impl Iterator<Item = (&'a str, &'a str)>, out: &mut Builder) -> Result<(), Fault> {
    out.begin_array()?;
    for (name, of) in columns {
        out.begin_object()?;
        out.key("name")?;
        out.text(name)?;
        out.key("type")?;
        out.text(of)?;
        out.end()?;
    }
    out.end()
}

/// Writes how many rows each run of a batch changed, and all of them.
///
/// # Errors
/// When the document's limits are reached.
pub fn counts(counts: &[u64], out: &mut Builder) -> Result<(), Fault> {
    let integer = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    out.begin_object()?;
    out.key("rows")?;
    out.integer(integer(counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count))))?;
    out.key("counts")?;
    out.begin_array()?;
    for count in counts {
        out.integer(integer(*count))?;
    }
    out.end()?;
    out.end()
}

/// The longest message that can hold a row within the limit of a reply.
pub fn row_bytes_max(limits: &Limits) -> usize {
    usize::try_from(limits.reply_bytes_max).unwrap_or(usize::MAX).saturating_add(64 << 10)
}

/// The text of a value's JSON; none where it has none.
pub fn json(node: Node<'_>) -> Option<String> {
    // As deep and large as the input that it is a part of.
    let limits = Limits { arena_bytes_max: u64::MAX, depth_max: u32::MAX, ..Limits::default() };
    let mut out = Builder::new(&limits);
    let printed = out.value(node).and_then(|()| out.finish()).and_then(|document| document.print(u64::MAX));
    printed.ok().and_then(|json| String::from_utf8(json).ok())
}

/// Whether the nearest number to a text is one: neither infinite nor, without the text being it, zero.
pub fn is_near(number: f64, text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let is_zero = !mantissa.bytes().any(|b| (b'1'..=b'9').contains(&b));
    number.is_finite() && (number != 0.0 || is_zero)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Kind;

    pub(super) const CODES: Codes = Codes {
        account: "sql-account",
        input: "sql-input",
        busy: "sql-busy",
        timeout: "sql-timeout",
        broken: "sql-broken",
        too_large: "sql-too-large",
        commit_unknown: "sql-commit-unknown",
        unmet: "sql-unmet",
    };

    fn document(json: &str) -> Document {
        Document::parse(json.as_bytes(), &Limits::default()).unwrap()
    }

    #[test]
    fn inputs_that_break_the_rules_are_refused() {
        for json in [
            "{}",
            r#"{"sql": 1}"#,
            r#"{"sql": " "}"#,
            r#"{"sql": "select 1", "parameters": "x"}"#,
            r#"{"sql": "select 1", "parameters": {}}"#,
            r#"{"sql": "select 1", "body": "x"}"#,
            &format!(r#"{{"sql": "{}"}}"#, "x".repeat(SQL_BYTES_MAX + 1)),
        ] {
            let input = document(json);
            let error = Asked::read(&input, CODES).unwrap_err();
            assert_eq!((error.kind(), error.code()), (Kind::Input, "sql-input"));
        }
        for types in ["1", "null", r#"{"1": "bytes"}"#, r#"["blob"]"#, "[1]", r#"[["bytes"]]"#] {
            let input = document(&format!(r#"{{"sql": "select 1", "types": {types}}}"#));
            assert_eq!(Asked::typed(&input, CODES).unwrap_err().code(), "sql-input", "{types}");
        }
        // A server that tells types is told none.
        assert!(Asked::read(&document(r#"{"sql": "select 1", "types": []}"#), CODES).is_err());
        let input = document(r#"{"sql": "select 1", "parameters": [[1], 2]}"#);
        assert!(Asked::read(&input, CODES).unwrap().lists().is_err());
        assert!(gives_objects(["b", "a", "b"].into_iter(), CODES).is_err());
        assert!(gives_objects([].into_iter(), CODES).is_err());
    }

    #[test]
    fn numbers_out_of_range_are_near_nothing() {
        for (text, is) in [("1e400", false), ("1e-400", false), ("0e-400", true), ("0.10", true), ("-1e308", true)] {
            assert_eq!(is_near(text.parse().unwrap(), text), is, "{text}");
        }
    }

    #[test]
    fn a_statement_has_its_parameters() {
        let input = document(r#"{"sql": "select 1", "parameters": [1, [2]], "body": "x"}"#);
        let asked = Asked::of(input.root(), &["body"], CODES).unwrap();
        assert_eq!((asked.sql, asked.once().len()), ("select 1", 2));
        gives_objects(["a", "b"].into_iter(), CODES).unwrap();
        let input = document(r#"{"sql": "select 1", "parameters": [1, 2], "types": [null, "bytes"]}"#);
        assert_eq!(Asked::typed(&input, CODES).unwrap().types, [None, Some(Typed::Bytes)]);
    }
}
