use proptest::prelude::*;

use super::*;

fn pattern(source: &str, flags: &str) -> Pattern {
    Pattern::parse(source, flags).unwrap_or_else(|error| panic!("{source}: {error}"))
}
/// Every match as its text, and the refusal that ends them.
fn all<'t>(source: &str, flags: &str, text: &'t str) -> Result<Vec<&'t str>, Refusal> {
    let mut found = Vec::new();
    pattern(source, flags).each(text, None, |one| {
        found.push(text.get(one.range()).unwrap());
        Ok::<_, Refusal>(())
    })?;
    Ok(found)
}
fn check(source: &str, flags: &str, text: &str, matches: &[&str]) {
    assert_eq!(all(source, flags, text).as_deref(), Ok(matches), "/{source}/{flags} in {text:?}");
}

#[test]
fn what_is_malformed_is_refused_with_its_place() {
    for (source, offset, message) in [
        ("", 0, "empty"),
        ("ab(c", 2, "not closed"),
        ("ab)c", 2, "no opening one"),
        ("a[b", 1, "not closed"),
        ("ä[z-a]", 3, "behind its end"),
        ("a**", 2, "nothing to repeat"),
        ("a|*", 2, "nothing to repeat"),
        ("^+", 1, "nothing to repeat"),
        ("x|{2}", 2, "nothing to repeat"),
        ("a{2,1}", 1, "larger number"),
        ("ab\\", 2, "backslash"),
        ("a(?i)", 1, "not known"),
        ("(?<1>a)", 3, "name of a group"),
        ("(?<n>a)(?<n>b)", 10, "two groups"),
        ("(?<n", 3, "not closed"),
    ] {
        let error = Pattern::parse(source, "").unwrap_err();
        assert!(error.offset == offset && error.message.contains(message), "{source}: {error}");
    }
    for flags in ["g", "ii", "x", "mim", "I"] {
        assert!(Pattern::parse("a", flags).is_err(), "{flags}");
    }
}

#[test]
fn what_is_not_supported_is_refused_with_its_place() {
    for (source, offset, message) in [
        ("ab(?=c)", 2, "linear time"),
        ("ab(?!c)", 2, "linear time"),
        ("(?<=a)b", 0, "linear time"),
        ("(?<!a)b", 0, "linear time"),
        ("(a)\\1", 3, "back-references"),
        ("(?<n>a)\\k<n>", 7, "back-references"),
        ("\\012", 0, "octal"),
        ("[\\1]", 1, "octal"),
        ("\\p{L}", 0, "flag `u`"),
        ("a\\u{1F600}", 1, "flag `u`"),
        ("[\\ud800-\\udbff]", 1, "surrogate"),
        ("\\udc00\\ud800", 0, "surrogate"),
    ] {
        let error = Pattern::parse(source, "").unwrap_err();
        assert!(error.offset == offset && error.message.contains(message), "{source}: {error}");
    }
}

#[test]
fn patterns_are_bounded() {
    let nested = |depth: usize| Pattern::parse(&format!("{}a{}", "(".repeat(depth), ")".repeat(depth)), "");
    assert!(nested(100).is_ok());
    assert_eq!(nested(101).unwrap_err().offset, 100);
    assert!(nested(20_000).is_err());
    for large in ["(?:(?:a{1000}){1000}){1000}", "a{4294967295}", "a{99999999999999999999}"] {
        assert!(Pattern::parse(large, "").unwrap_err().message.contains("re"), "{large}");
    }
    assert!(Pattern::parse(&"a".repeat(SOURCE_MAX + 1), "").is_err());
}

#[test]
fn a_search_takes_linear_time() {
    let text = format!("{}b", "a".repeat(100_000));
    assert!(!pattern("^(a+)+$", "").contains(&text));
    assert!(!pattern("(?:a|a|aa)+$", "i").contains(&text));
}

#[test]
fn an_empty_match_comes_once_at_most() {
    assert_eq!(all("b*", "", "abc"), Err(Refusal::EmptyMatch));
    assert_eq!(all("b*", "", "bac"), Err(Refusal::EmptyMatch));
    check("b*", "", "bbb", &["bbb"]);
    check("b*", "", "", &[""]);
    let mut matches = 0;
    let limited = pattern("b*", "").each("abc", Some(1.0), |_| {
        matches += 1;
        Ok::<_, Refusal>(())
    });
    assert_eq!((limited, matches), (Err(Refusal::EmptyMatch), 1));
    assert!(pattern("b*", "").contains("abc"));
}

#[test]
fn characters_and_classes() {
    check("a.c", "", "abc a\nc a\u{2028}c a😀c", &["abc", "a😀c"]);
    check("[^]{3}", "", "a\n😀", &["a\n😀"]);
    check("a|[]", "", "ba", &["a"]);
    check("\\d+", "", "12٣4", &["12", "4"]);
    check("\\w+", "", "aé_1 ſ", &["a", "_1"]);
    check("\\s", "", "a\u{a0}b\u{feff}c", &["\u{a0}", "\u{feff}"]);
    check("\\bé|a\\b", "", "é aé a", &["a", "é", "a"]);
    check("\\B.", "", "ab é", &["b", "é"]);
    check("\\x41\\u00e9\\t\\cJ\\/\\-", "", "Aé\t\n/-", &["Aé\t\n/-"]);
    check("\\ud83d\\ude00", "", "😀", &["😀"]);
    check("[^\u{d7ff}]+|[^\u{e000}]", "", "a\u{d7ff}", &["a", "\u{d7ff}"]);
    check("[^\u{0}-\u{d7ff}\u{e000}-\u{10ffff}]", "", "a\u{e000}", &[]);
    check("[\\d\\-x]+", "", "1-x", &["1-x"]);
    check("[a-\\d]+", "", "a-7b", &["a-7"]);
    check("[\\b\\]^-]+", "", "\u{8}]^-", &["\u{8}]^-"]);
    check("[^\\W_]+", "", "a_b", &["a", "b"]);
    check("]{}a{,2}x{y", "", "]{}a{,2}x{y", &["]{}a{,2}x{y"]);
    check("\\c1\\e\\z", "", "\\c1ez", &["\\c1ez"]);
    check("a{2}b{1,}c{0,1}d??", "", "aabbcd", &["aabbc"]);
    check("#&~\"' ", "", "#&~\"' ", &["#&~\"' "]);
}

#[test]
fn the_flag_i_folds_as_ecmascript_does() {
    check("É[à-ö]ß", "i", "éÖß", &["éÖß"]);
    check("s|k", "i", "SKſ\u{212a}", &["S", "K"]);
    check("\u{212a}|ſ", "i", "kKsS\u{212a}", &["\u{212a}"]);
    check("σ+", "i", "Σςσ", &["Σςσ"]);
    check("[^a]", "i", "aAb", &["b"]);
    check("\\w", "i", "ſ\u{212a}k", &["k"]);
    check("ß", "i", "SSẞ", &[]);
    check("i+", "i", "iIıİ", &["iI"]);
}

#[test]
fn the_flag_m_finds_lines() {
    check("^.|.$", "", "ab\ncd", &["a", "d"]);
    check("^.|.$", "m", "ab\ncd\r\nef", &["a", "b", "c", "d", "e", "f"]);
    check("b$", "", "b\n", &[]);
}

#[test]
fn places_are_in_bytes_and_characters() {
    let text = "ä😀x😀x";
    let pattern = pattern("(x)|(y)", "");
    let first = pattern.find_from(text, Place::default()).unwrap();
    assert_eq!((first.start, first.end), (Place { byte: 6, character: 2 }, Place { byte: 7, character: 3 }));
    assert_eq!(first.groups, [Some(6..7), None]);
    let second = pattern.next(text, &first).unwrap().unwrap();
    assert_eq!((second.start, second.range()), (Place { byte: 11, character: 4 }, 11..12));
    assert_eq!(pattern.next(text, &second), Ok(None));
    for byte in [1, 13, usize::MAX] {
        assert_eq!(pattern.find_from(text, Place { byte, character: 0 }), None);
    }
    // What stands before the place still counts for `^` and `\b`.
    assert_eq!(super::Pattern::parse("^x|\\bx", "").unwrap().find_from("xx", Place { byte: 1, character: 1 }), None);
}

#[test]
fn named_groups_are_groups() {
    let found = pattern("(?<year>\\d+)-(?:x)(?<$m1>\\d)?", "").find_from("2024-x", Place::default());
    assert_eq!(found.unwrap().groups, [Some(0..4), None]);
}

#[test]
fn the_limit_of_matches_is_not_negative() {
    let refused = pattern("a", "").each("a", Some(-1.0), |_| Ok::<_, Refusal>(()));
    assert_eq!(refused.map_err(Refusal::code), Err(3040));
    let mut count = 0;
    let counted = pattern("a", "").each("aaaa", Some(1.5), |_| {
        count += 1;
        Ok::<_, Refusal>(())
    });
    assert_eq!((counted, count), (Ok(()), 2));
}

#[test]
fn replacing_a_plain_text() {
    let replaced = |text: &str, pattern: &str, replacement: &str, limit| {
        let mut out = String::new();
        replace_text(text, pattern, replacement, limit, |piece| {
            out.push_str(piece);
            Ok::<_, Refusal>(())
        })?;
        Ok::<_, Refusal>(out)
    };
    assert_eq!(replaced("a", "", "b", Some(-1.0)).map_err(Refusal::code), Err(3010));
    assert_eq!(replaced("a", "a", "b", Some(-1.0)).map_err(Refusal::code), Err(3011));
    assert_eq!(replaced("aXbXcX", "X", "$0", None).as_deref(), Ok("a$0b$0c$0"));
    assert_eq!(replaced("aXbXcX", "X", "", Some(2.0)).as_deref(), Ok("abcX"));
    assert_eq!(replaced("aaa", "aa", "b", Some(0.0)).as_deref(), Ok("aaa"));
    assert_eq!(replaced("aaa", "aa", "b", None).as_deref(), Ok("ba"));
}

proptest! {
    #[test]
    fn no_pattern_panics(source in "[]\\[(){}?*+|^$.\\\\:<>=!,a-dA-DkwWsSbBux0-9é😀 -]{1,16}", text in "[a-dA-D0-9é😀\r\n ]{0,12}") {
        for flags in ["", "im"] {
            if let Ok(pattern) = Pattern::parse(&source, flags) {
                let _ = pattern.each(&text, None, |found| {
                    text.get(found.range()).map(drop).ok_or(Refusal::TooLarge)
                });
            }
        }
    }

    #[test]
    fn the_translation_is_always_understood(source in "[]\\[(){}?*+|^$.\\\\:<>=!,a-dA-DkwWsSbBux0-9é -]{1,16}") {
        if let Err(error) = Pattern::parse(&source, "i") {
            prop_assert!(!error.message.contains("cannot be compiled"), "{}", source);
        }
    }
}
