//! An account on an SFTP server: its host key is shown before it is trusted, and a flow writes and
//! reads files through it.

use std::fs;

use lockgate_practice::Sftp;
use serde_json::{Value, json};

use crate::house::{House, with_input};

const FLOW: &str = "\
document: {dsl: '1.0.3', namespace: default, name: keep, version: '1.0.0'}
evaluate: {language: jsonata}
do:
  - write:
      call: sftp.put:1.0.0@default
      with: {account: files, path: '${ name }', body: '${ $ }'}
  - read:
      call: sftp.list:1.0.0@default
      with: {account: files}
";

const PROJECT: &str = "\
project: keep
title: Keeps what it is given
accounts:
  files: {connector: sftp, operations: [put, list]}
";

fn told(output: &std::process::Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_flow_writes_files_to_a_server_whose_host_key_was_confirmed() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Sftp::start("127.0.0.1:0".parse().unwrap(), || 1_700_000_000)).unwrap();
    let house = House::start();
    let (context, port) = (house.data.join("context.json"), server.addr().port().to_string());
    let address = format!("sftp://127.0.0.1:{port}");
    let bind = |verb: &str, more: &[&str]| {
        let binding = ["account", verb, "files", "--env", "development", "--connector", "sftp", "--address", &address];
        let settings = ["--set", "username=practice", "--set", "auth=password", "--secret", "password=-"];
        house.cli_as(&context, &[&binding[..], &settings, more].concat(), server.password())
    };
    let add = |more: &[&str]| bind("add", more);

    // Nothing is asked of an address that the operator has not allowed.
    let refused = add(&[]);
    assert!(!refused.status.success() && told(&refused).contains("not public"), "{refused:?}");
    let mut operator = std::process::Command::new(lockgate_testkit::process::program());
    operator.args(["operator", "egress", "allow", "demo", "development", "127.0.0.1/32", &port, "--data"]);
    assert!(with_input(operator.arg(&house.data), "").status.success());

    // Without a terminal nobody can confirm the key: it is named, to be given.
    let unconfirmed = add(&[]);
    assert!(!unconfirmed.status.success());
    assert!(told(&unconfirmed).contains(&format!("--host-key {}", server.host_key())), "{unconfirmed:?}");
    for malformed in ["SHA256:AAAA", "SHA256:", "md5:00", "ssh-ed25519 AAAA"] {
        let refused = add(&["--host-key", malformed]);
        assert!(!refused.status.success() && told(&refused).contains("LG-ACCOUNT"), "{malformed}: {refused:?}");
    }
    let wrong = format!("SHA256:{}", "A".repeat(43));
    assert!(add(&["--host-key", &wrong]).status.success());
    let test = || house.cli_as(&context, &["account", "test", "files", "--env", "development"], "");
    let tested = test();
    assert!(!tested.status.success() && told(&tested).contains("host key"), "{tested:?}");
    // What is there is not overwritten by the way.
    let again = add(&["--host-key", server.host_key()]);
    assert!(!again.status.success() && told(&again).contains("`lockgate account set`"), "{again:?}");
    assert!(!test().status.success());
    assert!(bind("set", &["--host-key", server.host_key()]).status.success());
    let tested = test();
    assert!(tested.status.success() && !told(&tested).contains("exception"), "{tested:?}");

    // An exception from the connector's rules is told wherever the account is.
    let refused = bind("set", &["--host-key", server.host_key(), "--set", "legacy_algorithms=none"]);
    assert!(!refused.status.success() && told(&refused).contains("legacy_algorithms"), "{refused:?}");
    let exception = ["--host-key", server.host_key(), "--set", "legacy_algorithms=aes128-cbc hmac-sha1"];
    assert!(bind("set", &exception).status.success());
    let listed = house.cli_as(&context, &["account", "list", "--env", "development"], "");
    let audit = house.cli_as(&context, &["audit", "export"], "");
    for output in [test(), listed] {
        assert!(told(&output).contains("legacy_algorithms: aes128-cbc hmac-sha1"), "{output:?}");
    }
    let json = house.cli_as(&context, &["--json", "account", "test", "files", "--env", "development"], "");
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["exceptions"], serde_json::json!({"legacy_algorithms": "aes128-cbc hmac-sha1"}), "{json}");
    let told_exception = "\"exception.legacy_algorithms\":\"aes128-cbc hmac-sha1\"";
    assert!(told(&audit).replace(": ", ":").contains(told_exception), "{audit:?}");
    assert!(bind("set", &["--host-key", server.host_key()]).status.success());

    // A secret that is needed is asked for at a terminal, and named where there is none.
    let account = ["account", "add", "asked", "--env", "development", "--connector", "sftp", "--address", &address];
    let asked = ["--set", "username=practice", "--set", "auth=password", "--host-key", server.host_key()];
    let asked = [&account[..], &asked].concat();
    let refused = house.cli_as(&context, &asked, "");
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(told(&refused).contains("--secret password=FILE"), "{refused:?}");
    let bound = house.cli_at_terminal(&context, &asked, &format!("{}\n", server.password()));
    assert!(bound.status.success() && told(&bound).contains("password: "), "{bound:?}");
    let tested = house.cli_as(&context, &["account", "test", "asked", "--env", "development"], "");
    assert!(tested.status.success(), "{tested:?}");

    let project = house.folder().join("keep");
    fs::create_dir(&project).unwrap();
    fs::write(project.join("project.yaml"), PROJECT).unwrap();
    fs::write(project.join("keep.flow.yaml"), FLOW).unwrap();
    for command in [&["push", project.to_str().unwrap()][..], &["deploy", "keep", "development"]] {
        let done = house.cli_as(&context, command, "");
        assert!(done.status.success(), "{}", told(&done));
    }
    let admin = house.administrator();
    let reply = house.request(&admin, "POST", "/demo/development/keep", Some(r#"{"name":"a.json"}"#), &[]);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json()["entries"][0]["name"], "a.json", "{reply:?}");
    assert_eq!(serde_json::from_slice::<Value>(&server.content("a.json").unwrap()).unwrap(), json!({"name": "a.json"}));
    // The same name again: the file stays as it is.
    let reply = house.request(&admin, "POST", "/demo/development/keep", Some(r#"{"name":"a.json"}"#), &[]);
    assert_eq!(reply.status, 502, "{reply:?}");
    assert_eq!(server.files().len(), 1);
    assert!(!house.log().contains(server.password()));
}
