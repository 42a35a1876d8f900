//! What must not work: servers that do not prove themselves, addresses out of bounds, inputs that are
//! none. Ways to sign in differ by database; those that every one has are here.

use lockgate_connector_api::{Allowance, Egress, Kind};
use serde_json::json;

use super::{Binding, Database, Server as _, call_of};
use crate::{
    Pki,
    contract::{CANARY, tells_nothing},
    pki::Server,
};

/// All of it.
pub async fn what_must_not_work_is_refused<D: Database>() {
    let Some(_) = D::shared() else { return };
    a_server_without_tls_is_told_nothing::<D>().await;
    a_server_that_does_not_prove_itself_is_told_nothing::<D>().await;
    addresses_out_of_bounds_are_not_dialled::<D>().await;
    a_kept_connection_is_not_used_past_the_rule::<D>().await;
    unknown_operations_and_inputs_are_refused::<D>().await;
    who_cannot_prove_who_they_are_is_refused::<D>().await;
    who_can_is_let_in::<D>().await;
}

/// A server that offers no TLS is told nothing.
async fn a_server_without_tls_is_told_nothing<D: Database>() {
    let pki = Pki::new();
    let Some(server) = D::Server::start_without_tls(&pki) else { return };
    let account = Binding::app::<D>(server.port()).open(&pki);
    let error = account.fails("query", "select 1", json!([])).await;
    assert_eq!((error.kind(), error.code()), (Kind::Identity, &*format!("{}-no-tls", D::SCHEME.name)));
    assert!(!error.is_transient());
    assert_eq!(account.test().await.unwrap_err().kind(), Kind::Identity);
    // A role name is in what comes after TLS; the server has seen none.
    assert!(!server.seen().contains("app"), "{}", server.seen());
}

/// One with a bad certificate is told nothing.
async fn a_server_that_does_not_prove_itself_is_told_nothing<D: Database>() {
    let pki = Pki::new();
    let Some(server) = D::Server::start(&pki) else { return };
    for certificate in Server::BAD {
        server.serve_with(&pki.server(certificate));
        let account = Binding::app::<D>(server.port()).open(&pki);
        let error = account.fails("query", "select 1", json!([])).await;
        assert_eq!(error.kind(), Kind::Identity, "{certificate:?}: {error}");
        assert_eq!(account.test().await.unwrap_err().kind(), Kind::Identity, "{certificate:?}");
    }
    assert!(!server.seen().contains("user=app") && !server.seen().contains("app@"), "{}", server.seen());
    // Another CA of ours, and then the one that signed it.
    server.serve_with(&pki.server(Server::Good));
    let elsewhere = Binding::app::<D>(server.port()).open(&Pki::new());
    assert_eq!(elsewhere.fails("query", "select 1", json!([])).await.kind(), Kind::Identity);
    for host in ["localhost", "127.0.0.1"] {
        Binding { host, ..Binding::app::<D>(server.port()) }.open(&pki).test().await.unwrap();
    }
}

/// Addresses that the egress rule does not allow are not dialled.
async fn addresses_out_of_bounds_are_not_dialled<D: Database>() {
    let Some((pki, server)) = D::shared() else { return };
    let elsewhere = Egress::new(vec![Allowance::parse("127.0.0.0/8", 1, server.port() - 1).unwrap()]);
    for egress in [Egress::new(Vec::new()), elsewhere] {
        for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"] {
            let binding = Binding { host, egress: egress.clone(), ..Binding::app::<D>(server.port()) };
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
        let error =
            Binding { host, egress: all.clone(), ..Binding::app::<D>(5432) }.open(pki).test().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{host}: {error}");
    }
}

/// An allowance that was withdrawn holds for kept connections too.
async fn a_kept_connection_is_not_used_past_the_rule<D: Database>() {
    let Some((pki, server)) = D::shared() else { return };
    let mut account = Binding::app::<D>(server.port()).open(pki);
    account.test().await.unwrap();
    account.cx.egress = Egress::new(Vec::new()).into();
    let error = account.fails("query", "select 1", json!([])).await;
    assert_eq!(error.kind(), Kind::Refused);
}

/// Operations that are none, and inputs that break their rules.
async fn unknown_operations_and_inputs_are_refused<D: Database>() {
    let Some((pki, server)) = D::shared() else { return };
    let account = Binding::app::<D>(server.port()).open(pki);
    let error = account.fails("copy", "select 1", json!([])).await;
    assert_eq!((error.kind(), error.operation()), (Kind::Configuration, None));
    let given = |sql: &str, parameters| json!({"sql": sql, "parameters": parameters});
    let everywhere = [
        ("query", json!({})),
        ("query", json!({"sql": 1})),
        ("query", json!({"sql": " "})),
        ("query", json!({"sql": "x".repeat(300_000)})),
        ("query", given("select 1", json!("x"))),
        ("query", given("select 1", json!({"a": 1}))),
        ("query", json!({"sql": "select 1", "params": []})),
        ("query", given("select 1", json!([1]))),
        ("query", json!({"sql": "select 1 as a, 2 as a"})),
        ("query", json!({"sql": "commit"})),
        ("execute", json!({"sql": "begin"})),
        ("batch", json!({"sql": "select 1"})),
        ("batch", given("select 1", json!([1]))),
        ("batch", given("select 1", json!([[]]))),
    ];
    for (operation, input) in everywhere.into_iter().chain(D::refused()) {
        let error = account.invoke(call_of(operation, &input)).await.expect_err(&input.to_string());
        tells_nothing(&error);
        assert_eq!(error.kind(), Kind::Input, "{operation} {input}: {error}");
        account.test().await.unwrap();
    }
}

/// Who can prove who they are is let in.
async fn who_can_is_let_in<D: Database>() {
    let Some((pki, server)) = D::shared() else { return };
    for (username, password, certificate) in [
        ("app", Some(CANARY), None),
        ("client", None, Some(pki.client("client", true))),
        ("both", Some(CANARY), Some(pki.client("both", true))),
    ] {
        let account = Binding { username, password, certificate, ..Binding::app::<D>(server.port()) }.open(pki);
        account.test().await.unwrap();
        assert_eq!(account.value(D::WHO, json!([])).await, username);
        assert_eq!(account.value(D::TLS, json!([])).await, "TLSv1.3");
    }
}

/// Who cannot prove who they are is refused.
async fn who_cannot_prove_who_they_are_is_refused<D: Database>() {
    let Some((pki, server)) = D::shared() else { return };
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
        let binding = Binding { username, password, certificate, ..Binding::app::<D>(server.port()) };
        let error = binding.open(pki).test().await.expect_err(username);
        tells_nothing(&error);
        assert_eq!(error.kind(), kind, "{username}: {error}, {}", error.private().reveal());
    }
}
