//! The validation of values against the JSON Schema Test Suite, as PyPI's `jsonschema` carries it in
//! its sources: every case of drafts 2020-12 and 7 whose schema is read. What is not read is listed
//! here by name, with why.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use lockgate_document::{Document, schema::Schema};
use lockgate_model::Limits;
use serde_json::Value;

/// Where `./test` puts it.
fn suite() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| lockgate_testkit::workspace_root().join("target"), PathBuf::from);
    let found = Some(target.join("suites/json-schema")).filter(|path| path.is_dir());
    if found.is_none() {
        lockgate_testkit::skip("json_schema", "the JSON Schema Test Suite is not there; `./test` installs it");
    }
    found
}

/// Files of the suite in which schemas are refused, and the codes of that: other documents, parts with
/// an `$id` of their own, what depends on what was evaluated before, and other languages.
const REFUSED: [(&str, &str); 20] = [
    ("draft2020-12/anchor", "LG-TYPE-LATER"),
    ("draft2020-12/anchor", "LG-TYPE-REMOTE"),
    ("draft2020-12/defs", "LG-TYPE-REMOTE"),
    ("draft2020-12/dynamicRef", "LG-TYPE-LATER"),
    ("draft2020-12/dynamicRef", "LG-TYPE-REMOTE"),
    ("draft2020-12/not", "LG-TYPE-LATER"),
    ("draft2020-12/ref", "LG-TYPE-LATER"),
    ("draft2020-12/ref", "LG-TYPE-REMOTE"),
    ("draft2020-12/refRemote", "LG-TYPE-LATER"),
    ("draft2020-12/refRemote", "LG-TYPE-REMOTE"),
    ("draft2020-12/unevaluatedItems", "LG-TYPE-LATER"),
    ("draft2020-12/unevaluatedItems", "LG-TYPE-REMOTE"),
    ("draft2020-12/unevaluatedProperties", "LG-TYPE-LATER"),
    ("draft2020-12/unevaluatedProperties", "LG-TYPE-REMOTE"),
    ("draft2020-12/vocabulary", "LG-TYPE-DIALECT"),
    ("draft7/definitions", "LG-TYPE-REMOTE"),
    ("draft7/ref", "LG-TYPE-LATER"),
    ("draft7/ref", "LG-TYPE-REMOTE"),
    ("draft7/refRemote", "LG-TYPE-LATER"),
    ("draft7/refRemote", "LG-TYPE-REMOTE"),
];

fn document(value: &Value) -> Document {
    Document::parse(value.to_string().as_bytes(), &Limits::default()).unwrap_or_else(|e| panic!("{e}: {value}"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "json"));
    files.sort();
    files
}

#[test]
fn values_are_held_to_schemas_as_the_suite_says() {
    let Some(suite) = suite() else { return };
    let (mut cases, mut wrong) = (0, Vec::new());
    let mut refused = BTreeSet::new();
    for draft in ["draft2020-12", "draft7"] {
        for file in files(&suite.join(draft)) {
            let name = format!("{draft}/{}", file.file_stem().unwrap().to_string_lossy());
            // As the text is written: numbers keep their digits.
            let groups: Vec<Value> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            for group in groups {
                let mut schema = group["schema"].clone();
                if draft == "draft7" && schema.is_object() {
                    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
                }
                let tests = group["tests"].as_array().unwrap();
                let about = group["description"].as_str().unwrap();
                let read = match Schema::from_json(document(&schema).root()) {
                    Ok(read) => read,
                    Err(problems) => {
                        refused.insert((name.clone(), problems[0].code));
                        continue;
                    }
                };
                for test in tests {
                    cases += 1;
                    let found = read.validate(document(&test["data"]).root(), &Limits::default());
                    if found.is_empty() != test["valid"].as_bool().unwrap() {
                        wrong.push(format!("{name}: {about}: {}: {found:?}", test["description"]));
                    }
                }
            }
        }
    }
    println!("{cases} cases");
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases > 1_500, "only {cases} cases");
    let expected: BTreeSet<(String, &str)> = REFUSED.iter().map(|(file, code)| ((*file).to_owned(), *code)).collect();
    assert_eq!(refused, expected);
}
