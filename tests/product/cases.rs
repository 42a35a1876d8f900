//! Flows without a server: `lockgate run --local` and `lockgate test`.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use lockgate_testkit::{
    TempDir,
    process::{Running, program},
    workspace_root,
};
use serde_json::{Value, json};

use crate::house::with_input;

fn lockgate(arguments: &[&str], input: &str) -> Output {
    with_input(Command::new(program()).args(arguments), input)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const HEAD: &str = "document: { dsl: '1.0.3', namespace: test, name: orders, version: '1.0.0' }\nevaluate: { language: jsonata }\ndo:\n";
const SEND: &str = "  - send: { call: 'https.post:1@default', with: { account: erp, path: '${ \"/orders/\" & id }', body: '${ $ }' } }\n  - reply: { set: { id: '${ body.id }' } }\n";
const PROJECT: &str = "project: shop\naccounts:\n  erp: { connector: https, operations: [post] }\n";
const DONE: &str = "  - answer: { status: 201, headers: {}, body: { id: E-7 } }\n";

/// A folder of files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = lockgate_testkit::temp_dir();
    for (name, text) in files {
        write(folder.path(), name, text);
    }
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn flow(tasks: &str) -> String {
    format!("{HEAD}{tasks}")
}

fn named(path: PathBuf) -> String {
    path.into_os_string().into_string().unwrap()
}

/// The JSON of one line on standard error.
fn fault(output: &Output) -> Value {
    let line = text(&output.stderr);
    assert_eq!(line.lines().count(), 1, "{line}");
    serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"))
}

#[test]
fn what_cannot_be_run_here_is_refused() {
    let folder = folder(&[("orders.flow.yaml", &flow(SEND)), ("notes.txt", "")]);
    let (file, other) = (named(folder.path().join("orders.flow.yaml")), named(folder.path().join("notes.txt")));
    for arguments in [
        vec!["run"],
        vec!["run", "orders"],
        vec!["run", "orders", "--local", &file],
        vec!["run", "--local", &file, "--env", "live"],
        vec!["run", "orders", "--env", "live", "--mocks", &other],
        vec!["run", "orders", "--env", "live", "--trace"],
        vec!["run", "--local", &other],
        vec!["run", "--local", "/nonexistent/x.flow.yaml"],
        vec!["run", "--local", &file, "--input", "/nonexistent"],
        vec!["run", "--local", &file, "--mocks", "/nonexistent"],
        // Standard error is no terminal: values would go to a file.
        vec!["run", "--local", &file, "--trace"],
    ] {
        let refused = lockgate(&arguments, "{}");
        assert_eq!(
            (refused.status.code(), text(&refused.stdout).as_str()),
            (Some(2), ""),
            "{arguments:?}: {refused:?}"
        );
    }
    let no_json = lockgate(&["run", "--local", &file], "{\"a\": }");
    assert!(no_json.status.code() == Some(1) && text(&no_json.stderr).contains("input:1:7"), "{no_json:?}");
    write(folder.path(), "mocks.yaml", "erp.post:\n  - { expect: { path: /x }, answer: {} }\n");
    let mocks = named(folder.path().join("mocks.yaml"));
    let refused = lockgate(&["run", "--local", &file, "--mocks", &mocks], "{}");
    let shown = text(&refused.stderr);
    assert!(
        refused.status.code() == Some(1) && shown.contains("LG-CASE-VALUE") && shown.contains("mocks.yaml:2:7"),
        "{shown}"
    );
}

#[test]
fn an_output_that_cannot_be_written_is_an_error_object_too() {
    let folder = folder(&[("orders.flow.yaml", &flow("  - a: { set: '${ {\"a\": {\"a\": {\"a\": $}}} }' }\n"))]);
    let file = named(folder.path().join("orders.flow.yaml"));
    let deep = format!("{}1{}", "{\"a\":".repeat(127), "}".repeat(127));
    let failed = lockgate(&["run", "--local", &file], &deep);
    assert_eq!((failed.status.code(), text(&failed.stdout).as_str()), (Some(1), ""));
    let error = fault(&failed);
    assert_eq!(error["code"], "LG-DEPTH-EXCEEDED", "{error}");
    assert!(error["type"].as_str().unwrap().ends_with("/runtime"), "{error}");
    assert_eq!((&error["status"], &error["instance"]), (&json!(500), &json!("/output")), "{error}");
}

#[test]
fn problems_of_what_a_flow_needs_are_shown_as_by_check() {
    let maps = "  - a: { call: 'map.total:1@default', with: { input: '${ $ }' } }\n  - b: { set: '${ 1 + }' }\n";
    let folder = folder(&[
        ("orders.flow.yaml", &flow(maps)),
        ("total.map.yaml", "mapping: total\nversion: 1\nrules: [{ to: a, form: b }]\n"),
        ("other.flow.yaml", "not: [a flow\n"),
        ("cases/orders/1.yaml", "oops: 1\n"),
    ]);
    let file = named(folder.path().join("orders.flow.yaml"));
    let refused = lockgate(&["run", "--local", &file], "{}");
    let shown = text(&refused.stderr);
    assert_eq!((refused.status.code(), text(&refused.stdout).as_str()), (Some(1), ""));
    for part in ["S0207", "orders.flow.yaml:5:", "LG-MAP-KEY", "total.map.yaml:3:"] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
    assert!(!shown.contains("other.flow.yaml") && !shown.contains("cases/"), "only what it needs:\n{shown}");
    // With a project around it, accounts must be declared there.
    write(folder.path(), "orders.flow.yaml", &flow(SEND));
    write(folder.path(), "project.yaml", "project: shop\n");
    let refused = lockgate(&["run", "--local", &file], "{}");
    assert!(text(&refused.stderr).contains("LG-UNKNOWN-ACCOUNT"), "{refused:?}");
}

#[test]
fn a_fault_is_the_standards_error_and_a_call_without_mock_is_one() {
    let folder = folder(&[("orders.flow.yaml", &flow(SEND))]);
    let file = named(folder.path().join("orders.flow.yaml"));
    let failed = lockgate(&["run", "--local", &file], r#"{"id": 1}"#);
    assert_eq!((failed.status.code(), text(&failed.stdout).as_str()), (Some(1), ""));
    let error = fault(&failed);
    let kind = "https://open-workflow-specification.org/dsl/errors/types/configuration";
    assert_eq!(
        (&error["type"], &error["status"], &error["instance"]),
        (&kind.into(), &400.into(), &"/do/0/send".into())
    );
    assert!(error["title"].is_string() && error["detail"].as_str().unwrap().contains("`erp`"), "{error}");
    write(
        folder.path(),
        "orders.flow.yaml",
        &flow("  - a: { raise: { error: { type: 'https://example.org/mine', status: 418, title: tea } } }\n"),
    );
    let raised = fault(&lockgate(&["run", "--local", &file], ""));
    assert_eq!(
        (&raised["status"], &raised["title"], &raised["instance"]),
        (&418.into(), &"tea".into(), &"/do/0/a".into())
    );
}

#[test]
fn a_flow_runs_from_its_file() {
    let folder = folder(&[
        ("orders.flow.yaml", &flow(SEND)),
        ("mocks.yaml", &format!("erp.post:\n{DONE}")),
        ("in.json", r#"{"id": 9007199254740993}"#),
    ]);
    let at = |name: &str| named(folder.path().join(name));
    let (file, mocks, input) = (at("orders.flow.yaml"), at("mocks.yaml"), at("in.json"));
    let ran = lockgate(&["run", "--local", &file, "--mocks", &mocks, "--input", &input], "");
    assert_eq!(
        (ran.status.code(), text(&ran.stdout).as_str(), text(&ran.stderr).as_str()),
        (Some(0), "{\"id\":\"E-7\"}\n", "")
    );
    // `-` is standard input; digits are kept; a file in this folder needs no folder.
    write(folder.path(), "orders.flow.yaml", &flow("  - a: { set: '${ id }' }\n"));
    for arguments in
        [vec!["run", "--local", "orders.flow.yaml", "--input", "-"], vec!["run", "--local", "orders.flow.yaml"]]
    {
        let mut here = Command::new(program());
        let ran = with_input(here.args(&arguments).current_dir(folder.path()), r#"{"id": 9007199254740993}"#);
        assert_eq!((ran.status.code(), text(&ran.stdout).as_str()), (Some(0), "9007199254740993\n"), "{ran:?}");
    }
    // Undefined is no output.
    let ran = lockgate(&["run", "--local", &file], "");
    assert_eq!((ran.status.code(), ran.stdout.len(), ran.stderr.len()), (Some(0), 0, 0), "{ran:?}");
}

#[test]
fn a_trace_shows_what_goes_in_and_out_on_a_terminal() {
    let folder = folder(&[("orders.flow.yaml", &flow(SEND)), ("mocks.yaml", &format!("erp.post:\n{DONE}"))]);
    let at = |name: &str| named(folder.path().join(name));
    write(folder.path(), "in.json", &format!(r#"{{"id": "{}\u009b31m"}}"#, "x".repeat(150)));
    let line = format!(
        "'{}' run --local '{}' --mocks '{}' --input '{}' --trace < /dev/null",
        program().display(),
        at("orders.flow.yaml"),
        at("mocks.yaml"),
        at("in.json")
    );
    let mut command = Command::new("script");
    let ran = with_input(command.args(["-qec", &line, "/dev/null"]).env("NO_COLOR", "1"), "");
    let shown = text(&ran.stdout);
    let places: Vec<_> = [
        "/do/0/send",
        "  in     {\"id\":\"xxx",
        "  call   https.post {\"path\":\"/orders/xxx",
        "  out    {\"status\":201",
        "/do/1/reply",
        "  out    {\"id\":\"E-7\"}",
    ]
    .iter()
    .map(|part| shown.find(part).unwrap_or_else(|| panic!("`{part}` is not in:\n{shown}")))
    .collect();
    assert!(places.is_sorted(), "{places:?} of\n{shown}");
    assert!(shown.contains('…') && !shown.contains('\u{9b}'), "cut and harmless:\n{shown}");
}

#[test]
fn a_trace_tells_branches_and_rounds_apart() {
    let tasks = "  - f: { fork: { branches: [{ p: { set: { p: 1 } } }, { q: { set: { q: 2 } } }] } }\n  - l:\n      for: { each: n, in: '${ [1, 2] }' }\n      metadata: { concurrency: 2 }\n      do: [{ a: { set: { i: '${ $n }' } } }]\n      output: { as: '${ $count($) }' }\n";
    let folder = folder(&[("orders.flow.yaml", &flow(tasks))]);
    let file = named(folder.path().join("orders.flow.yaml"));
    let line = format!("'{}' run --local '{file}' --trace < /dev/null", program().display());
    let mut command = Command::new("script");
    let ran = with_input(command.args(["-qec", &line, "/dev/null"]).env("NO_COLOR", "1"), "");
    let shown = text(&ran.stdout).replace('\r', "");
    for part in [
        "/do/0/f/fork/branches/0/p\n  in     nothing\n  out    {\"p\":1}\n",
        "/do/0/f/fork/branches/1/q\n  in     nothing\n  out    {\"q\":2}\n",
        "/do/0/f\n  out    [{\"p\":1},{\"q\":2}]\n",
        "/do/1/l/do/0/a\n  in     [{\"p\":1},{\"q\":2}]\n  out    {\"i\":1}\n",
        "  out    {\"i\":2}\n",
        "/do/1/l\n  out    2\n",
    ] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
}

#[test]
fn a_trace_takes_one_task_at_a_time_for_who_has_a_keyboard() {
    let three = "  - one: { set: { n: 1 } }\n  - two: { wait: { hours: 1 } }\n  - three: { set: { n: 3 } }\n";
    let folder = folder(&[("orders.flow.yaml", &flow(three)), ("in.json", "{}")]);
    let at = |name: &str| named(folder.path().join(name));
    let (file, input) = (at("orders.flow.yaml"), at("in.json"));
    let line = format!("'{}' run --local '{file}' --input '{input}' --trace", program().display());
    let stepped = |keys: &str| {
        let mut command = Command::new("script");
        let ran = with_input(command.args(["-qec", &line, "/dev/null"]).env("NO_COLOR", "1"), keys);
        let shown = text(&ran.stdout);
        let asked = shown.matches("Enter goes on").count();
        (
            ran.status.code(),
            asked,
            shown.contains("/do/1/two"),
            shown.contains("/do/2/three"),
            shown.contains("{\"n\":3}"),
        )
    };
    // Who ends it, or is gone, sees nothing more and gets no output.
    assert_eq!(stepped("q\n"), (Some(1), 1, false, false, false));
    assert_eq!(stepped("\nq\n"), (Some(1), 2, true, false, false));
    assert_eq!(stepped(""), (Some(1), 1, false, false, false));
    // What is no key is asked again; the hour is over at once.
    assert_eq!(stepped("x\n\n\n"), (Some(0), 3, true, true, true));
    assert_eq!(stepped("c\n"), (Some(0), 1, true, true, true));
}

const CASE: &str = "input: { id: 1 }\nmocks:\n  erp.post:\n    - expect: { path: /orders/1, body: { id: 1 } }\n      answer: { status: 201, headers: {}, body: { id: E-7 } }\nexpect: { output: { id: E-7 } }\n";

fn project(cases: &[(&str, &str)]) -> TempDir {
    let mut files = vec![("project.yaml", PROJECT)];
    let orders = flow(SEND);
    files.push(("orders.flow.yaml", &orders));
    files.extend(cases);
    folder(&files)
}

fn report(folder: &TempDir, arguments: &[&str]) -> (Value, Option<i32>) {
    let at = named(folder.path().to_owned());
    let ran = lockgate(&[&["--json", "test", &at], arguments].concat(), "");
    let value = serde_json::from_slice(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
    (value, ran.status.code())
}

#[test]
fn nothing_to_test_is_told_apart_from_nothing_that_failed() {
    let folder = project(&[("cases/orders/one.yaml", CASE)]);
    let at = |name: &str| named(folder.path().join(name));
    for arguments in [vec!["test", "/nonexistent"], vec!["test", "/"], vec!["test", &at("project.yaml")]] {
        assert_eq!(lockgate(&arguments, "").status.code(), Some(2), "{arguments:?}");
    }
    let none = lockgate(&["test", &at(""), "--filter", "two"], "");
    assert_eq!(none.status.code(), Some(2), "{none:?}");
    write(folder.path(), "cases/orders/two.yaml", "expects: 1\n");
    let problems = lockgate(&["test", &at("")], "");
    assert!(problems.status.code() == Some(1) && text(&problems.stderr).contains("LG-UNKNOWN-KEY"), "{problems:?}");
    let bare = project(&[]);
    let (value, code) = report(&bare, &[]);
    assert_eq!((code, &value["passed"], &value["without_cases"][0]["flow"]), (Some(0), &0.into(), &"orders".into()));
}

#[test]
fn what_differs_is_told_with_its_place() {
    let wrong = CASE
        .replace("output: { id: E-7 }", "output: { id: E-8, more: true }")
        .replace("body: { id: 1 }", "body: { id: 2 }");
    let more = "    - { answer: 1 }\n    - { expect: { path: /again }, answer: 1 }\nexpect: { output";
    let unused = CASE.replace("expect: { output", more);
    let no_mock = "input: { id: 1 }\nexpect: { output: 1 }\n";
    let expected_error = CASE.replace("expect: { output: { id: E-7 } }", "expect: { error: { status: 500 } }");
    let folder = project(&[
        ("cases/orders/a-wrong.yaml", &wrong),
        ("cases/orders/b-unused.yaml", &unused),
        ("cases/orders/c-no-mock.yaml", no_mock),
        ("cases/orders/d-no-error.yaml", &expected_error),
        ("cases/orders/e-nothing.yaml", &CASE.replace("expect: { output: { id: E-7 } }", "expect: nothing")),
        ("cases/orders/f-right.yaml", CASE),
    ]);
    let (value, code) = report(&folder, &[]);
    assert_eq!((code, &value["failed"], &value["passed"]), (Some(1), &5.into(), &1.into()), "{value:#}");
    let cases = value["cases"].as_array().unwrap();
    let told = |i: usize| {
        let all = cases[i]["differences"].as_array().unwrap();
        all.iter()
            .map(|d| {
                format!(
                    "{} {} {} {}",
                    d["of"].as_str().unwrap(),
                    d["path"].as_str().unwrap(),
                    d["expected"],
                    d["actual"]
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(told(0), ["erp.post, call 1 /body/id 2 1", "output /id \"E-8\" \"E-7\"", "output /more true null"]);
    assert_eq!(told(1), ["erp.post, call 3  {\"path\":\"/again\"} null"]);
    assert_eq!(cases[1]["notes"], json!(["the mock of erp.post, call 2 was not used"]));
    assert!(told(2)[0].starts_with("error  null {") && told(2)[0].contains("LG-NO-MOCK"), "{:?}", told(2));
    assert_eq!(cases[2]["notes"], json!(["/do/0/send calls `erp.post`, for which there is no mock"]));
    assert_eq!(told(3), ["error  {\"status\":500} null"]);
    assert_eq!(told(4), ["output  null {\"id\":\"E-7\"}"]);
    assert_eq!((&cases[5]["passed"], &cases[5]["notes"]), (&true.into(), &json!([])));

    let shown = text(&lockgate(&["test", &named(folder.path().to_owned())], "").stdout);
    for part in [
        "FAILED orders/a-wrong\n",
        "         output /id\n           expected \"E-8\"\n           actual   \"E-7\"\n",
        "ok     orders/f-right\n",
        "6 cases: 5 FAILED",
    ] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
    assert!(!shown.contains('\u{1b}'), "no colour off a terminal: {shown:?}");
    let line = format!("'{}' test '{}'", program().display(), folder.path().display());
    let ran = with_input(Command::new("script").args(["-qec", &line, "/dev/null"]).env_remove("NO_COLOR"), "");
    let shown = text(&ran.stdout);
    assert!(ran.status.code() == Some(1) && shown.contains("\u{1b}[31;1mFAILED\u{1b}[0m orders/a-wrong"), "{shown}");
}

#[test]
fn cases_are_chosen_by_place_and_name() {
    let folder =
        project(&[("cases/orders/one.yaml", CASE), ("cases/orders/two.yaml", &format!("title: the other\n{CASE}"))]);
    let at = |name: &str| named(folder.path().join(name));
    let ran = |arguments: &[&str]| {
        let ran = lockgate(&[&["--json", "test"], arguments].concat(), "");
        let value: Value = serde_json::from_slice(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
        value["cases"]
            .as_array()
            .unwrap()
            .iter()
            .map(|case| case["case"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ran(&[&at("")]), ["one", "two"]);
    assert_eq!(ran(&[&at("cases/orders/two.yaml")]), ["two"]);
    assert_eq!(ran(&[&at("cases/orders")]), ["one", "two"]);
    assert_eq!(ran(&[&at("orders.flow.yaml")]), ["one", "two"]);
    assert_eq!(ran(&[&at(""), "--filter", "orders/one"]), ["one"]);
    assert_eq!(ran(&[&at(""), "--filter", "the other"]), ["two"]);
}

#[test]
fn a_report_for_build_servers_is_xml_whatever_is_in_it() {
    let title = "title: \"<&\\\"> \\x01\"\n";
    let odd = format!("{title}{}", CASE.replace("{ id: E-7 }\n", "{ id: \"<&\\\">\\u0001\\x7f\" }\n"));
    let odd = odd.replace("expect: { output: { id: E-7 } }", "expect: { output: { id: \"]]>&\\u0001\" } }");
    let folder = project(&[("cases/orders/one.yaml", CASE), ("cases/orders/two.yaml", &odd)]);
    let reports = lockgate_testkit::temp_dir();
    let file = named(reports.path().join("report.xml"));
    let ran = lockgate(&["test", &named(folder.path().join("cases")), "--junit", &file], "");
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let xml = std::fs::read_to_string(&file).unwrap();
    assert!(xml.contains("<testsuite name=\"shop.orders\" tests=\"2\" failures=\"1\" errors=\"0\""), "{xml}");
    let read = lockgate(&["eval", "--input", "xml", "testsuites.testsuite.testcase[1].failure"], &xml);
    assert!(read.status.success() && text(&read.stdout).contains("expected"), "{read:?}\n{xml}");
    let among = named(folder.path().join("report.xml"));
    let refused = lockgate(&["test", &named(folder.path().join("cases")), "--junit", &among], "");
    assert!(refused.status.code() == Some(2) && !Path::new(&among).exists(), "{refused:?}");
    let below = named(folder.path().join("target/reports/junit.xml"));
    lockgate(&["test", &named(folder.path().join("cases")), "--junit", &below], "");
    assert_eq!(std::fs::read_to_string(&below).unwrap().matches("<testcase").count(), 2);
    // Where nothing can be run a build server must not see the report of the run before.
    write(folder.path(), "orders.flow.yaml", "do: [");
    let broken = lockgate(&["test", &named(folder.path().join("cases")), "--junit", &file], "");
    assert_eq!(broken.status.code(), Some(1), "{broken:?}");
    let xml = std::fs::read_to_string(&file).unwrap();
    assert!(xml.contains("errors=\"1\"") && !xml.contains("shop.orders"), "{xml}");
    let read = lockgate(&["eval", "--input", "xml", "testsuites.testsuite.testcase.error.`#text`"], &xml);
    assert!(read.status.success(), "{read:?}\n{xml}");
    let unwritable = lockgate(&["test", &named(folder.path().join("cases")), "--junit", "/dev/null/x"], "");
    assert!(unwritable.status.code() == Some(1) && text(&unwritable.stderr).contains("LG-IO"), "{unwritable:?}");
}

#[test]
fn time_is_virtual_and_begins_where_the_case_says() {
    let tasks = "  - a:\n      try: [{ send: { call: 'https.post:1@default', with: { account: erp, path: / } } }]\n      catch: { retry: { delay: P1D, limit: { attempt: { count: 3 } } } }\n  - b: { set: { now: '${ $now() }' } }\n";
    let case = "now: '2026-11-22T10:00:00Z'\nmocks:\n  erp.post:\n    - error: { type: communication, status: 503 }\n    - error: { type: communication, status: 503 }\n    - answer: {}\nexpect: { output: { now: '2026-11-24T10:00:00.000Z' } }\n";
    let folder =
        folder(&[("project.yaml", PROJECT), ("orders.flow.yaml", &flow(tasks)), ("cases/orders/1.yaml", case)]);
    let (value, code) = report(&folder, &[]);
    assert_eq!(code, Some(0), "two days pass at once: {value:#}");
    write(folder.path(), "cases/orders/1.yaml", &case.replace("T10:00:00Z'\nm", "'\nm"));
    let refused = lockgate(&["test", &named(folder.path().to_owned())], "");
    assert!(text(&refused.stderr).contains("LG-CASE-VALUE"), "{refused:?}");
}

#[test]
fn tasks_that_no_case_enters_are_listed() {
    let tasks = "  - choose: { switch: [{ big: { when: '${ n > 5 }', then: big } }, { other: { then: small } }] }\n  - big: { set: '${ \"big\" }', then: end }\n  - small: { set: '${ \"small\" }' }\n";
    let folder = folder(&[
        ("project.yaml", "project: shop\n"),
        ("orders.flow.yaml", &flow(tasks)),
        ("cases/orders/1.yaml", "input: { n: 1 }\nexpect: { output: small }\n"),
    ]);
    let at = named(folder.path().to_owned());
    let shown = text(&lockgate(&["test", &at], "").stdout);
    assert!(shown.contains("orders: 2 of 3 tasks entered\n") && !shown.contains("/do/1/big"), "{shown}");
    let shown = text(&lockgate(&["test", &at, "--coverage"], "").stdout);
    assert!(shown.contains("  not entered: /do/1/big\n"), "{shown}");
    write(folder.path(), "cases/orders/2.yaml", "input: { n: 9 }\nexpect: { output: big }\n");
    let (value, code) = report(&folder, &[]);
    assert_eq!((code, &value["coverage"][0]["missing"]), (Some(0), &json!([])), "{value:#}");
}

#[test]
fn rules_that_give_nothing_are_listed() {
    let map = "mapping: total\nversion: 1\nrules:\n  - { to: id, from: id }\n  - { to: note, from: text, when: express }\n  - to: 'lines[]'\n    each: items\n    rules:\n      - { to: sku, from: sku }\n      - { to: place, lookup: { table: places, key: at }, default: 'other' }\n";
    let folder = folder(&[
        ("project.yaml", "project: shop\n"),
        ("total.map.yaml", map),
        ("tables/places.json", "{\"A\": \"Aachen\"}"),
        ("orders.flow.yaml", &flow("  - map: { call: 'map.total:1@default', with: { input: '${ $ }' } }\n")),
        ("cases/orders/1.yaml", "input: { id: 1, text: x }\nexpect: { output: { id: 1, lines: [] } }\n"),
    ]);
    let missing = || {
        let (value, code) = report(&folder, &[]);
        assert_eq!(code, Some(0), "{value:#}");
        let coverage = &value["coverage"][0];
        let all = coverage["rules_missing"].as_array().unwrap();
        assert_eq!(coverage["rules"].as_u64().unwrap(), coverage["gave"].as_u64().unwrap() + all.len() as u64);
        all.iter()
            .map(|rule| format!("{}:{} {}", rule["file"].as_str().unwrap(), rule["line"], rule["to"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        missing(),
        ["total.map.yaml:5 note", "total.map.yaml:6 lines[]", "total.map.yaml:9 sku", "total.map.yaml:10 place"]
    );
    let shown = text(&lockgate(&["test", &named(folder.path().to_owned()), "--coverage"], "").stdout);
    assert!(
        shown.contains("1 of 1 tasks entered, 1 of 5 rules gave something\n  gave nothing: total.map.yaml:5 note\n"),
        "{shown}"
    );
    let two = "input: { text: x, express: true, items: [{ at: A }] }\nexpect: { output: { note: x, lines: [{ place: Aachen }] } }\n";
    write(folder.path(), "cases/orders/2.yaml", two);
    assert_eq!(missing(), ["total.map.yaml:9 sku"]);
}

/// A flow of this name.
fn flow_of(name: &str, tasks: &str) -> String {
    flow(tasks).replace("name: orders", &format!("name: {name}"))
}

/// What runs a flow.
fn run(name: &str, more: &str) -> String {
    format!("{{ run: {{ workflow: {{ namespace: test, name: {name}, version: latest }}{more} }} }}")
}

#[test]
fn a_flow_below_that_cannot_run_is_refused_with_its_place() {
    let orders = flow(&format!("  - check: {}\n", run("check", "")));
    let folder = folder(&[("orders.flow.yaml", &orders)]);
    let at = |name: &str| named(folder.path().join(name));
    let ran = |input: &str| lockgate(&["run", "--local", &at("orders.flow.yaml")], input);
    assert!(text(&ran("{}").stderr).contains("LG-UNKNOWN-FLOW"), "{:?}", ran("{}"));
    // What is wrong below is wrong with the whole.
    write(folder.path(), "check.flow.yaml", &flow_of("check", "  - a: { set: '${ 1 + }' }\n"));
    assert!(text(&ran("{}").stderr).contains("check.flow.yaml:4:"), "{:?}", ran("{}"));
    // One that runs itself ends as it does on a server, and one that calls has no connector here either.
    write(folder.path(), "check.flow.yaml", &flow_of("check", &format!("  - again: {}\n", run("check", ""))));
    assert_eq!(fault(&ran("{}"))["code"], "LG-LIMIT-RUNS");
    write(folder.path(), "check.flow.yaml", &flow_of("check", SEND));
    let error = fault(&ran("{}"));
    assert_eq!((&error["code"], &error["instance"]), (&json!("LG-NO-MOCK"), &json!("/do/0/check")), "{error}");
    // A mock for what another flow calls.
    write(folder.path(), "project.yaml", PROJECT);
    write(folder.path(), "cases/orders/1.yaml", "mocks: { check/erp.get: [ { answer: 1 } ] }\nexpect: nothing\n");
    let refused = text(&lockgate(&["test", &named(folder.path().to_owned())], "").stderr);
    assert!(refused.contains("LG-CASE-VALUE") && refused.contains("calls of `check`: `erp.post`"), "{refused}");
}

#[test]
fn flows_below_run_from_their_files() {
    let orders = flow(&format!("  - check: {}\n  - tell: {}\n", run("check", ""), run("tell", ", await: false")));
    let folder = folder(&[
        ("orders.flow.yaml", &orders),
        (
            "check.flow.yaml",
            &flow_of("check", &format!("  - deep: {}\n  - n: {{ set: {{ n: '${{ n + 1 }}' }} }}\n", run("deep", ""))),
        ),
        ("deep.flow.yaml", &flow_of("deep", "  - n: { set: { n: '${ n * 2 }' } }\n")),
        ("tell.flow.yaml", &flow_of("tell", &format!("  - w: {{ wait: {{ milliseconds: 50 }} }}\n{SEND}"))),
        ("unrelated.flow.yaml", "not: [a flow\n"),
    ]);
    let file = named(folder.path().join("orders.flow.yaml"));
    let ran = lockgate(&["run", "--local", &file], r#"{"n": 20}"#);
    assert_eq!((ran.status.code(), text(&ran.stdout).as_str()), (Some(0), "{\"n\":41}\n"), "{ran:?}");
    assert!(text(&ran.stderr).contains("`tell` that nobody waited for failed: LG-NO-MOCK in `/do/1/send`"), "{ran:?}");
    // In a case they run too, and what they call takes its own mocks.
    write(folder.path(), "unrelated.flow.yaml", &flow_of("unrelated", "  - a: { set: { a: 1 } }\n"));
    write(folder.path(), "project.yaml", PROJECT);
    let case = format!(
        "input: {{ n: 20, id: 7 }}\nmocks:\n  tell/erp.post:\n  - expect: {{ path: /orders/7 }}\n{}expect: {{ output: {{ n: 41 }} }}\n",
        DONE.replace("  - answer", "    answer")
    );
    write(folder.path(), "cases/orders/1.yaml", &case);
    let (value, code) = report(&folder, &[]);
    assert_eq!(
        (code, &value["cases"][0]["differences"]),
        (
            Some(1),
            &json!([{ "of": "tell/erp.post, call 1", "path": "/path", "expected": "/orders/7", "actual": "/orders/" }])
        ),
        "{value:#}"
    );
    write(folder.path(), "cases/orders/1.yaml", &case.replace("/orders/7", "/orders/"));
    let (value, code) = report(&folder, &[]);
    assert_eq!((code, &value["cases"][0]["notes"]), (Some(0), &json!([])), "{value:#}");
    let entered = |flow: &str| {
        let all = value["coverage"].as_array().unwrap();
        all.iter().find(|one| one["flow"] == flow).map(|one| (one["tasks"].clone(), one["entered"].clone()))
    };
    for (flow, tasks) in [("orders", 2), ("check", 2), ("deep", 1), ("tell", 3)] {
        assert_eq!(entered(flow), Some((json!(tasks), json!(tasks))), "{flow}: {value:#}");
    }
    assert_eq!(entered("unrelated"), None);
    // A mock for a flow as a whole comes before it.
    let mocked =
        "mocks: { run.check: [ { answer: { n: 0 } } ], run.tell: [ { answer: {} } ] }\nexpect: { output: { n: 0 } }\n";
    write(folder.path(), "cases/orders/1.yaml", mocked);
    let (value, code) = report(&folder, &[]);
    assert_eq!((code, value["coverage"].as_array().unwrap().len()), (Some(0), 1), "{value:#}");
}

#[test]
fn rules_of_flows_below_are_counted() {
    let map = "mapping: total\nversion: 1\nrules:\n  - { to: id, from: id }\n  - { to: note, from: text }\n";
    let folder = folder(&[
        ("project.yaml", "project: shop\n"),
        ("total.map.yaml", map),
        ("orders.flow.yaml", &flow(&format!("  - below: {}\n", run("below", "")))),
        ("below.flow.yaml", &flow_of("below", "  - map: { call: 'map.total:1@default', with: { input: '${ $ }' } }\n")),
        ("cases/orders/1.yaml", "input: { id: 1 }\nexpect: { output: { id: 1 } }\n"),
    ]);
    let shown = text(&lockgate(&["test", &named(folder.path().to_owned()), "--coverage"], "").stdout);
    assert!(
        shown.contains(
            "below: 1 of 1 tasks entered, 1 of 2 rules gave something\n  gave nothing: total.map.yaml:5 note\n"
        ),
        "{shown}"
    );
}

#[test]
fn watching_runs_again_when_a_file_changes_and_ends_on_ctrl_c() {
    let folder = project(&[("cases/orders/one.yaml", CASE)]);
    let mut command = Command::new(program());
    command.args(["--json", "test", "--watch", &named(folder.path().to_owned())]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::start(&mut command);
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next()["failed"], 0);
    write(
        folder.path(),
        "cases/orders/two.yaml",
        &CASE
            .replace("E-7 } }\n", "E-8 } }\n")
            .replace("headers: {}, body: { id: E-8 } }", "headers: {}, body: { id: E-7 } }"),
    );
    assert_eq!(next()["failed"], 1);
    // Problems in the sources end nothing.
    write(folder.path(), "cases/orders/two.yaml", "oops: 1\n");
    let mut errors = BufReader::new(running.0.stderr.take().unwrap()).lines();
    assert!(errors.next().unwrap().unwrap().contains("LG-UNKNOWN-KEY"));
    std::fs::remove_file(folder.path().join("cases/orders/two.yaml")).unwrap();
    assert_eq!(next()["failed"], 0);
    assert!(Command::new("kill").args(["-INT", &running.0.id().to_string()]).status().unwrap().success());
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_new_project_and_the_shipped_ones_pass_their_cases() {
    let folder = lockgate_testkit::temp_dir();
    assert!(lockgate(&["new", "neat", "--in", &named(folder.path().to_owned())], "").status.success());
    let mut here = Command::new(program());
    let ran = with_input(here.arg("test").current_dir(folder.path().join("neat")), "");
    assert!(ran.status.success() && text(&ran.stdout).contains("all ok"), "{ran:?}");
    let shipped = workspace_root().join("orchestrations");
    let mut projects: Vec<String> = std::fs::read_dir(shipped).unwrap().map(|e| named(e.unwrap().path())).collect();
    projects.sort();
    assert!(projects.len() >= 3);
    let arguments: Vec<&str> = ["--json", "test"].into_iter().chain(projects.iter().map(String::as_str)).collect();
    let ran = lockgate(&arguments, "");
    let value: Value = serde_json::from_slice(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
    assert_eq!((ran.status.code(), &value["failed"]), (Some(0), &0.into()), "{value:#}");
    assert_eq!(value["without_cases"], json!([]), "an orchestration ships without cases");
    for case in value["cases"].as_array().unwrap() {
        assert_eq!(case["notes"], json!([]), "{case:#}");
    }
    for flow in value["coverage"].as_array().unwrap() {
        assert_eq!(flow["missing"], json!([]), "{flow:#}");
    }
}
