//! Interchanges out of values without a grammar.

use super::*;

#[test]
fn values_that_are_no_interchange_are_refused_with_their_place() {
    let x = shown(&read_whole(x12("REF*A*B~")).unwrap());
    let e = shown(&read_whole(edifact("FTX+A'")).unwrap());
    for (good, wrong, right, code, place) in [
        (&x, r#""format":"x12","#, "", "LG-EDI-VALUE", "/interchange/format"),
        (&x, r#""format":"x12","#, r#""format":"tradacoms","#, "LG-EDI-VALUE", "/interchange/format"),
        (&x, r#""format":"x12","#, r#""format":"x12","extra":1,"#, "LG-EDI-VALUE", "/interchange"),
        (
            &x,
            r#""segment":"~"}"#,
            r#""segment":"~","decimal":"."}"#,
            "LG-EDI-DELIMITERS",
            "/interchange/delimiters/decimal",
        ),
        (
            &x,
            r#""segment":"~"}"#,
            r#""segment":"~","release":"?"}"#,
            "LG-EDI-DELIMITERS",
            "/interchange/delimiters/release",
        ),
        (&x, r#""segment":"~"}"#, r#""segment":"*"}"#, "LG-EDI-DELIMITERS", "/interchange/delimiters"),
        (&x, r#""segment":"~"}"#, r#""segment":"A"}"#, "LG-EDI-DELIMITERS", "/interchange/delimiters"),
        (&x, r#""segment":"~"}"#, r#""segment":"~~"}"#, "LG-EDI-DELIMITERS", "/interchange/delimiters/segment"),
        (&x, r#","segment":"~"}"#, "}", "LG-EDI-DELIMITERS", "/interchange/delimiters/segment"),
        (&x, r#""repetition":"^","#, "", "LG-EDI-DELIMITERS", "/interchange/delimiters/repetition"),
        (&x, r#""control":"000000007""#, r#""control":"7""#, "LG-EDI-LENGTH", "/interchange/control"),
        (&x, r#""control":"000000007""#, r#""control":7"#, "LG-EDI-VALUE", "/interchange/control"),
        (&x, r#""control":"000000007","#, "", "LG-EDI-MISSING", "/interchange/control"),
        (&x, r#""sender":"BUYER""#, r#""sender":"BUY*R""#, "LG-EDI-RESERVED", "/interchange"),
        (&x, r#""sender":"BUYER""#, r#""sender":"BÜYER""#, "LG-EDI-RESERVED", "/interchange"),
        (&x, r#""sender":"BUYER""#, r#""sender":"ABCDEFGHIJKLMNOP""#, "LG-EDI-LENGTH", "/interchange/sender"),
        (&x, r#""version":"00501""#, r#""version":"00401""#, "LG-EDI-MISSING", "/interchange/standard"),
        (&x, r#""version":"00501""#, r#""version":"00501","standard":"U""#, "LG-EDI-VALUE", "/interchange/standard"),
        (
            &x,
            r#""usage":"P""#,
            r#""usage":"P","notices":[{"tag":"REF","elements":[]}]"#,
            "LG-EDI-ENVELOPE",
            "/interchange/notices/0/tag",
        ),
        (&x, r#""groups":"#, r#""messages":[],"groups":"#, "LG-EDI-VALUE", "/"),
        (&x, r#""groups":["#, r#""groups":null,"messages":["#, "LG-EDI-VALUE", "/messages/0"),
        (&x, r#""functional_id":"PO","#, "", "LG-EDI-MISSING", "/groups/0/group/functional_id"),
        (&x, r#""message":{"type":"850","control":"0001"},"#, "", "LG-EDI-VALUE", "/groups/0/messages/0/message"),
        (&x, r#""segments":["#, r#""content":["#, "LG-EDI-VALUE", "/groups/0/messages/0/segments"),
        (&x, r#""tag":"REF""#, r#""tag":"ref""#, "LG-EDI-TAG", "/groups/0/messages/0/segments/0/tag"),
        (&x, r#""tag":"REF""#, r#""tag":"R~F""#, "LG-EDI-TAG", "/groups/0/messages/0/segments/0/tag"),
        (&x, r#""tag":"REF""#, r#""tag":"SE""#, "LG-EDI-ENVELOPE", "/groups/0/messages/0/segments/0/tag"),
        (&x, r#""tag":"REF""#, r#""tag":"TA1""#, "LG-EDI-ENVELOPE", "/groups/0/messages/0/segments/0/tag"),
        (&x, r#""tag":"REF""#, r#""tag":"BIN""#, "LG-EDI-BINARY", "/groups/0/messages/0/segments/0/tag"),
        (&x, r#"["A","B"]"#, r#"["A","B*"]"#, "LG-EDI-RESERVED", "/groups/0/messages/0/segments/0"),
        (&x, r#"["A","B"]"#, r#"["A","B:"]"#, "LG-EDI-RESERVED", "/groups/0/messages/0/segments/0"),
        (&x, r#"["A","B"]"#, r#"["A","B^"]"#, "LG-EDI-RESERVED", "/groups/0/messages/0/segments/0"),
        (&x, r#"["A","B"]"#, r#"["A","B~"]"#, "LG-EDI-RESERVED", "/groups/0/messages/0/segments/0"),
        (&x, r#"["A","B"]"#, r#"["A",5]"#, "LG-EDI-VALUE", "/groups/0/messages/0/segments/0/elements/1"),
        (&x, r#"["A","B"]"#, r#"["A",["a",["b"]]]"#, "LG-EDI-VALUE", "/groups/0/messages/0/segments/0/elements/1/1"),
        (&x, r#"["A","B"]"#, r#"["A",[["a"],"b"]]"#, "LG-EDI-VALUE", "/groups/0/messages/0/segments/0/elements/1/1"),
        (&x, r#"["A","B"]"#, r#""A""#, "LG-EDI-VALUE", "/groups/0/messages/0/segments/0/elements"),
        (&e, r#""version":"3""#, r#""version":"5""#, "LG-EDI-SYNTAX", "/interchange/syntax"),
        (&e, r#""id":"UNOA""#, r#""id":"UNOX""#, "LG-EDI-SYNTAX", "/interchange/syntax"),
        (&e, r#""decimal":".""#, r#""decimal":";""#, "LG-EDI-DELIMITERS", "/interchange/delimiters"),
        (
            &e,
            r#""element":"+","#,
            r#""element":"+","repetition":"*","#,
            "LG-EDI-DELIMITERS",
            "/interchange/delimiters/repetition",
        ),
        (&e, r#"["A"]"#, r#"["a"]"#, "LG-CHARSET", "/messages/0/segments/0"),
        (&e, r#"["A"]"#, r#"[[["A"],["B"]]]"#, "LG-EDI-TOO-MANY", "/messages/0/segments/0/elements/0"),
        (&e, r#""release":"?","#, "", "", ""),
    ] {
        assert!(good.contains(wrong), "{wrong}");
        let result = written(&json(&good.replacen(wrong, right, 1)), &Dialect::default());
        if code.is_empty() {
            assert!(result.unwrap().starts_with("UNA:+.  'UNB"));
            continue;
        }
        let error = result.unwrap_err();
        assert_eq!((error.code(), error.offset()), (code, 0), "{right}: {error}");
        assert!(error.message().contains(&format!("`{place}`")), "{right}: {error}");
    }
    for text in ["1", "{}", "[]", r#"{"interchange":{"format":"x12"},"groups":[]}"#] {
        assert!(written(&json(text), &Dialect::default()).is_err(), "{text}");
    }
    // Without a release character nothing can be released.
    let none = e.replacen(r#""release":"?","#, "", 1).replacen(r#"["A"]"#, r#"["A+"]"#, 1);
    assert_eq!(written(&json(&none), &Dialect::default()).unwrap_err().code(), "LG-EDI-RESERVED");
}

#[test]
fn no_error_of_writing_shows_data() {
    let good = shown(&read_whole(x12("REF*CANARY~")).unwrap());
    for (wrong, right) in
        [("CANARY", "CANARY*"), (r#""tag":"REF""#, r#""tag":"CANARY""#), (r#""tag":"REF""#, r#""CANARY":"REF""#)]
    {
        let error = written(&json(&good.replacen(wrong, right, 1)), &Dialect::default()).unwrap_err();
        assert!(!error.to_string().contains("CANARY"), "{error}");
    }
}

#[test]
fn counts_are_computed_and_data_is_released() {
    let value = json(&shown(&read_whole(edifact("FTX+A'")).unwrap()).replacen(
        r#"["A"]"#,
        r#"["A+B:C'D?","",["?","*"],null]"#,
        1,
    ));
    let text = written(&value, &Dialect::default()).unwrap();
    assert_eq!(text, edifact("FTX+A?+B?:C?'D??++??:*'"));
    let four = json(
        &shown(&read_whole(edifact("FTX+A'").replacen("UNOA:3", "UNOA:4", 1)).unwrap())
            .replacen(r#"["A"]"#, r#"[[["*","B"],null,["C"]]]"#, 1)
            .replacen("null", "[null]", 1),
    );
    assert_eq!(written(&four, &Dialect::default()).unwrap(), edifact("FTX+?*:B**C'").replacen("UNOA:3", "UNOA:4", 1));
    let lines = Dialect { lines: true, advice: true, ..Dialect::default() };
    assert_eq!(
        written(&read_whole(edifact("FTX+A'")).unwrap(), &lines).unwrap(),
        format!("UNA:+.? '{}", edifact("FTX+A'")).replace('\'', "'\n")
    );
    let value = read_whole(x12("REF*A~")).unwrap();
    assert_eq!(written(&value, &lines).unwrap(), x12("REF*A~").replace('~', "~\n"));
    assert_eq!(read_whole(written(&value, &lines).unwrap()).unwrap(), value);
}

#[test]
fn heads_without_delimiters_have_the_usual_ones() {
    let value = shown(&read_whole(x12("REF*A~")).unwrap());
    let without =
        value.replacen(r#""delimiters":{"element":"*","component":":","repetition":"^","segment":"~"},"#, "", 1);
    assert_ne!(without, value);
    assert_eq!(written(&json(&without), &Dialect::default()).unwrap(), x12("REF*A~"));
    let old = without.replacen(r#""version":"00501""#, r#""version":"00401","standard":"U""#, 1);
    assert_eq!(written(&json(&old), &Dialect::default()).unwrap(), x12("REF*A~").replacen("*^*00501", "*U*00401", 1));
}
