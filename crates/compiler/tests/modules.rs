//! Compiled flows as modules: valid, deterministic, and saying what they may touch.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::collections::BTreeMap;

use lockgate_compiler::{Catalog, Compiled, OperationInfo, Project, Sources};
use lockgate_model::abi::{Frame, Op, Task, section};
use lockgate_model::manifest::AccountRef;
use wasmparser::{KnownCustom, Name, Parser, Payload, Validator, WasmFeatures};

const PROJECT: &str = "project: test\naccounts:\n  erp: { connector: https, operations: [get, post] }\n";

fn catalog() -> Catalog {
    let info = || OperationInfo {
        version: "1".to_owned(),
        idempotent: false,
        constant: Vec::new(),
        takes: None,
        gives: None,
        input: serde_json::Value::Null,
    };
    let https = ["get", "post", "put"].map(|name| (name.to_owned(), info()));
    let sftp = BTreeMap::from([("put".to_owned(), info())]);
    Catalog { connectors: BTreeMap::from([("https".to_owned(), BTreeMap::from(https)), ("sftp".to_owned(), sftp)]) }
}

fn compile_files(files: &[(&str, &str)]) -> Vec<Compiled> {
    let sources = Sources(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect());
    let project = Project::parse(&sources).unwrap_or_else(|problems| panic!("{problems}"));
    project.compile(&catalog()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn compile(body: &str) -> Compiled {
    let flow = format!(
        "document: {{ dsl: '1.0.3', namespace: test, name: flow, version: '1.0.0' }}\nevaluate: {{ language: jsonata }}\n{body}"
    );
    let compiled = compile_files(&[("project.yaml", PROJECT), ("flow.flow.yaml", &flow)]).remove(0);
    let used = features();
    Validator::new_with_features(used).validate_all(&compiled.wasm).unwrap_or_else(|e| panic!("{e}\n{body}"));
    compiled
}

/// What the engine lets a module have: no memory, no table, no more than the first standard and what followed soon.
fn features() -> WasmFeatures {
    WasmFeatures::WASM1
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::SATURATING_FLOAT_TO_INT
}

fn custom<T: serde::de::DeserializeOwned>(compiled: &Compiled, name: &str) -> T {
    for payload in Parser::new(0).parse_all(&compiled.wasm) {
        if let Payload::CustomSection(section) = payload.unwrap()
            && section.name() == name
        {
            return serde_json::from_slice(section.data()).unwrap();
        }
    }
    panic!("no section {name}");
}

fn imports(compiled: &Compiled) -> Vec<String> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(&compiled.wasm) {
        if let Payload::ImportSection(section) = payload.unwrap() {
            names.extend(section.into_imports().map(|import| import.unwrap().name.to_owned()));
        }
    }
    names
}

#[test]
fn every_kind_of_task_makes_a_valid_module() {
    for body in [
        "do: [a: { set: { b: 1 } }]",
        "do: [a: { set: '${ $ }', if: x, input: { from: y }, output: { as: z }, export: { as: { c: '${ $ }' } }, then: end }]",
        "do: [a: { do: [b: { set: { c: 1 }, then: exit }], output: { as: x } }]",
        "do: [a: { switch: [b: { when: x, then: c }, d: { then: end }] }, c: { set: { d: 1 } }]",
        "do: [a: { input: { from: x }, switch: [b: { when: y, then: c }], export: { as: z }, then: exit }, c: { set: { d: 1 } }]",
        "do: [a: { for: { in: x }, while: '$index < 3', do: [b: { set: { c: '${ $item }' } }], output: { as: $input } }]",
        "do: [a: { for: { each: x, at: y, in: [{ z: 1 }] }, do: [b: { for: { in: $x }, do: [c: { set: { d: '${ $x & $y & $item }' } }] }] }]",
        "do: [a: { raise: { error: { type: x, status: 422, detail: '${ y }' } } }]",
        "do: [a: { call: https.post:1@default, with: { account: erp, path: /x, body: { y: '${ z }' } }, output: { as: body } }]",
        "do: [a: { call: http, with: { method: GET, endpoint: 'https://h/x/{id}?y={z}', output: response } }]",
        "do: [a: { try: [b: { call: https.get, with: { account: erp } }], catch: {} }]",
        "do: [a: { try: [b: { raise: { error: { type: x, status: 400 } } }], catch: { errors: { with: { type: x, status: 400 } }, as: e, when: $e.y, exceptWhen: $e.z, retry: { when: $e.r, exceptWhen: $e.s, delay: PT1S, backoff: { exponential: {} }, limit: { attempt: { count: 2 }, duration: PT1M } }, do: [c: { set: { d: '${ $e }' } }], then: f } }, f: { set: { g: 1 } }]",
        "do: [a: { try: [b: { try: [c: { set: { d: 1 } }], catch: { retry: { backoff: { linear: {} }, delay: { seconds: 1 } } } }], catch: { retry: {} } }]",
        "input: { from: x }\noutput: { as: '${ $workflow.input & $context }' }\ndo: [a: { set: { b: '${ $task.name & $runtime.version & $workflow.definition.document.name }' }, export: { as: '${ $output }' } }]",
    ] {
        compile(body);
    }
}

#[test]
fn compiling_twice_gives_the_same_bytes() {
    let flow = |name: &str| {
        format!(
            "document: {{ dsl: '1.0.3', namespace: t, name: {name}, version: '1.0.0' }}\nevaluate: {{ language: jsonata }}\ndo: [a: {{ set: {{ b: '${{ x.{name} }}' }} }}]"
        )
    };
    let (one, two) = (flow("one"), flow("two"));
    let files = [("project.yaml", PROJECT), ("one.flow.yaml", &one), ("two.flow.yaml", &two)];
    let mut shuffled = files;
    shuffled.reverse();
    let (first, second) = (compile_files(&files), compile_files(&shuffled));
    assert_eq!(first, second);
    assert_eq!(first.iter().map(|module| module.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    // Neighbours do not show in a module.
    assert_eq!(compile_files(&files[..2])[0], first[0]);
}

#[test]
fn a_module_imports_only_what_it_uses() {
    let names = imports(&compile("do: [a: { set: { b: 1 } }]"));
    let expect = [Op::Task, Op::SlotGet, Op::SlotSet].map(|op| op.row().name);
    assert_eq!(names, expect);
}

#[test]
fn an_export_that_nothing_reads_is_computed_all_the_same() {
    let task = |export: &str| format!("do: [a: {{ set: {{ b: 1 }}{export} }}]");
    let (without, with) = (compile(&task("")), compile(&task(", export: { as: '${ b + 1 }' }")));
    let slots = |compiled: &Compiled| custom::<Frame>(compiled, section::FRAME).values;
    assert_eq!(slots(&with), slots(&without) + 1);
}

#[test]
fn the_manifest_names_everything_once_in_the_order_of_calls() {
    let compiled = compile(
        "do:\n  - a: { call: https.post, with: { account: erp, path: /orders, body: 1 } }\n  - b: { call: https.get, with: { account: erp, path: '${ \"/orders/\" & id }' } }\n  - c: { call: https.post, with: { account: erp, path: /orders, body: 2 } }\n  - d: { call: https.get, with: { account: erp, path: '${ path }' } }\n  - e: { call: http, with: { method: put, endpoint: 'https://API.example.org/v1/{id}', body: 1 } }\n  - f: { call: https.get, with: { account: erp } }\n",
    );
    let shown: Vec<_> = compiled
        .manifest
        .operations
        .iter()
        .map(|o| {
            let account = match &o.account {
                AccountRef::Declared(name) => name.to_string(),
                AccountRef::Origin(origin) => origin.clone(),
            };
            format!("{}.{}:{} {account} {}", o.connector, o.operation, o.version, o.detail.join(","))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "https.post:1 erp /orders",
            "https.get:1 erp /orders/*",
            "https.get:1 erp *",
            "https.put:1 https://api.example.org /v1/*",
            "https.get:1 erp /",
        ]
    );
    let inside: lockgate_model::Manifest = custom(&compiled, section::OPS);
    assert_eq!(inside, compiled.manifest);
}

#[test]
fn tasks_know_their_handlers() {
    let compiled = compile(
        "do:\n  - a: { set: { x: 1 } }\n  - t: { try: [b: { call: https.get, with: { account: erp } }], catch: { do: [c: { set: { x: 1 } }] } }\n",
    );
    let tasks: Vec<Task> = custom(&compiled, section::TASKS);
    let frame: Frame = custom(&compiled, section::FRAME);
    assert_eq!(tasks[0].pointer, "/input");
    let handled: Vec<_> =
        tasks.iter().filter(|task| task.handler.is_some()).map(|task| task.pointer.as_str()).collect();
    // The call, and what follows its answer.
    assert_eq!(handled, ["/do/1/t/try/0/b", "/do/1/t/try/0/b"]);
    for handler in tasks.iter().filter_map(|task| task.handler) {
        assert_eq!(tasks[handler.pc as usize].pointer, "/do/1/t");
        assert!(tasks[handler.pc as usize].handler.is_none());
        assert!(handler.slot < frame.values);
    }
    assert!(tasks.iter().any(|task| task.pointer == "/do/1/t/catch/do/0/c"));
    assert_eq!((frame.input, frame.output), (0, 1));
}

#[test]
fn slots_of_tasks_that_ended_are_used_again() {
    let each = "{ for: { in: x }, do: [b: { set: { c: 1 } }] }";
    let one: Frame = custom(&compile(&format!("do: [a: {each}]")), section::FRAME);
    let three: Frame = custom(&compile(&format!("do: [a: {each}, d: {each}, e: {each}]")), section::FRAME);
    assert_eq!(one, three);
}

#[test]
fn the_largest_flow_is_a_valid_module() {
    let tasks: String =
        (0..2000).map(|i| format!("  - t{i}: {{ call: https.get, with: {{ account: erp }} }}\n")).collect();
    let compiled = compile(&format!("do:\n{tasks}"));
    assert_eq!(compiled.manifest.operations.len(), 1);
}

#[test]
fn the_example_compiles_to_what_it_says() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../orchestrations/order-to-erp");
    let mut files = BTreeMap::new();
    read(&root, &root, &mut files);
    let sources = Sources(files);
    let project = Project::checked(&sources, &catalog()).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((project.id().as_str(), project.orchestrations().len()), ("order-to-erp", 1));
    assert!(project.cases().len() >= 6 && project.sample().is_some());
    let modules = project.compile(&catalog()).unwrap();
    let operations = &modules.first().unwrap().manifest.operations;
    let touched: Vec<_> = operations.iter().map(|o| (o.operation.as_str(), o.detail.join(" "))).collect();
    assert_eq!(touched, [("get", "/customers/*".to_owned()), ("put", "order-*".to_owned())]);
}

fn read(root: &std::path::Path, folder: &std::path::Path, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            files.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The names of a module's own functions, sorted.
fn names(compiled: &Compiled) -> Vec<String> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(&compiled.wasm) {
        let Payload::CustomSection(section) = payload.unwrap() else { continue };
        let KnownCustom::Name(subsections) = section.as_known() else { continue };
        for name in subsections {
            if let Name::Function(functions) = name.unwrap() {
                names.extend(functions.into_iter().map(|function| function.unwrap().name.to_owned()));
            }
        }
    }
    names.sort();
    names
}

#[test]
fn functions_are_named_by_the_task_and_the_rule_that_they_come_from() {
    let flow = "document: { dsl: '1.0.3', namespace: test, name: flow, version: '1.0.0' }
evaluate: { language: jsonata }
input: { from: '${ a }' }
do:
  - both:
      do:
        - inner: { set: { n: '${ n + 1 }', list: ['${ b }', 2] } }
      output: { as: '${ $map(n, function($x) { $f := function($y) { $y = 0 ? $x : $f($y - 1) } }) }' }
  - shape: { call: map.sizes:1@default, with: { input: '${ $ }' } }
  - again: { call: map.sizes:1@default, with: { input: '${ $ }' }, if: '${ n > 1 }' }
output:
  as: '${ x }'
";
    let map = "mapping: sizes\nversion: 1\nsource: {}\ntarget: {}\nrules:\n  - to: a\n    from: |-\n      (\n        $f := function($x) { $x = 0 ? 1 : $f($x - 1) };\n        $f(n)\n      )\n";
    let jq =
        "document: { dsl: '1.0.3', namespace: test, name: jq, version: '1.0.0' }\ndo:\n  - t: { set: '${ .a + 1 }' }\n";
    let files = [("project.yaml", PROJECT), ("flow.flow.yaml", flow), ("jq.flow.yaml", jq), ("sizes.map.yaml", map)];
    let modules = compile_files(&files);
    assert_eq!(modules, compile_files(&files));
    assert_eq!(names(&modules[1]), ["/do/0/t line 3", "flow jq"]);
    let own = names(&modules[0]);
    let named = |name: &str| own.iter().any(|own| own == name);
    for name in [
        "flow flow",
        "/input line 3",
        "/do/0/both/do/0/inner value",
        "/do/0/both/do/0/inner line 7",
        "/do/0/both line 8",
        "map sizes",
        "map sizes line 9 function 0",
        "/do/2/again line 10",
        "/output line 12",
    ] {
        assert!(named(name), "{name}: {own:#?}");
    }
    assert!(own.iter().any(|name| name.starts_with("/do/0/both line 8 function ")), "{own:#?}");
    assert_eq!(own.iter().filter(|name| *name == "map sizes").count(), 1);
}
