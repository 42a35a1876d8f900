//! Every expression of the language's own test suite compiles to a module that validates, twice to
//! the same bytes, or is refused: by the standard's error, or as not compiled yet.

use std::collections::BTreeMap;

use lockgate_compiler::expression_module;
use lockgate_testkit::jsonata;
use wasmparser::{Validator, WasmFeatures};

#[test]
fn every_expression_compiles_or_is_refused() {
    let features = WasmFeatures::MUTABLE_GLOBAL | WasmFeatures::FLOATS;
    let mut refused: BTreeMap<String, u32> = BTreeMap::new();
    let mut wrong = Vec::new();
    let all = jsonata::cases();
    for jsonata::Case { expression: text, .. } in &all {
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
}
