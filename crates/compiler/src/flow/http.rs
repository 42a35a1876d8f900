//! Calls of the standard's kind `http`: a literal https origin, a path and query that may be computed.
//!
//! The origin is bound at deployment to the https account that covers it, so it must be known at
//! compile time. A path with fields in it goes to the connector as a list of segments, which it
//! encodes one by one: no value can climb out of its segment, and an empty one is refused there.

use std::collections::BTreeSet;

use lockgate_mapping::yaml::{Key, Node};
use lockgate_model::Span;

use super::authentication::authentication;
use super::formula::{Place, template, through};
use super::reuse::Reusable;
use super::tree::{Account, Answer, Call, Operation, Piece, Template};
use crate::reader::{Reader, find};

const METHODS: &[&str] = &["get", "post", "put", "patch", "delete", "head"];
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
    let request = Request {
        method,
        origin,
        detail: endpoint.detail,
        uri: Template::Text(endpoint.uri),
        headers,
        scheme,
        fields,
        span,
    };
    request.call(wanted)
}

/// A request whose parts are known, by whichever kind of call.
pub(super) struct Request {
    /// The operation: the method in lower case.
    pub(super) method: String,
    pub(super) origin: String,
    /// What the manifest says of the path.
    pub(super) detail: String,
    /// For `output: response`, as the headers are.
    pub(super) uri: Template,
    pub(super) headers: Option<Template>,
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
                ("uri".to_owned(), self.uri),
                ("headers".to_owned(), self.headers.unwrap_or_else(|| Template::Constant("{}".to_owned()))),
            ])),
        };
        Call::Operation(Box::new(Operation {
            connector: "https".to_owned(),
            operation: self.method,
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
fn is_object(reader: &mut Reader<'_>, node: &Node, what: &str) -> bool {
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

/// An endpoint taken apart.
#[derive(Debug)]
struct Endpoint {
    origin: String,
    /// A text, or a list of segments.
    path: Template,
    /// The path for the manifest: literal, or its fixed beginning and `*`.
    detail: String,
    query: Vec<(String, Template)>,
    /// The whole of it, for the standard's response object.
    uri: Vec<Piece>,
}

fn endpoint_uri(reader: &mut Reader<'_>, node: &Node) -> Option<Endpoint> {
    let node = match node.entries() {
        Some(entries) => {
            reader.object_with(node, "`endpoint`", &["uri"], &["authentication"]);
            reader.required(entries, "uri", "`endpoint`", node.span)?
        }
        None => node,
    };
    let text = reader.string(node, "the endpoint")?;
    match parse(text, node.span) {
        Ok(endpoint) => Some(endpoint),
        Err((message, help)) => {
            reader.problem_help("LG-CALL-ENDPOINT", node.span, message, help);
            None
        }
    }
}

pub(crate) type Refusal = (&'static str, &'static str);

fn parse(text: &str, span: Span) -> Result<Endpoint, Refusal> {
    if text.contains("${") {
        return Err((
            "the endpoint cannot be computed",
            "write the origin; `{name}` stands for a field of the data in path and query",
        ));
    }
    let Some(rest) = text.strip_prefix("https://") else {
        return Err(("the endpoint must begin with `https://`", "plain HTTP and other schemes are refused"));
    };
    if rest.contains('#') {
        return Err(("a fragment is never sent", "remove `#` and what follows"));
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let origin = origin(authority)?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = if path.is_empty() { "/" } else { path };
    if path.split('/').any(|segment| matches!(segment.to_lowercase().replace("%2e", ".").as_str(), "." | "..")) {
        return Err(("the path has a segment `.` or `..`", "write the path it leads to"));
    }
    let query =
        query.split('&').filter(|pair| !pair.is_empty()).map(|text| pair(text, span)).collect::<Result<Vec<_>, _>>()?;
    let detail = path.split_once('{').map_or_else(|| path.to_owned(), |(fixed, _)| format!("{fixed}*"));
    let uri = pieces(text, |name| encoded(expanded(name, span), span))?;
    Ok(Endpoint { origin, path: segments(path, span)?, detail, query, uri })
}

/// The origin of a host with or without a port.
pub(crate) fn origin(authority: &str) -> Result<String, Refusal> {
    const REFUSED: Refusal = (
        "the endpoint has no plain host name",
        "write `https://host` or `https://host:port`, without user or password",
    );
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let plain = |host: &str| host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    let well_formed = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && plain(host),
    };
    if !well_formed {
        return Err(REFUSED);
    }
    let port = match port.map(str::parse::<u16>) {
        None => 443,
        Some(Ok(port)) if port > 0 => port,
        Some(_) => return Err(REFUSED),
    };
    let host = host.to_lowercase();
    Ok(if port == 443 { format!("https://{host}") } else { format!("https://{host}:{port}") })
}

/// A value as it stands in an address.
pub(super) fn encoded(value: Template, span: Span) -> Template {
    through(value, "$encodeUrlComponent($string($))", span)
}

/// A field without which there is no such path.
fn needed(name: &str, span: Span) -> Template {
    let value = Template::Field(name.to_owned());
    let wrong = json(&format!("the path's `{{{name}}}` is no text, number or boolean, or is empty"));
    through(value, &format!("{SCALAR} and $ != \"\" ? $ : $error({wrong})"), span)
}

/// A field that may be absent: it is empty then (RFC 6570, section 2.4.2, and 3.2.1).
fn expanded(name: &str, span: Span) -> Template {
    let value = Template::Field(name.to_owned());
    let wrong = json(&format!("the query's `{{{name}}}` is no text, number or boolean"));
    through(value, &format!("{SCALAR} ? $ : $exists($) and $ != null ? $error({wrong}) : \"\""), span)
}

/// Has the standard's URI template a value for it?
const SCALAR: &str = "$type($) in [\"string\", \"number\", \"boolean\"]";

fn segments(path: &str, span: Span) -> Result<Template, Refusal> {
    if !path.contains(['{', '}']) {
        return Ok(Template::Constant(json(path)));
    }
    if path.contains('%') {
        return Err(("a path with fields in it is encoded as a whole", "write the character itself in place of `%XX`"));
    }
    let segments = path.strip_prefix('/').unwrap_or(path).split('/');
    let segments = segments.map(|segment| match pieces(segment, |name| needed(name, span))?.as_slice() {
        [] => Err(("a path with fields in it has an empty segment", "remove the doubled or last `/`")),
        [Piece::Text(text)] => Ok(Template::Constant(json(text))),
        pieces => Ok(Template::Text(pieces.to_vec())),
    });
    Ok(Template::Array(segments.collect::<Result<_, _>>()?))
}

/// A text as JSON.
pub(super) fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn pair(pair: &str, span: Span) -> Result<(String, Template), Refusal> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    const HARD: Refusal =
        ("the query is too intricate for the endpoint's text", "write it under `query`, as names and values");
    if name.contains(['{', '}', '%', '+']) || value.contains(['%', '+']) {
        return Err(HARD);
    }
    let value = match pieces(value, |name| expanded(name, span))?.as_slice() {
        [] => Template::Constant("\"\"".to_owned()),
        [Piece::Text(text)] => Template::Constant(json(text)),
        [Piece::Value(field)] => field.as_ref().clone(),
        _ => return Err(HARD),
    };
    Ok((name.to_owned(), value))
}

/// Splits at `{name}` (RFC 6570, level 1); `field` is what stands there.
fn pieces(text: &str, field: impl Fn(&str) -> Template) -> Result<Vec<Piece>, Refusal> {
    const REFUSED: Refusal = (
        "a `{` in the endpoint has no name of a field in it",
        "write `{name}`, the name of a field of the task's input",
    );
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or(REFUSED)?;
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err(REFUSED);
        }
        if !before.is_empty() {
            out.push(Piece::Text(before.to_owned()));
        }
        out.push(Piece::Value(Box::new(field(name))));
        rest = after;
    }
    if rest.contains('}') {
        return Err(REFUSED);
    }
    if !rest.is_empty() {
        out.push(Piece::Text(rest.to_owned()));
    }
    Ok(out)
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

#[cfg(test)]
mod tests {
    use lockgate_model::Span;

    use super::{Endpoint, Refusal};
    use crate::flow::tree::{Piece, Template};

    fn parse(text: &str) -> Result<Endpoint, Refusal> {
        super::parse(text, Span::default())
    }

    #[test]
    fn origins_that_are_refused() {
        for text in [
            "http://h/x",
            "ftp://h",
            "https://",
            "https:///x",
            "https://u:p@h/x",
            "https://h:0/",
            "https://h:99999/",
            "https://h:/",
            "https://{host}/x",
            "${ url }",
            "https://h/${ x }",
            "https://h/a/../b",
            "https://h/a/%2E%2e/b",
            "https://h/x#y",
            "https://h/{+x}",
            "https://h/{}",
            "https://h/{x",
            "https://h/x}",
            "https://h/?a={x}{y}",
            "https://h/?{a}=1",
            "https://h/?a=%20",
            "https://[::g]/",
            "https://h/{id}/",
            "https://h//{id}",
            "https://h/a%20b/{id}",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_endpoint_is_taken_apart() {
        let endpoint = parse("https://API.Example.org:443/pets/{petId}/toys?status={status}&limit=5&all").unwrap();
        assert_eq!(endpoint.origin, "https://api.example.org");
        let Template::Array(path) = &endpoint.path else { panic!("{:?}", endpoint.path) };
        assert!(matches!(&path[0], Template::Constant(json) if json == "\"pets\""));
        assert!(matches!(&path[1], Template::Text(pieces) if matches!(&pieces[..], [Piece::Value(_)])));
        assert_eq!(endpoint.detail, "/pets/*");
        let names: Vec<_> = endpoint.query.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["status", "limit", "all"]);
        assert!(
            matches!(&endpoint.query[0].1, Template::Through(field, _) if matches!(&**field, Template::Field(name) if name == "status"))
        );
        assert_eq!(parse("https://h:8443").unwrap().origin, "https://h:8443");
        assert_eq!(parse("https://[::1]:9/x").unwrap().origin, "https://[::1]:9");
        assert_eq!(parse("https://h").unwrap().detail, "/");
        assert!(matches!(parse("https://h/a%20b/").unwrap().path, Template::Constant(json) if json == "\"/a%20b/\""));
    }
}
