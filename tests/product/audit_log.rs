//! The audit log as administrators use it: looked into, exported, sent to others, kept for a time.

use std::time::Duration;

use lockgate_model::audit::Link;
use lockgate_testkit::{HttpsPeer, Pki, Rsyslog, pki::Server, wait_until};
use serde_json::Value;

use crate::house::{House, ORDER};

#[test]
fn what_is_looked_for_is_found_and_an_export_is_in_the_log() {
    let house = House::start();
    let admin = house.administrator();
    let bob = house.user("bob", &["monitor"]);
    assert_eq!(house.order(&bob, ORDER).status, 403);
    assert_eq!(house.order(&admin, ORDER).status, 200);
    let found = |more: &[&str]| -> Vec<Link> {
        serde_json::from_value(house.cli_json(&[&["audit", "find"], more].concat())).unwrap()
    };
    let denied = found(&["--user", "bob", "--outcome", "denied", "--channel", "rest", "--event", "execute"]);
    assert_eq!(denied.len(), 1, "{denied:?}");
    let at = denied[0].entry.at;
    assert_eq!(found(&["--event", "execute", "--user", "bob", "--until", &at.to_string()]), []);
    assert_eq!(found(&["--event", "execute", "--user", "bob", "--since", &at.to_string()]), denied);
    assert_eq!(found(&["--event", "login", "--object", "nothing"]), []);
    assert_eq!(found(&["--limit", "3"]).len(), 3);
    let context = house.data.join("context.json");
    for wrong in [&["--since", "yesterday"][..], &["--outcome", "perhaps"], &["--channel", "fax"]] {
        let refused = house.cli_as(&context, &[&["audit", "find"], wrong].concat(), "");
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}: {refused:?}");
    }
    // Who may not read it finds and exports nothing, and that is in it.
    let bobs = house.folder().join("bob.json");
    for verb in [&["audit", "find"][..], &["audit", "export", "--format", "csv"]] {
        let refused = house.cli_as(&bobs, verb, "");
        assert!(refused.stdout.is_empty() && refused.status.code() == Some(3), "{refused:?}");
    }

    // A user whose name a spreadsheet would run cannot be; an object that looks so is made harmless.
    let csv = house.cli(&["audit", "export", "--format", "csv", "--event", "execute"]);
    let mut rows = csv.split("\r\n");
    assert!(rows.next().unwrap().starts_with("at,event,outcome,principal,channel,object,"), "{csv}");
    assert!(csv.contains(",execute,denied,bob,rest,development/integrations/order-to-erp,"), "{csv}");
    assert!(rows.filter(|row| !row.is_empty()).all(|row| row.contains(",execute,")), "{csv}");
    let exports = found(&["--event", "audit-export"]);
    assert_eq!(exports.len(), 1, "the refused one is none: {exports:?}");
    assert_eq!(exports[0].entry.detail["format"], "csv");
    assert!(exports[0].entry.detail["query"].contains("execute"), "{exports:?}");
    // The whole log as JSON lines is one that verifies, and its own export is in it.
    let whole = house.cli(&["audit", "export"]);
    assert!(whole.contains("\"audit-export\"") && whole.starts_with("{\"head\""), "{whole}");
    let file = house.folder().join("audit.jsonl");
    std::fs::write(&file, &whole).unwrap();
    let key = house.cli(&["audit", "key"]);
    house.cli(&["audit", "verify", file.to_str().unwrap(), "--key", key.trim()]);
}

#[test]
fn rsyslog_takes_every_entry_over_tls_and_a_stranger_none() {
    let house = House::start();
    assert_eq!(house.order(&house.administrator(), ORDER).status, 200);
    let pki = Pki::new();
    let ca = house.folder().join("ca.pem");
    std::fs::write(&ca, pki.ca_pem()).unwrap();
    let Some(receiver) = Rsyslog::start(&pki, Server::Good) else { return };
    let to = format!("localhost:{}", receiver.port());
    let export = ["audit", "export", "--format", "syslog", "--to", &to];
    let sent = house.cli_json(&[&export[..], &["--to-ca", ca.to_str().unwrap()]].concat());
    let count = usize::try_from(sent["sent"].as_u64().unwrap()).unwrap();
    assert!(count > 10, "{sent}");
    wait_until("rsyslog has written them", Duration::from_secs(20), || receiver.received().len() == count);
    let received = receiver.received();
    let mut executed = 0;
    for line in &received {
        let [priority, program, event, at, message] = line.splitn(5, '|').collect::<Vec<_>>().try_into().unwrap();
        let link: Link = serde_json::from_str(message.trim()).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert_eq!((program, event), ("lockgate", link.entry.event.as_str()));
        assert!(at.starts_with("20") && ["110", "108"].contains(&priority), "{line}");
        executed += usize::from(event == "execute");
    }
    assert!(executed >= 1);
    // Without its CA it is a stranger: nothing is sent, and no export begins.
    let before = house.cli_json(&["audit", "find", "--event", "audit-export"]);
    let refused = house.cli_as(&house.data.join("context.json"), &export, "");
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    assert_eq!(house.cli_json(&["audit", "find", "--event", "audit-export"]), before);
    assert_eq!(receiver.received().len(), count);
}

#[test]
fn a_collector_takes_every_entry_as_a_log_record() {
    let house = House::start();
    assert_eq!(house.order(&house.administrator(), ORDER).status, 200);
    let pki = Pki::new();
    let ca = house.folder().join("ca.pem");
    std::fs::write(&ca, pki.ca_pem()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let peer = runtime.block_on(HttpsPeer::start(pki.server_config(Server::Good, false, &["http/1.1"])));
    peer.put("/v1/logs", "application/json", "{}");
    let to = format!("https://localhost:{}", peer.port());
    let export = ["audit", "export", "--format", "otlp", "--to", &to, "--to-ca", ca.to_str().unwrap()];
    let sent = house.cli_json(&export);
    let mut records = 0;
    for request in peer.requests() {
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/v1/logs"));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let scope = &body["resourceLogs"][0]["scopeLogs"][0];
        assert_eq!(scope["scope"]["name"], "lockgate.audit");
        for record in scope["logRecords"].as_array().unwrap() {
            serde_json::from_str::<Link>(record["body"]["stringValue"].as_str().unwrap()).unwrap();
            records += 1;
        }
    }
    assert_eq!(sent["sent"], records);
    // What it refuses is told, and so is that it does not answer as it should.
    for (answer, told) in [(r#"{"partialSuccess":{"rejectedLogRecords":"2"}}"#, "refused 2"), ("{}", "")] {
        peer.put("/v1/logs", "application/json", answer);
        let output = house.cli_as(&house.data.join("context.json"), &export, "");
        assert_eq!(output.status.success(), told.is_empty(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(told), "{output:?}");
    }
}
