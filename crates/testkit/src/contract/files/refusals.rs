//! What is refused: paths, inputs, folders that there are not.

use std::fs;

use lockgate_connector_api::{Call, Error, Kind as Is};
use serde_json::json;

use super::{Kind, Server, Unusual, call, each_server};
use crate::{FaultProxy, contract::tells_nothing};

pub async fn inputs_are_refused_before_anything_is_dialled<K: Kind>() {
    let proxy = FaultProxy::start(1).await;
    let kind = K::ALL[0];
    let account = kind.open(Unusual::at(proxy.port()));
    let paths = [
        "..",
        "../x",
        "a/../../x",
        "/etc/passwd",
        "a\0b",
        "a\nb",
        "a\r\nQUIT",
        "a\u{85}",
        "a\\..\\b",
        "a//b",
        "a/",
        "./a",
        "C:/x",
    ];
    let mut calls: Vec<Call> = Vec::new();
    for path in paths {
        for operation in ["list", "stat", "get", "delete", "mkdir"] {
            calls.push(call(operation, json!({"path": path})));
        }
        calls.push(call("put", json!({"path": path, "body": "x"})));
        calls.push(call("move", json!({"from": path, "to": "b"})));
        calls.push(call("move", json!({"from": "a", "to": path})));
    }
    for (operation, input) in [
        ("get", json!({})),
        ("get", json!({"path": 1})),
        ("get", json!({"path": ""})),
        ("get", json!({"path": "a", "parse": "xml"})),
        ("get", json!({"path": "a", "body": "x"})),
        ("get", json!({"path": "a", "transfer": if kind.takes_lines() { "local" } else { "ascii" }})),
        ("get", json!({"path": "a", "offset": -1})),
        ("get", json!({"path": "a", "offset": "1"})),
        ("get", json!({"path": "a", "offset": 1, "transfer": "ascii"})),
        ("put", json!({"path": "a", "body": "x", "transfer": 1})),
        ("put", json!({"path": "a", "body": "x", "offset": 1})),
        ("get", json!("a")),
        ("delete", json!({"path": ""})),
        ("mkdir", json!({"path": ""})),
        ("put", json!({"path": "a"})),
        ("put", json!({"path": "a", "body": "x", "body_base64": "eA=="})),
        ("put", json!({"path": "a", "body_base64": "?"})),
        ("put", json!({"path": "a", "body": "x", "exists": "maybe"})),
        ("put", json!({"path": "a", "body": "x", "overwrite": true})),
        ("move", json!({"from": "a"})),
        ("list", json!({"entries_max": 0})),
        ("list", json!({"entries_max": 1_000_000})),
        ("list", json!({"pattern": "x".repeat(300)})),
        ("list", json!({"pattern": "**/*.csv"})),
        ("list", json!({"pattern": "in/*.csv"})),
        ("list", json!({"stable": 5})),
        ("list", json!({"stable": "PT0.5S"})),
        ("get", json!({"path": "a", "stable": "5s"})),
        ("get", json!({"path": "a", "stable": "PT2H"})),
        ("put", json!({"path": "a", "body": "x", "stable": "PT5S"})),
    ] {
        calls.push(call(operation, input));
    }
    for call in calls {
        let shown = format!("{call:?}");
        let error: Error = account.invoke(call).await.expect_err(&shown);
        assert_eq!((error.kind(), error.error_type()), (Is::Input, "validation"), "{shown}: {error}");
    }
    assert_eq!(proxy.connections(), 0);
}

pub async fn a_base_that_is_no_folder_fails_the_test_of_the_account<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        fs::write(server.files().join("file"), "x").unwrap();
        for (below, expected) in [("/file", Is::Configuration), ("/missing", Is::NotFound)] {
            let account = kind.open(Unusual { server: Some(server), below, ..Unusual::at(server.port()) });
            let error = account.test().await.unwrap_err();
            assert_eq!(error.kind(), expected, "{kind:?} {below}");
            tells_nothing(&error);
        }
    })
    .await;
}

/// Nothing that a server can refuse costs the session.
pub async fn a_refusal_keeps_the_session<K: Kind>() {
    each_server(async |kind: K, server: &K::Server| {
        let proxy = FaultProxy::start(server.port()).await;
        let account = kind.through(server, proxy.port());
        fs::create_dir(server.files().join("folder")).unwrap();
        for (operation, input) in [
            ("stat", json!({"path": "missing"})),
            ("list", json!({"path": "missing"})),
            ("get", json!({"path": "missing"})),
            ("get", json!({"path": "folder"})),
            ("delete", json!({"path": "missing"})),
            ("move", json!({"from": "missing", "to": "b"})),
            ("put", json!({"path": "missing/b", "body": "x"})),
            ("put", json!({"path": "folder", "body": "x"})),
        ] {
            account.fails(operation, input).await;
        }
        assert_eq!(proxy.connections(), 1, "{kind:?}");
    })
    .await;
}
