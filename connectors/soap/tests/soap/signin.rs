//! Who calls: by digest, by tokens and by a certificate, against servers that look at what they are shown.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use lockgate_connector_api::Kind;
use lockgate_testkit::{
    HttpsPeer, Nginx, Pki, SoapPeer, Told,
    contract::CANARY,
    signin::{self, CHALLENGE, authorization},
};
use serde_json::json;

use crate::account::{Account, BASE, TOLD, WEATHER, envelope, forecast, peer, told};

fn weather() -> Told {
    told(200, "text/xml", envelope("", TOLD))
}

fn open(pki: &Pki, peer: &HttpsPeer, settings: &[(&str, &str)], secret: &str) -> Account {
    let address = format!("https://localhost:{}{BASE}", peer.port());
    Account::open(pki, &address, settings, &[(secret, CANARY.to_owned())])
}

#[tokio::test]
async fn a_digest_answers_the_challenge_once_and_each_request_carries_its_envelope() {
    let pki = Pki::new();
    let peer = peer(&pki).await;
    signin::digest(&peer, BASE, |_| weather());
    let account = open(&pki, &peer, &[("auth", "digest"), ("username", "ada")], "password");
    for _ in 0..4 {
        assert_eq!(account.call(forecast("Ulm")).await.unwrap()["output"]["day"][0]["name"], "mon");
    }
    // One for the first challenge, one for the nonce that had become too old.
    let requests = peer.requests();
    assert_eq!(requests.len(), 6);
    assert!(authorization(&requests[0]).is_none());
    let carries = |request: &lockgate_testkit::Arrived| String::from_utf8_lossy(&request.body).contains("Ulm");
    assert!(requests.iter().all(carries));
    assert!(requests.iter().all(|request| !authorization(request).unwrap_or_default().contains(CANARY)));

    peer.answers(BASE, |_| signin::told(401, &[("www-authenticate", CHALLENGE)], "unwelcome"));
    let error = open(&pki, &peer, &[("auth", "digest"), ("username", "ada")], "password").fails(forecast("Ulm")).await;
    assert_eq!((error.kind(), error.status()), (Kind::Authentication, Some(401)));
    assert_eq!(peer.requests().len(), 8, "it is told after one answer");
}

#[tokio::test]
async fn one_token_serves_many_calls_until_it_is_refused() {
    let pki = Pki::new();
    let peer = peer(&pki).await;
    let given = signin::tokens(&peer, ",\"expires_in\":3600");
    let good = Arc::new(AtomicU32::new(1));
    let taken = Arc::clone(&good);
    peer.answers(BASE, move |arrived| {
        let wanted = format!("Bearer t{}", taken.load(Ordering::SeqCst));
        if authorization(arrived) == Some(wanted) { weather() } else { signin::told(401, &[], "") }
    });
    let url = format!("https://localhost:{}/token", peer.port());
    let settings = [("auth", "oauth2"), ("client_id", "us"), ("token_url", &url)];
    let account = open(&pki, &peer, &settings, "client_secret");
    for _ in 0..3 {
        account.call(forecast("Ulm")).await.unwrap();
    }
    assert_eq!(given.load(Ordering::SeqCst), 1);
    // Refused: forgotten, and once more with another one.
    good.store(2, Ordering::SeqCst);
    account.call(forecast("Ulm")).await.unwrap();
    assert_eq!(given.load(Ordering::SeqCst), 2);

    let before = peer.requests().len();
    peer.answers("/token", |_| signin::told(401, &[], "{\"error\":\"invalid_client\"}"));
    let error = open(&pki, &peer, &settings, "client_secret").fails(forecast("Ulm")).await;
    assert_eq!(error.kind(), Kind::Authentication, "{error}");
    let more = peer.requests().split_off(before);
    assert!(more.iter().all(|request| request.target == "/token"), "nothing went to the service without a token");
}

/// A service on npm `soap` behind nginx, which lets nobody in without a certificate of its CA.
#[tokio::test]
async fn a_certificate_is_shown() {
    let pki = Pki::new();
    let Some(service) = SoapPeer::node(&pki, WEATHER) else { return };
    let Some(nginx) = Nginx::before(&pki, service.port()) else { return };
    let address = format!("https://localhost:{}/behind/weather", nginx.port());
    let settings = [("security", "username-text"), ("token_username", "reader")];
    let secrets = [("token_password", "rain-4".to_owned())];
    let as_whom = |own| Account::as_whom(&pki, own, &address, &settings, &secrets).unwrap();
    for own in [None, Some(pki.client("stranger", false))] {
        as_whom(own).fails(forecast("Ulm")).await;
    }
    assert_eq!(nginx.requests(), 0);
    let told = as_whom(Some(pki.client("subject", true))).call(forecast("Ulm")).await.unwrap();
    assert_eq!(told["output"]["day"][1], json!({"name": "tue", "degrees": "-1"}));
}
