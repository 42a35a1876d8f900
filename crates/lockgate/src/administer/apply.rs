//! `lockgate apply -f FILE`: definitions as a file says, one after the other; doing it again changes
//! nothing more.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::Value;

use crate::{client::Client, exit::Exit, output::Output};

/// Arguments of `apply`.
#[derive(Args)]
pub struct Apply {
    /// YAML or JSON file with `items: [{kind, id, body}]`; `-` reads standard input. An item without
    /// body is deleted.
    #[arg(short = 'f', long = "file")]
    file: PathBuf,
}

impl Apply {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let value = Client::from_context()?.post("apply", &batch(&self.file)?)?;
        output.result(&value, || {
            let count = value.get("applied").and_then(Value::as_u64).unwrap_or_default();
            format!("{count} definition(s) are as the file says")
        });
        Ok(())
    }
}

/// The definitions of a file; `-` is standard input.
pub fn batch(file: &Path) -> Result<Value, Exit> {
    let mut text = String::new();
    if file.as_os_str() == "-" {
        std::io::stdin().lock().read_to_string(&mut text)?;
    } else {
        text =
            std::fs::read_to_string(file).map_err(|e| Exit::Usage(format!("cannot read `{}`: {e}", file.display())))?;
    }
    serde_saphyr::from_str(&text)
        .map_err(|e| Exit::failed("LG-YAML", format!("`{}` cannot be read: {e}", file.display())))
}
