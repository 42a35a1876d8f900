//! Calls of the standard's kind `http`: a literal https origin, a path and query that may be computed.
//!
//! The origin is bound at deployment to the https account that covers it, so it must be known at
//! compile time. A path with fields in it goes to the connector as a list of segments, which it
//! encodes one by one: no value can climb out of its segment, and an empty one is refused there. One
//! that ends in `/` or holds `%XX` goes there as a text, in which each value is encoded.

use std::collections::BTreeSet;

use lockgate_mapping::yaml::{Key, Node};
use lockgate_model::Span;

use super::authentication::authentication;
use super::formula::{Place, template, through};
use super::reuse::Reusable;
use super::tree::{Account, Answer, Call, Operation, Template};
use crate::reader::{Reader, find};

mod endpoint;

pub(crate) use endpoint::origin;
pub(super) use endpoint::{encoded, expanded_text, is_text, json};
use endpoint::{endpoint_uri, written};

const METHODS: &[&str] = &["get", "post", "put", "patch", "delete", "head", OPTIONS];
/// What the connector has no operation of its own for.
const OPTIONS: &str = "options";
/// Those whose requests have no content.
const WITHOUT_BODY: &[&str] = &["get", "head"];

/// Reads an http call.
pub(super) fn read(reader: &mut Reader<'_>, span: Span, with: Option<&Node>, reusable: &Reusable<'_>) -> Call {
    const KEYS: &[&str] = &["method", "endpoint", "headers", "body", "query", "output", "redirect"];
    let Some(with) = with else {
        reader.problem("LG-MISSING-KEY", span, "an http call needs `with.method` and `with.endpoint`");
        return Call::Broken(Template::Broken);
    };
    let Some(entries) = reader.object_of(with, "`with` of an http call", KEYS) else {
        return Call::Broken(Template::Broken);
    };
    let method = reader.required(entries, "method", "an http call", with.span).and_then(|node| method(reader, node));
    let endpoint = reader.required(entries, "endpoint", "an http call", with.span);
    let signs_in = endpoint.and_then(Node::entries).and_then(|entries| find(entries, "authentication"));
    let (scheme, basic) = authentication(reader, signs_in, reusable);
    let endpoint = endpoint.and_then(|node| endpoint_uri(reader, node));
    let headers = find(entries, "headers").map(|node| headers(reader, node));
    let query = find(entries, "query").map(|node| query(reader, node));
    let body = find(entries, "body").map(|node| template(reader, node, Place::Task));
    if let Some((key, _)) = entries.iter().find(|(key, _)| key.text == "body")
        && let Some(method) = method.as_deref().filter(|method| WITHOUT_BODY.contains(method))
    {
        let help = "write it under `query`, or send it by another method";
        reader.problem_help("LG-FLOW-VALUE", key.span, format!("`{method}` sends no `body`"), help);
    }
    let wanted = wanted(reader, entries);
    let given = |query: Option<Template>| {
        let given = [("query", query), ("headers", headers.clone()), ("body", body.clone()), ("basic", basic.clone())];
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)))
    };
    let (Some(method), Some(endpoint), Some(wanted)) = (method, endpoint, wanted) else {
        return Call::Broken(Template::Object(given(query).collect()));
    };
    let Some(query) = joined(reader, entries, endpoint.query, query.clone()) else {
        return Call::Broken(Template::Object(given(query).collect()));
    };
    let mut fields = vec![("path".to_owned(), endpoint.path)];
    fields.extend(given(query));
    let origin = endpoint.origin;
    let request = Request { method, origin, detail: endpoint.detail, scheme, fields, span };
    request.call(wanted)
}

/// A request whose parts are known, by whichever kind of call.
pub(super) struct Request {
    /// The method in lower case.
    pub(super) method: String,
    pub(super) origin: String,
    /// What the manifest says of the path.
    pub(super) detail: String,
    /// The scheme that the account must sign in by.
    pub(super) scheme: Option<&'static str>,
    /// What the connector is given.
    pub(super) fields: Vec<(String, Template)>,
    pub(super) span: Span,
}

impl Request {
    /// The call that sends it.
    pub(super) fn call(mut self, wanted: Wanted) -> Call {
        // The address says all of it; the account that covers it may have a part of it as its base.
        self.fields.push(("absolute".to_owned(), Template::Constant("true".to_owned())));
        self.fields.push(("redirect".to_owned(), Template::Constant(wanted.redirect.to_string())));
        let answer = match wanted.output {
            Output::Content => Answer::Content,
            Output::Raw => {
                self.fields.push(("raw".to_owned(), Template::Constant("true".to_owned())));
                Answer::Raw
            }
            Output::Response => Answer::Response(Template::Object(vec![
                ("method".to_owned(), Template::Constant(format!("\"{}\"", self.method.to_uppercase()))),
                ("uri".to_owned(), written(&self.origin, self.span)),
                ("headers".to_owned(), through(Template::Whole, "$exists(headers) ? headers : {}", self.span)),
            ])),
        };
        let operation = match self.method.as_str() {
            OPTIONS => {
                self.fields.push(("method".to_owned(), Template::Constant(json("OPTIONS"))));
                "request".to_owned()
            }
            _ => self.method,
        };
        Call::Operation(Box::new(Operation {
            connector: "https".to_owned(),
            operation,
            version: "1".to_owned(),
            span: self.span,
            account: Account::Origin(self.origin),
            detail: vec![self.detail],
            scheme: self.scheme,
            computed: Vec::new(),
            given: None,
            input: Template::Object(self.fields),
            answer,
            streams: false,
            parse: None,
            takes: None,
        }))
    }
}

/// What an http call makes of its answer (the standard's HTTP call, `output` and `redirect`).
pub(super) struct Wanted {
    output: Output,
    /// A redirect is an answer; without it, one that is not followed is an error.
    redirect: bool,
}

enum Output {
    Content,
    Response,
    Raw,
}

/// Reads `output` and `redirect`.
pub(super) fn wanted(reader: &mut Reader<'_>, entries: &[(Key, Node)]) -> Option<Wanted> {
    let redirect = find(entries, "redirect").map_or(Some(false), |node| reader.boolean(node, "`redirect`"));
    let output = match find(entries, "output") {
        None => Some(Output::Content),
        Some(node) => match reader.string(node, "`output`") {
            Some("content") => Some(Output::Content),
            Some("response") => Some(Output::Response),
            Some("raw") => Some(Output::Raw),
            Some(_) => {
                reader.problem("LG-FLOW-VALUE", node.span, "`output` must be `content`, `response` or `raw`");
                None
            }
            None => None,
        },
    };
    Some(Wanted { output: output?, redirect: redirect? })
}

fn method(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let method = reader.string(node, "`method`")?.to_lowercase();
    if METHODS.contains(&method.as_str()) {
        return Some(method);
    }
    reader.problem_help(
        "LG-FLOW-VALUE",
        node.span,
        "`method` must be a constant HTTP method",
        format!("one of {}", crate::reader::list(METHODS.iter().copied())),
    );
    None
}

/// An object, or an expression that gives one.
pub(super) fn is_object(reader: &mut Reader<'_>, node: &Node, what: &str) -> bool {
    let fits = node.entries().is_some() || node.as_text().is_some_and(|text| text.contains("${"));
    if !fits {
        reader.shape(node, what, "an object, or an expression that gives one");
    }
    fits
}

fn query(reader: &mut Reader<'_>, node: &Node) -> Template {
    if !is_object(reader, node, "`query`") {
        return Template::Broken;
    }
    for (key, value) in node.entries().unwrap_or_default() {
        let items = value.items().unwrap_or(std::slice::from_ref(value));
        if items.iter().any(|item| item.entries().is_some() || item.items().is_some()) {
            let help = "a text, a number, a boolean or null, or a list of these";
            reader.problem_help("LG-WRONG-TYPE", value.span, format!("`{}` of a query is an object", key.text), help);
        }
    }
    template(reader, node, Place::Task)
}

fn headers(reader: &mut Reader<'_>, node: &Node) -> Template {
    if !is_object(reader, node, "`headers`") {
        return Template::Broken;
    }
    let mut names = BTreeSet::new();
    for (key, value) in node.entries().unwrap_or_default() {
        reader.string(value, &format!("header `{}`", key.text));
        if !names.insert(key.text.to_ascii_lowercase()) {
            let message = format!("the header `{}` is given twice", key.text);
            reader.problem_help(
                "LG-FLOW-VALUE",
                key.span,
                message,
                "headers are the same whatever their case: keep one",
            );
        }
        if key.text.eq_ignore_ascii_case("authorization") || key.text.eq_ignore_ascii_case("cookie") {
            reader.problem_help(
                "LG-FLOW-REFUSED",
                key.span,
                format!("the header `{}` is refused in a flow", key.text),
                "credentials belong to the account's binding",
            );
        }
    }
    template(reader, node, Place::Task)
}

/// Query of the endpoint's text and of `query` together.
fn joined(
    reader: &mut Reader<'_>,
    entries: &[(Key, Node)],
    mut from_uri: Vec<(String, Template)>,
    query: Option<Template>,
) -> Option<Option<Template>> {
    if from_uri.is_empty() {
        return Some(query);
    }
    let own = find(entries, "query").and_then(Node::entries);
    let names: BTreeSet<&str> = from_uri.iter().map(|(name, _)| name.as_str()).collect();
    for (key, _) in own.unwrap_or_default() {
        if names.contains(key.text.as_str()) {
            let message = format!("`{}` stands in the endpoint's query already", key.text);
            reader.problem_help("LG-CALL-ENDPOINT", key.span, message, "keep one of them; a list repeats the name");
        }
    }
    match query {
        None => {}
        Some(Template::Object(fields)) => from_uri.extend(fields),
        Some(Template::Constant(_)) if own.is_some() => {
            from_uri
                .extend(own.unwrap_or_default().iter().map(|(k, v)| (k.text.clone(), Template::Constant(v.to_json()))));
        }
        Some(Template::Broken) => return None,
        Some(_) => {
            let at = find(entries, "query").map_or(Span::default(), |node| node.span);
            reader.problem_help(
                "LG-CALL-ENDPOINT",
                at,
                "the endpoint has a query of its own besides this computed one",
                "write all of it under `query`",
            );
            return None;
        }
    }
    Some(Some(Template::Object(from_uri)))
}
