//! `lockgate run --local FILE < input`: a flow without a server, its output on standard output. A call takes
//! its mock or fails; waits take their time; flows that it runs are those beside it.

use std::{future, io::IsTerminal, path::PathBuf, sync::Arc};

use clap::Args;
use lockgate_compiler::project::{Exchanges, flow_modules};
use lockgate_connector_api::Registry;
use lockgate_document::Document;
use lockgate_engine::{ERROR_TYPES, Outcome, Waits, Watch};
use lockgate_model::{Diagnostics, Limits};
use lockgate_runtime::WALL_MS_IN_BACKGROUND;

use crate::{
    author::{
        mocked, sources,
        trace::Trace,
        workbench::{Workbench, now, unreadable_in},
    },
    exit::Exit,
    output::Output,
};

/// How long somebody may look at the values of one run.
const STEPPING_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// Arguments of `run --local`.
#[derive(Args)]
pub struct Local {
    /// Run the flow in this file here, without a server; mappings, tables and types are taken from beside it.
    #[arg(long, value_name = "FILE")]
    local: Option<PathBuf>,
    /// What endpoints answer, as the `mocks` of a test case; a call without a mock fails.
    #[arg(long, value_name = "FILE", requires = "local")]
    mocks: Option<PathBuf>,
    /// Show each task as it is entered, with what goes in and out, and stop after each until Enter is pressed; on
    /// a terminal alone.
    #[arg(long, requires = "local")]
    trace: bool,
}

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
        let compiled = flow_modules(&sources, &name, &lockgate_runtime::catalog(connectors));
        let found = compiled.as_ref().err().cloned().unwrap_or_default();
        let all = Diagnostics(unreadable.0.into_iter().chain(found.0).collect());
        let (compiled, below) =
            all.into_result(()).and(compiled).map_err(|all| Exit::problems(all, |file| sources.0.get(file)))?;
        let exchanges = self.mocks.as_deref().map_or(Ok(Exchanges::new()), mocked::file)?;

        let bench = Workbench::new()?;
        // Before the input is read, which may come from the same terminal.
        let trace = self.trace.then(|| Arc::new(Trace::new()));
        let stepping = trace.as_ref().is_some_and(|trace| trace.steps());
        // While somebody looks at values no time passes for the flow.
        let waits = if stepping { Waits::Virtual } else { Waits::Real };
        let limits = limits(bench.limits, stepping);
        let mocks = mocked::mocks(&exchanges, waits, &bench)?;
        let bytes = input()?;
        let input = match bytes.trim_ascii() {
            [] => Document::undefined(),
            _ => bench.parse(&bytes).map_err(|e| unreadable_in("input", &e, 0, &bytes))?,
        };
        let module = bench.load(&compiled)?;
        let watch = trace.clone().map(|trace| trace as Arc<dyn Watch>);
        let stopped = async {
            match &trace {
                Some(trace) => trace.left().await,
                // Nothing stops it but the signals that stop this program.
                None => future::pending().await,
            }
        };
        let modules = Arc::new(below.into_iter().map(|module| (module.name, module.wasm)).collect());
        let ended = bench.run_mocked(&module, &modules, input, mocks, now(), limits, watch, stopped);
        let Some((outcome, siblings)) = ended else { return Err(Exit::Told) };
        // The run may have come to its end before it was stopped.
        if trace.is_some_and(|trace| trace.is_left()) {
            return Err(Exit::Told);
        }
        let told = tell(outcome, &bench, output);
        // What nobody waited for ends too; with the program it would be lost.
        bench.wait(siblings.aside());
        for (flow, code, task) in siblings.ran().failed {
            output.note(&format!("the run of `{flow}` that nobody waited for failed: {code} in `{task}`"));
        }
        told
    }
}

/// Nobody waits for it over the network, so it has the time that a run in the background has.
fn limits(limits: Limits, stepping: bool) -> Limits {
    let wall_ms_max = if stepping { STEPPING_MS_MAX } else { WALL_MS_IN_BACKGROUND };
    Limits { wall_ms_max, ..limits }
}

/// Tells how the run ended.
fn tell(outcome: Outcome, bench: &Workbench, output: &Output) -> Result<(), Exit> {
    let printed = |document: &Document| {
        let bytes = document.print(bench.limits.reply_bytes_max);
        bytes.map_err(|fault| Exit::failed(&fault.code(), fault.to_string()))
    };
    match outcome.result {
        Ok(document) if document.is_undefined() => Ok(()),
        Ok(document) => match document.print(bench.limits.reply_bytes_max) {
            Ok(mut bytes) => {
                bytes.push(b'\n');
                output.bytes(&bytes)
            }
            // Told as a server tells it.
            Err(fault) => {
                let error = serde_json::json!({
                    "type": format!("{ERROR_TYPES}runtime"),
                    "status": 500,
                    "title": "the output cannot be sent",
                    "detail": fault.to_string(),
                    "instance": "/output",
                    "code": fault.code(),
                });
                output.error_line(error.to_string().as_bytes());
                Err(Exit::Told)
            }
        },
        Err(failure) => match &failure.document {
            Some(error) => {
                output.error_line(&printed(error)?);
                Err(Exit::Told)
            }
            None => Err(Exit::failed(&failure.error.code, failure.message)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, limits};

    #[test]
    fn a_flow_here_has_an_hour_and_a_day_where_somebody_looks_at_values() {
        let given = Limits { cost_max: 7, ..Limits::default() };
        assert_eq!(limits(given, false), Limits { wall_ms_max: 60 * 60_000, ..given });
        assert_eq!(limits(given, true), Limits { wall_ms_max: 24 * 60 * 60_000, ..given });
    }
}
