//! Bytes over a secured connection, both ways, without the two waiting for each other.
//!
//! Deliberately absent: messages. Where one ends is the protocol's.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// Bytes read ahead at once.
const READ_BYTES: usize = 16 << 10;
/// Answers that are held while a request is still being written.
const HELD_BYTES_MAX: usize = 1 << 20;

/// The two directions of a connection.
#[derive(Debug)]
pub struct Duplex<S> {
    stream: S,
    /// What came and was not taken yet.
    pub incoming: BytesMut,
    /// What goes out with [`Duplex::flush`].
    pub outgoing: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Duplex<S> {
    /// A connection on which nothing was said yet.
    pub fn new(stream: S) -> Self {
        Self { stream, incoming: BytesMut::new(), outgoing: BytesMut::new() }
    }

    /// The connection below.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// Sends what was written. While the server takes nothing, its answers are read: it may be
    /// waiting for that before it reads on.
    ///
    /// # Errors
    /// When the connection breaks; not when the server has hung up, because why it did stands in what
    /// it said last, which is still to be received.
    pub async fn flush(&mut self) -> io::Result<()> {
        match poll_fn(|cx| self.poll_flush(cx)).await {
            Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => {
                self.outgoing.clear();
                Ok(())
            }
            sent => sent,
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let sent = if self.outgoing.is_empty() {
                Pin::new(&mut self.stream).poll_flush(cx).map_ok(|()| None)
            } else {
                Pin::new(&mut self.stream).poll_write(cx, &self.outgoing).map_ok(Some)
            };
            match sent {
                Poll::Ready(Ok(None)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(Some(0))) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
                Poll::Ready(Ok(Some(bytes))) => self.outgoing.advance(bytes),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if self.incoming.len() >= HELD_BYTES_MAX => return Poll::Pending,
                Poll::Pending => match self.poll_more(cx) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut bytes = [0; 4 << 10];
        let mut buffer = ReadBuf::new(&mut bytes);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
        read.map_ok(|()| {
            self.incoming.extend_from_slice(buffer.filled());
            buffer.filled().len()
        })
    }

    /// Whether the server has said nothing since it was last listened to, and has not hung up.
    pub fn is_quiet(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.incoming.is_empty() && self.poll_more(&mut cx).is_pending()
    }

    /// Waits for more bytes; 0 is the end.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn more(&mut self) -> io::Result<usize> {
        self.incoming.reserve(READ_BYTES);
        self.stream.read_buf(&mut self.incoming).await
    }

    /// Sends what was written and ends, as far as that goes. Whoever does not hear it sees the end of
    /// the connection.
    pub async fn close(mut self) {
        let _ = self.flush().await;
        let _ = poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await;
    }
}
