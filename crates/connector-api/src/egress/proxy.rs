//! An HTTP proxy that connections go through: a tunnel by CONNECT (RFC 9110 §9.3.6).
//!
//! The endpoint's name is resolved and vetted on this side and the proxy is given the address, since a
//! proxy that resolves the name itself could be led anywhere. Its answer is read to the end of the head
//! and not a byte further: what follows is the endpoint's, whose server may speak first.
//!
//! Deliberately absent: credentials for a proxy, TLS to it, and finding one by itself (an account names it).

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::Host;
use crate::{Address, Config, Error, Field, InvalidAddress, Kind};

/// A proxy, as an account names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its host.
    pub host: Host,
    /// Its port.
    pub port: u16,
}

/// All that a proxy may say before the tunnel is there.
const ANSWER_BYTES_MAX: usize = 8 << 10;

impl Proxy {
    /// The setting by which a connector is declared that can go through a proxy.
    pub const FIELD: Field = Field::host_port(
        "proxy",
        "An HTTP proxy that every connection goes through, by CONNECT; none past it. The connection is secured end to end. The proxy is given the checked address and not the name, must allow the port, and is asked without credentials; its own address is checked as well.",
    );

    /// The proxy of an account, if it names one.
    ///
    /// # Errors
    /// `Configuration` when the setting is not `host:port`.
    pub fn of(config: &Config) -> Result<Option<Self>, Error> {
        config
            .settings
            .get(Self::FIELD.name)
            .map(|text| Self::parse(text))
            .transpose()
            .map_err(|_| Error::new(Kind::Configuration, "proxy", "the setting `proxy` must be `host:port`"))
    }

    /// Parses `host:port`.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let (host, port) = Address::host_port(text)?;
        Ok(Self { host, port })
    }
}

/// Why there is no tunnel.
#[derive(Debug)]
pub(super) enum NoTunnel {
    /// The proxy answered with a status other than 2xx.
    Status(u16),
    /// It broke off, or what it said is no answer.
    Broken(io::Error),
}

impl NoTunnel {
    /// Whether another address of the endpoint may be better: the proxy did not reach this one.
    pub fn is_of_the_address(&self) -> bool {
        matches!(self, Self::Status(500..))
    }
}

impl From<io::Error> for NoTunnel {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl From<NoTunnel> for Error {
    fn from(failed: NoTunnel) -> Self {
        let because = |kind, text| Error::new(kind, "proxy", text);
        match failed {
            NoTunnel::Status(status @ 407) => because(
                Kind::Configuration,
                "the proxy asks for a user name and password, which are never given (have it let this machine through without)",
            )
            .with_status(status),
            // The same request would be refused again, but for these two.
            NoTunnel::Status(status @ 300..500) if !matches!(status, 408 | 429) => because(
                Kind::Configuration,
                "the proxy does not let connections through to the endpoint's address and port (have it allow them)",
            )
            .with_status(status),
            NoTunnel::Status(status) => {
                because(Kind::Unreachable, "the proxy opened no tunnel to the endpoint").with_status(status)
            }
            NoTunnel::Broken(error) if error.kind() == io::ErrorKind::InvalidData => {
                because(Kind::Protocol, "what the proxy answers is not HTTP (does the setting `proxy` name one?)")
                    .with_private(error.to_string())
            }
            NoTunnel::Broken(error) => because(Kind::Unreachable, "the proxy broke off before there was a tunnel")
                .with_private(error.to_string()),
        }
    }
}

/// Asks the proxy behind a stream for a tunnel to an address. Then the stream is the endpoint's.
pub(super) async fn tunnel(stream: &mut TcpStream, to: SocketAddr) -> Result<(), NoTunnel> {
    stream.write_all(format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n").as_bytes()).await?;
    let mut left = ANSWER_BYTES_MAX;
    loop {
        match status(&head(stream, &mut left).await?).ok_or_else(|| invalid("it begins with no status"))? {
            200..=299 => return Ok(()),
            // Interim: the answer is still to come (RFC 9110 §15.2).
            100..=199 => {}
            status => return Err(NoTunnel::Status(status)),
        }
    }
}

/// One head, with its empty line. It is read byte by byte, so that nothing of what follows is taken; a proxy
/// sends a few dozen bytes, once.
async fn head(stream: &mut TcpStream, left: &mut usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        *left = left.checked_sub(1).ok_or_else(|| invalid("its head is too long"))?;
        let before = head.last().copied();
        let byte = stream.read_u8().await?;
        // Whoever ends lines otherwise would keep us waiting for the end, and the endpoint's bytes be lost.
        if byte == b'\n' && before != Some(b'\r') {
            return Err(invalid("a line of its head ends without a carriage return"));
        }
        head.push(byte);
    }
    Ok(head)
}

/// The status of a head (RFC 9112 §4).
fn status(head: &[u8]) -> Option<u16> {
    let line = head.strip_prefix(b"HTTP/1.0 ").or_else(|| head.strip_prefix(b"HTTP/1.1 "))?;
    match line {
        [a @ b'1'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', b' ' | b'\r', ..] => {
            let digit = |byte: u8| u16::from(byte - b'0');
            Some(digit(*a) * 100 + digit(*b) * 10 + digit(*c))
        }
        _ => None,
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_no_status_is_no_answer() {
        for head in [
            "",
            "HTTP/1.1",
            "HTTP/1.1 \r\n\r\n",
            "HTTP/1.1 20\r\n\r\n",
            "HTTP/1.1 2000 OK\r\n\r\n",
            "HTTP/1.1 +20 OK\r\n\r\n",
            "HTTP/1.1 099 x\r\n\r\n",
            "HTTP/1.1 600 x\r\n\r\n",
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.11 200 OK\r\n\r\n",
            "http/1.1 200 OK\r\n\r\n",
            " HTTP/1.1 200 OK\r\n\r\n",
            "SSH-2.0-x 200\r\n\r\n",
        ] {
            assert_eq!(status(head.as_bytes()), None, "{head:?}");
        }
        assert_eq!(status(b"HTTP/1.0 200 Connection established\r\n\r\n"), Some(200));
        assert_eq!(status(b"HTTP/1.1 407\r\n\r\n"), Some(407));
    }
}
