//! Modules that our compiler never emits are refused when they are loaded.

use lockgate_model::{
    Limits,
    abi::{self, Op, Place, SourceMap},
};
use wasm_encoder::{
    ConstExpr, CustomSection, DataSection, ElementSection, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, GlobalType, ImportSection, MemorySection, MemoryType, Module, RefType,
    StartSection, TableSection, TableType, TypeSection, ValType,
};

use super::wasm::{ENGINE, NOW, Wasm, document, output};
use crate::{LoadError, Mocks};

fn good() -> Wasm {
    Wasm::new(&[Op::Task]).task("/do/0").step(&[&|e| e.task(0).end(abi::DONE)])
}

fn refused(wasm: &[u8]) -> String {
    match ENGINE.load(wasm) {
        Ok(_) => panic!("it was loaded"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_no_module_is_refused() {
    for bytes in [&b""[..], b"\0asm", b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0", b"hello", &[0xff; 4096]] {
        refused(bytes);
    }
    let whole = good().bytes();
    assert!(ENGINE.load(&whole).is_ok());
    for cut in 0..whole.len() {
        refused(&whole[..cut]);
    }
}

#[test]
fn a_module_that_is_too_long_is_refused_unread() {
    let long = vec![0; (16 << 20) + 1];
    assert!(matches!(ENGINE.load(&long), Err(LoadError::TooLong { .. })));
}

#[test]
fn flipped_bytes_are_refused_or_run_within_limits() {
    let whole = good().bytes();
    let limits = Limits { cost_max: 100_000, wall_ms_max: 5_000, ..Limits::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for at in 0..whole.len() {
        for mask in [0x01, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= mask;
            if let Ok(module) = ENGINE.load(&bytes) {
                // Whatever it does, it ends.
                let _ = runtime.block_on(ENGINE.evaluate(&module, document("{}"), Mocks::default(), limits, NOW));
            }
        }
    }
}

/// A module of its own making: types, imports and more before the code, which is `step`.
fn forged(
    imports: impl FnOnce(&mut ImportSection, &mut TypeSection),
    more: impl FnOnce(&mut Module, Stage),
) -> Vec<u8> {
    let (mut types, mut import) = (TypeSection::new(), ImportSection::new());
    types.ty().function([ValType::I32], [ValType::I32]);
    types.ty().function([], []);
    imports(&mut import, &mut types);
    let functions_imported = import.len();
    let mut functions = FunctionSection::new();
    functions.function(0).function(1);
    let mut module = Module::new();
    module.section(&types).section(&import).section(&functions);
    more(&mut module, Stage { step: functions_imported });
    module.finish()
}

struct Stage {
    step: u32,
}

impl Stage {
    fn finish(&self, module: &mut Module, before_code: impl FnOnce(&mut Module)) {
        let mut exports = ExportSection::new();
        exports.export(abi::STEP, ExportKind::Func, self.step);
        module.section(&exports);
        before_code(module);
        let mut code = wasm_encoder::CodeSection::new();
        let mut step = Function::new([]);
        step.instructions().i32_const(abi::DONE).end();
        let mut nothing = Function::new([]);
        nothing.instructions().end();
        code.function(&step).function(&nothing);
        module.section(&code);
    }
}

fn customs(module: &mut Module) {
    let whole = good();
    let json = |v: serde_json::Value| v.to_string().into_bytes();
    for (name, data) in [
        (abi::section::HEADER, json(serde_json::to_value(&whole.header).unwrap())),
        (abi::section::CONSTS, b"[]".to_vec()),
        (abi::section::OPS, json(serde_json::to_value(&whole.manifest).unwrap())),
        (abi::section::FRAME, json(serde_json::to_value(&whole.frame).unwrap())),
        (abi::section::TASKS, json(serde_json::to_value(&whole.tasks).unwrap())),
        (abi::section::MAP, json(serde_json::to_value(&whole.map).unwrap())),
    ] {
        module.section(&CustomSection { name: name.into(), data: data.into() });
    }
}

#[test]
fn the_forger_can_make_a_good_module() {
    let bytes = forged(
        |_, _| {},
        |m, s| {
            s.finish(m, |_| {});
            customs(m);
        },
    );
    ENGINE.load(&bytes).unwrap();
}

#[test]
fn a_memory_a_table_data_and_a_start_function_are_refused() {
    let memory = forged(
        |_, _| {},
        |m, s| {
            let mut memories = MemorySection::new();
            memories.memory(MemoryType {
                minimum: 1,
                maximum: None,
                memory64: false,
                shared: false,
                page_size_log2: None,
            });
            m.section(&memories);
            s.finish(m, |_| {});
            customs(m);
        },
    );
    assert!(refused(&memory).contains("a memory"));
    let table_type =
        TableType { element_type: RefType::FUNCREF, table64: false, minimum: 1, maximum: None, shared: false };
    let table = forged(
        |_, _| {},
        |m, s| {
            let mut tables = TableSection::new();
            tables.table(table_type);
            m.section(&tables);
            s.finish(m, |m| {
                let mut elements = ElementSection::new();
                elements.active(
                    Some(0),
                    &ConstExpr::i32_const(0),
                    wasm_encoder::Elements::Functions([0].as_slice().into()),
                );
                m.section(&elements);
            });
            customs(m);
        },
    );
    assert!(refused(&table).contains("a table"));
    let start = forged(
        |_, _| {},
        |m, s| {
            s.finish(m, |m| {
                m.section(&StartSection { function_index: 1 });
            });
            customs(m);
        },
    );
    assert!(refused(&start).contains("a start function"));
    let data = forged(
        |_, _| {},
        |m, s| {
            s.finish(m, |_| {});
            let mut data = DataSection::new();
            data.passive([1, 2, 3]);
            m.section(&data);
            customs(m);
        },
    );
    refused(&data);
}

#[test]
fn forged_imports_are_refused() {
    for (module, name) in [("lg", "open_file"), ("wasi_snapshot_preview1", "fd_write"), ("env", "task"), ("lg", "")] {
        let bytes = forged(
            |imports, _| {
                imports.import(module, name, EntityType::Function(1));
            },
            |m, s| {
                s.finish(m, |_| {});
                customs(m);
            },
        );
        assert!(matches!(ENGINE.load(&bytes), Err(LoadError::Import(_))), "{module}.{name}");
    }
    // A known name with other types.
    let bytes = forged(
        |imports, _| {
            imports.import("lg", "task", EntityType::Function(1));
        },
        |m, s| {
            s.finish(m, |_| {});
            customs(m);
        },
    );
    assert!(matches!(ENGINE.load(&bytes), Err(LoadError::Import(_))));
    for kind in [
        EntityType::Global(GlobalType { val_type: ValType::I64, mutable: true, shared: false }),
        EntityType::Memory(MemoryType {
            minimum: 1,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        }),
    ] {
        let bytes = forged(
            |imports, _| {
                imports.import("lg", "task", kind);
            },
            |m, _| {
                Stage { step: 0 }.finish(m, |_| {});
                customs(m);
            },
        );
        assert!(refused(&bytes).contains("no function"));
    }
}

#[test]
fn another_export_is_refused() {
    let bytes = forged(
        |_, _| {},
        |m, s| {
            let mut exports = ExportSection::new();
            exports.export(abi::STEP, ExportKind::Func, s.step).export("more", ExportKind::Func, s.step + 1);
            m.section(&exports);
            let mut code = wasm_encoder::CodeSection::new();
            let mut step = Function::new([]);
            step.instructions().i32_const(0).end();
            let mut nothing = Function::new([]);
            nothing.instructions().end();
            code.function(&step).function(&nothing);
            m.section(&code);
            customs(m);
        },
    );
    assert!(refused(&bytes).contains("another export"));
    let wrong_type = forged(
        |_, _| {},
        |m, s| {
            Stage { step: s.step + 1 }.finish(m, |_| {});
            customs(m);
        },
    );
    assert!(refused(&wrong_type).contains("`step`"));
}

#[test]
fn a_global_of_its_own_is_allowed() {
    let bytes = forged(
        |_, _| {},
        |m, s| {
            let mut globals = GlobalSection::new();
            globals
                .global(GlobalType { val_type: ValType::I32, mutable: true, shared: false }, &ConstExpr::i32_const(0));
            m.section(&globals);
            s.finish(m, |_| {});
            customs(m);
        },
    );
    ENGINE.load(&bytes).unwrap();
}

#[test]
fn wrong_sections_are_refused() {
    let mut old = good();
    old.header.abi = abi::ABI + 1;
    assert!(matches!(ENGINE.load(&old.bytes()), Err(LoadError::Abi { .. })));

    let mut handler = good();
    handler.tasks[0].handler = Some(abi::Handler { pc: 1, slot: 0 });
    assert!(refused(&handler.bytes()).contains("handler"));

    // Endless: at itself, or at a later one.
    for pc in [0, 1] {
        let mut timeout = good();
        timeout.tasks[0].timeout = Some(abi::Timeout { slot: 0, pc });
        assert!(refused(&timeout.bytes()).contains("time limit"));
    }

    let mut frame = good();
    frame.frame.output = frame.frame.values;
    assert!(refused(&frame.bytes()).contains("slot"));
    frame.frame.output = 1;
    frame.frame.ints = u32::MAX;
    assert!(refused(&frame.bytes()).contains("slots"));

    let mut map = good();
    let place = |func| Place { func, offset: 0, source: 0, span: Default::default(), position: 0, token: None };
    map.map =
        SourceMap { sources: Vec::new(), lines: Vec::new(), tokens: Vec::new(), places: vec![place(1), place(0)] };
    assert!(refused(&map.bytes()).contains("out of order"));

    let mut constants = good();
    constants.constants = "{";
    assert!(refused(&constants.bytes()).contains("lockgate.consts"));

    let twice = good().bytes_with(|m| {
        m.section(&CustomSection { name: abi::section::HEADER.into(), data: b"{}".as_slice().into() });
    });
    assert!(refused(&twice).contains("twice"));
}

#[tokio::test]
async fn the_same_bytes_are_one_module() {
    let wasm = good();
    let (one, two) = (wasm.load(), wasm.load());
    assert!(std::sync::Arc::ptr_eq(&one, &two));
    assert!(ENGINE.loaded(&one.digest()).is_some());
    let outcome = wasm.evaluate("{}", Mocks::default()).await;
    assert!(outcome.result.unwrap().is_undefined());
    let echo = Wasm::new(&[Op::Task, Op::SlotGet, Op::SlotSet]).task("/").step(&[&|e| e.copy(0, 1).end(abi::DONE)]);
    assert_eq!(output(&echo.evaluate("[]", Mocks::default()).await), "[]");
}
