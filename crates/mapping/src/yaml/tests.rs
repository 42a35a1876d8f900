use super::{DEPTH_MAX, Kind, Node, parse};

fn refused(text: &str) -> Vec<(String, String)> {
    let problems = parse("f.yaml", text).expect_err("refused");
    problems
        .0
        .iter()
        .map(|p| {
            assert_eq!(p.file, "f.yaml");
            let span = p.span.start as usize..p.span.end as usize;
            (p.code.clone(), text.get(span).unwrap_or("<outside>").to_owned())
        })
        .collect()
}

fn one(text: &str) -> (String, String) {
    let mut all = refused(text);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn at(text: &str, node: &Node) -> String {
    text.get(node.span.start as usize..node.span.end as usize).unwrap().to_owned()
}

#[test]
fn all_refusals_come_at_once_with_their_places() {
    let text = "a: 1\nb: &x 2\nc: *x\na: 3\nd: !thing 4\ne: 0x1F\n";
    assert_eq!(
        refused(text),
        [
            ("LG-YAML-ALIAS".into(), "2".into()),
            ("LG-YAML-ALIAS".into(), "*x".into()),
            ("LG-YAML-DUPLICATE-KEY".into(), "a".into()),
            ("LG-YAML-TAG".into(), "4".into()),
            ("LG-YAML-NUMBER".into(), "0x1F".into()),
        ]
    );
}

#[test]
fn what_is_no_yaml_is_refused_where_it_breaks() {
    assert_eq!(one("a: [1, 2\nb: 3\n").0, "LG-YAML-SYNTAX");
    assert_eq!(one("a: b: c\n").0, "LG-YAML-SYNTAX");
    assert_eq!(one("a: *nobody\n").0, "LG-YAML-SYNTAX");
    assert_eq!(one("%YAML 1.2\n---\na: 1\n").0, "LG-YAML-SYNTAX");
    assert_eq!(one("a: 1\n---\nb: 2\n").0, "LG-YAML-DOCUMENTS");
    assert_eq!(one("? [a, b]\n: 1\n").0, "LG-YAML-KEY");
    assert_eq!(one("<<: {a: 1}\n").0, "LG-YAML-ALIAS");
    assert_eq!(one(r#"{"a": 1, "a": 2}"#), ("LG-YAML-DUPLICATE-KEY".into(), r#""a""#.into()));
}

#[test]
fn an_expression_that_yaml_takes_apart_has_help() {
    for (text, helped) in [("a:\n  b: ${ { \"c\": 1 } }\n", true), ("a:\n  b: c: d\n", false)] {
        let problems = parse("f", text).unwrap_err();
        assert_eq!(problems.0[0].help.is_some(), helped, "{problems}");
    }
}

#[test]
fn a_bracket_between_braces_is_to_be_quoted() {
    for (text, quoted) in [
        ("- { to: tags[], from: x }\n", "'tags[]'"),
        ("- { from: x, to: items[].sku }\n", "'items[].sku'"),
        ("- { from: lines[0].sku, to: x }\n", "'lines[0].sku'"),
        ("- {to: größe[]}\n", "'größe[]'"),
        ("- { from: lines[sku = \"a\"].sku, to: x }\n", "'…'"),
    ] {
        let found = parse("f", text).unwrap_err();
        let [problem] = found.0.as_slice() else { panic!("{found}") };
        let help = problem.help.as_deref().unwrap_or_default();
        assert!(
            problem.code == "LG-YAML-SYNTAX" && help.contains(&format!("in quotes, `{quoted}`: ")),
            "{text}{problem:?}"
        );
        if quoted != "'…'" {
            assert!(parse("f", &text.replace(quoted.trim_matches('\''), quoted)).is_ok(), "{text}");
        }
    }
    for text in ["a: [1, 2\n", "- { a: [1 }\n", "a: { b: 1\n", "a: b]\n- c\n"] {
        assert_eq!(parse("f", text).unwrap_err().0[0].help, None, "{text}");
    }
}

#[test]
fn depth_is_bounded_at_its_limit() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse("f", &nested(DEPTH_MAX)).is_ok());
    assert_eq!(one(&nested(DEPTH_MAX + 1)).0, "LG-YAML-DEPTH");
    let block: String = (0..=DEPTH_MAX).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    assert_eq!(one(&block).0, "LG-YAML-DEPTH");
}

#[test]
fn an_alias_bomb_is_refused_and_small() {
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (name, before) in ('b'..='z').zip('a'..) {
        let many = vec![format!("*{before}"); 9].join(", ");
        bomb.push_str(&format!("{name}: &{name} [{many}]\n"));
    }
    assert!(refused(&bomb).iter().all(|(code, _)| code == "LG-YAML-ALIAS"));
}

#[test]
fn numbers_keep_their_lexeme_and_look_alikes_are_refused() {
    for lexeme in ["0", "-0", "12", "1.50", "1e3", "-2.5E-10", "12345678901234567890.1"] {
        let node = parse("f", lexeme).unwrap();
        assert_eq!(node.as_lexeme(), Some(lexeme));
        assert_eq!(node.to_json(), lexeme);
    }
    for lexeme in ["+1", "01067", ".5", "1.", "0x1F", "0o17", ".inf", "-.INF", ".nan", "1.e3"] {
        assert_eq!(one(lexeme), ("LG-YAML-NUMBER".into(), lexeme.into()));
        assert_eq!(parse("f", &format!("'{lexeme}'")).unwrap().as_text(), Some(lexeme));
    }
    for text in ["1.0.3", "2026-11-22", "1_000", "yes", "on", "e5", "-x", "1e", "0x", "1:30"] {
        assert_eq!(parse("f", text).unwrap().as_text(), Some(text), "{text}");
    }
}

#[test]
fn scalars_by_the_core_schema() {
    let node = parse("f", "[~, null, true, False, 'true', \"1\", !!str 5, !!str, ]").unwrap();
    let kinds: Vec<_> = node.items().unwrap().iter().map(|n| n.scalar().unwrap().kind).collect();
    assert_eq!(
        kinds,
        [
            Kind::Null,
            Kind::Null,
            Kind::Boolean(true),
            Kind::Boolean(false),
            Kind::Text,
            Kind::Text,
            Kind::Text,
            Kind::Text
        ]
    );
    assert_eq!(node.to_json(), r#"[null,null,true,false,"true","1","5",""]"#);
    assert!(parse("f", "").unwrap().is_null());
    assert!(parse("f", "# only a comment\n").unwrap().is_null());
    assert_eq!(parse("f", "a:\nb: 1\n").unwrap().to_json(), r#"{"a":null,"b":1}"#);
}

#[test]
fn spans_are_bytes_and_cover_the_value() {
    let text = "größe: { ä: 'x y' }\nlist:\n  - one\n  - two # note\n\nlast: >-\n  folded\n  text\n\n";
    let node = parse("f", text).unwrap();
    assert_eq!(at(text, node.get("größe").unwrap()), "{ ä: 'x y' }");
    assert_eq!(at(text, node.get("größe").unwrap().get("ä").unwrap()), "'x y'");
    assert_eq!(at(text, &node.get("list").unwrap().items().unwrap()[1]), "two");
    assert_eq!(at(text, node.get("last").unwrap()), "folded\n  text");
    assert_eq!(node.get("last").unwrap().as_text(), Some("folded text"));
    assert!(at(text, node.get("list").unwrap()).starts_with("- one"));
}

#[test]
fn json_is_read_as_it_is() {
    let text = "{\n\t\"a\": [1, 2.50, \"\\u00e9\\n\"],\n\t\"b\": {}, \"c\": [], \"d\":null}";
    assert_eq!(parse("f", text).unwrap().to_json(), "{\"a\":[1,2.50,\"é\\n\"],\"b\":{},\"c\":[],\"d\":null}");
    let long = format!("{{\"{}\": [{}]}}", "k".repeat(900), vec!["{\"x\":1}"; 2000].join(","));
    assert!(parse("f", &long).is_ok());
}

/// Every visible character of the text is found at its own place in the file.
fn placed(text: &str) {
    let node = parse("f", text).unwrap();
    let node = node.get("a").unwrap();
    let (value, origin) = (node.as_text().unwrap(), node.origin(text));
    for (offset, c) in value.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
        let file = origin.offset(offset);
        assert_eq!(text.get(file..).and_then(|rest| rest.chars().next()), Some(c), "{c} of {value:?} in {text:?}");
        let skipped = origin.skip(1);
        if offset > 0 {
            assert_eq!(skipped.offset(offset - 1), file);
        }
    }
}

#[test]
fn offsets_lead_back_to_the_file() {
    placed("a: plain text\nb: 1\n");
    placed("a: 'single '' quoted ö text'\n");
    placed("a: \"double \\\" quoted \\t text\\u0020x\"\n");
    placed("a: \"long \\\n   line\n  and more\"\n");
    placed("a: plain\n  over\n  lines\n");
    placed("a: >-\n  folded ö\n  over lines\n\n  and paragraphs\nb: 1\n");
    placed("a: | # note\n\n\n  literal\n    indented\n  x\n");
    placed("b: >-\n  x\na: >+\n\n  \n  y z\n");
}

#[test]
fn a_span_over_a_fold_ends_at_its_last_character() {
    let text = "a: >-\n  one\n  two three\n";
    let node = parse("f", text).unwrap();
    let origin = node.get("a").unwrap().origin(text);
    let span = origin.span(lockgate_model::Span::new(0, 7));
    assert_eq!(text.get(span.start as usize..span.end as usize), Some("one\n  two"));
}
