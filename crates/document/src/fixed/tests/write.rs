use lockgate_model::Limits;
use proptest::prelude::*;

use super::{ORDERS, json, layout, of, printed};
use crate::fixed::{FixedWriter, read_all, write_all};
use crate::format::RecordWriter;

fn written(text: &str, records: &str) -> String {
    String::from_utf8(write_all(json(records).root(), &layout(text)).unwrap()).unwrap()
}
fn refused(text: &str, records: &str) -> (String, Option<u64>, String) {
    let error = write_all(json(records).root(), &layout(text)).unwrap_err();
    (error.code().to_owned(), error.record(), error.message().to_owned())
}

#[test]
fn what_has_no_place_is_refused_with_its_field() {
    let ab = of(r#"{"name":"a","width":2},{"name":"b","width":3,"kind":"number"}"#);
    let date = r#"{"empty":"null","fields":[{"name":"d","kind":"date","format":"YYMMDD"}]}"#;
    for (text, records, code, record, message) in [
        (ab.as_str(), "{}", "LG-FIXED-RECORD", None, "a file is written from an array"),
        (&ab, "[1]", "LG-FIXED-RECORD", Some(1), "a record is no object"),
        (
            &ab,
            r#"[{"a":"x","b":1},{"a":"xyz","b":1}]"#,
            "LG-FIXED-WIDTH",
            Some(2),
            "field `a`, columns 1 to 2 is too narrow",
        ),
        (
            &ab,
            r#"[{"a":"x","b":1000}]"#,
            "LG-FIXED-WIDTH",
            Some(1),
            "field `b`, columns 3 to 5 is too narrow for its number",
        ),
        (&ab, r#"[{"a":"x","b":1.5}]"#, "LG-FIXED-VALUE", Some(1), "field `b`, columns 3 to 5 has not enough decimals"),
        (
            &ab,
            r#"[{"a":"x","b":-1}]"#,
            "LG-FIXED-VALUE",
            Some(1),
            "field `b`, columns 3 to 5 has no place for the sign",
        ),
        (&ab, r#"[{"a":"x","b":"1"}]"#, "LG-FIXED-VALUE", Some(1), "field `b`, columns 3 to 5 takes a number alone"),
        (
            &ab,
            r#"[{"a":["x"],"b":1}]"#,
            "LG-FIXED-VALUE",
            Some(1),
            "field `a`, columns 1 to 2 takes no value of this kind",
        ),
        (&ab, r#"[{"a":"x"}]"#, "LG-FIXED-VALUE", Some(1), "field `b`, columns 3 to 5 has no value"),
        (&ab, r#"[{"a":null,"b":1}]"#, "LG-FIXED-VALUE", Some(1), "field `a`, columns 1 to 2 has no value"),
        (
            &ab,
            r#"[{"a":"x","b":1,"c":2}]"#,
            "LG-FIXED-FIELD",
            Some(1),
            "the record has a field that the layout does not name",
        ),
        (
            &ab,
            "[{\"a\":\"\u{feff}\",\"b\":1}]",
            "LG-FIXED-VALUE",
            Some(1),
            "the file would begin with a byte order mark",
        ),
        (&ab, r#"[{"a":"\n","b":1}]"#, "LG-FIXED-VALUE", Some(1), "a text holds a line end"),
        (date, r#"[{"d":"2026-1"}]"#, "LG-FIXED-DATE", Some(1), "field `d`, columns 1 to 6 is not written as YYMMDD"),
        (date, r#"[{"d":20260101}]"#, "LG-FIXED-VALUE", Some(1), "field `d`, columns 1 to 6 takes no value"),
        (
            ORDERS,
            r#"[{"line":{}},{"lines":{}}]"#,
            "LG-FIXED-RECORD",
            Some(2),
            "the layout has no record type of this name",
        ),
        (
            ORDERS,
            r#"[{"trailer":{"lines":1},"line":{}}]"#,
            "LG-FIXED-RECORD",
            Some(1),
            "a record is an object with the name",
        ),
        (ORDERS, "[{}]", "LG-FIXED-RECORD", Some(1), "a record is an object with the name"),
        (ORDERS, r#"[{"line":1}]"#, "LG-FIXED-RECORD", Some(1), "a record is no object"),
        (
            r#"{"charset":"windows-1252","fields":[{"name":"a","width":2}]}"#,
            r#"[{"a":"ж"}]"#,
            "LG-CHARSET",
            Some(1),
            "a character of the text",
        ),
        (
            r#"{"unit":"bytes","fields":[{"name":"a","width":2}]}"#,
            r#"[{"a":"é"},{"a":"éa"}]"#,
            "LG-FIXED-WIDTH",
            Some(2),
            "field `a`",
        ),
        (
            r#"{"records":{"a":{"when":{"text":"A"},"fields":[{"name":"x","width":2}]},"b":{"fields":[{"name":"x","width":2}]}}}"#,
            r#"[{"a":{"x":"A1"}},{"b":{"x":"B"}},{"b":{"x":"A"}}]"#,
            "LG-FIXED-RECORD",
            Some(3),
            "the record would be read as one of another type",
        ),
    ] {
        let found = refused(text, records);
        assert_eq!((found.0.as_str(), found.1), (code, record), "{text} {records}: {}", found.2);
        assert!(found.2.starts_with(message), "{text} {records}: {}", found.2);
    }
}

#[test]
fn a_record_that_is_refused_leaves_nothing_behind() {
    let layout = layout(&of(r#"{"name":"a","width":2}"#));
    let (mut writer, mut out) = (FixedWriter::new(&layout), Vec::new());
    let records = json(r#"[{"a":"x"},{"a":"secret"},{"a":"y"}]"#);
    writer.write(records.root().at(0), &mut out).unwrap();
    let error = writer.write(records.root().at(1), &mut out).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
    writer.write(records.root().at(2), &mut out).unwrap();
    writer.finish(&mut out).unwrap();
    assert_eq!(out, b"x \r\ny \r\n");
}

#[test]
fn records_are_written_in_their_columns() {
    let records = r#"[{"header":{"date":"2026-11-22","customer":"ACME"}},{"line":{"price":12.5,"quantity":2,"article":"A-1"}},
        {"line":{"article":null,"quantity":1e1,"price":-0.05}},{"trailer":{"lines":2}}]"#;
    let file = "H2026-11-22ACME    \nL A-1   00002EUR0001250   \nL       00010EUR0000005-  \nT   2\n";
    assert_eq!(written(ORDERS, records), file);
}

#[test]
fn values_are_padded_on_their_side() {
    let fields = r#"{"line_end":"none","empty":"null","fields":[{"name":"l","width":3},{"name":"r","width":3,"align":"right","pad":"*"},
        {"name":"b","width":5},{"name":"n","width":4,"kind":"number","pad":" ","sign":"leading"},
        {"kind":"filler","width":2,"pad":"-"},{"name":"z","width":3,"kind":"number"}]}"#;
    assert_eq!(written(fields, r#"[{"l":"é","r":"x","b":true,"n":-7,"z":7}]"#), "é  **xtrue   -7--007");
    assert_eq!(written(fields, r#"[{"b":1.50,"l":"","z":null}]"#), "   ***1.50     --   ");
    assert_eq!(written(&of(r#"{"name":"a","width":3}"#), r#"[{"a":"x  "}]"#), "x  \r\n");
}

#[test]
fn other_character_sets_are_encoded() {
    let bytes = layout(r#"{"charset":"shift_jis","unit":"bytes","line_end":"lf","fields":[{"name":"a","width":4}]}"#);
    assert_eq!(write_all(json(r#"[{"a":"日"}]"#).root(), &bytes).unwrap(), b"\x93\xfa  \n");
    let wide = layout(r#"{"charset":"utf-16le","line_end":"lf","fields":[{"name":"a","width":2}]}"#);
    assert_eq!(write_all(json(r#"[{"a":"x"}]"#).root(), &wide).unwrap(), b"x\0 \0\n\0");
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        charset in prop::sample::select(vec!["utf-8", "utf-16le", "gb18030"]),
        line_end in prop::sample::select(vec!["any", "crlf", "lf", "cr", "none"]),
        in_bytes: bool,
        rows in prop::collection::vec(("[a-z é€]{0,4}[a-zé]", prop::option::of("[A-Z中]{1,4}"), -99_999i64..99_999, any::<bool>()), 0..6),
    ) {
        let unit = if in_bytes && charset != "utf-16le" { "bytes" } else { "characters" };
        let text = format!(r#"{{"charset":"{charset}","line_end":"{line_end}","unit":"{unit}","empty":"null","records":{{
            "one":{{"when":{{"start":3,"text":"!"}},"fields":[{{"constant":"AB"}},{{"name":"t","start":5,"width":20}},
                {{"name":"n","width":9,"kind":"number","decimals":3,"sign":"trailing"}}]}},
            "two":{{"fields":[{{"name":"o","width":16,"align":"right","pad":"_"}},{{"name":"m","width":7,"kind":"number","sign":"overpunch-leading"}}]}}}}}}"#);
        let records: Vec<String> = rows.iter().map(|(t, o, n, one)| match one {
            true => format!(r#"{{"one":{{"t":"{t}","n":{}{}.{:03}}}}}"#, if *n < 0 { "-" } else { "" }, n.abs() / 1000, n.abs() % 1000),
            false => format!(r#"{{"two":{{"o":{},"m":{n}}}}}"#, o.as_ref().map_or("null".to_owned(), |o| format!("\"{o}\""))),
        }).collect();
        let records = json(&format!("[{}]", records.join(",")));
        let layout = layout(&text);
        let file = write_all(records.root(), &layout).unwrap();
        let read = read_all(&file, &layout, &Limits::default()).unwrap();
        prop_assert_eq!(printed(&read), printed(&records), "{}", String::from_utf8_lossy(&file));
    }
}
