use super::*;
use crate::charset::Charset;

#[test]
fn an_element_becomes_the_least_that_holds_it() {
    for (document, expected) in [
        ("<a/>", r#"{"a":""}"#),
        ("<a></a>", r#"{"a":""}"#),
        ("<a> </a>", r#"{"a":" "}"#),
        ("<a>b</a>", r#"{"a":"b"}"#),
        ("<a b='1'/>", r#"{"a":{"@b":"1"}}"#),
        ("<a b='1'>c</a>", r##"{"a":{"@b":"1","#text":"c"}}"##),
        ("<a b='1'> </a>", r##"{"a":{"@b":"1","#text":" "}}"##),
        ("<a><b/></a>", r#"{"a":{"b":""}}"#),
        ("<a><b>1</b><b>2</b><c/></a>", r#"{"a":{"b":["1","2"],"c":""}}"#),
        ("<a>\n <b>1</b>\n <b>2</b>\n</a>", r#"{"a":{"b":["1","2"]}}"#),
        ("<a d='0'><b/><c/><b/></a>", r##"{"a":{"@d":"0","#content":[{"b":""},{"c":""},{"b":""}]}}"##),
        ("<a>\n <b/>\n <c/>\n <b/>\n</a>", r##"{"a":{"#content":[{"b":""},{"c":""},{"b":""}]}}"##),
        ("<a>x<b/></a>", r##"{"a":{"#content":["x",{"b":""}]}}"##),
        ("<a><b/> x <c/> </a>", r##"{"a":{"#content":[{"b":""}," x ",{"c":""}," "]}}"##),
        ("<a> <b>y</b> <c/>.</a>", r##"{"a":{"#content":[" ",{"b":"y"}," ",{"c":""},"."]}}"##),
    ] {
        assert_eq!(value(document, &plain()), expected, "{document}");
    }
}

#[test]
fn comments_and_instructions_vanish_and_do_not_divide_text() {
    assert_eq!(value("<!--a--><?b c?><a>x<!-- - -- -->y</a>".replace(" -- ", " ").as_str(), &plain()), r#"{"a":"xy"}"#);
    assert_eq!(value("<a>x<?b ? ?>y<![CDATA[<&]>]]><![CDATA[]]></a><!--e-->\n<?f?>", &plain()), r#"{"a":"xy<&]>"}"#);
    assert_eq!(value("<a><!--b--></a>", &plain()), r#"{"a":""}"#);
}

#[test]
fn white_space_between_elements_is_text_only_where_it_was_meant() {
    for (document, expected) in [
        ("<a>&#32;<b/></a>", r##"{"a":{"#content":[" ",{"b":""}]}}"##),
        ("<a><b/><![CDATA[ ]]></a>", r##"{"a":{"#content":[{"b":""}," "]}}"##),
        ("<a><b/><![CDATA[]]> </a>", r#"{"a":{"b":""}}"#),
        ("<a xml:space='preserve'> <b/></a>", r##"{"a":{"@xml:space":"preserve","#content":[" ",{"b":""}]}}"##),
        (
            "<a xml:space='preserve'><b><c/> </b></a>",
            r##"{"a":{"@xml:space":"preserve","b":{"#content":[{"c":""}," "]}}}"##,
        ),
        (
            "<a xml:space='preserve'><b xml:space='default'><c/> </b></a>",
            r##"{"a":{"@xml:space":"preserve","b":{"@xml:space":"default","c":""}}}"##,
        ),
    ] {
        assert_eq!(value(document, &plain()), expected, "{document}");
    }
}

#[test]
fn lines_end_by_a_line_feed_and_attributes_are_normalised() {
    assert_eq!(value("<a>b\r\nc\rd\n&#13;</a>", &plain()), r#"{"a":"b\nc\nd\n\r"}"#);
    assert_eq!(value("<a><![CDATA[\r\n\r]]></a>", &plain()), r#"{"a":"\n\n"}"#);
    assert_eq!(value("<a b='\r\n\t\r &#10;&#x9;'/>", &plain()), r#"{"a":{"@b":"    \n\t"}}"#);
    assert_eq!(
        value("<a b='&lt;&gt;&amp;&apos;&quot;\">'>&lt;&gt;&amp;&apos;&quot;></a>", &plain()),
        r##"{"a":{"@b":"<>&'\"\">","#text":"<>&'\">"}}"##
    );
    assert_eq!(value("<a>&#x1F600;&#65;&#x0000041;</a>", &plain()), r#"{"a":"😀AA"}"#);
    assert_eq!(value("<a\n\tb = 'c'\r\n></a >", &plain()), r#"{"a":{"@b":"c"}}"#);
}

#[test]
fn null_is_nil() {
    let xsi = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'";
    for (inside, expected) in [
        ("<b xsi:nil='true'/>", r#"{"a":{"b":null}}"#),
        ("<b xsi:nil=' 1 '></b>", r#"{"a":{"b":null}}"#),
        ("<b xsi:nil='false'/>", r#"{"a":{"b":{"@xsi:nil":"false"}}}"#),
        ("<b xsi:nil='true'>c</b>", r##"{"a":{"b":{"@xsi:nil":"true","#text":"c"}}}"##),
        ("<b xsi:nil='true' c='1'/>", r#"{"a":{"b":{"@xsi:nil":"true","@c":"1"}}}"#),
        ("<b c='1' xsi:nil='true'/>", r#"{"a":{"b":{"@c":"1","@xsi:nil":"true"}}}"#),
        ("<b nil='true'/>", r#"{"a":{"b":{"@nil":"true"}}}"#),
        ("<b xsi:nil='true'/><b/>", r#"{"a":{"b":[null,""]}}"#),
    ] {
        assert_eq!(value(&format!("<a {xsi}>{inside}</a>"), &plain()), expected, "{inside}");
    }
    assert_eq!(
        value(&format!("<i:a {} i:nil='true'/>", xsi.replace("xsi", "i")).replace("i:a", "a"), &plain()),
        r#"{"a":null}"#
    );
    let nil = r#"<a><b xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/></a>"#;
    assert_eq!(xml(r#"{"a":{"b":null}}"#, &plain()).unwrap(), nil);
    let options = mapped(&[("http://www.w3.org/2001/XMLSchema-instance", "i")]);
    let nil = r#"<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><b i:nil="true"/></a>"#;
    assert_eq!(xml(r#"{"a":{"b":null}}"#, &options).unwrap(), nil);
    assert_eq!(value(nil, &options), r#"{"a":{"b":null}}"#);
}

#[test]
fn elements_that_are_always_arrays() {
    let document = "<a><b><c>1</c></b><c/></a>";
    assert_eq!(value(document, &arrays(&["c"])), r#"{"a":{"b":{"c":["1"]},"c":[""]}}"#);
    assert_eq!(value(document, &arrays(&["a/b/c"])), r#"{"a":{"b":{"c":["1"]},"c":""}}"#);
    assert_eq!(value(document, &arrays(&["a/b", "b/c", "a"])), r#"{"a":{"b":[{"c":"1"}],"c":""}}"#);
    let options = XmlOptions { arrays: Arrays::new(["o:a/o:b"]).unwrap(), ..mapped(&[("u", "o")]) };
    assert_eq!(value("<a xmlns='u'><b/></a>", &options), r#"{"o:a":{"o:b":[""]}}"#);
}

#[test]
fn a_senders_prefix_changes_nothing() {
    let options = mapped(&[("urn:o", "o"), ("urn:p", "p")]);
    let expected = r#"{"o:a":{"@p:x":"1","p:b":"","c":""}}"#;
    for document in [
        "<o:a xmlns:o='urn:o' xmlns:p='urn:p' p:x='1'><p:b/><c/></o:a>",
        "<p:a xmlns:p='urn:o' xmlns:o='urn:p' o:x='1'><o:b/><c/></p:a>",
        "<a xmlns='urn:o' xmlns:q='urn:p' q:x='1'><b xmlns='urn:p'/><c xmlns=''/></a>",
        "<z:a xmlns:z='urn:o' xmlns:q='urn:p' q:x='1'><z:b xmlns:z='urn:p'/><c/></z:a>",
    ] {
        assert_eq!(value(document, &options), expected, "{document}");
    }
    let canonical = r#"<o:a xmlns:o="urn:o" xmlns:p="urn:p" p:x="1"><p:b/><c/></o:a>"#;
    assert_eq!(xml(expected, &options).unwrap(), canonical);
    let bare = mapped(&[("urn:o", ""), ("urn:p", "p")]);
    assert_eq!(value("<o:a xmlns:o='urn:o' xmlns:q='urn:p' b='1'><q:c/></o:a>", &bare), r#"{"a":{"@b":"1","p:c":""}}"#);
    assert_eq!(xml(r#"{"a":{"p:c":""}}"#, &bare).unwrap(), r#"<a xmlns="urn:o" xmlns:p="urn:p"><p:c/></a>"#);
    // A declaration that says what the options say is not written twice.
    assert_eq!(
        xml(r#"{"a":{"@xmlns":"urn:o","@xmlns:p":"urn:p"}}"#, &bare).unwrap(),
        r#"<a xmlns="urn:o" xmlns:p="urn:p"/>"#
    );
}

#[test]
fn the_name_of_a_type_has_the_prefix_of_names() {
    let options = mapped(&[("urn:o", "o"), ("urn:t", "")]);
    let xsi = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'";
    for (document, expected) in [
        (format!("<q:a xmlns:q='urn:o' {xsi} xsi:type=' q:B '/>"), r#"{"o:a":{"@xsi:type":"o:B"}}"#),
        (format!("<a xmlns='urn:o' {xsi} xsi:type='B'/>"), r#"{"o:a":{"@xsi:type":"o:B"}}"#),
        (format!("<q:a xmlns:q='urn:t' {xsi} xsi:type='q:B'/>"), r#"{"a":{"@xsi:type":"B"}}"#),
        (format!("<q:a xmlns:q='urn:t' {xsi} xsi:type='z:B c'/>"), r#"{"a":{"@xsi:type":"z:B c"}}"#),
        (format!("<q:a xmlns:q='urn:t' {xsi} q='q:B'/>"), r#"{"a":{"@q":"q:B"}}"#),
    ] {
        assert_eq!(value(&document, &options), expected, "{document}");
    }
}

#[test]
fn names_of_other_namespaces_stay_with_their_declarations() {
    for document in [
        r#"<a xmlns="u"><b xmlns=""/><c xmlns="v" xmlns:d="w" d:e="1"/></a>"#,
        r#"<p:a xmlns:p="u"><p:b xmlns:p="v"><p:c/></p:b><p:d/></p:a>"#,
        r#"<a xml:lang="de" xmlns:q="u" q:b="1"/>"#,
    ] {
        let read = parsed(document.as_bytes(), &plain()).unwrap();
        let again = String::from_utf8(written(&read, &plain()).unwrap()).unwrap();
        assert!(again.ends_with(document), "{again}");
    }
    assert_eq!(value("<a xmlns='u'/>", &plain()), r#"{"a":{"@xmlns":"u"}}"#);
    // Of a mapped namespace in between, the default one before it is still in force in the value.
    let options = mapped(&[("m", "m")]);
    let document = "<a xmlns='u'><b xmlns='m'><c xmlns=''/></b></a>";
    assert_eq!(value(document, &options), r#"{"a":{"@xmlns":"u","m:b":{"c":{"@xmlns":""}}}}"#);
}

#[test]
fn values_are_written_one_way() {
    for (json, expected) in [
        (r#"{"a":""}"#, "<a/>"),
        (r#"{"a":1.50}"#, "<a>1.50</a>"),
        (r#"{"a":true}"#, "<a>true</a>"),
        (r#"{"a":{}}"#, "<a/>"),
        (r##"{"a":{"#text":""}}"##, "<a/>"),
        (r#"{"a":{"b":[],"c":[1,[]]}}"#.replace(",[]]", "]").as_str(), "<a><c>1</c></a>"),
        (r#"{"a":{"b":[1,"x",{"c":2}]}}"#, "<a><b>1</b><b>x</b><b><c>2</c></b></a>"),
        (r#"{"a":{"c":1,"@b":2}}"#, r#"<a b="2"><c>1</c></a>"#),
        (r##"{"a":{"#content":["x","y",{"b":1}]}}"##, "<a>xy<b>1</b></a>"),
        (r##"{"a":{"#content":[" ",{"b":1}]}}"##, "<a>&#32;<b>1</b></a>"),
        (r##"{"a":{"#content":["x",{"b":1}," "]}}"##, "<a>x<b>1</b> </a>"),
        (r##"{"a":{"#content":[]}}"##, "<a/>"),
        (r##"{"a":{"#content":[""]}}"##, "<a/>"),
        (r#"{"a":"<>&'\"]]>\r\n\t"}"#, "<a>&lt;&gt;&amp;'\"]]&gt;&#13;\n\t</a>"),
        (r#"{"a":{"@b":"<>&'\"\r\n\t"}}"#, r#"<a b="&lt;&gt;&amp;'&quot;&#13;&#10;&#9;"/>"#),
    ] {
        assert_eq!(xml(json, &plain()).unwrap(), expected, "{json}");
    }
}

#[test]
fn character_sets_both_ways() {
    let json = r#"{"größe":{"@ä":"€","b":"ü€😀"}}"#;
    for (name, declared) in [
        ("utf-8", "utf-8"),
        ("utf-16le", "utf-16"),
        ("utf-16be", "utf-16"),
        ("iso-8859-15", "iso-8859-15"),
        ("windows-1252", "windows-1252"),
        ("gb18030", "gb18030"),
    ] {
        let options = XmlOptions { charset: Charset::named(name).unwrap(), ..plain() };
        let bytes = written(&from_json(json), &options).unwrap();
        let mut text = String::new();
        options.charset.decoder().decode(&bytes, true, &mut text).unwrap();
        assert!(text.starts_with(&format!("<?xml version=\"1.0\" encoding=\"{declared}\"?>\n<größe ")), "{text}");
        assert_eq!(text.contains("&#128512;"), name.contains("125") || name.contains("8859"), "{text}");
        assert_eq!(super::json(&parsed(&bytes, &plain()).unwrap()), json, "{name}");
    }
    let options = XmlOptions { charset: Charset::named("iso-8859-15").unwrap(), ..plain() };
    assert_eq!(xml(r#"{"ж":1}"#, &options).unwrap_err().code(), "LG-CHARSET");
    let options = XmlOptions { charset: Charset::named("shift_jis").unwrap(), ..plain() };
    let yen = r#"{"a":{"@b":"¥","c":"日 ¥\\"}}"#;
    assert_eq!(json_of(&written(&from_json(yen), &options).unwrap()), yen);
    // A mark, and a set that the declaration names without one.
    assert_eq!(value("\u{feff}<?xml version='1.0' encoding='UTF-8'?><a/>", &plain()), r#"{"a":""}"#);
    assert_eq!(value("\u{feff}<a/>", &plain()), r#"{"a":""}"#);
    let units: Vec<u8> =
        "<?xml version='1.0' encoding='UTF-16BE'?><a>ж</a>".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(json_of(&units), r#"{"a":"ж"}"#);
    assert_eq!(json_of(b"<?xml version='1.0' encoding='Shift_JIS' ?><a>\x93\xfa</a>"), r#"{"a":"日"}"#);
}

fn json_of(bytes: &[u8]) -> String {
    json(&parsed(bytes, &plain()).unwrap())
}
