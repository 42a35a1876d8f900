//! A server that refuses a request with the request itself: no error tells what the account signed in with.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::StreamExt as _;
use lockgate_connector_api::{Error, Streamed};
use lockgate_testkit::{
    Arrived, Pki, Told,
    contract::CANARY,
    signin::{tokens, told},
};
use serde_json::json;

use crate::account::{ALPNS, Account, call, peer};

/// All headers of a request, behind a text of so many bytes.
fn headers(arrived: &Arrived, before: usize) -> Told {
    let lines = arrived.headers.iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
    told(422, &[], &format!("{}you sent\n{}", "-".repeat(before), lines.collect::<String>()))
}

/// What an error tells, none of these.
fn tells(error: &Error, secrets: &[String]) -> String {
    let said = error.private().reveal().clone();
    for secret in secrets {
        assert!(!said.contains(secret.as_str()), "`{secret}` is told: {said}");
        // Nor the beginning of one that was cut off.
        for length in 6..secret.len() {
            let beginning = secret.get(..length).unwrap();
            assert!(!said.ends_with(beginning), "`{beginning}` is told");
        }
    }
    said
}

#[tokio::test]
async fn an_endpoint_that_says_headers_back_gives_no_secret_away() {
    let pki = Pki::new();
    for alpn in ALPNS {
        let peer = peer(&pki, alpn).await;
        let basic = STANDARD.encode(format!("ada:{CANARY}"));
        tokens(&peer, "");
        let url = format!("https://localhost:{}/token", peer.port());
        let ways = [
            (vec![("auth", "bearer")], "token", CANARY),
            (vec![("auth", "basic"), ("username", "ada")], "password", &*basic),
            (vec![("auth", "header"), ("header_name", "x-api-key")], "header_value", CANARY),
            (vec![("auth", "oauth2"), ("client_id", "c"), ("token_url", &*url)], "client_secret", "t1"),
        ];
        for (settings, secret, shown) in ways {
            let account = Account::open(&pki, peer.port(), &settings, &[secret]);
            let secrets = [CANARY.to_owned(), shown.to_owned()];
            peer.answers("/base/x", |arrived| headers(arrived, 0));
            let said = tells(&account.fails("get", json!({"path": "x"})).await, &secrets);
            assert!(said.contains("you sent") && said.contains("[secret]"), "{said}");
            assert!(said.contains("user-agent: lockgate"), "the rest is told: {said}");
            // As JSON, as a page and in a form.
            peer.answers("/base/x", |arrived| {
                let all: Vec<_> = arrived.headers.values().map(|value| value.to_str().unwrap()).collect();
                told(500, &[], &json!(all).to_string())
            });
            tells(&account.fails("post", json!({"path": "x", "body": 1})).await, &secrets);
            // Pages, the first and one behind it.
            peer.answers("/base/x", |arrived| match arrived.target.contains("second") {
                true => headers(arrived, 0),
                false => Told { headers: vec![("link", "<x?second=1>; rel=next".to_owned())], ..told(200, &[], "[1]") },
            });
            let list = json!({"path": "x", "next": {"link": "next"}});
            tells(&account.fails("pages", list.clone()).await, &secrets);
            let mut streamed = call("pages", list);
            streamed.stream = true;
            let mut records = account.invoke(streamed).await.unwrap().stream.and_then(Streamed::records).unwrap();
            assert!(records.next().await.unwrap().is_ok());
            let said = tells(&records.next().await.unwrap().unwrap_err(), &secrets);
            assert!(said.contains("[secret]"), "{said}");
            // Where the detail ends in the middle of it.
            for before in (3900..4096).step_by(7) {
                peer.answers("/base/x", move |arrived| headers(arrived, before));
                tells(&account.fails("get", json!({"path": "x"})).await, &secrets);
            }
        }
    }
}

/// The token endpoint's words as well.
#[tokio::test]
async fn a_token_endpoint_gives_no_secret_away() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    peer.answers("/token", |arrived| {
        let shown = String::from_utf8_lossy(&arrived.body).into_owned();
        let shown = arrived.headers.get("authorization").map_or(shown, |value| value.to_str().unwrap().to_owned());
        told(400, &[], &json!({"error": format!("no: {shown}")}).to_string())
    });
    let url = format!("https://localhost:{}/token", peer.port());
    for by in ["basic", "post"] {
        let settings = [("auth", "oauth2"), ("client_id", "c"), ("token_url", &*url), ("client_auth", by)];
        let account = Account::open(&pki, peer.port(), &settings, &["client_secret"]);
        let error = account.fails("get", json!({"path": "x"})).await;
        let said = tells(&error, &[CANARY.to_owned(), STANDARD.encode(format!("c:{CANARY}"))]);
        assert!(said.contains("[secret]"), "{said}");
    }
}
