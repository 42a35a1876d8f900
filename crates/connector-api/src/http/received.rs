//! An answer: its head, its content as it comes, and the error that its status is.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header, response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time;

use super::{Target, gzip, outgoing::Progress, pool::Lease};
use crate::{Body, Error, Kind, Place};

/// Bytes of a redirect's content that are read to keep its connection.
const DISCARD_BYTES_MAX: u64 = 16 << 10;

/// An answer whose content is still to be read.
pub struct Received {
    head: response::Parts,
    body: Incoming,
    held: Held,
    /// Where it came from; none where that is another origin than the account's.
    target: Option<Target>,
}

/// What an answer holds until its content was read; dropping it earlier closes an HTTP/1.1
/// connection and resets an HTTP/2 stream.
pub(crate) struct Held {
    lease: Lease,
    room: Arc<Place>,
    progress: Arc<Progress>,
}

impl Held {
    pub fn new(lease: Lease, room: Arc<Place>, progress: Arc<Progress>) -> Self {
        Self { lease, room, progress }
    }

    /// The content was read to its end. A connection that is still sending the request's own serves nobody else.
    fn release(self) {
        if self.progress.ended() {
            self.lease.give_back();
        }
        drop(self.room);
    }
}

impl Received {
    pub(crate) fn new(head: response::Parts, body: Incoming, held: Held, target: Option<Target>) -> Self {
        Self { head, body, held, target }
    }

    /// The path and query that it is the answer of, behind all redirects; none at another origin.
    pub fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// Its headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Bytes of content that went out.
    pub fn sent(&self) -> u64 {
        self.held.progress.bytes()
    }

    /// Nothing of its content is to be read, because it has none.
    pub fn release(self) {
        self.held.release();
    }

    /// Whether the content has the coding that we asked for, which a part of it cannot be freed of.
    pub fn is_coded(&self) -> bool {
        let coding = self.head.headers.get(header::CONTENT_ENCODING).and_then(|coding| coding.to_str().ok());
        let is_gzip = coding.is_some_and(|coding| matches!(&*coding.trim().to_ascii_lowercase(), "gzip" | "x-gzip"));
        is_gzip && self.head.status != StatusCode::PARTIAL_CONTENT
    }

    /// The content, without the coding that we asked for.
    pub fn content(self, deadline: Instant) -> Body {
        match self.is_coded() {
            true => gzip::decoded(self.coded(deadline)),
            false => self.coded(deadline),
        }
    }

    /// The content as it comes in, pulled by the reader, until the deadline.
    pub fn coded(self, deadline: Instant) -> Body {
        struct Reading {
            body: Incoming,
            held: Held,
        }
        let length = self.body.size_hint().exact();
        let reading = Reading { body: self.body, held: self.held };
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
                    Some(Err(e)) => return Err(reading.held.lease.failure(&e)),
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

    /// Reads and forgets a short content, so that its connection can be used again; a long one costs
    /// its connection.
    pub async fn discard(self, deadline: Instant) {
        let _ = self.coded(deadline).collect(DISCARD_BYTES_MAX).await;
    }
}

/// The first bytes of a content, as far as they come.
pub async fn beginning(mut content: Body, bytes_max: usize) -> Vec<u8> {
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

/// Whether a status is an error: from 400 on, and a redirect that the caller does not take as an answer.
pub fn is_refusal(status: u16, redirect: Option<bool>) -> bool {
    status >= 400 || (300..400).contains(&status) && redirect == Some(false)
}

/// The error that a status is.
pub fn refusal(status: StatusCode, headers: &HeaderMap) -> Error {
    refusal_of(status.as_u16(), retry_after(headers).map(Duration::from_secs))
}

/// The same of a number, and of how long the endpoint wants to be left alone.
pub fn refusal_of(status: u16, retry_after: Option<Duration>) -> Error {
    let (kind, text) = match status {
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
    Error::new(kind, "https-status", text).with_status(status).with_retry_after(retry_after)
}

/// Seconds after which the endpoint wants to be asked again (RFC 9110 §10.2.3). A date is held against the answer's own,
/// so that no clock of ours is asked.
pub fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::trim);
    let after = text(header::RETRY_AFTER)?;
    if let Ok(seconds) = after.parse() {
        return Some(seconds);
    }
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    let wait = date(after)?.duration_since(date(text(header::DATE)?)?);
    Some(wait.map_or(0, |wait| wait.as_secs()))
}
