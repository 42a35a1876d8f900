//! Any text is a flow or is refused; what is accepted compiles to a valid module.

use std::collections::BTreeMap;

use lockgate_compiler::{Catalog, Project, Sources};

/// One text.
///
/// # Panics
/// When a module is not valid.
pub fn target(data: &[u8]) {
    let Some(text) = super::text_of(data) else { return };
    let files = [("project.yaml", "project: p\n"), ("f.flow.yaml", text)];
    let sources = Sources(BTreeMap::from(files.map(|(path, text)| (path.to_owned(), text.to_owned()))));
    let catalog = Catalog::default();
    match Project::checked(&sources, &catalog).and_then(|project| project.compile(&catalog)) {
        Ok(modules) => modules.iter().for_each(|module| super::validate(&module.wasm, text)),
        Err(problems) => assert!(!problems.0.is_empty(), "refused without a problem: {text}"),
    }
}
