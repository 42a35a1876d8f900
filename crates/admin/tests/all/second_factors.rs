//! Second factors: from enrolment to loss. The authenticator is one of our own, on another
//! implementation of HMAC than the server's.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use aws_lc_rs::hmac;
use lockgate_admin::shapes::{Enrolment, Recovery, SecondFactorStatus};
use lockgate_model::Timestamp;
use lockgate_runtime::Clock;
use serde_json::{Value, json};

use crate::house::{House, PASSWORD, Told, basic};

/// Time as the test sets it, in seconds.
struct Time(Arc<AtomicI64>);

impl Time {
    fn new() -> (Self, Clock) {
        let seconds = Arc::new(AtomicI64::new(1_800_000_000));
        let tell = seconds.clone();
        (Self(seconds), Clock::from_fn(move || Timestamp(tell.load(Ordering::SeqCst) * 1_000_000)))
    }
    fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
    /// What an authenticator with this secret shows, `steps` from now (RFC 6238).
    fn code(&self, secret: &str, steps: i64) -> String {
        let mut bits = secret.bytes().flat_map(|letter| {
            let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".bytes().position(|one| one == letter).unwrap();
            (0..5).rev().map(move |bit| (value >> bit) & 1 == 1)
        });
        let mut bytes = Vec::new();
        while let Some(first) = bits.next() {
            bytes.push((0..7).fold(u8::from(first), |byte, _| (byte << 1) | u8::from(bits.next().unwrap())));
        }
        let step = self.0.load(Ordering::SeqCst) / 30 + steps;
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes), &step.to_be_bytes());
        let at = usize::from(tag.as_ref()[19] & 15);
        let number = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }
}

struct Ben {
    house: House,
    time: Time,
    secret: String,
    recovery: Vec<String>,
}

async fn own(house: &House, method: &str, path: &str, body: Option<Value>) -> Told {
    let told = house.login(json!({"user": "ben", "password": PASSWORD})).await;
    let bearer = format!("Bearer {}", told.json()["session"].as_str().unwrap());
    house.send(method, &format!("/admin/v1/tenants/acme/{path}"), Some(&bearer), body).await
}

impl Ben {
    /// `ben` with a second factor that is on.
    async fn enrolled() -> Self {
        let (time, clock) = Time::new();
        let house = House::by(clock).await;
        house.user("ben", &["monitor"]).await;
        let told = own(&house, "POST", "second-factor", Some(json!({"password": PASSWORD}))).await;
        let Enrolment { secret, .. } = serde_json::from_value(told.json()).unwrap();
        let told = own(&house, "POST", "second-factor/confirm", Some(json!({"code": time.code(&secret, 0)}))).await;
        let Recovery { recovery_codes: recovery } = serde_json::from_value(told.json()).unwrap();
        time.pass(30);
        Self { house, time, secret, recovery }
    }

    async fn login(&self, password: &str, code: Option<&str>) -> (u16, String) {
        let mut body = json!({"user": "ben", "password": password});
        if let Some(code) = code {
            body["code"] = json!(code);
        }
        let told = self.house.login(body).await;
        (told.status, told.code())
    }

    fn code(&self) -> String {
        self.time.code(&self.secret, 0)
    }
}

fn refused() -> (u16, String) {
    (401, "LG-UNAUTHENTICATED".into())
}
fn asked() -> (u16, String) {
    (400, "LG-SECOND-FACTOR".into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enrolment_asks_for_the_password_and_a_first_code() {
    let (time, clock) = Time::new();
    let house = House::by(clock).await;
    house.user("ben", &["monitor"]).await;
    let none = own(&house, "POST", "second-factor/confirm", Some(json!({"code": "123456"}))).await;
    assert_eq!(none.code(), "LG-SECOND-FACTOR-NONE");
    assert_eq!(own(&house, "POST", "second-factor/remove", Some(json!({"code": "1"}))).await.status, 404);
    let wrong = own(&house, "POST", "second-factor", Some(json!({"password": "wrong"}))).await;
    assert_eq!(wrong.status, 401, "{}", wrong.text);

    let told = own(&house, "POST", "second-factor", Some(json!({"password": PASSWORD}))).await;
    let Enrolment { secret, address } = serde_json::from_value(told.json()).unwrap();
    assert_eq!(
        address,
        format!("otpauth://totp/acme:ben?secret={secret}&issuer=acme&algorithm=SHA1&digits=6&period=30")
    );
    // It asks for nothing before it is proved to be in the authenticator, and is not taken for proved.
    let first = own(&house, "POST", "second-factor/confirm", Some(json!({"code": "000000"}))).await;
    assert_eq!(first.code(), "LG-CODE");
    let off: SecondFactorStatus =
        serde_json::from_value(own(&house, "GET", "second-factor", None).await.json()).unwrap();
    assert!(!off.on);

    let told = own(&house, "POST", "second-factor/confirm", Some(json!({"code": time.code(&secret, 0)}))).await;
    let Recovery { recovery_codes } = serde_json::from_value(told.json()).unwrap();
    assert_eq!(recovery_codes.len(), 10);
    assert_eq!(house.login(json!({"user": "ben", "password": PASSWORD})).await.code(), "LG-SECOND-FACTOR");
    let steps = ["enrolled", "confirmed"].map(|step| format!("done ben user/ben {step}"));
    let told = house.told_of("second-factor").await;
    let done: Vec<&String> = told.iter().filter(|entry| entry.starts_with("done")).collect();
    assert_eq!(done, steps.iter().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_asked_after_the_password_and_is_good_once_and_for_a_moment() {
    let ben = Ben::enrolled().await;
    let nobody = ben.house.login(json!({"user": "nobody", "password": "wrong"})).await;
    for code in [None, Some(ben.code())] {
        let mut body = json!({"user": "ben", "password": "wrong"});
        code.into_iter().for_each(|code| body["code"] = json!(code));
        let wrong = ben.house.login(body).await;
        assert_eq!((wrong.status, &wrong.text), (nobody.status, &nobody.text), "nothing is told before the password");
    }
    assert_eq!(ben.login(PASSWORD, None).await, asked());
    for code in ["", "000000", "12345", &ben.time.code(&ben.secret, 2), &ben.time.code(&ben.secret, -2)] {
        assert_eq!(ben.login(PASSWORD, Some(code)).await, refused(), "`{code}`");
        // What was not right slows down, by the machine's clock.
    }
    let now = ben.code();
    assert_eq!(ben.login(PASSWORD, Some(&now)).await.0, 200);
    assert_eq!(ben.login(PASSWORD, Some(&now)).await, refused(), "it was used");
    assert_eq!(
        ben.login(PASSWORD, Some(&ben.time.code(&ben.secret, -1))).await,
        refused(),
        "it is older than what was used"
    );
    assert_eq!(ben.login(PASSWORD, Some(&ben.time.code(&ben.secret, 1))).await.0, 200, "a clock that is ahead");
    ben.time.pass(90);
    assert_eq!(ben.login(PASSWORD, Some(&ben.time.code(&ben.secret, -1))).await.0, 200, "a clock that is behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_code_opens_one_of_two_sessions_at_once() {
    let ben = Ben::enrolled().await;
    let code = ben.code();
    let (a, b) = tokio::join!(ben.login(PASSWORD, Some(&code)), ben.login(PASSWORD, Some(&code)));
    let mut both = [a.0, b.0];
    both.sort_unstable();
    assert_eq!(both, [200, 401]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_alone_or_a_reset_gets_nowhere() {
    let ben = Ben::enrolled().await;
    let who = async |who: &str| ben.house.send("GET", "/admin/v1/tenants/acme/whoami", Some(who), None).await;
    let by_password = who(&basic("ben")).await;
    assert_eq!((by_password.status, by_password.text), (401, who("Basic bm9ib2R5Om5vYm9keQ==").await.text));
    // Neither does another password, by the old one or by an administrator's token.
    let new = "Past-the-breakwater-9";
    let change = |code: Option<String>| json!({"user": "ben", "password": PASSWORD, "new_password": new, "code": code});
    assert_eq!(ben.house.login(change(None)).await.code(), "LG-SECOND-FACTOR");
    let token = ben.house.ada("POST", "users/ben/token", None).await.json()["token"].clone();
    let reset = |code: Option<String>| json!({"user": "ben", "token": token, "new_password": new, "code": code});
    assert_eq!(ben.house.login(reset(None)).await.code(), "LG-SECOND-FACTOR");
    assert_eq!(ben.house.login(reset(Some("000000".into()))).await.status, 401);
    assert_eq!(ben.house.login(reset(Some(ben.code()))).await.status, 200);
    assert_eq!(ben.login(new, None).await, asked(), "it is on still");
    // A key is what a program uses.
    let key = ben.house.ada("POST", "users/ben/keys", Some(json!({}))).await.json();
    assert_eq!(who(&format!("Bearer {}", key["key"].as_str().unwrap())).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recovery_codes_are_good_once_each() {
    let ben = Ben::enrolled().await;
    let typed = ben.recovery[0].to_uppercase();
    assert_eq!(ben.login(PASSWORD, Some(&typed)).await.0, 200);
    assert_eq!(ben.login(PASSWORD, Some(&typed)).await, refused());
    let session = ben.house.login(json!({"user": "ben", "password": PASSWORD, "code": ben.recovery[1]})).await;
    let bearer = format!("Bearer {}", session.json()["session"].as_str().unwrap());
    let ask = async |method: &str, path: &str, body| {
        ben.house.send(method, &format!("/admin/v1/tenants/acme/{path}"), Some(&bearer), body).await
    };
    let status = ask("GET", "second-factor", None).await.json();
    let all = json!({"on": true, "codes": true, "passkeys": 0, "required": false, "recovery_codes_left": 8});
    assert_eq!(status, all);
    let on = ask("POST", "second-factor", Some(json!({"password": PASSWORD}))).await;
    assert_eq!((on.status, on.code().as_str()), (409, "LG-SECOND-FACTOR-ON"), "it is not replaced by a session alone");
    assert_eq!(ask("POST", "second-factor/remove", Some(json!({"code": ben.recovery[1]}))).await.code(), "LG-CODE");
    assert_eq!(ask("POST", "second-factor/remove", Some(json!({"code": ben.recovery[2]}))).await.status, 204);
    assert_eq!(ben.login(PASSWORD, None).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_one_is_taken_away_by_who_manages_users_alone() {
    let ben = Ben::enrolled().await;
    ben.house.user("eve", &["monitor"]).await;
    let path = "/admin/v1/tenants/acme/users/ben/second-factor";
    assert_eq!(ben.house.send("DELETE", path, Some(&basic("eve")), None).await.status, 403);
    assert_eq!(ben.house.send("DELETE", path, Some(&basic("bob")), None).await.status, 401);
    assert_eq!(ben.login(PASSWORD, None).await, asked());
    assert_eq!(ben.house.ada("DELETE", "users/eve/second-factor", None).await.status, 404);
    assert_eq!(ben.house.ada("DELETE", "users/ben/second-factor", None).await.status, 204);
    assert_eq!(ben.login(PASSWORD, None).await.0, 200);
    assert_eq!(ben.house.told_of("second-factor").await.last().unwrap(), "done ada user/ben taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_codes_slow_down_whoever_brings_them_from_wherever() {
    let ben = Ben::enrolled().await;
    let began = std::time::Instant::now();
    for source in 1..6 {
        let body = json!({"user": "ben", "password": PASSWORD, "code": "000000"});
        let path = "/admin/v1/tenants/acme/login";
        let told = ben.house.send_from(&format!("192.0.2.{source}"), "POST", path, None, Some(body)).await;
        assert_eq!(told.status, 401, "{}", told.text);
    }
    assert!(began.elapsed().as_millis() >= 100 + 200 + 400 + 800, "{:?}", began.elapsed());
}

/// Whoever seals what: after a rotation nothing is left under the old key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_sealed_anew_when_keys_are_rotated() {
    let ben = Ben::enrolled().await;
    let told = ben.house.operate("POST", "/operator/keys/rotate", Some(json!({"to": null}))).await;
    assert_eq!(told.status, 200, "{}", told.text);
    assert_eq!((&told.json()["resealed"], &told.json()["kept"]), (&json!(1), &json!([told.json()["current"]])));
    assert_eq!(ben.login(PASSWORD, Some(&ben.code())).await.0, 200);
}

/// A refusal for another reason does not make up for wrong codes, and these are in the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_codes_of_a_session_slow_down_and_are_told() {
    let ben = Ben::enrolled().await;
    let told = ben.house.login(json!({"user": "ben", "password": PASSWORD, "code": ben.code()})).await;
    let session = format!("Bearer {}", told.json()["session"].as_str().unwrap());
    let ask = async |path: &str| {
        let path = format!("/admin/v1/tenants/acme/second-factor/{path}");
        ben.house.send("POST", &path, Some(&session), Some(json!({"code": "000000"}))).await
    };
    let began = std::time::Instant::now();
    for _ in 0..5 {
        assert_eq!(ask("remove").await.code(), "LG-CODE");
        assert_eq!(ask("confirm").await.code(), "LG-SECOND-FACTOR-NONE");
    }
    // 0.1 s after the first, doubled with each one more.
    assert!(began.elapsed() >= std::time::Duration::from_millis(1_500), "{:?}", began.elapsed());
    assert!(ben.house.told_of("second-factor").await.iter().any(|entry| entry.starts_with("failed ben")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_password_without_a_code_is_told_by_user() {
    let ben = Ben::enrolled().await;
    ben.house.user("eve", &["monitor"]).await;
    let told = async || ben.house.told_of("second-factor").await;
    let failed = |step: &str, who: &str| format!("failed {who} user/{who} {step}");
    assert_eq!(ben.login(PASSWORD, None).await, asked());
    assert_eq!(told().await.last(), Some(&failed("missing", "ben")));
    // Of the same source at the same time, another user is told of by itself.
    let eve = ben.house.login(json!({"user": "eve", "password": PASSWORD})).await;
    let eve = format!("Bearer {}", eve.json()["session"].as_str().unwrap());
    let ask = async |path: &str, body| {
        ben.house.send("POST", &format!("/admin/v1/tenants/acme/second-factor{path}"), Some(&eve), Some(body)).await
    };
    let secret = ask("", json!({"password": PASSWORD})).await.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!(ask("/confirm", json!({"code": ben.time.code(&secret, 0)})).await.status, 200);
    let missing = ben.house.login(json!({"user": "eve", "password": PASSWORD})).await;
    assert_eq!(missing.code(), "LG-SECOND-FACTOR");
    assert_eq!(told().await.last(), Some(&failed("missing", "eve")));
    // Many are one entry that counts them.
    let before = told().await.len();
    for _ in 0..5 {
        assert_eq!(ben.login(PASSWORD, None).await, asked());
    }
    assert_eq!(told().await.len(), before);
    ben.time.pass(30);
    assert_eq!(ben.login(PASSWORD, Some("000000")).await, refused());
    assert_eq!(told().await.last(), Some(&failed("wrong", "ben")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_used_before_is_told_to_who_has_both_and_a_code_is_spent_by_it() {
    let ben = Ben::enrolled().await;
    assert_eq!(ben.house.ada("POST", "users/ben/expire-password", None).await.status, 204);
    let change = async |new: &str, code: &str| {
        let body = json!({"user": "ben", "password": PASSWORD, "new_password": new, "code": code});
        let told = ben.house.login(body).await;
        (told.status, told.code())
    };
    let code = ben.code();
    let weak = (400, "LG-PASSWORD".to_owned());
    // What the tenant asks of passwords is told at once, and no code is looked at for it.
    assert_eq!(change("short", "000000").await, weak);
    assert_eq!(change("short", &code).await, weak);
    for new in [PASSWORD, "Another-Anchor-9"] {
        assert_eq!(change(new, "000000").await, refused(), "{new}");
    }
    assert_eq!(change(PASSWORD, &code).await, weak, "it was used before");
    assert_eq!(
        change("Another-Anchor-9", &code).await,
        refused(),
        "nobody finds out that a code is right and keeps it"
    );
    ben.time.pass(30);
    let code = ben.code();
    assert_eq!(change("Another-Anchor-9", &code).await.0, 200);
    assert_eq!(ben.login("Another-Anchor-9", Some(&code)).await, refused(), "it was used");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_takes_the_own_one_away_by_a_code_alone() {
    let (time, clock) = Time::new();
    let house = House::by(clock).await;
    house.user("pat", &["administrator"]).await;
    let pat = house.login(json!({"user": "pat", "password": PASSWORD})).await;
    let pat = format!("Bearer {}", pat.json()["session"].as_str().unwrap());
    let ask = async |method: &str, path: &str, body| {
        house.send(method, &format!("/admin/v1/tenants/acme/{path}"), Some(&pat), body).await
    };
    let told = ask("POST", "second-factor", Some(json!({"password": PASSWORD}))).await;
    let secret = told.json()["secret"].as_str().unwrap().to_owned();
    let code = json!({"code": time.code(&secret, 0)});
    assert_eq!(ask("POST", "second-factor/confirm", Some(code)).await.status, 200);
    let taken = ask("DELETE", "users/pat/second-factor", None).await;
    assert_eq!((taken.status, taken.code().as_str()), (409, "LG-SECOND-FACTOR-OWN"), "{}", taken.text);
    assert_eq!(house.login(json!({"user": "pat", "password": PASSWORD})).await.code(), "LG-SECOND-FACTOR");
    time.pass(30);
    let code = json!({"code": time.code(&secret, 0)});
    assert_eq!(ask("POST", "second-factor/remove", Some(code)).await.status, 204);
}
