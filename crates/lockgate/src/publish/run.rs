//! `lockgate run NAME --env E < input`: runs an orchestration now, as the person who is signed in.

use std::io::{IsTerminal, Read};

use clap::Args;
use serde_json::{Value, json};

use crate::{
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// Arguments of `run`.
#[derive(Args)]
pub struct Run {
    /// The orchestration.
    name: String,
    /// The environment.
    #[arg(long = "env")]
    environment: String,
    /// File with the input (JSON); standard input when absent and not a terminal.
    #[arg(long)]
    input: Option<std::path::PathBuf>,
}

impl Run {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let mut text = String::new();
        match &self.input {
            Some(path) => {
                text = std::fs::read_to_string(path)
                    .map_err(|e| Exit::Usage(format!("cannot read `{}`: {e}", path.display())))?;
            }
            None if !std::io::stdin().is_terminal() => {
                std::io::stdin().lock().read_to_string(&mut text)?;
            }
            None => {}
        }
        // Spliced in as it is: numbers keep their digits.
        let input: Option<Box<serde_json::value::RawValue>> = if text.trim().is_empty() {
            None
        } else {
            Some(serde_json::from_str(&text).map_err(|e| Exit::Usage(format!("the input is no JSON: {e}")))?)
        };
        let input = input.map(|raw| format!(",\"input\":{}", raw.get())).unwrap_or_default();
        let body = format!("{{\"name\":{}{input}}}", json!(self.name));
        let client = Client::from_context()?;
        let path =
            format!("/admin/v1/tenants/{}/environments/{}/runs", segment(client.tenant()), segment(&self.environment));
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
        let fault: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        if fault.get("error").is_some() || !fault.is_object() {
            return crate::client::judge(&answer).map(|_| ());
        }
        let member = |name: &str| fault.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let message =
            format!("the run ended with {}: {} {}", answer.status.as_u16(), member("title"), member("detail"));
        Err(Exit::Failed { code: "LG-RUN-FAULTED".into(), message: message.trim_end().to_owned(), detail: fault })
    }
}
