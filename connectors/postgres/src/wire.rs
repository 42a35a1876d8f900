//! Messages over a secured connection: bounded in, and out without waiting for each other.

use bytes::BytesMut;
use lockgate_connector_api::{Duplex, Error};
use postgres_protocol::message::{
    backend::{COPY_DATA_TAG, DATA_ROW_TAG, Header, Message},
    frontend,
};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::failure::{self, CODES};

/// Longest message that carries no row: descriptions, errors, notices.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// The two directions of a connection.
pub(crate) struct Wire {
    duplex: Duplex<TlsStream<TcpStream>>,
}

impl Wire {
    /// A connection on which nothing was said yet.
    pub fn new(stream: TlsStream<TcpStream>) -> Self {
        Self { duplex: Duplex::new(stream) }
    }

    /// The TLS session.
    pub fn tls(&self) -> &rustls::ClientConnection {
        self.duplex.stream().get_ref().1
    }

    /// Writes messages that go out with [`Wire::flush`]: all of them, or none when one cannot be.
    pub fn write<E>(&mut self, messages: impl FnOnce(&mut BytesMut) -> Result<(), E>) -> Result<(), Error> {
        let before = self.duplex.outgoing.len();
        messages(&mut self.duplex.outgoing).map_err(|_| {
            self.duplex.outgoing.truncate(before);
            failure::input("the statement or its parameters are too long or too many, or hold a zero byte")
        })
    }

    /// Writes the end of a request.
    pub fn sync(&mut self) {
        frontend::sync(&mut self.duplex.outgoing);
    }

    /// Sends what was written. While the server takes nothing, its answers are read.
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.duplex.flush().await.map_err(|e| failure::of_io(&e))
    }

    /// Whether the server has said nothing since it was last listened to, and has not hung up.
    pub fn is_quiet(&mut self) -> bool {
        self.duplex.is_quiet()
    }

    /// The next message, as soon as its length says that it is at most `bytes_max` long. What the
    /// server tells at any time (notices, changed settings, notifications) is passed over.
    pub async fn receive(&mut self, bytes_max: usize) -> Result<Message, Error> {
        loop {
            if let Some(header) = Header::parse(&self.duplex.incoming).map_err(|e| failure::of_io(&e))? {
                let length = usize::try_from(header.len()).unwrap_or(usize::MAX);
                let is_row = matches!(header.tag(), DATA_ROW_TAG | COPY_DATA_TAG);
                match is_row {
                    true if length > bytes_max => return Err(CODES.too_large()),
                    false if length > MESSAGE_BYTES_MAX => return Err(failure::protocol("a message is too long")),
                    _ => {}
                }
            }
            match Message::parse(&mut self.duplex.incoming).map_err(|e| failure::of_io(&e))? {
                None => {}
                Some(Message::NoticeResponse(_) | Message::ParameterStatus(_) | Message::NotificationResponse(_)) => {
                    continue;
                }
                Some(message) => return Ok(message),
            }
            let read = self.duplex.more().await.map_err(|e| failure::of_io(&e))?;
            if read == 0 {
                return Err(CODES.broken());
            }
        }
    }

    /// Says goodbye, as far as that goes without waiting.
    pub async fn close(mut self) {
        frontend::terminate(&mut self.duplex.outgoing);
        self.duplex.close().await;
    }
}
