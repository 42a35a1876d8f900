//! What the flow language refuses is refused by the server itself, whoever pushes it: with its code, its reason and its
//! place, and nothing of it is stored. And what runs while another version is deployed ends as it began.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::house::House;

/// Tasks, or members of the whole flow, with the code and the text at the place that is told.
const TASKS: &[(&str, &str, &str)] = &[
    // Never.
    ("a: { run: { container: { image: alpine } } }", "LG-FLOW-REFUSED", "container"),
    ("a: { run: { script: { language: js, code: 'x' } } }", "LG-FLOW-REFUSED", "script"),
    ("a: { run: { shell: { command: rm } } }", "LG-FLOW-REFUSED", "shell"),
    ("a: { run: { return: all, workflow: { namespace: n, name: o, version: 1.0.0 } } }", "LG-FLOW-REFUSED", "return"),
    ("a: { call: http, with: { method: get, endpoint: 'http://h/x' } }", "LG-CALL-ENDPOINT", "'http://h/x'"),
    ("a: { call: http, with: { method: get, endpoint: '${ .url }' } }", "LG-CALL-ENDPOINT", "'${ .url }'"),
    (
        "a: { call: http, with: { method: get, endpoint: 'https://h/x', headers: { Authorization: x } } }",
        "LG-FLOW-REFUSED",
        "Authorization",
    ),
    (
        "a: { call: http, with: { method: get, endpoint: { uri: 'https://h/x', authentication: { bearer: { token: abc } } } } }",
        "LG-FLOW-REFUSED",
        "token",
    ),
    ("a: { set: { x: '${ $secrets.key }' } }", "LG-FLOW-ARGUMENT", "$secrets"),
    ("a: { set: { x: '${ $authorization.parameter }' } }", "LG-FLOW-ARGUMENT", "$authorization"),
    ("a: { call: https.get, with: { account: '${ .which }' } }", "LG-CALL-ACCOUNT", "'${ .which }'"),
    (
        "a: { call: http, with: { method: get, endpoint: { uri: 'https://h/x', authentication: { basic: { username: u, password: abc } } } } }",
        "LG-FLOW-REFUSED",
        "password",
    ),
    (
        "a: { call: http, with: { method: get, endpoint: 'https://h/x', headers: { Cookie: x } } }",
        "LG-FLOW-REFUSED",
        "Cookie",
    ),
    ("a: { call: 'https.get:1@elsewhere', with: { account: erp } }", "LG-CALL-CATALOG", "'https.get:1@elsewhere'"),
    // Not yet.
    ("a: { listen: { to: { one: { with: { type: x } } } } }", "LG-FLOW-NOT-YET", "listen"),
    ("a: { call: grpc, with: {} }", "LG-FLOW-NOT-YET", "grpc"),
    ("a: { call: asyncapi, with: {} }", "LG-FLOW-NOT-YET", "asyncapi"),
    ("a: { call: a2a, with: {} }", "LG-FLOW-NOT-YET", "a2a"),
    ("a: { call: mcp, with: {} }", "LG-FLOW-NOT-YET", "mcp"),
    // Wrong.
    ("a: { set: { x: 1 }, then: nowhere }", "LG-FLOW-THEN", "nowhere"),
    ("a: { set: { y: '${ .x' } }", "LG-FLOW-EXPRESSION", "'${ .x'"),
    ("a: { set: { x: '${ @sh }' } }", "LG-JQ", ""),
    ("a: { set: { '${ .key }': 1 } }", "LG-FLOW-EXPRESSION", "'${ .key }'"),
    ("a: { set: { x: '${ $stream }' } }", "LG-FLOW-ARGUMENT", "$stream"),
    ("a: { set: { x: '${ $runtime.host }' } }", "LG-FLOW-ARGUMENT", "$runtime"),
    ("a: { set: { x: 1 }, then: end }\n  - b: { set: { x: 1 } }", "LG-FLOW-UNREACHABLE", "b"),
    ("a: { raise: { error: { type: x, status: 200 } } }", "LG-FLOW-VALUE", "200"),
    ("a: { input: { schema: { format: avro, document: {} } }, set: { x: 1 } }", "LG-FLOW-VALUE", "avro"),
    (
        "a: { for: { in: '${ .l }' }, while: '${ .x }', metadata: { concurrency: 2 }, do: [b: { set: { x: 1 } }] }",
        "LG-FLOW-VALUE",
        "'${ .x }'",
    ),
    (
        "a: { try: [b: { set: { x: 1 } }], catch: { retry: { jitter: { from: PT2S, to: PT1S } } } }",
        "LG-FLOW-VALUE",
        "{ from: PT2S, to: PT1S }",
    ),
    ("a: { for: { each: x, in: '${ .l }' }, do: [] }", "LG-FLOW-VALUE", "[]"),
    ("a: { wait: P367D }", "LG-FLOW-VALUE", "P367D"),
    ("a: { raise: { error: unknown } }", "LG-FLOW-REFERENCE", "unknown"),
    ("a: { emit: { event: { with: { source: x } } } }", "LG-MISSING-KEY", "{ source: x }"),
    ("a: { fork: { branches: [] } }", "LG-FLOW-VALUE", "[]"),
    ("a: { try: [b: { set: { x: 1 } }], catch: { retry: unknown } }", "LG-FLOW-REFERENCE", "unknown"),
    ("a: { set: { x: 1 }, timeout: unknown }", "LG-FLOW-REFERENCE", "unknown"),
];

const WHOLE: &[(&str, &str, &str)] = &[
    ("evaluate: { mode: loose }", "LG-FLOW-REFUSED", "loose"),
    ("evaluate: { language: js }", "LG-FLOW-LANGUAGE", "js"),
    ("evaluate: { language: jsonata }\noutput: { as: '${ $eval(code) }' }", "LG-EXPR-EVAL", "$eval"),
    ("schedule: { on: { one: { with: { type: x } } } }", "LG-FLOW-NOT-YET", "on"),
    ("use: { catalogs: {} }", "LG-FLOW-NOT-YET", "catalogs"),
    ("use: { extensions: [] }", "LG-FLOW-NOT-YET", "extensions"),
    ("use: { functions: { f: { call: f } } }", "LG-FLOW-REFERENCE", "f"),
];

fn flow(whole: &str, tasks: &str) -> String {
    format!("document: {{ dsl: '1.0.3', namespace: t, name: f, version: '1.0.0' }}\n{whole}\ndo:\n  - {tasks}\n")
}

#[test]
fn whatever_the_language_refuses_the_server_refuses_with_reason_and_place() {
    let house = House::start();
    let admin = house.administrator();
    let push = |text: &str| {
        let files = json!({"files": {"project.yaml": "project: refused\n", "f.flow.yaml": text}});
        let path = "/admin/v1/tenants/demo/projects/refused/versions";
        house.request(&admin, "POST", path, Some(&files.to_string()), &[])
    };
    let tasks = TASKS.iter().map(|(tasks, code, token)| (flow("", tasks), code, token));
    let whole = WHOLE.iter().map(|(whole, code, token)| (flow(whole, "a: { set: { x: 1 } }"), code, token));
    let mut wrong = Vec::new();
    for (text, code, token) in tasks.chain(whole) {
        let reply = push(&text);
        let problems = reply.json()["problems"].clone();
        let told = |problem: &Value| {
            let (line, column) = (problem["line"].as_u64().unwrap_or(0), problem["column"].as_u64().unwrap_or(0));
            let written = text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
            let there: String = written.chars().skip(column.saturating_sub(1) as usize).collect();
            problem["code"].as_str().is_some_and(|told| told.starts_with(*code))
                && problem["message"].as_str().is_some_and(|message| !message.is_empty())
                && there.starts_with(*token)
        };
        if reply.status != 422 || !problems.as_array().is_some_and(|problems| problems.iter().any(told)) {
            wrong.push(format!("{text}\n  wanted {code} at `{token}`: {} {problems}", reply.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let stored = house.request(&admin, "GET", "/admin/v1/tenants/demo/projects/refused/versions", None, &[]);
    assert_eq!(stored.status, 404, "{stored:?}");
}

#[test]
fn a_run_ends_in_the_version_that_it_began_in() {
    let house = House::start();
    let folder = house.folder().join("drain");
    std::fs::create_dir_all(&folder).unwrap();
    let deploy = |version: &str| {
        std::fs::write(folder.join("project.yaml"), "project: drain\n").unwrap();
        let text = format!(
            "document: {{ dsl: '1.0.3', namespace: t, name: slow, version: '{version}' }}\n\
             do:\n  - sleep: {{ wait: PT4S }}\n  - told: {{ set: {{ version: '${{ $workflow.definition.document.version }}', made: '{version}' }} }}\n"
        );
        std::fs::write(folder.join("slow.flow.yaml"), text).unwrap();
        let folder = folder.to_str().unwrap();
        for command in [&["build", folder][..], &["push", folder], &["deploy", "drain", "development"]] {
            house.cli(command);
        }
    };
    let ask = || house.request(&house.administrator(), "POST", "/demo/development/slow", Some("{}"), &[]).json();
    deploy("1.0.0");
    house.cli(&["acl", "assign", "default", "--to", "slow", "--env", "development"]);
    std::thread::scope(|scope| {
        let running = scope.spawn(ask);
        let until = Instant::now() + Duration::from_secs(20);
        while !house.cli_json(&["runs", "list", "--env", "development"]).to_string().contains("slow") {
            assert!(Instant::now() < until, "the run begins");
            std::thread::sleep(Duration::from_millis(50));
        }
        deploy("2.0.0");
        assert!(!running.is_finished(), "the run goes on while the next version is deployed");
        assert_eq!(running.join().unwrap(), json!({"version": "1.0.0", "made": "1.0.0"}));
    });
    assert_eq!(ask(), json!({"version": "2.0.0", "made": "2.0.0"}));
}
