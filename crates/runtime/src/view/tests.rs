//! A view that follows changes is the one that is built of all rows then.

use lockgate_access::{MatrixPart, matrix, project_seed, tenant_seed};
use lockgate_keys::Master;
use lockgate_model::{Limits, Timestamp, audit::Entry, audit::Outcome};
use lockgate_store::{Change, Put, SqliteStore, Store};
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp(1_763_784_306_789_000);

fn tenant() -> TenantId {
    TenantId::parse("acme").unwrap()
}

type Row = (Kind, String, serde_json::Value);

async fn commit(store: &SqliteStore, puts: Vec<Row>, deletes: &[(Kind, &str)]) {
    let entry = Entry::new(NOW, "update", Outcome::Done, "ada");
    let puts = puts.into_iter().map(|(kind, id, body)| Put { kind, id, body }).collect();
    let deletes = deletes.iter().map(|(kind, id)| (*kind, (*id).to_owned())).collect();
    store.commit(Change { tenant: tenant(), entry, expected: None, puts, deletes }).await.unwrap();
}

fn user(id: &str, profile: &str) -> Row {
    (Kind::User, id.to_owned(), json!({"kind": "native", "profiles": [profile]}))
}

fn key(id: &str, user: &str) -> Row {
    (Kind::ApiKey, id.to_owned(), json!({"user": user, "digest": format!("sha256:{}", "0".repeat(64))}))
}

#[tokio::test]
async fn it_is_after_each_change_as_the_one_of_all_rows() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&dir.path().join("store"), NOW).unwrap();
    let master = Master::open_or_create(&dir.path().join("keys")).unwrap();
    let key_of = |purpose| master.hmac_key(&tenant(), purpose).unwrap();
    let keys = || (DigestKey::new([7; 32]), key_of("idempotency"));
    let mut seed = tenant_seed("Acme", &"ada".parse().unwrap());
    seed.extend(project_seed(&"shop".parse().unwrap(), ""));
    seed.extend((0..700).map(|n| user(&format!("u{n}"), "user")));
    commit(&store, seed, &[]).await;
    let (revision, rows) = store.definitions(&tenant()).await.unwrap();
    let mut view = View::build(tenant(), revision, keys(), rows).unwrap();
    type Step = (Vec<Row>, Vec<(Kind, &'static str)>);
    let steps: [Step; 10] = [
        (vec![user("u7", "administrator")], vec![]),
        (vec![user("new", "developer"), key("k1", "new"), key("k2", "u8")], vec![]),
        (vec![(Kind::Group, "team".into(), json!({"profiles": ["publisher"]}))], vec![]),
        (
            vec![(
                Kind::User,
                "u9".into(),
                json!({"kind": "service", "enabled": false, "profiles": [], "groups": ["team"]}),
            )],
            vec![],
        ),
        (vec![(Kind::Environment, "spare".into(), json!({"title": "", "order": 9}))], vec![]),
        (vec![], vec![(Kind::ApiKey, "k1"), (Kind::User, "new")]),
        (vec![(Kind::Limits, "limits".into(), serde_json::to_value(Limits::default()).unwrap())], vec![]),
        (vec![(Kind::Limits, "live/limits".into(), json!({"depth_max": 9}))], vec![]),
        (vec![], vec![(Kind::Environment, "spare"), (Kind::Limits, "limits")]),
        (vec![user("new", "user")], vec![(Kind::User, "u10")]),
    ];
    for (step, (puts, deletes)) in steps.into_iter().enumerate() {
        commit(&store, puts, &deletes).await;
        // Each third is followed together with the one before.
        if step % 3 == 1 {
            continue;
        }
        view = view.follow(store.definitions_since(&tenant(), view.revision).await.unwrap()).unwrap();
        let (revision, rows) = store.definitions(&tenant()).await.unwrap();
        assert_eq!(view.revision, revision, "step {step}");
        assert!(view.all_rows().cloned().collect::<Vec<_>>() == sorted(rows.clone()), "step {step}");
        let anew = View::build(tenant(), revision, keys(), rows).unwrap();
        let cells = |view: &View| matrix(&view.snapshot, &MatrixPart::default()).cells;
        assert!(cells(&view) == cells(&anew), "step {step}");
        for id in ["ada", "u7", "u9", "u10", "new"].map(|id| id.parse().unwrap()) {
            assert_eq!(view.credentials.session(&id), anew.credentials.session(&id), "step {step}");
            assert_eq!(view.snapshot.users().any(|user| *user == id), anew.snapshot.users().any(|user| *user == id));
        }
        assert_eq!(view.rows(Kind::User, "u6").count(), anew.rows(Kind::User, "u6").count());
        assert_eq!(view.limits, anew.limits);
    }
    assert_eq!(view.snapshot.revision(), Revision(11));
    // What makes no sense makes no view, by either way.
    commit(&store, vec![user("u1", "no-such-profile")], &[]).await;
    assert!(view.follow(store.definitions_since(&tenant(), view.revision).await.unwrap()).is_err());
}

fn sorted(mut rows: Vec<Definition>) -> Vec<Definition> {
    rows.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
    rows
}
