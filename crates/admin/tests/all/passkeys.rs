//! Passkeys: from being added to being lost, with an authenticator of our own. Refusals first.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use lockgate_admin::shapes::{Asked, PasskeyAdded, PasskeyInfo, SecondFactorStatus};
use lockgate_model::Timestamp;
use lockgate_runtime::Clock;
use serde_json::{Value, json};

use crate::{
    authenticator::{Authenticator, PRESENT, base64},
    house::{House, PASSWORD, Told, basic},
};

const ORIGIN: &str = "https://lockgate.example:8443";
const NAME: &str = "lockgate.example";

struct Place {
    house: House,
    seconds: Arc<AtomicI64>,
}

impl Place {
    /// With `ben`, who has a password.
    async fn open() -> Self {
        let seconds = Arc::new(AtomicI64::new(1_800_000_000));
        let tell = seconds.clone();
        let house = House::by(Clock::from_fn(move || Timestamp(tell.load(Ordering::SeqCst) * 1_000_000))).await;
        house.reached_by(ORIGIN);
        house.user("ben", &["monitor"]).await;
        Self { house, seconds }
    }

    /// A session of `ben`, who has no second factor yet.
    async fn session(&self, user: &str) -> String {
        let told = self.house.login(json!({"user": user, "password": PASSWORD})).await;
        assert_eq!(told.status, 200, "{}", told.text);
        format!("Bearer {}", told.json()["session"].as_str().unwrap())
    }

    async fn own(&self, bearer: &str, method: &str, path: &str, body: Option<Value>) -> Told {
        self.house.send(method, &format!("/admin/v1/tenants/acme/{path}"), Some(bearer), body).await
    }

    async fn begin(&self, bearer: &str) -> Asked {
        let told = self.own(bearer, "POST", "passkeys", Some(json!({"password": PASSWORD}))).await;
        assert_eq!(told.status, 200, "{}", told.text);
        serde_json::from_value(told.json()).unwrap()
    }

    async fn confirm(&self, bearer: &str, asked: &Asked, credential: Value) -> Told {
        let body = json!({"ceremony": asked.ceremony, "credential": credential, "title": "blue key"});
        self.own(bearer, "POST", "passkeys/confirm", Some(body)).await
    }

    /// A passkey of a user, added.
    async fn added(&self, user: &str, id: &[u8]) -> (Authenticator, PasskeyAdded) {
        let bearer = self.session(user).await;
        let mut authenticator = Authenticator::new(ORIGIN, NAME, id);
        let asked = self.begin(&bearer).await;
        let told = self.confirm(&bearer, &asked, authenticator.create(&asked.options)).await;
        assert_eq!(told.status, 200, "{}", told.text);
        (authenticator, serde_json::from_value(told.json()).unwrap())
    }

    async fn ask(&self, body: Value) -> Asked {
        let told = self.house.send("POST", "/admin/v1/tenants/acme/login/passkey", None, Some(body)).await;
        assert_eq!(told.status, 200, "{}", told.text);
        serde_json::from_value(told.json()).unwrap()
    }

    /// A login by a passkey alone.
    async fn enter(&self, authenticator: &mut Authenticator) -> Told {
        let asked = self.ask(json!({})).await;
        self.alone(&asked, authenticator.get(&asked.options)).await
    }

    async fn alone(&self, asked: &Asked, credential: Value) -> Told {
        self.house.login(json!({"passkey": {"ceremony": asked.ceremony, "credential": credential}})).await
    }

    async fn with_password(&self, user: &str, asked: &Asked, credential: Value) -> Told {
        let passkey = json!({"ceremony": asked.ceremony, "credential": credential});
        self.house.login(json!({"user": user, "password": PASSWORD, "passkey": passkey})).await
    }
}

fn flipped(credential: &Value, member: &str) -> Value {
    let mut wrong = credential.clone();
    let text = wrong["response"][member].as_str().unwrap().to_owned();
    // Not the last letter, whose low bits say nothing.
    let mut letters: Vec<char> = text.chars().collect();
    let at = letters.len() - 4;
    letters[at] = if letters[at] == 'A' { 'B' } else { 'A' };
    wrong["response"][member] = letters.into_iter().collect::<String>().into();
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_is_added_with_the_password_for_this_site_alone() {
    let place = Place::open().await;
    let bearer = place.session("ben").await;
    let wrong = place.own(&bearer, "POST", "passkeys", Some(json!({"password": "wrong"}))).await;
    assert_eq!(wrong.status, 401, "{}", wrong.text);
    type Wrong = fn(&mut Authenticator);
    let all: [(&str, Wrong); 6] = [
        ("another origin", |of| of.origin = "https://lockgate.example.evil.test:8443".into()),
        ("another port", |of| of.origin = "https://lockgate.example:9443".into()),
        ("no TLS", |of| of.origin = "http://lockgate.example:8443".into()),
        ("another name", |of| of.rp = "evil.test".into()),
        ("a user who was not verified", |of| of.flags = PRESENT),
        ("a page within another's", |of| of.cross_origin = true),
    ];
    for (what, make) in all {
        let asked = place.begin(&bearer).await;
        let mut authenticator = Authenticator::new(ORIGIN, NAME, b"wrong-key-wrong-key");
        make(&mut authenticator);
        let told = place.confirm(&bearer, &asked, authenticator.create(&asked.options)).await;
        assert_eq!((told.status, told.code().as_str()), (400, "LG-PASSKEY"), "{what}: {}", told.text);
    }
    // What was asked is good once, of whom it was asked, and for a while.
    let mut authenticator = Authenticator::new(ORIGIN, NAME, b"first-key-first-key");
    let (asked, other) = (place.begin(&bearer).await, place.begin(&bearer).await);
    let made = authenticator.create(&asked.options);
    assert_eq!(place.confirm(&bearer, &other, made.clone()).await.code(), "LG-PASSKEY", "another challenge");
    place.house.user("eve", &["monitor"]).await;
    let eve = place.session("eve").await;
    assert_eq!(place.confirm(&eve, &asked, made.clone()).await.code(), "LG-PASSKEY", "another user");
    let elsewhere = place.session("ben").await;
    assert_eq!(place.confirm(&elsewhere, &asked, made.clone()).await.code(), "LG-PASSKEY", "another session");
    let by_key = place.house.ada("POST", "users/ben/keys", Some(json!({}))).await.json()["key"].clone();
    let by_key = format!("Bearer {}", by_key.as_str().unwrap());
    assert_eq!(place.confirm(&by_key, &asked, made).await.code(), "LG-PASSKEY", "no session");
    let mut made_up = place.begin(&bearer).await;
    let made = authenticator.create(&made_up.options);
    made_up.ceremony.insert(7, 'A');
    assert_eq!(place.confirm(&bearer, &made_up, made).await.code(), "LG-PASSKEY", "altered");
    let late = place.begin(&bearer).await;
    place.seconds.fetch_add(301, Ordering::SeqCst);
    let made = authenticator.create(&late.options);
    assert_eq!(place.confirm(&bearer, &late, made).await.code(), "LG-PASSKEY", "too late");
    let enter = place.ask(json!({})).await;
    let made = authenticator.create(&place.begin(&bearer).await.options);
    assert_eq!(place.confirm(&bearer, &enter, made).await.code(), "LG-PASSKEY", "asked for something else");
    assert_eq!(place.house.login(json!({"user": "ben", "password": PASSWORD})).await.status, 200, "nothing is on");

    // What others have tried in vain is good for whom it was asked still, and then no more.
    let bearer = place.session("ben").await;
    let (asked, eve) = (place.begin(&bearer).await, place.session("eve").await);
    let made = authenticator.create(&asked.options);
    assert_eq!(place.confirm(&eve, &asked, made.clone()).await.code(), "LG-PASSKEY");
    let told = place.confirm(&bearer, &asked, made.clone()).await;
    assert_eq!(told.status, 200, "{}", told.text);
    assert_eq!(place.confirm(&bearer, &asked, made).await.code(), "LG-PASSKEY", "it is there");
    let added: PasskeyAdded = serde_json::from_value(told.json()).unwrap();
    assert_eq!((added.passkey.title.as_str(), added.recovery_codes.len()), ("blue key", 10));
    assert_eq!(
        place.own(&elsewhere, "GET", "whoami", None).await.status,
        401,
        "sessions that were never asked for it end"
    );
    // The same credential is nobody else's.
    let eve = place.session("eve").await;
    let asked = place.begin(&eve).await;
    let mut same = Authenticator::new(ORIGIN, NAME, b"first-key-first-key");
    let told = place.confirm(&eve, &asked, same.create(&asked.options)).await;
    assert_eq!(told.code(), "LG-PASSKEY", "{}", told.text);
    assert!(place.house.told_of("second-factor").await.contains(&"done ben user/ben added".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_alone_lets_in_whom_it_is_of_and_no_answer_is_good_twice() {
    let place = Place::open().await;
    let (mut ben, _) = place.added("ben", b"bens-key-bens-key").await;
    place.house.user("eve", &["administrator"]).await;
    let (mut eve, _) = place.added("eve", b"eves-key-eves-key").await;
    let nobody = place.house.login(json!({"user": "nobody", "password": "wrong"})).await;
    let refused = |told: Told, what: &str| {
        assert_eq!((told.status, &told.text), (401, &nobody.text), "{what}");
    };
    type Wrong = fn(&mut Authenticator);
    let all: [(&str, Wrong); 6] = [
        ("another origin", |of| of.origin = "https://evil.test".into()),
        ("another port", |of| of.origin = "https://lockgate.example".into()),
        ("another name", |of| of.rp = "evil.test".into()),
        ("a user who was not verified", |of| of.flags = PRESENT),
        ("a page within another's", |of| of.cross_origin = true),
        ("an id that nobody has", |of| of.id = b"nobodys-key".to_vec()),
    ];
    for (what, make) in all {
        let (origin, rp, flags, id) = (ben.origin.clone(), ben.rp.clone(), ben.flags, ben.id.clone());
        make(&mut ben);
        let told = place.enter(&mut ben).await;
        refused(told, what);
        (ben.origin, ben.rp, ben.flags, ben.id, ben.cross_origin) = (origin, rp, flags, id, false);
    }
    let asked = place.ask(json!({})).await;
    let answer = ben.get(&asked.options);
    for member in ["signature", "authenticatorData", "clientDataJSON", "userHandle"] {
        let fresh = place.ask(json!({})).await;
        let answer = ben.get(&fresh.options);
        refused(place.alone(&fresh, flipped(&answer, member)).await, member);
    }
    // Another's answer under one's own name.
    let fresh = place.ask(json!({})).await;
    let mut stolen = eve.get(&fresh.options);
    stolen["id"] = base64(&ben.id).into();
    stolen["rawId"] = base64(&ben.id).into();
    refused(place.alone(&fresh, stolen).await, "another's signature");
    // An answer to another question, of another tenant, too late, and twice.
    let other = place.ask(json!({})).await;
    refused(place.alone(&other, answer.clone()).await, "another challenge");
    let at_other = place.house.send("POST", "/admin/v1/tenants/other/login/passkey", None, Some(json!({}))).await;
    let at_other: Asked = serde_json::from_value(at_other.json()).unwrap();
    let there = ben.get(&at_other.options);
    refused(place.alone(&at_other, there).await, "another tenant");
    let late = place.ask(json!({})).await;
    place.seconds.fetch_add(301, Ordering::SeqCst);
    let too_late = ben.get(&late.options);
    refused(place.alone(&late, too_late).await, "too late");
    let asked = place.ask(json!({})).await;
    let answer = ben.get(&asked.options);
    let entered = place.alone(&asked, answer.clone()).await;
    assert_eq!((entered.status, entered.json()["user"].as_str()), (200, Some("ben")), "{}", entered.text);
    refused(place.alone(&asked, answer).await, "it was used");
    // A counter that goes back is a copy of the key.
    ben.counter -= 2;
    refused(place.enter(&mut ben).await, "its counter went back");
    ben.counter += 10;
    assert_eq!(place.enter(&mut ben).await.status, 200);
    assert_eq!(place.enter(&mut eve).await.json()["user"], "eve");
    // What a tenant that is not there asks looks the same, and lets nobody in.
    let absent = place.house.send("POST", "/admin/v1/tenants/absent/login/passkey", None, Some(json!({}))).await;
    assert_eq!(absent.status, 200, "{}", absent.text);
    let told = place.house.told_of("second-factor").await;
    assert!(told.contains(&"done ben user/ben used".to_owned()), "{told:?}");

    // Who may not come does not.
    let put = place.house.ada("PUT", "users/ben", Some(json!({"kind": "native", "enabled": false}))).await;
    assert_eq!(put.status, 204);
    refused(place.enter(&mut ben).await, "disabled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_is_a_second_factor_beside_codes_and_recovery_codes() {
    let place = Place::open().await;
    let (mut ben, added) = place.added("ben", b"bens-key-bens-key").await;
    place.house.user("eve", &["monitor"]).await;
    let (mut eve, _) = place.added("eve", b"eves-key-eves-key").await;
    let missing = place.house.login(json!({"user": "ben", "password": PASSWORD})).await;
    assert_eq!(missing.code(), "LG-SECOND-FACTOR");
    let whoami = place.house.send("GET", "/admin/v1/tenants/acme/whoami", Some(&basic("ben")), None).await;
    assert_eq!(whoami.status, 401, "Basic has no place for it");
    // Which passkeys somebody has is told to who has the password.
    let wrong = json!({"user": "ben", "password": "wrong"});
    let told = place.house.send("POST", "/admin/v1/tenants/acme/login/passkey", None, Some(wrong)).await;
    assert_eq!(told.status, 401, "{}", told.text);
    let asked = place.ask(json!({"user": "ben", "password": PASSWORD})).await;
    assert_eq!(asked.options["publicKey"]["allowCredentials"][0]["id"], base64(&ben.id));
    let another = eve.get(&asked.options);
    assert_eq!(place.with_password("ben", &asked, another).await.status, 401, "another's passkey");
    let asked = place.ask(json!({"user": "ben", "password": PASSWORD})).await;
    let answer = ben.get(&asked.options);
    assert_eq!(place.with_password("eve", &asked, answer).await.status, 401, "asked of another user");
    let asked = place.ask(json!({"user": "ben", "password": PASSWORD})).await;
    let answer = ben.get(&asked.options);
    assert_eq!(place.with_password("ben", &asked, answer.clone()).await.status, 200);
    assert_eq!(place.with_password("ben", &asked, answer).await.status, 401, "it was used");
    // Any question of this tenant will do, as for who comes without a name.
    let asked = place.ask(json!({})).await;
    let answer = ben.get(&asked.options);
    assert_eq!(place.with_password("ben", &asked, answer).await.status, 200);
    // A recovery code is good once.
    let by_code = |code: &str| place.house.login(json!({"user": "ben", "password": PASSWORD, "code": code}));
    assert_eq!(by_code(&added.recovery_codes[0]).await.status, 200);
    assert_eq!(by_code(&added.recovery_codes[0]).await.status, 401);
    assert_eq!(by_code("000000").await.status, 401);
    // A reset asks for it all the same.
    let token = place.house.ada("POST", "users/ben/token", None).await.json()["token"].clone();
    let reset = json!({"user": "ben", "token": token, "new_password": "Another-Anchor-9"});
    assert_eq!(place.house.login(reset).await.code(), "LG-SECOND-FACTOR");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_begin_a_login_nobody_is_pushed_out() {
    let place = Place::open().await;
    let (mut ben, _) = place.added("ben", b"bens-key-bens-key").await;
    let asked = place.ask(json!({})).await;
    for n in 0..10_100_u32 {
        let (source, path) = (format!("10.{}.{}.1", n >> 8, n & 255), "/admin/v1/tenants/acme/login/passkey");
        let told = place.house.send_from(&source, "POST", path, None, Some(json!({}))).await;
        assert_eq!(told.status, 200, "{}", told.text);
    }
    let answer = ben.get(&asked.options);
    let entered = place.alone(&asked, answer).await;
    assert_eq!(entered.status, 200, "{}", entered.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_as_many_passkeys_as_there_can_be_signs_in_with_each() {
    let place = Place::open().await;
    let bearer = place.session("ben").await;
    let mut all = Vec::new();
    for n in 0..20 {
        let mut authenticator = Authenticator::new(ORIGIN, NAME, format!("{}{n:02}", "key-".repeat(30)).as_bytes());
        let asked = place.begin(&bearer).await;
        let told = place.confirm(&bearer, &asked, authenticator.create(&asked.options)).await;
        assert_eq!(told.status, 200, "{}", told.text);
        all.push(authenticator);
    }
    let told = place.own(&bearer, "POST", "passkeys", Some(json!({"password": PASSWORD}))).await;
    assert_eq!(told.code(), "LG-PASSKEY", "{}", told.text);
    for authenticator in [0, 19].map(|n| all.swap_remove(n.min(all.len() - 1))).iter_mut() {
        let asked = place.ask(json!({"user": "ben", "password": PASSWORD})).await;
        let answer = authenticator.get(&asked.options);
        let told = place.with_password("ben", &asked, answer).await;
        assert_eq!(told.status, 200, "{} bytes: {}", asked.ceremony.len(), told.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passkeys_are_listed_named_and_taken_away() {
    let place = Place::open().await;
    let (mut ben, added) = place.added("ben", b"bens-key-bens-key").await;
    let entered = place.enter(&mut ben).await;
    let bearer = format!("Bearer {}", entered.json()["session"].as_str().unwrap());
    let listed = async || -> Vec<PasskeyInfo> {
        serde_json::from_value(place.own(&bearer, "GET", "passkeys", None).await.json()["items"].clone()).unwrap()
    };
    assert_eq!(listed().await, std::slice::from_ref(&added.passkey));
    let at = format!("passkeys/{}", added.passkey.id);
    for title in ["", "  ", "a\nb", &"x".repeat(101)] {
        let told = place.own(&bearer, "PUT", &at, Some(json!({"title": title}))).await;
        assert_eq!(told.code(), "LG-PASSKEY", "{title}");
    }
    assert_eq!(place.own(&bearer, "PUT", "passkeys/none", Some(json!({"title": "x"}))).await.status, 404);
    assert_eq!(place.own(&bearer, "PUT", &at, Some(json!({"title": "green key"}))).await.status, 204);
    assert_eq!(listed().await[0].title, "green key");
    assert_eq!(place.enter(&mut ben).await.status, 200, "it is the same key");
    // A session alone takes none away.
    let remove = format!("{at}/remove");
    for (wrong, code) in [(json!({}), "LG-CODE"), (json!({"code": "000000"}), "LG-CODE")] {
        assert_eq!(place.own(&bearer, "POST", &remove, Some(wrong)).await.code(), code);
    }
    let asked = place.ask(json!({})).await;
    let forged = flipped(&ben.get(&asked.options), "signature");
    let forged = json!({"passkey": {"ceremony": asked.ceremony, "credential": forged}});
    assert_eq!(place.own(&bearer, "POST", &remove, Some(forged)).await.code(), "LG-CODE");
    let status: SecondFactorStatus =
        serde_json::from_value(place.own(&bearer, "GET", "second-factor", None).await.json()).unwrap();
    assert_eq!((status.on, status.codes, status.passkeys, status.recovery_codes_left), (true, false, 1, 10));
    let asked = place.ask(json!({})).await;
    let right = ben.get(&asked.options);
    let right = json!({"passkey": {"ceremony": asked.ceremony, "credential": right}});
    assert_eq!(place.own(&bearer, "POST", &remove, Some(right)).await.status, 204);
    assert_eq!(place.enter(&mut ben).await.status, 401, "it is gone");
    assert_eq!(place.house.login(json!({"user": "ben", "password": PASSWORD})).await.status, 200);
    // An administrator takes a lost one away, and the recovery codes with it.
    let (mut ben, added) = place.added("ben", b"bens-other-key-bens").await;
    assert_eq!(place.house.ada("DELETE", "users/ben/second-factor", None).await.status, 204);
    assert_eq!(place.enter(&mut ben).await.status, 401);
    let code = &added.recovery_codes[0];
    let told = place.house.login(json!({"user": "ben", "password": PASSWORD, "code": code})).await;
    assert_eq!(told.status, 200, "none is asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_tenant_asks_a_second_factor_a_session_without_one_enrols_and_does_nothing_else() {
    let place = Place::open().await;
    let before = place.session("ben").await;
    let policy = json!({"preset": "classic", "second_factor": true});
    assert_eq!(place.house.ada("PUT", "password-policy", Some(policy)).await.status, 204);
    let whoami = place.house.send("GET", "/admin/v1/tenants/acme/whoami", Some(&basic("ben")), None).await;
    assert_eq!(whoami.status, 401, "Basic is a password alone");
    let bearer = place.session("ben").await;
    for bearer in [&before, &bearer] {
        assert_eq!(place.own(bearer, "GET", "whoami", None).await.json()["credential"], "enrolment");
        for path in ["environments/development/runs", "environments", "projects", "users", "audit"] {
            let told = place.own(bearer, "GET", path, None).await;
            assert!(matches!(told.status, 403 | 404), "{path}: {}", told.text);
        }
        let told = place.own(bearer, "GET", "environments/development/runs", None).await;
        assert!(told.text.contains("user.second-factor-needed"), "{}", told.text);
    }
    let mut authenticator = Authenticator::new(ORIGIN, NAME, b"bens-key-bens-key");
    let asked = place.begin(&bearer).await;
    let told = place.confirm(&bearer, &asked, authenticator.create(&asked.options)).await;
    assert_eq!(told.status, 200, "{}", told.text);
    assert_eq!(place.own(&bearer, "GET", "environments/development/runs", None).await.status, 200);
    assert_eq!(place.own(&before, "GET", "whoami", None).await.status, 401);
    // A key is not a password.
    let key = {
        let ada = place.house.login(json!({"user": "ada", "password": PASSWORD})).await;
        let ada = format!("Bearer {}", ada.json()["session"].as_str().unwrap());
        let told = place.own(&ada, "POST", "users/ben/keys", Some(json!({}))).await;
        assert_eq!(told.status, 403, "{}", told.text);
        let asked = place.begin(&ada).await;
        let mut own = Authenticator::new(ORIGIN, NAME, b"adas-key-adas-key");
        assert_eq!(place.confirm(&ada, &asked, own.create(&asked.options)).await.status, 200);
        place.own(&ada, "POST", "users/ben/keys", Some(json!({}))).await.json()["key"].as_str().unwrap().to_owned()
    };
    let told = place.own(&format!("Bearer {key}"), "GET", "environments/development/runs", None).await;
    assert_eq!(told.status, 200, "{}", told.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_a_name_has_no_passkeys() {
    let house = House::open().await;
    let told = house.send("POST", "/admin/v1/tenants/acme/login/passkey", None, Some(json!({}))).await;
    assert_eq!((told.status, told.code().as_str()), (409, "LG-PASSKEY-SITE"), "{}", told.text);
}
