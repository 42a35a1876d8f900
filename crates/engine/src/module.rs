//! A loaded module: checked, compiled to machine code, ready to be instantiated.

use std::sync::Arc;

use lockgate_document::Constants;
use lockgate_model::{
    Digest, Manifest,
    abi::{self, SourceMap, Task},
    manifest::{AccountRef, Authority, Subflow},
};
use wasmtime::{InstancePre, ModuleExport, WasmBacktrace};

use crate::{Place, host::Host, streams::Contents};

/// One orchestration, mapping or expression, loaded. Shared by all its runs; made by
/// [`Engine::load`](crate::Engine::load).
pub struct Module {
    pub(crate) digest: Digest,
    pub(crate) header: abi::Header,
    pub(crate) manifest: Manifest,
    /// What the bytes of its operations mean.
    pub(crate) contents: Vec<Contents>,
    /// The manifest's orchestrations as something to call.
    pub(crate) subflows: Vec<Authority>,
    pub(crate) frame: abi::Frame,
    pub(crate) tasks: Vec<Task>,
    pub(crate) map: SourceMap,
    pub(crate) constants: Arc<Constants>,
    pub(crate) imports: u32,
    pub(crate) pre: InstancePre<Box<Host>>,
    pub(crate) step: ModuleExport,
    pub(crate) bytes: usize,
}

impl Module {
    /// SHA-256 of its bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }
    /// ABI, compiler version and name.
    pub fn header(&self) -> &abi::Header {
        &self.header
    }
    /// Everything it may touch.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
    /// Its slots.
    pub fn frame(&self) -> &abi::Frame {
        &self.frame
    }
    /// Its tasks, by pc.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// Bytes that it holds: its machine code, and what is read of its bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn task(&self, pc: u32) -> Option<&Task> {
        self.tasks.get(pc as usize)
    }
    pub(crate) fn operation(&self, op: u32) -> Option<&Authority> {
        self.manifest.operations.get(op as usize)
    }
    /// Orchestration `n` as something to call: its index behind those of the operations.
    pub(crate) fn run_index(&self, n: u32) -> Option<u32> {
        self.manifest.runs.get(n as usize)?;
        u32::try_from(self.manifest.operations.len()).ok()?.checked_add(n)
    }
    /// The orchestration with such an index.
    pub(crate) fn subflow(&self, index: u32) -> Option<&Subflow> {
        self.manifest.runs.get((index as usize).checked_sub(self.manifest.operations.len())?)
    }
    /// What has such an index, as what is mocked: an orchestration is `run.<name>`.
    pub(crate) fn callee(&self, index: u32) -> Option<&Authority> {
        match (index as usize).checked_sub(self.manifest.operations.len()) {
            None => self.operation(index),
            Some(n) => self.subflows.get(n),
        }
    }
    /// What the bytes of an operation mean; nothing is said of an orchestration.
    pub(crate) fn contents(&self, index: u32) -> Option<&Contents> {
        self.contents.get(index as usize)
    }
    pub(crate) fn constants(&self) -> &Arc<Constants> {
        &self.constants
    }

    /// The innermost frame of a trap that stands somewhere in the sources.
    pub(crate) fn place(&self, trace: &WasmBacktrace) -> Option<Place> {
        trace.frames().iter().find_map(|frame| {
            let function = frame.func_index().checked_sub(self.imports)?;
            let offset = u32::try_from(frame.func_offset()?).ok()?;
            self.place_of(function, offset)
        })
    }

    /// The name that the module gives to the innermost of its functions in a trap.
    pub(crate) fn function(&self, trace: &WasmBacktrace) -> Option<String> {
        trace.frames().first().and_then(|frame| frame.func_name()).map(abi::function_name)
    }

    /// The line of a file that has this byte.
    fn line_of(&self, source: u32, at: u32) -> Option<u32> {
        let lines = self.map.lines.get(source as usize)?;
        let ends = lines.iter().scan(0u32, |end, bytes| {
            *end = end.saturating_add(*bytes);
            Some(*end)
        });
        u32::try_from(ends.take_while(|end| *end <= at).count() + 1).ok()
    }

    /// The last place at or before an offset of a function's body.
    fn place_of(&self, function: u32, offset: u32) -> Option<Place> {
        let after = self.map.places.partition_point(|p| (p.func, p.offset) <= (function, offset));
        let place = self.map.places.get(after.checked_sub(1)?).filter(|p| p.func == function)?;
        Some(Place {
            source: self.map.sources.get(place.source as usize).cloned().unwrap_or_default(),
            span: place.span,
            line: self.line_of(place.source, place.span.start),
            position: place.position,
            token: place.token.and_then(|token| self.map.tokens.get(token as usize).cloned()),
        })
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module").field("name", &self.header.name).field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// What stands for an account where a flow runs another one.
const RUN: &str = "run";

/// An orchestration as something to call.
pub(crate) fn callee(run: &Subflow) -> Authority {
    Authority {
        connector: RUN.to_owned(),
        operation: run.name.to_string(),
        version: run.version.clone(),
        account: AccountRef::Origin(RUN.to_owned()),
        detail: Vec::new(),
        scheme: None,
        parse: None,
        streams: false,
        takes: None,
    }
}
