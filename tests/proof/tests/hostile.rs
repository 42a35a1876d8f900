//! Orchestrations that want to do harm, made by hand: each is refused when it is compiled, or its run ends within its
//! limits, with the code that is told here, and the host stands.
//!
//! `LOCKGATE_CASE` runs one alone, by its name.

use std::{
    env,
    time::{Duration, Instant},
};

use lockgate_compiler::{Catalog, Sources, project::flow_module};
use lockgate_document::Document;
use lockgate_engine::{Engine, EngineConfig, Mocks};
use lockgate_model::{Limits, Timestamp};

/// A case that takes longer hangs.
const HANG: Duration = Duration::from_secs(30);
const HEAD: &str =
    "document: { dsl: '1.0.3', namespace: h, name: f, version: '1.0.0' }\nevaluate: { language: jsonata }\n";

/// A case: its name, its file, and how it ends: `ends`, or the code of its refusal or failure.
type Case = (String, String, &'static str);

#[test]
fn whatever_a_publisher_writes_the_host_stands() {
    let engine = Engine::new(EngineConfig { workers: 1, ..EngineConfig::alone() }).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let limits = Limits { cost_max: 30_000_000, wall_ms_max: 20_000, arena_bytes_max: 16 << 20, ..Limits::default() };
    let cases: Vec<Case> = [expressions(), structures(), files(), branches(), errors()].concat();
    assert!(cases.len() >= 150, "only {} cases", cases.len());
    let mut names: Vec<&str> = cases.iter().map(|(name, ..)| name.as_str()).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a name stands twice: {names:?}");
    let alone = env::var_os("LOCKGATE_CASE").and_then(|name| name.into_string().ok());
    let mut wrong = Vec::new();
    for (name, text, expected) in &cases {
        if alone.as_ref().is_some_and(|alone| alone != name) {
            continue;
        }
        let began = Instant::now();
        let sources = Sources([("f.flow.yaml".to_owned(), text.clone())].into());
        let told = match flow_module(&sources, "f.flow.yaml", &Catalog::default()) {
            Err(problems) => problems
                .0
                .iter()
                .find(|p| p.code != "LG-UNKNOWN-CONNECTOR")
                .map_or_else(|| "nothing".to_owned(), |p| p.code.clone()),
            Ok(compiled) => match engine.load(&compiled.wasm) {
                Err(error) => format!("compiled and not loaded: {error}"),
                Ok(module) => {
                    let input = Document::parse(br#"{"a":[3,1,2],"s":"abcabcabc","o":{"k":"v"}}"#, &limits).unwrap();
                    let running =
                        engine.evaluate(&module, input, Mocks::default(), limits, Timestamp(1_700_000_000_000_000));
                    let outcome = runtime.block_on(running);
                    assert!(outcome.arena_bytes_peak <= limits.arena_bytes_max, "{name}: {}", outcome.arena_bytes_peak);
                    match outcome.result {
                        Ok(_) => "ends".to_owned(),
                        Err(failure) => failure.error.code,
                    }
                }
            },
        };
        let took = began.elapsed();
        assert!(took < HANG, "{name} takes {took:?}");
        if told != *expected {
            wrong.push(format!("{name}: {expected} was expected, and it is {told} ({took:?})"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn tasks(name: &str, tasks: &str, expected: &'static str) -> Case {
    (name.to_owned(), format!("{HEAD}do:\n{tasks}"), expected)
}

/// Expressions whose work or data grows without end, or that nest too deeply.
fn expressions() -> Vec<Case> {
    let set = |(name, expression, expected): (&str, &str, &'static str)| {
        let folded = expression.replace('\n', " ");
        tasks(name, &format!("  - t:\n      set:\n        v: >-\n          ${{ {folded} }}\n"), expected)
    };
    let deep = |open: &str, close: &str, depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    let owned = [
        ("brackets in brackets", deep("[", "]", 10_000), "LG-EXPR-DEPTH"),
        ("parentheses in parentheses", deep("(", ")", 10_000), "LG-EXPR-DEPTH"),
        ("objects in objects", deep("{\"a\":", "}", 10_000), "LG-EXPR-DEPTH"),
        ("functions in functions", deep("function($x){", "}", 5_000), "LG-EXPR-DEPTH"),
        ("minus of minus", format!("{}1", "- ".repeat(20_000)), "LG-EXPR-DEPTH"),
        ("a sum of twenty thousand", format!("0{}", " + 1".repeat(20_000)), "LG-EXPR-DEPTH"),
        ("a path of twenty thousand", format!("a{}", ".a".repeat(20_000)), "LG-EXPR-DEPTH"),
        ("filters of twenty thousand", format!("a{}", "[0]".repeat(20_000)), "LG-EXPR-DEPTH"),
        ("conditions in conditions", format!("{}1{}", "true ? ".repeat(5_000), " : 0".repeat(5_000)), "LG-EXPR-DEPTH"),
        ("a chain of twenty thousand", format!("a{}", " ~> $string".repeat(20_000)), "LG-EXPR-DEPTH"),
        ("bindings in bindings", format!("({}1{})", "$x := ".repeat(10_000), ""), "LG-EXPR-DEPTH"),
    ];
    let mut cases: Vec<Case> = owned.iter().map(|(name, text, code)| set((name, text, code))).collect();
    cases.extend(
        [
            ("a recursion without end", "($f := function($x) { 1 + $f($x) }; $f(1))", "U1001"),
            ("two functions without end", "($f := function($x) { 1 + $g($x) }; $g := function($x) { 1 + $f($x) }; $f(1))", "U1001"),
            ("a tail call without end", "($f := function($x) { $f($x + 1) }; $f(1))", "LG-LIMIT-COST"),
            ("tail calls in a ring", "($f := function($x) { $g($x) }; $g := function($x) { $f($x) }; $f(1))", "LG-LIMIT-COST"),
            ("fixed point combinator", "($y := function($f) { function($x) { $f($f, $x) } }; $y(function($s, $x) { 1 + $s($s, $x) })(1))", "U1001"),
            ("a function of itself", "($f := function($g) { $g($g) }; $f($f))", "LG-LIMIT-COST"),
            ("a range too large", "[0..100000000]", "D2014"),
            ("ranges of ranges", "[0..9999999].[0..9999999]", "LG-LIMIT-ARENA"),
            ("a range backwards", "[5..1]", "ends"),
            ("a range of fractions", "[0.5..3]", "T2003"),
            ("ten million strings", "$map([1..9000000], function($v) { $string($v) & \"x\" })", "LG-LIMIT-ARENA"),
            ("a text that doubles", "($d := function($t, $n) { $n = 0 ? $t : $d($t & $t, $n - 1) }; $d(\"xxxxxxxxxxxxxxxx\", 40))", "LG-LIMIT-ARENA"),
            ("an array that doubles", "($d := function($t, $n) { $n = 0 ? $t : $d($append($t, $t), $n - 1) }; $d([1..1000], 40))", "LG-LIMIT-ARENA"),
            ("an object that doubles", "($d := function($t, $n) { $n = 0 ? $t : $d({\"a\": $t, \"b\": $t}, $n - 1) }; $d(1, 60))", "LG-LIMIT-ARENA"),
            ("an object as deep as it goes", "($d := function($t, $n) { $n = 0 ? $t : $d({\"a\": $t}, $n - 1) }; $d(1, 100000))", "LG-DEPTH-EXCEEDED"),
            ("an array as deep as it goes", "($d := function($t, $n) { $n = 0 ? $t : $d([[$t]], $n - 1) }; $d(1, 100000))", "LG-DEPTH-EXCEEDED"),
            ("a padding too wide", "$pad(\"x\", 1000000000)", "LG-LIMIT-ARENA"),
            ("a padding too wide to the left", "$pad(\"x\", -1000000000)", "LG-LIMIT-ARENA"),
            ("joins of joins", "$join($map([1..100000], function($v) { $join($map([1..1000], $string)) }))", "LG-LIMIT-COST"),
            ("reduce to a list of lists", "$reduce([1..1000000], function($a, $b) { [$a, $b] })", "LG-LIMIT-ARENA"),
            ("every pair of ten thousand", "$map([1..10000], function($a) { $map([1..10000], function($b) { $a * $b }) })", "LG-LIMIT-ARENA"),
            ("every triple of a thousand", "[1..1000].($a := $; [1..1000].($b := $; [1..1000].($a + $b + $)))", "LG-LIMIT-ARENA"),
            ("a sort that always swaps", "$sort([1..100000], function($a, $b) { true })", "LG-LIMIT-COST"),
            ("a sort that never decides", "$sort([1..1000], function($a, $b) { $random() > 0.5 })", "ends"),
            ("a sort of mixed things", "$sort([1, \"a\", null])", "D3070"),
            ("distinct of a million", "$count($distinct([1..1000000]))", "LG-LIMIT-ARENA"),
            ("groups of a million", "[1..1000000]{$string($): $}", "LG-LIMIT-ARENA"),
            ("merge of a million", "$merge($map([1..1000000], function($v) { {$string($v): $v} }))", "LG-LIMIT-ARENA"),
            ("a regular expression that backtracks", "$match(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\", /(a+)+$/)", "ends"),
            ("alternatives that backtrack", "$contains($join($map([1..3000], function($i) { \"a\" })), /(a|aa)+b/)", "ends"),
            ("a counted repetition of a counted one", "$contains(s, /((a{1,1000}){1,1000}){1,1000}/)", "LG-EXPR-REGEX"),
            ("a look behind", "$contains(s, /(?<=a)b/)", "LG-EXPR-REGEX"),
            ("a back reference", "$contains(s, /(a)\\1/)", "LG-EXPR-REGEX"),
            ("an empty pattern", "$split(s, //)", "S0301"),
            ("replacing nothing by more", "$replace($join($map([1..10000], function($i) { \"ab\" })), \"\", \"x\")", "D3010"),
            ("replacing all by much", "$replace($join($map([1..5000], function($i) { \"a\" })), \"a\", $join($map([1..5000], function($i) { \"b\" })))", "LG-LIMIT-ARENA"),
            ("a replacer that calls itself", "($r := function($m) { $replace(\"ab\", /a/, $r) }; $replace(\"ab\", /a/, $r))", "U1001"),
            ("a matcher that never moves", "$match(s, function($t) { {\"match\": \"\", \"start\": 0, \"end\": 0, \"groups\": [], \"next\": function() { {\"match\": \"\", \"start\": 0, \"end\": 0, \"groups\": [], \"next\": 1} }} })", "T1006"),
            ("eval", "$eval(\"1\")", "LG-EXPR-EVAL"),
            ("secrets", "$secrets.key", "LG-FLOW-ARGUMENT"),
            ("authorization", "$authorization.parameter", "LG-FLOW-ARGUMENT"),
            ("an unknown function", "$system(\"rm\")", "LG-FLOW-ARGUMENT"),
            ("a wildcard of everything", "**.**.**.**", "ends"),
            ("descendants of a large range", "{\"a\": [1..100000]}.**.**", "LG-LIMIT-ARENA"),
            ("a parent beyond the root", "a.%.%.%", "S0217"),
            ("a number too large", "1e308 * 10", "D1001"),
            ("a number of ten thousand digits", "$number(\"1\" & $pad(\"\", 10000, \"0\"))", "D3030"),
            ("division by zero", "1 / 0", "D1001"),
            ("the root of a negative number", "$sqrt(-1)", "D3060"),
            ("a power too large", "$power(10, 1000)", "D3061"),
            ("an assertion", "$assert(false, \"no\")", "D3141"),
            ("an error", "$error(\"no\")", "D3137"),
            ("a function as a value", "function($x) { $x }", "LG-FUNCTION-IN-SLOT"),
            ("a function deep in a value", "{\"a\": [{\"b\": $sum}]}", "LG-FUNCTION-IN-SLOT"),
            ("a clock picture of a megabyte", "$now($pad(\"\", 1000000, \"[Y0001]\"))", "D3135"),
            ("a number picture of digits", "$formatNumber(1, $pad(\"\", 100000, \"0\"))", "ends"),
            ("a base too large", "$formatBase(1, 99)", "D3100"),
            ("base64 that is none", "$base64decode(\"%%%\")", "ends"),
            ("a url that is none", "$decodeUrl(\"%E0%A4%A\")", "D3140"),
            ("half of a surrogate pair", "$encodeUrl(\"\\ud800\")", "D3140"),
            ("a transform of itself", "$ ~> | ** | {\"a\": $} |", "LG-DEPTH-EXCEEDED"),
            ("a transform by a non object", "$ ~> | o | 1 |", "T2011"),
            ("transforms in transforms", "(o ~> |$|{\"x\": (o ~> |$|{\"y\": 1}|)}|)", "ends"),
            ("spread of a large object", "$spread($merge($map([1..5000], function($v) { {$string($v): $v} })))", "ends"),
            ("each with a bomb", "$each($merge($map([1..3000], function($v) { {$string($v): $v} })), function($v, $k) { [1..3000] })", "ends"),
            ("sift that keeps all", "$sift(o, function($v) { true })", "ends"),
            ("zip of unequal ranges", "$zip([1..100000], [1..3])", "ends"),
            ("shuffle of a million", "$count($shuffle([1..1000000]))", "LG-LIMIT-ARENA"),
            ("a partial application of too much", "($f := $substring(?, ?, ?, ?, ?); $f(1))", "T0410"),
            ("a call of a value", "(1)(2)", "T1006"),
            ("compare a text with a number", "\"a\" < 1", "T2009"),
            ("an object with a key twice", "{\"a\": 1, \"a\": 2}", "D1009"),
            ("a key that is no text", "{1: 2}", "T1003"),
            ("every key of a group the same", "a{\"k\": $, \"k\": 1}", "D1009"),
            ("parse an integer of words", "$parseInteger(\"one hundred\", \"w\")", "ends"),
            ("a picture without an end", "$now(\"[Y\")", "D3135"),
            ("clones of clones", "($d := function($t, $n) { $n = 0 ? $t : $d($clone([$t, $t]), $n - 1) }; $d(1, 40))", "LG-LIMIT-ARENA"),
            ("lookups in a loop", "$map([1..1000000], function($i) { $lookup(o, \"k\") })", "LG-LIMIT-ARENA"),
            ("string of a deep value", "$length($string([1..100000]))", "ends"),
        ]
        .map(set),
    );
    cases
}

/// Task lists that never end, grow, or nest.
fn structures() -> Vec<Case> {
    let set = "set: { a: 1 }";
    let nested = |depth: usize| {
        (0..depth).map(|n| format!("{}- t{n}:\n{0}    do:\n", " ".repeat(n * 8 + 2))).collect::<String>()
            + &format!("{}- last: {{ {set} }}\n", " ".repeat(depth * 8 + 2))
    };
    let many = |count: usize, task: &str| (0..count).map(|n| format!("  - t{n}: {{ {task} }}\n")).collect::<String>();
    vec![
        tasks("a task that jumps to itself", &format!("  - t: {{ {set}, then: t }}\n"), "LG-LIMIT-COST"),
        tasks(
            "two tasks in a ring",
            &format!("  - a: {{ {set}, then: b }}\n  - b: {{ {set}, then: a }}\n"),
            "LG-LIMIT-COST",
        ),
        tasks("a ring that grows", "  - a: { set: { v: '${ [v, v, 1] }' }, then: a }\n", "LG-LIMIT-ARENA"),
        tasks(
            "a ring that grows flat",
            "  - a: { set: { v: '${ $append(v, [1..1000]) }' }, then: a }\n",
            "LG-LIMIT-COST",
        ),
        tasks("a ring that grows a text", "  - a: { set: { v: '${ v & v & \"x\" }' }, then: a }\n", "LG-LIMIT-ARENA"),
        tasks(
            "a context that grows",
            "  - a: { set: { v: 1 }, export: { as: '${ [$context, $context] }' }, then: a }\n",
            "LG-LIMIT-ARENA",
        ),
        tasks(
            "a context that grows flat",
            "  - a: { set: { v: 1 }, export: { as: '${ {\"t\": $context.t & \"xxxxxxxxxxxxxxxx\" & $context.t} }' }, then: a }\n",
            "LG-LIMIT-ARENA",
        ),
        tasks(
            "a loop of nine million",
            "  - l: { for: { in: '[1..9000000]' }, do: [ t: { set: { a: 1 } } ] }\n",
            "LG-LIMIT-COST",
        ),
        tasks(
            "loops in loops",
            "  - l: { for: { in: '[1..3000]' }, do: [ m: { for: { in: '[1..3000]' }, do: [ t: { set: { a: 1 } } ] } ] }\n",
            "LG-LIMIT-COST",
        ),
        tasks(
            "a loop that never ends its while",
            "  - l: { for: { in: '[1..9000000]' }, while: 'true', do: [ t: { set: { a: 1 } } ] }\n",
            "LG-LIMIT-COST",
        ),
        tasks("a loop of nothing", "  - l: { for: { in: 'nothing' }, do: [ t: { set: { a: 1 } } ] }\n", "ends"),
        tasks(
            "a loop over a function",
            "  - l: { for: { in: '$sum' }, do: [ t: { set: { a: 1 } } ] }\n",
            "LG-FUNCTION-IN-SLOT",
        ),
        tasks("a switch in a ring", "  - s: { switch: [ one: { then: s } ] }\n", "LG-LIMIT-COST"),
        tasks(
            "a jump into another list",
            "  - a: { do: [ b: { set: { x: 1 } } ] }\n  - c: { set: { x: 1 }, then: b }\n",
            "LG-FLOW-THEN",
        ),
        tasks(
            "a task that is never reached",
            "  - a: { set: { x: 1 }, then: end }\n  - b: { set: { x: 1 } }\n",
            "LG-FLOW-UNREACHABLE",
        ),
        tasks("lists thirty deep", &nested(30), "ends"),
        tasks("lists forty deep", &nested(40), "LG-FLOW-DEPTH"),
        tasks("four thousand tasks", &many(4_000, set), "ends"),
        tasks("five thousand tasks", &many(5_000, set), "LG-FLOW-SIZE"),
        tasks("two tasks of one name", &format!("  - a: {{ {set} }}\n  - a: {{ {set} }}\n"), "LG-FLOW-NAME"),
        tasks("a name that is a word", &format!("  - end: {{ {set} }}\n"), "ends"),
        tasks(
            "an event of yesterday",
            "  - e: { emit: { event: { with: { type: a.b, time: yesterday } } } }\n",
            "LG-SCHEMA",
        ),
        tasks("a name of a megabyte", &format!("  - {}: {{ {set} }}\n", "n".repeat(1 << 20)), "LG-YAML-SYNTAX"),
        tasks(
            "a switch of two thousand cases",
            &format!(
                "  - s: {{ switch: [ {} last: {{ then: end }} ] }}\n",
                (0..2_000).map(|n| format!("c{n}: {{ when: 'a[{n}] = -1', then: end }}, ")).collect::<String>()
            ),
            "ends",
        ),
        tasks("a container", "  - a: { run: { container: { image: x } } }\n", "LG-FLOW-REFUSED"),
        tasks("a script", "  - a: { run: { script: { language: js, code: x } } }\n", "LG-FLOW-REFUSED"),
        tasks("a shell", "  - a: { run: { shell: { command: rm } } }\n", "LG-FLOW-REFUSED"),
        tasks(
            "plain http",
            "  - a: { call: http, with: { method: get, endpoint: 'http://169.254.169.254/' } }\n",
            "LG-CALL-ENDPOINT",
        ),
        tasks(
            "a computed origin",
            "  - a: { call: http, with: { method: get, endpoint: '${ \"https://\" & s }' } }\n",
            "LG-CALL-ENDPOINT",
        ),
        tasks(
            "an origin with a password",
            "  - a: { call: http, with: { method: get, endpoint: 'https://u:p@h/' } }\n",
            "LG-CALL-ENDPOINT",
        ),
        tasks(
            "a path that climbs",
            "  - a: { call: http, with: { method: get, endpoint: 'https://h/a/../../x' } }\n",
            "LG-CALL-ENDPOINT",
        ),
        tasks(
            "an authorization header",
            "  - a: { call: http, with: { method: get, endpoint: 'https://h/', headers: { authorization: x } } }\n",
            "LG-FLOW-REFUSED",
        ),
        tasks(
            "a password in a policy",
            "  - a: { call: http, with: { method: get, endpoint: { uri: 'https://h/', authentication: { basic: { username: u, password: p } } } } }\n",
            "LG-FLOW-REFUSED",
        ),
        tasks(
            "a computed account",
            "  - a: { call: https.get:1@default, with: { account: '${ s }', path: / } }\n",
            "LG-CALL-ACCOUNT",
        ),
        tasks(
            "a computed name of a flow",
            "  - a: { run: { workflow: { namespace: h, name: '${ s }', version: 1.0.0 } } }\n",
            "LG-FLOW-VALUE",
        ),
        tasks("a wait without end", "  - a: { wait: P900D }\n", "LG-FLOW-VALUE"),
        tasks("a wait before now", "  - a: { wait: '${ {\"seconds\": -5} }' }\n", "LG-DURATION"),
        tasks("a wait that is computed too long", "  - a: { wait: '${ {\"days\": 100000000} }' }\n", "LG-DURATION"),
        tasks("a wait of months", "  - a: { wait: P1M }\n", "LG-FLOW-VALUE"),
        tasks("a ring of waits", "  - a: { wait: PT1S, then: a }\n", "LG-LIMIT-COST"),
        tasks(
            "loose mode",
            "  - a: { set: { x: 1 } }\nevaluate: { language: jsonata, mode: loose }\n",
            "LG-YAML-DUPLICATE-KEY",
        ),
    ]
}

/// Files that are no flows, or want to be more than a file.
fn files() -> Vec<Case> {
    let file = |name: &str, text: String, expected: &'static str| (name.to_owned(), text, expected);
    let bomb: String = (1..9)
        .map(|n| format!("a{n}: &a{n} [*a{0},*a{0},*a{0},*a{0},*a{0},*a{0},*a{0},*a{0},*a{0}]\n", n - 1))
        .collect();
    vec![
        file("an empty file", String::new(), "LG-WRONG-TYPE"),
        file("a text", "hello".to_owned(), "LG-WRONG-TYPE"),
        file("a list", "- 1\n".to_owned(), "LG-WRONG-TYPE"),
        file("a number", "1".to_owned(), "LG-WRONG-TYPE"),
        file("bytes of nothing", "\0\0\0\0".to_owned(), "LG-YAML-SYNTAX"),
        file("an alias bomb", format!("a0: &a0 [x,x,x]\n{bomb}"), "LG-YAML-ALIAS"),
        file("an alias of itself", "a: &a [*a]\n".to_owned(), "LG-YAML-ALIAS"),
        file("a merge key", "a: &a { x: 1 }\nb: { <<: *a }\n".to_owned(), "LG-YAML-ALIAS"),
        file("a tag", format!("{HEAD}do: !!python/object/apply:os.system [rm]\n"), "LG-YAML-TAG"),
        file("two documents", format!("{HEAD}do: []\n---\n{HEAD}do: []\n"), "LG-YAML-DOCUMENTS"),
        file("brackets without end", "[".repeat(100_000), "LG-YAML-SYNTAX"),
        file("braces without end", "{a: ".repeat(100_000), "LG-YAML-SYNTAX"),
        file("blanks that nest", (0..5_000).map(|n| format!("{}a:\n", " ".repeat(n))).collect(), "LG-YAML-DEPTH"),
        file("a quote without end", format!("{HEAD}do: '"), "LG-YAML-SYNTAX"),
        file("a tab that indents", "a:\n\tb: 1\n".to_owned(), "LG-YAML-SYNTAX"),
        file("a key twice", format!("{HEAD}do: []\ndo: []\n"), "LG-FLOW-VALUE"),
        file("an unknown key", format!("{HEAD}do: [a: {{ set: {{ x: 1 }} }}]\nhooks: []\n"), "LG-UNKNOWN-KEY"),
        file("no tasks", format!("{HEAD}do: []\n"), "LG-FLOW-VALUE"),
        file(
            "no document",
            "do: [a: { set: { x: 1 } }]\nevaluate: { language: jsonata }\n".to_owned(),
            "LG-MISSING-KEY",
        ),
        file(
            "another language",
            HEAD.replace("jsonata", "javascript") + "do: [a: { set: { x: 1 } }]\n",
            "LG-FLOW-LANGUAGE",
        ),
        file(
            "another version of the language",
            HEAD.replace("1.0.3", "9.0.0") + "do: [a: { set: { x: 1 } }]\n",
            "LG-FLOW-VALUE",
        ),
        file(
            "a name that climbs",
            HEAD.replace("name: f,", "name: '../../etc/passwd',") + "do: [a: { set: { x: 1 } }]\n",
            "LG-FLOW-VALUE",
        ),
        file(
            "another file's name",
            HEAD.replace("name: f,", "name: g,") + "do: [a: { set: { x: 1 } }]\n",
            "LG-PROJECT-NAME",
        ),
        file(
            "a schedule every moment",
            format!("{HEAD}schedule: {{ every: PT0S }}\ndo: [a: {{ set: {{ x: 1 }} }}]\n"),
            "LG-FLOW-VALUE",
        ),
        file("a million blanks", format!("{HEAD}do: [a: {{ set: {{ x: 1 }} }}]\n{}", "\n".repeat(1_000_000)), "ends"),
        file(
            "a comment of a megabyte",
            format!("# {}\n{HEAD}do: [a: {{ set: {{ x: 1 }} }}]\n", "c".repeat(1 << 20)),
            "ends",
        ),
        file(
            "a constant of a megabyte",
            format!("{HEAD}do: [a: {{ set: {{ x: {} }} }}]\n", "v".repeat(1 << 20)),
            "ends",
        ),
    ]
}

/// Branches, and loops whose rounds run at once.
fn branches() -> Vec<Case> {
    let branch =
        |count: usize, task: &str| (0..count).map(|n| format!("          - b{n}: {{ {task} }}\n")).collect::<String>();
    let fork = |name: &str, branches: &str, more: &str, expected: &'static str| {
        tasks(name, &format!("  - f:\n      fork:\n{more}        branches:\n{branches}"), expected)
    };
    let rounds = |name: &str, items: &str, metadata: &str, task: &str, expected: &'static str| {
        tasks(
            name,
            &format!(
                "  - l:\n      for: {{ in: '{items}' }}\n      metadata: {{ {metadata} }}\n      do: [ t: {{ {task} }} ]\n"
            ),
            expected,
        )
    };
    vec![
        fork("two thousand branches", &branch(2_000, "set: { a: 1 }"), "", "ends"),
        fork("two thousand branches that wait", &branch(2_000, "wait: PT1H"), "", "ends"),
        fork("two thousand branches that race", &branch(2_000, "wait: PT1H"), "        compete: true\n", "ends"),
        fork(
            "branches of endless loops",
            &branch(20, "set: { a: 1 }, then: exit")
                .replace("b19: { set: { a: 1 }, then: exit }", "b19: { do: [ r: { set: { a: 1 }, then: r } ] }"),
            "",
            "LG-LIMIT-COST",
        ),
        fork("branches of bombs", &branch(50, "set: { a: '${ $map([1..100000], $string) }' }"), "", "LG-LIMIT-ARENA"),
        fork(
            "a race that all lose",
            &branch(50, "raise: { error: { type: 'https://h/x', status: 422 } }"),
            "        compete: true\n",
            "LG-RAISED",
        ),
        fork("a branch that jumps to another", &branch(2, "set: { a: 1 }, then: b1"), "", "LG-FLOW-THEN"),
        fork("no branches", "          []\n", "", "LG-FLOW-VALUE"),
        rounds("nine million rounds at once", "[1..9000000]", "concurrency: 1000", "set: { a: 1 }", "LG-LIMIT-COST"),
        rounds("a thousand rounds that wait", "[1..1000]", "concurrency: 1000", "wait: PT1H", "ends"),
        rounds(
            "rounds that all fail",
            "[1..1000]",
            "errors: collect",
            "raise: { error: { type: 'https://h/x', status: 422 } }",
            "ends",
        ),
        rounds(
            "rounds whose results grow",
            "[1..1000]",
            "concurrency: 10",
            "set: { a: '${ [1..10000].(\"x\" & $) }' }",
            "LG-LIMIT-ARENA",
        ),
        rounds(
            "batches of a million",
            "[1..9000000]",
            "batch: 1000000",
            "set: { n: '${ $count($item) }' }",
            "LG-LIMIT-ARENA",
        ),
        rounds("too many at once", "[1]", "concurrency: 1000000", "set: { a: 1 }", "LG-FLOW-VALUE"),
        tasks(
            "rounds in rounds in rounds",
            "  - l:\n      for: { in: '[1..100]' }\n      metadata: { concurrency: 100 }\n      do:\n        - m:\n            for: { in: '[1..100]' }\n            metadata: { concurrency: 100 }\n            do:\n              - n:\n                  for: { in: '[1..100]' }\n                  metadata: { concurrency: 100 }\n                  do: [ t: { wait: PT1H } ]\n",
            "LG-LIMIT-BRANCHES",
        ),
    ]
}

/// Errors that are raised, caught, retried and raised again.
fn errors() -> Vec<Case> {
    let raise = "raise: { error: { type: 'https://h/x', status: 422 } }";
    let attempt = |name: &str, inner: &str, catch: &str, expected: &'static str| {
        tasks(name, &format!("  - t:\n      try: [ r: {{ {inner} }} ]\n      catch: {{ {catch} }}\n"), expected)
    };
    let nested = |depth: usize| {
        let mut text = format!("[ r: {{ {raise} }} ]");
        for n in 0..depth {
            text = format!("[ t{n}: {{ try: {text}, catch: {{ do: [ again: {{ {raise} }} ] }} }} ]");
        }
        format!("{HEAD}do: {text}\n")
    };
    let mut cases = vec![
        attempt("retries without end", raise, "retry: {}", "LG-LIMIT-COST"),
        attempt("retries with a delay without end", raise, "retry: { delay: PT1H }", "LG-LIMIT-COST"),
        attempt(
            "retries that double a day",
            raise,
            "retry: { delay: P1D, backoff: { exponential: {} }, limit: { attempt: { count: 60 } } }",
            "LG-RAISED",
        ),
        attempt("a billion retries", raise, "retry: { limit: { attempt: { count: 1000000000 } } }", "LG-LIMIT-COST"),
        attempt("a handler that fails", raise, "do: [ f: { set: { a: '${ 1 + \"a\" }' } } ]", "T2002"),
        attempt(
            "a handler that raises again",
            raise,
            "as: e, do: [ f: { raise: { error: { type: 'https://h/y', status: 500, detail: '${ $e.detail }' } } } ]",
            "LG-RAISED",
        ),
        attempt("a condition that fails", raise, "when: '1 + \"a\"', do: [ f: { set: { a: 1 } } ]", "T2002"),
        attempt(
            "a bomb inside",
            "set: { a: '${ $map([1..9000000], $string) }' }",
            "do: [ f: { set: { a: 1 } } ]",
            "LG-LIMIT-ARENA",
        ),
        attempt(
            "a limit is not caught",
            "set: { a: '${ $pad(\"x\", 1000000000) }' }",
            "do: [ f: { set: { a: 1 } } ]",
            "LG-LIMIT-ARENA",
        ),
        attempt(
            "too deep is caught",
            "set: { a: '${ ($f := function($x) { 1 + $f($x) }; $f(1)) }' }",
            "do: [ f: { set: { a: 1 } } ]",
            "ends",
        ),
        attempt(
            "an error of a megabyte",
            "raise: { error: { type: 'https://h/x', status: 422, detail: '${ $pad(\"x\", 1000000) }' } }",
            "do: [ f: { set: { a: 1 } } ]",
            "ends",
        ),
        tasks(
            "a status that is none",
            "  - t: { raise: { error: { type: 'https://h/x', status: 99 } } }\n",
            "LG-FLOW-VALUE",
        ),
        tasks("an error that is not there", "  - t: { raise: { error: none } }\n", "LG-FLOW-REFERENCE"),
        tasks(
            "a ring of catches",
            &format!("  - t:\n      try: [ r: {{ {raise} }} ]\n      catch: {{ then: t }}\n"),
            "LG-LIMIT-COST",
        ),
        tasks(
            "a timeout of nothing",
            "  - t: { do: [ r: { set: { a: 1 }, then: r } ], timeout: { after: PT0.05S } }\n",
            "LG-LIMIT-COST",
        ),
        tasks(
            "a schema bomb",
            "  - t: { input: { schema: { document: { $ref: '#' } } }, set: { a: 1 } }\n",
            "LG-TYPE-LOOP",
        ),
        tasks(
            "a schema that is none",
            "  - t: { input: { schema: { document: { type: 7 } } }, set: { a: 1 } }\n",
            "LG-TYPE-VALUE",
        ),
        tasks(
            "an input that is not of its schema",
            "  - t: { input: { schema: { document: { type: array } } }, set: { a: 1 } }\n",
            "LG-SCHEMA",
        ),
    ];
    cases.push(("tries in tries, thirty deep".to_owned(), nested(15), "LG-RAISED"));
    cases.push(("tries in tries, a hundred deep".to_owned(), nested(100), "LG-YAML-DEPTH"));
    cases
}
