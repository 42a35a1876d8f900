//! What a tenant asks of passwords, and passwords that have to be changed.

use lockgate_admin::shapes::{PasswordPolicy, PasswordPreset};
use serde_json::{Value, json};

use crate::house::{House, PASSWORD, basic};

/// The classic policy takes it, the other does not.
const SHORT: &str = "Harbour-9-am";
const LONG: &str = "rowing past the breakwater";

/// A user of `acme` with this password; gives what setting it was answered.
async fn user(house: &House, id: &str, password: &str) -> (u16, String) {
    assert_eq!(
        house.ada("PUT", &format!("users/{id}"), Some(json!({"kind": "native", "profiles": ["monitor"]}))).await.status,
        204
    );
    set(house, id, password).await
}

async fn set(house: &House, id: &str, password: &str) -> (u16, String) {
    let token = house.ada("POST", &format!("users/{id}/token"), None).await.json()["token"].clone();
    let told = house.login(json!({"user": id, "token": token, "new_password": password})).await;
    (told.status, told.code())
}

async fn policy(house: &House) -> PasswordPolicy {
    serde_json::from_value(house.ada("GET", "password-policy", None).await.json()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_is_one_of_the_presets_and_its_tenants_own() {
    let house = House::open().await;
    for bad in [json!({"preset": "none"}), json!({}), json!({"preset": "classic", "length": 4})] {
        assert_eq!(house.ada("PUT", "password-policy", Some(bad.clone())).await.code(), "LG-BODY", "{bad}");
    }
    assert_eq!(policy(&house).await.preset, PasswordPreset::Classic);
    let told = house.ada("PUT", "password-policy", Some(json!({"preset": "nist-800-63b-4"}))).await;
    assert_eq!((told.status, told.text.as_str()), (204, ""));
    assert_eq!(policy(&house).await.preset, PasswordPreset::Nist);
    let other = house.send("GET", "/admin/v1/tenants/other/password-policy", Some(&basic("bob")), None).await;
    assert_eq!(other.json(), json!({"preset": "classic"}));
    assert_eq!(house.told_of("update").await, ["done ada password-policy -"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_passwords_are_held_to_the_policy_in_force() {
    let house = House::open().await;
    assert_eq!(user(&house, "ben", LONG).await, (400, "LG-PASSWORD".into()), "three classes");
    assert_eq!(user(&house, "ben", SHORT).await.0, 200);
    assert_eq!(house.ada("PUT", "password-policy", Some(json!({"preset": "nist-800-63b-4"}))).await.status, 204);
    assert_eq!(user(&house, "cleo", SHORT).await, (400, "LG-PASSWORD".into()), "15 characters");
    assert_eq!(set(&house, "cleo", LONG).await.0, 200);

    // What was set before is good for one more login, which changes it.
    let ben = async |body: Value| {
        let told = house.login(body).await;
        (told.status, told.code())
    };
    assert_eq!(ben(json!({"user": "ben", "password": "wrong"})).await, (401, "LG-UNAUTHENTICATED".into()));
    assert_eq!(ben(json!({"user": "ben", "password": SHORT})).await, (400, "LG-PASSWORD-CHANGE".into()));
    for new in [SHORT, "", "fourteen chars"] {
        let told = ben(json!({"user": "ben", "password": SHORT, "new_password": new})).await;
        assert_eq!(told, (400, "LG-PASSWORD".into()), "{new}");
    }
    let wrong = json!({"user": "ben", "password": "wrong", "new_password": LONG});
    assert_eq!(ben(wrong).await, (401, "LG-UNAUTHENTICATED".into()));
    assert_eq!(ben(json!({"user": "ben", "password": SHORT, "new_password": LONG})).await.0, 200);
    assert_eq!(ben(json!({"user": "ben", "password": SHORT})).await.0, 401, "the old one is over");
    let back = json!({"user": "ben", "password": LONG, "new_password": LONG});
    assert_eq!(ben(back).await, (400, "LG-PASSWORD".into()), "it was used before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_must_be_changed_is_good_for_nothing_else() {
    let house = House::open().await;
    house.user("ben", &["developer"]).await;
    let session = house.login(json!({"user": "ben", "password": PASSWORD})).await.json()["session"].clone();
    let bearer = format!("Bearer {}", session.as_str().unwrap());
    let who = async |credential: &str| house.send("GET", "/admin/v1/tenants/acme/whoami", Some(credential), None).await;
    assert_eq!((who(&bearer).await.status, who(&basic("ben")).await.status), (200, 200));

    assert_eq!(house.ada("PUT", "users/robot", Some(json!({"kind": "service"}))).await.status, 204);
    assert_eq!(house.ada("POST", "users/robot/expire-password", None).await.code(), "LG-NO-PASSWORD");
    assert_eq!(house.ada("POST", "users/nobody/expire-password", None).await.code(), "LG-NOT-FOUND");
    assert_eq!(house.ada("POST", "users/ben/expire-password", None).await.status, 204);
    let (by_session, by_password) = (who(&bearer).await, who(&basic("ben")).await);
    assert_eq!((by_session.status, by_password.status), (401, 401));
    assert_eq!(by_password.text, who("Basic bm9ib2R5Om5vYm9keQ==").await.text, "nothing is told of why");
    assert_eq!(house.login(json!({"user": "ben", "password": PASSWORD})).await.code(), "LG-PASSWORD-CHANGE");
    let changed =
        house.login(json!({"user": "ben", "password": PASSWORD, "new_password": "Past-the-breakwater-9"})).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(house.told_of("password-change").await.last().unwrap(), "done ben user/ben -");
}
