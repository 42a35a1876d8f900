//! The orchestrations that ship, at the practice endpoints: real TLS, SSH and PostgreSQL.

use crate::house::{House, ORDER};

/// Reads a file of the practice file server with OpenSSH's own client.
fn fetched(house: &House, path: &str) -> String {
    let (sftp, to) = (&house.ready["sftp"], house.folder().join("fetched"));
    let _ = std::fs::remove_file(&to);
    let address = sftp["address"].as_str().unwrap().strip_prefix("sftp://").unwrap();
    let (host, port) = address.split_once(':').unwrap();
    let ask = house.folder().join("askpass");
    std::fs::write(&ask, format!("#!/bin/sh\necho {}\n", sftp["password"].as_str().unwrap())).unwrap();
    std::fs::set_permissions(&ask, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let mut client = std::process::Command::new("sftp");
    client.env("SSH_ASKPASS", &ask).env("SSH_ASKPASS_REQUIRE", "force").env("DISPLAY", ":0");
    client.args(["-q", "-P", port, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]);
    client.arg(format!("practice@{host}:{path}")).arg(&to);
    let output = crate::house::with_input(&mut client, "");
    assert!(output.status.success(), "{output:?}");
    std::fs::read_to_string(&to).unwrap()
}

#[test]
fn an_order_becomes_the_erps_document_on_the_file_server() {
    let house = House::start();
    let reply = house.order(&house.administrator(), ORDER);
    assert_eq!(reply.status, 200, "{reply:?}");
    let text = fetched(&house, &format!("/orders/{}", reply.json()["file"].as_str().unwrap()));
    assert_eq!(text.len() as u64, reply.json()["bytes"].as_u64().unwrap());
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&document["order"], &document["documentType"]), (&"SO-1000009".into(), &"ORDER".into()));
    assert_eq!(document["buyer"]["account"], "Customer C-644886", "it was looked up: {document}");
}

#[test]
fn rows_of_a_database_become_a_reply_and_a_file() {
    let Some(house) = House::start_with_database() else { return };
    let admin = house.administrator();
    let ask = |body: &str| house.request(&admin, "POST", "/demo/development/customers-from-db", Some(body), &[]);
    assert_eq!(ask(r#"{"country": "Germany"}"#).status, 400);
    for wrong in ["\"a lot\"", "\"2000\"", "null", "true", "-1", "[1]", "{\"a\": 1}"] {
        let reply = ask(&format!("{{\"country\": \"DE\", \"minCredit\": {wrong}}}"));
        assert_eq!(reply.status, 400, "{wrong}: {reply:?}");
    }
    // What would end another statement stays a value.
    assert_eq!(ask(r#"{"country": "';"}"#).json()["count"], 0);
    let reply = ask(r#"{"country": "DE", "minCredit": 2000}"#);
    assert_eq!(reply.status, 200, "{reply:?}");
    let customers = reply.json();
    assert!(customers["count"].as_u64() > Some(3), "{customers}");
    assert!(reply.body.contains("\"creditLimit\":2250.00"), "money keeps its digits: {}", reply.body);

    let reply =
        house.request(&admin, "POST", "/demo/development/nightly-export", Some(r#"{"until": "2026-11-04"}"#), &[]);
    assert_eq!(reply.status, 200, "{reply:?}\n{}", house.log());
    let text = fetched(&house, "/export/orders-2026-11-04.csv");
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines.first(), Some(&"id,placed_at,status,total,customer,country"));
    assert!(lines.len() > 20 && lines.last() == Some(&""), "{} lines", lines.len());
    assert_eq!(text.len() as u64, reply.json()["bytes"].as_u64().unwrap());

    // By its schedule it is the same run, as the one who deployed it.
    let listed = house.cli_json(&["schedule", "list", "--env", "development"]);
    assert!(listed.to_string().contains("nightly-export"), "{listed}");
    let ran = house.cli_json(&["schedule", "run", "nightly-export", "--env", "development"]);
    assert!(ran["run"].is_string() && ran["error"].is_null(), "{ran}");
}
