//! Path and query of a request, kept below the account's base.
//!
//! What a flow computes is taken apart into segments and put together again, so that no value can
//! climb out of the base, reach another host or add a query parameter.

use std::fmt::Write as _;

use crate::{Error, Kind};

/// Path and query as they go into the request line: `/base/path?query`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    path: String,
    query: String,
}

/// Longest path and query in bytes; servers refuse more anyway.
const TARGET_BYTES_MAX: usize = 16 << 10;

impl Target {
    /// The base path itself.
    pub fn base(base: &str) -> Self {
        Self { path: if base.is_empty() { "/".to_owned() } else { base.to_owned() }, query: String::new() }
    }

    /// A path below the base, written as one text: `/` separates segments, `%XX` stays as it is,
    /// any other byte that a segment cannot hold is encoded.
    ///
    /// # Errors
    /// `Input` for `.` and `..` segments, empty segments, a query or fragment, a backslash,
    /// control characters, and encoded forms of any of these.
    pub fn below(base: &str, text: &str) -> Result<Self, Error> {
        let rest = text.strip_prefix('/').unwrap_or(text);
        if rest.is_empty() {
            return Ok(Self::base(base));
        }
        let mut path = base.to_owned();
        let mut segments = rest.split('/').peekable();
        while let Some(segment) = segments.next() {
            path.push('/');
            // `/orders/` differs from `/orders` at many servers: a last empty segment is kept.
            if segment.is_empty() && segments.peek().is_none() {
                break;
            }
            push_written(&mut path, segment)?;
        }
        Self { path, query: String::new() }.bounded()
    }

    /// A path below the base from segments that are values: each is encoded as a whole.
    pub fn of_segments<'a>(base: &str, segments: impl Iterator<Item = &'a str>) -> Result<Self, Error> {
        let mut target = Self { path: base.to_owned(), query: String::new() };
        for segment in segments {
            if segment.is_empty() || segment.bytes().all(|b| b == b'.') || segment.chars().any(char::is_control) {
                return Err(refused("a segment of `path` is empty, only dots, or holds a control character"));
            }
            target.path.push('/');
            push_encoded(&mut target.path, segment, is_unreserved);
        }
        if target.path.is_empty() {
            target.path.push('/');
        }
        target.bounded()
    }

    /// Adds a query parameter; name and value are encoded as a whole.
    pub fn push_query(&mut self, name: &str, value: &str) -> Result<(), Error> {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        push_encoded(&mut self.query, name, is_unreserved);
        self.query.push('=');
        push_encoded(&mut self.query, value, is_unreserved);
        self.fits()
    }

    /// The target a redirect names: an absolute path with its query, as the server wrote it.
    /// None unless it lies below `base` and is plain.
    pub fn redirected(base: &str, path: &str, query: &str) -> Option<Self> {
        let rest = path.strip_prefix(base)?;
        let below = rest.is_empty() || rest.starts_with('/');
        Self::below(base, rest).ok().filter(|_| below)?.with_query(query)
    }

    /// The same path with a query as the server wrote it. None unless that is plain.
    pub fn with_query(&self, query: &str) -> Option<Self> {
        let plain = query.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'#' | b'"' | b'<' | b'>' | b'\\'));
        let target = Self { path: self.path.clone(), query: query.to_owned() };
        (plain && target.fits().is_ok()).then_some(target)
    }

    /// Whether the path is the base or below it.
    pub fn lies_under(&self, base: &str) -> bool {
        self.path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// `/path` or `/path?query`.
    pub fn path_and_query(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    /// The path.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn bounded(self) -> Result<Self, Error> {
        self.fits().map(|()| self)
    }

    fn fits(&self) -> Result<(), Error> {
        if self.path.len() + self.query.len() > TARGET_BYTES_MAX {
            return Err(refused("path and query are longer than 16 KiB"));
        }
        Ok(())
    }
}

/// One segment as a person writes it.
fn push_written(out: &mut String, segment: &str) -> Result<(), Error> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        match byte {
            b'%' => {
                let (Some(high), Some(low)) = (hex(bytes.next()), hex(bytes.next())) else {
                    return Err(refused("`path` holds a `%` without two hex digits (write `%25`)"));
                };
                let value = u8::try_from(high * 16 + low).unwrap_or(b'/');
                if matches!(value, b'/' | b'\\' | b'%') {
                    // An encoded separator, or an encoding of an encoding, is read differently by
                    // proxy and server: the classic way out of a base.
                    return Err(refused("`path` holds an encoded `/`, `\\` or `%`: give `path` as a list of segments"));
                }
                decoded.push(value);
                let _ = write!(out, "%{value:02X}");
            }
            b'?' | b'#' => return Err(refused("`path` holds `?` or `#`: give parameters in `query`")),
            b'\\' => return Err(refused("`path` holds a backslash")),
            _ => {
                decoded.push(byte);
                push_byte(out, byte, is_pchar);
            }
        }
    }
    let dots = !decoded.is_empty() && decoded.iter().all(|b| *b == b'.');
    // A parameter on a dot segment (`..;x`) is cut off by some servers before they climb.
    let dots_with_parameter = decoded.split(|b| *b == b';').next().is_some_and(|s| matches!(s, b"." | b".."));
    if decoded.is_empty() || dots || dots_with_parameter {
        return Err(refused("`path` holds an empty, `.` or `..` segment"));
    }
    if decoded.iter().any(u8::is_ascii_control) {
        return Err(refused("`path` holds a control character"));
    }
    Ok(())
}

fn push_encoded(out: &mut String, text: &str, keep: fn(u8) -> bool) {
    for byte in text.bytes() {
        push_byte(out, byte, keep);
    }
}

fn push_byte(out: &mut String, byte: u8, keep: fn(u8) -> bool) {
    if keep(byte) {
        out.push(char::from(byte));
    } else {
        let _ = write!(out, "%{byte:02X}");
    }
}

/// RFC 3986 §2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986 §3.3, without the percent sign.
fn is_pchar(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@')
}

fn refused(text: &'static str) -> Error {
    Error::new(Kind::Input, "https-path", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_the_base() {
        for bad in [
            "..",
            "../x",
            "/..",
            "/../x",
            "a/../../x",
            "a/..",
            ".",
            "./a",
            "a/./b",
            "...",
            "a//b",
            "//evil.example",
            "//",
            "///",
            "/%2e%2e/x",
            "%2E%2E",
            ".%2e",
            "%2e",
            "a/%2e%2e",
            "%2e%2e%2fx",
            "..%2fx",
            "a%2fb",
            "a%2Fb",
            "a%5cb",
            "%252e%252e",
            "a%25",
            "a\\b",
            "\\..\\x",
            "..\\x",
            "..;/x",
            "..;a=b/x",
            ".;x",
            "%2e%2e;x",
            "a?b=c",
            "?x",
            "a#b",
            "#",
            "a%",
            "a%2",
            "a%zz",
            "a\r\nHost: evil",
            "a\nb",
            "a\0b",
            "a%00b",
            "a%0d%0ab",
            "a%0a",
            "a\tb",
            "a%7f",
            "\u{7f}",
        ] {
            assert!(Target::below("/base", bad).is_err(), "`{bad}` was taken");
        }
        for bad in ["", ".", "..", "....", "a\nb", "\0"] {
            assert!(Target::of_segments("/base", [bad].into_iter()).is_err(), "segment `{bad}` was taken");
        }
        assert!(Target::below("", &"a".repeat(20_000)).is_err());
    }

    #[test]
    fn a_path_is_put_below_the_base() {
        for (base, text, expect) in [
            ("", "", "/"),
            ("", "/", "/"),
            ("/b", "", "/b"),
            ("/b", "/", "/b"),
            ("/b", "orders", "/b/orders"),
            ("/b", "/orders/", "/b/orders/"),
            ("", "/a/b/c", "/a/b/c"),
            ("", "a b/ü", "/a%20b/%C3%BC"),
            ("", "a%20b/%c3%bc", "/a%20b/%C3%BC"),
            ("", "a;v=1/x:y@z,(1)", "/a;v=1/x:y@z,(1)"),
            ("", "https://evil.example/x", "refused"),
            ("", "..a/a..b", "/..a/a..b"),
            ("", "{x}\"<>|^`", "/%7Bx%7D%22%3C%3E%7C%5E%60"),
        ] {
            let got = Target::below(base, text).map_or("refused".to_owned(), |t| t.path_and_query());
            assert_eq!(got, expect, "{text}");
        }
    }

    #[test]
    fn values_stay_values() {
        let mut target = Target::of_segments("/b", ["customers", "1/../2?x=1#y", "ä&b"].into_iter()).unwrap();
        target.push_query("q", "a&admin=1#?/ü").unwrap();
        target.push_query("r", "").unwrap();
        assert_eq!(
            target.path_and_query(),
            "/b/customers/1%2F..%2F2%3Fx%3D1%23y/%C3%A4%26b?q=a%26admin%3D1%23%3F%2F%C3%BC&r="
        );
    }

    #[test]
    fn a_redirect_stays_below_the_base_too() {
        for bad in ["/", "/a", "/based", "/base/../a", "/base/%2e%2e/a", "/base//x", "base", "/base\\x", "/base/a\r\n"]
        {
            assert_eq!(Target::redirected("/base", bad, ""), None, "{bad}");
        }
        for bad in ["a b", "a\r\n", "ä", "a#b", "\0", "a\\b"] {
            assert_eq!(Target::redirected("/base", "/base/x", bad), None, "{bad}");
        }
        let target = Target::redirected("/base", "/base/x/", "a=b&c=%20").unwrap();
        assert_eq!(target.path_and_query(), "/base/x/?a=b&c=%20");
        assert_eq!(Target::redirected("", "/", "").unwrap().path_and_query(), "/");
    }
}
