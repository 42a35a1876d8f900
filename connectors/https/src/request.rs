//! A call's input becomes a request.
//!
//! Everything a flow can compute passes here, so this is where line breaks, foreign headers and
//! paths that climb are refused, before anything is sent.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use lockgate_connector_api::{
    Call, Error, Kind, Operation,
    http::{
        Content, Request, Settings, Target, complete, form::URL_ENCODED, header_value, is_idempotent, is_of_connection,
        push_key, push_trace,
    },
};
use lockgate_document::{Builder, Kind as Is, Node};
use lockgate_model::Limits;

use crate::{form, spec::PAGES};

/// What a flow wants of an answer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted {
    /// Whether a redirect is an answer, if that is said.
    pub redirect: Option<bool>,
    /// The content comes in base64.
    pub raw: bool,
    /// The flow itself says which encodings it accepts, and gets the content as it comes.
    pub encoded: bool,
}

impl Wanted {
    fn read(input: Node<'_>) -> Result<Self, Error> {
        let encoded = input.get("headers").entries().any(|(name, _)| name.eq_ignore_ascii_case("accept-encoding"));
        Ok(Self {
            encoded,
            redirect: truth(input, "redirect", "`redirect` must be true or false")?,
            raw: truth(input, "raw", "`raw` must be true or false")?.unwrap_or_default(),
        })
    }
}

/// Headers the flow may set in one request.
const HEADERS_MAX: usize = 64;
/// The longest name of a method.
const METHOD_BYTES_MAX: usize = 64;
/// Bytes of all of them.
const HEADER_BYTES_MAX: usize = 32 << 10;
/// The request of a call, and what becomes of its answer.
///
/// # Errors
/// `Input` when the input breaks a rule; its text says which.
pub(crate) fn of_call(settings: &Settings, operation: &Operation, call: Call) -> Result<(Request, Wanted), Error> {
    let input = call.input.root();
    let method = method(operation, input)?;
    known_keys(input, operation)?;
    let wanted = Wanted::read(input)?;
    let mut target = target(settings.address.base(), input)?;
    push_query(&mut target, input.get("query"))?;
    let mut headers = headers(settings, input.get("headers"))?;
    sign_in(settings, input.get("basic"), &mut headers)?;
    if let Some(trace) = &call.trace {
        push_trace(&mut headers, trace)?;
    }
    let content = content(input, call.body, &mut headers, &call.limits)?;
    if matches!(method, Method::GET | Method::HEAD) && !content.is_empty() {
        return Err(refused("a request that only reads cannot carry a body"));
    }
    let idempotent = is_idempotent(&method);
    if !idempotent {
        push_key(&mut headers, call.idempotency_key.as_deref())?;
    }
    complete(&mut headers);
    let repeatable = idempotent && matches!(content, Content::Full(_));
    let follows = wanted.redirect != Some(true);
    Ok((Request { method, target, headers, content, repeatable, follows }, wanted))
}

/// The method of a request: any token (RFC 9110 §9.1) but CONNECT, which makes a tunnel, and TRACE, which has what was sent
/// said back. Names of this RFC may be written in any case; others are meant as they are written. Of those only what the
/// RFC says is idempotent (§9.2.2) may be repeated.
fn method(operation: &Operation, input: Node<'_>) -> Result<Method, Error> {
    let name = match operation.name {
        PAGES => "GET",
        "request" => input.get("method").as_str().ok_or_else(|| refused("`method` is missing"))?,
        name => name,
    };
    Ok(match name.to_ascii_uppercase().as_str() {
        "GET" => Method::GET,
        "HEAD" => Method::HEAD,
        "PUT" => Method::PUT,
        "DELETE" => Method::DELETE,
        "POST" => Method::POST,
        "PATCH" => Method::PATCH,
        "OPTIONS" => Method::OPTIONS,
        "CONNECT" | "TRACE" => return Err(refused("`method` is CONNECT or TRACE, which are never sent")),
        _ => Some(name)
            .filter(|name| name.len() <= METHOD_BYTES_MAX)
            .and_then(|name| Method::from_bytes(name.as_bytes()).ok())
            .ok_or_else(|| refused("`method` is no name of a method, as GET or PROPFIND are"))?,
    })
}

/// A misspelt key would silently do nothing, so it is refused.
fn known_keys(input: Node<'_>, operation: &Operation) -> Result<(), Error> {
    if !matches!(input.kind(), Is::Object | Is::Undefined) {
        return Err(refused("the input must be an object"));
    }
    let unknown = input.entries().map(|(key, _)| key).find(|key| match *key {
        "path" | "query" | "headers" | "basic" | "absolute" => false,
        "redirect" | "raw" => operation.name == PAGES,
        "records" | "next" | "pages_max" => operation.name != PAGES,
        "body" | "body_base64" | "form" | "multipart" => matches!(operation.name, "get" | "head" | PAGES),
        "method" => operation.name != "request",
        _ => true,
    });
    match unknown {
        None => Ok(()),
        Some(key) => Err(refused("the input has a key that the operation does not know")
            .with_private(format!("`{}`", key.escape_debug()))),
    }
}

/// The path, below the account's base or, where it is `absolute`, with it.
fn target(base: &str, input: Node<'_>) -> Result<Target, Error> {
    let path = input.get("path");
    let is_absolute = truth(input, "absolute", "`absolute` must be true or false")?.unwrap_or_default();
    let under = if is_absolute { "" } else { base };
    let target = match path.kind() {
        Is::Undefined | Is::Null => Target::base(under),
        Is::String => Target::below(under, path.as_str().unwrap_or_default())?,
        Is::Array => {
            let segments = path.items().map(|item| scalar(item, "`path` holds what is neither text nor number"));
            let segments: Vec<String> = segments.collect::<Result<_, _>>()?;
            Target::of_segments(under, segments.iter().map(String::as_str))?
        }
        _ => return Err(refused("`path` must be a text or a list of segments")),
    };
    match target.lies_under(base) {
        true => Ok(target),
        false => Err(refused("the path does not lie under the account's base")),
    }
}

fn truth(input: Node<'_>, key: &str, wrong: &'static str) -> Result<Option<bool>, Error> {
    match input.get(key) {
        absent if absent.is_undefined() => Ok(None),
        given => given.as_bool().map(Some).ok_or_else(|| refused(wrong)),
    }
}

fn push_query(target: &mut Target, query: Node<'_>) -> Result<(), Error> {
    const WRONG: &str = "`query` must be an object of texts, numbers, booleans and lists of these";
    if !matches!(query.kind(), Is::Undefined | Is::Null | Is::Object) {
        return Err(refused(WRONG));
    }
    for (name, value) in query.entries() {
        match value.kind() {
            Is::Undefined | Is::Null => {}
            Is::Array => {
                for item in value.items() {
                    target.push_query(name, &scalar(item, WRONG)?)?;
                }
            }
            _ => target.push_query(name, &scalar(value, WRONG)?)?,
        }
    }
    Ok(())
}

fn headers(settings: &Settings, given: Node<'_>) -> Result<HeaderMap, Error> {
    const WRONG: &str = "`headers` must be an object of texts, numbers and booleans";
    let mut headers = HeaderMap::new();
    let mut bytes = 0;
    match given.kind() {
        Is::Undefined | Is::Null => return Ok(headers),
        Is::Object => {}
        _ => return Err(refused(WRONG)),
    }
    for (name, value) in given.entries() {
        let private = || format!("header `{}`", name.escape_debug());
        let parsed = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| refused("a header's name holds a character that a name cannot").with_private(private()))?;
        let signs_in = settings.sign_in_header() == Some(&parsed);
        if is_of_connection(&parsed) {
            return Err(refused("a header belongs to the connection and cannot be set").with_private(private()));
        }
        if signs_in || parsed == header::AUTHORIZATION || parsed == header::COOKIE {
            return Err(refused("credentials are set on the account, never in a call").with_private(private()));
        }
        let value = scalar(value, WRONG)?;
        bytes += name.len() + value.len();
        let value = header_value(&value).map_err(|e| e.with_private(private()))?;
        if headers.insert(parsed, value).is_some() {
            return Err(refused("a header is given twice").with_private(private()));
        }
    }
    if headers.len() > HEADERS_MAX || bytes > HEADER_BYTES_MAX {
        return Err(refused("more than 64 headers, or more than 32 KiB of them"));
    }
    Ok(headers)
}

/// Signs in as the call says, where the account has no credentials of its own. It goes to the account's own
/// origin alone, as every header does that is not harmless.
fn sign_in(settings: &Settings, given: Node<'_>, headers: &mut HeaderMap) -> Result<(), Error> {
    if given.is_undefined() {
        return Ok(());
    }
    if settings.signs_in() {
        return Err(refused(
            "the account signs in itself, so a call cannot: leave out `basic`, or the account's `auth`",
        ));
    }
    let (username, password) = (given.get("username").as_str(), given.get("password").as_str());
    let (Some(username), Some(password), 2) = (username, password, given.len()) else {
        return Err(refused("`basic` must be an object of the texts `username` and `password`"));
    };
    if username.contains(':') {
        return Err(refused("the user name of `basic` must not contain a colon"));
    }
    let mut value = header_value(&format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))?;
    value.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, value);
    Ok(())
}

fn content(
    input: Node<'_>,
    stream: Option<lockgate_connector_api::Body>,
    headers: &mut HeaderMap,
    limits: &Limits,
) -> Result<Content, Error> {
    let (body, base64) = (input.get("body"), input.get("body_base64"));
    let (fields, parts) = (input.get("form"), input.get("multipart"));
    // A stream may be a part of `multipart`.
    let streams = stream.is_some() && parts.is_undefined();
    let given = [streams, !body.is_undefined(), !base64.is_undefined(), !fields.is_undefined(), !parts.is_undefined()];
    if given.iter().filter(|g| **g).count() > 1 {
        return Err(refused(
            "more than one of `body`, `body_base64`, `form`, `multipart` and a streamed body is given",
        ));
    }
    let said = headers.get(header::CONTENT_TYPE).map(essence).unwrap_or_default();
    let is_object = body.kind() == Is::Object;
    if !parts.is_undefined() || is_object && said == form::MULTIPART {
        let parts = if parts.is_undefined() { body } else { parts };
        let (content, media_type) =
            form::multipart(parts, stream, &lockgate_model::run::unique(), limits.arena_bytes_max)?;
        // Whatever was said before does not know the boundary.
        headers.insert(header::CONTENT_TYPE, header_value(&media_type)?);
        return Ok(content);
    }
    let (content, media_type) = if !fields.is_undefined() || is_object && said == URL_ENCODED {
        (form::url_encoded(if fields.is_undefined() { body } else { fields }, limits.arena_bytes_max)?, URL_ENCODED)
    } else if let Some(stream) = stream {
        (Content::Stream(stream), "application/octet-stream")
    } else if let Some(text) = base64.as_str() {
        let bytes = STANDARD.decode(text).map_err(|_| refused("`body_base64` is no base64"))?;
        (Content::Full(bytes.into()), "application/octet-stream")
    } else if !base64.is_undefined() {
        return Err(refused("`body_base64` must be a text"));
    } else if body.is_undefined() {
        return Ok(Content::EMPTY);
    } else if let (Some(text), false) = (body.as_str(), headers.get(header::CONTENT_TYPE).is_some_and(is_json)) {
        (Content::Full(Bytes::copy_from_slice(text.as_bytes())), "text/plain; charset=utf-8")
    } else {
        (Content::Full(print(body, limits)?.into()), "application/json")
    };
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(media_type));
    Ok(content)
}

fn print(body: Node<'_>, limits: &Limits) -> Result<Vec<u8>, Error> {
    let printed = || {
        let mut builder = Builder::new(limits);
        builder.value(body)?;
        builder.finish()?.print(limits.arena_bytes_max)
    };
    printed().map_err(|fault| refused("`body` cannot be written as JSON").with_private(format!("{fault}")))
}

/// Whether a content type is JSON: `application/json`, `text/json`, or any `+json` (RFC 6839).
pub(crate) fn is_json(value: &HeaderValue) -> bool {
    let essence = essence(value);
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

/// A media type without its parameters, in lower case.
fn essence(value: &HeaderValue) -> String {
    value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

pub(crate) fn scalar(value: Node<'_>, wrong: &'static str) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    if let Some(truth) = value.as_bool() {
        return Ok(truth.to_string());
    }
    value.lexeme().map(|number| number.into_owned()).ok_or_else(|| refused(wrong))
}

pub(crate) fn refused(text: &'static str) -> Error {
    Error::new(Kind::Input, "https-input", text)
}
