//! `lockgate connector list|doc`: what the connectors' declarations say.

use clap::Subcommand;
use lockgate_connector_api::Registry;
use serde_json::json;

use crate::{exit::Exit, output::Output};

/// Verbs of `connector`.
#[derive(Subcommand)]
pub enum Connector {
    /// Show all connectors with their operations.
    List,
    /// Show a connector's page.
    Doc {
        /// The connector.
        name: String,
    },
}

impl Connector {
    /// Runs the command.
    pub fn run(self, registry: &Registry, output: &Output) -> Result<(), Exit> {
        match self {
            Self::List => {
                let all: Vec<_> = registry.specs().map(|spec| spec.to_json()).collect();
                let rows = registry
                    .specs()
                    .map(|spec| {
                        let operations: Vec<&str> = spec.operations.iter().map(|o| o.name).collect();
                        vec![spec.name.to_owned(), operations.join(" "), spec.help.to_owned()]
                    })
                    .collect();
                output.table(&json!(all), &["connector", "operations", "what it is"], rows);
                Ok(())
            }
            Self::Doc { name } => {
                let connector = registry.get(&name).ok_or_else(|| {
                    let known: Vec<&str> = registry.specs().map(|s| s.name).collect();
                    Exit::Usage(format!("there is no connector `{name}`; there are: {}", known.join(", ")))
                })?;
                output.result(&connector.spec().to_json(), || connector.spec().page());
                Ok(())
            }
        }
    }
}
