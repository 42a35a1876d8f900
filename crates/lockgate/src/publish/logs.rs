//! `lockgate logs --env E`: log lines of runs, as the server's memory has them.

use std::time::{Duration, Instant};

use clap::Args;
use lockgate_model::{RunId, Timestamp};
use serde_json::Value;

use crate::{
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// Between two looks of `--follow`.
const EVERY: Duration = Duration::from_millis(500);
/// Lines of one look of `--follow`.
const PAGE: u32 = 1_000;

/// Arguments of `logs`.
#[derive(Args)]
pub struct Logs {
    /// The environment.
    #[arg(long = "env")]
    environment: String,
    /// Only lines of this run.
    #[arg(long)]
    run: Option<RunId>,
    /// At most so many of the newest lines.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Go on with lines as they are written, until Ctrl-C.
    #[arg(long)]
    follow: bool,
    /// With --follow: end after so many seconds.
    #[arg(long = "for", value_name = "SECONDS", requires = "follow")]
    seconds: Option<u64>,
}

impl Logs {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let client = Client::from_context()?;
        let until = self.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let mut read_to = self.tell(&client, None, self.limit.min(PAGE), output)?;
        while self.follow && until.is_none_or(|until| Instant::now() < until) {
            if !client.pause(EVERY) {
                break;
            }
            read_to = self.tell(&client, Some(read_to.unwrap_or(0)), PAGE, output)?.or(read_to);
        }
        Ok(())
    }

    /// Prints lines after a place; says where they end.
    fn tell(&self, client: &Client, after: Option<i64>, limit: u32, output: &Output) -> Result<Option<i64>, Exit> {
        let mut path = format!("environments/{}/logs?limit={limit}", segment(&self.environment));
        if let Some(run) = self.run {
            path.push_str(&format!("&run={run}"));
        }
        if let Some(after) = after {
            path.push_str(&format!("&after={after}"));
        }
        let value = client.get(&path)?;
        let mut last = None;
        for line in value.get("items").and_then(Value::as_array).into_iter().flatten() {
            last = line.get("at").and_then(Value::as_i64).or(last);
            output.line(&if output.is_json() { line.to_string() } else { shown(line) });
        }
        Ok(last)
    }
}

/// Time, event, run and orchestration, and whatever else the event has.
fn shown(line: &Value) -> String {
    let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
    let at = line.get("at").and_then(Value::as_i64).map(|us| Timestamp(us).to_string()).unwrap_or_default();
    let mut shown = format!("{at}  {:<15}  {}  {}", text("event"), text("run"), text("orchestration"));
    for (key, value) in line.as_object().into_iter().flatten() {
        if !["at", "environment", "orchestration", "run", "event"].contains(&key.as_str()) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            shown.push_str(&format!("  {key}={value}"));
        }
    }
    shown
}
