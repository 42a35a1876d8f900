//! Decisions appended to the audit log, each durable before its caller goes on: what the store takes in a second from one
//! caller and from many at once, and how many of them it puts under one sync.
//!
//! Beside it in the same run, with as many to a sync: the bytes of the entries alone, written to a file and synced; and the
//! same rows inserted into a table like ours by one thread that waits for nobody. Rounds of all alternate, and medians are
//! told. `TMPDIR` says on which disk; with `/dev/shm` a sync costs nothing.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench fails by a panic")]

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use lockgate_access::{Decision, TenantSnapshot, decide_execute};
use lockgate_model::{
    Channel, Definition, Digest, Kind, Principal, RunId, Target, TargetKind, Timestamp,
    audit::{GENESIS, Link},
    definition::Revision,
    id::TenantId,
    principal::CredentialKind,
};
use lockgate_store::{SqliteStore, Store};
use rusqlite::{Connection, params};
use serde_json::json;

const NOW: Timestamp = Timestamp(1_763_784_306_789_000);
const TENANTS: usize = 100;
const CALLERS: [usize; 4] = [1, 64, 1_024, 4_096];
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);

/// What is appended.
#[derive(Clone, Copy)]
enum What {
    /// A decision.
    Decision,
    /// A decision and the run that it opens, as a listener does.
    Run,
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let decisions: Arc<Vec<Decision>> = Arc::new((0..TENANTS).map(decision).collect());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("a sync of 4 KiB: {:.0} µs", syncs(dir.path()) * 1e6);
    println!("medians of {ROUNDS} rounds of {ROUND:?}, {TENANTS} tenants; so many a second");
    println!("| callers | to a sync | decisions | decisions with runs | rows by one thread | bytes alone |");
    println!("|---:|---:|---:|---:|---:|---:|");
    let store = SqliteStore::open(&dir.path().join("store"), NOW).unwrap();
    let mut table = Table::open(&dir.path().join("beside.sqlite"));
    let mut file = File::create(dir.path().join("beside")).unwrap();
    for callers in CALLERS {
        let (mut groups, mut alone, mut with_runs, mut rows, mut bytes) = (vec![], vec![], vec![], vec![], vec![]);
        for _ in 0..ROUNDS {
            let (per_second, group) = runtime.block_on(appended(&store, &decisions, What::Decision, callers));
            alone.push(per_second);
            groups.push(group);
            with_runs.push(runtime.block_on(appended(&store, &decisions, What::Run, callers)).0);
            let group = (group.round() as usize).max(1);
            rows.push(table.inserted(&decisions, group));
            bytes.push(written(&mut file, &decisions, group));
        }
        println!(
            "| {callers} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} |",
            median(groups),
            median(alone),
            median(with_runs),
            median(rows),
            median(bytes)
        );
    }
    let kept = runtime.block_on(proved(&store));
    println!("{kept} entries were read back and hold");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn syncs(dir: &Path) -> f64 {
    let mut file = File::create(dir.join("sync")).unwrap();
    let one = || {
        let begun = Instant::now();
        file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).unwrap();
        begun.elapsed().as_secs_f64()
    };
    median(std::iter::repeat_with(one).take(200).collect())
}

fn tenant(n: usize) -> TenantId {
    format!("t{n}").parse().unwrap()
}

/// A yes for a user of the tenant.
fn decision(n: usize) -> Decision {
    let (tenant, digest) = (tenant(n), Digest::of(b"sources"));
    let rows = [
        (Kind::Tenant, "tenant", json!({"title": "T"})),
        (Kind::Environment, "live", json!({"title": "Live", "order": 0})),
        (
            Kind::Profile,
            "caller",
            json!({"title": "C", "permissions": ["integrations.execute", "deploy"], "valid_in": "all"}),
        ),
        (Kind::User, "bob", json!({"kind": "service", "profiles": ["caller"]})),
        (Kind::Acl, "default", json!({"title": "D", "profiles": ["caller"]})),
        (Kind::Assignment, "live/integrations/order-to-erp", json!({"acl": "default"})),
        (Kind::Project, "p", json!({"title": "P", "head": 1})),
        (
            Kind::ProjectVersion,
            "p/1",
            json!({"source": digest, "bundle": digest, "pushed_by": "bob", "pushed_at": 0, "objects": {}, "orchestrations": ["order-to-erp"]}),
        ),
        (
            Kind::Deployment,
            "live/p",
            json!({"project": "p", "version": 1, "source": digest, "publisher": "bob", "deployed_at": 0, "orchestrations": {"order-to-erp": {"module": digest, "manifest": {}}}}),
        ),
    ];
    let rows = rows.map(|(kind, id, body)| Definition {
        tenant: tenant.clone(),
        kind,
        id: id.to_owned(),
        revision: Revision(1),
        body,
    });
    let snapshot = TenantSnapshot::build(tenant.clone(), Revision(1), &rows).unwrap();
    let principal = Principal {
        tenant,
        user: "bob".parse().unwrap(),
        credential: CredentialKind::ApiKey,
        only_environment: None,
        only_targets: Vec::new(),
    };
    let (environment, name) = ("live".parse().unwrap(), "order-to-erp".parse().unwrap());
    let target = Target { environment, kind: TargetKind::Integrations, name };
    let decision = decide_execute(&snapshot, &principal, target, Channel::Rest, NOW);
    assert!(decision.is_allowed());
    decision
}

/// What so many callers append in a second, each waiting for its own before it goes on; and how many became durable by
/// one sync.
async fn appended(store: &SqliteStore, decisions: &Arc<Vec<Decision>>, what: What, callers: usize) -> (f64, f64) {
    let (before, begun) = (store.counts(), Instant::now());
    let callers: Vec<_> = (0..callers)
        .map(|caller| {
            let (store, decisions) = (store.clone(), decisions.clone());
            tokio::spawn(async move {
                let (decision, mut done) = (&decisions[caller % decisions.len()], 0_u64);
                while begun.elapsed() < ROUND {
                    let receipt = match what {
                        What::Decision => store.record(decision).await,
                        What::Run => store.open_run(decision, decision.record(RunId::new()).unwrap()).await,
                    };
                    receipt.unwrap().durable().await.unwrap();
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for caller in callers {
        done += caller.await.unwrap();
    }
    let (took, after) = (begun.elapsed().as_secs_f64(), store.counts());
    let (jobs, syncs) = (after.run_jobs - before.run_jobs, after.run_transactions - before.run_transactions);
    (done as f64 / took, jobs as f64 / syncs as f64)
}

/// Reads all of it back and verifies each chain.
async fn proved(store: &SqliteStore) -> usize {
    let mut entries = 0;
    for tenant in (0..TENANTS).map(tenant) {
        let (mut verifier, mut after) = (lockgate_model::audit::Verifier::default(), None);
        loop {
            let links = store.audit(&tenant, after.take(), 10_000).await.unwrap();
            links.iter().try_for_each(|link| verifier.link(link)).unwrap();
            entries += links.len();
            match links.last() {
                Some(last) => after = Some((last.writer.clone(), last.seq)),
                None => break,
            }
        }
        verifier.end().unwrap();
    }
    entries
}

/// Calls `append` with groups until the round is over; how many went a second.
fn grouped(group: usize, mut append: impl FnMut(usize)) -> f64 {
    let (begun, mut done) = (Instant::now(), 0_usize);
    while begun.elapsed() < ROUND {
        append(group);
        done += group;
    }
    done as f64 / begun.elapsed().as_secs_f64()
}

/// The entries as text, a group in one write, each with a sync.
fn written(file: &mut File, decisions: &[Decision], group: usize) -> f64 {
    let mut bytes = Vec::new();
    grouped(group, |group| {
        bytes.clear();
        for n in 0..group {
            for entry in decisions[n % decisions.len()].entries(None) {
                serde_json::to_writer(&mut bytes, &entry).unwrap();
                bytes.push(b'\n');
            }
        }
        file.write_all(&bytes).and_then(|()| file.sync_data()).unwrap();
    })
}

/// A table like that of the store, with its indexes and settings.
struct Table {
    db: Connection,
    /// Where the chain of each tenant ends.
    ends: Vec<(u64, Digest)>,
}

impl Table {
    fn open(path: &Path) -> Self {
        let db = Connection::open(path).unwrap();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
        db.pragma_update(None, "synchronous", "FULL").unwrap();
        db.execute_batch(
            "CREATE TABLE audit (tenant TEXT NOT NULL, writer TEXT NOT NULL, seq BIGINT NOT NULL, prev BYTEA NOT NULL,
                 hash BYTEA NOT NULL, at BIGINT NOT NULL, event TEXT NOT NULL, entry TEXT NOT NULL,
                 PRIMARY KEY (tenant, writer, seq));
             CREATE INDEX audit_by_time ON audit (tenant, at, writer, seq);",
        )
        .unwrap();
        Self { db, ends: vec![(0, GENESIS); TENANTS] }
    }

    /// The same rows, a group in one transaction.
    fn inserted(&mut self, decisions: &[Decision], group: usize) -> f64 {
        let Self { db, ends } = self;
        let writer: lockgate_model::id::WriterId = "w-0123456789abcdef0123456789abcdef".parse().unwrap();
        grouped(group, |group| {
            let transaction = db.transaction().unwrap();
            let mut insert =
                transaction.prepare_cached("INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)").unwrap();
            for n in 0..group {
                let at = n % decisions.len();
                for entry in decisions[at].entries(None) {
                    let (seq, prev) = ends[at];
                    let tenant = decisions[at].tenant().clone();
                    let link = Link::new(tenant, writer.clone(), seq + 1, prev, entry).unwrap();
                    let (entry, seq) = (serde_json::to_string(&link.entry).unwrap(), i64::try_from(link.seq).unwrap());
                    insert
                        .execute(params![
                            link.tenant.as_str(),
                            writer.as_str(),
                            seq,
                            prev.0,
                            link.hash.0,
                            link.entry.at.0,
                            link.entry.event,
                            entry
                        ])
                        .unwrap();
                    ends[at] = (link.seq, link.hash);
                }
            }
            drop(insert);
            transaction.commit().unwrap();
        })
    }
}
