//! Function values: functions lifted out of the expression, calls, partial application and `~>`.
//!
//! A lifted function reaches what it shares with its surroundings through environments; the chain
//! of them is known here, so that a variable is `up` environments out, at a fixed place.

use lockgate_mapping::expression::ir::{Expr, Hint, Lambda};
use lockgate_model::abi::{self, Op, kind, seq};
use wasm_encoder::{BlockType, ValType};

use super::{
    emitter::{Context, Emitter, Env},
    values::{End, HANDLE},
};
use crate::module::{ARGUMENTS, At, Body, DEPTH, FunctionId, TAIL_CALL, function_params, tail_globals};

/// Parameters of a function value.
pub(super) const ENV: u32 = 0;
pub(super) const CONTEXT: u32 = 1;
pub(super) const COUNT: u32 = 2;
pub(super) const FIRST: u32 = 3;
pub(super) const REST: u32 = FIRST + ARGUMENTS as u32;

/// A call ready to be made: locals of the function's number, the function and the arguments.
pub(super) struct Prepared {
    pub(super) number: u32,
    pub(super) function: u32,
}

impl<'a> Emitter<'a> {
    /// Pushes a function value: the function itself is lifted.
    pub(super) fn lambda(&mut self, lambda: &'a Lambda) {
        let facts = self.program.lambdas.get(lambda.id.0).copied().unwrap_or_default();
        let outer_env = self.env;
        let depth = self.envs.len();
        if facts.uses_context && !facts.at_root {
            self.push_env();
            self.body.ins().i32_const(1);
            self.body.op(Op::EnvNew);
            let env = self.body.stash();
            self.body.ins().local_get(env).i32_const(0);
            self.push_context();
            self.body.op(Op::EnvSet);
            self.env = Some(env);
            self.envs.push(Env::Context(lambda.id));
        }
        let at = self.at_token(&lambda.body, "");
        let name = format!("{} function {}", self.m.title(at.source, at.span.start as usize), lambda.id.0);
        let id = self.m.declare(&name, &function_params(), &[ValType::I64]);
        let number = self.m.number(id);
        self.body.ins().i32_const(number as i32).i32_const(i32::try_from(lambda.params.len()).unwrap_or(i32::MAX));
        self.push_env();
        self.body.op(Op::FnNew);
        self.lifted(id, lambda, facts.uses_context, facts.at_root);
        self.env = outer_env;
        self.envs.truncate(depth);
    }

    fn lifted(&mut self, id: FunctionId, lambda: &'a Lambda, uses_context: bool, at_root: bool) {
        let suspended = self.suspend(Body::new(function_params().len()));
        self.env = Some(ENV);
        let at = self.at_token(&lambda.body, "");
        self.body.begin_at(at);
        if let Some(signature) = &lambda.signature {
            self.check_arguments(signature);
        }
        self.context = if at_root {
            Context::Root
        } else if uses_context {
            self.body.ins().local_get(ENV).i32_const(0).i32_const(0);
            self.body.op(Op::EnvGet);
            Context::Local(self.body.stash())
        } else {
            Context::Null
        };
        let outer = self.enter(lambda.scope);
        for (i, id) in lambda.params.iter().enumerate() {
            self.argument(i);
            self.bind(*id);
        }
        self.end(&lambda.body, End::Lifted);
        self.leave(lambda.scope, outer);
        let body = self.resume(suspended);
        self.m.define(id, body);
    }

    /// Pushes argument `i` of the function value being written, undefined when it was not given.
    pub(super) fn argument(&mut self, i: usize) {
        let nth = i32::try_from(i).unwrap_or(i32::MAX);
        if i < ARGUMENTS {
            self.body.ins().local_get(FIRST + nth as u32);
            return;
        }
        self.body.ins().local_get(COUNT).i32_const(nth).i32_gt_s().if_(HANDLE);
        self.body.ins().local_get(REST).i32_const(0).i32_const(nth - ARGUMENTS as i32);
        self.body.op(Op::EnvGet);
        self.body.ins().else_().i64_const(abi::UNDEFINED).end();
    }

    /// Pushes 1 when the value in `local` is of a type that these letters name.
    pub(super) fn accepts(&mut self, local: u32, letters: &str) {
        let mut kinds = 0;
        for letter in letters.chars() {
            kinds |= match letter {
                's' => 1 << kind::STRING,
                'n' => 1 << kind::NUMBER,
                'b' => 1 << kind::BOOLEAN,
                'l' => 1 << kind::NULL,
                'o' => 1 << kind::OBJECT,
                'a' => 1 << kind::ARRAY,
                'f' => 1 << kind::FUNCTION,
                _ => 0,
            };
        }
        if letters != "f" {
            kinds |= 1 << kind::UNDEFINED;
        }
        self.body.ins().i32_const(kinds).local_get(local);
        self.body.op(Op::KindOf);
        self.body.ins().i32_shr_u().i32_const(1).i32_and();
    }

    /// Binds arguments to the parameters of a function written where it is called, in its scope.
    pub(super) fn enter_inline(&mut self, lambda: &'a Lambda, given: &'a [Expr]) -> Option<u32> {
        enum Value {
            Number(u32),
            Handle(u32),
        }
        let mut values = Vec::new();
        for (i, expr) in given.iter().enumerate() {
            let number = lambda.params.get(i).and_then(|id| self.program.variables.get(id.0)).is_some_and(|v| v.number);
            if number {
                let at = self.at(expr);
                self.number(expr, 0, at);
                let local = self.body.local(ValType::F64);
                self.body.ins().local_set(local);
                values.push(Value::Number(local));
            } else {
                self.handle(expr);
                values.push(Value::Handle(self.body.stash()));
            }
        }
        let outer = self.enter(lambda.scope);
        for (id, value) in lambda.params.iter().zip(values) {
            match value {
                Value::Number(from) => {
                    if let Some(local) = self.number_local(*id) {
                        self.body.ins().local_get(from).local_set(local);
                    }
                }
                Value::Handle(from) => {
                    self.body.ins().local_get(from);
                    self.bind(*id);
                }
            }
        }
        outer
    }

    /// Pushes the result of calling a function value.
    pub(super) fn call(&mut self, expr: &'a Expr, callee: &'a Expr, given: &'a [Expr], hint: &Hint, end: End) {
        let at = self.call_place(expr, hint);
        self.handle(callee);
        let function = self.body.stash();
        if hint.forgotten {
            self.body.ins().local_get(function).i64_eqz().if_(BlockType::Empty);
            self.fail(1005, Some(at));
            self.body.ins().end();
        }
        let mut arguments = Vec::new();
        for argument in given {
            self.handle(argument);
            arguments.push(self.body.stash());
        }
        let call = self.prepare(function, Some(at));
        match end {
            End::Lifted => self.leave_call(&call, &arguments),
            End::Inline => self.apply(&call, &arguments, Some(at)),
            End::No => {
                self.apply(&call, &arguments, Some(at));
                self.settle();
            }
        }
    }

    /// Settles the result of a call on the stack: a sequence of one stands for its item, an empty
    /// one for nothing.
    pub(super) fn settle(&mut self) {
        if self.program.unsettled {
            self.settle_always();
        }
    }

    pub(super) fn settle_always(&mut self) {
        self.body.ins().i32_const(0);
        self.body.op(Op::Settle);
    }

    /// The same where `[]` keeps a sequence of one an array.
    pub(super) fn settle_kept(&mut self) {
        self.body.ins().i32_const(seq::KEEP);
        self.body.op(Op::Settle);
    }

    /// Takes the number of the function in a local: T1006 when it is none.
    pub(super) fn prepare(&mut self, function: u32, at: Option<At>) -> Prepared {
        self.body.ins().local_get(function);
        self.op(Op::FnNumber, at);
        let number = self.body.local(ValType::I32);
        self.body.ins().local_set(number);
        Prepared { number, function }
    }

    /// Pushes the dispatcher's parameters.
    fn push_call(&mut self, call: &Prepared, arguments: &[u32], count: Option<u32>) {
        let rest = match arguments.get(ARGUMENTS..) {
            Some(rest) if !rest.is_empty() => {
                self.body.ins().i64_const(abi::UNDEFINED).i32_const(rest.len() as i32);
                self.body.op(Op::EnvNew);
                let env = self.body.stash();
                for (i, argument) in rest.iter().enumerate() {
                    self.body.ins().local_get(env).i32_const(i as i32).local_get(*argument);
                    self.body.op(Op::EnvSet);
                }
                Some(env)
            }
            _ => None,
        };
        self.body.ins().local_get(call.number).local_get(call.function);
        self.push_context();
        match count {
            Some(local) => self.body.ins().local_get(local),
            None => self.body.ins().i32_const(arguments.len() as i32),
        };
        for i in 0..ARGUMENTS {
            self.local_or_undefined(arguments.get(i).copied());
        }
        self.local_or_undefined(rest);
    }

    /// Calls with these argument locals and pushes the result.
    pub(super) fn apply(&mut self, call: &Prepared, arguments: &[u32], at: Option<At>) {
        self.apply_counted(call, arguments, None, at);
    }

    /// The same with the number of arguments in an i32 local.
    pub(super) fn apply_counted(&mut self, call: &Prepared, arguments: &[u32], count: Option<u32>, at: Option<At>) {
        // The dispatcher counts one; what the call is nested in counts too where it is asked for.
        let around = self.nesting.unwrap_or_default().saturating_sub(1) as i32;
        self.deepen(around);
        self.push_call(call, arguments, count);
        let apply = self.m.apply();
        match at {
            Some(at) => self.body.call_at(apply, at),
            None => self.body.call(apply),
        }
        self.deepen(-around);
    }

    fn deepen(&mut self, by: i32) {
        if by != 0 {
            let depth = self.m.global(DEPTH, ValType::I32);
            self.body.ins().global_get(depth).i32_const(by).i32_add().global_set(depth);
        }
    }

    /// Leaves a call in tail position to the dispatcher.
    fn leave_call(&mut self, call: &Prepared, arguments: &[u32]) {
        self.push_call(call, arguments, None);
        for global in tail_globals(self.m).into_iter().rev() {
            self.body.ins().global_set(global);
        }
        self.body.ins().i64_const(TAIL_CALL);
    }

    /// Pushes 1 when the value in `local` is a function.
    pub(super) fn is_function(&mut self, local: u32) {
        self.body.ins().local_get(local);
        self.body.op(Op::KindOf);
        self.body.ins().i32_const(kind::FUNCTION).i32_eq();
    }

    /// Pushes a function that has some of its arguments already.
    pub(super) fn partial(&mut self, expr: &'a Expr, callee: &'a Expr, given: &'a [Option<Expr>], hint: &Hint) {
        let at = self.call_place(expr, hint);
        let mut values = Vec::new();
        for argument in given.iter().flatten() {
            self.handle(argument);
            values.push(self.body.stash());
        }
        self.handle(callee);
        let function = self.body.stash();
        self.is_function(function);
        self.body.ins().i32_eqz().if_(BlockType::Empty);
        if hint.forgotten {
            self.body.ins().local_get(function).i64_eqz().if_(BlockType::Empty);
            self.fail(1007, Some(at));
            self.body.ins().end();
        }
        self.fail(1008, Some(at));
        self.body.ins().end();
        let open: Vec<bool> = given.iter().map(Option::is_none).collect();
        let arity = open.iter().filter(|o| **o).count();
        let mut held = vec![function];
        held.extend(values);
        let id = self.partial_function(&open);
        self.closure(id, arity, &held);
    }

    /// Pushes a function value over the handles in these locals.
    pub(super) fn closure(&mut self, id: FunctionId, arity: usize, held: &[u32]) {
        self.body.ins().i64_const(abi::UNDEFINED).i32_const(held.len() as i32);
        self.body.op(Op::EnvNew);
        let env = self.body.stash();
        for (i, local) in held.iter().enumerate() {
            self.body.ins().local_get(env).i32_const(i as i32).local_get(*local);
            self.body.op(Op::EnvSet);
        }
        let number = self.m.number(id);
        self.body.ins().i32_const(number as i32).i32_const(arity as i32).local_get(env);
        self.body.op(Op::FnNew);
    }

    /// The function behind every partial application with these open arguments: its environment
    /// holds the function and the arguments given.
    fn partial_function(&mut self, open: &[bool]) -> FunctionId {
        let shape: String = open.iter().map(|o| if *o { '?' } else { '_' }).collect();
        let key = format!("partial({shape})");
        if let Some(id) = self.m.shared(&key) {
            return id;
        }
        let id = self.m.share(&key, &function_params(), &[ValType::I64]);
        self.shared_function(id, |e| {
            let function = e.held(0);
            let (mut held, mut taken) = (0, 0);
            let mut arguments = Vec::new();
            for is_open in open {
                if *is_open {
                    e.argument(taken);
                    taken += 1;
                    arguments.push(e.body.stash());
                } else {
                    held += 1;
                    arguments.push(e.held(held));
                }
            }
            let call = e.prepare(function, None);
            e.apply(&call, &arguments, None);
        });
        id
    }

    /// A local with value `i` of the environment of the function being written.
    pub(super) fn held(&mut self, i: i32) -> u32 {
        self.body.ins().local_get(ENV).i32_const(0).i32_const(i);
        self.body.op(Op::EnvGet);
        self.body.stash()
    }

    /// Writes a function that belongs to no expression: its errors stand at its call.
    pub(super) fn shared_function(&mut self, id: FunctionId, write: impl FnOnce(&mut Self)) {
        let suspended = self.suspend(Body::new(function_params().len()));
        self.context = Context::Null;
        write(self);
        let body = self.resume(suspended);
        self.m.define(id, body);
    }

    /// Pushes `left ~> right` where the right side is a value: it is called with the left, or,
    /// when the left is a function too, both are put together.
    pub(super) fn chain(&mut self, expr: &'a Expr, left: &'a Expr, right: &'a Expr) {
        let at = self.at(expr);
        self.handle(left);
        let value = self.body.stash();
        self.handle(right);
        let function = self.body.stash();
        self.is_function(function);
        self.body.ins().i32_eqz().if_(BlockType::Empty);
        self.fail(2006, Some(at));
        self.body.ins().end();
        self.is_function(value);
        self.body.ins().if_(HANDLE);
        let id = self.composed_function();
        self.closure(id, 1, &[value, function]);
        self.body.ins().else_();
        let call = self.prepare(function, Some(at));
        self.with_context(Context::Null, |e| e.apply(&call, &[value], Some(at)));
        self.body.ins().end();
    }

    /// `function($x){ $g($f($x)) }` with `f` and `g` in its environment.
    fn composed_function(&mut self) -> FunctionId {
        let key = "composed";
        if let Some(id) = self.m.shared(key) {
            return id;
        }
        let id = self.m.share(key, &function_params(), &[ValType::I64]);
        self.shared_function(id, |e| {
            let (first, second) = (e.held(0), e.held(1));
            e.argument(0);
            let argument = e.body.stash();
            let call = e.prepare(first, None);
            e.apply(&call, &[argument], None);
            e.settle_always();
            let between = e.body.stash();
            let call = e.prepare(second, None);
            e.leave_call(&call, &[between]);
        });
        id
    }
}
