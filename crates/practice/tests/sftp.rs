//! The practice file server, asked by the product's own connector.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lockgate_connector_api::{Address, Answer, Call, Config, DynConnector, Error, Kind, Registry, Scheme, Secret};
use lockgate_document::Document;
use lockgate_model::{Limits, definition::ServerIdentity};
use lockgate_practice::Sftp;
use lockgate_testkit::contract::{context, loopback};

fn account(practice: &Sftp, auth: &str, secret: (&str, &str)) -> Arc<dyn DynConnector> {
    let mut registry = Registry::new();
    registry.add::<lockgate_connector_sftp::Sftp>();
    let address = format!("sftp://{}/", practice.addr());
    let settings = [("username", practice.username()), ("auth", auth)];
    let config = Config {
        address: Address::parse(Scheme { name: "sftp", port: 22 }, true, &address).unwrap(),
        identity: ServerIdentity::HostKey(practice.host_key().to_owned()),
        settings: settings.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        secrets: [(secret.0.to_owned(), Secret::new(secret.1.to_owned()))].into(),
        tls: None,
    };
    registry.get("sftp").unwrap().open(config, &context(loopback())).unwrap()
}

async fn call(account: &Arc<dyn DynConnector>, operation: &str, input: &str) -> Result<Answer, Error> {
    let input = Document::parse(input.as_bytes(), &Limits::default()).unwrap();
    let call = Call::new(operation, input, Instant::now() + Duration::from_secs(10));
    account.clone().invoke(context(loopback()), call).await
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.output.print(1 << 20).unwrap()).unwrap()
}

#[tokio::test]
async fn it_listens_on_loopback_alone() {
    for addr in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        assert!(Sftp::start(addr.parse().unwrap(), || 1_700_000_000).await.is_err(), "{addr}");
    }
}

#[tokio::test]
async fn only_its_user_comes_in() {
    let practice = Sftp::start("127.0.0.1:0".parse().unwrap(), || 1_700_000_000).await.unwrap();
    let other = Sftp::start("127.0.0.1:0".parse().unwrap(), || 1_700_000_000).await.unwrap();
    for secret in [("password", ""), ("password", other.password())] {
        let error = call(&account(&practice, "password", secret), "list", "{}").await.unwrap_err();
        assert_eq!(error.kind(), Kind::Authentication);
    }
    let stranger = account(&practice, "key", ("private_key", other.private_key()));
    assert_eq!(call(&stranger, "list", "{}").await.unwrap_err().kind(), Kind::Authentication);
}

#[tokio::test]
async fn it_keeps_files_until_it_is_shut_down() {
    let practice = Sftp::start("127.0.0.1:0".parse().unwrap(), || 1_700_000_000).await.unwrap();
    let by_password = account(&practice, "password", ("password", practice.password()));
    let by_key = account(&practice, "key", ("private_key", practice.private_key()));
    by_key.clone().test(context(loopback()), Instant::now() + Duration::from_secs(10)).await.unwrap();
    call(&by_password, "mkdir", r#"{"path": "in"}"#).await.unwrap();
    call(&by_password, "put", r#"{"path": "in/a.json", "body": {"n": 1}}"#).await.unwrap();
    assert_eq!(practice.files(), [("in/a.json".to_owned(), 7)]);
    assert_eq!(practice.content("in/a.json").unwrap(), br#"{"n":1}"#);
    assert!(text(&call(&by_key, "get", r#"{"path": "in/a.json"}"#).await.unwrap()).contains(r#""body":{"n":1}"#));
    let twice = call(&by_key, "put", r#"{"path": "in/a.json", "body": "x"}"#).await.unwrap_err();
    assert_eq!(twice.kind(), Kind::Conflict);
    call(&by_key, "put", r#"{"path": "in/a.json", "body": "x", "exists": "replace"}"#).await.unwrap();
    call(&by_key, "move", r#"{"from": "in/a.json", "to": "b"}"#).await.unwrap();
    let listed = text(&call(&by_key, "list", "{}").await.unwrap());
    assert!(
        listed.contains(r#""name":"b","kind":"file","size":1"#) && listed.contains(r#""name":"in","kind":"folder""#)
    );
    // 70 MB do not fit.
    let large = bytes::Bytes::from(vec![0; 70_000_000]);
    let body = Some(lockgate_connector_api::Body::full(large));
    let input = Document::parse(br#"{"path": "large"}"#, &Limits::default()).unwrap();
    let put = Call { body, ..Call::new("put", input, Instant::now() + Duration::from_secs(60)) };
    let error = by_key.clone().invoke(context(loopback()), put).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected, "{error}");
    assert_eq!(practice.files(), [("b".to_owned(), 1)]);
    call(&by_key, "delete", r#"{"path": "b"}"#).await.unwrap();
    call(&by_key, "delete", r#"{"path": "in"}"#).await.unwrap();
    assert!(practice.files().is_empty());
    practice.shutdown().await;
    assert_eq!(call(&by_key, "list", "{}").await.unwrap_err().kind(), Kind::Unreachable);
}
