//! Messages over a secured connection: bounded in, and out without waiting for each other.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf as _, BytesMut};
use lockgate_connector_api::Error;
use postgres_protocol::message::{
    backend::{DATA_ROW_TAG, Header, Message},
    frontend,
};
use tokio::{
    io::{AsyncRead as _, AsyncReadExt as _, AsyncWrite as _, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use crate::failure;

/// Longest message that carries no row: descriptions, errors, notices.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// Bytes read ahead at once.
const READ_BYTES: usize = 16 << 10;
/// Answers that are held while a request is still being written.
const HELD_BYTES_MAX: usize = 1 << 20;

/// The two directions of a connection.
pub(crate) struct Wire {
    stream: TlsStream<TcpStream>,
    incoming: BytesMut,
    outgoing: BytesMut,
}

impl Wire {
    /// A connection on which nothing was said yet.
    pub fn new(stream: TlsStream<TcpStream>) -> Self {
        Self { stream, incoming: BytesMut::new(), outgoing: BytesMut::new() }
    }

    /// The TLS session.
    pub fn tls(&self) -> &rustls::ClientConnection {
        self.stream.get_ref().1
    }

    /// Writes messages that go out with [`Wire::flush`]: all of them, or none when one cannot be.
    pub fn write<E>(&mut self, messages: impl FnOnce(&mut BytesMut) -> Result<(), E>) -> Result<(), Error> {
        let before = self.outgoing.len();
        messages(&mut self.outgoing).map_err(|_| {
            self.outgoing.truncate(before);
            failure::input("the statement or its parameters are too long or too many, or hold a zero byte")
        })
    }

    /// Writes the end of a request.
    pub fn sync(&mut self) {
        frontend::sync(&mut self.outgoing);
    }

    /// Sends what was written. While the server takes nothing, its answers are read: it may be
    /// waiting for that before it reads on.
    pub async fn flush(&mut self) -> Result<(), Error> {
        match poll_fn(|cx| self.poll_flush(cx)).await {
            Ok(()) => Ok(()),
            // Hung up. Why stands in what it said last, which is still to be received.
            Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => {
                self.outgoing.clear();
                Ok(())
            }
            Err(error) => Err(failure::of_io(&error)),
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
        let mut cx = Context::from_waker(std::task::Waker::noop());
        self.incoming.is_empty() && self.poll_more(&mut cx).is_pending()
    }

    /// The next message, as soon as its length says that it is at most `bytes_max` long. What the
    /// server tells at any time (notices, changed settings, notifications) is passed over.
    pub async fn receive(&mut self, bytes_max: usize) -> Result<Message, Error> {
        loop {
            if let Some(header) = Header::parse(&self.incoming).map_err(|e| failure::of_io(&e))? {
                let length = usize::try_from(header.len()).unwrap_or(usize::MAX);
                let is_row = header.tag() == DATA_ROW_TAG;
                match is_row {
                    true if length > bytes_max => return Err(failure::too_large()),
                    false if length > MESSAGE_BYTES_MAX => return Err(failure::protocol("a message is too long")),
                    _ => {}
                }
            }
            match Message::parse(&mut self.incoming).map_err(|e| failure::of_io(&e))? {
                None => {}
                Some(Message::NoticeResponse(_) | Message::ParameterStatus(_) | Message::NotificationResponse(_)) => {
                    continue;
                }
                Some(message) => return Ok(message),
            }
            self.incoming.reserve(READ_BYTES);
            let read = self.stream.read_buf(&mut self.incoming).await.map_err(|e| failure::of_io(&e))?;
            if read == 0 {
                return Err(failure::broken());
            }
        }
    }

    /// Says goodbye, as far as that goes without waiting.
    pub async fn close(mut self) {
        frontend::terminate(&mut self.outgoing);
        // Whoever does not hear it sees the end of the connection.
        let _ = self.flush().await;
        let _ = poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await;
    }
}
