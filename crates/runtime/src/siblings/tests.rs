use std::time::Duration;

use lockgate_compiler::{Catalog, OperationInfo, Project, Sources};
use lockgate_document::Document;
use lockgate_engine::{EngineConfig, Mock};
use serde_json::{Value, json};

use super::*;

/// Flows by name with their tasks; the first one is run.
struct Flows(Arc<Engine>, Arc<BTreeMap<String, Vec<u8>>>, String);

fn catalog() -> Catalog {
    let info = OperationInfo {
        version: "1".to_owned(),
        idempotent: false,
        constant: Vec::new(),
        takes: None,
        gives: None,
        input: Value::Null,
    };
    let https = BTreeMap::from([("get".to_owned(), info)]);
    Catalog { connectors: BTreeMap::from([("https".to_owned(), https)]) }
}

fn flows(flows: &[(&str, &str)]) -> Flows {
    let mut files = BTreeMap::from([(
        "project.yaml".to_owned(),
        "project: t\naccounts: { erp: { connector: https, operations: [get] } }\n".to_owned(),
    )]);
    for (name, tasks) in flows {
        let text = format!(
            "document: {{ dsl: '1.0.3', namespace: t, name: {name}, version: '1.0.0' }}\nevaluate: {{ language: jsonata }}\ndo:\n{tasks}"
        );
        files.insert(format!("{name}.flow.yaml"), text);
    }
    let compiled = Project::parse(&Sources(files)).unwrap().compile(&catalog()).unwrap();
    let modules = compiled.into_iter().map(|module| (module.name, module.wasm)).collect();
    Flows(Arc::new(Engine::new(EngineConfig::alone()).unwrap()), Arc::new(modules), flows[0].0.to_owned())
}

/// What runs a flow.
fn run(name: &str, more: &str) -> String {
    format!("{{ run: {{ workflow: {{ namespace: t, name: {name}, version: '1.0.0' }}{more} }} }}")
}

/// Waits, then gives a number.
const WAITS: &str = "  - w: { wait: PT1H }\n  - s: { set: { at: '${ $millis() }' } }\n";
const CALLS: &str = "  - c: { call: https.get:1@default, with: { account: erp, path: / } }\n";

impl Flows {
    fn within(&self, input: &str, mocks: Mocks, limits: Limits) -> (Result<Value, Value>, Ran, u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mocks = Arc::new(mocks);
        let siblings = Siblings::new(&self.0, &self.1, &mocks, limits, None);
        let beside = Beside { mocks, siblings: Some(Arc::clone(&siblings) as _), until: None, budget: None };
        let module = self.0.load(&self.1[&self.2]).unwrap();
        let input = Document::parse(input.as_bytes(), &limits).unwrap();
        let outcome = runtime.block_on(async {
            let run = self.0.evaluate_beside(&module, input, beside, limits, Timestamp(0), None);
            let outcome = tokio::time::timeout(Duration::from_secs(60), run).await.unwrap();
            siblings.aside().await;
            outcome
        });
        let value = |document: &Document| match document.is_undefined() {
            true => Value::Null,
            false => serde_json::from_slice(&document.print(1 << 20).unwrap()).unwrap(),
        };
        let result = match &outcome.result {
            Ok(output) => Ok(value(output)),
            Err(failure) => Err(value(failure.document.as_ref().unwrap())),
        };
        (result, siblings.ran(), outcome.waited_ms)
    }

    fn with(&self, input: &str, mocks: &[(&str, &[&str])], waits: Waits) -> (Result<Value, Value>, Ran, u64) {
        let answer =
            |json: &&str| Mock::Answer(Arc::new(Document::parse(json.as_bytes(), &Limits::default()).unwrap()));
        let list = |list: &[&str]| list.iter().map(answer).collect();
        let answers = mocks.iter().map(|(key, answers)| ((*key).to_owned(), list(answers))).collect();
        self.within(input, Mocks { answers, waits, ..Mocks::default() }, Limits::default())
    }

    fn error(&self) -> Value {
        self.with("{}", &[], Waits::Virtual).0.unwrap_err()
    }
}

#[test]
fn a_flow_that_is_not_there_or_is_another_one_is_not_run() {
    // One of another project has a version of its own and stands nowhere here.
    let none = flows(&[("a", &format!("  - t: {}\n", run("elsewhere", "")))]).error();
    assert_eq!((&none["code"], &none["instance"]), (&json!("LG-NO-MOCK"), &json!("/do/0/t")), "{none}");
    assert!(none["detail"].as_str().unwrap().contains("`run.elsewhere`"), "{none}");

    let other = flows(&[("a", &format!("  - t: {}\n", run("b", ""))), ("b", "  - s: { set: { n: 1 } }\n")]);
    let newer = format!("  - t: {}\n", run("b", "").replace("1.0.0", "2.0.0"));
    let alone = flows(&[("a", &newer)]);
    let modules_of = |one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>| {
        let b = ("b".to_owned(), other["b"].clone());
        one.clone().into_iter().chain([b]).collect()
    };
    let error = Flows(alone.0, Arc::new(modules_of(&alone.1, &other.1)), "a".to_owned()).error();
    assert_eq!(
        (&error["code"], &error["type"].as_str().unwrap().ends_with("/configuration")),
        (&json!("LG-RUN-VERSION"), &true),
        "{error}"
    );

    let alone = flows(&[("a", &format!("  - t: {}\n", run("b", "").replace("namespace: t", "namespace: elsewhere")))]);
    let error = Flows(alone.0, Arc::new(modules_of(&alone.1, &other.1)), "a".to_owned()).error();
    assert_eq!((&error["code"], &error["instance"]), (&json!("LG-RUN-NAMESPACE"), &json!("/do/0/t")), "{error}");
}

#[test]
fn a_flow_that_runs_itself_ends_at_the_depth_that_a_server_has() {
    for more in ["", ", await: false"] {
        let flows = flows(&[("a", &format!("  - t: {}\n", run("a", more)))]);
        let (result, ran, _) = flows.with("{}", &[], Waits::Virtual);
        match more {
            "" => {
                let error = result.unwrap_err();
                assert_eq!(
                    (&error["code"], &error["instance"]),
                    (&json!("LG-LIMIT-RUNS"), &json!("/do/0/t")),
                    "{error}"
                );
            }
            // The innermost alone fails, and nobody waits for it.
            _ => {
                assert!(result.is_ok());
                let failed = ("a".to_owned(), "LG-LIMIT-RUNS".to_owned(), "/do/0/t".to_owned());
                assert_eq!(ran.failed, [failed]);
            }
        }
    }
    let twice = format!(
        "  - one: {{ try: [ {{ t: {} }} ], catch: {{ as: e }} }}\n  - two: {{ try: [ {{ t: {} }} ], catch: {{ as: e }} }}\n",
        run("a", ""),
        run("a", "")
    );
    let limits = Limits { cost_max: 2_000_000, ..Limits::default() };
    let (result, ..) = flows(&[("a", &twice)]).within("{}", Mocks::default(), limits);
    assert_eq!(result.unwrap_err()["code"], "LG-LIMIT-COST", "what is below costs what is above");
}

#[test]
fn more_than_a_hundred_open_runs_below_one_are_refused() {
    let rounds = format!(
        "  - all: {{ for: {{ each: n, in: '${{ [1..101] }}' }}, do: [ {{ t: {} }} ] }}\n",
        run("b", ", await: false")
    );
    let flows = flows(&[("a", &rounds), ("b", "  - w: { wait: PT2S }\n")]);
    let (result, ..) = flows.with("{}", &[], Waits::Real);
    assert_eq!(result.unwrap_err()["code"], "LG-LIMIT-RUNS");
}

#[test]
fn what_fails_below_is_the_error_of_the_task_that_runs_it() {
    let raises = "  - r: { raise: { error: { type: 'https://example.org/errors/full', status: 409, title: full, detail: '${ \"no \" & n }' } } }\n";
    let error = flows(&[("a", &format!("  - t: {}\n", run("b", ""))), ("b", raises)])
        .with(r#"{"n":7}"#, &[], Waits::Virtual)
        .0
        .unwrap_err();
    let wanted = json!({
        "type": "https://example.org/errors/full", "status": 409, "title": "full", "detail": "no 7", "instance": "/do/0/t"
    });
    assert_eq!(error, wanted);
    let nowhere = flows(&[("a", &format!("  - t: {}\n", run("b", ""))), ("b", CALLS)]).error();
    assert_eq!((&nowhere["code"], &nowhere["instance"]), (&json!("LG-NO-MOCK"), &json!("/do/0/t")), "{nowhere}");
}

#[test]
fn a_mock_stands_for_a_flow_and_calls_below_take_those_of_their_flow_first() {
    let outer = format!(
        "  - own: {{ call: https.get:1@default, with: {{ account: erp, path: / }}, output: {{ as: '${{ {{ \"own\": body }} }}' }} }}\n  - t: {}\n",
        run("b", "")
    );
    let inner = "  - c: { call: https.get:1@default, with: { account: erp, path: / }, input: { from: '${ {} }' }, output: { as: '${ body }' } }\n";
    let both = flows(&[("a", &outer), ("b", inner)]);
    let (one, two) = (r#"{"body":"one"}"#, r#"{"body":"two"}"#);
    let given = |mocks: &[(&str, &[&str])]| both.with("{}", mocks, Waits::Virtual).0.unwrap();
    assert_eq!(given(&[("erp.get", &[one]), ("b/erp.get", &[two])]), "two");
    assert_eq!(given(&[("a/erp.get", &[one]), ("https.get", &[two])]), "two");
    // Without its own it goes on in the list that is for all.
    assert_eq!(given(&[("erp.get", &[one, two])]), "two");
    let (result, ran, _) = both.with("{}", &[("erp.get", &[one]), ("run.b", &["7"])], Waits::Virtual);
    assert_eq!((result.unwrap(), ran.tasks.len()), (json!(7), 0), "nothing ran");
}

#[test]
fn time_below_is_time_above() {
    let outer =
        format!("  - t: {}\n  - s: {{ set: {{ below: '${{ at }}', above: '${{ $millis() }}' }} }}\n", run("b", ""));
    let (result, ran, waited) = flows(&[("a", &outer), ("b", WAITS)]).with("{}", &[], Waits::Virtual);
    assert_eq!((result.unwrap(), waited), (json!({ "below": 3_600_000, "above": 3_600_000 }), 3_600_000));
    assert_eq!(
        ran.tasks["b"].iter().map(String::as_str).collect::<Vec<_>>(),
        ["/do/0/w", "/do/1/s", "/input", "/output"]
    );
    // Branches wait together, and the first that comes is the first by the clock.
    let race = format!(
        "  - f: {{ fork: {{ compete: true, branches: [ {{ slow: {} }}, {{ fast: {{ do: [ {{ w: {{ wait: PT59M }} }}, {{ s: {{ set: {{ fast: true }} }} }} ] }} }} ] }} }}\n",
        run("b", "")
    );
    let (result, _, waited) = flows(&[("a", &race), ("b", WAITS)]).with("{}", &[], Waits::Virtual);
    assert_eq!((result.unwrap(), waited), (json!({ "fast": true }), 59 * 60_000));
}

#[test]
fn nothing_happens_below_once_the_one_above_has_given_up() {
    let outer = "  - t: { timeout: { after: PT30M }, run: { workflow: { namespace: t, name: b, version: latest } } }\n";
    let middle = format!(
        "  - t: {{ try: [ {{ c: {} }} ], catch: {{ as: e, do: [ {{ s: {{ set: {{ caught: true }} }} }} ] }} }}\n",
        run("c", "")
    );
    let inner = format!("{WAITS}{CALLS}");
    let (result, ran, waited) =
        flows(&[("a", outer), ("b", &middle), ("c", &inner)]).with("{}", &[("erp.get", &["1"])], Waits::Virtual);
    let error = result.unwrap_err();
    assert_eq!(
        (&error["code"], &error["instance"], waited),
        (&json!("LG-TIMEOUT"), &json!("/do/0/t"), 30 * 60_000),
        "{error}"
    );
    let entered = |flow: &str, task: &str| ran.tasks[flow].iter().any(|known| known.contains(task));
    assert!(entered("c", "/w") && !entered("c", "/do/2/c") && !entered("b", "catch"), "{ran:?}");
}

#[test]
fn nobody_waits_for_a_run_that_is_not_awaited() {
    let outer = format!(
        "  - t: {}\n  - s: {{ set: {{ n: '${{ n }}', at: '${{ $millis() }}' }} }}\n",
        run("b", ", await: false")
    );
    let inner = format!("{WAITS}{CALLS}");
    let both = flows(&[("a", &outer), ("b", &inner)]);
    let (result, ran, waited) = both.with(r#"{"n":1}"#, &[], Waits::Virtual);
    assert_eq!((result.unwrap(), waited), (json!({ "n": 1, "at": 0 }), 0));
    assert_eq!(ran.failed, [("b".to_owned(), "LG-NO-MOCK".to_owned(), "/do/2/c".to_owned())]);
    // Where time passes it goes on beside, and has ended when all has.
    let quick =
        flows(&[("a", &outer), ("b", "  - w: { wait: { milliseconds: 50 } }\n  - s: { set: { done: true } }\n")]);
    let (result, ran, _) = quick.with(r#"{"n":1}"#, &[], Waits::Real);
    assert_eq!(result.unwrap()["n"], 1);
    assert!(ran.tasks["b"].contains("/do/1/s"), "{ran:?}");
}

/// How often a task was entered.
#[derive(Default)]
struct Entered(Mutex<BTreeMap<String, usize>>);

impl Watch for Entered {
    fn entered(&self, _: u64, task: &str, _: Node<'_>) {
        *self.0.lock().unwrap().entry(task.to_owned()).or_default() += 1;
    }
    fn left(&self, _: u64, _: Node<'_>) {}
    fn called(&self, _: &str, _: &Called<'_>) {}
    fn streamed(&self, _: &str, _: &[u8]) {}
    fn waited(&self, _: &str, _: u64) {}
    fn caught(&self, _: u64, _: &str, _: Node<'_>) {}
    fn ended(&self, _: &[i64]) {}
}

impl Flows {
    /// What it cost, by which error it ended, and how often the task of a flow was entered.
    fn spent(&self, cost_max: u64, task: &str) -> (u64, Option<String>, usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (limits, entered) = (Limits { cost_max, ..Limits::default() }, Arc::new(Entered::default()));
        let mocks = Arc::new(Mocks { waits: Waits::Virtual, ..Mocks::default() });
        let siblings = Siblings::new(&self.0, &self.1, &mocks, limits, Some(Arc::clone(&entered) as _));
        let beside = Beside { mocks, siblings: Some(siblings as _), until: None, budget: None };
        let module = self.0.load(&self.1[&self.2]).unwrap();
        let input = Document::parse(b"{}", &limits).unwrap();
        let run = self.0.evaluate_beside(&module, input, beside, limits, Timestamp(0), None);
        let outcome = runtime.block_on(run);
        let entered = entered.0.lock().unwrap().get(task).copied().unwrap_or_default();
        (outcome.cost, outcome.result.err().map(|failure| failure.error.code), entered)
    }
}

/// Computes, and waits a moment each time.
const ROUNDS: &str = "  - all: { for: { each: n, in: '${ [1..200] }' }, do: [ { s: { set: { n: '${ $sum([1..2000]) }' } } }, { w: { wait: { milliseconds: 1 } } } ] }\n";

#[test]
fn flows_that_go_on_beside_each_other_share_what_is_left() {
    let task = "b#/do/0/all/do/0/s";
    let alone = flows(&[("a", &format!("  - t: {}\n", run("b", ""))), ("b", ROUNDS)]);
    let (whole, ended, rounds) = alone.spent(u64::MAX / 2, task);
    assert_eq!((ended, rounds), (None, 200));
    // Each of them could be half done with what is there; all together they can do half of one.
    let beside = format!(
        "  - all: {{ for: {{ each: n, in: '${{ [1..10] }}' }}, metadata: {{ concurrency: 10 }}, do: [ {{ t: {} }} ] }}\n",
        run("b", "")
    );
    let beside = flows(&[("a", &beside), ("b", ROUNDS)]);
    let (cost, ended, rounds) = beside.spent(whole / 2, task);
    assert_eq!(ended.as_deref(), Some("LG-LIMIT-COST"));
    assert!((50..130).contains(&rounds), "{rounds} rounds of all");
    assert!(cost < whole, "{cost} of {whole}");
    assert_eq!(beside.spent(whole * 11, task).1, None, "there is enough for all");
}

#[test]
fn a_flow_that_is_broken_off_has_cost_what_it_did() {
    let below = format!("{ROUNDS}  - late: {{ wait: PT1H }}\n");
    let alone = flows(&[("a", ROUNDS)]).spent(u64::MAX / 2, "").0;
    let runs = run("b", "");
    for outer in [
        format!(
            "  - t: {{ try: [ {{ i: {{ timeout: {{ after: PT30M }}, do: [ {{ r: {runs} }} ] }} }} ], catch: {{ as: e }} }}\n"
        ),
        format!("  - f: {{ fork: {{ compete: true, branches: [ {{ r: {runs} }}, {{ w: {{ wait: PT1M }} }} ] }} }}\n"),
        format!(
            "  - t: {{ try: [ {{ f: {{ fork: {{ branches: [ {{ r: {runs} }}, {{ w: {{ do: [ {{ w: {{ wait: PT1M }} }}, {{ r: {{ raise: {{ error: {{ type: x, status: 400 }} }} }} }} ] }} }} ] }} }} }} ], catch: {{ as: e }} }}\n"
        ),
    ] {
        let both = flows(&[("a", &outer), ("b", &below)]);
        let (cost, ended, rounds) = both.spent(u64::MAX / 2, "b#/do/0/all/do/0/s");
        assert_eq!((ended, rounds), (None, 200), "{outer}");
        assert!(cost >= alone, "{cost} of {alone}: {outer}");
    }
}
