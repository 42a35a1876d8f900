//! `lockgate test [FOLDER|FILE…]`: the cases of projects, each flow run as its module, with mocks in place of
//! endpoints and time that passes at once.

mod case;
mod compare;
mod coverage;
mod junit;
mod report;
mod select;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use clap::Args;
use lockgate_compiler::{Compiled, Project, Sources, project::Case};
use lockgate_connector_api::Registry;
use lockgate_engine::{Module, Watch};

use self::{
    coverage::{Coverage, Marks},
    report::Report,
    select::Chosen,
    watch::Interrupt,
};
use crate::{
    author::{
        check,
        workbench::{Modules, Workbench},
    },
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

/// Flows that others run: their modules as they are deployed, and with marks for the coverage of rules where they have
/// any.
struct Below {
    plain: Arc<Modules>,
    marked: Arc<Modules>,
}

impl Below {
    fn of(project: &Project, compiled: &[Compiled]) -> Self {
        let run = |module: &&Compiled| {
            compiled.iter().any(|by| by.manifest.runs.iter().any(|run| run.name.as_str() == module.name))
        };
        let run: Vec<&Compiled> = compiled.iter().filter(run).collect();
        let plain: Modules = run.iter().map(|module| (module.name.clone(), module.wasm.clone())).collect();
        let marks = |module: &&Compiled| project.marked(&module.name).map(|(marked, _)| (marked.name, marked.wasm));
        let mut marked = plain.clone();
        marked.extend(run.iter().filter_map(marks));
        Self { plain: Arc::new(plain), marked: Arc::new(marked) }
    }
}

/// A flow that cases run, and what they have run of it so far.
fn covered(
    project: &Project,
    sources: &Sources,
    module: &Compiled,
    bench: &Workbench,
) -> Result<(Arc<Module>, Coverage), Exit> {
    let loaded = bench.load(module)?;
    let coverage = Coverage::new(project, sources, &module.name, &loaded, bench);
    Ok((loaded, coverage))
}

/// Counts the rules that give something in a case, in a run of their own; false when it was interrupted. `entered` are the flows
/// that the case runs.
fn mark(
    modules: &mut BTreeMap<&str, (Arc<Module>, Coverage)>,
    entered: &BTreeMap<String, BTreeSet<String>>,
    case: &Case,
    below: &Below,
    bench: &Workbench,
    interrupt: Option<&Interrupt>,
) -> Result<bool, Exit> {
    let open = entered.keys().any(|flow| modules.get(flow.as_str()).is_some_and(|(_, of)| of.marked().is_some()));
    let Some((plain, coverage)) = modules.get(case.flow.as_str()).filter(|_| open) else { return Ok(true) };
    let module = coverage.marked().unwrap_or(plain);
    let marks = Arc::new(Marks::default());
    let watch: Arc<dyn Watch> = Arc::clone(&marks) as _;
    let Some((_, ran)) = case::start(case, (module, &below.marked), bench, watch, interrupt)? else {
        return Ok(false);
    };
    // Without a module that marks, its numbers are others.
    if let Some((_, coverage)) = modules.get_mut(case.flow.as_str()).filter(|(_, of)| of.marked().is_some()) {
        coverage.gave(&marks.slots());
    }
    for (flow, slots) in ran.ints {
        if let Some((_, coverage)) = modules.get_mut(flow.as_str()) {
            coverage.gave(&slots);
        }
    }
    Ok(true)
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

    /// Runs all cases that were asked for, and writes the report for build servers, whatever came of it.
    fn pass(
        &self,
        chosen: &Chosen,
        connectors: &Registry,
        bench: &Workbench,
        interrupt: Option<&Interrupt>,
    ) -> Result<Pass, Exit> {
        let passed = self.cases(chosen, connectors, bench, interrupt);
        let xml = match &passed {
            Ok(Pass::Done(report)) => junit::xml(report),
            Ok(Pass::Interrupted) | Err(Exit::Usage(_)) => return passed,
            Err(exit) => junit::broken(&exit.text()),
        };
        if let Some(path) = &self.junit {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            folder
                .map_or(Ok(()), std::fs::create_dir_all)
                .and_then(|()| std::fs::write(path, xml))
                .map_err(|e| Exit::failed("LG-IO", format!("cannot write `{}`: {e}", path.display())))?;
        }
        passed
    }

    fn cases(
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
            let below = Below::of(&project, &compiled);
            let mut modules: BTreeMap<&str, (Arc<Module>, Coverage)> = BTreeMap::new();
            for module in &compiled {
                if cases.iter().any(|case| case.flow == module.name) {
                    modules.insert(&module.name, covered(&project, &sources, module, bench)?);
                } else if whole && !project.cases().iter().any(|case| case.flow == module.name) {
                    report
                        .without_cases
                        .push(report::Untested { project: project.id().to_string(), flow: module.name.clone() });
                }
            }
            for case in cases {
                let Some((module, _)) = modules.get(case.flow.as_str()) else { continue };
                let tried = (&Arc::clone(module), &below.plain);
                let Some((verdict, outcome, ran)) = case::run(&project, &sources, case, tried, bench, interrupt)?
                else {
                    return Ok(Pass::Interrupted);
                };
                report.cases.push(verdict);
                for module in compiled.iter().filter(|module| ran.tasks.contains_key(&module.name)) {
                    if !modules.contains_key(module.name.as_str()) {
                        modules.insert(&module.name, covered(&project, &sources, module, bench)?);
                    }
                }
                let mut entered = ran.tasks;
                let own = outcome.tasks.into_iter().map(|time| time.task);
                entered.entry(case.flow.clone()).or_default().extend(own);
                for (flow, tasks) in &entered {
                    if let Some((_, coverage)) = modules.get_mut(flow.as_str()) {
                        coverage.entered(tasks.iter().map(String::as_str));
                    }
                }
                if !mark(&mut modules, &entered, case, &below, bench, interrupt)? {
                    return Ok(Pass::Interrupted);
                }
            }
            report.coverage.extend(modules.into_values().map(|(_, coverage)| coverage));
        }
        if report.cases.is_empty() && any {
            return Err(Exit::Usage("no case is of that name: nothing was run".to_owned()));
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
