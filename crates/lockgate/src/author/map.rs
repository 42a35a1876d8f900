//! `lockgate map FILE < document`: a mapping file over the document on standard input, without a
//! server. Record by record where the mapping allows it, else as a whole. With `--lines` over one
//! document a line, as they come: a line that cannot be mapped is reported with its number, and the next
//! one follows.

use std::{ops::ControlFlow, path::PathBuf, sync::Arc};

use clap::Args;
use lockgate_compiler::{MapFile, Passes, Sources, Tables, Types};
use lockgate_document::{Document, ParseOptions, formats::Format};
use lockgate_engine::Module;
use lockgate_model::Diagnostics;

use crate::{
    author::{
        draw, explain,
        format::{Named, Reading, unwritten},
        pass::{Pass, unread},
        sources,
        workbench::{Workbench, faulted, standard_input, standard_input_bytes, standard_input_lines, unreadable},
    },
    exit::Exit,
    output::Output,
};

/// Arguments of `map`.
#[derive(Args)]
pub struct Map {
    /// A mapping file, `<name>.map.yaml`; reference data is taken from `tables/` beside it, document types
    /// from `types/`.
    file: PathBuf,
    /// The format of the input: json, jsonl, csv[:DIALECT], fixed:LAYOUT, xml[:OPTIONS], edi[:GRAMMAR].
    #[arg(long, default_value = "json", value_name = "FORMAT")]
    input: Named,
    /// The format of the output, as for the input.
    #[arg(long = "output", default_value = "json", value_name = "FORMAT")]
    format: Named,
    /// Each line is a JSON document of its own, mapped by itself; one that fails is reported and the
    /// next one follows.
    #[arg(long, conflicts_with_all = ["input", "format", "whole"])]
    lines: bool,
    /// Read the whole document before anything is written, also where the mapping goes record by record.
    #[arg(long)]
    whole: bool,
    #[command(flatten)]
    reading: Reading,
    /// Tell which rule made which field, and which rules set nothing and why, for one document.
    #[arg(long, conflicts_with_all = ["lines", "format"])]
    explain: bool,
    /// Draw the mapping as SVG, to this file or to standard output.
    #[arg(long, value_name = "OUT.svg", num_args = 0..=1, conflicts_with_all = ["lines", "explain"])]
    draw: Option<Option<PathBuf>>,
}

impl Map {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let name = self.file.display().to_string();
        let (text, unreadable) =
            sources::text(&self.file, &name).map_err(|e| Exit::Usage(format!("cannot read `{name}`: {e}")))?;
        if let Some(out) = &self.draw {
            return draw::run(&name, &text, &Sources::default(), unreadable, out.as_deref(), output);
        }
        let tables = sources::tables(self.file.parent())?;
        let (files, no_text) = sources::types(self.file.parent())?;
        let (types, wrong) = Types::read(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
        let unreadable = Diagnostics(unreadable.into_iter().chain(no_text.0).chain(wrong.0).collect());
        let source = |file: &str| if file == name { Some(&text) } else { files.get(file) };
        let (rules, _) = MapFile::read(&name, &text);
        let mut from = self.input.open()?;
        if let Some(source) = rules.source_type.as_ref().and_then(|(name, _)| types.get(name)) {
            from.hold_to(source);
        }
        // What comes record by record is the list of its records however it is read.
        let is_list = rules.streams().is_ok_and(|streams| streams.path.is_empty());
        if self.explain {
            let read = |bench: &Workbench| whole_input(&from, is_list, bench, self.reading.options());
            return explain::run((&name, &text), (&tables, &types), unreadable, &source, read, output);
        }
        let passes = lockgate_compiler::map_record_module(&name, &text, &tables, &types);
        let found = passes.as_ref().err().cloned().unwrap_or_default();
        let all = Diagnostics(unreadable.0.into_iter().chain(found.0).collect());
        let passes = all.into_result(()).and(passes).map_err(|all| Exit::problems(all, source))?;
        let to = self.format.open()?;
        let mut bench = Workbench::new()?;
        bench.options = self.reading.options();
        let mapping = Mapping { bench, file: name, text, tables, types };
        if self.lines {
            return mapping.lines(output);
        }
        let Mapping { bench, .. } = &mapping;
        if let (Passes::Records(records), false) = (&passes, self.whole)
            && let Some(writer) = to.writer(&bench.limits)
            && let Some(from) = from.records(&records.streams.path, &bench.limits, bench.options)
        {
            let meter = output.meter(standard_input_bytes());
            let sink = &mut |bytes: &[u8]| output.part(bytes);
            if let Some(pass) = Pass::new(&mapping, records, (&to, writer), sink)? {
                return pass.run(std::io::stdin().lock(), from, &meter);
            }
        }
        let input = whole_input(&from, is_list, bench, bench.options)?;
        let result = mapping.map(&mapping.whole()?, input, "")?;
        output.bytes(&to.print(&result, &bench.limits).map_err(|error| unwritten(&error))?)
    }
}

/// The document on standard input; `is_list`: of a format that has records beside documents, these.
fn whole_input(from: &Format, is_list: bool, bench: &Workbench, options: ParseOptions) -> Result<Document, Exit> {
    whole_of(&standard_input()?, from, is_list, bench, options)
}

/// The same of these bytes, which are all of standard input.
pub fn whole_of(
    bytes: &[u8],
    from: &Format,
    is_list: bool,
    bench: &Workbench,
    options: ParseOptions,
) -> Result<Document, Exit> {
    match from {
        // It tells line and column.
        Format::Json => Document::parse_with(bytes, &bench.limits, options).map_err(|e| self::unreadable(&e, 0, bytes)),
        Format::Edi(_) if is_list => from.list(bytes, &bench.limits, options).map_err(|e| unread(&e)),
        _ => from.document(bytes, &bench.limits, options).map_err(|e| unread(&e)),
    }
}

/// A mapping file without problems.
pub struct Mapping {
    /// What it runs on.
    pub bench: Workbench,
    /// How problems call it.
    pub file: String,
    /// What it says.
    pub text: String,
    /// The reference data it looks into.
    pub tables: Tables,
    /// The document types it is held to.
    pub types: Types,
}

impl Mapping {
    /// The module for whole documents.
    pub fn whole(&self) -> Result<Arc<Module>, Exit> {
        let compiled = lockgate_compiler::map_module(&self.file, &self.text, &self.tables, &self.types);
        self.bench.load(&compiled.map_err(|all| Exit::problems(all, |_| Some(&self.text)))?)
    }

    /// What a whole document maps to; `of` says in what fails which one it was.
    pub fn map(&self, module: &Arc<Module>, input: Document, of: &str) -> Result<Document, Exit> {
        self.bench.run(module, input).result.map_err(|failure| faulted(&failure, &self.file, &self.text, of))
    }

    fn lines(&self, output: &Output) -> Result<(), Exit> {
        let module = self.whole()?;
        let mut failed = false;
        for line in standard_input_lines() {
            let (before, line) = line?;
            match self.line(&module, &line, before) {
                Ok(printed) => {
                    if output.part(&printed)? == ControlFlow::Break(()) {
                        break;
                    }
                }
                Err(exit) => {
                    output.failure(&exit);
                    failed = true;
                }
            }
        }
        if failed { Err(Exit::Told) } else { Ok(()) }
    }

    /// What the document on a line maps to, as a line; so many lines came before it.
    fn line(&self, module: &Arc<Module>, line: &[u8], before: usize) -> Result<Vec<u8>, Exit> {
        let input = self.bench.parse(line).map_err(|e| unreadable(&e, before, line))?;
        let of = format!(" (of the document on line {})", before + 1);
        let result = self.map(module, input, &of)?;
        let printed = Format::Json.print(&result, &self.bench.limits);
        printed.map_err(|error| match unwritten(&error) {
            Exit::Failed { code, message, detail } => Exit::Failed { code, message: message + &of, detail },
            other => other,
        })
    }
}
