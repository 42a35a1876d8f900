//! A change of one row: from its commit until the snapshot that decisions are made on has followed it, as a server does it:
//! what changed is read back from the store, and compiled into what was there before. A decision is asked after each
//! change and must be another than before it.
//!
//! 100 tenants of 1,000 users and 100 lists each, then one tenant that has ten times as much, and one that has it all. Beside
//! it in the same run: all rows of a tenant read and compiled anew, and the commit itself, which two syncs of the disk are
//! in. `TMPDIR` says on which disk. Not in it: authentication's own table, which follows in the same way.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench fails by a panic")]

use std::time::{Duration, Instant};

use lockgate_access::{TenantSnapshot, decide_execute, validate_change};
use lockgate_model::{
    Channel, Digest, Kind, Principal, Target, TargetKind, Timestamp,
    audit::{Entry, Outcome},
    id::TenantId,
    principal::CredentialKind,
};
use lockgate_store::{Change, Put, SqliteStore, Store};
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp(1_763_784_306_789_000);
const PROFILES: usize = 50;
const CHANGES: usize = 60;
const WHOLE: usize = 5;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("one change, medians of {CHANGES}, and the longest");
    println!("| tenants | users of each | lists | row | checked before | committed | followed | longest | anew |");
    println!("|---:|---:|---:|---|---:|---:|---:|---:|---:|");
    for size in [(100, 1_000, 100), (1, 10_000, 1_000), (1, 100_000, 10_000)] {
        runtime.block_on(changes(size));
    }
}

async fn changes((tenants, users, lists): (usize, usize, usize)) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("store"), NOW).unwrap();
    let mut all = Vec::new();
    for tenant in (0..tenants).map(|n| format!("t{n}").parse::<TenantId>().unwrap()) {
        store.commit(change(&tenant, rows(users, lists))).await.unwrap();
        let (revision, rows) = store.definitions(&tenant).await.unwrap();
        all.push(TenantSnapshot::build(tenant, revision, &rows).unwrap());
    }
    let mut anew = Vec::new();
    for n in 0..WHOLE {
        let tenant = all[n * 7 % tenants].tenant();
        let begun = Instant::now();
        let (revision, rows) = store.definitions(tenant).await.unwrap();
        TenantSnapshot::build(tenant.clone(), revision, &rows).unwrap();
        anew.push(begun.elapsed());
    }
    let anew = middle(anew).0;
    for row in [Row::User, Row::List, Row::Assignment, Row::Profile] {
        let (mut checked, mut committed, mut followed) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..CHANGES {
            let snapshot = &mut all[n * 7 % tenants];
            let was = lets_in(snapshot);
            let Put { kind, id, body } = row.put(!was);
            let tenant = snapshot.tenant().clone();
            let put = change(&tenant, vec![Put { kind, id: id.clone(), body: body.clone() }]);
            let begun = Instant::now();
            validate_change(snapshot, &[(kind, id, body)], &[]).unwrap();
            checked.push(begun.elapsed());
            let begun = Instant::now();
            store.commit(put).await.unwrap();
            committed.push(begun.elapsed());
            let begun = Instant::now();
            let since = store.definitions_since(&tenant, snapshot.revision()).await.unwrap();
            let puts: Vec<_> = since.puts.into_iter().map(|row| (row.kind, row.id, row.body)).collect();
            *snapshot = snapshot.follow(since.revision, &puts, &since.deletes).unwrap();
            followed.push(begun.elapsed());
            assert_eq!(lets_in(snapshot), !was, "{row:?}");
        }
        let (checked, committed, (followed, longest)) = (middle(checked).0, middle(committed).0, middle(followed));
        println!(
            "| {tenants} | {users} | {lists} | {row:?} | {checked:.2?} | {committed:.2?} | {followed:.2?} | {longest:.2?} | {anew:.2?} |"
        );
        // As it was for the next row.
        for snapshot in &mut all {
            if !lets_in(snapshot) {
                let tenant = snapshot.tenant().clone();
                store.commit(change(&tenant, vec![row.put(true)])).await.unwrap();
                let (revision, rows) = store.definitions(&tenant).await.unwrap();
                *snapshot = TenantSnapshot::build(tenant, revision, &rows).unwrap();
            }
        }
    }
}

/// The middle of some times, and the longest.
fn middle(mut all: Vec<Duration>) -> (Duration, Duration) {
    all.sort();
    (all[all.len() / 2], all[all.len() - 1])
}

fn change(tenant: &TenantId, puts: Vec<Put>) -> Change {
    let entry = Entry::new(NOW, "update", Outcome::Done, "ada");
    Change { tenant: tenant.clone(), entry, expected: None, puts, deletes: Vec::new() }
}

/// What changes.
#[derive(Debug, Clone, Copy)]
enum Row {
    User,
    List,
    Assignment,
    Profile,
}

impl Row {
    /// The row as it lets user `u7` into `f7`, whose list is `a7`, or does not.
    fn put(self, lets_in: bool) -> Put {
        let (kind, id, body) = match self {
            Self::User => {
                (Kind::User, "u7", json!({"kind": "native", "profiles": [if lets_in { "p8" } else { "p7" }]}))
            }
            Self::List => (Kind::Acl, "a7", json!({"title": "", "profiles": on_list(7, lets_in)})),
            Self::Assignment => {
                (Kind::Assignment, "live/integrations/f7", json!({"acl": if lets_in { "a7" } else { "a40" }}))
            }
            Self::Profile => (Kind::Profile, "p8", profile(lets_in)),
        };
        Put { kind, id: id.to_owned(), body }
    }
}

/// A quarter of the profiles, or the other ones.
fn on_list(n: usize, these: bool) -> Vec<String> {
    let quarter = PROFILES / 4;
    let profiles = if these { 1..=quarter } else { quarter + 1..=PROFILES - 1 };
    profiles.map(|m| format!("p{}", (n + m) % PROFILES)).collect()
}

fn profile(executes: bool) -> Value {
    let permissions = if executes { ["integrations.execute", "deploy"] } else { ["logs-view", "deploy"] };
    json!({"title": "", "permissions": permissions, "valid_in": {"environments": ["live"]}})
}

/// A tenant: four profiles for each user, each target with a list of its own.
fn rows(users: usize, lists: usize) -> Vec<Put> {
    let mut rows = Vec::new();
    let mut put = |kind, id: String, body| rows.push(Put { kind, id, body });
    put(Kind::Tenant, "tenant".to_owned(), json!({"title": ""}));
    for (order, id) in ["development", "live"].into_iter().enumerate() {
        put(Kind::Environment, id.to_owned(), json!({"title": "", "order": order}));
    }
    (0..PROFILES).for_each(|n| put(Kind::Profile, format!("p{n}"), profile(true)));
    for n in (0..users).filter(|n| *n != 7) {
        let given: Vec<_> = (0..4).map(|m| format!("p{}", (n * 7 + m * 13) % PROFILES)).collect();
        put(Kind::User, format!("u{n}"), json!({"kind": "native", "profiles": given}));
    }
    let digest = Digest::of(b"sources");
    let flows: Vec<_> = (0..lists).map(|n| format!("f{n}")).collect();
    put(Kind::Project, "p".to_owned(), json!({"title": "", "head": 1}));
    let version = json!({"source": digest, "bundle": digest, "pushed_by": "u0", "pushed_at": 0, "objects": {}, "orchestrations": flows});
    put(Kind::ProjectVersion, "p/1".to_owned(), version);
    for (n, flow) in flows.iter().enumerate() {
        put(Kind::Acl, format!("a{n}"), json!({"title": "", "profiles": on_list(n, true)}));
        put(Kind::Assignment, format!("live/integrations/{flow}"), json!({"acl": format!("a{n}")}));
    }
    rows.push(Row::User.put(true));
    rows
}

/// The lists let the user through; that nothing is deployed behind them comes after.
fn lets_in(snapshot: &TenantSnapshot) -> bool {
    let principal = Principal {
        tenant: snapshot.tenant().clone(),
        user: "u7".parse().unwrap(),
        credential: CredentialKind::Basic,
        only_environment: None,
        only_targets: Vec::new(),
    };
    let (environment, name) = ("live".parse().unwrap(), "f7".parse().unwrap());
    let target = Target { environment, kind: TargetKind::Integrations, name };
    decide_execute(snapshot, &principal, target, Channel::Rest, NOW).rule() == "execute.not-deployed"
}
