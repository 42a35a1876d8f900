//! `lockgate deploy PROJECT ENVIRONMENT`: a version becomes active. `lockgate deployments`: what is.

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
        output.result(&answer, || told(&answer));
        Ok(())
    }
}

/// Arguments of `deployments`.
#[derive(Args)]
pub struct Deployments {
    /// The environment.
    #[arg(long = "env")]
    environment: String,
}

impl Deployments {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let value =
            Client::from_context()?.list(&format!("environments/{}/deployments", segment(&self.environment)))?;
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut rows = Vec::new();
        for one in value.get("items").and_then(Value::as_array).into_iter().flatten() {
            let version = one.get("version").and_then(Value::as_u64).unwrap_or_default().to_string();
            for (name, module) in one.get("orchestrations").and_then(Value::as_object).into_iter().flatten() {
                let (project, publisher) = (text(one, "project"), text(one, "publisher"));
                rows.push(vec![project, version.clone(), name.clone(), text(module, "module"), publisher]);
            }
        }
        output.table(&value, &["project", "version", "orchestration", "module", "publisher"], rows);
        Ok(())
    }
}

/// Names of the orchestrations that are active in an environment and meant; `None` where the caller may
/// not look.
pub fn active(client: &Client, environment: &str, meant: impl Fn(&Value) -> bool) -> Option<Vec<String>> {
    let value = client.list(&format!("environments/{}/deployments", segment(environment))).ok()?;
    let items = value.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let modules = items.iter().filter_map(|one| one.get("orchestrations").and_then(Value::as_object)).flatten();
    Some(modules.filter(|(_, module)| meant(module)).map(|(name, _)| name.clone()).collect())
}

/// What became active, for people.
pub(super) fn told(answer: &Value) -> String {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let version = answer.get("version").and_then(Value::as_u64).unwrap_or_default();
    let (project, environment) = (text(answer, "project"), text(answer, "environment"));
    let mut told = format!("project `{project}` version {version} is active in `{environment}`\n");
    for one in answer.get("orchestrations").and_then(Value::as_array).into_iter().flatten() {
        told.push_str(&format!("  {}  {}  ACL {}\n", text(one, "name"), text(one, "module"), text(one, "acl")));
    }
    for note in answer.get("notes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        told.push_str(&format!("note: {note}\n"));
    }
    told
}
