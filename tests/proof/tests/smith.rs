//! Modules by chance (crate wasm-smith): whatever they are, they are refused or end within their limits, and the
//! host stands.
//!
//! One half has everything WebAssembly has; our loader refuses nearly all of it. The other half has the shape of
//! ours: the ABI's imports, one export `step`, our sections; it is loaded and run. `LOCKGATE_SEED` and `LOCKGATE_CASES`
//! say which and how many; with `LOCKGATE_LONG` there are 20,000.

use std::{
    env,
    time::{Duration, Instant},
};

use arbitrary::Unstructured;
use lockgate_document::Document;
use lockgate_engine::{Engine, EngineConfig, LoadError, Mocks};
use lockgate_model::{
    Limits, Timestamp,
    abi::{self, INTRINSICS, NAMESPACE, STEP, Type, section},
};
use lockgate_proof::random::Random;
use wasm_encoder::{
    CodeSection, CustomSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    Module, Section as _, TypeSection, ValType,
};
use wasm_smith::Config;

/// How many without being asked for more; half of each kind.
const CASES: u64 = 1_000;
/// How many where there is time.
const CASES_LONG: u64 = 20_000;
/// A run that takes longer hangs.
const HANG: Duration = Duration::from_secs(20);

fn number(name: &str) -> Option<u64> {
    Some(env::var_os(name)?.to_str()?.parse().unwrap_or_else(|e| panic!("{name}: {e}")))
}

#[test]
fn modules_by_chance_are_refused_or_end_within_their_limits() {
    let (seed, cases) = (number("LOCKGATE_SEED").unwrap_or(1), number("LOCKGATE_CASES"));
    let cases = cases.unwrap_or(if env::var_os("LOCKGATE_LONG").is_some() { CASES_LONG } else { CASES });
    let engine = Engine::new(EngineConfig { workers: 1, ..EngineConfig::alone() }).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let limits = Limits { cost_max: 200_000, wall_ms_max: 2_000, arena_bytes_max: 1 << 20, ..Limits::default() };
    let (shape, mut loaded, mut codes) = (shape(), 0, std::collections::BTreeMap::<String, u64>::new());
    for case in 0..cases {
        let mut random = Random::new(seed, case);
        let bytes: Vec<u8> = (0..64 + random.below(1_500)).map(|_| random.next() as u8).collect();
        let mut chance = Unstructured::new(&bytes);
        let ours = case % 2 == 0;
        let config = if ours { tame(&shape) } else { Config::default() };
        let Ok(module) = wasm_smith::Module::new(config, &mut chance) else { continue };
        let mut wasm = module.to_bytes();
        sections(&mut wasm, &mut random);
        let began = Instant::now();
        let outcome = match engine.load(&wasm) {
            Err(LoadError::Section { name, problem }) if ours => panic!("case {case}: our own {name}: {problem}"),
            Err(_) => None,
            Ok(module) => {
                loaded += 1;
                let input = Document::parse(br#"{"a":[1,"x",null]}"#, &limits).unwrap();
                let running = engine.evaluate(&module, input, Mocks::default(), limits, Timestamp(0));
                Some(runtime.block_on(running))
            }
        };
        assert!(began.elapsed() < HANG, "seed {seed}, case {case} takes {:?}", began.elapsed());
        let Some(outcome) = outcome else { continue };
        let code = match &outcome.result {
            Ok(_) => "ended".to_owned(),
            Err(failure) => failure.error.code.clone(),
        };
        // A panic of the host is told as a lost step.
        assert_ne!(code, "LG-STEP-LOST", "seed {seed}, case {case}: the host panicked");
        assert!(outcome.arena_bytes_peak <= limits.arena_bytes_max, "seed {seed}, case {case}");
        *codes.entry(code).or_default() += 1;
    }
    println!("{cases} modules, {loaded} loaded and run: {codes:?}");
    assert!(loaded * 5 > cases && codes.len() > 2, "{loaded} of {cases} ran, with {codes:?}: this shows little");
}

/// What ours import and export.
fn shape() -> Vec<u8> {
    let (mut types, mut imports) = (TypeSection::new(), ImportSection::new());
    let wasm_type = |ty: Type| match ty {
        Type::Handle | Type::I64 => ValType::I64,
        Type::I32 => ValType::I32,
        Type::F64 => ValType::F64,
    };
    for row in INTRINSICS {
        imports.import(NAMESPACE, row.name, EntityType::Function(types.len()));
        let params: Vec<_> = row.params().map(wasm_type).collect();
        types.ty().function(params, row.result().map(wasm_type).into_iter().collect::<Vec<_>>());
    }
    let (mut functions, mut exports, mut code) = (FunctionSection::new(), ExportSection::new(), CodeSection::new());
    functions.function(types.len());
    types.ty().function([ValType::I32], [ValType::I32]);
    exports.export(STEP, ExportKind::Func, INTRINSICS.len() as u32);
    let mut step = Function::new([]);
    step.instructions().unreachable().end();
    code.function(&step);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&exports).section(&code);
    module.finish()
}

/// What our loader may take.
fn tame(shape: &[u8]) -> Config {
    Config {
        module_shape: Some(shape.to_vec()),
        max_memories: 0,
        max_tables: 0,
        max_tags: 0,
        max_data_segments: 0,
        max_element_segments: 0,
        max_funcs: 8,
        max_instructions: 400,
        allow_start_export: false,
        bulk_memory_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        reference_types_enabled: false,
        relaxed_simd_enabled: false,
        simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        extended_const_enabled: false,
        ..Config::default()
    }
}

/// Our sections: four tasks that handle each other's failures, four slots of each kind.
fn sections(wasm: &mut Vec<u8>, random: &mut Random) {
    let task = |pc: u32, random: &mut Random| {
        let handler =
            random.percent(50).then(|| abi::Handler { pc: random.below(4) as u32, slot: random.below(4) as u32 });
        let timeout = (pc > 0 && random.percent(30)).then(|| abi::Timeout { slot: random.below(4) as u32, pc: 0 });
        abi::Task { pointer: format!("/do/{pc}"), handler, timeout }
    };
    let tasks: Vec<_> = (0..4).map(|pc| task(pc, random)).collect();
    let header = abi::Header {
        abi: abi::ABI,
        compiler: "chance".into(),
        name: "chance".into(),
        namespace: String::new(),
        version: String::new(),
    };
    let frame = abi::Frame { values: 4, ints: 4, input: 0, output: 1 };
    let manifest = serde_json::json!({
        "operations": [{"connector": "https", "operation": "get", "version": "1", "account": {"declared": "erp"}}],
        "runs": [{"name": "other", "version": "1.0.0", "awaits": true}],
    });
    let constants = r#"["a",{"value":1},["a"],{"pattern":"a+","flags":""},null]"#;
    for (name, data) in [
        (section::HEADER, json(&header)),
        (section::CONSTS, constants.as_bytes().to_vec()),
        (section::OPS, json(&manifest)),
        (section::FRAME, json(&frame)),
        (section::TASKS, json(&tasks)),
        (section::MAP, json(&abi::SourceMap::default())),
    ] {
        CustomSection { name: name.into(), data: data.into() }.append_to(wasm);
    }
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}
