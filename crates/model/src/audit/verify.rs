//! Verifying chains, link by link: memory grows with the number of chains and never with their length.

use std::collections::BTreeMap;

use super::{Broken, GENESIS, Heads, Link, SignedHead, hash};
use crate::{
    Digest,
    id::{TenantId, WriterId},
};

/// Verifies links of any number of chains, each in ascending order; returns the head of each.
pub fn verify<'a>(links: impl IntoIterator<Item = &'a Link>) -> Result<Heads, Broken> {
    verify_signed(links, &[], &[])
}

/// Verifies links as [`verify`] does, and that every entry that `heads` speak of is there and is the one they speak of. A
/// chain that has an anchor begins behind it: what was before is no longer kept. Whether heads and anchors are truly
/// signed is asked before.
pub fn verify_signed<'a>(
    links: impl IntoIterator<Item = &'a Link>,
    heads: &[SignedHead],
    anchors: &[SignedHead],
) -> Result<Heads, Broken> {
    let mut verifier = Verifier::default();
    anchors.iter().try_for_each(|anchor| verifier.anchor(anchor))?;
    heads.iter().try_for_each(|head| verifier.head(head))?;
    links.into_iter().try_for_each(|link| verifier.link(link))?;
    verifier.end()
}

/// The same for a log that comes piece by piece. Chains may come in any order and mixed; what is signed of a chain comes
/// before the entries that it speaks of.
#[derive(Debug, Clone, Default)]
pub struct Verifier(BTreeMap<(TenantId, WriterId), Chain>);

/// How far a chain has come.
#[derive(Debug, Clone)]
struct Chain {
    /// Behind this place it begins.
    begun: u64,
    last: u64,
    hash: Digest,
    /// Entries that were signed, by their places.
    signed: BTreeMap<u64, Digest>,
}

impl Default for Chain {
    fn default() -> Self {
        Self { begun: 0, last: 0, hash: GENESIS, signed: BTreeMap::new() }
    }
}

impl Verifier {
    fn chain(&mut self, tenant: &TenantId, writer: &WriterId) -> &mut Chain {
        self.0.entry((tenant.clone(), writer.clone())).or_default()
    }

    /// Entries of the chain that a head speaks of have come.
    pub fn has_begun(&self, head: &SignedHead) -> bool {
        let chain = self.0.get(&(head.tenant.clone(), head.writer.clone()));
        chain.is_some_and(|chain| chain.last > chain.begun)
    }

    /// A chain begins behind this.
    pub fn anchor(&mut self, anchor: &SignedHead) -> Result<(), Broken> {
        let chain = self.chain(&anchor.tenant, &anchor.writer);
        if chain.last > 0 {
            return Err(broken(anchor, anchor.seq, "it has begun, and is to begin once more"));
        }
        (chain.begun, chain.last, chain.hash) = (anchor.seq, anchor.seq, anchor.hash);
        Ok(())
    }

    /// A chain has this entry.
    pub fn head(&mut self, head: &SignedHead) -> Result<(), Broken> {
        let chain = self.chain(&head.tenant, &head.writer);
        if head.seq > chain.begun && head.seq < chain.last {
            return Err(broken(head, head.seq, "its signed head comes behind it: heads come before entries"));
        }
        let passed = (head.seq > chain.begun && head.seq == chain.last).then_some(chain.hash);
        let other = chain.signed.insert(head.seq, head.hash);
        match [passed, other].into_iter().flatten().find(|known| *known != head.hash) {
            Some(_) => Err(broken(head, head.seq, "it was signed twice, as two entries")),
            None => Ok(()),
        }
    }

    /// The next link of its chain.
    pub fn link(&mut self, link: &Link) -> Result<(), Broken> {
        let broken =
            |reason| Broken { tenant: link.tenant.clone(), writer: link.writer.clone(), seq: link.seq, reason };
        let chain = self.chain(&link.tenant, &link.writer);
        if chain.last.checked_add(1) != Some(link.seq) {
            return Err(broken("an entry is missing or out of place"));
        }
        if link.prev != chain.hash {
            return Err(broken("it does not follow the entry before"));
        }
        let json = serde_json::to_vec(&link.entry).map_err(|_| broken("it cannot be read"))?;
        if hash(&link.tenant, &link.writer, link.seq, &link.prev, &json) != link.hash {
            return Err(broken("its content was changed"));
        }
        if chain.signed.get(&link.seq).is_some_and(|signed| *signed != link.hash) {
            return Err(broken("it is not the entry that was signed"));
        }
        (chain.last, chain.hash) = (link.seq, link.hash);
        Ok(())
    }

    /// Nothing more comes: the head of each chain, unless there has to be more.
    pub fn end(self) -> Result<Heads, Broken> {
        let mut heads = Heads::new();
        for ((tenant, writer), Chain { last, hash, signed, .. }) in self.0 {
            if signed.last_key_value().is_some_and(|(seq, _)| *seq > last) {
                let reason = "it is missing, though a later one was signed";
                return Err(Broken { tenant, writer, seq: last.saturating_add(1), reason });
            }
            heads.insert((tenant, writer), (last, hash));
        }
        Ok(heads)
    }
}

fn broken(signed: &SignedHead, seq: u64, reason: &'static str) -> Broken {
    Broken { tenant: signed.tenant.clone(), writer: signed.writer.clone(), seq, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Timestamp,
        audit::{Entry, Outcome},
    };

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
        assert!(verify(&anew).is_ok(), "the chain alone does not show it");
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
    #[test]
    fn what_is_signed_of_a_chain_comes_before_the_entries_that_it_speaks_of() {
        let (links, others) = (chain("w-1", 6), chain("w-2", 3));
        let after = |links: &[Link], head: &SignedHead| {
            let mut verifier = Verifier::default();
            links.iter().try_for_each(|link| verifier.link(link)).unwrap();
            verifier.head(head)
        };
        assert!(after(&links[..4], &head(&links[5])).is_ok(), "ahead of it");
        assert!(after(&links[..4], &head(&links[3])).is_ok(), "the last one is known");
        assert!(after(&links[..4], &head(&others[2])).is_ok(), "of another chain");
        for late in [head(&links[1]), SignedHead { hash: links[0].hash, ..head(&links[3]) }] {
            assert!(after(&links[..4], &late).is_err(), "{late:?}");
        }
        let mut verifier = Verifier::default();
        verifier.link(&links[0]).unwrap();
        assert!(verifier.anchor(&head(&links[0])).is_err(), "it has begun");
        // A head before its anchor is of what is no longer kept.
        let mut verifier = Verifier::default();
        verifier.head(&head(&links[1])).unwrap();
        verifier.anchor(&head(&links[3])).unwrap();
        links[4..].iter().try_for_each(|link| verifier.link(link)).unwrap();
        assert_eq!(verifier.end().unwrap().values().next(), Some(&(6, links[5].hash)));
    }
}
