//! Refusals first: code, place and help.

use super::{Filter, Kind, Outputs};

fn refusal(text: &str) -> (String, String) {
    match Filter::parse(text) {
        Ok(filter) => panic!("{text} is taken: {:?}", filter.root()),
        Err(problems) => {
            let problem = &problems.0[0];
            let span = problem.span.start as usize..problem.span.end as usize;
            (problem.code.clone(), text.get(span).unwrap_or("(outside)").to_owned())
        }
    }
}

#[test]
fn what_is_no_jq_is_refused_at_its_place() {
    for (text, at) in [
        ("", ""),
        ("  # nothing", ""),
        (".a |", ""),
        (".a b", "b"),
        ("1 +", ""),
        ("1 < 2 < 3", "<"),
        ("[1", ""),
        ("[1,]", "]"),
        ("{a:1", ""),
        ("{1:2}", "1"),
        ("{a: 1 + 2}", "+"),
        ("{(.a)}", "}"),
        (".[", ""),
        (".[:]", "]"),
        ("\"abc", "\"abc"),
        ("\"a\\qb\"", "\\q"),
        ("\"\\u12\"", "\\u"),
        ("\"\\ud800\"", "\\ud800"),
        ("\"\\(1\"", "\"\\"),
        ("'a'", "'"),
        ("1.a", "1.a"),
        ("1e999", "1e999"),
        (". as x | 1", "x"),
        (". as $x", ""),
        ("1 + 2 as $x", ""),
        ("if . then 1", ""),
        ("if . 1 end", "1"),
        ("end", "end"),
        ("..a", "a"),
        (". & 1", "&"),
        ("$", "$"),
        ("has(", ""),
        ("!.a", "!"),
        ("and 1", "and"),
    ] {
        assert_eq!(refusal(text), ("LG-JQ-SYNTAX".to_owned(), at.to_owned()), "{text}");
    }
}

#[test]
fn what_is_jq_and_not_in_the_profile_is_named() {
    for (text, at) in [
        ("def f: 1; f", "def"),
        ("reduce .[] as $x (0; . + $x)", "reduce"),
        ("foreach .[] as $x (0; . + $x)", "foreach"),
        ("try error catch .", "try"),
        ("label $f | 1", "label"),
        ("import \"a\" as a; 1", "import"),
        (".a = 1", "="),
        (".a |= 1", "|="),
        (".a += 1", "+="),
        (".a //= 1", "//="),
        ("@base64", "@base64"),
        ("@base64 \"a\"", "@base64"),
        ("{@base64 \"a\": 1}", "@base64"),
        (". as [$a] | $a", "["),
        (". as {a: $a} | $a", "{"),
        ("$__loc__", "$__loc__"),
        ("$ENV.PATH", "$ENV"),
        ("foo", "foo"),
        ("test(\"a\")", "test(\"a\")"),
        ("a::b", "a"),
        ("has", "has"),
        ("length(1)", "length(1)"),
        ("map(1; 2)", "map(1; 2)"),
        ("any(1; 2; 3)", "any(1; 2; 3)"),
        ("env", "env"),
        ("input", "input"),
        ("limit(1; 2)", "limit"),
    ] {
        assert_eq!(refusal(text), ("LG-JQ-PROFILE".to_owned(), at.to_owned()), "{text}");
    }
    let problem = Filter::parse("lenght").unwrap_err();
    assert!(problem.0[0].help.as_deref().unwrap().contains("`length`"), "{problem:?}");
}

#[test]
fn depth_is_bounded_in_every_direction() {
    for text in [
        "[".repeat(100_000),
        format!("{}1", "-".repeat(100_000)),
        format!("1{}", "+1".repeat(100_000)),
        format!(".{}", "[0]".repeat(100_000)),
        format!(".{}", "?".repeat(100_000)),
        format!("1{}", "|1".repeat(100_000)),
        format!("1{}", "//1".repeat(100_000)),
        format!("{}1", "{a:".repeat(100_000)),
        format!("{}1", ". as $x|".repeat(100_000)),
        "if 1 then ".repeat(100_000),
        format!("if 1 then 2 {} end", "elif 1 then 2 ".repeat(100_000)),
        "map(".repeat(100_000),
    ] {
        assert_eq!(refusal(&text).0, "LG-JQ-DEPTH", "{}", text.get(..20).unwrap_or_default());
    }
    assert_eq!(refusal(&"\"\\(".repeat(100_000)).0, "LG-JQ-SYNTAX");
    assert!(Filter::parse(&format!("[{}1]", "1,".repeat(100_000))).is_ok());
}

fn shape(text: &str) -> String {
    fn show(expr: &super::Expr) -> String {
        let mut children = Vec::new();
        expr.each_child(&mut |child| children.push(show(child)));
        let own = match &expr.kind {
            Kind::Identity => return ".".to_owned(),
            Kind::Number(lexeme) => return lexeme.clone(),
            Kind::Variable(name) => return format!("${name}"),
            Kind::Text(pieces) if children.is_empty() => return format!("{pieces:?}").replace("Text", ""),
            Kind::Pipe(..) => "|".to_owned(),
            Kind::Comma(_) => ",".to_owned(),
            Kind::Alternative(..) => "//".to_owned(),
            Kind::And(..) => "and".to_owned(),
            Kind::Or(..) => "or".to_owned(),
            Kind::Compare(operator, ..) => format!("{operator:?}"),
            Kind::Arithmetic(operator, ..) => format!("{operator:?}"),
            Kind::Index { optional, .. } => if *optional { "at?" } else { "at" }.to_owned(),
            Kind::Iterate { optional, .. } => if *optional { "all?" } else { "all" }.to_owned(),
            Kind::Bind { name, .. } => format!("as {name}"),
            other => format!("{other:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
        };
        format!("({own} {})", children.join(" "))
    }
    show(Filter::parse(text).unwrap().root())
}

#[test]
fn operators_bind_as_in_jq() {
    for (text, tree) in [
        ("1 | 2 , 3 // 4", "(| 1 (, 2 (// 3 4)))"),
        ("1 // 2 // 3", "(// 1 (// 2 3))"),
        ("1 or 2 and 3 == 4 + 5 * 6", "(or 1 (and 2 (Equal 3 (Add 4 (Multiply 5 6)))))"),
        ("1 - 2 - 3", "(Subtract (Subtract 1 2) 3)"),
        ("1,2,3", "(, 1 2 3)"),
        ("1 - -1", "(Subtract 1 -1)"),
        ("-. * 2", "(Negate (Multiply . 2))"),
        ("1 + . as $x | $x, 2", "(Add 1 (as x . (, $x 2)))"),
        (".a.b[0]?", "(at? (at (at . [(\"a\")]) [(\"b\")]) 0)"),
        (".[]?, 1", "(, (all? .) 1)"),
        ("1 | . as $x | 2 | $x", "(| 1 (as x . (| 2 $x)))"),
        (
            "{a, $b, \"c\": 1 | 2, (.d): -1}",
            "(Object [(\"a\")] (at . [(\"a\")]) [(\"b\")] $b [(\"c\")] (| 1 2) (at . [(\"d\")]) -1)",
        ),
        ("if . then 1 elif 2 then 3 end", "(If . 1 (If 2 3))"),
        ("007.50e1 # seven", "7.50e1"),
        (". \"a\"", "(at . [(\"a\")])"),
        (".if", "(at . [(\"if\")])"),
        ("first", "(at . 0)"),
    ] {
        assert_eq!(shape(text), tree, "{text}");
    }
}

#[test]
fn texts_hold_expressions_that_hold_texts() {
    let filter = Filter::parse(r#""a \(.b + "c \("d)" | length)") e \u00e9\ud83d\ude00""#).unwrap();
    let Kind::Text(pieces) = &filter.root().kind else { panic!() };
    assert_eq!(pieces.len(), 3);
    assert_eq!(pieces[2], super::Piece::Text(" e é😀".to_owned()));
}

#[test]
fn outputs_are_counted() {
    for (text, outputs) in [
        (".a.b", Outputs::One),
        (".a?", Outputs::Any),
        ("[.[]]", Outputs::One),
        ("1, 2", Outputs::Any),
        ("(1, 2) + 1", Outputs::Any),
        ("map(.a)", Outputs::One),
        ("if .[] then 1 else 2 end", Outputs::Any),
        ("if . then empty end", Outputs::Any),
        ("any(.[]; .a)", Outputs::One),
        (".a // 1", Outputs::One),
    ] {
        assert_eq!(Filter::parse(text).unwrap().root().outputs, outputs, "{text}");
    }
}

#[test]
fn variables_and_prefixes_are_known() {
    let filter = Filter::parse(r#"$a.b as $c | "\($task.name) $d" + [$c[0], {$e}]"#).unwrap();
    let found: Vec<_> = filter.variables().into_iter().map(|v| (v.name, v.field)).collect();
    assert_eq!(found, [("a", Some("b")), ("task", Some("name")), ("c", None), ("e", None)]);
    for (text, prefix) in [
        (r#""/orders/" + .id"#, Some("/orders/")),
        (r#""/orders/\(.id)/lines""#, Some("/orders/")),
        (r#""/a" + .b + "/c""#, Some("/a")),
        (r#""\(.id)/lines""#, None),
        (".path", None),
        (r#""/a" // "/b""#, None),
        (r#"if . then "/a" else "/b" end"#, None),
        (r#""/a", "/b""#, None),
        (r#""/a" | .x"#, None),
        (r#""/a" * 2"#, None),
        (r#""/a" - 2"#, None),
    ] {
        assert_eq!(Filter::parse(text).unwrap().literal_prefix(), prefix, "{text}");
    }
}
