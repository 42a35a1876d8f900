//! An account's address: `scheme://host[:port][/base]`, parsed strictly.
//!
//! No lenient URL parser stands here on purpose: what one reader folds into another host
//! (`0x7f.1`, a full-width dot, a backslash, user information) is refused instead.

use std::fmt;

use crate::egress::Host;

/// A scheme a connector's addresses are written in. Only schemes whose connections are secured
/// exist; plain HTTP, FTP or database endpoints cannot be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scheme {
    /// Name, lower-case: `https`.
    pub name: &'static str,
    /// Port where the address names none.
    pub port: u16,
}

/// A parsed address.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    scheme: Scheme,
    host: Host,
    port: u16,
    base: String,
}

/// Why a text is no address; each says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// Another scheme, or none.
    #[error("must begin with `{0}://`")]
    Scheme(&'static str),
    /// `user@` in the address.
    #[error("must not carry a user or password: secrets have fields of their own")]
    UserInformation,
    /// `?` or `#`.
    #[error("must not carry a query or fragment")]
    Query,
    /// None where one must be written.
    #[error("must be `host:port`: the port is missing")]
    NoPort,
    /// No port number.
    #[error("the port must be a number from 1 to 65535")]
    Port,
    /// No plain host.
    #[error("{0}")]
    Host(#[from] crate::egress::InvalidHost),
    /// A base path where none is allowed.
    #[error("must not carry a path")]
    NoPath,
    /// A path with `..`, an empty segment, an encoded slash or a character that must be encoded.
    #[error("the path must be plain: no `.` or `..` segment, no empty segment, no encoded `/`, `\\` or `.`")]
    Path,
}

impl Address {
    /// Parses `scheme://host[:port]` and, where `path` allows one, `/base`.
    pub fn parse(scheme: Scheme, path: bool, text: &str) -> Result<Self, InvalidAddress> {
        let rest = text
            .split_once("://")
            .filter(|(name, _)| name.eq_ignore_ascii_case(scheme.name))
            .map(|(_, rest)| rest)
            .ok_or(InvalidAddress::Scheme(scheme.name))?;
        if rest.contains(['?', '#']) {
            return Err(InvalidAddress::Query);
        }
        let (authority, base) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (host, port) = Self::authority(scheme, authority)?;
        let base = base.strip_suffix('/').unwrap_or(base);
        match (path, base) {
            (_, "") => {}
            (false, _) => return Err(InvalidAddress::NoPath),
            (true, base) if is_plain_path(base) => {}
            (true, _) => return Err(InvalidAddress::Path),
        }
        Ok(Self { scheme, host, port, base: base.to_owned() })
    }

    /// Parses `host[:port]`.
    pub fn authority(scheme: Scheme, text: &str) -> Result<(Host, u16), InvalidAddress> {
        if text.contains('@') {
            return Err(InvalidAddress::UserInformation);
        }
        let after_bracket = text.rfind(']').map_or(0, |at| at + 1);
        let colon = text.rfind(':').filter(|at| *at >= after_bracket);
        let (host, port) = match colon.and_then(|at| text.split_at_checked(at)) {
            Some((host, port)) => {
                let digits = port.strip_prefix(':').unwrap_or(port);
                let plain =
                    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
                (host, digits.parse().ok().filter(|_| plain).ok_or(InvalidAddress::Port)?)
            }
            None => (text, scheme.port),
        };
        Ok((Host::parse(host)?, port))
    }

    /// Parses `host:port`, where no scheme has a port of its own.
    pub fn host_port(text: &str) -> Result<(Host, u16), InvalidAddress> {
        match Self::authority(Scheme { name: "", port: 0 }, text)? {
            (_, 0) => Err(InvalidAddress::NoPort),
            both => Ok(both),
        }
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port, the scheme's own if none was written.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The base path: empty, or `/` and plain segments, without a `/` at the end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `host` or `host:port`, the port left out where it is the scheme's own.
    pub fn host_and_port(&self) -> String {
        if self.port == self.scheme.port { self.host.to_string() } else { format!("{}:{}", self.host, self.port) }
    }

    /// `scheme://host[:port]`.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme.name, self.host_and_port())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.base)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a path is `/` and non-empty segments of RFC 3986 `pchar`s, none of them `.` or `..`
/// in any spelling, none hiding a separator.
pub(crate) fn is_plain_path(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain_segment))
}

fn is_plain_segment(segment: &str) -> bool {
    let mut bytes = segment.bytes();
    let mut dots_only = true;
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let hex = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
                let (Some(high), Some(low)) = (hex(bytes.next()), hex(bytes.next())) else { return false };
                match high * 16 + low {
                    0x00..=0x1f | 0x2e | 0x2f | 0x5c | 0x7f => return false,
                    _ => dots_only = false,
                }
            }
            b'.' => {}
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => dots_only = false,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@' => {
                dots_only = false;
            }
            _ => return false,
        }
    }
    // "." and ".." climb; "..." is an odd name that no one needs.
    !dots_only
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTPS: Scheme = Scheme { name: "https", port: 443 };

    #[test]
    fn what_is_not_plain_is_refused() {
        for bad in [
            "",
            "https",
            "https:",
            "https:/",
            "http://a.example",
            "ftp://a.example",
            "//a.example",
            "a.example",
            "https://",
            "https:///x",
            "https://u@a.example",
            "https://u:p@a.example",
            "https://a.example@b.example",
            "https://a.example:0",
            "https://a.example:",
            "https://a.example:65536",
            "https://a.example:+1",
            "https://a.example:0443",
            "https://a.example:443x",
            "https://a.example?x",
            "https://a.example#x",
            "https://a.example/../x",
            "https://a.example/./x",
            "https://a.example/a//b",
            "https://a.example//",
            "https://a.example/%2e%2e/x",
            "https://a.example/%2E/x",
            "https://a.example/a%2fb",
            "https://a.example/a%5cb",
            "https://a.example/a\\b",
            "https://a.example/a b",
            "https://a.example/ä",
            "https://a.example/a%0d",
            "https://a.example/a%",
            "https://a.example/a%2",
            "https://a.example/a%zz",
            "https://a.example\\x",
            " https://a.example",
            "https://a.example ",
            "https://a.example\n",
            "https://a.example/\r\n",
            "https://[::1",
            "https://::1",
            "https://::1/",
            "https://[::1]x",
            "https://[::1]:x",
        ] {
            assert!(Address::parse(HTTPS, true, bad).is_err(), "`{bad}` was taken");
        }
        assert_eq!(Address::parse(HTTPS, false, "https://a.example/x"), Err(InvalidAddress::NoPath));
    }

    #[test]
    fn what_is_plain_is_read() {
        for (text, host, port, base, shown) in [
            ("https://a.example", "a.example", 443, "", "https://a.example"),
            ("HTTPS://A.example/", "a.example", 443, "", "https://a.example"),
            ("https://a.example:443/v1/", "a.example", 443, "/v1", "https://a.example/v1"),
            ("https://a.example:8443/v1/x%20y", "a.example", 8443, "/v1/x%20y", "https://a.example:8443/v1/x%20y"),
            ("https://127.0.0.1:8443", "127.0.0.1", 8443, "", "https://127.0.0.1:8443"),
            ("https://[::1]:8443/b", "[::1]", 8443, "/b", "https://[::1]:8443/b"),
            ("https://[::1]", "[::1]", 443, "", "https://[::1]"),
        ] {
            let address = Address::parse(HTTPS, true, text).unwrap();
            assert_eq!((&*address.host().to_string(), address.port(), address.base()), (host, port, base), "{text}");
            assert_eq!(address.to_string(), shown);
        }
    }
}
