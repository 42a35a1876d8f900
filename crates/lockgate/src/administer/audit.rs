//! `lockgate audit …`: the log, and whether its chains hold.

mod log;

use std::path::PathBuf;

use clap::Subcommand;
use lockgate_keys::HeadKey;
use lockgate_model::audit::{Link, Outcome, SignedHead};
use serde_json::{Value, json};

use self::log::{Chain, Holds, Line, Log};
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
    /// Write all links and signed heads as JSON lines.
    Export,
    /// Show the public key that tells true heads: keep it where nobody can change both it and the log.
    Key,
    /// Check that no entry was changed, dropped, moved or added.
    Verify {
        /// An exported file; the server's log when absent.
        file: Option<PathBuf>,
        /// The public key that `audit key` showed: every chain must be signed by it then.
        #[arg(long)]
        key: Option<HeadKey>,
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
                let log = from_server(output)?;
                // The heads first: a file that was cut lacks what they speak of.
                let heads = log.heads.into_iter().map(|head| Line::Head { head });
                for line in heads.chain(log.links.into_iter().map(|link| Line::Link(Box::new(link)))) {
                    let line = serde_json::to_string(&line).map_err(|e| Exit::failed("LG-AUDIT", e.to_string()))?;
                    output.line(&line);
                }
                Ok(())
            }
            Self::Key => {
                let (key, _) = signed(&Client::from_context()?)?;
                output.result(&json!({"key": key.to_string()}), || format!("{key}\n"));
                Ok(())
            }
            Self::Verify { file, key } => {
                let log = match &file {
                    Some(path) => from_file(path)?,
                    None => from_server(output)?,
                };
                let Holds { entries, signed, chains } = log.holds(key.as_ref())?;
                output.result(&json!({"holds": true, "entries": entries, "signed": signed, "chains": chains}), || {
                    let mut text = format!("the audit log holds: {entries} entries\n");
                    for chain in &chains {
                        let Chain { tenant, writer, entries, head, .. } = chain;
                        text.push_str(&format!("  {tenant} by {writer}: {entries} entries, head {head}"));
                        text.push_str(&match chain.signed {
                            Some(seq) if signed => format!(", signed up to {seq}\n"),
                            _ => "\n".to_owned(),
                        });
                    }
                    if !signed {
                        text.push_str(
                            "signatures were not checked: give the key that `lockgate audit key` shows by --key\n",
                        );
                    }
                    text
                });
                Ok(())
            }
        }
    }
}

/// The key and the signed heads of the server.
fn signed(client: &Client) -> Result<(HeadKey, Vec<SignedHead>), Exit> {
    let unread = || Exit::failed("LG-ANSWER", "the server's signed heads cannot be read");
    let answer = client.get("audit/heads")?;
    let key = answer.get("key").and_then(Value::as_str).and_then(|key| key.parse().ok()).ok_or_else(unread)?;
    let heads = serde_json::from_value(answer.get("heads").cloned().unwrap_or_default()).map_err(|_| unread())?;
    Ok((key, heads))
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

fn from_server(output: &Output) -> Result<Log, Exit> {
    let client = Client::from_context()?;
    // Before the links: what they speak of is there then.
    let (key, heads) = signed(&client)?;
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
    Ok(Log { links: all, heads, key: Some(key) })
}

/// The links of an answer.
fn links(page: &Value) -> Result<Vec<Link>, Exit> {
    serde_json::from_value(page.get("links").cloned().unwrap_or_default())
        .map_err(|e| Exit::failed("LG-ANSWER", format!("the server's answer cannot be read: {e}")))
}

fn from_file(path: &std::path::Path) -> Result<Log, Exit> {
    let name = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|e| Exit::Usage(format!("cannot read `{name}`: {e}")))?;
    Log::read(std::io::BufReader::new(file), &name)
}
