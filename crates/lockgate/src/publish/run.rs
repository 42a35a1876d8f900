//! `lockgate run NAME --env E < input`: runs an orchestration now, as the person who is signed in; with
//! `--local FILE` without a server.

use std::{
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
};

use clap::Args;
use lockgate_connector_api::Registry;
use serde_json::{Value, json, value::RawValue};

use crate::{
    author::local::Local,
    client::{Answer, Client, segment},
    exit::Exit,
    output::Output,
};

/// Arguments of `run`.
#[derive(Args)]
pub struct Run {
    /// The orchestration.
    #[arg(required_unless_present = "local", conflicts_with = "local")]
    name: Option<String>,
    /// The environment.
    #[arg(long = "env", required_unless_present = "local", conflicts_with = "local")]
    environment: Option<String>,
    /// File with the input (JSON), `-` for standard input; standard input when absent and not a terminal.
    #[arg(long)]
    input: Option<PathBuf>,
    #[command(flatten)]
    local: Local,
}

impl Run {
    /// Runs the command.
    pub fn run(self, connectors: &Registry, output: &Output) -> Result<(), Exit> {
        let (name, environment) = match (self.name, self.environment) {
            (Some(name), Some(environment)) => {
                self.local.is_not_asked_for()?;
                (name, environment)
            }
            _ => return self.local.run(connectors, || given(self.input.as_deref()), output),
        };
        let input = json_input(given(self.input.as_deref())?)?;
        let input = input.map(|raw| format!(",\"input\":{}", raw.get())).unwrap_or_default();
        let body = format!("{{\"name\":{}{input}}}", json!(name));
        let client = Client::from_context()?;
        let path =
            format!("/admin/v1/tenants/{}/environments/{}/runs", segment(client.tenant()), segment(&environment));
        let answer = client.send(http::Method::POST, &path, Some(body.into()))?;
        if let Some(run) = answer.headers.get("lockgate-run").and_then(|v| v.to_str().ok()) {
            output.note(&format!("run {run}"));
        }
        if answer.status.is_success() {
            let mut bytes = answer.body.to_vec();
            if !bytes.is_empty() {
                bytes.push(b'\n');
            }
            return output.bytes(&bytes);
        }
        Err(faulted(&answer, |fault| fault))
    }
}

/// Why there is no output: the run's problem, of which `detail` makes what programs are told; or the
/// request was refused.
pub(super) fn faulted(answer: &Answer, detail: impl FnOnce(Value) -> Value) -> Exit {
    let fault: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    // What is of a run names it.
    if (!answer.headers.contains_key("lockgate-run") || !fault.is_object())
        && let Err(refused) = crate::client::judge(answer)
    {
        return refused;
    }
    let member = |name: &str| fault.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let message = format!("the run ended with {}: {} {}", answer.status.as_u16(), member("title"), member("detail"));
    Exit::Failed { code: "LG-RUN-FAULTED".into(), message: message.trim_end().to_owned(), detail: detail(fault) }
}

/// An input as it is written, so that numbers keep their digits; `None` where nothing is written.
pub(super) fn json_input(bytes: Vec<u8>) -> Result<Option<Box<RawValue>>, Exit> {
    let text = String::from_utf8(bytes).map_err(|_| Exit::Usage("the input is no text in UTF-8".to_owned()))?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    serde_json::from_str(&text).map(Some).map_err(|e| Exit::Usage(format!("the input is no JSON: {e}")))
}

/// What was given as input; nothing on a terminal.
pub(super) fn given(path: Option<&Path>) -> Result<Vec<u8>, Exit> {
    let mut bytes = Vec::new();
    match path {
        Some(path) if path != "-" => {
            return std::fs::read(path).map_err(|e| Exit::Usage(format!("cannot read `{}`: {e}", path.display())));
        }
        None if std::io::stdin().is_terminal() => {}
        _ => {
            std::io::stdin().lock().read_to_end(&mut bytes)?;
        }
    }
    Ok(bytes)
}
