//! `lockgate runs restart RUN --env E`: what a run ran, once more, with what is deployed now.

use std::path::PathBuf;

use clap::Args;
use http::Method;
use lockgate_model::{RunId, Timestamp};
use serde_json::{Value, json};

use super::{
    super::run::{faulted, given, json_input},
    base,
};
use crate::{
    client::{Answer, Client, segment},
    exit::Exit,
    output::Output,
};

/// Arguments of `runs restart`.
#[derive(Args)]
pub struct Restart {
    /// The run.
    run: RunId,
    /// The environment.
    #[arg(long = "env")]
    environment: String,
    /// File with the input (JSON; an empty one for none), `-` for standard input; needed unless a schedule
    /// gave it.
    #[arg(long)]
    input: Option<PathBuf>,
}

impl Restart {
    pub(super) fn run(self, output: &Output) -> Result<(), Exit> {
        let body = match self.input.as_deref().map(|path| json_input(given(Some(path))?)).transpose()? {
            None => "{}".to_owned(),
            // An empty file is a request without a body.
            Some(None) => json!({"nothing": true}).to_string(),
            Some(Some(raw)) => format!("{{\"input\":{}}}", raw.get()),
        };
        let client = Client::from_context()?;
        let path = format!("{}/{}/restart", base(&self.environment), self.run);
        let plan = client.get(&path)?;
        let text = |member: &str| plan.get(member).and_then(Value::as_str).unwrap_or_default();
        let source = self.source(&plan);
        output.note(&format!(
            "restarts {}: {} deployed by {}; the run took version {}",
            text("name"),
            version(&plan, "takes"),
            text("deployed_by"),
            number(&plan, "took"),
        ));
        if let Some(source) = &source {
            output.note(&format!("source: {source}"));
        }
        let whole = format!("/admin/v1/tenants/{}/{path}", segment(client.tenant()));
        let answer = client.send(Method::POST, &whole, Some(body.into()))?;
        let Some(run) = header(&answer, "lockgate-run") else {
            return crate::client::judge(&answer).map(drop);
        };
        // What ran, not what was going to: somebody may have deployed in between.
        let ran = json!({
            "run": run,
            "restarts": self.run,
            "name": plan.get("name"),
            "version": header(&answer, "lockgate-version").and_then(|version| version.parse::<u64>().ok()),
            "module": header(&answer, "lockgate-module"),
            "took": plan.get("took"),
            "source": source,
        });
        output.note(&format!(
            "run {run} took version {} ({})",
            header(&answer, "lockgate-version").unwrap_or_default(),
            header(&answer, "lockgate-module").unwrap_or_default()
        ));
        if !answer.status.is_success() {
            return Err(faulted(&answer, |problem| json!({"restart": ran, "problem": problem})));
        }
        if output.is_json() {
            // Spliced in as it is: numbers keep their digits.
            let printed = String::from_utf8_lossy(&answer.body);
            let printed = if printed.is_empty() { "null" } else { &printed };
            output.line(&format!("{{\"restart\":{ran},\"output\":{printed}}}"));
            return output.end();
        }
        if answer.body.is_empty() {
            return Ok(());
        }
        output.bytes(&[answer.body.as_ref(), b"\n"].concat())
    }

    /// Where the input comes from, in words.
    fn source(&self, plan: &Value) -> Option<String> {
        match &self.input {
            Some(path) if path.as_os_str() == "-" => Some("standard input".to_owned()),
            Some(path) => Some(path.display().to_string()),
            None => {
                let occurrence = plan.get("occurrence").and_then(Value::as_i64)?;
                Some(format!("the schedule's occurrence of {}", Timestamp(occurrence)))
            }
        }
    }
}

fn header(answer: &Answer, name: &str) -> Option<String> {
    answer.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn number(plan: &Value, member: &str) -> u64 {
    plan.get(member).and_then(|of| of.get("version")).and_then(Value::as_u64).unwrap_or_default()
}

fn version(plan: &Value, member: &str) -> String {
    let module = plan.get(member).and_then(|of| of.get("module")).and_then(Value::as_str).unwrap_or_default();
    format!("version {} ({module})", number(plan, member))
}
