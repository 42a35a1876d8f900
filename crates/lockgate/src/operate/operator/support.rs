//! `lockgate operator support …`: metadata of a tenant that its administrator lets be looked at.

use clap::{Args, Subcommand};
use http::Method;
use lockgate_model::{
    RunId, Timestamp,
    id::{EnvironmentId, TenantId},
};
use serde_json::Value;

use super::Here;
use crate::{client::segment, exit::Exit, output::Output};

/// Verbs of `operator support`.
#[derive(Subcommand)]
pub enum Support {
    /// Runs of an environment, the newest first.
    Runs(Page),
    /// One run.
    Run {
        #[command(flatten)]
        within: Within,
        /// The run.
        run: RunId,
    },
    /// Log lines of runs.
    Logs(Page),
    /// Which versions are active.
    Deployments(Within),
    /// What runs by itself, and when next.
    Schedules(Within),
}

/// Where.
#[derive(Args)]
pub struct Within {
    #[command(flatten)]
    here: Here,
    /// The tenant.
    tenant: TenantId,
    /// The environment.
    environment: EnvironmentId,
}

/// Where, and how much of it.
#[derive(Args)]
pub struct Page {
    #[command(flatten)]
    within: Within,
    /// Only of this orchestration (runs), or of this run (log lines).
    #[arg(long)]
    of: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

impl Support {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let (value, columns): (_, &[&str]) = match self {
            Self::Runs(page) => (page.ask("runs", "name")?, &["id", "started", "target.name", "phase", "error.code"]),
            Self::Logs(page) => (page.ask("logs", "run")?, &["at", "event", "run", "orchestration"]),
            Self::Deployments(within) => (within.ask("deployments")?, &["project", "version", "deployed_at", "source"]),
            Self::Schedules(within) => (within.ask("schedules")?, &["name", "project", "schedule", "next"]),
            Self::Run { within, run } => {
                let value = within.ask(&format!("runs/{run}"))?;
                let shown = serde_json::to_string_pretty(&value).unwrap_or_default();
                output.result(&value, || shown);
                return Ok(());
            }
        };
        let items = value.get("items").and_then(Value::as_array).into_iter().flatten();
        let rows = items.map(|item| columns.iter().map(|column| shown(item, column)).collect()).collect();
        output.table(&value, columns, rows);
        Ok(())
    }
}

impl Within {
    fn ask(&self, what: &str) -> Result<Value, Exit> {
        let Self { here, tenant, environment } = self;
        here.ask(Method::GET, &format!("/operator/support/{tenant}/{environment}/{what}"), None)
    }
}

impl Page {
    fn ask(&self, what: &str, narrowed_by: &str) -> Result<Value, Exit> {
        let only = self.of.as_deref().map(|of| format!("&{narrowed_by}={}", segment(of))).unwrap_or_default();
        self.within.ask(&format!("{what}?limit={}{only}", self.limit))
    }
}

/// A member as a person reads it: times as times.
fn shown(item: &Value, column: &str) -> String {
    let mut found = Some(item);
    for member in column.split('.') {
        found = found.and_then(|value| value.get(member));
    }
    match (column, found) {
        ("at" | "started" | "deployed_at" | "next", Some(Value::Number(us))) => {
            us.as_i64().map(|us| Timestamp(us).to_string()).unwrap_or_default()
        }
        (_, Some(Value::String(text))) => text.clone(),
        (_, None | Some(Value::Null)) => String::new(),
        (_, Some(other)) => other.to_string(),
    }
}
