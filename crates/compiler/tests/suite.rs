//! Every expression of the language's own test suite compiles to a module that validates, twice to
//! the same bytes, or is refused: by the standard's error, or as not compiled yet.

use std::{collections::BTreeMap, error::Error, fs, path::PathBuf};

use lockgate_compiler::expression_module;
use serde_json::Value;
use wasmparser::{Validator, WasmFeatures};

/// The suite's groups; none only where a developer has no suites.
fn groups() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let Some(given) = lockgate_testkit::suite("jsonata/given") else { return Ok(Vec::new()) };
    let mut groups = fs::read_dir(given)?.map(|e| Ok(e?.path())).collect::<std::io::Result<Vec<_>>>()?;
    groups.sort();
    Ok(groups)
}

/// Every expression.
fn expressions() -> Result<Vec<String>, Box<dyn Error>> {
    let mut found = Vec::new();
    for group in groups()? {
        for entry in fs::read_dir(&group)? {
            let file = entry?.path();
            if file.extension().is_none_or(|e| e != "json") {
                continue;
            }
            // Half a surrogate pair is no text here; the suite has it inside strings only.
            let text = fs::read_to_string(&file)?.replace("\\uD800", "\\uFFFD");
            let list = match serde_json::from_str(&text)? {
                Value::Array(list) => list,
                one => vec![one],
            };
            for case in list {
                found.push(match case.get("expr-file").and_then(Value::as_str) {
                    Some(name) => fs::read_to_string(group.join(name))?,
                    None => case.get("expr").and_then(Value::as_str).ok_or("a case without expression")?.to_owned(),
                });
            }
        }
    }
    Ok(found)
}

#[test]
fn every_expression_compiles_or_is_refused() -> Result<(), Box<dyn Error>> {
    let features = WasmFeatures::MUTABLE_GLOBAL | WasmFeatures::FLOATS;
    let mut refused: BTreeMap<String, u32> = BTreeMap::new();
    let mut wrong = Vec::new();
    let all = expressions()?;
    for text in &all {
        match expression_module(text, true) {
            Ok(module) => {
                if let Err(error) = Validator::new_with_features(features).validate_all(&module.wasm) {
                    wrong.push(format!("{text}: {error}"));
                }
                assert_eq!(Ok(module), expression_module(text, true), "{text}");
            }
            Err(problems) => {
                for problem in problems.0 {
                    if !problem.code.starts_with('S') && !problem.code.starts_with("LG-EXPR-") {
                        wrong.push(format!("{text}: {problem}"));
                    }
                    *refused.entry(problem.code).or_default() += 1;
                }
            }
        }
    }
    println!("{} expressions, problems by code: {refused:?}", all.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
