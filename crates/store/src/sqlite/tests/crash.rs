//! A change spans two files: what is found after a crash between them. And what a crash leaves of work in
//! batches.

use std::fs;

use lockgate_model::{
    audit::{self, Outcome},
    definition::Revision,
};

use super::{
    super::{removal::BATCH, runs},
    NOW, Place, change, entry, log, settled, tenant, told,
};
use crate::{Error, RunQuery, RunsKept, SqliteStore, Store};

/// What a process does that dies between announcing and writing.
async fn announce_only(store: &SqliteStore, current: Revision) -> Revision {
    let job = runs::Job::Announce { tenant: tenant(), entry: Box::new(entry("update")), current, ended: Vec::new() };
    let pending = store.0.runs.queue(job).await.unwrap();
    pending.durable().await.unwrap().revision
}

#[tokio::test]
async fn a_change_that_was_announced_and_never_written_is_told_at_the_next_start() {
    let place = Place::new();
    let store = place.open();
    store.commit(change("a", "1")).await.unwrap();
    let announced = announce_only(&store, Revision(1)).await;
    assert_eq!(announced, Revision(2));
    drop(store);

    let later = NOW.plus_ms(1000);
    let store = SqliteStore::open(&place.data(), later).unwrap();
    let update = |outcome, revision| ("update".to_owned(), outcome, revision);
    let expected = [update(Outcome::Done, 1), update(Outcome::Done, 2), update(Outcome::NotApplied, 2)];
    assert_eq!(told(&store).await, expected);
    let links = log(&store).await;
    assert_eq!(links[2].entry.at, later);
    audit::verify(&links).unwrap();
    let (revision, rows) = store.definitions(&tenant()).await.unwrap();
    assert_eq!((revision, &rows[0].body["title"]), (Revision(1), &"1".into()));
    // A revision that was announced once is never another one's.
    let next = store.commit(change("a", "3")).await.unwrap();
    assert_eq!(next, Revision(3));
    drop(store);

    // It is told once.
    let store = place.open();
    assert_eq!(log(&store).await.len(), 4);
}

#[tokio::test]
async fn rows_that_were_made_for_a_revision_get_no_other() {
    let place = Place::new();
    let store = place.open();
    store.commit(change("a", "1")).await.unwrap();
    let made_for = |revision| {
        let mut change = change("a", "sealed for its revision");
        change.entry.revision = revision;
        change
    };
    let expected = store.next_revision(&tenant()).await.unwrap();
    // A change of others, which could not be written.
    assert_eq!(announce_only(&store, Revision(1)).await, expected);
    let refused = store.commit(made_for(expected.0)).await;
    assert!(matches!(refused, Err(Error::Conflict { found: Revision(1), .. })), "{refused:?}");
    assert_eq!(store.definitions(&tenant()).await.unwrap().0, Revision(1));
    let next = store.next_revision(&tenant()).await.unwrap();
    assert_eq!(store.commit(made_for(next.0)).await.unwrap(), next);
    let told = told(&store).await.into_iter().map(|(_, outcome, revision)| (outcome, revision));
    let done = |revision| (Outcome::Done, revision);
    assert_eq!(told.collect::<Vec<_>>(), [done(1), done(2), (Outcome::NotApplied, 2), done(3)]);
}

#[tokio::test]
async fn a_change_that_was_written_before_the_crash_stands() {
    let place = Place::new();
    let store = place.open();
    store.commit(change("a", "1")).await.unwrap();
    settled(&store).await;
    drop(store);
    // As if the process had died before it could note that the change was written.
    place.with("runs.sqlite", "UPDATE announcements SET settled = FALSE, applied = 0");
    let store = place.open();
    let expected = [("update".to_owned(), Outcome::Done, 1)];
    assert_eq!(told(&store).await, expected);
    assert_eq!(store.commit(change("a", "2")).await.unwrap(), Revision(2));
}

#[tokio::test]
async fn the_first_change_of_a_tenant_may_be_the_one_that_is_lost() {
    let place = Place::new();
    let store = place.open();
    announce_only(&store, Revision(0)).await;
    drop(store);
    let store = place.open();
    let outcomes: Vec<_> = told(&store).await.into_iter().map(|t| t.1).collect();
    assert_eq!(outcomes, [Outcome::Done, Outcome::NotApplied]);
    assert!(store.tenants().await.unwrap().is_empty());
    assert_eq!(store.commit(change("a", "1")).await.unwrap(), Revision(2));
}

#[tokio::test]
async fn an_older_copy_of_one_file_is_refused() {
    for older in ["definitions.sqlite", "runs.sqlite"] {
        let place = Place::new();
        let store = place.open();
        store.commit(change("a", "1")).await.unwrap();
        settled(&store).await;
        drop(store);
        let copy = fs::read(place.file(older)).unwrap();
        let store = place.open();
        store.commit(change("a", "2")).await.unwrap();
        settled(&store).await;
        drop(store);
        // The last connection folds the log into the file when it closes.
        assert!(!place.file(&format!("{older}-wal")).exists());
        fs::write(place.file(older), copy).unwrap();
        let refusal = place.refusal();
        assert!(refusal.contains("restore both files"), "{refusal}");
    }
}

#[tokio::test]
async fn a_lost_audit_log_is_refused() {
    let place = Place::new();
    let store = place.open();
    store.commit(change("a", "1")).await.unwrap();
    drop(store);
    fs::remove_file(place.file("runs.sqlite")).unwrap();
    let refusal = place.refusal();
    assert!(refusal.contains("restore both files"), "{refusal}");
}

#[tokio::test]
async fn removing_runs_goes_on_after_a_crash_between_two_batches() {
    let place = Place::new();
    let store = place.open();
    let opened = store.append(&tenant(), entry("login")).await.unwrap();
    opened.durable().await.unwrap();
    let count = 3 * BATCH + 7;
    drop(store);
    let one = r#"{"kind":"integrations","version":1,"trigger":"rest","principal":"ada","decision":""}"#;
    place.with(
        "runs.sqlite",
        &format!(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count}),
                  ids(i, id) AS (SELECT i, printf('00000000-0000-7000-8000-%012x', i) FROM n)
             INSERT INTO runs (tenant, id, writer, environment, name, phase, started, ended, record)
             SELECT 'acme', id, 'w-old', 'live', 'order', 'completed', i, i, '{one}' FROM ids"
        ),
    );
    // A process that dies behind the first batch, and one that dies somewhere.
    let store = place.open();
    let first: Vec<String> = (0..BATCH).map(|i| format!("00000000-0000-7000-8000-{i:012x}")).collect();
    let job = runs::Job::Remove { tenant: tenant(), runs: first };
    store.0.runs.queue(job).await.unwrap().durable().await.unwrap();
    drop(store);
    let left = async |store: &SqliteStore| {
        store.runs(&tenant(), RunQuery { limit: 1_000, ..RunQuery::default() }).await.unwrap().len()
    };
    let store = place.open();
    assert_eq!(left(&store).await, count - BATCH, "each of them can be read");
    let kept = RunsKept { ended_since: NOW, runs_max: 1_000_000 };
    let (tenant, other) = (tenant(), store.clone());
    let removing = tokio::spawn(async move { other.remove_runs(&tenant, kept).await });
    while left(&store).await == count - BATCH {
        tokio::task::yield_now().await;
    }
    removing.abort();
    let _ = removing.await;
    drop(store);

    let store = place.open();
    let here = left(&store).await;
    assert!(here == 0 || (count - here).is_multiple_of(BATCH), "whole batches are gone: {here} are left of {count}");
    let removed = store.remove_runs(&super::tenant(), kept).await.unwrap();
    assert_eq!((removed, left(&store).await), (here as u64, 0));
    assert_eq!(log(&store).await.len(), 1, "the log stays");
}
