//! Error objects of the standard: `{type, status, title, detail, instance}` (RFC 9457 with a JSON
//! pointer as instance), the standard's error types, raising and filtering.

use lockgate_mapping::yaml::{Key, Node, write_json_text};

use super::formula::{Place, present, template};
use super::reuse::own_or_reused;
use super::tree::{FieldFilter, Template};
use crate::reader::{Reader, list, nearest};

/// Where the standard's error types lived and live. The same name means the same error under all.
const HOMES: &[&str] = &[
    "https://open-workflow-specification.org/spec/1.0.0/errors/",
    ERROR_HOME,
    "https://serverlessworkflow.io/spec/1.0.0/errors/",
    "https://serverlessworkflow.io/dsl/errors/types/",
];

/// Where the types are that runs tell.
pub const ERROR_HOME: &str = "https://open-workflow-specification.org/dsl/errors/types/";

/// The standard's error types.
pub const ERROR_TYPES: &[&str] = &[
    "configuration",
    "validation",
    "expression",
    "authentication",
    "authorization",
    "timeout",
    "communication",
    "runtime",
];

const FIELDS: &[&str] = &["type", "status", "title", "detail", "instance"];

/// What a raised error is held to, where parts of it are computed.
pub(super) const SCHEMA: &str = r#"{
  "type": "object",
  "properties": {
    "type": { "type": "string", "pattern": "^[^\\s]+$" },
    "title": { "type": "string" },
    "detail": { "type": "string" },
    "instance": { "type": "string" }
  },
  "required": ["type"]
}"#;

/// All names of the standard's error type that this URI names; none when it is another type.
pub fn error_type_names(uri: &str) -> Vec<String> {
    let Some(name) = HOMES.iter().find_map(|home| uri.strip_prefix(home)) else { return Vec::new() };
    if !ERROR_TYPES.contains(&name) {
        return Vec::new();
    }
    HOMES.iter().map(|home| format!("{home}{name}")).collect()
}

/// Reads `raise.error`: an object, or the name of one under `use.errors`.
pub(super) fn raised(reader: &mut Reader<'_>, node: &Node, reusable: &[(Key, Node)]) -> Template {
    let read = |reader: &mut Reader<'_>, node: &Node| Some(error(reader, node));
    own_or_reused(reader, node, (reusable, "error", "use.errors"), read).unwrap_or(Template::Broken)
}

/// Reads one error object with expressions in it.
pub(super) fn error(reader: &mut Reader<'_>, node: &Node) -> Template {
    let Some(entries) = reader.object_of(node, "an error", FIELDS) else { return Template::Broken };
    reader.required(entries, "type", "an error", node.span);
    if let Some(status) = reader.required(entries, "status", "an error", node.span)
        && !status.as_lexeme().and_then(|lexeme| lexeme.parse::<u16>().ok()).is_some_and(|s| (400..600).contains(&s))
    {
        reader.problem("LG-FLOW-VALUE", status.span, "the status of an error must be a number from 400 to 599");
    }
    for (key, value) in entries {
        if FIELDS.contains(&key.text.as_str()) && key.text != "status" {
            reader.string(value, &format!("`{}` of an error", key.text));
        }
    }
    match template(reader, node, Place::Task) {
        // An expression in jq gives null where the standard has the field absent.
        Template::Object(fields) => {
            let made = |(name, value): (String, Template)| match name.as_str() {
                "title" | "detail" | "instance" => (name, present(value, node.span)),
                _ => (name, value),
            };
            Template::Object(fields.into_iter().map(made).collect())
        }
        other => other,
    }
}

/// Reads `catch.errors.with`.
pub(super) fn filter(reader: &mut Reader<'_>, node: &Node) -> Vec<FieldFilter> {
    let mut filters = Vec::new();
    let Some(entries) = reader.object_of(node, "an error filter", FIELDS) else { return filters };
    if entries.is_empty() {
        reader.problem_help(
            "LG-FLOW-VALUE",
            node.span,
            "the error filter is empty",
            "leave `errors` out to catch all errors",
        );
    }
    for (key, value) in entries {
        let Some(field) = FIELDS.iter().copied().find(|field| *field == key.text) else { continue };
        if field == "status" {
            if reader.whole(value, "`status` of an error filter").is_some() {
                filters.push(FieldFilter { field, any_of: vec![value.to_json()] });
            }
            continue;
        }
        let Some(text) = reader.string(value, &format!("`{field}` of an error filter")) else { continue };
        if text.contains("${") {
            reader.problem_help(
                "LG-FLOW-EXPRESSION",
                value.span,
                "an error filter compares with constants",
                "use `catch.when` for a computed condition",
            );
            continue;
        }
        if field == "type" {
            check_type(reader, value, text);
        }
        let aliases = if field == "type" { error_type_names(text) } else { Vec::new() };
        let any_of = if aliases.is_empty() { vec![text.to_owned()] } else { aliases };
        filters.push(FieldFilter { field, any_of: any_of.iter().map(|text| json_text(text)).collect() });
    }
    filters
}

/// A type that begins like the standard's and is none of them would never match.
fn check_type(reader: &mut Reader<'_>, node: &Node, uri: &str) {
    let Some(name) = HOMES.iter().find_map(|home| uri.strip_prefix(home)) else { return };
    if ERROR_TYPES.contains(&name) {
        return;
    }
    let help = match nearest(name, ERROR_TYPES.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the standard's types: {}", list(ERROR_TYPES.iter().copied())),
    };
    reader.problem_help("LG-FLOW-VALUE", node.span, format!("the standard has no error type `{name}`"), help);
}

fn json_text(text: &str) -> String {
    let mut out = String::new();
    write_json_text(text, &mut out);
    out
}
