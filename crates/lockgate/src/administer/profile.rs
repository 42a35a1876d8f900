//! `lockgate profile …`: access profiles: permissions, and the environments they are valid in.

use clap::Subcommand;
use lockgate_model::Permission;
use serde_json::{Value, json};

use crate::{
    administer::edit::{Definition, joined, rows, text},
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// Verbs of `profile`.
#[derive(Subcommand)]
pub enum Profile {
    /// Create a profile.
    Add {
        /// The profile id.
        name: String,
        /// For people.
        #[arg(long)]
        title: Option<String>,
        /// A permission (`lockgate profile permissions`).
        #[arg(long = "permission", required = true)]
        permissions: Vec<Permission>,
        /// Valid in this environment; at least one, or --everywhere.
        #[arg(long = "env", required_unless_present = "everywhere")]
        environments: Vec<String>,
        /// Valid in all environments, present and future.
        #[arg(long, conflicts_with = "environments")]
        everywhere: bool,
    },
    /// Show all profiles.
    List,
    /// Show all permissions there are.
    Permissions,
    /// Add permissions to a profile, or environments it is valid in.
    Extend {
        /// The profile id.
        name: String,
        /// A permission.
        #[arg(long = "permission")]
        permissions: Vec<Permission>,
        /// An environment.
        #[arg(long = "env")]
        environments: Vec<String>,
    },
    /// Take permissions or environments from a profile.
    Reduce {
        /// The profile id.
        name: String,
        /// A permission.
        #[arg(long = "permission")]
        permissions: Vec<Permission>,
        /// An environment.
        #[arg(long = "env")]
        environments: Vec<String>,
    },
    /// Delete a profile.
    Rm {
        /// The profile id.
        name: String,
    },
}

fn names(permissions: &[Permission]) -> Vec<String> {
    permissions.iter().map(ToString::to_string).collect()
}

/// The environments of a profile as a list of their own, to be changed; `None` when it is valid everywhere.
fn environments(body: &serde_json::Map<String, Value>) -> Option<Vec<String>> {
    let list = body.get("valid_in")?.get("environments")?.as_array()?;
    Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

impl Profile {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        if let Self::Permissions = self {
            let all: Vec<&str> = Permission::ALL.iter().map(|p| p.as_str()).collect();
            output.result(&json!(all), || all.join("\n"));
            return Ok(());
        }
        let client = Client::from_context()?;
        match self {
            Self::Permissions => {}
            Self::Add { name, title, permissions, environments, everywhere } => {
                let valid_in = if everywhere { json!("all") } else { json!({"environments": environments}) };
                let body = json!({"title": title.unwrap_or_else(|| name.clone()), "permissions": permissions, "valid_in": valid_in});
                let value = client.create(&format!("profiles/{}", segment(&name)), &body)?;
                output.result(&value, || {
                    format!("profile `{name}` was created\nnext: lockgate user grant USER --profile {name}")
                });
            }
            Self::List => {
                let value = client.list("profiles")?;
                let shown = rows(&value)
                    .into_iter()
                    .map(|(id, b)| {
                        let places = b
                            .get("valid_in")
                            .filter(|v| v.is_object())
                            .map_or("everywhere".to_owned(), |v| joined(v, "environments"));
                        let permissions = joined(&b, "permissions");
                        let count = permissions.split(' ').filter(|p| !p.is_empty()).count();
                        let short = if count > 6 { format!("{count} permissions") } else { permissions };
                        vec![id, text(&b, "title"), places, short]
                    })
                    .collect();
                output.table(&value, &["profile", "title", "valid in", "permissions"], shown);
            }
            Self::Extend { name, permissions, environments: more } => {
                let value = Definition::change(&client, "profiles", &name, |profile| {
                    profile.add("permissions", &names(&permissions));
                    if let Some(mut list) = environments(&profile.body) {
                        list.extend(more.clone());
                        list.sort();
                        list.dedup();
                        profile.body.insert("valid_in".into(), json!({"environments": list}));
                    }
                })?;
                output.result(&value, || format!("profile `{name}` was extended"));
            }
            Self::Reduce { name, permissions, environments: less } => {
                let value = Definition::change(&client, "profiles", &name, |profile| {
                    profile.remove("permissions", &names(&permissions));
                    if let Some(mut list) = environments(&profile.body) {
                        list.retain(|e| !less.contains(e));
                        profile.body.insert("valid_in".into(), json!({"environments": list}));
                    }
                })?;
                output.result(&value, || format!("profile `{name}` was reduced"));
            }
            Self::Rm { name } => {
                let value = client.delete(&format!("profiles/{}", segment(&name)))?;
                output.result(&value, || format!("profile `{name}` is gone"));
            }
        }
        Ok(())
    }
}
