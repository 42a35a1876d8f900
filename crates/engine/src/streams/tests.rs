use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use lockgate_connector_api::{Body, Error, Kind, Records, Streamed};
use lockgate_document::Document;
use lockgate_document::formats::Content;
use lockgate_model::Limits;

use super::{Feed, Feeding, Open};

/// A format by its name, and its description.
fn format(name: &str, description: &str) -> Content {
    let described = match description {
        "" => Document::undefined(),
        text => Document::parse(text.as_bytes(), &Limits::default()).unwrap(),
    };
    Content::read(name, described.root()).unwrap().unwrap()
}

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
    Open { streamed, parse: None, account: Some("db".parse().unwrap()), operation: "get".into(), read: Arc::default() }
}

fn parsed(bytes: &[&'static str], parse: Content) -> Open {
    let pieces: Vec<Result<Bytes, Error>> =
        bytes.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
    let streamed = Streamed::Bytes(Body::new(stream::iter(pieces)));
    Open { parse: Some(Arc::new(parse)), ..open(streamed) }
}

async fn written(open: Open, format: Option<Content>) -> Result<String, Error> {
    let bytes = open.body(format.as_ref(), &Limits::default())?.collect(1 << 20).await?;
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

async fn text(streamed: Streamed, format: Content) -> Result<String, Error> {
    written(open(streamed), Some(format)).await
}

/// What comes of a source, batch by batch.
async fn batches(open: Open, size: u32) -> Result<Vec<String>, Error> {
    let (limits, mut all) = (Limits::default(), Vec::new());
    let mut source = open.source(&limits)?;
    while let Some(some) = source.batch(size, &limits).await? {
        all.push(String::from_utf8(some.print(1 << 20).unwrap()).unwrap());
    }
    Ok(all)
}

#[tokio::test]
async fn what_was_not_declared_is_refused() {
    let (bytes, csv) = (|| Streamed::Bytes(Body::full("x")), || format("csv", ""));
    assert_eq!(text(bytes(), csv()).await.unwrap_err().code(), "stream-content");
    assert_eq!(written(parsed(&["a\n1\n"], csv()), None).await.unwrap_err().code(), "stream-content");
    assert_eq!(written(parsed(&["<a/>"], format("xml", "")), Some(csv())).await.unwrap_err().code(), "stream-content");
    assert_eq!(written(open(records(vec![batch("[]")], None)), None).await.unwrap_err().code(), "stream-content");
    assert_eq!(batches(open(bytes()), 0).await.unwrap_err().code(), "stream-content");
}

#[tokio::test]
async fn a_failing_source_fails_the_content() {
    let broken = || Err(Error::new(Kind::Unreachable, "broken", "the connection broke"));
    for name in ["csv", "json", "json-lines"] {
        let error = text(records(vec![batch(r#"[{"a":1}]"#), broken()], None), format(name, "")).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unreachable);
    }
    let wrong = text(records(vec![batch(r#"[{"a":{"secret":1}}]"#)], None), format("csv", "")).await.unwrap_err();
    assert_eq!((wrong.code(), wrong.account()), ("stream-record", None));
    assert!(!format!("{wrong} {wrong:?}").contains("`a`") && wrong.private().reveal().contains("`a`"));
    // After a failure nothing comes.
    let json = format("json", "");
    let mut body = open(records(vec![broken(), batch("[1]")], None)).body(Some(&json), &Limits::default()).unwrap();
    assert!(body.next().await.unwrap().is_err());
    assert!(body.next().await.is_none());
    assert_eq!(batches(open(records(vec![broken()], None)), 0).await.unwrap_err().kind(), Kind::Unreachable);
}

#[tokio::test]
async fn records_are_written_batch_by_batch() {
    let both = || records(vec![batch(r#"[{"id":1,"n":2.50}]"#), batch("[]"), batch(r#"[{"id":2,"n":null}]"#)], None);
    let semicolons = format("csv", r#"{"delimiter":";"}"#);
    assert_eq!(text(both(), semicolons).await.unwrap(), "id;n\r\n1;2.50\r\n2;\r\n");
    assert_eq!(text(both(), format("json", "")).await.unwrap(), "[{\"id\":1,\"n\":2.50},{\"id\":2,\"n\":null}]\n");
    assert_eq!(text(both(), format("json-lines", "")).await.unwrap(), "{\"id\":1,\"n\":2.50}\n{\"id\":2,\"n\":null}\n");
    let xml = format("xml", r#"{"records":"rows/row"}"#);
    assert_eq!(
        text(records(vec![batch(r#"[{"a":1},{"a":2}]"#)], None), xml).await.unwrap(),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rows><row><a>1</a></row><row><a>2</a></row></rows>"
    );
    let none = || records(Vec::new(), Some(&["id", "n"]));
    assert_eq!(text(none(), format("csv", "")).await.unwrap(), "id,n\r\n");
    assert_eq!(text(none(), format("json", "")).await.unwrap(), "[]\n");
    assert_eq!(text(none(), format("json-lines", "")).await.unwrap(), "");
}

#[tokio::test]
async fn bytes_become_records_wherever_they_are_cut() {
    let pieces = ["a;b\r", "", "\n1;", "x\r\n2;y\r\n3", ";z"];
    let csv = || format("csv", r#"{"delimiter":";"}"#);
    let open = parsed(&pieces, csv());
    let read = Arc::clone(&open.read);
    let json = written(open, Some(format("json-lines", ""))).await.unwrap();
    assert_eq!(json, "{\"a\":\"1\",\"b\":\"x\"}\n{\"a\":\"2\",\"b\":\"y\"}\n{\"a\":\"3\",\"b\":\"z\"}\n");
    assert_eq!(read.load(Ordering::Relaxed), pieces.concat().len() as u64);
    let wrong = written(parsed(&["a;b\r\nsecret\r\n"], csv()), Some(format("json", ""))).await.unwrap_err();
    assert_eq!((wrong.kind(), wrong.code()), (Kind::Protocol, "content-format"));
    assert_eq!(
        wrong.private().reveal(),
        "LG-CSV-FIELDS: the line has 1 fields and the header has 2 (record 1, byte 11)"
    );
}

#[tokio::test]
async fn content_that_cannot_be_read_is_a_failure_of_the_call_it_came_out_of() {
    let wrong = || parsed(&["a,b\n1\n"], format("csv", ""));
    let written = written(wrong(), Some(format("json", ""))).await.unwrap_err();
    let pulled = batches(wrong(), 0).await.unwrap_err();
    for error in [written, pulled] {
        let error = error.at(&"archive".parse().unwrap(), Some("put"));
        assert_eq!((error.account().map(|a| a.as_str()), error.operation()), (Some("db"), Some("get")));
    }
}

#[tokio::test]
async fn records_that_are_nowhere_are_an_error_and_an_empty_list_is_none() {
    let orders = || format("json", r#"{"records":"data.orders"}"#);
    for text in [r#"{"error":"x"}"#, r#"{"data":{"order":[1]}}"#, r#"{"data":null}"#, "7"] {
        let error = batches(parsed(&[text], orders()), 0).await.unwrap_err();
        assert!(error.private().reveal().starts_with("LG-JSON-PATH"), "{text}: {}", error.private().reveal());
        let whole = orders().document(text.as_bytes(), &Limits::default()).unwrap_err();
        assert_eq!(whole.code(), "LG-JSON-PATH");
    }
    for text in [r#"{"data":{"orders":[]}}"#, "[]", r#"{"data":[]}"#, r#"{"data":[{}]}"#] {
        assert_eq!(batches(parsed(&[text], orders()), 0).await.unwrap(), Vec::<String>::new(), "{text}");
    }
    assert!(batches(parsed(&["<failure/>"], format("xml", r#"{"records":"rows/row"}"#)), 0).await.is_err());
}

#[tokio::test]
async fn a_table_keeps_the_columns_of_the_table_it_was() {
    let csv = |description: &str| format("csv", description);
    assert_eq!(written(parsed(&["a;", "b\n"], csv(r#"{"delimiter":";"}"#)), Some(csv(""))).await.unwrap(), "a,b\r\n");
    let absent = r#"{"empty":"absent"}"#;
    let table = parsed(&["a,b\n1,\n", "2,3\n"], csv(absent));
    assert_eq!(written(table, Some(csv(""))).await.unwrap(), "a,b\r\n1,\r\n2,3\r\n");
}

/// Who breaks off says nothing, and silence is no end: what has been written so far must not pass for the whole.
#[tokio::test]
async fn records_that_are_broken_off_are_no_whole() {
    let limits = Limits::default();
    for name in ["json", "json-lines", "csv"] {
        let source = open(records(vec![batch(r#"[{"a":1}]"#), batch(r#"[{"a":2}]"#)], None)).source(&limits).unwrap();
        let (feeding, sink) = Feeding::between(source, vec![Feed { slot: 0, pc: 0 }]);
        let mut body = sink.body(Some(&format(name, "")), &limits).unwrap();
        let pulled = feeding.next(limits).await;
        let made = pulled.records;
        let pulled = pulled.feeding.given(made, limits);
        let (first, pulled) = tokio::join!(body.next(), pulled);
        assert!(first.unwrap().is_ok());
        drop(pulled);
        assert_eq!(body.next().await.unwrap().unwrap_err().code(), "stream-broken-off", "{name}");
        assert!(body.next().await.is_none());
    }
    // All of them are.
    let source = open(records(vec![batch(r#"[{"a":1}]"#)], None)).source(&limits).unwrap();
    let (feeding, sink) = Feeding::between(source, vec![Feed { slot: 0, pc: 0 }]);
    let body = sink.body(Some(&format("json", "")), &limits).unwrap();
    let all = async {
        let mut pulled = feeding.next(limits).await;
        while let Some(made) = pulled.records {
            pulled = pulled.feeding.given(Some(made), limits).await;
        }
    };
    let (written, ()) = tokio::join!(body.collect(1 << 20), all);
    assert_eq!(written.unwrap(), "[{\"a\":1}]\n");
}

#[tokio::test]
async fn a_source_that_panics_fails_who_pulls_it() {
    let comes = stream::iter([1, 2]).map(|n| if n == 2 { panic!("defect") } else { batch("[1]") });
    let mut source = open(Streamed::Records(Records::new(comes))).source(&Limits::default()).unwrap();
    assert!(source.batch(1, &Limits::default()).await.unwrap().is_some());
    assert_eq!(source.batch(1, &Limits::default()).await.unwrap_err().code(), "LG-CONNECTOR-DEFECT");
    assert!(source.batch(1, &Limits::default()).await.unwrap().is_none());
}

#[tokio::test]
async fn batches_are_as_large_as_is_asked_for_whatever_comes() {
    let comes = || {
        let batches = vec![batch("[1]"), batch("[]"), batch("[2,3,4]"), batch("[5,6]"), batch("[7]")];
        open(records(batches, None))
    };
    assert_eq!(batches(comes(), 0).await.unwrap(), ["[1]", "[2,3,4]", "[5,6]", "[7]"]);
    assert_eq!(batches(comes(), 1).await.unwrap().len(), 7);
    assert_eq!(batches(comes(), 2).await.unwrap(), ["[1,2]", "[3,4]", "[5,6]", "[7]"]);
    assert_eq!(batches(comes(), 5).await.unwrap(), ["[1,2,3,4,5]", "[6,7]"]);
    assert_eq!(batches(comes(), 7).await.unwrap(), ["[1,2,3,4,5,6,7]"]);
    assert_eq!(batches(open(records(Vec::new(), None)), 3).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn bytes_pass_as_they_are_and_are_counted() {
    let pieces = [Bytes::from_static(b"ab"), Bytes::from_static(b"c")];
    let open = open(Streamed::Bytes(Body::new(stream::iter(pieces.map(Ok))).with_length(Some(3))));
    let read = Arc::clone(&open.read);
    let body = open.body(None, &Limits::default()).unwrap();
    assert_eq!((body.length(), read.load(Ordering::Relaxed)), (Some(3), 0));
    assert_eq!(body.collect(3).await.unwrap(), "abc");
    assert_eq!(read.load(Ordering::Relaxed), 3);
}
