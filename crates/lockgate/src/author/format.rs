//! The formats that documents come in and go out as, by their names on the command line: `csv`, or
//! `csv:dialect.yaml` with a file that describes it. A format is a reader or a writer of records, and
//! what a whole document is in it: a list of records is the array of them, unless the format has
//! documents of its own, as XML has.

use std::{path::Path, str::FromStr};

use clap::{Args, ValueEnum};
use lockgate_compiler::described::diagnostic;
use lockgate_document::{
    Document, Duplicates, FormatError, LayoutProblems, ParseOptions, csv, edi, fixed, formats::Format, xml,
};
use lockgate_mapping::yaml;
use lockgate_model::{Diagnostics, Limits};

use crate::{author::sources, exit::Exit};

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
        let all = problems.0.iter().map(|problem| diagnostic(&self.tree, problem).file(self.name.clone())).collect();
        let all = Diagnostics(all).into_result(()).err().unwrap_or_default();
        Exit::problems(all, |_| Some(&self.text))
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

/// What the output's format cannot write.
pub fn unwritten(error: &FormatError) -> Exit {
    let of = error.record().map(|record| format!(" (record {record} of the output)")).unwrap_or_default();
    Exit::failed(error.code(), format!("cannot write the output: {}{of}", error.message()))
}
