//! `lockgate access why`: the path that lets somebody in, or every link that is missing and the
//! command that would close it. `access matrix`: who may do what where. `access what-if`: who would gain
//! and lose what.

mod rights;

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use self::rights::Format;
use crate::{administer::edit::text, client::Client, exit::Exit, output::Output};

/// Verbs of `access`.
#[derive(Subcommand)]
pub enum Access {
    /// Why may a user execute something, or why not.
    Why {
        /// The user.
        user: String,
        /// The orchestration or API.
        name: String,
        /// The environment.
        #[arg(long = "env")]
        environment: String,
        /// Kind of the target.
        #[arg(long, default_value = "integrations", value_parser = ["integrations", "rest-apis", "soap-apis"])]
        kind: String,
    },
    /// Who may do what where, each right with the path that gives it. What is not there is a no.
    Matrix {
        /// Of this user alone.
        #[arg(long)]
        user: Option<String>,
        /// In this environment alone.
        #[arg(long = "env")]
        environment: Option<String>,
        /// How it is written.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Who would gain and who would lose what, if definitions were as a file says. Nothing is changed.
    WhatIf {
        /// YAML or JSON file, or a folder of them, as `apply` takes it; `-` reads standard input.
        #[arg(short = 'f', long = "file")]
        file: PathBuf,
    },
}

impl Access {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        match self {
            Self::Why { user, name, environment, kind } => {
                let body = json!({"user": user, "environment": environment, "kind": kind, "name": name});
                let value = Client::from_context()?.post("access/why", &body)?;
                output.result(&value, || explain(&value, &user, &format!("{environment}/{name}")));
                if value.get("allowed") == Some(&Value::Bool(true)) { Ok(()) } else { Err(Exit::Told) }
            }
            Self::Matrix { user, environment, format } => rights::matrix(output, user, environment, format),
            Self::WhatIf { file } => rights::what_if(output, &file),
        }
    }
}

fn list<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    value.get(member).and_then(Value::as_array).into_iter().flatten()
}

fn explain(value: &Value, user: &str, target: &str) -> String {
    let allowed = value.get("allowed") == Some(&Value::Bool(true));
    let verdict = if allowed { "may execute" } else { "may NOT execute" };
    let mut shown = format!("`{user}` {verdict} `{target}`\n  rule {}\n", text(value, "rule"));
    for path in list(value, "paths") {
        let via = match path.get("via") {
            Some(Value::Object(group)) => format!("group `{}`", text(&Value::Object(group.clone()), "group")),
            _ => "given to the user".to_owned(),
        };
        shown.push_str(&format!(
            "  profile `{}` ({via}) → ACL `{}` → published by `{}`\n",
            text(path, "profile"),
            text(path, "acl"),
            text(path, "publisher")
        ));
    }
    for missing in list(value, "missing") {
        shown.push_str(&format!("  missing: {}\n", text(missing, "link")));
        for (n, remedy) in list(missing, "remedies").enumerate() {
            let steps = remedy.as_array().into_iter().flatten();
            for (i, step) in steps.enumerate() {
                let lead = match (n, i) {
                    (0, 0) => "    close it:",
                    (_, 0) => "    or:      ",
                    _ => "    and:     ",
                };
                let who: Vec<&str> = list(step, "who").filter_map(Value::as_str).collect();
                let by = if who.is_empty() { String::new() } else { format!("   ({} may)", who.join(", ")) };
                shown.push_str(&format!("{lead} {}{by}\n", text(step, "command")));
            }
        }
    }
    shown
}
