//! `lockgate schedule …`: what runs by itself in an environment.

use clap::{Args, Subcommand};
use lockgate_model::Timestamp;
use serde_json::{Value, json};

use crate::{
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// Verbs of `schedule`.
#[derive(Subcommand)]
pub enum Schedule {
    /// Show what runs by itself, when it fires next, and as whom.
    List {
        /// The environment.
        #[arg(long = "env")]
        environment: String,
    },
    /// Let nothing fire until it is resumed; a run under way goes on.
    Pause(One),
    /// Let it fire again; what passed meanwhile is not made up for.
    Resume(One),
    /// Leave out its next occurrence; the one after that runs.
    Skip(One),
    /// Run it now as its principal, and wait for the run.
    Run(One),
}

/// One schedule.
#[derive(Args)]
pub struct One {
    /// The orchestration.
    name: String,
    /// The environment.
    #[arg(long = "env")]
    environment: String,
}

impl One {
    fn post(&self, verb: &str) -> Result<Value, Exit> {
        let (environment, name) = (segment(&self.environment), segment(&self.name));
        Client::from_context()?.post(&format!("environments/{environment}/schedules/{name}/{verb}"), &json!({}))
    }
}

impl Schedule {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        match self {
            Self::List { environment } => {
                let path = format!("environments/{}/schedules", segment(&environment));
                let value = Client::from_context()?.list(&path)?;
                let items = value.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
                let header = ["orchestration", "schedule", "as", "next", "last", "stands"];
                output.table(&value, &header, items.iter().map(row).collect());
            }
            Self::Pause(one) => {
                let value = one.post("pause")?;
                output.result(&value, || format!("`{}` is paused in `{}`", one.name, one.environment));
            }
            Self::Resume(one) => {
                let value = one.post("resume")?;
                output.result(&value, || format!("`{}` fires again in `{}`", one.name, one.environment));
            }
            Self::Skip(one) => {
                let value = one.post("skip")?;
                let next = match time(&value, "next") {
                    next if next.is_empty() => String::new(),
                    next => format!("; the next is {next}"),
                };
                let skipped = time(&value, "skipped");
                output.result(&value, || {
                    format!("`{}` does not run at {skipped} in `{}`{next}", one.name, one.environment)
                });
            }
            Self::Run(one) => {
                let value = one.post("run")?;
                let run = value.get("run").and_then(Value::as_str).unwrap_or_default().to_owned();
                let Some(error) = value.get("error").filter(|error| !error.is_null()) else {
                    output.result(&value, || format!("run {run} completed"));
                    return Ok(());
                };
                let member = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                return Err(Exit::Failed {
                    code: member("code"),
                    message: format!("run {run} ended with an error at `{}`", member("task")),
                    detail: value.clone(),
                });
            }
        }
        Ok(())
    }
}

/// A time of a reply; empty where there is none.
fn time(value: &Value, member: &str) -> String {
    value.get(member).and_then(Value::as_i64).map(|us| Timestamp(us).to_string()).unwrap_or_default()
}

fn row(item: &Value) -> Vec<String> {
    let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let paused = item.get("paused").and_then(|paused| paused.get("by")).and_then(Value::as_str);
    let stands = match paused {
        Some(by) => format!("paused by {by}"),
        None if item.get("running") == Some(&Value::Bool(true)) => "running".to_owned(),
        None => "waiting".to_owned(),
    };
    vec![text("name"), text("schedule"), text("runs_as"), time(item, "next"), time(item, "last"), stands]
}
