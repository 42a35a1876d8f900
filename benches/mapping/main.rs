//! The engine alone: JSON in, an expression in a fresh instance, JSON out. Workload A is one order of
//! about 2 KB to its invoice, workload B ten megabytes of orders to the invoices of those that are paid
//! and sums by country. Beside it in the same run: the same by hand on typed structs with serde_json,
//! serde_json's untyped value there and back without any mapping, the reference implementation on node
//! and crate jsonata-core, where they are at hand. And how long the compiler and loading take.
//!
//! What counts is CPU time: the machine may be busy with other things. Every output is compared first.

mod by_hand;
mod orders;

use std::{
    hint::black_box,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use lockgate_document::Document;
use lockgate_engine::{Engine, EngineConfig};
use lockgate_model::{Limits, Timestamp};
use rustix::time::{ClockId, clock_gettime};

const INVOICE: &str = include_str!("invoice.jsonata");
const INVOICES: &str = include_str!("invoices.jsonata");
const ROUNDS: usize = 9;
const SECONDS: f64 = 0.5;

/// What maps a document; its name.
type Peer<'a> = (&'a str, Box<dyn Fn(&[u8]) -> Vec<u8> + 'a>);

fn main() {
    let engine = Engine::new(EngineConfig::alone()).unwrap();
    let limits =
        Limits { arena_bytes_max: 1 << 30, cost_max: u64::MAX >> 1, reply_bytes_max: 1 << 30, ..Limits::default() };
    // `cargo bench … -- A` runs one part alone.
    let asked = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let is_asked = |part| asked.as_ref().is_none_or(|asked| asked == part);
    println!("CPU time of one document, the median of {ROUNDS} rounds; ratio to typed structs by hand");
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    if is_asked("A") {
        workload("A", INVOICE, "invoice.jsonata", &orders::one(), by_hand::one, &engine, limits, folder);
    }
    if is_asked("B") {
        workload("B", INVOICES, "invoices.jsonata", &orders::many(10 << 20), by_hand::many, &engine, limits, folder);
    }
    if is_asked("compile") {
        compiling(&engine);
    }
}

#[expect(clippy::too_many_arguments, reason = "one table has many columns")]
fn workload(
    name: &str,
    expression: &str,
    file: &str,
    input: &[u8],
    by_hand: fn(&[u8]) -> Vec<u8>,
    engine: &Engine,
    limits: Limits,
    folder: &Path,
) {
    println!("\nworkload {name}: {} bytes in", input.len());
    let compiled = lockgate_compiler::expression_module(expression, false).unwrap();
    let module = engine.load(&compiled.wasm).unwrap();
    let now = Timestamp::from_ms(1_763_784_306_789);
    let parse = |json: &[u8]| Document::parse(json, &limits).unwrap();
    let read = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    let peers: [Peer<'_>; 4] = [
        ("by hand: typed structs, serde_json", Box::new(by_hand)),
        (
            "lockgate",
            Box::new(|json| {
                engine
                    .evaluate_here(&module, parse(json), limits, now)
                    .result
                    .unwrap()
                    .print(limits.reply_bytes_max)
                    .unwrap()
            }),
        ),
        ("lockgate: parse and print alone", Box::new(|json| parse(json).print(limits.reply_bytes_max).unwrap())),
        ("serde_json value there and back", Box::new(|json| serde_json::to_vec(&read(json)).unwrap())),
    ];
    let (by_hand, ours) = ((peers[0].1)(input), (peers[1].1)(input));
    assert!(same(&read(&ours), &read(&by_hand)), "the outputs differ");
    let times = measured(&peers, input);
    let base = times[0];
    for ((peer, _), time) in peers.iter().zip(&times) {
        row(peer, *time, base);
    }

    let input_file = folder.join(format!("{name}.json"));
    std::fs::write(&input_file, input).unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches");
    let mut others = Vec::new();
    match node() {
        Ok(modules) => {
            let mut node = Command::new("node");
            node.arg(here.join("mapping/reference.js")).env("NODE_PATH", modules);
            others.push(("jsonata on node", node));
        }
        Err(why) => println!("{:<40} skipped: {why}", "jsonata on node"),
    }
    let core = here.join("peers/target/release/lockgate-bench-peers");
    if core.exists() {
        others.push(("crate jsonata-core", Command::new(core)));
    } else {
        println!("{:<40} skipped: build it in benches/peers with `cargo build --release`", "crate jsonata-core");
    }
    for (peer, mut command) in others {
        let output = folder.join("output.json");
        command.arg(here.join("mapping").join(file)).args([&input_file, &output]);
        let run = command.args([SECONDS.to_string(), ROUNDS.to_string()]).output().unwrap();
        let shown = String::from_utf8_lossy(&run.stdout);
        let time = shown.trim().parse().unwrap_or_else(|_| panic!("{peer}: {run:?}"));
        assert!(same(&read(&std::fs::read(&output).unwrap()), &read(&by_hand)), "the output of {peer} differs");
        row(peer, time, base);
    }
}

/// CPU seconds of one time for each peer, taken in turns.
fn measured(peers: &[Peer<'_>], input: &[u8]) -> Vec<f64> {
    let mut taken = vec![Vec::new(); peers.len()];
    for round in 0..=ROUNDS {
        for ((_, map), taken) in peers.iter().zip(&mut taken) {
            let (begun, mut times) = (cpu(), 0.0);
            let time = loop {
                black_box(map(black_box(input)));
                times += 1.0;
                let used = cpu() - begun;
                if used >= SECONDS / 2.0 {
                    break used / times;
                }
            };
            if round > 0 {
                taken.push(time);
            }
        }
    }
    taken.into_iter().map(median).collect()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// CPU seconds of this process.
fn cpu() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

fn row(peer: &str, time: f64, base: f64) {
    let shown = if time < 1e-3 { format!("{:.2} µs", time * 1e6) } else { format!("{:.2} ms", time * 1e3) };
    println!("{peer:<40} {shown:>12}   {:.2}", base / time);
}

/// Where the reference implementation is installed: `LOCKGATE_JSONATA`, a folder `node_modules`.
fn node() -> Result<PathBuf, &'static str> {
    let modules = std::env::var_os("LOCKGATE_JSONATA").ok_or("LOCKGATE_JSONATA names no node_modules with jsonata")?;
    let modules = PathBuf::from(modules);
    if modules.join("jsonata").is_dir() { Ok(modules) } else { Err("there is no jsonata in LOCKGATE_JSONATA") }
}

/// Numbers by value, so that `3` and `3.0` are the same answer; fields in any order.
fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value as V;
    match (a, b) {
        (V::Number(a), V::Number(b)) => a.as_f64() == b.as_f64(),
        (V::Array(a), V::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (V::Object(a), V::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        _ => a == b,
    }
}

/// A mapping file of a thousand rules to a module, and a module of some 30 KB from its compiled form.
fn compiling(engine: &Engine) {
    let rule = |n: usize| {
        format!(
            "  - {{ to: part{}.field{n}, from: 'source{n}.value & \" \" & $uppercase(other.name)', when: a{n} > {n} }}\n",
            n / 50
        )
    };
    let rules =
        |count: usize| format!("mapping: large\nversion: 1\nrules:\n{}", (0..count).map(rule).collect::<String>());
    let thousand = rules(1_000);
    let (tables, types) = (lockgate_compiler::Tables::new(), lockgate_compiler::Types::default());
    let compile = |file: &str, text: &str| lockgate_compiler::map_module(file, text, &tables, &types).unwrap();
    let time = |work: &dyn Fn()| {
        let taken = (0..ROUNDS).map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed()
        });
        let mut taken: Vec<Duration> = taken.collect();
        taken.sort();
        taken[ROUNDS / 2]
    };
    println!("\nwall time, the median of {ROUNDS}");
    let compiled = compile("large.map.yaml", &thousand);
    let taken = time(&|| drop(black_box(compile("large.map.yaml", &thousand))));
    println!("1,000 rules to a module of {} KB         {taken:>10.1?}", compiled.wasm.len() >> 10);
    let native = time(&|| drop(black_box(engine.compile(&compiled.wasm))));
    println!("that module to machine code (Cranelift)   {native:>10.1?}");
    let module = compile("part.map.yaml", &rules(90));
    let code = engine.compile(&module.wasm).unwrap();
    let load = time(&|| drop(black_box(engine.load_compiled(&module.wasm, &code))));
    println!("a module of {} KB from its compiled form    {load:>10.1?}", module.wasm.len() >> 10);
}
