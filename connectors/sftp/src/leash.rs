//! A stream that ends when the one who holds its leash lets go.
//!
//! The SSH library drives a connection in a task of its own, which would outlive a sign-in that was
//! given up (at a silent server, for ever). The first bytes that came are kept: a server of another
//! protocol is told by its greeting.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
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
    greeting: Arc<Mutex<Vec<u8>>>,
}

/// Bytes of a greeting that are kept: lines may come before the one of SSH (RFC 4253 §4.2).
const GREETING_BYTES_MAX: usize = 2048;

impl Leash {
    /// What a server that does not speak SSH said first; none when nothing came, or SSH did.
    pub fn foreign_greeting(&self) -> Option<String> {
        let greeting = self.greeting.lock().unwrap_or_else(PoisonError::into_inner);
        let is_ssh = greeting.windows(4).any(|bytes| bytes == b"SSH-");
        (!is_ssh && !greeting.is_empty()).then(|| String::from_utf8_lossy(&greeting).into_owned())
    }
}

/// The stream.
#[derive(Debug)]
pub(crate) struct Leashed {
    stream: TcpStream,
    /// None once it was let go.
    held: Option<oneshot::Receiver<()>>,
    greeting: Arc<Mutex<Vec<u8>>>,
    greeting_left: usize,
}

impl Leashed {
    /// Puts a stream on a leash.
    pub fn new(stream: TcpStream) -> (Self, Leash) {
        let (holder, held) = oneshot::channel();
        let greeting = Arc::default();
        let leash = Leash { _held: holder, greeting: Arc::clone(&greeting) };
        (Self { stream, held: Some(held), greeting, greeting_left: GREETING_BYTES_MAX }, leash)
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
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        if self.greeting_left > 0
            && let Some(came) = buf.filled().get(before..)
        {
            let kept = came.get(..self.greeting_left).unwrap_or(came);
            self.greeting.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(kept);
            self.greeting_left -= kept.len();
        }
        outcome
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
