use lockgate_model::Limits;
use proptest::prelude::*;

use super::{ORDERS, layout, of, printed};
use crate::fixed::{FixedReader, LENGTH_MAX, Layout, read_all};
use crate::format::{FormatError, RecordReader};

fn pieces(layout: &Layout, pieces: &[&[u8]]) -> Result<Vec<String>, FormatError> {
    let mut reader = FixedReader::new(layout, &Limits::default());
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
    Ok(records)
}

/// What a text gives as a whole; the same must come of it however it is cut, and in batches.
fn all(layout: &Layout, text: &[u8]) -> Result<String, FormatError> {
    let whole = read_all(text, layout, &Limits::default()).map(|document| printed(&document));
    let joined = |records: Vec<String>| format!("[{}]", records.join(","));
    for cut in 0..=text.len() {
        let (left, right) = text.split_at(cut);
        assert_eq!(pieces(layout, &[left, right]).map(joined), whole, "cut at {cut}");
    }
    let single: Vec<&[u8]> = text.chunks(1).collect();
    assert_eq!(pieces(layout, &single).map(joined), whole, "byte by byte");
    let mut reader = FixedReader::new(layout, &Limits::default());
    reader.push(text);
    reader.end();
    let mut records = Vec::new();
    let batches = loop {
        match reader.batch(2) {
            Ok(Some(batch)) => {
                let text = printed(&batch);
                records.push(text.strip_prefix('[').unwrap().strip_suffix(']').unwrap().to_owned());
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    assert_eq!(batches.map(|()| joined(records)), whole, "in batches");
    whole
}

fn given(text: &str, file: &str) -> String {
    all(&layout(text), file.as_bytes()).unwrap()
}
/// Code, byte and record, and the start of the message.
fn refused(text: &str, file: &[u8]) -> (String, u64, Option<u64>, String) {
    let error = all(&layout(text), file).unwrap_err();
    (error.code().to_owned(), error.offset(), error.record(), error.message().to_owned())
}

#[test]
fn what_is_not_as_the_layout_says_is_refused_with_its_field_and_column() {
    let ab = r#"{"name":"a","width":2},{"name":"b","width":3,"kind":"number"}"#;
    let bytes = |fields: &str| format!(r#"{{"unit":"bytes","fields":[{fields}]}}"#);
    for (text, file, code, offset, record, message) in [
        (
            of(ab),
            &b"xx123\nyy12\n"[..],
            "LG-FIXED-SHORT",
            10,
            2,
            "the record is too short for field `b`, columns 3 to 5",
        ),
        (of(ab), b"xx1234\n", "LG-FIXED-LONG", 5, 1, "the record is longer than 5 columns"),
        (of(ab), b"xx12a\n", "LG-FIXED-NUMBER", 2, 1, "field `b`, columns 3 to 5 is no number"),
        (of(ab), b"xx   \n", "LG-FIXED-NUMBER", 2, 1, "field `b`, columns 3 to 5 is no number"),
        (of(ab), "éé12a\n".as_bytes(), "LG-FIXED-NUMBER", 4, 1, "field `b`, columns 3 to 5 is no number"),
        (of(ab), b"xx123\nx\xff123\n", "LG-CHARSET", 7, 2, "these bytes are no text"),
        (of(ab), b"xx123\xc3", "LG-CHARSET", 5, 1, "these bytes are no text"),
        (bytes(ab), "é123\nxé12\n".as_bytes(), "LG-CHARSET", 7, 2, "these bytes are no text in utf-8: does a field"),
        (
            of(r#"{"constant":"AB","width":3},{"name":"x","width":1}"#),
            b"AB x\nABcx\n",
            "LG-FIXED-CONSTANT",
            5,
            2,
            "columns 1 to 3 is not `AB`",
        ),
        (
            of(r#"{"name":"v","constant":"1"},{"name":"x","width":1}"#),
            b"2x\n",
            "LG-FIXED-CONSTANT",
            0,
            1,
            "field `v`, column 1 is not `1`",
        ),
        (
            of(r#"{"name":"d","kind":"date","format":"DD.MM.YYYY"}"#),
            b"22.11.2O26\n",
            "LG-FIXED-DATE",
            0,
            1,
            "field `d`, columns 1 to 10 is not written as DD.MM.YYYY",
        ),
        (of(r#"{"name":"d","kind":"date","format":"YYMMDD"}"#), b"      \n", "LG-FIXED-DATE", 0, 1, "field `d`"),
        (ORDERS.to_owned(), b"X\n", "LG-FIXED-CONSTANT", 0, 1, "column 1 is not `T`"),
        (
            r#"{"line_end":"crlf","fields":[{"name":"a","width":1}]}"#.to_owned(),
            b"a\r\nb\n",
            "LG-FIXED-LINE-END",
            4,
            2,
            "this is not the line end",
        ),
        (
            r#"{"line_end":"crlf","fields":[{"name":"a","width":1}]}"#.to_owned(),
            b"a\r",
            "LG-FIXED-LINE-END",
            1,
            1,
            "this is not the line end",
        ),
        (
            r#"{"line_end":"lf","fields":[{"name":"a","width":1}]}"#.to_owned(),
            b"a\r\n",
            "LG-FIXED-LINE-END",
            1,
            1,
            "this is not the line end",
        ),
        (
            r#"{"line_end":"none","fields":[{"name":"a","width":3}]}"#.to_owned(),
            b"abcd",
            "LG-FIXED-SHORT",
            4,
            2,
            "the record is too short for field `a`",
        ),
        (
            r#"{"line_end":"none","fields":[{"name":"a","width":3}]}"#.to_owned(),
            b"abcd\xff",
            "LG-CHARSET",
            4,
            2,
            "these bytes are no text",
        ),
        (
            r#"{"line_end":"none","fields":[{"name":"a","width":3}]}"#.to_owned(),
            b"abcd\xc3",
            "LG-CHARSET",
            4,
            2,
            "these bytes are no text",
        ),
        (
            r#"{"line_end":"none","records":{"a":{"when":{"text":"A"},"fields":[{"name":"x","start":2,"width":1}]}}}"#
                .to_owned(),
            b"A1B2",
            "LG-FIXED-RECORD",
            2,
            2,
            "the record is of no type",
        ),
        (
            r#"{"line_end":"none","records":{"a":{"when":{"text":"AB"},"fields":[{"name":"x","start":3,"width":1}]}}}"#
                .to_owned(),
            b"AB1A",
            "LG-FIXED-RECORD",
            3,
            2,
            "the record is of no type",
        ),
        (
            r#"{"charset":"windows-1252","fields":[{"name":"a","width":2,"kind":"number"}]}"#.to_owned(),
            b"12\n\x801\n",
            "LG-FIXED-NUMBER",
            3,
            2,
            "field `a`",
        ),
        (
            r#"{"charset":"shift_jis","fields":[{"name":"a","width":2}]}"#.to_owned(),
            b"\x93\xfa1\n\x81\n",
            "LG-CHARSET",
            4,
            2,
            "these bytes are no text",
        ),
        (
            r#"{"charset":"shift_jis","unit":"bytes","fields":[{"name":"a","width":1},{"name":"b","width":2}]}"#
                .to_owned(),
            b"1\x93\xfa\n\x93\xfa1\n",
            "LG-CHARSET",
            4,
            2,
            "these bytes are no text",
        ),
    ] {
        let found = refused(&text, file);
        assert_eq!(
            (found.0.as_str(), found.1, found.2),
            (code, offset, Some(record)),
            "{text} {:?}: {}",
            file.escape_ascii().to_string(),
            found.3
        );
        assert!(found.3.starts_with(message), "{text} {:?}: {}", file.escape_ascii().to_string(), found.3);
    }
}

#[test]
fn records_are_told_apart_and_wrapped_by_their_type() {
    let file = "H2026-11-22ACME    \nL A-1   00002EUR0001250   \nL       00010EUR0000005-  \nT   2\n";
    let expected = concat!(
        r#"[{"header":{"date":"2026-11-22","customer":"ACME"}},"#,
        r#"{"line":{"article":"A-1","quantity":2,"price":12.50}},"#,
        r#"{"line":{"article":null,"quantity":10,"price":-0.05}},"#,
        r#"{"trailer":{"lines":2}}]"#
    );
    assert_eq!(given(ORDERS, file), expected);
    let records = r#"{"line_end":"none","records":{
        "a":{"when":{"start":2,"text":"A"},"fields":[{"name":"x","width":1}]},
        "long":{"when":{"start":4,"text":"Z"},"fields":[{"name":"y","width":3}]},
        "b":{"fields":[{"name":"z","width":1}]}}}"#;
    assert_eq!(
        given(records, "1A2A3bcZ4"),
        r#"[{"a":{"x":"1"}},{"a":{"x":"2"}},{"long":{"y":"3bc"}},{"b":{"z":"4"}}]"#
    );
}

#[test]
fn texts_lose_their_padding_and_nothing_else() {
    let fields = of(r#"{"name":"l","width":4},{"name":"r","width":4,"align":"right","pad":"*"},
        {"name":"n","width":4,"trim":"none"},{"name":"b","width":5,"trim":"both"}"#);
    assert_eq!(given(&fields, " a b**c* d   e f \n"), r#"[{"l":" a b","r":"c*","n":" d  ","b":"e f"}]"#);
    assert_eq!(given(&fields, "    ****         \n"), r#"[{"l":"","r":"","n":"    ","b":""}]"#);
}

#[test]
fn an_empty_field_is_what_the_layout_says() {
    let fields = |empty: &str| {
        format!(
            r#"{{"empty":"{empty}","fields":[{{"name":"t","width":2}},
        {{"name":"n","width":2,"kind":"number"}},{{"name":"d","kind":"date","format":"YY"}},
        {{"name":"o","width":1,"pad":"0","align":"right","empty":"text"}}]}}"#
        )
    };
    assert_eq!(
        given(&fields("null"), "      0\nx 00260\n"),
        r#"[{"t":null,"n":null,"d":null,"o":""},{"t":"x","n":0,"d":"26","o":""}]"#
    );
    assert_eq!(given(&fields("absent"), "      7\n"), r#"[{"o":"7"}]"#);
}

#[test]
fn short_lines_are_padded_where_the_layout_says_so() {
    let fields = r#"{"short_lines":"pad","empty":"null","fields":[{"name":"a","width":3},
        {"name":"n","width":2,"kind":"number","pad":" "},{"constant":"X","width":1},{"name":"t","width":2,"trim":"none","empty":"text"}]}"#;
    let layout = layout(fields);
    assert_eq!(all(&layout, b"abc12Xyz\n").unwrap(), r#"[{"a":"abc","n":12,"t":"yz"}]"#);
    assert_eq!(
        all(&layout, b"abc12Xy\nabc 1X").unwrap(),
        r#"[{"a":"abc","n":12,"t":"y "},{"a":"abc","n":1,"t":"  "}]"#
    );
    assert_eq!(all(&layout, b"a\n").unwrap_err().code(), "LG-FIXED-CONSTANT");
}

#[test]
fn columns_are_characters_or_bytes() {
    let fields = r#""fields":[{"name":"a","width":3},{"name":"b","width":2}]"#;
    assert_eq!(
        given(&format!("{{{fields}}}"), "aéж12\n名前日xy\n"),
        r#"[{"a":"aéж","b":"12"},{"a":"名前日","b":"xy"}]"#
    );
    assert_eq!(
        given(&format!(r#"{{"unit":"bytes",{fields}}}"#), "aé12\n日xy\n"),
        r#"[{"a":"aé","b":"12"},{"a":"日","b":"xy"}]"#
    );
    assert_eq!(
        given(&format!(r#"{{"line_end":"none",{fields}}}"#), "aéж12名前日xy"),
        r#"[{"a":"aéж","b":"12"},{"a":"名前日","b":"xy"}]"#
    );
    assert_eq!(
        given(&format!(r#"{{"line_end":"none","unit":"bytes",{fields}}}"#), "aé12日xy"),
        r#"[{"a":"aé","b":"12"},{"a":"日","b":"xy"}]"#
    );
    let latin = layout(&format!(r#"{{"charset":"iso-8859-15",{fields}}}"#));
    assert_eq!(all(&latin, b"a\xa4\xfc12\n").unwrap(), r#"[{"a":"a€ü","b":"12"}]"#);
    let bytes = layout(&format!(r#"{{"charset":"shift_jis","unit":"bytes",{fields}}}"#));
    assert_eq!(
        all(&bytes, b"a\x93\xfaxy\n\xb1\xb2\xb3\x83\x5c\n").unwrap(),
        r#"[{"a":"a日","b":"xy"},{"a":"ｱｲｳ","b":"ソ"}]"#
    );
    let wide = layout(&format!(r#"{{"charset":"utf-16be","line_end":"none",{fields}}}"#));
    let mut file = b"\xfe\xff".to_vec();
    crate::charset::Charset::named("utf-16be").unwrap().encode("aé😀12abc\r\n", &mut file).unwrap();
    assert_eq!(all(&wide, &file).unwrap(), r#"[{"a":"aé😀","b":"12"},{"a":"abc","b":"\r\n"}]"#);
}

#[test]
fn line_ends_and_empty_lines() {
    let fields = of(r#"{"name":"a","width":1}"#);
    assert_eq!(given(&fields, "1\r\n2\n3\r\r4\n\n\n5"), r#"[{"a":"1"},{"a":"2"},{"a":"3"},{"a":"4"},{"a":"5"}]"#);
    assert_eq!(given(&fields, ""), "[]");
    assert_eq!(given(&fields, "\u{feff}1\n"), r#"[{"a":"1"}]"#);
    assert_eq!(
        given(r#"{"line_end":"crlf","fields":[{"name":"a","width":1}]}"#, "\r\n1\r\n\r\n2"),
        r#"[{"a":"1"},{"a":"2"}]"#
    );
}

#[test]
fn numbers_keep_their_digits() {
    let fields = of(r#"{"name":"n","width":30,"kind":"number","decimals":2,"sign":"overpunch-trailing"}"#);
    assert_eq!(given(&fields, "12345678901234567890123456789}\n"), r#"[{"n":-1234567890123456789012345678.90}]"#);
    let padded = of(r#"{"name":"n","width":6,"kind":"number","pad":" ","sign":"leading","point":"."}"#);
    assert_eq!(given(&padded, "  -1.5\n   007\n"), r#"[{"n":-1.5},{"n":7}]"#);
    let left = of(r#"{"name":"n","width":4,"kind":"number","align":"left"}"#);
    assert_eq!(given(&left, "12  \n"), r#"[{"n":12}]"#);
}

#[test]
fn a_line_without_end_ends_in_a_limit() {
    let piece = vec![b'x'; 64 << 10];
    for (text, code) in [
        (format!(r#"{{"fields":[{{"name":"a","width":{LENGTH_MAX}}}]}}"#), "LG-FIXED-LONG"),
        (format!(r#"{{"unit":"bytes","fields":[{{"name":"a","width":{LENGTH_MAX}}}]}}"#), "LG-FIXED-LONG"),
        (
            r#"{"records":{"a":{"when":{"text":"A"},"fields":[{"name":"x","start":2,"width":1}]}}}"#.to_owned(),
            "LG-FIXED-RECORD",
        ),
    ] {
        let layout = layout(&text);
        let mut reader = FixedReader::new(&layout, &Limits::default());
        let error = (0..(1 << 30) / piece.len()).find_map(|_| {
            reader.push(&piece);
            assert!(reader.held() < 16 * LENGTH_MAX, "{} bytes are held", reader.held());
            reader.next().err()
        });
        let error = error.unwrap();
        assert_eq!(error.code(), code);
        let whole = read_all(&vec![b'x'; 1 << 20], &layout, &Limits::default()).unwrap_err();
        assert_eq!(error, whole);
    }
}

#[test]
fn memory_is_flat_over_many_records() {
    let layout = layout(ORDERS);
    let mut reader = FixedReader::new(&layout, &Limits::default());
    let piece = "T   2\n".repeat(10_000);
    let mut records = 0;
    for _ in 0..10 {
        reader.push(piece.as_bytes());
        while reader.next().unwrap().is_some() {
            records += 1;
        }
        assert!(reader.held() < 2 * piece.len());
    }
    assert_eq!(records, 100_000);
}

proptest! {
    #[test]
    fn whatever_comes_is_the_same_however_it_is_cut(
        charset in prop::sample::select(vec!["utf-8", "windows-1252", "shift_jis", "utf-16le"]),
        unit in prop::sample::select(vec!["characters", "bytes"]),
        line_end in prop::sample::select(vec!["any", "crlf", "lf", "cr", "none"]),
        short in prop::sample::select(vec!["refuse", "pad"]),
        text in "([HL]{1}[a1 é日]{2}[0-9 ]{2}(\r\n|\n|\r|)){0,4}[HL1 é\r\n]{0,6}",
        bytes in prop::collection::vec(any::<u8>(), 0..2),
    ) {
        let unit = if charset == "utf-16le" { "characters" } else { unit };
        let layout = layout(&format!(r#"{{"charset":"{charset}","unit":"{unit}","line_end":"{line_end}","short_lines":"{short}","empty":"null",
            "records":{{"h":{{"when":{{"text":"H"}},"fields":[{{"name":"a","start":2,"width":2}},{{"name":"n","width":2,"kind":"number"}}]}},
            "l":{{"when":{{"start":1,"text":"L"}},"fields":[{{"name":"a","start":2,"width":4}}]}},
            "o":{{"fields":[{{"name":"a","width":3,"align":"right"}}]}}}}}}"#));
        let mut file = Vec::new();
        let charset = crate::charset::Charset::named(charset).unwrap();
        // What the set lacks is left out.
        text.chars().for_each(|character| drop(charset.encode(character.encode_utf8(&mut [0; 4]), &mut file)));
        file.extend(bytes);
        let _ = all(&layout, &file);
    }
}
