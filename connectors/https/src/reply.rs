//! An answer becomes an output, a stream or an error.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use lockgate_connector_api::{Answer, Body, Error, Kind, Streamed};
use lockgate_document::{Builder, Document, Fault};
use lockgate_model::Limits;
use tokio::time;

use crate::{
    exchange::{Held, Received},
    gzip,
    request::{Wanted, is_json},
};

/// Bytes of a refusing answer that are kept for the caller.
const REFUSAL_BYTES_MAX: usize = 4 << 10;
/// Bytes of a redirect's content that are read to keep its connection.
const DISCARD_BYTES_MAX: u64 = 16 << 10;

/// The answer of a call.
pub(crate) async fn answer(
    received: Received,
    method: &Method,
    wanted: Wanted,
    stream: bool,
    limits: &Limits,
    deadline: Instant,
) -> Result<Answer, Error> {
    let (status, mut headers, written) = (received.status(), received.headers().clone(), received.sent());
    if *method != Method::HEAD && is_coded(status, &headers, wanted) {
        // They speak of the content as it came, not of what is handed on.
        headers.remove(header::CONTENT_ENCODING);
        headers.remove(header::CONTENT_LENGTH);
    }
    if status.as_u16() >= 400 || status.is_redirection() && wanted.redirect == Some(false) {
        let said = beginning(content(received, wanted, deadline), REFUSAL_BYTES_MAX).await;
        return Err(refusal(status, &headers).with_private(String::from_utf8_lossy(&said)));
    }
    if *method == Method::HEAD {
        received.held.release();
        let output = output(status, &headers, Shown::Nothing, limits)?;
        return Ok(Answer {
            output,
            stream: stream.then(|| Streamed::Bytes(Body::full(Bytes::new()))),
            read: 0,
            written,
        });
    }
    if stream {
        let output = output(status, &headers, Shown::Nothing, limits)?;
        return Ok(Answer {
            output,
            stream: Some(Streamed::Bytes(content(received, wanted, deadline))),
            read: 0,
            written,
        });
    }
    let bytes = content(received, wanted, deadline).collect(limits.reply_bytes_max).await?;
    let read = bytes.len() as u64;
    let shown = match wanted.raw {
        true => Shown::Bytes(bytes),
        false => show(&headers, bytes, limits)?,
    };
    Ok(Answer { output: output(status, &headers, shown, limits)?, stream: None, read, written })
}

/// The error that a status is.
pub(crate) fn refusal(status: StatusCode, headers: &HeaderMap) -> Error {
    let (kind, text) = match status.as_u16() {
        300..=399 => (Kind::Rejected, "the endpoint answered with a redirect that is not followed"),
        401 | 407 => (Kind::Authentication, "the endpoint does not accept the account's credentials"),
        403 => (Kind::Authorization, "the endpoint does not let this account do it"),
        404 | 410 => (Kind::NotFound, "the endpoint has nothing at that path"),
        408 | 504 => (Kind::Timeout, "the endpoint took too long"),
        409 | 412 => (Kind::Conflict, "the endpoint's state does not allow it"),
        429 => (Kind::Unavailable, "the endpoint asks for fewer requests"),
        502 | 503 => (Kind::Unavailable, "the endpoint is not available now"),
        400..=499 => (Kind::Rejected, "the endpoint refused the request"),
        _ => (Kind::Rejected, "the endpoint failed"),
    };
    let seconds = retry_after(headers);
    Error::new(kind, "https-status", text)
        .with_status(status.as_u16())
        .with_retry_after(seconds.map(Duration::from_secs))
}

/// Seconds after which the endpoint wants to be asked again (RFC 9110 §10.2.3). A date is held against the answer's own,
/// so that no clock of ours is asked.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::trim);
    let after = text(header::RETRY_AFTER)?;
    if let Ok(seconds) = after.parse() {
        return Some(seconds);
    }
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    let wait = date(after)?.duration_since(date(text(header::DATE)?)?);
    Some(wait.map_or(0, |wait| wait.as_secs()))
}

/// Reads and forgets a short content, so that its connection can be used again; a long one costs
/// its connection.
pub(crate) async fn discard(received: Received, deadline: Instant) {
    let _ = coded(received, deadline).collect(DISCARD_BYTES_MAX).await;
}

/// The first bytes of a content, as far as they come.
async fn beginning(mut content: Body, bytes_max: usize) -> Vec<u8> {
    let mut said = Vec::new();
    while let Some(Ok(piece)) = content.next().await {
        said.extend_from_slice(&piece);
        if said.len() >= bytes_max {
            said.truncate(bytes_max);
            break;
        }
    }
    said
}

/// The content, without the coding that we asked for.
fn content(received: Received, wanted: Wanted, deadline: Instant) -> Body {
    match is_coded(received.status(), received.headers(), wanted) {
        true => gzip::decoded(coded(received, deadline)),
        false => coded(received, deadline),
    }
}

/// Whether the content has the coding that we asked for, which a part of it cannot be freed of.
fn is_coded(status: StatusCode, headers: &HeaderMap, wanted: Wanted) -> bool {
    let coding = headers.get(header::CONTENT_ENCODING).and_then(|coding| coding.to_str().ok());
    let is_gzip = coding.is_some_and(|coding| matches!(&*coding.trim().to_ascii_lowercase(), "gzip" | "x-gzip"));
    is_gzip && !wanted.encoded && status != StatusCode::PARTIAL_CONTENT
}

/// The content as it comes in, pulled by the reader, until the deadline.
fn coded(received: Received, deadline: Instant) -> Body {
    struct Reading {
        body: Incoming,
        held: Held,
    }
    let length = received.body.size_hint().exact();
    let reading = Reading { body: received.body, held: received.held };
    let pieces = stream::try_unfold(Some(reading), move |reading| async move {
        let Some(mut reading) = reading else { return Ok(None) };
        loop {
            let frame = time::timeout_at(deadline.into(), reading.body.frame())
                .await
                .map_err(|_| Error::new(Kind::Timeout, "https-timeout", "the answer did not end in time"))?;
            match frame {
                None => {
                    reading.held.release();
                    return Ok(None);
                }
                Some(Err(e)) => return Err(reading.held.failure(&e)),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some((data, Some(reading))));
                    }
                }
            }
        }
    });
    Body::new(pieces).with_length(length)
}

/// How a content stands in the output.
enum Shown {
    Nothing,
    Document(Box<Document>),
    Text(String),
    Bytes(Bytes),
}

fn show(headers: &HeaderMap, bytes: Bytes, limits: &Limits) -> Result<Shown, Error> {
    if bytes.is_empty() {
        return Ok(Shown::Nothing);
    }
    let Some(media_type) = headers.get(header::CONTENT_TYPE) else { return Ok(Shown::Bytes(bytes)) };
    if is_json(media_type) {
        let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let document = Document::parse(json, limits).map_err(|e| {
            Error::new(Kind::Protocol, "https-json", "the endpoint's answer is not the JSON that its content type says")
                .with_private(e.to_string())
        })?;
        return Ok(Shown::Document(Box::new(document)));
    }
    Ok(text(media_type, &bytes).map_or_else(|| Shown::Bytes(bytes.clone()), Shown::Text))
}

/// The content as text, if its type says so and its characters can be read.
fn text(media_type: &HeaderValue, bytes: &[u8]) -> Option<String> {
    let media_type = media_type.to_str().ok()?.to_ascii_lowercase();
    let mut parts = media_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_text = essence.starts_with("text/")
        || essence.ends_with("+xml")
        || matches!(essence, "application/xml" | "application/x-www-form-urlencoded" | "application/javascript");
    let charset = parts.find_map(|p| p.strip_prefix("charset=")).map(|c| c.trim_matches('"'));
    match charset {
        _ if !is_text => None,
        None | Some("utf-8" | "utf8" | "us-ascii") => String::from_utf8(bytes.to_vec()).ok(),
        Some("iso-8859-1" | "latin1") => Some(bytes.iter().map(|b| char::from(*b)).collect()),
        Some(_) => None,
    }
}

fn output(status: StatusCode, headers: &HeaderMap, shown: Shown, limits: &Limits) -> Result<Document, Error> {
    built(status, headers, shown, limits).map_err(|fault| {
        Error::new(Kind::TooLarge, "https-output", "the answer does not fit into the run's limits")
            .with_private(fault.to_string())
    })
}

fn built(status: StatusCode, headers: &HeaderMap, shown: Shown, limits: &Limits) -> Result<Document, Fault> {
    let mut out = Builder::new(limits);
    out.begin_object()?;
    out.key("status")?;
    out.integer(i64::from(status.as_u16()))?;
    out.key("headers")?;
    out.begin_object()?;
    for name in headers.keys() {
        out.key(name.as_str())?;
        let mut values = headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes()));
        match (values.next(), values.next()) {
            (Some(only), None) => out.text(&only)?,
            (first, second) => {
                out.begin_array()?;
                for value in first.into_iter().chain(second).chain(values) {
                    out.text(&value)?;
                }
                out.end()?;
            }
        }
    }
    out.end()?;
    match shown {
        Shown::Nothing => {}
        Shown::Document(document) => {
            out.key("body")?;
            out.value(document.root())?;
        }
        Shown::Text(text) => {
            out.key("body")?;
            out.text(&text)?;
        }
        Shown::Bytes(bytes) => {
            out.key("body_base64")?;
            out.text(&STANDARD.encode(&bytes))?;
        }
    }
    out.end()?;
    out.finish()
}
