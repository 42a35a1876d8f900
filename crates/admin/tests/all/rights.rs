//! Who may do what, and who would, over the API.

use lockgate_admin::shapes;
use serde_json::{Value, json};

use crate::house::{House, Told, basic};

fn is<T: serde::de::DeserializeOwned>(told: &Told) -> T {
    assert_eq!(told.status, 200, "{}", told.text);
    serde_json::from_str(&told.text).unwrap_or_else(|e| panic!("{e}: {}", told.text))
}

fn cells(told: &Told) -> Vec<(String, String, String)> {
    let page: shapes::Matrix = is(told);
    assert_eq!(page.next, None);
    page.cells.into_iter().map(|cell| (cell.user, cell.scope, cell.right)).collect()
}

/// `caller`, valid in `test`, may see logs there, and run.
fn caller() -> Value {
    json!({"kind": "profile", "id": "caller", "body":
        {"title": "", "permissions": ["logs-view"], "valid_in": {"environments": ["test"]}}})
}

fn eve(profiles: &[&str]) -> Value {
    json!({"kind": "user", "id": "eve", "body": {"kind": "native", "profiles": profiles}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_be_refused_is_refused_as_the_change_is() {
    let house = House::open().await;
    house.user("uma", &[]).await;
    let users_alone = json!({"title": "", "permissions": ["user-management"], "valid_in": "all"});
    assert_eq!(house.ada("PUT", "profiles/users-alone", Some(users_alone)).await.status, 204);
    let uma = json!({"kind": "native", "profiles": ["users-alone"]});
    assert_eq!(house.ada("PUT", "users/uma", Some(uma.clone())).await.status, 204);
    let bare_ada = json!({"kind": "user", "id": "ada", "body": {"kind": "native"}});
    let profile = json!({"kind": "profile", "id": "nowhere", "body":
        {"title": "", "permissions": [], "valid_in": {"environments": []}}});
    for (who, items, status, code) in [
        // Who keeps the list of users gives no rights, nor asks what they would be.
        ("uma", json!([eve(&["administrator"])]), 403, "LG-FORBIDDEN"),
        ("uma", json!([caller()]), 403, "LG-FORBIDDEN"),
        ("ada", json!([bare_ada]), 409, "last-administrator"),
        ("ada", json!([profile]), 409, "profile-without-environment"),
        ("ada", json!([eve(&["caller"])]), 409, "dangling-reference"),
        ("ada", json!([{"kind": "user", "id": "nobody"}]), 404, "LG-NOT-FOUND"),
        ("ada", json!([{"kind": "user", "id": "Eve", "body": {"kind": "native"}}]), 400, "LG-ID"),
        ("ada", json!([{"kind": "deployment", "id": "test/shop", "body": {}}]), 400, "LG-ID"),
        ("ada", json!(1), 400, "LG-BODY"),
    ] {
        for route in ["access/what-if", "apply"] {
            let path = format!("/admin/v1/tenants/acme/{route}");
            let told = house.send("POST", &path, Some(&basic(who)), Some(json!({"items": items}))).await;
            assert_eq!((told.status, told.code().as_str()), (status, code), "{route} {items}: {}", told.text);
        }
    }
    // A right that the batch itself takes away is not there for what comes behind.
    let second = json!({"kind": "user", "id": "sam", "body": {"kind": "native", "profiles": ["administrator"]}});
    let items = json!([second, {"kind": "user", "id": "ada", "body": {"kind": "native"}}, eve(&[])]);
    let told = house.ada("POST", "access/what-if", Some(json!({"items": items}))).await;
    assert_eq!((told.status, told.code().as_str()), (403, "LG-FORBIDDEN"), "{}", told.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_be_gained_and_lost_is_what_the_matrix_tells_before_and_after() {
    let house = House::open().await;
    house.user("eve", &["monitor"]).await;
    let before = cells(&house.ada("GET", "access/matrix", None).await);
    let revision = is::<shapes::Matrix>(&house.ada("GET", "access/matrix", None).await).revision;
    assert!(before.contains(&("eve".into(), "environment/live".into(), "logs-view".into())), "{before:?}");
    let batch = json!({"items": [caller(), eve(&["caller"])]});
    let told: shapes::WhatIf = is(&house.ada("POST", "access/what-if", Some(batch.clone())).await);
    assert_eq!(told.revision, revision);
    assert_eq!(cells(&house.ada("GET", "access/matrix", None).await), before, "nothing is changed by asking");

    assert_eq!(house.ada("POST", "apply", Some(batch)).await.status, 200);
    let after = cells(&house.ada("GET", "access/matrix", None).await);
    let key = |cell: &shapes::Cell| (cell.user.clone(), cell.scope.clone(), cell.right.clone());
    let lost: Vec<_> = before.iter().filter(|cell| !after.contains(cell)).cloned().collect();
    assert_eq!(told.lost.iter().map(key).collect::<Vec<_>>(), lost);
    // The test environment's log lines stay: another profile gives them.
    assert!(told.gained.is_empty() && lost.len() > 5 && !told.more, "{told:?}");
    let own = cells(&house.ada("GET", "access/matrix?user=eve", None).await);
    assert_eq!(own, [("eve".to_owned(), "environment/test".to_owned(), "logs-view".to_owned())]);

    let given = json!({"items": [eve(&["caller", "publisher"])]});
    let told: shapes::WhatIf = is(&house.ada("POST", "access/what-if", Some(given)).await);
    let gained: Vec<_> = told.gained.iter().map(|cell| (cell.right.as_str(), cell.profile.as_deref())).collect();
    assert!(gained.contains(&("deploy", Some("publisher"))) && told.lost.is_empty(), "{told:?}");
    let nothing: shapes::WhatIf = is(&house.ada("POST", "access/what-if", Some(json!({"items": []}))).await);
    assert!(nothing.gained.is_empty() && nothing.lost.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_matrix_is_of_one_revision_and_of_what_there_is() {
    let house = House::open().await;
    let page: shapes::Matrix = is(&house.ada("GET", "access/matrix?environment=test", None).await);
    assert!(page.cells.iter().all(|cell| cell.scope == "environment/test") && !page.cells.is_empty());
    house.user("ben", &["monitor"]).await;
    let first: shapes::Matrix = is(&house.ada("GET", "access/matrix?limit=1", None).await);
    assert!(first.revision > page.revision && first.cells.iter().all(|cell| cell.user == "ada"));
    let again = format!("access/matrix?limit=1&cursor={}", first.next.unwrap());
    let second: shapes::Matrix = is(&house.ada("GET", &again, None).await);
    assert!(second.next.is_none() && !second.cells.is_empty() && second.cells.iter().all(|cell| cell.user == "ben"));
    house.user("eve", &[]).await;
    let told = house.ada("GET", &again, None).await;
    assert_eq!((told.status, told.code().as_str()), (409, "LG-BUSY"), "{}", told.text);
    for query in ["user=nobody", "environment=moon"] {
        let told = house.ada("GET", &format!("access/matrix?{query}"), None).await;
        assert_eq!((told.status, told.code().as_str()), (404, "LG-NOT-FOUND"), "{query}: {}", told.text);
    }
    for query in ["user=A%20b", "revision=x", "users=eve"] {
        let told = house.ada("GET", &format!("access/matrix?{query}"), None).await;
        assert_eq!((told.status, told.code().as_str()), (400, "LG-QUERY"), "{query}: {}", told.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_of_a_batch_are_judged_without_their_secrets() {
    let house = House::open().await;
    house.user("dev", &["devops"]).await;
    let account = |connector: &str| {
        json!({"connector": connector, "address": "https://erp.example.com", "identity": "system",
            "settings": {"auth": "bearer"}})
    };
    let batch = |body: Value| json!({"items": [{"kind": "account", "id": "live/erp", "body": body}]});
    let post = async |path: &str, body: Value| {
        house.send("POST", &format!("/admin/v1/tenants/acme/{path}"), Some(&basic("dev")), Some(body)).await
    };
    for path in ["access/what-if", "apply"] {
        for (body, told) in [(account("htps"), "there is no connector `htps`"), (account("https"), "token")] {
            let refused = post(path, batch(body)).await;
            assert_eq!(refused.status, 400, "{path}: {}", refused.text);
            assert!(refused.text.contains(told), "{path}: {}", refused.text);
        }
        let mut secret = account("https");
        secret["secrets"] = json!({"token": "red-hot"});
        let refused = post(path, batch(secret)).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "LG-BODY"), "{path}: {}", refused.text);
        assert!(!refused.text.contains("red-hot"));
    }
    let mut plain = account("https");
    plain["settings"] = json!({});
    assert_eq!(post("access/what-if", batch(plain.clone())).await.status, 200);
    assert_eq!(house.ada("GET", "environments/live/accounts/erp", None).await.status, 404, "asking stores nothing");
    assert_eq!(post("apply", batch(plain)).await.status, 200);
    assert_eq!(house.ada("GET", "environments/live/accounts/erp", None).await.status, 200);
    // One of an environment that comes with it.
    let both = json!({"items": [{"kind": "environment", "id": "moon", "body": {"title": "", "order": 9}},
        {"kind": "account", "id": "moon/erp", "body": {"connector": "https", "address": "https://erp.example.com",
        "identity": "system"}}]});
    let told = house.ada("POST", "access/what-if", Some(both)).await;
    assert_eq!(told.status, 200, "{}", told.text);
    // Who holds nothing of it is refused, and that is told.
    house.user("eve", &["monitor"]).await;
    let asked = Some(batch(account("https")));
    let told = house.send("POST", "/admin/v1/tenants/acme/access/what-if", Some(&basic("eve")), asked).await;
    assert_eq!(told.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_behind_what_is_allowed_is_told_in_the_audit_log() {
    let house = House::open().await;
    let keeper = json!({"title": "", "permissions": ["user-management"], "valid_in": "all"});
    assert_eq!(house.ada("PUT", "profiles/keeper", Some(keeper)).await.status, 204);
    house.user("eve", &["keeper"]).await;
    let before = house.told_of("administer").await;
    let denied = |told: &[String]| told.iter().filter(|entry| entry.starts_with("denied eve")).count();
    let probe = json!({"items": [{"kind": "group", "id": "g", "body": {}},
        {"kind": "profile", "id": "p", "body": {"title": "", "permissions": [], "valid_in": "all"}}]});
    let told = house.send("POST", "/admin/v1/tenants/acme/access/what-if", Some(&basic("eve")), Some(probe)).await;
    assert_eq!(told.status, 403, "{}", told.text);
    assert_eq!(denied(&house.told_of("administer").await), denied(&before) + 1);
}

/// Its secrets would be lost with the first, where the second may be refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_in_a_batch_once() {
    let house = House::open().await;
    let account = json!({"kind": "account", "id": "development/erp", "body": {"connector": "https",
        "address": "https://erp.example.com", "identity": "system"}});
    let batch = json!({"items": [{"kind": "account", "id": "development/erp"}, account]});
    for path in ["access/what-if", "apply"] {
        let told = house.ada("POST", path, Some(batch.clone())).await;
        assert_eq!((told.status, told.code()), (400, "LG-BODY".to_owned()), "{path}: {}", told.text);
    }
}
