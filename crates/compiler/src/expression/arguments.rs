//! Which argument of a built-in's call goes to which parameter, by the standard's signatures.
//!
//! The count decides nearly always, while compiling. Functions of which the first and a later
//! argument may both be left out look at a value's type as well, when the function runs.

use lockgate_mapping::expression::{
    ValueKind,
    ir::{Builtin, Constant, Expr, Kind},
};
use lockgate_model::abi::{self, Op, kind};
use wasm_encoder::{BlockType, ValType};

use super::{
    emitter::{Context, Emitter},
    values::HANDLE,
};
use crate::module::At;

/// An argument, or what stands for it.
#[derive(Clone, Copy)]
pub(super) enum Argument<'a> {
    /// Not given.
    Missing,
    /// An expression, written once.
    Expr(&'a Expr),
    /// A handle local.
    Local(u32),
    /// The context value in a handle local, given for it.
    Context(u32),
}

/// A call of a built-in.
pub(super) struct Given<'a> {
    pub(super) arguments: Vec<Argument<'a>>,
    pub(super) at: Option<At>,
}

impl<'a> Given<'a> {
    /// The argument of a parameter.
    pub(super) fn get(&self, i: usize) -> Argument<'a> {
        self.arguments.get(i).copied().unwrap_or(Argument::Missing)
    }
}

impl<'a> Emitter<'a> {
    /// Puts arguments to parameters; `None`, with the failure written, when no call of this form
    /// can be right.
    pub(super) fn arrange(
        &mut self,
        builtin: Builtin,
        arguments: Vec<Argument<'a>>,
        at: Option<At>,
    ) -> Option<Given<'a>> {
        let params = builtin.signature().params;
        let required = params.iter().filter(|p| !p.optional).count();
        let count = arguments.len();
        let any_number = params.last().is_some_and(|p| p.many);
        if count < required || (count > params.len() && !any_number) {
            for argument in arguments {
                // A literal function does nothing by itself, and its parameters are typed for a loop.
                if let Argument::Expr(expr) = argument
                    && !matches!(expr.kind, Kind::Lambda(_))
                {
                    self.handle(expr);
                    self.body.ins().drop();
                }
            }
            self.fail(410, at);
            return None;
        }
        let by_context = params.first().is_some_and(|p| p.context);
        if !by_context || count == params.len() {
            return Some(Given { arguments, at });
        }
        let telling: &[(usize, i32)] = match (builtin, count) {
            (Builtin::Substring, 2) => &[(0, kind::NUMBER)],
            (Builtin::Split | Builtin::Match, 2) => &[(1, kind::NUMBER)],
            (Builtin::Replace, 3) => &[(2, kind::NUMBER)],
            (Builtin::Pad, 2) => &[(0, kind::NUMBER), (1, kind::STRING)],
            (Builtin::FormatNumber, 2) => &[(0, kind::STRING), (1, kind::OBJECT)],
            (Builtin::FromMillis, 1 | 2) => &[(0, kind::STRING)],
            _ => &[],
        };
        if !telling.is_empty() {
            let letters = params.first().map_or("", |p| &p.letters);
            return Some(self.arrange_by_type(telling, letters, &arguments, at));
        }
        // A lone argument of `$sift` is its function.
        if count > required && builtin != Builtin::Sift {
            return Some(Given { arguments, at });
        }
        let mut shifted = vec![self.context_argument()];
        shifted.extend(arguments);
        Some(Given { arguments: shifted, at })
    }

    fn context_argument(&mut self) -> Argument<'a> {
        match self.context {
            Context::Local(local) => Argument::Context(local),
            _ => {
                self.push_context();
                Argument::Context(self.body.stash())
            }
        }
    }

    /// `$substring(1, 2)` and `$pad(5, "#")` take the context, `$substring("a", 1)` and `$pad("a", 5)`
    /// do not: an argument of a kind that stands only after the first parameter tells. `telling` are
    /// the arguments with those kinds, `letters` what the first parameter takes.
    fn arrange_by_type(
        &mut self,
        telling: &[(usize, i32)],
        letters: &str,
        arguments: &[Argument<'a>],
        at: Option<At>,
    ) -> Given<'a> {
        let context = self.context_argument();
        let mut shifted = vec![context];
        shifted.extend_from_slice(arguments);
        let known: Vec<Option<bool>> = telling.iter().map(|(i, kind)| told(arguments.get(*i), *kind)).collect();
        if known.contains(&Some(true)) {
            return Given { arguments: shifted, at };
        }
        if known.iter().all(|told| *told == Some(false)) {
            return Given { arguments: arguments.to_vec(), at };
        }
        let locals: Vec<u32> = arguments.iter().map(|a| self.argument_local(*a)).collect();
        let shift = self.body.local(ValType::I32);
        self.body.ins().i32_const(0);
        for (i, kind) in telling {
            if let Some(local) = locals.get(*i) {
                self.body.ins().local_get(*local);
                self.body.op(Op::KindOf);
                self.body.ins().i32_const(*kind).i32_eq().i32_or();
            }
        }
        self.body.ins().local_set(shift);
        if let Argument::Context(local) = context {
            self.body.ins().local_get(shift);
            self.accepts(local, letters);
            self.body.ins().i32_eqz().i32_and().if_(BlockType::Empty);
            self.fail(411, at);
            self.body.ins().end();
        }
        let mut arranged = Vec::new();
        let first = match context {
            Argument::Context(local) => Some(local),
            _ => None,
        };
        let by_shift: Vec<Option<u32>> = std::iter::once(first).chain(locals.iter().copied().map(Some)).collect();
        for i in 0..=arguments.len() {
            self.local_or_undefined(by_shift.get(i).copied().flatten());
            self.local_or_undefined(locals.get(i).copied());
            self.body.ins().local_get(shift).select();
            arranged.push(Argument::Local(self.body.stash()));
        }
        Given { arguments: arranged, at }
    }

    /// Pushes an argument as a handle.
    pub(super) fn push_argument(&mut self, argument: Argument<'a>) {
        match argument {
            Argument::Missing => {
                self.body.ins().i64_const(abi::UNDEFINED);
            }
            Argument::Expr(expr) => self.handle(expr),
            Argument::Local(local) | Argument::Context(local) => {
                self.body.ins().local_get(local);
            }
        }
    }

    /// A local that holds an argument.
    pub(super) fn argument_local(&mut self, argument: Argument<'a>) -> u32 {
        match argument {
            Argument::Local(local) | Argument::Context(local) => local,
            _ => {
                self.push_argument(argument);
                self.body.stash()
            }
        }
    }

    /// Pushes argument `i` for an intrinsic that wants a string and checks it; the context in its
    /// place is checked here, as that is another error.
    pub(super) fn text(&mut self, given: &Given<'a>, i: usize) {
        let argument = given.get(i);
        if let Argument::Context(local) = argument {
            self.accepts(local, "s");
            self.body.ins().i32_eqz().if_(BlockType::Empty);
            self.fail(411, given.at);
            self.body.ins().end();
        }
        self.push_argument(argument);
    }

    /// Pushes argument `i`, a string or undefined, checked whatever the other arguments are.
    pub(super) fn checked_text(&mut self, given: &Given<'a>, i: usize) {
        match given.get(i) {
            Argument::Expr(expr) if Self::literal(expr).is_none() => {
                self.handle(expr);
                self.body.ins().i32_const('s' as i32).i32_const(i as i32 + 1);
                self.op(Op::Check, given.at);
            }
            Argument::Local(local) => {
                self.body.ins().local_get(local).i32_const('s' as i32).i32_const(i as i32 + 1);
                self.op(Op::Check, given.at);
            }
            _ => self.text(given, i),
        }
    }

    /// Pushes argument `i` as a number, NaN when undefined or missing.
    pub(super) fn number_argument(&mut self, given: &Given<'a>, i: usize) {
        match (given.get(i), given.at) {
            (Argument::Missing, _) => {
                self.body.ins().f64_const(f64::NAN.into());
            }
            (Argument::Expr(expr), Some(at)) => self.number(expr, 410, at),
            (Argument::Context(local), at) => {
                self.body.ins().local_get(local).i32_const(411);
                self.op(Op::Num, at);
            }
            (argument, at) => {
                self.push_argument(argument);
                self.body.ins().i32_const(410);
                self.op(Op::Num, at);
            }
        }
    }

    /// Pushes the truth of argument `i`, a boolean; 0 when undefined or missing.
    pub(super) fn flag_argument(&mut self, given: &Given<'a>, i: usize) {
        match given.get(i) {
            Argument::Missing => {
                self.body.ins().i32_const(0);
            }
            Argument::Expr(expr) if self.kind_of(expr) == ValueKind::Boolean => self.condition(expr),
            _ => {
                self.push_argument(given.get(i));
                self.body.ins().i32_const('b' as i32).i32_const(i as i32 + 1);
                self.op(Op::Check, given.at);
                self.body.op(Op::Truthy);
            }
        }
    }

    /// The value on the stack unless it is undefined, then undefined: `write` makes the value from
    /// the local.
    pub(super) fn unless_undefined(&mut self, write: impl FnOnce(&mut Self, u32)) {
        let local = self.body.stash();
        self.body.ins().local_get(local).i64_eqz().if_(HANDLE).i64_const(abi::UNDEFINED).else_();
        write(self, local);
        self.body.ins().end();
    }
}

/// Whether an argument is of this kind, where that can be seen in it.
fn told(argument: Option<&Argument<'_>>, wanted: i32) -> Option<bool> {
    let Some(Argument::Expr(expr)) = argument else { return None };
    let found = match &expr.kind {
        Kind::Constant(Constant::Number(..)) => kind::NUMBER,
        Kind::Constant(Constant::Text(_)) => kind::STRING,
        Kind::Object(_) => kind::OBJECT,
        Kind::Regex(..) | Kind::Lambda(_) => kind::FUNCTION,
        _ => return None,
    };
    Some(found == wanted)
}
