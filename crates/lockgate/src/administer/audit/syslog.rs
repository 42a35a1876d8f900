//! Entries to a syslog receiver: messages of RFC 5424 over TLS, framed by their lengths (RFC 5425).
//!
//! A receiver answers nothing: that it took an entry is known no better than that the connection took it and was closed in
//! order. Each message is the link as JSON, so that what was received can be held against the log.

use std::{fmt::Write as _, time::Duration};

use lockgate_model::{audit::Link, definition::ServerIdentity};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime::Runtime,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::export::is_warning;
use crate::exit::Exit;

/// Facility 13, log audit; severity 6 and 4 (RFC 5424, section 6.2.1).
const INFORMATIONAL: u8 = 13 * 8 + 6;
const WARNING: u8 = 13 * 8 + 4;

/// Each step of a conversation may take so long.
const TIME: Duration = Duration::from_secs(30);

/// A connection to a receiver.
pub struct Syslog {
    runtime: Runtime,
    stream: TlsStream<TcpStream>,
    address: String,
}

impl Syslog {
    /// Connects to `host:port`; nothing is sent before it has proved who it is.
    pub fn connect(address: &str, identity: ServerIdentity) -> Result<Self, Exit> {
        let wrong = || Exit::Usage(format!("`{address}` is no HOST:PORT"));
        let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
        let port: u16 = port.parse().map_err(|_| wrong())?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host.clone()).map_err(|_| wrong())?;
        let tls = lockgate_keys::client_config(&identity, None, lockgate_keys::Versions::Both, &[])
            .map_err(|e| Exit::Usage(format!("the receiver's identity cannot be used: {e}")))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let failed = |e: &dyn std::fmt::Display| Exit::Unavailable(format!("cannot reach `{address}`: {e}"));
        let stream = runtime.block_on(async {
            let connect = async {
                let tcp = TcpStream::connect((host.as_str(), port)).await.map_err(|e| failed(&e))?;
                TlsConnector::from(tls).connect(name, tcp).await.map_err(|e| Exit::Denied {
                    code: "LG-SERVER-IDENTITY".into(),
                    message: format!(
                        "the receiver at `{address}` did not prove its identity: {e} (name its CA with --to-ca)"
                    ),
                })
            };
            timeout(TIME, connect).await.map_err(|_| failed(&"it took too long"))?
        })?;
        Ok(Self { runtime, stream, address: address.to_owned() })
    }

    /// Sends entries.
    pub fn send(&mut self, links: &[Link]) -> Result<(), Exit> {
        let mut frames = String::new();
        for link in links {
            let message = message(link)?;
            let _ = write!(frames, "{} {message}", message.len());
        }
        let Self { runtime, stream, address } = self;
        let sent = runtime.block_on(async {
            let send = async {
                stream.write_all(frames.as_bytes()).await?;
                stream.flush().await
            };
            timeout(TIME, send).await
        });
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(Exit::Unavailable(format!("`{address}` takes no more: {e}"))),
            Err(_) => Err(Exit::Unavailable(format!("`{address}` takes nothing for {} s", TIME.as_secs()))),
        }
    }

    /// Closes the connection in order: what was sent before it is there.
    pub fn end(mut self) -> Result<(), Exit> {
        let address = self.address;
        let ended = self.runtime.block_on(async {
            let end = async {
                self.stream.shutdown().await?;
                // Until the receiver has closed its side, too.
                let mut rest = [0; 256];
                while self.stream.read(&mut rest).await.unwrap_or(0) > 0 {}
                Ok::<_, std::io::Error>(())
            };
            timeout(TIME, end).await
        });
        match ended {
            // A receiver that closes late has what was sent.
            Ok(Ok(())) | Err(_) => Ok(()),
            Ok(Err(e)) => Err(Exit::Unavailable(format!("the connection to `{address}` did not end in order: {e}"))),
        }
    }
}

/// One message: no host name, since the log is of a tenant and not of a machine; the event is the message's id.
fn message(link: &Link) -> Result<String, Exit> {
    let json = serde_json::to_string(link).map_err(|e| Exit::failed("LG-AUDIT", e.to_string()))?;
    let priority = if is_warning(&link.entry) { WARNING } else { INFORMATIONAL };
    // At most 32 printable characters; ours are.
    let event: String = link.entry.event.chars().filter(char::is_ascii_graphic).take(32).collect();
    Ok(format!("<{priority}>1 {} - lockgate - {event} - {json}", link.entry.at))
}

#[cfg(test)]
mod tests {
    use lockgate_model::{
        Timestamp,
        audit::{Entry, GENESIS, Outcome},
    };

    use super::*;

    #[test]
    fn a_message_is_of_rfc_5424() {
        let entry = |outcome| Entry::new(Timestamp(1_763_784_306_789_000), "login", outcome, "ada");
        let link =
            |outcome| Link::new("demo".parse().unwrap(), "w-1".parse().unwrap(), 7, GENESIS, entry(outcome)).unwrap();
        let text = message(&link(Outcome::Done)).unwrap();
        assert!(
            text.starts_with("<110>1 2025-11-22T04:05:06.789Z - lockgate - login - {\"tenant\":\"demo\""),
            "{text}"
        );
        assert!(message(&link(Outcome::Failed)).unwrap().starts_with("<108>1 "));
    }
}
