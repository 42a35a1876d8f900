//! docs/admin-api.md lists every route, as the OpenAPI document has them (`UPDATE=1` rewrites it).

use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf};

use lockgate_admin::openapi;
use serde_json::Value;

use crate::house::House;

const BEGIN: &str = "<!-- routes: written by `UPDATE=1 cargo test -p lockgate-admin` -->\n";
const END: &str = "<!-- end of routes -->\n";

fn document() -> Value {
    serde_json::to_value(openapi()).unwrap()
}

/// A table for each tag, in the order of the document's tags.
fn tables(document: &Value) -> String {
    let mut page = String::new();
    for tag in document["tags"].as_array().unwrap() {
        let _ = write!(page, "\n### {}\n{}\n\n", tag["name"].as_str().unwrap(), tag["description"].as_str().unwrap());
        page.push_str("| route | what it does | answers |\n|---|---|---|\n");
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                if operation["tags"][0] != tag["name"] {
                    continue;
                }
                let short = path.replace("/admin/v1/tenants/{tenant}", "…").replace("/admin/v1", "");
                let mut answers: Vec<_> = operation["responses"].as_object().unwrap().keys().cloned().collect();
                answers.sort();
                let summary = operation["summary"].as_str().unwrap_or_else(|| panic!("{method} {path} says nothing"));
                let _ = writeln!(page, "| `{} {short}` | {summary} | {} |", method.to_uppercase(), answers.join(" "));
            }
        }
    }
    page
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch of the test, not configuration of the product")]
fn the_page_lists_every_route() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/admin-api.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has its marks");
    let (_, after) = rest.split_once(END).expect("the page has its marks");
    let fresh = format!("{before}{BEGIN}{}\n{END}{after}", tables(&document()));
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page == fresh, "docs/admin-api.md is stale: UPDATE=1 cargo test -p lockgate-admin");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_is_served_and_says_how_to_prove_oneself() {
    let house = House::open().await;
    let told = house.send("GET", "/admin/v1/openapi.json", None, None).await;
    assert_eq!((told.status, told.json()), (200, document()));
    let schemes = &told.json()["components"]["securitySchemes"];
    assert_eq!((&schemes["basic"]["scheme"], &schemes["bearer"]["scheme"]), (&"basic".into(), &"bearer".into()));
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, document: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    let pointer = target.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
                }
                members.values().for_each(|v| walk(v, document));
            }
            Value::Array(items) => items.iter().for_each(|v| walk(v, document)),
            _ => {}
        }
    }
    let document = document();
    walk(&document, &document);
}

#[test]
fn every_refusal_is_a_problem() {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let bodies: Vec<_> = response["content"].as_object().into_iter().flat_map(|all| all.keys()).collect();
                let refused = status.starts_with(['4', '5']);
                let problem = bodies == ["application/problem+json"];
                assert_eq!(refused, problem, "{method} {path} {status}: {bodies:?}");
            }
        }
    }
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = document();
    let mut seen = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(seen.insert(id.to_owned()), "`{id}` twice: clients are generated from these");
        }
    }
}
