//! Snapshots: both files of one moment, whatever happens meanwhile; and what a restored store is.

use std::fs;

use lockgate_model::{
    Digest,
    audit::{self, Outcome},
};

use super::{NOW, Place, change, entry, log, settled, tenant};
use crate::{Error, Snapshot, SqliteStore, Store};

/// A place with what the snapshot holds.
fn copied(snapshot: &Snapshot) -> Place {
    let place = Place::new();
    drop(place.open());
    for name in snapshot.names {
        fs::copy(snapshot.folder().join(name), place.file(name)).unwrap();
    }
    place
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_is_of_one_moment_while_others_write() {
    let place = Place::new();
    let store = place.open();
    store.commit(change("a", "0")).await.unwrap();
    let writing = store.clone();
    let changes = tokio::spawn(async move {
        for n in 1..2_000 {
            writing.blob_put(&tenant(), format!("bytes {n}").into_bytes()).await.unwrap();
            writing.append(&tenant(), entry("login")).await.unwrap();
            writing.commit(change("a", &n.to_string())).await.unwrap();
        }
    });
    let mut seen = Vec::new();
    for _ in 0..12 {
        let snapshot = store.snapshot().await.unwrap();
        let copy = copied(&snapshot);
        // Files of two moments are refused at the start: see `an_older_copy_of_one_file_is_refused`.
        let restored = copy.open();
        assert_eq!(restored.configuration().await.unwrap(), snapshot.configuration);
        assert!(log(&restored).await.iter().all(|link| link.entry.outcome != Outcome::NotApplied));
        audit::verify(&log(&restored).await).unwrap();
        seen.push(snapshot.configuration);
    }
    assert!(!changes.is_finished(), "the changes ended before the snapshots did");
    changes.abort();
    seen.dedup();
    assert!(seen.len() > 1, "nothing was written between the snapshots");
}

#[tokio::test]
async fn there_is_one_at_a_time_and_it_goes() {
    let place = Place::new();
    let store = place.open();
    let snapshot = store.snapshot().await.unwrap();
    let second = store.snapshot().await;
    assert!(matches!(second, Err(Error::Refused(_))), "{second:?}");
    assert!(snapshot.folder().exists(), "the refused one took the other's folder along");
    let folder = snapshot.folder().to_owned();
    drop(snapshot);
    assert!(!folder.exists());
    // A process that died while there was one.
    std::mem::forget(store.snapshot().await.unwrap());
    drop(store);
    assert!(folder.exists());
    drop(place.open());
    assert!(!folder.exists());
}

#[tokio::test]
async fn the_digest_is_of_the_configuration_alone() {
    let place = Place::new();
    let store = place.open();
    let empty = store.configuration().await.unwrap();
    assert_eq!(empty, Digest::of(b"lockgate configuration v1"));
    store.commit(change("a", "1")).await.unwrap();
    let one = store.configuration().await.unwrap();
    assert_ne!(one, empty);
    store.append(&tenant(), entry("login")).await.unwrap().durable().await.unwrap();
    assert_eq!(store.configuration().await.unwrap(), one, "a login is no configuration");
    store.commit(change("a", "2")).await.unwrap();
    let two = store.configuration().await.unwrap();
    assert_ne!(two, one);
    let digest = store.blob_put(&tenant(), b"module".to_vec()).await.unwrap();
    assert_ne!(store.configuration().await.unwrap(), two);
    drop(store);
    let store = place.open();
    assert_ne!(store.configuration().await.unwrap(), two);
    drop(store);
    place.with("definitions.sqlite", "UPDATE blobs SET bytes = x'00'");
    let damaged = place.open().configuration().await.unwrap_err().to_string();
    assert!(damaged.contains(&digest.to_string()), "{damaged}");
}

#[tokio::test]
async fn a_restored_store_goes_on_in_a_chain_of_its_own() {
    let place = Place::new();
    let store = place.open();
    store.commit(change("a", "1")).await.unwrap();
    settled(&store).await;
    let copy = copied(&store.snapshot().await.unwrap());
    let restored = SqliteStore::open_restored(&copy.data(), NOW).unwrap();
    assert_ne!(restored.writer(), store.writer());
    restored.commit(change("a", "2")).await.unwrap();
    // The one it is a copy of goes on, too.
    store.commit(change("a", "3")).await.unwrap();
    let both: Vec<_> = log(&restored).await.into_iter().chain(log(&store).await).collect();
    assert_eq!(both.iter().filter(|link| link.writer == *restored.writer()).count(), 1);
    audit::verify(&log(&restored).await).unwrap();
    drop(restored);
    // Opened again it keeps its name.
    let again = copy.open();
    assert_ne!(again.writer(), store.writer());
    assert_eq!(log(&again).await.len(), 2);
}
