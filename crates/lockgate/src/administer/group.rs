//! `lockgate group …`: groups; whatever a user may be given, a group may be given.

use clap::Subcommand;
use serde_json::json;

use crate::{
    administer::edit::{Definition, joined, rows, text},
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// Verbs of `group`.
#[derive(Subcommand)]
pub enum Group {
    /// Create a group.
    Add {
        /// The group id.
        name: String,
        /// For people.
        #[arg(long, default_value = "")]
        title: String,
        /// Give this profile to every member.
        #[arg(long = "profile")]
        profiles: Vec<String>,
    },
    /// Show all groups.
    List,
    /// Give profiles to a group.
    Grant {
        /// The group id.
        name: String,
        /// A profile.
        #[arg(long = "profile", required = true)]
        profiles: Vec<String>,
    },
    /// Take profiles from a group.
    Revoke {
        /// The group id.
        name: String,
        /// A profile.
        #[arg(long = "profile", required = true)]
        profiles: Vec<String>,
    },
    /// Delete a group.
    Rm {
        /// The group id.
        name: String,
    },
}

impl Group {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let client = Client::from_context()?;
        match self {
            Self::Add { name, title, profiles } => {
                let value = client
                    .create(&format!("groups/{}", segment(&name)), &json!({"title": title, "profiles": profiles}))?;
                output.result(&value, || format!("group `{name}` was created"));
            }
            Self::List => {
                let value = client.list("groups")?;
                let shown = rows(&value)
                    .into_iter()
                    .map(|(id, b)| vec![id, text(&b, "title"), joined(&b, "profiles")])
                    .collect();
                output.table(&value, &["group", "title", "profiles"], shown);
            }
            Self::Grant { name, profiles } => {
                let value = Definition::change(&client, "groups", &name, |group| group.add("profiles", &profiles))?;
                output.result(&value, || format!("group `{name}` was given {}", profiles.join(", ")));
            }
            Self::Revoke { name, profiles } => {
                let value = Definition::change(&client, "groups", &name, |group| group.remove("profiles", &profiles))?;
                output.result(&value, || format!("{} was taken from group `{name}`", profiles.join(", ")));
            }
            Self::Rm { name } => {
                let value = client.delete(&format!("groups/{}", segment(&name)))?;
                output.result(&value, || format!("group `{name}` is gone"));
            }
        }
        Ok(())
    }
}
