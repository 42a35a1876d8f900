//! `lockgate map FILE < documents`: a mapping file over the documents on standard input, one after
//! the other, without a server.

use std::path::PathBuf;

use clap::Args;

use crate::{
    author::{
        sources,
        workbench::{Workbench, faulted, standard_input, unreadable},
    },
    exit::Exit,
    output::Output,
};

/// Arguments of `map`.
#[derive(Args)]
pub struct Map {
    /// A mapping file, `<name>.map.yaml`; reference data is taken from `tables/` beside it.
    file: PathBuf,
    /// The input is one JSON document per line.
    #[arg(long)]
    lines: bool,
}

impl Map {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let name = self.file.display().to_string();
        let text =
            std::fs::read_to_string(&self.file).map_err(|e| Exit::Usage(format!("cannot read `{name}`: {e}")))?;
        let tables = sources::tables(self.file.parent())?;
        let compiled = lockgate_compiler::map_module(&name, &text, &tables)
            .map_err(|all| Exit::problems(all, |_| text.clone()))?;
        let bench = Workbench::new()?;
        let module = bench.load(&compiled)?;
        let bytes = standard_input()?;
        let documents: Vec<&[u8]> = if self.lines {
            bytes.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect()
        } else {
            vec![&bytes]
        };
        for document in documents {
            let input = bench.parse(document).map_err(|e| unreadable(&e, "standard input", document))?;
            let result = bench.run(&module, input).result.map_err(|failure| faulted(&failure, &text))?;
            let mut printed = if result.is_undefined() {
                b"null".to_vec()
            } else {
                result.print(bench.limits.reply_bytes_max).map_err(|e| Exit::failed("LG-PRINT", e.to_string()))?
            };
            printed.push(b'\n');
            output.bytes(&printed)?;
        }
        Ok(())
    }
}
