//! OAuth 2.0 client credentials over the wire: from the token endpoint to a run; refusals first.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use aws_lc_rs::{
    hmac,
    signature::{ED25519, UnparsedPublicKey},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use lockgate_model::{
    Kind, Timestamp,
    audit::Outcome,
    id::{EnvironmentId, KeyId, UserId},
};
use lockgate_runtime::{Clock, KeyWanted};
use serde_json::{Value, json};

use crate::{
    rest::{ECHO, House},
    support::request,
};

const ADDRESS: &str = "/oauth2/acme/development/token";
const GRANT: &str = "grant_type=client_credentials";

/// A client of the service account `robot`.
struct Client {
    house: House,
    late: Arc<AtomicI64>,
    id: String,
    secret: String,
}

impl Client {
    async fn new(wanted: KeyWanted) -> Self {
        let late = Arc::new(AtomicI64::new(0));
        let (seconds, system) = (late.clone(), Clock::system());
        let clock = Clock::from_fn(move || Timestamp(system.now().0 + seconds.load(Ordering::SeqCst) * 1_000_000));
        let house = House::by(clock).await;
        let robot = json!({"kind": "service", "profiles": ["administrator"]});
        house.runtime.put_definition(&house.ada, Kind::User, "robot", robot).await.unwrap();
        let key = house.runtime.add_key(&house.ada, &robot_id(), &wanted).await.unwrap();
        Self { house, late, id: key.id.to_string(), secret: key.key }
    }

    async fn send(&self, path: &str, headers: &[(&str, &str)], form: String) -> (u16, http::HeaderMap, Value) {
        let form_type = [("content-type", "application/x-www-form-urlencoded")];
        let headers: Vec<_> = form_type.iter().chain(headers).copied().collect();
        self.house.ask(request("POST", path, &headers, form)).await
    }

    /// By the form; a token, or the status and error.
    async fn token_at(&self, path: &str) -> Result<String, (u16, Value)> {
        let form = format!("{GRANT}&client_id={}&client_secret={}", self.id, self.secret);
        let (status, _, body) = self.send(path, &[], form).await;
        match status {
            200 => Ok(body["access_token"].as_str().unwrap().to_owned()),
            _ => Err((status, body["error"].clone())),
        }
    }

    async fn call(&self, path: &str, token: &str) -> u16 {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        self.house.ask(request("POST", path, &headers, "1")).await.0
    }

    async fn keys(&self) -> Value {
        self.house.ask(request("GET", "/oauth2/acme/development/.well-known/jwks.json", &[], "")).await.2
    }
}

fn robot_id() -> UserId {
    UserId::parse("robot").unwrap()
}
fn client() -> KeyWanted {
    KeyWanted { client: true, ..KeyWanted::default() }
}
fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_tenant_gives_its_clients_no_token() {
    let client = Client::new(client()).await;
    let acme = "acme".parse().unwrap();
    let wrong = format!("{GRANT}&client_id={}&client_secret=lgk_{}_{}", client.id, client.id, "0".repeat(64));
    let before = client.send(ADDRESS, &[], wrong.clone()).await;
    client.house.runtime.operator_suspend(&acme, true).await.unwrap();
    assert_eq!(client.token_at(ADDRESS).await, Err((400, json!("unauthorized_client"))));
    // Who is no client is told what it was told before.
    let told = client.send(ADDRESS, &[], wrong).await;
    assert_eq!((told.0, told.2), (before.0, before.2));
    client.house.runtime.operator_suspend(&acme, false).await.unwrap();
    client.token_at(ADDRESS).await.unwrap();
    let log = client.house.runtime.audit(&client.house.ada, None, 500).await.unwrap();
    let told: Vec<_> = log.links.iter().map(|link| &link.entry).filter(|entry| entry.event == "token").collect();
    let told: Vec<_> =
        told.iter().map(|entry| (entry.outcome, entry.principal.as_str(), entry.rule.as_str())).collect();
    let of_robot: Vec<_> = told.into_iter().filter(|entry| entry.1 == "robot").collect();
    assert_eq!(of_robot, [(Outcome::Denied, "robot", "tenant.suspended"), (Outcome::Done, "robot", "")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_no_client_of_the_place_gets_no_token_and_learns_nothing() {
    let environment = Some(EnvironmentId::parse("development").unwrap());
    let client = Client::new(KeyWanted { environment, ..client() }).await;
    let plain = client.house.runtime.add_key(&client.house.ada, &robot_id(), &KeyWanted::default()).await.unwrap();
    let forged = format!("lgk_{}_{}", client.id, "0".repeat(64));
    let mut told = Vec::new();
    for (path, id, secret) in [
        (ADDRESS, client.id.as_str(), forged.as_str()),
        (ADDRESS, "nobody", client.secret.as_str()),
        (ADDRESS, plain.id.as_str(), plain.key.as_str()),
        ("/oauth2/acme/live/token", &client.id, &client.secret),
        ("/oauth2/acme/nowhere/token", &client.id, &client.secret),
        ("/oauth2/nobody/development/token", &client.id, &client.secret),
        ("/oauth2/ACME/development/token", &client.id, &client.secret),
    ] {
        let (status, headers, body) =
            client.send(path, &[], format!("{GRANT}&client_id={id}&client_secret={secret}")).await;
        assert_eq!((status, &body["error"]), (401, &json!("invalid_client")), "{path} {id}");
        assert!(headers.contains_key("www-authenticate"));
        told.push(body);
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    let (status, _, body) = client.send(ADDRESS, &[], "grant_type=password".into()).await;
    assert_eq!((status, &body["error"]), (400, &json!("unsupported_grant_type")));
    assert_eq!(client.send(ADDRESS, &[], "x".repeat(5_000)).await.0, 413);
    let as_json = [("content-type", "application/json")];
    assert_eq!(client.house.ask(request("POST", ADDRESS, &as_json, "{}")).await.0, 415);
    let (status, headers, _) = client.house.ask(request("GET", ADDRESS, &[], "")).await;
    assert_eq!((status, headers["allow"].as_bytes()), (405, &b"POST"[..]));
    // Its secret is no bearer token, and neither is a token anything at the endpoint.
    assert_eq!(client.call(ECHO, &client.secret).await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_gets_a_token_and_calls_with_it() {
    let client = Client::new(client()).await;
    let credential = format!("Basic {}", STANDARD.encode(format!("{}:{}", client.id, client.secret)));
    let (status, headers, body) = client.send(ADDRESS, &[("authorization", &credential)], GRANT.into()).await;
    assert_eq!((status, &body["token_type"], &body["expires_in"]), (200, &json!("Bearer"), &json!(600)));
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(client.call(ECHO, body["access_token"].as_str().unwrap()).await, 200);
    let token = client.token_at(ADDRESS).await.unwrap();
    assert_eq!(client.call(ECHO, &token).await, 200);

    // Anybody who has the published keys can tell it is true.
    let parts: Vec<&str> = token.split('.').collect();
    let (header, claims) = (decoded(parts[0]), decoded(parts[1]));
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
    assert_eq!((&claims["sub"], claims["client_id"].as_str()), (&json!("robot"), Some(client.id.as_str())));
    let keys = client.keys().await;
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let x = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
    let message = format!("{}.{}", parts[0], parts[1]);
    let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    UnparsedPublicKey::new(&ED25519, x).verify(message.as_bytes(), &signature).unwrap();
    assert!(key.get("d").is_none());

    let log = client.house.runtime.newest_audit(&client.house.ada, 100).await.unwrap();
    let given: Vec<_> = log.links.iter().filter(|link| link.entry.event == "token").collect();
    assert_eq!(given.len(), 2);
    assert_eq!(given[1].entry.detail["token"], claims["jti"].as_str().unwrap());
    assert!(!serde_json::to_string(&log).unwrap().contains(&token));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_was_not_given_here_so_is_refused() {
    let client = Client::new(client()).await;
    let token = client.token_at(ADDRESS).await.unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let (header, claims) = (decoded(parts[0]), decoded(parts[1]));
    let with = |of: &Value, member: &str, value: Value| {
        let mut other = of.clone();
        other[member] = value;
        encoded(&other)
    };
    let keys = client.keys().await;
    let mut forged = vec![
        format!("{}.{}.", with(&header, "alg", json!("none")), parts[1]),
        format!("{}.{}.{}", with(&header, "alg", json!("none")), parts[1], parts[2]),
        format!("{}.{}.{}", with(&header, "kid", json!("unknown")), parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], URL_SAFE_NO_PAD.encode([0; 64])),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
    ];
    for (member, value) in [
        ("sub", json!("ada")),
        ("exp", json!(claims["exp"].as_i64().unwrap() + 60)),
        ("aud", json!("urn:lockgate:apis:acme:live")),
        ("client_id", json!("other")),
    ] {
        forged.push(format!("{}.{}.{}", parts[0], with(&claims, member, value), parts[2]));
    }
    // A published key taken for the secret of an HMAC.
    for key in keys["keys"].as_array().unwrap() {
        for (alg, secret) in [
            ("HS256", URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap()),
            ("HS256", key["x"].as_str().unwrap().as_bytes().to_vec()),
            ("EdDSA", URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap()),
        ] {
            let message = format!("{}.{}", with(&header, "alg", json!(alg)), parts[1]);
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
            forged.push(format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag)));
        }
    }
    for forged in &forged {
        assert_eq!(client.call(ECHO, forged).await, 401, "{forged}");
    }
    // Of another environment, which is not there for it; of another tenant, where it is nobody's.
    let of_test = client.token_at("/oauth2/acme/test/token").await.unwrap();
    assert_eq!((client.call(ECHO, &of_test).await, client.call("/other/development/echo", &token).await), (404, 401));
    assert_eq!(client.call(ECHO, &token).await, 200, "the true one is good");
    // Some time has passed since it was given.
    client.late.store(570, Ordering::SeqCst);
    assert_eq!(client.call(ECHO, &token).await, 200);
    client.late.store(600, Ordering::SeqCst);
    assert_eq!(client.call(ECHO, &token).await, 401, "it has ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_ends_with_its_client_its_user_and_its_rights() {
    let client = Client::new(client()).await;
    let (runtime, ada) = (&client.house.runtime, &client.house.ada);
    let token = client.token_at(ADDRESS).await.unwrap();
    let robot = async |body: Value| runtime.put_definition(ada, Kind::User, "robot", body).await.unwrap();
    robot(json!({"kind": "service", "profiles": ["monitor"]})).await;
    assert_eq!(client.call(ECHO, &token).await, 403, "decided anew each time");
    robot(json!({"kind": "service", "profiles": ["administrator"], "enabled": false})).await;
    assert_eq!(client.call(ECHO, &token).await, 401);
    assert_eq!(client.token_at(ADDRESS).await, Err((401, json!("invalid_client"))));
    robot(json!({"kind": "service", "profiles": ["administrator"]})).await;
    assert_eq!(client.call(ECHO, &token).await, 200);
    runtime.remove_key(ada, &KeyId::parse(&client.id).unwrap()).await.unwrap();
    assert_eq!(client.call(ECHO, &token).await, 401, "the client is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_as_narrow_as_its_client() {
    let targets = vec!["tea".parse().unwrap()];
    let client = Client::new(KeyWanted { targets, ..client() }).await;
    let token = client.token_at(ADDRESS).await.unwrap();
    assert_eq!((client.call(ECHO, &token).await, client.call("/acme/development/tea", &token).await), (403, 418));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_go_over_to_the_next_and_tell_nobody_who_exists() {
    let client = Client::new(client()).await;
    let (before, token) = (client.keys().await, client.token_at(ADDRESS).await.unwrap());
    let get = async |path: &str| {
        let (status, _, body) = client.house.ask(request("GET", path, &[], "")).await;
        (status, body["keys"].as_array().map(Vec::len))
    };
    for path in ["acme/nowhere", "nobody/development"] {
        assert_eq!(get(&format!("/oauth2/{path}/.well-known/jwks.json")).await, (200, Some(3)), "{path}");
    }
    assert_eq!(get("/oauth2/No%20Id/development/.well-known/jwks.json").await, (404, None));
    // A period later another key signs, which was published before.
    let thirty_days = 30 * 24 * 3_600;
    client.late.store(thirty_days, Ordering::SeqCst);
    assert_eq!(client.call(ECHO, &token).await, 401, "it has ended long since");
    let later = client.token_at(ADDRESS).await.unwrap();
    assert_eq!(client.call(ECHO, &later).await, 200);
    let kid = |token: &str| decoded(token.split('.').next().unwrap())["kid"].clone();
    assert_ne!(kid(&later), kid(&token));
    assert!(before["keys"].as_array().unwrap().iter().any(|key| key["kid"] == kid(&later)));
    assert!(client.keys().await["keys"].as_array().unwrap().iter().any(|key| key["kid"] == kid(&token)));
}
