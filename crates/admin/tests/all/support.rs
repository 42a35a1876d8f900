//! Support access: nothing without a grant of the tenant's administrator, metadata alone with it, until its
//! end, and each look in the log.

use std::{
    os::unix::fs::MetadataExt as _,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use lockgate_admin::shapes::{Matrix, SupportGrant};
use lockgate_model::Timestamp;
use lockgate_runtime::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    house::{House, Told, basic},
    refusals::body,
};

const HOUR: i64 = 3_600;

struct Tenant {
    house: House,
    seconds: Arc<AtomicI64>,
}

impl Tenant {
    /// `acme` with `echo` active in Development.
    async fn open() -> Self {
        let seconds = Arc::new(AtomicI64::new(1_800_000_000));
        let tell = seconds.clone();
        let house = House::by(Clock::from_fn(move || Timestamp(tell.load(Ordering::SeqCst) * 1_000_000))).await;
        let account = json!({"connector": "https", "address": "https://erp.example.com/secret-path", "identity": "system",
            "settings": {"auth": "bearer"}, "secrets": {"token": "s3cret-of-erp"}});
        let told = house.ada("PUT", "environments/development/accounts/erp", Some(account)).await;
        assert!(told.status < 300, "{}", told.text);
        let version = body("post", "/projects/{project}/versions");
        assert_eq!(house.ada("POST", "projects/shop/versions", version).await.status, 200);
        assert_eq!(house.ada("PUT", "environments/development/deployments/shop", Some(json!({}))).await.status, 200);
        let run = json!({"name": "echo", "input": {"private": "of-a-customer"}});
        assert_eq!(house.ada("POST", "environments/development/runs", Some(run)).await.status, 200);
        Self { house, seconds }
    }

    fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn grant(&self, body: Value) -> SupportGrant {
        let told = self.house.ada("POST", "support", Some(body)).await;
        assert_eq!(told.status, 200, "{}", told.text);
        serde_json::from_value(told.json()).unwrap()
    }

    async fn look(&self, at: &str) -> Told {
        self.house.operate("GET", &format!("/operator/support/{at}"), None).await
    }

    /// What the log tells of the last look: outcome, object, rule, and what was looked at.
    async fn last(&self) -> [String; 4] {
        let log = self.house.ada("GET", "audit?newest=500", None).await.json();
        let mut entries = log["links"].as_array().unwrap().iter().map(|link| &link["entry"]);
        let last = entries.rfind(|entry| entry["event"] == "support-read").unwrap();
        assert_eq!(last["principal"], "operator");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        [&last["outcome"], &last["object"], &last["rule"], &last["detail"]["what"]].map(text)
    }
}

const LOOKS: [&str; 4] = ["runs", "logs", "deployments", "schedules"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_sees_nothing_without_a_grant() {
    let acme = Tenant::open().await;
    for what in LOOKS {
        let told = acme.look(&format!("acme/development/{what}")).await;
        assert_eq!((told.status, told.code().as_str()), (403, "LG-FORBIDDEN"), "{what}: {}", told.text);
        let entry = ["denied", "environment/development", "support.no-grant", what].map(str::to_owned);
        assert_eq!(acme.last().await, entry, "a refusal is in the log of the tenant");
        // What is not there is answered like what is.
        let absent = acme.look(&format!("acme/moon/{what}")).await;
        assert_eq!((absent.status, absent.text), (told.status, told.text));
    }
    assert_eq!(acme.look("absent/development/runs").await.status, 404);
    // The operator opens none: there is no way for it, whatever is sent.
    for (method, path) in [
        ("POST", "/operator/support/acme"),
        ("PUT", "/operator/support/acme/development"),
        ("POST", "/operator/support/acme/development/runs"),
        ("DELETE", "/operator/support/acme/development/runs"),
        ("POST", "/operator/support"),
        ("POST", "/admin/v1/tenants/acme/support"),
    ] {
        let told = acme.house.operate(method, path, Some(json!({"environments": ["development"]}))).await;
        assert!(matches!(told.status, 404 | 405), "{method} {path}: {}", told.status);
    }
    assert_eq!(acme.look("acme/development/runs").await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_no_administrator_opens_none() {
    let acme = Tenant::open().await;
    let half = |permissions: Value| json!({"title": "", "permissions": permissions, "valid_in": "all"});
    for (profile, permissions) in [
        ("keeps-users", json!(["user-management", "logs-view", "settings-view", "audit-log"])),
        ("keeps-access", json!(["access-control", "logs-view", "settings-view", "audit-log"])),
    ] {
        assert_eq!(acme.house.ada("PUT", &format!("profiles/{profile}"), Some(half(permissions))).await.status, 204);
    }
    let everywhere_named = json!({"title": "", "permissions": ["user-management", "access-control"],
        "valid_in": {"environments": ["development", "test", "prelive", "live"]}});
    assert_eq!(acme.house.ada("PUT", "profiles/named", Some(everywhere_named)).await.status, 204);
    for (user, profile) in [("ben", "keeps-users"), ("cat", "keeps-access"), ("dan", "devops"), ("eve", "named")] {
        acme.house.user(user, &[profile]).await;
        let path = "/admin/v1/tenants/acme/support";
        let asked = Some(json!({"environments": ["development"]}));
        let told = acme.house.send("POST", path, Some(&basic(user)), asked).await;
        assert_eq!(told.status, 403, "{user}: {}", told.text);
    }
    // Nor does the administrator of another tenant, nor a key that is narrowed.
    let asked = || Some(json!({"environments": ["development"]}));
    let stranger = acme.house.send("POST", "/admin/v1/tenants/acme/support", Some(&basic("bob")), asked()).await;
    assert_eq!(stranger.status, 401);
    let key = acme.house.ada("POST", "users/ada/keys", Some(json!({"environment": "development"}))).await.json();
    let bearer = format!("Bearer {}", key["key"].as_str().unwrap());
    let narrowed = acme.house.send("POST", "/admin/v1/tenants/acme/support", Some(&bearer), asked()).await;
    assert_eq!(narrowed.status, 403, "{}", narrowed.text);
    assert_eq!(acme.look("acme/development/runs").await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_names_where_and_is_not_longer_than_three_days() {
    let acme = Tenant::open().await;
    for (wrong, status) in [
        (json!({"environments": []}), 400),
        (json!({"environments": ["development"], "hours": 0}), 400),
        (json!({"environments": ["development"], "hours": -1}), 400),
        (json!({"environments": ["development"], "hours": 73}), 400),
        (json!({"environments": ["development"], "hours": i64::MAX}), 400),
        (json!({"environments": ["development"], "title": "x".repeat(201)}), 400),
        (json!({"environments": ["development"], "title": "a\nb"}), 400),
        (json!({"environments": ["moon"]}), 404),
        (json!({"environments": ["development"], "given_by": "bob"}), 400),
        (json!({}), 400),
    ] {
        let told = acme.house.ada("POST", "support", Some(wrong.clone())).await;
        assert_eq!(told.status, status, "{wrong}: {}", told.text);
    }
    for _ in 0..20 {
        acme.grant(json!({"environments": ["test"]})).await;
    }
    let more = acme.house.ada("POST", "support", Some(json!({"environments": ["test"]}))).await;
    assert_eq!((more.status, more.code().as_str()), (400, "LG-SUPPORT"));
    acme.pass(5 * HOUR);
    acme.grant(json!({"environments": ["test"]})).await;
    let left = acme.house.ada("GET", "support", None).await.json();
    assert_eq!(left["items"].as_array().unwrap().len(), 1, "what has ended went");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_shows_metadata_where_it_says_and_each_look_is_in_the_log() {
    let acme = Tenant::open().await;
    let grant = acme.grant(json!({"environments": ["development"], "hours": 2, "title": "case 4711"})).await;
    assert_eq!((grant.given_by.as_str(), grant.until - grant.from), ("ada", 2 * HOUR * 1_000_000));
    let mut all = String::new();
    for what in LOOKS {
        let told = acme.look(&format!("acme/development/{what}")).await;
        assert_eq!(told.status, 200, "{what}: {}", told.text);
        let rule = format!("support.allowed grant={}", grant.id);
        assert_eq!(acme.last().await, ["allowed", "environment/development", &rule, what].map(str::to_owned));
        all.push_str(&told.text);
    }
    let run = acme.look("acme/development/runs").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let one = acme.look(&format!("acme/development/runs/{run}")).await;
    assert_eq!((one.status, one.json()["id"].as_str()), (200, Some(run.as_str())));
    assert_eq!(acme.last().await[3], format!("run/{run}"));
    all.push_str(&one.text);
    assert!(all.contains("echo") && all.contains("shop"));
    for private in ["of-a-customer", "erp.example.com", "secret-path", "s3cret-of-erp", "manifest", "flow.yaml"] {
        assert!(!all.contains(private), "`{private}` is shown: {all}");
    }
    // Nothing else of the environment, and no other place.
    for what in ["accounts", "acls", "projects", "users", "audit", "egress", ""] {
        let told = acme.look(&format!("acme/development/{what}")).await;
        assert_eq!(told.status, 404, "{what}: {}", told.text);
    }
    assert_eq!(acme.look("acme/live/runs").await.status, 403);
    assert_eq!(acme.look("other/development/runs").await.status, 403, "another tenant gave nothing");
    assert_eq!(acme.look(&format!("acme/live/runs/{run}")).await.status, 403);
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let told = acme.house.operate(method, "/operator/support/acme/development/runs", Some(json!({}))).await;
        assert_eq!(told.status, 405, "{method}");
    }
    // The tenant sees it: in its list, in the matrix, in the log.
    let matrix: Matrix = serde_json::from_value(acme.house.ada("GET", "access/matrix", None).await.json()).unwrap();
    let shown: Vec<_> = matrix.support.iter().map(|of| (of.environment.as_str(), of.right.as_str())).collect();
    assert_eq!(shown, [("development", "logs-view"), ("development", "settings-view")]);
    let elsewhere = acme.house.ada("GET", "access/matrix?environment=live", None).await.json();
    assert_eq!(elsewhere.get("support"), None);
    let opened = format!("done ada support-grant/{} -", grant.id);
    assert_eq!(acme.house.told_of("support-open").await, [opened]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_ends_by_itself_and_when_it_is_ended() {
    let acme = Tenant::open().await;
    acme.grant(json!({"environments": ["development"], "hours": 1})).await;
    acme.pass(HOUR - 1);
    assert_eq!(acme.look("acme/development/runs").await.status, 200);
    acme.pass(1);
    let over = acme.look("acme/development/runs").await;
    assert!(over.status == 403 && over.text.contains("support.ended"), "{}", over.text);
    assert_eq!(acme.house.ada("GET", "access/matrix", None).await.json().get("support"), None);
    assert_eq!(acme.house.ada("GET", "support", None).await.json(), json!({"items": []}));

    let grant = acme.grant(json!({"environments": ["development"]})).await;
    assert_eq!(acme.look("acme/development/runs").await.status, 200);
    assert_eq!(acme.house.ada("DELETE", "support/nothing", None).await.status, 404);
    acme.house.user("ben", &["monitor"]).await;
    let path = format!("/admin/v1/tenants/acme/support/{}", grant.id);
    assert_eq!(acme.house.send("DELETE", &path, Some(&basic("ben")), None).await.status, 403);
    assert_eq!(acme.house.ada("DELETE", &format!("support/{}", grant.id), None).await.status, 204);
    assert_eq!(acme.look("acme/development/runs").await.status, 403);
    assert_eq!(acme.house.told_of("support-end").await, [format!("done ada support-grant/{} -", grant.id)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_falls_with_the_right_of_who_gave_it() {
    let acme = Tenant::open().await;
    acme.house.user("pat", &["administrator"]).await;
    let asked = || Some(json!({"environments": ["development", "test"]}));
    let give = async || acme.house.send("POST", "/admin/v1/tenants/acme/support", Some(&basic("pat")), asked()).await;
    assert_eq!(give().await.status, 200);
    assert_eq!(acme.look("acme/development/runs").await.status, 200);
    let pat = async |body: Value| assert_eq!(acme.house.ada("PUT", "users/pat", Some(body)).await.status, 204);
    pat(json!({"kind": "native", "profiles": ["administrator"], "enabled": false})).await;
    let fallen = acme.look("acme/development/runs").await;
    assert!(fallen.status == 403 && fallen.text.contains("support.right-fallen"), "{}", fallen.text);
    pat(json!({"kind": "native", "profiles": ["devops"]})).await;
    assert_eq!(acme.look("acme/development/runs").await.status, 403);
    pat(json!({"kind": "native", "profiles": ["administrator"]})).await;
    assert_eq!(acme.look("acme/development/runs").await.status, 200);
    // Another grant lets look on; an environment that is shown stays until it is not.
    let in_use = acme.house.ada("DELETE", "environments/test", None).await;
    assert_eq!((in_use.status, in_use.code().as_str()), (409, "in-use"), "{}", in_use.text);
    assert_eq!(acme.house.ada("DELETE", "users/pat", None).await.status, 204);
    assert_eq!(acme.look("acme/development/runs").await.status, 403, "it went with who gave it");
    acme.grant(json!({"environments": ["test"], "hours": 1})).await;
    acme.pass(HOUR);
    assert_eq!(acme.house.ada("DELETE", "environments/test", None).await.status, 204, "what has ended holds nothing");
    // A suspended tenant shows nothing.
    acme.grant(json!({"environments": ["development"]})).await;
    let suspend = async |suspended: bool| {
        acme.house.operate("PUT", "/operator/tenants/acme", Some(json!({"suspended": suspended}))).await
    };
    assert_eq!(suspend(true).await.status, 204);
    assert_eq!(acme.look("acme/development/runs").await.status, 403);
    assert_eq!(suspend(false).await.status, 204);
    assert_eq!(acme.look("acme/development/runs").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_tells_which_user_of_the_machine_looked() {
    let acme = Tenant::open().await;
    acme.grant(json!({"environments": ["development"]})).await;
    let socket = acme.house.on_socket();
    let mut stream = tokio::net::UnixStream::connect(&socket).await.unwrap();
    let request =
        b"GET /operator/support/acme/development/deployments HTTP/1.1\r\nhost: operator\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).await.unwrap();
    assert!(told.starts_with("HTTP/1.1 200") && told.contains("\"shop\""), "{told}");
    let log = acme.house.ada("GET", "audit?newest=500", None).await.json();
    let mut entries = log["links"].as_array().unwrap().iter().map(|link| &link["entry"]);
    let look = entries.rfind(|entry| entry["event"] == "support-read").unwrap();
    assert_eq!(look["detail"]["by"], format!("uid {}", std::fs::metadata(&socket).unwrap().uid()));
}
