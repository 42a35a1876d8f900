//! A request before it is sent.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use lockgate_model::TraceContext;

use super::{Content, Target};
use crate::{Error, Kind};

/// The content coding that is asked for and taken off.
pub(crate) const GZIP: &str = "gzip";

/// A request to the account's own origin, without its credentials.
#[derive(Debug)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path and query.
    pub target: Target,
    /// Headers of the call, and those we add for it.
    pub headers: HeaderMap,
    /// Content.
    pub content: Content,
    /// Sending it twice does no more than sending it once.
    pub repeatable: bool,
    /// Redirects are followed, as far as the account's setting lets them.
    pub follows: bool,
}

impl Request {
    /// A request with nothing but method and target.
    pub fn bare(method: Method, target: Target) -> Self {
        let mut headers = HeaderMap::new();
        complete(&mut headers);
        Self { method, target, headers, content: Content::EMPTY, repeatable: true, follows: true }
    }

    /// The same request once more, where its content can be had again.
    pub fn again(&self) -> Option<Self> {
        let content = self.content.again()?;
        let (method, target, headers) = (self.method.clone(), self.target.clone(), self.headers.clone());
        Some(Self { method, target, headers, content, repeatable: self.repeatable, follows: self.follows })
    }
}

/// What every request carries unless the call said otherwise.
pub fn complete(headers: &mut HeaderMap) {
    // A range counts bytes of what is sent: of gzip it would be a piece that nobody can read.
    let coding = if headers.contains_key(header::RANGE) { "identity" } else { GZIP };
    headers.entry(header::ACCEPT_ENCODING).or_insert(HeaderValue::from_static(coding));
    headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json, */*;q=0.5"));
    headers.entry(header::USER_AGENT).or_insert(HeaderValue::from_static("lockgate"));
}

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// W3C Trace Context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Whether a request by this method may be sent twice (RFC 9110 §9.2.2). Of methods beside that RFC nobody knows here.
pub fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE)
}

/// The key by which an endpoint may recognise a repetition, unless the flow says itself which one it is.
///
/// # Errors
/// `Input` where it cannot stand in a header.
pub fn push_key(headers: &mut HeaderMap, key: Option<&str>) -> Result<(), Error> {
    if let Some(key) = key
        && !headers.contains_key(IDEMPOTENCY_KEY)
    {
        headers.insert(IDEMPOTENCY_KEY, header_value(key)?);
    }
    Ok(())
}

/// The trace goes along, unless the flow says itself which one it is.
///
/// # Errors
/// `Input` where it cannot stand in a header.
pub fn push_trace(headers: &mut HeaderMap, trace: &TraceContext) -> Result<(), Error> {
    if headers.contains_key(TRACEPARENT) {
        return Ok(());
    }
    headers.insert(TRACEPARENT, header_value(&trace.traceparent())?);
    match trace.tracestate() {
        Some(state) => headers.insert(TRACESTATE, header_value(state)?),
        None => headers.remove(TRACESTATE),
    };
    Ok(())
}

/// Headers that belong to the connection or to the account, never to a flow.
pub fn is_of_connection(name: &HeaderName) -> bool {
    const OTHERS: [&str; 4] = ["keep-alive", "proxy-connection", "http2-settings", "alt-svc"];
    matches!(
        *name,
        header::HOST
            | header::CONTENT_LENGTH
            | header::TRANSFER_ENCODING
            | header::CONNECTION
            | header::UPGRADE
            | header::TE
            | header::TRAILER
            | header::EXPECT
            | header::PROXY_AUTHORIZATION
            | header::PROXY_AUTHENTICATE
    ) || OTHERS.contains(&name.as_str())
}

/// Visible ASCII, spaces and tabs: no way to begin a second header or a second request.
///
/// # Errors
/// `Input` where the text holds anything else.
pub fn header_value(text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text).ok().filter(|_| text.is_ascii()).ok_or_else(|| {
        let text = "a header's value holds a line break or another character that it cannot";
        Error::new(Kind::Input, "https-input", text)
    })
}
