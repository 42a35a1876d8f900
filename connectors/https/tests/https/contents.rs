//! Forms on their way out, gzip and dates on their way in.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use futures_util::StreamExt as _;
use lockgate_connector_api::{Body, Kind, Streamed};
use lockgate_testkit::{Pki, Told};
use serde_json::{Value, json};

use crate::account::{ALPNS, Account, call, peer, read};

async fn echoed(account: &Account, input: Value) -> Value {
    let mut input = input;
    input["path"] = "echo".into();
    account.call("post", input).await.unwrap()["body"].clone()
}

#[tokio::test]
async fn forms_are_sent_as_fields_and_as_parts() {
    for alpn in ALPNS {
        let pki = Pki::new();
        let peer = peer(&pki, alpn).await;
        let account = Account::open(&pki, peer.port(), &[], &[]);
        let fields = json!({"a b": "1&2", "n": 1.5, "list": ["x", "y"], "none": null});
        let typed = json!({"content-type": "application/x-www-form-urlencoded"});
        for input in [json!({"form": fields}), json!({"body": fields, "headers": typed})] {
            let seen = echoed(&account, input).await;
            assert_eq!(seen["body"], "a+b=1%262&n=1.5&list=x&list=y");
            assert_eq!(seen["headers"]["content-type"], "application/x-www-form-urlencoded");
        }
        let typed = json!({"content-type": "multipart/form-data"});
        for input in [json!({"multipart": {"a": 1}}), json!({"body": {"a": 1}, "headers": typed})] {
            let seen = echoed(&account, input).await;
            let said = seen["headers"]["content-type"].as_str().unwrap();
            let boundary = said.strip_prefix("multipart/form-data; boundary=").unwrap();
            let whole =
                format!("--{boundary}\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n1\r\n--{boundary}--\r\n");
            assert_eq!(seen["body"], whole);
        }
        let parts = json!({"path": "echo", "multipart": [{"name": "f", "filename": "a.txt", "stream": true}, {"name": "n", "body": 1}]});
        let mut streamed = call("post", parts);
        streamed.body = Some(Body::full("the stream"));
        let seen = read(&account.invoke(streamed).await.unwrap().output)["body"].clone();
        assert!(seen["body"].as_str().unwrap().contains("filename=\"a.txt\"\r\n\r\nthe stream\r\n--"), "{seen}");
        for wrong in [
            json!({"form": {"a": 1}, "body": 1}),
            json!({"form": [1]}),
            json!({"multipart": [{"name": "a"}]}),
            json!({"multipart": [{"name": "a", "stream": true}]}),
        ] {
            assert_eq!(account.fails("post", wrong).await.kind(), Kind::Input);
        }
    }
}

#[tokio::test]
async fn gzip_is_asked_for_and_taken_off_and_what_a_flow_asks_for_itself_it_gets() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    let account = Account::open(&pki, peer.port(), &[], &[]);
    let packed = |content: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    };
    let serve = |path: &str, body: Vec<u8>| {
        peer.answers(path, move |arrived| {
            assert_eq!(arrived.headers["accept-encoding"], "gzip");
            let headers =
                vec![("content-encoding", "gzip".to_owned()), ("content-type", "application/json".to_owned())];
            Told { status: 200, headers, body: body.clone().into() }
        });
    };
    let (good, bomb) = (packed(b"{\"a\": 1}"), packed(&vec![b' '; 64 << 20]));
    serve("/base/good", good.clone());
    assert_eq!(account.call("get", json!({"path": "good"})).await.unwrap()["body"].to_string(), "{\"a\":1}");
    let own = json!({"path": "good", "headers": {"Accept-Encoding": "gzip"}, "raw": true});
    assert!(account.call("get", own).await.unwrap()["body_base64"].as_str().unwrap().starts_with("H4sI"));
    let mut streamed = call("get", json!({"path": "good"}));
    streamed.stream = true;
    let Some(Streamed::Bytes(body)) = account.invoke(streamed).await.unwrap().stream else { panic!("no stream") };
    assert_eq!(body.collect(100).await.unwrap(), "{\"a\": 1}");

    serve("/base/cut", good[..good.len() - 4].to_vec());
    let error = account.fails("get", json!({"path": "cut"})).await;
    assert_eq!((error.kind(), error.code()), (Kind::Protocol, "https-gzip"));
    serve("/base/bomb", bomb);
    let error = account.fails("get", json!({"path": "bomb"})).await;
    assert_eq!(error.kind(), Kind::TooLarge);
    let mut streamed = call("get", json!({"path": "bomb"}));
    streamed.stream = true;
    let Some(Streamed::Bytes(mut body)) = account.invoke(streamed).await.unwrap().stream else { panic!("no stream") };
    assert!(body.next().await.unwrap().unwrap().len() < 8 << 20, "piece by piece");
}

#[tokio::test]
async fn an_endpoint_says_when_to_come_back_in_seconds_or_by_its_own_clock() {
    let pki = Pki::new();
    let peer = peer(&pki, &["http/1.1"]).await;
    let account = Account::open(&pki, peer.port(), &[], &[]);
    for (after, seconds) in [
        ("120", Some(120)),
        ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
        ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
        ("soon", None),
        ("-5", None),
    ] {
        peer.answers("/base/x", move |_| {
            let date = "Sun, 06 Nov 1994 08:49:37 GMT".to_owned();
            Told { status: 503, headers: vec![("date", date), ("retry-after", after.to_owned())], body: "".into() }
        });
        let error = account.fails("get", json!({"path": "x"})).await;
        assert_eq!(error.retry_after().map(|wait| wait.as_secs()), seconds, "{after}");
    }
}
