//! `lockgate support …`: what the operator may look at, and until when.

use clap::{Args, Subcommand};
use lockgate_model::Timestamp;
use serde_json::{Value, json};

use crate::{
    administer::edit::text,
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// Verbs of `support`.
#[derive(Subcommand)]
pub enum Support {
    /// Let the operator look at metadata of environments for some hours: runs, log lines, schedules, and which
    /// versions are deployed. Each look is in the audit log.
    Open(Open),
    /// Show what stands.
    List,
    /// End support access before its time.
    End {
        /// Id of the grant, as `support list` shows it.
        id: String,
    },
}

/// Arguments of `open`.
#[derive(Args)]
pub struct Open {
    /// An environment; may be given more than once.
    #[arg(long = "env", required = true)]
    environments: Vec<String>,
    /// How many hours it lasts, 72 at most.
    #[arg(long, default_value_t = 4)]
    hours: i64,
    /// What for.
    #[arg(long, default_value = "")]
    title: String,
}

impl Support {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let client = Client::from_context()?;
        match self {
            Self::Open(Open { environments, hours, title }) => {
                let body = json!({"environments": environments, "hours": hours, "title": title});
                let value = client.post("support", &body)?;
                output.result(&value, || {
                    let (id, until) = (text(&value, "id"), time(&value, "until"));
                    format!(
                        "the operator may look at metadata of {} until {until}\n  end it before: lockgate support end {id}",
                        places(&value)
                    )
                });
            }
            Self::List => {
                let value = client.get("support")?;
                let list = value.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
                let row = |grant: &Value| {
                    let of = |member| text(grant, member);
                    vec![of("id"), places(grant), of("given_by"), time(grant, "until"), of("title")]
                };
                output.table(&value, &["grant", "environments", "by", "until", "for"], list.iter().map(row).collect());
            }
            Self::End { id } => {
                let value = client.delete(&format!("support/{}", segment(&id)))?;
                output.result(&value, || format!("support access by `{id}` is ended"));
            }
        }
        Ok(())
    }
}

fn places(grant: &Value) -> String {
    let named = grant.get("environments").and_then(Value::as_array).into_iter().flatten();
    named.filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn time(grant: &Value, member: &str) -> String {
    grant.get(member).and_then(Value::as_i64).map(|us| Timestamp(us).to_string()).unwrap_or_default()
}
