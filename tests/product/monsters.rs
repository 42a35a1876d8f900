//! Expressions, mappings, flows and documents that nobody writes, given to the commands that an author
//! has: each is answered, or refused with a code, and none ends the program.

use std::{
    fs,
    process::{Command, Output},
    time::{Duration, Instant},
};

use lockgate_testkit::{process::program, temp_dir};

use crate::house::with_input;

/// No command takes so long, not even in a debug build: this is to catch one that hangs.
const HANG: Duration = Duration::from_secs(300);

/// Runs the program; it ends by itself, and what it refuses has a code.
fn run(what: &str, arguments: &[&str], input: &str) -> Output {
    let begun = Instant::now();
    let output = with_input(Command::new(program()).args(arguments), input);
    let told = String::from_utf8_lossy(&output.stderr);
    let start: String = told.chars().take(400).collect();
    assert!(output.status.code().is_some(), "{what}: ended by a signal: {start}");
    assert!(!told.contains("panicked"), "{what}: {start}");
    assert!(!told.contains("LG-INTERNAL"), "{what}: {start}");
    assert!(begun.elapsed() < HANG, "{what}: {:?}", begun.elapsed());
    if !output.status.success() {
        let has_code = told.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| {
            let digits = word.len() == 5 && word.bytes().skip(1).all(|b| b.is_ascii_digit());
            word.starts_with("LG-") || (digits && word.starts_with(['S', 'T', 'D', 'U']))
        });
        assert!(has_code, "{what}: refused without a code: {start}");
        // What is wrong is told, not the monster itself.
        assert!(told.len() < 64 << 10, "{what}: {} bytes of problems", told.len());
    }
    output
}

fn refused(what: &str, arguments: &[&str], input: &str, code: &str) {
    let output = run(what, arguments, input);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains(code), "{what}: {:.400}", told);
}

fn answered(what: &str, arguments: &[&str], input: &str, answer: &str) {
    let output = run(what, arguments, input);
    assert!(output.status.success(), "{what}: {:.400}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), answer, "{what}");
}

#[test]
fn monstrous_expressions_are_answered_or_refused_with_a_code() {
    let folder = temp_dir();
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    let monsters = [
        ("parentheses", nested("(", ")"), Some("LG-EXPR-DEPTH")),
        ("brackets", nested("[", "]"), Some("LG-EXPR-DEPTH")),
        ("objects", nested("{\"a\":", "}"), Some("LG-EXPR-DEPTH")),
        ("calls", nested("$string(", ")"), Some("LG-EXPR-DEPTH")),
        ("functions", nested("function($x){", "}"), Some("LG-EXPR-DEPTH")),
        ("predicates in predicates", nested("a[", "]"), Some("LG-EXPR-DEPTH")),
        ("signs", nested("-", ""), Some("LG-EXPR-DEPTH")),
        ("conditions", nested("true ? ", " : 0"), Some("LG-EXPR-DEPTH")),
        ("open parentheses", "(".repeat(1 << 20), Some("LG-EXPR-DEPTH")),
        ("steps", format!("a{}", ".a".repeat(200_000)), None),
        ("a sum", format!("{}1", "1+".repeat(200_000)), None),
        ("a concatenation", format!("{}\"x\"", "\"x\"&".repeat(200_000)), None),
        ("filters", format!("a{}", "[0]".repeat(200_000)), None),
        ("a chain", format!("1{}", " ~> $string".repeat(100_000)), None),
        ("transforms", "|".repeat(100_000), None),
        ("parents", format!("a{}", ".%".repeat(100_000)), None),
        ("a constant of 8 MB", format!("$length(\"{}\")", "x".repeat(8 << 20)), None),
        ("a name of 8 MB", format!("`{}`", "x".repeat(8 << 20)), None),
        ("a comment of 8 MB", format!("/*{}*/1", "x".repeat(8 << 20)), None),
        ("an open comment", "/* ".repeat(1 << 20), Some("S0106")),
        ("an open string", format!("\"{}", "\\u0041".repeat(200_000)), Some("S0101")),
        ("digits", "9".repeat(1 << 20), None),
        ("items", format!("[{}0]", "0,".repeat(500_000)), None),
        ("keys", format!("{{{}\"z\":0}}", (0..100_000).map(|i| format!("\"k{i}\":a,")).collect::<String>()), None),
        ("variables", format!("({} 1)", (0..50_000).map(|i| format!("$v{i} := {i};")).collect::<String>()), None),
        (
            "parameters",
            format!("function({}$z){{1}}", (0..50_000).map(|i| format!("$p{i},")).collect::<String>()),
            None,
        ),
        ("arguments", format!("$append({}1)", "1,".repeat(100_000)), None),
        ("terms of an order", format!("a^({}b)", "b,".repeat(100_000)), None),
        ("wrong names", format!("[{}0]", "$q,".repeat(50_000)), None),
        ("only operators", "*".repeat(200_000), None),
        ("only backticks", "`".repeat(199_999), None),
        ("a regular expression", format!("/{}/", "(a|b)*".repeat(20_000)), None),
    ];
    for (what, text, code) in &monsters {
        let file = folder.path().join("monster.jsonata");
        fs::write(&file, text).unwrap();
        let arguments = ["eval", "-f", file.to_str().unwrap()];
        match code {
            Some(code) => refused(what, &arguments, "{\"a\":{}}", code),
            None => drop(run(what, &arguments, "{\"a\":{}}")),
        }
    }
}

#[test]
fn work_without_end_ends_at_a_limit() {
    for (what, expression) in [
        ("endless recursion", "($f := function($x){ 1 + $f($x) }; $f(1))"),
        ("endless tail calls", "($f := function($x){ $f($x) }; $f(1))"),
        ("two that call each other", "($f := function($x){ $g($x) }; $g := function($x){ $f($x) }; $f(1))"),
        ("a number twice for ever", "($f := function($x){ $f($x & $x) }; $f(\"ab\"))"),
        ("an array twice for ever", "($f := function($x){ $f($append($x, $x)) }; $f([1, 2]))"),
        ("a range too long", "[0..9999999999]"),
        ("ranges of ranges", "[1..10000].[1..10000].[1..10000]"),
        (
            "every pair of every pair",
            "$map([1..3000], function($a){ $map([1..3000], function($b){ $string($a) & $b }) })",
        ),
        ("a pad too long", "$pad(\"x\", 1e300)"),
        ("powers of powers", "$reduce([1..1e6], function($p, $x){ $p & $p }, \"x\")"),
        ("an order of much", "[1..300000]^($ % 7, >$string($))"),
        ("descendants of descendants", "($x := [1..300]; {\"a\": $x, \"b\": {\"a\": $x}}.**.**.**.**)"),
    ] {
        let output = run(what, &["eval", "-n", expression], "");
        let told = String::from_utf8_lossy(&output.stderr);
        let refused =
            ["LG-LIMIT", "LG-REPLY-TOO-LARGE", "U1001", "D2014", "D1001", "D3"].iter().any(|code| told.contains(code));
        assert!(output.status.success() || refused, "{what}: {told:.400}");
    }
}

#[test]
fn monstrous_documents_are_read_or_refused_with_a_code() {
    let deep = |open: &str, close: &str, of: usize| format!("{}1{}", open.repeat(of), close.repeat(of));
    let list = |of: usize, item: &dyn Fn(usize) -> String| (0..of).map(item).collect::<Vec<_>>().join(",");
    for (what, document) in [
        ("arrays in arrays", deep("[", "]", 100_000)),
        ("objects in objects", deep("{\"a\":", "}", 100_000)),
        ("open arrays", "[".repeat(1 << 20)),
    ] {
        refused(what, &["eval", "$count($)"], &document, "LG-JSON-DEPTH");
    }
    answered("as deep as may be", &["eval", "$count(**)"], &deep("[", "]", 100), "1");
    let siblings = format!("[{}]", list(1_000_000, &|i| i.to_string()));
    answered("a million siblings", &["eval", "$count($)"], &siblings, "1000000");
    answered("their sum", &["eval", "$sum($)"], &siblings, "499999500000");
    answered("some of them", &["eval", "$[$ > 999997]"], &siblings, "[999998,999999]");
    let keys = format!("{{{}}}", list(1_000_000, &|i| format!("\"k{i}\":{i}")));
    let counted = run("a million keys", &["eval", "k999999 + $count($keys())"], &keys);
    let told = String::from_utf8_lossy(&counted.stderr);
    assert!(counted.status.success() || told.contains("LG-ARENA-FULL") || told.contains("LG-LIMIT"), "{told:.400}");
    // Names that a careless hash would put into one bucket are names like any other.
    let alike = format!("{{{}}}", list(20_000, &|i| format!("\"{}{i:05}\":1", "\\u0000".repeat(i % 7))));
    answered("names alike", &["eval", "$sum($each($, function($v){ $v }))"], &alike, "20000");
    let digits = "7".repeat(1 << 20);
    let huge = run("a number of a million digits", &["eval", "$"], &digits);
    assert!(
        huge.status.success() || String::from_utf8_lossy(&huge.stderr).contains("LG-JSON-NUMBER"),
        "{:?}",
        huge.status
    );
    run("its sum", &["eval", "$ + 1"], &digits);
    run("an exponent out of range", &["eval", "$ * 2"], "1e999999999");
    run("an exponent far below", &["eval", "$ * 2"], "1e-999999999");
    let text = format!("\"{}\"", "h\\u00e9 ".repeat(500_000));
    answered("a long text", &["eval", "$length($)"], &text, "1500000");
    run("a long text upside down", &["eval", "$join($reverse($split($, \"\")))"], &text);
    run("a long text changed", &["eval", "$count($split($uppercase($trim($)), \" \"))"], &text);
    for expression in
        ["**", "$string($)", "$distinct($)", "$sort($)", "$^(>$)", "$zip($, $)", "$merge($.{\"k\" & $: $})"]
    {
        run("typical work on much", &["eval", expression], &siblings);
    }
    for broken in ["{\"a\":", "[1,2", "\"\u{1}\"", "[1,]", "{\"a\":1,\"a\":2}", "\u{feff}1", "nul", ""] {
        let output = run("no JSON", &["eval", "$"], broken);
        assert!(!output.status.success(), "{broken:?}");
    }
}

#[test]
fn monstrous_mappings_and_flows_are_answered_or_refused_with_a_code() {
    let folder = temp_dir();
    let head = "mapping: m\nversion: 1.0.0\nrules:\n";
    let rules = |of: usize, rule: &dyn Fn(usize) -> String| format!("{head}{}", (0..of).map(rule).collect::<String>());
    let monsters = [
        ("many rules", rules(100_000, &|i| format!("  - {{ to: f{i}, from: a }}\n"))),
        ("many places", rules(20_000, &|i| format!("  - {{ to: f{}.g{}.h{i}, from: a }}\n", i % 10, i % 100))),
        ("one place again and again", rules(20_000, &|_| "  - { to: f, from: a }\n".to_owned())),
        ("a deep place", format!("{head}  - {{ to: a{}, from: a }}\n", ".a".repeat(100_000))),
        ("arrays in arrays", format!("{head}  - to: 'a{}'\n    each: a\n", "[]".repeat(100_000))),
        (
            "a deep expression",
            format!("{head}  - {{ to: a, from: '{}1{}' }}\n", "(".repeat(100_000), ")".repeat(100_000)),
        ),
        ("deep YAML", format!("{head}  - {{ to: a, from: {}1{} }}\n", "[".repeat(100_000), "]".repeat(100_000))),
        ("deep block YAML", (0..2_000).map(|i| format!("{}a:\n", " ".repeat(i))).collect()),
        ("dashes", "- ".repeat(100_000)),
        (
            "aliases that double",
            (0..40).fold("a0: &a0 [x]\n".to_owned(), |all, i| format!("{all}a{}: &a{} [*a{i}, *a{i}]\n", i + 1, i + 1)),
        ),
        ("many anchors", (0..50_000).map(|i| format!("k{i}: &a{i} 1\n")).collect()),
        ("keys twice", "mapping: m\n".repeat(50_000)),
        ("a long line", format!("{head}  - {{ to: a, from: '{}' }}\n", "x".repeat(8 << 20))),
        ("many documents", "---\n".repeat(100_000)),
        ("tabs", "\t".repeat(100_000)),
        ("quotes", "\"".repeat(99_999)),
        ("no text at all", "\0".repeat(1_000)),
    ];
    for (what, text) in &monsters {
        let file = folder.path().join("m.map.yaml");
        fs::write(&file, text).unwrap();
        run(what, &["map", file.to_str().unwrap()], "{\"a\":1}");
    }
    let flow =
        "document: {dsl: '1.0.3', namespace: t, name: f, version: '1.0.0'}\nevaluate: {language: jsonata}\ndo:\n";
    let project = folder.path().join("project");
    fs::create_dir(&project).unwrap();
    fs::write(project.join("project.yaml"), "project: p\n").unwrap();
    let nested = |of: usize| {
        let tasks = (0..of).map(|i| format!("{}- t{i}:\n{}do:\n", " ".repeat(4 * i + 2), " ".repeat(4 * i + 6)));
        tasks.collect::<String>() + &format!("{}- z: {{set: {{a: 1}}}}\n", " ".repeat(4 * of + 2))
    };
    for (what, text) in [
        ("many tasks", (0..20_000).map(|i| format!("  - t{i}: {{set: {{a: 1}}}}\n")).collect::<String>()),
        ("tasks in tasks", nested(1_000)),
        ("a deep value", format!("  - a: {{set: {}1{}}}\n", "[".repeat(100_000), "]".repeat(100_000))),
        ("a long sum", format!("  - a: {{set: {{x: '${{ {}1 }}'}}}}\n", "1+".repeat(200_000))),
        (
            "a deep expression",
            format!("  - a: {{set: {{x: '${{ {}1{} }}'}}}}\n", "(".repeat(100_000), ")".repeat(100_000)),
        ),
    ] {
        fs::write(project.join("f.flow.yaml"), format!("{flow}{text}")).unwrap();
        run(what, &["check", project.to_str().unwrap()], "");
    }
}
