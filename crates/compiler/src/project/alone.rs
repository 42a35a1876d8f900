//! One flow with what lies beside it, as it is tried without a project.

use std::collections::BTreeSet;

use super::{FlowFile, PROJECT_FILE, Parts, check_catalog, check_together, read_files};
use crate::flow::tree::Work;
use crate::flow::{self, Surroundings};
use crate::module::Compiled;
use crate::{Catalog, Sources};

use lockgate_model::{Diagnostic, Diagnostics, Span, id::TargetName};

/// The names of the flows that flows among these sources run.
pub fn flows_run(sources: &Sources) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (FlowFile { flow, .. }, _) in &read_files(sources).0.flows {
        flow.each_task(&mut |task| {
            if let Work::Run(run) = &task.work {
                names.insert(run.name.clone());
            }
        });
    }
    names
}

/// The module of the flow in `file`, with the mappings, tables and types of these sources. Without a
/// project.yaml among them, any account may be named.
pub fn flow_module(sources: &Sources, file: &str, catalog: &Catalog) -> Result<Compiled, Diagnostics> {
    Ok(flow_modules(sources, file, catalog)?.0)
}

/// The same, and the modules of the flows among these sources that it runs, and that these run.
pub fn flow_modules(
    sources: &Sources,
    file: &str,
    catalog: &Catalog,
) -> Result<(Compiled, Vec<Compiled>), Diagnostics> {
    let (mut parts, mut problems) = read_files(sources);
    parts.file.unread |= !sources.0.contains_key(PROJECT_FILE);
    check_together(sources, &mut problems, &parts);
    let Parts { file: declared, flows, maps, tables, .. } = &parts;
    let declarations = declared.accounts.values().chain(&declared.misnamed);
    problems.0.extend(check_catalog(sources, declarations, flows.iter().map(|(flow, _)| flow), catalog).0);
    problems.into_result(())?;
    let Some((flow, _)) = flows.iter().find(|(flow, _)| flow.file == file) else {
        let problem = Diagnostic::new("LG-PROJECT-FILE", Span::default(), "there is no such flow");
        return Err(Diagnostics(vec![problem.file(file)]));
    };
    let emit = |flow: &FlowFile| flow::emit(&flow.flow, &Surroundings { file: &flow.file, maps, tables });
    let first = emit(flow)?;
    let mut wanted: Vec<TargetName> = first.manifest.runs.iter().map(|run| run.name.clone()).collect();
    let mut below: Vec<Compiled> = Vec::new();
    while let Some(name) = wanted.pop() {
        // One of another project is not there.
        let Some((flow, _)) = flows.iter().find(|(flow, _)| flow.flow.name == name.as_str()) else { continue };
        if below.iter().all(|known| known.name != flow.flow.name) {
            let module = emit(flow)?;
            wanted.extend(module.manifest.runs.iter().map(|run| run.name.clone()));
            below.push(module);
        }
    }
    Ok((first, below))
}
