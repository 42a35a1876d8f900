//! Grammars: how they are read, and messages by them.

use super::*;

/// An order of parties, dates and lines, small enough to see through.
pub(super) const ORDER: &str = r#"{
  "grammar": "order", "syntax": "x12", "message": "850", "version": "005010",
  "content": [
    {"segment": "BEG", "name": "begin", "min": 1, "elements": [
      {"name": "purpose", "required": true, "codes": ["00", "05"]},
      {"name": "type", "required": true, "min": 2, "max": 2},
      {"name": "number", "required": true, "max": 5},
      null,
      {"name": "date", "kind": "date"}]},
    {"segment": "REF*DP", "name": "department", "elements": [null, "id"]},
    {"segment": "REF*IA", "name": "vendors", "max": 2, "elements": ["qualifier", "id"]},
    {"name": "parties", "max": 3, "content": [
      {"segment": "N1", "name": "party", "elements": ["role", "name"]},
      {"segment": "N3", "name": "street", "max": 2, "elements": ["line"]},
      {"segment": "N4", "name": "place", "min": 1, "elements": ["city"]}]},
    {"name": "lines", "min": 1, "max": 100, "content": [
      {"segment": "PO1", "name": "item", "elements": [
        {"name": "line", "required": true},
        {"name": "quantity", "kind": "number", "required": true, "max": 4},
        {"name": "price", "kind": "number", "decimals": 2, "max": 6},
        {"name": "codes", "repeat": 3, "components": [{"name": "type", "required": true}, "code"]},
        {"name": "size", "components": ["width", {"name": "height", "kind": "number"}]}]},
      {"segment": "REF", "name": "references", "max": 2, "elements": ["qualifier", "id"]}]},
    {"segment": "CTT", "name": "totals", "elements": [{"name": "lines", "kind": "number", "decimals": 0, "min": 2, "max": 3}]}
  ]
}"#;

/// Its segments, one for each of its rules.
pub(super) const GOOD: &str = concat!(
    "BEG*00*NE*P1**20261122~REF*IA*7~REF*DP*9~REF*IA*8~N1*BY*ACME~N3*A~N3*B~N4*ROME~N1*ST~N4*OSLO~",
    "PO1*1*12.50*1999*UP:1^^EN:2*3~REF*A*1~PO1*2*3~CTT*02~"
);

#[test]
fn what_is_no_grammar_is_refused_with_its_place() {
    for (wrong, right, pointer) in [
        (r#""grammar": "order","#, "", "/grammar"),
        (r#""grammar": "order","#, r#""grammar": "order", "extra": 1,"#, "/extra"),
        (r#""syntax": "x12""#, r#""syntax": "tradacoms""#, "/syntax"),
        (r#""message": "850""#, r#""message": 850"#, "/message"),
        (r#""message": "850""#, r#""message": """#, "/message"),
        (r#""version": "005010""#, r#""version": 5010"#, "/version"),
        (r#""segment": "BEG""#, r#""segment": "beg""#, "/content/0/segment"),
        (r#""segment": "BEG""#, r#""segment": "SE""#, "/content/0/segment"),
        (r#""segment": "BEG""#, r#""segment": "BIN""#, "/content/0/segment"),
        (r#""segment": "BEG""#, r#""segment": "BEG***********9""#, "/content/0/segment"),
        (r#""segment": "BEG""#, r#""segment": "BEG*00:1""#, "/content/0/segment"),
        (r#""segment": "BEG""#, r#""segment": "BEG*0~0""#, "/content/0/segment"),
        (r#""name": "begin""#, r#""name": """#, "/content/0/name"),
        (r#""name": "begin""#, r#""nam": "begin""#, "/content/0/nam"),
        (r#""name": "department""#, r#""name": "begin""#, "/content/1/name"),
        (r#""name": "begin", "min": 1"#, r#""name": "begin", "min": 2"#, "/content/0/min"),
        (r#""name": "begin", "min": 1"#, r#""name": "begin", "min": -1"#, "/content/0/min"),
        (r#""name": "begin", "min": 1"#, r#""name": "begin", "max": 0"#, "/content/0/max"),
        (r#""name": "begin", "min": 1"#, r#""name": "begin", "max": "many""#, "/content/0/max"),
        (r#""codes": ["00", "05"]"#, r#""codes": [0]"#, "/content/0/elements/0/codes/0"),
        (r#""codes": ["00", "05"]"#, r#""codes": []"#, "/content/0/elements/0/codes"),
        (r#""codes": ["00", "05"]"#, r#""kind": "number", "codes": ["00"]"#, "/content/0/elements/0/codes"),
        (r#""codes": ["00", "05"]"#, r#""kind": "numeric""#, "/content/0/elements/0/kind"),
        (r#""codes": ["00", "05"]"#, r#""decimals": 2"#, "/content/0/elements/0/decimals"),
        (r#""min": 2, "max": 2}"#, r#""min": 3, "max": 2}"#, "/content/0/elements/1/min"),
        (
            r#""name": "type", "required": true"#,
            r#""name": "type", "required": "yes""#,
            "/content/0/elements/1/required",
        ),
        (r#""name": "type", "required": true"#, r#""name": "purpose", "required": true"#, "/content/0/elements/1"),
        (r#""elements": [null, "id"]"#, r#""elements": [null, 5]"#, "/content/1/elements/1"),
        (r#""elements": [null, "id"]"#, r#""elements": []"#, "/content/1/segment"),
        (r#""elements": [null, "id"]"#, r#""elements": "id""#, "/content/1/elements"),
        (r#""decimals": 2"#, r#""decimals": 10"#, "/content/4/content/0/elements/2/decimals"),
        (r#""decimals": 2"#, r#""decimals": 2, "min": 4000000000"#, "/content/4/content/0/elements/2/min"),
        (r#""repeat": 3"#, r#""repeat": 1000000"#, "/content/4/content/0/elements/3/repeat"),
        (r#""repeat": 3"#, r#""repeat": 0"#, "/content/4/content/0/elements/3/repeat"),
        (r#""repeat": 3"#, r#""repeat": 3, "max": 5"#, "/content/4/content/0/elements/3/max"),
        (r#"["width", "#, r#"["width", "width", "#, "/content/4/content/0/elements/4/components/1"),
        (r#""segment": "N1", "name": "party""#, r#""segment": "N1", "max": 2, "name": "party""#, "/content/3/content"),
    ] {
        assert!(ORDER.contains(wrong), "{wrong}");
        let told = Grammar::read(json(&ORDER.replacen(wrong, right, 1)).root()).unwrap_err();
        let pointers: Vec<_> = told.0.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, [pointer], "{right}: {told}");
    }
    let mut deep = r#"[{"segment": "N1", "name": "a", "elements": []}]"#.to_owned();
    for _ in 0..17 {
        deep = format!(r#"[{{"segment": "N1", "name": "a", "elements": []}}, {{"name": "b", "content": {deep}}}]"#);
    }
    let text = format!(r#"{{"grammar": "x", "syntax": "x12", "message": "1", "content": {deep}}}"#);
    assert!(Grammar::read(json(&text).root()).unwrap_err().to_string().contains("deeper"));
    for text in ["[]", "1", r#"{"grammar": "x", "syntax": "x12", "message": "1", "content": []}"#] {
        assert!(Grammar::read(json(text).root()).is_err(), "{text}");
    }
}

#[test]
fn all_that_is_wrong_with_a_grammar_is_told_at_once() {
    let told = |content: &str, rest: &str| {
        let text = format!(r#"{{"grammar": "g", "syntax": "x12", {rest}, "content": [{content}]}}"#);
        let told = Grammar::read(json(&text).root()).unwrap_err().0;
        told.into_iter().map(|problem| problem.pointer).collect::<Vec<_>>()
    };
    let segment = |name: &str, more: &str, elements: &str| {
        format!(r#"{{"segment": "BEG", "name": "{name}", {more} "elements": [{elements}]}}"#)
    };
    // What a mistyped member is meant for is not missing besides.
    assert_eq!(told(&segment("a", "", "\"x\""), r#""messag": "850""#), ["/messag"]);
    let content = [
        segment("a", r#""max": 0, "mni": 1,"#, r#"{"name": "x", "knid": "text"}, 7, {"name": "y", "min": 0}"#),
        segment("a", "", r#""x", "x""#),
        r#"{"name": "l", "max": 2, "content": [{"name": "b", "segment": "be", "elements": ["x", ""]}]}"#.to_owned(),
        r#"{"nmae": "m", "content": []}"#.to_owned(),
        segment("n", "", "\"x\""),
        segment("n", "", "\"x\""),
    ];
    assert_eq!(
        told(&content.join(","), r#""message": 850"#),
        [
            "/message",
            "/content/0/mni",
            "/content/0/max",
            "/content/0/elements/0/knid",
            "/content/0/elements/1",
            "/content/0/elements/2/min",
            "/content/1/elements/1",
            "/content/2/content/0/elements/1",
            "/content/2/content/0/segment",
            "/content/3/nmae",
            "/content/3/content",
            "/content/5/name",
        ]
    );
}

#[test]
fn messages_that_break_the_grammar_are_refused() {
    let order = by(ORDER);
    for (wrong, right, code, part, message) in [
        ("BEG*00*NE*P1**20261122~", "", "LG-EDI-MISSING", "REF*IA", "segment 4 (REF): `begin` (BEG) must"),
        ("BEG*00", "ZZZ*1~BEG*00", "LG-EDI-UNEXPECTED", "ZZZ", "segment 4 (ZZZ): the grammar has no"),
        ("BEG*00", "BEG*07", "LG-EDI-CODE", "BEG", "segment 4 (BEG), element 1: this code"),
        ("*NE*", "**", "LG-EDI-MISSING", "BEG", "segment 4 (BEG), element 2: `type` is missing"),
        ("*NE*", "*N*", "LG-EDI-LENGTH", "BEG", "segment 4 (BEG), element 2: has fewer than 2"),
        ("*P1*", "*P12345*", "LG-EDI-LENGTH", "BEG", "segment 4 (BEG), element 3: has more than 5"),
        ("P1**", "P1*X*", "LG-EDI-ELEMENT", "BEG", "segment 4 (BEG), element 4: holds"),
        ("P1**", "P1:2**", "LG-EDI-ELEMENT", "BEG", "segment 4 (BEG), element 3, component 2: holds"),
        ("P1**", "P1^2**", "LG-EDI-TOO-MANY", "BEG", "segment 4 (BEG), element 3, repetition 2: stands"),
        ("20261122", "20261322", "LG-EDI-TYPE", "BEG", "segment 4 (BEG), element 5: is no date"),
        ("20261122~", "20261122*1~", "LG-EDI-ELEMENT", "BEG", "segment 4 (BEG), element 6: holds"),
        (
            "REF*IA*7",
            "REF*DP*7",
            "LG-EDI-TOO-MANY",
            "REF*DP*9",
            "segment 6 (REF): stands more than 1 times as `department`",
        ),
        ("REF*IA*7", "REF*ZZ*7", "LG-EDI-UNEXPECTED", "REF*ZZ", "segment 5 (REF): the grammar"),
        ("REF*DP*9", "REF*DP^X*9", "LG-EDI-ELEMENT", "REF*DP", "segment 6 (REF), element 1, repetition 2: holds"),
        ("REF*DP*9", "REF*DP:X*9", "LG-EDI-ELEMENT", "REF*DP", "segment 6 (REF), element 1, component 2: holds"),
        (
            "REF*IA*8",
            "REF*IA*8~REF*IA*9",
            "LG-EDI-TOO-MANY",
            "REF*IA*9",
            "segment 8 (REF): stands more than 2 times as `vendors`",
        ),
        ("N4*ROME~", "", "LG-EDI-MISSING", "N1*ST", "segment 11 (N1): `place` (N4) must"),
        ("N4*ROME~", "N4*ROME~N3*C~", "LG-EDI-UNEXPECTED", "N3*C", "segment 12 (N3): the grammar"),
        ("N3*B~", "N3*B~N3*C~", "LG-EDI-TOO-MANY", "N3*C", "segment 11 (N3): stands more than 2"),
        (
            "N1*ST~N4*OSLO~",
            "N1*ST~N4*O~N1*X~N4*O~N1*Y~N4*O~",
            "LG-EDI-TOO-MANY",
            "N1*Y",
            "segment 16 (N1): stands more than 3 times as `parties`",
        ),
        (
            "PO1*1*12.50*1999*UP:1^^EN:2*3~REF*A*1~PO1*2*3~",
            "",
            "LG-EDI-MISSING",
            "CTT",
            "segment 14 (CTT): `lines` (PO1) must",
        ),
        (
            "PO1*1*12.50*1999*UP:1^^EN:2*3~REF*A*1~PO1*2*3~CTT*02~",
            "",
            "LG-EDI-MISSING",
            "SE*",
            "segment 14 (SE): `lines` (PO1) must",
        ),
        ("*12.50*", "*12.505*", "LG-EDI-LENGTH", "PO1*1", "segment 14 (PO1), element 2: has more than 4 digits"),
        ("*12.50*", "*12,50*", "LG-EDI-TYPE", "PO1*1", "segment 14 (PO1), element 2: is no number"),
        ("*1999*", "*19.99*", "LG-EDI-TYPE", "PO1*1", "segment 14 (PO1), element 3: is no number"),
        ("UP:1^", ":1^", "LG-EDI-MISSING", "PO1*1", "segment 14 (PO1), element 4: `type` is missing"),
        ("UP:1^", "UP:1:2^", "LG-EDI-ELEMENT", "PO1*1", "segment 14 (PO1), element 4, component 3: holds"),
        ("EN:2*", "^EN:2*", "LG-EDI-TOO-MANY", "PO1*1", "segment 14 (PO1), element 4, repetition 4: stands"),
        ("EN:2*", ":2*", "LG-EDI-MISSING", "PO1*1", "segment 14 (PO1), element 4, repetition 3: `type`"),
        ("EN:2*3", "EN:2*3:x", "LG-EDI-TYPE", "PO1*1", "segment 14 (PO1), element 5, component 2: is no number"),
        ("CTT*02", "CTT*2", "LG-EDI-LENGTH", "CTT", "segment 17 (CTT), element 1: has fewer"),
        ("CTT*02~", "CTT*02~CTT*02~", "LG-EDI-TOO-MANY", "CTT*02~SE", "segment 18 (CTT): stands more"),
        ("CTT*02~", "CTT*02~PO1*1*1~", "LG-EDI-UNEXPECTED", "PO1*1*1~SE", "segment 18 (PO1): the grammar"),
    ] {
        let text = x12(&GOOD.replacen(wrong, right, 1));
        let (found, offset, told) = refused(&text, &order);
        assert_eq!((found.as_str(), offset), (code, at(&text, part)), "{right}: {told}");
        assert!(told.starts_with(message), "{right}: {told}");
    }
    let good = x12(GOOD);
    for (wrong, right) in [("ST*850", "ST*855"), ("*005010~", "*004010~"), ("ST*850*0001", "ST*850*0001*OTHER")] {
        assert_eq!(refused(good.replacen(wrong, right, 1), &order).0, "LG-EDI-MESSAGE", "{right}");
    }
    assert_eq!(refused(edifact(""), &order).0, "LG-EDI-MESSAGE");
}

#[test]
fn a_message_has_the_names_of_its_grammar() {
    let order = by(ORDER);
    let value = read(x12(GOOD).as_bytes(), &order, &Limits::default()).unwrap();
    let text = shown(&value);
    let content = text.split_once(r#""content":"#).unwrap().1;
    assert_eq!(
        content,
        concat!(
            r#"{"begin":{"purpose":"00","type":"NE","number":"P1","date":"2026-11-22"},"department":{"id":"9"},"#,
            r#""vendors":[{"qualifier":"IA","id":"7"},{"qualifier":"IA","id":"8"}],"#,
            r#""parties":[{"party":{"role":"BY","name":"ACME"},"street":[{"line":"A"},{"line":"B"}],"place":{"city":"ROME"}},"#,
            r#"{"party":{"role":"ST"},"place":{"city":"OSLO"}}],"#,
            r#""lines":[{"item":{"line":"1","quantity":12.50,"price":19.99,"codes":[{"type":"UP","code":"1"},null,"#,
            r#"{"type":"EN","code":"2"}],"size":{"width":"3"}},"references":[{"qualifier":"A","id":"1"}]},"#,
            r#"{"item":{"line":"2","quantity":3}}],"totals":{"lines":2}}}]}]}"#
        )
    );
    // The order among neighbours is that of the grammar; all else is as it came.
    let canonical = GOOD.replacen("REF*IA*7~REF*DP*9~", "REF*DP*9~REF*IA*7~", 1);
    assert_eq!(written(&value, &order).unwrap(), x12(&canonical));
    let again = read(x12(&canonical).as_bytes(), &order, &Limits::default()).unwrap();
    assert_eq!(again, value);
}

#[test]
fn values_that_break_the_grammar_are_refused_with_their_place() {
    let order = by(ORDER);
    let good = shown(&read(x12(GOOD).as_bytes(), &order, &Limits::default()).unwrap());
    let content = "/groups/0/messages/0/content";
    for (wrong, right, code, place) in [
        (r#""begin":{"purpose":"00","type":"NE","number":"P1","date":"2026-11-22"},"#, "", "LG-EDI-MISSING", "/begin"),
        (r#""begin":{"purpose":"00","#, r#""begin":{"#, "LG-EDI-MISSING", "/begin/purpose"),
        (r#""purpose":"00""#, r#""purpose":null"#, "LG-EDI-MISSING", "/begin/purpose"),
        (r#""purpose":"00""#, r#""purpose":"""#, "LG-EDI-MISSING", "/begin/purpose"),
        (r#""purpose":"00""#, r#""purpose":"07""#, "LG-EDI-CODE", "/begin/purpose"),
        (r#""purpose":"00""#, r#""purpose":0"#, "LG-EDI-VALUE", "/begin/purpose"),
        (r#""purpose":"00""#, r#""purpose":"00","x":1"#, "LG-EDI-VALUE", "/begin"),
        (r#""number":"P1""#, r#""number":"P12345""#, "LG-EDI-LENGTH", "/begin/number"),
        (r#""number":"P1""#, r#""number":"P*1""#, "LG-EDI-RESERVED", "/begin"),
        (r#""number":"P1""#, r#""number":"Pé""#, "LG-CHARSET", "/begin"),
        (r#""number":"P1""#, r#""number":"P\n""#, "LG-CHARSET", "/begin"),
        (r#""number":"P1""#, r#""number":["P1"]"#, "LG-EDI-VALUE", "/begin/number"),
        ("2026-11-22", "20261122", "LG-EDI-TYPE", "/begin/date"),
        (r#""department":{"id":"9"}"#, r#""department":[{"id":"9"}]"#, "LG-EDI-VALUE", "/department"),
        (r#""department":{"id":"9"}"#, r#""other":{"id":"9"}"#, "LG-EDI-VALUE", ""),
        (r#"{"qualifier":"IA","id":"7"}"#, r#"{"qualifier":"DP","id":"7"}"#, "LG-EDI-VALUE", "/vendors/0"),
        (
            r#"[{"qualifier":"IA","id":"7"},"#,
            r#"[{"qualifier":"IA"},{"qualifier":"IA"},"#,
            "LG-EDI-TOO-MANY",
            "/vendors",
        ),
        (r#","place":{"city":"ROME"}"#, "", "LG-EDI-MISSING", "/parties/0/place"),
        (r#"{"party":{"role":"BY","name":"ACME"},"#, "{", "LG-EDI-MISSING", "/parties/0/party"),
        (r#""quantity":12.50"#, r#""quantity":12.505"#, "LG-EDI-LENGTH", "/lines/0/item/quantity"),
        (r#""quantity":12.50"#, r#""quantity":"12""#, "LG-EDI-VALUE", "/lines/0/item/quantity"),
        (r#""price":19.99"#, r#""price":19.999"#, "LG-EDI-TYPE", "/lines/0/item/price"),
        (r#""price":19.99"#, r#""price":19999.99"#, "LG-EDI-LENGTH", "/lines/0/item/price"),
        (r#"{"type":"EN","#, "{", "LG-EDI-MISSING", "/lines/0/item/codes/2/type"),
        (r#"{"type":"EN","#, r#"{"type":{},"#, "LG-EDI-VALUE", "/lines/0/item/codes/2/type"),
        (r#"null,"#, r#"null,null,"#, "LG-EDI-TOO-MANY", "/lines/0/item/codes"),
        (r#"null,"#, r#"5,"#, "LG-EDI-VALUE", "/lines/0/item/codes/1"),
        (r#""content":{"#, r#""segments":[],"content":{"#, "LG-EDI-VALUE", ""),
        (r#""type":"850""#, r#""type":"855""#, "LG-EDI-MESSAGE", "message"),
    ] {
        assert!(good.contains(wrong), "{wrong}");
        let error = written(&json(&good.replacen(wrong, right, 1)), &order).unwrap_err();
        let place =
            if place == "message" { "/groups/0/messages/0/message".to_owned() } else { format!("{content}{place}") };
        assert_eq!(error.code(), code, "{right}: {error}");
        assert!(error.message().contains(&format!("`{place}`")), "{right}: {error}");
    }
}

#[test]
fn a_segment_belongs_to_the_innermost_loop_that_has_a_place_for_it() {
    let nested = by(r#"{"grammar": "g", "syntax": "edifact", "message": "ORDERS", "version": "D.96A", "content": [
        {"segment": "DTM", "name": "dates", "max": 2, "elements": ["date"]},
        {"name": "buyer", "content": [
            {"segment": "NAD+BY", "name": "party", "elements": [null, "id"]},
            {"segment": "DTM", "name": "date", "elements": ["date"]}]},
        {"name": "others", "max": 9, "content": [
            {"segment": "NAD", "name": "party", "elements": ["role", "id"]},
            {"segment": "DTM", "name": "date", "elements": ["date"]}]},
        {"segment": "UNS", "name": "summary", "min": 1, "elements": ["section"]},
        {"segment": "DTM", "name": "end", "elements": ["date"]}]}"#);
    let content = |segments: &str| {
        let value = read(edifact(segments).as_bytes(), &nested, &Limits::default()).unwrap();
        let again = written(&value, &nested).unwrap();
        assert_eq!(read(again.as_bytes(), &nested, &Limits::default()).unwrap(), value);
        shown(&value).split_once(r#""content":"#).unwrap().1.strip_suffix("}]}").unwrap().to_owned()
    };
    assert_eq!(
        content("DTM+1'DTM+2'NAD+SU+S'DTM+3'NAD+BY+B'DTM+4'NAD+DP+D'UNS+S'DTM+5'"),
        concat!(
            r#"{"dates":[{"date":"1"},{"date":"2"}],"buyer":{"party":{"id":"B"},"date":{"date":"4"}},"#,
            r#""others":[{"party":{"role":"SU","id":"S"},"date":{"date":"3"}},{"party":{"role":"DP","id":"D"}}],"#,
            r#""summary":{"section":"S"},"end":{"date":"5"}}"#
        )
    );
    // What would be read as another item is not written.
    let value = r#"{"others":[{"party":{"role":"BY","id":"C"}}],"summary":{"section":"S"}}"#;
    let frame = shown(&read(edifact("UNS+S'").as_bytes(), &nested, &Limits::default()).unwrap());
    let with = |content: &str| json(&frame.replacen(r#"{"summary":{"section":"S"}}"#, content, 1));
    let error = written(&with(value), &nested).unwrap_err();
    assert_eq!(error.code(), "LG-EDI-UNEXPECTED");
    assert!(error.message().contains("`/messages/0/content/others/0/party`"), "{error}");
    let value = value.replacen(r#"{"others":"#, r#"{"buyer":{"party":{"id":"B"}},"others":"#, 1);
    assert_eq!(written(&with(&value), &nested).unwrap(), edifact("NAD+BY+B'NAD+BY+C'UNS+S'"));
    // A loop that is full leaves its trigger to the next one.
    assert_eq!(
        content("NAD+BY+B'NAD+BY+C'UNS+S'"),
        concat!(
            r#"{"buyer":{"party":{"id":"B"}},"others":[{"party":{"role":"BY","id":"C"}}],"#,
            r#""summary":{"section":"S"}}"#
        )
    );
    let error = refused(edifact("NAD+SU+S'DTM+1'DTM+2'UNS+S'"), &nested);
    assert_eq!(error.0, "LG-EDI-MISSING", "{}", error.2);
}

#[test]
fn hierarchies_nest_by_their_levels() {
    let levels = by(r#"{"grammar": "asn", "syntax": "x12", "message": "850", "content": [
        {"name": "shipments", "max": 9, "content": [
            {"segment": "HL***S", "name": "level", "elements": ["id", "parent", null]},
            {"name": "orders", "max": 9, "content": [
                {"segment": "HL***O", "name": "level", "elements": ["id", "parent", null]},
                {"segment": "REF", "name": "reference", "elements": ["id"]}]}]}]}"#);
    let text = x12("HL*1**S~HL*2*1*O~REF*A~HL*3*1*O~HL*4**S~HL*5*4*O~REF*B~");
    let value = read(text.as_bytes(), &levels, &Limits::default()).unwrap();
    let shown = shown(&value);
    assert!(shown.contains(r#"{"shipments":[{"level":{"id":"1"},"orders":[{"level":{"id":"2","parent":"1"},"reference":{"id":"A"}},{"level":{"id":"3","parent":"1"}}]},{"level":{"id":"4"},"orders":[{"#), "{shown}");
    assert_eq!(written(&value, &levels).unwrap(), text);
    assert_eq!(refused(x12("HL*1**O~"), &levels).0, "LG-EDI-UNEXPECTED");
    assert_eq!(refused(x12("HL*1**S~HL*2*1*P~"), &levels).0, "LG-EDI-UNEXPECTED");
}

#[test]
fn numbers_of_edifact_have_the_mark_of_una() {
    let order = by(r#"{"grammar": "g", "syntax": "edifact", "message": "ORDERS", "content": [
        {"segment": "QTY+21", "name": "ordered", "elements": [
            {"name": "quantity", "required": true, "components": [null, {"name": "value", "kind": "number", "max": 15}, "unit"]}]}]}"#);
    let value = |text: &str| read(text.as_bytes(), &order, &Limits::default());
    let comma = format!("UNA:+,? '{}", edifact("").replace("UNT+2", "QTY+21:12,50:KGM'UNT+3"));
    let read = value(&comma).unwrap();
    assert!(shown(&read).contains(r#"{"ordered":{"quantity":{"value":12.50,"unit":"KGM"}}}"#), "{}", shown(&read));
    assert_eq!(written(&read, &order).unwrap(), comma);
    assert_eq!(value(&comma.replace("12,50", "12.50")).unwrap_err().code(), "LG-EDI-TYPE");
    assert_eq!(value(&format!("UNA:+.? '{}", edifact("QTY+21:12,50'"))).unwrap_err().code(), "LG-EDI-TYPE");
    // Where UNA says nothing, and in version 4, either may stand.
    for either in [edifact("QTY+21:12,50'"), comma.replacen("UNOA:3", "UNOA:4", 1).replace("12,50", "12.50")] {
        assert!(shown(&value(&either).unwrap()).contains(r#""value":12.50"#));
    }
    assert_eq!(written(&value(&edifact("QTY+21:12,50'")).unwrap(), &order).unwrap(), edifact("QTY+21:12.50'"));
    assert_eq!(value(&edifact("QTY+21'")).unwrap().root().get("messages").len(), 1);
    assert_eq!(value(&edifact("QTY+22:1'")).unwrap_err().code(), "LG-EDI-UNEXPECTED");
}
