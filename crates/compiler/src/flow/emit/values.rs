//! Expressions and values with expressions in them as functions `(context) -> value`.

use lockgate_mapping::rules::Lines;
use lockgate_model::abi::{self, Op};
use lockgate_model::{Diagnostic, Diagnostics, Span};
use wasm_encoder::{BlockType, ValType};

use super::plan::Value;
use super::slots::{Here, Names};
use crate::expression::{Scope, compile_condition, compile_expression};
use crate::flow::tree::{Code, Formula, Piece, Template};
use crate::jq::{compile_filter, compile_test};
use crate::module::{Body, FunctionId, ModuleBuilder};

/// Compiles values into a module and collects what is wrong with them.
pub(super) struct Values<'m> {
    pub module: &'m mut ModuleBuilder,
    pub problems: Diagnostics,
    file: &'m str,
    source: u32,
}

impl<'m> Values<'m> {
    /// For one file.
    pub fn new(module: &'m mut ModuleBuilder, file: &'m str, lines: &Lines) -> Self {
        let source = module.source(file, lines);
        Self { module, problems: Diagnostics::default(), file, source }
    }

    /// The expression as a function `(context) -> value`.
    pub fn formula(&mut self, formula: &Formula, names: &Names) -> Option<FunctionId> {
        self.compile(formula, names, |m, code, source, base, scope| match code {
            Code::Jq(filter) => compile_filter(m, filter, source, base, scope),
            Code::Jsonata(expression) => compile_expression(m, expression, source, base, scope),
        })
    }

    /// The expression as a function `(context) -> i32`.
    pub fn condition(&mut self, formula: &Formula, names: &Names) -> Option<FunctionId> {
        self.compile(formula, names, |m, code, source, base, scope| match code {
            Code::Jq(filter) => compile_test(m, filter, source, base, scope),
            Code::Jsonata(expression) => compile_condition(m, expression, source, base, scope),
        })
    }

    fn compile(&mut self, formula: &Formula, names: &Names, with: Compile) -> Option<FunctionId> {
        let code = formula.code.as_ref()?;
        let base = formula.origin.offset(0);
        let scope = Here { names, place: formula.place };
        match with(self.module, code, self.source, base, &scope) {
            Ok(function) => Some(function),
            Err(problems) => {
                for mut problem in problems.0 {
                    // Back to an offset in the expression, and from there to where it stands exactly.
                    let within = |offset: u32| (offset as usize).saturating_sub(base);
                    let span = Span::new(within(problem.span.start), within(problem.span.end));
                    problem.span = formula.origin.span(span);
                    // A function's expressions stand wherever it is called, and what is wrong in them is told once.
                    let same = |known: &Diagnostic| known.span == problem.span && known.code == problem.code;
                    if !self.problems.0.iter().any(same) {
                        self.problems.push(problem.file(self.file));
                    }
                }
                None
            }
        }
    }

    /// The value of a template for a context; undefined for what has a problem.
    pub fn template(&mut self, template: &Template, names: &Names, context: Value) -> Value {
        match template {
            Template::Broken => Value::Undefined,
            Template::Constant(json) => Value::Constant(self.module.constant_json(json)),
            Template::Whole => context,
            Template::Formula(formula) => match self.formula(formula, names) {
                Some(function) => Value::Apply(function, Box::new(context)),
                None => Value::Undefined,
            },
            _ => {
                let mut body = Body::new(1);
                self.build(&mut body, template, names);
                let function = self.module.declare(&self.module.titled("value"), &[ValType::I64], &[ValType::I64]);
                self.module.define(function, body);
                Value::Apply(function, Box::new(context))
            }
        }
    }

    /// Leaves the template's value on the stack; local 0 is the context.
    fn build(&mut self, body: &mut Body, template: &Template, names: &Names) {
        match template {
            Template::Constant(json) => {
                let index = self.module.constant_json(json);
                body.ins().i64_const(abi::constant(index));
            }
            Template::Formula(formula) => match self.formula(formula, names) {
                Some(function) => {
                    body.ins().local_get(0);
                    body.call(function);
                }
                None => {
                    body.ins().i64_const(abi::UNDEFINED);
                }
            },
            Template::Broken => {
                body.ins().i64_const(abi::UNDEFINED);
            }
            Template::Object(fields) => {
                let object = body.local(ValType::I64);
                body.op(Op::ObjNew);
                body.ins().local_set(object);
                for (name, field) in fields {
                    let name = self.module.constant_text(name);
                    body.ins().local_get(object).i32_const(name.cast_signed());
                    self.build(body, field, names);
                    body.op(Op::ObjSet);
                }
                body.ins().local_get(object);
            }
            Template::Array(items) => {
                let array = body.local(ValType::I64);
                body.ins().i32_const(0);
                body.op(Op::ArrNew);
                body.ins().local_set(array);
                for item in items {
                    body.ins().local_get(array);
                    self.build(body, item, names);
                    body.op(Op::ArrPush);
                }
                body.ins().local_get(array);
            }
            Template::Whole => {
                body.ins().local_get(0);
            }
            Template::Unique => body.op(Op::Unique),
            Template::Now => body.op(Op::Now),
            Template::Field(name) => self.field(body, name),
            Template::Text(pieces) => self.text(body, pieces, names),
            Template::Through(value, formula) => {
                self.build(body, value, names);
                // It is the compiler's own and is always there.
                if let Some(function) = self.formula(formula, names) {
                    body.call(function);
                }
            }
        }
    }

    fn field(&mut self, body: &mut Body, name: &str) {
        let name = self.module.constant_text(name);
        body.ins().local_get(0).i32_const(name.cast_signed());
        body.op(Op::Get);
    }

    fn text(&mut self, body: &mut Body, pieces: &[Piece], names: &Names) {
        let (first, rest) = match pieces {
            [Piece::Text(text), rest @ ..] => (text.as_str(), rest),
            _ => ("", pieces),
        };
        let first = self.module.constant_text(first);
        body.ins().i64_const(abi::constant(first));
        for piece in rest {
            match piece {
                Piece::Text(text) => {
                    let index = self.module.constant_text(text);
                    body.ins().i64_const(abi::constant(index));
                }
                Piece::Value(value) => self.build(body, value, names),
            }
            body.op(Op::Concat);
        }
    }

    /// A function `(input) -> $workflow`, at the flow's beginning.
    pub fn workflow(&mut self, definition: &str) -> FunctionId {
        let started = self.instant();
        let function = self.module.declare(&self.module.titled("$workflow"), &[ValType::I64], &[ValType::I64]);
        let mut body = Body::new(1);
        let object = body.local(ValType::I64);
        body.op(Op::ObjNew);
        body.ins().local_set(object);
        let definition = self.module.constant_json(definition);
        self.put(&mut body, object, "id", |body| body.op(Op::RunId));
        self.put(&mut body, object, "definition", |body| {
            body.ins().i64_const(abi::constant(definition));
        });
        self.put(&mut body, object, "input", |body| {
            body.ins().local_get(0);
        });
        self.put(&mut body, object, "startedAt", |body| body.call(started));
        body.ins().local_get(object);
        self.module.define(function, body);
        function
    }

    /// A function `(description, input) -> $task`, at the task's beginning.
    pub fn task(&mut self) -> FunctionId {
        let started = self.instant();
        self.object_of_two("$task", |values, body, object| {
            for field in ["name", "reference", "definition"] {
                values.copy(body, object, field, (0, field));
            }
            values.put(body, object, "input", |body| {
                body.ins().local_get(1);
            });
            values.put(body, object, "startedAt", |body| body.call(started));
        })
    }

    /// A function `($task, output) -> $task`, at the task's end.
    pub fn task_done(&mut self) -> FunctionId {
        self.object_of_two("$task.output", |values, body, object| {
            for field in ["name", "reference", "definition", "input", "startedAt"] {
                values.copy(body, object, field, (0, field));
            }
            values.put(body, object, "output", |body| {
                body.ins().local_get(1);
            });
        })
    }

    /// A function `() -> { iso8601, epoch: { seconds, milliseconds } }` of the time of the step.
    fn instant(&mut self) -> FunctionId {
        const KEY: &str = "startedAt";
        if let Some(function) = self.module.shared(KEY) {
            return function;
        }
        let function = self.module.share(KEY, &[], &[ValType::I64]);
        let mut body = Body::new(0);
        let (object, epoch) = (body.local(ValType::I64), body.local(ValType::I64));
        for local in [object, epoch] {
            body.op(Op::ObjNew);
            body.ins().local_set(local);
        }
        for (unit, milliseconds) in [("seconds", 1_000), ("milliseconds", 1)] {
            self.put(&mut body, epoch, unit, |body| {
                body.op(Op::Clock);
                body.ins().i64_const(milliseconds).i64_div_s().f64_convert_i64_s();
                body.op(Op::NewNum);
            });
        }
        self.put(&mut body, object, "iso8601", |body| body.op(Op::Now));
        self.put(&mut body, object, "epoch", |body| {
            body.ins().local_get(epoch);
        });
        body.ins().local_get(object);
        self.module.define(function, body);
        function
    }

    /// A field of the object in a local.
    fn put(&mut self, body: &mut Body, object: u32, name: &str, value: impl FnOnce(&mut Body)) {
        let name = self.module.constant_text(name);
        body.ins().local_get(object).i32_const(name.cast_signed());
        value(body);
        body.op(Op::ObjSet);
    }

    /// A field of the object in a local, as a field of the object in another one, if that has it.
    fn copy(&mut self, body: &mut Body, object: u32, to: &str, (other, from): (u32, &str)) {
        let (to, from) = (self.module.constant_text(to), self.module.constant_text(from));
        body.ins().local_get(object).i32_const(to.cast_signed()).local_get(other).i32_const(from.cast_signed());
        body.op(Op::ObjCopy);
    }

    /// A function, made once for a module, of two values to an object, which is filled.
    fn object_of_two(&mut self, key: &str, fill: impl FnOnce(&mut Self, &mut Body, u32)) -> FunctionId {
        if let Some(function) = self.module.shared(key) {
            return function;
        }
        let function = self.module.share(key, &[ValType::I64, ValType::I64], &[ValType::I64]);
        let mut body = Body::new(2);
        let object = body.local(ValType::I64);
        body.op(Op::ObjNew);
        body.ins().local_set(object);
        fill(self, &mut body, object);
        body.ins().local_get(object);
        self.module.define(function, body);
        function
    }

    /// A function `answer -> content` for `output: content` of an http call: what is neither JSON nor text is base64.
    pub fn content(&mut self) -> FunctionId {
        const KEY: &str = "http content";
        if let Some(function) = self.module.shared(KEY) {
            return function;
        }
        let function = self.module.share(KEY, &[ValType::I64], &[ValType::I64]);
        let mut body = Body::new(1);
        let content = body.local(ValType::I64);
        let (typed, bytes) = (self.module.constant_text("body"), self.module.constant_text("body_base64"));
        body.ins().local_get(0).i32_const(typed.cast_signed());
        body.op(Op::Get);
        body.ins().local_tee(content).i64_const(abi::UNDEFINED).i64_ne();
        body.ins().if_(BlockType::Result(ValType::I64)).local_get(content).else_();
        body.ins().local_get(0).i32_const(bytes.cast_signed());
        body.op(Op::Get);
        body.ins().end();
        self.module.define(function, body);
        function
    }

    /// A function `(request, answer) -> response` for `output: response` of an http call.
    pub fn response(&mut self) -> FunctionId {
        self.object_of_two("http response", |values, body, object| {
            values.put(body, object, "request", |body| {
                body.ins().local_get(0);
            });
            for (to, from) in
                [("statusCode", "status"), ("headers", "headers"), ("content", "body_base64"), ("content", "body")]
            {
                values.copy(body, object, to, (1, from));
            }
        })
    }
}

type Compile = fn(&mut ModuleBuilder, &Code, u32, usize, &dyn Scope) -> Result<FunctionId, Diagnostics>;
