//! `lockgate map FILE < document`: a mapping file over the document on standard input, without a
//! server; with `--lines` over one document a line, as they come. A line that cannot be mapped is
//! reported with its number, and the next one follows.

use std::{ops::ControlFlow, path::PathBuf, sync::Arc};

use clap::Args;
use lockgate_compiler::Types;
use lockgate_engine::Module;
use lockgate_model::Diagnostics;

use crate::{
    author::{
        sources,
        workbench::{Workbench, faulted, standard_input, standard_input_lines, unreadable},
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
    /// The input is one JSON document per line.
    #[arg(long)]
    lines: bool,
}

impl Map {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let name = self.file.display().to_string();
        let (text, unreadable) =
            sources::text(&self.file, &name).map_err(|e| Exit::Usage(format!("cannot read `{name}`: {e}")))?;
        let tables = sources::tables(self.file.parent())?;
        let (files, no_text) = sources::types(self.file.parent())?;
        let (types, wrong) = Types::read(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
        let compiled = lockgate_compiler::map_module(&name, &text, &tables, &types);
        let found = compiled.as_ref().err().cloned().unwrap_or_default();
        let all = unreadable.into_iter().chain(no_text.0).chain(wrong.0).chain(found.0).collect();
        let compiled = Diagnostics(all)
            .into_result(())
            .and(compiled)
            .map_err(|all| Exit::problems(all, |file| if file == name { Some(&text) } else { files.get(file) }))?;
        let bench = Workbench::new()?;
        let mapping = Mapping { module: bench.load(&compiled)?, bench, file: name, text };
        if !self.lines {
            let printed = mapping.map(&standard_input()?, None)?;
            return output.bytes(&printed);
        }
        let mut failed = false;
        for line in standard_input_lines() {
            let (before, line) = line?;
            match mapping.map(&line, Some(before)) {
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
}

/// A compiled mapping file.
struct Mapping {
    bench: Workbench,
    module: Arc<Module>,
    file: String,
    text: String,
}

impl Mapping {
    /// The mapped document as a line; so many lines came before this one.
    fn map(&self, document: &[u8], before: Option<usize>) -> Result<Vec<u8>, Exit> {
        let bench = &self.bench;
        let input = bench.parse(document).map_err(|e| unreadable(&e, before.unwrap_or_default(), document))?;
        let of = before.map(|before| format!(" (of the document on line {})", before + 1)).unwrap_or_default();
        let result =
            bench.run(&self.module, input).result.map_err(|failure| faulted(&failure, &self.file, &self.text, &of))?;
        let mut printed = match result.is_undefined() {
            true => b"null".to_vec(),
            false => {
                let printed = result.print(bench.limits.reply_bytes_max);
                printed.map_err(|e| Exit::failed("LG-PRINT", format!("{e}{of}")))?
            }
        };
        printed.push(b'\n');
        Ok(printed)
    }
}
