//! Keyed digests (HMAC-SHA-256, RFC 2104) of secrets that have 256 bits of their own.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use lockgate_model::Digest;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{random, random::NoRandom};

type HmacSha256 = Hmac<Sha256>;

/// The key under which a tenant's API keys and one-time tokens are stored. It comes from the
/// master key and lies in no database, so that who can write rows still cannot make a key.
#[derive(Clone)]
pub struct DigestKey(Zeroizing<[u8; 32]>);

impl DigestKey {
    /// From 256 secret bits that stay the same as long as what was stored under them is to be found.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The digest of some parts, each preceded by its length, so that no two lists collide.
    pub(crate) fn digest<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> Digest {
        // A key shorter than the block is padded with zeros (RFC 2104 §2): this is that padding.
        let mut block = Zeroizing::new([0u8; 64]);
        block.iter_mut().zip(self.0.iter()).for_each(|(to, from)| *to = *from);
        let mut hmac = <HmacSha256 as KeyInit>::new((&*block).into());
        for part in parts {
            hmac.update(&(part.len() as u64).to_be_bytes());
            hmac.update(part);
        }
        Digest(hmac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The key of one process for remembering verified Basic credentials: random at each start, so a
/// digest means nothing anywhere else.
#[derive(Debug, Clone)]
pub struct BasicKey(pub(crate) DigestKey);

impl BasicKey {
    /// A new one.
    pub fn random() -> Result<Self, NoRandom> {
        Ok(Self(DigestKey(random::key()?)))
    }
}

/// Equal, found out in a time that does not tell where they differ.
pub(crate) fn same(a: &Digest, b: &Digest) -> bool {
    a.0.ct_eq(&b.0).into()
}
