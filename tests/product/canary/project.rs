//! A project that uses every operation of every connector, one orchestration for each: its input is
//! `text`, the canary, and `n`, a number that nothing else has.

use std::fmt::Write as _;

/// What stands under `with` of a call, by connector and operation. Whatever can hold data holds it.
pub const OPERATIONS: &[(&str, &str, &str)] = &[
    ("https", "get", WITHOUT_BODY),
    ("https", "head", WITHOUT_BODY),
    ("https", "put", WITH_BODY),
    ("https", "delete", WITH_BODY),
    ("https", "post", WITH_BODY),
    ("https", "patch", WITH_BODY),
    ("https", "request", WITH_METHOD),
    (
        "https",
        "pages",
        "path: list, query: { page: 1, q: '${ text }' }, headers: { x-note: '${ text }' }, next: { link: next }",
    ),
    ("soap", "call", FORECAST),
    ("soap", "read", FORECAST),
    ("sftp", "put", "path: '${ \"file-\" & n & \" \" & text }', body: '${ $ }', exists: replace"),
    ("sftp", "stat", "path: '${ \"file-\" & n & \" \" & text }'"),
    ("sftp", "get", "path: '${ \"file-\" & n & \" \" & text }', offset: '${ n }', stable: PT1S"),
    ("sftp", "list", "path: '', stable: PT1S"),
    ("sftp", "mkdir", "path: '${ \"folder-\" & n & \" \" & text }'"),
    ("sftp", "move", "from: '${ \"file-\" & n & \" \" & text }', to: '${ \"moved-\" & n & \" \" & text }'"),
    ("sftp", "delete", "path: '${ \"moved-\" & n & \" \" & text }'"),
    ("ftps", "put", "path: '${ \"file-\" & n & \" \" & text }', body: '${ $ }', exists: replace"),
    ("ftps", "stat", "path: '${ \"file-\" & n & \" \" & text }'"),
    ("ftps", "get", "path: '${ \"file-\" & n & \" \" & text }', offset: '${ n }', stable: PT1S"),
    ("ftps", "list", "path: '', stable: PT1S"),
    ("ftps", "mkdir", "path: '${ \"folder-\" & n & \" \" & text }'"),
    ("ftps", "move", "from: '${ \"file-\" & n & \" \" & text }', to: '${ \"moved-\" & n & \" \" & text }'"),
    ("ftps", "delete", "path: '${ \"moved-\" & n & \" \" & text }'"),
    ("mysql", "execute", "sql: 'insert into canaries values (?, ?)', parameters: ['${ n }', '${ text }']"),
    (
        "mysql",
        "batch",
        "sql: 'insert into canaries values (?, ?)', parameters: [['${ n }', '${ text }'], ['${ n }', '${ text }']]",
    ),
    ("mysql", "load", LOAD),
    ("mysql", "call", ROUTINE),
    (
        "mysql",
        "transaction",
        "steps: [{ name: one, sql: 'select ? as t', parameters: ['${ text }'] }, \
         { sql: 'insert into canaries values (?, ?)', each: [['${ n }', null]], take: [{ parameter: 2, step: one, column: t }] }]",
    ),
    (
        "mysql",
        "query",
        "sql: \"select n, t, ? as asked, repeat('x', 20000) as much from canaries\", parameters: ['${ text }']",
    ),
    ("postgres", "load", LOAD),
    ("postgres", "call", ROUTINE),
    (
        "postgres",
        "transaction",
        "steps: [{ name: one, sql: 'insert into canaries values ($1, $2) returning t', parameters: ['${ n }', '${ text }'] }, \
         { sql: 'insert into canaries values ($1, $2)', each: [['${ n }', null]], take: [{ parameter: 2, step: one, column: t }] }]",
    ),
    ("postgres", "unload", "table: canaries, columns: [n, t]"),
    ("postgres", "execute", "sql: 'insert into canaries values ($1, $2)', parameters: ['${ n }', '${ text }']"),
    (
        "postgres",
        "batch",
        "sql: 'insert into canaries values ($1, $2)', parameters: [['${ n }', '${ text }'], ['${ n }', '${ text }']]",
    ),
    (
        "postgres",
        "query",
        "sql: \"select n, t, $1 as asked, repeat('x', 20000) as much from canaries\", parameters: ['${ text }']",
    ),
];

const LOAD: &str = "table: canaries, columns: [n, t], header: false, body: '${ n & \",\" & text & \"\\n\" }'";
const ROUTINE: &str = "routine: canaries_come, parameters: ['${ n }', '${ text }']";
const WITHOUT_BODY: &str = "path: echo, query: { q: '${ text }' }, headers: { x-note: '${ text }' }";
const WITH_BODY: &str =
    "path: echo, query: { q: '${ text }' }, headers: { x-note: '${ text }' }, body: { t: '${ text }' }";
const WITH_METHOD: &str =
    "method: POST, path: echo, query: { q: '${ text }' }, headers: { x-note: '${ text }' }, body: { t: '${ text }' }";

const FORECAST: &str =
    "wsdl: documents/weather.wsdl, port: WeatherPort, operation: forecast, input: { town: '${ text }' }";

/// Name of the orchestration that calls an operation.
pub fn name(connector: &str, operation: &str) -> String {
    format!("{connector}-{operation}")
}

/// A flow with these tasks.
fn flow(name: &str, head: &str, tasks: &str) -> (String, String) {
    let text = format!(
        "document: {{ dsl: '1.0.3', namespace: default, name: {name}, version: '1.0.0' }}\n\
         evaluate: {{ language: jsonata }}\n{head}do:\n{tasks}"
    );
    (format!("{name}.flow.yaml"), text)
}

/// A flow in which one call streams into another.
fn streaming(name: &str, head: &str, from: (&str, &str), to: (&str, &str)) -> (String, String) {
    let call = |(operation, with): (&str, &str)| {
        let account = operation.split('.').next().unwrap();
        format!("{{ call: {operation}:1@default, with: {{ account: the-{account}, {with} }} }}")
    };
    let from = call((from.0, &format!("stream: true, {}", from.1)));
    flow(name, head, &format!("  - from: {from}\n  - to: {}\n", call(to)))
}

/// The files of the project.
pub fn files() -> Vec<(String, String)> {
    let mut files = vec![flow(
        "echo",
        "",
        "  - which:
      switch:
        - raise: { when: '${ how = \"raise\" }', then: refuse }
        - number: { when: '${ how = \"number\" }', then: count }
        - bomb: { when: '${ how = \"bomb\" }', then: grow }
        - other: { then: back }
  - refuse: { raise: { error: { type: 'https://example.com/errors/no', status: 409, title: no, detail: '${ text }' } } }
  - count: { set: { n: '${ text + 1 }' }, then: end }
  - grow: { set: { n: '${ [1..9000000].($string($) & $$.text) }' }, then: end }
  - back: { set: { text: '${ text }' } }
",
    )];
    let mut accounts = String::new();
    for connector in ["https", "soap", "sftp", "ftps", "mysql", "postgres"] {
        let operations: Vec<_> =
            OPERATIONS.iter().filter(|(of, ..)| *of == connector).map(|(_, operation, _)| *operation).collect();
        writeln!(accounts, "  the-{connector}: {{ connector: {connector}, operations: [{}] }}", operations.join(", "))
            .unwrap();
    }
    accounts.push_str("  the-defect: { connector: defect, operations: [go] }\n");
    files.push(("project.yaml".to_owned(), format!("project: canaries\ntitle: Canaries\naccounts:\n{accounts}")));
    let weather = include_str!("../../../crates/soap/tests/weather.wsdl");
    files.push(("documents/weather.wsdl".to_owned(), weather.to_owned()));
    for (connector, operation, with) in OPERATIONS {
        let call = format!(
            "  - go: {{ call: {connector}.{operation}:1@default, with: {{ account: the-{connector}, {with} }} }}\n"
        );
        files.push(flow(&name(connector, operation), "", &call));
    }
    let create = "sql: 'create table if not exists canaries (n int, t text)', parameters: []";
    let create = |database: &str| {
        format!(
            "  - in-{database}: {{ call: {database}.execute:1@default, with: {{ account: the-{database}, {create} }} }}\n"
        )
    };
    let routine = |database: &str, sql: &str| {
        let with = format!("{{ account: the-{database}, sql: \"{sql}\", parameters: [] }}");
        format!("  - routine-in-{database}: {{ call: {database}.execute:1@default, with: {with} }}\n")
    };
    let routines = routine(
        "postgres",
        "create or replace procedure canaries_come(n int, inout t text) language plpgsql as 'begin insert into canaries values (n, t); end'",
    ) + &routine(
        "mysql",
        "create procedure if not exists canaries_come(n int, inout t text) insert into canaries values (n, t)",
    );
    files.push(flow("prepare", "", &format!("{}{}{routines}", create("postgres"), create("mysql"))));
    // The database's own words of refusal quote the text.
    let cast = "sql: 'select cast($1::text as int)', parameters: ['${ text }']";
    let call = format!("  - go: {{ call: postgres.query:1@default, with: {{ account: the-postgres, {cast} }} }}\n");
    files.push(flow("mistyped", "", &call));

    let rows = ("postgres.query", "sql: 'select n, t from canaries', parameters: []");
    // Fails at a late row, when much has passed.
    let breaking = (
        "postgres.query",
        "sql: 'select t, 1 / (20000 - n) as q from (select $1 as t, generate_series(1, 20001) as n) as r', parameters: ['${ text }']",
    );
    let file = |name: &str| format!("path: '{name}', exists: replace, body: '${{ $stream }}'");
    let csv = format!("{}, format: csv", file("rows.csv"));
    files.push(streaming("rows-to-file", "", rows, ("sftp.put", &csv)));
    let table = "table: canaries, columns: [n, t], body: '${ $stream }'";
    files.push(streaming("rows-to-table", "", rows, ("mysql.load", &format!("{table}, format: csv"))));
    files.push(streaming(
        "table-to-table",
        "",
        ("postgres.unload", "table: canaries, columns: [t, n]"),
        ("postgres.load", table),
    ));
    files.push(streaming("nightly", "schedule: { every: PT1S }\n", rows, ("sftp.put", &csv)));
    files.push(streaming("breaking", "", breaking, ("sftp.put", &format!("{}, format: json", file("broken.json")))));
    files.push(streaming(
        "file-to-web",
        "",
        ("sftp.get", "path: rows.csv"),
        ("https.put", "path: echo, body: '${ $stream }'"),
    ));
    files.push(streaming(
        "web-to-file",
        "",
        ("https.get", "path: echo, query: { q: '${ text }' }"),
        ("sftp.put", &file("page.json")),
    ));

    let defect =
        "  - go: { call: defect.go:1@default, with: { account: the-defect, at: '${ at }', text: '${ text }' } }\n";
    files.push(flow("defect-go", "", defect));
    files.push(streaming(
        "defect-stream",
        "",
        ("defect.go", "at: nowhere, text: '${ text }'"),
        ("sftp.put", &file("defect.bin")),
    ));
    files
}
