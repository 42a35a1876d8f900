//! One flow with what lies beside it, as it is tried without a project.

use super::{PROJECT_FILE, Parts, check_catalog, check_together, read_files};
use crate::flow::{self, Surroundings};
use crate::module::Compiled;
use crate::{Catalog, Sources};

use lockgate_model::{Diagnostic, Diagnostics, Span};

/// The module of the flow in `file`, with the mappings, tables and types of these sources. Without a
/// project.yaml among them, any account may be named.
pub fn flow_module(sources: &Sources, file: &str, catalog: &Catalog) -> Result<Compiled, Diagnostics> {
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
    flow::emit(&flow.flow, &Surroundings { file, maps, tables })
}
