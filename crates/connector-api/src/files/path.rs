//! Paths of calls: always below the account's base, refused otherwise, before anything is sent.
//!
//! Deliberately absent: a look at what links on the server point to. The base keeps flows in order;
//! what an account may reach at all is for the server's own rights to say.

use crate::{Address, Error, Kind};

/// Longest path, in bytes.
const PATH_BYTES_MAX: usize = 4096;

/// How names of files begin and end that are there only while a call works on them.
const TEMPORARY: (&str, &str) = (".lockgate-", ".part");

/// Where an account's files lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base(String);

/// A path below the base, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote(String);

impl Base {
    /// The base of an address: absolute, or the folder in which the server puts us.
    pub fn of(address: &Address) -> Result<Self, Error> {
        let wrong =
            || Error::new(Kind::Configuration, "file-base", "the address has a base path that no file can have");
        let decoded = decoded(address.base()).ok_or_else(wrong)?;
        let plain = decoded.is_empty() || decoded.strip_prefix('/').is_some_and(|path| path.split('/').all(is_plain));
        if plain { Ok(Self(decoded)) } else { Err(wrong()) }
    }

    /// The base itself.
    pub fn itself(&self) -> Remote {
        Remote(if self.0.is_empty() { ".".to_owned() } else { self.0.clone() })
    }

    /// A path below the base: names with `/` between them. An empty one is the base itself.
    pub fn below(&self, path: &str) -> Result<Remote, Error> {
        if path.is_empty() {
            return Ok(self.itself());
        }
        if path.len() > PATH_BYTES_MAX - self.0.len().min(PATH_BYTES_MAX) {
            return Err(refused("a path is longer than 4096 bytes"));
        }
        if path.starts_with('/') {
            return Err(refused("a path is absolute: write it below the account's base, without `/` at its start")
                .with_private(shown(path)));
        }
        // A server on Windows takes `C:` at the start for a drive.
        let drive = path.as_bytes().get(1) == Some(&b':') && self.0.is_empty();
        if drive || !path.split('/').all(is_plain) {
            return Err(refused(
                "a path must be names with single `/` between them: no `.` or `..`, no `\\`, no control character",
            )
            .with_private(shown(path)));
        }
        // `./` keeps a server from reading `~` at the start as somebody's home.
        let base = if self.0.is_empty() { "." } else { &self.0 };
        Ok(Remote(format!("{base}/{path}")))
    }
}

impl Remote {
    /// As it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name in the same folder.
    fn beside(&self, name: &str) -> Self {
        let folder = self.0.rsplit_once('/').map_or(".", |(folder, _)| folder);
        Self(format!("{folder}/{name}"))
    }

    /// A name in the same folder that nobody else takes.
    pub fn temporary(&self) -> Result<Self, Error> {
        let random = getrandom::u64().map_err(|_| {
            Error::new(Kind::Unavailable, "file-random", "this machine gives no random numbers for a temporary name")
        })?;
        let (begin, end) = TEMPORARY;
        Ok(self.beside(&format!("{begin}{random:016x}{end}")))
    }
}

/// Whether a name is one of [`Remote::temporary`].
pub fn is_temporary(name: &str) -> bool {
    let (begin, end) = TEMPORARY;
    name.starts_with(begin) && name.ends_with(end)
}

/// A name that means itself on every server.
fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['\\', '/']) && !name.chars().any(char::is_control)
}

fn shown(path: &str) -> String {
    format!("`{}`", path.chars().take(200).collect::<String>().escape_debug())
}

fn refused(text: &'static str) -> Error {
    Error::new(Kind::Input, "file-path", text)
}

/// Without its percent encoding (RFC 3986 §2.1).
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        out.push(if byte == b'%' { u8::try_from(digit()? * 16 + digit()?).ok()? } else { byte });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scheme;

    const SFTP: Scheme = Scheme { name: "sftp", port: 22 };

    fn base(path: &str) -> Result<Base, Error> {
        Base::of(&Address::parse(SFTP, true, &format!("sftp://h.example{path}")).unwrap())
    }

    #[test]
    fn what_leaves_the_base_is_refused() {
        for base in [base("").unwrap(), base("/in").unwrap()] {
            for path in [
                "..",
                "../x",
                "a/../../x",
                "a/..",
                ".",
                "./a",
                "/etc/passwd",
                "//x",
                "a//b",
                "a/",
                "a\\..\\..\\x",
                "a\0b",
                "a\nb",
                "\u{85}",
                &"x".repeat(5000),
            ] {
                assert_eq!(base.below(path).unwrap_err().kind(), Kind::Input, "{path:?}");
            }
        }
        assert!(base("").unwrap().below("C:/x").is_err());
        for path in ["/%00", "/a%0a", "/a%zz", "/a%ff", "/a%"] {
            let Ok(address) = Address::parse(SFTP, true, &format!("sftp://h.example{path}")) else { continue };
            assert_eq!(Base::of(&address).unwrap_err().kind(), Kind::Configuration, "{path}");
        }
    }

    #[test]
    fn paths_stand_below_the_base() {
        let (home, folder) = (base("").unwrap(), base("/in/a%20b/").unwrap());
        assert_eq!(home.below("~root/x").unwrap().as_str(), "./~root/x");
        assert_eq!(home.below("").unwrap().as_str(), ".");
        assert_eq!(folder.below("").unwrap().as_str(), "/in/a b");
        let file = folder.below("grüße/1 %2e.csv").unwrap();
        assert_eq!(file.as_str(), "/in/a b/grüße/1 %2e.csv");
        assert_eq!(file.beside("t").as_str(), "/in/a b/grüße/t");
        assert_eq!(home.below("x").unwrap().beside("t").as_str(), "./t");
    }
}
