//! `lockgate access why`: the path that lets somebody in, or every link that is missing and the
//! command that would close it.

use clap::Subcommand;
use serde_json::{Value, json};

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
}

impl Access {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let Self::Why { user, name, environment, kind } = self;
        let body = json!({"user": user, "environment": environment, "kind": kind, "name": name});
        let value = Client::from_context()?.post("access/why", &body)?;
        output.result(&value, || explain(&value, &user, &format!("{environment}/{name}")));
        if value.get("allowed") == Some(&Value::Bool(true)) { Ok(()) } else { Err(Exit::Told) }
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
