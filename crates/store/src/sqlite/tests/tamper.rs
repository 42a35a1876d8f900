//! Somebody edits the audit log with the database's own tools: it shows, and where.

use lockgate_model::{
    Timestamp,
    audit::{self, Broken},
};
use rusqlite::params;

use super::{NOW, Place, entry, log, outside, tenant};
use crate::{Error, SqliteStore, Store};

/// A log of ten entries.
async fn written(place: &Place) -> SqliteStore {
    let store = place.open();
    for n in 0..10 {
        let mut entry = entry("login");
        entry.object = format!("user/{n}");
        let receipt = store.append(&tenant(), entry).await.unwrap();
        receipt.durable().await.unwrap();
    }
    assert!(found(&store).await.is_none());
    store
}

/// What reading and verifying finds.
async fn found(store: &SqliteStore) -> Option<Broken> {
    match store.audit(&tenant(), None, 10_000).await {
        Ok(links) => audit::verify(&links).err(),
        Err(Error::Broken(broken)) => Some(broken),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn every_flipped_byte_of_an_entry_is_found_at_its_place() {
    let place = Place::new();
    let store = written(&place).await;
    let db = outside(&place.file("runs.sqlite"));
    for column in ["entry", "hash", "prev", "event"] {
        let read = format!("SELECT CAST({column} AS BLOB) FROM audit WHERE tenant = 'acme' AND seq = 5");
        let bytes: Vec<u8> = db.query_row(&read, [], |row| row.get(0)).unwrap();
        let text = if matches!(column, "entry" | "event") { "TEXT" } else { "BLOB" };
        let write = format!("UPDATE audit SET {column} = CAST(?1 AS {text}) WHERE tenant = 'acme' AND seq = 5");
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            db.execute(&write, params![flipped]).unwrap();
            let broken = found(&store).await;
            let broken = broken.unwrap_or_else(|| panic!("{column} byte {at} was not found"));
            assert_eq!(broken.seq, 5, "{column} byte {at}: {broken}");
        }
        db.execute(&write, params![bytes]).unwrap();
        assert!(found(&store).await.is_none());
    }
}

/// Who makes young entries old would have them removed and their end signed for it.
#[tokio::test]
async fn entries_that_were_made_older_are_not_removed() {
    let place = Place::new();
    let store = written(&place).await;
    let early = Timestamp(1);
    assert_eq!(store.audit_removable(&tenant(), early, vec![]).await.unwrap(), []);
    let db = outside(&place.file("runs.sqlite"));
    let (told, kept) = (format!(r#""at":{}"#, NOW.0), r#""at":0"#);
    for (sql, undone) in [
        ("UPDATE audit SET at = 0 WHERE seq <= 5".to_owned(), format!("UPDATE audit SET at = {}", NOW.0)),
        (
            format!("UPDATE audit SET at = 0, entry = replace(entry, '{told}', '{kept}') WHERE seq <= 5"),
            format!("UPDATE audit SET at = {}, entry = replace(entry, '{kept}', '{told}')", NOW.0),
        ),
    ] {
        db.execute_batch(&sql).unwrap();
        let answer = store.audit_removable(&tenant(), early, vec![]).await;
        assert!(matches!(&answer, Err(Error::Broken(broken)) if broken.seq == 1), "{answer:?}");
        db.execute_batch(&undone).unwrap();
    }
    assert!(found(&store).await.is_none());
}

#[tokio::test]
async fn swapped_removed_inserted_and_renamed_rows_are_found() {
    for (sql, seq) in [
        (
            "UPDATE audit SET seq = 1000 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 7;
             UPDATE audit SET seq = 7 WHERE seq = 1000",
            3,
        ),
        ("DELETE FROM audit WHERE seq = 4", 5),
        ("DELETE FROM audit WHERE seq = 1", 2),
        (
            "UPDATE audit SET seq = seq + 1000 WHERE seq > 5;
             UPDATE audit SET seq = seq - 999 WHERE seq > 1000;
             INSERT INTO audit SELECT tenant, writer, 6, prev, hash, at, event, entry
             FROM audit WHERE seq = 5",
            6,
        ),
        ("UPDATE audit SET at = at + 1 WHERE seq = 2", 2),
        // The same entry in other words: another key order, or a space.
        ("UPDATE audit SET entry = replace(entry, '{', '{ ') WHERE seq = 9", 9),
        ("UPDATE audit SET entry = replace(entry, '{', '{\"more\":1,') WHERE seq = 9", 9),
    ] {
        let place = Place::new();
        let store = written(&place).await;
        place.with("runs.sqlite", sql);
        let broken = found(&store).await.unwrap_or_else(|| panic!("{sql}"));
        assert_eq!(broken.seq, seq, "{sql}: {broken}");
    }
}

#[tokio::test]
async fn a_row_moved_to_another_tenant_is_found() {
    let place = Place::new();
    let store = written(&place).await;
    place.with("runs.sqlite", "UPDATE audit SET tenant = 'other'");
    let other = lockgate_model::id::TenantId::parse("other").unwrap();
    let links = store.audit(&other, None, 100).await.unwrap();
    assert_eq!(audit::verify(&links).unwrap_err().seq, 1);
}

#[tokio::test]
async fn a_cut_off_end_shows_against_the_head_kept_elsewhere() {
    let place = Place::new();
    let store = written(&place).await;
    let head = store.audit_heads(&tenant()).await.unwrap();
    place.with("runs.sqlite", "DELETE FROM audit WHERE seq > 8");
    // The rest is a good chain: only a head that was kept elsewhere tells.
    assert!(found(&store).await.is_none());
    assert_ne!(store.audit_heads(&tenant()).await.unwrap(), head);
    assert_eq!(log(&store).await.len(), 8);
}

#[tokio::test]
async fn changed_blobs_and_rows_that_cannot_be_read_are_refused() {
    let place = Place::new();
    let store = place.open();
    let digest = store.blob_put(&tenant(), b"module".to_vec()).await.unwrap();
    store.commit(super::change("a", "1")).await.unwrap();
    place.with("definitions.sqlite", "UPDATE blobs SET bytes = x'00'");
    let damaged = store.blob_get(&tenant(), &digest).await;
    assert!(matches!(damaged, Err(Error::Damaged(_))));
    place.with("definitions.sqlite", "UPDATE definitions SET body = '{'");
    let damaged = store.definitions(&tenant()).await;
    assert!(matches!(damaged, Err(Error::Damaged(_))));
}
