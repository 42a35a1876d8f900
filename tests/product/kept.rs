//! What is found in a data directory afterwards: nothing of the data, no secret in the clear, and
//! what must survive a restart.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::house::{House, ORDER};

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

fn holders(files: &[(String, Vec<u8>)], needle: &[u8]) -> Vec<String> {
    let holds = |bytes: &[u8]| bytes.windows(needle.len()).any(|w| w == needle);
    files.iter().filter(|(_, bytes)| holds(bytes)).map(|(name, _)| name.clone()).collect()
}

/// What users, clients and accounts prove themselves with, by its name: given out by this server or to it.
fn credentials(house: &House) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = Vec::new();
    let mut put = |what, text: &str| all.push((what, text.as_bytes().to_vec()));
    // One that was used, and one that waits.
    let bob = house.user("bob", &["monitor"]);
    put("a password", bob.split_once(':').unwrap().1);
    let waits = house.cli_json(&["user", "add", "ben", "--profile", "monitor"]);
    put("a one-time token", waits["token"].as_str().unwrap());
    let context = house.folder().join("bob.json");
    let own = |arguments: &[&str], input: &str| -> serde_json::Value {
        let done = house.cli_as(&context, arguments, input);
        assert!(done.status.success(), "{done:?}");
        serde_json::from_slice(&done.stdout).unwrap()
    };
    let session: serde_json::Value = serde_json::from_slice(&std::fs::read(&context).unwrap()).unwrap();
    put("the token of a session", session["token"].as_str().unwrap());
    let password = format!("{}\n", bob.split_once(':').unwrap().1);
    let enrolled = own(&["--json", "second-factor", "enrol", "--stdin"], &password);
    let seed = enrolled["secret"].as_str().unwrap().to_owned();
    put("the seed of an authenticator", &seed);
    let confirmed =
        own(&["--json", "second-factor", "confirm", "--stdin"], &format!("{}\n", crate::factors::code(&seed, 0)));
    for code in confirmed["recovery_codes"].as_array().unwrap() {
        put("a recovery code", code.as_str().unwrap());
        put("a recovery code", &code.as_str().unwrap().replace('-', ""));
    }
    house.cli(&["user", "add", "robot", "--service", "--profile", "administrator"]);
    let client = house.cli_json(&["user", "key", "add", "robot", "--client", "--env", "development"]);
    put("the secret of a client", client["key"].as_str().unwrap());
    let asked = format!("{}:{}", client["id"].as_str().unwrap(), client["key"].as_str().unwrap());
    let form = ["Content-Type: application/x-www-form-urlencoded"];
    let given =
        house.request(&asked, "POST", "/oauth2/demo/development/token", Some("grant_type=client_credentials"), &form);
    put("an access token", given.json()["access_token"].as_str().unwrap());
    // The private key of an account, as a file: a line of it, since its ends of line may be written otherwise.
    let now = lockgate_model::Timestamp(crate::factors::seconds() * 1_000_000);
    let identity = lockgate_keys::Authority::create("of somebody", now).unwrap().client("robot", now).unwrap();
    let (chain, key) = (house.folder().join("chain"), house.folder().join("key"));
    std::fs::write(&chain, identity.chain_pem()).unwrap();
    std::fs::write(&key, identity.key_pem().expose()).unwrap();
    let [chain, key] = [("client_certificate", &chain), ("client_key", &key)]
        .map(|(field, file)| format!("{field}={}", file.display()));
    let account = ["account", "set", "shop", "--env", "development", "--connector", "https", "--system"];
    let rest = ["--address", "https://127.0.0.1:9/shop", "--secret", &chain, "--secret", &key];
    house.cli(&[&account[..], &rest].concat());
    let pem = String::from_utf8(identity.key_pem().expose().to_vec()).unwrap();
    put("a private key", pem.lines().nth(1).unwrap());
    all.push(("a private key", STANDARD.decode(pem.lines().nth(1).unwrap()).unwrap()));
    all.push(("the seed of an authenticator", base32(&seed)));
    all
}

/// RFC 4648 §6, without padding.
fn base32(text: &str) -> Vec<u8> {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0u32, 0);
    for c in text.bytes() {
        let value = if c.is_ascii_uppercase() { c - b'A' } else { c - b'2' + 26 };
        (held, bits) = (held << 5 | u32::from(value), bits + 5);
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).unwrap());
        }
    }
    bytes
}

#[test]
fn a_stolen_data_directory_shows_neither_data_nor_secrets() {
    let house = House::start();
    let admin = house.administrator();
    let canary = "Zq7-canary-9fA3";
    let mail = "zq7.canary.mail";
    let order = ORDER.replace("SO-1000009", canary).replace("Customer.Mail", mail);
    assert_eq!(house.order(&admin, &order).status, 200);
    // Failing ways too: bad JSON, a fault with the canary in its text, an endpoint that is not there.
    assert_eq!(house.order(&admin, &format!("{order}x")).status, 400);
    assert_eq!(house.order(&admin, &order.replace("\"active\"", "\"cancelled\"")).status, 422);
    let secret = house.folder().join("secret");
    std::fs::write(&secret, "Hunter2-Very-Secret-Value").unwrap();
    let set = [
        "account",
        "set",
        "crm",
        "--env",
        "development",
        "--connector",
        "https",
        "--address",
        "https://127.0.0.1:9/erp",
    ];
    let from = format!("password={}", secret.display());
    let ca = house.text("ca_file");
    house.cli(
        &[&set[..], &["--ca", &ca, "--set", "auth=basic", "--set", "username=lockgate", "--secret", &from]].concat(),
    );
    assert!(house.order(&admin, &order).status >= 500);
    let key = house.cli_json(&["user", "key", "add", "admin"])["key"].as_str().unwrap().to_owned();
    std::fs::remove_file(&secret).unwrap();
    let credentials = credentials(&house);

    let mut kept = files(&house.data);
    kept.push(("log".into(), house.log().into_bytes()));
    assert!(kept.iter().any(|(name, _)| name.ends_with("-wal")), "the write-ahead log is looked into too");
    let password = house.text("password");
    let key_secret = key.rsplit('_').next().unwrap();
    let known = [canary, mail, password.as_str(), "Hunter2-Very-Secret-Value", key_secret];
    let known = known.map(|secret| ("one of the first", secret.as_bytes().to_vec()));
    for (what, secret) in known.into_iter().chain(credentials) {
        assert!(secret.len() >= 8, "{what} is too short to be looked for");
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        for needle in [STANDARD.encode(&secret).into_bytes(), hex.into_bytes(), secret] {
            assert_eq!(holders(&kept, &needle), Vec::<String>::new(), "{what} was kept");
        }
    }
    // The search finds what is there.
    assert!(!holders(&kept, b"order-to-erp").is_empty());
}

#[test]
fn the_wordiest_log_tells_neither_data_nor_secrets() {
    let house = House::start_logging("trace");
    let admin = house.administrator();
    let canary = "Zq7-canary-9fA3";
    let order = ORDER.replace("SO-1000009", canary);
    let trace = "tracestate: vendor=Zq7-state-4711";
    let parent = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let sent = house.request(&admin, "POST", crate::house::ORDER_PATH, Some(&order), &[parent, trace]);
    assert_eq!(sent.status, 200, "{sent:?}");
    assert_eq!(house.order(&admin, &format!("{order}x")).status, 400);
    assert_eq!(house.order(&admin, &order.replace("\"active\"", "\"cancelled\"")).status, 422);
    assert_eq!(house.order(&format!("admin:{canary}"), &order).status, 401);
    let log = house.log();
    let password = house.text("password");
    let basic = STANDARD.encode(&admin);
    for secret in [canary, "Zq7-state-4711", &password, &basic] {
        assert!(!log.contains(secret), "`{secret}` is in the log");
    }
    // Every line is one JSON object, and what must be there is there.
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let request = |l: &&serde_json::Value| l["fields"]["message"] == "request" && l["fields"]["status"] == 200;
    assert!(lines.iter().filter(request).any(|l| l["fields"]["run"].is_string()), "{log}");
}

#[test]
fn files_of_the_installation_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::start();
    for entry in std::fs::read_dir(&house.data).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        let name = entry.file_name().to_string_lossy().into_owned();
        // The CA certificate is public.
        if name != "ca.pem" && name != "ca.crt" {
            assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
        }
    }
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", house.process.0.id())).unwrap();
    let core = limits.lines().find(|l| l.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
}

/// By the signal of an abort, whose default is a core file.
#[test]
fn a_server_that_dies_of_a_fault_leaves_no_core() {
    use std::os::unix::process::ExitStatusExt;
    // Allowed to write one by whoever starts it.
    let mut house = House::start().serve("ulimit -c unlimited 2>/dev/null || true; cd \"$HOME\" || true;", &[]);
    let pid = house.process.0.id().to_string();
    let sent = std::process::Command::new("kill").args(["-ABRT", &pid]).status().unwrap();
    assert!(sent.success());
    let ended = house.process.0.wait().unwrap();
    assert!(ended.signal().is_some() && !ended.core_dumped(), "{ended:?}");
}

#[test]
fn a_restart_keeps_everything_but_sessions() {
    let house = House::start();
    let admin = house.administrator();
    let bob = house.user("bob", &["administrator"]);
    assert_eq!(house.order(&bob, ORDER).status, 200);
    let house = house.restart(&[]);
    assert!(house.ready["password"].is_null(), "the password is printed once: {}", house.ready);
    assert_eq!(house.order(&admin, ORDER).status, 200);
    assert_eq!(house.order(&bob, ORDER).status, 200);
    assert!(house.cli(&["audit", "verify"]).contains("holds"));
    let gone = house.cli_as(&house.folder().join("bob.json"), &["runs", "list", "--env", "development"], "");
    assert!(!gone.status.success(), "a session outlived its process: {gone:?}");

    let house = house.restart(&["--new-password"]);
    assert_eq!(house.order(&admin, ORDER).status, 401, "the old password still holds");
    assert_eq!(house.order(&house.administrator(), ORDER).status, 200);
}

/// Whoever can write the database moves sealed secrets to where another account would send them.
#[test]
fn a_swapped_sealed_secret_opens_nowhere() {
    let house = House::start();
    let tested = |house: &House, account: &str| {
        let context = house.data.join("context.json");
        let output = house.cli_as(&context, &["--json", "account", "test", account, "--env", "development"], "");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let reached = tested(&house, "erp");
    assert!(reached.contains("\"ok\""), "{reached}");
    assert!(!reached.contains("error"), "{reached}");
    // The practice endpoints end with quickstart: what opens is not reached from here on.
    let house = house.serve("", &[]);
    let opened = tested(&house, "erp");
    assert!(opened.contains("no connection to its address"), "{opened}");
    let House { data, .. } = &house;
    let swap = "\
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
rows = db.execute(\"SELECT id, revision, body FROM definitions WHERE kind = 'secret' AND body IS NOT NULL\").fetchall()
(a, ra, ba), (b, rb, bb) = [r for r in rows if r[0] in ('development/erp/password', 'development/bank/password')]
db.execute('UPDATE definitions SET body = ? WHERE id = ? AND revision = ?', (bb, a, ra))
db.execute('UPDATE definitions SET body = ? WHERE id = ? AND revision = ?', (ba, b, rb))
db.commit()
";
    let definitions = data.join("definitions.sqlite");
    assert!(definitions.is_file());
    let output = std::process::Command::new("python3").args(["-c", swap]).arg(&definitions).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let house = house.serve("", &[]);
    for account in ["erp", "bank"] {
        let told = tested(&house, account);
        assert!(told.contains("LG-INTERNAL"), "{account}: {told}");
    }
    assert!(house.log().contains("a sealed secret does not open"));
}
