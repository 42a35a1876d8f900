//! `lockgate runs watch --env E`: a line when a run begins and one when it ends.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use clap::Args;
use lockgate_model::{RunId, RunRecord};
use serde_json::Value;

use super::{base, read, records, took};
use crate::{
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(500);
/// Runs of a page, and pages of one look: more runs than that between two looks are not all told.
const PAGE: usize = 200;
const PAGES_MAX: usize = 10;
/// Runs that are remembered as told.
const TOLD_MAX: usize = 4 * PAGE * PAGES_MAX;

/// Arguments of `runs watch`.
#[derive(Args)]
pub struct Watch {
    /// The environment.
    #[arg(long = "env")]
    environment: String,
    /// Only runs of this orchestration.
    #[arg(long)]
    name: Option<String>,
    /// End after so many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
}

/// What has been told.
#[derive(Default)]
struct Told {
    /// Begun.
    begun: BTreeSet<RunId>,
    /// Begun and not ended.
    running: BTreeSet<RunId>,
}

impl Watch {
    pub(super) fn run(self, output: &Output) -> Result<(), Exit> {
        let client = Client::from_context()?;
        let until = self.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let mut told = Told::default();
        for record in self.page(&client, None)? {
            told.note(&record);
        }
        output.note(&format!("watching runs of `{}`; Ctrl-C ends it", self.environment));
        loop {
            if until.is_some_and(|until| Instant::now() >= until) {
                return Ok(());
            }
            if !client.pause(EVERY) {
                return Ok(());
            }
            self.look(&client, &mut told, output)?;
        }
    }

    /// Tells what is new since the last look.
    fn look(&self, client: &Client, told: &mut Told, output: &Output) -> Result<(), Exit> {
        let mut new: Vec<RunRecord> = Vec::new();
        for _ in 0..PAGES_MAX {
            let page = self.page(client, new.last().map(|oldest| oldest.id))?;
            let (full, before) = (page.len() == PAGE, new.len());
            new.extend(page.into_iter().filter(|record| !told.begun.contains(&record.id)));
            if !full || new.len() - before < PAGE {
                break;
            }
        }
        for record in new.iter().rev() {
            told.note(record);
            tell(output, record);
        }
        for run in told.running.clone() {
            if new.iter().any(|record| record.id == run) {
                continue;
            }
            let record = match client.get(&format!("{}/{run}", base(&self.environment))) {
                // Its record is no longer kept.
                Err(Exit::Denied { code, .. }) if code == "LG-NOT-FOUND" => {
                    told.running.remove(&run);
                    continue;
                }
                answer => read(&answer?)?,
            };
            if !record.phase.is_open() {
                told.running.remove(&run);
                tell(output, &record);
            }
        }
        Ok(())
    }

    /// A page of runs, the newest first.
    fn page(&self, client: &Client, before: Option<RunId>) -> Result<Vec<RunRecord>, Exit> {
        let mut query = format!("?limit={PAGE}");
        if let Some(name) = &self.name {
            query.push_str(&format!("&name={}", segment(name)));
        }
        if let Some(before) = before {
            query.push_str(&format!("&before={before}"));
        }
        records(&client.get(&format!("{}{query}", base(&self.environment)))?)
    }
}

impl Told {
    fn note(&mut self, record: &RunRecord) {
        self.begun.insert(record.id);
        if record.phase.is_open() {
            self.running.insert(record.id);
        }
        while self.begun.len() > TOLD_MAX {
            self.begun.pop_first();
        }
    }
}

fn tell(output: &Output, record: &RunRecord) {
    if output.is_json() {
        output.line(&serde_json::to_value(record).unwrap_or(Value::Null).to_string());
        return;
    }
    let head = |at: String, what: &str| format!("{at}  {what:<9}  {}  {}", record.id, record.target.name);
    output.line(&match (record.ended, &record.error) {
        (None, _) => head(record.started.to_string(), record.phase.as_str()),
        (Some(ended), None) => format!("{}  {} ms", head(ended.to_string(), record.phase.as_str()), took(record)),
        (Some(ended), Some(error)) => {
            format!(
                "{}  {} ms  {} {}",
                head(ended.to_string(), record.phase.as_str()),
                took(record),
                error.code,
                error.task
            )
        }
    });
}
