//! Live sessions and API keys: listed, narrowed, ended.

use std::time::{Duration, Instant};

use lockgate_admin::shapes::{KeyInfo, NewKey, SessionInfo, Who};
use serde_json::{Value, json};

use crate::{
    house::{House, PASSWORD, basic},
    refusals::body,
};

async fn login(house: &House, user: &str) -> String {
    let told = house.login(json!({"user": user, "password": PASSWORD})).await;
    format!("Bearer {}", told.json()["session"].as_str().unwrap())
}

fn listed(items: &Value) -> Vec<SessionInfo> {
    serde_json::from_value(items["items"].clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_ended_by_their_user_and_by_who_manages_users() {
    let house = House::open().await;
    house.user("ben", &["monitor"]).await;
    house.user("eve", &["monitor"]).await;
    let (first, second, of_eve) = (login(&house, "ben").await, login(&house, "ben").await, login(&house, "eve").await);
    let ask = async |who: &str, method: &str, path: &str| {
        house.send(method, &format!("/admin/v1/tenants/acme/{path}"), Some(who), None).await
    };
    let own = listed(&ask(&first, "GET", "sessions").await.json());
    // The first login by one-time token opened one as well.
    assert_eq!(own.len(), 3);
    assert!(own.iter().all(|session| session.user == "ben" && session.source.as_deref() == Some("127.0.0.1")));
    assert!(own.is_sorted_by_key(|session| session.opened));
    assert_eq!(own.iter().map(|session| session.own).collect::<Vec<_>>(), [false, true, false]);
    let shown = ask(&first, "GET", "sessions").await.text;
    assert!(![&first, &second].iter().any(|token| shown.contains(token.strip_prefix("Bearer ").unwrap())));

    // Another's is not there for who may not manage users, and neither is one that nobody has.
    for id in [own[2].id.as_str(), "0000000000000000"] {
        assert_eq!(ask(&of_eve, "DELETE", &format!("sessions/{id}")).await.code(), "LG-FORBIDDEN");
    }
    assert_eq!(ask(&of_eve, "GET", "users/ben/sessions").await.status, 403);
    assert_eq!(ask(&of_eve, "DELETE", "users/ben/sessions").await.status, 403);
    assert_eq!(house.ada("DELETE", "sessions/0000000000000000", None).await.status, 404);
    let elsewhere = format!("/admin/v1/tenants/other/sessions/{}", own[2].id);
    let told = house.send("DELETE", &elsewhere, Some(&basic("bob")), None).await;
    assert_eq!(told.status, 404, "another tenant's administrator");
    assert_eq!(ask(&second, "GET", "whoami").await.status, 200);

    assert_eq!(ask(&first, "DELETE", &format!("sessions/{}", own[2].id)).await.status, 204);
    assert_eq!(ask(&second, "GET", "whoami").await.status, 401, "it is ended");
    assert_eq!(listed(&house.ada("GET", "users/ben/sessions", None).await.json()).len(), 2);
    assert_eq!(house.ada("DELETE", "users/ben/sessions", None).await.status, 204);
    assert_eq!(ask(&first, "GET", "whoami").await.status, 401);
    assert_eq!(ask(&of_eve, "GET", "whoami").await.status, 200, "others go on");
    assert_eq!(house.told_of("session-end").await, ["done ben user/ben -", "done ada user/ben -"]);
}

/// A user that may come again has to sign in again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_users_sessions_do_not_come_back() {
    let house = House::open().await;
    house.user("ben", &["monitor"]).await;
    let session = login(&house, "ben").await;
    let whoami = async || house.send("GET", "/admin/v1/tenants/acme/whoami", Some(&session), None).await.status;
    assert_eq!(whoami().await, 200);
    for enabled in [false, true] {
        let body = json!({"kind": "native", "profiles": ["monitor"], "enabled": enabled});
        assert_eq!(house.ada("PUT", "users/ben", Some(body)).await.status, 204);
        assert_eq!(whoami().await, 401, "enabled: {enabled}");
    }
}

/// Whoever asked for the change is gone before it is made; what it ends has ended all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_nobody_waits_for_ends_the_sessions_too() {
    let house = House::open().await;
    house.user("ben", &["monitor"]).await;
    let disabled = json!({"kind": "native", "profiles": ["monitor"], "enabled": false});
    let enabled = json!({"kind": "native", "profiles": ["monitor"], "enabled": true});
    let batch = json!({"items": [{"kind": "user", "id": "ben", "body": disabled}]});
    for (method, path, body) in [
        ("PUT", "users/ben", Some(disabled)),
        ("POST", "apply", Some(batch)),
        ("DELETE", "users/ben/sessions", None),
        ("DELETE", "sessions/{id}", None),
    ] {
        let session = login(&house, "ben").await;
        let whoami = async || house.send("GET", "/admin/v1/tenants/acme/whoami", Some(&session), None).await.status;
        let own = listed(&house.send("GET", "/admin/v1/tenants/acme/sessions", Some(&session), None).await.json());
        let path = path.replace("{id}", &own.iter().find(|one| one.own).unwrap().id);
        {
            let mut asked = std::pin::pin!(house.ada(method, &path, body));
            let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(asked.as_mut().poll(cx).is_pending())).await;
            assert!(polled, "{method} {path}");
        }
        let began = Instant::now();
        while whoami().await == 200 {
            assert!(began.elapsed() < Duration::from_secs(20), "{method} {path}: the session lives on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(house.ada("PUT", "users/ben", Some(enabled.clone())).await.status, 204);
        assert_eq!(whoami().await, 401, "{method} {path}");
    }
}

/// Its user's own affairs are nothing for a key that is narrowed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_narrowed_key_neither_sees_nor_ends_its_users_sessions() {
    let house = House::open().await;
    house.user("ben", &["monitor"]).await;
    let session = login(&house, "ben").await;
    let own = listed(&house.send("GET", "/admin/v1/tenants/acme/sessions", Some(&session), None).await.json());
    for narrowed in [json!({"targets": ["echo"]}), json!({"environment": "development"})] {
        let told = house.ada("POST", "users/ben/keys", Some(narrowed)).await;
        let key = format!("Bearer {}", serde_json::from_value::<NewKey>(told.json()).unwrap().key);
        let one = format!("sessions/{}", own[0].id);
        for (method, path) in [("GET", "sessions"), ("DELETE", one.as_str())] {
            let told = house.send(method, &format!("/admin/v1/tenants/acme/{path}"), Some(&key), None).await;
            assert_eq!(told.status, 403, "{method} {path}: {}", told.text);
        }
    }
    assert_eq!(listed(&house.ada("GET", "users/ben/sessions", None).await.json()).len(), own.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_calls_what_it_names_and_does_nothing_else() {
    let house = House::open().await;
    house.user("pat", &["administrator"]).await;
    let pat = async |method: &str, path: &str, body: Option<Value>| {
        house.send(method, &format!("/admin/v1/tenants/acme/{path}"), Some(&basic("pat")), body).await
    };
    let pushed = pat("POST", "projects/shop/versions", body("post", "/projects/{project}/versions")).await;
    assert_eq!(pushed.status, 200, "{}", pushed.text);
    let deployed = pat("PUT", "environments/development/deployments/shop", Some(json!({}))).await;
    assert_eq!(deployed.status, 200, "{}", deployed.text);
    let key = async |wanted: Value| {
        let told = house.ada("POST", "users/pat/keys", Some(wanted)).await;
        assert_eq!(told.status, 200, "{}", told.text);
        serde_json::from_value::<NewKey>(told.json()).unwrap()
    };
    let by = async |key: &NewKey, method: &str, path: &str, body: Option<Value>| {
        let bearer = format!("Bearer {}", key.key);
        house.send(method, &format!("/admin/v1/tenants/acme/{path}"), Some(&bearer), body).await
    };
    let run = Some(json!({"name": "echo"}));
    let runs = "environments/development/runs";
    let (other, named) =
        (key(json!({"targets": ["invoice"]})).await, key(json!({"targets": ["echo"], "title": "till"})).await);
    let refused = by(&other, "POST", runs, run.clone()).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("key.other-target"), "{}", refused.text);
    assert_eq!(by(&named, "POST", runs, run.clone()).await.status, 200);
    for (method, path) in
        [("GET", "users"), ("GET", runs), ("GET", "projects"), ("PUT", "environments/development/deployments/shop")]
    {
        let told = by(&named, method, path, body("put", "/environments/{environment}/deployments/{project}")).await;
        assert_eq!(told.status, 403, "{method} {path}: {}", told.text);
    }
    let why = json!({"user": "pat", "environment": "development", "kind": "integrations", "name": "invoice"});
    let told = by(&named, "POST", "access/why", Some(why.clone())).await;
    assert_eq!(told.status, 403, "about oneself: {}", told.text);
    assert!(told.text.contains("key.other-target"), "{}", told.text);
    assert_eq!(pat("POST", "access/why", Some(why)).await.status, 200);
    let who: Who = serde_json::from_value(by(&named, "GET", "whoami", None).await.json()).unwrap();
    assert_eq!(who.only_targets, ["echo"]);
    // A client's key is for the token endpoint alone.
    let client = key(json!({"client": true})).await;
    assert_eq!(by(&client, "GET", "whoami", None).await.status, 401);

    let shown = house.ada("GET", "users/pat/keys", None).await.json();
    let shown: Vec<KeyInfo> = serde_json::from_value(shown["items"].clone()).unwrap();
    let of = |key: &NewKey| shown.iter().find(|one| one.id == key.id).unwrap();
    assert_eq!((of(&named).title.as_str(), of(&named).targets.as_slice()), ("till", ["echo".to_owned()].as_slice()));
    assert!(of(&named).last_used.is_some() && of(&client).last_used.is_none() && of(&client).client);
    let many: Vec<String> = (0..101).map(|n| format!("t{n}")).collect();
    assert_eq!(house.ada("POST", "users/pat/keys", Some(json!({"targets": many}))).await.code(), "LG-KEY-TARGETS");
    assert_eq!(house.ada("POST", "users/pat/keys", Some(json!({"targets": ["No Name"]}))).await.code(), "LG-BODY");
}
