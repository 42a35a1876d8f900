//! `lockgate runs cancel RUN --env E`: ends an open run.

use clap::Args;
use lockgate_model::RunId;
use serde_json::json;

use super::base;
use crate::{client::Client, exit::Exit, output::Output};

/// Arguments of `runs cancel`.
#[derive(Args)]
pub struct Cancel {
    /// The run.
    run: RunId,
    /// The environment.
    #[arg(long = "env")]
    environment: String,
}

impl Cancel {
    pub(super) fn run(self, output: &Output) -> Result<(), Exit> {
        let path = format!("{}/{}/cancel", base(&self.environment), self.run);
        let value = Client::from_context()?.post(&path, &json!({}))?;
        output.result(&value, || format!("run {} is cancelled", self.run));
        Ok(())
    }
}
