//! No signature is put under a log that somebody wrote anew who can write the file.
#![expect(clippy::unwrap_used, reason = "test code: a broken premise must fail the test on the spot")]

mod house;

use std::path::Path;

use lockgate_keys::HeadKey;
use lockgate_model::audit::{Entry, Link, verify, verify_signed};
use lockgate_runtime::{AuditHeads, Caller, Clock, Runtime};
use rusqlite::{Connection, params};

async fn log(runtime: &Runtime, ada: &Caller) -> (AuditHeads, Vec<Link>) {
    let heads = runtime.audit_heads(ada).await.unwrap();
    (heads, runtime.audit(ada, None, 10_000).await.unwrap().links)
}

/// Another file, with what whoever can write it makes of the chain; the process has ended.
fn forge(dir: &Path, how: impl FnOnce(&Connection)) {
    let db = Connection::open(dir.join("store/runs.sqlite")).unwrap();
    how(&db);
}

/// Writes links into their places, chained anew from the first on.
fn chained_anew(db: &Connection, links: &[Link]) {
    let mut prev = links.first().unwrap().prev;
    for link in links {
        let anew = Link::new(link.tenant.clone(), link.writer.clone(), link.seq, prev, link.entry.clone()).unwrap();
        let json = serde_json::to_string(&anew.entry).unwrap();
        db.execute(
            "INSERT OR REPLACE INTO audit (tenant, writer, seq, prev, hash, at, event, entry)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                anew.tenant.as_str(),
                anew.writer.as_str(),
                i64::try_from(anew.seq).unwrap(),
                anew.prev.0,
                anew.hash.0,
                anew.entry.at.0,
                anew.entry.event,
                json
            ],
        )
        .unwrap();
        prev = anew.hash;
    }
}

fn of_nobody(links: &[Link]) -> Vec<Link> {
    let nobody =
        |link: &Link| Link { entry: Entry { principal: "nobody".to_owned(), ..link.entry.clone() }, ..link.clone() };
    links.iter().map(nobody).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_head_is_signed_over_a_log_that_was_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, ada) = house::house(dir.path(), Clock::system()).await;
    house::publish(&runtime, &ada, "echo", "- one: { set: { n: 1 } }").await;
    for _ in 0..5 {
        house::run(&runtime, &ada, "echo").await;
    }
    let (heads, links) = log(&runtime, &ada).await;
    let key: HeadKey = heads.key.parse().unwrap();
    let last = links.last().unwrap().seq;
    drop((runtime, ada));
    drop(house::store(dir.path(), &Clock::system()).await);
    // All of it, from the third entry on: as a chain it holds.
    forge(dir.path(), |db| chained_anew(db, &of_nobody(&links[2..])));

    let runtime = house::open(dir.path(), Clock::system()).await;
    let ada = house::ada(&runtime).await;
    runtime.keep_heads_signed(std::future::ready(())).await;
    let (after, forged) = log(&runtime, &ada).await;
    assert!(forged[2].entry.principal == "nobody" && verify(&forged).is_ok());
    assert_eq!(after.heads, heads.heads, "nothing is signed over it");
    assert!(after.heads.iter().all(|head| key.holds(head)) && after.heads[0].seq < last);
    assert!(verify_signed(&forged, &after.heads, &[]).is_err());
    // Nor is anything of it removed, which would be signed.
    let keep = lockgate_runtime::Keep { audit_days_max: 1.try_into().ok(), ..Default::default() };
    runtime.operator_keep(ada.tenant(), keep).await.unwrap();
    runtime.remove_old_runs().await;
    assert_eq!(log(&runtime, &ada).await.1[0].seq, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_without_its_head_tells_so_itself() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, ada) = house::house(dir.path(), Clock::system()).await;
    let (_, links) = log(&runtime, &ada).await;
    assert!(links.iter().all(|link| link.entry.event != "audit-unproven"));
    drop((runtime, ada));
    drop(house::store(dir.path(), &Clock::system()).await);
    forge(dir.path(), |db| {
        chained_anew(db, &of_nobody(&links));
        assert_eq!(db.execute("DELETE FROM heads", []).unwrap(), 1);
    });
    for _ in 0..2 {
        let runtime = house::open(dir.path(), Clock::system()).await;
        let ada = house::ada(&runtime).await;
        let (heads, after) = log(&runtime, &ada).await;
        verify_signed(&after, &heads.heads, &[]).unwrap();
        let told: Vec<_> = after.iter().filter(|link| link.entry.event == "audit-unproven").collect();
        let [told] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(told.entry.detail["last"], (told.seq - 1).to_string());
        drop((runtime, ada));
        drop(house::store(dir.path(), &Clock::system()).await);
    }
    // A head that nobody here has signed is as good as that of another log.
    forge(dir.path(), |db| assert_eq!(db.execute("UPDATE heads SET at = at + 1", []).unwrap(), 1));
    let runtime = house::open(dir.path(), Clock::system()).await;
    let ada = house::ada(&runtime).await;
    let (before, (after, _)) = (log(&runtime, &ada).await.0, log(&runtime, &ada).await);
    assert_eq!(before.heads, after.heads, "nothing is signed any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_slipped_in_while_it_serves_is_not_signed() {
    let dir = tempfile::tempdir().unwrap();
    let (runtime, ada) = house::house(dir.path(), Clock::system()).await;
    let (heads, links) = log(&runtime, &ada).await;
    // A chain of a writer that there is none of, and another end of the one there is.
    let of_another =
        |link: &Link| Link { writer: "w-00000000000000000000000000000000".parse().unwrap(), ..link.clone() };
    let others: Vec<Link> = links.iter().map(of_another).collect();
    forge(dir.path(), |db| chained_anew(db, &others));
    let (after, all) = log(&runtime, &ada).await;
    assert_eq!(all.iter().filter(|link| link.writer == others[0].writer).count(), others.len());
    let [head] = after.heads.as_slice() else { panic!("{:?}", after.heads) };
    assert!(head.writer == heads.heads[0].writer && head.seq > heads.heads[0].seq, "its own goes on");

    let own: Vec<Link> = all.into_iter().filter(|link| link.writer == head.writer).collect();
    forge(dir.path(), |db| chained_anew(db, &of_nobody(&own)));
    assert_eq!(log(&runtime, &ada).await.0.heads, after.heads, "nothing is signed over it");
}
