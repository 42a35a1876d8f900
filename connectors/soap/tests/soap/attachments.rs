//! Attachments: refusals first, then what comes along in either direction.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use jiff::Timestamp;
use lockgate_connector_api::{Body, Call, Error, Kind};
use lockgate_document::{Document, Limits};
use lockgate_soap::{
    Request, Version, Wsdl,
    mtom::Writer,
    security::{self, Lifetime, signature::Signer},
};
use lockgate_testkit::Pki;
use serde_json::{Value, json};

use crate::account::{Account, BASE, TOLD, call, envelope, forecast, peer, read, told, wsdl};

const FILES: &str = include_str!("../files.wsdl");
const INCLUDE: &str = "<x:Include xmlns:x='http://www.w3.org/2004/08/xop/include' href='cid:";

/// Hands in a content under a name.
fn store(content: &str) -> Value {
    json!({"wsdl": wsdl(FILES), "port": "FilesPort", "operation": "store", "input": {"name": "a.pdf", "content": content}})
}

fn fetch() -> Value {
    json!({"wsdl": wsdl(FILES), "port": "FilesPort", "operation": "fetch", "input": {"name": "a.pdf"}})
}

/// The content of a file whose parts have these ids, and what stands in the envelope for them.
fn message(refers: &str, parts: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    let writer = Writer::new("b0undary", Version::Soap11, "").unwrap();
    let mut bytes = writer.envelope();
    let body = format!("<fetchResponse xmlns='urn:lockgate:files'><content>{refers}</content></fetchResponse>");
    bytes.extend(envelope("", &body).bytes());
    for (id, content) in parts {
        bytes.extend(writer.attachment(id, "application/pdf").unwrap());
        bytes.extend_from_slice(content);
    }
    bytes.extend(writer.end());
    (writer.http_headers().swap_remove(0).1, bytes)
}

async fn fetched(stream: bool, media_type: String, bytes: Vec<u8>) -> Result<(Value, Option<Bytes>), Error> {
    let pki = Pki::new();
    let peer = peer(&pki).await;
    peer.answers(BASE, move |_| told(200, &media_type, bytes.clone()));
    let account = Account::at(&pki, peer.port());
    let answer = account.invoke(Call { stream, ..call("call", fetch()) }).await?;
    let content = match answer.stream {
        Some(stream) => Some(stream.bytes().unwrap().collect(1 << 20).await?),
        None => None,
    };
    Ok((read(&answer.output), content))
}

#[tokio::test]
async fn what_is_cut_off_or_not_there_is_never_a_success() {
    let refers = format!("{INCLUDE}a@x'/>");
    let (media_type, whole) = message(&refers, &[("a@x", b"the content")]);
    for at in [whole.len() - 5, whole.len() - 20, whole.len() - 60, 300, 10] {
        for stream in [false, true] {
            let error = fetched(stream, media_type.clone(), whole[..at].to_vec()).await.expect_err("cut off");
            assert_eq!(error.kind(), Kind::Protocol, "{at} {stream}: {error}");
        }
    }
    // Nothing to stream, or too much.
    let (_, none) = message("UERG", &[]);
    let (_, two) = message(&refers, &[("a@x", b"one"), ("b@x", b"two")]);
    for bytes in [none, two] {
        let error = fetched(true, media_type.clone(), bytes).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (Kind::Protocol, "soap-attachment"));
    }
    let plain = envelope("", "<fetchResponse xmlns='urn:lockgate:files'><content>UERG</content></fetchResponse>");
    let error = fetched(true, "text/xml".to_owned(), plain.into_bytes()).await.unwrap_err();
    assert_eq!(error.code(), "soap-attachment");
    // A fault has no attachment, and is one.
    let fault = envelope("", "<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring></s:Fault>");
    for stream in [false, true] {
        let error = fetched(stream, "text/xml".to_owned(), fault.clone().into_bytes()).await.unwrap_err();
        assert_eq!(error.code(), "soap-fault");
    }
}

#[tokio::test]
async fn a_reference_to_an_attachment_that_is_not_there_is_never_a_success() {
    let refers = format!("{INCLUDE}a@x'/>");
    let (media_type, none) = message(&refers, &[]);
    let (_, other) = message(&refers, &[("b@x", b"another")]);
    let (_, twice) = message(&refers, &[("a@x", b"one"), ("a@x", b"two")]);
    let (_, no_id) = message(&refers, &[("gone", b"nameless")]);
    let no_id = String::from_utf8(no_id).unwrap().replace("content-id: <gone>\r\n", "").into_bytes();
    let (_, unnamed) = message("UERG", &[("a@x", b"nobody refers to it")]);
    for (what, bytes) in [("none", none), ("another", other), ("twice", twice), ("without id", no_id)] {
        for stream in [false, true] {
            let error = fetched(stream, media_type.clone(), bytes.clone()).await.expect_err(what);
            assert_eq!((error.kind(), error.code()), (Kind::Protocol, "soap-attachment"), "{what} {stream}");
        }
    }
    // Nobody asked for it; a stream of it would be of something else than what is wanted.
    assert_eq!(
        fetched(false, media_type.clone(), unnamed.clone()).await.unwrap().0,
        json!({"output": {"content": "UERG"}})
    );
    assert_eq!(fetched(true, media_type, unnamed).await.unwrap_err().code(), "soap-attachment");
    // A message without parts has none at all.
    let plain =
        envelope("", &format!("<fetchResponse xmlns='urn:lockgate:files'><content>{refers}</content></fetchResponse>"));
    for stream in [false, true] {
        let error = fetched(stream, "text/xml".to_owned(), plain.clone().into_bytes()).await.unwrap_err();
        assert_eq!(error.code(), "soap-attachment");
    }
}

/// What looks like a reference is one only where the type is of bytes, and by an `xop:Include`.
#[tokio::test]
async fn a_text_of_the_data_is_no_reference() {
    let (pki, writer) = (Pki::new(), Writer::new("b0undary", Version::Soap11, "").unwrap());
    let peer = peer(&pki).await;
    let town = TOLD.replace("mon", "cid:a@x");
    let mut bytes = writer.envelope();
    bytes.extend(envelope("", &town).bytes());
    bytes.extend(writer.attachment("a@x", "text/plain").unwrap());
    bytes.extend(b"the content");
    bytes.extend(writer.end());
    let media_type = writer.http_headers().swap_remove(0).1;
    peer.answers(BASE, move |_| told(200, &media_type, bytes.clone()));
    let account = Account::at(&pki, peer.port());
    let answer = account.call(forecast("cid:attachment")).await.unwrap();
    assert_eq!(answer["output"]["day"][0]["name"], "cid:a@x");
    assert!(String::from_utf8_lossy(&peer.requests()[0].body).contains("<n1:town>cid:attachment</n1:town>"));
    // In a text, in two places, or nowhere is not where an attachment belongs.
    let mut named = store("cid:attachment");
    named["input"]["name"] = "cid:attachment".into();
    for (input, is_sent) in [(named, true), (store("UERG"), false), (forecast("cid:attachment"), false)] {
        let mut input = input;
        input["attachment"] = "PDF".into();
        let sent = peer.requests().len();
        let error = account.fails(input.clone()).await;
        assert_eq!(peer.requests().len() > sent, is_sent, "{input}");
        assert!(is_sent || error.code() == "soap-input", "{input} {error}");
    }
    let stored = String::from_utf8_lossy(&peer.requests()[1].body).into_owned();
    assert!(
        stored.contains("<n1:name>cid:attachment</n1:name>") && stored.matches("xop:Include").count() == 1,
        "{stored}"
    );
}

#[tokio::test]
async fn what_must_be_signed_comes_without_attachments() {
    let pki = Pki::new();
    let (peer, theirs) = (peer(&pki).await, pki.client("theirs", true));
    let signer = Signer::new(&theirs.key_pem(), &theirs.certificate).unwrap();
    let (media_type, bytes) = message(&format!("{INCLUDE}a@x'/>"), &[("a@x", b"the content")]);
    peer.answers(BASE, move |_| told(200, &media_type, bytes.clone()));
    let secrets = [("answer_certificate", theirs.certificate_pem())];
    let account = Account::open(&pki, &format!("https://localhost:{}{BASE}", peer.port()), &[], &secrets);
    assert_eq!(account.fails(fetch()).await.code(), "soap-signature");
    // Nor does a message that is signed refer to one: the signature says nothing of the bytes.
    let (limits, none) = (Limits::default(), Document::undefined());
    let operation = Wsdl::read("w", FILES.to_owned(), |_| None).unwrap().operation("FilesPort", "fetch").unwrap();
    #[expect(clippy::disallowed_methods, reason = "the connector compares with the machine's clock")]
    let lifetime = Lifetime { created: Timestamp::now(), expires: None };
    let children = [lifetime.block("TS-1")].into_iter().chain(signer.blocks(&["TS-1", "B-1"])).collect();
    let body = Document::parse(br#"{"content": "cid:a"}"#, &limits).unwrap();
    let response = Request {
        body: body.root(),
        headers: none.root(),
        blocks: &[security::header(Version::Soap11, children)],
        body_id: Some("B-1"),
        attachments: &BTreeSet::from(["a".to_owned()]),
    };
    let signed = signer.sign(operation.response(&response, &limits).unwrap()).unwrap();
    let writer = Writer::new("b0undary", Version::Soap11, "").unwrap();
    let alone = [writer.envelope(), signed.clone(), writer.end()].concat();
    let media_type = writer.http_headers().swap_remove(0).1;
    for (media_type, bytes) in [("text/xml".to_owned(), signed), (media_type, alone)] {
        peer.answers(BASE, move |_| told(200, &media_type, bytes.clone()));
        assert_eq!(account.fails(fetch()).await.code(), "soap-attachment");
    }
}

#[tokio::test]
async fn an_attachment_that_comes_streams_or_stands_where_it_belongs() {
    let content = b"the \r\n--content\0";
    let (media_type, bytes) = message(&format!("{INCLUDE}a%40x'/>"), &[("a@x", content)]);
    let (output, stream) = fetched(false, media_type.clone(), bytes.clone()).await.unwrap();
    assert_eq!((output, stream), (json!({"output": {"content": STANDARD.encode(content)}}), None));
    let (output, stream) = fetched(true, media_type.clone(), bytes).await.unwrap();
    assert_eq!((output, stream.unwrap()), (json!({"output": {"content": "cid:a%40x"}}), Bytes::from_static(content)));
    let (media_type, bytes) = message("UERG", &[]);
    assert_eq!(fetched(false, media_type, bytes).await.unwrap().0, json!({"output": {"content": "UERG"}}));
}

#[tokio::test]
async fn an_attachment_that_goes_along_stands_in_a_part_of_its_own() {
    let pki = Pki::new();
    let peer = peer(&pki).await;
    let stored = "<storeResponse xmlns='urn:lockgate:files'><bytes>3</bytes></storeResponse>";
    peer.answers(BASE, move |_| told(200, "text/xml", envelope("", stored)));
    let account = Account::at(&pki, peer.port());
    let mut input = store("cid:attachment");
    input["attachment_type"] = "application/pdf".into();
    let streamed = Call { body: Some(Body::full("PDF")), ..call("call", input.clone()) };
    let answer = account.invoke(streamed).await.unwrap();
    assert_eq!(read(&answer.output), json!({"output": {"bytes": "3"}}));
    input["attachment"] = "PDF".into();
    account.call(input).await.unwrap();
    // Without one, the content is what the value says.
    account.call(store("UERG")).await.unwrap();
    let requests = peer.requests();
    assert_eq!(answer.written, requests[0].body.len() as u64);
    for request in &requests[..2] {
        let media_type = request.headers["content-type"].to_str().unwrap();
        assert!(media_type.starts_with("multipart/related; type=\"application/xop+xml\""), "{media_type}");
        assert_eq!(request.headers["content-length"], request.body.len().to_string().as_str());
        let text = String::from_utf8_lossy(&request.body);
        assert!(text.contains("<xop:Include href=\"cid:attachment\"/>"), "{text}");
        let part = "content-type: application/pdf\r\ncontent-transfer-encoding: binary\r\ncontent-id: <attachment>\r\n\r\nPDF\r\n--";
        assert!(text.contains(part), "{text}");
    }
    assert!(String::from_utf8_lossy(&requests[2].body).contains("<n1:content>UERG</n1:content>"));
}
