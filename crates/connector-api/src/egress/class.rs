//! What an address is, by the IANA special-purpose registries (RFC 6890 and its updates).
//!
//! For IPv6 the rule is turned round: only global unicast (2000::/3) minus its exceptions is
//! public, so that a block assigned tomorrow is refused until someone looks at it.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// What an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Global unicast.
    Public,
    /// The cloud's own metadata or control service of the machine we run on.
    Metadata,
    /// 0.0.0.0/8, `::`.
    Unspecified,
    /// 127.0.0.0/8, `::1`.
    Loopback,
    /// RFC 1918, unique local (RFC 4193), site-local (RFC 3879).
    Private,
    /// Shared address space of carriers (RFC 6598).
    Shared,
    /// 169.254.0.0/16, fe80::/10.
    LinkLocal,
    /// 224.0.0.0/4, ff00::/8.
    Multicast,
    /// 255.255.255.255.
    Broadcast,
    /// RFC 5737, RFC 3849, RFC 9637.
    Documentation,
    /// RFC 2544, RFC 5180.
    Benchmark,
    /// A form of IPv6 that carries an IPv4 address: mapped, compatible, translated, NAT64, 6to4,
    /// Teredo, ISATAP.
    Transition,
    /// Everything else that is not global unicast.
    Reserved,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Class::Public => "a public address",
            Class::Metadata => "a metadata address",
            Class::Unspecified => "the unspecified address",
            Class::Loopback => "a loopback address",
            Class::Private => "a private address",
            Class::Shared => "a carrier's shared address",
            Class::LinkLocal => "a link-local address",
            Class::Multicast => "a multicast address",
            Class::Broadcast => "the broadcast address",
            Class::Documentation => "a documentation address",
            Class::Benchmark => "a benchmark address",
            Class::Transition => "an IPv4 address inside IPv6",
            Class::Reserved => "a reserved address",
        })
    }
}

/// Metadata and machine-control services. Nobody may allow these: they hand out the machine's
/// own credentials.
const METADATA_V4: [Ipv4Addr; 12] = [
    Ipv4Addr::new(169, 254, 169, 254), // EC2, GCP, Azure, Oracle, OpenStack, Huawei, IBM, DigitalOcean, Hetzner, Linode
    Ipv4Addr::new(169, 254, 169, 253), // EC2 resolver beside it
    Ipv4Addr::new(169, 254, 169, 252), // GKE, behind 169.254.169.254
    Ipv4Addr::new(169, 254, 170, 2),   // ECS task credentials
    Ipv4Addr::new(169, 254, 170, 23),  // EKS pod identity
    Ipv4Addr::new(169, 254, 0, 23),    // Tencent
    Ipv4Addr::new(169, 254, 10, 10),   // Tencent
    Ipv4Addr::new(169, 254, 42, 42),   // Scaleway
    Ipv4Addr::new(100, 100, 100, 200), // Alibaba
    Ipv4Addr::new(100, 96, 0, 96),     // Volcano Engine
    Ipv4Addr::new(192, 0, 0, 192),     // Oracle
    Ipv4Addr::new(168, 63, 129, 16),   // Azure's host channel, a public address by number
];
const METADATA_V6: [Ipv6Addr; 9] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),      // EC2
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),       // EKS pod identity
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),       // GCP
    Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe), // Oracle
    Ipv6Addr::new(0xfd00, 0x100, 0, 0, 0, 0, 0x100, 0x200),  // Alibaba
    Ipv6Addr::new(0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1),    // Linode
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),        // Scaleway
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe),    // OpenStack, Hetzner, Huawei, Linode
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x253),      // EC2 resolver
];

/// All that are known by name.
pub(super) fn metadata() -> impl Iterator<Item = IpAddr> {
    METADATA_V4.into_iter().map(IpAddr::V4).chain(METADATA_V6.into_iter().map(IpAddr::V6))
}

/// Whether it is a metadata service by its own number. [`embedded`] finds the disguised ones.
///
/// An IPv6 address that ends in the number of such a service counts as one, under any prefix: clouds
/// place theirs so, and a translator may have a prefix of its own (RFC 6052 §2.2, 96 bits). So does all
/// of `fd00:ec2::/32`, where EC2 has its services.
pub(super) fn is_metadata(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => METADATA_V4.contains(&ip),
        IpAddr::V6(ip) => {
            let [.., a, b, c, d] = ip.octets();
            METADATA_V6.contains(&ip)
                || METADATA_V4.contains(&Ipv4Addr::new(a, b, c, d))
                || matches!(ip.segments(), [0xfd00, 0xec2, ..])
        }
    }
}

/// What an address is by its own number.
pub(super) fn of(ip: IpAddr) -> Class {
    match ip {
        IpAddr::V4(ip) => of_v4(ip),
        IpAddr::V6(ip) => of_v6(ip),
    }
}

fn of_v4(ip: Ipv4Addr) -> Class {
    match ip.octets() {
        [0, ..] => Class::Unspecified,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Class::Private,
        [100, 64..=127, ..] => Class::Shared,
        [127, ..] => Class::Loopback,
        [169, 254, ..] => Class::LinkLocal,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Class::Documentation,
        // IETF protocol assignments (RFC 6890) and the withdrawn 6to4 relays (RFC 7526).
        [192, 0, 0, _] | [192, 88, 99, _] => Class::Reserved,
        [198, 18..=19, ..] => Class::Benchmark,
        [224..=239, ..] => Class::Multicast,
        [255, 255, 255, 255] => Class::Broadcast,
        [240..=255, ..] => Class::Reserved,
        _ => Class::Public,
    }
}

fn of_v6(ip: Ipv6Addr) -> Class {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Class::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Class::Loopback,
        _ if !embedded_v6(ip).is_empty() => Class::Transition,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Class::Private,
        [0xfe80..=0xfebf, ..] => Class::LinkLocal,
        [0xff00..=0xffff, ..] => Class::Multicast,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Class::Documentation,
        [0x2001, 2, 0, ..] => Class::Benchmark,
        // IETF protocol assignments: ORCHID, AMT, AS112, drone ids and what comes next (RFC 2928).
        [0x2001, 0..=0x1ff, ..] => Class::Reserved,
        [0x2000..=0x3fff, ..] => Class::Public,
        _ => Class::Reserved,
    }
}

/// The IPv4 addresses an address carries inside, in every form a router, translator or socket may
/// unpack. Empty for a plain address.
pub(super) fn embedded(ip: IpAddr) -> Vec<Ipv4Addr> {
    match ip {
        IpAddr::V4(_) => Vec::new(),
        IpAddr::V6(ip) => embedded_v6(ip),
    }
}

fn embedded_v6(ip: Ipv6Addr) -> Vec<Ipv4Addr> {
    let [_, _, b2, b3, b4, b5, b6, b7, _, b9, b10, b11, b12, b13, b14, b15] = ip.octets();
    let last = Ipv4Addr::new(b12, b13, b14, b15);
    match ip.segments() {
        // `::` and `::1` are addresses of their own.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Vec::new(),
        // Compatible (RFC 4291 §2.5.5.1), mapped (§2.5.5.2), translated (RFC 2765).
        [0, 0, 0, 0, 0, 0, ..] | [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => vec![last],
        // NAT64's well-known prefix (RFC 6052 §2.1).
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => vec![last],
        // NAT64's local prefix (RFC 8215): the place depends on the prefix length the network
        // chose (RFC 6052 §2.2), so every place counts; byte 8 is always skipped.
        [0x64, 0xff9b, 1, ..] => {
            vec![
                Ipv4Addr::new(b6, b7, b9, b10),
                Ipv4Addr::new(b7, b9, b10, b11),
                Ipv4Addr::new(b9, b10, b11, b12),
                last,
            ]
        }
        // 6to4 (RFC 3056 §2): right behind the prefix.
        [0x2002, ..] => vec![Ipv4Addr::new(b2, b3, b4, b5)],
        // Teredo (RFC 4380 §4): the server, and the client with its bits turned.
        [0x2001, 0, ..] => vec![Ipv4Addr::new(b4, b5, b6, b7), Ipv4Addr::new(!b12, !b13, !b14, !b15)],
        // ISATAP (RFC 5214 §6.1): the interface id says so under any prefix.
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] => vec![last],
        _ => Vec::new(),
    }
}
