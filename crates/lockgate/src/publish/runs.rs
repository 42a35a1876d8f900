//! `lockgate runs --env E [RUN]`: what ran, and one run in detail.

use clap::Args;
use lockgate_model::{RunRecord, Timestamp};
use serde_json::Value;

use crate::{
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// Arguments of `runs`.
#[derive(Args)]
pub struct Runs {
    /// One run in detail.
    run: Option<String>,
    /// The environment.
    #[arg(long = "env")]
    environment: String,
    /// Only runs of this orchestration.
    #[arg(long)]
    name: Option<String>,
    /// Only runs in this phase: running, completed, faulted, cancelled or lost.
    #[arg(long)]
    phase: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

impl Runs {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let client = Client::from_context()?;
        let base = format!("environments/{}/runs", segment(&self.environment));
        if let Some(run) = &self.run {
            let value = client.get(&format!("{base}/{}", segment(run)))?;
            let record = read(&value)?;
            output.result(&value, || detail(&record));
            return Ok(());
        }
        let mut query = format!("?limit={}", self.limit);
        for (key, given) in [("name", &self.name), ("phase", &self.phase)] {
            if let Some(given) = given {
                query.push_str(&format!("&{key}={}", segment(given)));
            }
        }
        let value = client.get(&format!("{base}{query}"))?;
        let list = value.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        let rows = list.iter().map(|one| read(one).map(|r| row(&r))).collect::<Result<Vec<_>, _>>()?;
        output.table(&value, &["run", "started", "orchestration", "by", "phase", "ms", "error"], rows);
        Ok(())
    }
}

fn read(value: &Value) -> Result<RunRecord, Exit> {
    serde_json::from_value(value.clone())
        .map_err(|e| Exit::failed("LG-ANSWER", format!("the server's answer cannot be read: {e}")))
}

fn phase(record: &RunRecord) -> String {
    serde_json::to_value(record.phase).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn took(record: &RunRecord) -> String {
    record.ended.map(|Timestamp(end)| format!("{:.1}", (end - record.started.0) as f64 / 1_000.0)).unwrap_or_default()
}

fn row(record: &RunRecord) -> Vec<String> {
    vec![
        record.id.to_string(),
        record.started.to_string(),
        record.target.name.to_string(),
        record.principal.to_string(),
        phase(record),
        took(record),
        record.error.as_ref().map(|e| format!("{} {}", e.code, e.task)).unwrap_or_default(),
    ]
}

fn detail(record: &RunRecord) -> String {
    let mut text = format!(
        "run        {}\ntarget     {}/{}/{} version {}\nby         {} over {}\ndecided    {}\nstarted    {}\nphase      {}\nms         {}\ncost       {}\n",
        record.id,
        record.target.environment,
        record.target.kind.as_str(),
        record.target.name,
        record.version,
        record.principal,
        record.trigger.as_str(),
        record.decision,
        record.started,
        phase(record),
        took(record),
        record.cost,
    );
    if let Some(module) = &record.module {
        text.push_str(&format!("module     {module}\n"));
    }
    if let Some(error) = &record.error {
        text.push_str(&format!(
            "error      {} {} at {}, status {}\n",
            error.kind, error.code, error.task, error.status
        ));
    }
    for (account, bytes) in &record.bytes {
        text.push_str(&format!(
            "account    {account}: {} calls, {} bytes read, {} written\n",
            bytes.calls, bytes.read, bytes.written
        ));
    }
    for task in &record.tasks {
        text.push_str(&format!("task       {}  {}x  {} us\n", task.task, task.entered, task.wall_us));
    }
    text
}
