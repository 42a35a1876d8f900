//! Ways to sign in that only PostgreSQL has, and that must not work.

use lockgate_connector_api::Kind;
use lockgate_testkit::{
    Pki,
    contract::{CANARY, tells_nothing},
    postgres::Postgres,
};

use crate::account::{Binding, binding, shared};

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
        let binding = Binding { username, password, certificate, ..binding(server.port()) };
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
    let admin = Binding { username: "admin", ..binding(server.port()) }.open(&pki);
    for (iterations, told) in [(100_000, "does not accept"), (100_001, "iterations")] {
        let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        admin.execute(&format!("alter role app password 'SCRAM-SHA-256${iterations}:AAAA${key}:{key}'")).await;
        let error = binding(server.port()).open(&pki).test().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Authentication, "postgres-sign-in"), "{iterations}: {error}");
        assert!(error.text().contains(told), "{iterations}: {error}");
    }
}
