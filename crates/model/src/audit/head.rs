//! Signed heads: what a chain alone cannot show is that its end was cut off or that all of it was written anew. A head
//! says where a chain ended at a time, and is signed with a key that whoever can write the file need not have.
//!
//! Deliberately absent: keys and signatures themselves (crate `keys`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Broken, Heads, Link, Walk};
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

/// Verifies links as [`verify`](super::verify) does, and that every entry that `heads` speak of is there and is the one
/// they speak of. A chain that has an anchor begins behind it: what was before is no longer kept. Whether heads and
/// anchors are truly signed is asked before.
pub fn verify_signed<'a>(
    links: impl IntoIterator<Item = &'a Link>,
    heads: &[SignedHead],
    anchors: &[SignedHead],
) -> Result<Heads, Broken> {
    let mut begins = Heads::new();
    for anchor in anchors {
        let chain = (anchor.tenant.clone(), anchor.writer.clone());
        if begins.insert(chain, (anchor.seq, anchor.hash)).is_some() {
            return Err(broken(anchor, anchor.seq, "it was removed twice, up to two places"));
        }
    }
    let mut signed: BTreeMap<(&TenantId, &WriterId), BTreeMap<u64, Digest>> = BTreeMap::new();
    for head in heads {
        let of_chain = signed.entry((&head.tenant, &head.writer)).or_default();
        if of_chain.insert(head.seq, head.hash).is_some_and(|other| other != head.hash) {
            return Err(broken(head, head.seq, "it was signed twice, as two entries"));
        }
    }
    let mut walk = Walk(begins);
    for link in links {
        walk.step(link)?;
        let head = signed.get(&(&link.tenant, &link.writer)).and_then(|of_chain| of_chain.get(&link.seq));
        if head.is_some_and(|hash| *hash != link.hash) {
            let (tenant, writer) = (link.tenant.clone(), link.writer.clone());
            return Err(Broken { tenant, writer, seq: link.seq, reason: "it is not the entry that was signed" });
        }
    }
    let ends = walk.heads();
    for head in heads {
        let last = ends.get(&(head.tenant.clone(), head.writer.clone())).map_or(0, |(seq, _)| *seq);
        if head.seq > last {
            return Err(broken(head, last + 1, "it is missing, though a later one was signed"));
        }
    }
    Ok(ends)
}

fn broken(head: &SignedHead, seq: u64, reason: &'static str) -> Broken {
    Broken { tenant: head.tenant.clone(), writer: head.writer.clone(), seq, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Entry, GENESIS, Outcome};

    fn chain(writer: &str, entries: u64) -> Vec<Link> {
        let (tenant, writer) = (TenantId::parse("demo").unwrap(), WriterId::parse(writer).unwrap());
        let mut links: Vec<Link> = Vec::new();
        for seq in 1..=entries {
            let prev = links.last().map_or(GENESIS, |link| link.hash);
            let at = Timestamp(i64::try_from(seq).unwrap());
            let entry = Entry::new(at, "login", Outcome::Done, format!("u-{seq}"));
            links.push(Link::new(tenant.clone(), writer.clone(), seq, prev, entry).unwrap());
        }
        links
    }

    fn head(link: &Link) -> SignedHead {
        let Link { tenant, writer, seq, hash, .. } = link.clone();
        SignedHead { tenant, writer, seq, hash, at: Timestamp(0), signature: String::new() }
    }

    #[test]
    fn an_end_that_was_cut_off_is_found() {
        let links = chain("w-0123456789abcdef0123456789abcdef", 20);
        let heads = [head(&links[4]), head(&links[14])];
        assert!(verify_signed(&links, &heads, &[]).is_ok());
        assert!(verify_signed(&links[..15], &heads, &[]).is_ok());
        for kept in 0..15 {
            let found = verify_signed(&links[..kept], &heads, &[]).unwrap_err();
            assert_eq!(found.seq, kept as u64 + 1, "{found}");
        }
    }

    #[test]
    fn a_log_that_was_written_anew_is_found() {
        let name = "w-0123456789abcdef0123456789abcdef";
        let links = chain(name, 5);
        let heads = [head(&links[2])];
        let mut other = chain(name, 5);
        other[0].entry.principal = "u-other".to_owned();
        let mut anew: Vec<Link> = Vec::new();
        for link in other {
            let prev = anew.last().map_or(GENESIS, |link| link.hash);
            anew.push(Link::new(link.tenant, link.writer, link.seq, prev, link.entry).unwrap());
        }
        assert!(crate::audit::verify(&anew).is_ok(), "the chain alone does not show it");
        assert_eq!(verify_signed(&anew, &heads, &[]).unwrap_err().seq, 3);
        // Two heads of one place cannot both be true.
        assert!(verify_signed(&links, &[head(&links[2]), head(&anew[2])], &[]).is_err());
    }

    #[test]
    fn a_chain_begins_behind_its_anchor_and_nowhere_else() {
        let links = chain("w-0123456789abcdef0123456789abcdef", 20);
        let (anchor, heads) = ([head(&links[9])], [head(&links[4]), head(&links[19])]);
        let ends = verify_signed(&links[10..], &heads, &anchor).unwrap();
        assert_eq!(ends.values().next(), Some(&(20, links[19].hash)));
        // All of it gone is not what an anchor is for: the head speaks of more.
        for (begin, end) in [(9, 20), (11, 20), (0, 20), (10, 19), (20, 20)] {
            assert!(verify_signed(&links[begin..end], &heads, &anchor).is_err(), "{begin}..{end}");
        }
        assert!(verify_signed(&links[10..], &heads, &[]).is_err(), "a cut without an anchor");
        assert!(verify_signed(&links[10..], &heads, &[head(&links[9]), head(&links[4])]).is_err(), "two anchors");
        let wrong = SignedHead { hash: links[8].hash, ..head(&links[9]) };
        assert!(verify_signed(&links[10..], &heads, &[wrong]).is_err(), "an anchor of another entry");
    }
}
