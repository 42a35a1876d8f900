//! `lockgate runs list|show|watch|cancel|restart`: what ran, one run in detail, what runs now; ending a
//! run, and starting one again.

mod cancel;
mod restart;
mod show;
mod watch;

use clap::{Args, Subcommand};
use lockgate_model::{RunId, RunRecord, Timestamp};
use serde_json::Value;

use crate::{
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// Verbs of `runs`.
#[derive(Subcommand)]
pub enum Runs {
    /// Runs of an environment, the newest first.
    List(List),
    /// One run: what it ended with, its tasks in time, bytes by account.
    Show(show::Show),
    /// Tell of runs as they begin and end, until Ctrl-C.
    Watch(watch::Watch),
    /// End an open run at once.
    Cancel(cancel::Cancel),
    /// Start a run again with what is deployed now, and wait for it.
    Restart(restart::Restart),
}

/// Arguments of `runs list`.
#[derive(Args)]
pub struct List {
    /// The environment.
    #[arg(long = "env")]
    environment: String,
    /// Only runs of this orchestration.
    #[arg(long)]
    name: Option<String>,
    /// Only runs in this phase: pending, running, waiting, completed, faulted, cancelled or lost.
    #[arg(long)]
    phase: Option<String>,
    /// Only runs opened before this one.
    #[arg(long)]
    before: Option<RunId>,
    /// At most so many.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

impl Runs {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        match self {
            Self::List(list) => list.run(output),
            Self::Show(show) => show.run(output),
            Self::Watch(watch) => watch.run(output),
            Self::Cancel(cancel) => cancel.run(output),
            Self::Restart(restart) => restart.run(output),
        }
    }
}

impl List {
    fn run(self, output: &Output) -> Result<(), Exit> {
        let client = Client::from_context()?;
        let before = self.before.map(|run| run.to_string());
        let mut query = "?".to_owned();
        for (key, given) in [("name", &self.name), ("phase", &self.phase), ("before", &before)] {
            if let Some(given) = given {
                query.push_str(&format!("{key}={}&", segment(given)));
            }
        }
        let path = format!("{}{query}", base(&self.environment));
        let enough = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let value = client.some(path.trim_end_matches(['?', '&']), enough)?;
        let rows = records(&value)?.iter().map(row).collect();
        output.table(&value, &["run", "started", "orchestration", "by", "phase", "ms", "error"], rows);
        Ok(())
    }
}

/// Address of an environment's runs, below the tenant.
fn base(environment: &str) -> String {
    format!("environments/{}/runs", segment(environment))
}

fn records(value: &Value) -> Result<Vec<RunRecord>, Exit> {
    value.get("items").and_then(Value::as_array).into_iter().flatten().map(read).collect()
}

fn read(value: &Value) -> Result<RunRecord, Exit> {
    serde_json::from_value(value.clone())
        .map_err(|e| Exit::failed("LG-ANSWER", format!("the server's answer cannot be read: {e}")))
}

/// Milliseconds it was open.
fn took(record: &RunRecord) -> String {
    record.ended.map(|Timestamp(end)| format!("{:.1}", (end - record.started.0) as f64 / 1_000.0)).unwrap_or_default()
}

fn row(record: &RunRecord) -> Vec<String> {
    vec![
        record.id.to_string(),
        record.started.to_string(),
        record.target.name.to_string(),
        record.principal.to_string(),
        record.phase.as_str().to_owned(),
        took(record),
        record.error.as_ref().map(|e| format!("{} {}", e.code, e.task)).unwrap_or_default(),
    ]
}
