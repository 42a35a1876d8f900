use lockgate_model::Limits;
use proptest::prelude::*;

use super::{dialect, dialects, printed};
use crate::csv::{CsvReader, Dialect, read_all};
use crate::format::{FormatError, RecordReader};

/// All records one by one, of a text that comes in these pieces.
fn pieces(options: &Dialect, pieces: &[&[u8]]) -> Result<Vec<String>, FormatError> {
    let mut reader = CsvReader::new(options, &Limits::default());
    let mut records = Vec::new();
    for piece in pieces {
        reader.push(piece);
        while let Some(record) = reader.next()? {
            records.push(printed(&record));
        }
    }
    reader.end();
    while let Some(record) = reader.next()? {
        records.push(printed(&record));
    }
    assert!(reader.next()?.is_none());
    Ok(records)
}

/// What a text gives as a whole; the same must come of it however it is cut, and in batches.
fn all(options: &Dialect, text: &[u8]) -> Result<String, FormatError> {
    let whole = read_all(text, options, &Limits::default()).map(|document| printed(&document));
    let joined = |records: Vec<String>| format!("[{}]", records.join(","));
    for cut in 0..=text.len() {
        let (left, right) = text.split_at(cut);
        assert_eq!(pieces(options, &[left, right]).map(joined), whole, "cut at {cut}");
    }
    let single: Vec<&[u8]> = text.chunks(1).collect();
    assert_eq!(pieces(options, &single).map(joined), whole, "byte by byte");
    for records_max in [1, 2, 1_000] {
        let mut reader = CsvReader::new(options, &Limits::default());
        reader.push(text);
        reader.end();
        let mut records = Vec::new();
        let mut batches = || -> Result<(), FormatError> {
            while let Some(batch) = reader.batch(records_max)? {
                assert!((1..=records_max).contains(&batch.root().len()));
                records.push(printed(&batch).trim_matches(['[', ']']).to_owned());
            }
            Ok(())
        };
        let result = batches();
        if options.header != crate::csv::dialect::Header::Arrays {
            assert_eq!(result.map(|()| joined(records)), whole, "in batches of {records_max}");
        }
    }
    whole
}

fn given(options: &str, text: &str) -> String {
    all(&dialect(options), text.as_bytes()).unwrap()
}
/// Code, byte and record.
fn refused(options: &str, text: &[u8]) -> (String, u64, Option<u64>) {
    let error = all(&dialect(options), text).unwrap_err();
    (error.code().to_owned(), error.offset(), error.record())
}

#[test]
fn what_two_readers_would_read_differently_is_refused_with_its_place() {
    for (options, text, code, offset, record) in [
        // more and fewer fields than the header
        ("{}", &b"a,b\r\n1,2\r\n3\r\n"[..], "LG-CSV-FIELDS", 11, Some(2)),
        ("{}", b"a,b\n1,2,3\n", "LG-CSV-FIELDS", 8, Some(1)),
        ("{}", b"a,b\n1,2,", "LG-CSV-FIELDS", 8, Some(1)),
        (r#"{"header":["a","b"]}"#, b"1\n", "LG-CSV-FIELDS", 1, Some(1)),
        (r#"{"header":"numbers"}"#, b"1,2\n3,4\n5,6,7\n", "LG-CSV-FIELDS", 12, Some(3)),
        // quotes
        ("{}", b"a\nx\"y\n", "LG-CSV-QUOTE", 3, Some(1)),
        ("{}", b"a\n \"y\"\n", "LG-CSV-QUOTE", 3, Some(1)),
        ("{}", b"a\n\"x\"y\n", "LG-CSV-AFTER-QUOTE", 5, Some(1)),
        ("{}", b"a\n\"x\" \n", "LG-CSV-AFTER-QUOTE", 5, Some(1)),
        ("{}", b"a\n\"x\"\"\n", "LG-CSV-UNCLOSED", 2, Some(1)),
        ("{}", b"a\n\"", "LG-CSV-UNCLOSED", 2, Some(1)),
        ("{}", b"\"a\nb\n", "LG-CSV-UNCLOSED", 0, None),
        (r#"{"trim":true}"#, b"a\n  \"x\" y\n", "LG-CSV-AFTER-QUOTE", 8, Some(1)),
        (r#"{"escape":"backslash"}"#, b"a\n\"x\"\"y\"\n", "LG-CSV-AFTER-QUOTE", 5, Some(1)),
        (r#"{"escape":"backslash"}"#, b"a\n\"x\\n\"\n", "LG-CSV-ESCAPE", 4, Some(1)),
        (r#"{"escape":"backslash"}"#, b"a\nx\\", "LG-CSV-ESCAPE", 3, Some(1)),
        (r#"{"escape":"backslash"}"#, b"a\n\"x\\", "LG-CSV-UNCLOSED", 2, Some(1)),
        // the header
        ("{}", b"a,b,a\n1,2,3\n", "LG-CSV-HEADER", 4, None),
        ("{}", b"a,\n1,2\n", "LG-CSV-HEADER", 2, None),
        ("{}", b"a,\"\"\n1,2\n", "LG-CSV-HEADER", 3, None),
        (r#"{"trim":true}"#, b"a, a\n1,2\n", "LG-CSV-HEADER", 3, None),
        (r#"{"numbers":["n"]}"#, b"a,b\n1,2\n", "LG-CSV-COLUMN", 0, None),
        // numbers
        (r#"{"numbers":["n"]}"#, b"a,n\nx,1\ny,1.\n", "LG-CSV-NUMBER", 10, Some(2)),
        (r#"{"numbers":["n"]}"#, b"n\n01\n", "LG-CSV-NUMBER", 2, Some(1)),
        (r#"{"numbers":["n"]}"#, b"n,a\n,\n", "LG-CSV-NUMBER", 4, Some(1)),
        (r#"{"numbers":["n"]}"#, b"n\n 1\n", "LG-CSV-NUMBER", 2, Some(1)),
        (r#"{"numbers":["n"]}"#, b"n\n\"1,5\"\n", "LG-CSV-NUMBER", 3, Some(1)),
        (r#"{"numbers":["n"],"empty":"null"}"#, b"n\n\"\"\n", "LG-CSV-NUMBER", 3, Some(1)),
        (r#"{"numbers":["2"],"header":"arrays"}"#, b"1,2\nx,y\n", "LG-CSV-NUMBER", 6, Some(2)),
        // line ends that are not the dialect's
        (r#"{"line_end":"lf"}"#, b"a\nb\r\n", "LG-CSV-LINE-END", 3, Some(1)),
        (r#"{"line_end":"crlf"}"#, b"a\r\nb\n", "LG-CSV-LINE-END", 4, Some(1)),
        (r#"{"line_end":"crlf"}"#, b"a\r\nb\rc\r\n", "LG-CSV-LINE-END", 4, Some(1)),
        (r#"{"line_end":"crlf"}"#, b"a\r\nb\r", "LG-CSV-LINE-END", 4, Some(1)),
        (r#"{"line_end":"crlf"}"#, b"a\r\n\n", "LG-CSV-LINE-END", 3, Some(1)),
        (r#"{"line_end":"cr"}"#, b"a\rb\n", "LG-CSV-LINE-END", 3, Some(1)),
        // what is no text
        ("{}", b"a\nx\0\n", "LG-CSV-NUL", 3, Some(1)),
        ("{}", b"a\n\"x\0\"\n", "LG-CSV-NUL", 4, Some(1)),
        ("{}", b"\0", "LG-CSV-NUL", 0, None),
        (r##"{"comment":"#"}"##, b"a\n#\0\n", "LG-CSV-NUL", 3, Some(1)),
        (r#"{"quote":"none"}"#, b"a\nx\0\n", "LG-CSV-NUL", 3, Some(1)),
        ("{}", b"a\0b\0\n\0", "LG-CSV-NUL", 1, None),
        ("{}", b"a\nb\nc\xff\nd\n", "LG-CHARSET", 5, Some(2)),
        ("{}", b"\xef\xbb\xbfa\nb\xc3\n", "LG-CHARSET", 6, Some(1)),
        ("{}", b"a\xc3\n", "LG-CHARSET", 1, None),
        (r#"{"charset":"shift_jis"}"#, b"a\n\x93\xfa,\n", "LG-CSV-FIELDS", 5, Some(1)),
        (r#"{"charset":"shift_jis"}"#, b"a\n\x93\xfa\n\x81", "LG-CHARSET", 5, Some(2)),
        (r#"{"charset":"windows-1252"}"#, b"a\n\x80\x80\n\x80\"\n", "LG-CSV-QUOTE", 6, Some(2)),
        (r#"{"charset":"utf-16le"}"#, b"\xff\xfea\0\n\0\x3d\xd8\x00\xde\"\0", "LG-CSV-QUOTE", 10, Some(1)),
        (r#"{"charset":"utf-16be"}"#, b"\0a\0\n\0b\0", "LG-CHARSET", 6, Some(1)),
    ] {
        assert_eq!(
            refused(options, text),
            (code.to_owned(), offset, record),
            "{options} {:?}",
            text.escape_ascii().to_string()
        );
    }
}

#[test]
fn after_an_error_there_is_only_the_error() {
    let mut reader = CsvReader::new(&Dialect::default(), &Limits::default());
    reader.push(b"a\n1\n2,3\n4\n");
    assert!(reader.next().unwrap().is_some());
    let error = reader.next().unwrap_err();
    assert_eq!((error.code(), error.record()), ("LG-CSV-FIELDS", Some(2)));
    reader.push(b"5\n");
    assert_eq!(reader.next().unwrap_err(), error);
    assert_eq!(reader.batch(10).unwrap_err(), error);
}

#[test]
fn no_message_shows_data() {
    for (options, text) in [
        ("{}", "name\nsecret,secret\n"),
        ("{}", "secret,secret\n"),
        (r#"{"numbers":["n"]}"#, "n\nsecret\n"),
        ("{}", "secret\nsecret\"secret\n"),
    ] {
        let error = all(&dialect(options), text.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
}

#[test]
fn a_record_is_an_object_in_the_order_of_the_header() {
    assert_eq!(given("{}", "b,a\r\n1,2\r\n3,4"), r#"[{"b":"1","a":"2"},{"b":"3","a":"4"}]"#);
    assert_eq!(given("{}", ""), "[]");
    assert_eq!(given("{}", "a,b\n"), "[]");
    assert_eq!(given("{}", "größe,名\n1,ü\n"), r#"[{"größe":"1","名":"ü"}]"#);
    assert_eq!(given("{}", "\u{feff}a\nb\n"), r#"[{"a":"b"}]"#);
    // Only the first mark is none of the data.
    assert_eq!(given("{}", "\u{feff}\u{feff}a\nb\n"), "[{\"\u{feff}a\":\"b\"}]");
    assert_eq!(given("{}", "\u{feff}"), "[]");
    assert_eq!(given(r#"{"header":["x","y"]}"#, "1,2\n3,4\n"), r#"[{"x":"1","y":"2"},{"x":"3","y":"4"}]"#);
    assert_eq!(given(r#"{"header":"numbers"}"#, "1,2\n3,4\n"), r#"[{"1":"1","2":"2"},{"1":"3","2":"4"}]"#);
    assert_eq!(given(r#"{"header":"arrays"}"#, "1,2\n\n3\n"), r#"[["1","2"],["3"]]"#);
}

#[test]
fn the_header_is_known_once_it_was_read() {
    let mut reader = CsvReader::new(&Dialect::default(), &Limits::default());
    reader.push(b"a,\"b\"\"c\"\n");
    assert_eq!(reader.columns(), None);
    assert!(reader.next().unwrap().is_none());
    assert_eq!(reader.columns().unwrap(), ["a", "b\"c"]);
}

#[test]
fn fields_are_texts_byte_for_byte() {
    let text = "a,b,c\r\n 1 ,\"x,\r\ny\",\"say \"\"hi\"\"\"\r\n=1+1,\"\",\"\"\"\"\r\n\"\"\"a\"\"b\",',\\\r\n";
    let expected =
        r#"[{"a":" 1 ","b":"x,\r\ny","c":"say \"hi\""},{"a":"=1+1","b":"","c":"\""},{"a":"\"a\"b","b":"'","c":"\\"}]"#;
    assert_eq!(given("{}", text), expected);
}

#[test]
fn every_line_end_ends_a_line_and_empty_lines_are_none() {
    assert_eq!(
        given("{}", "a\r\n1\n2\r3\n\r4\r\n\r\n\n5\n\n"),
        r#"[{"a":"1"},{"a":"2"},{"a":"3"},{"a":"4"},{"a":"5"}]"#
    );
    assert_eq!(given(r#"{"line_end":"cr"}"#, "a\r1\r\r2\r"), r#"[{"a":"1"},{"a":"2"}]"#);
    assert_eq!(given(r#"{"line_end":"lf"}"#, "\na\n\n\"\r\"\n"), r#"[{"a":"\r"}]"#);
    assert_eq!(given(r#"{"line_end":"crlf"}"#, "\r\na\r\n\r\n\"\n\"\r\n"), r#"[{"a":"\n"}]"#);
    assert_eq!(given("{}", "a,b\n\"x\r\n\ny\",1"), r#"[{"a":"x\r\n\ny","b":"1"}]"#);
}

#[test]
fn signs_are_what_the_dialect_says() {
    assert_eq!(given(r#"{"delimiter":";"}"#, "a;b\n1,5;2\n"), r#"[{"a":"1,5","b":"2"}]"#);
    assert_eq!(given(r#"{"delimiter":"tab"}"#, "a\tb\n1\t\n"), r#"[{"a":"1","b":""}]"#);
    assert_eq!(given(r#"{"delimiter":"pipe","quote":"'"}"#, "a|b\n'x|''y'|\"\n"), r#"[{"a":"x|'y","b":"\""}]"#);
    assert_eq!(given(r#"{"delimiter":"\u001f"}"#, "a\u{1f}b\n1\u{1f}2\n"), r#"[{"a":"1","b":"2"}]"#);
    assert_eq!(given(r#"{"delimiter":"space"}"#, "a b\n\"1 2\" 3\n"), r#"[{"a":"1 2","b":"3"}]"#);
    assert_eq!(given(r#"{"quote":"none"}"#, "a,b\n\"x,y\"\n"), r#"[{"a":"\"x","b":"y\""}]"#);
    let escaped = "a,b\n\"say \\\"hi\\\" \\\\\",x\\,y\\\nz\n";
    assert_eq!(given(r#"{"escape":"backslash"}"#, escaped), r#"[{"a":"say \"hi\" \\","b":"x,y\nz"}]"#);
    assert_eq!(given(r#"{"escape":"backslash","quote":"none"}"#, "a\n\"\\,\\\\\n"), r#"[{"a":"\",\\"}]"#);
    let comments = "# one, \"\na,b\n#\n1,#2\n\"#3\",4\n#end";
    assert_eq!(given(r##"{"comment":"#"}"##, comments), r##"[{"a":"1","b":"#2"},{"a":"#3","b":"4"}]"##);
    assert_eq!(given(r##"{"comment":"#","line_end":"crlf"}"##, "#x\r\na\r\n#y\r\n1\r\n"), r#"[{"a":"1"}]"#);
}

#[test]
fn blanks_around_fields_are_cut_off_where_the_dialect_says_so() {
    let text = " a ,\tb\t, c\n  x y , \" z \" ,\t\n1,2, \n";
    assert_eq!(given(r#"{"trim":true}"#, text), r#"[{"a":"x y","b":" z ","c":""},{"a":"1","b":"2","c":""}]"#);
    let escaped = r#"{"trim":true,"escape":"backslash"}"#;
    assert_eq!(given(escaped, "a\n \\ x\\  \n"), r#"[{"a":" x "}]"#);
    assert_eq!(given(escaped, "a\n\\\\ \n"), r#"[{"a":"\\"}]"#);
}

#[test]
fn an_empty_field_is_what_the_dialect_says_and_in_quotes_always_a_text() {
    let text = "a,b,c\n,\"\",x\n";
    assert_eq!(given("{}", text), r#"[{"a":"","b":"","c":"x"}]"#);
    assert_eq!(given(r#"{"empty":null}"#, text), r#"[{"a":null,"b":"","c":"x"}]"#);
    assert_eq!(given(r#"{"empty":"absent"}"#, text), r#"[{"b":"","c":"x"}]"#);
    assert_eq!(given(r#"{"empty":"absent"}"#, "a,b\n,\n"), "[{}]");
    assert_eq!(given(r#"{"empty":"null","trim":true}"#, "a,b\n  , \"\" \n"), r#"[{"a":null,"b":""}]"#);
}

#[test]
fn numbers_are_their_lexemes() {
    let text = "id,n,s\n1,12345678901234567890.10,1\n2,-0.0,x\n3,1E5,\n4,\"7\",\n5,,\n";
    let expected = r#"[{"id":1,"n":12345678901234567890.10,"s":"1"},{"id":2,"n":-0.0,"s":"x"},{"id":3,"n":1E5,"s":null},{"id":4,"n":7,"s":null},{"id":5,"n":null,"s":null}]"#;
    assert_eq!(given(r#"{"numbers":["n","id","n"],"empty":"null"}"#, text), expected);
    assert_eq!(given(r#"{"numbers":["2"],"header":"arrays"}"#, "a,1\nb\n"), r#"[["a",1],["b"]]"#);
    assert_eq!(given(r#"{"numbers":["2"],"header":"numbers"}"#, "a,1.50\n"), r#"[{"1":"a","2":1.50}]"#);
    assert_eq!(given(r#"{"numbers":["a"],"trim":true}"#, "a\n 1 \n"), r#"[{"a":1}]"#);
}

#[test]
fn other_character_sets_are_decoded() {
    let latin = all(
        &dialect(r#"{"charset":"windows-1252"}"#),
        b"name;\xfc\n5\x80;x\n".map(|b| if b == b';' { b',' } else { b }).as_slice(),
    );
    assert_eq!(latin.unwrap(), r#"[{"name":"5€","ü":"x"}]"#);
    for (name, mark) in [("utf-16le", &b"\xff\xfe"[..]), ("utf-16be", b"\xfe\xff"), ("utf-16le", b"")] {
        let mut text = mark.to_vec();
        crate::charset::Charset::named(name).unwrap().encode("a,b\r\n😀,\"ж\nx\"\r\n", &mut text).unwrap();
        assert_eq!(all(&dialect(&format!(r#"{{"charset":"{name}"}}"#)), &text).unwrap(), r#"[{"a":"😀","b":"ж\nx"}]"#);
    }
    // The second byte of a character may be a sign.
    let (text, options) =
        (b"a|b\n\x83\x7c|\x83\x5c\n", r#"{"charset":"shift_jis","delimiter":"pipe","escape":"backslash"}"#);
    assert_eq!(all(&dialect(options), text).unwrap(), r#"[{"a":"ポ","b":"ソ"}]"#);
}

proptest! {
    #[test]
    fn whatever_comes_is_the_same_however_it_is_cut(
        options in dialects(),
        header in prop::sample::select(vec!["", r#""header":"arrays","numbers":["2"],"#]),
        text in "[ab,;|'\"\\\\ \t\r\n#1\u{1}é]{0,30}",
        bytes in prop::collection::vec(any::<u8>(), 0..3),
    ) {
        // An array has no absent items.
        let options = options.replace("absent", "null").replacen('{', &format!("{{{header}"), 1);
        let dialect = dialect(&options);
        let mut file = Vec::new();
        dialect.charset.encode(&text, &mut file).unwrap();
        file.extend(bytes);
        let _ = all(&dialect, &file);
    }
}

#[test]
fn lenient_quotes_are_signs_within_fields_that_begin_with_none() {
    let lenient = dialect(r#"{"quotes":"lenient"}"#);
    let text = b"a,b\r\nx\"y\"\",\"q\"\"\"\r\n5\",\"\"\r\n\xc3\xa9\",\"1\n2\"\r\n";
    let expected = r#"[{"a":"x\"y\"\"","b":"q\""},{"a":"5\"","b":""},{"a":"é\"","b":"1\n2"}]"#;
    assert_eq!(all(&lenient, text).unwrap(), expected);
    assert_eq!(all(&Dialect::default(), text).unwrap_err().code(), "LG-CSV-QUOTE");
    // In quotes nothing is lenient.
    for wrong in [&b"a\r\n\"x\"y\r\n"[..], b"a\r\n\"x\r\n"] {
        assert!(all(&lenient, wrong).is_err());
    }
    let escaped = dialect(r#"{"quotes":"lenient","escape":"backslash"}"#);
    assert_eq!(all(&escaped, b"a\nx\\\"y\"\n").unwrap(), r#"[{"a":"x\"y\""}]"#);
}
