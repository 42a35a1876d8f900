//! How long a wrong credential takes tells nothing of who exists: known, disabled and unknown users, users without a
//! password and tenants that are not there, over the real router. So of one-time tokens, keys, passkeys, access tokens, and
//! clients at the token endpoint, which is asked as the listeners ask it.
//!
//! What is timed is the processor's time of all threads of this process, as the kernel counts it: work that only one of
//! two answers needs shows in it, and what else this machine does does not. Deliberately absent: waiting. No answer waits
//! for anything but its turn, which `guesses` gives without asking who exists.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    time::Duration,
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use crate::{
    authenticator::Authenticator,
    house::{House, PASSWORD},
};

const ORIGIN: &str = "https://lockgate.example:8443";
const NAME: &str = "lockgate.example";

/// Medians may be this far apart.
pub const APART_MAX: Duration = Duration::from_millis(2);
/// Two-sided, for p = 0.01 of as many samples as the long profile takes.
const T_MAX: f64 = 2.576;

fn long() -> bool {
    std::env::var_os("LOCKGATE_LONG").is_some()
}

/// Set in the process that a test which counts work has for itself.
const ALONE: &str = "LOCKGATE_TEST_ALONE";

/// Whether nothing else runs in this process. If not, the test of this name is run in one of its own, and has to pass
/// there: the work of other tests would be counted with it.
pub fn is_alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let ran = command.args(["--exact", test, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && told.contains("1 passed"), "{told}");
    false
}

/// How long each thread of this process ran.
pub struct Ran(BTreeMap<String, u64>);

impl Ran {
    /// As the kernel counts it now (`/proc/PID/task/TID/schedstat`); none where it does not.
    pub fn now() -> Option<Self> {
        let mut all = BTreeMap::new();
        for task in std::fs::read_dir("/proc/self/task").ok()? {
            let task = task.ok()?;
            // A thread may have ended.
            let Ok(text) = std::fs::read_to_string(task.path().join("schedstat")) else { continue };
            let ran: u64 = text.split(' ').next()?.parse().ok()?;
            all.insert(task.file_name().to_string_lossy().into_owned(), ran);
        }
        Some(Self(all)).filter(|Self(all)| all.values().any(|ran| *ran > 0))
    }

    /// Nanoseconds since `before`. A thread that has ended was idle.
    pub fn since(&self, before: &Self) -> f64 {
        let of = |(thread, ran): (&String, &u64)| ran.saturating_sub(before.0.get(thread).copied().unwrap_or_default());
        self.0.iter().map(of).sum::<u64>() as f64
    }
}

/// A way to be wrong.
struct Wrong {
    name: &'static str,
    method: &'static str,
    path: String,
    credential: Option<String>,
    body: Option<Value>,
    /// Of a client, its id and secret: nothing of the above is sent then.
    client: Option<(String, String)>,
}

impl Wrong {
    fn login(name: &'static str, tenant: &str, user: &str) -> Self {
        let path = format!("/admin/v1/tenants/{tenant}/login");
        let body = Some(json!({"user": user, "password": "wrong-Horse-7"}));
        Self { name, method: "POST", path, credential: None, body, client: None }
    }
    fn proof(name: &'static str, tenant: &str, body: Value) -> Self {
        Self { body: Some(body), ..Self::login(name, tenant, "") }
    }
    fn one_time(name: &'static str, tenant: &str, user: &str) -> Self {
        let token = format!("lgt_{user}_{}", "0".repeat(64));
        Self::proof(name, tenant, json!({"user": user, "token": token, "new_password": "Another-Anchor-9"}))
    }
    fn client(name: &'static str, tenant: &str, id: &str, secret: &str) -> Self {
        let client = Some((id.to_owned(), format!("lgk_{id}_{secret}")));
        Self { path: tenant.to_owned(), client, ..Self::login(name, tenant, "") }
    }
    fn with(name: &'static str, tenant: &str, credential: String) -> Self {
        let path = format!("/admin/v1/tenants/{tenant}/whoami");
        Self { name, method: "GET", path, credential: Some(credential), body: None, client: None }
    }
    fn basic(name: &'static str, tenant: &str, user: &str) -> Self {
        Self::with(name, tenant, format!("Basic {}", STANDARD.encode(format!("{user}:wrong-Horse-7"))))
    }

    /// Nanoseconds of work, and the answer.
    async fn timed(&self, house: &House, number: u32) -> (f64, String) {
        // Each comes from elsewhere, so that none waits for another.
        let source = std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).to_string();
        let before = Ran::now().unwrap();
        let (status, answer) = match &self.client {
            Some((id, secret)) => {
                let given = house.token(&self.path, id, secret, &source).await;
                (given.err().unwrap_or(200), String::new())
            }
            None => {
                let credential = self.credential.as_deref();
                let told = house.send_from(&source, self.method, &self.path, credential, self.body.clone()).await;
                (told.status, format!("{:?} {}", told.headers, told.text))
            }
        };
        // A thread's time is counted when it goes to sleep.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let took = Ran::now().unwrap().since(&before);
        assert_eq!(status, 401, "{}: {answer}", self.name);
        (took, answer)
    }
}

pub fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Welch's t of two samples.
fn welch(a: &[f64], b: &[f64]) -> f64 {
    let of = |all: &[f64]| {
        let n = all.len() as f64;
        let mean = all.iter().sum::<f64>() / n;
        (mean, all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0) / n)
    };
    let ((mean_a, var_a), (mean_b, var_b)) = (of(a), of(b));
    (mean_a - mean_b) / (var_a + var_b).sqrt()
}

/// Times them in turns; all have to be told the same, and the first takes as long as each other.
async fn alike(house: &House, ways: &[Wrong], rounds: usize) {
    let mut samples = vec![Vec::new(); ways.len()];
    let mut answers = BTreeSet::new();
    for round in 0..rounds + 3 {
        for turn in 0..ways.len() {
            let at = (round * 7 + turn) % ways.len();
            let number = u32::try_from(round * ways.len() + turn).unwrap();
            let (took, answer) = ways[at].timed(house, number).await;
            answers.insert(answer);
            // The first ones start threads.
            if round >= 3 {
                samples[at].push(took);
            }
        }
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    let first = median(&samples[0]);
    for (way, own) in ways.iter().zip(&samples) {
        let (apart, t) = ((median(own) - first).abs(), welch(&samples[0], own));
        println!("{}: median {:.3} ms, {:.3} ms apart, t {t:.2}", way.name, median(own) / 1e6, apart / 1e6);
        assert!(apart < APART_MAX.as_nanos() as f64, "{} is {:.3} ms apart", way.name, apart / 1e6);
        assert!(!long() || t.abs() < T_MAX, "{}: t is {t:.2}", way.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn how_long_a_wrong_credential_takes_tells_nothing_of_who_exists() {
    if !is_alone("timing::how_long_a_wrong_credential_takes_tells_nothing_of_who_exists") {
        return;
    }
    if Ran::now().is_none() {
        println!("how_long_a_wrong_credential_takes: this kernel does not count the time of threads");
        return;
    }
    let house = House::open().await;
    house.user("ben", &["monitor"]).await;
    house.user("dan", &["monitor"]).await;
    let off = json!({"kind": "native", "profiles": ["monitor"], "enabled": false});
    assert_eq!(house.ada("PUT", "users/dan", Some(off)).await.status, 204);
    assert_eq!(house.ada("PUT", "users/pat", Some(json!({"kind": "native"}))).await.status, 204);
    let key = house.ada("POST", "users/ben/keys", Some(json!({}))).await.json()["key"].as_str().unwrap().to_owned();
    let (id, secret) = key.rsplit_once('_').unwrap();
    let turned = |text: &str| -> String { text.chars().rev().collect() };
    let unknown = format!("lgk_{}", turned(id.strip_prefix("lgk_").unwrap()));

    let rounds = |usual| if long() { 10_000 } else { usual };
    let logins = [
        Wrong::login("a login of a known user", "acme", "ben"),
        Wrong::login("a login of a disabled one", "acme", "dan"),
        Wrong::login("a login of one without a password", "acme", "pat"),
        Wrong::login("a login of nobody", "acme", "zed"),
    ];
    alike(&house, &logins, rounds(150)).await;
    let elsewhere =
        [Wrong::login("a login at a tenant", "acme", "ben"), Wrong::login("a login at none", "amce", "ben")];
    alike(&house, &elsewhere, rounds(50)).await;
    let calls =
        [Wrong::basic("a call of a known user", "acme", "ben"), Wrong::basic("a call of nobody", "acme", "zed")];
    alike(&house, &calls, rounds(60)).await;
    let keys_at = |tenant| Wrong::with("a key at a tenant", tenant, format!("Bearer {unknown}_{secret}"));
    let keys = [
        Wrong::with("a key that is there", "acme", format!("Bearer {id}_{}", turned(secret))),
        Wrong::with("a key that is not", "acme", format!("Bearer {unknown}_{secret}")),
    ];
    alike(&house, &keys, rounds(200)).await;
    let none = [keys_at("acme"), keys_at("amce")];
    alike(&house, &none, rounds(200)).await;
    let invited = house.ada("POST", "users/pat/token", None).await;
    assert_eq!(invited.status, 200);
    let tokens = [
        Wrong::one_time("a token of one who has one", "acme", "pat"),
        Wrong::one_time("a token of one who has none", "acme", "ben"),
        Wrong::one_time("a token of nobody", "acme", "zed"),
        Wrong::one_time("a token at no tenant", "amce", "pat"),
    ];
    alike(&house, &tokens, rounds(200)).await;

    let client = house.ada("POST", "users/ben/keys", Some(json!({"client": true}))).await.json();
    let (id, key) = (client["id"].as_str().unwrap(), client["key"].as_str().unwrap());
    let secret = key.rsplit_once('_').unwrap().1;
    let given = house.token("acme", id, key, "192.0.2.1").await.unwrap();
    let clients = [
        Wrong::client("a client", "acme", id, &turned(secret)),
        Wrong::client("no client", "acme", &turned(id), &turned(secret)),
        Wrong::client("a client at no tenant", "amce", id, &turned(secret)),
    ];
    alike(&house, &clients, rounds(200)).await;

    // As somebody would forge them: what is said is right, and the signature is of nobody.
    let forged = |tenant: &str, client: &str| {
        let parts: Vec<&str> = given.split('.').collect();
        let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        let claims = claims.replace(":acme:", &format!(":{tenant}:")).replace(id, client);
        format!("Bearer {}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims), turned(parts[2]))
    };
    let access = [
        Wrong::with("an access token of a client", "acme", forged("acme", id)),
        Wrong::with("an access token of none", "acme", forged("acme", &turned(id))),
        Wrong::with("an access token at no tenant", "amce", forged("amce", id)),
    ];
    alike(&house, &access, rounds(200)).await;

    // Of a passkey the signature is verified: which there are nobody guesses, their ids are random. Which tenants there
    // are is told by neither.
    house.reached_by(ORIGIN);
    let mut authenticator = Authenticator::new(ORIGIN, NAME, b"ben-key-ben-key");
    let session = house.login(json!({"user": "ben", "password": PASSWORD})).await.json()["session"].clone();
    let bearer = format!("Bearer {}", session.as_str().unwrap());
    let ask = async |credential: Option<&str>, tenant: &str, path: &str, body: Value| {
        let told = house.send("POST", &format!("/admin/v1/tenants/{tenant}/{path}"), credential, Some(body)).await;
        assert_eq!(told.status, 200, "{}", told.text);
        told.json()
    };
    let asked = ask(Some(&bearer), "acme", "passkeys", json!({"password": PASSWORD})).await;
    let made = authenticator.create(&asked["options"]);
    let confirm = json!({"ceremony": asked["ceremony"], "credential": made, "title": "key"});
    ask(Some(&bearer), "acme", "passkeys/confirm", confirm).await;
    let mut stranger = Authenticator::new(ORIGIN, NAME, b"zed-key-zed-key");
    let mut passkeys = Vec::new();
    for (name, tenant, one) in
        [("no passkey", "acme", &mut stranger), ("a passkey at no tenant", "amce", &mut authenticator)]
    {
        let asked = ask(None, tenant, "login/passkey", json!({})).await;
        let answer = json!({"ceremony": asked["ceremony"], "credential": one.get(&asked["options"])});
        passkeys.push(Wrong::proof(name, tenant, json!({"passkey": answer})));
    }
    alike(&house, &passkeys, rounds(200)).await;
    // It would show: a right password ends what a wrong one does not.
    let told = house.login(json!({"user": "dan", "password": PASSWORD})).await;
    assert_eq!(told.status, 401, "a disabled user");
}
