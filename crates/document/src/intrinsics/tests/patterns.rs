//! Group *patterns*.

use super::*;

/// A constant pattern.
fn pattern(b: &mut Bench, source: &str, flags: &str) -> Handle {
    b.constants.push(serde_json::json!({ "pattern": source, "flags": flags }).to_string());
    let json = format!("[{}]", b.constants.join(","));
    b.arena.set_constants(Arc::new(Constants::parse(json.as_bytes()).unwrap()));
    Handle::constant(b.constants.len() as u32 - 1)
}

const NO_LIMIT: f64 = f64::NAN;

#[test]
fn what_is_no_text_and_no_pattern_is_refused() {
    let mut b = Bench::new();
    let re = pattern(&mut b, "a", "");
    let text = b.json("\"aa\"");
    for other in ["1", "null", "[\"a\"]", "{}", "{\"pattern\":\"a\",\"flags\":\"\"}"] {
        let h = b.json(other);
        assert_eq!(code(b.arena.match_all(h, re, NO_LIMIT)), "T0410");
        assert_eq!(code(b.arena.contains(h, re)), "T0410");
        assert_eq!(code(b.arena.split(text, h, NO_LIMIT)), "T0410");
        assert_eq!(code(b.arena.replace_in(h, re, text, NO_LIMIT)), "T0410");
        assert_eq!(code(b.arena.replace_in(text, h, text, NO_LIMIT)), "T0410");
        assert_eq!(code(b.arena.replace_in(text, re, h, NO_LIMIT)), "T0410");
        assert_eq!(code(b.arena.find(h, re, 0)), "T0410");
        // No pattern of the module: a value that looks like one is none.
        assert_eq!(b.arena.match_all(text, h, NO_LIMIT), Err(Fault::WrongKind));
        assert_eq!(b.arena.find(text, h, 0), Err(Fault::WrongKind));
        assert_eq!(b.arena.find_next(h, 0), Err(Fault::WrongKind));
    }
    let empty = b.json("\"\"");
    assert_eq!(code(b.arena.match_all(text, re, -1.0)), "D3040");
    assert_eq!(code(b.arena.split(text, re, -1.0)), "D3020");
    assert_eq!(code(b.arena.replace_in(text, re, text, -1.0)), "D3011");
    assert_eq!(code(b.arena.replace_in(text, empty, text, NO_LIMIT)), "D3010");
    let nothing = pattern(&mut b, "b*", "");
    for result in [b.arena.match_all(text, nothing, NO_LIMIT), b.arena.split(text, nothing, NO_LIMIT)] {
        assert_eq!(code(result), "D1004");
    }
}

#[test]
fn matches_are_listed_with_their_groups_and_places_in_characters() {
    let mut b = Bench::new();
    let re = pattern(&mut b, "(é)|(b)", "");
    let text = b.json("\"éxb\"");
    let found = b.arena.match_all(text, re, NO_LIMIT);
    assert_eq!(
        b.shown(found),
        r#"[{"match":"é","index":0,"groups":["é",null]},{"match":"b","index":2,"groups":[null,"b"]}]"#
    );
    let one = b.arena.match_all(text, re, 1.0).unwrap();
    assert_eq!(b.show(one), r#"{"match":"é","index":0,"groups":["é",null]}"#);
    assert_eq!(b.arena.match_all(text, re, 0.0), Ok(Handle::UNDEFINED));
    assert_eq!(b.arena.contains(text, re), Ok(true));
    // A group that took no part has no value.
    let groups = b.key("groups");
    let groups = b.arena.get(one, groups).unwrap();
    assert_eq!(b.arena.at(groups, 1), Ok(Handle::UNDEFINED));
}

#[test]
fn a_pattern_splits_and_replaces() {
    let mut b = Bench::new();
    let re = pattern(&mut b, "(\\s)", "");
    let text = b.json("\"a b  c\"");
    for (limit, parts) in [(NO_LIMIT, r#"["a","b","","c"]"#), (2.0, r#"["a","b"]"#), (1.5, r#"["a","b"]"#), (0.0, "[]")]
    {
        let split = b.arena.split(text, re, limit);
        assert_eq!(b.shown(split), parts);
    }
    let re = pattern(&mut b, "(.)(.)", "");
    for (by, limit, out) in [
        ("$2$1", NO_LIMIT, "\"ba dc\""),
        ("$0$$$3$x", 1.0, "\"ab$$x cd\""),
        ("$12", NO_LIMIT, "\"a2 c2\""),
        ("", NO_LIMIT, "\" \""),
    ] {
        let (text, by) = (b.json("\"ab cd\""), b.json(&format!("\"{by}\"")));
        let re = if limit == 1.0 { re } else { pattern(&mut b, "(\\w)(\\w)", "") };
        let replaced = b.arena.replace_in(text, re, by, limit);
        assert_eq!(b.shown(replaced), out);
    }
}

#[test]
fn a_matcher_goes_on_by_its_next() {
    let mut b = Bench::new();
    let re = pattern(&mut b, "a(.)?", "");
    let text = b.json("\"xaéa\"");
    let first = b.arena.find(text, re, 7).unwrap();
    assert_eq!(b.show(first), r#"{"match":"aé","start":1,"end":3,"groups":["é"],"next":""}"#);
    let next = b.key("next");
    let function = b.arena.get(first, next).unwrap();
    assert_eq!((b.arena.fn_number(function), b.arena.fn_arity(function)), (Ok(7), Ok(0)));
    let env = b.arena.fn_env(function).unwrap();
    let second = b.arena.find_next(env, 7).unwrap();
    assert_eq!(b.show(second), r#"{"match":"a","start":3,"end":4,"groups":[null],"next":""}"#);
    let function = b.arena.get(second, next).unwrap();
    let env = b.arena.fn_env(function).unwrap();
    assert_eq!(b.arena.find_next(env, 7), Ok(Handle::UNDEFINED));
}

#[test]
fn what_a_function_matched_splits_and_replaces_too() {
    let mut b = Bench::new();
    let text = b.json("\"aéb😀c\"");
    let matches = b.json(
        r#"[{"match":"é","start":1,"end":2,"groups":["g"]},{"match":"😀","start":3,"end":4,"groups":[]},{"match":"c","start":4,"end":99}]"#,
    );
    let parts = b.arena.split_at(text, matches, NO_LIMIT);
    assert_eq!(b.shown(parts), r#"["a","b","",""]"#);
    let parts = b.json(r#"["1","2","3"]"#);
    let spliced = b.arena.splice(text, matches, parts);
    assert_eq!(b.shown(spliced), r#""a1b23""#);
    let first = b.arena.at(matches, 0).unwrap();
    let by = b.json("\"<$0$1$2>\"");
    let expanded = b.arena.expand(first, by);
    assert_eq!(b.shown(expanded), "\"<ég>\"");
    // Places that lie before one another do no harm.
    let back = b.json(r#"[{"match":"x","start":3,"end":1},{"match":"x","start":0,"end":0}]"#);
    assert!(b.arena.split_at(text, back, NO_LIMIT).is_ok() && b.arena.splice(text, back, parts).is_ok());
    let wrong = b.json(r#"[{"match":"x","end":1}]"#);
    assert_eq!(code(b.arena.split_at(text, wrong, NO_LIMIT)), "T1010");
    assert_eq!(code(b.arena.splice(text, wrong, parts)), "T1010");
}

#[test]
fn a_replacement_ends_where_the_arena_does() {
    let mut b = Bench::under(&Limits { arena_bytes_max: 1 << 20, ..Limits::default() });
    let re = pattern(&mut b, "a", "");
    let text = b.json(&format!("\"{}\"", "a".repeat(10_000)));
    let by = b.json(&format!("\"{}\"", "$0".repeat(1_000)));
    assert_eq!(b.arena.replace_in(text, re, by, NO_LIMIT), Err(Fault::ArenaFull));
    let token = b.json("\"a\"");
    assert_eq!(b.arena.replace_in(text, token, by, NO_LIMIT), Err(Fault::ArenaFull));
}

#[test]
fn a_search_is_charged_for_what_it_may_have_read() {
    let charged = |source: &str, text: &str| {
        let mut b = Bench::new();
        let re = pattern(&mut b, source, "");
        let text = b.json(&format!("\"{text}\""));
        let before = b.arena.charged();
        b.arena.split(text, re, NO_LIMIT).unwrap();
        b.arena.charged() - before
    };
    // Each search may go through all of the text behind it in vain.
    let many = "a".repeat(4_000);
    assert!(charged("a*x|a", &many) >= 4_000 * 4_000 / 16);
    // One that ends at its match reads the text once.
    for near in ["a", "[ab]{1,3}", "(?:a+)", "a|b", "[*+|]|a"] {
        assert!(charged(near, &many) < 4_000 * 100, "{near}: {}", charged(near, &many));
    }
    // A program of many states may visit them all at each byte.
    assert!(charged("[ab]*a[ab]{300}c", &"ab".repeat(2_000)) >= 16 * 4_000);
}
