//! `lockgate env …`: environments (stages) and their order.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    administer::edit::{rows, text},
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// Verbs of `env`.
#[derive(Subcommand)]
pub enum Env {
    /// Create an environment behind the last one of the promotion order.
    Add {
        /// The environment id.
        name: String,
        /// For people.
        #[arg(long)]
        title: Option<String>,
        /// A deploy needs a green run of the same digest in the environment before.
        #[arg(long)]
        needs_green_run: bool,
    },
    /// Show the environments in promotion order.
    List,
    /// Delete an environment.
    Rm {
        /// The environment id.
        name: String,
    },
}

fn order(body: &Value) -> u64 {
    body.get("order").and_then(Value::as_u64).unwrap_or_default()
}

impl Env {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let client = Client::from_context()?;
        match self {
            Self::Add { name, title, needs_green_run } => {
                let all = rows(&client.list("environments")?);
                if all.iter().any(|(id, _)| *id == name) {
                    return Err(Exit::failed("LG-ENVIRONMENT-EXISTS", format!("environment `{name}` exists already")));
                }
                let last = all.iter().map(|(_, body)| order(body)).max();
                let title = title.unwrap_or_else(|| name.clone());
                let order = last.map_or(0, |last| last + 1);
                let body = json!({"title": title, "order": order, "needs_green_run": needs_green_run});
                let value = client.create(&format!("environments/{}", segment(&name)), &body)?;
                output.result(&value, || format!("environment `{name}` was created"));
            }
            Self::List => {
                let value = client.list("environments")?;
                let mut all = rows(&value);
                all.sort_by_key(|(_, body)| order(body));
                let green = |b: &Value| if b.get("needs_green_run") == Some(&Value::Bool(true)) { "yes" } else { "no" };
                let shown = all
                    .into_iter()
                    .map(|(id, b)| vec![id, text(&b, "title"), order(&b).to_string(), green(&b).to_owned()])
                    .collect();
                output.table(&value, &["environment", "title", "order", "needs green run"], shown);
            }
            Self::Rm { name } => {
                let value = client.delete(&format!("environments/{}", segment(&name)))?;
                output.result(&value, || format!("environment `{name}` is gone"));
            }
        }
        Ok(())
    }
}
