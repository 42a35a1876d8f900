use super::*;

fn content(name: &str, description: &str) -> Content {
    let described = match description {
        "" => Document::undefined(),
        text => Document::parse(text.as_bytes(), &Limits::default()).unwrap(),
    };
    Content::read(name, described.root()).unwrap().unwrap()
}

fn shown(document: &Document) -> String {
    String::from_utf8(document.print(1 << 20).unwrap()).unwrap()
}

/// What comes of bytes that arrive one by one.
fn piecewise(content: &Content, bytes: &[u8]) -> String {
    let limits = Limits::default();
    let mut records = content.records(&limits).unwrap();
    let mut all = Vec::new();
    let mut take = |records: &mut Records| {
        while let Some(batch) = records.batch(2).unwrap() {
            all.extend(batch.root().items().map(|one| shown(&listed(one, &limits).unwrap())));
        }
    };
    for byte in bytes {
        records.push(std::slice::from_ref(byte));
        take(&mut records);
    }
    records.push(&[]);
    take(&mut records);
    all.join("")
}

#[test]
fn what_is_written_of_a_list_is_bounded_in_every_format() {
    let limits = Limits { reply_bytes_max: 10_000, ..Limits::default() };
    let line = format!("{{\"a\":\"{}\"}}", "x".repeat(1_000));
    let few = Document::parse(format!("[{line}]").as_bytes(), &limits).unwrap();
    let many = Document::parse(format!("[{}]", vec![line; 20].join(",")).as_bytes(), &limits).unwrap();
    for format in [Format::Json, Format::Jsonl, Format::Csv(Box::default())] {
        assert!(format.print(&few, &limits).unwrap().len() > 1_000, "{format:?}");
        assert!(format.print(&many, &limits).is_err(), "{format:?}");
    }
}

#[test]
fn a_description_that_says_something_else_is_refused() {
    for (name, description) in [
        ("json", r#"{"record":"a"}"#),
        ("json", r#"{"records":"a..b"}"#),
        ("json", r#"{"records":1}"#),
        ("json-lines", r#"{"records":"a"}"#),
        ("csv", r#"{"delimiter":"x"}"#),
        ("fixed", "{}"),
        ("xml", r#"{"records":"orders"}"#),
        ("edi", r#"{"nonsense":1}"#),
    ] {
        let described = Document::parse(description.as_bytes(), &Limits::default()).unwrap();
        assert!(Content::read(name, described.root()).unwrap().is_err(), "{name} {description}");
    }
    assert!(Content::read("yaml", Document::undefined().root()).is_none());
}

#[test]
fn every_format_gives_the_same_records_whole_and_in_pieces() {
    let fixed = r#"{"fields":[{"name":"a","width":1},{"name":"b","width":1}]}"#;
    for (name, description, text) in [
        ("json", "", r#"[{"a":"1","b":"2"},{"a":"3","b":"4"}]"#),
        ("json", r#"{"records":"data.rows"}"#, r#"{"data":{"rows":[{"a":"1","b":"2"},{"a":"3","b":"4"}]}}"#),
        ("json-lines", "", "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\",\"b\":\"4\"}\n"),
        ("csv", r#"{"delimiter":";"}"#, "a;b\r\n1;2\r\n3;4\r\n"),
        ("fixed", fixed, "12\r\n34\r\n"),
        ("xml", r#"{"records":"rows/row"}"#, "<rows><row><a>1</a><b>2</b></row><row><a>3</a><b>4</b></row></rows>"),
    ] {
        let content = content(name, description);
        assert!(content.has_records(), "{name}");
        let whole = content.document(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(shown(&whole), r#"[{"a":"1","b":"2"},{"a":"3","b":"4"}]"#, "{name}");
        assert_eq!(piecewise(&content, text.as_bytes()), r#"[{"a":"1","b":"2"}][{"a":"3","b":"4"}]"#, "{name}");
        let (mut writer, mut out) = (content.writer(&Limits::default()).unwrap(), Vec::new());
        whole.root().items().for_each(|one| writer.write(one, &mut out).unwrap());
        writer.finish(&mut out).unwrap();
        if description != r#"{"records":"data.rows"}"# {
            let again = content.document(&out, &Limits::default()).unwrap();
            assert_eq!(shown(&again), shown(&whole), "{name}");
        }
    }
}

#[test]
fn xml_has_records_where_they_are_named() {
    let whole = content("xml", "");
    assert!(!whole.has_records());
    assert!(whole.records(&Limits::default()).is_none());
    assert!(whole.writer(&Limits::default()).is_none());
    let document = whole.document(b"<a><b>1</b></a>", &Limits::default()).unwrap();
    assert_eq!(shown(&document), r#"{"a":{"b":"1"}}"#);
}
