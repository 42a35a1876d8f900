//! Refusals first: every one with its code and place.

use lockgate_mapping::yaml;
use lockgate_model::Diagnostics;

use super::tree::{Flow, Target, Template, Work};
use super::{Surroundings, probe, read};
use crate::documents::Documents;
use crate::reader::Reader;

const HEAD: &str =
    "document: { dsl: '1.0.3', namespace: test, name: flow, version: '1.0.0' }\nevaluate: { language: jsonata }\n";

fn parse(text: &str) -> (Flow, Diagnostics) {
    let node = yaml::parse("f.flow.yaml", text).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    let mut reader = Reader::new("f.flow.yaml", text);
    let flow = read(&mut reader, &node, &Documents::none());
    (flow, reader.problems)
}

/// Codes with the text they point at, of a flow with this body.
fn refused(body: &str) -> Vec<(String, String)> {
    refused_whole(&format!("{HEAD}{body}"))
}

fn refused_whole(text: &str) -> Vec<(String, String)> {
    let (_, problems) = parse(text);
    let mut found: Vec<_> = problems.0.iter().collect();
    found.sort_by_key(|problem| problem.span);
    found
        .iter()
        .map(|problem| {
            assert_eq!(problem.file, "f.flow.yaml");
            let span = problem.span.start as usize..problem.span.end as usize;
            (problem.code.clone(), text.get(span).expect("a span inside the text").to_owned())
        })
        .collect()
}

fn is(found: &[(String, String)], expect: &[(&str, &str)]) {
    let found: Vec<(&str, &str)> = found.iter().map(|(code, text)| (code.as_str(), text.as_str())).collect();
    assert_eq!(found, expect);
}

fn sound(body: &str) -> Flow {
    let text = format!("{HEAD}{body}");
    let (flow, problems) = parse(&text);
    assert!(problems.is_empty(), "{problems}\n{text}");
    flow
}

#[test]
fn the_head_of_a_flow() {
    is(&refused_whole("do: [a: { set: { b: 1 } }]"), &[("LG-MISSING-KEY", "do: [a: { set: { b: 1 } }]")]);
    is(
        &refused_whole(
            "document: { dsl: '2.0.0', namespace: -x, name: Flow_1, version: one, titel: x }\nevaluate: { language: js, mode: loose }\ndo: [a: { set: { b: 1 } }]\n",
        ),
        &[
            ("LG-FLOW-VALUE", "'2.0.0'"),
            ("LG-FLOW-VALUE", "-x"),
            ("LG-FLOW-VALUE", "Flow_1"),
            ("LG-FLOW-VALUE", "one"),
            ("LG-UNKNOWN-KEY", "titel"),
            ("LG-FLOW-LANGUAGE", "js"),
            ("LG-FLOW-REFUSED", "loose"),
        ],
    );
    is(
        &refused_whole(
            "document: { dsl: 1.0, namespace: n, name: f, version: 1 }\nevaluate: {}\ndo: [a: { set: { b: 1 } }]",
        ),
        &[("LG-WRONG-TYPE", "1.0"), ("LG-WRONG-TYPE", "1")],
    );
}

#[test]
fn what_is_not_there_yet_is_refused_and_never_ignored() {
    is(
        &refused(
            "schedule: { on: { one: {} } }\ninput: { schema: { resource: { endpoint: x } } }\nuse: { catalogs: {}, extensions: [] }\ndo: [a: { set: { b: 1 } }]\n",
        ),
        &[
            ("LG-FLOW-NOT-YET", "on"),
            ("LG-IMPORT-FILE", "x"),
            ("LG-FLOW-NOT-YET", "catalogs"),
            ("LG-FLOW-NOT-YET", "extensions"),
        ],
    );
    is(&refused("do: [a: { listen: { to: {} } }]"), &[("LG-FLOW-NOT-YET", "listen")]);
    for call in ["asyncapi", "grpc", "a2a", "mcp"] {
        is(&refused(&format!("do: [a: {{ call: {call}, with: {{}} }}]")), &[("LG-FLOW-NOT-YET", call)]);
    }
}

#[test]
fn forks_and_rounds_that_are_none() {
    is(
        &refused(
            "do: [a: { fork: {} }, b: { fork: { branches: [] } }, c: { fork: { branches: [d: { set: { e: 1 } }], compete: maybe, wins: d } }]",
        ),
        &[("LG-MISSING-KEY", "{}"), ("LG-FLOW-VALUE", "[]"), ("LG-WRONG-TYPE", "maybe"), ("LG-UNKNOWN-KEY", "wins")],
    );
    // A branch is a list of its own.
    is(
        &refused(
            "do: [a: { fork: { branches: [b: { set: { x: 1 }, then: c }, c: { set: { x: 1 } }, c: { set: { x: 1 } }] } }]",
        ),
        &[("LG-FLOW-THEN", "c"), ("LG-FLOW-NAME", "c")],
    );
    is(
        &refused(
            "do: [a: { fork: { branches: [b: { call: https.get, with: { account: erp, stream: true } }, c: { call: https.put, with: { account: erp, body: '${ $stream }' } }] } }]",
        ),
        &[("LG-FLOW-STREAM", "b"), ("LG-FLOW-STREAM", "'${ $stream }'")],
    );
    let rounds = |metadata: &str| {
        refused(&format!(
            "do: [a: {{ for: {{ in: '[1]' }}, metadata: {{ {metadata} }}, while: x, do: [b: {{ set: {{ c: 1 }} }}] }}]"
        ))
    };
    is(&rounds("note: 7"), &[]);
    is(&rounds("batch: 7"), &[]);
    is(&rounds("errors: fail"), &[]);
    is(&rounds("concurrency: 3"), &[("LG-FLOW-VALUE", "x")]);
    is(&rounds("errors: collect"), &[("LG-FLOW-VALUE", "x")]);
    is(
        &rounds("batch: 0, concurrency: 5000, errors: drop"),
        &[("LG-FLOW-VALUE", "0"), ("LG-FLOW-VALUE", "5000"), ("LG-FLOW-VALUE", "drop"), ("LG-FLOW-VALUE", "x")],
    );
    is(&rounds("batch: -1, concurrency: two"), &[("LG-WRONG-TYPE", "-1"), ("LG-WRONG-TYPE", "two")]);
}

#[test]
fn processes_are_refused_for_good() {
    for what in ["container", "script", "shell"] {
        is(&refused(&format!("do: [a: {{ run: {{ {what}: {{ command: rm }} }} }}]")), &[("LG-FLOW-REFUSED", what)]);
    }
}

#[test]
fn runs_of_flows_that_are_none() {
    let run = |workflow: &str| refused(&format!("do: [a: {{ run: {{ workflow: {{ {workflow} }} }} }}]"));
    is(&run("namespace: n, name: other, version: latest, input: { a: '${ b }' }"), &[]);
    is(&run("namespace: n, name: other"), &[("LG-MISSING-KEY", "{ namespace: n, name: other }")]);
    is(
        &run("namespace: 'a b', name: '${ x }', version: '1'"),
        &[("LG-FLOW-VALUE", "'a b'"), ("LG-FLOW-VALUE", "'${ x }'"), ("LG-FLOW-VALUE", "'1'")],
    );
    is(
        &refused(
            "do: [a: { run: { await: later, return: all, workflow: { namespace: n, name: o, version: 1.0.0 } } }]",
        ),
        &[("LG-WRONG-TYPE", "later"), ("LG-FLOW-REFUSED", "return")],
    );
    is(&refused("do: [a: { run: {} }]"), &[("LG-MISSING-KEY", "{}")]);
}

#[test]
fn functions() {
    let used =
        |functions: &str, tasks: &str| refused(&format!("use: {{ functions: {{ {functions} }} }}\ndo: [{tasks}]\n"));
    is(&used("f: { set: { a: '${ $input.x }' } }", "a: { call: f, with: { x: 1 } }, b: { call: f }"), &[]);
    // What is wrong in a function is told once, called or not.
    is(
        &used("f: { set: {}, banana: 1 }", ""),
        &[("LG-FLOW-VALUE", "{}"), ("LG-UNKNOWN-KEY", "banana"), ("LG-FLOW-VALUE", "[]")],
    );
    is(
        &used("f: { set: {}, banana: 1 }", "a: { call: f }, b: { call: f }"),
        &[("LG-FLOW-VALUE", "{}"), ("LG-UNKNOWN-KEY", "banana")],
    );
    is(
        &used("f.g: { set: { a: 1 } }, http: { set: { a: 1 } }", "a: { set: { a: 1 } }"),
        &[("LG-FLOW-NAME", "f.g"), ("LG-FLOW-NAME", "http")],
    );
    // Arguments have names.
    is(
        &used(
            "f: { set: { a: 1 } }",
            "a: { call: f, with: 5 }, b: { call: f, with: [1] }, c: { call: f, with: '${ x }' }",
        ),
        &[("LG-WRONG-TYPE", "5"), ("LG-WRONG-TYPE", "[1]")],
    );
    // Directly, and by another one.
    is(&used("f: { call: f }", "a: { call: f }"), &[("LG-FLOW-REFERENCE", "f")]);
    is(
        &used("f: { do: [x: { call: g }] }, g: { do: [y: { call: f }] }", "a: { call: f }"),
        &[("LG-FLOW-REFERENCE", "g"), ("LG-FLOW-REFERENCE", "f")],
    );
    // Each calls the next one four times: written out that would be 4^12 tasks.
    let chain: Vec<String> = (0..12)
        .map(|n| {
            let calls: Vec<String> = (0..4).map(|c| format!("c{c}: {{ call: f{} }}", n + 1)).collect();
            format!("f{n}: {{ do: [{}] }}", calls.join(", "))
        })
        .collect();
    let found = used(&format!("{}, f12: {{ set: {{ a: 1 }} }}", chain.join(", ")), "a: { call: f0 }");
    assert!(found.iter().any(|(code, _)| code == "LG-FLOW-SIZE"), "{found:?}");
    // A function knows nothing of where it is called.
    let text = format!(
        "{HEAD}use: {{ functions: {{ f: {{ set: {{ a: '${{ $one }}' }} }} }} }}\ndo: [a: {{ for: {{ each: one, in: '[1]' }}, do: [b: {{ call: f }}, c: {{ call: f }}] }}]\n"
    );
    let (flow, problems) = parse(&text);
    assert!(problems.is_empty(), "{problems}");
    let (maps, tables) = (Default::default(), Default::default());
    let found = probe(&flow, &Surroundings { file: "f.flow.yaml", maps: &maps, tables: &tables });
    assert_eq!(found.0.iter().map(|p| p.code.as_str()).collect::<Vec<_>>(), ["LG-FLOW-ARGUMENT"], "{found}");
}

#[test]
fn a_policy_names_a_scheme_and_a_secret_and_never_holds_one() {
    let call = |policies: &str, authentication: &str| {
        refused(&format!(
            "use: {{ secrets: [key], authentications: {{ {policies} }} }}\ndo: [a: {{ call: http, with: {{ method: get, endpoint: {{ uri: 'https://h/x', authentication: {authentication} }} }} }}]\n"
        ))
    };
    is(&call("p: { bearer: { use: key } }", "{ use: p }"), &[]);
    is(&call("p: { basic: { use: key } }", "{ bearer: { use: key } }"), &[]);
    is(&call("p: { digest: { use: key } }", "{ oauth2: { use: key } }"), &[]);
    is(&call("p: { oidc: { use: key } }", "{ use: p }"), &[]);
    is(&call("p: { bearer: { use: kay } }", "{ use: q }"), &[("LG-FLOW-REFERENCE", "kay"), ("LG-FLOW-REFERENCE", "q")]);
    is(&call("p: { bearer: { token: abc } }", "{ use: p }"), &[("LG-FLOW-REFUSED", "token")]);
    is(
        &call(
            "p: { oidc: { authority: 'https://i' } }, r: {}, s: { basic: { use: key }, bearer: { use: key } }",
            "{ oauth2: { client: { id: a, secret: b } } }",
        ),
        &[
            ("LG-FLOW-REFUSED", "authority"),
            ("LG-FLOW-VALUE", "{}"),
            ("LG-FLOW-VALUE", "{ basic: { use: key }, bearer: { use: key } }"),
            ("LG-FLOW-REFUSED", "client"),
        ],
    );
}

#[test]
fn tasks_that_are_none() {
    is(
        &refused(
            "do:\n  - a: { swich: [] }\n  - b: {}\n  - c: { set: { x: 1 }, do: [] }\n  - { d: { set: { x: 1 } }, e: {} }\n  - f: 7\n  - g\n",
        ),
        &[
            ("LG-FLOW-TASK", "swich"),
            ("LG-FLOW-TASK", "b"),
            ("LG-FLOW-TASK", "c"),
            ("LG-FLOW-TASK", "{ d: { set: { x: 1 } }, e: {} }"),
            ("LG-WRONG-TYPE", "7"),
            ("LG-WRONG-TYPE", "g"),
        ],
    );
    is(
        &refused("do: [a: { set: { x: 1 }, wiht: {}, metadata: 5 }]"),
        &[("LG-UNKNOWN-KEY", "wiht"), ("LG-WRONG-TYPE", "5")],
    );
    is(&refused("do: []"), &[("LG-FLOW-VALUE", "[]")]);
    is(
        &refused("do: [a: { set: {} }, b: { set: [1] }, c: { do: {} }]"),
        &[("LG-FLOW-VALUE", "{}"), ("LG-WRONG-TYPE", "[1]"), ("LG-WRONG-TYPE", "{}")],
    );
    let nested: String = (0..40).map(|i| format!("{}do:\n{}- t:\n", "    ".repeat(i), "    ".repeat(i))).collect();
    let nested = format!("{nested}{}set: {{ a: 1 }}\n", "    ".repeat(40));
    assert_eq!(refused(&nested)[0].0, "LG-FLOW-DEPTH");
}

#[test]
fn a_flow_has_a_limited_number_of_tasks() {
    let tasks = |count: usize| -> String {
        let tasks: String = (0..count).map(|i| format!("  - t{i}: {{ set: {{ a: 1 }} }}\n")).collect();
        format!("do:\n{tasks}")
    };
    is(&refused(&tasks(super::task::TASKS_MAX)), &[]);
    is(&refused(&tasks(super::task::TASKS_MAX + 1)), &[("LG-FLOW-SIZE", "t4000")]);
}

/// One mistake is one problem: what it should have been is known behind it, and is not suggested in its own place.
#[test]
fn a_mistake_is_told_once() {
    let text = format!(
        "{HEAD}do: [a: {{ try: [b: {{ set: {{ x: 1 }} }}], catch: {{ as: $e, do: [c: {{ set: {{ x: '${{ $e.status }}' }} }}] }} }}]\n"
    );
    let (flow, problems) = parse(&text);
    assert_eq!(problems.0.iter().map(|p| p.code.as_str()).collect::<Vec<_>>(), ["LG-FLOW-NAME"], "{problems}");
    let (maps, tables) = (Default::default(), Default::default());
    let found = probe(&flow, &Surroundings { file: "f.flow.yaml", maps: &maps, tables: &tables });
    assert!(found.is_empty(), "{found}");
    let (_, problems) =
        parse(&format!("{HEAD}do:\n  - tow: {{ set: {{ x: 1 }}, then: two }}\n  - c: {{ set: {{ x: 1 }} }}\n"));
    let help = problems.0.iter().find_map(|p| p.help.clone()).unwrap_or_default();
    assert!(help.contains("a task of the same list: `tow`"), "{help}");
}

#[test]
fn jumps_and_names() {
    is(
        &refused(
            "do:\n  - a: { set: { x: 1 }, then: c }\n  - b: { set: { x: 1 }, then: aa }\n  - a: { set: { x: 1 } }\n  - end: { set: { x: 1 } }\n",
        ),
        &[("LG-FLOW-THEN", "c"), ("LG-FLOW-THEN", "aa"), ("LG-FLOW-NAME", "a")],
    );
    is(
        &refused("do:\n  - a: { set: { x: 1 }, then: end }\n  - b: { set: { x: 1 } }\n  - c: { set: { x: 1 } }\n"),
        &[("LG-FLOW-UNREACHABLE", "b"), ("LG-FLOW-UNREACHABLE", "c")],
    );
    // Inside another list is not in this list.
    is(
        &refused("do:\n  - a: { do: [b: { set: { x: 1 }, then: c }] }\n  - c: { set: { x: 1 } }\n"),
        &[("LG-FLOW-THEN", "c")],
    );
    // Skipped, jumped over, jumped back to: all reachable.
    sound(
        "do:\n  - a: { if: x, set: { x: 1 }, then: exit }\n  - b: { set: { x: 1 }, then: d }\n  - c: { set: { x: 1 }, then: end }\n  - d: { set: { x: 1 }, then: c }\n",
    );
    is(
        &refused(
            "do: [a: { switch: [one: { when: x, then: nowhere }, two: { then: end }, three: { when: y, then: end }, two: { then: exit, els: 1 }, four: {}] }]",
        ),
        &[
            ("LG-FLOW-THEN", "nowhere"),
            ("LG-FLOW-NAME", "two"),
            ("LG-FLOW-UNREACHABLE", "two"),
            ("LG-UNKNOWN-KEY", "els"),
            ("LG-FLOW-UNREACHABLE", "four"),
            ("LG-MISSING-KEY", "four"),
        ],
    );
}

#[test]
fn expressions_and_their_places() {
    is(
        &refused("do: [a: { set: { b: '${ x ', c: 'say ${ x }', d: '${ x } }' } }]"),
        &[("LG-FLOW-EXPRESSION", "'${ x '"), ("LG-FLOW-EXPRESSION", "'say ${ x }'"), ("S0201", "}")],
    );
    // In a folded block the place is exact, line by line.
    let found = refused(
        "do:\n  - a:\n      set:\n        b: >-\n          ${ x +\n             $input.y +\n             ) }\n",
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].1, ")");
    is(&refused("do: [a: { if: true, set: { b: 1 } }]"), &[("LG-WRONG-TYPE", "true")]);
}

#[test]
fn what_no_call_event_or_object_is_made_of() {
    let http =
        |with: &str| format!("do: [a: {{ call: http, with: {{ method: get, endpoint: 'https://h/x', {with} }} }}]");
    for (with, code, at) in [
        ("headers: 5", "LG-WRONG-TYPE", "5"),
        ("headers: []", "LG-WRONG-TYPE", "[]"),
        ("query: word", "LG-WRONG-TYPE", "word"),
        ("query: { a: { b: 1 } }", "LG-WRONG-TYPE", "{ b: 1 }"),
        ("query: { a: [[1]] }", "LG-WRONG-TYPE", "[[1]]"),
        ("headers: { '${ x }': y }", "LG-FLOW-EXPRESSION", "'${ x }'"),
    ] {
        is(&refused(&http(with)), &[(code, at)]);
    }
    is(
        &refused("do: [a: { set: { '${ k }': 1, b: { 'x ${ k }': 2 } } }]"),
        &[("LG-FLOW-EXPRESSION", "'${ k }'"), ("LG-FLOW-EXPRESSION", "'x ${ k }'")],
    );
    is(
        &refused("do: [a: { emit: { event: { with: { type: 5, id: true, source: 'a', time: 2 } } } }]"),
        &[("LG-WRONG-TYPE", "5"), ("LG-WRONG-TYPE", "true"), ("LG-WRONG-TYPE", "2")],
    );
    // A name and a credential beside it: the credential would have been read by nobody.
    is(
        &refused(
            "use: { secrets: [s], authentications: { b: { basic: { use: s } } } }\ndo: [a: { call: http, with: { method: get, endpoint: { uri: 'https://h/x', authentication: { use: b, bearer: { token: t }, more: 1 } } } }]",
        ),
        &[("LG-FLOW-REFUSED", "bearer"), ("LG-FLOW-REFUSED", "more")],
    );
}

#[test]
fn runtime_arguments_where_they_exist() {
    is(
        &refused(
            "input: { from: '${ $context }' }\noutput: { as: $input }\ndo:\n  - a:\n      input: { from: $input.x }\n      output: { as: $output }\n      set: { b: '${ $secrets.key }', c: '${ $authorization }', d: '${ $workflow.identity }', e: '${ $task.begun }', g: '${ $runtime.host }', f: '${ \"$output\" }' }\n",
        ),
        &[
            ("LG-FLOW-ARGUMENT", "$context"),
            ("LG-FLOW-ARGUMENT", "$input"),
            ("LG-FLOW-ARGUMENT", "$input"),
            ("LG-FLOW-ARGUMENT", "$output"),
            ("LG-FLOW-ARGUMENT", "$secrets"),
            ("LG-FLOW-ARGUMENT", "$authorization"),
            ("LG-FLOW-ARGUMENT", "$workflow"),
            ("LG-FLOW-ARGUMENT", "$task"),
            ("LG-FLOW-ARGUMENT", "$runtime"),
        ],
    );
    sound(
        "do: [a: { set: { b: '${ $workflow.input.x & $task.name & $runtime.name & $runtime.metadata.x & $input.y & $context.z & $workflow.id }', c: '${ $task }', d: '${ $workflow }' }, export: { as: '${ $output }' } }]",
    );
}

#[test]
fn switches_that_decide_nothing() {
    is(&refused("do: [a: { switch: [] }]"), &[("LG-FLOW-VALUE", "[]")]);
    is(
        &refused("do: [a: { switch: [{ b: { when: c }, d: { when: e } }, {}] }]"),
        &[("LG-FLOW-VALUE", "{ b: { when: c }, d: { when: e } }"), ("LG-FLOW-VALUE", "{}")],
    );
}

#[test]
fn loops_and_their_names() {
    is(
        &refused("do: [a: { for: { each: x, at: x }, do: [b: { set: { c: 1 } }] }]"),
        &[("LG-FLOW-NAME", "{ each: x, at: x }"), ("LG-MISSING-KEY", "{ each: x, at: x }")],
    );
    is(
        &refused("do: [a: { for: { each: $x, at: input, in: y, of: z } }]"),
        &[("LG-MISSING-KEY", "a"), ("LG-FLOW-NAME", "$x"), ("LG-FLOW-NAME", "input"), ("LG-UNKNOWN-KEY", "of")],
    );
}

#[test]
fn errors_and_retries() {
    is(
        &refused(
            "use:\n  errors: { gone: { type: x, status: 7 } }\n  retries: { slow: { delay: 5, backoff: { linear: { a: 1 }, constant: {} }, jitter: { from: PT2S, to: PT1S }, limit: { attempt: { count: -1, duration: PT1S } } } }\ndo:\n  - a: { raise: { error: gonne } }\n  - b: { try: [c: { raise: { error: { status: 400, detial: x } } }], catch: { retry: fast, errors: { with: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/comunication', statsu: 1, status: x } } } }\n",
        ),
        &[
            ("LG-FLOW-VALUE", "7"),
            ("LG-WRONG-TYPE", "5"),
            ("LG-FLOW-VALUE", "{ linear: { a: 1 }, constant: {} }"),
            ("LG-FLOW-VALUE", "{ from: PT2S, to: PT1S }"),
            ("LG-WRONG-TYPE", "-1"),
            ("LG-FLOW-REFERENCE", "gonne"),
            ("LG-FLOW-UNREACHABLE", "b"),
            ("LG-MISSING-KEY", "{ status: 400, detial: x }"),
            ("LG-UNKNOWN-KEY", "detial"),
            ("LG-FLOW-REFERENCE", "fast"),
            ("LG-FLOW-VALUE", "'https://serverlessworkflow.io/spec/1.0.0/errors/comunication'"),
            ("LG-UNKNOWN-KEY", "statsu"),
            ("LG-WRONG-TYPE", "x"),
        ],
    );
    is(&refused("do: [a: { try: [b: { set: { c: 1 } }] }]"), &[("LG-MISSING-KEY", "a")]);
    is(
        &refused(
            "do: [a: { try: [b: { set: { c: 1 } }], catch: { errors: { with: {} } } }, d: { try: [e: { set: { f: 1 } }], catch: { errors: { with: { title: '${ g }' } } } }]",
        ),
        &[("LG-FLOW-VALUE", "{}"), ("LG-FLOW-EXPRESSION", "'${ g }'")],
    );
    for (delay, code) in [("'soon'", "LG-FLOW-VALUE"), ("P53W", "LG-FLOW-VALUE"), ("{}", "LG-FLOW-VALUE")] {
        let body = format!("do: [a: {{ try: [b: {{ set: {{ c: 1 }} }}], catch: {{ retry: {{ delay: {delay} }} }} }}]");
        is(&refused(&body), &[(code, delay)]);
    }
}

#[test]
fn calls_that_cannot_be() {
    for (call, at) in [
        ("call: post", "post"),
        ("call: https.post:x@default", "https.post:x@default"),
        ("call: https.Post", "https.Post"),
        ("call: a.b.c", "a.b.c"),
    ] {
        is(&refused(&format!("do: [a: {{ {call} }}]")), &[("LG-CALL-NAME", at)]);
    }
    is(&refused("do: [a: { call: https.post:1@elsewhere }]"), &[("LG-CALL-CATALOG", "https.post:1@elsewhere")]);
    is(
        &refused(
            "do: [a: { call: https.post }, b: { call: https.post, with: { body: 1 } }, c: { call: https.post, with: { account: '${ x }' } }]",
        ),
        &[("LG-MISSING-KEY", "https.post"), ("LG-MISSING-KEY", "{ body: 1 }"), ("LG-CALL-ACCOUNT", "'${ x }'")],
    );
    is(
        &refused("do: [a: { call: map.x }, b: { call: map.x, with: { inptu: 1 } }]"),
        &[("LG-MISSING-KEY", "map.x"), ("LG-MISSING-KEY", "{ inptu: 1 }"), ("LG-UNKNOWN-KEY", "inptu")],
    );
}

#[test]
fn http_calls_that_cannot_be() {
    is(
        &refused(
            "do:\n  - a: { call: http, with: { method: steal, endpoint: 'http://h/x', output: rew, redirect: maybe } }\n  - b: { call: http, with: { method: get, endpoint: { uri: 'https://h/x', authentication: { basic: { username: u, password: p } } }, headers: { Authorization: x, n: 5 } } }\n  - c: { call: http, with: { method: get, endpoint: 'https://h/x?a=1', query: '${ $ }' } }\n  - d: { call: http, with: { endpoint: '${ url }' } }\n",
        ),
        &[
            ("LG-FLOW-VALUE", "steal"),
            ("LG-CALL-ENDPOINT", "'http://h/x'"),
            ("LG-FLOW-VALUE", "rew"),
            ("LG-WRONG-TYPE", "maybe"),
            ("LG-FLOW-REFUSED", "username"),
            ("LG-FLOW-REFUSED", "password"),
            ("LG-FLOW-REFUSED", "Authorization"),
            ("LG-WRONG-TYPE", "5"),
            ("LG-CALL-ENDPOINT", "'${ $ }'"),
            ("LG-MISSING-KEY", "{ endpoint: '${ url }' }"),
            ("LG-CALL-ENDPOINT", "'${ url }'"),
        ],
    );
    let of = |with: &str| refused(&format!("do: [a: {{ call: http, with: {{ {with} }} }}]"));
    is(&refused("do: [a: { call: http }]"), &[("LG-MISSING-KEY", "http")]);
    is(&of("method: get, endpoint: 'https://h/x', output: text"), &[("LG-FLOW-VALUE", "text")]);
    is(&of("method: GET, endpoint: 'https://h/x', body: { a: 1 }"), &[("LG-FLOW-VALUE", "body")]);
    is(&of("method: head, endpoint: 'https://h/x', body: '${ $ }'"), &[("LG-FLOW-VALUE", "body")]);
    is(&of("method: get, endpoint: 'https://h/x', headers: { x-a: b, X-A: c }"), &[("LG-FLOW-VALUE", "X-A")]);
    is(&of("method: trace, endpoint: 'https://h/x'"), &[("LG-FLOW-VALUE", "trace")]);
    is(
        &of("method: get, endpoint: 'https://h/x?a={b}&c=1', query: { a: '${ b }', c: 2, d: 3 }"),
        &[("LG-CALL-ENDPOINT", "a"), ("LG-CALL-ENDPOINT", "c")],
    );
}

#[test]
fn help_names_what_was_meant() {
    let (_, problems) = parse(&format!("{HEAD}do: [a: {{ swtich: [] }}, b: {{ set: {{ x: 1 }}, then: aa }}]"));
    let help: Vec<_> = problems.0.iter().filter_map(|problem| problem.help.as_deref()).collect();
    assert_eq!(help, ["did you mean `switch`?", "did you mean `a`?"]);
}

#[test]
fn help_offers_nothing_that_is_refused_then() {
    let refused = ["listen", "`on`"];
    let tasks = "a: { banana: 1 }, b: { set: { x: 1 }, banana: 1, output: { banana: 1 } }, c: { call: http, with: { method: get, endpoint: { uri: 'https://h', banana: 1 } } }, d: { try: [e: { set: { x: 1 } }], catch: { retry: { banana: 1, limit: { attempt: { banana: 1 } } } } }";
    let (_, problems) =
        parse(&format!("{HEAD}banana: 1\nuse: {{ banana: 1 }}\nschedule: {{ banana: 1 }}\ndo: [{tasks}]"));
    assert_eq!(problems.0.iter().filter(|p| p.code == "LG-UNKNOWN-KEY").count(), 8, "{problems}");
    for problem in &problems.0 {
        let help = problem.help.as_deref().unwrap_or("");
        assert!(refused.iter().all(|name| !help.contains(name)), "{}: {help}", problem.message);
    }
}

#[test]
fn what_the_expression_compiler_refuses_is_found_in_a_broken_flow_too() {
    // In tasks that are broken themselves, and beside and inside other forms.
    let text = format!(
        r#"{HEAD}do:
  - a: {{ set: {{ b: '${{ $eval("1") }}', c: 'x ${{ y }}', d: '${{ $eval(a, b) & /(?=q)/ }}' }}, swtich: 1 }}
  - b: {{ for: {{ each: i }}, do: [c: {{ set: {{ d: ['${{ /(?=x)/ }}', '${{ a{{b: $eval(c)}} }}'] }} }}] }}
  - d: {{ try: [e: {{ set: '${{ a^($eval(b)) }}' }}] }}
  - f: {{ call: nothing, with: {{ body: '${{ $ ~> |a|{{"b": $eval(c)}}| }}' }} }}
  - g: {{ call: http, with: {{ method: steal, body: '${{ $eval(a) }}' }} }}
  - h: {{ switch: [i: {{ when: $eval(a) }}], output: {{ as: $eval() }} }}
  - j: {{ raise: {{ error: {{ status: 9, title: '${{ $eval("x") }}' }} }}, if: $eval(b) }}
  - k: {{ fork: {{}}, if: $eval(a) }}
"#
    );
    let (flow, problems) = parse(&text);
    assert!(!problems.is_empty());
    let (maps, tables) = Default::default();
    let found = probe(&flow, &Surroundings { file: "f.flow.yaml", maps: &maps, tables: &tables });
    let found = found.into_result(()).unwrap_err();
    assert!(found.0.iter().all(|problem| problem.file == "f.flow.yaml"), "{found}");
    let at: Vec<_> = found.0.iter().map(|p| text.get(p.span.start as usize..p.span.end as usize).unwrap()).collect();
    assert_eq!(
        at,
        [
            "$eval", "$eval", "(?=q)/", "(?=x)/", "$eval", "$eval", "$eval", "$eval", "$eval", "$eval", "$eval",
            "$eval", "$eval",
        ]
    );
}

#[test]
fn pointers_and_targets() {
    let flow = sound(
        "do:\n  - a/b: { do: [c~: { set: { x: 1 } }] }\n  - t: { try: [d: { set: { x: 1 } }], catch: { do: [e: { set: { x: 1 }, then: exit }] }, then: a/b }\n",
    );
    let mut pointers = Vec::new();
    flow.each_task(&mut |task| pointers.push(task.pointer.clone()));
    assert_eq!(pointers, ["/do/0/a~1b", "/do/0/a~1b/do/0/c~0", "/do/1/t", "/do/1/t/try/0/d", "/do/1/t/catch/do/0/e"]);
    assert_eq!(flow.tasks[1].then.to, Target::Task(0));
}

#[test]
fn constants_stay_constants() {
    let flow = sound("do: [a: { set: { b: [1.50, { c: null }], d: $x } }, e: { set: '{ \"x\": 1 }' }]");
    assert!(
        matches!(&flow.tasks[0].work, Work::Set(Template::Constant(json)) if json == r#"{"b":[1.50,{"c":null}],"d":"$x"}"#)
    );
    assert!(matches!(&flow.tasks[1].work, Work::Set(Template::Formula(_))));
}

#[test]
fn old_and_new_names_of_an_error_type_are_one() {
    let flow = sound(
        "do: [a: { try: [b: { set: { c: 1 } }], catch: { errors: { with: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/communication', title: x } } } }]",
    );
    let Work::Try(work) = &flow.tasks[0].work else { panic!() };
    assert_eq!(work.filter[0].any_of.len(), 4);
    assert!(
        work.filter[0]
            .any_of
            .contains(&"\"https://open-workflow-specification.org/dsl/errors/types/communication\"".to_owned())
    );
    assert_eq!(work.filter[1].any_of, ["\"x\""]);
}

#[test]
fn a_stream_goes_from_one_call_into_the_next_and_nowhere_else() {
    let query = "rows: { call: 'postgres.query:1', with: { account: db, sql: x, stream: true } }";
    let put = "file: { call: 'sftp.put:1', with: { account: out, path: /a, content: '${ $stream }', format: csv } }";
    let flow = sound(&format!("do:\n  - {query}\n  - {put}\n"));
    let Work::Call(super::tree::Call::Operation(operation)) = &flow.tasks[1].work else { panic!("a call") };
    let takes = operation.takes.as_ref().unwrap();
    assert_eq!((takes.member.as_str(), takes.stream.from.as_ref().unwrap().operation.as_str()), ("content", "query"));
    assert!(!matches!(&operation.input, Template::Object(fields) if fields.iter().any(|(key, _)| key != "path")));

    let stream = "LG-FLOW-STREAM";
    is(&refused(&format!("do:\n  - {put}\n")), &[(stream, "'${ $stream }'")]);
    is(&refused(&format!("do:\n  - {query}\n")), &[(stream, "rows")]);
    is(
        &refused(&format!("do:\n  - {query}\n  - between: {{ set: {{ a: 1 }} }}\n  - {put}\n")),
        &[(stream, "rows"), (stream, "'${ $stream }'")],
    );
    // In a list of its own it may not come.
    is(
        &refused(&format!("do:\n  - {query}\n  - inner: {{ do: [{put}] }}\n")),
        &[(stream, "rows"), (stream, "'${ $stream }'")],
    );
    is(
        &refused(&format!("do:\n  - {}\n  - {put}\n", query.replace("rows: {", "rows: { if: '${ a }',"))),
        &[(stream, "rows")],
    );
    is(
        &refused(&format!("do:\n  - {query}\n  - {}\n", put.replace("file: {", "file: { if: '${ a }',"))),
        &[(stream, "file")],
    );
    is(
        &refused(&format!("do:\n  - {}\n  - {put}\n", query.replace("rows: {", "rows: { then: file,"))),
        &[(stream, "file"), (stream, "file")],
    );
    is(
        &refused(&format!(
            "do:\n  - which: {{ switch: [{{ a: {{ when: '${{ a }}', then: file }} }}, {{ b: {{ then: rows }} }}] }}\n  - {query}\n  - {put}\n"
        )),
        &[(stream, "file")],
    );
    // As a part of anything it is no value.
    for other in ["content: '${ $count($stream) }'", "content: { a: '${ $stream }' }"] {
        let found = refused(&format!("do:\n  - {query}\n  - {}\n", put.replace("content: '${ $stream }'", other)));
        assert!(found.contains(&("LG-FLOW-ARGUMENT".into(), "$stream".into())), "{other}: {found:?}");
    }
    let written =
        |format: &str| format!("do:\n  - {query}\n  - {}\n", put.replace("format: csv", &format!("format: {format}")));
    is(&refused(&written("yaml")), &[("LG-FLOW-VALUE", "yaml")]);
    is(&refused(&written("{ csv: {}, json: {} }")), &[("LG-FLOW-VALUE", "{ csv: {}, json: {} }")]);
    is(&refused(&written("{ csv: { delimeter: ',' } }")), &[("LG-FORMAT", "delimeter")]);
    is(&refused(&written("{ fixed: types/none.yaml }")), &[("LG-IMPORT-FILE", "types/none.yaml")]);
    // What could stand in a number or a boolean would break lines.
    is(&refused(&written("{ csv: { delimiter: '\"' } }")), &[("LG-FORMAT", "{ delimiter: '\"' }")]);
    for delimiter in ["''", "'::'", "'.'", "'+'", "'-'", "'0'", "'e'", "\"\\n\"", "'é'"] {
        is(&refused(&written(&format!("{{ csv: {{ delimiter: {delimiter} }} }}"))), &[("LG-FORMAT", delimiter)]);
    }
    for delimiter in ["';'", "'|'", "\"\\t\""] {
        sound(&written(&format!("{{ csv: {{ delimiter: {delimiter} }} }}")));
    }
    is(
        &refused(&format!("do:\n  - {}\n  - {put}\n", query.replace("stream: true", "stream: yes"))),
        &[(stream, "yes"), (stream, "'${ $stream }'")],
    );
}

#[test]
fn a_stream_goes_through_mappings_and_into_loops() {
    let get = "rows: { call: 'sftp.get:1', with: { account: in, path: /a, stream: true, parse: csv } }";
    let map = "each: { call: map.row, with: { input: '${ $stream }' } }";
    let put = "file: { call: 'sftp.put:1', with: { account: out, path: /a, content: '${ $stream }', format: csv } }";
    let each = "loop: { for: { each: row, in: '${ $stream }' }, do: [{ a: { set: { b: 1 } } }] }";
    let tasks =
        |tasks: &[&str]| format!("do:\n{}", tasks.iter().map(|task| format!("  - {task}\n")).collect::<String>());
    let again = &map.replace("each:", "again:");
    let flow = sound(&tasks(&[get, map, again, put]));
    let Work::Call(super::tree::Call::Operation(operation)) = &flow.tasks[3].work else { panic!("a call") };
    let taken = &operation.takes.as_ref().unwrap().stream;
    assert_eq!(taken.maps.iter().map(|map| map.task.as_str()).collect::<Vec<_>>(), ["/do/1/each", "/do/2/again"]);
    assert!(taken.from.as_ref().unwrap().is_parsed);
    sound(&tasks(&[get, each]));
    sound(&tasks(&[get, map, each]));

    let stream = "LG-FLOW-STREAM";
    is(&refused(&tasks(&[map, put])), &[(stream, "'${ $stream }'")]);
    is(&refused(&tasks(&[each])), &[(stream, "'${ $stream }'")]);
    is(&refused(&tasks(&[get, map])), &[(stream, "each")]);
    is(&refused(&tasks(&[get, map, "no: { set: { a: 1 } }"])), &[(stream, "each")]);
    is(
        &refused(&tasks(&[get, &map.replace("each: {", "each: { output: { as: '${ a }' },"), put])),
        &[(stream, "each")],
    );
    is(&refused(&tasks(&[get, &map.replace("each: {", "each: { if: '${ a }',"), put])), &[(stream, "each"); 2]);
    is(&refused(&tasks(&[get, &each.replace("loop: {", "loop: { if: '${ a }',")])), &[(stream, "loop")]);
    for rounds in ["concurrency: 2", "errors: collect"] {
        let found = refused(&tasks(&[get, &each.replace("loop: {", &format!("loop: {{ metadata: {{ {rounds} }},"))]));
        is(&found, &[(stream, "loop")]);
    }
}

#[test]
fn lengths_of_time() {
    is(
        &refused(
            "do:\n  - a: { wait: soon }\n  - b: { wait: P1Y }\n  - c: { wait: {} }\n  - d: { wait: { weeks: 1 } }\n  - e: { wait: P367D }\n  - ok: { wait: P366D }\n  - f: { wait: 5 }\n  - g: { wait: { seconds: -1 } }\n  - h: { wait: PT1S, with: 1 }\n",
        ),
        &[
            ("LG-FLOW-VALUE", "soon"),
            ("LG-FLOW-VALUE", "P1Y"),
            ("LG-FLOW-VALUE", "{}"),
            ("LG-UNKNOWN-KEY", "weeks"),
            ("LG-FLOW-VALUE", "P367D"),
            ("LG-WRONG-TYPE", "5"),
            ("LG-WRONG-TYPE", "-1"),
            ("LG-UNKNOWN-KEY", "with"),
        ],
    );
}

#[test]
fn timeouts() {
    is(
        &refused(
            "timeout: fast\nuse: { timeouts: { slow: { after: soon }, none: {}, more: { after: PT1S, banana: 1 } } }\ndo:\n  - a: { set: { x: 1 }, timeout: slwo }\n  - b: { set: { x: 1 }, timeout: PT1S }\n  - c: { set: { x: 1 }, timeout: { after: P53W } }\n  - d: { set: { x: 1 }, timeout: { after: '${ $output }' } }\n",
        ),
        &[
            ("LG-FLOW-REFERENCE", "fast"),
            ("LG-FLOW-VALUE", "soon"),
            ("LG-MISSING-KEY", "{}"),
            ("LG-UNKNOWN-KEY", "banana"),
            ("LG-FLOW-REFERENCE", "slwo"),
            ("LG-FLOW-REFERENCE", "PT1S"),
            ("LG-FLOW-VALUE", "P53W"),
            ("LG-FLOW-ARGUMENT", "$output"),
        ],
    );
}

#[test]
fn schemas_are_read_where_they_stand() {
    is(
        &refused(
            "input: { schema: { format: avro, document: { type: objekt } } }\noutput: { schema: { banana: 1 } }\ndo:\n  - a:\n      set: { x: 1 }\n      input: { schema: {} }\n      output:\n        schema:\n          document:\n            properties:\n              n: { minimum: soon }\n              m: { pattern: '(' }\n      export: { schema: 5 }\n",
        ),
        &[
            ("LG-FLOW-VALUE", "avro"),
            ("LG-TYPE-VALUE", "objekt"),
            ("LG-MISSING-KEY", "{ banana: 1 }"),
            ("LG-UNKNOWN-KEY", "banana"),
            ("LG-MISSING-KEY", "{}"),
            ("LG-TYPE-VALUE", "soon"),
            ("LG-TYPE-PATTERN", "'('"),
            ("LG-WRONG-TYPE", "5"),
        ],
    );
    is(
        &refused(
            "input: { schema: { document: {}, resource: { endpoint: documents/a.json } } }\ndo: [a: { set: { b: 1 } }]\n",
        ),
        &[("LG-FLOW-VALUE", "{ endpoint: documents/a.json }")],
    );
    let patterns: String = (0..=128).map(|i| format!("    p{i}: {{ pattern: 'a{i}' }}\n")).collect();
    let body = format!(
        "input:\n  schema:\n    document:\n      properties:\n{}do: [a: {{ set: {{ b: 1 }} }}]\n",
        patterns.replace("    p", "        p")
    );
    assert!(refused(&body).iter().any(|(code, _)| code.starts_with("LG-TYPE")), "{:?}", refused(&body));
    // Each of two schemas has fewer, and the flow has not.
    let half = |names: std::ops::Range<usize>| {
        let properties: Vec<_> = names.map(|i| format!("p{i}: {{ pattern: 'a{i}' }}")).collect();
        format!("{{ schema: {{ document: {{ properties: {{ {} }} }} }} }}", properties.join(", "))
    };
    let two =
        |last: usize| format!("input: {}\noutput: {}\ndo: [a: {{ set: {{ b: 1 }} }}]\n", half(0..64), half(64..last));
    assert!(refused(&two(128)).is_empty());
    assert!(matches!(&refused(&two(129))[..], [(code, _)] if code == "LG-TYPE-SIZE"), "{:?}", refused(&two(129)));
}

#[test]
fn a_password_in_a_flow_is_refused_and_one_in_its_data_is_not() {
    let call = |authentication: &str| {
        format!(
            "do:\n  - a: {{ call: http, with: {{ method: get, endpoint: {{ uri: 'https://h/x', authentication: {authentication} }} }} }}\n"
        )
    };
    for (literal, codes) in [
        (
            "{ basic: { username: u, password: p } }",
            &[("LG-FLOW-REFUSED", "username"), ("LG-FLOW-REFUSED", "password")][..],
        ),
        (
            "{ basic: { username: '${ u }', password: p } }",
            &[("LG-FLOW-REFUSED", "username"), ("LG-FLOW-REFUSED", "password")],
        ),
        ("{ basic: { username: u } }", &[("LG-FLOW-REFUSED", "username")]),
        ("{ basic: { password: '${ p }' } }", &[("LG-MISSING-KEY", "{ password: '${ p }' }")]),
        ("{ bearer: { token: '${ t }' } }", &[("LG-FLOW-REFUSED", "token")]),
        ("{ use: stored }", &[("LG-FLOW-REFERENCE", "stored")]),
        ("secret", &[("LG-FLOW-REFERENCE", "secret")]),
    ] {
        is(&refused(&call(literal)), codes);
    }
    let flow = sound(&call("{ basic: { username: u, password: '${ p }' } }"));
    let Work::Call(super::tree::Call::Operation(call)) = &flow.tasks[0].work else { panic!() };
    let Template::Object(fields) = &call.input else { panic!() };
    assert!(fields.iter().any(|(name, _)| name == "basic"));
}

#[test]
fn events() {
    is(
        &refused(
            "do:\n  - a: { emit: 5 }\n  - b: { emit: {} }\n  - c: { emit: { event: {} } }\n  - d: { emit: { event: { with: { source: x } }, cc: 1 } }\n  - e: { emit: { event: { with: { type: t, specversion: '0.3', Big: 1, much_too_long: 1, subject: { a: 1 }, data: [1] } } } }\n",
        ),
        &[
            ("LG-WRONG-TYPE", "5"),
            ("LG-MISSING-KEY", "{}"),
            ("LG-MISSING-KEY", "{}"),
            ("LG-MISSING-KEY", "{ source: x }"),
            ("LG-UNKNOWN-KEY", "cc"),
            ("LG-FLOW-VALUE", "specversion"),
            ("LG-FLOW-NAME", "Big"),
            ("LG-FLOW-NAME", "much_too_long"),
            ("LG-WRONG-TYPE", "{ a: 1 }"),
        ],
    );
}
