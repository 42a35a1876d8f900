//! The state of writing one expression, and the small pieces that all forms share.

use lockgate_mapping::expression::Unbound;
use lockgate_mapping::jq::{Expr, Outputs};
use lockgate_model::abi::jq::{Operation, SOFT};
use lockgate_model::abi::{self, Op, kind};
use lockgate_model::diagnostic::{Diagnostic, Diagnostics, Span};
use wasm_encoder::{BlockType, ValType};

use crate::expression::Scope;
use crate::flow::is_argument;
use crate::module::{At, Body, ModuleBuilder};

/// Loops within loops: past it the code is refused as too large.
const NESTING_MAX: u32 = 200;

/// A value while the code runs: never undefined.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    /// In an i64 local.
    Local(u32),
    /// The handle of a constant.
    Constant(i64),
}

pub(super) const NULL: Value = Value::Constant(abi::constant_node(abi::NODE_NULL));
const FALSE: i64 = abi::constant_node(abi::NODE_FALSE);

/// A block or loop of wasm that can be jumped to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label(u32);

/// A variable of the expression.
#[derive(Debug)]
pub(super) struct Bound<'e> {
    pub(super) name: &'e str,
    pub(super) value: Value,
    pub(super) outer: Option<&'e Bound<'e>>,
}

/// What an expression sees where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here<'e> {
    /// `.`
    pub(super) input: Value,
    /// The innermost variable.
    pub(super) bound: Option<&'e Bound<'e>>,
    /// Where an error goes; none: it ends the step.
    pub(super) catch: Option<Label>,
}

impl Here<'_> {
    /// The same with another input.
    pub(super) fn on(self, input: Value) -> Self {
        Self { input, ..self }
    }
}

/// What is done with each output. It is written once, or it is a push, which may be written often.
pub(super) enum Then<'k, 'a> {
    /// It is added to the array in this local.
    Push(u32),
    /// This code.
    Do(&'k mut dyn FnMut(&mut Emitter<'a>, Value)),
}

/// Writes one expression.
pub(super) struct Emitter<'a> {
    pub(super) m: &'a mut ModuleBuilder,
    pub(super) body: Body,
    pub(super) problems: Diagnostics,
    pub(super) too_large: bool,
    /// Where a character ends that UTF-8 and UTF-16 count otherwise, and by how much they differ up to there.
    wide: Vec<(u32, u32)>,
    source: u32,
    base: usize,
    scope: &'a dyn Scope,
    /// Blocks and loops that are open.
    open: u32,
    nesting: u32,
}

impl<'a> Emitter<'a> {
    pub(super) fn new(m: &'a mut ModuleBuilder, text: &'a str, source: u32, base: usize, scope: &'a dyn Scope) -> Self {
        let (problems, body) = (Diagnostics::default(), Body::new(1));
        let mut more = 0;
        let wide = text.char_indices().filter(|(_, c)| !c.is_ascii()).map(|(at, c)| {
            more += c.len_utf8() - c.len_utf16();
            ((at + c.len_utf8()) as u32, more as u32)
        });
        let wide = wide.collect();
        Self { m, body, problems, too_large: false, wide, source, base, scope, open: 0, nesting: 0 }
    }

    /// The function's whole body: the first output, or whether it is true.
    pub(super) fn whole(&mut self, root: &Expr, truth: bool) {
        let at = self.at(root);
        self.body.begin_at(at);
        // Undefined is null; parameter 0 is the context.
        self.null_for_undefined(0);
        let here = Here { input: Value::Local(0), bound: None, catch: None };
        match (root.outputs, truth) {
            (Outputs::One, true) => self.condition(root, here),
            (Outputs::One, false) => {
                let value = self.value(root, here);
                self.push(value);
            }
            (Outputs::Any, _) => {
                let first = self.first(root, here);
                if truth { self.truth(Value::Local(first)) } else { self.push(Value::Local(first)) }
            }
        }
    }

    // --- blocks

    pub(super) fn block(&mut self) -> Label {
        self.body.ins().block(BlockType::Empty);
        self.opened()
    }

    pub(super) fn looped(&mut self) -> Label {
        self.body.ins().loop_(BlockType::Empty);
        self.opened()
    }

    /// The i32 on the stack decides.
    pub(super) fn when(&mut self) -> Label {
        self.body.ins().if_(BlockType::Empty);
        self.opened()
    }

    fn opened(&mut self) -> Label {
        self.open += 1;
        Label(self.open)
    }

    pub(super) fn otherwise(&mut self) {
        self.body.ins().else_();
    }

    pub(super) fn end(&mut self) {
        self.open = self.open.saturating_sub(1);
        self.body.ins().end();
    }

    pub(super) fn jump(&mut self, to: Label) {
        let depth = self.open - to.0;
        self.body.ins().br(depth);
    }

    pub(super) fn jump_if(&mut self, to: Label) {
        let depth = self.open - to.0;
        self.body.ins().br_if(depth);
    }

    // --- values

    pub(super) fn push(&mut self, value: Value) {
        match value {
            Value::Local(local) => self.body.ins().local_get(local),
            Value::Constant(handle) => self.body.ins().i64_const(handle),
        };
    }

    /// A local of its own with this value.
    pub(super) fn store(&mut self, value: Value, local: u32) {
        self.push(value);
        self.body.ins().local_set(local);
    }

    /// The handle on the stack.
    pub(super) fn taken(&mut self) -> Value {
        Value::Local(self.body.stash())
    }

    pub(super) fn handle_local(&mut self) -> u32 {
        self.body.local(ValType::I64)
    }

    pub(super) fn text_constant(&mut self, text: &str) -> Value {
        Value::Constant(abi::constant(self.m.constant_text(text)))
    }

    pub(super) fn boolean(value: bool) -> Value {
        Value::Constant(FALSE + i64::from(value))
    }

    /// The i32 on the stack, 0 or 1, as a value.
    pub(super) fn truth_taken(&mut self) -> Value {
        // true follows false.
        self.body.ins().i64_extend_i32_u().i64_const(FALSE).i64_add();
        self.taken()
    }

    /// Pushes 1 where the value is neither null nor false.
    pub(super) fn truth(&mut self, value: Value) {
        if let Value::Constant(handle) = value {
            let is_false = matches!(value, Value::Constant(FALSE)) || handle == abi::constant_node(abi::NODE_NULL);
            self.body.ins().i32_const(i32::from(!is_false));
            return;
        }
        self.push(value);
        self.body.op(Op::KindOf);
        self.body.ins().i32_const(kind::BOOLEAN).i32_eq().if_(BlockType::Result(ValType::I32));
        self.push(value);
        self.body.op(Op::Truthy);
        self.body.ins().else_();
        self.push(value);
        self.body.op(Op::KindOf);
        self.body.ins().i32_const(kind::NULL).i32_gt_s().end();
    }

    pub(super) fn null_for_undefined(&mut self, local: u32) {
        self.body.ins().local_get(local).i64_eqz();
        self.when();
        self.store(NULL, local);
        self.end();
    }

    /// A variable: the expression's own, or one of the surroundings.
    pub(super) fn variable(&mut self, name: &str, expr: &Expr, here: Here<'_>) -> Value {
        let mut next = here.bound;
        while let Some(bound) = next {
            if bound.name == name {
                return bound.value;
            }
            next = bound.outer;
        }
        match self.scope.slot(name) {
            Some(slot) => {
                self.body.ins().i32_const(slot.cast_signed());
                self.body.op(Op::SlotGet);
                let local = self.body.stash();
                self.null_for_undefined(local);
                Value::Local(local)
            }
            None => {
                self.unbound(name, expr, here);
                NULL
            }
        }
    }

    fn unbound(&mut self, name: &str, expr: &Expr, here: Here<'_>) {
        let mut own = Vec::new();
        let mut next = here.bound;
        while let Some(bound) = next {
            own.push(bound.name);
            next = bound.outer;
        }
        let unbound = Unbound { name, own, later: false, called: false };
        let span = self.span(expr);
        let problem = match self.scope.unbound(&unbound) {
            Some(problem) => problem,
            // The runtime's own are reported where the filter is read.
            None if is_argument(name) => return,
            None => Diagnostic::new("LG-FLOW-ARGUMENT", span, format!("nothing is called `${name}` here")),
        };
        self.problems.0.push(Diagnostic { span, ..problem.token(format!("${name}")) });
    }

    // --- calls

    fn span(&self, expr: &Expr) -> Span {
        let by = |at: u32| self.base + at as usize;
        Span::new(by(expr.span.start), by(expr.span.end))
    }

    fn at(&self, expr: &Expr) -> At {
        let before = self.wide.partition_point(|(end, _)| *end <= expr.span.start);
        let more = before.checked_sub(1).and_then(|last| self.wide.get(last)).map_or(0, |(_, more)| *more);
        let position = expr.span.start.saturating_sub(more);
        At { source: self.source, span: self.span(expr), position, token: None }
    }

    /// An operation of jq; an error goes where errors go here.
    pub(super) fn operate(&mut self, operation: Operation, given: &[Value], expr: &Expr, here: Here<'_>) -> Value {
        let soft = if here.catch.is_some() { SOFT } else { 0 };
        self.body.ins().i32_const(operation as i32 | soft);
        let given = given.iter().copied().map(Some).chain(std::iter::repeat(None)).take(3);
        for value in given {
            match value {
                Some(value) => self.push(value),
                None => {
                    self.body.ins().i64_const(abi::UNDEFINED);
                }
            }
        }
        let at = self.at(expr);
        self.body.op_at(Op::Jq, at);
        let local = self.body.stash();
        if let Some(catch) = here.catch {
            self.body.ins().local_get(local).i64_eqz();
            self.jump_if(catch);
        }
        Value::Local(local)
    }

    // --- outputs

    pub(super) fn give(&mut self, value: Value, then: &mut Then<'_, 'a>) {
        match then {
            Then::Push(list) => {
                self.body.ins().local_get(*list);
                self.push(value);
                self.body.op(Op::ArrPush);
            }
            Then::Do(write) => write(self, value),
        }
    }

    /// A loop over the items of an array.
    pub(super) fn over(&mut self, list: Value, then: &mut Then<'_, 'a>) {
        let (place, count) = (self.body.local(ValType::I32), self.body.local(ValType::I32));
        let item = self.handle_local();
        self.push(list);
        self.body.op(Op::Len);
        self.body.ins().local_set(count).i32_const(0).local_set(place);
        let done = self.block();
        let again = self.looped();
        self.body.ins().local_get(place).local_get(count).i32_ge_s();
        self.jump_if(done);
        self.push(list);
        self.body.ins().local_get(place);
        self.body.op(Op::At);
        self.body.ins().local_set(item).local_get(place).i32_const(1).i32_add().local_set(place);
        self.null_for_undefined(item);
        self.give(Value::Local(item), then);
        self.jump(again);
        self.end();
        self.end();
    }

    /// Writes outputs that come from several places: what is done with them is still written once.
    pub(super) fn gathered(&mut self, then: &mut Then<'_, 'a>, write: impl FnOnce(&mut Self, &mut Then<'_, 'a>)) {
        if let Then::Push(_) = then {
            return write(self, then);
        }
        let list = self.body.list();
        write(self, &mut Then::Push(list));
        self.over(Value::Local(list), then);
    }

    /// Counts a level of loops; false past the bound, where nothing more is written.
    pub(super) fn enter(&mut self) -> bool {
        self.nesting += 1;
        self.too_large |= self.nesting > NESTING_MAX;
        !self.too_large
    }

    pub(super) fn leave(&mut self) {
        self.nesting -= 1;
    }

    /// The first output in a local, or undefined.
    pub(super) fn first(&mut self, expr: &Expr, here: Here<'_>) -> u32 {
        let first = self.handle_local();
        self.body.ins().i64_const(abi::UNDEFINED).local_set(first);
        let done = self.block();
        self.each(
            expr,
            here,
            &mut Then::Do(&mut |e, value| {
                e.store(value, first);
                e.jump(done);
            }),
        );
        self.end();
        first
    }
}
