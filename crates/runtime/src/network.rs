//! Where a request came from, as far as it is one and the same party: an IPv4 address, or the /64
//! that an IPv6 address is in, which one subscriber has as a whole.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// A source that is counted as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Network {
    /// No address: a local socket, or the server itself.
    Local,
    /// One address.
    V4(Ipv4Addr),
    /// A /64, by its first address.
    V6(Ipv6Addr),
}

impl Network {
    /// The network of an address. An IPv4 client of a dual-stack socket is still that IPv4 client.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4),
            IpAddr::V6(v6) => Self::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        }
    }

    /// The network of a source as it is written down: an address without port, or empty.
    pub(crate) fn of_text(source: &str) -> Self {
        source.parse().map_or(Self::Local, Self::of)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => Ok(()),
            Self::V4(address) => address.fmt(f),
            Self::V6(first) => write!(f, "{first}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscriber_is_one_source() {
        let of = Network::of_text;
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!((of(""), of("nowhere")), (Network::Local, Network::Local));
        let told = ["2001:db8::7:1", "192.0.2.1", ""].map(|source| of(source).to_string());
        assert_eq!(told, ["2001:db8::/64", "192.0.2.1", ""]);
    }
}
