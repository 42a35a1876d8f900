//! The egress rule: which addresses a connector may dial, checked on the address really dialled.
//!
//! [`Egress::vet`] is pure: it looks at one parsed address and port. [`Egress::dial`] resolves a
//! host, vets *every* answer (one refused answer refuses the name, so that a name cannot hide a
//! private address behind a public one), connects to exactly a vetted address and checks the
//! peer's address again. Since the address that was checked is the one that is dialled, a second
//! answer of the resolver changes nothing. Through a [`Proxy`] the same holds for both: the proxy's
//! addresses are vetted, the endpoint's are, and the proxy is given the vetted address.
//!
//! Deliberately absent: names in allowances (a name is whatever its owner says today), and any
//! way for a tenant to widen the rule. Allowances come from the operator's own rows.

mod class;
mod dial;
mod host;
mod proxy;
mod resolve;

use std::{fmt, net::IpAddr, net::SocketAddr, str::FromStr, sync::Arc};

use ipnet::IpNet;

pub use class::Class;
pub use dial::Route;
pub use host::{Host, InvalidHost};
pub use proxy::Proxy;
pub use resolve::{Resolve, System};

/// A range the operator lets an environment reach: addresses and ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    net: IpNet,
    port_first: u16,
    port_last: u16,
}

/// An allowance cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAllowance {
    /// Not a range.
    #[error("`{0}` is no address range: write `10.1.0.0/16` or `fd00:1::/32`")]
    Net(String),
    /// The ports are not in order, or zero.
    #[error("ports {0}-{1} are no range: first must be at least 1 and at most last")]
    Ports(u16, u16),
}

impl Allowance {
    /// A range in CIDR form (a single address is its own range) and the ports from `first` to `last`.
    pub fn parse(cidr: &str, port_first: u16, port_last: u16) -> Result<Self, InvalidAllowance> {
        let net = IpNet::from_str(cidr)
            .or_else(|_| IpAddr::from_str(cidr).map(IpNet::from))
            .map_err(|_| InvalidAllowance::Net(cidr.chars().take(80).collect()))?;
        if port_first == 0 || port_first > port_last {
            return Err(InvalidAllowance::Ports(port_first, port_last));
        }
        Ok(Self { net: net.trunc(), port_first, port_last })
    }

    /// The metadata addresses it holds by their own number: they stay refused.
    pub fn metadata(&self) -> Vec<IpAddr> {
        class::metadata().filter(|ip| self.net.contains(ip)).collect()
    }

    /// Whether it holds no other addresses, so that it allows nothing.
    pub fn is_all_metadata(&self) -> bool {
        self.net.prefix_len() == self.net.max_prefix_len() && never_dialled(self.net.addr())
    }

    fn covers(&self, ip: IpAddr, port: u16) -> bool {
        self.net.contains(&ip) && (self.port_first..=self.port_last).contains(&port)
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ports {}-{}", self.net, self.port_first, self.port_last)
    }
}

/// An address that passed the rule. Only [`Egress`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Vetted(SocketAddr);

impl Vetted {
    /// The address.
    pub fn addr(self) -> SocketAddr {
        self.0
    }
}

/// An address the rule refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// The address.
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
    /// Why.
    pub class: Class,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ip, port, class } = self;
        let bits = if ip.is_ipv4() { 32 } else { 128 };
        write!(f, "`{ip}` port {port} is {class}")?;
        match class {
            Class::Metadata => f.write_str(" and is never dialled"),
            _ => write!(
                f,
                "; the operator can allow it: `lockgate operator egress allow TENANT ENVIRONMENT {ip}/{bits} {port}`"
            ),
        }
    }
}

/// The rule of one environment.
#[derive(Clone)]
pub struct Egress {
    allowed: Vec<Allowance>,
    resolver: Arc<dyn Resolve>,
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

impl Egress {
    /// Public addresses, and what the operator allowed; names are resolved by the system. A
    /// program with many environments shares one resolver ([`Egress::with_resolver`]), since each
    /// [`System`] bounds its own look-ups.
    pub fn new(allowed: Vec<Allowance>) -> Self {
        Self { allowed, resolver: Arc::new(System::default()) }
    }

    /// Replaces the resolver: one shared by all environments, or a scripted one in tests.
    #[must_use]
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Whether an address may be dialled. Pure.
    ///
    /// Metadata services are refused whatever is allowed, also where an IPv6 form carries their
    /// IPv4 address. A non-public address needs an allowance for itself; a form that carries a
    /// non-public IPv4 address needs one for that as well.
    pub fn vet(&self, ip: IpAddr, port: u16) -> Result<Vetted, Refused> {
        let refused = |class| Err(Refused { ip, port, class });
        let embedded = class::embedded(ip);
        if never_dialled(ip) {
            return refused(Class::Metadata);
        }
        if port == 0 {
            return refused(Class::Reserved);
        }
        let allowed = |ip| self.allowed.iter().any(|a| a.covers(ip, port));
        let own = class::of(ip);
        if own != Class::Public && !allowed(ip) {
            return refused(own);
        }
        for v4 in embedded {
            let inner = class::of(IpAddr::V4(v4));
            if inner != Class::Public && !allowed(IpAddr::V4(v4)) {
                return refused(inner);
            }
        }
        Ok(Vetted(SocketAddr::new(ip, port)))
    }
}

/// A metadata service, also in the disguise of an IPv6 form.
fn never_dialled(ip: IpAddr) -> bool {
    class::is_metadata(ip) || class::embedded(ip).iter().any(|v4| class::is_metadata(IpAddr::V4(*v4)))
}

#[cfg(test)]
mod tests;
