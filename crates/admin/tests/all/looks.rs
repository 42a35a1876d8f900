//! What somebody of a tenant is not told of it, and what is told of who looked.

use serde_json::{Value, json};

use crate::house::{House, Told, basic};

fn ids(told: &Told, member: &str) -> Vec<String> {
    assert_eq!(told.status, 200, "{}", told.text);
    let all = told.json()["items"].as_array().unwrap().clone();
    all.iter().map(|one| one[member].as_str().unwrap().to_owned()).collect()
}

async fn push(house: &House, project: &str) {
    let name = if project == "shop" { "echo" } else { "tea" };
    let flow = format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0' }}\n\
         evaluate: {{ language: jsonata }}\ndo:\n  - back: {{ set: {{ n: 1 }} }}\n"
    );
    let files = json!({"project.yaml": format!("project: {project}\n"), format!("{name}.flow.yaml"): flow});
    let told = house.ada("POST", &format!("projects/{project}/versions"), Some(json!({"files": files}))).await;
    assert_eq!(told.status, 200, "{}", told.text);
}

/// A profile valid in one environment, and a user who has it.
async fn only_in(house: &House, user: &str, environment: &str, permissions: &[&str]) {
    let name = format!("of-{user}");
    let valid = json!({"title": "", "permissions": permissions, "valid_in": {"environments": [environment]}});
    assert_eq!(house.ada("PUT", &format!("profiles/{name}"), Some(valid)).await.status, 204);
    house.user(user, &[&name]).await;
}

async fn by(house: &House, user: &str, method: &str, path: &str, body: Option<Value>) -> Told {
    house.send(method, &format!("/admin/v1/tenants/acme/{path}"), Some(&basic(user)), body).await
}

const LOOKS: [&str; 3] = ["settings-view", "manage-personal-setup", "user-interface-access"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn environments_and_projects_are_there_for_who_may_view_them() {
    let house = House::open().await;
    push(&house, "shop").await;
    push(&house, "bank").await;
    only_in(&house, "dev", "development", &LOOKS).await;
    only_in(&house, "liv", "live", &LOOKS).await;
    for (user, environment, other) in [("dev", "development", "live"), ("liv", "live", "development")] {
        assert_eq!(ids(&by(&house, user, "GET", "environments", None).await, "id"), [environment]);
        assert_eq!(by(&house, user, "GET", &format!("environments/{environment}"), None).await.status, 200);
        let told = by(&house, user, "GET", &format!("environments/{other}"), None).await;
        let absent = by(&house, user, "GET", "environments/nowhere", None).await;
        assert_eq!((told.status, absent.status), (404, 404));
        assert_eq!(told.text.replace(other, "nowhere"), absent.text);
    }
    assert_eq!(ids(&by(&house, "dev", "GET", "projects", None).await, "id"), ["bank", "default", "shop"]);
    // Where nobody edits projects nobody is told of them, their versions or who pushed them.
    for path in ["projects", "projects/shop/versions"] {
        assert_eq!(by(&house, "liv", "GET", path, None).await.status, 404, "{path}");
    }
    // A permission on one project shows that one.
    house.user("pia", &[]).await;
    let on = json!({"permissions": ["integrations.update"], "users": ["pia"]});
    let told = house.ada("PUT", "project-permissions/shop/editors", Some(on)).await;
    assert_eq!(told.status, 204, "{}", told.text);
    assert_eq!(ids(&by(&house, "pia", "GET", "projects", None).await, "id"), ["shop"]);
    assert_eq!(by(&house, "pia", "GET", "projects/shop/versions", None).await.status, 200);
    let bank = by(&house, "pia", "GET", "projects/bank/versions", None).await;
    let absent = by(&house, "pia", "GET", "projects/none/versions", None).await;
    assert_eq!((bank.status, bank.text.replace("bank", "none")), (absent.status, absent.text));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_tells_oneself_no_more_than_a_call_would() {
    let house = House::open().await;
    push(&house, "shop").await;
    only_in(&house, "dev", "development", &LOOKS).await;
    house.user("eve", &["api-portal-provider"]).await;
    let why = async |user: &str, environment: &str, name: &str| {
        let about = json!({"user": user, "environment": environment, "kind": "integrations", "name": name});
        by(&house, user, "POST", "access/why", Some(about)).await
    };
    // Where a profile of one's own is valid, the missing link is told.
    let told = why("dev", "development", "echo").await;
    assert_eq!((told.status, &told.json()["allowed"]), (200, &json!(false)), "{}", told.text);
    assert_ne!(told.json()["missing"], json!([]));
    // Elsewhere an orchestration and an environment that there are look like those that there are not.
    let texts: Vec<_> = [("live", "echo"), ("live", "none"), ("nowhere", "echo"), ("development", "none")]
        .map(|(environment, name)| why("dev", environment, name))
        .into_iter()
        .collect();
    let mut seen = Vec::new();
    for told in texts {
        let told = told.await;
        assert_eq!(told.status, 404, "{}", told.text);
        seen.push(told.text);
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
    // Who has no say in anything of its own asks nothing.
    house.user("nil", &[]).await;
    assert_eq!(why("nil", "development", "echo").await.status, 403);
    // An administrator of access is told all of it, about oneself too.
    assert_eq!(why("ada", "nowhere", "echo").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_tries_an_account_or_asks_who_answers_is_in_the_log_first() {
    let house = House::open().await;
    let told = house.ada("POST", "environments/test/accounts/erp/test", None).await;
    assert_eq!(told.json()["ok"], json!(false), "there is no such account: {}", told.text);
    let log = house.ada("GET", "audit?newest=500", None).await.json();
    let entries = log["links"].as_array().unwrap().iter().map(|link| &link["entry"]);
    let tried: Vec<_> = entries.filter(|entry| entry["detail"]["what"] == "test").collect();
    let [entry] = tried.as_slice() else { panic!("{tried:?}") };
    assert_eq!((&entry["event"], &entry["outcome"]), (&json!("administer"), &json!("allowed")));
    assert_eq!((&entry["principal"], &entry["detail"]["account"]), (&json!("ada"), &json!("erp")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_keeps_a_cursor_does_not_read_the_log_on_unseen() {
    let house = House::open().await;
    house.user("amy", &["administrator"]).await;
    let readings = async || house.told_of("audit-read").await.iter().filter(|told| told.contains(" amy ")).count();
    let page = by(&house, "amy", "GET", "audit?limit=1", None).await.json();
    let next = format!("audit?limit=1&cursor={}", page["next"].as_str().unwrap());
    // What was there at the beginning is of the reading that is recorded.
    assert_eq!(by(&house, "amy", "GET", &next, None).await.status, 200);
    assert_eq!(readings().await, 1);
    let mut place = next;
    for _ in 0..100 {
        let page = by(&house, "amy", "GET", &place, None).await.json();
        let Some(next) = page["next"].as_str() else { break };
        place = format!("audit?limit=1&cursor={next}");
    }
    let before = readings().await;
    house.user("ben", &[]).await;
    let told = by(&house, "amy", "GET", &place, None).await.json();
    assert_eq!(told["links"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(readings().await, before + 1, "and of what came since another tells");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_by_a_key_that_is_for_less_is_refused_before_it_is_read() {
    let house = House::open().await;
    house.user("pat", &["administrator"]).await;
    let broken = json!({"files": {"project.yaml": "project: [", "x.flow.yaml": ":"}});
    for narrowed in [json!({"environment": "live"}), json!({"targets": ["echo"]})] {
        let key = house.ada("POST", "users/pat/keys", Some(narrowed)).await.json();
        let key = format!("Bearer {}", key["key"].as_str().unwrap());
        let path = "/admin/v1/tenants/acme/projects/shop/versions";
        let told = house.send("POST", path, Some(&key), Some(broken.clone())).await;
        assert_eq!(told.status, 403, "{}", told.text);
    }
    let told = house.ada("POST", "projects/shop/versions", Some(broken)).await;
    assert_eq!(told.status, 422, "{}", told.text);
}
