use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::problem::Problem;
use super::*;
use crate::format::{RecordReader, RecordWriter};

/// Far more than any of this takes, and far less than what grows with a square.
const LONGEST: Duration = Duration::from_secs(20);

fn code(bytes: &[u8]) -> String {
    let begun = Instant::now();
    let code = parsed(bytes, &plain()).map_or_else(|error| error.code().to_owned(), |_| "taken".to_owned());
    assert!(begun.elapsed() < LONGEST, "{code}");
    code
}

#[test]
fn many_attributes_and_names_meet_a_limit() {
    let attributes = |count: usize| {
        let mut text = "<a".to_owned();
        (0..count).for_each(|number| write!(text, " b{number}=''").unwrap());
        text + "/>"
    };
    assert_eq!(code(attributes(ATTRIBUTES_MAX).as_bytes()), "taken");
    assert_eq!(code(attributes(ATTRIBUTES_MAX + 1).as_bytes()), "LG-XML-LIMIT");
    assert_eq!(code(attributes(100_000).as_bytes()), "LG-XML-LIMIT");
    let name = "n".repeat(NAME_BYTES_MAX);
    assert_eq!(code(format!("<{name} {name}=''></{name}>").as_bytes()), "taken");
    assert_eq!(code(format!("<{name}n/>").as_bytes()), "LG-XML-LIMIT");
    assert_eq!(code(format!("<a {name}n=''/>").as_bytes()), "LG-XML-LIMIT");
    assert_eq!(code(format!("<?{name}n ?><a/>").as_bytes()), "LG-XML-LIMIT");
    assert_eq!(code(format!("<?{}", "n".repeat(1 << 20)).as_bytes()), "LG-XML-LIMIT");
    let uri = "u".repeat(URI_BYTES_MAX);
    assert_eq!(code(format!("<a xmlns='{uri}'/>").as_bytes()), "taken");
    assert_eq!(code(format!("<a xmlns='{uri}u'/>").as_bytes()), "LG-XML-LIMIT");
    assert_eq!(xml(&format!("{{\"{name}n\":1}}"), &plain()).unwrap_err().code(), "LG-XML-LIMIT");
    let fields: Vec<String> = (0..=ATTRIBUTES_MAX).map(|number| format!("\"@a{number}\":1")).collect();
    assert_eq!(xml(&format!("{{\"a\":{{{}}}}}", fields.join(",")), &plain()).unwrap_err().code(), "LG-XML-LIMIT");
    let long = format!("{{\"a\":{{\"@b\":\"{}\"}}}}", "x".repeat(TAG_BYTES_MAX));
    assert_eq!(xml(&long, &plain()).unwrap_err().code(), "LG-XML-LIMIT");
}

#[test]
fn messages_name_the_limits() {
    for (problem, limit) in [
        (Problem::NameLength, NAME_BYTES_MAX),
        (Problem::UriLength, URI_BYTES_MAX),
        (Problem::Attributes, ATTRIBUTES_MAX),
        (Problem::TagLength, TAG_BYTES_MAX >> 20),
    ] {
        assert!(problem.at(0).message().contains(&format!(" {limit} ")), "{problem:?}");
    }
}

#[test]
fn long_tags_meet_a_limit() {
    let tag = |bytes: usize| format!("<a b='{}'/>", "x".repeat(bytes - 9));
    assert_eq!(code(tag(TAG_BYTES_MAX).as_bytes()), "taken");
    assert_eq!(code(tag(TAG_BYTES_MAX + 1).as_bytes()), "LG-XML-LIMIT");
    assert_eq!(code(format!("<a {}", " ".repeat(TAG_BYTES_MAX)).as_bytes()), "LG-XML-LIMIT");
    assert_eq!(code(format!("<a></a{}>", " ".repeat(TAG_BYTES_MAX)).as_bytes()), "LG-XML-LIMIT");
    assert_eq!(code(format!("<?xml version='1.0'{}", " ".repeat(1 << 20)).as_bytes()), "LG-XML-DECLARATION");
    // A beginning that cannot become a declaration is not waited for.
    for begin in [
        &b"<?xml\xff"[..],
        b"<?xml \xff",
        b"\xff\xfe<\0?\0x\0m\0l\0 \0\0\x01",
        b"<?xml version='1.0' ",
        b"\xff\xff\xff\xff",
    ] {
        let mut reader = XmlRecordReader::new("a", &plain(), &Limits::default()).unwrap();
        reader.push(&[begin, &[b' '; 2_000]].concat());
        assert!(reader.next().is_err(), "{begin:?}");
    }
    // Byte by byte, no tag is looked through again.
    let mut reader = XmlRecordReader::new("a", &plain(), &Limits::default()).unwrap();
    let begun = Instant::now();
    for byte in tag(1 << 20).as_bytes() {
        reader.push(&[*byte]);
        assert!(begun.elapsed() < LONGEST);
        if reader.next().unwrap().is_some() {
            return;
        }
    }
    panic!("no record came");
}

#[test]
fn depth_meets_a_limit() {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert_eq!(code(nested(128).as_bytes()), "taken");
    assert_eq!(code(nested(129).as_bytes()), "LG-DEPTH-EXCEEDED");
    assert_eq!(code(nested(100_000).as_bytes()), "LG-DEPTH-EXCEEDED");
    // An array and `#content` are levels of their own.
    let wide = |depth: usize| format!("{}{}", "<a>x".repeat(depth), "</a>".repeat(depth));
    assert_eq!(code(wide(43).as_bytes()), "taken");
    assert_eq!(code(wide(44).as_bytes()), "LG-DEPTH-EXCEEDED");
    let document = parsed(wide(43).as_bytes(), &plain()).unwrap();
    assert_eq!(parsed(&written(&document, &plain()).unwrap(), &plain()).unwrap(), document);
    let deepest = Limits { depth_max: u32::MAX, ..Limits::default() };
    let document = read(nested(256).as_bytes(), &plain(), &deepest).unwrap();
    assert_eq!(read(&written(&document, &plain()).unwrap(), &plain(), &deepest).unwrap(), document);
    assert_eq!(read(nested(257).as_bytes(), &plain(), &deepest).unwrap_err().code(), "LG-DEPTH-EXCEEDED");
    let skipped = format!("<r>{}", "<a>".repeat(100_000));
    let mut reader = XmlRecordReader::new("r/b", &plain(), &Limits::default()).unwrap();
    reader.push(skipped.as_bytes());
    assert_eq!(reader.next().unwrap_err().code(), "LG-DEPTH-EXCEEDED");
}

#[test]
fn texts_meet_the_limit_of_the_arena() {
    assert_eq!(code(&[b"<a>".as_slice(), &vec![b'x'; 100 << 20]].concat()), "LG-ARENA-FULL");
    let limits = Limits { arena_bytes_max: 1 << 20, ..Limits::default() };
    let code = |begin: &str, byte: u8, end: &str| {
        let document = [begin.as_bytes(), &vec![byte; 8 << 20], end.as_bytes()].concat();
        read(&document, &plain(), &limits).map_or_else(|error| error.code().to_owned(), |_| "taken".to_owned())
    };
    assert_eq!(code("<a>", b'x', "</a>"), "LG-ARENA-FULL");
    assert_eq!(code("<a><![CDATA[", b']', "]]></a>"), "LG-ARENA-FULL");
    assert_eq!(code("<a>", b' ', "<b/></a>"), "LG-ARENA-FULL");
    // What is dropped takes no memory.
    assert_eq!(code("<!--", b'x', "--><a/>"), "taken");
    assert_eq!(code("<?a ", b'?', "?><a/>"), "taken");
    assert_eq!(code("<a/>", b'\n', ""), "taken");
}

#[test]
fn many_children_take_no_square_of_time() {
    let limits = Limits { arena_bytes_max: 256 << 20, ..Limits::default() };
    let take = |text: String| {
        let begun = Instant::now();
        let document = read(text.as_bytes(), &plain(), &limits).unwrap();
        assert!(begun.elapsed() < LONGEST);
        document
    };
    let mut apart = "<a>".to_owned();
    (0..100_000).for_each(|number| write!(apart, "<b{number}/>").unwrap());
    assert_eq!(take(apart.clone() + "</a>").root().get("a").len(), 100_000);
    let interleaved = take(apart + "<b0/></a>");
    assert_eq!(interleaved.root().get("a").get("#content").len(), 100_001);
    assert_eq!(take(format!("<a>{}</a>", "<b/>".repeat(100_000))).root().get("a").get("b").len(), 100_000);
    assert_eq!(
        take(format!("<a>{}</a>", "&amp;".repeat(1_000_000))).root().get("a").as_str().unwrap().len(),
        1_000_000
    );
    assert_eq!(code(format!("<a>{}", "<b xmlns:p='u'>".repeat(100)).as_bytes()), "LG-XML-END");
}

#[test]
fn many_declarations_take_no_square_of_time() {
    let mut text = "<a".to_owned();
    (0..ATTRIBUTES_MAX).for_each(|number| write!(text, " xmlns:p{number}='{number}'").unwrap());
    text.push('>');
    for _ in 0..200 {
        text.push_str("<b");
        (0..ATTRIBUTES_MAX).for_each(|number| write!(text, " p{number}:x=''").unwrap());
        text.push_str("/>");
    }
    assert_eq!(code((text + "</a>").as_bytes()), "taken");
}

#[test]
fn laughs_end_at_the_first() {
    let laughs = "<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol1 '&lol;&lol;&lol;&lol;'>]><lolz>&lol1;</lolz>";
    assert_eq!(code(laughs.as_bytes()), "LG-XML-DOCTYPE");
    let in_pairs: Vec<u8> = [0xfeff].into_iter().chain(laughs.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(code(&in_pairs), "LG-XML-DOCTYPE");
    assert_eq!(code(b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"), "LG-XML-DOCTYPE");
}

#[test]
fn what_is_written_meets_a_limit() {
    // A name that stands once in a value stands twice in each element.
    let name = "n".repeat(1_000);
    let value = from_json(&format!("{{\"a\":{{\"{name}\":[{}0]}}}}", "0,".repeat(10_000)));
    let options = XmlOptions { bytes_max: 1 << 20, ..plain() };
    let mut out = Vec::new();
    assert_eq!(write(value.root(), &options, &mut out).unwrap_err().code(), "LG-XML-LIMIT");
    assert!(out.is_empty() && out.capacity() < 4 << 20);
    let mut writer = XmlRecordWriter::new("r", "s", &options).unwrap();
    assert_eq!(writer.write(value.root(), &mut out).unwrap_err().code(), "LG-XML-LIMIT");
    let length = written(&from_json(r#"{"a":1}"#), &plain()).unwrap().len() as u64;
    let exactly = |bytes_max| written(&from_json(r#"{"a":1}"#), &XmlOptions { bytes_max, ..plain() }).is_ok();
    assert_eq!((exactly(length), exactly(length - 1)), (true, false));
}

/// Every small change of a document is taken or refused: nothing panics, and what is taken comes back.
#[test]
fn changed_documents_are_taken_or_refused() {
    let sample = "<?xml version='1.0' encoding='utf-8'?><!--c--><p:a xmlns:p='u' b=\"1&lt;\"><?d e?>x<c/>]]&gt;<![CDATA[<]]><c>\r\n&#65;ж</c></p:a>";
    let try_it = |bytes: &[u8]| {
        if let Ok(document) = parsed(bytes, &plain()) {
            let written = written(&document, &plain()).unwrap();
            assert_eq!(parsed(&written, &plain()).unwrap(), document, "{bytes:?}");
        }
    };
    for at in 0..sample.len() {
        let (left, right) = sample.as_bytes().split_at(at);
        try_it(left);
        try_it(&right[1..]);
        try_it(&[left, &right[1..]].concat());
        for byte in *b"<>&;'\"]-?!/= :a\0\xff\xef\r" {
            try_it(&[left, &[byte], right].concat());
            try_it(&[left, &[byte], &right[1..]].concat());
        }
    }
}
