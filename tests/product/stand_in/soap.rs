//! A SOAP service that answers as mocks say, by the description that the flows name.

use std::collections::BTreeSet;

use lockgate_document::{Document, Limits};
use lockgate_soap::{Operation, Request, Wsdl};
use lockgate_testkit::workspace_root;
use serde_json::{Value, json};

/// The operation of an action.
fn operation(action: &str) -> Operation {
    let folder = workspace_root().join("tests/flows/documents");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let wsdl = Wsdl::read("shop.wsdl", read("shop.wsdl").unwrap(), read).unwrap();
    let name = action.trim_matches('"').strip_prefix("urn:shop/").unwrap();
    wsdl.operation("ShopPort", name).unwrap()
}

fn value(document: &Document) -> Value {
    if document.root().is_undefined() {
        return Value::Null;
    }
    serde_json::from_slice(&document.print(1 << 20).unwrap()).unwrap()
}

/// What came, as the input of the call that sent it.
pub fn asked(came: &Value) -> Value {
    let operation = operation(came["headers"]["soapaction"].as_str().unwrap());
    let asked = operation.asked(came["body"].as_str().unwrap().as_bytes(), &[], &Limits::default()).unwrap();
    json!({"operation": operation.name, "input": value(&asked.body), "headers": value(&asked.headers)})
}

/// The message of an answer.
pub fn answered(came: &Value, answer: &Value) -> String {
    let (operation, limits) = (operation(came["headers"]["soapaction"].as_str().unwrap()), Limits::default());
    let body = Document::parse(answer["output"].to_string().as_bytes(), &limits).unwrap();
    let none = Document::undefined();
    let response =
        Request { body: body.root(), headers: none.root(), blocks: &[], body_id: None, attachments: &BTreeSet::new() };
    String::from_utf8(operation.response(&response, &limits).unwrap()).unwrap()
}
