//! Any text is a description of an API and a schema, or is refused; a flow that calls it compiles to a valid module.

use std::collections::BTreeMap;

use lockgate_compiler::{Catalog, Project, Sources, project::OperationInfo};

const FLOW: &str = "\
document: { dsl: '1.0.3', namespace: t, name: f, version: '1.0.0' }
evaluate: { language: jsonata }
do:
  - call:
      call: openapi
      with: { document: { endpoint: documents/d.yaml }, operationId: x, parameters: { a: '${ a }', b: [1], body: { c: 1 } } }
";

const SCHEMA: &str = "\
document: { dsl: '1.0.3', namespace: t, name: s, version: '1.0.0' }
evaluate: { language: jsonata }
input: { schema: { resource: { endpoint: 'documents/d.yaml#/x' } } }
output: { schema: { document: { $ref: documents/d.yaml } } }
do: [a: { set: { b: 1 } }]
";

/// One text.
///
/// # Panics
/// When a module is not valid.
pub fn target(data: &[u8]) {
    let Some(text) = super::text_of(data) else { return };
    let catalog = catalog();
    for (name, flow) in [("f", FLOW), ("s", SCHEMA)] {
        let files = [("project.yaml", "project: p\n"), ("documents/d.yaml", text)];
        let mut files = BTreeMap::from(files.map(|(path, text)| (path.to_owned(), text.to_owned())));
        files.insert(format!("{name}.flow.yaml"), flow.to_owned());
        match Project::checked(&Sources(files), &catalog).and_then(|project| project.compile(&catalog)) {
            Ok(modules) => modules.iter().for_each(|module| super::validate(&module.wasm, text)),
            Err(problems) => assert!(!problems.0.is_empty(), "refused without a problem: {text}"),
        }
    }
}

/// The methods of https, as far as a description can name them.
fn catalog() -> Catalog {
    let info = OperationInfo {
        version: "1".to_owned(),
        idempotent: false,
        takes: None,
        gives: None,
        constant: Vec::new(),
        input: true.into(),
    };
    let methods = ["get", "put", "post", "delete", "options", "head", "patch"];
    let https = methods.map(|method| (method.to_owned(), info.clone())).into();
    Catalog { connectors: BTreeMap::from([("https".to_owned(), https)]) }
}
