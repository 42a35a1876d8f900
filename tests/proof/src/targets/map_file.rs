//! Any text is a mapping file or is refused; what is accepted compiles to a valid module.

use std::collections::BTreeMap;

/// One text.
///
/// # Panics
/// When a module is not valid.
pub fn target(data: &[u8]) {
    let Some(text) = super::text_of(data) else { return };
    let rows = serde_json::json!({ "de": { "name": "Germany" } });
    let tables = BTreeMap::from([("countries".to_owned(), rows)]);
    match lockgate_compiler::map_module("m.map.yaml", text, &tables, &Default::default()) {
        Ok(compiled) => super::validate(&compiled.wasm, text),
        Err(problems) => assert!(!problems.0.is_empty(), "refused without a problem: {text}"),
    }
}
