//! `lockgate audit …`: the log, and whether its chains hold. Verification is done here, on links as
//! they were written, so it also works on an exported file without any server.

use std::{io::BufRead, path::PathBuf};

use clap::Subcommand;
use lockgate_model::audit::{Link, Outcome, verify};
use serde_json::{Value, json};

use crate::{
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// Verbs of `audit`.
#[derive(Subcommand)]
pub enum Audit {
    /// Show the newest entries.
    Log {
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Write all links as JSON lines.
    Export,
    /// Check that no entry was changed, dropped, moved or added.
    Verify {
        /// An exported file; the server's log when absent.
        file: Option<PathBuf>,
    },
}

impl Audit {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        match self {
            Self::Log { limit } => {
                let page = Client::from_context()?.get(&format!("audit?newest={limit}"))?;
                let newest = links(&page)?;
                let value = serde_json::to_value(&newest).unwrap_or_default();
                output.table(
                    &value,
                    &["at", "event", "outcome", "by", "object", "rule"],
                    newest.iter().map(row).collect(),
                );
                Ok(())
            }
            Self::Export => {
                for link in from_server(output)? {
                    let line = serde_json::to_string(&link).map_err(|e| Exit::failed("LG-AUDIT", e.to_string()))?;
                    output.line(&line);
                }
                Ok(())
            }
            Self::Verify { file } => {
                let links = match file {
                    Some(path) => from_file(&path)?,
                    None => from_server(output)?,
                };
                let heads = verify(&links).map_err(|broken| {
                    let detail = json!({"tenant": broken.tenant, "writer": broken.writer, "seq": broken.seq, "reason": broken.reason});
                    Exit::Failed { code: "LG-AUDIT-BROKEN".into(), message: broken.to_string(), detail }
                })?;
                if links.is_empty() {
                    let message = "there are no entries, so nothing is shown: an empty log is no log that holds";
                    return Err(Exit::failed("LG-AUDIT-EMPTY", message));
                }
                let shown: Vec<Value> = heads
                    .iter()
                    .map(|((tenant, writer), (seq, hash))| json!({"tenant": tenant, "writer": writer, "entries": seq, "head": hash}))
                    .collect();
                output.result(&json!({"holds": true, "entries": links.len(), "chains": shown}), || {
                    let mut text = format!("the audit log holds: {} entries\n", links.len());
                    for ((tenant, writer), (seq, hash)) in &heads {
                        text.push_str(&format!("  {tenant} by {writer}: {seq} entries, head {hash}\n"));
                    }
                    text
                });
                Ok(())
            }
        }
    }
}

fn row(link: &Link) -> Vec<String> {
    let entry = &link.entry;
    let outcome = match entry.outcome {
        Outcome::Allowed => "allowed",
        Outcome::Denied => "DENIED",
        Outcome::Done => "done",
        Outcome::Failed => "failed",
        Outcome::NotApplied => "not applied",
    };
    vec![
        entry.at.to_string(),
        entry.event.clone(),
        outcome.to_owned(),
        entry.principal.clone(),
        entry.object.clone(),
        entry.rule.clone(),
    ]
}

fn from_server(output: &Output) -> Result<Vec<Link>, Exit> {
    let client = Client::from_context()?;
    let bar = output.progress("reading the audit log");
    let mut all: Vec<Link> = Vec::new();
    let mut path = "audit?limit=10000".to_owned();
    loop {
        let page = client.get(&path)?;
        all.extend(links(&page)?);
        bar.set_message(format!("reading the audit log: {} entries", all.len()));
        let next = page.get("next").and_then(Value::as_array).cloned().unwrap_or_default();
        let (Some(writer), Some(seq)) = (next.first().and_then(Value::as_str), next.get(1).and_then(Value::as_u64))
        else {
            break;
        };
        path = format!("audit?limit=10000&writer={}&after={seq}", segment(writer));
    }
    bar.finish_and_clear();
    Ok(all)
}

/// The links of an answer.
fn links(page: &Value) -> Result<Vec<Link>, Exit> {
    serde_json::from_value(page.get("links").cloned().unwrap_or_default())
        .map_err(|e| Exit::failed("LG-ANSWER", format!("the server's answer cannot be read: {e}")))
}

fn from_file(path: &std::path::Path) -> Result<Vec<Link>, Exit> {
    let file = std::fs::File::open(path).map_err(|e| Exit::Usage(format!("cannot read `{}`: {e}", path.display())))?;
    let mut links = Vec::new();
    for (number, line) in std::io::BufReader::new(file).lines().enumerate() {
        let line = line?;
        let link = serde_json::from_str(&line).map_err(|e| {
            Exit::failed(
                "LG-AUDIT-BROKEN",
                format!("line {} of `{}` is no audit entry: {e}", number + 1, path.display()),
            )
        })?;
        links.push(link);
    }
    Ok(links)
}
