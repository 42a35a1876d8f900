use super::*;

/// Every document is refused with this code at this byte.
#[track_caller]
fn refused(code: &str, documents: &[(&str, u64)]) {
    for (document, at) in documents {
        let error = parsed(document.as_bytes(), &plain()).expect_err(document);
        assert_eq!((error.code(), error.offset()), (code, *at), "{document:?}: {error}");
    }
}

#[test]
fn a_document_type_is_refused_wherever_it_stands() {
    refused(
        "LG-XML-DOCTYPE",
        &[
            ("<!DOCTYPE a><a/>", 0),
            ("<?xml version='1.0'?>\n<!-- c --><!DOCTYPE a SYSTEM 'http://example.com/a.dtd'><a/>", 32),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", 0),
            ("<a><!DOCTYPE a></a>", 3),
            ("<a/><!DOCTYPE a>", 4),
        ],
    );
}

#[test]
fn entities_and_references_are_refused() {
    refused("LG-XML-ENTITY", &[("<a>&b;</a>", 3), ("<a b='&nbsp;'/>", 6), ("<a>&LT;</a>", 3), ("<a>xx&größe;</a>", 5)]);
    refused(
        "LG-XML-REFERENCE",
        &[
            ("<a>&</a>", 3),
            ("<a>& b</a>", 3),
            ("<a>&;</a>", 3),
            ("<a>&#;</a>", 3),
            ("<a>&#x;</a>", 3),
            ("<a>&#X41;</a>", 3),
            ("<a>&#4a;</a>", 3),
            ("<a>&#+65;</a>", 3),
            ("<a>&lt </a>", 3),
            ("<a>&lt<b/></a>", 3),
            ("<a b='&'/>", 6),
            ("<a b='&lt'/>", 6),
            ("<a>&a:b;</a>", 3),
            ("<a>& lt;</a>", 3),
        ],
    );
    refused(
        "LG-XML-CHARACTER",
        &[
            ("<a>&#0;</a>", 3),
            ("<a>&#8;</a>", 3),
            ("<a>&#xD800;</a>", 3),
            ("<a>&#xFFFE;</a>", 3),
            ("<a>&#x110000;</a>", 3),
            ("<a>&#99999999999999999999;</a>", 3),
            ("<a b='&#0;'/>", 6),
        ],
    );
}

#[test]
fn tags_that_are_malformed_are_refused() {
    refused(
        "LG-XML-NAME",
        &[
            ("<1/>", 1),
            ("< a/>", 1),
            ("<>", 1),
            ("<a:b:c/>", 1),
            ("<:a/>", 1),
            ("<a:/>", 1),
            ("<a><-b/></a>", 4),
            ("<a\u{d7}/>", 1),
            ("<a 1='x'/>", 3),
            ("<a / >", 3),
            ("<a></ a>", 5),
            ("<a></>", 5),
            ("<a></a b>", 5),
        ],
    );
    refused(
        "LG-XML-ATTRIBUTE",
        &[
            ("<a b/>", 4),
            ("<a b=/>", 5),
            ("<a b=c/>", 5),
            ("<a b 'c'/>", 5),
            ("<a b='c'd='e'/>", 8),
            ("<a b=\u{a0}'c'/>", 5),
        ],
    );
    refused(
        "LG-XML-MARKUP",
        &[("<a b='<'/>", 6), ("<a <b/>", 3), ("<!ELEMENT a ANY><a/>", 0), ("<a><![cdata[x]]></a>", 3)],
    );
    refused("LG-XML-DUPLICATE", &[("<a b='1' c='2' b='1'/>", 15), ("<a xmlns='u' xmlns='u'/>", 13)]);
    refused(
        "LG-XML-MISMATCH",
        &[("<a></b>", 5), ("<a><b></a></b>", 8), ("</a>", 0), ("<a/></a>", 4), ("<a></A>", 5), ("<a></aa>", 5)],
    );
}

#[test]
fn what_stands_outside_the_root_is_refused() {
    refused(
        "LG-XML-ROOT",
        &[
            ("x<a/>", 0),
            (" <a/> x", 6),
            ("<a/>&#32;", 4),
            ("<a/><![CDATA[]]>", 4),
            ("<a/><b/>", 4),
            ("<a></a><a/>", 7),
            ("\u{feff}\u{feff}<a/>", 3),
            ("<?xml version='1.0'?>\u{feff}<a/>", 21),
        ],
    );
}

#[test]
fn what_ends_too_early_is_refused() {
    for document in [
        "",
        " ",
        "<",
        "<a",
        "<a b",
        "<a b='",
        "<a>",
        "<a><b></b>",
        "<a>&",
        "<a>&l",
        "<a><!-",
        "<!-- -",
        "<?a",
        "<?a ?",
        "<a><![CDATA[]]",
        "<?xml version='1.0'",
        "<a></a",
        "<a>]",
    ] {
        let error = parsed(document.as_bytes(), &plain()).unwrap_err();
        assert_eq!(error.code(), "LG-XML-END", "{document:?}");
    }
}

#[test]
fn characters_that_xml_has_not_are_refused() {
    refused(
        "LG-XML-CHARACTER",
        &[
            ("<a>\u{0}</a>", 3),
            ("<a>ab\u{b}</a>", 5),
            ("<a>\u{ffff}</a>", 3),
            ("<a>\u{ffef}\u{fffe}</a>", 6),
            ("<a b='\u{1}'/>", 6),
            ("<a><!-- \u{1f} --></a>", 8),
            ("<?a \u{c}?><a/>", 4),
            ("<a><![CDATA[\u{fffe}]]></a>", 12),
            ("\u{0}<a/>", 0),
        ],
    );
}

#[test]
fn comments_instructions_and_text_are_held_to_their_rules() {
    refused("LG-XML-COMMENT", &[("<!-- -- --><a/>", 5), ("<a><!-- a ---></a>", 10), ("<!----!><a/>", 4)]);
    refused("LG-XML-TEXT", &[("<a>]]></a>", 3), ("<a>]]]]></a>", 5), ("<a>x]]>y</a>", 4)]);
    refused(
        "LG-XML-INSTRUCTION",
        &[("<? a?><a/>", 2), ("<?a:b c?><a/>", 2), ("<?1?><a/>", 2), ("<?a?b?><a/>", 3), ("<?a+b c?><a/>", 2)],
    );
    refused(
        "LG-XML-DECLARATION",
        &[
            (" <?xml version='1.0'?><a/>", 1),
            ("<a/><?xml version='1.0'?>", 4),
            ("<?XML version='1.0'?><a/>", 0),
            ("<?xml?><a/>", 0),
            ("<?xml version='1.0' ?x><a/>", 0),
            ("<?xml version='1.1'?><a/>", 0),
            ("<?xml version='1.0' standalone='no' encoding='utf-8'?><a/>", 0),
        ],
    );
}

#[test]
fn namespaces_are_held_to_their_rules() {
    refused(
        "LG-XML-PREFIX",
        &[
            ("<a:b/>", 0),
            ("<b a:c='1'/>", 3),
            ("<b><c xmlns:a='u'/><a:d/></b>", 19),
            ("<b xmlns:a=''/>", 3),
            ("<b xmlns:xmlns='u'/>", 3),
            ("<b xmlns:xml='u'/>", 3),
            ("<b xmlns:a='http://www.w3.org/XML/1998/namespace'/>", 3),
            ("<b xmlns='http://www.w3.org/2000/xmlns/'/>", 3),
            ("<xmlns:b/>", 0),
        ],
    );
    refused("LG-XML-DUPLICATE", &[("<b xmlns:a='u' xmlns:c='u' a:d='1' c:d='1'/>", 35)]);
    let clash = "<o:a xmlns:o='other'/>";
    assert_eq!(parsed(clash.as_bytes(), &mapped(&[("u", "o")])).unwrap_err().code(), "LG-XML-NAMESPACE");
    for document in ["<a/>", "<o:a xmlns:o='u'><b/></o:a>", "<o:a xmlns:o='u' o:b='1'/>", "<a xmlns='v'/>"] {
        let error = parsed(document.as_bytes(), &mapped(&[("u", "")])).expect_err(document);
        assert_eq!(error.code(), "LG-XML-NAMESPACE", "{document}");
    }
    assert_eq!(parsed(b"<a xmlns:xsi='v'/>", &plain()).unwrap_err().code(), "LG-XML-NAMESPACE");
}

#[test]
fn character_sets_must_be_known_and_true() {
    let in_pairs = |text: &str, big: bool, mark: bool| {
        let units = text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
        let mark: &[u8] = match (mark, big) {
            (false, _) => b"",
            (true, true) => b"\xfe\xff",
            (true, false) => b"\xff\xfe",
        };
        mark.iter().copied().chain(units).collect::<Vec<u8>>()
    };
    for document in [
        &b"<?xml version='1.0' encoding='utf-7'?><a/>"[..],
        b"<?xml version='1.0' encoding='nonsense'?><a/>",
        b"<?xml version='1.0' encoding='utf-32'?><a/>",
        b"<?xml version='1.0' encoding='utf-16'?><a/>",
        b"<?xml version='1.0' encoding='utf-16le'?><a/>",
        b"\xef\xbb\xbf<?xml version='1.0' encoding='iso-8859-15'?><a/>",
        b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-16'?><a/>",
        b"\0\0\0<\0\0\0a\0\0\0/\0\0\0>",
        b"<\0\0\0a\0\0\0/\0\0\0>\0\0\0",
        b"\xff\xfe\0\0<\0\0\0",
        b"\x4c\x6f\xa7\x94\x93",
        &in_pairs("<?xml version='1.0' encoding='utf-8'?><a/>", true, true),
        &in_pairs("<?xml version='1.0' encoding='utf-16le'?><a/>", true, true),
        &in_pairs("<?xml version='1.0' encoding='utf-16'?><a/>", true, false),
        &in_pairs("<?xml version='1.0'?><a/>", false, false),
    ] {
        assert_eq!(parsed(document, &plain()).unwrap_err().code(), "LG-XML-ENCODING", "{document:?}");
    }
    // Without a mark and a declaration, these are not UTF-8.
    assert_eq!(parsed(&in_pairs("<a/>", true, false), &plain()).unwrap_err().code(), "LG-XML-CHARACTER");
    // UTF-7 is not looked for: its letters are letters.
    assert_eq!(value("<a>+ADw-b/+AD4-</a>", &plain()), r#"{"a":"+ADw-b/+AD4-"}"#);
    for (document, at) in [
        (&b"<a>\xff</a>"[..], 3),
        (b"<a>\xc0\x80</a>", 3),
        (b"<a>\xed\xa0\x80</a>", 3),
        (b"\xef\xbb\xbf<a>\xff</a>", 6),
        (b"<a>\xc3", 3),
        (b"\xff\xfe<\0a\0>\0\0\xd8<\0", 8),
    ] {
        let error = parsed(document, &plain()).unwrap_err();
        assert_eq!((error.code(), error.offset()), ("LG-CHARSET", at), "{document:?}");
    }
}

#[test]
fn places_are_bytes_in_any_character_set() {
    let text = "<a>größe 😀 &x;</a>";
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let document = [b"\xfe\xff", units.as_slice()].concat();
    let at = 2 + 2 * "<a>größe 😀 ".encode_utf16().count() as u64;
    let error = parsed(&document, &plain()).unwrap_err();
    assert_eq!((error.code(), error.offset()), ("LG-XML-ENTITY", at));

    let begin = b"<?xml version='1.0' encoding='iso-8859-15'?><a>\xa4\xa4".to_vec();
    let error = parsed(&[&begin[..], b"&x;</a>"].concat(), &plain()).unwrap_err();
    assert_eq!((error.code(), error.offset()), ("LG-XML-ENTITY", begin.len() as u64));
}

#[test]
fn options_that_mean_nothing_are_refused() {
    let xml_uri = "http://www.w3.org/XML/1998/namespace";
    let instance = "http://www.w3.org/2001/XMLSchema-instance";
    for entries in [
        &[("u", "a"), ("v", "a")][..],
        &[("u", "a"), ("u", "b")],
        &[("u", "1")],
        &[("u", "a:b")],
        &[("u", "xml")],
        &[("u", "xmlns")],
        &[(xml_uri, "x")],
        &[("", "a")],
        &[("u\0", "a")],
        &[("u", "xsi")],
        &[(instance, "")],
    ] {
        assert_eq!(Namespaces::new(entries.iter().copied()).unwrap_err().code(), "LG-XML-OPTIONS", "{entries:?}");
    }
    for element in ["", "/", "a/", "/a", "a//b", "@a", "#text", "a b", "a/1"] {
        assert_eq!(Arrays::new([element]).unwrap_err().code(), "LG-XML-OPTIONS", "{element}");
        let reader = XmlRecordReader::new(element, &plain(), &Limits::default());
        assert_eq!(reader.unwrap_err().code(), "LG-XML-OPTIONS", "{element}");
    }
    for (root, record) in [("", "a"), ("a", ""), ("a/b", "c"), ("@a", "b"), ("a", "#text")] {
        assert_eq!(XmlRecordWriter::new(root, record, &plain()).unwrap_err().code(), "LG-XML-OPTIONS");
    }
}

#[test]
fn values_that_have_no_place_are_refused() {
    for (code, json) in [
        ("LG-XML-VALUE", "null"),
        ("LG-XML-VALUE", "\"a\""),
        ("LG-XML-VALUE", "[]"),
        ("LG-XML-VALUE", "[{\"a\":1}]"),
        ("LG-XML-VALUE", "{}"),
        ("LG-XML-VALUE", r#"{"a":1,"b":2}"#),
        ("LG-XML-VALUE", r#"{"a":[1]}"#),
        ("LG-XML-VALUE", r#"{"a":[]}"#),
        ("LG-XML-VALUE", r#"{"a":{"b":[[1]]}}"#),
        ("LG-XML-VALUE", r#"{"a":{"@b":null}}"#),
        ("LG-XML-VALUE", r#"{"a":{"@b":{"c":1}}}"#),
        ("LG-XML-VALUE", r#"{"a":{"@xmlns":null}}"#),
        ("LG-XML-VALUE", r##"{"a":{"#text":null}}"##),
        ("LG-XML-VALUE", r##"{"a":{"#text":["b"]}}"##),
        ("LG-XML-VALUE", r##"{"a":{"#text":"b","c":1}}"##),
        ("LG-XML-VALUE", r##"{"a":{"c":[],"#text":"b"}}"##),
        ("LG-XML-VALUE", r##"{"a":{"#text":"b","#content":[]}}"##),
        ("LG-XML-VALUE", r##"{"a":{"#content":"b"}}"##),
        ("LG-XML-VALUE", r##"{"a":{"#content":[null]}}"##),
        ("LG-XML-VALUE", r##"{"a":{"#content":[["b"]]}}"##),
        ("LG-XML-VALUE", r##"{"a":{"#content":[{}]}}"##),
        ("LG-XML-VALUE", r##"{"a":{"#content":[{"b":1,"c":2}]}}"##),
        ("LG-XML-NAME", r#"{"":1}"#),
        ("LG-XML-NAME", r#"{"a b":1}"#),
        ("LG-XML-NAME", r#"{"@a":1}"#),
        ("LG-XML-NAME", r##"{"#text":"a"}"##),
        ("LG-XML-NAME", r#"{"a":{"1":1}}"#),
        ("LG-XML-NAME", r#"{"a":{"@":1}}"#),
        ("LG-XML-NAME", r#"{"a":{"@b c":1}}"#),
        ("LG-XML-NAME", r#"{"a":{"@xmlns:":"u"}}"#),
        ("LG-XML-NAME", r##"{"a":{"#other":1}}"##),
        ("LG-XML-NAME", r##"{"a":{"#content":[{"@b":1}]}}"##),
        ("LG-XML-NAME", r#"{"a><b":1}"#),
        ("LG-XML-PREFIX", r#"{"p:a":1}"#),
        ("LG-XML-PREFIX", r#"{"a":{"@p:b":1}}"#),
        ("LG-XML-PREFIX", r#"{"a":{"b":{"@xmlns:p":"u"},"p:c":1}}"#),
        ("LG-XML-PREFIX", r#"{"a":{"@xmlns:p":""}}"#),
        ("LG-XML-PREFIX", r#"{"a":{"@xmlns:xml":"u"}}"#),
        ("LG-XML-PREFIX", r#"{"xmlns:a":"u"}"#),
        ("LG-XML-DUPLICATE", r#"{"a":{"@xmlns:p":"u","@xmlns:q":"u","@p:b":1,"@q:b":2}}"#),
        ("LG-XML-NAMESPACE", r#"{"a":{"@xmlns:xsi":"u"}}"#),
        ("LG-XML-CHARACTER", r#"{"a":"\u0000"}"#),
        ("LG-XML-CHARACTER", r#"{"a":"b\u001fc"}"#),
        ("LG-XML-CHARACTER", r#"{"a":"\uffff"}"#),
        ("LG-XML-CHARACTER", r#"{"a":{"@b":"\u0008"}}"#),
    ] {
        let mut out = b"before".to_vec();
        let error = write(from_json(json).root(), &plain(), &mut out).expect_err(json);
        assert_eq!((error.code(), error.offset()), (code, 0), "{json}: {error}");
        assert_eq!(out, b"before", "{json}");
    }
    assert_eq!(written(&Document::undefined(), &plain()).unwrap_err().code(), "LG-XML-VALUE");
    let options = mapped(&[("u", "o"), ("v", "")]);
    for json in [r#"{"a":{"@xmlns:o":"w"}}"#, r#"{"a":{"@xmlns":"w"}}"#, r#"{"a":{"@xmlns":""}}"#] {
        assert_eq!(xml(json, &options).unwrap_err().code(), "LG-XML-NAMESPACE", "{json}");
    }
}

#[test]
fn options_say_what_is_wrong_with_them_and_where() {
    let read = |json: &str| XmlOptions::read(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root());
    for (json, pointer) in [
        (r#"{"namespace":{}}"#, "/namespace"),
        (r#"{"namespaces":["urn:o"]}"#, "/namespaces"),
        (r#"{"namespaces":{"o":1}}"#, "/namespaces"),
        (r#"{"namespaces":{"xml":"urn:o"}}"#, "/namespaces"),
        (r#"{"namespaces":{"a":"urn:o","b":"urn:o"}}"#, "/namespaces"),
        (r#"{"arrays":"line"}"#, "/arrays"),
        (r#"{"arrays":["a b"]}"#, "/arrays"),
        (r#"{"records":"orders"}"#, "/records"),
        (r#"{"records":"orders/a/b"}"#, "/records"),
        (r#"{"charset":"ebcdic"}"#, "/charset"),
    ] {
        let told = read(json).unwrap_err().0;
        assert_eq!(told.iter().map(|problem| problem.pointer.as_str()).collect::<Vec<_>>(), [pointer], "{json}");
    }
    let told = read(r#"{"namespace":{},"arrays":"line","records":"orders","charset":"ebcdic"}"#).unwrap_err().0;
    let told: Vec<_> = told.iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(told, ["/namespace", "/arrays", "/records", "/charset"]);
    let options = read(r#"{"namespaces":{"o":"urn:o","":"urn:d"},"arrays":["o:a/b","line"],"records":"x/y"}"#).unwrap();
    assert_eq!(options.arrays, Arrays::new(["o:a/b", "line"]).unwrap());
    assert_eq!(options.namespaces, Namespaces::new([("urn:o", "o"), ("urn:d", "")]).unwrap());
    assert_eq!(options.records, Some(("x".to_owned(), "y".to_owned())));
}
