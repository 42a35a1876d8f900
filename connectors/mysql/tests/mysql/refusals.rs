//! What must not work.

use lockgate_connector_api::{Allowance, Egress, Kind};
use lockgate_testkit::{
    Mariadb, Pki,
    contract::{CANARY, tells_nothing},
    pki::Server,
};
use serde_json::json;

use crate::account::{Account, Binding, call, shared};

#[tokio::test]
async fn a_server_without_tls_is_told_nothing() {
    let pki = Pki::new();
    let Some(server) = Mariadb::start_with(&pki, &["--skip-ssl"]) else { return };
    let account = Binding::app(server.port()).open(&pki);
    let error = account.fails("query", "select 1", json!([])).await;
    assert_eq!((error.kind(), error.code()), (Kind::Identity, "mysql-no-tls"));
    assert!(!error.is_transient());
    assert_eq!(account.test().await.unwrap_err().kind(), Kind::Identity);
    // A user's name comes after TLS; the server has seen none.
    assert!(!server.statements().contains("app"), "{}", server.statements());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_prove_itself_is_told_nothing() {
    let pki = Pki::new();
    let Some(server) = Mariadb::start(&pki) else { return };
    for certificate in Server::BAD {
        server.serve_with(&pki.server(certificate));
        let account = Binding::app(server.port()).open(&pki);
        let error = account.fails("query", "select 1", json!([])).await;
        assert_eq!(error.kind(), Kind::Identity, "{certificate:?}: {error}");
        assert_eq!(account.test().await.unwrap_err().kind(), Kind::Identity, "{certificate:?}");
    }
    assert!(!server.statements().contains("app@"), "{}", server.statements());
    // Another CA of ours, and then the one that signed it.
    server.serve_with(&pki.server(Server::Good));
    let elsewhere = Binding::app(server.port()).open(&Pki::new());
    assert_eq!(elsewhere.fails("query", "select 1", json!([])).await.kind(), Kind::Identity);
    for host in ["localhost", "127.0.0.1"] {
        Binding { host, ..Binding::app(server.port()) }.open(&pki).test().await.unwrap();
    }
}

#[tokio::test]
async fn who_cannot_prove_who_they_are_is_refused() {
    let Some((pki, server)) = shared() else { return };
    let (password, none) = (Some(CANARY), None);
    for (username, password, certificate, kind) in [
        ("app", Some("wrong"), None, Kind::Authentication),
        ("nobody", password, None, Kind::Authentication),
        ("old", password, None, Kind::Authentication),
        // A certificate is asked for and missing, or another user's, or of a CA that is not the server's.
        ("client", password, None, Kind::Authentication),
        ("client", none, Some(pki.client("app", true)), Kind::Authentication),
        ("client", none, Some(pki.client("client", false)), Kind::Identity),
        ("both", password, None, Kind::Authentication),
        ("both", Some("wrong"), Some(pki.client("both", true)), Kind::Authentication),
        // A password is asked for and missing.
        ("app", none, Some(pki.client("app", true)), Kind::Authentication),
    ] {
        let binding = Binding { username, password, certificate, ..Binding::app(server.port()) };
        let error = binding.open(pki).test().await.expect_err(username);
        tells_nothing(&error);
        assert_eq!(error.kind(), kind, "{username}: {error}, {}", error.private().reveal());
    }
}

#[tokio::test]
async fn who_can_is_let_in() {
    let Some((pki, server)) = shared() else { return };
    for (username, password, certificate) in [
        ("app", Some(CANARY), None),
        ("client", None, Some(pki.client("client", true))),
        ("both", Some(CANARY), Some(pki.client("both", true))),
    ] {
        let account = Binding { username, password, certificate, ..Binding::app(server.port()) }.open(pki);
        account.test().await.unwrap();
        assert_eq!(account.value("select substring_index(current_user(), '@', 1)", json!([])).await, username);
        let sql = "select variable_value from information_schema.session_status where variable_name = 'ssl_version'";
        assert_eq!(account.value(sql, json!([])).await, "TLSv1.3");
    }
}

#[tokio::test]
async fn addresses_out_of_bounds_are_not_dialled() {
    let Some((pki, server)) = shared() else { return };
    let elsewhere = Egress::new(vec![Allowance::parse("127.0.0.0/8", 1, server.port() - 1).unwrap()]);
    for egress in [Egress::new(Vec::new()), elsewhere] {
        for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"] {
            let binding = Binding { host, egress: egress.clone(), ..Binding::app(server.port()) };
            let error = binding.open(pki).fails("query", "select 1", json!([])).await;
            assert_eq!(error.kind(), Kind::Refused, "{host}: {error}");
        }
    }
}

/// An allowance that was withdrawn holds for kept connections too.
#[tokio::test]
async fn a_kept_connection_is_not_used_past_the_rule() {
    let Some((pki, server)) = shared() else { return };
    let mut account = Binding::app(server.port()).open(pki);
    account.test().await.unwrap();
    account.cx.egress = Egress::new(Vec::new()).into();
    let error = account.fails("query", "select 1", json!([])).await;
    assert_eq!(error.kind(), Kind::Refused);
}

#[tokio::test]
async fn unknown_operations_and_inputs_are_refused() {
    let Some(account) = Account::shared() else { return };
    let error = account.fails("copy", "select 1", json!([])).await;
    assert_eq!((error.kind(), error.operation()), (Kind::Configuration, None));
    let missing = json!({"host": "nowhere"});
    for (operation, input) in [
        ("query", json!({})),
        ("query", json!({"sql": 1})),
        ("query", json!({"sql": " "})),
        ("query", json!({"sql": "x".repeat(300_000)})),
        ("query", json!({"sql": "select 1", "parameters": "x"})),
        ("query", json!({"sql": "select 1", "parameters": {"a": 1}})),
        ("query", json!({"sql": "select 1", "params": []})),
        ("query", json!({"sql": "select 1", "parameters": [1]})),
        ("query", json!({"sql": "select ? as a, ? as b", "parameters": [1]})),
        ("query", json!({"sql": "select 1 as a, 2 as a"})),
        ("query", json!({"sql": "commit"})),
        ("query", json!({"sql": "set @a = 1"})),
        ("execute", json!({"sql": "begin"})),
        ("execute", json!({"sql": "select 1 as a, 2 as a"})),
        ("batch", json!({"sql": "select 1", "parameters": [[]]})),
        ("batch", json!({"sql": "do 1"})),
        ("batch", json!({"sql": "do 1", "parameters": [1]})),
        ("load", missing),
    ] {
        let mut call = call(operation, "", json!([]));
        call.input = lockgate_document::Document::parse(input.to_string().as_bytes(), &Default::default()).unwrap();
        let error = account.invoke(call).await.expect_err(&input.to_string());
        tells_nothing(&error);
        assert_eq!(error.kind(), Kind::Input, "{operation} {input}: {error}");
        account.test().await.unwrap();
    }
}
