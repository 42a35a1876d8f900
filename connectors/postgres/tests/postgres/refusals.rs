//! What must not work: servers that do not prove themselves, weak sign-in, addresses out of bounds.

use lockgate_connector_api::{Allowance, Egress, Kind};
use lockgate_testkit::{
    Pki,
    contract::{CANARY, tells_nothing},
    pki::Server,
    postgres::Postgres,
};
use serde_json::json;

use crate::account::{Binding, call, shared};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_told_nothing() {
    let pki = Pki::new();
    let Some(server) = Postgres::start_with(&pki, "ssl = off\nlog_min_messages = debug1\n") else { return };
    let account = Binding::app(server.port()).open(&pki);
    let error = account.fails("query", "select 1", json!([])).await;
    assert_eq!((error.kind(), error.code()), (Kind::Identity, "postgres-no-tls"));
    assert!(!error.is_transient());
    assert_eq!(account.test().await.unwrap_err().kind(), Kind::Identity);
    // A role name is in what comes after TLS; the server has seen none.
    assert!(!server.log().contains("app") && !server.log().contains("connection authorized"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_prove_itself_is_told_nothing() {
    let pki = Pki::new();
    let Some(server) = Postgres::start(&pki) else { return };
    for certificate in Server::BAD {
        server.serve_with(&pki.server(certificate));
        let account = Binding::app(server.port()).open(&pki);
        let error = account.fails("query", "select 1", json!([])).await;
        assert_eq!(error.kind(), Kind::Identity, "{certificate:?}: {error}");
        assert_eq!(account.test().await.unwrap_err().kind(), Kind::Identity, "{certificate:?}");
    }
    assert!(!server.log().contains("user=app"), "{}", server.log());
    // Another CA of ours, and then the one that signed it.
    server.serve_with(&pki.server(Server::Good));
    let elsewhere = Binding::app(server.port()).open(&Pki::new());
    assert_eq!(elsewhere.fails("query", "select 1", json!([])).await.kind(), Kind::Identity);
    for host in ["localhost", "127.0.0.1"] {
        Binding { host, ..Binding::app(server.port()) }.open(&pki).test().await.unwrap();
    }
}

#[tokio::test]
async fn weak_ways_to_sign_in_are_refused() {
    let Some((pki, server)) = shared() else { return };
    let (password, none) = (Some(CANARY), None);
    for (username, password, certificate, kind) in [
        ("app", Some("wrong"), None, Kind::Authentication),
        ("nobody", password, None, Kind::Authentication),
        ("old", password, None, Kind::Authentication),
        ("clear", password, None, Kind::Authentication),
        ("anybody", password, None, Kind::Authentication),
        // A certificate is asked for and missing, or another role's, or of a CA that is not the server's.
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
    let log = server.log();
    assert!(!log.contains("connection authorized: user=old") && !log.contains("connection authorized: user=clear"));
}

/// A server could keep us busy with hashing before it has proved anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_too_many_iterations_is_refused() {
    let pki = Pki::new();
    let Some(server) = Postgres::start(&pki) else { return };
    let admin = Binding { username: "admin", ..Binding::app(server.port()) }.open(&pki);
    for (iterations, told) in [(100_000, "does not accept"), (100_001, "iterations")] {
        let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        admin.execute(&format!("alter role app password 'SCRAM-SHA-256${iterations}:AAAA${key}:{key}'")).await;
        let error = Binding::app(server.port()).open(&pki).test().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Authentication, "postgres-sign-in"), "{iterations}: {error}");
        assert!(error.text().contains(told), "{iterations}: {error}");
    }
}

#[tokio::test]
async fn strong_ways_to_sign_in_work() {
    let Some((pki, server)) = shared() else { return };
    for (username, password, certificate) in [
        ("app", Some(CANARY), None),
        ("client", None, Some(pki.client("client", true))),
        ("both", Some(CANARY), Some(pki.client("both", true))),
    ] {
        let account = Binding { username, password, certificate, ..Binding::app(server.port()) }.open(pki);
        account.test().await.unwrap();
        assert_eq!(account.value("select current_user", json!([])).await, username);
        let sql = "select version from pg_stat_ssl where pid = pg_backend_pid()";
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
            assert!(error.private().reveal().contains("lockgate operator egress allow"), "{host}");
        }
    }
    let all = Egress::new(vec![
        Allowance::parse("0.0.0.0/0", 1, u16::MAX).unwrap(),
        Allowance::parse("::/0", 1, u16::MAX).unwrap(),
    ]);
    for host in ["169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "100.100.100.200"] {
        let error = Binding { host, egress: all.clone(), ..Binding::app(5432) }.open(pki).test().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{host}: {error}");
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
    let Some((pki, server)) = shared() else { return };
    let account = Binding::app(server.port()).open(pki);
    let error = account.fails("copy", "select 1", json!([])).await;
    assert_eq!((error.kind(), error.operation()), (Kind::Configuration, None));
    for (operation, input) in [
        ("query", json!({})),
        ("query", json!({"sql": 1})),
        ("query", json!({"sql": " "})),
        ("query", json!({"sql": "x".repeat(300_000)})),
        ("query", json!({"sql": "select 1", "parameters": "x"})),
        ("query", json!({"sql": "select 1", "parameters": {"a": 1}})),
        ("query", json!({"sql": "select 1", "params": []})),
        ("query", json!({"sql": "select 1", "parameters": [1]})),
        ("query", json!({"sql": "select $1::int, $2::int as b", "parameters": [1]})),
        ("query", json!({"sql": "select 1, 2"})),
        ("query", json!({"sql": "select 1 as a, 2 as a"})),
        ("query", json!({"sql": "select 1 as \"a\0b\""})),
        ("query", json!({"sql": "commit"})),
        ("query", json!({"sql": ";"})),
        ("query", json!({"sql": "copy (select 1) to stdout"})),
        ("execute", json!({"sql": "copy (select 1) to stdout"})),
        ("execute", json!({"sql": "begin"})),
        ("batch", json!({"sql": "select 1"})),
        ("batch", json!({"sql": "select 1", "parameters": [1]})),
        ("batch", json!({"sql": "select 1", "parameters": [[]]})),
    ] {
        let mut call = call(operation, "", json!([]));
        call.input = lockgate_document::Document::parse(input.to_string().as_bytes(), &Default::default()).unwrap();
        let error = account.invoke(call).await.expect_err(&input.to_string());
        tells_nothing(&error);
        assert_eq!(error.kind(), Kind::Input, "{operation} {input}: {error}");
        account.test().await.unwrap();
    }
}
