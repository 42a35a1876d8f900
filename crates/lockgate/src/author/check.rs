//! `lockgate check [FOLDER]`: all problems of a project at once, with line, column and caret.

use std::path::PathBuf;

use clap::Args;
use lockgate_compiler::{Project, Sources};
use lockgate_connector_api::Registry;
use serde_json::json;

use crate::{author::sources, exit::Exit, output::Output};

/// Arguments of `check`.
#[derive(Args)]
pub struct Check {
    /// The project folder.
    #[arg(default_value = ".")]
    folder: PathBuf,
}

impl Check {
    /// Runs the command.
    pub fn run(self, connectors: &Registry, output: &Output) -> Result<(), Exit> {
        let sources = sources::folder(&self.folder)?;
        let project = parsed(&sources, connectors)?;
        let names: Vec<String> = project.orchestrations().iter().map(ToString::to_string).collect();
        output.result(&json!({"project": project.id(), "orchestrations": names}), || {
            format!("project `{}`: no problems in {}", project.id(), names.join(", "))
        });
        Ok(())
    }
}

/// A project without problems, or all of them.
pub fn parsed(sources: &Sources, connectors: &Registry) -> Result<Project, Exit> {
    let catalog = lockgate_runtime::catalog(connectors);
    Project::parse(sources)
        .and_then(|project| project.check(&catalog).into_result(project))
        .map_err(|all| Exit::problems(all, |file| sources.0.get(file).cloned().unwrap_or_default()))
}
