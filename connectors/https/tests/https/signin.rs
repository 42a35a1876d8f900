//! Digest authentication and tokens for client credentials, against a server that checks what it is shown.

use std::sync::{Arc, atomic::Ordering};

use lockgate_connector_api::{Body, Kind};
use lockgate_testkit::{
    HttpsPeer, Pki,
    contract::{CANARY, loopback, tells_nothing},
    pki::Server,
    signin::{self, CHALLENGE, authorization, tokens, told},
};
use serde_json::json;

use crate::account::{ALPNS, Account, call, peer};

fn digest(pki: &Pki, port: u16) -> Account {
    Account::open(pki, port, &[("auth", "digest"), ("username", "ada")], &["password"])
}

#[tokio::test]
async fn a_digest_answers_the_challenge_once_and_then_beforehand() {
    for alpn in ALPNS {
        let pki = Pki::new();
        let peer = peer(&pki, alpn).await;
        signin::digest(&peer, "/base/x", |_| told(200, &[], ""));
        let account = digest(&pki, peer.port());
        for n in 1..=4 {
            let sent = account.call("post", json!({"path": "x", "query": {"n": n}, "body": {"n": n}})).await.unwrap();
            assert_eq!(sent["status"], 200);
        }
        // One for the first challenge, one for the nonce that had become too old.
        let requests = peer.requests();
        assert_eq!(requests.len(), 6);
        assert!(authorization(&requests[0]).is_none());
        assert!(requests.iter().all(|request| request.body.len() == 7), "each carries its content");
        assert!(requests.iter().all(|request| !authorization(request).unwrap_or_default().contains(CANARY)));
    }
}

#[tokio::test]
async fn a_streamed_request_signs_in_with_a_challenge_it_asked_for_beforehand() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    signin::digest(&peer, "/base/x", |_| told(200, &[], ""));
    let account = digest(&pki, peer.port());
    let mut streamed = call("put", json!({"path": "x"}));
    streamed.body = Some(Body::full("a stream"));
    account.invoke(streamed).await.unwrap();
    let methods: Vec<_> = peer.requests().iter().map(|r| (r.method.clone(), r.body.len())).collect();
    assert_eq!(methods, [("HEAD".into(), 0), ("PUT".into(), 8)]);
}

#[tokio::test]
async fn a_wrong_password_is_told_after_one_answer_and_never_shown() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    peer.answers("/base/x", |_| told(401, &[("www-authenticate", CHALLENGE)], "unwelcome"));
    let account = digest(&pki, peer.port());
    let error = account.fails("get", json!({"path": "x"})).await;
    assert_eq!((error.kind(), error.status()), (Kind::Authentication, Some(401)));
    assert_eq!(peer.requests().len(), 2);
    // A server that wants something else is told nothing.
    peer.answers("/base/y", |_| told(401, &[("www-authenticate", "Basic realm=\"r\"")], "unwelcome"));
    let account = digest(&pki, peer.port());
    assert_eq!(account.fails("get", json!({"path": "y"})).await.kind(), Kind::Authentication);
    assert_eq!(peer.requests().len(), 3);
}

fn oauth2(pki: &Pki, port: u16, more: &[(&str, &str)]) -> Account {
    let url = format!("https://localhost:{port}/token");
    let settings = [&[("auth", "oauth2"), ("client_id", "our id"), ("token_url", &url)], more].concat();
    let secrets: &[&str] = if more.contains(&("client_auth", "certificate")) { &[] } else { &["client_secret"] };
    Account::open(pki, port, &settings, secrets)
}

#[tokio::test]
async fn one_token_serves_many_calls_until_it_ends_or_is_refused() {
    let pki = Pki::new();
    let peer = peer(&pki, &["h2", "http/1.1"]).await;
    let given = tokens(&peer, ",\"expires_in\":3600");
    let account = Arc::new(oauth2(&pki, peer.port(), &[("scope", "read write"), ("audience", "erp")]));
    let calls = (0..20).map(|_| {
        let account = Arc::clone(&account);
        tokio::spawn(async move { account.call("get", json!({"path": "echo"})).await.unwrap() })
    });
    for one in calls.collect::<Vec<_>>() {
        assert_eq!(one.await.unwrap()["body"]["headers"]["authorization"], "Bearer t1");
    }
    assert_eq!(given.load(Ordering::SeqCst), 1, "one asks, the others wait");
    let asked = peer.requests().into_iter().find(|request| request.target == "/token").unwrap();
    assert_eq!(asked.body, "grant_type=client_credentials&scope=read+write&audience=erp");
    assert!(authorization(&asked).unwrap().starts_with("Basic "));

    // Refused: forgotten, and once more with another one.
    peer.answers("/base/x", |arrived| match authorization(arrived).unwrap().as_str() {
        "Bearer t1" => told(401, &[("www-authenticate", "Bearer error=\"invalid_token\"")], ""),
        _ => told(200, &[], ""),
    });
    assert_eq!(account.call("post", json!({"path": "x", "body": 1})).await.unwrap()["status"], 200);
    assert_eq!(given.load(Ordering::SeqCst), 2);
    // A streamed request is not sent twice; the next call has a new token.
    peer.answers("/base/y", |arrived| match authorization(arrived).unwrap().as_str() {
        "Bearer t2" => told(401, &[], ""),
        _ => told(200, &[], ""),
    });
    let mut streamed = call("put", json!({"path": "y"}));
    streamed.body = Some(Body::full("a stream"));
    let error = account.invoke(streamed).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Authentication);
    assert_eq!(account.call("put", json!({"path": "y", "body": 1})).await.unwrap()["status"], 200);
    assert_eq!(given.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_token_that_has_ended_is_not_sent() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    let given = tokens(&peer, ",\"expires_in\":0.4");
    let account = oauth2(&pki, peer.port(), &[("client_auth", "post")]);
    let shown = async || {
        account.call("get", json!({"path": "echo"})).await.unwrap()["body"]["headers"]["authorization"].clone()
    };
    assert_eq!(shown().await, "Bearer t1");
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert_eq!(shown().await, "Bearer t2");
    assert_eq!(given.load(Ordering::SeqCst), 2);
    let asked = peer.requests().into_iter().find(|request| request.target == "/token").unwrap();
    let text = String::from_utf8(asked.body.to_vec()).unwrap();
    assert!(text.contains("client_id=our+id&client_secret=") && authorization(&asked).is_none(), "{text}");
    // One without an end lasts until it is refused.
    let given = tokens(&peer, "");
    let account = oauth2(&pki, peer.port(), &[("client_auth", "certificate")]);
    for _ in 0..3 {
        account.call("get", json!({"path": "echo"})).await.unwrap();
    }
    assert_eq!(given.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_token_endpoint_that_refuses_or_talks_nonsense_is_told_apart() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    let account = oauth2(&pki, peer.port(), &[]);
    for (status, answer, kind) in [
        (401, "{\"error\":\"invalid_client\"}", Kind::Authentication),
        (400, "{\"error\":\"invalid_scope\"}", Kind::Authentication),
        (503, "", Kind::Unavailable),
        (302, "", Kind::Unavailable),
        (200, "", Kind::Protocol),
        (200, "{\"access_token\":\"t\"}", Kind::Protocol),
        (200, "{\"access_token\":\"\",\"token_type\":\"bearer\"}", Kind::Protocol),
        (200, "{\"access_token\":\"a\\r\\nb\",\"token_type\":\"bearer\"}", Kind::Protocol),
        (200, "{\"access_token\":\"t\",\"token_type\":\"mac\"}", Kind::Protocol),
    ] {
        let answer = answer.to_owned();
        peer.answers("/token", move |_| told(status, &[], &answer));
        let error = account.fails("get", json!({"path": "echo"})).await;
        assert_eq!((error.kind(), error.code()), (kind, "https-oauth2"), "{status}: {error}");
    }
    peer.answers("/token", |_| told(200, &[], &" ".repeat(100_000)));
    tells_nothing(&account.fails("get", json!({"path": "echo"})).await);
    assert!(peer.requests().iter().all(|request| request.target == "/token"), "nothing went to the endpoint itself");
    // Its address passes the same rule, and its certificate the same check.
    let settings = [("auth", "oauth2"), ("client_id", "c"), ("token_url", "https://10.0.0.1/token")];
    let account = Account::open_with(pki.client_config(None), peer.port(), &settings, &["client_secret"], loopback());
    let error = account.fails("get", json!({"path": "echo"})).await;
    assert_eq!(error.kind(), Kind::Refused, "{error}");
    let strange = HttpsPeer::start(pki.server_config(Server::UnknownCa, false, &["http/1.1"])).await;
    let url = format!("https://localhost:{}/token", strange.port());
    let settings = [("auth", "oauth2"), ("client_id", "c"), ("token_url", url.as_str())];
    let account = Account::open(&pki, peer.port(), &settings, &["client_secret"]);
    assert_eq!(account.fails("get", json!({"path": "echo"})).await.kind(), Kind::Identity);
    assert!(strange.requests().is_empty());
}
