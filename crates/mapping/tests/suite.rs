//! The parser against the language's own test suite: every expression parses, or fails with the
//! code that the suite expects.

use std::{fs, path::PathBuf};

use lockgate_mapping::Expression;
use serde_json::Value;

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
    assert!(
        std::env::var_os("CI").is_none(),
        "no suite at {}",
        given.display()
    );
    println!(
        "skipped: no suite at {}; set LOCKGATE_SUITES",
        given.display()
    );
    None
}

/// Every case with its name.
fn cases() -> Vec<(String, Value)> {
    let mut cases = Vec::new();
    let Some(given) = suite() else { return cases };
    let mut groups: Vec<_> = fs::read_dir(given).unwrap().map(|e| e.unwrap().path()).collect();
    groups.sort();
    for group in groups {
        let mut files: Vec<_> = fs::read_dir(&group).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "json")) {
            // Half a surrogate pair is no text here; the suite has it inside strings only.
            let text = fs::read_to_string(file).unwrap().replace("\\uD800", "\\uFFFD");
            let spec: Value = serde_json::from_str(&text).unwrap();
            let list = match spec {
                Value::Array(list) => list,
                one => vec![one],
            };
            for (i, mut case) in list.into_iter().enumerate() {
                if let Some(name) = case.get("expr-file").and_then(Value::as_str) {
                    case["expr"] = fs::read_to_string(group.join(name)).unwrap().into();
                }
                cases.push((format!("{}#{i}", file.display()), case));
            }
        }
    }
    cases
}

#[test]
fn every_expression_parses_or_fails_as_the_suite_says() {
    let mut wrong = Vec::new();
    for (name, case) in cases() {
        let text = case["expr"].as_str().unwrap();
        let code = case.get("code").or_else(|| case["error"].get("code"));
        let wanted = code.and_then(Value::as_str).filter(|c| c.starts_with('S'));
        let got = Expression::parse(text).err().map(|problems| problems.0[0].clone());
        if got.as_ref().map(|p| p.code.as_str()) != wanted {
            wrong.push(format!("{name}: {text}: want {wanted:?}, got {got:?}"));
        }
        if let (Some(problem), Some(token)) = (&got, case.get("token").or_else(|| case["error"].get("token")))
            && problem.token.as_deref() != token.as_str()
        {
            wrong.push(format!("{name}: {text}: want token {token}, got {problem:?}"));
        }
        if let (Some(problem), Some(position)) = (&got, case["error"].get("position").or(case.get("position")))
            && position.as_u64() != Some(problem.span.end.into())
        {
            wrong.push(format!("{name}: {text}: want position {position}, got {problem:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
