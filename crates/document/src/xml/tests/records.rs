use super::*;
use crate::format::{RecordReader, RecordWriter};

const ORDERS: &str = "<?xml version='1.0'?>\r\n<!-- c -->\r\n<orders xmlns='urn:o' at='1'>\r\n  <note>not &amp; this<order/></note>\
    <order n=\"1\">\r\n<line>a&#65;]] ></line><line><![CDATA[]]]]></line></order>\r\n<?p i?>\
    <order>größe &lt;😀\r</order><order/>\r\n</orders>\r\n";
const EXPECTED: [&str; 3] = [r#"{"@n":"1","line":["aA]] >","]]"]}"#, "\"größe <😀\\n\"", "\"\""];

fn reader(path: &str) -> XmlRecordReader {
    XmlRecordReader::new(path, &mapped(&[("urn:o", "")]), &Limits::default()).unwrap()
}
/// All records of some pieces, each as JSON, and how it ended.
fn records(mut reader: XmlRecordReader, pieces: &[&[u8]]) -> (Vec<String>, Option<FormatError>) {
    let mut records = Vec::new();
    for piece in pieces.iter().map(Some).chain([None]) {
        match piece {
            Some(piece) => reader.push(piece),
            None => reader.end(),
        }
        loop {
            match reader.next() {
                Ok(Some(record)) => records.push(json(&record)),
                Ok(None) => break,
                Err(error) => return (records, Some(error)),
            }
        }
    }
    (records, None)
}

#[test]
fn what_is_wrong_in_a_record_names_it() {
    let text = "<orders xmlns='urn:o'><order/><order>&x;</order><order/></orders>";
    let mut reader = reader("orders/order");
    reader.push(text.as_bytes());
    assert!(reader.next().unwrap().is_some());
    for _ in 0..2 {
        let error = reader.next().unwrap_err();
        assert_eq!((error.code(), error.offset(), error.record()), ("LG-XML-ENTITY", 37, Some(2)));
    }
    reader.push(&vec![b' '; 1 << 20]);
    assert_eq!(reader.bytes_held(), 0);
}

#[test]
fn a_way_whose_elements_would_be_content_is_refused() {
    let at = |text: &str| {
        let reader = XmlRecordReader::new("a/b/c", &plain(), &Limits::default()).unwrap();
        let (given, error) = records(reader, &[text.as_bytes()]);
        let whole = read(text.as_bytes(), &plain(), &Limits::default()).unwrap();
        let found = json(&whole).contains("#content");
        assert_eq!(error.is_some(), found, "{text}: {}", json(&whole));
        (given.len(), error.map(|error| error.code().to_owned()).unwrap_or_default())
    };
    let refused = |count| (count, "LG-XML-RECORDS".to_owned());
    assert_eq!(at("<a>x<b><c/></b></a>"), refused(0));
    assert_eq!(at("<a><b><c/></b>x</a>"), refused(1));
    assert_eq!(at("<a><b><c/><d/><c/></b></a>"), refused(1));
    assert_eq!(at("<a><b><c/></b><d/><b><c/></b></a>"), refused(1));
    assert_eq!(at("<a xml:space='preserve'><b> <c/></b></a>"), refused(0));
    assert_eq!(at("<a><b>&#32;<c/></b></a>"), refused(0));
    assert_eq!(at("<a><b><![CDATA[ ]]><c/></b></a>"), refused(0));
    assert_eq!(at("<a xml:space='preserve'><b xml:space='default'> <c/></b></a>"), (1, String::new()));
    assert_eq!(at("<a> <d/> <b> <c/> <c/> <e/> </b> <b/> <b><c/></b> </a>"), (3, String::new()));
}

#[test]
fn a_document_of_another_root_is_refused() {
    let (read, error) = records(reader("invoices/order"), &[ORDERS.as_bytes()]);
    assert_eq!((read.len(), error.unwrap().code()), (0, "LG-XML-PATH"));
}

#[test]
fn what_is_wrong_after_the_last_record_is_refused() {
    for rest in ["<order></orders>", "", "</orders>x", "</orders><orders/>"] {
        let text = format!("<orders xmlns='urn:o'><order/>{rest}");
        let (read, error) = records(reader("orders/order"), &[text.as_bytes()]);
        assert_eq!((read.len(), error.is_some()), (1, true), "{rest}");
    }
}

#[test]
fn every_cut_gives_the_same_records() {
    let bytes = ORDERS.as_bytes();
    assert_eq!(records(reader("orders/order"), &[bytes]), (EXPECTED.map(str::to_owned).to_vec(), None));
    for cut in 0..=bytes.len() {
        let (left, right) = bytes.split_at(cut);
        assert_eq!(records(reader("orders/order"), &[left, right]).0, EXPECTED, "cut at {cut}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(records(reader("orders/order"), &single).0, EXPECTED);
    // In pairs of bytes too, each cut in two.
    let pairs: Vec<u8> = [0xfeff].into_iter().chain(ORDERS.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    let single: Vec<&[u8]> = pairs.chunks(1).collect();
    assert_eq!(records(reader("orders/order"), &single), (EXPECTED.map(str::to_owned).to_vec(), None));
}

#[test]
fn every_cut_refuses_the_same() {
    for text in [
        "<a><b/><b>]]></b></a>",
        "<a><b/><b><!-- -- --></b></a>",
        "<a><b/><b c='1' c='2'></b></a>",
        "<a><b/><b>&nbsp;</b></a>",
        "<a><b/><b>&lt </b></a>",
        "<a><b/><?xml x?></a>",
        "<a><b/><b>\u{1}</b></a>",
        "<a><b/><x:b/></a>",
        "<a><b/></a>\u{fffe}",
        "<a><b/><!DOCTYPE x></a>",
        "<a><b/><b",
        "<?xml version='1.0' encoding='ascii",
    ] {
        let reader = || XmlRecordReader::new("a/b", &plain(), &Limits::default()).unwrap();
        let whole = records(reader(), &[text.as_bytes()]);
        assert!(whole.1.is_some(), "{text}");
        for cut in 0..=text.len() {
            let (left, right) = text.as_bytes().split_at(cut);
            assert_eq!(records(reader(), &[left, right]), whole, "{text} cut at {cut}");
        }
    }
    // Bytes that are no text: what stands before them is read first.
    let bytes = b"<a><b/><b>\xff</b></a>";
    for cut in 0..=bytes.len() {
        let (left, right) = bytes.split_at(cut);
        let (read, error) = records(XmlRecordReader::new("a/b", &plain(), &Limits::default()).unwrap(), &[left, right]);
        let error = error.unwrap();
        assert_eq!((read.len(), error.code(), error.offset(), error.record()), (1, "LG-CHARSET", 10, Some(2)));
    }
}

#[test]
fn debug_texts_and_errors_show_no_data() {
    let mut reader = XmlRecordReader::new("a/b", &plain(), &Limits::default()).unwrap();
    reader.push(b"<a xmlns:secret='secret'><b>secret<b c='secret'/>secret</b><b>&secret;</b>");
    assert!(reader.next().unwrap().is_some());
    assert_eq!(format!("{reader:?}"), "XmlRecordReader(1 records)");
    let error = reader.next().unwrap_err();
    assert!(!format!("{error} {error:?} {reader:?}").contains("secret"));
    let mut writer = XmlRecordWriter::new("a", "b", &plain()).unwrap();
    let error = writer.write(from_json(r#"{"secret secret":"secret"}"#).root(), &mut Vec::new()).unwrap_err();
    assert!(!format!("{error} {error:?} {writer:?}").contains("secret"));
}

#[test]
fn the_root_can_be_the_record() {
    assert_eq!(records(reader("orders"), &[b"<orders xmlns='urn:o'>x</orders>"]), (vec!["\"x\"".to_owned()], None));
}

#[test]
fn paths_of_arrays_begin_at_the_root() {
    let options = XmlOptions { arrays: Arrays::new(["a/b/c"]).unwrap(), ..plain() };
    let reader = XmlRecordReader::new("a/b", &options, &Limits::default()).unwrap();
    assert_eq!(records(reader, &[b"<a><b><c/></b></a>"]), (vec![r#"{"c":[""]}"#.to_owned()], None));
}

#[test]
fn a_document_of_any_length_passes_in_flat_memory() {
    // As many records as show that none is kept; the sizes of all buffers are looked at.
    let mut reader = XmlRecordReader::new("a/b", &plain(), &Limits::default()).unwrap();
    reader.push(b"<a>");
    let beside = format!("\n<skip d='{}'/>", "z".repeat(2_000)).repeat(20);
    for _ in 0..100 {
        reader.push(beside.as_bytes());
        assert!(reader.next().unwrap().is_none());
    }
    let record = format!("<b><c>{}</c><!-- {} --></b>\n", "x".repeat(2_000), "y".repeat(2_000));
    let piece = record.repeat(20);
    let mut count = 0;
    for _ in 0..100 {
        reader.push(piece.as_bytes());
        while reader.next().unwrap().is_some() {
            count += 1;
        }
    }
    reader.push(b"</a>");
    reader.end();
    assert!(reader.next().unwrap().is_none());
    assert_eq!(count, 2_000);
    assert!(reader.bytes_held() < 1 << 20, "{}", reader.bytes_held());
}

#[test]
fn records_are_written_within_a_root() {
    let options = mapped(&[("urn:o", "")]);
    let mut writer = XmlRecordWriter::new("orders", "order", &options).unwrap();
    let mut out = Vec::new();
    let first = from_json(r#"{"bad name":1}"#);
    let error = writer.write(first.root(), &mut out).unwrap_err();
    assert_eq!((error.code(), error.record(), out.len()), ("LG-XML-NAME", Some(1), 0));
    for record in EXPECTED {
        writer.write(from_json(record).root(), &mut out).unwrap();
    }
    let error = writer.write(from_json(r#"{"a":{"b":{"p:c":1}}}"#).root(), &mut out).unwrap_err();
    assert_eq!((error.code(), error.record()), ("LG-XML-PREFIX", Some(5)));
    assert_eq!(writer.write(from_json("[1]").root(), &mut out).unwrap_err().code(), "LG-XML-VALUE");
    writer.write(from_json("null").root(), &mut out).unwrap();
    writer.finish(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<orders xmlns=\"urn:o\"><order n=\"1\">"),
        "{text}"
    );
    let mut expected = EXPECTED.map(str::to_owned).to_vec();
    expected.push("null".to_owned());
    assert_eq!(records(reader("orders/order"), &[text.as_bytes()]), (expected, None));

    let mut out = Vec::new();
    XmlRecordWriter::new("orders", "order", &options).unwrap().finish(&mut out).unwrap();
    assert_eq!(records(reader("orders/order"), &[&out]), (Vec::new(), None));
}

#[test]
fn a_root_whose_prefix_is_not_known_is_refused_with_the_first_record() {
    let mut writer = XmlRecordWriter::new("o:orders", "order", &plain()).unwrap();
    assert_eq!(writer.write(from_json("1").root(), &mut Vec::new()).unwrap_err().code(), "LG-XML-PREFIX");
}
