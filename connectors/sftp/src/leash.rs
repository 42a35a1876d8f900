//! A stream that ends when the one who holds its leash lets go.
//!
//! The SSH library drives a connection in a task of its own, which would outlive a sign-in that was
//! given up (at a silent server, for ever).

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::oneshot,
};

/// Held as long as the connection is wanted.
#[derive(Debug)]
pub(crate) struct Leash {
    _held: oneshot::Sender<()>,
}

/// The stream.
#[derive(Debug)]
pub(crate) struct Leashed {
    stream: TcpStream,
    /// None once it was let go.
    held: Option<oneshot::Receiver<()>>,
}

impl Leashed {
    /// Puts a stream on a leash.
    pub fn new(stream: TcpStream) -> (Self, Leash) {
        let (holder, held) = oneshot::channel();
        (Self { stream, held: Some(held) }, Leash { _held: holder })
    }

    fn let_go(&mut self, cx: &mut Context<'_>) -> bool {
        // Reading and writing are polled by one task, so its one waker serves both.
        if self.held.as_mut().is_some_and(|held| Pin::new(held).poll(cx).is_ready()) {
            self.held = None;
        }
        self.held.is_none()
    }
}

impl AsyncRead for Leashed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.let_go(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Leashed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.let_go(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
