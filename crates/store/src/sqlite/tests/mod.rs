//! What only SQLite has: crashes between two files, tampering, the directory, group commit. The
//! promises that any store makes are checked in `tests/contract/`.

mod crash;
mod files;
mod full;
mod group;
mod once;
mod snapshot;
mod tamper;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use lockgate_model::{
    Channel, Digest, Kind, RunId, RunRecord, Target, TargetKind, Timestamp,
    audit::{Entry, Link, Outcome},
    id::TenantId,
    run::Phase,
};
use rusqlite::Connection;
use serde_json::json;

use crate::{Change, Put, SqliteStore, Store};

const NOW: Timestamp = Timestamp(1_763_784_306_789_000);

/// A data directory of a test.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }
    fn file(&self, name: &str) -> PathBuf {
        self.data().join(name)
    }
    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.data(), NOW).unwrap()
    }
    /// The refusal to open it.
    fn refusal(&self) -> String {
        match SqliteStore::open(&self.data(), NOW) {
            Ok(_) => panic!("it opened"),
            Err(error) => error.to_string(),
        }
    }
    /// Goes behind the store's back.
    fn with(&self, name: &str, sql: &str) {
        outside(&self.file(name)).execute_batch(sql).unwrap();
    }
}

fn outside(file: &Path) -> Connection {
    let db = Connection::open(file).unwrap();
    db.pragma_update(None, "synchronous", "OFF").unwrap();
    db
}

fn tenant() -> TenantId {
    TenantId::parse("acme").unwrap()
}

fn entry(event: &str) -> Entry {
    Entry::new(NOW, event, Outcome::Done, "ada")
}

/// A run that nobody decided on.
fn run() -> RunRecord {
    RunRecord {
        id: RunId::new(),
        tenant: tenant(),
        target: Target {
            environment: "live".parse().unwrap(),
            kind: TargetKind::Integrations,
            name: "order".parse().unwrap(),
        },
        version: 1,
        module: Some(Digest::of(b"module")),
        trigger: Channel::Rest,
        principal: "ada".parse().unwrap(),
        restarts: None,
        occurrence: None,
        decision: String::new(),
        started: NOW,
        ended: None,
        phase: Phase::Running,
        error: None,
        cost: 0,
        bytes: BTreeMap::new(),
        tasks: Vec::new(),
    }
}

/// A change of one row.
fn change(id: &str, title: &str) -> Change {
    Change {
        tenant: tenant(),
        entry: entry("update"),
        expected: None,
        puts: vec![Put { kind: Kind::Group, id: id.to_owned(), body: json!({"title": title}) }],
        deletes: Vec::new(),
    }
}

async fn log(store: &SqliteStore) -> Vec<Link> {
    store.audit(&tenant(), None, 10_000).await.unwrap()
}

/// Events with their outcomes and revisions.
async fn told(store: &SqliteStore) -> Vec<(String, Outcome, u64)> {
    log(store).await.into_iter().map(|l| (l.entry.event, l.entry.outcome, l.entry.revision)).collect()
}

/// Waits until everything queued before is durable.
async fn settled(store: &SqliteStore) {
    let other = TenantId::parse("settled").unwrap();
    let receipt = store.append(&other, entry("login")).await.unwrap();
    receipt.durable().await.unwrap();
}
