//! `lockgate check [FOLDER]`: all problems of a project at once, with line, column and caret; without
//! one, which of its flows stream.

use std::path::{Path, PathBuf};

use clap::Args;
use lockgate_compiler::{Project, Sources, project::Stream};
use lockgate_connector_api::Registry;
use lockgate_model::Diagnostics;
use serde_json::{Value, json};

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
        let streams = project.streams();
        let all: Vec<Value> =
            streams.iter().flat_map(|(name, streams)| streams.iter().map(|s| shown(name, s))).collect();
        output.result(&json!({"project": project.id(), "orchestrations": names, "streams": all}), || {
            let mut text = format!("project `{}`: no problems in {}\n", project.id(), names.join(", "));
            for (name, streams) in &streams {
                if streams.is_empty() {
                    text.push_str(&format!("  {name} does not stream: no call has `stream: true`\n"));
                }
                for Stream { from_task, from, into_task, into, member } in streams {
                    text.push_str(&format!(
                        "  {name} streams: {from} at {from_task} into `{member}` of {into} at {into_task}\n"
                    ));
                }
            }
            text
        });
        Ok(())
    }
}

fn shown(orchestration: &str, stream: &Stream) -> Value {
    let Stream { from_task, from, into_task, into, member } = stream;
    json!({"orchestration": orchestration, "from": {"task": from_task, "operation": from},
           "into": {"task": into_task, "operation": into, "member": member}})
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
