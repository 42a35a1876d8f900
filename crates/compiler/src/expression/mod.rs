//! Expressions become functions of a module.
//!
//! The code is typed: what is surely a number is computed as f64 (NaN is undefined), what only
//! decides is an i32, all else is a handle. Built-ins are intrinsics or loops written out here;
//! a function literal given to one is written into the loop. Deliberately absent: any evaluation.

mod aggregate;
mod arguments;
mod arrange;
mod build;
mod builtins;
mod certain;
mod emitter;
mod entries;
mod functions;
mod group;
mod loops;
mod made;
mod numbers;
mod operators;
mod path;
mod patterns;
mod records;
mod scopes;
mod signature;
mod tuples;
mod values;

use lockgate_mapping::{
    Expression,
    expression::{Unbound, ir::Program, is_builtin},
    rules::Lines,
};
use lockgate_model::{
    Manifest,
    abi::{DONE, Frame, Op, Task},
    diagnostic::{Diagnostic, Diagnostics, Span},
};
use wasm_encoder::ValType;

use crate::module::{Body, Compiled, FunctionId, ModuleBuilder};
pub use records::expression_record_module;

pub(crate) use emitter::{Context, Emitter, Names, Place, root_item};
pub(crate) use made::Making;

/// Names that an expression may use besides its own.
pub trait Scope {
    /// The frame's value slot that holds `$name`.
    fn slot(&self, name: &str) -> Option<u32>;

    /// What is wrong with a name that is bound nowhere; none: it is undefined. The place is filled in.
    fn unbound(&self, _: &Unbound<'_>) -> Option<Diagnostic> {
        None
    }
}

/// No names.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoNames;

impl Scope for NoNames {
    fn slot(&self, _: &str) -> Option<u32> {
        None
    }
}

/// A function `(context) -> handle`. `base` is the offset of the expression in its file; problems
/// come with spans in that file and no file name.
pub fn compile_expression(
    m: &mut ModuleBuilder,
    e: &Expression,
    source: u32,
    base: usize,
    scope: &dyn Scope,
) -> Result<FunctionId, Diagnostics> {
    let program = resolve(e, base, scope)?;
    let id = m.declare(&m.title(source, base), &[ValType::I64], &[ValType::I64]);
    let mut emitter = Emitter::new(m, &program, Place { source, base }, Names::Slots(scope), e.text());
    emitter.begin(0);
    emitter.handle(&program.root);
    define(emitter, id, e, base)
}

/// A function `(context) -> i32`: 1 when `$boolean` of the result is true. Otherwise as
/// [`compile_expression`].
pub fn compile_condition(
    m: &mut ModuleBuilder,
    e: &Expression,
    source: u32,
    base: usize,
    scope: &dyn Scope,
) -> Result<FunctionId, Diagnostics> {
    let program = resolve(e, base, scope)?;
    let id = m.declare(&m.title(source, base), &[ValType::I64], &[ValType::I32]);
    let mut emitter = Emitter::new(m, &program, Place { source, base }, Names::Slots(scope), e.text());
    emitter.begin(0);
    emitter.condition(&program.root);
    define(emitter, id, e, base)
}

/// Gives the function its body, unless it is larger than an engine takes.
fn define(emitter: Emitter<'_>, id: FunctionId, e: &Expression, base: usize) -> Result<FunctionId, Diagnostics> {
    if emitter.too_large || emitter.body.is_too_large() {
        let span = Span::new(base, base + e.text().len());
        let problem = Diagnostic::new("LG-EXPR-SIZE", span, "the expression is too large to compile")
            .help("move constant data to a table, or split the work over several tasks or rules");
        return Err(Diagnostics(vec![problem]));
    }
    let Emitter { m, body, .. } = emitter;
    m.define(id, body);
    Ok(id)
}

/// A module of one expression: input slot 0, output slot 1. `bindings`: the input is
/// `{"data": …, "bindings": {…}}`, where `data` is the document and names that are neither bound
/// in the expression nor built-ins are looked up in `bindings`.
pub fn expression_module(source: &str, bindings: bool) -> Result<Compiled, Diagnostics> {
    expression_module_within(source, bindings, None)
}

/// As [`expression_module`] with a limit of nesting as the language's test suite counts it: every
/// expression inside another is one, over all calls. Past it is error U1001.
pub fn expression_module_within(source: &str, bindings: bool, depth_max: Option<u32>) -> Result<Compiled, Diagnostics> {
    let e = Expression::parse(source)?;
    let program = e.resolve(&|name| bindings && !is_builtin(name))?;
    let mut m = ModuleBuilder::new("expression");
    if let Some(depth) = depth_max {
        // The body of the innermost function is one more.
        m.recursion_max(depth.saturating_sub(1));
    }
    let place = Place { source: m.source("expression", &Lines::of(source)), base: 0 };
    let names = if bindings { Names::Bindings(BINDINGS) } else { Names::Slots(&NoNames) };
    let id = m.declare(&m.title(place.source, 0), &[ValType::I64], &[ValType::I64]);
    let mut emitter = Emitter::new(&mut m, &program, place, names, e.text());
    emitter.nesting = depth_max.map(|_| 0);
    emitter.begin(0);
    emitter.handle(&program.root);
    let function = define(emitter, id, &e, 0)?;

    let mut step = Body::new(1);
    start(&mut step);
    if bindings {
        let data = m.constant_text("data");
        let names = m.constant_text("bindings");
        step.ins().i32_const(BINDINGS as i32).i32_const(INPUT as i32);
        step.op(Op::SlotGet);
        step.ins().i32_const(names as i32);
        step.op(Op::Get);
        step.op(Op::SlotSet);
        step.ins().i32_const(OUTPUT as i32).i32_const(INPUT as i32);
        step.op(Op::SlotGet);
        step.ins().i32_const(data as i32);
        step.op(Op::Get);
    } else {
        step.ins().i32_const(OUTPUT as i32).i32_const(INPUT as i32);
        step.op(Op::SlotGet);
    }
    step.call(function);
    step.op(Op::SlotSet);
    step.ins().i32_const(DONE);
    one_step(m, step, 3)
}

/// Slots of a stand-alone module.
const INPUT: u32 = 0;
const OUTPUT: u32 = 1;
const BINDINGS: u32 = 2;

/// Announces the only task.
pub(crate) fn start(step: &mut Body) {
    step.ins().i32_const(0);
    step.op(Op::Task);
}

/// A module whose `step` is this body and that has one task.
pub(crate) fn one_step(mut m: ModuleBuilder, step: Body, values: u32) -> Result<Compiled, Diagnostics> {
    let id = m.declare("step", &[ValType::I32], &[ValType::I32]);
    m.define(id, step);
    let frame = Frame { values, ints: 0, input: INPUT, output: OUTPUT };
    let task = Task { pointer: String::new(), handler: None, timeout: None };
    m.finish(id, frame, vec![task], Manifest::default())
}

/// The intermediate form, with problems placed in the file.
fn resolve(e: &Expression, base: usize, scope: &dyn Scope) -> Result<Program, Diagnostics> {
    e.resolve_closed(&|name| scope.slot(name).is_some(), &|unbound| scope.unbound(unbound))
        .map_err(|problems| moved(problems, base))
}

/// Problems of an expression that stands at `base` of its file.
pub(crate) fn moved(problems: Diagnostics, base: usize) -> Diagnostics {
    let by = |at: u32| base + at as usize;
    let place = |p: Diagnostic| Diagnostic { span: Span::new(by(p.span.start), by(p.span.end)), ..p };
    Diagnostics(problems.0.into_iter().map(place).collect())
}

#[cfg(test)]
mod tests;
