//! `lockgate audit …`: the log, and whether its chains hold.

mod export;
mod find;
mod log;
mod syslog;

use std::{ops::ControlFlow, path::PathBuf};

use clap::Subcommand;
use lockgate_keys::HeadKey;
use lockgate_model::audit::{Link, Outcome, SignedHead};
use serde_json::{Value, json};

use self::{
    export::Export,
    find::Which,
    log::{Chain, Holds, Log},
};
use crate::{client::Client, exit::Exit, output::Output};

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
    /// Show the newest entries that are looked for.
    Find {
        #[command(flatten)]
        which: Which,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Write or send entries: as JSON lines with signed heads, which `verify` reads, or in another form.
    Export(Export),
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
            Self::Find { which, limit } => {
                let client = Client::from_context()?;
                let mut found = Vec::new();
                which.pages(&client, |links| {
                    found.extend(links.into_iter().take(limit - found.len()));
                    Ok(if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
                })?;
                found.reverse();
                let value = serde_json::to_value(&found).unwrap_or_default();
                output.table(
                    &value,
                    &["at", "event", "outcome", "by", "object", "rule"],
                    found.iter().map(row).collect(),
                );
                Ok(())
            }
            Self::Export(export) => export.run(output),
            Self::Key => {
                let Signed { key, .. } = Signed::read(&Client::from_context()?.get("audit/heads")?)?;
                output.result(&json!({"key": key.to_string()}), || format!("{key}\n"));
                Ok(())
            }
            Self::Verify { file, key } => {
                let Holds { entries, signed, anchored, chains } = match &file {
                    Some(path) => of_file(path, key, output)?,
                    None => of_server(key, output)?,
                };
                output.result(&json!({"holds": true, "entries": entries, "signed": signed, "anchored": anchored, "chains": chains}), || {
                    let mut text = format!("the audit log holds: {entries} entries\n");
                    for chain in &chains {
                        let Chain { tenant, writer, entries, head, .. } = chain;
                        text.push_str(&format!("  {tenant} by {writer}: {entries} entries, head {head}"));
                        if let Some(anchor) = &chain.anchor {
                            text.push_str(&format!(
                                ", begins behind entry {} (what was before is no longer kept since {})",
                                anchor.seq, anchor.at
                            ));
                        }
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

/// What the server has signed.
struct Signed {
    key: HeadKey,
    heads: Vec<SignedHead>,
    anchors: Vec<SignedHead>,
}

impl Signed {
    fn read(answer: &Value) -> Result<Self, Exit> {
        let unread = || Exit::failed("LG-ANSWER", "the server's signed heads cannot be read");
        let key = answer.get("key").and_then(Value::as_str).and_then(|key| key.parse().ok()).ok_or_else(unread)?;
        let all = |name: &str| {
            let value = answer.get(name).cloned().unwrap_or_else(|| json!([]));
            serde_json::from_value(value).map_err(|_| unread())
        };
        Ok(Self { key, heads: all("heads")?, anchors: all("anchors")? })
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

/// Times a server's log is read where entries that are no longer kept go meanwhile.
const READ_MAX: usize = 4;

fn of_server(given: Option<HeadKey>, output: &Output) -> Result<Holds, Exit> {
    let client = Client::from_context()?;
    // Before the links: what they speak of is there then.
    let mut signed = Signed::read(&client.get("audit/heads")?)?;
    let mut last = READ_MAX;
    loop {
        let begins = signed.anchors.clone();
        let verified = of_pages(&client, signed, given.as_ref(), output);
        last -= 1;
        if verified.is_ok() || last == 0 {
            return verified;
        }
        // What was removed while it was read is no part of it any more, and what is left begins elsewhere.
        signed = Signed::read(&client.get("audit/heads")?)?;
        if signed.anchors == begins {
            return verified;
        }
    }
}

fn of_pages(client: &Client, signed: Signed, given: Option<&HeadKey>, output: &Output) -> Result<Holds, Exit> {
    let Signed { key, heads, anchors } = signed;
    let mut log = Log::new(Some(given.cloned().unwrap_or(key)));
    anchors.into_iter().try_for_each(|anchor| log.anchor(anchor))?;
    heads.into_iter().try_for_each(|head| log.head(head))?;
    let bar = output.progress("verifying the audit log");
    let read = pages(client, |links| {
        links.iter().try_for_each(|link| log.link(link))?;
        bar.set_message(format!("verifying the audit log: {} entries", log.entries()));
        Ok(ControlFlow::Continue(()))
    });
    bar.finish_and_clear();
    read?;
    log.holds(given.is_some())
}

/// All links in the order of their chains, page by page, until `each` has enough.
fn pages(client: &Client, mut each: impl FnMut(Vec<Link>) -> Result<ControlFlow<()>, Exit>) -> Result<(), Exit> {
    client.pages("audit", |page| each(links(&page)?))
}

/// The links of an answer.
fn links(page: &Value) -> Result<Vec<Link>, Exit> {
    serde_json::from_value(page.get("links").cloned().unwrap_or_default())
        .map_err(|e| Exit::failed("LG-ANSWER", format!("the server's answer cannot be read: {e}")))
}

fn of_file(path: &std::path::Path, given: Option<HeadKey>, output: &Output) -> Result<Holds, Exit> {
    let name = path.display().to_string();
    let unread = |e| Exit::Usage(format!("cannot read `{name}`: {e}"));
    let file = std::fs::File::open(path).map_err(unread)?;
    let about = file.metadata().map_err(unread)?;
    // Of a pipe nobody knows how long it is.
    let bar = match about.is_file() {
        true => output.bytes_bar(about.len()),
        false => output.progress("verifying the audit log"),
    };
    let all_signed = given.is_some();
    let mut log = Log::new(given);
    let read = log.read(std::io::BufReader::new(file), &name, |bytes| bar.inc(bytes as u64));
    bar.finish_and_clear();
    read?;
    log.holds(all_signed)
}
