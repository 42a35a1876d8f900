//! Expressions of the jq profile, here and in the program jq (Debian package `jq`).
//!
//! `LOCKGATE_SEED`, `LOCKGATE_CASES` and `LOCKGATE_CASE` as for `differential`. Each expression is asked for all
//! its outputs, and for what a flow takes: the first. Drawn is what all releases of jq since 1.6 agree on.

use std::env;
use std::io::Write as _;
use std::process::{Command, Stdio};

use lockgate_proof::bench::{Answer, Bench};
use lockgate_proof::random::Random;
use serde_json::Value;

/// Cases of a run on every push, and of a long one.
const CASES: u64 = 400;
const CASES_LONG: u64 = 20_000;
/// Parts of an expression.
const PARTS_MAX: usize = 14;

/// What jq gives for each document: its outputs, or none where it fails. None of all where it does not compile.
fn theirs(expression: &str, documents: &[String]) -> Option<Vec<Option<Vec<Value>>>> {
    let program = format!("try [true, [{expression}]] catch [false]");
    let mut jq = Command::new("jq")
        .args(["-c", &program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it has read everything.
    let _ = jq.stdin.take().unwrap().write_all(documents.join("\n").as_bytes());
    let output = jq.wait_with_output().unwrap();
    if output.status.code() == Some(3) {
        return None;
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<_> = text
        .lines()
        .map(|line| match serde_json::from_str(line).unwrap() {
            Value::Array(answer) => match &answer[..] {
                [Value::Bool(true), Value::Array(outputs)] => Some(outputs.clone()),
                _ => None,
            },
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(answers.len(), documents.len(), "{expression}: {}", String::from_utf8_lossy(&output.stderr));
    Some(answers)
}

/// Numbers are compared as f64: jq before 1.7 knows no others.
fn plain(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64().unwrap()),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, plain(value))).collect(),
        other => other,
    }
}

enum Verdict {
    Value,
    Error,
    Open,
    Different(String),
}

fn compare(bench: &Bench, expression: &str, documents: &[String]) -> Vec<Verdict> {
    let Some(theirs) = theirs(expression, documents) else {
        return vec![Verdict::Open];
    };
    let (all, first) = (format!("[{expression}]"), expression.to_owned());
    let [all, first] = [all, first].map(|text| bench.compile_jq(&text));
    let (Ok(all), Ok(first)) = (&all, &first) else {
        let code = all.err().or(first.err()).unwrap_or_default();
        return vec![Verdict::Different(format!("{expression}\n  refused with {code}"))];
    };
    let mut verdicts = Vec::new();
    for (document, theirs) in documents.iter().zip(theirs) {
        let ours = (bench.run(all, document), bench.run(first, document));
        let shown =
            || Verdict::Different(format!("{expression}\n  on {document}\n  ours   {ours:?}\n  theirs {theirs:?}"));
        let value = |text: &String| plain(serde_json::from_str(text).unwrap());
        verdicts.push(match (&ours, &theirs) {
            ((Answer::Limit(_), _) | (_, Answer::Limit(_)), _) => Verdict::Open,
            ((Answer::Error(code), _), None) if code.starts_with("LG-JQ-") => Verdict::Error,
            ((Answer::Value(all), first), Some(outputs)) => {
                let same_first = match (first, outputs.first()) {
                    (Answer::Undefined, None) => true,
                    (Answer::Value(ours), Some(theirs)) => value(ours) == plain(theirs.clone()),
                    _ => false,
                };
                if same_first && value(all) == plain(Value::from(outputs.clone())) { Verdict::Value } else { shown() }
            }
            _ => shown(),
        });
    }
    verdicts
}

fn available() -> bool {
    let found = Command::new("jq").arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        assert!(env::var_os("CI").is_none(), "the program jq cannot be left out in CI");
        eprintln!("skipped: comparison with jq (there is no program jq; install the package jq)");
    }
    found
}

fn number(name: &str) -> Option<u64> {
    Some(env::var_os(name)?.to_str()?.parse().unwrap_or_else(|e| panic!("{name}: {e}")))
}

fn document(random: &mut Random, depth: usize) -> String {
    let leaf = depth == 0 || random.percent(45);
    if leaf {
        let leaves =
            ["null", "true", "false", "0", "1", "2", "-3", "1.5", "\"\"", "\"a\"", "\"b,c\"", "\"7\"", "\"é\""];
        return random.pick(&leaves).to_owned();
    }
    let count = random.below(4);
    if random.percent(50) {
        let items: Vec<_> = (0..count).map(|_| document(random, depth - 1)).collect();
        return format!("[{}]", items.join(","));
    }
    let fields: Vec<_> = ["a", "b", "c", "d"]
        .iter()
        .take(count)
        .map(|name| format!("\"{name}\":{}", document(random, depth - 1)))
        .collect();
    format!("{{{}}}", fields.join(","))
}

/// Draws expressions; `left` bounds their parts. A `?` behind an expression stands in an array: jq 1.6 passes over
/// errors of what comes behind it as well.
struct Draw<'r> {
    random: &'r mut Random,
    left: usize,
    variables: usize,
}

impl Draw<'_> {
    fn leaf(&mut self) -> String {
        let leaves = [
            ".",
            ".",
            ".a",
            ".b",
            ".c",
            ".a.b",
            ".[0]",
            ".[-1]",
            ".[]?",
            ".a?",
            ".[]",
            ".[1:]",
            ".[:1]",
            ".b[]?",
            "null",
            "1",
            "2",
            "\"a\"",
            "\"x\"",
            "true",
            "false",
            "[]",
            "{}",
            "..",
            "empty",
            "length",
            "keys",
            "add",
            "type",
            "not",
            "tostring",
            "first",
            "last",
            "any",
            "all",
            "to_entries",
            "[tonumber?]",
            "[1,2]",
            "{a:1}",
        ];
        if self.variables > 0 && self.random.percent(25) {
            return format!("$v{}", self.random.below(self.variables));
        }
        self.random.pick(&leaves).to_owned()
    }

    /// An expression that can stand anywhere.
    fn expression(&mut self) -> String {
        if self.left == 0 || self.random.percent(20) {
            return self.leaf();
        }
        self.left -= 1;
        match self.random.below(25) {
            0..=3 => format!("({} | {})", self.expression(), self.expression()),
            4 => format!("({}, {})", self.expression(), self.expression()),
            5 => format!("({} // {})", self.expression(), self.expression()),
            6 | 7 => {
                let operator = self.random.pick(&["+", "+", "-", "*"]).to_owned();
                format!("({} {operator} {})", self.expression(), self.expression())
            }
            8 => {
                let operator = self.random.pick(&["==", "!=", "<", "<=", ">", ">="]).to_owned();
                format!("({} {operator} {})", self.expression(), self.expression())
            }
            9 => {
                let operator = self.random.pick(&["and", "or"]).to_owned();
                format!("({} {operator} {})", self.expression(), self.expression())
            }
            10 | 11 => format!("[{}]", self.expression()),
            12 => format!("{{a: ({}), \"b\": ({})}}", self.expression(), self.expression()),
            13 => format!("{{(({}) | tostring): ({})}}", self.expression(), self.leaf()),
            14 => format!("if {} then {} else {} end", self.expression(), self.expression(), self.expression()),
            15 => format!("if {} then {} elif {} then 1 else . end", self.leaf(), self.expression(), self.leaf()),
            16 => format!("map({})", self.expression()),
            17 => format!("select({})", self.expression()),
            // From an array: an error behind the first output of some forms is told here, and not there (docs/jq.md).
            18 => format!("first([{}][])", self.expression()),
            19 => format!("\"<\\({}) \\({})>\"", self.expression(), self.leaf()),
            20 => format!("[({})?]", self.expression()),
            21 => format!("({} | .[({} | tostring)])", self.expression(), self.leaf()),
            22 => {
                let source = self.expression();
                self.variables += 1;
                let body = self.expression();
                self.variables -= 1;
                format!("({source} as $v{} | {body})", self.variables)
            }
            23 => {
                let name = self.random.pick(&["has", "join"]).to_owned();
                format!("{name}({})", self.leaf())
            }
            _ => format!("-({})", self.leaf()),
        }
    }
}

#[test]
fn random_expressions_give_what_jq_gives() {
    if !available() {
        return;
    }
    let bench = Bench::new();
    let seed = number("LOCKGATE_SEED").unwrap_or(1);
    let cases =
        number("LOCKGATE_CASES").unwrap_or(if env::var_os("LOCKGATE_LONG").is_some() { CASES_LONG } else { CASES });
    let one = number("LOCKGATE_CASE");
    let (mut values, mut errors, mut open, mut different) = (0, 0, 0, Vec::new());
    for case in one.map_or(0..cases, |one| one..one + 1) {
        let mut random = Random::new(seed, case);
        let documents: Vec<_> = (0..4).map(|_| document(&mut random, 3)).collect();
        let expression = Draw { random: &mut random, left: PARTS_MAX, variables: 0 }.expression();
        for verdict in compare(&bench, &expression, &documents) {
            match verdict {
                Verdict::Value => values += 1,
                Verdict::Error => errors += 1,
                Verdict::Open => open += 1,
                Verdict::Different(shown) => different.push(format!("case {case}: {shown}")),
            }
        }
        if different.len() > 8 {
            break;
        }
    }
    eprintln!("seed {seed}: {values} values, {errors} errors, {open} not compared");
    assert!(different.is_empty(), "seed {seed}:\n{}", different.join("\n"));
    // A generator that draws nothing but errors proves nothing.
    assert!(one.is_some() || values * 3 > errors && open * 20 < values, "{values} {errors} {open}");
}

#[test]
fn picked_expressions_give_what_jq_gives() {
    if !available() {
        return;
    }
    let bench = Bench::new();
    let documents = [
        "null",
        "true",
        "3",
        "\"a,b\"",
        "[]",
        "[1,[2,null],{\"a\":false},\"x\"]",
        r#"{"a":{"b":[1,2,3]},"b":"x","c":null,"d":[{"n":1,"s":"p"},{"n":2,"s":"q"}]}"#,
        r#"{"a":[3,1],"key":"k","value":{"é":1}}"#,
    ]
    .map(str::to_owned);
    let picked = [
        ".a.b.c",
        ".a[\"b\"]",
        ".a?.b?",
        ".[\"a\",\"b\"]?",
        ".[0:2]",
        ".[-2:]",
        ".[:-1]?",
        ".[1:2][0]?",
        "[..]",
        "[.. | .a?]",
        "\"abc\"[1:2]",
        "{a, b}?",
        "{\"a b\": 1, \"c\\(1+1)\": 2}",
        "{a: 1 | 2, b: -1}",
        "[{a: (1,2), b: (3,4)}]",
        "{(\"a\",\"b\"): 1}",
        "[(1,2) + (10,20)]",
        "[(1,2) - (10,20) * 2]",
        "[\"\\(1,2) \\(3,4)\"]",
        "1 + 2 * 3 - 4 % 3",
        "10 / 4",
        "[7 % 3, -7 % 3, 7 % -3]",
        ". / \",\"",
        "\"x\" * 3",
        "\"x\" * 0",
        "{a: {b: 1}} * {a: {c: 2}}",
        "[1,2,1] - [1]",
        "null + 1",
        "[] + null",
        "{} + {a: 1}",
        ". + 1",
        ". == .",
        "[1] == [1.0]",
        "{a:1,b:2} == {b:2,a:1}",
        "[null < false, false < true, true < 0, 0 < \"\", \"\" < [], [] < {}]",
        "{a:2,b:1} < {a:1,c:1}",
        "\"a\" < \"B\"",
        "[1,2] < [1,3]",
        ". < 1",
        "[(true,false) or (true,false)]",
        "[(true,false) and (true,false)]",
        "null and 1",
        "0 and \"\"",
        "[(false,1,null,2) // 3]",
        "[(false,null) // (3,4)]",
        "empty // 1",
        "false // false",
        "(1,2) // 3",
        ".a // .b // \"z\"",
        "if .a then 1 else 2 end",
        "[if (true,false) then 1,2 else 3 end]",
        "if empty then 1 else 2 end",
        "if . == null then \"n\" elif . == true then \"t\" else \"o\" end",
        "1 as $x | 2 as $y | [$x, $y, $x + $y]",
        "[(1,2) as $x | (3,4) as $y | [$x,$y]]",
        "1 as $x | (2 as $x | $x), $x",
        "[1 as $x | 2, $x]",
        "1 + . as $x | 5",
        ". as $x | [$x]",
        "[.[]? as $x | [$x]]",
        "length",
        "[.[]? | length?]",
        "keys",
        "has(\"a\")",
        "has(0)",
        "map(.)",
        "map(. + 1)",
        "map(select(.))",
        "add",
        "any",
        "all",
        "any(. == 1)",
        "all(. == 1)",
        "any(.[]?; .)",
        "[any(1,2; . > 1), all(1,2; . > 1)]",
        "tostring",
        "tonumber",
        "\"12\" | tonumber",
        "\"-1.5e2\" | tonumber",
        "\"a\" | tonumber",
        "type",
        "[.[]? | type]",
        "join(\",\")",
        "[\"a\",1,null,true] | join(\"-\")",
        "[] | join(\",\")",
        "[[1]] | join(\",\")",
        "[\"a\",\"b\"] | join(\",\",\";\")",
        "split(\",\")",
        "\"\" | split(\",\")",
        "\"abc\" | split(\"\")",
        "first",
        "last",
        "first(.[]?)",
        "[first(empty)]",
        "last(1,2,3)",
        "[last(1, 2)]",
        "to_entries",
        "select(type == \"object\") | to_entries | from_entries",
        "[{key: \"a\", value: 1}] | from_entries",
        "[{name: \"a\", value: 1}] | from_entries",
        "not",
        "[.[]? | not]",
        "empty",
        "[empty]",
        "[1, empty, 2]",
        "-(1)",
        "-.a",
        "[1,2] | -.[0]",
        "..",
        "[.[]?, 1]",
        ".[]?.a?",
        "[.d[]? | select(.n > 1) | .s]",
        "[.d[]? | {(.s): .n}] | add",
        "[.d[]? | \"\\(.s)=\\(.n)\"] | join(\"&\")",
        "\"\\u00e9\\n\\\"\" | length",
        "[1,[2]] | tostring",
        "[.[] | keys]?",
        "[(.[] | keys)?]",
        "[.a[]?]",
        ".a.b[1]?",
        ". as $d | .a? as $a | [$d, $a] | length",
        "(.a | .b)?",
        "1?",
        "[1,2,3] | .[1:] | .[0]",
        "[[1,2],[3,4]] | .[][0]",
        "[[1,2],[3,4]] | [.[][]] | add",
        "{a:1}.a",
        "[1,2][0]",
        "(1,2 | . + 1)",
        "[1,2 | . + 1, 5]",
        "{if: 1, then: 2}.if",
        "[true, false, null] | map(not)",
        "1 == 1 and 2 == 2",
    ];
    let mut different = Vec::new();
    let mut values = 0;
    for expression in picked {
        for verdict in compare(&bench, expression, &documents) {
            match verdict {
                Verdict::Different(shown) => different.push(shown),
                Verdict::Value => values += 1,
                Verdict::Error => {}
                Verdict::Open => panic!("{expression} is not compared"),
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(values > 500, "{values}");
}
