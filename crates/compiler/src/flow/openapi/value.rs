//! What becomes of a parameter's value: how it is written where it is sent, and what it is held to.
//!
//! Lists and objects are written as the description says, or by the defaults of its language. What is only known when
//! the flow runs is written by an expression that is applied to it.

use lockgate_mapping::yaml::Node;
use lockgate_model::Span;
use serde_json::{Map, Value};

use super::description::{Described, Dialect, follow};
use super::parameter::{Parameter, Placed};
use crate::documents::{At, Documents, Named, Refusal};
use crate::flow::formula::through;
use crate::flow::http::json;
use crate::flow::tree::Template;

/// How deep a value is looked into before the flow runs, and at how many places.
const DEPTH_MAX: usize = 12;
const PLACES_MAX: usize = 500;

/// Where a value goes.
pub(super) enum Sent {
    Path(Template),
    Query(Template),
    /// Several parameters of the query at once.
    Merged(Template),
    Header(Template),
    /// With its type.
    Body(Template, String),
}

/// How values of several parts are written.
enum Written {
    /// Each part with what stands between them.
    Joined(&'static str),
    /// Each part under the name.
    Repeated,
    /// Each field under its own name.
    Fields,
    /// Each field under `name[field]`.
    Deep,
}

/// A value as it is sent.
pub(super) fn sent(
    parameter: &Parameter<'_>,
    value: Template,
    described: &Described<'_>,
    span: Span,
) -> Result<Sent, Refusal> {
    let name = parameter.name;
    let is_constant = matches!(value, Template::Constant(_));
    let value = match parameter.required && !is_constant {
        true => through(value, &format!("$exists($) and $type($) != \"null\" ? $ : $error({})", missing(name)), span),
        false => value,
    };
    let joined = |value, between| through(value, &joining(between), span);
    Ok(match (parameter.placed, written(parameter, described.dialect)?) {
        (Placed::Path, Written::Joined(between)) => Sent::Path(joined(value, between)),
        (Placed::Header, Written::Joined(between)) => Sent::Header(joined(value, between)),
        (Placed::Query, Written::Repeated) => Sent::Query(value),
        (Placed::Query, Written::Joined(between)) => Sent::Query(joined(value, between)),
        (Placed::Query, Written::Fields) => Sent::Merged(value),
        (Placed::Query, Written::Deep) => {
            let key = format!("({} & \"[\" & $k & \"]\")", json(name));
            Sent::Merged(through(value, &format!("$merge($each($, function($v, $k) {{ {{ {key}: $v }} }}))"), span))
        }
        (Placed::Body, _) => Sent::Body(value, parameter.media_type.clone().unwrap_or_default()),
        _ => return Err(not_yet(parameter, "this way to write it")),
    })
}

fn missing(name: &str) -> String {
    json(&format!("the parameter `{name}` has no value"))
}

/// By the description, or the defaults: OpenAPI 3.0.3 "Style Values", Swagger 2.0 "Parameter Object".
fn written(parameter: &Parameter<'_>, dialect: Dialect) -> Result<Written, Refusal> {
    let text = |key: &str| parameter.at.node.get(key).and_then(Node::as_text);
    if dialect == Dialect::Swagger {
        return Ok(match text("collectionFormat").unwrap_or("csv") {
            "csv" => Written::Joined(","),
            "ssv" => Written::Joined(" "),
            "tsv" => Written::Joined("\\t"),
            "pipes" => Written::Joined("|"),
            "multi" if parameter.placed == Placed::Query => Written::Repeated,
            other => return Err(not_yet(parameter, &format!("`collectionFormat: {other}`"))),
        });
    }
    if parameter.placed != Placed::Body && parameter.at.node.get("content").is_some() {
        return Err(not_yet(parameter, "`content`"));
    }
    let default = if parameter.placed == Placed::Query { "form" } else { "simple" };
    let style = text("style").unwrap_or(default);
    let explode = parameter.at.node.get("explode").and_then(Node::as_bool).unwrap_or(style == "form");
    let is_object = || {
        let kind = parameter.schema.and_then(|schema| schema.node.get("type"));
        kind.and_then(Node::as_text) == Some("object")
            || parameter.schema.is_some_and(|schema| schema.node.get("properties").is_some())
    };
    Ok(match (parameter.placed, style, explode) {
        (Placed::Body, ..) => Written::Repeated,
        (Placed::Path | Placed::Header, "simple", false) => Written::Joined(","),
        (Placed::Path | Placed::Header, "simple", true) if !is_object() => Written::Joined(","),
        (Placed::Query, "form", true) if is_object() => Written::Fields,
        (Placed::Query, "form", true) => Written::Repeated,
        (Placed::Query, "form", false) => Written::Joined(","),
        (Placed::Query, "spaceDelimited", false) => Written::Joined(" "),
        (Placed::Query, "pipeDelimited", false) => Written::Joined("|"),
        (Placed::Query, "deepObject", _) => Written::Deep,
        _ => return Err(not_yet(parameter, &format!("`style: {style}`"))),
    })
}

fn not_yet(parameter: &Parameter<'_>, what: &str) -> Refusal {
    let message = format!("{what} of the parameter `{}` is not supported yet", parameter.name);
    Refusal::new("LG-FLOW-NOT-YET", message, "write the call as `call: http`")
}

/// Lists and objects as one text.
fn joining(between: &str) -> String {
    format!(
        "$type($) = \"array\" ? $join($map($, function($v) {{ $string($v) }}), \"{between}\") \
         : $type($) = \"object\" ? $join($each($, function($v, $k) {{ $k & \"{between}\" & $string($v) }}), \"{between}\") \
         : $"
    )
}

/// The query of single parameters and of objects that bring several.
pub(super) fn query(fields: Vec<(String, Template)>, merged: Vec<Template>, span: Span) -> Option<Template> {
    if merged.is_empty() {
        return (!fields.is_empty()).then_some(Template::Object(fields));
    }
    // What is named stays what it is, whatever fields an object brings.
    let all = merged.into_iter().chain([Template::Object(fields)]).collect();
    Some(through(Template::Array(all), "$merge($)", span))
}

/// What of a schema can be said of a constant, without references: `true` where that is nothing.
pub(super) fn schema(documents: &Documents<'_>, at: At<'_>, named: &Named) -> Value {
    seen(documents, at, named, 0, &mut PLACES_MAX.clone())
}

fn seen(documents: &Documents<'_>, at: At<'_>, named: &Named, depth: usize, left: &mut usize) -> Value {
    *left = left.saturating_sub(1);
    if depth > DEPTH_MAX || *left == 0 {
        return Value::Bool(true);
    }
    let Some(at) = documents.at(at.location).and_then(|root| follow(documents, root.to(at.node), named).ok()) else {
        return Value::Bool(true);
    };
    let Some(entries) = at.node.entries() else { return Value::Bool(true) };
    let names = |key: &str| {
        at.node.get(key).map_or(0, |node| node.entries().map_or(0, <[_]>::len) + node.items().map_or(0, <[_]>::len))
    };
    // Of what is too much to look at nothing is said.
    if [names("properties"), names("required"), names("enum"), entries.len()].iter().any(|many| *many > *left) {
        return Value::Bool(true);
    }
    let plain = |node: &Node| serde_json::from_str::<Value>(&node.to_json()).unwrap_or(Value::Bool(true));
    let nullable = at.node.get("nullable").and_then(Node::as_bool) == Some(true);
    let mut out = Map::new();
    for (key, node) in entries {
        let value = match key.text.as_str() {
            "type" => match (plain(node), nullable) {
                (Value::String(kind), true) => Value::from(vec![kind.as_str(), "null"]),
                (kind, _) => kind,
            },
            "enum" if node.items().is_some() && !nullable => plain(node),
            "required" if node.items().is_some() => {
                let read_only = |name: &str| {
                    let property = at.node.get("properties").and_then(|all| all.get(name));
                    property.and_then(|p| p.get("readOnly")).and_then(Node::as_bool) == Some(true)
                };
                let names = node.items().unwrap_or_default().iter().filter_map(Node::as_text);
                names.filter(|name| !read_only(name)).collect::<Vec<_>>().into()
            }
            "properties" => {
                let all = node.entries().unwrap_or_default().iter();
                Value::Object(
                    all.map(|(k, v)| (k.text.clone(), seen(documents, at.to(v), named, depth + 1, left))).collect(),
                )
            }
            "items" | "additionalProperties" => seen_or_bool(documents, at.to(node), named, depth + 1, left),
            _ => continue,
        };
        out.insert(key.text.clone(), value);
    }
    Value::Object(out)
}

fn seen_or_bool(documents: &Documents<'_>, at: At<'_>, named: &Named, depth: usize, left: &mut usize) -> Value {
    match at.node.as_bool() {
        Some(said) => Value::Bool(said),
        None => seen(documents, at, named, depth, left),
    }
}
