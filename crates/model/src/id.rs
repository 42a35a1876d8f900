//! Ids: lower-case names that are safe in a URL, a file name and a log line.
//!
//! An id is parsed at the edge and never checked again. 1 to 64 characters of `a-z 0-9 - _ . @`,
//! beginning with a letter or digit; `..` is refused, so that an id is never a path.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}: 1 to 64 of `a-z 0-9 - _ . @`, beginning with a letter or digit")]
pub struct InvalidId {
    what: &'static str,
    text: String,
}

/// Longest id in bytes.
pub const ID_BYTES_MAX: usize = 64;

fn is_id(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    first
        && text.len() <= ID_BYTES_MAX
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.' | b'@'))
        && !text.contains("..")
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses an id; the only way to make one.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                if is_id(text) { Ok(Self(text.into())) } else { Err(InvalidId { what: $what, text: text.chars().take(80).collect() }) }
            }
            /// The id as text.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl FromStr for $name { type Err = InvalidId; fn from_str(text: &str) -> Result<Self, InvalidId> { Self::parse(text) } }
        impl fmt::Display for $name { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) } }
        impl fmt::Debug for $name { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) } }
        impl Borrow<str> for $name { fn borrow(&self) -> &str { &self.0 } }
        impl Serialize for $name { fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.serialize_str(&self.0) } }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = String::deserialize(d)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// One customer of the installation.
    TenantId = "a tenant id";
    /// An isolated work area (stage) of a tenant.
    EnvironmentId = "an environment id";
    /// A person or service account that may sign in.
    UserId = "a user id";
    /// A group of users.
    GroupId = "a group id";
    /// An access profile.
    ProfileId = "a profile id";
    /// An access control list.
    AclId = "an ACL id";
    /// A project: sources that are pushed and deployed together.
    ProjectId = "a project id";
    /// An orchestration, REST API or SOAP API: what can be executed.
    TargetName = "an orchestration or API name";
    /// An account declaration or binding.
    AccountName = "an account name";
    /// An API key's public half.
    KeyId = "a key id";
    /// One process that appends to the audit chain.
    WriterId = "a writer id";
}

/// Names that a tenant cannot take because they begin product URLs.
pub const RESERVED_TENANTS: &[&str] = &["admin", "console", "portal", "healthz", "readyz", "metrics", "oauth2"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_never_a_path_or_empty() {
        for bad in ["", ".", "..", "a..b", "/", "a/b", "A", "ä", "-a", "_a", "a b", "a\n", "%2e", &"a".repeat(65)] {
            assert!(TenantId::parse(bad).is_err(), "`{bad}` was taken");
        }
        for good in ["a", "0", "acme", "order-to-erp", "a.b_c@d", &"a".repeat(64)] {
            assert!(TenantId::parse(good).is_ok(), "`{good}` was refused");
        }
    }
}
