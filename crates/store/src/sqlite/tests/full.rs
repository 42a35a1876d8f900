//! A full disk: errors for those who asked, nothing half done, and it goes on when there is room.

use std::{collections::BTreeMap, sync::Arc};

use lockgate_access::NotDurable;
use lockgate_model::{
    RunId,
    audit::{self, Outcome},
    definition::Revision,
    run::{Phase, RunEnd},
};
use rusqlite::Connection;

use super::{
    super::{Directory, SqliteStore, open::open, runs::Job},
    NOW, Place, change, entry, log, tenant, told,
};
use crate::{Error, Store};

/// Opens with one of the files full: SQLite is told that it may have no more pages.
fn open_full(place: &Place, file: &str, room: u32) -> SqliteStore {
    let full = |db: &Connection| -> Result<(), rusqlite::Error> {
        if db.path().is_some_and(|path| path.ends_with(file)) {
            let pages: u32 = db.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            db.pragma_update(None, "max_page_count", pages + room)?;
        }
        Ok(())
    };
    SqliteStore(Arc::new(open(Directory::take(&place.data()).unwrap(), NOW, full).unwrap()))
}

#[tokio::test]
async fn appends_fail_and_the_chain_stays_whole() {
    let place = Place::new();
    drop(place.open());
    let store = open_full(&place, "/runs.sqlite", 4);
    let mut kept = 0;
    let mut refused = 0;
    // Batches of many, so that some of a lost batch had been written already.
    for _ in 0..20 {
        let mut receipts = Vec::new();
        for _ in 0..20 {
            receipts.push(store.append(&tenant(), entry("login")).await.unwrap());
        }
        for receipt in receipts {
            match receipt.durable().await {
                Ok(()) => kept += 1,
                Err(NotDurable) => refused += 1,
            }
        }
    }
    assert!(kept > 0 && refused > 0, "{kept} kept, {refused} refused");
    assert_eq!(log(&store).await.len(), kept);
    audit::verify(&log(&store).await).unwrap();
    let mut change = change("a", "1");
    // A small entry may still find room on a page that is there.
    change.entry.object = "x".repeat(100_000);
    let failed = store.commit(change).await;
    assert!(matches!(failed, Err(Error::Failed { .. })), "{failed:?}");
    assert!(failed.unwrap_err().to_string().contains("disk is full"));
    // What could not be announced was not made.
    assert!(store.tenants().await.unwrap().is_empty());
    drop(store);

    // There is room again.
    let store = place.open();
    let receipt = store.append(&tenant(), entry("login")).await.unwrap();
    receipt.durable().await.unwrap();
    assert_eq!(log(&store).await.len(), kept + 1);
    audit::verify(&log(&store).await).unwrap();
}

#[tokio::test]
async fn a_change_that_cannot_be_written_is_told_at_once() {
    let place = Place::new();
    let store = place.open();
    store.commit(change("a", "1")).await.unwrap();
    drop(store);
    let store = open_full(&place, "/definitions.sqlite", 0);
    let large = "x".repeat(100_000);
    let failed = store.commit(change("a", &large)).await;
    assert!(matches!(failed, Err(Error::Failed { .. })), "{failed:?}");
    super::settled(&store).await;
    let update = |outcome, revision| ("update".to_owned(), outcome, revision);
    let expected = [update(Outcome::Done, 1), update(Outcome::Done, 2), update(Outcome::NotApplied, 2)];
    assert_eq!(told(&store).await, expected);
    let (revision, rows) = store.definitions(&tenant()).await.unwrap();
    assert_eq!((revision, rows.len()), (Revision(1), 1));
    drop(store);
    let store = place.open();
    assert_eq!(store.commit(change("a", "3")).await.unwrap(), Revision(3));
}

#[tokio::test]
async fn a_medium_that_takes_nothing_is_told_before_anybody_needs_it() {
    for file in ["/runs.sqlite", "/definitions.sqlite"] {
        let place = Place::new();
        drop(place.open());
        let read_only = |db: &Connection| -> Result<(), rusqlite::Error> {
            let this = db.path().is_some_and(|path| path.ends_with(file));
            db.pragma_update(None, "query_only", this)
        };
        let store = SqliteStore(Arc::new(open(Directory::take(&place.data()).unwrap(), NOW, read_only).unwrap()));
        let failed = store.writable().await;
        assert!(matches!(failed, Err(Error::Failed { .. })), "{file}: {failed:?}");
        drop(store);
        // A proof is a real write: it is in the log of the file.
        let store = place.open();
        let log = place.data().join(format!("{}-wal", file.trim_start_matches('/')));
        let before = log.metadata().unwrap().len();
        store.writable().await.unwrap();
        assert!(log.metadata().unwrap().len() > before, "{file}: nothing was written");
    }
}

/// A running run that nobody decided on.
async fn running(store: &SqliteStore) -> RunId {
    let run = super::run();
    let (id, run) = (run.id, Some(std::sync::Arc::new(run)));
    let job = Job::Append { tenant: tenant(), entries: Vec::new(), run };
    store.0.runs.queue(job).await.unwrap().durable().await.unwrap();
    id
}

#[tokio::test]
async fn the_end_of_a_run_is_written_when_the_file_takes_it_again() {
    let place = Place::new();
    let store = place.open();
    let run = running(&store).await;
    place.with("runs.sqlite", "CREATE TRIGGER full BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'full'); END");
    let end =
        RunEnd { ended: NOW, phase: Phase::Completed, error: None, cost: 7, bytes: BTreeMap::new(), tasks: Vec::new() };
    store.close_run(&tenant(), run, end).await;
    super::settled(&store).await;
    let phase = async || store.run(&tenant(), run).await.unwrap().unwrap().phase;
    assert_eq!(phase().await, Phase::Running);
    place.with("runs.sqlite", "DROP TRIGGER full");
    let began = std::time::Instant::now();
    while phase().await == Phase::Running {
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "the run stays open");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(phase().await, Phase::Completed);
}
