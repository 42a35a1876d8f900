//! Verifies a log, on links and signed heads as they were written: of a server, or of an exported file without any.

use std::io::BufRead;

use lockgate_keys::HeadKey;
use lockgate_model::{
    Digest,
    audit::{Link, SignedHead, verify_signed},
    id::{TenantId, WriterId},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::exit::Exit;

/// What is verified.
pub struct Log {
    pub links: Vec<Link>,
    pub heads: Vec<SignedHead>,
    /// Where chains begin of which a part is no longer kept.
    pub anchors: Vec<SignedHead>,
    /// What the server says that heads are told by; none of a file.
    pub key: Option<HeadKey>,
}

/// A line of an exported file.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    Head { head: SignedHead },
    Anchor { anchor: SignedHead },
    Link(Box<Link>),
}

/// A log that holds.
pub struct Holds {
    pub entries: usize,
    /// Heads were held to a key that did not come with them.
    pub signed: bool,
    /// A chain begins behind an anchor.
    pub anchored: bool,
    pub chains: Vec<Chain>,
}

/// One of its chains.
#[derive(Serialize)]
pub struct Chain {
    pub tenant: TenantId,
    pub writer: WriterId,
    pub entries: u64,
    pub head: Digest,
    /// Its signed head.
    pub signed: Option<u64>,
    /// Where it begins, if a part of it is no longer kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<SignedHead>,
}

impl Log {
    /// Reads an exported file.
    pub fn read(file: impl BufRead, name: &str) -> Result<Self, Exit> {
        let (mut links, mut heads, mut anchors) = (Vec::new(), Vec::new(), Vec::new());
        for (number, line) in file.lines().enumerate() {
            let wrong = |reason: String| {
                let message = format!("line {} of `{name}` is no audit entry: {reason}", number + 1);
                Exit::failed("LG-AUDIT-BROKEN", message)
            };
            let line = line.map_err(|e| wrong(e.to_string()))?;
            let read: Line = serde_json::from_str(&line).map_err(|e| wrong(e.to_string()))?;
            // What reads the same but is not the same, as an upper-case digit of a hash, was changed too.
            if serde_json::to_string(&read).ok().as_deref() != Some(&line) {
                return Err(wrong("its bytes were changed".to_owned()));
            }
            match read {
                Line::Head { head } => heads.push(head),
                Line::Anchor { anchor } => anchors.push(anchor),
                Line::Link(link) => links.push(*link),
            }
        }
        Ok(Self { links, heads, anchors, key: None })
    }

    /// Whether it holds; with a key every chain must be signed by it.
    pub fn holds(&self, key: Option<&HeadKey>) -> Result<Holds, Exit> {
        let known = key.or(self.key.as_ref());
        let head = self.heads.iter().find(|head| known.is_some_and(|key| !key.holds(head)));
        let anchor = self.anchors.iter().find(|anchor| known.is_some_and(|key| !key.holds_anchor(anchor)));
        let head = head.map(|head| (head, "its signed head is not of this key"));
        let anchor = anchor.map(|anchor| (anchor, "where it begins is not signed by this key: entries are missing"));
        if let Some((SignedHead { tenant, writer, seq, .. }, reason)) = head.or(anchor) {
            return Err(Exit::Failed {
                code: "LG-AUDIT-BROKEN".into(),
                message: format!("chain of `{tenant}` by `{writer}` is broken at entry {seq}: {reason}"),
                detail: json!({"tenant": tenant, "writer": writer, "seq": seq, "reason": reason}),
            });
        }
        let ends = verify_signed(&self.links, &self.heads, &self.anchors).map_err(|broken| {
            let detail =
                json!({"tenant": broken.tenant, "writer": broken.writer, "seq": broken.seq, "reason": broken.reason});
            Exit::Failed { code: "LG-AUDIT-BROKEN".into(), message: broken.to_string(), detail }
        })?;
        if self.links.is_empty() {
            let message = "there are no entries, so nothing is shown: an empty log is no log that holds";
            return Err(Exit::failed("LG-AUDIT-EMPTY", message));
        }
        let mut chains = Vec::new();
        for ((tenant, writer), (seq, hash)) in ends {
            let of_chain = self.heads.iter().filter(|head| (&head.tenant, &head.writer) == (&tenant, &writer));
            let signed = of_chain.map(|head| head.seq).max();
            if key.is_some() && signed.is_none() {
                let message =
                    format!("the chain of `{tenant}` by `{writer}` has no signed head: its end may be missing");
                return Err(Exit::failed("LG-AUDIT-UNSIGNED", message));
            }
            let anchor = self.anchors.iter().find(|anchor| (&anchor.tenant, &anchor.writer) == (&tenant, &writer));
            let entries = seq - anchor.map_or(0, |anchor| anchor.seq);
            chains.push(Chain { tenant, writer, entries, head: hash, signed, anchor: anchor.cloned() });
        }
        // Heads in a file prove nothing by themselves: who wrote it anew signed them anew.
        let anchored = !self.anchors.is_empty();
        Ok(Holds { entries: self.links.len(), signed: known.is_some(), anchored, chains })
    }
}

#[cfg(test)]
mod tests {
    use lockgate_keys::Master;
    use lockgate_model::{
        Timestamp,
        audit::{Entry, GENESIS, Outcome},
    };

    use super::*;

    /// An exported log of so many entries, and the key that it is signed by.
    fn exported(entries: u64) -> (String, HeadKey) {
        let dir = tempfile::tempdir().unwrap();
        let tenant = TenantId::parse("demo").unwrap();
        let writer = WriterId::parse("w-0123456789abcdef0123456789abcdef").unwrap();
        let signer = Master::open_or_create(&dir.path().join("keys")).unwrap().head_signer(&tenant).unwrap();
        let (mut prev, mut lines) = (GENESIS, Vec::new());
        for seq in 1..=entries {
            let at = Timestamp(1_795_000_000_000_000 + i64::try_from(seq).unwrap());
            let mut entry = Entry::new(at, "execute", Outcome::Allowed, format!("u-{seq}"));
            entry.object = "live/integrations/order".to_owned();
            entry.detail.insert("permission".to_owned(), "execute".to_owned());
            let link = Link::new(tenant.clone(), writer.clone(), seq, prev, entry).unwrap();
            prev = link.hash;
            lines.push(Line::Link(Box::new(link)));
        }
        let head = signer.sign(&tenant, &writer, (entries, prev), Timestamp(1_795_000_000_000_000));
        lines.insert(0, Line::Head { head });
        let text = lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
        (text, signer.public())
    }

    fn holds(text: &[u8], key: &HeadKey) -> bool {
        Log::read(text, "log").is_ok_and(|log| log.holds(Some(key)).is_ok())
    }

    #[test]
    fn every_changed_byte_is_found() {
        let (text, key) = exported(6);
        assert!(holds(text.as_bytes(), &key));
        let mut bytes = text.into_bytes();
        for at in 0..bytes.len() {
            for bit in [0x01, 0x20, 0x80] {
                bytes[at] ^= bit;
                // The very last byte ends a line that is whole without it.
                assert!(!holds(&bytes, &key) || at + 1 == bytes.len(), "byte {at}, bit {bit:#x}");
                bytes[at] ^= bit;
            }
        }
        for cut in 0..bytes.len() - 1 {
            assert!(!holds(&bytes[..cut], &key), "cut after {cut} bytes");
        }
    }

    #[test]
    fn nothing_goes_unseen_in_ten_thousand_lines() {
        let (text, key) = exported(10_000);
        let lines: Vec<&str> = text.lines().collect();
        let written = |lines: &[&str]| holds((lines.join("\n") + "\n").as_bytes(), &key);
        assert!(written(&lines));
        for at in [0, 1, 4_711, 9_999, 10_000] {
            let mut dropped = lines.clone();
            dropped.remove(at);
            assert!(!written(&dropped), "line {at} dropped");
            let mut twice = lines.clone();
            twice.insert(at, lines[at]);
            assert!(at == 0 || !written(&twice), "line {at} twice");
            let mut bytes = text.clone().into_bytes();
            let place = lines[..at].iter().map(|line| line.len() + 1).sum::<usize>() + lines[at].len() / 2;
            bytes[place] ^= 1;
            assert!(!holds(&bytes, &key), "byte {place} changed");
            assert!(!holds(&text.as_bytes()[..place], &key), "cut after {place} bytes");
            if at > 1 {
                let mut swapped = lines.clone();
                swapped.swap(at, at - 1);
                assert!(!written(&swapped), "lines {at} and the one before swapped");
            }
        }
    }
}
