//! Orchestrations that flows run, against those of the project.
//!
//! One of the project is named with the version it has there; `latest` is that version, so that the bundle fixes it.
//! One of another project is named with its version: what it is then is found where both are deployed.

use std::collections::BTreeMap;

use lockgate_model::Diagnostic;

use super::FlowFile;
use crate::Sources;
use crate::flow::tree::{Run, each_run};
use crate::reader::{Reader, list, nearest};

/// Finds the versions that are not written out; reports what does not fit.
pub(super) fn resolve(sources: &Sources, flows: &mut [(FlowFile, bool)]) -> Vec<Diagnostic> {
    let known: BTreeMap<String, (String, String)> = flows
        .iter()
        .map(|(FlowFile { flow, .. }, _)| (flow.name.clone(), (flow.namespace.clone(), flow.version.clone())))
        .collect();
    let mut problems = Vec::new();
    for (FlowFile { file, flow }, sound) in flows {
        let mut reader = Reader::new(file, sources.0.get(file).map_or("", String::as_str));
        each_run(&mut flow.tasks, &mut |run| resolve_one(&mut reader, run, &known));
        *sound &= reader.problems.is_empty();
        problems.extend(reader.problems.0);
    }
    problems
}

fn resolve_one(reader: &mut Reader<'_>, run: &mut Run, known: &BTreeMap<String, (String, String)>) {
    match (known.get(&run.name), &run.version) {
        (Some((namespace, _)), _) if *namespace != run.namespace => {
            let message = format!("flow `{}` is in namespace `{namespace}`, not `{}`", run.name, run.namespace);
            reader.problem_help("LG-UNKNOWN-FLOW", run.span, message, format!("write `namespace: {namespace}`"));
        }
        (Some((_, version)), None) => run.version = Some(version.clone()),
        (Some((_, version)), Some(wanted)) if version != wanted => {
            let message = format!("there is no version {wanted} of flow `{}`", run.name);
            let help = format!("this project has version {version}; `latest` is always the one it has");
            reader.problem_help("LG-UNKNOWN-FLOW", run.version_at, message, help);
        }
        (None, None) => {
            let names = known.keys().map(String::as_str);
            let help = match nearest(&run.name, names.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("flows of this project: {}; for one of another project write its version", list(names)),
            };
            let message = format!("there is no flow `{}` in this project to take the latest of", run.name);
            reader.refuse(Diagnostic::new("LG-UNKNOWN-FLOW", run.span, message).help(help).token(&run.name));
        }
        _ => {}
    }
}
