//! The audit log: one unbroken chain per tenant and writer, and nothing lost.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use lockgate_model::{
    Digest, Timestamp,
    audit::{self, AuditQuery, SignedHead},
    id::TenantId,
    run::Phase,
};
use lockgate_store::{Error, Store, Written};

use super::{Backend, fixture::*};

pub async fn concurrent_appends_make_one_unbroken_chain(at: impl Backend) {
    let store = Arc::new(at.open().await);
    let tasks = (0..64).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 0..10 {
                let mut entry = entry("login");
                entry.source = format!("{task}-{n}");
                let receipt = store.append(&tenant(), entry).await.unwrap();
                receipt.durable().await.unwrap();
            }
        })
    });
    for done in futures_util::future::join_all(tasks).await {
        done.unwrap();
    }
    let log = whole_log(&*store, &tenant()).await;
    let heads = audit::verify(&log).unwrap();
    let key = (tenant(), store.writer().clone());
    assert_eq!(heads.get(&key).map(|(seq, _)| *seq), Some(640));
    let mut sources: Vec<_> = log.iter().map(|l| l.entry.source.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    assert_eq!(sources.len(), 640);
}

pub async fn ten_thousand_entries_verify(at: impl Backend) {
    let store = at.open().await;
    let mut last = None;
    for _ in 0..10_000 {
        last = Some(store.append(&tenant(), entry("login")).await.unwrap());
    }
    last.unwrap().durable().await.unwrap();
    let log = whole_log(&store, &tenant()).await;
    let heads = audit::verify(&log).unwrap();
    let stored: Vec<_> = store.audit_heads(&tenant()).await.unwrap();
    let verified: Vec<_> = heads.into_iter().map(|((_, writer), (seq, hash))| (writer, seq, hash)).collect();
    assert_eq!(verified, stored);
    assert_eq!(verified[0].1, 10_000);
    // At most so many at once, whatever is asked.
    let all = store.audit(&tenant(), None, u32::MAX).await.unwrap();
    assert_eq!(all.len(), 10_000);
    // Of signed heads the one that speaks of most is kept, whenever it comes.
    let (writer, seq, hash) = stored[0].clone();
    let head = |seq, hash| {
        let (at, signature) = (Timestamp(1), "signed".to_owned());
        SignedHead { tenant: tenant(), writer: writer.clone(), seq, hash, at, signature }
    };
    for one in [head(7, all[6].hash), head(seq, hash), head(5, all[4].hash)] {
        store.keep_head(one).await.unwrap();
    }
    assert_eq!(store.signed_heads(&tenant()).await.unwrap(), [head(seq, hash)]);
    assert_eq!(store.signed_heads(&TenantId::parse("other").unwrap()).await.unwrap(), []);
}

pub async fn chains_of_two_tenants_are_two(at: impl Backend) {
    let store = at.open().await;
    let other = TenantId::parse("other").unwrap();
    for tenant in [&tenant(), &other, &tenant(), &other, &other] {
        let receipt = store.append(tenant, entry("login")).await.unwrap();
        receipt.durable().await.unwrap();
    }
    let ours = whole_log(&store, &tenant()).await;
    let theirs = whole_log(&store, &other).await;
    assert_eq!((ours.len(), theirs.len()), (2, 3));
    audit::verify(ours.iter().chain(&theirs)).unwrap();
}

pub async fn reopening_keeps_everything(at: impl Backend) {
    let store = at.open().await;
    deployed(&store, &tenant()).await;
    let run = opened(&store, &tenant()).await;
    let definitions = store.definitions(&tenant()).await.unwrap();
    let log = whole_log(&store, &tenant()).await;
    let writer = store.writer().clone();
    drop(store);

    let store = at.open().await;
    assert_eq!(*store.writer(), writer);
    assert_eq!(store.definitions(&tenant()).await.unwrap(), definitions);
    assert_eq!(whole_log(&store, &tenant()).await, log);
    let module = run.module.unwrap();
    assert_eq!(store.blob_get(&tenant(), &module).await.unwrap(), Some(b"module".to_vec()));
    // The process ended before the run did.
    let left = store.run(&tenant(), run.id).await.unwrap().unwrap();
    assert_eq!((left.phase, left.ended), (Phase::Lost, Some(super::NOW)));
    // Chain and revisions go on where they ended.
    let revision = store.commit(change(&tenant(), vec![group("a", "1")])).await.unwrap();
    assert_eq!(revision.0, definitions.0.0 + 1);
    let mut late = change(&tenant(), vec![group("a", "2")]);
    late.expected = Some(definitions.0);
    assert!(matches!(store.commit(late).await, Err(Error::Conflict { .. })));
    let log = whole_log(&store, &tenant()).await;
    assert_eq!(audit::verify(&log).unwrap().len(), 1);
}

pub async fn what_becomes_durable_is_told_with_its_time(at: impl Backend) {
    let store = at.open().await;
    let told: Arc<Mutex<Vec<Written>>> = Arc::default();
    let observer = told.clone();
    store.observe(Arc::new(move |what, took| {
        assert!(took > Duration::ZERO);
        observer.lock().unwrap().push(what);
    }));
    let take = || std::mem::take(&mut *told.lock().unwrap());
    store.append(&tenant(), entry("login")).await.unwrap().durable().await.unwrap();
    assert_eq!(take(), [Written::Runs]);
    store.commit(change(&tenant(), vec![group("a", "1")])).await.unwrap();
    let of_change = take();
    assert!(of_change.contains(&Written::Definitions) && of_change.contains(&Written::Runs), "{of_change:?}");
    let before = whole_log(&store, &tenant()).await;
    store.writable().await.unwrap();
    assert_eq!(whole_log(&store, &tenant()).await, before, "a proof leaves nothing");
}

/// As many entries as make several batches and looks, and no more memory than one of each.
pub async fn finds_and_removes_what_is_asked_in_a_long_log(at: impl Backend) {
    let store = at.open().await;
    store.commit(change(&tenant(), vec![group("a", "1")])).await.unwrap();
    let mut last = None;
    for n in 0..21_000i64 {
        let mut entry = entry("login");
        entry.at = Timestamp(super::NOW.0 + n / 2);
        entry.principal = if n % 7_000 == 0 { "rare" } else { "often" }.to_owned();
        last = Some(store.append(&tenant(), entry).await.unwrap());
    }
    last.unwrap().durable().await.unwrap();
    let rare = AuditQuery { principal: Some("rare".into()), ..AuditQuery::default() };
    let (mut found, mut before, mut looks) = (Vec::new(), None, 0);
    loop {
        let page = store.audit_find(&tenant(), rare.clone(), before, 100).await.unwrap();
        found.extend(page.links);
        looks += 1;
        match page.next {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    assert_eq!((found.len(), looks), (3, 2), "a look goes past so many entries and no more");
    assert!(found.windows(2).all(|pair| pair[0].seq > pair[1].seq));
    // Two of one time are in the order of their places, and none is left out or twice between two pages.
    let first = store.audit_find(&tenant(), AuditQuery::default(), None, 1).await.unwrap();
    let second = store.audit_find(&tenant(), AuditQuery::default(), first.next.clone(), 1).await.unwrap();
    assert_eq!((first.links[0].seq, second.links[0].seq), (21_001, 21_000));
    let other = TenantId::parse("other").unwrap();
    assert_eq!(store.audit_find(&other, AuditQuery::default(), None, 10).await.unwrap().links, []);

    // The entry of the newest change goes like any other, once the change is written.
    let end = Timestamp(i64::MAX);
    assert_eq!(store.audit_removable(&tenant(), super::NOW, vec![]).await.unwrap(), [], "nothing is older");
    let [(writer, seq, hash)] = store.audit_removable(&tenant(), end, vec![]).await.unwrap().try_into().unwrap();
    assert_eq!(seq, 500);
    let anchor = |seq, hash| {
        let (at, signature) = (Timestamp(1), "signed".to_owned());
        SignedHead { tenant: tenant(), writer: writer.clone(), seq, hash, at, signature }
    };
    let wrong = Digest::of(b"another");
    for (refused, why) in [(anchor(seq, wrong), "another entry"), (anchor(21_001, hash), "the end")] {
        assert!(store.remove_audit(refused).await.is_err(), "{why}");
    }
    assert_eq!(store.audit_anchors(&tenant()).await.unwrap(), []);
    store.remove_audit(anchor(seq, hash)).await.unwrap();
    let log = whole_log(&store, &tenant()).await;
    assert_eq!((log[0].seq, log.len()), (501, 20_501));
    assert_eq!(store.audit_anchors(&tenant()).await.unwrap(), [anchor(seq, hash)]);
    audit::verify_signed(&log, &[], &[anchor(seq, hash)]).unwrap();
    drop(store);
    let store = at.open().await;
    assert_eq!(whole_log(&store, &tenant()).await, log);
    // It begins where the caller has seen it signed to begin, and nowhere else, whatever is kept.
    for begins in [vec![], vec![anchor(seq, wrong)], vec![anchor(499, hash)]] {
        let refused = store.audit_removable(&tenant(), end, begins).await;
        assert!(matches!(refused, Err(lockgate_store::Error::Broken(_))), "{refused:?}");
    }
    // Down to the end nothing is left at last. It opens so, and the chain goes on.
    loop {
        let begins = store.audit_anchors(&tenant()).await.unwrap();
        let places = store.audit_removable(&tenant(), end, begins).await.unwrap();
        let Some((writer, seq, hash)) = places.into_iter().next() else { break };
        assert_eq!(writer, *store.writer());
        store.remove_audit(anchor(seq, hash)).await.unwrap();
    }
    let left = whole_log(&store, &tenant()).await;
    assert_eq!(left.iter().map(|link| link.seq).collect::<Vec<_>>(), [21_001]);
    drop(store);
    let store = at.open().await;
    store.commit(change(&tenant(), vec![group("a", "2")])).await.unwrap();
    let anchors = store.audit_anchors(&tenant()).await.unwrap();
    let ends = audit::verify_signed(&whole_log(&store, &tenant()).await, &[], &anchors).unwrap();
    assert_eq!(ends.values().next().map(|(seq, _)| *seq), Some(21_002));
}
