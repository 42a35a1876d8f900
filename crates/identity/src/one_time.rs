//! One-time tokens: `lgt_<user>_<secret>`. For the first login and for a reset; using one sets the
//! password, and setting the password ends it. It is no credential for anything else.

use lockgate_model::{Digest, Timestamp, id::UserId};
use serde::{Deserialize, Serialize};

use crate::{
    DigestKey,
    digest_key::same,
    random::{self, NoRandom},
    text::{SecretText, hex_256},
};

/// A one-time token ends this long after it was made: 24 hours.
pub const ONE_TIME_MS: i64 = 24 * 3_600_000;

/// A whole one-time token: as generated, or as presented.
#[derive(Debug, Clone)]
pub struct OneTime {
    user: UserId,
    secret: SecretText,
}

impl OneTime {
    /// A new one for a user, with 256 random bits. Show it once, store [`OneTime::stored`].
    pub fn generate(user: UserId) -> Result<Self, NoRandom> {
        Ok(Self { user, secret: random::hex::<32>()?.into() })
    }

    /// Reads one; `None` if it has not the form. The secret is what follows the last underscore.
    pub fn parse(text: &str) -> Option<Self> {
        let (user, secret) = text.strip_prefix("lgt_")?.rsplit_once('_')?;
        Some(Self { user: UserId::parse(user).ok()?, secret: hex_256(secret)? })
    }

    /// Whose password it sets.
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// The whole token, for the one reply that carries it.
    pub fn expose(&self) -> String {
        format!("lgt_{}_{}", self.user, self.secret.expose())
    }

    /// What to store of it.
    pub fn stored(&self, key: &DigestKey, now: Timestamp) -> StoredToken {
        StoredToken { digest: self.digest(key), expires: now.plus_ms(ONE_TIME_MS) }
    }

    /// The work of holding it to a stored one, where there is no tenant that could have any: how long it takes tells
    /// nobody which tenants there are.
    pub fn is_nobodys(&self) {
        let none = StoredToken { digest: Digest([0; 32]), expires: Timestamp(0) };
        std::hint::black_box(none.is(self, &DigestKey::new([0; 32])));
    }

    fn digest(&self, key: &DigestKey) -> Digest {
        let parts = [&b"one-time"[..], self.user.as_str().as_bytes(), self.secret.expose().as_bytes()];
        key.digest(parts)
    }
}

/// A one-time token as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredToken {
    /// Keyed digest of the token's secret.
    pub digest: Digest,
    /// When it ends.
    pub expires: Timestamp,
}

impl StoredToken {
    /// The presented token is this one. Takes the same time whether it is or not.
    pub(crate) fn is(&self, presented: &OneTime, key: &DigestKey) -> bool {
        same(&self.digest, &presented.digest(key))
    }
}
