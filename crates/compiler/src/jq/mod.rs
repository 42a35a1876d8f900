//! Expressions of jq become functions of a module.
//!
//! A jq expression gives any number of outputs. What gives exactly one is written as a value. All else is
//! written as loops around what is done with each output ([`emitter`]), so that no list is made that nobody
//! asks for, and what asks for the first output alone jumps out at it.
//!
//! Each part of an expression is written once, wherever its outputs go: where the ways of a `,`, an `if` or a
//! `//` meet again, their outputs are gathered and gone over. So code grows as the text does.
//!
//! At a place of a flow an expression stands for its first output; none is undefined. Undefined that comes in
//! is null. Deliberately absent: any evaluation.

mod emitter;
mod many;
mod one;

use lockgate_mapping::jq::Filter;
use lockgate_mapping::rules::Lines;
use lockgate_model::abi::Op;
use lockgate_model::diagnostic::{Diagnostic, Diagnostics, Span};
use wasm_encoder::ValType;

use crate::expression::{NoNames, Scope, one_step, start};
use crate::module::{Body, Compiled, FunctionId, ModuleBuilder};

use emitter::Emitter;

/// A function `(context) -> handle`: the first output, or undefined. `base` is the offset of the expression
/// in its file; problems come with spans in that file and no file name.
pub fn compile_filter(
    m: &mut ModuleBuilder,
    filter: &Filter,
    source: u32,
    base: usize,
    scope: &dyn Scope,
) -> Result<FunctionId, Diagnostics> {
    compile(m, filter, source, base, scope, ValType::I64)
}

/// A function `(context) -> i32`: 1 when the first output is neither null nor false.
pub fn compile_test(
    m: &mut ModuleBuilder,
    filter: &Filter,
    source: u32,
    base: usize,
    scope: &dyn Scope,
) -> Result<FunctionId, Diagnostics> {
    compile(m, filter, source, base, scope, ValType::I32)
}

fn compile(
    m: &mut ModuleBuilder,
    filter: &Filter,
    source: u32,
    base: usize,
    scope: &dyn Scope,
    result: ValType,
) -> Result<FunctionId, Diagnostics> {
    let id = m.declare(&m.title(source, base), &[ValType::I64], &[result]);
    let mut emitter = Emitter::new(m, filter.text(), source, base, scope);
    emitter.whole(filter.root(), result == ValType::I32);
    let Emitter { body, m, mut problems, too_large, .. } = emitter;
    if too_large || body.is_too_large() {
        let span = Span::new(base, base + filter.text().len());
        let problem = Diagnostic::new("LG-EXPR-SIZE", span, "the expression is too large to compile")
            .help("move constant data to a table, or split the work over several tasks");
        problems.0.push(problem);
    }
    if !problems.0.is_empty() {
        return Err(problems);
    }
    m.define(id, body);
    Ok(id)
}

/// A module of one expression: input slot 0, output slot 1.
pub fn filter_module(text: &str) -> Result<Compiled, Diagnostics> {
    let filter = Filter::parse(text)?;
    let mut m = ModuleBuilder::new("expression");
    let source = m.source("expression", &Lines::of(text));
    let function = compile_filter(&mut m, &filter, source, 0, &NoNames)?;
    let mut step = Body::new(1);
    start(&mut step);
    step.ins().i32_const(1).i32_const(0);
    step.op(Op::SlotGet);
    step.call(function);
    step.op(Op::SlotSet);
    step.ins().i32_const(lockgate_model::abi::DONE);
    one_step(m, step, 2)
}

#[cfg(test)]
mod tests;
