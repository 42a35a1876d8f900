//! What is refused before anything is sent.

use lockgate_connector_api::{Body, Call, Kind};
use lockgate_testkit::Pki;
use serde_json::{Value, json};

use crate::account::{Account, BASE, WEATHER, call, forecast, peer, wsdl};

#[tokio::test]
async fn input_that_breaks_a_rule_is_never_sent() {
    let pki = Pki::new();
    let peer = peer(&pki).await;
    let account = Account::at(&pki, peer.port());
    let with = |key: &str, value: Value| {
        let mut input = forecast("Ulm");
        input[key] = value;
        input
    };
    for (input, code) in [
        (json!({}), "soap-description"),
        (with("wsdl", "documents/a.wsdl".into()), "soap-description"),
        (with("wsdl", json!({"main": "x", "documents": {}})), "soap-description"),
        (with("wsdl", wsdl("<definitions/>")), "soap-description"),
        (with("wsdl", wsdl(&WEATHER.replace("<types>", "<!DOCTYPE x><types>"))), "soap-description"),
        (with("port", "WeatherPart".into()), "soap-description"),
        (with("operation", "forecats".into()), "soap-description"),
        (with("operation", json!(["forecast"])), "soap-description"),
        (with("input", json!({"town": "Ulm", "land": "D"})), "soap-value"),
        (with("input", json!({"twon": "Ulm"})), "soap-value"),
        (with("input", json!("Ulm")), "soap-value"),
        (with("input", json!({"town": "a\u{0}b"})), "soap-value"),
        (with("headers", json!({"Token": "x"})), "soap-value"),
        (with("headers", json!("x")), "soap-input"),
        (with("inptu", json!({})), "soap-input"),
        (with("path", "../x".into()), "soap-input"),
        (with("path", "a/%2e%2e/b".into()), "soap-input"),
        (with("path", "a?b c".into()), "soap-input"),
        (with("path", "a\r\nx: y".into()), "soap-input"),
        (with("path", json!(1)), "soap-input"),
        (with("attachment", json!({})), "soap-input"),
        (with("attachment", "not referred to".into()), "soap-input"),
        (with("attachment_type", "text/plain".into()), "soap-input"),
    ] {
        let error = account.fails(input.clone()).await;
        assert_eq!(error.code(), code, "{input}");
        assert!(matches!(error.kind(), Kind::Input | Kind::Configuration), "{error}");
    }
    let mut typed = forecast("cid:attachment");
    typed["attachment"] = "x".into();
    for wrong in ["text/plain\r\nx: y", "", "text plain!"] {
        typed["attachment_type"] = wrong.into();
        assert_eq!(account.fails(typed.clone()).await.kind(), Kind::Input, "{wrong}");
    }
    // A stream that belongs nowhere.
    let streamed = Call { body: Some(Body::full("x")), ..call("call", forecast("Ulm")) };
    assert_eq!(account.invoke(streamed).await.unwrap_err().code(), "soap-input");
    assert_eq!((peer.connections(), peer.requests().len()), (0, 0));
}

#[tokio::test]
async fn an_account_that_cannot_work_is_refused_without_telling_its_secrets() {
    let pki = Pki::new();
    let (own, rsa) = (pki.client("own", true), "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n");
    let pem = own.certificate_pem();
    let address = format!("https://localhost:1{BASE}");
    for (settings, secrets) in [
        (vec![("security", "username-text")], vec![("token_password", "canary".to_owned())]),
        (vec![("security", "username-text"), ("token_username", "u")], vec![]),
        (vec![], vec![("signing_key", rsa.to_owned()), ("signing_certificate", pem.clone())]),
        (vec![], vec![("signing_key", own.key_pem()), ("signing_certificate", "canary".to_owned())]),
        (vec![], vec![("signing_key", own.key_pem()), ("signing_certificate", own.key_pem())]),
        (vec![], vec![("answer_certificate", "canary".to_owned())]),
        (vec![("auth", "basic")], vec![("password", "canary".to_owned())]),
    ] {
        let error = Account::try_open(&pki, &address, &settings, &secrets).err().expect("refused");
        assert_eq!(error.kind(), Kind::Configuration, "{settings:?}");
        assert!(!format!("{error} {error:?} {}", error.private().reveal()).contains("canary"), "{settings:?}");
    }
}

#[tokio::test]
async fn what_is_signed_has_no_attachment() {
    let pki = Pki::new();
    let (peer, own) = (peer(&pki).await, pki.client("own", true));
    let secrets = [("signing_key", own.key_pem()), ("signing_certificate", own.certificate_pem())];
    let account = Account::open(&pki, &format!("https://localhost:{}{BASE}", peer.port()), &[], &secrets);
    let mut input = forecast("cid:attachment");
    input["attachment"] = "x".into();
    assert_eq!(account.fails(input).await.code(), "soap-input");
    assert_eq!(peer.connections(), 0);
}
