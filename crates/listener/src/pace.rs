//! Peers that stop: bytes that are not taken, and request bodies that do not come.
//!
//! Timers exist only while something is waited for, so that a peer that keeps up pays nothing.

use std::{
    fmt,
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use crate::{Settings, budget::Place};

/// A wait that may last only so long.
struct Patience {
    max: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    fn new(max: Duration) -> Self {
        Self { max, timer: None }
    }

    /// `None` when the wait has lasted too long.
    fn allow<T>(&mut self, cx: &mut Context<'_>, polled: Poll<T>) -> Option<Poll<T>> {
        if polled.is_ready() {
            self.timer = None;
            return Some(polled);
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.max)));
        timer.as_mut().poll(cx).is_pending().then_some(Poll::Pending)
    }
}

/// A stream whose writes fail when the peer takes nothing for too long. Reads are bounded where
/// they are understood: in the handshake, the request head and the request body.
pub(crate) struct Paced<T> {
    inner: T,
    writing: Patience,
}

impl<T> Paced<T> {
    pub(crate) fn new(inner: T, settings: &Settings) -> Self {
        Self { inner, writing: Patience::new(settings.stall()) }
    }

    fn wrote<R>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        self.writing.allow(cx, polled).unwrap_or_else(|| Poll::Ready(Err(io::ErrorKind::TimedOut.into())))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Paced<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.wrote(cx, polled)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_flush(cx);
        self.wrote(cx, polled)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.wrote(cx, polled)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.wrote(cx, polled)
    }
    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

/// A request body that must keep coming, and come to an end.
///
/// A request that is refused before its body was read still has the peer sending it. Cutting the
/// stream off then makes many clients lose the refusal, so what is left is read away when
/// the body is dropped, for a second at most; what is longer or slower than that is cut off.
pub struct RequestBody {
    inner: Option<Incoming>,
    waiting: Patience,
    whole_max: Duration,
    asked: Option<Instant>,
    place: Option<Place>,
}

/// Why a request body ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It came too slowly.
    Slow,
    /// The peer broke it off, or broke the protocol.
    Broken,
    /// The server holds as many bytes of bodies as it may.
    Busy,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slow => "the request body came too slowly",
            Self::Broken => "the request body was broken off",
            Self::Busy => "the server holds as many request bodies as it may",
        })
    }
}

/// What a mounted service is to answer when a body is not taken for want of memory.
static NO_MEMORY: lockgate_runtime::Error =
    lockgate_runtime::Error::Unavailable { what: std::borrow::Cow::Borrowed("memory for request bodies") };

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Busy => Some(&NO_MEMORY),
            Self::Slow | Self::Broken => None,
        }
    }
}

impl RequestBody {
    pub(crate) fn new(inner: Incoming, settings: &Settings) -> Self {
        Self {
            inner: Some(inner),
            waiting: Patience::new(settings.stall()),
            whole_max: settings.body(),
            asked: None,
            place: None,
        }
    }

    /// Its bytes take a place in the budget as they arrive.
    pub(crate) fn within(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

/// Bytes of an unread body that are read away, and how long that may take.
const LEFT_BYTES_MAX: usize = 32 << 20;
const LEFT_MAX: Duration = Duration::from_secs(1);

impl Drop for RequestBody {
    fn drop(&mut self) {
        let Some(mut left) = self.inner.take().filter(|inner| !inner.is_end_stream()) else { return };
        // Without a runtime there is no connection left either.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let read_away = async move {
            let mut bytes = 0;
            while let Some(Ok(frame)) = std::future::poll_fn(|cx| Pin::new(&mut left).poll_frame(cx)).await {
                bytes += frame.data_ref().map_or(0, Bytes::len);
                if bytes > LEFT_BYTES_MAX {
                    return;
                }
            }
        };
        runtime.spawn(tokio::time::timeout(LEFT_MAX, read_away));
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let asked = *self.asked.get_or_insert_with(Instant::now);
        // A drip of single bytes never stalls; the whole is bounded as well.
        if asked.elapsed() > self.whole_max {
            return Poll::Ready(Some(Err(BodyError::Slow)));
        }
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        let polled = Pin::new(inner).poll_frame(cx);
        let frame = match self.waiting.allow(cx, polled) {
            Some(Poll::Ready(Some(frame))) => frame.map_err(|_| BodyError::Broken),
            Some(Poll::Ready(None)) => return Poll::Ready(None),
            Some(Poll::Pending) => return Poll::Pending,
            None => return Poll::Ready(Some(Err(BodyError::Slow))),
        };
        let bytes = frame.as_ref().ok().and_then(Frame::data_ref).map_or(0, Bytes::len);
        let held = self.place.as_ref().map_or(Ok(()), |place| place.hold(bytes));
        Poll::Ready(Some(held.map_err(|_| BodyError::Busy).and(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map(Incoming::size_hint).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_peer_that_takes_nothing_ends_the_write() {
        let settings = Settings { stall_ms_max: 50, ..Settings::default() };
        let (ours, mut theirs) = tokio::io::duplex(8);
        let mut paced = Paced::new(ours, &settings);
        paced.write_all(b"12345678").await.unwrap();
        let error = paced.write_all(b"9").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let mut taken = [0; 8];
        theirs.read_exact(&mut taken).await.unwrap();
        paced.write_all(b"9").await.unwrap();
    }
}
