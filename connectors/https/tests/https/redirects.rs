//! Redirects: inside the base, to other origins, and where they must not lead.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lockgate_connector_api::{Allowance, Egress, Kind};
use lockgate_testkit::{
    HttpsPeer, Pki,
    contract::{CANARY, loopback, tells_nothing},
    pki::Server,
};
use serde_json::{Value, json};

use crate::account::{ALPNS, Account, peer, redirect};

#[tokio::test]
async fn redirects_that_lead_astray_are_refused() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    let other = HttpsPeer::start(pki.server_config(Server::Good, false, &[])).await;
    let plain = format!("http://localhost:{}/base/echo", peer.port());
    let elsewhere = format!("https://localhost:{}/echo", other.port());
    let literal = format!("https://[::1]:{}/", other.port());
    for to in [plain.as_str(), "/echo", "//x@localhost/base/", &elsewhere, "https://169.254.169.254/latest/meta-data/"]
    {
        let account = Account::open(&pki, peer.port(), &[], &[]);
        let error = redirect(&account, "get", 302, to, json!({})).await.unwrap_err();
        assert!(matches!(error.kind(), Kind::Refused | Kind::Protocol), "{to}: {error}");
        tells_nothing(&error);
    }
    // With redirects to anywhere allowed, the address there passes the same egress rule.
    let allowed = vec![Allowance::parse("127.0.0.0/8", peer.port(), peer.port()).unwrap()];
    for to in [
        elsewhere.as_str(),
        literal.as_str(),
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:169.254.169.254]/",
        "https://10.0.0.1/",
        "https://100.100.100.200/",
    ] {
        let tls = pki.client_config(None);
        let egress = Egress::new(allowed.clone());
        let account = Account::open_with(tls, peer.port(), &[("redirects", "any-origin")], &[], egress);
        let error = redirect(&account, "get", 302, to, json!({})).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Refused, "egress"), "{to}: {error}");
    }
    let account = Account::open(&pki, peer.port(), &[("redirects", "any-origin")], &[]);
    let error = redirect(&account, "post", 307, &elsewhere, json!({"body": "data"})).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Refused, "https-redirect"));
    assert_eq!(other.connections(), 0);
    // A circle ends.
    let error = redirect(&account, "get", 302, "", json!({})).await.unwrap_err();
    assert_eq!(error.code(), "https-redirect");
    assert!(peer.requests().len() < 40);
}

#[tokio::test]
async fn a_client_certificate_is_shown_at_home_and_nowhere_else() {
    let pki = Pki::new();
    for alpn in ALPNS {
        let home = HttpsPeer::start(pki.server_config(Server::Good, true, alpn)).await;
        for own in [None, Some(pki.client("stranger", false))] {
            let account = Account::open_with(pki.client_config(own), home.port(), &[], &[], loopback());
            let error = account.fails("get", json!({"path": "echo"})).await;
            assert_eq!(error.kind(), Kind::Identity, "{error}: {}", error.private().reveal());
        }
        assert_eq!(home.requests().len(), 0);
        let elsewhere = peer(&pki, alpn).await;
        let tls = pki.client_config(Some(pki.client("us", true)));
        let settings = [("redirects", "any-origin"), ("auth", "bearer")];
        let account = Account::open_with(tls, home.port(), &settings, &["token"], loopback());
        assert_eq!(account.call("get", json!({"path": "echo"})).await.unwrap()["status"], 200);
        assert_eq!(home.client_certificates(), 1);
        let to = format!("https://localhost:{}/echo", elsewhere.port());
        let moved = redirect(&account, "get", 302, &to, json!({"headers": {"x-own": "data"}})).await.unwrap();
        assert_eq!(moved["body"]["headers"]["authorization"], Value::Null, "credentials went elsewhere");
        assert_eq!(moved["body"]["headers"]["x-own"], Value::Null, "a header went elsewhere");
        assert_eq!(elsewhere.requests().len(), 1);
        assert_eq!(elsewhere.client_certificates(), 0, "the certificate was shown elsewhere");
    }
}

#[tokio::test]
async fn redirects_inside_the_base_are_followed() {
    let pki = Pki::new();
    for alpn in ALPNS {
        let peer = peer(&pki, alpn).await;
        let account = Account::open(&pki, peer.port(), &[("auth", "bearer")], &["token"]);
        let own = format!("https://localhost:{}/base/echo", peer.port());
        for (status, to, method, body) in [
            (302, "/base/echo", "GET", ""),
            (303, "../echo", "GET", ""),
            (307, own.as_str(), "POST", "x"),
            (308, "../echo?a=b", "POST", "x"),
        ] {
            let out = redirect(&account, "post", status, to, json!({"body": "x"})).await.unwrap();
            assert_eq!((&out["body"]["method"], &out["body"]["body"]), (&json!(method), &json!(body)), "{status} {to}");
            assert_eq!(out["body"]["headers"]["authorization"], format!("Bearer {CANARY}"));
        }
        let as_is = Account::open(&pki, peer.port(), &[("redirects", "none")], &[]);
        let out = redirect(&as_is, "get", 302, "/base/echo", json!({})).await.unwrap();
        assert_eq!((&out["status"], &out["headers"]["location"]), (&json!(302), &json!("/base/echo")));
    }
}

#[tokio::test]
async fn a_call_says_whether_a_redirect_is_an_answer() {
    let pki = Pki::new();
    let peer = peer(&pki, &["h2"]).await;
    for policy in ["same-origin", "none"] {
        let account = Account::open(&pki, peer.port(), &[("redirects", policy)], &[]);
        let out = redirect(&account, "get", 302, "/base/echo", json!({"redirect": true})).await.unwrap();
        assert_eq!((&out["status"], &out["headers"]["location"]), (&json!(302), &json!("/base/echo")), "{policy}");
        // It leads where nobody would follow, and nobody does.
        let astray = redirect(&account, "get", 307, "https://169.254.169.254/", json!({"redirect": true})).await;
        assert_eq!(astray.unwrap()["status"], 307, "{policy}");
        let out = redirect(&account, "get", 302, "/base/echo", json!({"redirect": false})).await;
        match policy {
            "none" => assert_eq!(out.unwrap_err().status(), Some(302)),
            _ => assert_eq!(out.unwrap()["status"], 200),
        }
        // Not modified leads nowhere.
        let out = redirect(&account, "get", 304, "", json!({"redirect": false})).await;
        assert_eq!(out.unwrap_err().status(), Some(304), "{policy}");
        let wrong = account.call("get", json!({"redirect": "yes"})).await.unwrap_err();
        assert_eq!(wrong.kind(), Kind::Input);
    }
}

#[tokio::test]
async fn content_comes_in_base64_when_it_is_asked_for() {
    let pki = Pki::new();
    let peer = peer(&pki, &["h2"]).await;
    let account = Account::open(&pki, peer.port(), &[], &[]);
    let out = account.call("get", json!({"path": "echo", "raw": true})).await.unwrap();
    assert!(out.get("body").is_none(), "{out}");
    let bytes = STANDARD.decode(out["body_base64"].as_str().unwrap()).unwrap();
    let echoed: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(echoed["method"], "GET");
}

#[tokio::test]
async fn an_absolute_path_lies_under_the_base_and_has_it_once() {
    let pki = Pki::new();
    let peer = peer(&pki, &["h2"]).await;
    let account = Account::open(&pki, peer.port(), &[], &[]);
    for path in [json!("/base/echo"), json!(["base", "echo"])] {
        let out = account.call("get", json!({"path": path, "absolute": true})).await.unwrap();
        assert_eq!(out["body"]["target"], "/base/echo", "{path}");
    }
    for path in [json!("/echo"), json!(["base2"]), json!("/"), json!("/base/../echo"), json!(["base", "..", "x"])] {
        let error = account.call("get", json!({"path": path, "absolute": true})).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Input, "{path}");
    }
}
