//! The cases of the expression language's own suite.

use std::fs;

use serde_json::Value;

/// One case of the suite.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its file, for messages.
    pub file: String,
    /// The expression.
    pub expression: String,
    /// All that the suite says of it.
    pub said: Value,
}

/// Every case, in the order of its files; none only where a developer has no suites.
///
/// # Panics
/// When the suite is not as it should be.
pub fn cases() -> Vec<Case> {
    let Some(given) = crate::suite("jsonata/given") else { return Vec::new() };
    let mut groups: Vec<_> = fs::read_dir(given).unwrap().map(|entry| entry.unwrap().path()).collect();
    groups.sort();
    let mut cases = Vec::new();
    for group in groups {
        let mut files: Vec<_> = fs::read_dir(&group).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files.into_iter().filter(|file| file.extension().is_some_and(|e| e == "json")) {
            // Half a surrogate pair is no text here; the suite has it inside strings only.
            let text = fs::read_to_string(&file).unwrap().replace("\\uD800", "\\uFFFD");
            let list = match serde_json::from_str(&text).unwrap() {
                Value::Array(list) => list,
                one => vec![one],
            };
            for said in list {
                let expression = match said.get("expr-file").and_then(Value::as_str) {
                    Some(name) => fs::read_to_string(group.join(name)).unwrap(),
                    None => said["expr"].as_str().expect("a case has an expression").to_owned(),
                };
                cases.push(Case { file: file.display().to_string(), expression, said });
            }
        }
    }
    cases
}
