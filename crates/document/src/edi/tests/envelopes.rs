//! Heads, trailers and what stands between: refusals, then the generic form.

use super::*;

fn is_refused(text: &str, code: &str, part: &str, number: u64) {
    let (found, offset, message) = refused(text, &Dialect::default());
    assert_eq!(found, code, "{text}: {message}");
    assert_eq!(offset, at(text, part), "{text}: {message}");
    if number > 0 {
        assert!(message.starts_with(&format!("segment {number} (")), "{message}");
    }
}

#[test]
fn what_begins_no_interchange_is_refused() {
    for text in ["x", "IS", "IEA*1*000000007~", "UNH+1'", "UN", "\u{feff}ISA", "{\"a\":1}"] {
        let (code, offset, _) = refused(text, &Dialect::default());
        let expected = if matches!(text, "IS" | "UN") { "LG-EDI-END" } else { "LG-EDI-BEGIN" };
        assert_eq!((code.as_str(), offset), (expected, 0), "{text:?}");
    }
    for text in ["UNA:+.? 'UNA:+.? 'UNB", "UNA:+.? 'x"] {
        let (code, offset, _) = refused(text, &Dialect::default());
        assert_eq!((code.as_str(), offset), ("LG-EDI-BEGIN", 9));
    }
    for text in ["", " \r\n"] {
        assert_eq!(read_whole(text).unwrap_err().code(), "LG-EDI-END");
        assert!(records([text.as_bytes()], &Dialect::default()).unwrap().is_empty(), "a stream may be empty");
    }
}

#[test]
fn every_end_that_comes_too_early_is_refused() {
    for text in [x12("BEG*00*NE*1~"), format!("UNA:+.? '{}", edifact("BGM+220+1?'2+9'"))] {
        for end in 1..text.len() {
            let error = read_whole(&text.as_bytes()[..end]).unwrap_err();
            assert_eq!(error.code(), "LG-EDI-END", "cut at {end}: {error}");
        }
        read_whole(&text).unwrap();
    }
}

#[test]
fn delimiters_that_cannot_divide_are_refused() {
    let text = x12("");
    for (place, sign) in [
        (104, '*'),
        (104, '~'),
        (104, 'A'),
        (104, '7'),
        (104, ' '),
        (82, '*'),
        (82, 'U'),
        (82, ':'),
        (105, ':'),
        (105, ' '),
    ] {
        let mut bytes = text.clone().into_bytes();
        bytes[place] = sign as u8;
        assert_eq!(refused(&bytes, &Dialect::default()).0, "LG-EDI-DELIMITERS", "{sign} at {place}");
    }
    // Widths: one more, one less, and a delimiter as data.
    for text in
        [text.replacen("BUYER ", "BUYER", 1), text.replacen("BUYER", "BUYER ", 1), text.replacen("BUYER ", "BUY^ER", 1)]
    {
        assert_eq!(refused(&text, &Dialect::default()).0, "LG-EDI-DELIMITERS", "{text}");
    }
    for advice in ["UNA::.? '", "UNA:+.+ '", "UNA:+.? +", "UNA:+A? '", "UNA: .? '", "UNA:+;? '", "UNAé+.?'"] {
        assert_eq!(refused(format!("{advice}{}", edifact("")), &Dialect::default()).0, "LG-EDI-DELIMITERS", "{advice}");
    }
    // The fifth place counts from version 4 on.
    let text = format!("UNA:+.?+'{}", edifact(""));
    read_whole(&text).unwrap();
    assert_eq!(refused(text.replace("UNOA:3", "UNOA:4"), &Dialect::default()).0, "LG-EDI-DELIMITERS");
}

#[test]
fn a_syntax_that_nobody_knows_is_refused() {
    for known in ["UNOX:3", "UNOZ:3", "unoa:3", "UNOA", "UNOA:", "UNOA:0", "UNOA:5", "UNOA:33", "KECA:3", ""] {
        let text = edifact("").replacen("UNOA:3", known, 1);
        is_refused(&text, "LG-EDI-SYNTAX", "UNB", 0);
    }
}

#[test]
fn what_is_no_segment_is_refused() {
    for wrong in ["*A~", "A*1~", "ABCD*1~", "ref*1~", "1AB*1~", "R F*1~", "REF:1~", "~", "é*1~"] {
        let text = x12(&format!("BEG*00~{wrong}"));
        let (code, _, message) = refused(&text, &Dialect::default());
        assert_eq!(code, "LG-EDI-TAG", "{wrong}");
        assert!(message.starts_with("segment 5: "), "{message}");
    }
    for wrong in ["BGM:1+2'", "SG1:1:2+A'", "B'", "'", "?BGM+1'"] {
        assert_eq!(refused(edifact(wrong), &Dialect::default()).0, "LG-EDI-TAG", "{wrong}");
    }
    is_refused(&x12("BIN*3*~~~~"), "LG-EDI-BINARY", "BIN", 0);
    is_refused(&edifact("UNO+1'"), "LG-EDI-BINARY", "UNO+1", 0);
}

#[test]
fn what_stands_in_the_wrong_envelope_is_refused() {
    let x = x12("BEG*00~");
    let e = edifact("BGM+220'");
    for (text, part, number) in [
        (x.replacen(GS, "", 1), "ST*", 2),
        (x.replacen("ST*850*0001~", "", 1), "BEG*", 3),
        (x.replacen("SE*3*0001~", "", 1), "GE*", 5),
        (x.replacen("GE*1*7~", "", 1), "IEA", 6),
        (x.replacen("BEG*00~", "ST*850*0002~", 1), "ST*850*0002", 4),
        (x.replacen("BEG*00~", GS, 1), "GS*", 4),
        (x.replacen("ST*850", "GE*0*7~GE*0*7~ST*850", 1), "GE*0*7~ST", 4),
        (x.replacen("IEA*1", "BEG*00~IEA*1", 1), "BEG*00~IEA", 7),
        (x.replacen("ST*850", "TA1*1~ST*850", 1), "TA1", 3),
        (x.replacen("BEG*00", "TA1*1", 1), "TA1", 4),
        (x.replacen("IEA*1", "TA1*1~IEA*1", 1), "TA1", 7),
        (
            x.replacen("BEG*00~", ISA, 1),
            "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *261122*1305*^*00501*000000007*0*P*:~SE",
            4,
        ),
        (e.replacen("UNH+1", "BGM+220'UNH+1", 1), "BGM", 2),
        (e.replacen("UNH+1", "UNG+1'UNH+1", 1), "UNG", 2),
        (e.replacen("UNZ+1", "UNG+ORDERS++++5'UNE+0+5'UNZ+1", 1), "UNG", 5),
        (e.replacen("UNH+1", "UNG+ORDERS++++5'UNE+0+5'UNH+1", 1), "UNH", 4),
        (e.replacen("UNT+3+1'", "", 1), "UNZ", 4),
        (e.replacen("BGM+220'", UNB, 1), "UNB+UNOA:3+BUYER:14+SELLER:14+261122:1305+77'UNT", 3),
        (e.replacen("UNZ+1", "UNE+1+1'UNZ+1", 1), "UNE", 5),
    ] {
        let (code, offset, message) = refused(&text, &Dialect::default());
        let place = if part == "GS*" { text.rfind(GS).unwrap() as u64 } else { at(&text, part) };
        let expected = if part == "UNG" && number == 2 { "LG-EDI-MISSING" } else { "LG-EDI-ENVELOPE" };
        assert_eq!((code.as_str(), offset), (expected, place), "{text}: {message}");
        assert!(message.starts_with(&format!("segment {number} (")), "{message}");
    }
    // Trailers of nothing begin no interchange.
    let (code, offset, _) = refused(format!("{x}GE*1*7~"), &Dialect::default());
    assert_eq!((code.as_str(), offset), ("LG-EDI-BEGIN", x.len() as u64));
}

#[test]
fn counts_and_control_numbers_are_checked() {
    let x = x12("BEG*00~");
    let grouped = edifact("BGM+220'").replacen("UNH", "UNG+ORDERS+B+S+261122:1305+5+UN+D:96A'UNH", 1).replacen(
        "UNZ",
        "UNE+1+5'UNZ",
        1,
    );
    read_whole(&grouped).unwrap();
    let e = edifact("BGM+220'");
    for (text, wrong, part, number) in [
        (&x, "SE*3*0001", "SE*2*0001", 5),
        (&x, "SE*3*0001", "SE*4*0001", 5),
        (&x, "SE*3*0001", "SE**0001", 5),
        (&x, "SE*3*0001", "SE*x*0001", 5),
        (&x, "SE*3*0001", "SE*+3*0001", 5),
        (&x, "SE*3*0001", "SE*99999999999999999999*0001", 5),
        (&x, "GE*1*7", "GE*2*7", 6),
        (&x, "IEA*1*0", "IEA*0*0", 7),
        (&e, "UNT+3+1", "UNT+2+1", 4),
        (&e, "UNZ+1+77", "UNZ+2+77", 5),
        (&grouped, "UNE+1+5", "UNE+2+5", 6),
        (&grouped, "UNZ+1+77", "UNZ+0+77", 7),
    ] {
        is_refused(&text.replacen(wrong, part, 1), "LG-EDI-COUNT", part, number);
    }
    for (text, wrong, part, number) in [
        (&x, "SE*3*0001", "SE*3*0002", 5),
        (&x, "SE*3*0001", "SE*3*1", 5),
        (&x, "SE*3*0001", "SE*3", 5),
        (&x, "GE*1*7", "GE*1*8", 6),
        (&x, "IEA*1*000000007", "IEA*1*000000008", 7),
        (&e, "UNT+3+1", "UNT+3+2", 4),
        (&e, "UNZ+1+77", "UNZ+1+78", 5),
        (&grouped, "UNE+1+5", "UNE+1+6", 6),
    ] {
        is_refused(&text.replacen(wrong, part, 1), "LG-EDI-CONTROL", part, number);
    }
    is_refused(&x.replacen("SE*3*0001", "SE*3*0001*5", 1), "LG-EDI-ELEMENT", "SE*", 5);
    // Zeros before a count say nothing else.
    read_whole(x.replacen("SE*3*", "SE*0003*", 1)).unwrap();
}

#[test]
fn heads_are_held_to_their_rules() {
    let (x, e) = (x12(""), edifact(""));
    for (text, wrong, part, code, number) in [
        (&x, "000000007*0", "7        *0", "LG-EDI-LENGTH", 1),
        (&x, "GS*PO", "GS*P", "LG-EDI-LENGTH", 2),
        (&x, "*X*005010~", "*X*005010*1~", "LG-EDI-ELEMENT", 2),
        (&x, "ST*850*0001", "ST*850*", "LG-EDI-MISSING", 3),
        (&x, "ST*850*0001", "ST**0001", "LG-EDI-MISSING", 3),
        (&x, "ST*850*0001", "ST*850:1*0001", "LG-EDI-ELEMENT", 3),
        (&e, "+77'", "'", "LG-EDI-MISSING", 1),
        (&e, "BUYER:14", ":14", "LG-EDI-MISSING", 1),
        (&e, "UNH+1+", "UNH++", "LG-EDI-MISSING", 2),
        (&e, "ORDERS:D:96A:UN", "ORDERS:D", "LG-EDI-MISSING", 2),
        (&e, "ORDERS:D:96A:UN", "ORDERS:D:96A:UN:EAN008:::9", "LG-EDI-ELEMENT", 2),
    ] {
        let text = text.replacen(wrong, part, 1);
        let (found, _, message) = refused(&text, &Dialect::default());
        assert_eq!(found, code, "{text}: {message}");
        assert!(message.starts_with(&format!("segment {number} (")), "{message}");
    }
    let blank = x.replacen("*BUYER          *", "*               *", 1);
    is_refused(&blank, "LG-EDI-MISSING", "ISA", 1);
}

#[test]
fn characters_outside_of_the_repertoire_are_refused() {
    for (identifier, bytes) in [
        ("UNOA:3", &b"FTX+Abc'"[..]),
        ("UNOA:3", b"FTX+A#B'"),
        ("UNOA:3", b"FTX+A_B'"),
        ("UNOB:3", b"FTX+a@b'"),
        ("UNOB:3", b"FTX+a\xe9b'"),
        ("UNOB:4", b"FTX+a\tb'"),
        ("UNOC:3", b"FTX+a\x80b'"),
        ("UNOC:3", b"FTX+a\x9fb'"),
        ("UNOC:3", b"FTX+a\nb'"),
        ("UNOC:3", b"FTX+a\x7fb'"),
        ("UNOF:3", b"FTX+a\xaeb'"),
        ("UNOY:4", b"FTX+a\xe9b'"),
        ("UNOY:4", b"FTX+a\xc2\x85b'"),
    ] {
        let text = edifact("FTX+!'").replacen("UNOA:3", identifier, 1);
        let (before, after) = text.split_at(at(&text, "FTX") as usize);
        let mut all = before.as_bytes().to_vec();
        all.extend_from_slice(bytes);
        all.extend_from_slice(&after.as_bytes()["FTX+!'".len()..]);
        let (code, offset, message) = refused(&all, &Dialect::default());
        assert_eq!((code.as_str(), offset), ("LG-CHARSET", before.len() as u64 + 5), "{identifier} {bytes:?}");
        assert!(message.starts_with("segment 3: these bytes are no text in "), "{message}");
    }
    assert_eq!(refused(x12("REF*1*é~"), &Dialect::default()).0, "LG-CHARSET");
    assert_eq!(refused(x12("REF*1*a\tb~"), &Dialect::default()).0, "LG-CHARSET");
}

#[test]
fn character_sets_are_those_that_unb_names() {
    for (identifier, bytes, text) in [
        ("UNOA:1", &b"A!\"%&*;<>"[..], "A!\"%&*;<>"),
        ("UNOA:4", b"A_B", "A_B"),
        ("UNOB:2", b"Ab", "Ab"),
        ("UNOC:3", b"\xe9\xa0", "é\u{a0}"),
        ("UNOD:3", b"\xb1", "ą"),
        ("UNOE:3", b"\xb6", "Ж"),
        ("UNOF:3", b"\xe1", "α"),
        ("UNOK:4", b"\xd0", "Ğ"),
        ("UNOY:4", "中😀".as_bytes(), "中😀"),
    ] {
        let whole = edifact("FTX+!'").replacen("UNOA:3", identifier, 1);
        let place = at(&whole, "!'") as usize;
        let mut all = whole.as_bytes()[..place].to_vec();
        all.extend_from_slice(bytes);
        all.extend_from_slice(&whole.as_bytes()[place + 1..]);
        let value = read_whole(&all).unwrap();
        let element = value.root().get("messages").at(0).get("segments").at(0).get("elements").at(0);
        assert_eq!(element.as_str(), Some(text), "{identifier}");
        let mut out = Vec::new();
        write(value.root(), &Dialect::default(), &mut out).unwrap();
        assert_eq!(out, all, "{identifier}");
    }
    let latin = Dialect { characters: crate::edi::Characters::Latin1, ..Dialect::default() };
    let bytes: Vec<u8> = x12("REF*1*é~").chars().map(|sign| sign as u8).collect();
    let value = read(&bytes, &latin, &Limits::default()).unwrap();
    assert!(shown(&value).contains("é"));
    let mut out = Vec::new();
    write(value.root(), &latin, &mut out).unwrap();
    assert_eq!(out, bytes);
    let wide = Dialect { characters: crate::edi::Characters::Utf8, ..Dialect::default() };
    let text = x12("REF*1*中~");
    assert_eq!(written(&read(text.as_bytes(), &wide, &Limits::default()).unwrap(), &wide).unwrap(), text);
}

fn segments(text: &str) -> String {
    let value = read_whole(text).unwrap();
    let messages = match value.root().get("groups").at(0) {
        none if none.is_undefined() => value.root().get("messages"),
        group => group.get("messages"),
    };
    let mut builder = crate::Builder::new(&Limits::default());
    builder.value(messages.at(0).get("segments")).unwrap();
    shown(&builder.finish().unwrap())
}

#[test]
fn elements_are_texts_and_arrays() {
    assert_eq!(
        segments(&x12("REF*A*~REF*A**~REF*~REF**B~SV1*HC:1::2*^a^b:c*x::^~")),
        concat!(
            r#"[{"tag":"REF","elements":["A"]},{"tag":"REF","elements":["A"]},{"tag":"REF","elements":[]},"#,
            r#"{"tag":"REF","elements":["","B"]},"#,
            r#"{"tag":"SV1","elements":[["HC","1","","2"],[[""],["a"],["b","c"]],"x"]}]"#
        )
    );
    assert_eq!(segments(&edifact("FTX+A?+B??:C?:?'++X*Y'")), r#"[{"tag":"FTX","elements":[["A+B?","C:'"],"","X*Y"]}]"#);
    let four = edifact("FTX+a*b?*c:d'").replacen("UNOA:3", "UNOB:4", 1);
    assert_eq!(segments(&four), r#"[{"tag":"FTX","elements":[[["a"],["b*c","d"]]]}]"#);
    // Blanks at the ends of data are data.
    assert_eq!(segments(&x12("REF* A *  ~")), r#"[{"tag":"REF","elements":[" A ","  "]}]"#);
}

#[test]
fn delimiters_are_those_of_the_head() {
    let other = x12("REF*A:B^C~").replace('*', "|").replace(':', ">").replace('^', "!").replace('~', "\n");
    assert_eq!(segments(&other), segments(&x12("REF*A:B^C~")));
    let old = x12("REF*A^B~").replacen("*^*00501", "*U*00401", 1);
    assert_eq!(segments(&old), r#"[{"tag":"REF","elements":["A^B"]}]"#);
    assert!(shown(&read_whole(&old).unwrap()).contains(r#""standard":"U","version":"00401""#));
    // Level B of 1988 without UNA.
    let level_b = edifact("FTX+A?:B'")
        .replacen("UNOA:3", "UNOB:1", 1)
        .replace('+', "\x1d")
        .replace(':', "\x1f")
        .replace('\'', "\x1c");
    assert_eq!(segments(&level_b), "[{\"tag\":\"FTX\",\"elements\":[[\"A?\",\"B\"]]}]");
    let advised = format!("UNA|;,! ~{}", edifact("FTX+A!+B:C'").replace('+', ";").replace(':', "|").replace('\'', "~"));
    assert_eq!(segments(&advised), r#"[{"tag":"FTX","elements":[["A;B","C"]]}]"#);
    assert!(shown(&read_whole(&advised).unwrap()).contains(r#""decimal":",""#));
    for text in [other, old, level_b, advised] {
        let value = read_whole(&text).unwrap();
        let again = written(&value, &Dialect::default()).unwrap();
        assert_eq!(read_whole(&again).unwrap(), value);
        assert!(again.ends_with(&text) || text.contains('\x1d') && again.starts_with("UNA\x1f\x1d."), "{again}");
    }
}

#[test]
fn blanks_between_segments_are_passed_over() {
    for (text, end) in [(x12("REF*A~"), "~"), (edifact("FTX+A'"), "'")] {
        let spread = format!("\n {}", text.replace(end, &format!("{end} \r\n\t\n")));
        assert_eq!(segments(&spread), segments(&text));
    }
    let advised = format!("UNA:+.? '\r\n{}", edifact("FTX+A'"));
    assert_eq!(segments(&advised), segments(&edifact("FTX+A'")));
}

#[test]
fn an_interchange_as_a_value() {
    assert_eq!(
        shown(&read_whole(x12("BEG*00~")).unwrap()),
        concat!(
            r#"{"interchange":{"format":"x12","delimiters":{"element":"*","component":":","repetition":"^","segment":"~"},"#,
            r#""authorization_qualifier":"00","security_qualifier":"00","sender_qualifier":"ZZ","sender":"BUYER","#,
            r#""receiver_qualifier":"ZZ","receiver":"SELLER","date":"261122","time":"1305","version":"00501","#,
            r#""control":"000000007","acknowledgment":"0","usage":"P"},"groups":[{"group":{"functional_id":"PO","#,
            r#""sender":"BUYER","receiver":"SELLER","date":"20261122","time":"1305","control":"7","agency":"X","#,
            r#""version":"005010"},"messages":[{"message":{"type":"850","control":"0001"},"#,
            r#""segments":[{"tag":"BEG","elements":["00"]}]}]}]}"#
        )
    );
    assert_eq!(
        shown(&read_whole(edifact("")).unwrap()),
        concat!(
            r#"{"interchange":{"format":"edifact","delimiters":{"element":"+","component":":","segment":"'","release":"?","#,
            r#""decimal":"."},"syntax":{"id":"UNOA","version":"3"},"sender":{"id":"BUYER","qualifier":"14"},"#,
            r#""receiver":{"id":"SELLER","qualifier":"14"},"prepared":{"date":"261122","time":"1305"},"control":"77"},"#,
            r#""messages":[{"message":{"control":"1","type":{"id":"ORDERS","version":"D","release":"96A","agency":"UN"}},"#,
            r#""segments":[]}]}"#
        )
    );
    let empty = format!("{ISA}IEA*0*000000007~");
    assert!(shown(&read_whole(&empty).unwrap()).ends_with(r#""groups":[]}"#));
    let empty = format!("{UNB}UNZ+0+77'");
    assert!(shown(&read_whole(&empty).unwrap()).ends_with(r#""messages":[]}"#));
}

#[test]
fn acknowledgements_stand_in_the_head() {
    let text = format!("{ISA}TA1*000000006*261121*1200*A*000~IEA*0*000000007~");
    let value = read_whole(&text).unwrap();
    assert!(
        shown(&value)
            .contains(r#""notices":[{"tag":"TA1","elements":["000000006","261121","1200","A","000"]}]},"groups":[]"#)
    );
    assert_eq!(written(&value, &Dialect::default()).unwrap(), text);
    let both = x12("").replacen("GS*", "TA1*1~GS*", 1);
    assert_eq!(written(&read_whole(&both).unwrap(), &Dialect::default()).unwrap(), both);
}

#[test]
fn no_error_shows_data() {
    let secret = "CANARY";
    for text in [
        x12(&format!("REF*{secret}~bad*{secret}~")),
        x12(&format!("REF*{secret}\u{7f}~")),
        x12("").replacen("SE*2*0001", &format!("SE*{secret}*{secret}"), 1),
        x12("").replacen("SE*2*0001", &format!("SE*2*{secret}"), 1),
        edifact(&format!("FTX+{secret}'")).replacen("UNOA:3", secret, 1),
    ] {
        let error = read_whole(&text).unwrap_err();
        assert!(!error.to_string().contains(secret) && !format!("{error:?}").contains(secret), "{error}");
    }
}
