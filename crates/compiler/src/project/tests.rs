use std::collections::BTreeMap;

use lockgate_model::Diagnostics;

use super::{Catalog, Exchange, Expect, OperationInfo, Project, Reply, Sources};

const PROJECT: &str = "project: shop\naccounts:\n  erp: { connector: https, operations: [post] }\n";
const FLOW: &str = "document: { dsl: '1.0.3', namespace: test, name: orders, version: '1.0.0' }\nevaluate: { language: jsonata }\ndo:\n  - send: { call: 'https.post:1@default', with: { account: erp, path: /orders, body: '${ $ }' } }\n";

fn sources(files: &[(&str, &str)]) -> Sources {
    let mut all = BTreeMap::from([("project.yaml", PROJECT), ("orders.flow.yaml", FLOW)]);
    all.extend(files.iter().copied());
    Sources(all.into_iter().filter(|(_, text)| !text.is_empty()).map(|(p, t)| (p.to_owned(), t.to_owned())).collect())
}

fn catalog() -> Catalog {
    let operation = |version: &str| OperationInfo {
        version: version.to_owned(),
        idempotent: false,
        constant: Vec::new(),
        takes: None,
        gives: None,
        input: serde_json::Value::Null,
    };
    let https = BTreeMap::from([("get".to_owned(), operation("1")), ("post".to_owned(), operation("1"))]);
    let query = OperationInfo { constant: vec!["sql".to_owned()], ..operation("1") };
    let fixed = ["steps[].sql", "steps[].take"].map(str::to_owned).to_vec();
    let transaction = OperationInfo { constant: fixed, ..operation("1") };
    let load = OperationInfo { constant: vec!["table".to_owned(), "columns".to_owned()], ..operation("1") };
    let postgres = BTreeMap::from([
        ("query".to_owned(), query),
        ("transaction".to_owned(), transaction),
        ("load".to_owned(), load),
    ]);
    Catalog { connectors: BTreeMap::from([("https".to_owned(), https), ("postgres".to_owned(), postgres)]) }
}

fn problems(sources: &Sources, catalog: &Catalog) -> Diagnostics {
    Project::checked(sources, catalog).err().unwrap_or_default()
}

/// Code, file and the text it points at.
fn shown(problems: &Diagnostics, sources: &Sources) -> Vec<(String, String, String)> {
    problems
        .0
        .iter()
        .map(|problem| {
            let span = problem.span.start as usize..problem.span.end as usize;
            let text = sources.0.get(&problem.file).and_then(|text| text.get(span)).unwrap_or("");
            (problem.code.clone(), problem.file.clone(), text.to_owned())
        })
        .collect()
}

fn is(files: &[(&str, &str)], expect: &[(&str, &str, &str)]) {
    let sources = sources(files);
    let found = shown(&problems(&sources, &catalog()), &sources);
    let found: Vec<_> = found.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
    assert_eq!(found, expect);
}

#[test]
fn all_problems_of_all_files_come_at_once() {
    is(
        &[
            ("project.yaml", "project: Shop\nacounts: {}\n"),
            ("orders.flow.yaml", "do: [a: { swtich: 1 }]\n"),
            ("other.flow.yaml", "a: [\n"),
            ("cases/ordres/1.yaml", "expect: { output: 1 }\n"),
            ("tables/t.json", "{\"a\": 1, \"a\": 2}"),
            ("notes.txt", "x"),
        ],
        &[
            ("LG-CASE-VALUE", "cases/ordres/1.yaml", ""),
            ("LG-PROJECT-FILE", "notes.txt", ""),
            ("LG-MISSING-KEY", "orders.flow.yaml", "do: [a: { swtich: 1 }]"),
            ("LG-FLOW-TASK", "orders.flow.yaml", "swtich"),
            ("LG-YAML-SYNTAX", "other.flow.yaml", "["),
            ("LG-PROJECT-VALUE", "project.yaml", "Shop"),
            ("LG-UNKNOWN-KEY", "project.yaml", "acounts"),
            ("LG-YAML-DUPLICATE-KEY", "tables/t.json", "\"a\""),
        ],
    );
}

#[test]
fn no_stage_hides_the_problems_of_another() {
    let head = "document: { dsl: '1.0.3', namespace: test, name: orders, version: '1.0.0' }\nevaluate: { language: jsonata }\ndo:\n";
    let flow = format!(
        "{head}{}",
        r#"  - a: { call: 'https.get:9@default', with: { account: erp, path: '${ $eval(a, b) }' } }
  - b: { call: https.got, with: { path: '${ x + ) }', query: 'a ${ b }' } }
  - c: { set: { d: '${ $eval(a) & /(?=y)/ }', e: ['${ /(?=x)/ }', '${ a{b: $eval(c)} }'], f: '${ $ ~> |a|$eval(b)| }' }, tehn: end }
  - g: { call: map.broken, with: { input: '${ $eval(a) }' } }
"#
    );
    let map = r#"mapping: broken
version: 1
rules:
  - { to: a, from: b }
  - { to: a, from: $eval(b), default: /(?=x)/ }
  - { to: 'list[]', each: $eval(c), default: $eval(d), rules: [{ to: x, lookup: { table: t, key: $eval(k) } }] }
  - { from: $eval() }
  - { to: d, lookup: { table: lost, key: k } }
"#;
    let project = "project: Shop\naccounts:\n  erp: { connector: https, operations: [get, steal] }\n  db: { connector: htps }\ntitle: a\ntitle: b\n";
    is(
        &[
            ("project.yaml", project),
            ("orders.flow.yaml", &flow),
            ("broken.map.yaml", map),
            ("tables/t.json", "[1]"),
            ("tables/u.json", "{"),
        ],
        &[
            ("LG-MAP-TWICE", "broken.map.yaml", "a"),
            ("LG-EXPR-EVAL", "broken.map.yaml", "$eval"),
            ("LG-EXPR-REGEX", "broken.map.yaml", "(?=x)/"),
            ("LG-EXPR-EVAL", "broken.map.yaml", "$eval"),
            ("LG-EXPR-EVAL", "broken.map.yaml", "$eval"),
            ("LG-MAP-TABLE", "broken.map.yaml", "t"),
            ("LG-EXPR-EVAL", "broken.map.yaml", "$eval"),
            ("LG-MAP-MISSING", "broken.map.yaml", "{ from: $eval() }"),
            ("LG-EXPR-EVAL", "broken.map.yaml", "$eval"),
            ("LG-MAP-TABLE", "broken.map.yaml", "lost"),
            ("LG-UNKNOWN-OPERATION", "orders.flow.yaml", "'https.get:9@default'"),
            ("LG-EXPR-EVAL", "orders.flow.yaml", "$eval"),
            ("LG-UNKNOWN-OPERATION", "orders.flow.yaml", "https.got"),
            ("LG-MISSING-KEY", "orders.flow.yaml", "{ path: '${ x + ) }', query: 'a ${ b }' }"),
            ("S0211", "orders.flow.yaml", ")"),
            ("LG-FLOW-EXPRESSION", "orders.flow.yaml", "'a ${ b }'"),
            ("LG-EXPR-EVAL", "orders.flow.yaml", "$eval"),
            ("LG-EXPR-REGEX", "orders.flow.yaml", "(?=y)/"),
            ("LG-EXPR-REGEX", "orders.flow.yaml", "(?=x)/"),
            ("LG-EXPR-EVAL", "orders.flow.yaml", "$eval"),
            ("LG-EXPR-EVAL", "orders.flow.yaml", "$eval"),
            ("LG-UNKNOWN-KEY", "orders.flow.yaml", "tehn"),
            ("LG-EXPR-EVAL", "orders.flow.yaml", "$eval"),
            ("LG-PROJECT-VALUE", "project.yaml", "Shop"),
            ("LG-UNKNOWN-OPERATION", "project.yaml", "steal"),
            ("LG-MISSING-KEY", "project.yaml", "db"),
            ("LG-UNKNOWN-CONNECTOR", "project.yaml", "htps"),
            ("LG-YAML-DUPLICATE-KEY", "project.yaml", "title"),
            ("LG-YAML-SYNTAX", "tables/u.json", "{"),
        ],
    );
}

#[test]
fn a_json_file_is_json() {
    for (text, at, message) in [
        ("{a: 1}", "a", "not valid JSON: key must be a string"),
        ("{\"a\": 1,\n \"b\": é}", "é", "not valid JSON: expected value"),
        ("[1,", ",", "not valid JSON: the text ends too early"),
        ("\u{feff}{}", "\u{feff}", "not valid JSON: it begins with a byte order mark, which JSON does not have"),
    ] {
        for path in ["sample.json", "tables/t.json"] {
            let sources = sources(&[(path, text)]);
            let found = problems(&sources, &catalog());
            assert_eq!(shown(&found, &sources), [("LG-YAML-SYNTAX".to_owned(), path.to_owned(), at.to_owned())]);
            assert_eq!(found.0[0].message, message);
        }
    }
    is(&[("sample.json", "{\t\"a\":\n\t[1.50e3, \"\\u00e9\", null]}\n")], &[]);
}

#[test]
fn what_cannot_be_read_is_not_called_missing_besides() {
    let flow = FLOW.replace("do:\n", "do:\n  - m: { call: map.m, with: { input: 1 } }\n");
    is(
        &[("orders.flow.yaml", &flow), ("m.map.yaml", "rules: [\n"), ("project.yaml", "a: *b\n")],
        &[("LG-YAML-SYNTAX", "m.map.yaml", "["), ("LG-YAML-SYNTAX", "project.yaml", "*")],
    );
    let map = "mapping: m\nversion: 1\nrules:\n  - { to: a, lookup: { table: t, key: k } }\n  - { to: 'l[]', each: b & }\n  - { to: 'l[].c', from: d }\n";
    is(
        &[("m.map.yaml", map), ("tables/t.json", "{")],
        &[("S0207", "m.map.yaml", ""), ("LG-YAML-SYNTAX", "tables/t.json", "{")],
    );
    is(
        &[("project.yaml", "project: shop\naccounts: { erp: { connector: https } }\n")],
        &[("LG-MISSING-KEY", "project.yaml", "erp")],
    );
}

#[test]
fn names_that_nothing_binds_are_refused_with_what_was_meant() {
    let of = |tasks: &str, expect: &[(&str, &str)]| {
        let flow = format!("{}do:\n{tasks}", FLOW.split("do:").next().unwrap());
        let sources = sources(&[("orders.flow.yaml", &flow)]);
        let found = problems(&sources, &catalog());
        let places = shown(&found, &sources);
        let found: Vec<_> = places
            .iter()
            .zip(&found.0)
            .map(|((code, _, at), problem)| {
                assert_eq!(code, "LG-FLOW-ARGUMENT", "{tasks}");
                (at.as_str(), problem.help.as_deref().unwrap_or(""))
            })
            .collect();
        assert_eq!(found, expect, "{tasks}");
    };
    let usable = "usable here: `$context`, `$input`, `$task`, `$workflow`, `$runtime`";
    of("  - a: { set: { b: '${ $contxt.order }' } }\n", &[("$contxt", "did you mean `$context`?")]);
    of("  - a: { set: { b: '${ $wholly(1) }', c: '${ $wholly }' } }\n", &[("$wholly", usable), ("$wholly", usable)]);
    of("  - a: { set: { b: '${ $item }' } }\n", &[("$item", "`$item` exists inside a loop without `each`")]);
    let error = "`$error` exists inside a `catch` without `as`; to fail on purpose, use a `raise` task";
    of("  - a: { set: { b: '${ $error.status }' } }\n", &[("$error", error)]);
    of(
        "  - a: { for: { each: line, in: x }, do: [b: { set: '${ $lin }' }] }\n  - c: { set: '${ $line }' }\n",
        &[("$lin", "did you mean `$line`?"), ("$line", usable)],
    );
    of("  - a: { try: [b: { set: '${ $e }' }], catch: { as: e, do: [c: { set: '${ $e }' }] } }\n", &[("$e", usable)]);
    // Said once, where the expression is read.
    of("  - a: { set: { b: '${ $output }' } }\n", &[("$output", usable)]);
    of(
        "  - a: { for: { in: x }, while: $index < 3, do: [b: { set: '${ ($y := $item; $sum($y) & $context) }' }] }\n  - c: { try: [d: { set: { e: 1 } }], catch: { when: $error.status = 1, retry: { when: $error.f } } }\n",
        &[],
    );
}

#[test]
fn a_project_needs_its_file() {
    is(
        &[("project.yaml", "")],
        &[("LG-UNKNOWN-ACCOUNT", "orders.flow.yaml", "erp"), ("LG-PROJECT-FILE", "project.yaml", "")],
    );
    assert!(Project::parse(&Sources::default()).is_err());
}

#[test]
fn declarations() {
    is(
        &[(
            "project.yaml",
            "project: shop\naccounts:\n  erp: { connector: https, operations: [post, post, put], address: 'https://h' }\n  ERP: { connector: htps, operations: [] }\n  mail: {}\n  ftp: { connector: sftp, operations: [put] }\n",
        )],
        &[
            ("LG-PROJECT-VALUE", "project.yaml", "post"),
            ("LG-UNKNOWN-OPERATION", "project.yaml", "put"),
            ("LG-PROJECT-VALUE", "project.yaml", "address"),
            ("LG-PROJECT-VALUE", "project.yaml", "ERP"),
            ("LG-PROJECT-VALUE", "project.yaml", "ERP"),
            ("LG-UNKNOWN-CONNECTOR", "project.yaml", "htps"),
            ("LG-MISSING-KEY", "project.yaml", "mail"),
            ("LG-MISSING-KEY", "project.yaml", "mail"),
            ("LG-UNKNOWN-CONNECTOR", "project.yaml", "sftp"),
        ],
    );
    is(
        &[(
            "project.yaml",
            "project: shop\naccounts: { erp: { connector: https, operations: [post, put] }, a: { connector: htps, operations: [x] } }\n",
        )],
        &[("LG-UNKNOWN-OPERATION", "project.yaml", "put"), ("LG-UNKNOWN-CONNECTOR", "project.yaml", "htps")],
    );
}

#[test]
fn calls_against_declarations_and_catalog() {
    let flow = |calls: &str| {
        FLOW.replace(
            "  - send: { call: 'https.post:1@default', with: { account: erp, path: /orders, body: '${ $ }' } }\n",
            calls,
        )
    };
    let of = |calls: &str, expect: &[(&str, &str)]| {
        let flow = flow(calls);
        let expect: Vec<_> = expect.iter().map(|(code, text)| (*code, "orders.flow.yaml", *text)).collect();
        is(&[("orders.flow.yaml", &flow)], &expect);
    };
    of("  - a: { call: https.post:1, with: { account: epr } }\n", &[("LG-UNKNOWN-ACCOUNT", "epr")]);
    of("  - a: { call: https.get:1, with: { account: erp } }\n", &[("LG-UNDECLARED-OPERATION", "https.get:1")]);
    of(
        "  - a: { call: sftp.put:1, with: { account: erp } }\n",
        &[("LG-UNKNOWN-CONNECTOR", "sftp.put:1"), ("LG-CALL-ACCOUNT", "erp")],
    );
    of("  - a: { call: https.post:2, with: { account: erp } }\n", &[("LG-UNKNOWN-OPERATION", "https.post:2")]);
    of(
        "  - a: { call: http, with: { method: delete, endpoint: 'https://h/x' } }\n",
        &[("LG-UNKNOWN-OPERATION", "http")],
    );
    of("  - a: { call: map.invoice:1, with: { input: '${ $ }' } }\n", &[("LG-UNKNOWN-MAPPING", "map.invoice:1")]);
}

#[test]
fn what_a_flow_names_of_its_project_is_there_in_that_version() {
    let map = "mapping: lines\nversion: 1.2.0\nrules: [{ to: a, from: b }]\n";
    let of = |task: &str, expect: &[(&str, &str)]| {
        let flow = format!("{FLOW}  - more: {task}\n");
        let expect: Vec<_> = expect.iter().map(|(code, text)| (*code, "orders.flow.yaml", *text)).collect();
        is(&[("orders.flow.yaml", &flow), ("lines.map.yaml", map)], &expect);
    };
    of("{ call: map.lines:2, with: { input: '${ $ }' } }", &[("LG-UNKNOWN-MAPPING", "map.lines:2")]);
    of("{ call: map.lines:1.3.0@default, with: { input: 1 } }", &[("LG-UNKNOWN-MAPPING", "map.lines:1.3.0@default")]);
    of("{ call: map.lines:1.2, with: { input: 1 } }", &[]);
    let run = |namespace: &str, name: &str, version: &str| {
        format!("{{ run: {{ workflow: {{ namespace: {namespace}, name: {name}, version: {version} }} }} }}")
    };
    of(&run("elsewhere", "orders", "latest"), &[("LG-UNKNOWN-FLOW", "orders")]);
    of(&run("test", "orders", "9.9.9"), &[("LG-UNKNOWN-FLOW", "9.9.9")]);
    of(&run("test", "order", "latest"), &[("LG-UNKNOWN-FLOW", "order")]);
    of(&run("test", "orders", "1.0.0"), &[]);
}

#[test]
fn names_of_files_and_contents_go_together() {
    let flow = FLOW.replace("name: orders", "name: order");
    is(&[("orders.flow.yaml", &flow)], &[("LG-PROJECT-NAME", "orders.flow.yaml", "order")]);
}

#[test]
fn unknown_files_have_help() {
    for (path, help) in [
        ("orders.flow.yml", "rename it to `orders.flow.yaml`"),
        ("projct.yaml", "did you mean `project.yaml`?"),
        ("apis/orders.yaml", "API descriptions are not supported yet"),
    ] {
        let problems = problems(&sources(&[(path, "x: 1")]), &catalog());
        assert_eq!(problems.0.len(), 1, "{problems}");
        assert_eq!(problems.0[0].help.as_deref(), Some(help));
    }
    for path in [
        "README.md",
        "types/order.json",
        "types/order.xsd",
        "lock/imports.json",
        "documents/a/b.yaml",
        "sample.json",
        "tables/t.json",
        "cases/orders/1.yaml",
    ] {
        let text = match path {
            "cases/orders/1.yaml" => "expect: { output: 1 }",
            "types/order.xsd" => "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'/>",
            _ => "{}",
        };
        is(&[(path, text)], &[]);
    }
    for path in [
        "types/a/b.json",
        "tables/t.csv",
        "cases/1.yaml",
        "src/x",
        "lock/x",
        "lock/x.json",
        "documents/x",
        "documents/../x.json",
        "documents//x.json",
        "/project.yaml",
        "../x",
    ] {
        is(&[(path, "{}")], &[("LG-PROJECT-FILE", path, "")]);
    }
}

#[test]
fn cases_are_read() {
    let case = "title: busy once\ninput: { orderId: SO-1, sum: 1.50 }\nmocks:\n  erp.post:\n    - error: { type: communication, status: 503, retryAfter: 7 }\n    - { expect: { path: /x }, answer: { status: 201 } }\nexpect: { error: { status: 502 } }\n";
    let project = Project::parse(&sources(&[("cases/orders/busy.yaml", case)])).unwrap();
    let [case] = project.cases() else { panic!() };
    assert_eq!((case.flow.as_str(), case.name.as_str()), ("orders", "busy"));
    assert_eq!(case.input.as_deref(), Some(r#"{"orderId":"SO-1","sum":1.50}"#));
    assert_eq!((case.title.as_deref(), case.now), (Some("busy once"), super::NOW));
    let busy = Reply::Error {
        kind: "communication".to_owned(),
        status: Some(503),
        retry_after: Some(std::time::Duration::from_secs(7)),
        told: None,
    };
    let busy = Exchange { expect: None, reply: busy };
    assert_eq!(
        case.mocks["erp.post"],
        [
            busy,
            Exchange {
                expect: Some(r#"{"path":"/x"}"#.to_owned()),
                reply: Reply::Answer(r#"{"status":201}"#.to_owned())
            }
        ]
    );
    assert_eq!(case.expect, Expect::Error(r#"{"status":502}"#.to_owned()));
    is(
        &[(
            "cases/orders/1.yaml",
            "mocks: { erp: [], erp.post: [{ answer: 1, error: 2 }, { error: { type: oops } }] }\nexpect: {}\n",
        )],
        &[
            ("LG-CASE-VALUE", "cases/orders/1.yaml", "erp"),
            ("LG-CASE-VALUE", "cases/orders/1.yaml", "{ answer: 1, error: 2 }"),
            ("LG-CASE-VALUE", "cases/orders/1.yaml", "oops"),
            ("LG-CASE-VALUE", "cases/orders/1.yaml", "{}"),
        ],
    );
    // What is misspelt is told as that, and nothing is told as missing.
    is(
        &[("cases/orders/1.yaml", "mocks: { erp.post: [{ answr: 1 }, { exepct: 1 }] }\nexpect: { outpt: 1 }\n")],
        &[
            ("LG-UNKNOWN-KEY", "cases/orders/1.yaml", "answr"),
            ("LG-CASE-VALUE", "cases/orders/1.yaml", "{ exepct: 1 }"),
            ("LG-UNKNOWN-KEY", "cases/orders/1.yaml", "exepct"),
            ("LG-UNKNOWN-KEY", "cases/orders/1.yaml", "outpt"),
        ],
    );
    let unheard = "mocks: { erp.pots: [], erp.post: [] }\nexpect: nothing\n";
    is(&[("cases/orders/1.yaml", unheard)], &[("LG-CASE-VALUE", "cases/orders/1.yaml", "erp.pots")]);
    // Mocks for the calls of one flow: one of the project, and what it calls itself.
    let below = FLOW.replace("name: orders", "name: below").replace("https.post:1@default", "https.get:1@default");
    let of_one = |key: &str, expect: &[(&str, &str, &str)]| {
        let case = format!("mocks: {{ {key}: [] }}\nexpect: nothing\n");
        let project = PROJECT.replace("[post]", "[get, post]");
        is(&[("project.yaml", &project), ("below.flow.yaml", &below), ("cases/orders/1.yaml", &case)], expect);
    };
    of_one("below/erp.get", &[]);
    of_one("orders/https.post", &[]);
    for key in
        ["below/erp.post", "belwo/erp.get", "below/", "below/below/erp.get", "/erp.get", "orders/https://x/y.get"]
    {
        of_one(key, &[("LG-CASE-VALUE", "cases/orders/1.yaml", key)]);
    }
    // What cannot be read may call it.
    let broken = ("other.flow.yaml", "a: [\n");
    is(&[("cases/orders/1.yaml", unheard), broken], &[("LG-YAML-SYNTAX", "other.flow.yaml", "[")]);
    for wrong in ["now: yesterday", "expect: nothing at all", "expect: { output: 1, error: {} }"] {
        let rest = if wrong.starts_with("now") { "expect: nothing" } else { "title: x" };
        let text = format!("{wrong}\n{rest}\n");
        let found = problems(&sources(&[("cases/orders/1.yaml", &text)]), &catalog());
        assert_eq!(found.0.len(), 1, "{wrong}: {found}");
    }
}

#[test]
fn objects_change_with_what_they_hold() {
    let objects = |files: &[(&str, &str)]| Project::parse(&sources(files)).unwrap().objects();
    let before = objects(&[
        ("tables/t.json", "{}"),
        ("types/order.json", "{}"),
        ("cases/orders/1.yaml", "expect: { output: 1 }"),
    ]);
    assert_eq!(
        before.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "accounts/erp",
            "document-types/order",
            "integrations/orders",
            "integrations/orders.cases",
            "integrations/project",
            "reference-data/t",
        ]
    );
    let changed = |files: &[(&str, &str)]| -> Vec<String> {
        let mut all =
            vec![("tables/t.json", "{}"), ("types/order.json", "{}"), ("cases/orders/1.yaml", "expect: { output: 1 }")];
        all.extend(files);
        let after = objects(&all);
        after.into_iter().filter(|(name, digest)| before.get(name) != Some(digest)).map(|(name, _)| name).collect()
    };
    assert!(changed(&[]).is_empty());
    assert_eq!(changed(&[("tables/t.json", "{\"a\": 1}")]), ["reference-data/t"]);
    assert_eq!(changed(&[("README.md", "hello")]), ["integrations/project"]);
    assert_eq!(changed(&[("project.yaml", &PROJECT.replace("[post]", "[post, get]"))]), ["accounts/erp"]);
    assert_eq!(changed(&[("project.yaml", &format!("{PROJECT}title: Shop\n"))]), ["integrations/project"]);
    assert_eq!(changed(&[("orders.flow.yaml", &format!("{FLOW}# more\n"))]), ["integrations/orders"]);
}

#[test]
fn what_streams_must_be_able_to_and_records_need_a_form() {
    use lockgate_model::manifest::{ContentFormat, StreamContent, StreamFormat};
    let csv = |text: &str| ContentFormat { name: "csv".to_owned(), description: Some(text.to_owned()) };
    let operation = |takes: Option<&str>, gives| OperationInfo {
        version: "1".to_owned(),
        idempotent: true,
        constant: Vec::new(),
        takes: takes.map(str::to_owned),
        gives,
        input: serde_json::Value::Null,
    };
    let of = |list: [(&str, OperationInfo); 3]| list.map(|(name, info)| (name.to_owned(), info)).into_iter().collect();
    let store = of([
        ("rows", operation(None, Some(StreamContent::Records))),
        ("get", operation(None, Some(StreamContent::Bytes))),
        ("put", operation(Some("content"), None)),
    ]);
    let catalog = Catalog { connectors: BTreeMap::from([("store".to_owned(), store)]) };
    let project = "project: shop\naccounts:\n  erp: { connector: store, operations: [rows, get, put] }\n";
    let flow = |from: &str, to: &str, rest: &str| {
        let head = FLOW.split("do:").next().unwrap();
        format!(
            "{head}do:\n  - a: {{ call: 'store.{from}:1', with: {{ account: erp, stream: true }} }}\n  - b: {{ call: 'store.{to}:1', with: {{ account: erp, {rest} }} }}\n"
        )
    };
    let places = |text: &str| {
        let sources = sources(&[("project.yaml", project), ("orders.flow.yaml", text)]);
        shown(&problems(&sources, &catalog), &sources).into_iter().map(|(_, _, at)| at).collect::<Vec<_>>()
    };
    let take = "content: '${ $stream }'";
    assert_eq!(places(&flow("put", "put", take)), ["'store.put:1'"], "it cannot stream its answer");
    assert_eq!(places(&flow("get", "rows", take)), ["'${ $stream }'"], "it takes none");
    assert_eq!(places(&flow("get", "put", "body: '${ $stream }'")), ["'${ $stream }'"], "not as that");
    assert_eq!(places(&flow("rows", "put", take)), ["'${ $stream }'"], "no form");
    assert_eq!(places(&flow("get", "put", &format!("{take}, format: csv"))), ["csv"], "a form of bytes");
    assert_eq!(places(&flow("rows", "put", &format!("{take}, format: xml"))), ["xml"], "no records");
    let parsed = |parse: &str| {
        flow("get", "put", &format!("{take}, format: csv"))
            .replace("stream: true", &format!("stream: true, parse: {parse}"))
    };
    assert_eq!(places(&parsed("xml")), ["xml"], "no records to read");
    assert_eq!(places(&parsed("{ xml: { records: a/b } }")), [""; 0]);
    assert_eq!(places(&parsed("csv").replace("store.get", "store.rows")), ["csv"], "no bytes to read");
    assert_eq!(places(&parsed("csv").replace(", format: csv", "")), ["'${ $stream }'"], "no form for what was read");
    let text = flow("rows", "put", &format!("{take}, format: {{ csv: {{ delimiter: ';' }} }}"));
    assert_eq!(places(&text), [""; 0]);

    let sources = sources(&[("project.yaml", project), ("orders.flow.yaml", &text)]);
    let project = Project::parse(&sources).unwrap();
    let streams = &project.streams()["orders"];
    let [stream] = &streams[..] else { panic!("{streams:?}") };
    let ends = [&stream.from, &stream.from_task, &stream.into, &stream.into_task, &stream.member];
    assert_eq!(ends, ["store.rows", "/do/0/a", "store.put", "/do/1/b", "content"]);
    let compiled = project.compile(&catalog).unwrap();
    let operations = &compiled[0].manifest.operations;
    assert!(operations[0].streams && operations[0].takes.is_none());
    assert_eq!(
        (operations[1].streams, &operations[1].takes),
        (false, &Some(StreamFormat::Records(csv("{\"delimiter\":\";\"}"))))
    );
}

#[test]
fn what_is_written_out_is_what_the_operation_takes() {
    let schema = serde_json::json!({
        "type": "object",
        "properties": {
            "path": { "type": ["string", "array"], "items": { "type": ["string", "number"] } },
            "headers": { "type": "object", "additionalProperties": { "type": "string" } },
            "exists": { "enum": ["refuse", "replace"] },
            "max": { "type": "integer" },
            "deep": { "type": "object", "properties": { "a": { "type": "boolean" } }, "required": ["a"],
                      "additionalProperties": false },
            "body": {},
        },
        "required": ["path"],
        "additionalProperties": false,
    });
    let mut catalog = catalog();
    let post = catalog.connectors.get_mut("https").unwrap().get_mut("post").unwrap();
    (post.input, post.takes) = (schema, Some("body".to_owned()));
    let of = |with: &str, expect: &[(&str, &str, &str)]| {
        let flow =
            FLOW.replace("{ account: erp, path: /orders, body: '${ $ }' }", &format!("{{ account: erp, {with} }}"));
        let sources = sources(&[("orders.flow.yaml", &flow)]);
        let found = problems(&sources, &catalog);
        let places = shown(&found, &sources);
        let found: Vec<_> = places
            .iter()
            .zip(&found.0)
            .map(|((code, _, at), problem)| (code.as_str(), at.as_str(), problem.help.as_deref().unwrap_or("")))
            .collect();
        assert_eq!(found, expect, "{with}");
    };
    of("path: /x, bodi: 1", &[("LG-UNKNOWN-KEY", "bodi", "did you mean `body`?")]);
    of("path: /x, header: { a: b }", &[("LG-UNKNOWN-KEY", "header", "did you mean `headers`?")]);
    of("path: 12", &[("LG-WRONG-TYPE", "12", "quote it: '12'")]);
    of("path: [a, 1, true]", &[("LG-WRONG-TYPE", "true", "quote it: 'true'")]);
    of("path: null", &[("LG-WRONG-TYPE", "null", "")]);
    of("body: 1", &[("LG-MISSING-KEY", "{ account: erp, body: 1 }", "")]);
    of("path: /x, headers: [a]", &[("LG-WRONG-TYPE", "[a]", "")]);
    of("path: /x, headers: { a: b, n: 1 }", &[("LG-WRONG-TYPE", "1", "quote it: '1'")]);
    of("path: /x, exists: replac", &[("LG-FLOW-VALUE", "replac", "did you mean `replace`?")]);
    of("path: /x, exists: 1, max: 1.5", &[("LG-FLOW-VALUE", "1", ""), ("LG-WRONG-TYPE", "1.5", "")]);
    of("path: /x, deep: { b: 1 }", &[("LG-MISSING-KEY", "{ b: 1 }", ""), ("LG-UNKNOWN-KEY", "b", "did you mean `a`?")]);
    of(
        "path: /x, format: csv",
        &[("LG-UNKNOWN-KEY", "format", "`format` says how a stream is written: `body: ${ $stream }`")],
    );
    // What is computed, and what may be left out, is not known before the run.
    of("path: '${ p }', max: '${ m }', headers: '${ h }', deep: { a: '${ a }' }, exists: '${ e }'", &[]);
    of("path: ['${ p }', b], headers: { a: '${ a }', b: null }, max: 2.0, exists: null, body: { a: [1] }", &[]);
}

#[test]
fn what_a_deployment_must_know_is_not_computed() {
    let project = "project: shop\naccounts:\n  db: { connector: postgres, operations: [query] }\n";
    let head = "document: { dsl: '1.0.3', namespace: test, name: orders, version: '1.0.0' }\nevaluate: { language: jsonata }\n";
    let flow = |sql: &str| {
        format!(
            "{head}do:\n  - q: {{ call: postgres.query, with: {{ account: db, sql: {sql}, parameters: ['${{ id }}'] }} }}\n"
        )
    };
    for sql in [r#"'${ "select * from t where id = " & id }'"#, r#"'${ "select 1" }'"#, "['${ id }']"] {
        is(
            &[("project.yaml", project), ("orders.flow.yaml", &flow(sql))],
            &[("LG-CALL-CONSTANT", "orders.flow.yaml", sql)],
        );
    }
    let statement = "select * from t where id = $1";
    let sources = sources(&[("project.yaml", project), ("orders.flow.yaml", &flow(statement))]);
    let compiled = Project::parse(&sources).unwrap().compile(&catalog()).unwrap();
    let digest = lockgate_model::Digest::of(statement.as_bytes()).to_string();
    assert_eq!(compiled[0].manifest.operations[0].detail, [digest]);
}

/// Members of the items of a list too, and whatever holds them.
#[test]
fn what_a_deployment_must_know_of_steps_is_not_computed() {
    let project = "project: shop\naccounts:\n  db: { connector: postgres, operations: [transaction, load] }\n";
    let head = "document: { dsl: '1.0.3', namespace: test, name: orders, version: '1.0.0' }\nevaluate: { language: jsonata }\n";
    let flow = |operation: &str, with: &str| {
        format!("{head}do:\n  - q: {{ call: postgres.{operation}, with: {{ account: db, {with} }} }}\n")
    };
    for (operation, member, value) in [
        ("transaction", "steps", "'${ steps }'"),
        ("transaction", "steps", "['${ step }']"),
        ("transaction", "steps", "[{ sql: '${ sql }' }]"),
        ("transaction", "steps", "[{ sql: a }, { sql: b, take: '${ take }' }]"),
        ("transaction", "steps", "[{ sql: b, take: [{ parameter: 1, step: '${ step }', column: c }] }]"),
        ("load", "columns", "[a, '${ column }']"),
    ] {
        let file = flow(operation, &format!("{member}: {value}"));
        is(
            &[("project.yaml", project), ("orders.flow.yaml", &file)],
            &[("LG-CALL-CONSTANT", "orders.flow.yaml", value)],
        );
    }
    let digest = |statement: &str| lockgate_model::Digest::of(statement.as_bytes()).to_string();
    for (operation, with, detail) in [
        (
            "transaction",
            "steps: [{ sql: a, parameters: ['${ a }'], rows: '${ n }' }, { sql: b }]",
            vec![digest("a"), digest("b")],
        ),
        ("transaction", "steps: [{ sql: a }, { sql: b }]", vec![digest("a"), digest("b")]),
        (
            "load",
            "table: sales.orders, columns: [a], body: '${ b }'",
            vec!["sales.orders".to_owned(), "column a".to_owned()],
        ),
    ] {
        let file = flow(operation, with);
        let sources = sources(&[("project.yaml", project), ("orders.flow.yaml", &file)]);
        let compiled = Project::parse(&sources).unwrap().compile(&catalog()).unwrap();
        assert_eq!(compiled[0].manifest.operations[0].detail, detail, "{with}");
    }
}

const TYPED: &str = "mapping: m\nversion: 1\nsource: { type: order }\ntarget: { type: erp }\nrules:\n";
const ORDER_TYPE: &str = r#"{"type": "object", "properties": {"id": {"type": "string"}, "total": {"type": "number"}}}"#;
const ERP_TYPE: &str = r#"{"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}}"#;

#[test]
fn a_type_that_is_named_has_a_file() {
    let map = format!("{TYPED}  - {{ to: a, from: b }}\n");
    is(&[("m.map.yaml", &map)], &[("LG-MAP-TYPE", "m.map.yaml", "order"), ("LG-MAP-TYPE", "m.map.yaml", "erp")]);
    let files: &[(&str, &str)] = &[("m.map.yaml", &map), ("types/orders.json", "{}"), ("types/erp.schema.json", "{}")];
    let found = problems(&sources(files), &catalog());
    assert_eq!(found.0.len(), 1, "{found}");
    assert_eq!(found.0[0].help.as_deref(), Some("did you mean `orders`?"));
    // In a mapping that has other problems too, beside these.
    let broken = map.replace("from: b", "from: b &");
    is(
        &[("m.map.yaml", &broken), ("types/order.json", ORDER_TYPE), ("types/erp.json", ERP_TYPE)],
        &[("LG-MAP-REQUIRED", "m.map.yaml", "erp"), ("LG-MAP-TARGET", "m.map.yaml", "a"), ("S0207", "m.map.yaml", "")],
    );
    is(
        &[("m.map.yaml", &broken), ("types/order.json", "{}")],
        &[("LG-MAP-TYPE", "m.map.yaml", "erp"), ("S0207", "m.map.yaml", "")],
    );
}

#[test]
fn mappings_are_held_to_their_types() {
    let map = format!("{TYPED}  - {{ to: cod, from: total }}\n  - {{ to: x, from: idd }}\n");
    is(
        &[("m.map.yaml", &map), ("types/order.json", ORDER_TYPE), ("types/erp.json", ERP_TYPE)],
        &[
            ("LG-MAP-TARGET", "m.map.yaml", "cod"),
            ("LG-MAP-TARGET", "m.map.yaml", "x"),
            ("LG-MAP-SOURCE", "m.map.yaml", "idd"),
        ],
    );
    let map = format!("{TYPED}  - {{ to: code, from: id }}\n");
    is(&[("m.map.yaml", &map), ("types/order.json", ORDER_TYPE), ("types/erp.json", ERP_TYPE)], &[]);
    // Reference data says what a lookup gives.
    let map = format!("{TYPED}  - {{ to: code, lookup: {{ table: t, key: id, value: n }} }}\n");
    let files = |table: &'static str| {
        [
            ("m.map.yaml", map.as_str()),
            ("tables/t.json", table),
            ("types/order.json", ORDER_TYPE),
            ("types/erp.json", ERP_TYPE),
        ]
    };
    is(&files(r#"{"a": {"n": "x"}, "b": {"n": 2}, "c": {}}"#), &[]);
    is(&files(r#"{"a": {"n": 1}, "b": {"n": 2}}"#), &[("LG-MAP-KIND", "m.map.yaml", "t")]);
}

#[test]
fn what_is_wrong_with_a_type_has_its_place() {
    let file = "types/order.json";
    for (text, code, marked) in [
        ("{\n  \"type\": \"objekt\"\n}", "LG-TYPE-VALUE", "\"objekt\""),
        ("{\"properties\": {\"a\": {\"$ref\": \"#/$defs/b\"}}}", "LG-TYPE-REF", "\"#/$defs/b\""),
        ("{\"properties\": {\"a\": {\"$ref\": \"http://x/y\"}}}", "LG-IMPORT-ADDRESS", "\"http://x/y\""),
        (
            "{\"$schema\": \"http://json-schema.org/draft-04/schema#\"}",
            "LG-TYPE-DIALECT",
            "\"http://json-schema.org/draft-04/schema#\"",
        ),
        ("{\"unevaluatedProperties\": false}", "LG-TYPE-LATER", "false"),
        ("{\"items\": {\"pattern\": \"(?=x)\"}}", "LG-TYPE-PATTERN", "\"(?=x)\""),
        ("{\"allOf\": [{\"$ref\": \"#\"}]}", "LG-TYPE-LOOP", "{"),
        ("{\"required\": {\"a\": [1]}}", "LG-TYPE-VALUE", "\"required\""),
        ("{\"type\": ", "LG-YAML-SYNTAX", " "),
        ("{\"type\": \"object\", \"type\": \"array\"}", "LG-YAML-DUPLICATE-KEY", "\"type\""),
    ] {
        is(&[(file, text)], &[(code, file, marked)]);
    }
    is(&[(file, "{}"), ("types/order.schema.json", "{}")], &[("LG-PROJECT-NAME", "types/order.schema.json", "")]);
}

#[test]
fn types_may_be_written_in_xsd() {
    let order = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>
  <xs:include schemaLocation='parts.xsd'/>
  <xs:element name='Order' type='Order'/>
</xs:schema>";
    let parts = "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>
  <xs:complexType name='Order'><xs:sequence>
    <xs:element name='id' type='xs:string'/>
    <xs:element name='line' type='xs:string' maxOccurs='unbounded'/>
  </xs:sequence></xs:complexType>
</xs:schema>";
    let types = [("types/order.xsd", order), ("types/parts.xsd", parts), ("types/erp.json", ERP_TYPE)];
    let with = |rule: &'static str, expect: &[(&str, &str, &str)]| {
        let map = format!("{TYPED}  - {rule}\n");
        let mut files = types.to_vec();
        files.push(("m.map.yaml", &map));
        is(&files, expect);
    };
    with("{ to: code, from: Order.id }", &[]);
    with("{ to: code, from: Order.idd }", &[("LG-MAP-SOURCE", "m.map.yaml", "idd")]);
    with("{ to: code, from: order.id }", &[("LG-MAP-SOURCE", "m.map.yaml", "order")]);
    with("{ to: code, from: Order.line }", &[("LG-MAP-ARRAY", "m.map.yaml", "Order.line")]);
    // A part that others include is no type by itself.
    let map = format!("{TYPED}  - {{ to: code, from: id }}\n").replace("type: order", "type: parts");
    let mut files = types.to_vec();
    files.push(("m.map.yaml", &map));
    is(&files, &[("LG-MAP-TYPE", "m.map.yaml", "parts")]);
    let broken = parts.replace("xs:sequence", "xs:sequenze");
    let problems = problems(&sources(&[types[0], ("types/parts.xsd", &broken)]), &catalog());
    let shown = problems.0[0].render(&broken);
    assert!(
        shown.starts_with(
            "error[LG-TYPE-LATER]: `xs:sequenze` is not supported yet\n --> types/parts.xsd:2:32\n  |\n2 |   <xs:complexType name='Order'><xs:sequenze>\n  |                                ^^^^^^^^^^^^^\n"
        ),
        "{shown}"
    );
}
