use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use lockgate_connector_api::{Body, Error, Kind, Records, Streamed};
use lockgate_document::Document;
use lockgate_model::{
    Limits,
    manifest::{Delimiter, StreamFormat},
};

use super::Open;

fn batch(json: &str) -> Result<Document, Error> {
    Ok(Document::parse(json.as_bytes(), &Limits::default()).unwrap())
}

fn records(batches: Vec<Result<Document, Error>>, fields: Option<&[&str]>) -> Streamed {
    let records = Records::new(stream::iter(batches));
    Streamed::Records(match fields {
        Some(fields) => records.with_fields(fields.iter().map(|f| (*f).to_owned()).collect()),
        None => records,
    })
}

fn open(streamed: Streamed) -> Open {
    Open { streamed, account: Some("db".parse().unwrap()), read: Arc::default() }
}

async fn text(streamed: Streamed, format: StreamFormat) -> Result<String, Error> {
    let bytes = open(streamed).body(&format)?.collect(1 << 20).await?;
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn what_was_not_declared_is_refused() {
    let bytes = || Streamed::Bytes(Body::full("x"));
    for (streamed, format) in [
        (bytes(), StreamFormat::Csv(Delimiter::COMMA)),
        (bytes(), StreamFormat::Json),
        (records(vec![batch("[]")], None), StreamFormat::Bytes),
    ] {
        assert_eq!(text(streamed, format).await.unwrap_err().code(), "stream-content");
    }
}

#[tokio::test]
async fn a_failing_source_fails_the_content() {
    let broken = || Err(Error::new(Kind::Unreachable, "broken", "the connection broke"));
    for format in [StreamFormat::Csv(Delimiter::COMMA), StreamFormat::Json, StreamFormat::JsonLines] {
        let error = text(records(vec![batch(r#"[{"a":1}]"#), broken()], None), format).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unreachable);
    }
    let wrong = text(records(vec![batch(r#"[{"a":{"secret":1}}]"#)], None), StreamFormat::Csv(Delimiter::COMMA))
        .await
        .unwrap_err();
    assert_eq!((wrong.code(), wrong.account()), ("stream-record", None));
    assert!(!format!("{wrong} {wrong:?}").contains("`a`") && wrong.private().reveal().contains("`a`"));
    // After a failure nothing comes.
    let mut body = open(records(vec![broken(), batch("[1]")], None)).body(&StreamFormat::Json).unwrap();
    assert!(body.next().await.unwrap().is_err());
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn records_are_written_batch_by_batch() {
    let both = || records(vec![batch(r#"[{"id":1,"n":2.50}]"#), batch("[]"), batch(r#"[{"id":2,"n":null}]"#)], None);
    assert_eq!(
        text(both(), StreamFormat::Csv(Delimiter::try_from(';').unwrap())).await.unwrap(),
        "id;n\r\n1;2.50\r\n2;\r\n"
    );
    assert_eq!(text(both(), StreamFormat::Json).await.unwrap(), r#"[{"id":1,"n":2.50},{"id":2,"n":null}]"#);
    assert_eq!(text(both(), StreamFormat::JsonLines).await.unwrap(), "{\"id\":1,\"n\":2.50}\n{\"id\":2,\"n\":null}\n");
    let none = || records(Vec::new(), Some(&["id", "n"]));
    assert_eq!(text(none(), StreamFormat::Csv(Delimiter::COMMA)).await.unwrap(), "id,n\r\n");
    assert_eq!(text(none(), StreamFormat::Json).await.unwrap(), "[]");
    assert_eq!(text(none(), StreamFormat::JsonLines).await.unwrap(), "");
}

#[tokio::test]
async fn bytes_pass_as_they_are_and_are_counted() {
    let pieces = [Bytes::from_static(b"ab"), Bytes::from_static(b"c")];
    let open = open(Streamed::Bytes(Body::new(stream::iter(pieces.map(Ok))).with_length(Some(3))));
    let read = Arc::clone(&open.read);
    let body = open.body(&StreamFormat::Bytes).unwrap();
    assert_eq!((body.length(), read.load(Ordering::Relaxed)), (Some(3), 0));
    assert_eq!(body.collect(3).await.unwrap(), "abc");
    assert_eq!(read.load(Ordering::Relaxed), 3);
}
