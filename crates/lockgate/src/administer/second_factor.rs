//! `lockgate second-factor …`: one's own codes of an authenticator.

use clap::{Args, Subcommand};
use lockgate_model::Timestamp;
use serde_json::{Value, json};

use crate::{
    administer::edit::text,
    client::{Client, segment},
    exit::Exit,
    output::Output,
    typed::Typed,
};

/// Verbs of `second-factor`.
#[derive(Subcommand)]
pub enum SecondFactor {
    /// Show whether logins ask for a code, and how many recovery codes are left.
    Status,
    /// Get a secret for an authenticator; logins ask for nothing before its first code.
    Enrol(Typing),
    /// Turn it on by its first code; shows ten recovery codes, once.
    Confirm(Typing),
    /// Take it away, for a code of it or a recovery code.
    Remove(Typing),
    /// Show one's passkeys. They are added in the console, by a browser.
    Passkeys,
    /// Name a passkey otherwise.
    RenamePasskey {
        /// Its id, as `passkeys` shows it.
        id: String,
        /// What it is called.
        title: String,
    },
    /// Take a passkey away, for a code of an authenticator or a recovery code.
    RemovePasskey {
        /// Its id, as `passkeys` shows it.
        id: String,
        #[command(flatten)]
        typing: Typing,
    },
}

/// How secrets come in.
#[derive(Args)]
pub struct Typing {
    /// Read the password or code from standard input.
    #[arg(long)]
    stdin: bool,
}

impl Typing {
    fn ask(&self, prompt: &str) -> Result<String, Exit> {
        Typed::new(self.stdin)?.hidden(prompt)
    }
}

impl SecondFactor {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let client = Client::from_context()?;
        match self {
            Self::Status => {
                let value = client.get("second-factor")?;
                let left = value.get("recovery_codes_left").and_then(Value::as_u64).unwrap_or_default();
                output.result(&value, || match value.get("on") == Some(&Value::Bool(true)) {
                    true => format!("logins ask for a second factor; {left} recovery code(s) are left"),
                    false => "logins ask for no second factor".to_owned(),
                });
            }
            Self::Enrol(typing) => {
                let password = typing.ask("password: ")?;
                let value = client.post("second-factor", &json!({"password": password}))?;
                output.result(&value, || {
                    format!(
                        "secret for the authenticator, shown once:\n  {}\n  {}\nnext: lockgate second-factor confirm",
                        text(&value, "secret"),
                        text(&value, "address")
                    )
                });
            }
            Self::Confirm(typing) => {
                let code = typing.ask("first code: ")?;
                let value = client.post("second-factor/confirm", &json!({"code": code}))?;
                output.result(&value, || {
                    let codes = value.get("recovery_codes").and_then(Value::as_array).cloned().unwrap_or_default();
                    let codes: Vec<String> =
                        codes.iter().filter_map(Value::as_str).map(|code| format!("  {code}")).collect();
                    format!(
                        "logins ask for a code from now on\nrecovery codes, each good once, shown once:\n{}",
                        codes.join("\n")
                    )
                });
            }
            Self::Remove(typing) => {
                let code = typing.ask("code: ")?;
                let value = client.post("second-factor/remove", &json!({"code": code}))?;
                output.result(&value, || "logins ask for no code any more".to_owned());
            }
            Self::Passkeys => {
                let value = client.get("passkeys")?;
                let list = value.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
                let row = |passkey: &Value| {
                    let added = passkey.get("added").and_then(Value::as_i64).map(|us| Timestamp(us).to_string());
                    vec![text(passkey, "id"), text(passkey, "title"), added.unwrap_or_default()]
                };
                output.table(&value, &["passkey", "name", "added"], list.iter().map(row).collect());
            }
            Self::RenamePasskey { id, title } => {
                let value = client.put(&format!("passkeys/{}", segment(&id)), &json!({"title": title}))?;
                output.result(&value, || format!("passkey `{id}` is called `{title}`"));
            }
            Self::RemovePasskey { id, typing } => {
                let code = typing.ask("code: ")?;
                let value = client.post(&format!("passkeys/{}/remove", segment(&id)), &json!({"code": code}))?;
                output.result(&value, || format!("passkey `{id}` lets nobody in any more"));
            }
        }
        Ok(())
    }
}
