//! From bytes to a module that may run: everything that can be checked once is checked here.
//!
//! Our compiler emits a small part of WebAssembly. Whatever goes beyond it is refused, although
//! the engine's configuration would refuse most of it again: a memory, a table, a start function,
//! data, an imported global, a second export, an import that the table does not have.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use lockgate_document::Constants;
use lockgate_model::{
    Digest, Manifest,
    abi::{self, Header, INTRINSICS, SourceMap, Task, Type, section},
};
use serde::de::DeserializeOwned;
use wasmparser::{ExternalKind, Parser, Payload, TypeRef, Validator, WasmFeatures};
use wasmtime::{ExternType, FuncType, Linker, ValType};

use crate::{Compiled, Module, host::Host, streams::Contents};

/// Most slots of each kind in a frame.
const SLOTS_MAX: u32 = 1 << 16;
/// Sections as values take about so many times the bytes they are read from.
const READ_AS: usize = 4;
/// What is beyond WebAssembly 1.0 and our compiler may emit.
const FEATURES: WasmFeatures = WasmFeatures::WASM1
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::MULTI_VALUE);

/// Why a module cannot be loaded. It names what is wrong with the file; it holds no application data.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Longer than the engine takes.
    #[error("the module has {bytes} bytes, the limit is {bytes_max}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// No WebAssembly of the kind we run.
    #[error("not a module that this engine runs: {0}")]
    Invalid(String),
    /// Something our compiler never emits.
    #[error("the module has {0}, which no module of ours has")]
    Forbidden(&'static str),
    /// Another version of the ABI.
    #[error("the module speaks ABI {found}, this engine speaks {}: compile it again", abi::ABI)]
    Abi {
        /// The module's.
        found: u32,
    },
    /// An import that is no intrinsic, or has other types.
    #[error("the module imports `{0}`, which is no intrinsic of ABI {abi} with those types", abi = abi::ABI)]
    Import(String),
    /// A custom section is missing or wrong.
    #[error("section `{name}`: {problem}")]
    Section {
        /// The section.
        name: &'static str,
        /// What is wrong.
        problem: String,
    },
}

/// Checks, and compiles unless the machine code is there.
pub(crate) fn load(linker: &Linker<Box<Host>>, wasm: &[u8], compiled: Option<&Compiled>) -> Result<Module, LoadError> {
    let sections = survey(wasm)?;
    let header: Header = sections.json(section::HEADER)?;
    if header.abi != abi::ABI {
        return Err(LoadError::Abi { found: header.abi });
    }
    let manifest: Manifest = sections.json(section::OPS)?;
    let contents = manifest.operations.iter().map(Contents::of).collect::<Result<_, _>>();
    let contents = contents.map_err(|format| LoadError::Section {
        name: section::OPS,
        problem: format!("the format `{format}` is none, or not described as it should be"),
    })?;
    let frame: abi::Frame = sections.json(section::FRAME)?;
    let tasks: Vec<Task> = sections.json(section::TASKS)?;
    let map: SourceMap = sections.json(section::MAP)?;
    let constants = Constants::parse(sections.bytes(section::CONSTS)?)
        .map_err(|e| LoadError::Section { name: section::CONSTS, problem: e.to_string() })?;
    check_frame(&frame)?;
    check_tasks(&tasks, &frame)?;
    check_map(&map)?;

    let digest = Digest::of(wasm);
    let compiled = match compiled {
        Some(compiled) => compiled.module(linker.engine(), digest)?,
        None => wasmtime::Module::new(linker.engine(), wasm).map_err(invalid)?,
    };
    let imports = check_imports(&compiled)?;
    let pre = linker.instantiate_pre(&compiled).map_err(invalid)?;
    let is_step = |ty: &FuncType| {
        same_types(ty.params(), [Type::I32].into_iter()) && same_types(ty.results(), [Type::I32].into_iter())
    };
    if !matches!(compiled.get_export(abi::STEP), Some(ExternType::Func(ty)) if is_step(&ty)) {
        return Err(LoadError::Forbidden("no export `step` from a task to a result"));
    }
    let step =
        compiled.get_export_index(abi::STEP).ok_or(LoadError::Forbidden("no export `step` from a task to a result"))?;
    let image = compiled.image_range();
    // What is read of the sections takes some times their bytes.
    let bytes =
        (image.end as usize).saturating_sub(image.start as usize).saturating_add(wasm.len().saturating_mul(READ_AS));
    let subflows = manifest.runs.iter().map(crate::module::callee).collect();
    Ok(Module {
        digest,
        header,
        manifest,
        contents,
        subflows,
        frame,
        tasks,
        map,
        constants: Arc::new(constants),
        imports,
        pre,
        step,
        bytes,
    })
}

/// The custom sections of a module whose other sections are all of the kinds we allow.
struct Sections<'a> {
    wasm: &'a [u8],
    custom: BTreeMap<String, Range<usize>>,
}

impl Sections<'_> {
    fn bytes(&self, name: &'static str) -> Result<&[u8], LoadError> {
        self.custom
            .get(name)
            .and_then(|range| self.wasm.get(range.clone()))
            .ok_or_else(|| LoadError::Section { name, problem: "is missing".to_owned() })
    }

    fn json<T: DeserializeOwned>(&self, name: &'static str) -> Result<T, LoadError> {
        serde_json::from_slice(self.bytes(name)?)
            .map_err(|e| LoadError::Section { name, problem: format!("is not what it should be: {e}") })
    }
}

fn survey(wasm: &[u8]) -> Result<Sections<'_>, LoadError> {
    Validator::new_with_features(FEATURES).validate_all(wasm).map_err(invalid)?;
    let mut custom = BTreeMap::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(invalid)? {
            Payload::Version { .. }
            | Payload::TypeSection(_)
            | Payload::FunctionSection(_)
            | Payload::GlobalSection(_)
            | Payload::CodeSectionStart { .. }
            | Payload::CodeSectionEntry(_)
            | Payload::End(_) => {}
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import.map_err(invalid)?;
                    if !matches!(import.ty, TypeRef::Func(_)) {
                        return Err(LoadError::Forbidden("an import that is no function"));
                    }
                }
            }
            Payload::ExportSection(exports) => {
                let one_step = exports.count() == 1
                    && exports
                        .into_iter()
                        .all(|export| export.is_ok_and(|e| e.name == abi::STEP && e.kind == ExternalKind::Func));
                if !one_step {
                    return Err(LoadError::Forbidden("another export than the function `step`"));
                }
            }
            Payload::CustomSection(section) => {
                if custom.insert(section.name().to_owned(), section.data_offset()..section.range().end).is_some() {
                    return Err(LoadError::Forbidden("a custom section twice"));
                }
            }
            Payload::TableSection(_) => return Err(LoadError::Forbidden("a table")),
            Payload::MemorySection(_) => return Err(LoadError::Forbidden("a memory")),
            Payload::StartSection { .. } => return Err(LoadError::Forbidden("a start function")),
            Payload::ElementSection(_) => return Err(LoadError::Forbidden("table elements")),
            Payload::DataSection(_) | Payload::DataCountSection { .. } => return Err(LoadError::Forbidden("data")),
            _ => return Err(LoadError::Forbidden("a section of another kind")),
        }
    }
    Ok(Sections { wasm, custom })
}

fn check_imports(module: &wasmtime::Module) -> Result<u32, LoadError> {
    let mut count = 0;
    for import in module.imports() {
        count += 1;
        let row = INTRINSICS.iter().find(|row| import.module() == abi::NAMESPACE && row.name == import.name());
        let known = matches!((row, import.ty()), (Some(row), ExternType::Func(ty))
            if same_types(ty.params(), row.params()) && same_types(ty.results(), row.result().into_iter()));
        if !known {
            return Err(LoadError::Import(format!("{}.{}", import.module(), import.name())));
        }
    }
    Ok(count)
}

fn same_types(wasm: impl Iterator<Item = ValType>, table: impl Iterator<Item = Type>) -> bool {
    wasm.map(|ty| match ty {
        ValType::I64 => Some("i64"),
        ValType::I32 => Some("i32"),
        ValType::F64 => Some("f64"),
        _ => None,
    })
    .eq(table.map(|ty| match ty {
        Type::Handle | Type::I64 => Some("i64"),
        Type::I32 => Some("i32"),
        Type::F64 => Some("f64"),
    }))
}

fn check_frame(frame: &abi::Frame) -> Result<(), LoadError> {
    let problem = |problem: &str| Err(LoadError::Section { name: section::FRAME, problem: problem.to_owned() });
    if frame.values > SLOTS_MAX || frame.ints > SLOTS_MAX {
        return problem("more slots than a frame may have");
    }
    if frame.input >= frame.values || frame.output >= frame.values {
        return problem("the input or the output has no slot");
    }
    Ok(())
}

fn check_tasks(tasks: &[Task], frame: &abi::Frame) -> Result<(), LoadError> {
    let outside = |h: &abi::Handler| h.pc as usize >= tasks.len() || h.slot >= frame.values;
    // A limit begins before what it limits, so that the way outward ends.
    let endless = |(pc, task): (usize, &Task)| {
        task.timeout.is_some_and(|timeout| timeout.pc as usize >= pc || timeout.slot >= frame.ints)
    };
    if tasks.iter().enumerate().any(endless) {
        let problem = "a time limit names no earlier task or no slot".to_owned();
        return Err(LoadError::Section { name: section::TASKS, problem });
    }
    if tasks.iter().filter_map(|task| task.handler.as_ref()).any(outside) {
        let problem = "a handler names no task or no slot".to_owned();
        return Err(LoadError::Section { name: section::TASKS, problem });
    }
    Ok(())
}

fn check_map(map: &SourceMap) -> Result<(), LoadError> {
    if !map.places.is_sorted_by_key(|place| (place.func, place.offset)) {
        return Err(LoadError::Section { name: section::MAP, problem: "the places are out of order".to_owned() });
    }
    Ok(())
}

pub(crate) fn invalid(error: impl std::fmt::Display) -> LoadError {
    LoadError::Invalid(format!("{error:#}"))
}
