//! The formats that documents come in and go out as, by their names on the command line: `csv`, or
//! `csv:dialect.yaml` with a file that describes it. A format is a reader or a writer of records, and
//! what a whole document is in it: a list of records is the array of them, unless the format has
//! documents of its own, as XML has.

use std::{path::Path, str::FromStr};

use clap::{Args, ValueEnum};
use lockgate_document::{
    Builder, CsvReader, CsvWriter, Document, Duplicates, Fault, FixedReader, FixedWriter, FormatError, JsonLines,
    JsonLinesWriter, JsonRecords, JsonWriter, Kind, LayoutProblem, LayoutProblems, ParseOptions, RecordWriter, csv,
    edi, fixed, schema::Schema, xml,
};
use lockgate_mapping::{nearest, yaml};
use lockgate_model::{Diagnostic, Diagnostics, Limits};

use crate::{
    author::{
        records::{Below, Records},
        sources,
    },
    exit::Exit,
};

/// A format by its name, and the file that describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    name: Name,
    file: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    Json,
    Jsonl,
    Csv,
    Fixed,
    Xml,
    Edi,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, file) = match text.split_once(':') {
            Some((name, file)) => (name, Some(file.to_owned())),
            None => (text, None),
        };
        let known = "json, jsonl, csv[:DIALECT], fixed:LAYOUT, xml[:OPTIONS], edi[:GRAMMAR]";
        let name = <Name as ValueEnum>::from_str(name, false).map_err(|_| format!("the formats are {known}"))?;
        match (name, &file) {
            (Name::Json | Name::Jsonl, Some(_)) => Err(format!("no file describes it: {known}")),
            (Name::Fixed, None) => Err("a file of fixed width has a layout: fixed:LAYOUT".to_owned()),
            _ => Ok(Self { name, file }),
        }
    }
}

/// What documents come in or go out as.
#[derive(Debug, Clone)]
pub enum Format {
    /// One JSON document.
    Json,
    /// A JSON document a line; all of them are one array.
    Jsonl,
    /// A table; its rows are one array.
    Csv(Box<csv::Dialect>),
    /// A file of fixed width; its records are one array.
    Fixed(Box<fixed::Layout>),
    /// One XML document.
    Xml(Box<xml::XmlOptions>),
    /// An interchange of X12 or EDIFACT.
    Edi(Box<edi::Dialect>),
}

impl Named {
    /// The format, with its description read.
    pub fn open(&self) -> Result<Format, Exit> {
        let described = self.file.as_deref().map(Described::open).transpose()?;
        let root = described.as_ref().map(|file| file.document.root());
        let nothing = Document::undefined();
        let node = root.unwrap_or_else(|| nothing.root());
        let wrong = |problems: LayoutProblems| match &described {
            Some(file) => file.problems(&problems),
            None => Exit::Usage(problems.to_string()),
        };
        Ok(match self.name {
            Name::Json => Format::Json,
            Name::Jsonl => Format::Jsonl,
            Name::Csv => Format::Csv(Box::new(csv::Dialect::read(node).map_err(wrong)?)),
            Name::Fixed => Format::Fixed(Box::new(fixed::Layout::read(node).map_err(wrong)?)),
            Name::Xml => Format::Xml(Box::new(xml::XmlOptions::read(node).map_err(wrong)?)),
            Name::Edi => {
                let grammars = match &described {
                    Some(_) => vec![edi::Grammar::read(node).map_err(wrong)?],
                    None => Vec::new(),
                };
                Format::Edi(Box::new(edi::Dialect { grammars: grammars.into(), ..edi::Dialect::default() }))
            }
        })
    }
}

/// The file that describes a format.
struct Described {
    name: String,
    text: String,
    tree: yaml::Node,
    document: Document,
}

impl Described {
    fn open(name: &str) -> Result<Self, Exit> {
        let (text, unreadable) =
            sources::text(Path::new(name), name).map_err(|e| Exit::Usage(format!("cannot read `{name}`: {e}")))?;
        let shown = |problems| Exit::problems(problems, |_| Some(&text));
        if let Some(problem) = unreadable {
            return Err(shown(Diagnostics(vec![problem])));
        }
        let tree = yaml::parse(name, &text).map_err(shown)?;
        let json = tree.to_json();
        let document = Document::parse(json.as_bytes(), &Limits::default())
            .map_err(|e| Exit::Usage(format!("cannot read `{name}`: {}", e.message())))?;
        Ok(Self { name: name.to_owned(), text, tree, document })
    }

    /// What is wrong, at its places.
    fn problems(&self, problems: &LayoutProblems) -> Exit {
        let all = problems.0.iter().map(|problem| self.problem(problem)).collect();
        let all = Diagnostics(all).into_result(()).err().unwrap_or_default();
        Exit::problems(all, |_| Some(&self.text))
    }

    fn problem(&self, problem: &LayoutProblem) -> Diagnostic {
        let (mut node, mut at) = (&self.tree, self.tree.span);
        for part in problem.pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            let entry = node.entries().and_then(|all| all.iter().find(|(key, _)| key.text == part));
            let below = match entry {
                Some((key, below)) => {
                    // A value of several lines is told by its name, and so is a name that is not known.
                    at = if problem.known.is_empty() && below.scalar().is_some() { below.span } else { key.span };
                    below
                }
                None => match node.items().and_then(|items| items.get(part.parse::<usize>().ok()?)) {
                    Some(below) => {
                        at = below.span;
                        below
                    }
                    None => break,
                },
            };
            node = below;
        }
        let member = problem.pointer.rsplit('/').next().filter(|member| !member.is_empty());
        let message = match member {
            Some(member) => format!("`{}` {}", member.replace("~1", "/").replace("~0", "~"), problem.message),
            None => problem.message.clone(),
        };
        let told = Diagnostic::new("LG-FORMAT", at, message).file(self.name.clone());
        match member.and_then(|member| nearest(member, problem.known.iter().map(String::as_str))) {
            Some(near) => told.help(format!("did you mean `{near}`?")),
            None => told,
        }
    }
}

/// How the text of a document is read.
#[derive(Debug, Clone, Copy, Args)]
pub struct Reading {
    /// What to do with a key that an object has twice.
    #[arg(long, value_enum, default_value = "refuse", value_name = "WHICH")]
    duplicates: Twice,
}

/// What to do with a key that an object has twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Twice {
    /// Refuse the document.
    Refuse,
    /// The last value counts.
    Last,
}

impl Reading {
    /// The same for the reader.
    pub fn options(self) -> ParseOptions {
        let duplicates = match self.duplicates {
            Twice::Refuse => Duplicates::Refuse,
            Twice::Last => Duplicates::Last,
        };
        ParseOptions { duplicates }
    }
}

impl Format {
    /// Reads XML so that what a document type says is an array is one, however many elements there are.
    pub fn hold_to(&mut self, source: &Schema) {
        if let Self::Xml(options) = self {
            options.arrays.add(source.arrays());
        }
    }

    /// The records at a place of a document; none where this format has no place but itself.
    pub fn records(&self, path: &[String], limits: &Limits, options: ParseOptions) -> Option<Records> {
        match self {
            Self::Json => Some(Records::Json(Box::new(JsonRecords::new(path.to_vec(), limits, options)))),
            // A name that no element can have leads nowhere.
            Self::Xml(xml) if path.iter().all(|name| !name.contains('/')) => {
                let reader = xml::XmlRecordReader::new(&path.join("/"), xml, limits).ok()?;
                Some(Records::Single(Box::new(reader), *limits))
            }
            // A message is a document of its own.
            Self::Xml(_) => None,
            Self::Edi(_) if !path.is_empty() => None,
            _ if !path.is_empty() => {
                let records = self.records(&[], limits, options)?;
                Some(Records::Below(Box::new(Below::new(records, path, limits))))
            }
            Self::Jsonl => Some(Records::Lines(JsonLines::new(limits, options))),
            Self::Csv(dialect) => Some(Records::Csv(Box::new(CsvReader::new(dialect, limits)))),
            Self::Fixed(layout) => Some(Records::Fixed(Box::new(FixedReader::new(layout, limits)))),
            Self::Edi(dialect) => {
                Some(Records::Single(Box::new(edi::Reader::new(dialect.as_ref().clone(), limits)), *limits))
            }
        }
    }

    /// The same where a document is the list of its records, or says itself where they are.
    pub fn records_of_list(&self, path: &[String], limits: &Limits, options: ParseOptions) -> Option<Records> {
        match self {
            Self::Xml(_) | Self::Edi(_) => None,
            // A name on the way may come again: the last one counts.
            Self::Json if options.duplicates == Duplicates::Last && !path.is_empty() => None,
            _ => self.records(path, limits, options),
        }
    }

    /// A whole document: the array of its records where the format has no other. JSON has a reader of its
    /// own, which tells line and column.
    pub fn document(&self, text: &[u8], limits: &Limits, options: ParseOptions) -> Result<Document, FormatError> {
        match self {
            Self::Xml(xml) => xml::read(text, xml, limits),
            Self::Edi(dialect) => edi::read(text, dialect, limits),
            _ => self.list(text, limits, options),
        }
    }

    /// The array of the records of a document.
    pub fn list(&self, text: &[u8], limits: &Limits, options: ParseOptions) -> Result<Document, FormatError> {
        let Some(mut records) = self.records(&[], limits, options) else { return Ok(Document::undefined()) };
        records.push(text);
        records.push(&[]);
        let fault = |fault| FormatError::fault(&fault, 0);
        let mut list = Builder::new(limits);
        list.begin_array().map_err(fault)?;
        while let Some(batch) = records.batch(usize::MAX)? {
            batch.root().items().try_for_each(|record| list.value(record)).map_err(fault)?;
        }
        list.end().and_then(|()| list.finish()).map_err(fault)
    }

    /// A writer of records; none where the format writes whole documents alone.
    pub fn writer(&self, limits: &Limits) -> Option<Box<dyn RecordWriter>> {
        Some(match self {
            Self::Json => Box::new(JsonWriter::new(limits.reply_bytes_max)),
            Self::Jsonl => Box::new(JsonLinesWriter::new(limits.reply_bytes_max)),
            Self::Csv(dialect) => Box::new(CsvWriter::with_dialect(dialect.as_ref().clone(), None)),
            Self::Fixed(layout) => Box::new(FixedWriter::new(layout)),
            Self::Xml(options) => {
                let (root, record) = options.records.as_ref()?;
                Box::new(xml::XmlRecordWriter::new(root, record, options).ok()?)
            }
            Self::Edi(dialect) => {
                let heads = Document::undefined();
                Box::new(edi::Writer::new(dialect.as_ref().clone(), heads.root()).ok()?)
            }
        })
    }

    /// The bytes of a whole document.
    pub fn print(&self, document: &Document, limits: &Limits) -> Result<Vec<u8>, Exit> {
        let root = document.root();
        let mut out = Vec::new();
        match (self, root.kind()) {
            (Self::Json, Kind::Undefined) => out.extend_from_slice(b"null\n"),
            (Self::Json, _) => {
                let printed = document.print(limits.reply_bytes_max);
                out = printed.map_err(|fault| unwritten(&FormatError::fault(&fault, 0)))?;
                out.push(b'\n');
            }
            (Self::Xml(xml), _) if xml.records.is_none() => {
                xml::write(root, xml, &mut out).map_err(|error| unwritten(&error))?;
            }
            (Self::Edi(dialect), kind) if kind != Kind::Array => {
                edi::write(root, dialect, &mut out).map_err(|error| unwritten(&error))?
            }
            (_, kind) => {
                let Some(mut writer) = self.writer(limits) else { return Ok(out) };
                let written = match kind {
                    Kind::Array => root.items().try_for_each(|item| {
                        writer.write(item, &mut out)?;
                        // A value may stand in it over and over: what is written is bounded, as JSON is.
                        match out.len() as u64 > limits.reply_bytes_max {
                            true => Err(FormatError::fault(&Fault::ReplyTooLarge, 0)),
                            false => Ok(()),
                        }
                    }),
                    _ => writer.write(root, &mut out),
                };
                written.and_then(|()| writer.finish(&mut out)).map_err(|error| unwritten(&error))?;
            }
        }
        Ok(out)
    }
}

/// What the output's format cannot write.
pub fn unwritten(error: &FormatError) -> Exit {
    let of = error.record().map(|record| format!(" (record {record} of the output)")).unwrap_or_default();
    Exit::failed(error.code(), format!("cannot write the output: {}{of}", error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_of_a_list_is_bounded_in_every_format() {
        let limits = Limits { reply_bytes_max: 10_000, ..Limits::default() };
        let line = format!("{{\"a\":\"{}\"}}", "x".repeat(1_000));
        let few = Document::parse(format!("[{line}]").as_bytes(), &limits).unwrap();
        let many = Document::parse(format!("[{}]", vec![line; 20].join(",")).as_bytes(), &limits).unwrap();
        for name in ["json", "jsonl", "csv"] {
            let format = name.parse::<Named>().unwrap().open().unwrap();
            assert!(format.print(&few, &limits).unwrap().len() > 1_000, "{name}");
            assert!(format.print(&many, &limits).is_err(), "{name}");
        }
    }
}
