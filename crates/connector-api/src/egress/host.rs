//! A host as it is written in an address: a plain DNS name or an address literal in its one
//! canonical form. Everything else is refused, since two readers could read it differently.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// A host: a name to resolve, or an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A DNS name, lower-case, without a dot at the end.
    Name(String),
    /// An address literal.
    Ip(IpAddr),
}

/// Why a text is no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHost {
    /// Nothing there.
    #[error("the host is missing")]
    Empty,
    /// Not letters, digits, hyphens and dots.
    #[error(
        "the host must be a plain DNS name: letters, digits and hyphens between single dots, international names in their `xn--` form, no dot at the end"
    )]
    Name,
    /// It ends like a number but is no address in dotted form.
    #[error("an IPv4 address must be four decimal numbers without leading zeros")]
    Ipv4,
    /// Brackets without a canonical IPv6 address.
    #[error("an IPv6 address must stand in brackets, in its shortest lower-case form, without a zone")]
    Ipv6,
}

impl Host {
    /// Parses a host. IPv6 literals stand in brackets.
    pub fn parse(text: &str) -> Result<Self, InvalidHost> {
        if text.is_empty() {
            return Err(InvalidHost::Empty);
        }
        if text.starts_with('[') || text.ends_with(']') {
            let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).ok_or(InvalidHost::Ipv6)?;
            let ip = Ipv6Addr::from_str(inner).map_err(|_| InvalidHost::Ipv6)?;
            // Only the form RFC 5952 §4 writes: no second spelling of one address.
            return if ip.to_string() == inner { Ok(Self::Ip(ip.into())) } else { Err(InvalidHost::Ipv6) };
        }
        if text.len() > 253 || !text.split('.').all(is_label) {
            return Err(InvalidHost::Name);
        }
        // A last label that is a number makes some readers see an IPv4 address (`0x7f.1`,
        // `2130706433`, `017700000001`), so only the dotted form passes.
        if text.rsplit('.').next().is_some_and(ends_in_number) {
            return Ipv4Addr::from_str(text).map(|ip| Self::Ip(ip.into())).map_err(|_| InvalidHost::Ipv4);
        }
        Ok(Self::Name(text.to_ascii_lowercase()))
    }

    /// The form TLS and resolvers take: a name, or an address without brackets.
    pub fn bare(&self) -> String {
        match self {
            Self::Name(name) => name.clone(),
            Self::Ip(ip) => ip.to_string(),
        }
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn ends_in_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    label.bytes().all(|b| b.is_ascii_digit()) || hex.is_some_and(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))
}

impl FromStr for Host {
    type Err = InvalidHost;
    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        Self::parse(text)
    }
}

/// As it stands in an address: IPv6 in brackets.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}
