//! Replies: a status, fixed headers and bytes; never a file, never a stream of unknown length.

use std::{
    convert::Infallible,
    fmt::Display,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use serde_json::Value;

/// What a mounted service may fail with while it sends a body.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A reply of a [`Handler`](crate::Handler).
pub type Reply = Response<ReplyBody>;

/// The body of a reply.
pub struct ReplyBody(Inner);

enum Inner {
    Bytes(Full<Bytes>),
    Mounted(UnsyncBoxBody<Bytes, BoxError>),
}

impl ReplyBody {
    /// Bytes that are all there.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(Inner::Bytes(Full::new(bytes.into())))
    }

    /// The body of a mounted service.
    pub fn mounted<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(Inner::Mounted(body.map_err(Into::into).boxed_unsync()))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Inner::Bytes(body) => {
                Pin::new(body).poll_frame(cx).map(|frame| frame.map(|f| f.map_err(|never: Infallible| match never {})))
            }
            Inner::Mounted(body) => Pin::new(body).poll_frame(cx),
        }
    }
    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Bytes(body) => body.is_end_stream(),
            Inner::Mounted(body) => body.is_end_stream(),
        }
    }
    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Bytes(body) => body.size_hint(),
            Inner::Mounted(body) => body.size_hint(),
        }
    }
}

/// An empty reply. Nothing that Lockgate answers may be kept by a cache or guessed at by a browser.
pub(crate) fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(ReplyBody::bytes(Bytes::new()));
    *reply.status_mut() = status;
    set(&mut reply, header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set(&mut reply, header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

/// A reply with a body.
pub(crate) fn full(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = empty(status);
    *reply.body_mut() = ReplyBody::bytes(body);
    set(&mut reply, header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// A reply of JSON that we made ourselves.
pub(crate) fn json(status: StatusCode, content_type: &'static str, value: &Value) -> Reply {
    full(status, content_type, value.to_string())
}

/// Sets a header.
pub(crate) fn set(reply: &mut Reply, name: HeaderName, value: HeaderValue) {
    reply.headers_mut().insert(name, value);
}

/// Sets a header to a text that we made; one that cannot stand in a header is left out.
pub(crate) fn set_text(reply: &mut Reply, name: HeaderName, text: impl Display) {
    if let Ok(value) = HeaderValue::try_from(text.to_string()) {
        set(reply, name, value);
    }
}
