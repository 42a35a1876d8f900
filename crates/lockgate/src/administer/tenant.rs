//! `lockgate tenant show`: the tenant's own record, and the limits of its runs. The operator sets them.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{administer::edit::text, client::Client, exit::Exit, operate::limits, output::Output};

/// Verbs of `tenant`.
#[derive(Subcommand)]
pub enum Tenant {
    /// Show the tenant's record, and the limits of its runs in each environment.
    Show,
}

impl Tenant {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let Self::Show = self;
        let client = Client::from_context()?;
        let (record, held) = (client.get("record")?, client.get("limits")?);
        let value = json!({"record": record, "limits": held});
        output.result(&value, || {
            let kept = |member: &str| record.pointer(&format!("/retention/{member}")).and_then(Value::as_u64);
            let audit = kept("audit_days_max").map_or("for ever".to_owned(), |days| format!("for {days} days"));
            format!(
                "tenant `{}`: {}\nruns are kept for {} days, the newest {} at most; the audit log {audit}\n{}",
                text(&record, "id"),
                text(&record, "title"),
                kept("days_max").unwrap_or_default(),
                kept("runs_max").unwrap_or_default(),
                limits::shown(&held)
            )
        });
        Ok(())
    }
}
