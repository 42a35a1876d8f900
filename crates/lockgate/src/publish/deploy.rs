//! `lockgate deploy PROJECT ENVIRONMENT`: a version becomes active.

use clap::Args;
use serde_json::{Value, json};

use crate::{
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// Arguments of `deploy`.
#[derive(Args)]
pub struct Deploy {
    /// The project.
    project: String,
    /// The environment.
    environment: String,
    /// Version to activate; the newest when absent.
    #[arg(long)]
    version: Option<u64>,
    /// ACL that says who may run its orchestrations here.
    #[arg(long)]
    acl: Option<String>,
    /// User or service account as whom its schedules run; you when absent. Needs access-control.
    #[arg(long)]
    run_as: Option<String>,
}

impl Deploy {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let client = Client::from_context()?;
        let path = format!("environments/{}/deployments/{}", segment(&self.environment), segment(&self.project));
        let bar = output.progress("compiling and deploying");
        let answer = client.put(&path, &json!({"version": self.version, "acl": self.acl, "run_as": self.run_as}));
        bar.finish_and_clear();
        let answer = answer?;
        output.result(&answer, || {
            let version = answer.get("version").and_then(Value::as_u64).unwrap_or_default();
            let mut text =
                format!("project `{}` version {version} is active in `{}`\n", self.project, self.environment);
            for o in answer.get("orchestrations").and_then(Value::as_array).into_iter().flatten() {
                let member = |name: &str| o.get(name).and_then(Value::as_str).unwrap_or_default();
                text.push_str(&format!("  {}  {}  ACL {}\n", member("name"), member("module"), member("acl")));
            }
            for note in answer.get("notes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
                text.push_str(&format!("note: {note}\n"));
            }
            text
        });
        Ok(())
    }
}
