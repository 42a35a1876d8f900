//! Nothing is kept: strings that exist nowhere else go through every connector, listener, schedule and
//! failing path, and then everything the process has written is searched for them, in the forms
//! that data takes on its way. A planted leak is found in each of these forms.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::house::{House, ORDER};

/// Everything below a folder and the log, by name.
fn written(house: &House) -> Vec<(String, Vec<u8>)> {
    fn walk(folder: &Path, into: &mut Vec<(String, Vec<u8>)>) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() && !path.is_symlink() {
                walk(&path, into);
            } else if path.is_file() {
                into.push((path.display().to_string(), std::fs::read(&path).unwrap_or_default()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&house.data, &mut found);
    walk(&house.folder().join("tmp"), &mut found);
    found.push(("log".to_owned(), house.log().into_bytes()));
    found
}

fn gzip(arguments: &[&str], bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new("gzip");
    child.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = child.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output.stdout
}

/// The forms in which a text may lie on a disk, but for compressed ones.
fn forms(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    // What of a text's base64 does not depend on its neighbours, at each of the three offsets.
    let base64 = |offset: usize| {
        let padded = [vec![0; offset], text.as_bytes().to_vec()].concat();
        let encoded = STANDARD.encode(padded).into_bytes();
        let inner = encoded.get(offset.div_ceil(3) * 4..encoded.len() - 4).unwrap();
        inner.to_vec()
    };
    let hex: String = text.bytes().map(|b| format!("{b:02x}")).collect();
    let escaped: String = text
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() || b == b'-' { (b as char).to_string() } else { format!("%{b:02X}") })
        .collect();
    vec![
        ("plain", text.as_bytes().to_vec()),
        ("base64 at 0", base64(0)),
        ("base64 at 1", base64(1)),
        ("base64 at 2", base64(2)),
        ("hex", hex.clone().into_bytes()),
        ("HEX", hex.to_uppercase().into_bytes()),
        ("UTF-16LE", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16BE", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("URL-escaped", escaped.into_bytes()),
    ]
}

/// Horspool's search: some hundred megabytes are looked through in an unoptimised build.
fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    let last = needle.len() - 1;
    let mut skip = [needle.len(); 256];
    for (place, byte) in needle[..last].iter().enumerate() {
        skip[usize::from(*byte)] = last - place;
    }
    let mut at = 0;
    while let Some(window) = bytes.get(at..at + needle.len()) {
        if window == needle {
            return true;
        }
        at += skip[usize::from(window[last])];
    }
    false
}

/// Where a text is found, and in which form; compressed streams are opened wherever they begin.
fn found(kept: &[(String, Vec<u8>)], text: &str) -> Vec<(String, &'static str)> {
    let mut places = Vec::new();
    for (name, bytes) in kept {
        for (form, needle) in forms(text) {
            if holds(bytes, &needle) {
                places.push((name.clone(), form));
            }
        }
        for (at, _) in bytes.windows(3).enumerate().filter(|(_, magic)| *magic == [0x1f, 0x8b, 0x08]) {
            if holds(&gzip(&["-dc"], &bytes[at..]), text.as_bytes()) {
                places.push((name.clone(), "gzip"));
            }
        }
    }
    places
}

/// A space and a slash, so that a URL-escaped form differs; a length that is no multiple of three.
fn canary(which: &str) -> String {
    format!("canary {which}/7q9Zx2-fA31mK8")
}

const ECHO: &str = "\
document: { dsl: '1.0.3', namespace: default, name: echo, version: '1.0.0' }
evaluate: { language: jsonata }
do:
  - which:
      switch:
        - raise: { when: '${ how = \"raise\" }', then: refuse }
        - number: { when: '${ how = \"number\" }', then: count }
        - bomb: { when: '${ how = \"bomb\" }', then: grow }
        - other: { then: back }
  - refuse: { raise: { error: { type: 'https://example.com/errors/no', status: 409, title: no, detail: '${ text }' } } }
  - count: { set: { n: '${ text + 1 }' }, then: end }
  - grow: { set: { n: '${ [1..9000000].($string($) & $$.text) }' }, then: end }
  - back: { set: { text: '${ text }' } }
";

#[test]
fn what_went_through_is_found_nowhere() {
    let Some(house) = House::start_for_canaries() else { return };
    let admin = house.administrator();
    let order = |which: &str, from: &str| ORDER.replace(from, &canary(which));
    let post =
        |name: &str, body: &str| house.request(&admin, "POST", &format!("/demo/development/{name}"), Some(body), &[]);
    let mut sent = Vec::new();
    let mut send = |which: &str| {
        sent.push(which.to_owned());
        canary(which)
    };

    // Through the listener, the lookup, the mapping and the file server.
    send("name");
    assert_eq!(post("order-to-erp", &order("name", "Sofia")).status, 200);
    // As a part of a path that is looked up, which is refused or found.
    send("customer");
    assert!(post("order-to-erp", &order("customer", "C-644886")).status >= 200);
    // As the name of a file that cannot be: the connector refuses it.
    send("path");
    assert!(post("order-to-erp", &order("path", "SO-1000009")).status >= 400);
    // Refused by the flow before the query.
    let body = serde_json::json!({"country": "DE", "minCredit": send("amount")}).to_string();
    assert_eq!(post("customers-from-db", &body).status, 400);
    let body = serde_json::json!({"country": send("country")}).to_string();
    assert_eq!(post("customers-from-db", &body).status, 400);
    // As a parameter of a query, and into an error: a stream from the database to the file server,
    // which breaks at the first row.
    let body = serde_json::json!({"until": send("until")}).to_string();
    assert!(post("nightly-export", &body).status >= 400);
    let schedule = house.cli_json(&["schedule", "run", "nightly-export", "--env", "development"]);
    assert!(schedule["run"].is_string(), "{schedule}");

    // Malformed, unauthorised, to nobody, with a key.
    let body = format!("{{\"a\": \"{}\"", send("malformed"));
    assert_eq!(post("order-to-erp", &body).status, 400);
    let body = order("stranger", "Sofia");
    send("stranger");
    assert_eq!(house.order("nobody:wrong", &body).status, 401);
    assert_eq!(post("nowhere", &order("nowhere", "Sofia")).status, 404);
    send("nowhere");
    let query = send("query").replace(' ', "%20").replace('/', "%2F");
    assert!(post(&format!("order-to-erp?q={query}"), ORDER).status >= 200);
    let header = format!("X-Note: {}", send("header"));
    house.request(&admin, "POST", crate::house::ORDER_PATH, Some(ORDER), &[&header]);

    // Raised, wrongly typed, too much for the run's memory.
    let project = house.folder().join("echo");
    std::fs::create_dir(&project).unwrap();
    std::fs::write(project.join("project.yaml"), "project: echo\ntitle: Echo\n").unwrap();
    std::fs::write(project.join("echo.flow.yaml"), ECHO).unwrap();
    house.cli(&["push", project.to_str().unwrap()]);
    house.cli(&["deploy", "echo", "development"]);
    for (how, status) in [("back", 200), ("raise", 409), ("number", 500), ("bomb", 500)] {
        let body = serde_json::json!({"how": how, "text": send(how)}).to_string();
        let reply = post("echo", &body);
        assert_eq!(reply.status, status, "{how}: {reply:.300?}");
    }

    // Peers that are not there, that are somebody else, and that break off.
    let ca = house.text("ca_file");
    let crm = ["account", "set", "crm", "--env", "development", "--connector", "https", "--address"];
    for (which, address, identity) in [
        ("down", "https://127.0.0.1:9/", ["--ca", ca.as_str()]),
        (
            "impostor",
            "https://localhost:1/",
            ["--pin", "sha256:abababababababababababababababababababababababababababababababab"],
        ),
    ] {
        house.cli(&[&crm[..], &[address], &identity[..]].concat());
        send(which);
        assert_eq!(post("order-to-erp", &order(which, "Sofia")).status, 502);
    }
    // A secret that was bound, used and refused.
    let secret = send("secret");
    let sftp = house.ready["sftp"].clone();
    let address = format!("{}/export", sftp["address"].as_str().unwrap());
    let bind = ["account", "set", "bank", "--env", "development", "--connector", "sftp", "--address", &address];
    let rest =
        ["--host-key", sftp["host_key"].as_str().unwrap(), "--set", "username=practice", "--set", "auth=password"];
    let bound = house.cli_as(
        &house.data.join("context.json"),
        &[&bind[..], &rest, &["--secret", "password=-"]].concat(),
        &secret,
    );
    assert!(bound.status.success(), "{bound:?}");
    assert_eq!(post("nightly-export", r#"{"until": "2026-11-04"}"#).status, 502);

    // What the process tells about itself is searched, too.
    let mut kept = written(&house);
    kept.push(("audit".into(), house.cli(&["audit", "export"]).into_bytes()));
    kept.push(("runs".into(), house.cli(&["--json", "runs", "list", "--env", "development"]).into_bytes()));
    kept.push(("logs".into(), house.cli(&["--json", "logs", "--env", "development"]).into_bytes()));
    let metrics = Command::new(lockgate_testkit::process::program())
        .args(["operator", "metrics", "--data"])
        .arg(&house.data)
        .output()
        .unwrap();
    assert!(metrics.status.success(), "{metrics:?}");
    kept.push(("metrics".into(), metrics.stdout));
    assert!(kept.iter().any(|(name, _)| name.ends_with("-wal")), "the write-ahead log is searched");
    assert!(!found(&kept, "order-to-erp").is_empty(), "the search finds what is there");
    for which in &sent {
        assert_eq!(found(&kept, &canary(which)), Vec::new(), "`{which}` was kept");
        assert_eq!(found(&kept, &canary(which).replace(' ', "%20").replace('/', "%2F")), Vec::new());
    }
    assert!(!Path::new("core").exists() && !house.data.join("core").exists());
}

#[test]
fn a_planted_leak_is_found_in_every_form() {
    let text = canary("planted");
    for (form, bytes) in forms(&text) {
        let around = [b"{\"x\":\"".to_vec(), bytes, b"\"}".to_vec()].concat();
        let places = found(&[("file".to_owned(), around)], &text);
        assert!(places.iter().any(|(_, in_form)| *in_form == form), "{form} is not found");
    }
    // As whoever leaks would write it: the text inside a larger value, encoded with it.
    for offset in 0..3 {
        let larger = format!("{}{text} and more", "x".repeat(offset));
        let file = ("file".to_owned(), STANDARD.encode(&larger).into_bytes());
        assert!(!found(&[file], &text).is_empty(), "base64 at offset {offset}");
        let packed = [vec![0; 10], gzip(&["-c"], larger.as_bytes())].concat();
        assert_eq!(found(&[("file".to_owned(), packed)], &text), [("file".to_owned(), "gzip")]);
    }
    assert_eq!(found(&[("file".to_owned(), b"nothing of it".to_vec())], &text), Vec::new());
}
