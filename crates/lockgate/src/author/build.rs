//! `lockgate build [FOLDER]`: fetches the documents that a project names and locks them; then its modules, their
//! digests and what they may touch. The server compiles for itself; the same sources give the same bytes there.

use std::path::PathBuf;

use clap::Args;
use lockgate_connector_api::Registry;
use lockgate_model::{Diagnostics, manifest::AccountRef};
use serde_json::json;

use crate::{author::imports::Fetching, exit::Exit, output::Output};

/// Arguments of `build`.
#[derive(Args)]
pub struct Build {
    /// The project folder.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Write the modules as `<name>.wasm` into this folder.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Fetch the documents that are locked again, and tell which of them are others now.
    #[arg(long)]
    update: bool,
    /// Believe the authorities in this PEM file, too, when documents are fetched.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Build {
    /// Runs the command.
    pub fn run(self, connectors: &Registry, output: &Output) -> Result<(), Exit> {
        let (sources, unreadable) = super::sources::folder(&self.folder)?;
        let ca = self.ca.as_deref().map(std::fs::read_to_string).transpose();
        let ca = ca.map_err(|e| Exit::Usage(format!("the file of --ca cannot be read: {e}")))?;
        let mut fetched = Fetching { ca, update: self.update, output }.fetch(&sources)?;
        let checked = super::check::check(&fetched.sources, unreadable, connectors);
        // Of sources with problems it is not known what they name.
        if checked.is_ok() {
            fetched.without_unnamed();
        }
        fetched.write(&self.folder)?;
        let sources = &fetched.sources;
        let project = checked.and_then(|_| super::check::check(sources, Diagnostics::default(), connectors))?;
        let catalog = lockgate_runtime::catalog(connectors);
        let modules = project.compile(&catalog).map_err(|all| Exit::problems(all, |file| sources.0.get(file)))?;
        if let Some(out) = &self.out {
            std::fs::create_dir_all(out)?;
            for module in &modules {
                std::fs::write(out.join(format!("{}.wasm", module.name)), &module.wasm)?;
            }
        }
        let shown: Vec<_> = modules
            .iter()
            .map(|m| json!({"name": m.name, "digest": m.digest, "bytes": m.wasm.len(), "manifest": m.manifest}))
            .collect();
        let value =
            json!({"project": project.id(), "source": sources.digest(), "documents": fetched.json(), "modules": shown});
        output.result(&value, || {
            let mut text = fetched.text();
            text.push_str(&format!("project `{}`  source {}\n", project.id(), sources.digest()));
            for m in &modules {
                text.push_str(&format!("{}  {}  {} bytes\n", m.name, m.digest, m.wasm.len()));
                if let Some(schedule) = &m.manifest.schedule {
                    text.push_str(&format!("  runs by itself: {schedule}\n"));
                }
                for o in &m.manifest.operations {
                    let account = match &o.account {
                        AccountRef::Declared(name) => format!("account `{name}`"),
                        AccountRef::Origin(origin) => origin.clone(),
                    };
                    text.push_str(&format!(
                        "  may {}.{} through {account} {}\n",
                        o.connector,
                        o.operation,
                        o.detail.join(" ")
                    ));
                }
                for run in &m.manifest.runs {
                    text.push_str(&format!("  may run {run}\n"));
                }
            }
            text
        });
        Ok(())
    }
}
