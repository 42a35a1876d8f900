//! Where a redirect leads, and whether it is followed. Pure.

use super::{HTTPS, Origin, Redirects, Target};
use crate::{Address, Error, Kind};
use http::{Method, StatusCode};

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// The account's own origin: credentials go along.
    Home,
    /// Another one: nothing of the account goes along.
    Other(Origin),
}

/// The request that a redirect asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Where to.
    pub place: Place,
    /// Path and query there.
    pub target: Target,
    /// With which method.
    pub method: Method,
    /// Whether the content is sent again.
    pub keeps_content: bool,
}

/// What is known when a redirect arrives.
pub(crate) struct Seen<'a> {
    /// The account's origin.
    pub home: &'a Origin,
    /// Its base path.
    pub base: &'a str,
    /// Its setting.
    pub policy: Redirects,
    /// Where the redirect came from.
    pub place: &'a Place,
    /// And from which path.
    pub target: &'a Target,
    /// The method that was used.
    pub method: &'a Method,
    /// Whether the request carried content.
    pub has_content: bool,
}

/// Whether a status is a redirect to the URL in `Location` (RFC 9110 §15.4).
pub(crate) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

impl Seen<'_> {
    /// The next request.
    ///
    /// # Errors
    /// `Refused` when it would leave TLS, the origin or the base against the account's setting, or
    /// would carry content to another origin; `Protocol` when the location cannot be read.
    pub fn follow(&self, status: StatusCode, location: &str) -> Result<Step, Error> {
        let (place, target) = self.locate(location).map_err(|e| e.with_private(format!("redirect to `{location}`")))?;
        let (method, keeps_content) = match status.as_u16() {
            303 if self.method != Method::HEAD => (Method::GET, false),
            // As every browser does, and RFC 9110 §15.4.2 permits.
            301 | 302 if self.method == Method::POST => (Method::GET, false),
            _ => (self.method.clone(), self.has_content),
        };
        if place != Place::Home {
            if self.policy != Redirects::AnyOrigin {
                return Err(refused("a redirect leads to another origin (setting `redirects`)")
                    .with_private(format!("redirect to `{location}`")));
            }
            if keeps_content || !matches!(method, Method::GET | Method::HEAD | Method::OPTIONS) {
                return Err(refused("a redirect would carry data to another origin")
                    .with_private(format!("redirect to `{location}`")));
            }
        }
        Ok(Step { place, target, method, keeps_content })
    }

    /// A place of the account's own that an answer names.
    pub fn beside(&self, reference: &str) -> Result<Target, Error> {
        let wrong = |text| refused(text).with_private(format!("link to `{reference}`"));
        let (place, path, query) =
            self.parts(reference).map_err(|_| wrong("an answer names no https URL of the account's origin"))?;
        if place != Place::Home {
            return Err(wrong("an answer names a place at another origin, where the account's calls do not go"));
        }
        // Segments that are values may hold what nobody would follow elsewhere, as `%2F`: this one was asked for already.
        let found = match path == self.target.path() {
            true => self.target.with_query(query),
            false => Target::redirected(self.base, &path, query),
        };
        found.ok_or_else(|| {
            wrong("an answer names a place out of the account's base path, or one whose path cannot be taken as it is")
        })
    }

    fn locate(&self, location: &str) -> Result<(Place, Target), Error> {
        let (place, path, query) = self.parts(location)?;
        let base = if place == Place::Home { self.base } else { "" };
        let target = Target::redirected(base, &path, query);
        target.map(|target| (place, target)).ok_or_else(|| refused("a redirect leads out of the account's base path"))
    }

    /// Where a reference leads, its path, and its query.
    fn parts<'r>(&self, reference: &'r str) -> Result<(Place, String, &'r str), Error> {
        let reference = reference.split('#').next().unwrap_or_default();
        let (rest, query) = reference.split_once('?').unwrap_or((reference, ""));
        let (place, path) = match rest.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => {
                if !scheme.eq_ignore_ascii_case(HTTPS.name) {
                    return Err(refused("a redirect leads away from https"));
                }
                self.absolute(rest.strip_prefix("//").ok_or_else(unreadable)?)?
            }
            _ => match rest.strip_prefix("//") {
                Some(rest) => self.absolute(rest)?,
                None => (self.place.clone(), self.relative(rest)),
            },
        };
        Ok((place, path, query))
    }

    fn absolute(&self, rest: &str) -> Result<(Place, String), Error> {
        let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        let (host, port) = Address::authority(HTTPS, authority).map_err(|_| unreadable())?;
        let origin = Origin { host, port };
        let place = if origin == *self.home { Place::Home } else { Place::Other(origin) };
        Ok((place, path.to_owned()))
    }

    /// RFC 3986 §5.2.3 and §5.2.4, for a reference without scheme and authority.
    fn relative(&self, reference: &str) -> String {
        let current = self.target.path();
        let merged = match reference {
            "" => return current.to_owned(),
            absolute if absolute.starts_with('/') => return absolute.to_owned(),
            _ => format!("{}/{reference}", current.rsplit_once('/').map_or("", |(folder, _)| folder)),
        };
        let mut kept: Vec<&str> = Vec::new();
        let mut segments = merged.split('/').skip(1).peekable();
        while let Some(segment) = segments.next() {
            let last = segments.peek().is_none();
            match segment {
                "." | ".." => {
                    if segment == ".." {
                        kept.pop();
                    }
                    if last {
                        kept.push("");
                    }
                }
                segment => kept.push(segment),
            }
        }
        format!("/{}", kept.join("/"))
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn refused(text: &'static str) -> Error {
    Error::new(Kind::Refused, "https-redirect", text)
}

fn unreadable() -> Error {
    Error::new(Kind::Protocol, "https-redirect", "a redirect names no https URL that can be followed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Host;

    fn origin(host: &str, port: u16) -> Origin {
        Origin { host: Host::parse(host).unwrap(), port }
    }

    fn follow(policy: Redirects, method: Method, content: bool, status: u16, location: &str) -> Result<Step, Error> {
        let home = origin("home.example", 443);
        let target = Target::below("/base", "/a/b").unwrap();
        let seen = Seen {
            home: &home,
            base: "/base",
            policy,
            place: &Place::Home,
            target: &target,
            method: &method,
            has_content: content,
        };
        seen.follow(StatusCode::from_u16(status).unwrap(), location)
    }

    fn get(policy: Redirects, location: &str) -> Result<Step, Error> {
        follow(policy, Method::GET, false, 302, location)
    }

    #[test]
    fn never_away_from_tls_or_out_of_the_base() {
        for policy in [Redirects::SameOrigin, Redirects::AnyOrigin] {
            for bad in [
                "http://home.example/base/x",
                "HTTP://home.example/base/x",
                "ftp://home.example/",
                "javascript:alert(1)",
                "data:text/plain,x",
                "file:///etc/passwd",
                "https:base/x",
                "https:///base",
                "https://",
                "//",
                "//u@home.example/base",
                "https://u:p@home.example/base",
                "https://home.example:0/base",
                "https://home.example.:443/base",
                "https://0x7f.1/",
                "https://2130706433/",
                "https://127.1/",
                "https://[::1%25lo]/",
                "https://home.example\\@evil.example/",
                "/",
                "/x",
                "/basement",
                "/base/../x",
                "/base/%2e%2e/x",
                "../../../x",
                "/base//x",
                "/base/\\x",
                "https://home.example/",
                "https://home.example/x",
                "https://HOME.example:443/x",
                "/base/x\r\nhost: evil",
                "/base/x?a b",
            ] {
                assert!(get(policy, bad).is_err(), "`{bad}` was followed");
            }
        }
    }

    #[test]
    fn another_origin_only_by_setting_and_without_data() {
        for location in ["https://other.example/x", "//other.example/x", "https://home.example:8443/base/x"] {
            assert_eq!(get(Redirects::SameOrigin, location).unwrap_err().kind(), Kind::Refused);
            assert!(matches!(get(Redirects::AnyOrigin, location).unwrap().place, Place::Other(_)));
            for (method, content, status) in [
                (Method::POST, true, 307),
                (Method::PUT, true, 302),
                (Method::POST, false, 308),
                (Method::DELETE, false, 301),
            ] {
                assert!(follow(Redirects::AnyOrigin, method, content, status, location).is_err());
            }
            assert!(follow(Redirects::AnyOrigin, Method::POST, true, 303, location).is_ok(), "becomes a GET");
        }
        // Literals that are read are vetted when they are dialled.
        let step = get(Redirects::AnyOrigin, "https://169.254.169.254/latest").unwrap();
        assert_eq!(step.place, Place::Other(origin("169.254.169.254", 443)));
    }

    #[test]
    fn references_are_resolved() {
        for (location, expect) in [
            ("/base/x?y=z#f", "/base/x?y=z"),
            ("https://home.example/base/x", "/base/x"),
            ("HTTPS://Home.Example:443/base", "/base"),
            ("//home.example/base/x", "/base/x"),
            ("c", "/base/a/c"),
            ("./c", "/base/a/c"),
            ("../c", "/base/c"),
            ("c/../d/.", "/base/a/d/"),
            ("?p=1", "/base/a/b?p=1"),
            ("", "/base/a/b"),
            ("c:d", "refused"),
            ("./c:d", "/base/a/c:d"),
        ] {
            let got = get(Redirects::SameOrigin, location).map_or("refused".to_owned(), |s| s.target.path_and_query());
            assert_eq!(got, expect, "{location}");
        }
    }

    #[test]
    fn methods_change_as_the_standard_says() {
        for (method, status, expect, keeps) in [
            (Method::POST, 301, Method::GET, false),
            (Method::POST, 302, Method::GET, false),
            (Method::POST, 303, Method::GET, false),
            (Method::POST, 307, Method::POST, true),
            (Method::POST, 308, Method::POST, true),
            (Method::PUT, 301, Method::PUT, true),
            (Method::PUT, 303, Method::GET, false),
            (Method::HEAD, 303, Method::HEAD, true),
        ] {
            let step = follow(Redirects::SameOrigin, method.clone(), true, status, "/base/x").unwrap();
            assert_eq!((step.method, step.keeps_content), (expect, keeps), "{method} {status}");
        }
    }
}
