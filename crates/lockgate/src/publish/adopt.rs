//! `lockgate adopt` and `lockgate undeploy`: the publish right of what is active, and its end.

use clap::Args;
use serde_json::json;

use crate::{
    client::{Client, segment},
    exit::Exit,
    output::Output,
};

/// A project in an environment.
#[derive(Args)]
pub struct Active {
    /// The project.
    project: String,
    /// The environment.
    environment: String,
}

impl Active {
    fn path(&self) -> String {
        format!("environments/{}/deployments/{}", segment(&self.environment), segment(&self.project))
    }

    /// Lets the publish right stand on the person who is signed in.
    pub fn adopt(self, output: &Output) -> Result<(), Exit> {
        let value = Client::from_context()?.post(&format!("{}/adopt", self.path()), &json!({}))?;
        output.result(&value, || {
            format!("the publish right of `{}` in `{}` stands on you", self.project, self.environment)
        });
        Ok(())
    }

    /// Ends what is active; runs in flight go on.
    pub fn undeploy(self, output: &Output) -> Result<(), Exit> {
        let value = Client::from_context()?.delete(&self.path())?;
        output.result(&value, || format!("nothing of `{}` is active in `{}` any more", self.project, self.environment));
        Ok(())
    }
}
