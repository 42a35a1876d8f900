//! `lockgate check [FOLDER]`: all problems of a project at once, with line, column and caret.

use std::path::{Path, PathBuf};

use clap::Args;
use lockgate_compiler::{Project, Sources};
use lockgate_connector_api::Registry;
use lockgate_model::Diagnostics;
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
        let (project, _) = checked(&self.folder, connectors)?;
        let names: Vec<String> = project.orchestrations().iter().map(ToString::to_string).collect();
        output.result(&json!({"project": project.id(), "orchestrations": names}), || {
            format!("project `{}`: no problems in {}", project.id(), names.join(", "))
        });
        Ok(())
    }
}

/// The project in a folder and its files, or all problems of all files.
pub fn checked(folder: &Path, connectors: &Registry) -> Result<(Project, Sources), Exit> {
    let (sources, unreadable) = sources::folder(folder)?;
    let checked = Project::checked(&sources, &lockgate_runtime::catalog(connectors));
    let problems = checked.as_ref().err().cloned().unwrap_or_default();
    let all = Diagnostics(unreadable.0.into_iter().chain(problems.0).collect());
    match all.into_result(()).and(checked) {
        Ok(project) => Ok((project, sources)),
        Err(all) => Err(Exit::problems(all, |file| sources.0.get(file))),
    }
}
