//! Changes of definitions: refusals, conflicts, history, blobs.

use lockgate_model::{Digest, Kind, definition::Revision, id::TenantId};
use lockgate_store::{BLOB_BYTES_MAX, Error, ModuleKey, Store};
use serde_json::json;

use super::{Backend, fixture::*};

pub async fn refuses_a_deployment_without_a_permit(at: impl Backend) {
    let store = at.open().await;
    deployed(&store, &tenant()).await;
    let before = store.definitions(&tenant()).await.unwrap();
    let log = whole_log(&store, &tenant()).await.len();
    let body = serde_json::to_value(deployment(Digest::of(b"module"))).unwrap();
    let by_put = change(&tenant(), vec![put(Kind::Deployment, "live/shop", body)]);
    let mut by_delete = change(&tenant(), Vec::new());
    by_delete.deletes = vec![(Kind::Deployment, "live/shop".to_owned())];
    for change in [by_put, by_delete] {
        assert!(matches!(store.commit(change).await, Err(Error::Refused(_))));
    }
    assert_eq!(store.definitions(&tenant()).await.unwrap(), before);
    assert_eq!(whole_log(&store, &tenant()).await.len(), log);
}

pub async fn refuses_changes_that_make_no_sense(at: impl Backend) {
    let store = at.open().await;
    let refused = store.commit(change(&tenant(), Vec::new())).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    let twice = change(&tenant(), vec![group("a", "1"), group("a", "2")]);
    assert!(matches!(store.commit(twice).await, Err(Error::Refused(_))));
    let mut absent = change(&tenant(), vec![group("a", "1")]);
    absent.deletes = vec![(Kind::Group, "b".to_owned())];
    assert!(matches!(store.commit(absent).await, Err(Error::Absent { .. })));
    // Nothing of it was written or told.
    let (revision, rows) = store.definitions(&tenant()).await.unwrap();
    assert_eq!((revision, rows.len()), (Revision(0), 0));
    assert!(whole_log(&store, &tenant()).await.is_empty());
    assert!(store.tenants().await.unwrap().is_empty());
    // Deleted is absent.
    store.commit(change(&tenant(), vec![group("a", "1")])).await.unwrap();
    let mut delete = change(&tenant(), Vec::new());
    delete.deletes = vec![(Kind::Group, "a".to_owned())];
    store.commit(delete.clone()).await.unwrap();
    assert!(matches!(store.commit(delete).await, Err(Error::Absent { .. })));
}

pub async fn refuses_a_change_of_what_has_moved_on(at: impl Backend) {
    let store = at.open().await;
    let first = store.commit(change(&tenant(), vec![group("a", "1")])).await.unwrap();
    store.commit(change(&tenant(), vec![group("a", "2")])).await.unwrap();
    let log = whole_log(&store, &tenant()).await.len();
    let mut late = change(&tenant(), vec![group("a", "3")]);
    late.expected = Some(first);
    assert!(matches!(store.commit(late).await, Err(Error::Conflict { .. })));
    let (_, rows) = store.definitions(&tenant()).await.unwrap();
    assert_eq!(rows[0].body["title"], "2");
    assert_eq!(whole_log(&store, &tenant()).await.len(), log);
}

pub async fn one_of_many_concurrent_changes_wins(at: impl Backend) {
    let store = at.open().await;
    let base = store.commit(change(&tenant(), vec![group("a", "-")])).await.unwrap();
    let tries = (0..16).map(|i| {
        let mut change = change(&tenant(), vec![group("a", &i.to_string())]);
        change.expected = Some(base);
        store.commit(change)
    });
    let results = futures_util::future::join_all(tries).await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
    let conflicts = results.iter().filter(|r| matches!(r, Err(Error::Conflict { .. })));
    assert_eq!(conflicts.count(), 15);
    // Without a condition, all come through, one revision each.
    let tries = (0..16).map(|i| {
        let change = change(&tenant(), vec![group(&format!("g{i}"), "x")]);
        store.commit(change)
    });
    let mut revisions: Vec<_> = futures_util::future::join_all(tries).await.into_iter().map(Result::unwrap).collect();
    revisions.sort();
    revisions.dedup();
    assert_eq!(revisions.len(), 16);
    let (revision, _) = store.definitions(&tenant()).await.unwrap();
    assert_eq!(Some(&revision), revisions.last());
}

pub async fn keeps_the_history_of_a_row(at: impl Backend) {
    let store = at.open().await;
    let mut revisions = Vec::new();
    for title in ["1", "2"] {
        let change = change(&tenant(), vec![group("a", title)]);
        revisions.push(store.commit(change).await.unwrap());
    }
    let mut delete = change(&tenant(), Vec::new());
    delete.deletes = vec![(Kind::Group, "a".to_owned())];
    revisions.push(store.commit(delete).await.unwrap());
    assert!(store.definitions(&tenant()).await.unwrap().1.is_empty());

    let versions = store.history(&tenant(), Kind::Group, "a").await.unwrap();
    let seen: Vec<_> = versions.iter().map(|v| v.revision).collect();
    assert_eq!(seen, revisions);
    let titles: Vec<_> = versions.iter().map(|v| v.body.as_ref().map(|b| b["title"].clone())).collect();
    assert_eq!(titles, [Some(json!("1")), Some(json!("2")), None]);
    assert_eq!(versions.iter().map(|v| v.deleted).collect::<Vec<_>>(), [false, false, true]);
    assert!(store.history(&tenant(), Kind::Acl, "a").await.unwrap().is_empty());
}

pub async fn erases_replaced_secrets(at: impl Backend) {
    let store = at.open().await;
    for kind in [Kind::Secret, Kind::Credential, Kind::ApiKey] {
        for n in [1, 2] {
            let row = put(kind, "x", json!({"n": n}));
            store.commit(change(&tenant(), vec![row])).await.unwrap();
        }
        let bodies =
            |versions: Vec<lockgate_store::Version>| -> Vec<_> { versions.into_iter().map(|v| v.body).collect() };
        let versions = store.history(&tenant(), kind, "x").await.unwrap();
        assert_eq!(bodies(versions), [None, Some(json!({"n": 2}))], "{kind}");
        let mut delete = change(&tenant(), Vec::new());
        delete.deletes = vec![(kind, "x".to_owned())];
        store.commit(delete).await.unwrap();
        let versions = store.history(&tenant(), kind, "x").await.unwrap();
        assert_eq!(bodies(versions), [None, None, None], "{kind}");
    }
}

pub async fn keeps_tenants_apart(at: impl Backend) {
    let store = at.open().await;
    let other = TenantId::parse("acm").unwrap();
    store.commit(change(&tenant(), vec![group("a", "ours")])).await.unwrap();
    let digest = store.blob_put(&tenant(), b"ours".to_vec()).await.unwrap();
    assert_eq!(store.definitions(&other).await.unwrap(), (Revision(0), vec![]));
    assert_eq!(store.blob_get(&other, &digest).await.unwrap(), None);
    assert!(whole_log(&store, &other).await.is_empty());
    store.commit(change(&other, vec![group("a", "theirs")])).await.unwrap();
    let (_, rows) = store.definitions(&tenant()).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].body["title"], "ours");
    assert_eq!(store.tenants().await.unwrap(), [other, tenant()]);
}

pub async fn announces_a_change_before_it_is_made(at: impl Backend) {
    let store = at.open().await;
    for title in ["1", "2", "3"] {
        let revision = store.commit(change(&tenant(), vec![group("a", title)])).await.unwrap();
        let log = whole_log(&store, &tenant()).await;
        let last = log.last().unwrap();
        assert_eq!(last.entry.revision, revision.0);
        assert_eq!(last.entry.event, "update");
    }
}

pub async fn a_change_outlives_its_caller(at: impl Backend) {
    let store = at.open().await;
    let mut revisions = store.revisions();
    let call = store.commit(change(&tenant(), vec![group("a", "1")]));
    // Polled once, then dropped: the caller's connection broke.
    let gone = tokio::time::timeout(std::time::Duration::ZERO, call).await;
    if gone.is_err() {
        let told = tokio::time::timeout(std::time::Duration::from_secs(20), revisions.recv());
        told.await.unwrap().unwrap();
    }
    let (revision, rows) = store.definitions(&tenant()).await.unwrap();
    assert_eq!((revision, rows.len()), (Revision(1), 1));
}

pub async fn tells_each_revision(at: impl Backend) {
    let store = at.open().await;
    let mut revisions = store.revisions();
    let mut made = Vec::new();
    for title in ["1", "2"] {
        let change = change(&tenant(), vec![group("a", title)]);
        made.push((tenant(), store.commit(change).await.unwrap()));
    }
    let told = [revisions.recv().await.unwrap(), revisions.recv().await.unwrap()];
    assert_eq!(told.to_vec(), made);
}

pub async fn keeps_blobs_under_their_digest(at: impl Backend) {
    let store = at.open().await;
    let too_large = vec![0; BLOB_BYTES_MAX + 1];
    let refused = store.blob_put(&tenant(), too_large).await;
    assert!(matches!(refused, Err(Error::Refused(_))));
    let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let digest = store.blob_put(&tenant(), bytes.clone()).await.unwrap();
    assert_eq!(digest, Digest::of(&bytes));
    assert_eq!(store.blob_put(&tenant(), bytes.clone()).await.unwrap(), digest);
    assert_eq!(store.blob_get(&tenant(), &digest).await.unwrap(), Some(bytes));
    let unknown = Digest::of(b"unknown");
    assert_eq!(store.blob_get(&tenant(), &unknown).await.unwrap(), None);
}

pub async fn a_key_never_changes_its_module(at: impl Backend) {
    let store = at.open().await;
    let key =
        ModuleKey { source: Digest::of(b"sources"), orchestration: order(), compiler: "0.1.0".to_owned(), abi: 1 };
    let nowhere = store.module_put(&tenant(), key.clone(), Digest::of(b"module")).await;
    assert!(matches!(nowhere, Err(Error::Refused(_))));
    let module = store.blob_put(&tenant(), b"module".to_vec()).await.unwrap();
    let other = store.blob_put(&tenant(), b"other".to_vec()).await.unwrap();
    assert_eq!(store.module_get(&tenant(), &key).await.unwrap(), None);
    for _ in 0..2 {
        store.module_put(&tenant(), key.clone(), module).await.unwrap();
    }
    let changed = store.module_put(&tenant(), key.clone(), other).await;
    assert!(matches!(changed, Err(Error::Refused(_))));
    assert_eq!(store.module_get(&tenant(), &key).await.unwrap(), Some(module));
    let newer = ModuleKey { abi: 2, ..key };
    assert_eq!(store.module_get(&tenant(), &newer).await.unwrap(), None);
}

pub async fn tells_what_changed_since_a_revision(at: impl Backend) {
    let store = at.open().await;
    store.commit(change(&tenant(), vec![group("a", "1"), group("b", "1"), group("c", "1")])).await.unwrap();
    let before = store.commit(change(&tenant(), vec![group("c", "2")])).await.unwrap();
    store.commit(change(&TenantId::parse("other").unwrap(), vec![group("a", "theirs")])).await.unwrap();
    let nothing = store.definitions_since(&tenant(), before).await.unwrap();
    assert_eq!((nothing.revision, nothing.puts.len(), nothing.deletes.len()), (before, 0, 0));
    store.commit(change(&tenant(), vec![group("a", "2"), group("d", "1")])).await.unwrap();
    let mut gone = change(&tenant(), vec![group("a", "3")]);
    gone.deletes = vec![(Kind::Group, "b".to_owned()), (Kind::Group, "d".to_owned())];
    store.commit(gone).await.unwrap();
    let last = store.commit(change(&tenant(), vec![group("d", "2")])).await.unwrap();
    let since = store.definitions_since(&tenant(), before).await.unwrap();
    let rows = since.puts.iter().map(|row| (row.id.as_str(), row.body["title"].as_str().unwrap()));
    assert_eq!(rows.collect::<Vec<_>>(), [("a", "3"), ("d", "2")]);
    assert_eq!(since.deletes, [(Kind::Group, "b".to_owned())]);
    assert_eq!(since.revision, last);
    // Of all that ever changed, what is there is what is there.
    let all = store.definitions_since(&tenant(), Revision(0)).await.unwrap();
    assert_eq!((all.revision, all.puts), store.definitions(&tenant()).await.unwrap());
}
