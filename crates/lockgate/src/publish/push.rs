//! `lockgate push [FOLDER]`: the sources of a project as a new version.

use std::path::PathBuf;

use clap::Args;
use lockgate_connector_api::Registry;
use serde_json::{Value, json};

use crate::{
    author::check,
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// Arguments of `push`.
#[derive(Args)]
pub struct Push {
    /// The project folder.
    #[arg(default_value = ".")]
    folder: PathBuf,
}

impl Push {
    /// Runs the command.
    pub fn run(self, connectors: &Registry, output: &Output) -> Result<(), Exit> {
        // Problems are found here, with their places, before anything is sent.
        let (project, sources) = check::checked(&self.folder, connectors)?;
        let client = Client::from_context()?;
        let bar = output.progress("pushing");
        let answer =
            client.post(&format!("projects/{}/versions", segment(project.id().as_str())), &json!({"files": sources.0}));
        bar.finish_and_clear();
        let answer = answer?;
        output.result(&answer, || {
            let version = answer.get("version").and_then(Value::as_u64).unwrap_or_default();
            let unchanged = answer.get("changed") == Some(&Value::Bool(false));
            let what = if unchanged { "nothing differs from" } else { "pushed as" };
            format!(
                "project `{}`: {what} version {version}\nnext: lockgate deploy {} ENVIRONMENT",
                project.id(),
                project.id()
            )
        });
        Ok(())
    }
}
