//! `lockgate check [FOLDER]`: all problems of a project at once, with line, column and caret; without
//! one, which of its flows and mappings stream. `lockgate check FILE`: the same of a file with an
//! expression.

use std::path::{Path, PathBuf};

use clap::Args;
use lockgate_compiler::{MapFile, Project, Sources, Streams, Whole, project::Stream};
use lockgate_connector_api::Registry;
use lockgate_model::{Diagnostic, Diagnostics};
use serde_json::{Value, json};

use crate::{author::sources, exit::Exit, output::Output};

/// Arguments of `check`.
#[derive(Args)]
pub struct Check {
    /// The project folder, or a file with a JSONata expression.
    #[arg(default_value = ".", value_name = "FOLDER")]
    folder: PathBuf,
    /// Check this JSONata expression.
    #[arg(short = 'e', long, conflicts_with = "folder")]
    expression: Option<String>,
}

impl Check {
    /// Runs the command.
    pub fn run(self, connectors: &Registry, output: &Output) -> Result<(), Exit> {
        if let Some(text) = &self.expression {
            return expression("expression", text, output);
        }
        if self.folder.is_file() {
            let name = self.folder.display().to_string();
            let (text, unreadable) =
                sources::text(&self.folder, &name).map_err(|e| Exit::Usage(format!("cannot read `{name}`: {e}")))?;
            return match unreadable {
                Some(problem) => Err(Exit::problems(Diagnostics(vec![problem]), |_| Some(&text))),
                None if [".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending)) => {
                    Err(Exit::Usage(format!("`{name}` is checked with its project: name the folder")))
                }
                None => expression(&name, &text, output),
            };
        }
        let (project, sources) = checked(&self.folder, connectors)?;
        let names: Vec<String> = project.orchestrations().iter().map(ToString::to_string).collect();
        let streams = project.streams();
        let all: Vec<Value> =
            streams.iter().flat_map(|(name, streams)| streams.iter().map(|s| shown(name, s))).collect();
        let maps: Vec<Passing> = project.maps().values().map(|map| Passing::of(map, &sources)).collect();
        let told: Vec<Value> = maps.iter().map(|map| map.json("mapping")).collect();
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
            maps.iter().for_each(|map| text.push_str(&format!("  {}", map.text())));
            text
        });
        Ok(())
    }
}

/// How a mapping or an expression passes through a document.
struct Passing<'m> {
    name: &'m str,
    file: &'m str,
    /// Where its records are, or why it needs the whole document, with the line and column.
    streams: Result<String, (String, usize, usize)>,
}

impl<'m> Passing<'m> {
    fn of(map: &'m MapFile, sources: &Sources) -> Self {
        let text = sources.0.get(&map.file).map_or("", String::as_str);
        Self::new(&map.name, &map.file, text, map.streams())
    }

    fn new(name: &'m str, file: &'m str, text: &str, streams: Result<Streams, Whole>) -> Self {
        let streams = match streams {
            Ok(streams) if streams.path.is_empty() => Ok("$".to_owned()),
            Ok(streams) => Ok(streams.path.join(".")),
            Err(Whole { reason, span }) => {
                let (line, column) = Diagnostic::new("", span, "").line_column(text);
                Err((reason, line, column))
            }
        };
        Self { name, file, streams }
    }

    fn json(&self, what: &str) -> Value {
        match &self.streams {
            Ok(records) => json!({what: self.name, "streams": true, "records": records}),
            Err((reason, line, column)) => json!({what: self.name, "streams": false, "reason": reason,
                "file": self.file, "line": line, "column": column}),
        }
    }

    fn text(&self) -> String {
        let name = self.name;
        match &self.streams {
            Ok(records) if records == "$" => format!("{name} streams: records of the document itself\n"),
            Ok(records) => format!("{name} streams: records of `{records}`\n"),
            Err((reason, line, column)) => {
                format!("{name} does not stream: {reason} ({}:{line}:{column})\n", self.file)
            }
        }
    }
}

/// Tells of an expression what is wrong with it, or whether it streams.
fn expression(name: &str, text: &String, output: &Output) -> Result<(), Exit> {
    let refused = |all: Diagnostics| {
        let named = all.0.into_iter().map(|problem| problem.file(name)).collect();
        Exit::problems(Diagnostics(named), |_| Some(text))
    };
    lockgate_compiler::expression_module(text, false).map_err(refused)?;
    let records = lockgate_compiler::expression_record_module(text).map_err(refused)?;
    let passing = Passing::new(name, name, text, records.map(|(streams, _)| streams));
    output.result(&passing.json("expression"), || passing.text());
    Ok(())
}

fn shown(orchestration: &str, stream: &Stream) -> Value {
    let Stream { from_task, from, into_task, into, member } = stream;
    json!({"orchestration": orchestration, "from": {"task": from_task, "operation": from},
           "into": {"task": into_task, "operation": into, "member": member}})
}

/// The project in a folder and its files, or all problems of all files.
pub fn checked(folder: &Path, connectors: &Registry) -> Result<(Project, Sources), Exit> {
    let (sources, unreadable) = sources::folder(folder)?;
    Ok((check(&sources, unreadable, connectors)?, sources))
}

/// The project of these files, or all problems of all of them; `unreadable` is known already.
pub fn check(sources: &Sources, unreadable: Diagnostics, connectors: &Registry) -> Result<Project, Exit> {
    let checked = Project::checked(sources, &lockgate_runtime::catalog(connectors));
    let problems = checked.as_ref().err().cloned().unwrap_or_default();
    let all = Diagnostics(unreadable.0.into_iter().chain(problems.0).collect());
    all.into_result(()).and(checked).map_err(|all| Exit::problems(all, |file| sources.0.get(file)))
}
