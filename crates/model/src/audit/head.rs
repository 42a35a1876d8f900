//! Signed heads: what a chain alone cannot show is that its end was cut off or that all of it was written anew. A head
//! says where a chain ended at a time, and is signed with a key that whoever can write the file need not have.
//!
//! Deliberately absent: keys and signatures themselves (crate `keys`).

use serde::{Deserialize, Serialize};

use crate::{
    Digest, Timestamp,
    id::{TenantId, WriterId},
};

/// Where a chain ended, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedHead {
    /// The tenant whose chain it is.
    pub tenant: TenantId,
    /// The process that wrote it.
    pub writer: WriterId,
    /// Place of the last entry.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
    /// When it was signed.
    pub at: Timestamp,
    /// Ed25519 (RFC 8032) over [`SignedHead::message`], as base64url without padding.
    pub signature: String,
}

impl SignedHead {
    /// What is signed of the end of a chain: a digest over its parts, each preceded by its length.
    pub fn message(tenant: &TenantId, writer: &WriterId, seq: u64, hash: &Digest, at: Timestamp) -> Digest {
        Self::message_of(b"lockgate audit head v1", (tenant, writer), seq, hash, at)
    }

    /// The same of the place up to which a chain was removed, so that no end can stand for it.
    pub fn anchor_message(tenant: &TenantId, writer: &WriterId, seq: u64, hash: &Digest, at: Timestamp) -> Digest {
        Self::message_of(b"lockgate audit anchor v1", (tenant, writer), seq, hash, at)
    }

    fn message_of(
        kind: &[u8],
        (tenant, writer): (&TenantId, &WriterId),
        seq: u64,
        hash: &Digest,
        at: Timestamp,
    ) -> Digest {
        Digest::of_parts([
            kind,
            tenant.as_str().as_bytes(),
            writer.as_str().as_bytes(),
            &seq.to_be_bytes(),
            &hash.0,
            &at.0.to_be_bytes(),
        ])
    }
}
