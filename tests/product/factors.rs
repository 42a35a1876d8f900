//! What proves a user besides a password, by the real program: an authenticator, a client for access
//! tokens, a certificate.

use std::{path::Path, process::Output};

use lockgate_keys::Authority;
use lockgate_model::Timestamp;
use serde_json::Value;

use crate::house::House;

const PASSWORD: &str = "Korrekt-Pferd-7-Batterie";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded";

#[expect(clippy::disallowed_methods, reason = "authenticators and certificates go by the real clock")]
pub fn seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// The code that an authenticator with this secret shows `steps` from now (RFC 6238), by Python's HMAC.
pub fn code(secret: &str, steps: i64) -> String {
    let script = "import base64,hashlib,hmac,sys\n\
        tag=hmac.new(base64.b32decode(sys.argv[1]),int(sys.argv[2]).to_bytes(8,'big'),hashlib.sha1).digest()\n\
        at=tag[19]&15\n\
        print('%06d'%((int.from_bytes(tag[at:at+4],'big')&0x7fffffff)%1000000),end='')";
    let step = (seconds() / 30 + steps).to_string();
    let done = std::process::Command::new("python3").args(["-c", script, secret, &step]).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap()
}

fn json(done: &Output) -> Value {
    assert!(done.status.success(), "{done:?}");
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn a_second_factor_is_enrolled_and_asked_for_at_each_login() {
    let house = House::start();
    let bob = house.user("bob", &["monitor"]);
    let context = house.folder().join("bob.json");
    let own = |arguments: &[&str], input: &str| house.cli_as(&context, arguments, input);
    let (url, ca) = (house.text("listener_url"), house.text("ca_file"));
    let login = |input: String| {
        own(&["login", &url, "--tenant", "demo", "--user", "bob", "--ca", &ca, "--password-stdin"], &input)
    };
    let refused = own(&["second-factor", "enrol", "--stdin"], "wrong\n");
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    let enrolled = json(&own(&["--json", "second-factor", "enrol", "--stdin"], &format!("{PASSWORD}\n")));
    let secret = enrolled["secret"].as_str().unwrap();
    let first = format!("{}\n", code(secret, 0));
    let confirmed = json(&own(&["--json", "second-factor", "confirm", "--stdin"], &first));
    let recovery = confirmed["recovery_codes"][0].as_str().unwrap();

    assert_eq!(login(format!("{PASSWORD}\n")).status.code(), Some(2), "standard input has no code");
    assert_eq!(login(format!("{PASSWORD}\n{first}")).status.code(), Some(3), "it was used");
    assert!(login(format!("{PASSWORD}\n{}\n", code(secret, 1))).status.success());
    assert!(login(format!("{PASSWORD}\n{recovery}\n")).status.success());
    assert_eq!(login(format!("{PASSWORD}\n{recovery}\n")).status.code(), Some(3), "it was used");
    assert_eq!(house.request(&bob, "GET", "/admin/v1/tenants/demo/whoami", None, &[]).status, 401, "Basic");
    house.cli(&["user", "take-second-factor", "bob"]);
    assert!(login(format!("{PASSWORD}\n")).status.success());

    // Another policy, and a password that it does not take.
    house.cli(&["user", "expire-password", "bob"]);
    assert_eq!(login(format!("{PASSWORD}\n")).status.code(), Some(2), "standard input has no new password");
    assert!(login(format!("{PASSWORD}\nPast-the-breakwater\n")).status.success());
    assert!(house.cli(&["password-policy", "nist-800-63b-4"]).contains("nist-800-63b-4"));
    let sessions = house.cli_json(&["session", "list", "--user", "bob"]);
    assert_eq!(sessions["items"].as_array().unwrap().len(), 1);
    house.cli(&["session", "end", "--user", "bob"]);
    assert_eq!(own(&["session", "list"], "").status.code(), Some(3), "the session is over");
}

#[test]
fn a_client_gets_a_token_and_orders_with_it() {
    let house = House::start();
    house.cli(&["user", "add", "robot", "--service", "--profile", "administrator"]);
    let key = house.cli_json(&["user", "key", "add", "robot", "--client", "--env", "development"]);
    let (id, secret) = (key["id"].as_str().unwrap(), key["key"].as_str().unwrap());
    let ask = |who: &str, form: &str| house.request(who, "POST", "/oauth2/demo/development/token", Some(form), &[FORM]);
    let grant = "grant_type=client_credentials";
    let refused = ask(&format!("{id}:wrong"), grant);
    assert_eq!((refused.status, refused.json()["error"].as_str()), (401, Some("invalid_client")), "{}", refused.body);
    let given = ask(&format!("{id}:{secret}"), grant);
    assert_eq!(given.status, 200, "{}", given.body);
    let bearer = format!("Bearer {}", given.json()["access_token"].as_str().unwrap());
    let who = |who: &str| house.request(who, "GET", "/admin/v1/tenants/demo/whoami", None, &[]);
    assert_eq!(who(&bearer).status, 401, "it is for calls, and no credential of the admin API");
    assert_eq!(house.order(&bearer, "{}").status, house.order(&house.administrator(), "{}").status, "it may order");
    house.cli(&["user", "key", "rm", id]);
    assert_eq!(house.order(&bearer, "{}").status, 401, "the client is gone");
    assert!(!house.log().contains(secret), "the log has no secret");
}

#[test]
fn a_certificate_lets_in_whom_it_was_bound_to() {
    let house = House::start().serve("", &["--client-certificates"]);
    house.cli(&["user", "add", "robot", "--service", "--profile", "administrator"]);
    let now = Timestamp(seconds() * 1_000_000);
    let own = Authority::create("of somebody", now).unwrap().client("robot", now).unwrap();
    let file = house.folder().join("robot.pem");
    let leaf = own.chain_pem().split_inclusive("-----END CERTIFICATE-----\n").next().unwrap().to_owned();
    std::fs::write(&file, leaf).unwrap();
    let key = house.folder().join("robot.key");
    std::fs::write(&key, own.key_pem().expose()).unwrap();
    let order = |file: &Path| {
        let mut curl = std::process::Command::new("curl");
        curl.args(["-sS", "-o", "-", "-w", "\n%{http_code}", "--cacert"]).arg(house.text("ca_file"));
        curl.arg("--cert").arg(file).arg("--key").arg(&key).args(["-d", "{}", "-H", "Content-Type: application/json"]);
        let url = format!("{}/demo/development/absent", house.text("listener_url"));
        let done = curl.arg(url).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().rsplit_once('\n').unwrap().1.to_owned()
    };
    assert_eq!(order(&file), "401");
    let bound = house.cli_json(&["user", "certificate", "add", "robot", "--file", file.to_str().unwrap()]);
    assert_eq!(order(&file), "404", "let in, and there is no such thing");
    house.cli(&["user", "certificate", "rm", bound["id"].as_str().unwrap()]);
    assert_eq!(order(&file), "401");
}
