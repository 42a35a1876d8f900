//! Packets over a secured connection: bounded in, and numbered both ways.

use bytes::{Buf as _, Bytes, BytesMut};
use lockgate_connector_api::{Duplex, Error};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::failure::{self, CODES};

/// Longest answer that carries no row: descriptions, errors.
pub(crate) const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Bytes of a packet that is followed by the rest of what it carries.
const PACKET_BYTES_MAX: usize = 0xff_ffff;

/// The two directions of a connection.
pub(crate) struct Wire {
    duplex: Duplex<TlsStream<TcpStream>>,
    /// The number of the next packet of the exchange, whoever sends it.
    next: u8,
}

impl Wire {
    /// A connection on which so many packets were exchanged before it was secured.
    pub fn new(stream: TlsStream<TcpStream>, next: u8) -> Self {
        Self { duplex: Duplex::new(stream), next }
    }

    /// Sends what begins an exchange.
    pub async fn ask(&mut self, content: &[u8]) -> Result<(), Error> {
        self.next = 0;
        self.send(content).await
    }

    /// Sends what goes on with an exchange.
    pub async fn send(&mut self, content: &[u8]) -> Result<(), Error> {
        self.next = put(&mut self.duplex.outgoing, content, self.next);
        self.duplex.flush().await.map_err(|e| failure::of_io(&e))
    }

    /// Whether the server has said nothing since it was last listened to, and has not hung up.
    pub fn is_quiet(&mut self) -> bool {
        self.duplex.is_quiet()
    }

    /// The next answer. One that is longer than `bytes_max` is the error `longer`, as soon as its
    /// length is known.
    pub async fn receive(&mut self, bytes_max: usize, longer: fn() -> Error) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        loop {
            self.at_least(4).await?;
            let header = self.duplex.incoming.get_u32_le();
            let (length, number) = (header as usize & PACKET_BYTES_MAX, (header >> 24) as u8);
            if number != self.next {
                return Err(failure::protocol("a packet is out of its order"));
            }
            self.next = self.next.wrapping_add(1);
            if whole.len() + length > bytes_max {
                return Err(longer());
            }
            self.at_least(length).await?;
            let part = self.duplex.incoming.split_to(length);
            match (whole.is_empty(), length < PACKET_BYTES_MAX) {
                // Nearly always: one packet, handed on without a copy.
                (true, true) => return Ok(part.freeze()),
                (_, ends) => {
                    whole.extend_from_slice(&part);
                    if ends {
                        return Ok(whole.freeze());
                    }
                }
            }
        }
    }

    async fn at_least(&mut self, length: usize) -> Result<(), Error> {
        while self.duplex.incoming.len() < length {
            if self.duplex.more().await.map_err(|e| failure::of_io(&e))? == 0 {
                return Err(CODES.broken());
            }
        }
        Ok(())
    }

    /// Says goodbye, as far as that goes without waiting.
    pub async fn close(mut self, goodbye: &[u8]) {
        put(&mut self.duplex.outgoing, goodbye, 0);
        self.duplex.close().await;
    }
}

/// Writes the packets of a content, from that number on, and gives the number after them.
pub(crate) fn put(out: &mut BytesMut, content: &[u8], mut number: u8) -> u8 {
    let mut rest = content;
    loop {
        let (part, after) = rest.split_at_checked(PACKET_BYTES_MAX).unwrap_or((rest, &[]));
        let header = u32::try_from(part.len()).unwrap_or_default() | u32::from(number) << 24;
        out.extend_from_slice(&header.to_le_bytes());
        out.extend_from_slice(part);
        number = number.wrapping_add(1);
        if part.len() < PACKET_BYTES_MAX {
            return number;
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_its_last_packet_is_followed_by_an_empty_one() {
        for (length, packets) in
            [(0, 1), (1, 1), (PACKET_BYTES_MAX - 1, 1), (PACKET_BYTES_MAX, 2), (2 * PACKET_BYTES_MAX + 1, 3)]
        {
            let mut out = BytesMut::new();
            assert_eq!(put(&mut out, &vec![0; length], 255), 255_u8.wrapping_add(packets));
            assert_eq!(out.len(), length + 4 * usize::from(packets));
        }
    }
}
