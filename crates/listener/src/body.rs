//! A request's body becomes a document: content type, size, pace and JSON, each with its refusal.
//!
//! The bytes live in memory alone, count against one budget for all requests, and are gone when the
//! document stands.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use lockgate_document::{Document, Fault};
use lockgate_model::Limits;
use lockgate_runtime::Telemetry;
use tokio::sync::Semaphore;

use crate::{
    BodyError, RequestBody, Settings,
    budget::{Budget, Place},
};

/// Bodies and replies up to this size are parsed and printed where they are; larger ones on a blocking thread.
const INLINE_BYTES_MAX: usize = 64 << 10;

/// Longest `Idempotency-Key` in bytes.
const KEY_BYTES_MAX: usize = 255;

/// Why a request's body, or what describes it, is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No JSON by its content type.
    ContentType,
    /// Compressed or otherwise encoded.
    ContentEncoding,
    /// More bytes than the limit.
    TooLarge { bytes_max: u64 },
    /// Too slow.
    Slow,
    /// Broken off.
    Broken,
    /// No JSON.
    Syntax { code: String, message: String, line: usize, column: usize },
    /// The idempotency key cannot be used.
    IdempotencyKey,
    /// Too many bytes in memory just now.
    Busy,
}

/// Takes bodies in, for all requests of a server.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    telemetry: Arc<Telemetry>,
    /// Memory for bodies, the admin API's among them.
    pub(crate) budget: Budget,
    /// Documents parsed or printed on blocking threads at a time.
    slots: Arc<Semaphore>,
}

impl Intake {
    pub(crate) fn new(settings: &Settings, telemetry: Arc<Telemetry>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { telemetry, budget: Budget::new(settings.bodies_bytes_max), slots: Arc::new(Semaphore::new(cores)) }
    }

    /// The document in a body. No body is the input *undefined*, whatever it is declared as: no request has to have one
    /// (OpenAPI 3.1, `requestBody.required`), and clients that always send JSON declare what is not there.
    pub(crate) async fn document(
        &self,
        headers: &HeaderMap,
        body: RequestBody,
        limits: &Limits,
    ) -> Result<Document, Refusal> {
        if headers.contains_key(header::CONTENT_ENCODING) {
            return Err(Refusal::ContentEncoding);
        }
        let mut types = headers.get_all(header::CONTENT_TYPE).iter();
        match (types.next(), types.next()) {
            (None, _) if body.is_end_stream() => return Ok(Document::undefined()),
            // A chunked body may turn out to be empty as well.
            (None, _) => {
                return match self.bytes(body, 0).await {
                    Ok(_) => Ok(Document::undefined()),
                    Err(Refusal::TooLarge { .. }) => Err(Refusal::ContentType),
                    Err(other) => Err(other),
                };
            }
            (Some(one), None) if one.to_str().is_ok_and(is_json) => {}
            (Some(_), _) => return Err(Refusal::ContentType),
        }
        let held = self.bytes(body, limits.request_bytes_max).await?;
        if held.bytes.is_empty() {
            return Ok(Document::undefined());
        }
        self.telemetry.metrics.request_body(held.bytes.len() as u64);
        if held.bytes.len() <= INLINE_BYTES_MAX {
            return parse(&held.bytes, limits);
        }
        let limits = *limits;
        self.away(move || parse(&held.bytes, &limits)).await?
    }

    /// The bytes of a form; how large it may be is said by who reads it.
    pub(crate) async fn form(&self, headers: &HeaderMap, body: RequestBody, bytes_max: u64) -> Result<Bytes, Refusal> {
        let mut types = headers.get_all(header::CONTENT_TYPE).iter();
        let one = types.next().and_then(|one| one.to_str().ok()).filter(|_| types.next().is_none());
        let essence = one.and_then(|one| one.split(';').next()).unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Refusal::ContentType);
        }
        self.bytes(body, bytes_max).await.map(|held| held.bytes)
    }

    /// Prints an output. How long it gets is known when it is printed, because a value may stand in several places: so
    /// it is tried where it stands, and what turns out long is printed again on a blocking thread.
    pub(crate) async fn print(&self, output: Document, bytes_max: u64) -> Result<Result<Vec<u8>, Fault>, Refusal> {
        match output.print(bytes_max.min(INLINE_BYTES_MAX as u64)) {
            Err(Fault::ReplyTooLarge) if bytes_max > INLINE_BYTES_MAX as u64 => {
                self.away(move || output.print(bytes_max)).await
            }
            printed => Ok(printed),
        }
    }

    /// Runs work on a blocking thread, a few at a time.
    async fn away<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        let slot = self.slots.clone().acquire_owned().await.map_err(|_| Refusal::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(slot);
            done
        });
        done.await.map_err(|_| Refusal::Busy)
    }

    async fn bytes(&self, body: RequestBody, bytes_max: u64) -> Result<Held, Refusal> {
        let too_large = Refusal::TooLarge { bytes_max };
        // What is announced as too large is not read at all.
        if body.size_hint().lower() > bytes_max {
            return Err(too_large);
        }
        let place = self.budget.place();
        let mut body = body.within(place.clone());
        let mut first: Option<Bytes> = None;
        let mut all: Vec<u8> = Vec::new();
        let mut length = 0u64;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| match error {
                BodyError::Slow => Refusal::Slow,
                BodyError::Broken => Refusal::Broken,
                BodyError::Busy => Refusal::Busy,
            })?;
            // Trailers mean nothing here.
            let Ok(data) = frame.into_data() else { continue };
            length = length.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
            if length > bytes_max {
                return Err(too_large);
            }
            // Most bodies are one frame, which needs no copy.
            if let Some(before) = first.take() {
                all.extend_from_slice(&before);
                all.extend_from_slice(&data);
            } else if all.is_empty() {
                first = Some(data);
            } else {
                all.extend_from_slice(&data);
            }
        }
        let bytes = first.unwrap_or_else(|| all.into());
        Ok(Held { bytes, _place: place })
    }
}

/// Bytes of a body and their place in the budget.
struct Held {
    bytes: Bytes,
    _place: Place,
}

fn parse(bytes: &[u8], limits: &Limits) -> Result<Document, Refusal> {
    Document::parse(bytes, limits).map_err(|error| {
        let (line, column) = error.line_column(bytes);
        Refusal::Syntax { code: error.code(), message: error.message(), line, column }
    })
}

/// `application/json`, or a type with the suffix `+json` (RFC 6839 §3.1); in UTF-8 (RFC 8259 §8.1).
fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let json = match essence.split_once('/') {
        Some(("application", "json")) => true,
        Some((kind, subtype)) => !kind.is_empty() && subtype.len() > 5 && subtype.ends_with("+json"),
        None => false,
    };
    let utf8 = |parameter: &str| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    json && parts.all(utf8)
}

/// The caller's own key for this occurrence: printable ASCII, one header, of bounded length.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let text = key.to_str().map_err(|_| Refusal::IdempotencyKey)?;
    let fits = (1..=KEY_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if !fits || keys.next().is_some() {
        return Err(Refusal::IdempotencyKey);
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_json_in_utf8_is_json() {
        for no in [
            "",
            "json",
            "text/json",
            "text/plain",
            "application/jsonp",
            "application/+json",
            "/problem+json",
            "application/json; charset=latin1",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=json",
        ] {
            assert!(!is_json(no), "{no}");
        }
        for yes in [
            "application/json",
            "Application/JSON",
            "application/json;charset=UTF-8",
            "application/json; charset=\"utf-8\"; v=1",
            "application/problem+json",
            "application/vnd.acme.order+json",
        ] {
            assert!(is_json(yes), "{yes}");
        }
    }

    #[tokio::test]
    async fn an_output_is_printed_whole_or_not_at_all_however_long_it_gets() {
        let intake = Intake::new(&Settings::default(), Arc::new(Telemetry::new(lockgate_model::Timestamp(0))));
        let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
        for bytes in [2, INLINE_BYTES_MAX - 1, INLINE_BYTES_MAX, INLINE_BYTES_MAX + 1, 10 * INLINE_BYTES_MAX] {
            let output = || Document::parse(text(bytes).as_bytes(), &Limits::default()).unwrap();
            let printed = intake.print(output(), bytes as u64).await.unwrap().unwrap();
            assert!(printed == text(bytes).as_bytes(), "{bytes}");
            let refused = intake.print(output(), bytes as u64 - 1).await.unwrap();
            assert_eq!(refused.unwrap_err().code(), "LG-REPLY-TOO-LARGE", "{bytes}");
        }
    }

    #[test]
    fn a_key_that_cannot_be_used_is_refused() {
        let key = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("idempotency-key", HeaderValue::from_bytes(value).unwrap());
            }
            idempotency_key(&headers)
        };
        for bad in [&[b"" as &[u8]] as &[&[u8]], &[b"a b"], &[b"\xe4"], &[b"a\tb"], &[&[b'x'; 256]], &[b"a", b"a"]] {
            assert_eq!(key(bad), Err(Refusal::IdempotencyKey), "{bad:?}");
        }
        assert_eq!(key(&[]), Ok(None));
        assert_eq!(key(&[b"8e03978e-40d5-43dd"]), Ok(Some("8e03978e-40d5-43dd".into())));
        assert_eq!(key(&[&[b'x'; 255]]).unwrap().unwrap().len(), 255);
    }
}
