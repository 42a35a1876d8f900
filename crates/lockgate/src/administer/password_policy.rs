//! `lockgate password-policy [PRESET]`: what the tenant asks of passwords.

use clap::Args;
use serde_json::json;

use crate::{administer::edit::text, client::Client, exit::Exit, output::Output};

/// Arguments of `password-policy`.
#[derive(Args)]
pub struct PasswordPolicy {
    /// `classic` (12 characters, three of four classes) or `nist-800-63b-4` (15 characters, no classes);
    /// without one, shows what is in force.
    preset: Option<String>,
}

impl PasswordPolicy {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let client = Client::from_context()?;
        if let Some(preset) = &self.preset {
            client.put("password-policy", &json!({"preset": preset}))?;
        }
        let value = client.get("password-policy")?;
        output.result(&value, || format!("passwords: {}", text(&value, "preset")));
        Ok(())
    }
}
