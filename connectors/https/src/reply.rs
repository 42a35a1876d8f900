//! An answer becomes an output, a stream or an error.

use std::time::Instant;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use lockgate_connector_api::{
    Answer, Body, Error, Kind, Streamed,
    http::{Received, beginning, is_refusal, refusal},
};
use lockgate_document::{Builder, Document, Fault};
use lockgate_model::Limits;

use crate::request::{Wanted, is_json};

/// Bytes of a refusing answer that are kept for the caller.
pub(crate) const REFUSAL_BYTES_MAX: usize = 4 << 10;
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
    if *method != Method::HEAD && !wanted.encoded && received.is_coded() {
        // They speak of the content as it came, not of what is handed on.
        headers.remove(header::CONTENT_ENCODING);
        headers.remove(header::CONTENT_LENGTH);
    }
    if is_refusal(status.as_u16(), wanted.redirect) {
        let said = beginning(content(received, wanted, deadline), REFUSAL_BYTES_MAX).await;
        return Err(refusal(status, &headers).with_private(String::from_utf8_lossy(&said)));
    }
    if *method == Method::HEAD {
        received.release();
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

/// The content, without the coding that we asked for.
fn content(received: Received, wanted: Wanted, deadline: Instant) -> Body {
    if wanted.encoded { received.coded(deadline) } else { received.content(deadline) }
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
        return json(&bytes, limits).map(|document| Shown::Document(Box::new(document)));
    }
    Ok(text(media_type, &bytes).map_or_else(|| Shown::Bytes(bytes.clone()), Shown::Text))
}

/// A content that is JSON.
pub(crate) fn json(bytes: &[u8], limits: &Limits) -> Result<Document, Error> {
    let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    Document::parse(json, limits).map_err(|e| {
        Error::new(Kind::Protocol, "https-json", "the endpoint's answer is not the JSON that it should be")
            .with_private(e.to_string())
    })
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
