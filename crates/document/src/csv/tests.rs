use lockgate_model::{Limits, manifest::Delimiter};

use super::{CsvProblem, CsvWriter};
use crate::document::Document;

fn written(fields: Option<&[&str]>, batches: &[&str]) -> Result<String, (u64, CsvProblem, String)> {
    let fields = fields.map(|fields| fields.iter().map(|f| (*f).to_owned()).collect());
    let (mut writer, mut out) = (CsvWriter::new(Delimiter::COMMA, fields), Vec::new());
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
    let (mut writer, mut out) = (CsvWriter::new(Delimiter::COMMA, None), Vec::new());
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
