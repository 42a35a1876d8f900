//! What authors have without any server.

use std::process::Command;

use lockgate_testkit::process::program;

use crate::house::with_input;

fn lockgate(arguments: &[&str], input: &str) -> std::process::Output {
    with_input(Command::new(program()).args(arguments), input)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_broken_project_shows_all_its_problems_with_their_places() {
    let folder = lockgate_testkit::temp_dir();
    let made = lockgate(&["new", "broken", "--in", folder.path().to_str().unwrap()], "");
    assert!(made.status.success(), "{made:?}");
    let project = folder.path().join("broken");
    let flow = project.join("broken.flow.yaml");
    let good = std::fs::read_to_string(&flow).unwrap();
    std::fs::write(&flow, good.replace("map.greeting", "map.greetin").replace("$length(greeting)", "$length(greeting"))
        .unwrap();
    let map = project.join("greeting.map.yaml");
    let rules = std::fs::read_to_string(&map).unwrap();
    std::fs::write(&map, rules.replace("default:", "defaut:")).unwrap();
    let checked = lockgate(&["check", project.to_str().unwrap()], "");
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    let shown = text(&checked.stderr);
    for part in ["broken.flow.yaml:", "greeting.map.yaml:", "greetin", "defaut", "^"] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
    let json = lockgate(&["--json", "check", project.to_str().unwrap()], "");
    let value: serde_json::Value = serde_json::from_slice(&json.stderr).unwrap();
    let problems = value["error"]["problems"].as_array().unwrap();
    assert!(problems.len() >= 3, "{value}");
    assert!(problems.iter().all(|p| p["line"].as_u64() >= Some(1) && p["column"].as_u64() >= Some(1)), "{value}");
}

#[test]
fn a_file_that_is_no_text_is_one_problem_among_the_others() {
    let folder = lockgate_testkit::temp_dir();
    assert!(lockgate(&["new", "latin", "--in", folder.path().to_str().unwrap()], "").status.success());
    let project = folder.path().join("latin");
    let flow = project.join("latin.flow.yaml");
    let good = std::fs::read_to_string(&flow).unwrap();
    std::fs::write(&flow, good.replace("$length", "$eval")).unwrap();
    let map = project.join("greeting.map.yaml");
    let mut rules = std::fs::read(&map).unwrap();
    rules.extend(b"# Stra\xdfe\n");
    std::fs::write(&map, &rules).unwrap();
    let line = rules.iter().filter(|b| **b == b'\n').count();
    std::fs::write(project.join("sample.json"), b"\"\xff\"").unwrap();
    for command in ["check", "build", "push"] {
        let checked = lockgate(&[command, project.to_str().unwrap()], "");
        assert_eq!(checked.status.code(), Some(1), "{checked:?}");
        let shown = text(&checked.stderr);
        let bad = format!("error[LG-SOURCE-UTF8]: this is no text in UTF-8\n --> greeting.map.yaml:{line}:7\n");
        for part in [bad.as_str(), "sample.json:1:2", "error[LG-EXPR-EVAL]", "3 problems"] {
            assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
        }
    }
}

#[test]
fn a_new_project_checks_builds_and_maps() {
    let folder = lockgate_testkit::temp_dir();
    assert!(lockgate(&["new", "hello", "--in", folder.path().to_str().unwrap()], "").status.success());
    let project = folder.path().join("hello");
    let checked = lockgate(&["check", project.to_str().unwrap()], "");
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    assert!(text(&checked.stdout).contains("hello does not stream: no call has `stream: true`"), "{checked:?}");
    let build = || lockgate(&["--json", "build", project.to_str().unwrap()], "");
    let (one, two) = (build(), build());
    assert!(one.status.success(), "{one:?}");
    assert_eq!(one.stdout, two.stdout, "two builds differ");
    let sample = std::fs::read_to_string(project.join("sample.json")).unwrap();
    let mapped = lockgate(&["map", project.join("greeting.map.yaml").to_str().unwrap()], &sample);
    assert_eq!(text(&mapped.stdout).trim(), r#"{"greeting":"Hello, Ada Lovelace!","language":"en"}"#, "{mapped:?}");
}

#[test]
fn a_mapping_is_held_to_the_types_beside_it() {
    let folder = lockgate_testkit::temp_dir();
    assert!(lockgate(&["new", "hello", "--in", folder.path().to_str().unwrap()], "").status.success());
    let project = folder.path().join("hello");
    let map = project.join("greeting.map.yaml");
    let good = std::fs::read_to_string(&map).unwrap();
    std::fs::write(&map, good.replace("& last", "& lsat")).unwrap();
    let schema = project.join("types/greeting.json");
    std::fs::write(&schema, "{\n  \"type\": \"objekt\"\n}\n").unwrap();
    let mapped = lockgate(&["map", map.to_str().unwrap()], "{}");
    let checked = lockgate(&["check", project.to_str().unwrap()], "");
    for (output, file, types) in [
        (mapped, map.to_str().unwrap(), schema.to_str().unwrap()),
        (checked, "greeting.map.yaml", "types/greeting.json"),
    ] {
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let shown = text(&output.stderr);
        let wrong = format!("error[LG-MAP-SOURCE]: the type `person` has no `lsat` here\n --> {file}:7:54\n");
        for part in [
            wrong.as_str(),
            "did you mean `last`?",
            &format!("--> {types}:2:11\n"),
            "there is no type `objekt`",
            "2 problems",
        ] {
            assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
        }
    }
    std::fs::remove_file(&schema).unwrap();
    let mapped = lockgate(&["map", map.to_str().unwrap()], "{}");
    assert!(text(&mapped.stderr).contains("error[LG-MAP-TYPE]: there is no document type `greeting`"), "{mapped:?}");
}

/// A mapping file that doubles `a`.
fn doubling(folder: &std::path::Path) -> String {
    let file = folder.join("double.map.yaml");
    std::fs::write(&file, "mapping: double\nversion: 1\nrules:\n  - { to: b, from: a * 2 }\n").unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_line_that_cannot_be_mapped_is_reported_with_its_number_and_the_others_follow() {
    let folder = lockgate_testkit::temp_dir();
    let file = doubling(folder.path());
    let documents = "{\"a\":1}\n\n{\"a\":2,}\n{\"a\":\"x\"}\n{\"a\":5}\n";
    let mapped = lockgate(&["map", &file, "--lines"], documents);
    assert_eq!(mapped.status.code(), Some(1), "{mapped:?}");
    assert_eq!(text(&mapped.stdout), "{\"b\":2}\n{\"b\":10}\n");
    let shown = text(&mapped.stderr);
    assert!(shown.contains("--> standard input:3:8\n") && shown.contains("\n3 | {\"a\":2,}\n"), "{shown}");
    assert!(shown.contains("T2001") && shown.contains("(of the document on line 4)"), "{shown}");
    assert!(shown.contains("double.map.yaml:4:"), "{shown}");
    let json = lockgate(&["--json", "map", &file, "--lines"], documents);
    let lines: Vec<serde_json::Value> =
        text(&json.stderr).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["error"]["problems"][0]["line"]), (2, &serde_json::json!(3)), "{lines:?}");
}

#[test]
fn output_that_nobody_reads_any_more_ends_quietly() {
    let folder = lockgate_testkit::temp_dir();
    let file = doubling(folder.path());
    let (map, eval) = (["map", &file, "--lines"], ["eval", "--lines"]);
    for (arguments, line) in [(map.as_slice(), "{\"a\":1}\n"), (&eval, "{\"id\":1,\"expr\":\"1\"}\n")] {
        let mut child = Command::new(program())
            .args(arguments)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut input = child.stdin.take().unwrap();
        // The program may end before it has read all of it.
        let _ = std::io::Write::write_all(&mut input, line.repeat(1000).as_bytes());
        drop(input);
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
    }
}

#[test]
fn a_request_that_is_none_is_answered_and_the_later_ones_too() {
    let good = |id: u32| format!("{{\"id\":{id},\"expr\":\"1+1\"}}\n").into_bytes();
    let bad: [&[u8]; 5] = [
        b"{\"id\":1,\"expr\":\"\xff\"}\n",
        b"[1]\n",
        b"{\"expr\":\"1\"}\n",
        b"{\"id\":1,}\n",
        b"{\"id\":1,\"expr\":\"1\",\"depth\":-1}\n",
    ];
    let words = [
        "the line is no UTF-8 from byte 17 on",
        "a request is an object with `id` and `expr`",
        "the request has no `id`",
        "the line is no JSON from column 9 on",
        "`timelimit` and `depth` are whole numbers, and no member stands twice",
    ];
    let mut input = good(0);
    bad.iter().for_each(|line| input.extend(*line));
    input.extend(good(9));
    let mut child = Command::new(program())
        .args(["eval", "--lines"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &input).unwrap();
    let answered = child.wait_with_output().unwrap();
    assert!(answered.status.success(), "{answered:?}");
    let answers: Vec<serde_json::Value> =
        text(&answered.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.first(), Some(&serde_json::json!({"id": 0, "result": 2})));
    assert_eq!(answers.last(), Some(&serde_json::json!({"id": 9, "result": 2})));
    let told: Vec<&str> = answers[1..6].iter().map(|a| a["error"]["message"].as_str().unwrap()).collect();
    assert_eq!(told, words);
}

#[test]
fn what_is_wrong_with_an_input_is_said_in_few_words() {
    let long = format!("{{\"a\":\"{}\" \"b\":1}}", "x".repeat(20 << 20));
    let refused = lockgate(&["eval", "a", "--whole"], &long);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.len() < 1000, "{} bytes", refused.stderr.len());
    assert!(text(&refused.stderr).contains(&format!("standard input:1:{}\n", (20 << 20) + 9)), "{refused:?}");
    let marked = lockgate(&["eval", "a"], "\u{feff}{\"a\":1}");
    assert!(text(&marked.stderr).contains("begins with a byte order mark"), "{marked:?}");
    let nothing = lockgate(&["eval", "-n", "x", "--json"], "");
    assert_eq!((text(&nothing.stdout).as_str(), nothing.status.success()), ("null\n", true));
    // Syntax and run name the place alike.
    for expression in ["1 + ", "1 + \"x\""] {
        let failed = lockgate(&["eval", "-n", expression], "");
        assert!(text(&failed.stderr).contains("--> expression:1:"), "{failed:?}");
    }
    let folder = lockgate_testkit::temp_dir();
    let file = folder.path().join("x.jsonata");
    for expression in ["1 + ", "1 + \"x\""] {
        std::fs::write(&file, expression).unwrap();
        let failed = lockgate(&["eval", "-n", "-f", file.to_str().unwrap()], "");
        assert!(text(&failed.stderr).contains("x.jsonata:1:"), "{failed:?}");
    }
}

#[test]
fn check_tells_which_flows_stream() {
    let folder = lockgate_testkit::temp_dir();
    let accounts =
        "  db: { connector: postgres, operations: [query] }\n  bank: { connector: sftp, operations: [put] }\n";
    std::fs::write(folder.path().join("project.yaml"), format!("project: p\naccounts:\n{accounts}")).unwrap();
    let flow = "document: { dsl: '1.0.3', namespace: n, name: nightly, version: '1.0.0' }\n\
                evaluate: { language: jsonata }\n\
                do:\n  - rows: { call: postgres.query, with: { account: db, sql: select 1, stream: true } }\n\
                \x20 - file: { call: sftp.put, with: { account: bank, path: a.csv, body: '${ $stream }', format: csv } }\n";
    std::fs::write(folder.path().join("nightly.flow.yaml"), flow).unwrap();
    let checked = lockgate(&["check", folder.path().to_str().unwrap()], "");
    let line = "  nightly streams: postgres.query at /do/0/rows into `body` of sftp.put at /do/1/file\n";
    assert!(checked.status.success() && text(&checked.stdout).ends_with(line), "{checked:?}");
    let json = lockgate(&["--json", "check", folder.path().to_str().unwrap()], "");
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(value["streams"][0]["into"]["member"], "body", "{value}");
}

#[test]
fn an_expression_is_evaluated_and_its_errors_have_places() {
    let evaluated = lockgate(&["eval", "$sum(lines.price)"], r#"{"lines":[{"price":2},{"price":3}]}"#);
    assert_eq!(text(&evaluated.stdout), "5\n", "{evaluated:?}");
    let exact = lockgate(&["eval", "id"], r#"{"id":9007199254740993}"#);
    assert_eq!(text(&exact.stdout), "9007199254740993\n", "{exact:?}");
    let failed = lockgate(&["eval", "1 + name"], r#"{"name":"x"}"#);
    assert_eq!(failed.status.code(), Some(1));
    assert!(text(&failed.stderr).contains("T2002") && text(&failed.stderr).contains('^'), "{failed:?}");
    let syntax = lockgate(&["eval", "-n", "1 + "], "");
    assert!(text(&syntax.stderr).contains("S0207"), "{syntax:?}");
    let later = lockgate(&["eval", "-n", "$eval('1')"], "");
    assert!(text(&later.stderr).contains("LG-EXPR-EVAL"), "{later:?}");
    let endless = lockgate(&["eval", "-n", "($f := function($x) { 1 + $f($x) }; $f(1))"], "");
    assert!(text(&endless.stderr).contains("U1001"), "{endless:?}");
    // What is wrong with a picture is said, of the picture.
    for (expression, says) in [
        ("$fromMillis(0, '[q]')", "the picture asks for a component that no time has: \"[q]\""),
        ("$toMillis('x', '[q]')", "the picture asks for a component that no time has: \"[q]\""),
        ("$fromMillis(0, '[Y]', 'CET')", "the time zone must have the form ±HHMM: \"CET\""),
        ("$formatNumber(1, 'a#b#')", "the picture has other characters between its digits: \"a#b#\""),
        ("$formatBase(10, 1)", "the radix must lie between 2 and 36: 10"),
    ] {
        let failed = lockgate(&["eval", "-n", expression], "");
        assert!(text(&failed.stderr).contains(says) && text(&failed.stderr).contains('^'), "{failed:?}");
    }
    // Where the function stands that cannot leave.
    for (expression, place) in [("{'x': [1, {'f': $sum}]}", "(at `x[1].f` of the value)"), ("$sum", "only data can\n")]
    {
        let failed = lockgate(&["eval", "-n", expression], "");
        assert!(
            text(&failed.stderr).contains("LG-FUNCTION-IN-SLOT") && text(&failed.stderr).contains(place),
            "{failed:?}"
        );
    }
}
