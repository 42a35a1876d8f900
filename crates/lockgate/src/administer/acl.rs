//! `lockgate acl …`: lists of profiles, and which list an orchestration uses in an environment.

use clap::Subcommand;
use serde_json::json;

use crate::{
    administer::edit::{Definition, joined, rows, text},
    client::{Client, segment},
    exit::Exit,
    output::Output,
    publish::deploy,
};

/// Verbs of `acl`.
#[derive(Subcommand)]
pub enum Acl {
    /// Create a list, or put profiles on one.
    Add {
        /// The ACL id.
        name: String,
        /// A profile that goes on the list.
        #[arg(long = "profile")]
        profiles: Vec<String>,
        /// For people.
        #[arg(long)]
        title: Option<String>,
    },
    /// Show all lists.
    List,
    /// Take profiles off a list.
    Remove {
        /// The ACL id.
        name: String,
        /// A profile.
        #[arg(long = "profile", required = true)]
        profiles: Vec<String>,
    },
    /// Say which list an orchestration or API uses in an environment.
    Assign {
        /// The ACL id.
        acl: String,
        /// The orchestration or API.
        #[arg(long = "to")]
        target: String,
        /// The environment.
        #[arg(long = "env")]
        environment: String,
        /// Kind of the target.
        #[arg(long, default_value = "integrations", value_parser = ["integrations", "rest-apis", "soap-apis"])]
        kind: String,
    },
    /// Delete a list; one that is in use stays.
    Rm {
        /// The ACL id.
        name: String,
    },
}

impl Acl {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let client = Client::from_context()?;
        match self {
            Self::Add { name, profiles, title } => {
                let changed = Definition::change(&client, "acls", &name, |acl| {
                    acl.add("profiles", &profiles);
                    if let Some(title) = &title {
                        acl.body.insert("title".into(), json!(title));
                    }
                });
                let value = match changed {
                    Err(Exit::Denied { code, .. }) if code == "LG-NOT-FOUND" => {
                        let title = title.unwrap_or_else(|| name.clone());
                        let body = json!({"title": title, "profiles": profiles});
                        client.create(&format!("acls/{}", segment(&name)), &body)?
                    }
                    changed => changed?,
                };
                output.result(&value, || format!("ACL `{name}` lists {}", profiles.join(", ")));
            }
            Self::List => {
                let value = client.list("acls")?;
                let shown = rows(&value)
                    .into_iter()
                    .map(|(id, b)| vec![id, text(&b, "title"), joined(&b, "profiles")])
                    .collect();
                output.table(&value, &["acl", "title", "profiles"], shown);
            }
            Self::Remove { name, profiles } => {
                let value = Definition::change(&client, "acls", &name, |acl| acl.remove("profiles", &profiles))?;
                output.result(&value, || format!("{} is off ACL `{name}`", profiles.join(", ")));
            }
            Self::Assign { acl, target, environment, kind } => {
                let path = format!("environments/{}/acls/{kind}/{}", segment(&environment), segment(&target));
                let value = client.put(&path, &json!({"acl": acl}))?;
                let there = deploy::active(&client, &environment, |_| true);
                if kind == "integrations" && there.is_some_and(|there| !there.contains(&target)) {
                    output.note(&format!("note: nothing named `{target}` is active in `{environment}` yet"));
                }
                output.result(&value, || format!("`{target}` uses ACL `{acl}` in `{environment}`"));
            }
            Self::Rm { name } => {
                let value = client.delete(&format!("acls/{}", segment(&name)))?;
                output.result(&value, || format!("ACL `{name}` is gone"));
            }
        }
        Ok(())
    }
}
