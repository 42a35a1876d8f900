//! Group *strings*.

use super::*;

#[test]
fn string_functions_refuse_other_kinds() {
    let mut b = Bench::new();
    let text = b.json("\"a\"");
    for other in ["1", "null", "[\"a\"]", "{}", "true"] {
        let h = b.json(other);
        assert_eq!(code(b.arena.length(h)), "T0410");
        assert_eq!(code(b.arena.substring(h, 0.0, 1.0)), "T0410");
        assert_eq!(code(b.arena.upper(h)), "T0410");
        assert_eq!(code(b.arena.lower(h)), "T0410");
        assert_eq!(code(b.arena.trim(h)), "T0410");
        assert_eq!(code(b.arena.contains(h, text)), "T0410");
        assert_eq!(code(b.arena.contains(text, h)), "T0410");
        assert_eq!(code(b.arena.split(h, text, f64::NAN)), "T0410");
        assert_eq!(code(b.arena.split(text, h, f64::NAN)), "T0410");
        assert_eq!(code(b.arena.join(text, h)), "T0410");
    }
    assert_eq!(code(b.arena.split(text, text, -1.0)), "D3020");
    for list in ["1", "[1]", "[\"a\",1]", "[\"a\",null]", "{}"] {
        let h = b.json(list);
        assert_eq!(code(b.arena.join(h, Handle::UNDEFINED)), "T0412", "{list}");
    }
}

#[test]
fn undefined_passes_through() {
    let mut b = Bench::new();
    let (none, text) = (Handle::UNDEFINED, b.json("\"a\""));
    assert_eq!(b.arena.substring(none, 0.0, 1.0), Ok(none));
    assert_eq!(b.arena.upper(none), Ok(none));
    assert_eq!(b.arena.trim(none), Ok(none));
    assert_eq!(b.arena.split(none, text, f64::NAN), Ok(none));
    assert_eq!(b.arena.join(none, text), Ok(none));
    assert_eq!(b.arena.to_string(none, 0), Ok(none));
    assert_eq!(b.arena.contains(none, text), Ok(false));
    assert_eq!(b.arena.contains(text, none), Ok(false));
    assert!(b.arena.length(none).unwrap().is_nan());
    assert!(b.arena.to_number(none).unwrap().is_nan());
}

#[test]
fn concatenation_takes_everything() {
    let mut b = Bench::new();
    for (x, y, expected) in [
        ("undefined", "undefined", ""),
        ("\"a\"", "undefined", "a"),
        ("undefined", "\"b\"", "b"),
        ("undefined", "5", "5"),
        ("\"a\"", "\"b\"", "ab"),
        ("1", "2", "12"),
        ("1.50", "true", "1.5true"),
        ("null", "\"é\"", "nullé"),
        ("\"\\n\"", "\"\\\"\"", "\n\""),
        ("[1,{\"a\":\"x\"}]", "\"!\"", "[1,{\"a\":\"x\"}]!"),
        ("12345678901234567890", "1e2", "12345678901234567890100"),
    ] {
        let (x_h, y_h) = (b.json(x), b.json(y));
        let result = b.arena.concat(x_h, y_h);
        assert_eq!(b.shown(result), serde_json::to_string(expected).unwrap(), "{x} & {y}");
    }
    let function = b.function(1);
    let text = b.json("\"a\"");
    let result = b.arena.concat(function, text);
    assert_eq!(b.shown(result), "\"a\"");
}

#[test]
fn growing_a_string_writes_each_piece_once() {
    let mut b = Bench::new();
    let scratch = b.arena.open_region(b.arena.input_region()).unwrap();
    let piece = b.json("\"0123456789\"");
    b.arena.enter(scratch);
    let mut text = piece;
    let mut all = Vec::new();
    for _ in 0..10_000 {
        text = b.arena.concat(text, piece).unwrap();
        all.push(text);
    }
    assert_eq!(b.arena.length(text), Ok(100_010.0));
    assert!(b.arena.bytes_used() < 1 << 20);
    // Shorter ones are still what they were, also when another continues them.
    let branch = b.arena.concat(all[0], all[1]).unwrap();
    assert_eq!(b.show(branch), format!("\"{}\"", "0123456789".repeat(5)));
    assert_eq!(b.show(all[1]), format!("\"{}\"", "0123456789".repeat(3)));
}

#[test]
fn values_as_strings() {
    let mut b = Bench::new();
    for (input, compact, pretty) in [
        ("\"x\"", "x", "x"),
        ("5", "5", "5"),
        ("1.10", "1.1", "1.1"),
        ("-0", "0", "0"),
        ("true", "true", "true"),
        ("null", "null", "null"),
        ("[]", "[]", "[]"),
        ("{}", "{}", "{}"),
        (r#"[1.10,1e1,"a\n"]"#, r#"[1.1,10,"a\n"]"#, "[\n  1.1,\n  10,\n  \"a\\n\"\n]"),
        (
            r#"{"a":{"b":[]},"c":[null]}"#,
            r#"{"a":{"b":[]},"c":[null]}"#,
            "{\n  \"a\": {\n    \"b\": []\n  },\n  \"c\": [\n    null\n  ]\n}",
        ),
    ] {
        let h = b.json(input);
        for (flag, expected) in [(0, compact), (1, pretty)] {
            let result = b.arena.to_string(h, flag);
            assert_eq!(b.shown(result), serde_json::to_string(expected).unwrap(), "{input}");
        }
    }
    let (function, list) = (b.function(1), b.arena.arr_new(0).unwrap());
    b.arena.arr_push(list, function).unwrap();
    let computed = b.arena.new_num(0.1 + 0.2).unwrap();
    b.arena.arr_push(list, computed).unwrap();
    let result = b.arena.to_string(list, 0);
    assert_eq!(b.shown(result), r#""[\"\",0.3]""#);
    assert_eq!(b.show(list), r#"["",0.30000000000000004]"#);
    let (infinite, inside) = (b.json("1e400"), b.json("[1e400]"));
    assert_eq!(code(b.arena.to_string(infinite, 0)), "D3001");
    assert_eq!(code(b.arena.to_string(inside, 0)), "D1001");
}

#[test]
fn strings_as_numbers() {
    let mut b = Bench::new();
    for text in [
        "", " 1", "1 ", "+1", "1.", ".5", "1e", "e5", "--1", "0x", "0xg", "0b2", "0o8", "1,5", "Infinity", "NaN",
        "1e400", "0x1.8", "-0x10", "é1", "1e5.0",
    ] {
        let h = b.arena.new_text(text).unwrap();
        assert_eq!(code(b.arena.to_number(h)), "D3030", "{text:?}");
    }
    for other in ["null", "[1]", "{}"] {
        let h = b.json(other);
        assert_eq!(code(b.arena.to_number(h)), "T0410");
    }
    for (text, number) in [
        ("1", 1.0),
        ("-1.5", -1.5),
        ("007", 7.0),
        ("1e3", 1000.0),
        ("1E-3", 0.001),
        ("1e+3", 1000.0),
        ("-0", 0.0),
        ("0x12", 18.0),
        ("0XfF", 255.0),
        ("0o17", 15.0),
        ("0O7", 7.0),
        ("0b101", 5.0),
        ("0B1", 1.0),
        ("0x20000000000001", 9_007_199_254_740_992.0),
        ("0x20000000000003", 9_007_199_254_740_996.0),
        ("0.1", 0.1),
        ("1e-400", 0.0),
    ] {
        let h = b.arena.new_text(text).unwrap();
        assert_eq!(b.arena.to_number(h), Ok(number), "{text}");
    }
    for (input, number) in [("true", 1.0), ("false", 0.0), ("2.5", 2.5)] {
        let h = b.json(input);
        assert_eq!(b.arena.to_number(h), Ok(number));
    }
}

#[test]
fn a_trace_of_low_digits_decides_the_rounding() {
    let mut b = Bench::new();
    // Right between two f64; the last digit tips it upwards.
    let zeros = "0".repeat(40);
    let half = b.arena.new_text(&format!("0x20000000000001{zeros}")).unwrap();
    let more = b.arena.new_text(&format!("0x20000000000001{}1", "0".repeat(39))).unwrap();
    assert_eq!(b.arena.to_number(half), Ok(9_007_199_254_740_992.0 * 160f64.exp2()));
    assert_eq!(b.arena.to_number(more), Ok(9_007_199_254_740_994.0 * 160f64.exp2()));
}

#[test]
fn lengths_count_characters() {
    let mut b = Bench::new();
    for (text, length) in [("", 0.0), ("abc", 3.0), ("größe", 5.0), ("😀é", 2.0)] {
        let h = b.arena.new_text(text).unwrap();
        assert_eq!(b.arena.length(h), Ok(length));
    }
}

#[test]
fn substrings_by_character() {
    let none = f64::NAN;
    for (text, start, length, expected) in [
        ("hello", 0.0, none, "hello"),
        ("hello", 2.0, none, "llo"),
        ("hello", 2.0, 2.0, "ll"),
        ("hello", -3.0, none, "llo"),
        ("hello", -3.0, 2.0, "ll"),
        ("hello", -9.0, 2.0, "he"),
        ("hello", 9.0, none, ""),
        ("hello", 1.0, 0.0, ""),
        ("hello", 1.0, -1.0, ""),
        ("hello", 1.0, 99.0, "ello"),
        ("hello", 1.7, 1.9, "el"),
        ("hello", -1.5, none, "o"),
        ("hello", none, none, "hello"),
        ("hello", none, 2.0, ""),
        ("hello", f64::INFINITY, none, ""),
        ("hello", f64::NEG_INFINITY, none, "hello"),
        ("héllo😀", 1.0, 1.0, "é"),
        ("héllo😀", -1.0, none, "😀"),
        ("héllo😀", 5.0, 5.0, "😀"),
        ("", 0.0, 1.0, ""),
    ] {
        let mut b = Bench::new();
        let h = b.arena.new_text(text).unwrap();
        let result = b.arena.substring(h, start, length);
        assert_eq!(b.shown(result), serde_json::to_string(expected).unwrap(), "{text} {start} {length}");
    }
}

#[test]
fn cases_follow_unicode() {
    let mut b = Bench::new();
    for (text, upper, lower) in
        [("aBc1", "ABC1", "abc1"), ("straße", "STRASSE", "straße"), ("ÀΣ", "ÀΣ", "àς"), ("", "", "")]
    {
        let h = b.arena.new_text(text).unwrap();
        let (u, l) = (b.arena.upper(h), b.arena.lower(h));
        assert_eq!((b.shown(u), b.shown(l)), (format!("\"{upper}\""), format!("\"{lower}\"")));
    }
}

#[test]
fn trimming_normalises_white_space() {
    let mut b = Bench::new();
    for (text, expected) in [
        ("", ""),
        ("   ", ""),
        ("a", "a"),
        ("  a b  ", "a b"),
        ("\t\n a \r\n  b\t", "a b"),
        ("a\tb", "a b"),
        ("a  b", "a b"),
        ("\u{a0}a\u{a0}", "\u{a0}a\u{a0}"),
        ("é  ü", "é ü"),
    ] {
        let h = b.arena.new_text(text).unwrap();
        let result = b.arena.trim(h);
        assert_eq!(b.shown(result), serde_json::to_string(expected).unwrap(), "{text:?}");
    }
}

#[test]
fn tokens_are_found() {
    let mut b = Bench::new();
    for (text, token, found) in
        [("hello", "ll", true), ("hello", "lll", false), ("hello", "", true), ("", "", true), ("größe", "öß", true)]
    {
        let (h, token) = (b.arena.new_text(text).unwrap(), b.arena.new_text(token).unwrap());
        assert_eq!(b.arena.contains(h, token), Ok(found));
    }
}

#[test]
fn splitting_and_joining() {
    let none = f64::NAN;
    for (text, separator, limit, expected) in [
        ("a,b,c", ",", none, r#"["a","b","c"]"#),
        ("a,b,c", ",", 2.0, r#"["a","b"]"#),
        ("a,b,c", ",", 2.9, r#"["a","b"]"#),
        ("a,b,c", ",", 0.0, "[]"),
        ("a,b,c", ",", 0.5, "[]"),
        ("a,b,c", ",", 99.0, r#"["a","b","c"]"#),
        (",a,", ",", none, r#"["","a",""]"#),
        ("", ",", none, r#"[""]"#),
        ("", "", none, "[]"),
        ("aé😀", "", none, r#"["a","é","😀"]"#),
        ("abc", "", 2.0, r#"["a","b"]"#),
        ("abc", "x", none, r#"["abc"]"#),
        ("aXXbXXXc", "XX", none, r#"["a","b","Xc"]"#),
    ] {
        let mut b = Bench::new();
        let (h, separator_h) = (b.arena.new_text(text).unwrap(), b.arena.new_text(separator).unwrap());
        let result = b.arena.split(h, separator_h, limit);
        assert_eq!(b.shown(result), expected, "{text} {separator} {limit}");
    }
    for (list, separator, expected) in [
        ("[]", "\",\"", ""),
        ("\"a\"", "\",\"", "a"),
        ("[\"a\"]", "undefined", "a"),
        ("[\"a\",\"é\",\"\"]", "\", \"", "a, é, "),
        ("[\"a\",\"b\"]", "undefined", "ab"),
    ] {
        let mut b = Bench::new();
        let (list_h, separator) = (b.json(list), b.json(separator));
        let result = b.arena.join(list_h, separator);
        assert_eq!(b.shown(result), serde_json::to_string(expected).unwrap(), "{list}");
    }
}

#[test]
fn parts_outlive_the_string_they_come_from() {
    let mut b = Bench::new();
    let input = b.arena.input_region();
    let (frame, scratch) = (b.arena.open_region(input).unwrap(), b.arena.open_region(input).unwrap());
    b.arena.enter(scratch);
    let (text, comma) = (b.arena.new_text("one,two").unwrap(), b.arena.new_text(",").unwrap());
    b.arena.enter(frame);
    let parts = b.arena.split(text, comma, f64::NAN).unwrap();
    let part = b.arena.substring(text, 4.0, 3.0).unwrap();
    let joined = b.arena.concat(text, part).unwrap();
    let same = b.arena.concat(text, Handle::UNDEFINED);
    assert_eq!(same, Ok(text));
    b.arena.clear_region(scratch);
    b.arena.enter(scratch);
    b.arena.new_text("xxxxxxxxxxxxxxxx").unwrap();
    assert_eq!(b.show(parts), r#"["one","two"]"#);
    assert_eq!(b.show(part), "\"two\"");
    assert_eq!(b.show(joined), "\"one,twotwo\"");
    assert_eq!(b.arena.length(text), Err(Fault::StaleHandle));
}

#[test]
fn now_is_what_was_set() {
    let mut b = Bench::new();
    b.arena.set_now(Timestamp::from_ms(1_763_784_306_789));
    let now = b.arena.now();
    assert_eq!(b.shown(now), "\"2025-11-22T04:05:06.789Z\"");
}

#[test]
fn parts_of_a_text_are_put_together_by_a_plan() {
    let mut b = Bench::new();
    let constants = r#"[[["a"],{"value":" – "},0,["b","c"],["z"],{"value":[1.50,"x"]}],[["a"]],[]]"#;
    b.arena.set_constants(Arc::new(Constants::parse(constants.as_bytes()).unwrap()));
    for (input, expected) in [
        (r#"{"a":"x","b":{"c":"ü"}}"#, r#""x – trueü[1.5,\"x\"]""#),
        (r#"{"a":[1,{"d":2}],"b":[{"c":1.50},{"c":2}]}"#, r#""[1,{\"d\":2}] – true[1.5,2][1.5,\"x\"]""#),
        ("null", r#"" – true[1.5,\"x\"]""#),
        // The operator itself says what is wrong with it.
        (r#"{"a":1.5e400}"#, "undefined"),
        (r#"{"a":[1.5e400]}"#, "undefined"),
    ] {
        let h = b.json(input);
        let text = b.arena.concat_all(0, h, Handle::TRUE.raw(), 0, 0);
        assert_eq!(b.shown(text), expected, "{input}");
    }
    let h = b.json(r#"{"a":"same"}"#);
    let (once, none) = (b.arena.concat_all(1, h, 0, 0, 0), b.arena.concat_all(2, h, 0, 0, 0));
    assert_eq!((b.shown(once), b.shown(none)), ("\"same\"".to_owned(), "\"\"".to_owned()));
}
