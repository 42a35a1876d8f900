//! The authority manifest tells all that a call touches: over every operation of every connector, each member of an
//! input either says what is touched, and then another value of it is told as something new, or says nothing of that.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_compiler::{REACH, Sources, project::flow_module};
use lockgate_connector_api::Operation;
use lockgate_model::Manifest;
use serde_json::{Value, json};

/// Members of inputs that change how something is done or what is sent, but not what is touched. A new member belongs
/// here or to what the compiler tells.
const CARRIES: &[&str] = &[
    "absolute",
    "basic",
    "body",
    "body_base64",
    "content",
    "delimiter",
    "empty",
    "entries_max",
    "exists",
    "form",
    "header",
    "headers",
    "isolation",
    "multipart",
    "next",
    "offset",
    "pages_max",
    "parameters",
    "parse",
    "pattern",
    "query",
    "raw",
    "read_only",
    "records",
    "redirect",
    "stable",
    "temporary",
    "transfer",
    "types",
];

/// The members of an input, and those that it needs.
fn members(operation: &Operation) -> (BTreeSet<String>, BTreeSet<String>) {
    let schema: Value = serde_json::from_str(operation.input).unwrap();
    let all = schema["properties"].as_object().unwrap().keys().cloned().collect();
    let needed = schema["required"].as_array().into_iter().flatten();
    (all, needed.map(|name| name.as_str().unwrap().to_owned()).collect())
}

/// One of two values of a member.
fn value(member: &str, second: bool) -> Value {
    match (member, second) {
        ("steps", _) => json!([{"sql": format!("select {second}")}]),
        ("columns", false) => json!(["id"]),
        ("columns", true) => json!(["id", "salary"]),
        ("method", false) => json!("GET"),
        ("method", true) => json!("DELETE"),
        ("parameters", _) => json!([]),
        ("next", _) => json!({"link": "next"}),
        _ => json!(format!("place-{second}")),
    }
}

fn manifest(connector: &str, operation: &str, with: &BTreeMap<String, Value>) -> Manifest {
    let catalog = lockgate_runtime::catalog(&lockgate_connector_catalog::registry());
    let mut with = with.clone();
    with.insert("account".to_owned(), json!("there"));
    let flow = json!({
        "document": {"dsl": "1.0.3", "namespace": "test", "name": "f", "version": "1.0.0"},
        "evaluate": {"language": "jsonata"},
        "do": [{"a": {"call": format!("{connector}.{operation}:1@default"), "with": with}}],
    });
    let sources = Sources([("f.flow.yaml".to_owned(), flow.to_string())].into());
    flow_module(&sources, "f.flow.yaml", &catalog).unwrap_or_else(|e| panic!("{e}\n{flow}")).manifest
}

#[test]
fn what_a_call_touches_is_told_whatever_its_operation_is() {
    let registry = lockgate_connector_catalog::registry();
    let mut moved = 0;
    // What a SOAP service does follows from its description, and tests of that hold it.
    for spec in registry.specs().filter(|spec| spec.name != "soap") {
        for operation in spec.operations {
            let (all, needed) = members(operation);
            for member in &all {
                let name = format!("`{member}` of `{}.{}`", spec.name, operation.name);
                let reaches = REACH.contains(&member.as_str());
                assert_ne!(reaches, CARRIES.contains(&member.as_str()), "{name} is not known to this test");
                if !reaches {
                    continue;
                }
                moved += 1;
                let with = |value: Option<Value>| {
                    let mut with: BTreeMap<_, _> =
                        needed.iter().map(|name| (name.clone(), self::value(name, false))).collect();
                    with.remove(member);
                    with.extend(value.map(|value| (member.clone(), value)));
                    manifest(spec.name, operation.name, &with)
                };
                let (first, second) = (with(Some(value(member, false))), with(Some(value(member, true))));
                assert_ne!(second.beyond(&[&first]), Vec::<String>::new(), "{name} is not told");
                assert_eq!(first.beyond(&[&first]), Vec::<String>::new());
                if !needed.contains(member) {
                    assert_ne!(
                        second.beyond(&[&with(None)]),
                        Vec::<String>::new(),
                        "{name} is not told where it is new"
                    );
                }
                // What is computed is told as everything of its kind, where it may be computed at all.
                if operation.constant.iter().all(|fixed| !fixed.starts_with(member.as_str())) {
                    let computed = with(Some(json!("${ where }")));
                    assert_ne!(computed.beyond(&[&first]), Vec::<String>::new(), "{name} computed is not told");
                    assert_eq!(second.beyond(&[&computed]), Vec::<String>::new(), "{name} computed is all");
                }
            }
        }
    }
    assert!(moved > 30, "{moved}");
}
