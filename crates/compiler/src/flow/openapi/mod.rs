//! Calls of the standard's kind `openapi`: an operation of a description that is locked, or lies in the project.
//!
//! The description gives method, path and server, and says which parameters there are; the flow gives their values.
//! What comes of it is the https operation that `call: http` would be. What the description says of credentials is
//! not read: these belong to the account's binding.

mod description;
mod parameter;
mod path;
mod server;
#[cfg(test)]
mod tests;
mod value;

use lockgate_mapping::yaml::{Key, Node};
use lockgate_model::{Diagnostic, Span};

use super::authentication::authentication;
use super::formula::{Place, template};
use super::http;
use super::resource::{resource, tell};
use super::reuse::Reusable;
use super::tree::{Call, Template};
use crate::documents::{Documents, Named, Refusal};
use crate::project::input;
use crate::reader::{Reader, find, list, nearest};
use description::Described;
pub(crate) use description::Index;
use parameter::{Parameter, Placed};
use value::{Sent, sent};

/// Reads an OpenAPI call.
pub(super) fn read(
    reader: &mut Reader<'_>,
    span: Span,
    with: Option<&Node>,
    reusable: &Reusable<'_>,
    documents: &Documents<'_>,
) -> Call {
    const KEYS: &[&str] = &["document", "operationId", "parameters", "authentication", "output", "redirect"];
    let Some(with) = with else {
        reader.problem("LG-MISSING-KEY", span, "an openapi call needs `with.document` and `with.operationId`");
        return Call::Broken(Template::Broken);
    };
    let Some(entries) = reader.object_of(with, "`with` of an openapi call", KEYS) else {
        return Call::Broken(Template::Broken);
    };
    let parameters = find(entries, "parameters").map(|node| reader.object(node, "`parameters`"));
    let given = parameters.flatten().unwrap_or_default();
    let given: Vec<Given<'_>> =
        given.iter().map(|(key, node)| Given { key, node, value: template(reader, node, Place::Task) }).collect();
    let broken = |given: Vec<Given<'_>>| {
        Call::Broken(Template::Object(given.into_iter().map(|given| (given.key.text.clone(), given.value)).collect()))
    };
    let (scheme, basic) = authentication(reader, find(entries, "authentication"), reusable);
    let wanted = http::wanted(reader, entries);
    let document = reader.required(entries, "document", "an openapi call", with.span);
    let document = document.and_then(|node| resource(reader, node, "`document`"));
    let id = reader.required(entries, "operationId", "an openapi call", with.span);
    let id = id.and_then(|node| Some((reader.string(node, "`operationId`")?, node.span)));
    let (Some((written, document)), Some((id, id_at)), Some(wanted)) = (document, id, wanted) else {
        return broken(given);
    };
    let named = reader.named(document);
    let described = match description::find(documents, written, id, &named) {
        Ok(described) => described,
        Err(description::Unfound::Document(refusal)) => {
            tell(reader, &named, refusal);
            return broken(given);
        }
        Err(description::Unfound::Operation(refusal)) => {
            reader.refuse(Diagnostic::new(refusal.code, id_at, refusal.message).help(refusal.help).token(id));
            return broken(given);
        }
    };
    // What parameters there are is not known, so none is missing.
    if parameters == Some(None) {
        return broken(given);
    }
    let at = find(entries, "parameters").map_or(with.span, |node| node.span);
    let request = match described.request(&given, &mut Telling { reader, documents, named: &named, id, at, span }) {
        Ok(Some(request)) => request,
        Ok(None) => return broken(given),
        Err(refusal) => {
            tell(reader, &named, refusal);
            return broken(given);
        }
    };
    let mut fields = vec![("path".to_owned(), request.path)];
    let rest =
        [("query", request.query), ("headers", request.headers.clone()), ("body", request.body), ("basic", basic)];
    fields.extend(rest.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    let (method, origin, detail) = (described.method.to_owned(), request.origin, request.detail);
    http::Request { method, origin, detail, scheme, fields, span }.call(wanted)
}

/// A value under `parameters`.
struct Given<'n> {
    key: &'n Key,
    node: &'n Node,
    value: Template,
}

/// Where what is wrong with a call is told.
struct Telling<'r, 't, 'd, 's> {
    reader: &'r mut Reader<'t>,
    documents: &'d Documents<'s>,
    /// The document, where the flow names it.
    named: &'r Named,
    /// The operation.
    id: &'r str,
    /// `parameters`
    at: Span,
    /// The call.
    span: Span,
}

/// What is sent.
struct Request {
    origin: String,
    path: Template,
    detail: String,
    query: Option<Template>,
    headers: Option<Template>,
    body: Option<Template>,
}

impl<'d> Described<'d> {
    /// The request by the values that are given; none where what is wrong is told.
    fn request(&self, given: &[Given<'_>], telling: &mut Telling<'_, '_, 'd, '_>) -> Result<Option<Request>, Refusal> {
        let (origin, base) = server::of(self)?;
        let parameters = parameter::all(self, telling.documents, telling.named)?;
        let before = telling.reader.problems.0.len();
        let mut chosen: Vec<(&Parameter<'_>, &Given<'_>)> = Vec::new();
        for one in given {
            chosen.extend(choose(&parameters, one, telling).map(|parameter| (parameter, one)));
        }
        for parameter in parameters.iter().filter(|parameter| parameter.required) {
            let Parameter { name, placed, .. } = parameter;
            if given.iter().any(|given| parameter.is_called(&given.key.text)) || self.leaves_out(parameter) {
                continue;
            }
            let message = format!("operation `{}` needs the parameter `{name}` ({})", telling.id, placed.noun());
            match placed.refused() {
                Some(help) => telling.reader.problem_help("LG-OPENAPI-PARAMETER", telling.at, message, help),
                None => telling.reader.problem("LG-MISSING-KEY", telling.at, message),
            }
        }
        let mut parts = path::Parts::default();
        let (mut query, mut merged, mut headers, mut body) = (Vec::new(), Vec::new(), Vec::new(), None);
        for (parameter, given) in chosen {
            if let Some(schema) = parameter.schema {
                let what = format!("`{}` of operation `{}`", parameter.name, telling.id);
                let node = given.node;
                let schema = value::schema(telling.documents, schema, telling.named);
                // One of a list is written like the list of it.
                let items = schema
                    .get("items")
                    .filter(|_| parameter.placed != Placed::Body && node.items().is_none() && is_list(&schema));
                input::value(telling.reader, node, items.unwrap_or(&schema), &what, parameter.required);
            }
            match sent(parameter, given.value.clone(), self, telling.span) {
                Ok(Sent::Path(value)) => drop(parts.insert(parameter.name.to_owned(), value)),
                Ok(Sent::Query(value)) => query.push((parameter.name.to_owned(), value)),
                Ok(Sent::Merged(value)) => merged.push(value),
                Ok(Sent::Header(value)) => headers.push((parameter.name.to_owned(), value)),
                Ok(Sent::Body(value, media_type)) => body = Some((value, media_type)),
                Err(refusal) => {
                    telling.reader.problem_help(refusal.code, given.key.span, refusal.message, refusal.help);
                }
            }
        }
        if telling.reader.problems.0.len() > before {
            return Ok(None);
        }
        let path = path::of(self, &base, &parts, telling.span)?;
        if let Some((_, media_type)) = &body
            && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            headers.push(("content-type".to_owned(), Template::Constant(http::json(media_type))));
        }
        Ok(Some(Request {
            path: path.path,
            detail: path.detail,
            query: value::query(query, merged, telling.span),
            headers: (!headers.is_empty()).then_some(Template::Object(headers)),
            body: body.map(|(value, _)| value),
            origin,
        }))
    }

    /// Credentials are the account's, and what the connector writes needs no value.
    fn leaves_out(&self, parameter: &Parameter<'_>) -> bool {
        let written = || ["accept", "content-type"].iter().any(|name| parameter.is_called(name));
        parameter.is_credential() || parameter.placed == Placed::Header && written()
    }
}

/// Is this the schema of a list?
fn is_list(schema: &serde_json::Value) -> bool {
    schema.get("type").and_then(serde_json::Value::as_str) == Some("array")
}

/// The parameter that a value is for.
fn choose<'p, 'd>(
    parameters: &'p [Parameter<'d>],
    given: &Given<'_>,
    telling: &mut Telling<'_, '_, 'd, '_>,
) -> Option<&'p Parameter<'d>> {
    let key = given.key;
    let named: Vec<&Parameter<'d>> = parameters.iter().filter(|parameter| parameter.is_called(&key.text)).collect();
    match named.as_slice() {
        [one] if one.is_credential() => telling.reader.problem_help(
            "LG-FLOW-REFUSED",
            key.span,
            format!("the header `{}` is refused in a flow", key.text),
            "credentials belong to the account's binding",
        ),
        [one] => match one.placed.refused() {
            None => return Some(*one),
            Some(help) => {
                let message = format!("the parameter `{}` ({}) cannot be given", key.text, one.placed.noun());
                telling.reader.problem_help("LG-OPENAPI-PARAMETER", key.span, message, help);
            }
        },
        [] => {
            let names = || parameters.iter().filter(|p| p.placed.refused().is_none()).map(|p| p.name);
            let help = match nearest(&key.text, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it has {}", list(names().take(20))),
            };
            let message = format!("operation `{}` has no parameter `{}`", telling.id, key.text);
            let problem = Diagnostic::new("LG-OPENAPI-PARAMETER", key.span, message);
            telling.reader.refuse(problem.help(help).token(&key.text));
        }
        several => {
            let places = several.iter().map(|parameter| parameter.placed.noun());
            let message = format!("operation `{}` has several parameters `{}`", telling.id, key.text);
            let help = format!("they are in {}: write the call as `call: http`", places.collect::<Vec<_>>().join(", "));
            telling.reader.problem_help("LG-OPENAPI-PARAMETER", key.span, message, help);
        }
    }
    None
}
