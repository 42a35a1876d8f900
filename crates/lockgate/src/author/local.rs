//! `lockgate run --local FILE < input`: a flow without a server, its output on standard output. A call takes
//! its mock or fails; waits take their time.

use std::{future, io::IsTerminal, path::PathBuf, sync::Arc};

use clap::Args;
use lockgate_compiler::project::{Exchanges, flow_module};
use lockgate_connector_api::Registry;
use lockgate_document::Document;
use lockgate_engine::{Waits, Watch};
use lockgate_model::Diagnostics;

use crate::{
    author::{
        mocked, sources,
        trace::Trace,
        workbench::{Workbench, now, unreadable_in},
    },
    exit::Exit,
    output::Output,
};

/// Arguments of `run --local`.
#[derive(Args)]
pub struct Local {
    /// Run the flow in this file here, without a server; mappings, tables and types are taken from beside it.
    #[arg(long, value_name = "FILE")]
    local: Option<PathBuf>,
    /// What endpoints answer, as the `mocks` of a test case; a call without a mock fails.
    #[arg(long, value_name = "FILE", requires = "local")]
    mocks: Option<PathBuf>,
    /// Show each task as it is entered, with what goes in and out; on a terminal alone.
    #[arg(long, requires = "local")]
    trace: bool,
}

/// Nobody looks on.
struct Nobody;
impl Watch for Nobody {}

impl Local {
    /// What is for a run without a server is not there: a server has accounts, and shows no values.
    pub fn is_not_asked_for(&self) -> Result<(), Exit> {
        if self.mocks.is_some() || self.trace {
            return Err(Exit::Usage("`--mocks` and `--trace` are for `run --local FILE`".to_owned()));
        }
        Ok(())
    }

    /// Runs the command.
    pub fn run(
        self,
        connectors: &Registry,
        input: impl FnOnce() -> Result<Vec<u8>, Exit>,
        output: &Output,
    ) -> Result<(), Exit> {
        let Some(file) = &self.local else {
            return Err(Exit::Usage("name an orchestration and `--env`, or a file with `--local`".to_owned()));
        };
        if self.trace && !std::io::stderr().is_terminal() {
            let message = "`--trace` shows values, which must not end up in a file: standard error is no terminal";
            return Err(Exit::Usage(message.to_owned()));
        }
        let shown = file.display();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.ends_with(".flow.yaml") {
            return Err(Exit::Usage(format!("`{shown}` is no flow: its name ends in `.flow.yaml`")));
        }
        if let Err(e) = file.metadata() {
            return Err(Exit::Usage(format!("cannot read `{shown}`: {e}")));
        }
        let (sources, unreadable) = sources::beside(file)?;
        let compiled = flow_module(&sources, &name, &lockgate_runtime::catalog(connectors));
        let found = compiled.as_ref().err().cloned().unwrap_or_default();
        let all = Diagnostics(unreadable.0.into_iter().chain(found.0).collect());
        let compiled =
            all.into_result(()).and(compiled).map_err(|all| Exit::problems(all, |file| sources.0.get(file)))?;
        let exchanges = self.mocks.as_deref().map_or(Ok(Exchanges::new()), mocked::file)?;

        let bench = Workbench::new()?;
        let mocks = mocked::mocks(&exchanges, Waits::Real, &bench)?;
        let bytes = input()?;
        let input = match bytes.trim_ascii() {
            [] => Document::undefined(),
            _ => bench.parse(&bytes).map_err(|e| unreadable_in("input", &e, 0, &bytes))?,
        };
        let module = bench.load(&compiled)?;
        let watch: Arc<dyn Watch> = if self.trace { Arc::new(Trace::new()) } else { Arc::new(Nobody) };
        // Nothing stops it but the signals that stop this program.
        let Some(outcome) = bench.run_mocked(&module, input, mocks, now(), watch, future::pending()) else {
            return Err(Exit::Told);
        };
        let printed = |document: &Document| {
            let bytes = document.print(bench.limits.reply_bytes_max);
            bytes.map_err(|fault| Exit::failed(&fault.code(), fault.to_string()))
        };
        match outcome.result {
            Ok(document) if document.is_undefined() => Ok(()),
            Ok(document) => {
                let mut bytes = printed(&document)?;
                bytes.push(b'\n');
                output.bytes(&bytes)
            }
            Err(failure) => match &failure.document {
                Some(error) => {
                    output.error_line(&printed(error)?);
                    Err(Exit::Told)
                }
                None => Err(Exit::failed(&failure.error.code, failure.message)),
            },
        }
    }
}
