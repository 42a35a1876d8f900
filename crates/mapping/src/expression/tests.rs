use super::{ir::*, *};

fn problem_of(text: &str) -> (String, u32) {
    let problems = Expression::parse(text).unwrap_err().0;
    assert_eq!(problems.len(), 1, "{text}");
    (problems[0].code.clone(), problems[0].span.end)
}

fn resolved(text: &str) -> Program {
    Expression::parse(text).unwrap().resolve(&|_| false).unwrap()
}

fn refused(text: &str) -> Vec<(String, String)> {
    let problems = Expression::parse(text).unwrap().resolve(&|_| false).unwrap_err().0;
    let marked = |p: &Diagnostic| text.get(p.span.start as usize..p.span.end as usize).unwrap().to_owned();
    problems.iter().map(|p| (p.code.clone(), marked(p))).collect()
}

#[test]
fn malformed_expressions_have_the_standards_codes_and_positions() {
    for (text, code, position) in [
        ("", "S0207", 0),
        ("1 +", "S0207", 3),
        ("a b", "S0201", 3),
        ("[1,2)", "S0202", 5),
        ("(1", "S0203", 2),
        ("a ! b", "S0204", 3),
        (": a", "S0211", 1),
        ("\"open", "S0101", 5),
        ("1e999", "S0102", 5),
        ("\"\\x\"", "S0103", 2),
        ("\"\\u12\"", "S0104", 2),
        ("`open", "S0105", 5),
        ("1 /* open", "S0106", 4),
        ("function(a){1}", "S0208", 10),
        ("[1]{\"a\":1}[0]", "S0209", 11),
        ("[1]{\"a\":1}{\"b\":1}", "S0210", 11),
        ("a := 1", "S0212", 1),
        ("a.1", "S0213", 3),
        ("a@b", "S0214", 3),
        ("a[0]@$b", "S0215", 5),
        ("a^(b)@$c", "S0216", 6),
        ("%", "S0217", 1),
        ("//", "S0301", 2),
        ("/a", "S0302", 2),
        ("function($a)<n<n>>{1}", "S0401", 15),
        ("function($a)<(a<n>)>{1}", "S0402", 14),
    ] {
        assert_eq!(problem_of(text), (code.to_owned(), position), "{text}");
    }
}

#[test]
fn hostile_depth_is_refused_within_a_worker_threads_stack() {
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    let texts = [
        nested("(", ")"),
        nested("[", "]"),
        nested("{\"a\":", "}"),
        nested("-", ""),
        nested("$f(", ")"),
        nested("a[", "]"),
        nested("function($x){", "}"),
        nested("a ? ", " : 1"),
        nested("1 + ", ""),
        nested("", " + 1"),
        nested("", ".a"),
        nested("", "[0]"),
        nested("", "(1)"),
        nested("", " ?? 1"),
        "(".repeat(100_000),
    ];
    let check = move || {
        for text in &texts {
            let start: String = text.chars().take(20).collect();
            assert_eq!(problem_of(text).0, "LG-EXPR-DEPTH", "{start}");
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(check).unwrap().join().unwrap();
}

#[test]
fn the_deepest_expression_fits_a_worker_threads_stack() {
    let deepest = |open: &str, close: &str| {
        let text = |n: usize| format!("{}a{}", open.repeat(n), close.repeat(n));
        (1..400).map(text).take_while(|t| Expression::parse(t).is_ok()).last().unwrap()
    };
    let check = move || {
        for text in [deepest("(", ")"), deepest("[", "]"), deepest("", " + a"), deepest("", ".a"), deepest("a[", "]")] {
            resolved(&text);
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(check).unwrap().join().unwrap();
}

#[test]
fn everything_refused_is_refused_at_once_with_its_place() {
    let text =
        "[a.b[/(?=q)/], d^($eval(e)), f{g: /x(?<!s)/i}, x ~> |a|/(a)\\1/|, /a{9,1}/, /x/ii, $map(z, $eval), /\\p{L}/m]";
    let pair = |code: &str, marked: &str| (code.to_owned(), marked.to_owned());
    assert_eq!(
        refused(text),
        [
            pair("LG-EXPR-REGEX", "(?=q)/"),
            pair("LG-EXPR-EVAL", "$eval"),
            pair("LG-EXPR-REGEX", "(?<!s)/i"),
            pair("LG-EXPR-REGEX", "\\1/"),
            pair("LG-EXPR-REGEX", "{9,1}/"),
            pair("LG-EXPR-REGEX", "ii"),
            pair("LG-EXPR-EVAL", "$eval"),
            pair("LG-EXPR-REGEX", "\\p{L}/m"),
        ]
    );
    let messages = |text: &str| Expression::parse(text).unwrap().resolve(&|_| false).unwrap_err().0.remove(0).message;
    assert!(messages("/(?=q)/").contains("look"), "{}", messages("/(?=q)/"));
    assert!(messages("/(a)\\1/").contains("back"), "{}", messages("/(a)\\1/"));
}

#[test]
fn a_name_of_ones_own_hides_a_built_in() {
    assert!(matches!(resolved("$sum(a)").root.kind, Kind::Builtin(Builtin::Sum, _)));
    let own = resolved("($sum := function($x){ $x }; $sum(a))");
    let Kind::Block(_, body) = &own.root.kind else { panic!("a block") };
    assert!(matches!(&body[1].kind, Kind::Inline(..)));
    // The refused function may be hidden too, and what the surroundings provide comes first.
    resolved("($eval := function($x){ $x }; $eval(a))");
    let text = Expression::parse("$sum").unwrap();
    assert!(matches!(text.resolve(&|name| name == "sum").unwrap().root.kind, Kind::External(_)));
}

#[test]
fn only_what_a_lifted_function_shares_stands_in_an_environment() {
    let captured = |text: &str| -> Vec<String> {
        let program = resolved(text);
        program.variables.into_iter().filter(|v| v.captured.is_some()).map(|v| v.name).collect()
    };
    assert_eq!(captured("($a := 1; $b := 2; $f := function($x){ $x + $a }; $f($b))"), ["a"]);
    assert_eq!(captured("($f := function($n){ $n = 0 ? 0 : $f($n - 1) }; $f(3))"), ["f"]);
    // Written into the loop, it shares the function around it.
    assert_eq!(captured("($a := 1; $map(b, function($x){ $x + $a }))"), [""; 0]);
}

#[test]
fn variables_that_are_numbers_whatever_happens_are_typed() {
    let numbers = |text: &str| -> Vec<String> {
        let program = resolved(text);
        program.variables.into_iter().filter(|v| v.number).map(|v| v.name).collect()
    };
    assert_eq!(numbers("($a := 1; $b := $a * c; $d := c; $a := $b; $a + $d)"), ["a", "b"]);
    assert_eq!(numbers("($a := 1; $b := $a; $a := \"x\"; $b)"), [""; 0]);
    assert_eq!(numbers("$map(a, function($v, $i){ $i })"), ["i"]);
    assert_eq!(numbers("($a := 1; $f := function(){ $a }; $f())"), [""; 0]);
}

#[test]
fn constants_are_folded_where_the_run_would_give_the_same() {
    let constant = |text: &str| match resolved(text).root.kind {
        Kind::Constant(constant) => Some(constant),
        _ => None,
    };
    assert_eq!(constant("2 * 3 + 1"), Some(Constant::Number(7.0, None)));
    assert_eq!(constant("-5"), Some(Constant::Number(-5.0, Some("-5".to_owned()))));
    assert_eq!(constant("\"a\" & \"b\""), Some(Constant::Text("ab".to_owned())));
    // An error or undefined is the run's to find.
    assert_eq!(constant("1 / 0"), None);
    assert_eq!(constant("1e308 * 10"), None);
}

#[test]
fn number_literals_keep_what_an_f64_cannot() {
    let digits = |text: &str| match resolved(text).root.kind {
        Kind::Constant(Constant::Number(_, json)) => json,
        _ => None,
    };
    for (text, json) in [("12345678901234567890", "12345678901234567890"), ("1e3", "1000"), ("1.50", "1.5")] {
        assert_eq!(digits(text).as_deref(), Some(json), "{text}");
    }
}

#[test]
fn numbers_are_written_as_ecmascript_does() {
    for (value, text) in [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (100.0, "100"),
        (123456.789, "123456.789"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.25e-9, "1.25e-9"),
        (0.1 + 0.2, "0.30000000000000004"),
        (f64::MAX, "1.7976931348623157e+308"),
    ] {
        assert_eq!(number_text(value), text);
    }
}

mod any {
    use proptest::prelude::*;

    use super::*;

    /// Whatever it is, it is parsed or refused, and what is parsed is resolved or refused.
    fn survives(text: &str) {
        if let Ok(expression) = Expression::parse(text) {
            let _ = expression.resolve(&|_| false);
            let _ = expression.resolve_on_item(&|name| name == "x");
        }
    }

    /// Pieces of the language in any order come further into the parser than any characters.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "a",
            "b.c",
            "$x",
            "$",
            "$$",
            "1",
            "-2.5",
            "\"t\"",
            "true",
            "null",
            "`q`",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ":",
            ";",
            ",",
            "?",
            "?:",
            "??",
            ":=",
            "~>",
            "+",
            "*",
            "**",
            "%",
            "/",
            "&",
            "=",
            "<",
            ">",
            "in",
            "and",
            "or",
            "..",
            "^(",
            "@$v",
            "#$i",
            "|",
            "function($p){",
            "function",
            "$sum(",
            "$map(",
            "/*",
            "*/",
            "é",
            "\\",
            "[]",
        ]);
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.join(" "))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn text_is_parsed_or_refused(text in "\\PC{0,60}") {
            survives(&text);
        }

        #[test]
        fn pieces_of_the_language_are_parsed_or_refused(text in pieces()) {
            survives(&text);
        }
    }
}
