//! Objects and texts that one call makes of all their parts: constants, fields of the context and
//! arguments, by a constant that says which is which (see [`abi::plan`]).

use lockgate_mapping::expression::{
    ValueKind,
    ir::{Constant, Expr, Kind, Operator, Path},
};
use lockgate_model::abi::{self, Op, plan};
use wasm_encoder::ValType;

use super::{build::json, emitter::Emitter, path::field, values::HANDLE};
use crate::module::{At, Body, ModuleBuilder};

/// Arguments of `concat_all`.
const TEXT_ARGUMENTS: usize = 3;

/// An object under construction: what one more call adds to it.
pub(crate) struct Making {
    /// The i64 local with what was added before.
    object: u32,
    fields: Vec<String>,
    /// i64 locals.
    arguments: Vec<u32>,
}

impl Making {
    /// An object without fields.
    pub(crate) fn new(body: &mut Body) -> Self {
        let object = body.local(ValType::I64);
        body.ins().i64_const(abi::UNDEFINED).local_set(object);
        Self { object, fields: Vec::new(), arguments: Vec::new() }
    }

    /// It takes no more before it is [filled](Making::fill).
    pub(crate) fn is_full(&self) -> bool {
        self.arguments.len() == plan::ARGUMENTS
    }

    /// A field is the handle in a local, which may be undefined.
    pub(crate) fn handle(&mut self, key: &str, local: u32) {
        self.field(key, &self.arguments.len().to_string());
        self.arguments.push(local);
    }

    fn field(&mut self, key: &str, part: &str) {
        self.fields.push(format!("{}:{part}", serde_json::Value::from(key)));
    }

    /// Writes the call. The local `input` is what paths by name begin at.
    pub(crate) fn fill(&mut self, m: &mut ModuleBuilder, body: &mut Body, input: u32) {
        let plan = m.constant_json(&format!("{{{}}}", self.fields.join(",")));
        body.ins().local_get(self.object).i32_const(plan as i32).local_get(input);
        push_arguments(body, &self.arguments, plan::ARGUMENTS);
        body.op(Op::ObjFill);
        body.ins().local_set(self.object);
        self.fields.clear();
        self.arguments.clear();
    }

    /// Fills it and pushes it.
    pub(crate) fn finish(mut self, m: &mut ModuleBuilder, body: &mut Body, input: u32) {
        self.fill(m, body, input);
        body.ins().local_get(self.object);
    }
}

fn push_arguments(body: &mut Body, arguments: &[u32], count: usize) {
    for i in 0..count {
        match arguments.get(i) {
            Some(local) => body.ins().local_get(*local),
            None => body.ins().i64_const(abi::UNDEFINED),
        };
    }
}

impl<'a> Emitter<'a> {
    /// Pushes an object of constant keys, which are distinct; the context is an item.
    pub(super) fn made_object(&mut self, pairs: &'a [(Expr, Expr)]) {
        self.push_path_input();
        let input = self.body.stash();
        let mut making = Making::new(&mut self.body);
        for (key, value) in pairs {
            let Some(key) = Self::literal(key) else { continue };
            if making.is_full() {
                making.fill(self.m, &mut self.body, input);
            }
            self.made_field(&mut making, key, value);
        }
        making.finish(self.m, &mut self.body, input);
    }

    /// Adds a field to an object; what has to be computed is, into a new argument.
    pub(crate) fn made_field(&mut self, making: &mut Making, key: &str, value: &'a Expr) {
        if matches!(value.kind, Kind::Constant(Constant::Undefined)) {
            return;
        }
        if let Some(part) = known(value) {
            return making.field(key, &part);
        }
        if self.kind_of(value) != ValueKind::Number {
            self.handle(value);
            return making.handle(key, self.body.stash());
        }
        let at = self.at(value);
        self.number(value, 0, at);
        // Where an infinite number becomes a value it is an error, at its place and before the next value is
        // computed.
        self.check_finite(1001, at);
        self.body.ins().i64_reinterpret_f64();
        making.field(key, &format!("{{\"{}\":{}}}", plan::NUMBER, making.arguments.len()));
        making.arguments.push(self.body.stash());
    }

    /// Pushes `a & b & …` made in one call; false when there is a part that has to be computed.
    pub(super) fn made_text(&mut self, left: &'a Expr, right: &'a Expr, at: At) -> bool {
        let Some((parts, variables)) = self.text_parts(left, right) else { return false };
        let plan = self.m.constant_json(&format!("[{}]", parts.join(",")));
        let mut arguments = Vec::new();
        for variable in variables {
            self.handle(variable);
            arguments.push(self.body.stash());
        }
        self.body.ins().i32_const(plan as i32);
        // The paths of a plan begin where a path by name does.
        self.push_path_input();
        push_arguments(&mut self.body, &arguments, TEXT_ARGUMENTS);
        self.body.op(Op::ConcatAll);
        let text = self.body.stash();
        // A number that no text can be made of: the error stands where the operator does that meets it.
        self.body.ins().local_get(text).i64_eqz().if_(HANDLE);
        self.concat(left, right, at);
        self.body.ins().else_().local_get(text).end();
        true
    }

    /// The parts of a text, when it has three or reads a field, and nothing has to be computed.
    fn text_parts(&self, left: &'a Expr, right: &'a Expr) -> Option<(Vec<String>, Vec<&'a Expr>)> {
        let (mut parts, mut variables) = (Vec::new(), Vec::new());
        let mut fields = 0;
        let mut next = vec![right, left];
        while let Some(expr) = next.pop() {
            match &expr.kind {
                Kind::Binary(Operator::Concat, left, right) => next.extend([right.as_ref(), left.as_ref()]),
                Kind::Variable(_) if self.cannot_fail(expr) && variables.len() < TEXT_ARGUMENTS => {
                    parts.push(variables.len().to_string());
                    variables.push(expr);
                }
                _ => {
                    parts.push(known(expr)?);
                    fields += usize::from(matches!(expr.kind, Kind::Path(_)));
                }
            }
        }
        (fields > 0 || parts.len() > 2).then_some((parts, variables))
    }
}

/// What a plan says of a value that need not be computed: a constant, or a field of the context.
fn known(value: &Expr) -> Option<String> {
    match &value.kind {
        Kind::Path(path) => fields(path).map(|names| serde_json::Value::from(names).to_string()),
        _ => json(value).map(|json| format!("{{\"{}\":{json}}}", plan::VALUE)),
    }
}

/// The names of a path that reads fields only.
fn fields(path: &Path) -> Option<Vec<&str>> {
    let names = || path.steps.iter().map(field).collect();
    if path.keep || path.absolute { None } else { names() }
}
