use lockgate_model::Limits;
use proptest::prelude::*;

use super::{dialect, dialects, json, printed};
use crate::csv::{CsvProblem, CsvWriter, Dialect, read_all, write_all};
use crate::document::Document;
use crate::format::RecordWriter;

fn written(fields: Option<&[&str]>, batches: &[&str]) -> Result<String, (u64, CsvProblem, String)> {
    let fields = fields.map(|fields| fields.iter().map(|f| (*f).to_owned()).collect());
    let (mut writer, mut out) = (CsvWriter::new(Dialect::default(), fields), Vec::new());
    for batch in batches {
        let records = Document::parse(batch.as_bytes(), &Limits::default()).unwrap();
        writer.write(records.root(), &mut out).map_err(|e| (e.record, e.problem, e.field().to_owned()))?;
    }
    writer.finish(&mut out);
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn what_has_no_place_in_a_table_is_refused_with_its_place() {
    let refused = |batches: &[&str]| written(None, batches).unwrap_err();
    assert_eq!(refused(&["[1]"]), (1, CsvProblem::NoObject, String::new()));
    assert_eq!(refused(&[r#"[{"a":1}]"#, r#"[{"a":2},{"a":{"b":1}}]"#]), (3, CsvProblem::NoValue, "a".into()));
    assert_eq!(refused(&[r#"[{"a":[1]}]"#]), (1, CsvProblem::NoValue, "a".into()));
    assert_eq!(refused(&[r#"[{"a":1},{"a":1,"b":2}]"#]), (2, CsvProblem::NoColumn, "b".into()));
    assert_eq!(refused(&[r#"[{"a":1},{"b":2}]"#]), (2, CsvProblem::NoColumn, "b".into()));
}

#[test]
fn an_error_shows_no_data() {
    let (mut writer, mut out) = (CsvWriter::new(Dialect::default(), None), Vec::new());
    let records = Document::parse(br#"[{"secret-name":{"x":1}}]"#, &Limits::default()).unwrap();
    let error = writer.write(records.root(), &mut out).unwrap_err();
    assert_eq!(error.to_string(), "record 1 has a field that is no single value");
}

#[test]
fn the_header_comes_once_from_the_columns_or_the_first_record() {
    assert_eq!(
        written(None, &[r#"[{"id":1,"name":"A"}]"#, r#"[{"name":"B","id":2}]"#]).unwrap(),
        "id,name\r\n1,A\r\n2,B\r\n"
    );
    let other = r#"[{"a":1,"b":2,"c":3},{"c":6,"a":4,"b":5},{"b":8,"c":9},{"a":10,"c":12},{"a":13}]"#;
    assert_eq!(written(None, &[other]).unwrap(), "a,b,c\r\n1,2,3\r\n4,5,6\r\n,8,9\r\n10,,12\r\n13,,\r\n");
    assert_eq!(written(Some(&["id", "name"]), &[]).unwrap(), "id,name\r\n");
    assert_eq!(written(Some(&["name", "id"]), &[r#"[{"id":1}]"#]).unwrap(), "name,id\r\n,1\r\n");
    assert_eq!(written(None, &[]).unwrap(), "");
}

#[test]
fn values_stand_as_they_are() {
    let text = r#"[{"n":12345678901234567890.10,"t":true,"f":false,"z":null,"s":"=1+1"}]"#;
    assert_eq!(written(None, &[text]).unwrap(), "n,t,f,z,s\r\n12345678901234567890.10,true,false,,=1+1\r\n");
}

#[test]
fn quotes_stand_where_rfc_4180_asks_for_them() {
    let text = r#"[{"a,b":"x,y","q":"say \"hi\"","l":"two\nlines","r":"a\rb","b":" blank ","e":""}]"#;
    let expected = "\"a,b\",q,l,r,b,e\r\n\"x,y\",\"say \"\"hi\"\"\",\"two\nlines\",\"a\rb\",\" blank \",\r\n";
    assert_eq!(written(None, &[text]).unwrap(), expected);
    // A line of one empty field is not an empty line.
    assert_eq!(written(None, &[r#"[{"a":""},{"a":null},{"a":"x"}]"#]).unwrap(), "a\r\n\"\"\r\n\"\"\r\nx\r\n");
}

fn of(options: &str, records: &str) -> String {
    String::from_utf8(write_all(json(records).root(), &dialect(options)).unwrap()).unwrap()
}
fn refused(options: &str, records: &str) -> (String, Option<u64>) {
    let error = write_all(json(records).root(), &dialect(options)).unwrap_err();
    (error.code().to_owned(), error.record())
}

#[test]
fn what_could_not_be_read_again_is_refused() {
    for (options, records, code, record) in [
        ("{}", "{}", "LG-CSV-RECORD", None),
        ("{}", "[[1]]", "LG-CSV-RECORD", Some(1)),
        ("{}", "[{}]", "LG-CSV-RECORD", Some(1)),
        ("{}", r#"[{"a":1},{"b":1}]"#, "LG-CSV-COLUMN", Some(2)),
        ("{}", r#"[{"a":[1]}]"#, "LG-CSV-VALUE", Some(1)),
        ("{}", r#"[{"":1}]"#, "LG-CSV-HEADER", Some(1)),
        ("{}", r#"[{"a":"x\u0000"}]"#, "LG-CSV-NUL", Some(1)),
        (r#"{"header":["a"]}"#, r#"[{"a":1},{"b":1}]"#, "LG-CSV-COLUMN", Some(2)),
        (r#"{"header":"arrays"}"#, r#"[[1],{"a":1}]"#, "LG-CSV-RECORD", Some(2)),
        (r#"{"header":"arrays"}"#, "[[]]", "LG-CSV-RECORD", Some(1)),
        (r#"{"quote":"none"}"#, r#"[{"a":"x,y"}]"#, "LG-CSV-VALUE", Some(1)),
        (r#"{"quote":"none"}"#, r#"[{"a":"x\n"}]"#, "LG-CSV-VALUE", Some(1)),
        (r#"{"quote":"none"}"#, r#"[{"a":"","b":1},{"a":"","b":"\r"}]"#, "LG-CSV-VALUE", Some(2)),
        (r#"{"quote":"none","empty":"null"}"#, r#"[{"a":"","b":1}]"#, "LG-CSV-VALUE", Some(1)),
        (r#"{"quote":"none","trim":true}"#, r#"[{"a":" x"}]"#, "LG-CSV-VALUE", Some(1)),
        (r#"{"quote":"none"}"#, r#"[{"a":""}]"#, "LG-CSV-RECORD", Some(1)),
        (r#"{"empty":"null"}"#, r#"[{"a":null}]"#, "LG-CSV-RECORD", Some(1)),
        (r#"{"charset":"windows-1252"}"#, r#"[{"a":"x"},{"a":"ж"}]"#, "LG-CHARSET", Some(2)),
        (r#"{"charset":"windows-1252"}"#, r#"[{"ж":"x"}]"#, "LG-CHARSET", Some(1)),
    ] {
        assert_eq!(refused(options, records), (code.to_owned(), record), "{options} {records}");
    }
}

#[test]
fn a_record_that_is_refused_leaves_nothing_behind() {
    let (mut writer, mut out) = (CsvWriter::new(Dialect::default(), None), Vec::new());
    let records = json(r#"[{"a":1,"b":2},{"a":1,"b":[]},{"a":3,"b":4}]"#);
    RecordWriter::write(&mut writer, records.root().at(0), &mut out).unwrap();
    let error = RecordWriter::write(&mut writer, records.root().at(1), &mut out).unwrap_err();
    assert_eq!(error.to_string(), "a record has a field that is no single value (record 2, byte 0)");
    RecordWriter::write(&mut writer, records.root().at(2), &mut out).unwrap();
    RecordWriter::finish(&mut writer, &mut out).unwrap();
    assert_eq!(out, b"a,b\r\n1,2\r\n3,4\r\n");
}

#[test]
fn a_header_that_is_refused_is_not_left_out_later() {
    let (mut writer, mut out) = (CsvWriter::new(dialect(r#"{"mark":true}"#), Some(vec![String::new()])), Vec::new());
    for _ in 0..2 {
        let error = RecordWriter::write(&mut writer, json(r#"{"":1}"#).root(), &mut out).unwrap_err();
        assert_eq!((error.code(), out.len()), ("LG-CSV-HEADER", 0));
    }
}

#[test]
fn wide_records_in_another_order_cost_no_square() {
    let names: Vec<String> = (0..16_000).map(|n| format!("c{n}")).collect();
    let fields: Vec<String> = names.iter().rev().skip(1).map(|name| format!(r#""{name}":"{name}""#)).collect();
    let record = json(&format!("{{{}}}", fields.join(",")));
    let (mut writer, mut out) = (CsvWriter::new(Dialect::default(), Some(names.clone())), Vec::new());
    for _ in 0..20 {
        out.clear();
        RecordWriter::write(&mut writer, record.root(), &mut out).unwrap();
    }
    let line = format!("{},\r\n", names[..names.len() - 1].join(","));
    assert!(out == line.as_bytes());
}

#[test]
fn lines_are_written_as_the_dialect_says() {
    let records = r##"[{"a":"x;y","b":null},{"a":"","b":-1.50},{"a":"#","b":true},{"a":" s","b":"\\"}]"##;
    assert_eq!(of(r#"{"delimiter":";","line_end":"lf"}"#, records), "a;b\n\"x;y\";\n;-1.50\n#;true\n\" s\";\\\n");
    assert_eq!(of(r##"{"header":"numbers","comment":"#"}"##, r##"[{"1":"#","2":"#"}]"##), "\"#\",#\r\n");
    assert_eq!(of(r#"{"header":["b","a"],"line_end":"cr","empty":"absent"}"#, r#"[{"a":"","b":null}]"#), ",\"\"\r");
    assert_eq!(of(r#"{"header":"arrays"}"#, r#"[[1,"a"],[null],[2]]"#), "1,a\r\n\"\"\r\n2\r\n");
    assert_eq!(
        of(r#"{"quoting":"always"}"#, r#"[{"a":1,"b":null,"c":true}]"#),
        "\"a\",\"b\",\"c\"\r\n\"1\",\"\",\"true\"\r\n"
    );
    assert_eq!(of(r#"{"quoting":"always","empty":"null"}"#, r#"[{"a":"","b":null}]"#), "\"a\",\"b\"\r\n\"\",\r\n");
    assert_eq!(of(r#"{"escape":"backslash"}"#, r#"[{"a":"\"\\","b":"\\"}]"#), "a,b\r\n\"\\\"\\\\\",\"\\\\\"\r\n");
    let bare = r##"{"escape":"backslash","quote":"none","comment":"#","line_end":"lf"}"##;
    assert_eq!(of(bare, r##"[{"a":"#,","b":"#\n\\"},{"a":" ","b":"x y"}]"##), "a,b\n\\#\\,,#\\\n\\\\\n ,x y\n");
    let latin = write_all(json(r#"[{"a":"5 €"}]"#).root(), &dialect(r#"{"charset":"windows-1252"}"#)).unwrap();
    assert_eq!(latin, b"a\r\n5 \x80\r\n");
    let marked = write_all(json(r#"[{"a":"ж"}]"#).root(), &dialect(r#"{"mark":true,"charset":"utf-16le"}"#)).unwrap();
    assert_eq!(marked, b"\xff\xfea\0\r\0\n\0\x36\x04\r\0\n\0");
    assert_eq!(of(r#"{"mark":true}"#, "[]"), "\u{feff}");
    // A name that begins like a byte order mark.
    assert_eq!(of("{}", "[{\"\u{feff}a\":\"\"}]"), "\"\u{feff}a\"\r\n\"\"\r\n");
}

fn rows() -> impl Strategy<Value = Vec<(String, String, i64)>> {
    let text = || "[\u{feff}a,;|'\"\\\\ \t\r\n#é😀]{0,6}";
    prop::collection::vec((text(), text(), any::<i64>()), 0..5)
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(options in dialects(), rows in rows()) {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let rows: Vec<String> = rows.iter().map(|(a, b, n)| format!(r#"{{"a":{},"n":{n},"ß,":{}}}"#, quoted(a), quoted(b))).collect();
        let records = json(&format!("[{}]", rows.join(",")));
        let options = options.replacen('{', r#"{"numbers":["n"],"#, 1);
        let written = write_all(records.root(), &dialect(&options)).unwrap();
        let read = read_all(&written, &dialect(&options), &Limits::default());
        prop_assert_eq!(printed(&read.unwrap()), printed(&records), "{}", String::from_utf8_lossy(&written));
    }

    #[test]
    fn without_quotes_it_is_read_again_or_refused(
        escape in prop::sample::select(vec!["doubled", "backslash"]),
        delimiter in prop::sample::select(vec![",", "space"]),
        empty in prop::sample::select(vec!["text", "null"]),
        trim: bool,
        rows in rows(),
    ) {
        let trim = trim && delimiter != "space";
        let options = format!(
            r##"{{"quote":"none","escape":"{escape}","delimiter":"{delimiter}","empty":"{empty}","trim":{trim},"comment":"#"}}"##
        );
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let rows: Vec<String> = rows.iter().map(|(a, b, _)| format!(r#"{{"a":{},"b":{}}}"#, quoted(a), quoted(b))).collect();
        let records = json(&format!("[{}]", rows.join(",")));
        if let Ok(written) = write_all(records.root(), &dialect(&options)) {
            let read = read_all(&written, &dialect(&options), &Limits::default());
            prop_assert_eq!(printed(&read.unwrap()), printed(&records), "{}", String::from_utf8_lossy(&written));
        }
    }
}
