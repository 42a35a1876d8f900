//! The audit log over time: what is looked for is found, and what is no longer kept goes so that the rest is proved.
#![expect(clippy::unwrap_used, reason = "test code: a broken premise must fail the test on the spot")]

mod house;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use house::{development, house, publish, run};
use lockgate_keys::HeadKey;
use lockgate_model::{
    Channel, Timestamp,
    audit::{AuditQuery, Link, Outcome, SignedHead, verify_signed},
};
use lockgate_runtime::{AuditHeads, Caller, Clock, Keep, Runtime};
use lockgate_store::Store as _;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const BEGIN: Timestamp = Timestamp(1_795_000_000_000_000);

/// A clock that stands until it is set on. A second passes at each look, so that times differ.
fn clock() -> (Clock, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(BEGIN.0));
    let shown = now.clone();
    (Clock::from_fn(move || Timestamp(shown.fetch_add(1, Ordering::SeqCst))), now)
}

/// The whole log with what is signed of it.
async fn log(runtime: &Runtime, ada: &Caller) -> (AuditHeads, Vec<Link>) {
    let heads = runtime.audit_heads(ada).await.unwrap();
    let (mut links, mut after): (Vec<Link>, _) = (Vec::new(), None);
    loop {
        let page = runtime.audit(ada, after, 7).await.unwrap();
        links.extend(page.links);
        match page.next {
            Some(next) => after = Some(next),
            None => return (heads, links),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_longer_kept_goes_and_the_rest_is_proved() {
    let (dir, (clock, now)) = (tempfile::tempdir().unwrap(), clock());
    let (runtime, ada) = house(dir.path(), clock.clone()).await;
    publish(&runtime, &ada, "echo", "- one: { set: { n: 1 } }").await;
    // More than one batch of 500.
    for _ in 0..700 {
        runtime.audit_heads(&ada).await.unwrap();
    }
    // For ever, unless somebody says otherwise.
    now.fetch_add(400 * DAY_MS * 1_000, Ordering::SeqCst);
    runtime.remove_old_runs().await;
    let (heads, before) = log(&runtime, &ada).await;
    assert_eq!((before[0].seq, heads.anchors.len()), (1, 0));

    let keep = Keep { audit_days_max: 30.try_into().ok(), ..Keep::default() };
    runtime.operator_keep(ada.tenant(), keep).await.unwrap();
    runtime.remove_old_runs().await;
    let (heads, after) = log(&runtime, &ada).await;
    let [anchor] = heads.anchors.as_slice() else { panic!("{:?}", heads.anchors) };
    assert!(anchor.seq > 700 && after[0].seq == anchor.seq + 1, "{anchor:?}, then {}", after[0].seq);
    assert!(after.iter().all(|link| link.entry.at > BEGIN.plus_ms(300 * DAY_MS)));
    assert!(after.iter().any(|link| link.entry.event == "audit-removal"));
    let key: HeadKey = heads.key.parse().unwrap();
    assert!(key.holds_anchor(anchor) && heads.heads.iter().all(|head| key.holds(head)));
    let holds = |links: &[Link], anchors: &[_]| verify_signed(links, &heads.heads, anchors).is_ok();
    assert!(holds(&after, &heads.anchors));
    // What was removed and belongs there would fit; without the anchor, or with more cut, nothing holds.
    assert!(!holds(&after, &[]), "a beginning that nobody signed");
    assert!(!holds(&after[1..], &heads.anchors), "one more was cut");
    assert!(!holds(&after[..3], &heads.anchors), "the end was cut");
    // The signed end of a chain is not where another begins.
    assert!(!key.holds_anchor(&heads.heads[0]));

    // Nothing more goes, and the next removal goes on from there.
    runtime.remove_old_runs().await;
    let (again, _) = log(&runtime, &ada).await;
    assert_eq!(again.anchors, heads.anchors);
    run(&runtime, &ada, "echo").await;
    now.fetch_add(40 * DAY_MS * 1_000, Ordering::SeqCst);
    run(&runtime, &ada, "echo").await;
    runtime.remove_old_runs().await;
    let (heads, links) = log(&runtime, &ada).await;
    assert!(heads.anchors[0].seq > anchor.seq && heads.anchors.len() == 1);
    verify_signed(&links, &heads.heads, &heads.anchors).unwrap();
    drop((runtime, ada));
    // Definitions and log belong together still, though the entry of the newest change is gone.
    drop(house::store(dir.path(), &clock).await);
    let _ = development();
}

/// Whoever can write the file removes a part of the log and says where it begins now. It fits: only a signature shows that
/// it was not the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_anchor_is_signed_over_one_that_somebody_else_wrote() {
    let (dir, (clock, now)) = (tempfile::tempdir().unwrap(), clock());
    let (runtime, ada) = house(dir.path(), clock.clone()).await;
    let keep = Keep { audit_days_max: 30.try_into().ok(), ..Keep::default() };
    runtime.operator_keep(ada.tenant(), keep).await.unwrap();
    for _ in 0..20 {
        runtime.audit_heads(&ada).await.unwrap();
    }
    let (heads, links) = log(&runtime, &ada).await;
    now.fetch_add(40 * DAY_MS * 1_000, Ordering::SeqCst);
    drop((runtime, ada));
    // Once with a signature of nothing, and once with that of the chain's end, which is a true one.
    for (place, signature) in [(7, String::new()), (11, heads.heads[0].signature.clone())] {
        let Link { tenant, writer, seq, hash, .. } = links[place].clone();
        let forged = SignedHead { tenant, writer, seq, hash, at: BEGIN, signature };
        let store = house::store(dir.path(), &clock).await;
        store.remove_audit(forged.clone()).await.unwrap();
        drop(store);
        let runtime = house::open(dir.path(), clock.clone()).await;
        runtime.remove_old_runs().await;
        let ada = house::ada(&runtime).await;
        let (heads, left) = log(&runtime, &ada).await;
        assert!(!heads.key.parse::<HeadKey>().unwrap().holds_anchor(&forged), "a reader is told");
        assert_eq!(heads.anchors, [forged], "nothing is signed over it");
        assert_eq!(left[0].seq, seq + 1, "nothing more is removed");
        assert!(!left.iter().any(|link| link.entry.event == "audit-removal"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_looked_for_is_found_newest_first_and_page_by_page() {
    let (dir, (clock, now)) = (tempfile::tempdir().unwrap(), clock());
    let (runtime, ada) = house(dir.path(), clock).await;
    publish(&runtime, &ada, "echo", "- one: { set: { n: 1 } }").await;
    let middle = Timestamp(now.load(Ordering::SeqCst));
    for _ in 0..25 {
        run(&runtime, &ada, "echo").await;
    }
    let found = async |query: AuditQuery| {
        let (mut links, mut before, mut pages): (Vec<Link>, _, _) = (Vec::new(), None, 0);
        loop {
            let page = runtime.find_audit(&ada, query.clone(), before, 10).await.unwrap();
            links.extend(page.links);
            pages += 1;
            match page.next {
                Some(next) => before = Some(next),
                None => return (links, pages),
            }
        }
    };
    let execute = AuditQuery { event: Some("execute".into()), ..AuditQuery::default() };
    let (links, pages) = found(execute.clone()).await;
    assert_eq!((links.len(), pages), (25, 3));
    assert!(links.windows(2).all(|pair| pair[0].entry.at > pair[1].entry.at), "newest first, none twice");
    let all = found(AuditQuery::default()).await.0;
    let (_, whole) = log(&runtime, &ada).await;
    // What a look leaves behind itself comes after it began.
    assert!(
        all.iter().all(|link| whole.contains(link)) && all.len() + 3 >= whole.len(),
        "{} {}",
        all.len(),
        whole.len()
    );
    let count = async |query: AuditQuery| found(query).await.0.len();
    let of = |change: fn(&mut AuditQuery)| {
        let mut query = execute.clone();
        change(&mut query);
        query
    };
    assert_eq!(count(of(|q| q.principal = Some("bob".into()))).await, 0);
    assert_eq!(count(of(|q| q.principal = Some("ada".into()))).await, 25);
    assert_eq!(count(of(|q| q.outcome = Some(Outcome::Denied))).await, 0);
    assert_eq!(count(of(|q| q.channel = Some(Channel::Rest))).await, 25);
    assert_eq!(count(of(|q| q.channel = Some(Channel::Soap))).await, 0);
    assert_eq!(count(of(|q| q.object = Some("integrations/ec".into()))).await, 25);
    assert_eq!(count(of(|q| q.object = Some("echoes".into()))).await, 0);
    assert_eq!(count(AuditQuery { to: Some(middle), ..execute.clone() }).await, 0);
    assert_eq!(count(AuditQuery { from: Some(middle), ..execute.clone() }).await, 25);
    let tenth = links[9].entry.at;
    assert_eq!(count(AuditQuery { from: Some(tenth), ..execute.clone() }).await, 10, "from that time on");
    assert_eq!(count(AuditQuery { to: Some(tenth), ..execute }).await, 15, "before that time");
}
