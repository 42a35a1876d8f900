//! Writes a module of the frozen ABI: `model::abi` is the table it emits against.
//!
//! Deterministic: functions stand in the order they were declared, imports in the order of the
//! table and only those used, constants, sources and tokens in the order of first use; nothing
//! depends on time, addresses or hashing. A module has no memory and no table.
//!
//! Function values have numbers. All of them have one type ([`function_params`]) and are reached
//! through one dispatcher, see [`apply`].

mod apply;
mod body;
mod sections;

use std::collections::BTreeMap;

use lockgate_mapping::rules::{Lines, Site};
use lockgate_model::{
    Diagnostic, Diagnostics, Digest, Manifest, Span,
    abi::{self, Frame, Op, Place, SourceMap, Task, Type},
};
use wasm_encoder::{
    CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, FunctionSection, GlobalSection, GlobalType,
    ImportSection, Module, NameMap, NameSection, TypeSection, ValType,
};

pub use apply::{ARGUMENTS, TAIL_CALL, function_params};
pub(crate) use apply::{DEPTH, tail_globals};
use body::Callee;
pub use body::{At, Body};

/// Patterns that a module may have: each is held in memory as long as the module is.
const PATTERNS_MAX: usize = 128;

/// A compiled module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// Name of the orchestration or mapping, or `expression`.
    pub name: String,
    /// The module's bytes.
    pub wasm: Vec<u8>,
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// Everything it can reach; also inside the bytes.
    pub manifest: Manifest,
}

/// A function of the module under construction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(u32);

#[derive(Debug)]
struct Function {
    name: String,
    params: Vec<ValType>,
    results: Vec<ValType>,
    body: Option<Body>,
}

/// Strings in order of first use.
#[derive(Debug, Default)]
struct Interned {
    index: BTreeMap<String, u32>,
    items: Vec<String>,
}

impl Interned {
    fn add(&mut self, text: &str) -> u32 {
        if let Some(index) = self.index.get(text) {
            return *index;
        }
        let index = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        self.index.insert(text.to_owned(), index);
        self.items.push(text.to_owned());
        index
    }
}

/// A module under construction.
#[derive(Debug)]
pub struct ModuleBuilder {
    name: String,
    /// `document.namespace` of a flow.
    namespace: String,
    /// `document.version` of a flow.
    version: String,
    /// JSON texts.
    constants: Interned,
    sources: Interned,
    /// Of each source.
    lines: Vec<Lines>,
    /// What is compiled now, as names of functions tell it.
    subject: String,
    tokens: Interned,
    functions: Vec<Function>,
    /// Function values: a value's number is its place here.
    numbered: Vec<FunctionId>,
    globals: Vec<(String, ValType)>,
    apply: Option<FunctionId>,
    recursion_max: u32,
    shared: BTreeMap<String, FunctionId>,
    patterns: usize,
    /// Rules that note what they gave, in the order of their slots; see [`ModuleBuilder::with_marks`].
    marks: Option<Vec<Mark>>,
}

/// A rule of a mapping that notes in an i64 slot of the frame that it gave something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The mapping's file.
    pub file: String,
    /// Where the rule's `to` stands in it.
    pub span: Span,
    /// Its `to`, below that of the rule around it.
    pub to: String,
}

impl ModuleBuilder {
    /// An empty module of this name.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            namespace: String::new(),
            version: String::new(),
            constants: Interned::default(),
            sources: Interned::default(),
            lines: Vec::new(),
            subject: name.to_owned(),
            tokens: Interned::default(),
            functions: Vec::new(),
            numbered: Vec::new(),
            globals: Vec::new(),
            apply: None,
            recursion_max: lockgate_model::Limits::default().recursion_max,
            shared: BTreeMap::new(),
            patterns: 0,
            marks: None,
        }
    }

    /// It is this version of its orchestration, which is of this namespace.
    pub(crate) fn with_version(mut self, namespace: &str, version: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        version.clone_into(&mut self.version);
        self
    }

    /// Rules of mappings note what they gave: the first in slot 0 of the frame's numbers, and so on.
    pub(crate) fn with_marks(mut self) -> Self {
        self.marks = Some(Vec::new());
        self
    }

    /// Whether rules note what they gave.
    pub(crate) fn marks(&self) -> bool {
        self.marks.is_some()
    }

    /// The slot of a rule of this source, where rules note what they gave.
    pub(crate) fn mark(&mut self, source: u32, site: &Site) -> Option<u32> {
        let file = self.sources.items.get(source as usize).cloned().unwrap_or_default();
        let marks = self.marks.as_mut()?;
        // A mapping of values may be one of streams too.
        let known = marks.iter().position(|mark| mark.span == site.span && mark.to == site.to && mark.file == file);
        let place = known.unwrap_or_else(|| {
            marks.push(Mark { file, span: site.span, to: site.to.clone() });
            marks.len() - 1
        });
        u32::try_from(place).ok()
    }

    /// The rules that note what they gave, in the order of their slots.
    pub(crate) fn take_marks(&mut self) -> Vec<Mark> {
        self.marks.take().unwrap_or_default()
    }

    /// Bakes another limit of nested function calls; past it is error U1001.
    pub fn recursion_max(&mut self, calls: u32) {
        self.recursion_max = calls;
    }

    /// Index of a string constant (`abi::constant(index)` is its handle).
    pub fn constant_text(&mut self, text: &str) -> u32 {
        let json = serde_json::Value::from(text).to_string();
        self.constants.add(&json)
    }

    /// Index of a constant given as JSON text, which must be valid.
    pub fn constant_json(&mut self, json: &str) -> u32 {
        self.constants.add(json)
    }

    /// Index of a constant that is a pattern (see [`abi::pattern`]); none when there are too many.
    pub fn constant_pattern(&mut self, source: &str, flags: &str) -> Option<u32> {
        let json = serde_json::json!({ abi::pattern::SOURCE: source, abi::pattern::FLAGS: flags }).to_string();
        let count = self.constants.items.len();
        let index = self.constants.add(&json);
        self.patterns += usize::from(self.constants.items.len() > count);
        (self.patterns <= PATTERNS_MAX).then_some(index)
    }

    /// Index of a source file for [`At`].
    pub fn source(&mut self, file: &str, lines: &Lines) -> u32 {
        let source = self.sources.add(file);
        if self.lines.len() < self.sources.items.len() {
            self.lines.push(lines.clone());
        }
        source
    }

    /// What is compiled from now on, such as a task by its pointer; returns what was before. See
    /// [`abi::function_name`].
    pub(crate) fn of(&mut self, subject: String) -> String {
        std::mem::replace(&mut self.subject, subject)
    }

    /// The name of a function for what stands at byte `at` of a source.
    pub(crate) fn title(&self, source: u32, at: usize) -> String {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        let line = self.lines.get(source as usize).map_or(1, |lines| lines.line(at));
        format!("{} line {line}", self.subject)
    }

    /// The name of a function for some part of what is compiled now.
    pub(crate) fn titled(&self, part: &str) -> String {
        format!("{} {part}", self.subject)
    }

    /// Index of a token for [`At`].
    pub fn token(&mut self, text: &str) -> u32 {
        self.tokens.add(text)
    }

    /// Reserves a function, so that others can call it before its body is known.
    pub fn declare(&mut self, debug_name: &str, params: &[ValType], results: &[ValType]) -> FunctionId {
        let id = FunctionId(u32::try_from(self.functions.len()).unwrap_or(u32::MAX));
        self.functions.push(Function {
            name: debug_name.to_owned(),
            params: params.to_vec(),
            results: results.to_vec(),
            body: None,
        });
        id
    }

    /// Gives a declared function its body. A function without one traps.
    pub fn define(&mut self, function: FunctionId, body: Body) {
        if let Some(slot) = self.functions.get_mut(function.0 as usize) {
            slot.body = Some(body);
        }
    }

    /// The number under which a function of type [`function_params`] can be a function value.
    pub fn number(&mut self, function: FunctionId) -> u32 {
        let place = match self.numbered.iter().position(|f| *f == function) {
            Some(place) => place,
            None => {
                self.numbered.push(function);
                self.numbered.len() - 1
            }
        };
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// Index of a mutable global, zero at first, shared by all that ask for this name.
    pub fn global(&mut self, name: &str, ty: ValType) -> u32 {
        let place = match self.globals.iter().position(|(n, _)| n == name) {
            Some(place) => place,
            None => {
                self.globals.push((name.to_owned(), ty));
                self.globals.len() - 1
            }
        };
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// A function that several expressions of the module share, by a key; `None` the first time.
    pub(crate) fn shared(&self, key: &str) -> Option<FunctionId> {
        self.shared.get(key).copied()
    }

    /// Declares a shared function.
    pub(crate) fn share(&mut self, key: &str, params: &[ValType], results: &[ValType]) -> FunctionId {
        let id = self.declare(key, params, results);
        self.shared.insert(key.to_owned(), id);
        id
    }

    /// The dispatcher of function values; see [`apply`].
    pub(crate) fn apply(&mut self) -> FunctionId {
        if let Some(id) = self.apply {
            return id;
        }
        let id = self.declare("apply", &apply::apply_params(), &[ValType::I64]);
        self.apply = Some(id);
        id
    }

    /// Writes the module. `step` has type `(i32) -> i32`. Refused where no engine would take it.
    pub fn finish(
        mut self,
        step: FunctionId,
        frame: Frame,
        tasks: Vec<Task>,
        manifest: Manifest,
    ) -> Result<Compiled, Diagnostics> {
        if let Some(id) = self.apply {
            let body = apply::body(&mut self);
            self.define(id, body);
        }
        let imports = self.imports();
        let first = u32::try_from(imports.len()).unwrap_or(u32::MAX);
        let import_index: BTreeMap<Op, u32> = imports.iter().copied().zip(0..).collect();

        let mut types = Types::default();
        let mut import_section = ImportSection::new();
        for op in &imports {
            let row = op.row();
            let ty =
                types.index(row.params().map(val_type).collect(), row.result().map(val_type).into_iter().collect());
            import_section.import(abi::NAMESPACE, row.name, EntityType::Function(ty));
        }
        let mut function_section = FunctionSection::new();
        for function in &self.functions {
            function_section.function(types.index(function.params.clone(), function.results.clone()));
        }
        let mut globals = GlobalSection::new();
        for (_, ty) in &self.globals {
            let zero = match ty {
                ValType::I32 => ConstExpr::i32_const(0),
                ValType::F64 => ConstExpr::f64_const(0.0.into()),
                _ => ConstExpr::i64_const(0),
            };
            let ty = GlobalType { val_type: *ty, mutable: true, shared: false };
            globals.global(ty, &zero);
        }
        let mut exports = ExportSection::new();
        exports.export(abi::STEP, ExportKind::Func, first + step.0);
        let mut code = CodeSection::new();
        let mut places: Vec<Place> = Vec::new();
        for (func, function) in (0u32..).zip(&self.functions) {
            let missing = || {
                let mut body = Body::new(function.params.len());
                body.ins().unreachable();
                body
            };
            let body = function.body.clone().unwrap_or_else(missing);
            let (bytes, offsets) = body.encode(|callee| match callee {
                Callee::Op(op) => import_index.get(&op).copied(),
                Callee::Function(id) => Some(first + id.0),
                Callee::Nothing => None,
            });
            for (call, offset) in body.calls.iter().zip(offsets) {
                places.extend(call.at.map(|at| Place {
                    func,
                    offset,
                    source: at.source,
                    span: at.span,
                    position: at.position,
                    token: at.token,
                }));
            }
            code.raw(&bytes);
        }

        let mut module = Module::new();
        module.section(&types.section);
        if !imports.is_empty() {
            module.section(&import_section);
        }
        module.section(&function_section);
        if !self.globals.is_empty() {
            module.section(&globals);
        }
        module.section(&exports).section(&code);
        let lines = self.lines_of(&places);
        let sources =
            SourceMap { sources: self.sources.items.clone(), lines, tokens: self.tokens.items.clone(), places };
        sections::write(
            &mut module,
            (&self.namespace, &self.name, &self.version),
            &self.constants.items,
            &manifest,
            &frame,
            &tasks,
            &sources,
        );
        module.section(&self.names(&imports));
        let wasm = module.finish();
        if wasm.len() > abi::MODULE_BYTES_MAX {
            let message = format!("the module would be larger than {} MiB", abi::MODULE_BYTES_MAX >> 20);
            let help = "constant data belongs to the endpoints that flows ask, not into expressions";
            let problem = Diagnostic::new("LG-FLOW-SIZE", Span::default(), message).help(help);
            let file = self.sources.items.first().cloned().unwrap_or_default();
            return Err(Diagnostics(vec![problem.file(file)]));
        }
        Ok(Compiled { digest: Digest::of(&wasm), name: self.name, wasm, manifest })
    }

    /// The intrinsics that are called, in the order of the table.
    fn imports(&self) -> Vec<Op> {
        let used: std::collections::BTreeSet<Op> = self
            .functions
            .iter()
            .filter_map(|f| f.body.as_ref())
            .flat_map(|body| &body.calls)
            .filter_map(|call| match call.callee {
                Callee::Op(op) => Some(op),
                Callee::Function(_) | Callee::Nothing => None,
            })
            .collect();
        Op::ALL.iter().copied().filter(|op| used.contains(op)).collect()
    }

    /// The lines in which places stand.
    fn lines_of(&self, places: &[Place]) -> Vec<Vec<u32>> {
        let mut last = vec![0; self.lines.len()];
        for place in places {
            if let Some(last) = last.get_mut(place.source as usize) {
                *last = place.span.start.max(*last);
            }
        }
        self.lines.iter().zip(last).map(|(lines, last)| lines.lengths(last)).collect()
    }

    fn names(&self, imports: &[Op]) -> NameSection {
        let mut functions = NameMap::new();
        // Frames of a trap are never those of imports, which are the host's.
        let own = self.functions.iter().map(|f| abi::function_name(&f.name));
        for (index, name) in (u32::try_from(imports.len()).unwrap_or(u32::MAX)..).zip(own) {
            functions.append(index, &name);
        }
        let mut globals = NameMap::new();
        for (index, (name, _)) in (0u32..).zip(&self.globals) {
            globals.append(index, name);
        }
        let mut names = NameSection::new();
        names.module(&abi::function_name(&self.name));
        names.functions(&functions);
        if !self.globals.is_empty() {
            names.globals(&globals);
        }
        names
    }
}

/// The wasm type of a value type of the boundary.
pub fn val_type(ty: Type) -> ValType {
    match ty {
        Type::Handle | Type::I64 => ValType::I64,
        Type::I32 => ValType::I32,
        Type::F64 => ValType::F64,
    }
}

/// Function types in order of first use.
#[derive(Default)]
struct Types {
    section: TypeSection,
    index: Vec<(Vec<ValType>, Vec<ValType>)>,
}

impl Types {
    fn index(&mut self, params: Vec<ValType>, results: Vec<ValType>) -> u32 {
        let place = match self.index.iter().position(|t| t.0 == params && t.1 == results) {
            Some(place) => place,
            None => {
                self.section.ty().function(params.iter().copied(), results.iter().copied());
                self.index.push((params, results));
                self.index.len() - 1
            }
        };
        u32::try_from(place).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
