//! Objects and texts that one call makes of all their parts: constants, fields of the context and
//! arguments, by a constant that says which is which (see [`abi::plan`]).

use lockgate_mapping::expression::{
    ValueKind,
    ir::{Constant, Expr, Kind, Operator, Path},
};
use lockgate_model::abi::{self, Op, plan};
use wasm_encoder::ValType;

use super::{build::json, emitter::Emitter, path::field, values::HANDLE};
use crate::module::At;

/// Arguments of `concat_all`.
const TEXT_ARGUMENTS: usize = 3;

/// A plan under construction and the i64 locals of its arguments.
#[derive(Default)]
struct Making {
    parts: Vec<String>,
    arguments: Vec<u32>,
}

impl<'a> Emitter<'a> {
    /// Pushes an object of constant keys, which are distinct; the context is an item.
    pub(super) fn made_object(&mut self, pairs: &'a [(Expr, Expr)]) {
        let object = self.body.local(ValType::I64);
        self.body.ins().i64_const(abi::UNDEFINED).local_set(object);
        let mut making = Making::default();
        for (key, value) in pairs {
            let Some(key) = Self::literal(key) else { continue };
            if making.arguments.len() == plan::ARGUMENTS {
                self.fill(object, std::mem::take(&mut making));
            }
            if let Some(part) = self.part(value, &mut making.arguments) {
                making.parts.push(format!("{}:{part}", serde_json::Value::from(key)));
            }
        }
        self.fill(object, making);
        self.body.ins().local_get(object);
    }

    /// Adds parts to the object in a local.
    fn fill(&mut self, object: u32, making: Making) {
        let plan = self.m.constant_json(&format!("{{{}}}", making.parts.join(",")));
        self.body.ins().local_get(object).i32_const(plan as i32);
        self.push_context();
        self.arguments(&making.arguments, plan::ARGUMENTS);
        self.body.op(Op::ObjFill);
        self.body.ins().local_set(object);
    }

    fn arguments(&mut self, arguments: &[u32], count: usize) {
        for i in 0..count {
            self.local_or_undefined(arguments.get(i).copied());
        }
    }

    /// What a plan says of a value; what has to be computed is, into a new argument. None: undefined.
    fn part(&mut self, value: &'a Expr, arguments: &mut Vec<u32>) -> Option<String> {
        if matches!(value.kind, Kind::Constant(Constant::Undefined)) {
            return None;
        }
        if let Some(part) = known(value) {
            return Some(part);
        }
        let place = arguments.len();
        if self.kind_of(value) != ValueKind::Number {
            self.handle(value);
            arguments.push(self.stash());
            return Some(place.to_string());
        }
        let at = self.at(value);
        self.number(value, 0, at);
        // Where an infinite number becomes a value it is an error, before the next value is computed.
        self.finite(value, 1001, at);
        self.body.ins().i64_reinterpret_f64();
        arguments.push(self.stash());
        Some(format!("{{\"{}\":{place}}}", plan::NUMBER))
    }

    /// Pushes `a & b & …` made in one call; false when there is a part that has to be computed.
    pub(super) fn made_text(&mut self, left: &'a Expr, right: &'a Expr, at: At) -> bool {
        let Some((parts, variables)) = self.text_parts(left, right) else { return false };
        let plan = self.m.constant_json(&format!("[{}]", parts.join(",")));
        let mut arguments = Vec::new();
        for variable in variables {
            self.handle(variable);
            arguments.push(self.stash());
        }
        self.body.ins().i32_const(plan as i32);
        // The paths of a plan begin where a path by name does.
        self.push_path_input();
        self.arguments(&arguments, TEXT_ARGUMENTS);
        self.body.op(Op::ConcatAll);
        let text = self.stash();
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
