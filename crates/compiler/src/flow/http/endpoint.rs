//! The endpoint of an http call: a literal https origin, and path and query with fields of the data in them
//! (RFC 6570, level 1, as the standard's URI template).

use lockgate_mapping::yaml::Node;
use lockgate_model::Span;

use super::super::formula::through;
use super::super::tree::{Piece, Template};
use crate::reader::Reader;

/// An endpoint taken apart.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) origin: String,
    /// A text, or a list of segments.
    pub(super) path: Template,
    /// The path for the manifest: literal, or its fixed beginning and `*`.
    pub(super) detail: String,
    pub(super) query: Vec<(String, Template)>,
}

/// Reads an endpoint: a text, or an object around it.
pub(super) fn endpoint_uri(reader: &mut Reader<'_>, node: &Node) -> Option<Endpoint> {
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
    Ok(Endpoint { origin, path: segments(path, span)?, detail, query })
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

/// The address of a request, for the standard's response object: of the input that the connector is given, which
/// writes it so.
pub(super) fn written(origin: &str, span: Span) -> Template {
    let path = "$type($p) = \"array\" ? \"/\" & $join($p.$encodeUrlComponent($), \"/\") : $p";
    let pairs = "$keys($q).($k := $; $lookup($q, $k)[$ != null].($encodeUrlComponent($k) & \"=\" & $encodeUrlComponent($string($))))";
    let query = "$exists($pairs) ? \"?\" & $join($pairs, \"&\") : \"\"";
    let origin = json(origin);
    let text = format!(
        "($p := $lookup($, \"path\"); $q := $lookup($, \"query\"); $pairs := {pairs}; {origin} & ({path}) & ({query}))"
    );
    through(Template::Whole, &text, span)
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

/// A path with fields in it is a list of segments, unless it holds what a segment cannot say.
pub(in crate::flow) fn is_text(path: &str) -> bool {
    path.contains('%') || path.ends_with('/')
}

/// A value as it stands in a text that is an address.
pub(in crate::flow) fn encoded(value: Template, span: Span) -> Template {
    through(value, "$encodeUrlComponent($string($))", span)
}

fn segments(path: &str, span: Span) -> Result<Template, Refusal> {
    if !path.contains(['{', '}']) {
        return Ok(Template::Constant(json(path)));
    }
    if path.contains("//") {
        return Err(("a path with fields in it has an empty segment", "remove the doubled `/`"));
    }
    if is_text(path) {
        return pieces(path, |name| encoded(needed(name, span), span)).map(Template::Text);
    }
    let segments = path.strip_prefix('/').unwrap_or(path).split('/');
    let segment = |segment| {
        let pieces = pieces(segment, |name| needed(name, span))?;
        Ok(match pieces.as_slice() {
            [Piece::Text(text)] => Template::Constant(json(text)),
            _ => Template::Text(pieces),
        })
    };
    Ok(Template::Array(segments.map(segment).collect::<Result<_, Refusal>>()?))
}

/// A text as JSON.
pub(in crate::flow) fn json(text: &str) -> String {
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

/// A text with `{name}` in it, each a field of the data, absent or encoded.
pub(in crate::flow) fn expanded_text(text: &str, span: Span) -> Result<Template, Refusal> {
    pieces(text, |name| encoded(expanded(name, span), span)).map(Template::Text)
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
            "https://h//{id}",
            "https://h/{id}//",
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
        for text in ["https://h/{id}/", "https://h/a%20b/{id}"] {
            assert!(matches!(parse(text).unwrap().path, Template::Text(_)), "{text}");
        }
        assert!(matches!(parse("https://h/a%20b/").unwrap().path, Template::Constant(json) if json == "\"/a%20b/\""));
    }
}
