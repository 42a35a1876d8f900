//! `lockgate password-policy [PRESET]`: what the tenant asks of passwords.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::{
    administer::edit::{changed, text},
    client::Client,
    exit::Exit,
    output::Output,
};

/// Arguments of `password-policy`.
#[derive(Args)]
pub struct PasswordPolicy {
    /// `classic` (12 characters, three of four classes) or `nist-800-63b-4` (15 characters, no classes);
    /// without one, shows what is in force.
    preset: Option<String>,
    /// Whether a user with a password has to have a second factor: until then its sessions are good for enrolling one.
    #[arg(long, value_enum)]
    second_factor: Option<Asked>,
}

/// Whether something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Asked {
    /// Of everybody.
    Required,
    /// Of nobody.
    Optional,
}

impl PasswordPolicy {
    /// Runs the command.
    pub fn run(self, output: &Output) -> Result<(), Exit> {
        let client = Client::from_context()?;
        let asks = |value: &Value| value.get("second_factor") == Some(&Value::Bool(true));
        let mut value = client.get("password-policy")?;
        if self.preset.is_some() || self.second_factor.is_some() {
            // What is not asked for stays as it is, also where somebody else is changing it.
            changed("password-policy", &client, |old| {
                let preset = self.preset.clone().unwrap_or_else(|| text(old, "preset"));
                let second_factor = self.second_factor.map_or(asks(old), |asked| asked == Asked::Required);
                json!({"preset": preset, "second_factor": second_factor})
            })?;
            value = client.get("password-policy")?;
        }
        output.result(&value, || {
            let asked = if asks(&value) { "required" } else { "optional" };
            format!("passwords: {}; second factor: {asked}", text(&value, "preset"))
        });
        Ok(())
    }
}
