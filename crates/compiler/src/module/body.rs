//! One function under construction: bytes, locals that may be added at any time, and symbolic calls.
//!
//! Which intrinsics a module imports is known only at its end, so calls are kept symbolic here and
//! get their index when the module is written.

use lockgate_model::{abi::Op, diagnostic::Span};
use wasm_encoder::{Encode, InstructionSink, ValType};

use super::FunctionId;

/// Where an instruction stands in the sources; an error raised there names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// Index from [`super::ModuleBuilder::source`].
    pub source: u32,
    /// Bytes in that file.
    pub span: Span,
    /// Position as the expression standard counts it: UTF-16 units from the expression's start.
    pub position: u32,
    /// Index from [`super::ModuleBuilder::token`].
    pub token: Option<u32>,
}

/// What a symbolic call refers to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Callee {
    Op(Op),
    Function(FunctionId),
    /// Nothing is called: code of another place begins here.
    Nothing,
}

/// A call in the bytes: its opcode and index are written at the end.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// Bytes of plain code before it.
    pub(super) offset: usize,
    pub(super) callee: Callee,
    pub(super) at: Option<At>,
}

/// Most locals a function may have, and a bound on the bytes of its plain code: engines refuse more.
const LOCALS_MAX: usize = 50_000;
const CODE_BYTES_MAX: usize = 6_000_000;

/// The code of one function. The final `end` is added by the module.
#[derive(Debug, Clone)]
pub struct Body {
    params: u32,
    locals: Vec<ValType>,
    code: Vec<u8>,
    pub(super) calls: Vec<Call>,
}

impl Body {
    /// An empty body of a function with this many parameters; they are its first locals.
    pub fn new(params: usize) -> Self {
        Self {
            params: u32::try_from(params).unwrap_or(u32::MAX),
            locals: Vec::new(),
            code: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// A fresh local, zero at the function's start.
    pub fn local(&mut self, ty: ValType) -> u32 {
        let index = self.params + u32::try_from(self.locals.len()).unwrap_or(u32::MAX);
        self.locals.push(ty);
        index
    }

    /// A fresh handle local set from the stack.
    pub fn stash(&mut self) -> u32 {
        let local = self.local(ValType::I64);
        self.ins().local_set(local);
        local
    }

    /// A fresh local with an empty array.
    pub fn list(&mut self) -> u32 {
        self.ins().i32_const(0);
        self.op(Op::ArrNew);
        self.stash()
    }

    /// Plain instructions. Calls go through [`Body::op`] and [`Body::call`].
    pub fn ins(&mut self) -> InstructionSink<'_> {
        InstructionSink::new(&mut self.code)
    }

    /// Calls an intrinsic that cannot fail.
    pub fn op(&mut self, op: Op) {
        self.push(Callee::Op(op), None);
    }

    /// Calls an intrinsic and records the place for its errors.
    pub fn op_at(&mut self, op: Op, at: At) {
        self.push(Callee::Op(op), Some(at));
    }

    /// Calls a function of this module.
    pub fn call(&mut self, function: FunctionId) {
        self.push(Callee::Function(function), None);
    }

    /// Calls a function of this module and records the place for errors of the call itself.
    pub fn call_at(&mut self, function: FunctionId, at: At) {
        self.push(Callee::Function(function), Some(at));
    }

    /// What follows stands at this place, as far as no call of it has one of its own.
    pub fn begin_at(&mut self, at: At) {
        self.push(Callee::Nothing, Some(at));
    }

    /// It has grown past what an engine takes as one function.
    pub fn is_too_large(&self) -> bool {
        let calls = self.calls.len().saturating_mul(6);
        self.locals.len() > LOCALS_MAX - self.params as usize || self.code.len() + calls > CODE_BYTES_MAX
    }

    fn push(&mut self, callee: Callee, at: Option<At>) {
        self.calls.push(Call { offset: self.code.len(), callee, at });
    }

    /// The bytes of the function (locals, code, `end`), and where in them each call stands.
    pub(super) fn encode(&self, index_of: impl Fn(Callee) -> Option<u32>) -> (Vec<u8>, Vec<u32>) {
        let mut bytes = Vec::with_capacity(self.code.len() + 4 * self.calls.len() + 16);
        let mut runs: Vec<(u32, ValType)> = Vec::new();
        for ty in &self.locals {
            match runs.last_mut() {
                Some((count, last)) if last == ty => *count += 1,
                _ => runs.push((1, *ty)),
            }
        }
        runs.len().encode(&mut bytes);
        for (count, ty) in runs {
            count.encode(&mut bytes);
            ty.encode(&mut bytes);
        }
        let mut offsets = Vec::with_capacity(self.calls.len());
        let mut from = 0;
        for call in &self.calls {
            bytes.extend_from_slice(self.code.get(from..call.offset).unwrap_or_default());
            from = call.offset;
            offsets.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
            if let Some(index) = index_of(call.callee) {
                InstructionSink::new(&mut bytes).call(index);
            }
        }
        bytes.extend_from_slice(self.code.get(from..).unwrap_or_default());
        InstructionSink::new(&mut bytes).end();
        (bytes, offsets)
    }
}
