//! What goes over the wire and what comes of it, in both protocol versions.

use std::time::Duration;

use lockgate_connector_api::{Call, Kind};
use lockgate_model::TraceContext;
use lockgate_testkit::{
    HttpsPeer, Pki,
    contract::{CANARY, soon},
    pki::Server,
};
use serde_json::{Value, json};

use crate::account::{ALPNS, Account, call, peer, read};

#[tokio::test]
async fn input_that_breaks_a_rule_is_never_sent() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    let account = Account::open(&pki, peer.port(), &[("auth", "bearer")], &["token"]);
    for (operation, input) in [
        ("get", json!({"path": "../x"})),
        ("get", json!({"path": "/%2e%2e/x"})),
        ("get", json!({"path": "//evil.example/"})),
        ("get", json!({"path": "a\\..\\b"})),
        ("get", json!({"path": "a?b=c"})),
        ("get", json!({"path": "a\r\nHost: evil"})),
        ("get", json!({"path": ["a", ".."]})),
        ("get", json!({"path": ["a", ["b"]]})),
        ("get", json!({"path": {"a": 1}})),
        ("get", json!({"path": 7})),
        ("get", json!({"pfad": "x"})),
        ("get", json!({"body": "x"})),
        ("get", json!({"method": "POST"})),
        ("get", json!([])),
        ("get", json!({"query": "a=b"})),
        ("get", json!({"query": {"a": {"b": 1}}})),
        ("get", json!({"headers": {"x-a": "b\r\nx-evil: 1"}})),
        ("get", json!({"headers": {"x-a": "b\n"}})),
        ("get", json!({"headers": {"x-a": "b\u{0}"}})),
        ("get", json!({"headers": {"x-a": "bücher"}})),
        ("get", json!({"headers": {"x-a\r\nx-evil": "b"}})),
        ("get", json!({"headers": {"x a": "b"}})),
        ("get", json!({"headers": {"": "b"}})),
        ("get", json!({"headers": {"x-a": "1", "X-A": "2"}})),
        ("get", json!({"headers": {"x-a": null}})),
        ("get", json!({"headers": ["x-a"]})),
        ("get", json!({"headers": {"Host": "evil.example"}})),
        ("get", json!({"headers": {"authorization": "Bearer mine"}})),
        ("get", json!({"headers": {"Cookie": "session=mine"}})),
        ("get", json!({"headers": {"Transfer-Encoding": "chunked"}})),
        ("get", json!({"headers": {"content-length": "5"}})),
        ("get", json!({"headers": {"connection": "close"}})),
        ("get", json!({"headers": {"proxy-authorization": "x"}})),
        ("get", json!({"headers": {"x-long": "a".repeat(40_000)}})),
        ("get", json!({"basic": null})),
        ("get", json!({"basic": {"username": "u"}})),
        ("get", json!({"basic": {"username": "u", "password": 1}})),
        ("get", json!({"basic": {"username": "u", "password": "p", "realm": "r"}})),
        ("get", json!({"basic": {"username": "u:v", "password": "p"}})),
        ("request", json!({})),
        ("request", json!({"method": "CONNECT"})),
        ("request", json!({"method": "TRACE"})),
        ("request", json!({"method": "trace"})),
        ("request", json!({"method": "Connect"})),
        ("request", json!({"method": ""})),
        ("request", json!({"method": "PROP FIND"})),
        ("request", json!({"method": "QÜERY"})),
        ("request", json!({"method": "M".repeat(65)})),
        ("request", json!({"method": 1})),
        ("request", json!({"method": "GET / HTTP/1.1\r\n"})),
        ("request", json!({"method": "GET", "body": 1})),
        ("post", json!({"body": 1, "body_base64": "AA=="})),
        ("post", json!({"body_base64": "no base64!"})),
        ("post", json!({"body_base64": 1})),
    ] {
        let error = account.fails(operation, input.clone()).await;
        assert_eq!(error.kind(), Kind::Input, "{operation} {input}");
        assert_eq!(error.error_type(), "validation");
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn a_request_is_what_the_input_says() {
    let pki = Pki::new();
    for alpn in ALPNS {
        let peer = peer(&pki, alpn).await;
        let account = Account::open(&pki, peer.port(), &[], &[]);
        let input = json!({
            "path": ["a/b", "echo"],
            "query": {"q": "x&y=1", "list": [1, true], "none": null},
            "headers": {"X-Own": "v", "accept": "text/csv"},
            "body": {"n": 1.10, "t": "ü"},
        });
        let out = account.call("post", input).await.unwrap();
        let seen = &out["body"];
        assert_eq!(out["status"], 200);
        assert_eq!(out["headers"]["content-type"], "application/json");
        assert_eq!(seen["method"], "POST");
        assert_eq!(seen["target"], "/base/a%2Fb/echo?q=x%26y%3D1&list=1&list=true");
        assert_eq!(seen["authority"], format!("localhost:{}", peer.port()));
        assert_eq!(seen["headers"]["x-own"], "v");
        assert_eq!(seen["headers"]["accept"], "text/csv");
        assert_eq!(seen["headers"]["content-type"], "application/json");
        assert_eq!(seen["headers"]["user-agent"], "lockgate");
        assert_eq!(seen["headers"]["authorization"], Value::Null);
        assert_eq!(seen["body"], "{\"n\":1.1,\"t\":\"ü\"}");
    }
}

#[tokio::test]
async fn every_method_and_kind_of_body() {
    let pki = Pki::new();
    let peer = peer(&pki, &["h2", "http/1.1"]).await;
    let account = Account::open(&pki, peer.port(), &[], &[]);
    for (operation, input, method, content_type, body) in [
        ("get", json!({}), "GET", Value::Null, ""),
        ("delete", json!({}), "DELETE", Value::Null, ""),
        ("put", json!({"body": "grüße"}), "PUT", json!("text/plain; charset=utf-8"), "grüße"),
        ("patch", json!({"body": [1, "a"]}), "PATCH", json!("application/json"), "[1,\"a\"]"),
        ("post", json!({"body": null}), "POST", json!("application/json"), "null"),
        ("post", json!({"body_base64": "YWJj"}), "POST", json!("application/octet-stream"), "abc"),
        (
            "post",
            json!({"body": "a", "headers": {"content-type": "application/vnd.x+json"}}),
            "POST",
            json!("application/vnd.x+json"),
            "\"a\"",
        ),
        ("post", json!({"body": "a,b", "headers": {"content-type": "text/csv"}}), "POST", json!("text/csv"), "a,b"),
        ("request", json!({"method": "OPTIONS"}), "OPTIONS", Value::Null, ""),
        ("request", json!({"method": "PROPFIND", "headers": {"depth": "1"}}), "PROPFIND", Value::Null, ""),
        ("request", json!({"method": "REPORT", "body": "x"}), "REPORT", json!("text/plain; charset=utf-8"), "x"),
        ("request", json!({"method": "QUERY", "body": {"q": 1}}), "QUERY", json!("application/json"), "{\"q\":1}"),
        ("request", json!({"method": "x-Own"}), "x-Own", Value::Null, ""),
        ("request", json!({"method": "put", "body": "x"}), "PUT", json!("text/plain; charset=utf-8"), "x"),
    ] {
        let mut input = input;
        input["path"] = "echo".into();
        let out = account.call(operation, input).await.unwrap();
        assert_eq!(out["body"]["method"], method);
        assert_eq!(out["body"]["headers"]["content-type"], content_type, "{method}");
        assert_eq!(out["body"]["body"], body);
    }
}

#[tokio::test]
async fn answers_become_documents_texts_or_base64() {
    let pki = Pki::new();
    for alpn in ALPNS {
        let peer = peer(&pki, alpn).await;
        let account = Account::open(&pki, peer.port(), &[], &[]);
        let get = async |path: &str| account.call("get", json!({"path": path})).await.unwrap();
        assert_eq!(get("text").await["body"], "grüße");
        assert_eq!(get("latin1").await["body"], "grüße");
        assert_eq!(get("binary").await["body_base64"], "iVBORwD/");
        assert_eq!(get("binary").await["body"], Value::Null);
        assert_eq!(get("empty").await["status"], 204);
        assert!(get("empty").await.get("body").is_none());
        assert_eq!(get("twice").await["headers"]["x-two"], json!(["one", "two"]));
        let call = call("get", json!({"path": "json"}));
        let printed = account.invoke(call).await.unwrap().output.print(1 << 20).unwrap();
        let printed = String::from_utf8(printed).unwrap();
        assert!(printed.contains(r#""body":{"n":1.10,"big":12345678901234567890,"t":[null]}"#), "{printed}");
        let head = account.call("head", json!({"path": "big/100000"})).await.unwrap();
        assert_eq!(head["headers"]["content-length"], "100000");
        assert!(head.get("body").is_none() && head.get("body_base64").is_none());
        let error = account.fails("get", json!({"path": "badjson"})).await;
        assert_eq!((error.kind(), error.code()), (Kind::Protocol, "https-json"));
    }
}

#[tokio::test]
async fn statuses_become_errors() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    let account = Account::open(&pki, peer.port(), &[], &[]);
    for (status, kind, error_type, transient) in [
        (400, Kind::Rejected, "communication", false),
        (401, Kind::Authentication, "authentication", false),
        (403, Kind::Authorization, "authorization", false),
        (404, Kind::NotFound, "communication", false),
        (408, Kind::Timeout, "timeout", true),
        (409, Kind::Conflict, "communication", false),
        (422, Kind::Rejected, "communication", false),
        (429, Kind::Unavailable, "communication", true),
        (500, Kind::Rejected, "communication", false),
        (503, Kind::Unavailable, "communication", true),
        (504, Kind::Timeout, "timeout", true),
    ] {
        let error = account.fails("get", json!({"path": format!("status/{status}")})).await;
        assert_eq!((error.kind(), error.error_type(), error.is_transient()), (kind, error_type, transient), "{status}");
        assert_eq!(error.status(), Some(status));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(error.private().reveal(), "peer-words-on-status");
        assert!(error.to_string().ends_with(&format!("(status {status})")), "{error}");
    }
}

#[tokio::test]
async fn accounts_sign_in_as_they_are_set() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    let basic = format!("Basic {}", "dXNlcjpjYW5hcnktN2YzYTkxYzItc2VjcmV0");
    let bearer = format!("Bearer {CANARY}");
    for (settings, secret, name, value) in [
        (&[("auth", "basic"), ("username", "user")][..], "password", "authorization", basic.as_str()),
        (&[("auth", "bearer")], "token", "authorization", bearer.as_str()),
        (&[("auth", "header"), ("header_name", "x-api-key")], "header_value", "x-api-key", CANARY),
    ] {
        let account = Account::open(&pki, peer.port(), settings, &[secret]);
        let out = account.call("get", json!({"path": "echo"})).await.unwrap();
        assert_eq!(out["body"]["headers"][name], value);
        // The flow cannot put its own in place of the account's.
        let error = account.fails("get", json!({"path": "echo", "headers": {(name): "mine"}})).await;
        assert_eq!(error.kind(), Kind::Input);
    }
}

#[tokio::test]
async fn an_idempotency_key_goes_with_what_is_not_safe_to_repeat() {
    let pki = Pki::new();
    let peer = peer(&pki, &["h2"]).await;
    let account = Account::open(&pki, peer.port(), &[], &[]);
    for (operation, input, expect) in [
        ("post", json!({}), json!("key-1")),
        ("patch", json!({}), json!("key-1")),
        ("request", json!({"method": "POST"}), json!("key-1")),
        // What RFC 9110 does not call idempotent is not taken for it.
        ("request", json!({"method": "PROPFIND"}), json!("key-1")),
        ("request", json!({"method": "QUERY", "body": 1}), json!("key-1")),
        ("request", json!({"method": "OPTIONS"}), Value::Null),
        ("request", json!({"method": "GET"}), Value::Null),
        ("put", json!({}), Value::Null),
        ("get", json!({}), Value::Null),
        ("post", json!({"headers": {"Idempotency-Key": "own"}}), json!("own")),
    ] {
        let mut input = input;
        input["path"] = "echo".into();
        let call = Call { idempotency_key: Some("key-1".into()), ..call(operation, input) };
        let out = read(&account.invoke(call).await.unwrap().output);
        assert_eq!(out["body"]["headers"]["idempotency-key"], expect, "{operation}");
    }
}

#[tokio::test]
async fn a_trace_goes_along_unless_the_flow_has_its_own_and_never_elsewhere() {
    let pki = Pki::new();
    let peer = peer(&pki, &["h2"]).await;
    let account = Account::open(&pki, peer.port(), &[("redirects", "any-origin")], &[]);
    let came = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let own = "00-11112222333344445555666677778888-00f067aa0ba902b7-00";
    let traced = async |input: Value| {
        let trace = TraceContext::read(came, Some("a=1"));
        let out = read(&account.invoke(Call { trace, ..call("get", input) }).await.unwrap().output);
        let headers = &out["body"]["headers"];
        (headers["traceparent"].clone(), headers["tracestate"].clone())
    };
    assert_eq!(traced(json!({"path": "echo"})).await, (json!(came), json!("a=1")));
    let input = json!({"path": "echo", "headers": {"traceparent": own}});
    assert_eq!(traced(input).await, (json!(own), Value::Null));
    let input = json!({"path": "echo", "headers": {"tracestate": "mine=1"}});
    assert_eq!(traced(input).await, (json!(came), json!("a=1")), "a state belongs to its parent");
    let other = HttpsPeer::start(pki.server_config(Server::Good, false, &[])).await;
    let to = format!("https://localhost:{}/echo", other.port());
    assert_eq!(traced(json!({"path": "redirect/302", "query": {"to": to}})).await, (Value::Null, Value::Null));
    assert_eq!(other.requests().len(), 1);
}

#[tokio::test]
async fn the_account_test_tells_what_is_wrong() {
    let pki = Pki::new();
    let peer = peer(&pki, &["h2", "http/1.1"]).await;
    let account = Account::open(&pki, peer.port(), &[], &[]);
    account.opened.clone().test(account.cx.clone(), soon()).await.unwrap();
    assert_eq!((peer.requests()[0].method.as_str(), peer.requests()[0].target.as_str()), ("HEAD", "/base"));
}

/// A call signs in with what its data holds where the account does not sign in, and at the account's own origin alone.
#[tokio::test]
async fn a_call_may_sign_in_where_the_account_does_not() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    let elsewhere = self::peer(&pki, &["http/1.1"]).await;
    let basic = json!({"username": "Aladdin", "password": "open sesame"});

    let signs_in = Account::open(&pki, peer.port(), &[("auth", "bearer")], &["token"]);
    let error = signs_in.fails("get", json!({"path": "echo", "basic": basic.clone()})).await;
    assert_eq!(error.kind(), Kind::Input, "{error}");

    let account = Account::open(&pki, peer.port(), &[("redirects", "any-origin")], &[]);
    let out = account.call("get", json!({"path": "echo", "basic": basic.clone()})).await.unwrap();
    // RFC 7617, section 2.
    assert_eq!(out["body"]["headers"]["authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    let to = format!("https://localhost:{}/echo", elsewhere.port());
    let moved = json!({"path": "redirect/302", "query": {"to": to}, "basic": basic});
    let out = account.call("get", moved).await.unwrap();
    assert_eq!(out["body"]["headers"]["authorization"], Value::Null, "credentials went elsewhere");
    assert_eq!(elsewhere.requests().len(), 1);
}
