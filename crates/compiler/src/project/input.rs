//! What a call is given, against the JSON Schema of what the operation takes.
//!
//! Only what is written out is checked, and only by `type`, `enum`, `properties`,
//! `additionalProperties`, `items` and `required`: enough to find a misspelt key and a value of the
//! wrong kind. What is computed, and every other rule, is the connector's to refuse when it runs. A
//! null where a member may be left out is that member left out.

use lockgate_mapping::yaml::{Key, Kind, Node};
use lockgate_model::manifest::StreamContent;
use serde_json::Value;

use super::sources::OperationInfo;
use crate::flow::tree::Operation;
use crate::reader::{Reader, find, list, nearest};

/// Checks what is written under `with`.
pub(super) fn check(reader: &mut Reader<'_>, operation: &Operation, known: &OperationInfo) {
    let Some(entries) = operation.given.as_ref().and_then(Node::entries) else { return };
    let name = format!("`{}.{}`", operation.connector, operation.operation);
    let streamed = operation.takes.as_ref().map(|takes| takes.member.as_str());
    // Members of the call itself; a stream is no value of the schema.
    let own = |key: &str| {
        matches!(key, "account" | "stream")
            || key == "parse" && operation.parse.is_some()
            || streamed.is_some_and(|member| key == member || key == "format")
    };
    let schema = &known.input;
    for key in required(schema).filter(|key| find(entries, key).is_none()) {
        let at = operation.given.as_ref().map_or(operation.span, |given| given.span);
        reader.problem("LG-MISSING-KEY", at, format!("{name} needs `{key}`"));
    }
    for (key, node) in entries.iter().filter(|(key, _)| !own(&key.text)) {
        match member(schema, &key.text) {
            Some(rule) => value(reader, node, rule, &format!("`{}` of {name}", key.text), is_required(schema, key)),
            None if key.text == "format" && known.takes.is_some() => {
                let stream = known.takes.as_deref().unwrap_or_default();
                let help = format!("`format` says how a stream is written: `{stream}: ${{ $stream }}`");
                reader.problem_help("LG-UNKNOWN-KEY", key.span, format!("{name} takes no `format` here"), help);
            }
            None => {
                let mut all = vec!["account"];
                all.extend(properties(schema));
                all.extend(known.gives.map(|_| "stream"));
                all.extend(known.gives.filter(|gives| *gives == StreamContent::Bytes).map(|_| "parse"));
                reader.unknown_key(key, &name, &all);
            }
        }
    }
}

/// Checks a value; `what` names it.
pub(crate) fn value(reader: &mut Reader<'_>, node: &Node, schema: &Value, what: &str, required: bool) {
    if node.as_text().is_some_and(|text| text.contains("${")) || (node.is_null() && !required) {
        return;
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array) {
        let written: Value = serde_json::from_str(&node.to_json()).unwrap_or_default();
        if !allowed.contains(&written) {
            let names = || allowed.iter().filter_map(Value::as_str);
            let message = format!("{what} is one of {}", list(names()));
            match node.as_text().and_then(|text| nearest(text, names())) {
                Some(near) => {
                    reader.problem_help("LG-FLOW-VALUE", node.span, message, format!("did you mean `{near}`?"));
                }
                None => reader.problem("LG-FLOW-VALUE", node.span, message),
            }
        }
        return;
    }
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is(node, kind)) {
        let wanted = kinds.iter().map(|kind| noun(kind)).collect::<Vec<_>>().join(" or ");
        let message = format!("{what} must be {wanted}, this is {}", node.noun());
        match node.scalar() {
            Some(scalar) if kinds.contains(&"string") && !node.is_null() => {
                reader.problem_help("LG-WRONG-TYPE", node.span, message, format!("quote it: '{}'", scalar.text));
            }
            _ => reader.problem("LG-WRONG-TYPE", node.span, message),
        }
        return;
    }
    if let Some(items) = schema.get("items") {
        for item in node.items().unwrap_or_default() {
            value(reader, item, items, &format!("an item of {what}"), true);
        }
    }
    let Some(entries) = node.entries() else { return };
    for key in self::required(schema).filter(|key| find(entries, key).is_none()) {
        reader.problem("LG-MISSING-KEY", node.span, format!("{what} needs `{key}`"));
    }
    for (key, node) in entries {
        match member(schema, &key.text) {
            Some(rule) => value(reader, node, rule, &format!("`{}` of {what}", key.text), is_required(schema, key)),
            None => reader.unknown_key(key, what, &properties(schema).collect::<Vec<_>>()),
        }
    }
}

/// The rule of a member: none when there is no such member.
fn member<'s>(schema: &'s Value, key: &str) -> Option<&'s Value> {
    const ANY: &Value = &Value::Bool(true);
    if let Some(rule) = schema.get("properties").and_then(|properties| properties.get(key)) {
        return Some(rule);
    }
    match schema.get("additionalProperties") {
        Some(Value::Bool(false)) => None,
        Some(rule) => Some(rule),
        None => Some(ANY),
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("properties").and_then(Value::as_object).into_iter().flat_map(|all| all.keys().map(String::as_str))
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn is_required(schema: &Value, key: &Key) -> bool {
    required(schema).any(|required| required == key.text)
}

/// Is a value of this type of JSON Schema?
fn is(node: &Node, kind: &str) -> bool {
    let scalar = node.scalar().map(|scalar| scalar.kind);
    match kind {
        "object" => node.entries().is_some(),
        "array" => node.items().is_some(),
        "string" => scalar == Some(Kind::Text),
        "number" => scalar == Some(Kind::Number),
        "integer" => {
            let number = node.as_lexeme().and_then(|lexeme| lexeme.parse::<f64>().ok());
            number.is_some_and(|number| number.fract() == 0.0)
        }
        "boolean" => matches!(scalar, Some(Kind::Boolean(_))),
        "null" => scalar == Some(Kind::Null),
        _ => true,
    }
}

fn noun(kind: &str) -> &str {
    match kind {
        "object" => "an object",
        "array" => "an array",
        "string" => "a string",
        "number" => "a number",
        "integer" => "a whole number",
        "boolean" => "a boolean",
        other => other,
    }
}
