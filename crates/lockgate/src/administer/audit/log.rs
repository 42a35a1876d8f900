//! Verifies a log, on links and signed heads as they were written: of a server, or of an exported file without any. It is
//! verified as it is read, in memory that does not grow with it.

use std::{
    collections::BTreeMap,
    io::{BufRead, Read as _},
};

use lockgate_keys::HeadKey;
use lockgate_model::{
    Digest,
    audit::{Broken, Link, SignedHead, Verifier},
    id::{TenantId, WriterId},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::exit::Exit;

/// Bytes of a line at most: no entry is as long, and a file of one line is no reason to take all memory.
const LINE_BYTES_MAX: usize = 16 << 20;

/// A line of an exported file.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    Head { head: SignedHead },
    Anchor { anchor: SignedHead },
    Link(Box<Link>),
}

/// A log that is verified as it comes.
#[derive(Clone, Default)]
pub struct Log {
    /// What heads are told by, if that is known.
    key: Option<HeadKey>,
    verifier: Verifier,
    entries: u64,
    /// What is signed of each chain.
    signed: BTreeMap<(TenantId, WriterId), Signed>,
}

#[derive(Clone, Default)]
struct Signed {
    /// The last entry that a head speaks of.
    last: Option<u64>,
    anchor: Option<SignedHead>,
}

/// A log that holds.
pub struct Holds {
    pub entries: u64,
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
    /// One whose heads must be signed by this key, if it is known.
    pub fn new(key: Option<HeadKey>) -> Self {
        Self { key, ..Self::default() }
    }

    /// Reads an exported file; `read` is told of each line how many bytes it had.
    pub fn read(&mut self, mut file: impl BufRead, name: &str, mut read: impl FnMut(usize)) -> Result<(), Exit> {
        let mut bytes = Vec::new();
        for number in 1_u64.. {
            let wrong = |reason: String| {
                Exit::failed("LG-AUDIT-BROKEN", format!("line {number} of `{name}` is no audit entry: {reason}"))
            };
            bytes.clear();
            let mut line = (&mut file).take(LINE_BYTES_MAX as u64);
            let length = line.read_until(b'\n', &mut bytes).map_err(|e| wrong(e.to_string()))?;
            if length == 0 {
                break;
            }
            let Some(text) = bytes.strip_suffix(b"\n") else {
                let reason = if length == LINE_BYTES_MAX { "it is longer than any" } else { "its end was cut off" };
                return Err(wrong(reason.to_owned()));
            };
            let line: Line = serde_json::from_slice(text).map_err(|e| wrong(e.to_string()))?;
            // What reads the same but is not the same, as an upper-case digit of a hash, was changed too.
            if serde_json::to_vec(&line).ok().as_deref() != Some(text) {
                return Err(wrong("its bytes were changed".to_owned()));
            }
            match line {
                // Behind entries it would show nothing of them, and no export has it there.
                Line::Head { head } if self.verifier.has_begun(&head) => {
                    return Err(broken(unplaced(head)));
                }
                Line::Head { head } => self.head(head)?,
                Line::Anchor { anchor } => self.anchor(anchor)?,
                Line::Link(link) => self.link(&link)?,
            }
            read(length);
        }
        Ok(())
    }

    /// A chain has this entry; it comes before the entry.
    pub fn head(&mut self, head: SignedHead) -> Result<(), Exit> {
        if self.key.as_ref().is_some_and(|key| !key.holds(&head)) {
            return Err(unsigned(head, "its signed head is not of this key"));
        }
        self.verifier.head(&head).map_err(broken)?;
        let signed = self.signed.entry((head.tenant, head.writer)).or_default();
        signed.last = signed.last.max(Some(head.seq));
        Ok(())
    }

    /// A chain begins behind this; it comes before the chain.
    pub fn anchor(&mut self, anchor: SignedHead) -> Result<(), Exit> {
        if self.key.as_ref().is_some_and(|key| !key.holds_anchor(&anchor)) {
            return Err(unsigned(anchor, "where it begins is not signed by this key: entries are missing"));
        }
        self.verifier.anchor(&anchor).map_err(broken)?;
        let signed = self.signed.entry((anchor.tenant.clone(), anchor.writer.clone())).or_default();
        signed.anchor = Some(anchor);
        Ok(())
    }

    /// The next entry of a chain.
    pub fn link(&mut self, link: &Link) -> Result<(), Exit> {
        self.verifier.link(link).map_err(broken)?;
        self.entries += 1;
        Ok(())
    }

    /// Entries so far.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Whether it holds; every chain must be signed if `all_signed`.
    pub fn holds(mut self, all_signed: bool) -> Result<Holds, Exit> {
        let ends = self.verifier.end().map_err(broken)?;
        if self.entries == 0 {
            let message = "there are no entries, so nothing is shown: an empty log is no log that holds";
            return Err(Exit::failed("LG-AUDIT-EMPTY", message));
        }
        let anchored = self.signed.values().any(|signed| signed.anchor.is_some());
        let mut chains = Vec::new();
        for (chain, (seq, head)) in ends {
            let Signed { last: signed, anchor } = self.signed.remove(&chain).unwrap_or_default();
            let (tenant, writer) = chain;
            if all_signed && signed.is_none() {
                let message =
                    format!("the chain of `{tenant}` by `{writer}` has no signed head: its end may be missing");
                return Err(Exit::failed("LG-AUDIT-UNSIGNED", message));
            }
            let entries = seq - anchor.as_ref().map_or(0, |anchor| anchor.seq);
            chains.push(Chain { tenant, writer, entries, head, signed, anchor });
        }
        // Heads in a file prove nothing by themselves: who wrote it anew signed them anew.
        Ok(Holds { entries: self.entries, signed: self.key.is_some(), anchored, chains })
    }
}

fn unsigned(SignedHead { tenant, writer, seq, .. }: SignedHead, reason: &'static str) -> Exit {
    broken(Broken { tenant, writer, seq, reason })
}

fn unplaced(SignedHead { tenant, writer, seq, .. }: SignedHead) -> Broken {
    Broken { tenant, writer, seq, reason: "its signed head comes behind entries: heads come before entries" }
}

fn broken(broken: Broken) -> Exit {
    let message = broken.to_string();
    let Broken { tenant, writer, seq, reason } = broken;
    let detail = json!({"tenant": tenant, "writer": writer, "seq": seq, "reason": reason});
    Exit::Failed { code: "LG-AUDIT-BROKEN".into(), message, detail }
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
        let mut log = Log::new(Some(key.clone()));
        log.read(text, "log", |_| {}).is_ok() && log.holds(true).is_ok()
    }

    #[test]
    fn every_changed_byte_is_found() {
        let (text, key) = exported(6);
        assert!(holds(text.as_bytes(), &key));
        let mut bytes = text.into_bytes();
        for at in 0..bytes.len() {
            for bit in [0x01, 0x20, 0x80] {
                bytes[at] ^= bit;
                assert!(!holds(&bytes, &key), "byte {at}, bit {bit:#x}");
                bytes[at] ^= bit;
            }
        }
        for cut in 0..bytes.len() {
            assert!(!holds(&bytes[..cut], &key), "cut after {cut} bytes");
        }
    }

    /// Whether a log that held so far is found not to hold with the rest.
    fn is_found(before: &Log, rest: impl BufRead) -> bool {
        let mut log = before.clone();
        log.read(rest, "log", |_| {}).is_err() || log.holds(true).is_err()
    }

    /// Every line dropped, every two neighbours swapped, every cut at the end of a line, in it and just before its end, a byte
    /// changed in every line at ever another place, and every byte of some lines. What comes before a change is read once.
    #[test]
    fn nothing_goes_unseen_in_ten_thousand_lines() {
        let (text, key) = exported(9_999);
        assert!(holds(text.as_bytes(), &key));
        let lines: Vec<&[u8]> = text.as_bytes().split_inclusive(|byte| *byte == b'\n').collect();
        assert_eq!(lines.len(), 10_000);
        let mut before = Log::new(Some(key));
        let mut at = 0;
        for (number, line) in lines.iter().enumerate() {
            let behind = &text.as_bytes()[at + line.len()..];
            assert!(is_found(&before, behind), "line {number} dropped");
            assert!(is_found(&before, std::io::empty()), "cut before line {number}");
            let next = lines.get(number + 1).copied().unwrap_or_default();
            let swapped = [next, line].concat();
            let last = next.is_empty();
            assert!(
                last || is_found(&before, swapped.as_slice().chain(&behind[next.len()..])),
                "line {number} swapped"
            );
            for cut in [1, number * 7 % line.len(), line.len() / 2, line.len() - 2, line.len() - 1] {
                assert!(is_found(&before, &line[..cut]), "line {number} cut after {cut} bytes");
            }
            let is_one_of_some = [0, 1, 2, 4_711, 9_998, 9_999].contains(&number);
            let places =
                if is_one_of_some { 0..line.len() } else { number * 13 % line.len()..number * 13 % line.len() + 1 };
            for place in places {
                for bit in [0x01, 0x20, 0x80] {
                    let mut changed = line.to_vec();
                    changed[place] ^= bit;
                    let found = is_found(&before, changed.as_slice().chain(behind));
                    assert!(found, "line {number}, byte {place}, bit {bit:#x}");
                }
            }
            before.read(*line, "log", |_| {}).unwrap();
            at += line.len();
        }
        assert!(before.holds(true).is_ok());
    }

    /// A log that is made as it is read, and counts how far that was.
    struct Endless<'a> {
        lines: &'a [String],
        line: Vec<u8>,
        read: usize,
        given: &'a std::cell::Cell<usize>,
    }

    impl std::io::Read for Endless<'_> {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            if self.read == self.line.len() {
                let given = self.given.get();
                self.line = self.lines[given % self.lines.len()].clone().into_bytes();
                (self.read, _) = (0, self.given.set(given + 1));
            }
            let count = to.len().min(self.line.len() - self.read);
            to[..count].copy_from_slice(&self.line[self.read..self.read + count]);
            self.read += count;
            Ok(count)
        }
    }

    #[test]
    fn what_is_wrong_is_told_before_more_is_read() {
        let (text, key) = exported(1_000);
        let lines: Vec<String> = text.lines().map(|line| line.to_owned() + "\n").collect();
        // Behind its last line it begins anew, for ever.
        let given = std::cell::Cell::new(0);
        let endless = Endless { lines: &lines, line: Vec::new(), read: 0, given: &given };
        let mut log = Log::new(Some(key.clone()));
        let told = log.read(std::io::BufReader::with_capacity(4_096, endless), "log", |_| {}).unwrap_err();
        assert!(told.text().contains("before entries") || told.text().contains("out of place"), "{}", told.text());
        assert_eq!(log.entries(), 1_000);
        assert!(given.get() < 1_050, "{} lines were read", given.get());
        // A line without an end is not waited for.
        let mut log = Log::new(Some(key));
        let told = log.read(std::io::BufReader::new(std::io::repeat(b' ')), "log", |_| {}).unwrap_err();
        assert!(told.text().contains("longer than any"), "{}", told.text());
    }
}
