//! Messages in parts: what is written is read, however it is cut; attachments pass in flat memory.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{collections::BTreeSet, path::Path};

use lockgate_document::{Document, Limits};
use lockgate_soap::{
    Operation, Request, SoapError, Version, Wsdl,
    mtom::{Event, PartHead, Reader, Writer, content_id},
};
use lockgate_testkit::process::peak_rss_bytes;
use proptest::prelude::*;

/// All parts of a message that comes in pieces of this many bytes.
fn parts(content_type: &str, bytes: &[u8], piece: usize) -> Result<Vec<(PartHead, Vec<u8>)>, SoapError> {
    let mut reader = Reader::new(content_type)?;
    let mut pieces = bytes.chunks(piece.max(1));
    let mut parts: Vec<(PartHead, Vec<u8>)> = Vec::new();
    loop {
        match reader.event()? {
            Event::Part(head) => parts.push((head, Vec::new())),
            Event::Data(data) => parts.last_mut().unwrap().1.extend_from_slice(data),
            Event::EndOfPart => {}
            // What follows is read, too.
            Event::Done => match pieces.next() {
                Some(piece) => reader.push(piece),
                None => return Ok(parts),
            },
            Event::More => match pieces.next() {
                Some(piece) => reader.push(piece),
                None => reader.end(),
            },
        }
    }
}

fn written(envelope: &[u8], attachments: &[(&str, Vec<u8>)]) -> (String, Vec<u8>) {
    let writer = Writer::new("b0undary", Version::Soap11, "urn:a").unwrap();
    let mut bytes = writer.envelope();
    bytes.extend_from_slice(envelope);
    for (id, data) in attachments {
        bytes.extend(writer.attachment(id, "application/pdf").unwrap());
        bytes.extend_from_slice(data);
    }
    bytes.extend(writer.end());
    (writer.http_headers().swap_remove(0).1, bytes)
}

proptest! {
    #[test]
    fn what_is_written_is_read_however_it_is_cut(
        data in prop::collection::vec(prop_oneof![
            Just(b"\r\n--b0undar".to_vec()), Just(b"\r\n--b0undaryx".to_vec()), Just(b"\r".to_vec()), Just(b"\r\n".to_vec()),
            Just(b"--".to_vec()), prop::collection::vec(any::<u8>(), 0..9)
        ], 0..6),
        piece in 1usize..40,
    ) {
        let data = data.concat();
        let (content_type, bytes) = written(b"<e/>", &[("a@x", data.clone()), ("b@x", Vec::new())]);
        let parts = parts(&content_type, &bytes, piece).unwrap();
        prop_assert_eq!(parts.len(), 3);
        prop_assert_eq!(&parts[0].1, b"<e/>");
        prop_assert_eq!(&parts[1].1, &data);
        prop_assert_eq!(parts[1].0.content_id.as_deref(), Some("a@x"));
        prop_assert_eq!(parts[1].0.content_type.as_deref(), Some("application/pdf"));
        prop_assert!(parts[2].1.is_empty());
    }

    #[test]
    fn whatever_comes_is_read_or_refused(bytes in "[\r\n b-]{0,80}", piece in 1usize..9) {
        let _ = parts("multipart/related; boundary=b", bytes.as_bytes(), piece);
    }
}

#[test]
fn what_others_write_is_read() {
    let content_type =
        "Multipart/Related;start-info=\"text/xml\"; type=\"application/xop+xml\" ;boundary=uuid:1;start=\"<r>\"";
    let bytes = b"preamble\r\n--uuid:1  \r\nContent-Id: <r>\r\nContent-Type: application/xop+xml;\r\n charset=UTF-8\r\n\r\n<e/>\r\n\
        --uuid:1\r\nContent-Transfer-Encoding: BINARY\r\n\r\n\r\n--uuid:1\r\nx: y\r\n\r\n--uuid:1\r\n\r\nbare\r\n--uuid:1--epilogue";
    for piece in 1..bytes.len() {
        let parts = parts(content_type, bytes, piece).unwrap();
        let told: Vec<(Option<&str>, &[u8])> =
            parts.iter().map(|(head, data)| (head.content_id.as_deref(), data.as_slice())).collect();
        assert_eq!(told, [(Some("r"), b"<e/>".as_slice()), (None, b""), (None, b""), (None, b"bare")], "{piece}");
    }
    assert_eq!(content_id("cid:a%40b"), Some("a@b".to_owned()));
    assert_eq!(content_id("cid:a%4"), None);
}

#[test]
fn what_is_cut_off_or_encoded_or_out_of_order_is_refused() {
    let whole = "--b\r\ncontent-id: <r>\r\n\r\n<e/>\r\n--b--";
    let related = "multipart/related; boundary=b";
    for (content_type, bytes) in [
        ("text/xml", whole),
        ("multipart/related", whole),
        ("multipart/related; boundary=\"\"", whole),
        ("multipart/related; boundary=\"a\r\nb\"", whole),
        ("multipart/related; boundary=b; start=\"<other>\"", whole),
        (related, ""),
        (related, "--b--"),
        (related, "--b\r\n\r\n<e/>"),
        (related, "--b\r\n\r\n<e/>\r\n--b"),
        (related, "--b\r\ncontent-id: <r>\r\n"),
        (related, "--b\r\nno header\r\n\r\n<e/>\r\n--b--"),
        (related, "--b\r\ncontent-transfer-encoding: base64\r\n\r\n<e/>\r\n--b--"),
        (related, "--b\r\ncontent-id: <a>\r\ncontent-id: <b>\r\n\r\n<e/>\r\n--b--"),
    ] {
        assert_eq!(
            parts(content_type, bytes.as_bytes(), 3).unwrap_err().code,
            "LG-SOAP-MULTIPART",
            "{content_type} {bytes}"
        );
    }
    let long = format!("--b\r\nx: {}\r\n\r\n\r\n--b--", "y".repeat(20_000));
    assert!(parts(related, long.as_bytes(), 100).is_err());
    // Ids that are held, and what stands around the parts.
    let id = |length: usize| format!("--b\r\ncontent-id: <{}>\r\n\r\nx\r\n--b--", "i".repeat(length));
    assert!(parts(related, id(256).as_bytes(), 100).is_ok());
    assert!(parts(related, id(257).as_bytes(), 100).is_err());
    let around =
        |before: usize, after: usize| format!("{}\r\n--b\r\n\r\nx\r\n--b--{}", "p".repeat(before), "q".repeat(after));
    assert!(parts(related, around(10_000, 10).as_bytes(), 1000).is_ok());
    assert!(parts(related, around(20_000, 0).as_bytes(), 1000).is_err());
    assert!(parts(related, around(0, 40_000).as_bytes(), 1000).is_err());
    let many = "--b\r\n\r\n\r\n".repeat(10_001);
    assert!(parts(related, many.as_bytes(), 1000).is_err());
    for (id, media) in [("a b", "x/y"), ("a\r\nx", "x/y"), ("", "x/y"), ("a", "x\r\ny")] {
        assert!(Writer::new("b", Version::Soap11, "").unwrap().attachment(id, media).is_err(), "{id:?} {media:?}");
    }
    assert!(Writer::new("a\r\nb", Version::Soap11, "").is_err());
}

#[test]
fn an_envelope_refers_to_its_attachments() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wsdl");
    let text = std::fs::read_to_string(folder.join("wrapped.wsdl")).unwrap();
    let read = |text: String| Wsdl::read("wrapped.wsdl", text, |_| None).unwrap().operation("P", "op").unwrap();
    // A text is no attachment, whatever stands in it.
    let texts = read(text.clone());
    let operation = read(text.replace("name=\"first\" type=\"xs:string\"", "name=\"first\" type=\"xs:base64Binary\""));
    let limits = Limits::default();
    let body = Document::parse(br#"{"first": "cid:file@1"}"#, &limits).unwrap();
    let (none, ids) = (Document::undefined(), BTreeSet::from(["file@1".to_owned()]));
    let request = Request { body: body.root(), headers: none.root(), blocks: &[], body_id: None, attachments: &ids };
    let bytes = operation.request(&request, &limits).unwrap();
    let xml = String::from_utf8_lossy(&bytes);
    assert!(xml.contains("<n1:first><xop:Include href=\"cid:file@1\"/></n1:first>"), "{xml}");
    let read = operation.asked(&bytes, &[], &limits).unwrap();
    assert_eq!(read.body.root().get("first").as_str(), Some("cid:file@1"));
    assert_eq!(read.attachments, ["file@1"]);
    let refused = |operation: &Operation, ids: &[&str]| {
        let ids: BTreeSet<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        operation.request(&Request { attachments: &ids, ..request }, &limits).unwrap_err().code
    };
    assert_eq!(refused(&texts, &["file@1"]), "LG-SOAP-ATTACHMENT");
    assert_eq!(refused(&operation, &["file@1", "file@2"]), "LG-SOAP-ATTACHMENT");
    assert_eq!(refused(&operation, &["file@2"]), "LG-SOAP-ATTACHMENT");
    let include = bytes.clone();
    assert_eq!(texts.asked(&include, &[], &limits).unwrap_err().code, "LG-SOAP-BODY");
    // What is no attachment is text.
    let request = Request { attachments: &BTreeSet::new(), ..request };
    assert!(!String::from_utf8_lossy(&operation.request(&request, &limits).unwrap()).contains("Include"));
}

#[test]
fn a_large_attachment_takes_flat_memory() {
    let gibibyte: u64 = 1 << 30;
    let length = if lockgate_testkit::long() { gibibyte } else { gibibyte / 16 };
    let writer = Writer::new("b0undary", Version::Soap12, "urn:a").unwrap();
    let mut reader = Reader::new(&writer.http_headers()[0].1).unwrap();
    let piece: Vec<u8> =
        (0..64 << 10).map(|i: u32| if i.is_multiple_of(97) { b'\r' } else { i.to_le_bytes()[0] }).collect();
    let before = peak_rss_bytes(std::process::id());
    let mut received = 0u64;
    let mut take = |reader: &mut Reader| loop {
        match reader.event().unwrap() {
            Event::Data(data) => received += data.len() as u64,
            Event::More | Event::Done => break,
            Event::Part(_) | Event::EndOfPart => {}
        }
    };
    reader.push(&writer.envelope());
    reader.push(&writer.attachment("a", "application/octet-stream").unwrap());
    take(&mut reader);
    for _ in 0..length / piece.len() as u64 {
        reader.push(&piece);
        take(&mut reader);
    }
    reader.push(&writer.end());
    take(&mut reader);
    assert_eq!(received, length);
    assert!(reader.bytes_held() < 1 << 20, "{}", reader.bytes_held());
    assert!(peak_rss_bytes(std::process::id()) - before < 16 << 20);
}
