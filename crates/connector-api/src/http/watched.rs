//! A TLS stream that remembers how TLS ended.
//!
//! A server that wants another client certificate says so in an alert after the handshake (TLS 1.3),
//! when the protocol driver already owns the stream; HTTP/2's driver passes on only a text of it.

use std::{
    io,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use super::failure;
use crate::Error;

/// Where the TLS error of a connection is found, once it has one.
pub(crate) type Broken = Arc<OnceLock<Error>>;

/// The stream.
pub(crate) struct Watched {
    stream: TlsStream<TcpStream>,
    broken: Broken,
}

impl Watched {
    /// Watches a stream.
    pub fn new(stream: TlsStream<TcpStream>) -> (Self, Broken) {
        let broken = Broken::default();
        (Self { stream, broken: Arc::clone(&broken) }, broken)
    }

    fn note(&self, error: &io::Error) {
        if let Some(error) = failure::of_io(error) {
            // The first one is the cause.
            let _ = self.broken.set(error);
        }
    }

    /// A write that fails because the server has hung up: its reason may still lie unread.
    fn note_reason(&mut self, cx: &mut Context<'_>) {
        let mut bytes = [0; 64];
        if let Poll::Ready(Err(error)) = Pin::new(&mut self.stream).poll_read(cx, &mut ReadBuf::new(&mut bytes)) {
            self.note(&error);
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        if let Poll::Ready(Err(error)) = &outcome {
            self.note(error);
        }
        outcome
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Err(_)) = &outcome {
            self.note_reason(cx);
        }
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Err(_)) = &outcome {
            self.note_reason(cx);
        }
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        if let Poll::Ready(Err(_)) = &outcome {
            self.note_reason(cx);
        }
        outcome
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
