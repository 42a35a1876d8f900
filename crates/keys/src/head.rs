//! The key that heads of audit chains are signed with: Ed25519 (RFC 8032), one for each tenant, derived from the master
//! key. Whoever holds the public half can tell a true head without any server.

use std::{fmt, str::FromStr};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use lockgate_model::{
    Digest, Timestamp,
    audit::SignedHead,
    id::{TenantId, WriterId},
};

use crate::Error;

/// How a public key is written: this and its 32 bytes as base64url.
const PREFIX: &str = "ed25519:";

/// Signs heads of one tenant.
pub struct HeadSigner(Ed25519KeyPair);

impl HeadSigner {
    pub(crate) fn from_seed(seed: &[u8]) -> Result<Self, Error> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(|_| Error::Provider("derive a signing key"))
    }

    /// Signs the end of a chain.
    pub fn sign(&self, tenant: &TenantId, writer: &WriterId, (seq, hash): (u64, Digest), at: Timestamp) -> SignedHead {
        let message = SignedHead::message(tenant, writer, seq, &hash, at);
        let signature = URL_SAFE_NO_PAD.encode(self.0.sign(&message.0));
        SignedHead { tenant: tenant.clone(), writer: writer.clone(), seq, hash, at, signature }
    }

    /// Signs the place up to which a chain is removed.
    pub fn sign_anchor(
        &self,
        tenant: &TenantId,
        writer: &WriterId,
        (seq, hash): (u64, Digest),
        at: Timestamp,
    ) -> SignedHead {
        let message = SignedHead::anchor_message(tenant, writer, seq, &hash, at);
        let signature = URL_SAFE_NO_PAD.encode(self.0.sign(&message.0));
        SignedHead { tenant: tenant.clone(), writer: writer.clone(), seq, hash, at, signature }
    }

    /// What its heads are told by.
    pub fn public(&self) -> HeadKey {
        HeadKey(self.0.public_key().as_ref().to_vec())
    }
}

impl fmt::Debug for HeadSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeadSigner([secret])")
    }
}

/// Tells true heads: the public half, written `ed25519:<base64url>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadKey(Vec<u8>);

impl HeadKey {
    /// Whether the head was signed with the other half.
    pub fn holds(&self, head: &SignedHead) -> bool {
        self.verifies(&SignedHead::message(&head.tenant, &head.writer, head.seq, &head.hash, head.at), head)
    }

    /// Whether the anchor was signed with the other half. The end of a chain is none.
    pub fn holds_anchor(&self, anchor: &SignedHead) -> bool {
        let SignedHead { tenant, writer, seq, hash, at, .. } = anchor;
        self.verifies(&SignedHead::anchor_message(tenant, writer, *seq, hash, *at), anchor)
    }

    fn verifies(&self, message: &Digest, signed: &SignedHead) -> bool {
        let signature = URL_SAFE_NO_PAD.decode(&signed.signature);
        signature
            .is_ok_and(|signature| UnparsedPublicKey::new(&ED25519, &self.0).verify(&message.0, &signature).is_ok())
    }
}

impl fmt::Display for HeadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(&self.0))
    }
}

/// The text is no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a public key of an audit log: expected `ed25519:` and 43 characters of base64url")]
pub struct InvalidHeadKey;

impl FromStr for HeadKey {
    type Err = InvalidHeadKey;

    fn from_str(text: &str) -> Result<Self, InvalidHeadKey> {
        let bytes = text.strip_prefix(PREFIX).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        bytes.filter(|bytes| bytes.len() == 32).map(Self).ok_or(InvalidHeadKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Master;

    #[test]
    fn a_head_is_true_as_it_was_signed_and_by_its_own_key_alone() {
        let dir = tempfile::tempdir().unwrap();
        let master = Master::open_or_create(&dir.path().join("keys")).unwrap();
        let (demo, other) = (TenantId::parse("demo").unwrap(), TenantId::parse("other").unwrap());
        let writer = WriterId::parse("w-0123456789abcdef0123456789abcdef").unwrap();
        let signer = master.head_signer(&demo).unwrap();
        let head = signer.sign(&demo, &writer, (7, Digest::of(b"entry")), Timestamp(1));
        let key = signer.public();
        assert!(key.holds(&head) && !key.holds_anchor(&head), "an end is no anchor");
        let anchor = signer.sign_anchor(&demo, &writer, (7, Digest::of(b"entry")), Timestamp(1));
        assert!(key.holds_anchor(&anchor) && !key.holds(&anchor), "an anchor is no end");
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        // The same key again after a restart.
        assert_eq!(master.head_signer(&demo).unwrap().public(), key);
        assert!(!master.head_signer(&other).unwrap().public().holds(&head));
        for wrong in [
            SignedHead { tenant: other, ..head.clone() },
            SignedHead { seq: 8, ..head.clone() },
            SignedHead { hash: Digest::of(b"other"), ..head.clone() },
            SignedHead { at: Timestamp(2), ..head.clone() },
            SignedHead { signature: String::new(), ..head.clone() },
            SignedHead { signature: head.signature.replace(['A', 'a', 'b'], "c"), ..head.clone() },
        ] {
            assert!(wrong == head || !key.holds(&wrong), "{wrong:?}");
        }
        for text in ["", "ed25519:", "ed25519:AAAA", key.to_string().trim_start_matches(PREFIX)] {
            assert_eq!(text.parse::<HeadKey>(), Err(InvalidHeadKey), "{text}");
        }
    }
}
