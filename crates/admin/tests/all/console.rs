//! A login opens a session for who may have the console, and for nobody else: told to who has proved all there is to
//! prove, and never in the way of a password that programs use. In a suspended tenant nobody does anything.

use lockgate_model::Permission;
use serde_json::{Value, json};

use crate::{
    authenticator::Authenticator,
    house::{House, PASSWORD, Told, basic},
};

const RULE: &str = "console.no-user-interface-access";
const NEW: &str = "Another-Anchor-9";
const ORIGIN: &str = "https://lockgate.example:8443";

/// A user with what programs need, and no console.
async fn caller(house: &House, id: &str) -> Value {
    let profile = json!({"title": "", "permissions": ["logs-view", "manage-personal-setup"], "valid_in": "all"});
    assert_eq!(house.ada("PUT", "profiles/caller", Some(profile)).await.status, 204);
    hold(house, id, "caller").await;
    invited(house, id).await
}

async fn hold(house: &House, id: &str, profile: &str) {
    let body = json!({"kind": "native", "profiles": [profile]});
    assert_eq!(house.ada("PUT", &format!("users/{id}"), Some(body)).await.status, 204);
}

async fn invited(house: &House, id: &str) -> Value {
    house.ada("POST", &format!("users/{id}/token"), None).await.json()["token"].clone()
}

async fn calls(house: &House, user: &str, password: &str) -> u16 {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    house.send("GET", "/admin/v1/tenants/acme/whoami", Some(&basic), None).await.status
}

fn is_refused(told: &Told, rule: &str) {
    assert_eq!((told.status, told.code().as_str()), (403, "LG-FORBIDDEN"), "{}", told.text);
    assert!(told.text.contains(rule) && told.json().get("session").is_none(), "{}", told.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_have_the_console_opens_no_session_and_calls_all_the_same() {
    let house = House::open().await;
    let token = caller(&house, "eve").await;
    // What is not proved is answered as ever.
    for body in [
        json!({"user": "eve", "token": "lgt_eve_00", "new_password": PASSWORD}),
        json!({"user": "eve", "password": PASSWORD}),
        json!({"user": "nobody", "password": PASSWORD}),
    ] {
        assert_eq!(house.login(body).await.status, 401);
    }
    // The first password is set, for calls.
    is_refused(&house.login(json!({"user": "eve", "token": token, "new_password": PASSWORD})).await, RULE);
    assert_eq!(calls(&house, "eve", PASSWORD).await, 200);
    assert_eq!(house.login(json!({"user": "eve", "token": token, "new_password": NEW})).await.status, 401, "spent");
    is_refused(&house.login(json!({"user": "eve", "password": PASSWORD})).await, RULE);
    assert_eq!(house.login(json!({"user": "eve", "password": NEW})).await.status, 401);
    // One that has to be changed can be.
    assert_eq!(house.ada("POST", "users/eve/expire-password", None).await.status, 204);
    assert_eq!(house.login(json!({"user": "eve", "password": PASSWORD})).await.code(), "LG-PASSWORD-CHANGE");
    is_refused(&house.login(json!({"user": "eve", "password": PASSWORD, "new_password": NEW})).await, RULE);
    assert_eq!((calls(&house, "eve", PASSWORD).await, calls(&house, "eve", NEW).await), (401, 200));
    let key = house.ada("POST", "users/eve/keys", Some(json!({}))).await.json()["key"].clone();
    let bearer = format!("Bearer {}", key.as_str().unwrap());
    assert_eq!(house.send("GET", "/admin/v1/tenants/acme/whoami", Some(&bearer), None).await.status, 200);
    assert_eq!(house.told_of("console").await, ["denied eve - -"; 3]);
    assert!(!house.told_of("login").await.iter().any(|entry| entry.starts_with("done eve")));
    let sessions = house.ada("GET", "users/eve/sessions", None).await.json();
    assert_eq!(sessions["items"], json!([]));
    // The right opens the door, and its end closes it.
    for (profile, status) in [("monitor", 200), ("caller", 403)] {
        hold(&house, "eve", profile).await;
        assert_eq!(house.login(json!({"user": "eve", "password": NEW})).await.status, status, "{profile}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_counts_from_any_profile_and_from_groups() {
    let house = House::open().await;
    house.user("eve", &[]).await;
    let held = [Permission::UserInterfaceAccess.as_str()];
    let profile = json!({"title": "", "permissions": held, "valid_in": {"environments": ["test"]}});
    assert_eq!(house.ada("PUT", "profiles/door", Some(profile)).await.status, 204);
    assert_eq!(house.ada("PUT", "groups/people", Some(json!({"profiles": ["door"]}))).await.status, 204);
    is_refused(&house.login(json!({"user": "eve", "password": PASSWORD})).await, RULE);
    let member = json!({"kind": "native", "profiles": [], "groups": ["people"]});
    assert_eq!(house.ada("PUT", "users/eve", Some(member)).await.status, 204);
    assert_eq!(house.login(json!({"user": "eve", "password": PASSWORD})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_opens_no_session_either() {
    let house = House::open().await;
    house.reached_by(ORIGIN);
    house.user("ben", &["monitor"]).await;
    let session = house.login(json!({"user": "ben", "password": PASSWORD})).await.json()["session"].clone();
    let bearer = format!("Bearer {}", session.as_str().unwrap());
    let ask = async |credential: Option<&str>, path: &str, body: Value| {
        let told = house.send("POST", &format!("/admin/v1/tenants/acme/{path}"), credential, Some(body)).await;
        assert_eq!(told.status, 200, "{}", told.text);
        told.json()
    };
    let mut authenticator = Authenticator::new(ORIGIN, "lockgate.example", b"ben-key-ben-key");
    let asked = ask(Some(&bearer), "passkeys", json!({"password": PASSWORD})).await;
    let made = authenticator.create(&asked["options"]);
    ask(Some(&bearer), "passkeys/confirm", json!({"ceremony": asked["ceremony"], "credential": made, "title": "key"}))
        .await;
    let enter = async |authenticator: &mut Authenticator| {
        let asked = ask(None, "login/passkey", json!({})).await;
        let credential = authenticator.get(&asked["options"]);
        house.login(json!({"passkey": {"ceremony": asked["ceremony"], "credential": credential}})).await
    };
    assert_eq!(enter(&mut authenticator).await.status, 200);
    caller(&house, "ben").await;
    is_refused(&enter(&mut authenticator).await, RULE);
    // The password without the passkey is told what is missing first.
    assert_eq!(house.login(json!({"user": "ben", "password": PASSWORD})).await.code(), "LG-SECOND-FACTOR");
    hold(&house, "ben", "monitor").await;
    assert_eq!(house.operate("PUT", "/operator/tenants/acme", Some(json!({"suspended": true}))).await.status, 204);
    is_refused(&enter(&mut authenticator).await, "tenant.suspended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_suspended_tenant_nobody_signs_in_and_no_password_is_set() {
    let house = House::open().await;
    house.user("ben", &["monitor"]).await;
    house.user("pat", &["monitor"]).await;
    let token = invited(&house, "pat").await;
    let suspend = async |suspended: bool| {
        let body = Some(json!({"suspended": suspended}));
        assert_eq!(house.operate("PUT", "/operator/tenants/acme", body).await.status, 204);
    };
    let wrong = json!({"user": "ben", "password": "wrong"});
    let before = house.login(wrong.clone()).await;
    suspend(true).await;
    for body in [
        json!({"user": "ben", "password": PASSWORD}),
        json!({"user": "ben", "password": PASSWORD, "new_password": NEW}),
        json!({"user": "pat", "token": token, "new_password": NEW}),
    ] {
        is_refused(&house.login(body).await, "tenant.suspended");
    }
    // Who has proved nothing is told what it was told before.
    for body in
        [wrong, json!({"user": "zed", "password": PASSWORD}), json!({"user": "pat", "token": "x", "new_password": NEW})]
    {
        let told = house.login(body).await;
        assert_eq!((told.status, &told.text), (before.status, &before.text));
    }
    suspend(false).await;
    assert_eq!(house.told_of("console").await, ["denied ben - -", "denied ben - -", "denied pat - -"]);
    assert_eq!(house.told_of("password-change").await.len(), 3, "those of ada, ben and pat alone");
    assert_eq!((calls(&house, "ben", NEW).await, calls(&house, "ben", PASSWORD).await), (401, 200));
    assert_eq!(house.send("GET", "/admin/v1/tenants/acme/whoami", Some(&basic("pat")), None).await.status, 200);
    let told = house.login(json!({"user": "pat", "token": token, "new_password": NEW})).await;
    assert_eq!(told.status, 200, "the token is not spent: {}", told.text);
}
