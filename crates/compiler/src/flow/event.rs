//! `emit`: an event by CloudEvents 1.0.2 (chapter "context attributes"), which is the task's output.
//!
//! Deliberately absent: sending it. A call of a connector's operation behind the task does that, with the
//! account's gates.

use lockgate_mapping::yaml::Node;

use super::formula::{Place, present, template};
use super::http;
use super::tree::Template;
use crate::reader::{Reader, find};

/// Attributes that the standard names; others are extensions.
const ATTRIBUTES: &[&str] =
    &["specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema", "data"];
/// Characters of an extension's name (CloudEvents 1.0.2, "naming conventions").
const NAME_MAX: usize = 20;

/// What an event is held to when it is made (CloudEvents 1.0.2, "context attributes"; the time is by RFC 3339).
pub(super) const SCHEMA: &str = r#"{
  "type": "object",
  "required": ["id", "source", "type"],
  "properties": {
    "specversion": { "const": "1.0" },
    "id": { "type": "string", "minLength": 1 },
    "source": { "type": "string", "pattern": "^[^\\s<>\"{}|\\\\^`]+$" },
    "type": { "type": "string", "minLength": 1 },
    "time": { "type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$" },
    "subject": { "type": "string", "minLength": 1 },
    "datacontenttype": { "type": "string", "minLength": 1 },
    "dataschema": { "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9+.-]*:[^\\s]+$" },
    "data": {}
  },
  "additionalProperties": { "type": ["string", "number", "boolean"] }
}"#;

/// Reads `emit` of the flow with this name: the event.
pub(super) fn event(reader: &mut Reader<'_>, node: &Node, flow: &str) -> Option<Template> {
    let entries = reader.object_of(node, "`emit`", &["event"])?;
    let event = reader.required(entries, "event", "`emit`", node.span)?;
    let entries = reader.object_of(event, "`emit.event`", &["with"])?;
    let with = reader.required(entries, "with", "`emit.event`", event.span)?;
    let given = reader.object(with, "`emit.event.with`")?;
    reader.required(given, "type", "`emit.event.with`", with.span);
    for (key, value) in given {
        let name = key.text.as_str();
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if name == "specversion" {
            let help = "leave it out: events are by CloudEvents 1.0";
            reader.problem_help("LG-FLOW-VALUE", key.span, "`specversion` is not the flow's to say", help);
        } else if !(ATTRIBUTES.contains(&name) || plain && (1..=NAME_MAX).contains(&name.len())) {
            let help = "1 to 20 of `a-z 0-9`; what else the event says stands under `data`";
            let message = format!("`{name}` is no name of an event's attribute");
            reader.problem_help("LG-FLOW-NAME", key.span, message, help);
        } else if ATTRIBUTES.contains(&name) && name != "data" {
            reader.string(value, &format!("`{name}` of an event"));
        } else if name != "data" && (value.entries().is_some() || value.items().is_some() || value.is_null()) {
            reader.shape(value, &format!("`{name}` of an event"), "a text, a number or a boolean");
        }
    }
    let own = |name: &str| find(given, name).is_none();
    let source = serde_json::Value::from(format!("/flows/{flow}")).to_string();
    let mut fields = vec![("specversion".to_owned(), Template::Constant("\"1.0\"".to_owned()))];
    fields.extend(own("id").then_some(("id".to_owned(), Template::Unique)));
    fields.extend(own("source").then_some(("source".to_owned(), Template::Constant(source))));
    fields.extend(own("time").then_some(("time".to_owned(), Template::Now)));
    for (key, value) in given {
        let made = match (key.text.as_str(), value.as_text()) {
            ("source", Some(text)) if !text.contains("${") && text.contains(['{', '}']) => {
                match http::expanded_text(text, value.span) {
                    Ok(expanded) => expanded,
                    Err((message, help)) => {
                        reader.problem_help("LG-FLOW-VALUE", value.span, message, help);
                        Template::Broken
                    }
                }
            }
            ("data", _) => template(reader, value, Place::Task),
            // An expression in jq gives null where JSON has the attribute absent (CloudEvents JSON format 1.0.2, 2.2).
            _ => present(template(reader, value, Place::Task), value.span),
        };
        fields.push((key.text.clone(), made));
    }
    Some(Template::Object(fields))
}
