use super::*;
use crate::{Kind, Value};

fn parse(text: &str) -> Document {
    Document::parse(text.as_bytes(), &Limits::default()).unwrap()
}

#[test]
fn debug_shows_no_data() {
    let document = parse(r#"{"password":"secret","list":["secret"]}"#);
    for text in
        [format!("{document:?}"), format!("{:?}", document.root()), format!("{:?}", document.root().get("list"))]
    {
        assert!(!text.contains("secret") && !text.contains("password"), "{text}");
    }
    let (arena, root) = document.into_arena().unwrap();
    assert!(!format!("{:?}", arena.view(root)).contains("secret"));
    assert!(!format!("{arena:?}").contains("secret"));
}

#[test]
fn a_document_may_go_to_another_thread() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Document>();
    is_send_and_sync::<Arena>();
    is_send_and_sync::<crate::Constants>();
}

#[test]
fn the_wrong_kind_reads_as_nothing() {
    let document = parse(r#"{"s":"x","n":1,"l":[1],"o":{},"b":false,"z":null}"#);
    let root = document.root();
    assert!(root.get("missing").is_undefined() && root.get("missing").get("deeper").at(3).is_undefined());
    assert!(root.at(0).is_undefined() && root.get("l").get("0").is_undefined() && root.get("l").at(1).is_undefined());
    assert_eq!((root.as_str(), root.as_f64(), root.as_bool(), root.lexeme()), (None, None, None, None));
    assert_eq!((root.get("s").as_f64(), root.get("s").len(), root.get("s").items().count()), (None, 0, 0));
    assert_eq!((root.get("n").as_str(), root.get("n").entries().count()), (None, 0));
    assert_eq!(root.get("z").as_bool(), None);
    let kinds: Vec<Kind> = root.entries().map(|(_, node)| node.kind()).collect();
    use Kind::{Array, Boolean, Null, Number, Object, String};
    assert_eq!(kinds, [String, Number, Array, Object, Boolean, Null]);
}

#[test]
fn values_read_as_they_are() {
    let document = parse(r#"{"a":[{"k":"ä\n"},2.50,true],"b":{"c":1}}"#);
    let root = document.root();
    assert_eq!(root.get("a").at(0).get("k").as_str(), Some("ä\n"));
    assert_eq!(root.get("a").at(1).lexeme().as_deref(), Some("2.50"));
    assert_eq!(root.get("a").at(1).as_f64(), Some(2.5));
    assert_eq!(root.get("a").at(2).as_bool(), Some(true));
    assert_eq!((root.len(), root.get("a").len(), root.get("b").is_empty()), (2, 3, false));
    let entries: Vec<(&str, usize)> = root.entries().map(|(key, node)| (key, node.len())).collect();
    assert_eq!(entries, [("a", 3), ("b", 1)]);
    let many: Vec<String> = (0..100).map(|n| format!("\"k{n}\":{n}")).collect();
    let many = parse(&format!("{{{}}}", many.join(",")));
    assert_eq!(many.root().get("k73").as_i64(), Some(73));
    assert!(many.root().get("k100").is_undefined());
}

#[test]
fn whole_numbers_however_they_are_written() {
    for (text, number) in [
        ("0", Some(0)),
        ("-0", Some(0)),
        ("5.0", Some(5)),
        ("-1.50", None),
        ("1e3", Some(1_000)),
        ("1.5e1", Some(15)),
        ("1e-1", None),
        ("9223372036854775807", Some(i64::MAX)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775808", None),
        ("1e18", None),
        ("1e400", None),
        ("999999999999999999", Some(999_999_999_999_999_999)),
    ] {
        assert_eq!(parse(text).root().as_i64(), number, "{text}");
    }
    assert_eq!(parse("1e400").root().as_f64(), None);
    assert_eq!(parse("1e400").root().lexeme().as_deref(), Some("1e400"));
}

#[test]
fn literals_make_documents() {
    let document = Document::object([
        ("ok", true.into()),
        ("count", 3.into()),
        ("big", i64::MIN.into()),
        ("share", 0.5.into()),
        ("none", Value::from(f64::NAN)),
        ("name", "x\"y".into()),
        ("list", vec![1, 2].into()),
        ("maybe", Value::from(None::<&str>)),
        ("inner", Value::Object(vec![("a".to_owned(), Value::Array(Vec::new()))])),
    ]);
    let text = r#"{"ok":true,"count":3,"big":-9223372036854775808,"share":0.5,"none":null,"name":"x\"y","list":[1,2],"maybe":null,"inner":{"a":[]}}"#;
    assert_eq!(String::from_utf8(document.print(1_000).unwrap()).unwrap(), text);
    assert_eq!(document, parse(text));
    assert_eq!(Document::array([Value::Null, "a".into()]), parse(r#"[null,"a"]"#));
    assert_eq!(Document::text("a"), parse("\"a\""));
    assert_eq!(Document::null(), parse("null"));
    assert_eq!(Document::undefined().print(10).unwrap(), b"");
    assert_ne!(Document::undefined(), Document::null());
    let mut deep = Value::Null;
    for _ in 0..300 {
        deep = Value::Array(vec![deep]);
    }
    assert!(Document::array([deep]).is_undefined());
}

#[test]
fn a_run_begins_on_its_inputs_own_arena() {
    let (mut arena, root) = parse(r#"{"a":[1]}"#).into_arena().unwrap();
    arena.set_limits(&Limits { cost_max: 5, ..Limits::default() });
    assert_eq!(arena.view(root).get("a").at(0).as_i64(), Some(1));
    assert_eq!(arena.charge(5), Err(Fault::CostExceeded).or(arena.charge(0)));
}
