//! Resolve, vet all, connect to what was vetted.

use std::{
    io,
    net::IpAddr,
    time::{Duration, Instant},
};

use tokio::{net::TcpStream, time};

use super::{Class, Egress, Host, Refused, Vetted};
use crate::{Error, Kind};

/// The longest a single address is tried while others are left.
const ATTEMPT_MAX: Duration = Duration::from_secs(5);

impl Egress {
    /// The vetted addresses of a host, in the order to try them. One refused answer refuses all.
    pub async fn resolve(&self, host: &Host, port: u16, deadline: Instant) -> Result<Vec<Vetted>, Error> {
        let answers: Vec<IpAddr> = match host {
            Host::Ip(ip) => vec![*ip],
            Host::Name(name) => time::timeout_at(deadline.into(), self.resolver.resolve(name.clone()))
                .await
                .map_err(|_| Error::new(Kind::Timeout, "resolve-timeout", "its name could not be resolved in time"))?
                .map_err(|e| unresolved().with_private(format!("`{name}`: {e}")))?,
        };
        if answers.is_empty() {
            return Err(unresolved().with_private(format!("`{host}` has no address")));
        }
        answers.into_iter().map(|ip| self.vet(ip, port).map_err(|r| refused(host, r))).collect()
    }

    /// Opens a connection to a host: the only way out of the process for a connector.
    ///
    /// # Errors
    /// `Refused` when any address of the host is refused (nothing is dialled then), `Unreachable`
    /// when none answers, `Timeout` at the deadline.
    pub async fn dial(&self, host: &Host, port: u16, deadline: Instant) -> Result<(TcpStream, Vetted), Error> {
        let vetted = self.resolve(host, port, deadline).await?;
        connect(&vetted, deadline).await.map_err(|e| {
            let kind = if e.kind() == io::ErrorKind::TimedOut { Kind::Timeout } else { Kind::Unreachable };
            Error::new(kind, "connect", "no connection to its address (is it up, and is the port right?)")
                .with_private(format!("`{host}` port {port}: {e}"))
        })
    }

    /// Whether an open connection may still be used: an allowance may be gone since it was dialled.
    pub fn still_allows(&self, vetted: Vetted) -> bool {
        self.vet(vetted.0.ip(), vetted.0.port()).is_ok()
    }
}

async fn connect(addresses: &[Vetted], deadline: Instant) -> io::Result<(TcpStream, Vetted)> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (index, vetted) in addresses.iter().enumerate() {
        // The last address may have all the time that is left; a silent one before it may not.
        let until = if index + 1 == addresses.len() { deadline } else { deadline.min(Instant::now() + ATTEMPT_MAX) };
        match time::timeout_at(until.into(), TcpStream::connect(vetted.0)).await {
            Ok(Ok(stream)) => {
                if stream.peer_addr()? != vetted.0 {
                    return Err(io::Error::other("connected to another address than the one checked"));
                }
                stream.set_nodelay(true)?;
                return Ok((stream, *vetted));
            }
            Ok(Err(e)) => last = e,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

fn unresolved() -> Error {
    Error::new(Kind::Unreachable, "resolve", "its name has no address (check the account's address)")
}

fn refused(host: &Host, refused: Refused) -> Error {
    let text = match refused.class {
        Class::Metadata => "its address is a metadata address, which is never dialled",
        _ => "its address is not public and the operator has not allowed it (`lockgate operator egress allow`)",
    };
    Error::new(Kind::Refused, "egress", text).with_private(format!("`{host}`: {refused}"))
}
