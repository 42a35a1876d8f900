//! Any text is a mapping file or is refused; what is accepted compiles to valid modules: for the whole, for
//! its records, and with its explanation.

use std::collections::BTreeMap;

use lockgate_compiler::Passes;
use lockgate_model::diagnostic::Diagnostics;

/// One text.
///
/// # Panics
/// When a module is not valid.
pub fn target(data: &[u8]) {
    let Some(text) = super::text_of(data) else { return };
    let rows = serde_json::json!({ "de": { "name": "Germany" } });
    let tables = BTreeMap::from([("countries".to_owned(), rows)]);
    let types = Default::default();
    let whole = lockgate_compiler::map_module("m.map.yaml", text, &tables, &types);
    match &whole {
        Ok(compiled) => super::validate(&compiled.wasm, text),
        Err(problems) => assert!(!problems.0.is_empty(), "refused without a problem: {text}"),
    }
    // What is accepted at once is accepted record by record, and with its explanation unless that makes it
    // too large.
    match lockgate_compiler::map_record_module("m.map.yaml", text, &tables, &types) {
        Ok(Passes::Records(records)) => super::validate(&records.module.wasm, text),
        Ok(Passes::Whole(_)) => {}
        Err(problems) => assert!(whole.is_err() || too_large(&problems), "records alone are refused: {problems}"),
    }
    match lockgate_compiler::explain_module("m.map.yaml", text, &tables, &types) {
        Ok((explained, _)) => super::validate(&explained.wasm, text),
        Err(problems) => assert!(whole.is_err() || too_large(&problems), "explaining alone is refused: {problems}"),
    }
}

fn too_large(problems: &Diagnostics) -> bool {
    problems.0.iter().all(|problem| problem.code == "LG-EXPR-SIZE")
}
