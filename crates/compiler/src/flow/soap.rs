//! Calls of the connector `soap`: the operation is looked up in the description that the call names, and the values
//! that are written out are held to its types.
//!
//! What the description says goes into the module as a constant of the call, so that nobody has to find it again: its
//! documents as they are, without what people alone read.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use lockgate_mapping::yaml::{Key, Node};
use lockgate_model::{Diagnostic, Limits, Span};
use lockgate_soap::{Message, Problem, Wsdl, wsdl::Port};
use serde_json::{Map, Value, json};

use super::resource::tell;
use super::schema::PATTERNS_MAX;
use super::tree::Template;
use crate::documents::{Documents, Named, Refusal};
use crate::project::input;
use crate::reader::{Reader, find, list, nearest};

/// Bytes of a description in a module.
const BYTES_MAX: usize = 4 << 20;
/// Problems of one description that are told.
const TOLD_MAX: usize = 5;
/// Operations among which a misspelt one is looked for.
const NEAR_MAX: usize = 2_000;
/// How deep a type is looked into before the flow runs, and at how many places.
const DEPTH_MAX: usize = 12;
const PLACES_MAX: usize = 500;

/// A description that calls name, read once for all of them.
pub(crate) struct Description {
    wsdl: Result<Wsdl, Vec<Problem>>,
    /// Documents that it imports and that are not there.
    missing: Vec<Refusal>,
    /// What calls carry.
    carried: OnceCell<String>,
    /// Operations that calls name, by port and name.
    operations: RefCell<BTreeMap<(String, String), Looked>>,
}

/// The types of an operation, or what is wrong with them.
type Looked = Result<Types, Vec<Problem>>;

/// What can be said of constants that an operation is given.
#[derive(Debug, Clone)]
struct Types {
    input: Option<Value>,
    headers: BTreeMap<String, Value>,
    patterns: usize,
}

/// What a call is to do, by its description.
pub(super) struct Service {
    /// Members that the connector gets for `wsdl` and `port`.
    pub fields: Vec<(String, Template)>,
    /// What the manifest says: the path, the operation of a port, its actions (of SOAP and of WS-Addressing, where they
    /// differ), and the element of the request, as `{namespace}name`.
    pub detail: Vec<String>,
}

/// Looks up what a call names. None where something is wrong, which is told, or is not written.
pub(super) fn service(
    reader: &mut Reader<'_>,
    at: Span,
    entries: &[(Key, Node)],
    documents: &Documents<'_>,
) -> Option<Service> {
    let text = |key: &str| {
        let node = find(entries, key).filter(|node| !node.is_null())?;
        // What is computed, or no text, is told by the rules of the operation.
        node.as_text().filter(|text| !text.contains("${")).map(|text| (text, node.span))
    };
    let ((written, span), (name, name_at)) = (text("wsdl")?, text("operation")?);
    let named = reader.named(span);
    let (location, document) = match documents.find("", written, &named) {
        Ok(found) => found,
        Err(refusal) => {
            tell(reader, &named, refusal);
            return None;
        }
    };
    let description =
        document.description.get_or_init(|| Description::read(documents, location, document.text, &named));
    let wsdl = match description.wsdl() {
        Ok(wsdl) => wsdl,
        Err(refusals) => {
            refusals.into_iter().take(TOLD_MAX).for_each(|refusal| tell(reader, &named, refusal));
            return None;
        }
    };
    let wanted = text("port");
    if find(entries, "port").is_some_and(|node| !node.is_null()) && wanted.is_none() {
        return None;
    }
    let port = port(wsdl, wanted.map(|(port, _)| port), name);
    let port = match port {
        Ok(port) => port,
        Err(unknown) => {
            let (span, token) = match (unknown.is_port, wanted) {
                (true, Some((port, span))) => (span, port),
                _ => (name_at, name),
            };
            let message = format!("`{location}` has {}", unknown.message);
            reader.refuse(Diagnostic::new("LG-WSDL-OPERATION", span, message).help(unknown.help).token(token));
            return None;
        }
    };
    let described = port.operation(name)?;
    let key = (port.name.clone(), name.to_owned());
    let types = description.operations.borrow().get(&key).cloned();
    let types = types.unwrap_or_else(|| {
        let types = wsdl.operation(&port.name, name).map(|operation| Types {
            input: operation.input.body.as_ref().map(seen),
            headers: operation.input.headers.iter().map(|header| (header.name.local.clone(), seen(header))).collect(),
            patterns: operation.patterns(),
        });
        description.operations.borrow_mut().insert(key, types.clone());
        types
    });
    match types {
        Ok(types) if types.patterns > PATTERNS_MAX => {
            let message = format!("the types of operation `{name}` have more than {PATTERNS_MAX} regular expressions");
            tell(
                reader,
                &named,
                Refusal::new("LG-WSDL-SIZE", message, "take some of them out of a copy in documents/"),
            );
            return None;
        }
        Ok(types) => types.hold(reader, at, entries, name),
        Err(problems) => {
            problems.into_iter().take(TOLD_MAX).for_each(|problem| tell(reader, &named, refusal(problem)));
            return None;
        }
    }
    let carried = description.carried(wsdl, location);
    if carried.len() > BYTES_MAX {
        let message = format!("`{location}` has more than {} MiB with what it imports", BYTES_MAX >> 20);
        tell(reader, &named, Refusal::new("LG-WSDL-SIZE", message, "put the part that is called into documents/"));
        return None;
    }
    let path = text("path").map(|(path, _)| path.to_owned());
    // Services choose what they do by any of these.
    let mut actions = vec![described.action.clone(), described.addressing_action.clone()];
    actions.dedup();
    let element = described.element().map(|name| format!("{{{}}}{}", name.namespace, name.local));
    let selects = actions.into_iter().filter(|action| !action.is_empty()).chain(element);
    Some(Service {
        fields: vec![
            ("wsdl".to_owned(), Template::Constant(carried.to_owned())),
            ("port".to_owned(), Template::Constant(Value::from(port.name.as_str()).to_string())),
        ],
        detail: path.into_iter().chain([format!("{}.{name}", port.name)]).chain(selects).collect(),
    })
}

impl Description {
    fn read(documents: &Documents<'_>, location: &str, text: &str, named: &Named) -> Self {
        let mut missing = Vec::new();
        let wsdl = Wsdl::read(location, text.to_owned(), |wanted| match documents.find("", wanted, named) {
            Ok((_, document)) => Some(document.text.to_owned()),
            Err(refusal) => {
                missing.push(refusal);
                None
            }
        });
        Self { wsdl, missing, carried: OnceCell::new(), operations: RefCell::default() }
    }

    /// The description, or all that is wrong with it. An address that is not locked is, though nobody may need what
    /// is there: who builds fetches it.
    fn wsdl(&self) -> Result<&Wsdl, Vec<Refusal>> {
        let unlocked = |refusal: &&Refusal| refusal.code != "LG-IMPORT-FILE";
        match &self.wsdl {
            Ok(wsdl) if !self.missing.iter().any(|refusal| unlocked(&refusal)) => Ok(wsdl),
            Ok(_) => Err(self.missing.iter().filter(unlocked).cloned().collect()),
            // A document that is not there is told as such.
            Err(problems) => {
                let own = problems.iter().filter(|problem| problem.code != "LG-WSDL-IMPORT" || self.missing.is_empty());
                Err(self.missing.iter().cloned().chain(own.cloned().map(refusal)).collect())
            }
        }
    }

    /// The description as calls carry it.
    fn carried(&self, wsdl: &Wsdl, location: &str) -> &str {
        self.carried.get_or_init(|| {
            let documents: BTreeMap<&str, String> = wsdl.documents().collect();
            json!({"main": location, "documents": documents}).to_string()
        })
    }
}

/// A problem of a description, where it is.
fn refusal(problem: Problem) -> Refusal {
    let Problem { code, file, line, column, message, help } = problem;
    Refusal::new(code, format!("{message} ({file}:{line}:{column})"), help)
}

/// What a description does not have.
struct Unknown {
    is_port: bool,
    message: String,
    help: String,
}

/// The port of this name, or the first that has the operation.
fn port<'w>(wsdl: &'w Wsdl, wanted: Option<&str>, name: &str) -> Result<&'w Port, Unknown> {
    let all = || wsdl.services().iter().flat_map(|service| &service.ports);
    let offered = |wanted: &str, names: Vec<&str>| {
        let names = || names.iter().copied().take(NEAR_MAX);
        let mut help = match nearest(wanted, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", list(names().take(20))),
        };
        if let Some(left) = wsdl.left_out().first() {
            let more = wsdl.left_out().len() - 1;
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            help.push_str(&format!("; left out is what cannot be called: {} (line {}){more}", left.message, left.line));
        }
        help
    };
    let Some(wanted) = wanted else {
        return all().find(|port| port.operation(name).is_some()).ok_or_else(|| {
            let names =
                all().flat_map(|port| port.operations.iter().map(|one| one.name.as_str())).take(NEAR_MAX).collect();
            Unknown { is_port: false, message: format!("no operation `{name}`"), help: offered(name, names) }
        });
    };
    let port = wsdl.port(wanted).ok_or_else(|| {
        let names = all().map(|port| port.name.as_str()).collect();
        Unknown { is_port: true, message: format!("no port `{wanted}`"), help: offered(wanted, names) }
    })?;
    match port.operation(name) {
        Some(_) => Ok(port),
        None => {
            let names = port.operations.iter().map(|one| one.name.as_str()).collect();
            let message = format!("no operation `{name}` at its port `{wanted}`");
            Err(Unknown { is_port: false, message, help: offered(name, names) })
        }
    }
}

impl Types {
    /// Holds what is written out to the types.
    fn hold(&self, reader: &mut Reader<'_>, at: Span, entries: &[(Key, Node)], name: &str) {
        match (&self.input, find(entries, "input")) {
            (Some(schema), Some(node)) => {
                input::value(reader, node, schema, &format!("`input` of operation `{name}`"), true);
            }
            (Some(schema), None) => {
                let needs = schema.get("required").and_then(Value::as_array).is_some_and(|needed| !needed.is_empty());
                if needs {
                    reader.problem("LG-MISSING-KEY", at, format!("operation `{name}` needs `input`"));
                }
            }
            (None, _) => {}
        }
        for (key, node) in find(entries, "headers").and_then(Node::entries).unwrap_or_default() {
            match self.headers.get(&key.text) {
                Some(schema) => input::value(reader, node, schema, &format!("header `{}`", key.text), true),
                None => {
                    let known: Vec<&str> = self.headers.keys().map(String::as_str).collect();
                    reader.unknown_key(key, &format!("operation `{name}`"), &known);
                }
            }
        }
    }
}

/// What of a type can be said of a constant.
fn seen(message: &Message) -> Value {
    let limits = Limits { arena_bytes_max: u64::MAX, ..Limits::default() };
    let printed = message.json_schema(&limits).and_then(|schema| schema.print(u64::MAX));
    let schema: Value = printed.ok().and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or(Value::Bool(true));
    looked(&schema, schema.get("$defs").unwrap_or(&Value::Null), 0, &mut PLACES_MAX.clone())
}

fn looked(schema: &Value, defs: &Value, depth: usize, left: &mut usize) -> Value {
    *left = left.saturating_sub(1);
    if depth > DEPTH_MAX || *left == 0 {
        return Value::Bool(true);
    }
    let Some(words) = schema.as_object() else { return schema.clone() };
    if let Some(name) = words.get("$ref").and_then(Value::as_str) {
        let target = name.strip_prefix("#/$defs/").and_then(|name| defs.get(name));
        return target.map_or(Value::Bool(true), |target| looked(target, defs, depth + 1, left));
    }
    // Of what may be one or another nothing is said.
    if ["anyOf", "oneOf", "not", "if"].iter().any(|word| words.contains_key(*word)) {
        return Value::Bool(true);
    }
    // A type that says more of another one.
    let mut out = match words.get("allOf").map(|all| all.as_array().map_or(&[][..], Vec::as_slice)) {
        None => Map::new(),
        Some([one]) => match looked(one, defs, depth + 1, left) {
            Value::Object(out) => out,
            _ => return Value::Bool(true),
        },
        Some(_) => return Value::Bool(true),
    };
    for (word, value) in words {
        let value = match word.as_str() {
            "type" => written(value),
            "enum" if value.as_array().is_some_and(|all| all.iter().all(is_plain)) => value.clone(),
            "required" => value.clone(),
            "properties" => {
                let all = value.as_object().into_iter().flatten();
                all.map(|(name, rule)| (name.clone(), looked(rule, defs, depth + 1, left))).collect()
            }
            "items" | "additionalProperties" => looked(value, defs, depth + 1, left),
            _ => continue,
        };
        out.insert(word.clone(), value);
    }
    Value::Object(out)
}

/// Numbers and booleans may stand for the texts that XML has of them.
fn written(kinds: &Value) -> Value {
    let kinds: Vec<&str> = match kinds {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    let texts: &[&str] = if kinds.contains(&"string") { &["number", "boolean"] } else { &[] };
    kinds.into_iter().chain(texts.iter().copied()).collect()
}

/// A text that no number and no boolean is written as.
fn is_plain(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<f64>().is_err() && !matches!(text, "true" | "false"))
}

#[cfg(test)]
mod tests;
