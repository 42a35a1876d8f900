use super::*;
use crate::Duplicates;

fn all(pieces: &[&[u8]]) -> (Vec<String>, Option<FormatError>) {
    let mut reader = JsonLines::new(&Limits::default(), ParseOptions::default());
    let (mut found, mut pieces) = (Vec::new(), pieces.iter());
    loop {
        match reader.next() {
            Ok(Some(record)) => found.push(String::from_utf8(record.print(u64::MAX).unwrap()).unwrap()),
            Ok(None) => match pieces.next() {
                Some(piece) => reader.push(piece),
                None if reader.ended => return (found, None),
                None => reader.end(),
            },
            Err(error) => return (found, Some(error)),
        }
    }
}

#[test]
fn a_line_that_is_no_record_is_named_and_ends_it() {
    let (found, error) = all(&[b"{\"a\":1}\n\n{\"a\":2,}\n3\n"]);
    let error = error.unwrap();
    assert_eq!(found, ["{\"a\":1}"]);
    assert_eq!((error.code(), error.record(), error.offset()), ("LG-JSON-KEY", Some(2), 16));
    for text in [b"1 2\n".as_slice(), b"{\"a\":\n1}\n", b"\xff\n", b"{\"a\":1,\"a\":2}", b"\xef\xbb\xbf1\n", b"["] {
        assert!(all(&[text]).1.is_some(), "{text:?}");
    }
    let limits = Limits { arena_bytes_max: 4_096, ..Limits::default() };
    let mut reader = JsonLines::new(&limits, ParseOptions { duplicates: Duplicates::Last });
    reader.push(b"{\"a\":1,\"a\":2}\n");
    assert_eq!(reader.next().unwrap().unwrap().print(100).unwrap(), b"{\"a\":2}");
    reader.push(&[b' '; 5_000]);
    let error = reader.next().unwrap_err();
    assert_eq!((error.code(), error.record()), ("LG-ARENA-FULL", Some(2)));
}

#[test]
fn each_line_is_a_record_however_it_is_cut() {
    let text = b"{\"a\":\"\\n\"}\r\n\n  \r\n[1,2]\n\"x\"".as_slice();
    let lines = vec!["{\"a\":\"\\n\"}".to_owned(), "[1,2]".to_owned(), "\"x\"".to_owned()];
    for cut in 0..=text.len() {
        let (before, after) = text.split_at(cut);
        assert_eq!(all(&[before, after]), (lines.clone(), None), "cut at {cut}");
    }
    assert_eq!(all(&[]), (vec![], None));
}

#[test]
fn some_lines_at_a_time_are_the_same_lines() {
    let text = b"1\n\n[2]\n{\"a\":3}\n4,\n5\n".as_slice();
    for records_max in [1, 2, 100] {
        for cut in 0..=text.len() {
            let (before, after) = text.split_at(cut);
            let mut reader = JsonLines::new(&Limits::default(), ParseOptions::default());
            let (mut found, mut pieces) = (Vec::new(), [before, after].into_iter());
            let error = loop {
                match reader.batch(records_max) {
                    Ok(Some(batch)) => {
                        assert!((1..=records_max).contains(&batch.root().len()));
                        batch.each_item_json(|item| found.push(item.to_vec())).unwrap();
                    }
                    Ok(None) => reader.push(pieces.next().unwrap()),
                    Err(error) => break error,
                }
            };
            assert_eq!(found, [b"1".as_slice(), b"[2]", b"{\"a\":3}"]);
            assert_eq!((error.record(), error.offset()), (Some(4), 16));
            assert_eq!(reader.batch(1).unwrap_err(), error);
        }
    }
}

#[test]
fn records_are_written_one_a_line() {
    let (mut writer, mut out) = (JsonLinesWriter::new(10), Vec::new());
    for document in [Document::text("a\nb"), Document::null(), Document::undefined()] {
        writer.write(document.root(), &mut out).unwrap();
    }
    assert!(writer.write(Document::text("12345678901").root(), &mut out).is_err());
    writer.finish(&mut out).unwrap();
    assert_eq!(out, b"\"a\\nb\"\nnull\nnull\n");
}
