//! What is refused: sign-ins, accounts, paths, inputs.

use lockgate_connector_api::{Call, Error, Kind as Is};
use lockgate_testkit::{
    FaultProxy,
    contract::{CANARY, tells_nothing},
};
use serde_json::json;

use crate::account::{Account, Fields, KINDS, Kind, Opening, Server, call};

#[tokio::test]
async fn credentials_that_are_not_accepted() {
    for kind in KINDS {
        let Some(server) = Server::start(kind) else { continue };
        let usual = || Opening::usual(kind);
        let wrong = [
            Opening { settings: swapped(usual().settings, "username", "nobody-here"), ..usual() },
            Opening { secrets: vec![("password", format!("{CANARY}x"))], ..usual() },
        ];
        for opening in wrong {
            let account = opening.open(server.port()).unwrap();
            let error = account.fails("list", json!({})).await;
            assert_eq!((error.kind(), error.error_type()), (Is::Authentication, "authentication"), "{kind:?}: {error}");
            assert_eq!(account.test().await.unwrap_err().kind(), Is::Authentication);
        }
    }
}

fn swapped(mut fields: Fields, name: &'static str, value: &str) -> Fields {
    fields.retain(|(n, _)| *n != name);
    fields.push((name, value.to_owned()));
    fields
}

#[tokio::test]
async fn accounts_that_cannot_work_are_refused_when_opened() {
    let usual = || Opening::usual(Kind::Proftpd);
    let password = |value: &str| Opening { secrets: vec![("password", value.to_owned())], ..usual() };
    let setting = |name, value: &str| Opening { settings: swapped(usual().settings, name, value), ..usual() };
    for opening in [
        Opening { secrets: Vec::new(), ..usual() },
        password(&format!("{CANARY}\r\nDELE a")),
        password(&format!("{CANARY}\0")),
        password(""),
        setting("username", "a\r\nQUIT"),
        setting("username", ""),
        setting("auth", "anonymous"),
        setting("tls", "none"),
        Opening { settings: Vec::new(), ..usual() },
    ] {
        let Err(error) = opening.open(21) else { panic!("opened") };
        assert_eq!(error.kind(), Is::Configuration, "{error}");
        tells_nothing(&error);
    }
}

#[tokio::test]
async fn inputs_are_refused_before_anything_is_dialled() {
    let proxy = FaultProxy::start(1).await;
    let account = Opening::usual(Kind::Proftpd).open(proxy.port()).unwrap();
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
        ("get", json!({"path": "a", "transfer": "local"})),
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

#[tokio::test]
async fn a_base_that_is_no_folder_fails_the_test_of_the_account() {
    let Some(server) = Server::start(Kind::Proftpd) else { return };
    std::fs::write(server.files().join("file"), "x").unwrap();
    for (below, kind) in [("/file", Is::Configuration), ("/missing", Is::NotFound)] {
        let account = Opening { base: below.to_owned(), ..Opening::usual(Kind::Proftpd) }.open(server.port()).unwrap();
        let error = account.test().await.unwrap_err();
        assert_eq!(error.kind(), kind);
        tells_nothing(&error);
    }
}

/// Nothing that a server can refuse costs the session.
#[tokio::test]
async fn a_refusal_keeps_the_session() {
    for kind in KINDS {
        let Some(server) = Server::start(kind) else { continue };
        let proxy = FaultProxy::start(server.port()).await;
        let account = Account::through(kind, &server, proxy.port());
        std::fs::create_dir(server.files().join("folder")).unwrap();
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
    }
}
