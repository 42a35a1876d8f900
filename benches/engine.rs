//! The engine alone: what a fresh instance costs, what a small orchestration does, how much memory a run that
//! waits holds, what forks and machine code cost, and what a hostile tenant costs its neighbour.
//!
//! CPU time where one thread works, wall time where threads compete. One part alone: `cargo bench … -- waiting`.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{FutureExt, future::BoxFuture};
use lockgate_access::{AuditReceipt, ExecutePermit, TenantSnapshot, decide_execute};
use lockgate_compiler::{Catalog, Sources, project::flow_module};
use lockgate_connector_api::{Answer, Call, Error};
use lockgate_document::Document;
use lockgate_engine::{CallSite, Calls, Control, Engine, EngineConfig, Mocks, Module, Outcome, SubEnd, SubRun, Waits};
use lockgate_model::{
    Channel, Definition, Digest, Limits, Principal, RunId, Target, TargetKind, Timestamp,
    definition::{Kind, Revision},
    id::{AccountName, TenantId},
    principal::CredentialKind,
};
use lockgate_testkit::process::rss_bytes;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

const NOW: Timestamp = Timestamp(1_763_784_306_789_000);
const ROUNDS: usize = 9;

fn main() {
    let asked = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let is_asked = |part| asked.as_ref().is_none_or(|asked| asked == part);
    if is_asked("steps") {
        steps();
    }
    if is_asked("waiting") {
        waiting(50_000);
    }
    if is_asked("branches") {
        branches();
    }
    if is_asked("code") {
        code();
    }
    if is_asked("share") {
        share();
    }
}

/// A flow with these tasks, compiled beside two mappings.
fn flow(tasks: &str) -> Vec<u8> {
    let flow = format!(
        "document: {{ dsl: '1.0.3', namespace: b, name: f, version: '1.0.0' }}\nevaluate: {{ language: jsonata }}\ndo:\n{tasks}"
    );
    let map = |name: &str, rules: &str| {
        (format!("{name}.map.yaml"), format!("mapping: {name}\nversion: 1.0.0\nrules:\n{rules}"))
    };
    let lines = "  - to: id\n    from: orderId\n  - to: lines[]\n    each: lines\n    rules:\n      - { to: sku, from: sku }\n      - { to: net, from: quantity * price }\n";
    let totals =
        "  - { to: id, from: id }\n  - { to: total, from: $sum(lines.net) }\n  - { to: count, from: $count(lines) }\n";
    let files = [("f.flow.yaml".to_owned(), flow), map("lines", lines), map("totals", totals)];
    let compiled = flow_module(&Sources(files.into()), "f.flow.yaml", &Catalog::default());
    compiled.unwrap_or_else(|problems| panic!("{problems}")).wasm
}

const INPUT: &str = r#"{"orderId":"SO-7","country":"DE","lines":[{"sku":"a","quantity":2,"price":9.5},{"sku":"b","quantity":1,"price":100},{"sku":"c","quantity":7,"price":0.25}]}"#;

/// Ten tasks, two of them mappings.
const TEN: &str = "  - shape: { set: { order: '${ $ }', country: '${ country }' } }
  - where:
      switch:
        - home: { when: '${ country = \"DE\" }', then: lines }
        - abroad: { then: refuse }
  - refuse: { raise: { error: { type: 'https://example.com/abroad', status: 422 } } }
  - lines: { call: map.lines, with: { input: '${ order }' }, export: { as: '${ { \"id\": id } }' } }
  - all:
      do:
        - keep: { if: '${ $count(lines) > 0 }', set: { id: '${ id }', lines: '${ lines }' } }
        - check:
            try: [ { none: { if: '${ $count(lines) > 100 }', raise: { error: { type: 'https://example.com/many', status: 422 } } } } ]
            catch: { do: [ { cut: { set: { id: '${ id }', lines: [] } } } ] }
  - totals: { call: map.totals, with: { input: '${ $ }' } }
  - done: { set: { id: '${ $context.id }', total: '${ total }', lines: '${ count }' } }
";

fn document(json: &str) -> Document {
    Document::parse(json.as_bytes(), &Limits::default()).unwrap()
}

fn steps() {
    let engine = Engine::new(EngineConfig::alone()).unwrap();
    let run = |module: &Arc<Module>, input: &str| {
        engine.evaluate_here(module, document(input), Limits::default(), NOW).result.unwrap()
    };
    let load = |wasm: &[u8]| engine.load(wasm).unwrap();
    let echo = load(&lockgate_compiler::expression_module("$", false).unwrap().wasm);
    let ten = load(&flow(TEN));
    let output = String::from_utf8(run(&ten, INPUT).print(1 << 20).unwrap()).unwrap();
    assert_eq!(output, r#"{"id":"SO-7","total":120.75,"lines":3}"#);
    println!("\nCPU time of one run, the median of {ROUNDS} rounds");
    row("parse `1` alone", cpu(|| black_box(document("1"))));
    row("a fresh instance: `$` of `1`", cpu(|| black_box(run(&echo, "1"))));
    row("parse the order alone", cpu(|| black_box(document(INPUT))));
    row("ten tasks, two mappings", cpu(|| black_box(run(&ten, INPUT))));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Runs that all wait, with the order in their slots.
fn waiting(count: usize) {
    let engine = Arc::new(Engine::new(EngineConfig::default()).unwrap());
    let module = engine.load(&flow("  - rest: { wait: PT1H }\n  - give: { set: '${ $ }' }\n")).unwrap();
    let limits = Limits { wall_ms_max: 3_600_000, ..Limits::default() };
    let mib = || rss_bytes(std::process::id()) as f64 / f64::from(1 << 20);
    runtime().block_on(async {
        let before = mib();
        let began = Instant::now();
        let runs: Vec<_> = (0..count)
            .map(|_| {
                let (engine, module) = (Arc::clone(&engine), Arc::clone(&module));
                tokio::spawn(async move {
                    let mocks = Mocks { waits: Waits::Real, ..Mocks::default() };
                    engine.evaluate(&module, document(INPUT), mocks, limits, NOW).await
                })
            })
            .collect();
        // All have begun when as many tasks are alive and none is about to be polled.
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(runs.iter().all(|run| !run.is_finished()));
        let held = mib() - before;
        println!(
            "\n{count} runs wait: {held:.0} MiB, {:.2} MiB for 1,000; begun within {:?}",
            held * 1e3 / count as f64,
            began.elapsed()
        );
        let began = Instant::now();
        for run in &runs {
            run.abort();
        }
        for run in runs {
            let _ = run.await;
        }
        println!("all dropped within {:?}; {:.0} MiB more than before", began.elapsed(), mib() - before);
    });
}

fn branches() {
    let engine = Engine::new(EngineConfig::default()).unwrap();
    let tasks: String = (0..2_000).map(|n| format!("          - b{n}: {{ wait: PT0.01S }}\n")).collect();
    let module = engine.load(&flow(&format!("  - all:\n      fork:\n        branches:\n{tasks}"))).unwrap();
    runtime().block_on(async {
        for waits in [Waits::Virtual, Waits::Real] {
            let began = Instant::now();
            let mocks = Mocks { waits, ..Mocks::default() };
            let outcome = engine.evaluate(&module, document(INPUT), mocks, Limits::default(), NOW).await;
            outcome.result.unwrap();
            let (took, peak) = (began.elapsed(), outcome.arena_bytes_peak >> 10);
            println!(
                "\n2,000 branches that wait 10 ms ({waits:?}): {took:?}, {peak} KiB of arena, cost {}",
                outcome.cost
            );
        }
    });
}

fn code() {
    let engine = Engine::new(EngineConfig { modules_bytes_max: 0, ..EngineConfig::alone() }).unwrap();
    let (wasm, other) = (flow(TEN), flow("  - give: { set: '${ $ }' }\n"));
    let sealer = |parts: &[&[u8]]| Digest::of_parts(parts.iter().copied());
    let kept = engine.load_kept(&wasm, None, &sealer).unwrap().keep.unwrap();
    println!("\na module of {} bytes, its machine code {} bytes", wasm.len(), kept.len());
    let other_time = cpu(|| engine.load_kept(&other, None, &sealer).unwrap());
    let pair = |kept: Option<&[u8]>| {
        cpu(|| {
            engine.load_kept(&other, None, &sealer).unwrap();
            engine.load_kept(&wasm, kept, &sealer).unwrap()
        }) - other_time
    };
    row("compiled", pair(None));
    row("loaded from kept code, which is proven", pair(Some(&kept)));
}

/// A neighbour's short runs, alone and beside a tenant that burns all the time it can get.
fn share() {
    let engine = Arc::new(Engine::new(EngineConfig { workers: 2, ..EngineConfig::default() }).unwrap());
    let ten = engine.load(&flow(TEN)).unwrap();
    let burn = lockgate_compiler::expression_module(
        "($f := function($n) { $n > 0 ? $f($n - 1) : 0 }; $map([1..1000000], function($i) { $f(500) }))",
        false,
    )
    .unwrap();
    let burn = engine.load(&burn.wasm).unwrap();
    println!("\na neighbour's run of ten tasks, one every millisecond, wall time");
    let quiet = neighbour(&engine, &ten, &burn, 0);
    println!("  alone:                  p50 {:>8.1?} p99 {:>8.1?}", quiet.0, quiet.1);
    for hostile in [1, 8, 64] {
        let (p50, p99) = neighbour(&engine, &ten, &burn, hostile);
        println!(
            "  beside {hostile:>2} hostile runs: p50 {p50:>8.1?} p99 {p99:>8.1?}  ({:.2} and {:.2} times alone)",
            p50.as_secs_f64() / quiet.0.as_secs_f64(),
            p99.as_secs_f64() / quiet.1.as_secs_f64()
        );
    }
}

fn neighbour(engine: &Arc<Engine>, ten: &Arc<Module>, burn: &Arc<Module>, hostile: usize) -> (Duration, Duration) {
    let stop = Arc::new(AtomicBool::new(false));
    let runtime = runtime();
    let (p50, p99) = runtime.block_on(async {
        let limits = Limits { cost_max: u64::MAX >> 1, wall_ms_max: 20_000, ..Limits::default() };
        let hostile: Vec<_> = (0..hostile)
            .map(|_| {
                let (engine, burn, stop) = (Arc::clone(engine), Arc::clone(burn), Arc::clone(&stop));
                tokio::spawn(async move {
                    while !stop.load(Ordering::Relaxed) {
                        run(&engine, "hostile", &burn, "1", limits).await;
                    }
                })
            })
            .collect();
        let mut times = Vec::new();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(6) {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let asked = Instant::now();
            run(engine, "neighbour", ten, INPUT, Limits::default()).await.result.unwrap();
            times.push(asked.elapsed());
        }
        stop.store(true, Ordering::Relaxed);
        for run in hostile {
            run.abort();
            let _ = run.await;
        }
        times.sort();
        (times[times.len() / 2], times[times.len() * 99 / 100])
    });
    (p50, p99)
}

/// A run of a tenant's, under a permit.
async fn run(engine: &Engine, tenant: &str, module: &Arc<Module>, input: &str, limits: Limits) -> Outcome {
    let permit = permit(tenant, module.digest());
    engine.run(permit, module, document(input), Arc::new(Nothing), limits, NOW, Control::new()).await
}

/// Nothing is called here.
struct Nothing;

impl Calls for Nothing {
    fn call(&self, _: CallSite, _: Call) -> BoxFuture<'static, Result<Answer, Error>> {
        unreachable!("nothing is called")
    }
    fn run(self: Arc<Self>, _: SubRun) -> BoxFuture<'static, SubEnd> {
        unreachable!("nothing is run")
    }
    fn account(&self, _: u32) -> AccountName {
        unreachable!("nothing has an account")
    }
}

fn permit(tenant: &str, module: Digest) -> ExecutePermit {
    let tenant: TenantId = tenant.parse().unwrap();
    let digest = Digest::of(b"sources");
    let rows = [
        (Kind::Tenant, "tenant", json!({"title": "T"})),
        (Kind::Environment, "live", json!({"title": "Live", "order": 0})),
        (
            Kind::Profile,
            "caller",
            json!({"title": "C", "permissions": ["integrations.execute", "deploy"], "valid_in": {"environments": ["live"]}}),
        ),
        (Kind::User, "bob", json!({"kind": "service", "profiles": ["caller"]})),
        (Kind::Acl, "default", json!({"title": "D", "profiles": ["caller"]})),
        (Kind::Assignment, "live/integrations/f", json!({"acl": "default"})),
        (Kind::Project, "p", json!({"title": "P", "head": 1})),
        (
            Kind::ProjectVersion,
            "p/1",
            json!({"source": digest, "bundle": digest, "pushed_by": "bob", "pushed_at": 0, "objects": {}, "orchestrations": ["f"]}),
        ),
        (
            Kind::Deployment,
            "live/p",
            json!({"project": "p", "version": 1, "source": digest, "publisher": "bob", "deployed_at": 0, "orchestrations": {"f": {"module": module, "manifest": {}}}}),
        ),
    ];
    let rows = rows.map(|(kind, id, body)| Definition {
        tenant: tenant.clone(),
        kind,
        id: id.to_owned(),
        revision: Revision(1),
        body,
    });
    let snapshot = TenantSnapshot::build(tenant.clone(), Revision(1), &rows).unwrap();
    let principal = Principal {
        tenant,
        user: "bob".parse().unwrap(),
        credential: CredentialKind::ApiKey,
        only_environment: None,
        only_targets: Vec::new(),
    };
    let target =
        Target { environment: "live".parse().unwrap(), kind: TargetKind::Integrations, name: "f".parse().unwrap() };
    let decision = decide_execute(&snapshot, &principal, target, Channel::Rest, NOW);
    #[expect(clippy::disallowed_methods, reason = "stands in for the store")]
    let receipt = AuditReceipt::issue(Some(RunId::new()), async { Ok(()) }.boxed());
    decision.permit(receipt).unwrap()
}

/// CPU time of one call, the median of rounds of about a third of a second.
fn cpu<T>(mut work: impl FnMut() -> T) -> f64 {
    let began = now();
    work();
    let count = (0.3 / (now() - began).max(1e-7)).clamp(1.0, 300_000.0) as usize;
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let began = now();
            for _ in 0..count {
                black_box(work());
            }
            (now() - began) / count as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

fn now() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn row(what: &str, seconds: f64) {
    println!("  {what:<44} {:>9.2} µs", seconds * 1e6);
}
