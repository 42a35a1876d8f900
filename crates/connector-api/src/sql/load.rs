//! The operation `load`: what streams in becomes rows of a table.
//!
//! Lines are read here, held against the columns that the call names, and written down as PostgreSQL
//! and MySQL both read them: a line a row, a tab between two values, `\N` for null and a backslash
//! before what would be misread. So a file means the same to each of them, and nothing in it can end a
//! value. How a value is written is the connector's, which knows the types.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::StreamExt as _;
use lockgate_document::{
    CsvReader, Document, Duplicates, FormatError, JsonLines, Node, ParseOptions, RecordReader as _, csv::Dialect,
};
use lockgate_model::Limits;

use super::{
    Codes,
    name::{Name, names, quoted},
};
use crate::{Body, Error};

/// Records that are read at once.
const RECORDS_AT_ONCE: usize = 1_000;
/// The members of the input.
const MEMBERS: [&str; 8] = ["table", "columns", "content", "header", "delimiter", "empty", "body", "body_base64"];

/// The members of the input of what copies out.
const MEMBERS_OUT: [&str; 4] = ["table", "columns", "header", "delimiter"];

/// What values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Texts, as the server writes them; null.
    Csv,
    /// Values of any kind.
    JsonLines,
}

/// What a call of `load` asks for, and how far it came.
#[derive(Debug)]
pub struct Load<'a> {
    /// The table.
    pub table: Name<'a>,
    /// The columns.
    pub columns: Vec<&'a str>,
    /// What streams in.
    pub content: Content,
    /// Rows that were read so far.
    pub rows: u64,
    /// Bytes that were read so far.
    pub read: u64,
    reader: Reader,
    body: Body,
    codes: Codes,
    ended: bool,
}

#[derive(Debug)]
enum Reader {
    Csv(Box<CsvReader>),
    JsonLines(Box<JsonLines>),
}

impl<'a> Load<'a> {
    /// Reads the input of the operation, and takes the stream.
    ///
    /// # Errors
    /// `Input` when it breaks the rules.
    pub fn read(input: &'a Document, stream: Option<Body>, limits: &Limits, codes: Codes) -> Result<Self, Error> {
        let root = input.root();
        has_only(root, &MEMBERS, codes)?;
        let (table, columns) = target(root, codes)?;
        let content = match choice(root, "content", "csv") {
            Some("csv") => Content::Csv,
            Some("json-lines") => Content::JsonLines,
            _ => return Err(codes.input("`content` must be `csv` or `json-lines`")),
        };
        let reader = match content {
            Content::Csv => Reader::Csv(Box::new(CsvReader::new(&dialect(root, &columns, codes)?, limits))),
            Content::JsonLines if ["header", "delimiter", "empty"].iter().any(|m| !root.get(m).is_undefined()) => {
                return Err(codes.input("`header`, `delimiter` and `empty` are of CSV alone"));
            }
            Content::JsonLines => {
                Reader::JsonLines(Box::new(JsonLines::new(limits, ParseOptions { duplicates: Duplicates::Refuse })))
            }
        };
        let body = body(root, stream, codes)?;
        Ok(Self { table, columns, content, rows: 0, read: 0, reader, body, codes, ended: false })
    }

    /// The columns in quotes, as a statement lists them.
    pub fn quoted_columns(&self, quote: char) -> String {
        list(&self.columns, quote)
    }

    /// Writes the next rows; false when there are no more. `value` gives the text of a column's value
    /// (none is null), or says what is wrong with it.
    ///
    /// # Errors
    /// `Input` for content that is not what the call says it is, and what fails on the way.
    pub async fn lines(
        &mut self,
        out: &mut Vec<u8>,
        value: impl for<'n> Fn(usize, Node<'n>) -> Result<Option<Cow<'n, str>>, &'static str>,
    ) -> Result<bool, Error> {
        loop {
            let batch = match &mut self.reader {
                Reader::Csv(reader) => reader.batch(RECORDS_AT_ONCE),
                Reader::JsonLines(reader) => reader.batch(RECORDS_AT_ONCE),
            };
            if let Some(batch) = batch.map_err(|error| self.malformed(&error))? {
                for record in batch.root().items() {
                    self.line(record, out, &value)?;
                }
                return Ok(true);
            }
            if self.ended {
                return Ok(false);
            }
            match (self.body.next().await.transpose()?, &mut self.reader) {
                (Some(piece), reader) => {
                    self.read += piece.len() as u64;
                    match reader {
                        Reader::Csv(reader) => reader.push(&piece),
                        Reader::JsonLines(reader) => reader.push(&piece),
                    }
                }
                (None, _) if self.body.length().is_some_and(|length| length != self.read) => {
                    return Err(self.codes.input("the streamed body is not as long as was said"));
                }
                (None, Reader::Csv(reader)) => {
                    reader.end();
                    self.ended = true;
                }
                (None, Reader::JsonLines(reader)) => {
                    reader.end();
                    self.ended = true;
                }
            }
        }
    }

    fn line(
        &mut self,
        record: Node<'_>,
        out: &mut Vec<u8>,
        value: impl for<'n> Fn(usize, Node<'n>) -> Result<Option<Cow<'n, str>>, &'static str>,
    ) -> Result<(), Error> {
        self.rows += 1;
        let wrong = |detail: String| {
            let text = "a record does not fit the columns, so nothing was loaded";
            self.codes.input(text).with_private(format!("record {}: {detail}", self.rows))
        };
        // Most records have the columns in their order, and then none has to be looked for.
        let in_order = record.entries().map(|(name, _)| name).eq(self.columns.iter().copied());
        if !in_order && let Some((name, _)) = record.entries().find(|(name, _)| !self.columns.contains(name)) {
            return Err(wrong(format!("`{name}` is none of the columns")));
        }
        let mut entries = record.entries();
        for (at, name) in self.columns.iter().enumerate() {
            let node = match entries.next() {
                Some((_, node)) if in_order => node,
                _ => record.get(name),
            };
            if node.is_undefined() {
                return Err(wrong(format!("there is no `{name}`")));
            }
            let text = value(at, node).map_err(|what| wrong(format!("`{name}` {what}")))?;
            if at > 0 {
                out.push(b'\t');
            }
            put(out, text.as_deref());
        }
        out.push(b'\n');
        Ok(())
    }

    fn malformed(&self, error: &FormatError) -> Error {
        self.codes.input("the content cannot be read, so nothing was loaded").with_private(error.to_string())
    }
}

/// What a call that copies a table out asks for.
#[derive(Debug)]
pub struct Unload<'a> {
    /// The table.
    pub table: Name<'a>,
    /// The columns.
    pub columns: Vec<&'a str>,
    /// Whether the first line names them.
    pub header: bool,
    /// What stands between two fields.
    pub delimiter: char,
}

impl<'a> Unload<'a> {
    /// Reads the input of the operation.
    ///
    /// # Errors
    /// `Input` when it breaks the rules.
    pub fn read(input: &'a Document, codes: Codes) -> Result<Self, Error> {
        let root = input.root();
        has_only(root, &MEMBERS_OUT, codes)?;
        let (table, columns) = target(root, codes)?;
        Ok(Self { table, columns, header: header(root, codes)?, delimiter: delimiter(root, codes)?.1 })
    }

    /// The columns in quotes, as a statement lists them.
    pub fn quoted_columns(&self, quote: char) -> String {
        list(&self.columns, quote)
    }
}

/// Refuses members that an operation does not take.
pub(super) fn has_only(root: Node<'_>, members: &[&str], codes: Codes) -> Result<(), Error> {
    match root.entries().find(|(name, _)| !members.contains(name)) {
        None => Ok(()),
        Some((other, _)) => {
            let detail = format!("`{other}` is none of its members");
            Err(codes.input("the input has a member that the operation does not take").with_private(detail))
        }
    }
}

/// Table and columns.
fn target<'a>(root: Node<'a>, codes: Codes) -> Result<(Name<'a>, Vec<&'a str>), Error> {
    let table = Name::read(root.get("table"), "`table` must be the name of a table", codes)?;
    let columns = names(root.get("columns"), "`columns` must be a list of different names of columns", codes)?;
    Ok((table, columns))
}

/// Names in quotes.
fn list(names: &[&str], quote: char) -> String {
    names.iter().map(|name| quoted(name, quote)).collect::<Vec<_>>().join(", ")
}

fn header(root: Node<'_>, codes: Codes) -> Result<bool, Error> {
    let header = root.get("header");
    let header = if header.is_undefined() { Some(true) } else { header.as_bool() };
    header.ok_or_else(|| codes.input("`header` must be `true` or `false`"))
}

/// What stands between two fields: its name, and itself.
fn delimiter(root: Node<'_>, codes: Codes) -> Result<(&'static str, char), Error> {
    let known = [("comma", ','), ("semicolon", ';'), ("tab", '\t'), ("pipe", '|')];
    let given = choice(root, "delimiter", "comma");
    let found = known.into_iter().find(|(name, _)| given == Some(*name));
    found.ok_or_else(|| codes.input("`delimiter` must be `comma`, `semicolon`, `tab` or `pipe`"))
}

/// A value, such that nothing in it ends it.
fn put(out: &mut Vec<u8>, value: Option<&str>) {
    let Some(text) = value else { return out.extend_from_slice(b"\\N") };
    let mut rest = text.as_bytes();
    while let Some((plain, [special, behind @ ..])) = rest
        .iter()
        .position(|byte| matches!(byte, b'\\' | b'\t' | b'\n' | b'\r' | 0))
        .and_then(|at| rest.split_at_checked(at))
    {
        out.extend_from_slice(plain);
        out.extend_from_slice(match special {
            b'\t' => b"\\t",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            0 => b"\\0",
            _ => b"\\\\",
        });
        rest = behind;
    }
    out.extend_from_slice(rest);
}

/// A member that is a text; the default where it is not given, none where it is something else.
fn choice<'a>(root: Node<'a>, member: &str, default: &'a str) -> Option<&'a str> {
    let node = root.get(member);
    if node.is_undefined() { Some(default) } else { node.as_str() }
}

/// How CSV is written down.
fn dialect(root: Node<'_>, columns: &[&str], codes: Codes) -> Result<Dialect, Error> {
    let (delimiter, _) = delimiter(root, codes)?;
    let empty = choice(root, "empty", "null").filter(|empty| ["null", "text"].contains(empty));
    let empty = empty.ok_or_else(|| codes.input("`empty` must be `null` or `text`"))?;
    let has_header = header(root, codes)?;
    let mut members = serde_json::json!({"delimiter": delimiter, "empty": empty});
    if !has_header && let Some(members) = members.as_object_mut() {
        members.insert("header".to_owned(), columns.into());
    }
    let members = Document::parse(members.to_string().as_bytes(), &Limits::default());
    let dialect = members.ok().and_then(|members| Dialect::read(members.root()).ok());
    dialect.ok_or_else(|| codes.input("the columns cannot be the header of a CSV file"))
}

/// The content: what streams in, or a member of the input.
fn body(root: Node<'_>, stream: Option<Body>, codes: Codes) -> Result<Body, Error> {
    let (text, base64) = (root.get("body"), root.get("body_base64"));
    match (stream, text.is_undefined(), base64.is_undefined()) {
        (Some(stream), true, true) => Ok(stream),
        (None, false, true) => {
            let text = text.as_str().ok_or_else(|| codes.input("`body` must be a text"))?;
            Ok(Body::full(text.as_bytes().to_vec()))
        }
        (None, true, false) => {
            let bytes = base64.as_str().and_then(|text| STANDARD.decode(text).ok());
            bytes.map(Body::full).ok_or_else(|| codes.input("`body_base64` is no base64"))
        }
        (None, true, true) => Err(codes.input("there is no content: give `body`, `body_base64` or a streamed body")),
        _ => Err(codes.input("more than one of `body`, `body_base64` and a streamed body is given")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, sql::tests::CODES};

    async fn lines(input: &str) -> Result<String, Error> {
        let input = Document::parse(input.as_bytes(), &Limits::default()).unwrap();
        let mut load = Load::read(&input, None, &Limits::default(), CODES)?;
        let mut out = Vec::new();
        while load.lines(&mut out, text).await? {}
        Ok(String::from_utf8(out).unwrap())
    }

    fn text<'n>(_: usize, node: Node<'n>) -> Result<Option<Cow<'n, str>>, &'static str> {
        Ok(node.lexeme().or_else(|| node.as_str().map(Cow::Borrowed)))
    }

    #[tokio::test]
    async fn what_does_not_fit_is_refused() {
        for input in [
            r#"{}"#,
            r#"{"table": "t", "columns": [], "body": ""}"#,
            r#"{"table": "t", "columns": ["a"], "body": "", "sql": ""}"#,
            r#"{"table": "t", "columns": ["a"]}"#,
            r#"{"table": "t", "columns": ["a"], "body": 1}"#,
            r#"{"table": "t", "columns": ["a"], "body": "", "body_base64": ""}"#,
            r#"{"table": "t", "columns": ["a"], "body": "a\n", "content": "xml"}"#,
            r#"{"table": "t", "columns": ["a"], "body": "a\n", "delimiter": "x"}"#,
            r#"{"table": "t", "columns": ["a"], "body": "a\n", "empty": "absent"}"#,
            r#"{"table": "t", "columns": ["a"], "body": "a\n", "header": "no"}"#,
            r#"{"table": "t", "columns": ["a"], "body": "{}", "content": "json-lines", "header": false}"#,
            r#"{"table": "t", "columns": ["a"], "body": "b\n1\n"}"#,
            r#"{"table": "t", "columns": ["a", "b"], "body": "b\n1\n"}"#,
            r#"{"table": "t", "columns": ["a"], "body": "a,b\n1,2\n"}"#,
            r#"{"table": "t", "columns": ["a"], "body": "a\n1,2\n"}"#,
            r#"{"table": "t", "columns": ["a"], "body": "a\n\"1\n"}"#,
            r#"{"table": "t", "columns": ["a"], "body": "{}\n", "content": "json-lines"}"#,
            r#"{"table": "t", "columns": ["a"], "body": "1\n", "content": "json-lines"}"#,
            r#"{"table": "t", "columns": ["a"], "body": "{\"a\": 1, \"b\": 2}\n", "content": "json-lines"}"#,
        ] {
            let error = lines(input).await.unwrap_err();
            assert_eq!((error.kind(), error.code()), (Kind::Input, "sql-input"), "{input}");
        }
    }

    #[tokio::test]
    async fn nothing_in_a_value_ends_it() {
        for (input, written) in [
            (r#"{"table": "t", "columns": ["a", "b"], "body": "b,a\n1,\n\"\",\"x\ty\\\"\n"}"#, "\\N\t1\nx\\ty\\\\\t\n"),
            (r#"{"table": "t", "columns": ["a", "b"], "header": false, "empty": "text", "body": "1,\n"}"#, "1\t\n"),
            (
                r#"{"table": "t", "columns": ["a"], "delimiter": "tab", "body": "a\n\\N\n\"\r\n\"\n"}"#,
                "\\\\N\n\\r\\n\n",
            ),
            (
                r#"{"table": "t", "columns": ["a", "b"], "content": "json-lines", "body": "{\"b\": null, \"a\": 1.50}\n\n"}"#,
                "1.50\t\\N\n",
            ),
            (r#"{"table": "t", "columns": ["a"], "body_base64": ""}"#, ""),
        ] {
            assert_eq!(lines(input).await.unwrap(), written, "{input}");
        }
    }
}
