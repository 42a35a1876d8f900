//! The formats that documents come in and go out as, by their names on the command line. A format is
//! a reader or a writer of records, and what a whole document is in it: a list of records is the array
//! of them. Another format is a name in [`Input`] with its reader in [`Records`], or a name in
//! [`OutputFormat`] with its writer.

use clap::{Args, ValueEnum};
use lockgate_document::{
    Builder, CsvWriter, Document, Duplicates, FormatError, JsonLines, JsonLinesWriter, JsonRecords, JsonWriter, Kind,
    Node, ParseOptions, RecordReader, RecordWriter,
};
use lockgate_model::{Limits, manifest::Delimiter};

use crate::exit::Exit;

/// What documents come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Input {
    /// One JSON document.
    Json,
    /// A JSON document a line; all of them are one array.
    Jsonl,
}

/// What documents go out as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// One JSON document on one line.
    Json,
    /// Each item of an array as a line, or the one document.
    Jsonl,
    /// Each item of an array as a row under the fields of the first.
    Csv,
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

/// Records as they come.
pub enum Records {
    /// Of a JSON document, which may have them in several places.
    Json(Box<JsonRecords>),
    /// Of JSON Lines.
    Lines(JsonLines),
}

impl Records {
    /// Takes the next bytes; none are the end.
    pub fn push(&mut self, bytes: &[u8]) {
        let reader: &mut dyn RecordReader = match self {
            Self::Json(records) => records.as_mut(),
            Self::Lines(lines) => lines,
        };
        if bytes.is_empty() { reader.end() } else { reader.push(bytes) }
    }

    /// Some of the next records that are complete, in an array. What is wrong is told when those before
    /// it were given.
    pub fn batch(&mut self, records_max: usize) -> Result<Option<Document>, FormatError> {
        match self {
            Self::Json(records) => records.batch(records_max),
            Self::Lines(lines) => lines.batch(records_max),
        }
    }

    /// An expression's path would give them as a sequence that is gathered of several places.
    pub fn gathers(&self) -> bool {
        match self {
            Self::Json(records) => records.gathers(),
            Self::Lines(_) => false,
        }
    }
}

impl Input {
    /// The records at a place of a document; none where this format has no place but itself.
    pub fn records(self, path: &[String], limits: &Limits, options: ParseOptions) -> Option<Records> {
        match self {
            Self::Json => Some(Records::Json(Box::new(JsonRecords::new(path.to_vec(), limits, options)))),
            Self::Jsonl if path.is_empty() => Some(Records::Lines(JsonLines::new(limits, options))),
            Self::Jsonl => None,
        }
    }

    /// A whole document: the array of its records. JSON has a reader of its own, which tells line and
    /// column.
    pub fn document(self, text: &[u8], limits: &Limits, options: ParseOptions) -> Result<Document, FormatError> {
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
}

impl OutputFormat {
    /// A writer of records.
    pub fn writer(self, limits: &Limits) -> Box<dyn RecordWriter> {
        match self {
            Self::Json => Box::new(JsonWriter::new(limits.reply_bytes_max)),
            Self::Jsonl => Box::new(JsonLinesWriter::new(limits.reply_bytes_max)),
            Self::Csv => Box::new(Csv(Some(CsvWriter::new(Delimiter::COMMA, None)))),
        }
    }

    /// The bytes of a whole document.
    pub fn print(self, document: &Document, limits: &Limits) -> Result<Vec<u8>, Exit> {
        let mut out = Vec::new();
        let mut writer = self.writer(limits);
        let root = document.root();
        let written = match (self, root.kind()) {
            (Self::Json, Kind::Undefined) => {
                out.extend_from_slice(b"null\n");
                Ok(())
            }
            (Self::Json, _) => {
                let printed = document.print(limits.reply_bytes_max);
                out = printed.map_err(|fault| unwritten(&FormatError::fault(&fault, 0)))?;
                out.push(b'\n');
                Ok(())
            }
            (_, Kind::Array) => {
                root.items().try_for_each(|item| writer.write(item, &mut out)).and_then(|()| writer.finish(&mut out))
            }
            _ => writer.write(root, &mut out).and_then(|()| writer.finish(&mut out)),
        };
        written.map(|()| out).map_err(|error| unwritten(&error))
    }
}

/// What the output's format cannot write.
pub fn unwritten(error: &FormatError) -> Exit {
    let of = error.record().map(|record| format!(" (record {record} of the output)")).unwrap_or_default();
    Exit::failed(error.code(), format!("cannot write the output: {}{of}", error.message()))
}

/// CSV as records come. The writer is there until the end was written.
struct Csv(Option<CsvWriter>);

impl RecordWriter for Csv {
    fn write(&mut self, record: Node<'_>, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let Some(writer) = &mut self.0 else { return Ok(()) };
        let before = out.len();
        // The writer takes lists of records; this one is a list of one.
        let mut list = Builder::new(&Limits { arena_bytes_max: u64::MAX, ..Limits::default() });
        let listed = list.begin_array().and_then(|()| list.value(record)).and_then(|()| list.end());
        let list = listed.and_then(|()| list.finish()).map_err(|fault| FormatError::fault(&fault, 0))?;
        writer.write(list.root(), out).map_err(|error| {
            out.truncate(before);
            // The record is named by the number; its field is the user's own to see.
            let field = error.field();
            let named = if field.is_empty() { String::new() } else { format!(": `{field}`") };
            FormatError::new("LG-CSV-RECORD", 0, format!("{error}{named}"))
        })
    }
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        if let Some(writer) = self.0.take() {
            writer.finish(out);
        }
        Ok(())
    }
}
