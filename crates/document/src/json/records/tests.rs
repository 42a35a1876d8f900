use proptest::prelude::*;

use super::*;
use crate::format::RecordWriter as _;
use crate::json::JsonWriter;

fn limits() -> Limits {
    Limits { depth_max: 8, ..Limits::default() }
}

fn reader(path: &[&str], options: ParseOptions) -> JsonRecords {
    JsonRecords::new(path.iter().map(|name| (*name).to_owned()).collect(), &limits(), options)
}

const LAST: ParseOptions = ParseOptions { duplicates: Duplicates::Last };

/// All records as JSON, and how it ended; the text comes in these pieces.
fn all(mut reader: JsonRecords, pieces: &[&[u8]]) -> (Vec<String>, Option<FormatError>) {
    let mut found = Vec::new();
    let mut take = |reader: &mut JsonRecords| {
        while let Some(record) = reader.next()? {
            found.push(String::from_utf8(record.print(u64::MAX).unwrap()).unwrap());
        }
        Ok(())
    };
    let mut end = Ok(());
    for piece in pieces {
        reader.push(piece);
        end = end.and_then(|()| take(&mut reader));
    }
    reader.end();
    end = end.and_then(|()| take(&mut reader));
    (found, end.err())
}

/// The same, some records at a time.
fn all_by_batch(mut reader: JsonRecords, pieces: &[&[u8]], records_max: usize) -> (Vec<String>, Option<FormatError>) {
    let (mut found, mut pieces) = (Vec::new(), pieces.iter());
    loop {
        match reader.batch(records_max) {
            Ok(Some(batch)) => {
                assert!((1..=records_max).contains(&batch.root().len()));
                batch.each_item_json(|item| found.push(String::from_utf8(item.to_vec()).unwrap())).unwrap();
            }
            Ok(None) => match pieces.next() {
                Some(piece) => reader.push(piece),
                None if reader.ended => return (found, None),
                None => reader.end(),
            },
            Err(error) => return (found, Some(error)),
        }
    }
}

fn records(path: &[&str], text: &str) -> Vec<String> {
    let (found, error) = all(reader(path, ParseOptions::default()), &[text.as_bytes()]);
    assert_eq!(error, None, "{text}");
    found
}

fn refused(path: &[&str], text: &str) -> FormatError {
    all(reader(path, ParseOptions::default()), &[text.as_bytes()]).1.unwrap_or_else(|| panic!("taken: {text}"))
}

/// Texts with what is wrong beside, on and behind the way to `a`.
const BROKEN: [&str; 38] = [
    "",
    " ",
    "{",
    "[",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1}",
    "{]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{\"a\":1 \"b\":2}",
    "{a:1}",
    "{1:1}",
    "{\"a\":[1,2}",
    "{\"a\":[1,2]",
    "{\"a\":[1,2]]",
    "{\"a\":[1,2]} x",
    "{\"a\":[1,2]}{}",
    "[1] 2",
    "{\"a\":[nul]}",
    "{\"a\":[01]}",
    "{\"a\":[\"\\x\"]}",
    "{\"a\":[\"\u{1}\"]}",
    "{\"b\":nul,\"a\":[]}",
    "{\"a\":[1],\"b\":[1,}",
    "{\"a\":[1],\"b\":\"\\ud800\"}",
    "{\"a\":[1],\"b\\q\":1}",
    "{\"a\":[1],\"a\":[2]}",
    "{\"b\":1,\"b\":1,\"a\":[2]}",
    "{\"a\":[1],\"b\":{\"c\":1,\"c\":2}}",
    "{\"a\":[{\"c\":1,\"c\":2}]}",
    "{\"a\":[1],\"\\u0061\":1}",
    "{\"c\":[[[[[[[[1]]]]]]]]}",
    "\u{feff}{\"a\":[1]}",
];

#[test]
fn what_the_whole_reader_refuses_is_refused_wherever_it_stands() {
    for text in BROKEN {
        let whole = Document::parse(text.as_bytes(), &limits()).unwrap_err();
        for path in [&[] as &[&str], &["a"], &["b"], &["a", "b"]] {
            let error = refused(path, text);
            assert_eq!(
                (error.code(), error.offset()),
                (whole.code().as_str(), whole.offset() as u64),
                "{text} {path:?}"
            );
        }
    }
    for text in [b"{\"a\":[\"\xff\"]}".as_slice(), b"{\"a\":[1]\xff}", b"\xef\xbb", b"{\"\xff\":1}"] {
        let (_, error) = all(reader(&["a"], ParseOptions::default()), &[text]);
        assert!(error.is_some(), "{text:?}");
    }
}

#[test]
fn depth_counts_from_the_whole_text() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    for path in [&[] as &[&str], &["a"], &["b"]] {
        let (_, error) = all(reader(path, LAST), &[nested(8).as_bytes()]);
        assert_eq!(error, None);
        assert_eq!(refused(path, &nested(9)).code(), "LG-JSON-DEPTH");
    }
}

#[test]
fn records_before_the_trouble_are_given_and_it_names_its_record() {
    let (found, error) = all(reader(&["a"], ParseOptions::default()), &[b"{\"a\":[1,{\"x\":2},{\"x\":},4]}"]);
    let error = error.unwrap();
    assert_eq!(found, ["1", "{\"x\":2}"]);
    assert_eq!((error.code(), error.record(), error.offset()), ("LG-JSON-VALUE", Some(3), 21));
    let mut again = reader(&["a"], ParseOptions::default());
    again.push(b"{\"a\":[1,]}");
    assert!(again.next().unwrap().is_some());
    assert_eq!(again.next().unwrap_err(), again.next().unwrap_err());
    again.push(b"secret");
    assert_eq!((again.buffer.len(), format!("{again:?}").contains("ecret")), (0, false));
    let behind = refused(&["a"], "{\"a\":[1],}");
    assert_eq!((behind.record(), behind.offset()), (None, 9));
}

#[test]
fn a_record_that_no_document_can_take_is_refused_with_its_number() {
    // One that is large goes alone, and no other is lost.
    let large = format!("[1,2,\"{}\",3,{{]", "x".repeat(600 << 10));
    let by_one = all(reader(&[], LAST), &[large.as_bytes()]);
    assert_eq!(all_by_batch(reader(&[], LAST), &[large.as_bytes()], 100), by_one);
    assert_eq!(by_one.0.len(), 4);
    let small = Limits { arena_bytes_max: 4_096, ..Limits::default() };
    let mut reader = JsonRecords::new(vec!["a".to_owned()], &small, ParseOptions::default());
    reader.push(b"{\"a\":[1,\"");
    assert!(reader.next().unwrap().is_some());
    let mut pushed = 0;
    let error = loop {
        reader.push(&[b'x'; 1_000]);
        pushed += 1;
        assert!(pushed < 10, "held without end");
        if let Err(error) = reader.next() {
            break error;
        }
    };
    assert_eq!((error.code(), error.record()), ("LG-ARENA-FULL", Some(2)));
    // So are keys without end.
    let mut reader = JsonRecords::new(vec!["a".to_owned()], &small, ParseOptions::default());
    reader.push(b"{");
    let keys: String = (0..200).map(|n| format!("\"key{n}\":0,")).collect();
    reader.push(keys.as_bytes());
    assert_eq!(reader.next().unwrap_err().code(), "LG-ARENA-FULL");
}

#[test]
fn what_cannot_be_read_as_it_comes_is_refused() {
    assert_eq!(refused(&["a"], "[[{\"a\":1}]]").code(), "LG-JSON-RECORDS");
    assert_eq!(refused(&["a", "b"], "{\"a\":[[{\"b\":1}]]}").code(), "LG-JSON-RECORDS");
    assert_eq!(records(&["a", "b"], "{\"a\":[[],[[{\"a\":2}]],{\"b\":1}]}"), ["1"]);
    let (found, error) = all(reader(&["a"], LAST), &[b"{\"b\":1,\"b\":2,\"a\":[1],\"a\":[2]}"]);
    assert_eq!((found, error.unwrap().code()), (vec!["1".to_owned()], "LG-JSON-DUPLICATE"));
    // Below and beside the way the last one counts, as in a whole document.
    let (found, error) = all(reader(&["a"], LAST), &[b"{\"b\":1,\"b\":2,\"a\":[{\"c\":1,\"c\":2}]}"]);
    assert_eq!((found, error), (vec!["{\"c\":2}".to_owned()], None));
}

#[test]
fn records_are_the_items_of_the_array_or_the_one_value() {
    assert_eq!(records(&[], " [1, [2] ,{\"a\":3}] "), ["1", "[2]", "{\"a\":3}"]);
    assert_eq!(records(&[], "[]"), [""; 0]);
    assert_eq!(records(&[], "{\"a\":[1]}"), ["{\"a\":[1]}"]);
    assert_eq!(records(&[], " 12 "), ["12"]);
    assert_eq!(records(&["a"], "{\"b\":[0],\"a\":[1,2],\"c\":{\"a\":[3]}}"), ["1", "2"]);
    assert_eq!(records(&["a"], "{\"a\":{\"x\":1}}"), ["{\"x\":1}"]);
    assert_eq!(records(&["a"], "{\"a\":null}"), ["null"]);
    for text in ["{}", "{\"b\":1}", "1", "null", "[]", "[1,{}]", "\"a\""] {
        assert_eq!(records(&["a"], text), [""; 0], "{text}");
    }
    assert_eq!(records(&["a", "b"], "{\"a\":{\"b\":[1]}}"), ["1"]);
    assert_eq!(records(&["a", "b"], "{\"a\":[{\"b\":[1,2]},{\"c\":0},{\"b\":3},4]}"), ["1", "2", "3"]);
    assert_eq!(records(&["a"], "[{\"a\":[1,2]},{\"a\":3}]"), ["1", "2", "3"]);
    assert_eq!(records(&["\u{e9} \"x"], "{\"\\u00e9 \\\"x\":[1]}"), ["1"]);
}

#[test]
fn every_cut_gives_the_same() {
    let texts = [
        " { \"x\" : [ \"]}\" , { } ] , \"a\" : [ { \"k\" : \"\\\"\u{1f600}\" } , -1.5e3 , true , [ ] ] , \"z\" : null } ",
        "[{\"a\":[1,\"two\"]},{\"b\":\"\\\\\"},{\"a\":3}]",
        "{\"a\":[1,{\"x\":tru},3]}",
        "{\"a\":[1,2],\"a\":[3]}",
        "\u{feff}[]",
    ];
    for text in texts {
        let whole = all(reader(&["a"], ParseOptions::default()), &[text.as_bytes()]);
        for cut in 0..=text.len() {
            let (before, after) = text.as_bytes().split_at(cut);
            assert_eq!(all(reader(&["a"], ParseOptions::default()), &[before, after]), whole, "{text} at {cut}");
            for records_max in [1, 2, 100] {
                let batches = all_by_batch(reader(&["a"], ParseOptions::default()), &[before, after], records_max);
                assert_eq!(batches, whole, "{text} at {cut}");
            }
        }
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(all(reader(&["a"], ParseOptions::default()), &bytes), whole, "{text} byte by byte");
    }
}

#[test]
fn what_is_large_beside_the_records_is_checked_and_not_held() {
    let inner: String = (0..40_000).map(|n| format!("{{\"n\":{n},\"t\":[\"x\"]}},")).collect();
    let text = format!("{{\"big\":{{\"deep\":[{inner}1]}},\"a\":[1,2],\"more\":[{inner}2]}}");
    let mut reader = reader(&["a"], ParseOptions::default());
    let (mut held, mut found) = (0, 0);
    for piece in text.as_bytes().chunks(1_000) {
        reader.push(piece);
        while reader.next().unwrap().is_some() {
            found += 1;
        }
        held = held.max(reader.buffer.capacity());
    }
    reader.end();
    assert!(reader.next().unwrap().is_none());
    assert!(found == 2 && text.len() > 1_000_000 && held < 4 * PIECE_BYTES_MAX, "{found} {held}");
    let broken = text.replace("{\"n\":39999,", "{\"n\":1,\"n\":2,");
    assert_eq!(refused(&["a"], &broken).code(), "LG-JSON-DUPLICATE");
    assert_eq!(refused(&["a"], &text.replace("{\"n\":39999,", "{\"n\":,")).code(), "LG-JSON-VALUE");
}

#[test]
fn a_written_array_is_the_array() {
    for items in [vec![], vec!["1"], vec!["{\"a\":\"\u{e9}\\n\"}", "[]", "null"]] {
        let text = format!("[{}]", items.join(","));
        let mut reader = reader(&[], ParseOptions::default());
        reader.push(text.as_bytes());
        reader.end();
        let (mut writer, mut out) = (JsonWriter::new(u64::MAX), Vec::new());
        while let Some(record) = reader.next().unwrap() {
            writer.write(record.root(), &mut out).unwrap();
        }
        writer.finish(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), format!("{text}\n"));
    }
    let (mut writer, mut out) = (JsonWriter::new(3), Vec::new());
    writer.write(Document::text("a").root(), &mut out).unwrap();
    let error = writer.write(Document::text("ab").root(), &mut out).unwrap_err();
    assert_eq!((error.code(), error.record(), out.as_slice()), ("LG-REPLY-TOO-LARGE", Some(2), b"[\"a\"".as_slice()));
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("1".to_owned()),
        Just("\"]\\\"\"".to_owned()),
        Just("null".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("x".to_owned()),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec((prop_oneof![Just("a"), Just("b"), Just("c")], inner), 0..4).prop_map(|fields| {
                let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", fields.join(" ,"))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_verdict_is_that_of_the_whole_reader(text in json(), cut in 0usize..200, drop in 0usize..40) {
        let text = text.get(..text.len().saturating_sub(drop / 10)).unwrap_or(&text);
        let whole = Document::parse(text.as_bytes(), &limits());
        for path in [&[] as &[&str], &["a"], &["a", "b"]] {
            let (before, after) = text.as_bytes().split_at(cut.min(text.len()));
            let (found, error) = all(reader(path, ParseOptions::default()), &[before, after]);
            let batches = all_by_batch(reader(path, ParseOptions::default()), &[before, after], 3);
            prop_assert_eq!(&batches, &(found, error.clone()));
            match (&whole, error) {
                (_, Some(error)) if error.code() == "LG-JSON-RECORDS" => {}
                (Ok(_), None) | (Err(_), Some(_)) => {}
                (whole, error) => prop_assert!(false, "{text} {path:?}: {whole:?}, {error:?}"),
            }
        }
    }
}
