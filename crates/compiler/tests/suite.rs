//! Every expression of the language's own test suite compiles to a module that validates, twice to
//! the same bytes, or is refused: by the standard's error, or as not compiled yet.

use std::{collections::BTreeMap, fs, path::PathBuf};

use lockgate_compiler::expression_module;
use serde_json::Value;
use wasmparser::{Validator, WasmFeatures};

/// The folder of the suites; absent only where a developer has none.
fn suite() -> Option<PathBuf> {
    let folder = std::env::var_os("LOCKGATE_SUITES").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/suites"),
        PathBuf::from,
    );
    let given = folder.join("jsonata/given");
    if given.is_dir() {
        return Some(given);
    }
    assert!(std::env::var_os("CI").is_none(), "no suite at {}", given.display());
    println!("skipped: no suite at {}; set LOCKGATE_SUITES", given.display());
    None
}

/// Every expression with the file it stands in.
fn expressions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let Some(given) = suite() else { return found };
    let mut groups: Vec<_> = fs::read_dir(given).unwrap().map(|e| e.unwrap().path()).collect();
    groups.sort();
    for group in groups {
        for entry in fs::read_dir(&group).unwrap() {
            let file = entry.unwrap().path();
            if file.extension().is_none_or(|e| e != "json") {
                continue;
            }
            // Half a surrogate pair is no text here; the suite has it inside strings only.
            let text = fs::read_to_string(&file).unwrap().replace("\\uD800", "\\uFFFD");
            let list = match serde_json::from_str(&text).unwrap() {
                Value::Array(list) => list,
                one => vec![one],
            };
            for case in list {
                let text = match case.get("expr-file").and_then(Value::as_str) {
                    Some(name) => fs::read_to_string(group.join(name)).unwrap(),
                    None => case["expr"].as_str().unwrap().to_owned(),
                };
                found.push((file.display().to_string(), text));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_expression_compiles_or_is_refused() {
    let features = WasmFeatures::MUTABLE_GLOBAL | WasmFeatures::FLOATS;
    let mut refused: BTreeMap<String, u32> = BTreeMap::new();
    let mut wrong = Vec::new();
    let all = expressions();
    for (file, text) in &all {
        for bindings in [false, true] {
            match expression_module(text, bindings) {
                Ok(module) => {
                    if let Err(error) = Validator::new_with_features(features).validate_all(&module.wasm) {
                        wrong.push(format!("{file}: {text}: {error}"));
                    }
                    assert_eq!(Ok(module), expression_module(text, bindings), "{text}");
                }
                Err(problems) => {
                    let code = &problems.0[0].code;
                    *refused.entry(code.clone()).or_default() += 1;
                    if !code.starts_with('S') && !code.starts_with("LG-EXPR-") {
                        wrong.push(format!("{file}: {text}: {problems}"));
                    }
                }
            }
        }
    }
    println!("{} expressions, refused (counted twice): {refused:?}", all.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
