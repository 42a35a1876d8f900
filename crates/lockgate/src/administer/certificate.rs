//! `lockgate user certificate …`: the client certificates that a user comes with.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::{
    administer::edit::{joined, text},
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// Verbs of `user certificate`.
#[derive(Subcommand)]
pub enum Certificate {
    /// Bind a certificate to a user; `serve --client-certificates` asks for it.
    Add(Add),
    /// Show a user's certificates.
    List {
        /// The user id.
        name: String,
    },
    /// Take a certificate away.
    Rm {
        /// Its id, as `list` shows it.
        id: String,
    },
}

/// Arguments of `add`.
#[derive(Args)]
pub struct Add {
    /// The user id.
    name: String,
    /// The certificate (PEM).
    #[arg(long)]
    file: PathBuf,
    /// Know it by its public key: a certificate that is renewed with the same key goes on.
    #[arg(long)]
    public_key: bool,
    /// Good for this environment alone.
    #[arg(long = "env")]
    environment: Option<String>,
    /// Good for calling this orchestration or API, and for nothing else; may stand several times.
    #[arg(long = "target")]
    targets: Vec<String>,
    /// For people.
    #[arg(long, default_value = "")]
    title: String,
}

impl Certificate {
    /// Runs the command.
    pub fn run(self, client: &Client, output: &Output) -> Result<(), Exit> {
        match self {
            Self::Add(add) => {
                let pem = std::fs::read_to_string(&add.file)
                    .map_err(|e| Exit::Usage(format!("cannot read `{}`: {e}", add.file.display())))?;
                let by = if add.public_key { "public-key" } else { "certificate" };
                let body = json!({"certificate": pem, "by": by, "environment": add.environment,
                    "targets": add.targets, "title": add.title});
                let value = client.post(&format!("users/{}/certificates", segment(&add.name)), &body)?;
                output.result(&value, || format!("user `{}` comes with certificate {}", add.name, text(&value, "id")));
            }
            Self::List { name } => {
                let value = client.list(&format!("users/{}/certificates", segment(&name)))?;
                let list = value.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
                let shown = |c: &Value| {
                    let [id, by, environment, title] = ["id", "by", "environment", "title"].map(|name| text(c, name));
                    vec![id, by, environment, joined(c, "targets"), title]
                };
                let header = ["certificate", "known by", "environment", "targets", "title"];
                output.table(&value, &header, list.iter().map(shown).collect());
            }
            Self::Rm { id } => {
                let value = client.delete(&format!("certificates/{}", segment(&id)))?;
                output.result(&value, || format!("nobody comes with certificate {id} any more"));
            }
        }
        Ok(())
    }
}
