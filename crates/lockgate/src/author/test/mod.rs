//! `lockgate test [FOLDER|FILE…]`: the cases of projects, each flow run as its module, with mocks in place of
//! endpoints and time that passes at once.

mod case;
mod compare;
mod coverage;
mod junit;
mod report;
mod select;
mod watch;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use clap::Args;
use lockgate_compiler::project::Case;
use lockgate_connector_api::Registry;
use lockgate_engine::Module;

use self::{coverage::Coverage, report::Report, select::Chosen, watch::Interrupt};
use crate::{
    author::{check, workbench::Workbench},
    exit::Exit,
    output::Output,
};

/// Arguments of `test`.
#[derive(Args)]
pub struct Test {
    /// Project folders, or files and folders in them: a case, `cases/<flow>`, a flow.
    #[arg(default_value = ".", value_name = "FOLDER|FILE")]
    paths: Vec<PathBuf>,
    /// Run the cases whose `<flow>/<case>` or title contains this.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// List the tasks that no case enters, and the rules of mappings that give nothing.
    #[arg(long)]
    coverage: bool,
    /// Write the report of JUnit's form to this file, in a project below `target/`.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Run again whenever a file of the projects changes, until Ctrl-C.
    #[arg(long)]
    watch: bool,
}

/// What one pass over the cases gave.
enum Pass {
    Done(Report),
    Interrupted,
}

impl Test {
    /// Runs the command.
    pub fn run(self, connectors: &Registry, output: &Output) -> Result<(), Exit> {
        let chosen = Chosen::of(&self.paths)?;
        if let Some(path) = &self.junit {
            chosen.is_no_file_of_a_project(path)?;
        }
        let bench = Workbench::new()?;
        if !self.watch {
            return match self.pass(&chosen, connectors, &bench, None)? {
                Pass::Done(report) => self.tell(&report, output),
                Pass::Interrupted => Err(Exit::Told),
            };
        }
        let interrupt = Interrupt::listen(&bench)?;
        loop {
            let seen = watch::state(&chosen);
            match self.pass(&chosen, connectors, &bench, Some(&interrupt)) {
                Ok(Pass::Interrupted) => return Ok(()),
                Ok(Pass::Done(report)) => match self.tell(&report, output) {
                    Ok(()) | Err(Exit::Told) => {}
                    Err(exit) => return Err(exit),
                },
                // What is wrong with the sources is mended while this waits.
                Err(exit) => output.failure(&exit),
            }
            output.note("waiting for changes; Ctrl-C ends");
            if output.part(b"")?.is_break() || !interrupt.wait_for_change(&bench, &chosen, &seen) {
                return Ok(());
            }
        }
    }

    /// Runs all cases that were asked for.
    fn pass(
        &self,
        chosen: &Chosen,
        connectors: &Registry,
        bench: &Workbench,
        interrupt: Option<&Interrupt>,
    ) -> Result<Pass, Exit> {
        let catalog = lockgate_runtime::catalog(connectors);
        let mut report = Report::default();
        let mut any = false;
        for (root, parts) in &chosen.0 {
            let (project, sources) = check::checked(root, connectors)?;
            let compiled = project.compile(&catalog).map_err(|all| Exit::problems(all, |file| sources.0.get(file)))?;
            any |= !project.cases().is_empty();
            let files = project.files();
            let wanted = |case: &&Case| {
                let flow = files.get(case.flow.as_str()).copied().unwrap_or_default();
                parts.has(&case.file, flow) && self.is_wanted(case)
            };
            let whole = self.filter.is_none() && parts.is_whole();
            let cases: Vec<&Case> = project.cases().iter().filter(wanted).collect();
            let mut modules: BTreeMap<&str, (Arc<Module>, Coverage)> = BTreeMap::new();
            for module in &compiled {
                if cases.iter().any(|case| case.flow == module.name) {
                    let loaded = bench.load(module)?;
                    let coverage = Coverage::new(&project, &sources, &module.name, &loaded, bench);
                    modules.insert(&module.name, (loaded, coverage));
                } else if whole && !project.cases().iter().any(|case| case.flow == module.name) {
                    report
                        .without_cases
                        .push(report::Untested { project: project.id().to_string(), flow: module.name.clone() });
                }
            }
            for case in cases {
                let Some((module, coverage)) = modules.get_mut(case.flow.as_str()) else { continue };
                let Some((verdict, outcome)) = case::run(&project, &sources, case, module, bench, interrupt)? else {
                    return Ok(Pass::Interrupted);
                };
                report.cases.push(verdict);
                if !coverage.add(case, &outcome, bench, interrupt)? {
                    return Ok(Pass::Interrupted);
                }
            }
            report.coverage.extend(modules.into_values().map(|(_, coverage)| coverage));
        }
        if report.cases.is_empty() && any {
            return Err(Exit::Usage("no case is of that name: nothing was run".to_owned()));
        }
        if let Some(path) = &self.junit {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            folder
                .map_or(Ok(()), std::fs::create_dir_all)
                .and_then(|()| std::fs::write(path, junit::xml(&report)))
                .map_err(|e| Exit::failed("LG-IO", format!("cannot write `{}`: {e}", path.display())))?;
        }
        Ok(Pass::Done(report))
    }

    fn is_wanted(&self, case: &Case) -> bool {
        let Some(text) = &self.filter else { return true };
        format!("{}/{}", case.flow, case.name).contains(text)
            || case.title.as_ref().is_some_and(|title| title.contains(text))
    }

    fn tell(&self, report: &Report, output: &Output) -> Result<(), Exit> {
        let value = serde_json::to_string(&report.summed()).map_err(|e| Exit::failed("LG-PRINT", e.to_string()))?;
        match output.is_json() {
            true => output.line(&value),
            false => output.line(report.text(self.coverage).trim_end_matches('\n')),
        }
        if report.failed() > 0 { Err(Exit::Told) } else { Ok(()) }
    }
}
