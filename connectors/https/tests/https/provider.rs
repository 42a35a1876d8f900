//! Tokens for client credentials from a provider that others certified, shown to a resource that asks it.

use lockgate_connector_api::Kind;
use lockgate_testkit::{
    Idp, Pki,
    contract::{CANARY, loopback},
};
use serde_json::json;

use crate::account::Account;

const BASIC: &str = "erp+gate: 100%";

fn account(pki: &Pki, port: u16, client: &str, more: &[(&str, &str)]) -> Account {
    let url = format!("https://localhost:{port}/token");
    let settings = [&[("auth", "oauth2"), ("client_id", client), ("token_url", &url)], more].concat();
    let by_certificate = more.contains(&("client_auth", "certificate"));
    let secrets: &[&str] = if by_certificate { &[] } else { &["client_secret"] };
    let own = by_certificate.then(|| pki.client("erp", true));
    Account::open_with(pki.client_config(own), port, &settings, secrets, loopback())
}

#[tokio::test]
async fn a_client_shows_itself_to_a_certified_provider_in_each_way() {
    let pki = Pki::new();
    let Some(idp) = Idp::start(&pki, CANARY) else { return };
    for (client, more) in [
        (BASIC, &[("scope", "orders")][..]),
        ("erp-post", &[("scope", "orders"), ("client_auth", "post")]),
        ("erp-cert", &[("scope", "orders"), ("client_auth", "certificate")]),
    ] {
        let account = account(&pki, idp.port(), client, more);
        let first = account.call("get", json!({"path": "resource"})).await.unwrap();
        let told = |name: &str| first["body"][name].clone();
        assert_eq!((told("client"), told("scope")), (client.into(), "orders".into()));
        // One token for all calls, until the provider ends it: then another one, and the call is made again.
        assert_eq!(account.call("get", json!({"path": "resource/end"})).await.unwrap()["body"]["id"], told("id"));
        let other = account.call("get", json!({"path": "resource"})).await.unwrap();
        assert!(other["status"] == 200 && other["body"]["id"] != told("id"), "{other}");
    }
}

#[tokio::test]
async fn what_a_certified_provider_refuses_is_an_authentication_that_failed() {
    let pki = Pki::new();
    let Some(idp) = Idp::start(&pki, "another secret") else { return };
    let port = idp.port();
    for account in [
        account(&pki, port, BASIC, &[]),
        account(&pki, port, "nobody", &[]),
        account(&pki, port, "erp-post", &[("client_auth", "post")]),
        account(&pki, port, "erp-cert", &[("client_auth", "post")]),
        account(&pki, port, "erp-cert", &[("client_auth", "certificate"), ("scope", "stock")]),
    ] {
        let error = account.fails("get", json!({"path": "resource"})).await;
        assert_eq!((error.kind(), error.code()), (Kind::Authentication, "https-oauth2"), "{error}");
    }
    // Somebody else's certificate.
    let url = format!("https://localhost:{port}/token");
    let settings = [("auth", "oauth2"), ("client_id", "erp-cert"), ("token_url", &url), ("client_auth", "certificate")];
    for own in [pki.client("eve", true), pki.client("erp", false)] {
        let account = Account::open_with(pki.client_config(Some(own)), port, &settings, &[], loopback());
        let error = account.fails("get", json!({"path": "resource"})).await;
        assert_eq!(error.kind(), Kind::Authentication, "{error}");
    }
}
