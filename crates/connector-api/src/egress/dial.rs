//! Resolve, vet all, connect to what was vetted: at once, or through a proxy that was vetted as well.

use std::{
    io,
    net::IpAddr,
    time::{Duration, Instant},
};

use tokio::{net::TcpStream, time};

use super::{Class, Egress, Host, Proxy, Refused, Vetted, proxy};
use crate::{Error, Kind};

/// The longest a single address is tried while others are left.
const ATTEMPT_MAX: Duration = Duration::from_secs(5);

/// The addresses by which a connection goes. Only [`Egress`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    endpoint: Vetted,
    proxy: Option<Vetted>,
}

impl Route {
    /// The endpoint's address.
    pub fn endpoint(self) -> Vetted {
        self.endpoint
    }

    /// The address of the proxy before it.
    pub fn proxy(self) -> Option<Vetted> {
        self.proxy
    }
}

impl Egress {
    /// Opens a connection to a host, through a proxy if there is one: the only way out of the process for
    /// a connector.
    ///
    /// # Errors
    /// `Refused` when any address of the host or the proxy is refused (nothing is dialled then),
    /// `Unreachable` when none answers, `Timeout` at the deadline. With a proxy also `Configuration` when it
    /// lets nobody through, and `Protocol` when it does not speak HTTP.
    pub async fn dial(
        &self,
        host: &Host,
        port: u16,
        proxy: Option<&Proxy>,
        deadline: Instant,
    ) -> Result<(TcpStream, Route), Error> {
        let endpoints = self.resolve(Whose::Endpoint, host, port, deadline).await?;
        let Some(proxy) = proxy else {
            let (stream, endpoint) = connect(&endpoints, deadline)
                .await
                .map_err(|e| Whose::Endpoint.unreachable(&e).with_private(format!("`{host}` port {port}: {e}")))?;
            return Ok((stream, Route { endpoint, proxy: None }));
        };
        let proxies = self.resolve(Whose::Proxy, &proxy.host, proxy.port, deadline).await?;
        for (index, endpoint) in endpoints.iter().enumerate() {
            let (mut stream, vetted) = connect(&proxies, deadline).await.map_err(|e| {
                let Proxy { host, port } = proxy;
                Whose::Proxy.unreachable(&e).with_private(format!("`{host}` port {port}: {e}"))
            })?;
            let is_last = index + 1 == endpoints.len();
            let asking = proxy::tunnel(&mut stream, endpoint.0);
            match time::timeout_at(attempt(is_last, deadline).into(), asking).await {
                Ok(Ok(())) => return Ok((stream, Route { endpoint: *endpoint, proxy: Some(vetted) })),
                Ok(Err(failed)) if is_last || !failed.is_of_the_address() => return Err(failed.into()),
                Err(_) if is_last => break,
                Ok(Err(_)) | Err(_) => {}
            }
        }
        Err(Error::new(Kind::Timeout, "proxy", "the proxy did not open a tunnel to the endpoint in time"))
    }

    /// Opens another connection by the way that one takes, to a port of the same endpoint: where a server
    /// knows the two for belonging together. No name is resolved again, and every address is vetted again.
    ///
    /// # Errors
    /// As [`Egress::dial`].
    pub async fn dial_again(&self, route: Route, port: u16, deadline: Instant) -> Result<(TcpStream, Route), Error> {
        let ip = |vetted: Vetted| Host::Ip(vetted.0.ip());
        let proxy = route.proxy.map(|proxy| Proxy { host: ip(proxy), port: proxy.0.port() });
        self.dial(&ip(route.endpoint), port, proxy.as_ref(), deadline).await
    }

    /// Whether an open connection may still be used: an allowance may be gone since it was dialled.
    pub fn still_allows(&self, route: Route) -> bool {
        let allows = |vetted: Vetted| self.vet(vetted.0.ip(), vetted.0.port()).is_ok();
        allows(route.endpoint) && route.proxy.is_none_or(allows)
    }

    /// The vetted addresses of a host, in the order to try them. One refused answer refuses all.
    async fn resolve(&self, whose: Whose, host: &Host, port: u16, deadline: Instant) -> Result<Vec<Vetted>, Error> {
        let answers: Vec<IpAddr> = match host {
            Host::Ip(ip) => vec![*ip],
            Host::Name(name) => time::timeout_at(deadline.into(), self.resolver.resolve(name.clone()))
                .await
                .map_err(|_| Error::new(Kind::Timeout, "resolve-timeout", "its name could not be resolved in time"))?
                .map_err(|e| whose.unresolved().with_private(format!("`{name}`: {e}")))?,
        };
        if answers.is_empty() {
            return Err(whose.unresolved().with_private(format!("`{host}` has no address")));
        }
        let vetted = answers.into_iter().map(|ip| self.vet(ip, port));
        vetted.collect::<Result<_, _>>().map_err(|r| whose.refused(r).with_private(format!("`{host}`: {r}")))
    }
}

/// The last address may have all the time that is left; a silent one before it may not.
fn attempt(is_last: bool, deadline: Instant) -> Instant {
    if is_last { deadline } else { deadline.min(Instant::now() + ATTEMPT_MAX) }
}

async fn connect(addresses: &[Vetted], deadline: Instant) -> io::Result<(TcpStream, Vetted)> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (index, vetted) in addresses.iter().enumerate() {
        let until = attempt(index + 1 == addresses.len(), deadline);
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

/// Whose address it is that fails.
#[derive(Debug, Clone, Copy)]
enum Whose {
    Endpoint,
    Proxy,
}

impl Whose {
    fn words(self, endpoint: &'static str, proxy: &'static str) -> &'static str {
        match self {
            Self::Endpoint => endpoint,
            Self::Proxy => proxy,
        }
    }

    fn unresolved(self) -> Error {
        let text = self.words(
            "its name has no address (check the account's address)",
            "the name of its proxy has no address (check the setting `proxy`)",
        );
        Error::new(Kind::Unreachable, "resolve", text)
    }

    fn refused(self, refused: Refused) -> Error {
        let text = match refused.class {
            Class::Metadata => self.words(
                "its address is a metadata address, which is never dialled",
                "the address of its proxy is a metadata address, which is never dialled",
            ),
            _ => self.words(
                "its address is not public and the operator has not allowed it (`lockgate operator egress allow`)",
                "the address of its proxy is not public and the operator has not allowed it (`lockgate operator egress allow`)",
            ),
        };
        Error::new(Kind::Refused, "egress", text)
    }

    fn unreachable(self, error: &io::Error) -> Error {
        let kind = if error.kind() == io::ErrorKind::TimedOut { Kind::Timeout } else { Kind::Unreachable };
        let text = self.words(
            "no connection to its address (is it up, and is the port right?)",
            "no connection to its proxy (is it up, and is the port right?)",
        );
        Error::new(kind, "connect", text)
    }
}
