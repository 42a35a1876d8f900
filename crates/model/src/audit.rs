//! Audit entries and the hash chain over them; pure, so that a log can be verified offline.
//!
//! A chain belongs to one (tenant, writer). Entry *n* carries the hash of entry *n − 1*; the hash
//! covers the entry's canonical JSON with its place in the chain. Metadata alone: never
//! application data, never a secret's value.

mod event;
mod head;
mod query;
mod verify;

pub use event::EVENTS;
pub use head::SignedHead;
pub use query::AuditQuery;
pub use verify::{Verifier, verify, verify_signed};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Channel, Digest, RunId, Timestamp,
    id::{TenantId, WriterId},
};

/// How what the entry tells of ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Access said yes.
    Allowed,
    /// Access said no.
    Denied,
    /// It was done (or is about to be: the entry is durable before the effect).
    Done,
    /// It failed.
    Failed,
    /// Announced, but found absent at the next start.
    NotApplied,
}

/// What happened, by whom, on what. Event codes are stable and listed in docs/audit.md.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Stable code: `login`, `execute`, `deploy`, `push`, `add`, `update`, `delete`, …
    pub event: String,
    /// How it ended.
    pub outcome: Outcome,
    /// User id, `operator`, or `-` when nobody could be established.
    pub principal: String,
    /// The way in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// `kind/id` of the object, the environment in front where there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub object: String,
    /// Names of the fields that changed; never their values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// The rule that decided.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rule: String,
    /// Revision decided on, or announced by a change.
    #[serde(default)]
    pub revision: u64,
    /// Module or source digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The run that was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Where the request came from (address without port), when it came by network.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Further metadata with fixed keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub detail: BTreeMap<String, String>,
}

impl Entry {
    /// An entry with the required members; set the others by field.
    pub fn new(at: Timestamp, event: &str, outcome: Outcome, principal: impl Into<String>) -> Self {
        Self {
            at,
            event: event.to_owned(),
            outcome,
            principal: principal.into(),
            channel: None,
            object: String::new(),
            fields: Vec::new(),
            rule: String::new(),
            revision: 0,
            digest: None,
            run: None,
            source: String::new(),
            detail: BTreeMap::new(),
        }
    }
}

/// An entry in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The tenant whose chain it is.
    pub tenant: TenantId,
    /// The process that wrote it.
    pub writer: WriterId,
    /// Place in the chain, from 1.
    pub seq: u64,
    /// Hash of the entry before; zeros for the first.
    pub prev: Digest,
    /// Hash of this one.
    pub hash: Digest,
    /// What it tells.
    pub entry: Entry,
}

/// Hash of the entry before the first.
pub const GENESIS: Digest = Digest([0; 32]);

/// The hash of an entry at its place: tenant, writer, place, hash before, canonical JSON.
pub fn hash(tenant: &TenantId, writer: &WriterId, seq: u64, prev: &Digest, entry_json: &[u8]) -> Digest {
    Digest::of_parts([tenant.as_str().as_bytes(), writer.as_str().as_bytes(), &seq.to_be_bytes(), &prev.0, entry_json])
}

impl Link {
    /// Puts an entry behind `prev` at place `seq`. `None` only if the entry cannot be written as JSON.
    pub fn new(tenant: TenantId, writer: WriterId, seq: u64, prev: Digest, entry: Entry) -> Option<Self> {
        let json = serde_json::to_vec(&entry).ok()?;
        let hash = hash(&tenant, &writer, seq, &prev, &json);
        Some(Self { tenant, writer, seq, prev, hash, entry })
    }
}

/// Why a chain is broken, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("chain of `{tenant}` by `{writer}` is broken at entry {seq}: {reason}")]
pub struct Broken {
    /// Whose chain.
    pub tenant: TenantId,
    /// Written by.
    pub writer: WriterId,
    /// First entry that does not hold.
    pub seq: u64,
    /// What does not hold.
    pub reason: &'static str,
}

/// Place and hash of the last entry of each chain.
pub type Heads = BTreeMap<(TenantId, WriterId), (u64, Digest)>;
