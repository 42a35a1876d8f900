//! API keys: `lgk_<id>_<secret>`. The id finds the row, the secret proves the holder.

use lockgate_model::{
    Digest, Timestamp,
    id::{EnvironmentId, KeyId, TargetName, UserId},
};
use serde::{Deserialize, Serialize};

use crate::{
    DigestKey, Refused,
    digest_key::same,
    random::{self, NoRandom},
    text::{SecretText, hex_256},
};

/// A whole API key: as generated, or as presented.
#[derive(Debug, Clone)]
pub struct ApiKey {
    id: KeyId,
    secret: SecretText,
}

impl ApiKey {
    /// A new one: a random id, and a secret of 256 bits. Show it once, store [`ApiKey::stored`].
    pub fn generate() -> Result<Self, NoRandom> {
        let id = random::hex::<8>()?;
        let secret = random::hex::<32>()?;
        // Hex digits are an id; the error cannot come.
        Ok(Self { id: KeyId::parse(&id).map_err(|_| NoRandom)?, secret: secret.into() })
    }

    /// Reads one; `None` if it has not the form. The secret is what follows the last underscore.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix("lgk_")?.rsplit_once('_')?;
        Some(Self { id: KeyId::parse(id).ok()?, secret: hex_256(secret)? })
    }

    /// Its public half: the id of its row.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The whole key, for the one reply that carries it.
    pub fn expose(&self) -> String {
        format!("lgk_{}_{}", self.id, self.secret.expose())
    }

    /// The row to store for it: a key without end, narrowed to nothing; set the other fields.
    pub fn stored(&self, key: &DigestKey, user: UserId) -> StoredKey {
        let digest = self.digest(key, &user);
        StoredKey { digest, ..StoredKey::of(user) }
    }

    /// The work of holding it to a stored one, where there is no tenant that could have any: how long it takes tells
    /// nobody which tenants there are.
    pub fn is_nobodys(&self) {
        if let Ok(none) = StoredKey::nobody(self) {
            std::hint::black_box(none.is(self, &DigestKey::new([0; 32])));
        }
    }

    /// Bound to id and user: a digest moved to another row fits nothing.
    fn digest(&self, key: &DigestKey, user: &UserId) -> Digest {
        let parts = [&b"api-key"[..], self.id.as_str().as_bytes(), user.as_str().as_bytes()];
        key.digest(parts.into_iter().chain([self.secret.expose().as_bytes()]))
    }
}

/// An API key as it is stored: the body of a row of kind `api-key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredKey {
    /// On whose behalf it acts.
    pub user: UserId,
    /// Keyed digest of its secret.
    pub digest: Digest,
    /// The only environment it is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentId>,
    /// The orchestrations and APIs it may call, and do nothing else; empty for no such limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetName>,
    /// It is no bearer token itself: a client sends it to the token endpoint, and nowhere else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub client: bool,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
}

impl StoredKey {
    fn of(user: UserId) -> Self {
        let (digest, title) = (Digest([0; 32]), String::new());
        Self { user, digest, environment: None, targets: Vec::new(), client: false, expires: None, title }
    }

    /// What an unknown key is compared with; nothing fits it.
    pub(crate) fn nobody(presented: &ApiKey) -> Result<Self, Refused> {
        // The key's own id stands in for the user: the digest is over as many bytes as a real one.
        let user = UserId::parse(presented.id().as_str()).map_err(|_| Refused::UnknownKey)?;
        Ok(Self::of(user))
    }

    /// The presented key is this one. Takes the same time whether it is or not.
    pub(crate) fn is(&self, presented: &ApiKey, key: &DigestKey) -> bool {
        same(&self.digest, &presented.digest(key, &self.user))
    }

    /// It has ended.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}
