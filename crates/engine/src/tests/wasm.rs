//! Modules by hand, and an engine to run them.

use std::sync::{Arc, LazyLock};

use lockgate_document::Document;
use lockgate_model::{
    Limits, Manifest, Timestamp,
    abi::{self, Frame, Handler, Header, NAMESPACE, Op, SourceMap, Task, Type, section},
    manifest::{AccountRef, Authority},
};
use wasm_encoder::{
    CodeSection, CustomSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    InstructionSink, TypeSection, ValType,
};

use crate::{Engine, EngineConfig, Mocks, Module, Outcome};

/// One engine for all tests: each would reserve its own stacks.
pub(crate) static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::new(EngineConfig { workers: 2, ..EngineConfig::default() }).unwrap());

/// A module under construction; its public parts may be bent before it is written.
pub(crate) struct Wasm {
    pub(crate) ops: Vec<Op>,
    pub(crate) functions: Vec<(Vec<ValType>, Vec<ValType>, Function)>,
    pub(crate) header: Header,
    pub(crate) frame: Frame,
    pub(crate) tasks: Vec<Task>,
    pub(crate) manifest: Manifest,
    pub(crate) constants: &'static str,
    pub(crate) map: SourceMap,
}

/// Emits calls of intrinsics by name.
pub(crate) struct Emit<'a> {
    pub(crate) ops: &'a [Op],
    pub(crate) sink: InstructionSink<'a>,
}

impl Emit<'_> {
    /// Calls an intrinsic.
    pub(crate) fn op(&mut self, op: Op) -> &mut Self {
        let index = self.ops.iter().position(|o| *o == op).expect("the op is declared");
        self.sink.call(index as u32);
        self
    }
    pub(crate) fn i32(&mut self, value: i32) -> &mut Self {
        self.sink.i32_const(value);
        self
    }
    pub(crate) fn i64(&mut self, value: i64) -> &mut Self {
        self.sink.i64_const(value);
        self
    }
    /// `task(pc)`.
    pub(crate) fn task(&mut self, pc: i32) -> &mut Self {
        self.i32(pc).op(Op::Task)
    }
    /// Copies slot `from` to slot `to`.
    pub(crate) fn copy(&mut self, from: i32, to: i32) -> &mut Self {
        self.i32(to).i32(from).op(Op::SlotGet).op(Op::SlotSet)
    }
    /// Returns from `step`.
    pub(crate) fn end(&mut self, result: i32) {
        self.sink.i32_const(result).return_();
    }
    /// Calls operation `op` with slot 0; the answer goes to `slot`.
    pub(crate) fn call(&mut self, op: i32, slot: i32, pc: i32) {
        self.i32(op).i32(0).op(Op::SlotGet).i32(slot).i32(pc).op(Op::Call).end(abi::SUSPEND);
    }
}

impl Wasm {
    /// Slot 0 is input, 1 output, 2 and 3 free; two operations of account `erp`.
    pub(crate) fn new(ops: &[Op]) -> Self {
        let authority = |operation: &str| Authority {
            connector: "https".into(),
            operation: operation.into(),
            version: "1".into(),
            account: AccountRef::Declared("erp".parse().unwrap()),
            detail: Vec::new(),
            scheme: None,
            parse: None,
            streams: false,
            takes: None,
        };
        Self {
            ops: ops.to_vec(),
            functions: Vec::new(),
            header: Header {
                abi: abi::ABI,
                compiler: "test".into(),
                name: "by-hand".into(),
                namespace: String::new(),
                version: String::new(),
            },
            frame: Frame { values: 4, ints: 2, input: 0, output: 1 },
            tasks: Vec::new(),
            manifest: Manifest {
                operations: vec![authority("post"), authority("get")],
                runs: Vec::new(),
                schedule: None,
            },
            constants: r#"["name","value"]"#,
            map: SourceMap::default(),
        }
    }

    /// A task without a handler.
    pub(crate) fn task(mut self, pointer: &str) -> Self {
        self.tasks.push(Task { pointer: pointer.into(), handler: None, timeout: None });
        self
    }

    /// A task whose failures go to `pc` with the error in `slot`.
    pub(crate) fn handled(mut self, pointer: &str, pc: u32, slot: u32) -> Self {
        self.tasks.push(Task { pointer: pointer.into(), handler: Some(Handler { pc, slot }), timeout: None });
        self
    }

    /// A function of its own: returns its index in the module.
    pub(crate) fn function(
        &mut self,
        params: &[ValType],
        results: &[ValType],
        locals: &[ValType],
        body: impl FnOnce(&mut Emit<'_>),
    ) -> u32 {
        let mut function = Function::new_with_locals_types(locals.iter().copied());
        let ops = std::mem::take(&mut self.ops);
        let mut emit = Emit { ops: &ops, sink: function.instructions() };
        body(&mut emit);
        emit.sink.end();
        self.ops = ops;
        self.functions.push((params.to_vec(), results.to_vec(), function));
        (self.ops.len() + self.functions.len() - 1) as u32
    }

    /// The last function, `step(pc) -> i32`, whose body is dispatched by pc.
    pub(crate) fn step(mut self, tasks: &[&dyn Fn(&mut Emit<'_>)]) -> Self {
        self.function(&[ValType::I32], &[ValType::I32], &[ValType::I64, ValType::I32, ValType::I64], |e| {
            for (pc, task) in tasks.iter().enumerate() {
                e.sink.local_get(0).i32_const(pc as i32).i32_eq().if_(wasm_encoder::BlockType::Empty);
                task(e);
                e.sink.end();
            }
            e.sink.i32_const(abi::FAULT);
        });
        self
    }

    /// The module's bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.bytes_with(|_| {})
    }

    /// The module's bytes, with more sections after the code.
    pub(crate) fn bytes_with(&self, more: impl FnOnce(&mut wasm_encoder::Module)) -> Vec<u8> {
        let (mut types, mut imports, mut functions) =
            (TypeSection::new(), ImportSection::new(), FunctionSection::new());
        let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
        for op in &self.ops {
            let row = op.row();
            imports.import(NAMESPACE, row.name, EntityType::Function(types.len()));
            let params: Vec<_> = row.params().map(wasm_type).collect();
            types.ty().function(params, row.result().map(wasm_type).into_iter().collect::<Vec<_>>());
        }
        for (params, results, body) in &self.functions {
            functions.function(types.len());
            types.ty().function(params.iter().copied(), results.iter().copied());
            code.function(body);
        }
        exports.export(abi::STEP, ExportKind::Func, (self.ops.len() + self.functions.len() - 1) as u32);
        let mut module = wasm_encoder::Module::new();
        module.section(&types).section(&imports).section(&functions).section(&exports).section(&code);
        for (name, data) in [
            (section::HEADER, json(&self.header)),
            (section::CONSTS, self.constants.as_bytes().to_vec()),
            (section::OPS, json(&self.manifest)),
            (section::FRAME, json(&self.frame)),
            (section::TASKS, json(&self.tasks)),
            (section::MAP, json(&self.map)),
        ] {
            module.section(&CustomSection { name: name.into(), data: data.into() });
        }
        more(&mut module);
        module.finish()
    }

    pub(crate) fn load(&self) -> Arc<Module> {
        ENGINE.load(&self.bytes()).unwrap()
    }

    /// Loads and evaluates with default limits.
    pub(crate) async fn evaluate(&self, input: &str, mocks: Mocks) -> Outcome {
        self.evaluate_within(input, mocks, Limits::default()).await
    }

    /// Loads and evaluates within limits.
    pub(crate) async fn evaluate_within(&self, input: &str, mocks: Mocks, limits: Limits) -> Outcome {
        ENGINE.evaluate(&self.load(), document(input), mocks, limits, NOW).await
    }
}

pub(crate) const NOW: Timestamp = Timestamp(1_763_784_306_789_000);

pub(crate) fn document(json: &str) -> Document {
    Document::parse(json.as_bytes(), &Limits::default()).unwrap()
}

pub(crate) fn text(document: &Document) -> String {
    String::from_utf8(document.print(1 << 20).unwrap()).unwrap()
}

/// The output, or what failed.
pub(crate) fn output(outcome: &Outcome) -> String {
    match &outcome.result {
        Ok(document) => text(document),
        Err(failure) => panic!("{failure:?}: {}", failure.message),
    }
}

/// The code of a failure.
pub(crate) fn code(outcome: &Outcome) -> &str {
    match &outcome.result {
        Ok(document) => panic!("it ended with {}", text(document)),
        Err(failure) => &failure.error.code,
    }
}

pub(crate) fn wasm_type(ty: Type) -> ValType {
    match ty {
        Type::Handle | Type::I64 => ValType::I64,
        Type::I32 => ValType::I32,
        Type::F64 => ValType::F64,
    }
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}
