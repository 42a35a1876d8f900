//! Content of calls in a format: how flows say what bytes are.

use lockgate_model::Limits;

use super::{Format, Records};
use crate::{
    csv::{self, CsvWriter},
    document::Document,
    edi, fixed,
    format::{FormatError, RecordWriter},
    json::ParseOptions,
    node::Node,
    options::{LayoutProblems, Members, Told},
    xml::XmlOptions,
};

/// A format, and where the records of a document stand in it.
#[derive(Debug, Clone)]
pub struct Content {
    format: Format,
    /// Names that lead to the records; none: they are the document.
    path: Vec<String>,
}

impl Content {
    /// The formats there are.
    pub const NAMES: [&str; 6] = ["json", "json-lines", "csv", "fixed", "xml", "edi"];

    /// The format of this name as it is described, undefined being the default; none where there is no such format.
    /// docs/formats has a page with the members of each. JSON has one: `records`, names divided by dots that
    /// lead to its records.
    pub fn read(name: &str, description: Node<'_>) -> Option<Result<Self, LayoutProblems>> {
        let plain = |format| Self { format, path: Vec::new() };
        Some(match name {
            "json" => json(description).map(|path| Self { format: Format::Json, path }),
            "json-lines" => nothing(description).map(|()| plain(Format::Jsonl)),
            "csv" => csv::Dialect::read(description).map(|dialect| plain(Format::Csv(Box::new(dialect)))),
            "fixed" => fixed::Layout::read(description).map(|layout| plain(Format::Fixed(Box::new(layout)))),
            "xml" => XmlOptions::read(description).map(|options| {
                let path = options.records.iter().flat_map(|(root, record)| [root.clone(), record.clone()]).collect();
                Self { format: Format::Xml(Box::new(options)), path }
            }),
            "edi" => grammars(description).map(|grammars| {
                let dialect = edi::Dialect { grammars: grammars.into(), ..edi::Dialect::default() };
                plain(Format::Edi(Box::new(dialect)))
            }),
            _ => return None,
        })
    }

    /// Whether it has records: XML does where its description names them.
    pub fn has_records(&self) -> bool {
        !matches!(self.format, Format::Xml(_)) || !self.path.is_empty()
    }

    /// Reads the records; none where it has none.
    pub fn records(&self, limits: &Limits) -> Option<Records> {
        self.has_records().then(|| self.format.records(&self.path, limits, ParseOptions::default())).flatten()
    }

    /// A whole document: where records are named, the list of them.
    pub fn document(&self, bytes: &[u8], limits: &Limits) -> Result<Document, FormatError> {
        match (&self.format, self.records(limits).filter(|_| !self.path.is_empty())) {
            (_, Some(records)) => {
                let (list, records) = records.read_all(bytes, limits)?;
                records.complete().map(|()| list)
            }
            (Format::Json, None) => Document::parse(bytes, limits).map_err(|error| FormatError::json(&error, 0)),
            (_, None) => self.format.document(bytes, limits, ParseOptions::default()),
        }
    }

    /// Writes records; none where it writes none.
    pub fn writer(&self, limits: &Limits) -> Option<Box<dyn RecordWriter>> {
        self.has_records().then(|| self.format.writer(limits)).flatten()
    }

    /// Whether records are written as a table.
    pub fn is_table(&self) -> bool {
        matches!(self.format, Format::Csv(_))
    }

    /// Writes records as a table, where that is what it is; `fields` are those of every record, if they are known.
    pub fn table(&self, fields: Option<Vec<String>>) -> Option<CsvWriter> {
        match &self.format {
            Format::Csv(dialect) => Some(CsvWriter::new(dialect.as_ref().clone(), fields)),
            _ => None,
        }
    }
}

fn json(description: Node<'_>) -> Result<Vec<String>, LayoutProblems> {
    let told = Told::default();
    let path = Members::of(description, String::new(), &["records"], &told).and_then(|members| {
        let Some(path) = members.text("records")?.filter(|path| *path != "$") else { return Ok(Vec::new()) };
        let names: Vec<String> = path.split('.').map(str::to_owned).collect();
        match names.iter().any(String::is_empty) {
            true => Err(members.wrong("records", "must be names divided by dots, as `data.orders`, or `$`")),
            false => Ok(names),
        }
    });
    told.result(path)
}

fn nothing(description: Node<'_>) -> Result<(), LayoutProblems> {
    let told = Told::default();
    let members = Members::of(description, String::new(), &[], &told).map(|_| ());
    told.result(members)
}

/// One grammar, or none.
fn grammars(description: Node<'_>) -> Result<Vec<edi::Grammar>, LayoutProblems> {
    if description.is_undefined() {
        return Ok(Vec::new());
    }
    Ok(vec![edi::Grammar::read(description)?])
}
