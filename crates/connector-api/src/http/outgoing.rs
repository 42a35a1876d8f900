//! The content of a request on its way out: at hand or streamed, counted.

use std::{
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::Stream as _;
use http_body::{Frame, SizeHint};

use crate::{Body, Error};

/// What a request carries.
#[derive(Debug)]
pub enum Content {
    /// Wholly at hand; may be sent again.
    Full(Bytes),
    /// A single pass.
    Stream(Body),
}

impl Content {
    /// Nothing.
    pub const EMPTY: Content = Content::Full(Bytes::new());

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Full(bytes) if bytes.is_empty())
    }

    /// The same content once more, where it can be had.
    pub fn again(&self) -> Option<Self> {
        match self {
            Self::Full(bytes) => Some(Self::Full(bytes.clone())),
            Self::Stream(_) => None,
        }
    }
}

/// How far the sending of a content has come, told to the one who waits for the answer. A source
/// that fails ends the connection's own task, so its error would not reach the waiter otherwise.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    handed_over: AtomicU64,
    ended: AtomicBool,
    failed: OnceLock<Error>,
}

impl Progress {
    /// Bytes handed over so far.
    pub fn bytes(&self) -> u64 {
        self.handed_over.load(Ordering::Relaxed)
    }

    /// All of it was handed over.
    pub fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// The error of the content's source, if it failed.
    pub fn failed(&self) -> Option<Error> {
        self.failed.get().cloned()
    }
}

/// Content as hyper takes it.
#[derive(Debug)]
pub(crate) struct Outgoing {
    content: Content,
    progress: Arc<Progress>,
}

impl Outgoing {
    /// Content, and where its progress is told.
    pub fn new(content: Content, progress: Arc<Progress>) -> Self {
        progress.ended.store(content.is_empty(), Ordering::Relaxed);
        Self { content, progress }
    }

    /// Whether nothing is left of it.
    fn is_over(&self, came: Option<&Result<Bytes, Error>>) -> bool {
        match &self.content {
            Content::Full(bytes) => bytes.is_empty(),
            // Where it says how long it is, nobody asks for what comes after that.
            Content::Stream(body) => {
                came.is_none() || body.length().is_some_and(|length| self.progress.bytes() >= length)
            }
        }
    }

    /// The content, of a request that was not sent.
    pub fn into_content(self) -> Content {
        self.content
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let piece = match &mut self.content {
            Content::Full(bytes) if bytes.is_empty() => None,
            Content::Full(bytes) => Some(Ok(std::mem::take(bytes))),
            Content::Stream(body) => std::task::ready!(Pin::new(body).poll_next(cx)),
        };
        match &piece {
            Some(Ok(bytes)) => {
                self.progress.handed_over.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            }
            // A body yields one error at most; a second one would add nothing.
            Some(Err(error)) => {
                let _ = self.progress.failed.set(error.clone());
            }
            None => {}
        }
        if self.is_over(piece.as_ref()) {
            self.progress.ended.store(true, Ordering::Relaxed);
        }
        Poll::Ready(piece.map(|p| p.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Stream(body) => body.length().map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}
