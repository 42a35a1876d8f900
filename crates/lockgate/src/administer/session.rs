//! `lockgate session …`: live sessions, one's own and others'.

use clap::{Args, Subcommand};
use lockgate_model::Timestamp;
use serde_json::Value;

use crate::{
    administer::edit::text,
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// Verbs of `session`.
#[derive(Subcommand)]
pub enum Session {
    /// Show live sessions: one's own, or a user's.
    List {
        /// Of this user; it takes `user-management`.
        #[arg(long)]
        user: Option<String>,
    },
    /// End a session, or all of a user.
    End(End),
}

/// Arguments of `end`.
#[derive(Args)]
pub struct End {
    /// Id of the session, as `session list` shows it.
    #[arg(required_unless_present = "user")]
    id: Option<String>,
    /// All of this user; it takes `user-management`.
    #[arg(long, conflicts_with = "id")]
    user: Option<String>,
}

impl Session {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let client = Client::from_context()?;
        let of_user = |user: &str| format!("users/{}/sessions", segment(user));
        match self {
            Self::List { user } => {
                let value = client.list(&user.as_deref().map_or_else(|| "sessions".to_owned(), of_user))?;
                let list = value.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
                let shown = list.iter().map(shown).collect();
                output.table(&value, &["session", "user", "from", "opened", "ends", ""], shown);
            }
            Self::End(End { id: Some(id), .. }) => {
                let value = client.delete(&format!("sessions/{}", segment(&id)))?;
                output.result(&value, || format!("session `{id}` is ended"));
            }
            Self::End(End { user, .. }) => {
                let user = user.unwrap_or_default();
                let value = client.delete(&of_user(&user))?;
                output.result(&value, || format!("all sessions of `{user}` are ended"));
            }
        }
        Ok(())
    }
}

fn shown(session: &Value) -> Vec<String> {
    let time = |name: &str| session.get(name).and_then(Value::as_i64).map(|us| Timestamp(us).to_string());
    let this = if session.get("own") == Some(&Value::Bool(true)) { "this one" } else { "" };
    let [opened, expires] = ["opened", "expires"].map(|name| time(name).unwrap_or_default());
    vec![text(session, "id"), text(session, "user"), text(session, "source"), opened, expires, this.to_owned()]
}
