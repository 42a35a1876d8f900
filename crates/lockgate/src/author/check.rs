//! `lockgate check [FOLDER]`: all problems of a project at once, with line, column and caret; without
//! one, which of its flows and mappings stream.

use std::path::{Path, PathBuf};

use clap::Args;
use lockgate_compiler::{MapFile, Project, Sources, Whole, project::Stream};
use lockgate_connector_api::Registry;
use lockgate_model::{Diagnostic, Diagnostics};
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
        let (project, sources) = checked(&self.folder, connectors)?;
        let names: Vec<String> = project.orchestrations().iter().map(ToString::to_string).collect();
        let streams = project.streams();
        let all: Vec<Value> =
            streams.iter().flat_map(|(name, streams)| streams.iter().map(|s| shown(name, s))).collect();
        let maps: Vec<Passing> = project.maps().values().map(|map| Passing::of(map, &sources)).collect();
        let told: Vec<Value> = maps.iter().map(Passing::json).collect();
        let value = json!({"project": project.id(), "orchestrations": names, "streams": all, "mappings": told});
        output.result(&value, || {
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
            maps.iter().for_each(|map| text.push_str(&map.text()));
            text
        });
        Ok(())
    }
}

/// How a mapping passes through a document.
struct Passing<'m> {
    map: &'m MapFile,
    /// Where its records are, or why it needs the whole document, with the line and column.
    streams: Result<String, (String, usize, usize)>,
}

impl<'m> Passing<'m> {
    fn of(map: &'m MapFile, sources: &Sources) -> Self {
        let streams = match map.streams() {
            Ok(streams) if streams.path.is_empty() => Ok("$".to_owned()),
            Ok(streams) => Ok(streams.path.join(".")),
            Err(Whole { reason, span }) => {
                let text = sources.0.get(&map.file).map_or("", String::as_str);
                let (line, column) = Diagnostic::new("", span, "").line_column(text);
                Err((reason, line, column))
            }
        };
        Self { map, streams }
    }

    fn json(&self) -> Value {
        let name = &self.map.name;
        match &self.streams {
            Ok(records) => json!({"mapping": name, "streams": true, "records": records}),
            Err((reason, line, column)) => json!({"mapping": name, "streams": false, "reason": reason,
                "file": self.map.file, "line": line, "column": column}),
        }
    }

    fn text(&self) -> String {
        let name = &self.map.name;
        match &self.streams {
            Ok(records) if records == "$" => format!("  {name} streams: records of the document itself\n"),
            Ok(records) => format!("  {name} streams: records of `{records}`\n"),
            Err((reason, line, column)) => {
                format!("  {name} does not stream: {reason} ({}:{line}:{column})\n", self.map.file)
            }
        }
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
