//! Built-in functions, called and as values.

use lockgate_mapping::expression::{
    ValueKind,
    ir::{Builtin, Expr, Kind},
};
use lockgate_model::abi::{self, Function, Op, kind, seq};
use wasm_encoder::{BlockType, ValType};

use super::{
    arguments::{Argument, Given},
    emitter::{Context, Emitter},
    functions::{CONTEXT, COUNT},
    path::reads_field,
    values::{End, TRUTH},
};
use crate::module::{ARGUMENTS, function_params};

impl<'a> Emitter<'a> {
    /// Pushes the result of a built-in's call.
    pub(super) fn builtin(&mut self, expr: &'a Expr, builtin: Builtin, given: &'a [Expr], end: End) {
        let flags = if end == End::No { 0 } else { seq::INNER };
        self.builtin_flagged(expr, builtin, given, flags);
    }

    /// The same where `[]` keeps a single item in its array.
    pub(super) fn builtin_kept(&mut self, expr: &'a Expr, builtin: Builtin, given: &'a [Expr]) {
        self.builtin_flagged(expr, builtin, given, seq::KEEP);
    }

    fn builtin_flagged(&mut self, expr: &'a Expr, builtin: Builtin, given: &'a [Expr], flags: i32) {
        let at = Some(self.at_token(expr, builtin.name()));
        let arguments = given.iter().map(Argument::Expr).collect();
        if let Some(given) = self.arrange(builtin, arguments, at) {
            self.builtin_result(builtin, &given, flags);
        }
    }

    /// Pushes the result of a built-in whose value is a number, as f64.
    pub(super) fn builtin_number(&mut self, expr: &'a Expr, builtin: Builtin, given: &'a [Expr]) {
        let at = Some(self.at_token(expr, builtin.name()));
        let arguments = given.iter().map(Argument::Expr).collect();
        if let Some(given) = self.arrange(builtin, arguments, at) {
            self.number_result(builtin, &given);
        }
    }

    /// Pushes the truth of a built-in's result, when there is a shorter way than by its handle.
    pub(super) fn builtin_condition(&mut self, expr: &'a Expr, builtin: Builtin, given: &'a [Expr]) -> bool {
        match (builtin, given) {
            (Builtin::Exists, [argument]) => self.exists(argument),
            (Builtin::Boolean, [argument]) => self.condition(argument),
            (Builtin::Not, [argument]) if self.kind_of(argument) == ValueKind::Boolean => {
                self.condition(argument);
                self.body.ins().i32_eqz();
            }
            (Builtin::Not, [argument]) => {
                // The opposite of undefined is undefined, which is not true either.
                self.handle(argument);
                let value = self.body.stash();
                self.body.ins().local_get(value).i64_eqz().if_(TRUTH).i32_const(0).else_().local_get(value);
                self.body.op(Op::Truthy);
                self.body.ins().i32_eqz().end();
            }
            (Builtin::Contains, [_, _]) => {
                let at = Some(self.at_token(expr, builtin.name()));
                let arguments = given.iter().map(Argument::Expr).collect();
                self.contains(&Given { arguments, at });
            }
            _ => return false,
        }
        true
    }

    fn exists(&mut self, argument: &'a Expr) {
        if self.kind_of(argument) == ValueKind::Number {
            let at = self.at(argument);
            self.number(argument, 0, at);
            let local = self.body.local(ValType::F64);
            self.body.ins().local_tee(local).local_get(local).f64_eq();
        } else {
            self.handle(argument);
            self.body.ins().i64_eqz().i32_eqz();
        }
    }

    /// Pushes the result as a handle, arguments in their places.
    pub(super) fn builtin_result(&mut self, builtin: Builtin, given: &Given<'a>, flags: i32) {
        match builtin {
            Builtin::Sum
            | Builtin::Count
            | Builtin::Max
            | Builtin::Min
            | Builtin::Average
            | Builtin::Number
            | Builtin::Length
            | Builtin::Floor
            | Builtin::Ceil
            | Builtin::Round
            | Builtin::Abs => {
                self.number_result(builtin, given);
                self.op(Op::NewNum, given.at);
            }
            Builtin::String => {
                if let (Argument::Expr(expr), Some(at)) = (given.get(0), given.at)
                    && self.kind_of(expr) == ValueKind::Number
                {
                    self.number(expr, 0, at);
                    self.finite(expr, 3001, at);
                    self.op(Op::NewNum, given.at);
                } else {
                    self.push_argument(given.get(0));
                }
                self.flag_argument(given, 1);
                self.op(Op::ToString, given.at);
            }
            Builtin::Boolean => {
                self.push_argument(given.get(0));
                self.op(Op::Boolean, given.at);
            }
            Builtin::Exists => {
                self.push_argument(given.get(0));
                self.body.ins().i64_eqz().i32_eqz();
                self.truth_to_handle();
            }
            Builtin::Not => {
                self.push_argument(given.get(0));
                self.unless_undefined(|e, value| {
                    e.body.ins().local_get(value);
                    e.body.op(Op::Truthy);
                    e.body.ins().i32_eqz();
                    e.truth_to_handle();
                });
            }
            Builtin::Map => self.map(given, flags),
            Builtin::Filter => self.filter(given, flags),
            Builtin::Reduce => self.reduce(given),
            Builtin::Sort => self.sort(given),
            Builtin::Join => {
                self.push_argument(given.get(0));
                self.checked_text(given, 1);
                self.op(Op::Join, given.at);
            }
            Builtin::Split => self.split(given),
            Builtin::Match => {
                let text = self.matches(given);
                self.unsettle(None, flags);
                self.unless_nothing(text, flags);
            }
            Builtin::Replace => self.replace(given),
            Builtin::Uppercase => self.on_text(given, Op::Upper),
            Builtin::Lowercase => self.on_text(given, Op::Lower),
            Builtin::Trim => self.on_text(given, Op::Trim),
            Builtin::Substring => {
                self.text(given, 0);
                self.number_argument(given, 1);
                self.number_argument(given, 2);
                self.op(Op::Substring, given.at);
            }
            Builtin::Contains => {
                let (text, token) = self.contains(given);
                self.body.ins().local_get(text).i64_eqz().local_get(token).i64_eqz().i32_or();
                let unknown = self.body.local(ValType::I32);
                self.body.ins().local_set(unknown);
                self.truth_to_handle();
                let truth = self.body.stash();
                self.body.ins().i64_const(abi::UNDEFINED).local_get(truth).local_get(unknown).select();
            }
            Builtin::Lookup => {
                let list = self.argument_local(given.get(0));
                self.body.ins().local_get(list);
                self.push_argument(given.get(1));
                self.op(Op::GetDyn, given.at);
                self.unsettle(Some(list), flags);
            }
            Builtin::Keys => {
                self.push_argument(given.get(0));
                self.op(Op::Keys, given.at);
                self.unsettle(None, flags);
            }
            Builtin::Merge => {
                self.push_argument(given.get(0));
                self.op(Op::Merge, given.at);
            }
            Builtin::Append => {
                self.push_argument(given.get(0));
                self.push_argument(given.get(1));
                self.op(Op::Append, given.at);
            }
            Builtin::Distinct => {
                let list = self.argument_local(given.get(0));
                self.body.ins().local_get(list);
                self.op(Op::Distinct, given.at);
                self.unsettle(Some(list), flags);
            }
            Builtin::Reverse => {
                self.push_argument(given.get(0));
                self.op(Op::Reverse, given.at);
            }
            Builtin::Now if given.arguments.is_empty() => self.op(Op::Now, given.at),
            Builtin::Clone => {
                self.checked(given, 0, "oa");
                self.op(Op::Clone, given.at);
            }
            Builtin::Single => self.single(given),
            Builtin::Sift => self.sift(given),
            Builtin::Each => self.each_field(given, flags),
            Builtin::Zip => self.zip(given),
            _ => self.pure(builtin, given),
        }
    }

    /// A built-in of values alone.
    fn pure(&mut self, builtin: Builtin, given: &Given<'a>) {
        let Some(function) = Function::find(builtin.name()) else {
            self.body.ins().i64_const(abi::UNDEFINED);
            return;
        };
        let mut arguments = Vec::new();
        for (i, letter) in function.params().chars().enumerate() {
            if let Argument::Context(local) = given.get(i)
                && letter != 'x'
            {
                self.accepts(local, &letter.to_string());
                self.body.ins().i32_eqz().if_(BlockType::Empty);
                self.fail(411, given.at);
                self.body.ins().end();
            }
            self.push_argument(given.get(i));
            arguments.push(self.body.stash());
        }
        self.body.ins().i32_const(function as i32);
        for i in 0..3 {
            self.local_or_undefined(arguments.get(i).copied());
        }
        self.op(Op::Pure, given.at);
    }

    /// Any number of arrays: as one array, with how many there are.
    fn zip(&mut self, given: &Given<'a>) {
        self.body.ins().i32_const(0);
        self.body.op(Op::ArrNew);
        let lists = self.body.stash();
        for (i, argument) in given.arguments.iter().enumerate() {
            self.push_argument(*argument);
            self.body.ins().i32_const('a' as i32).i32_const(i as i32 + 1);
            self.op(Op::Check, given.at);
            self.add(lists, Op::ArrPush);
        }
        let count = given.arguments.len() as f64;
        self.body.ins().i32_const(Function::Zip as i32).local_get(lists).f64_const(count.into());
        self.body.op(Op::NewNum);
        self.body.ins().i64_const(abi::UNDEFINED);
        self.op(Op::Pure, given.at);
    }

    /// Pushes argument `i`, of a type that these letters name.
    pub(super) fn checked(&mut self, given: &Given<'a>, i: usize, letters: &str) {
        let code = if matches!(given.get(i), Argument::Context(_)) { 411 } else { 410 };
        let local = self.argument_local(given.get(i));
        self.accepts(local, letters);
        self.body.ins().i32_eqz().if_(BlockType::Empty);
        self.fail(code, given.at);
        self.body.ins().end().local_get(local);
    }

    /// At the end of a function makes the result a sequence again, which the intrinsic has settled:
    /// always, or when what it was made from in the local is an array.
    fn unsettle(&mut self, list: Option<u32>, flags: i32) {
        if flags & seq::INNER == 0 {
            return;
        }
        let value = self.body.stash();
        let is_array = |e: &mut Self, local: u32| {
            e.body.ins().local_get(local);
            e.body.op(Op::KindOf);
            e.body.ins().i32_const(kind::ARRAY).i32_eq();
        };
        is_array(self, value);
        self.body.ins().i32_eqz();
        if let Some(list) = list {
            is_array(self, list);
            self.body.ins().i32_and();
        }
        self.body.ins().if_(BlockType::Empty);
        let acc = self.sequence();
        self.body.ins().local_get(acc).local_get(value);
        self.body.op(Op::SeqAdd);
        self.close(acc, seq::INNER);
        self.body.ins().local_set(value).end().local_get(value);
    }

    fn on_text(&mut self, given: &Given<'a>, op: Op) {
        self.text(given, 0);
        self.op(op, given.at);
    }

    /// Pushes the result as f64, arguments in their places.
    fn number_result(&mut self, builtin: Builtin, given: &Given<'a>) {
        let listed = |e: &mut Self, op| {
            if e.aggregate(builtin, given) {
                return;
            }
            if let (Builtin::Sum, Argument::Expr(Expr { kind: Kind::Path(path), .. })) = (builtin, given.get(0))
                && reads_field(path)
            {
                let k = e.nested(|e| e.path_but_last(path));
                e.body.ins().i32_const(k);
                return e.op(Op::GetSum, given.at);
            }
            e.push_argument(given.get(0));
            e.op(op, given.at);
        };
        match builtin {
            Builtin::Sum => listed(self, Op::Sum),
            Builtin::Max => listed(self, Op::Max),
            Builtin::Min => listed(self, Op::Min),
            Builtin::Average => listed(self, Op::Average),
            Builtin::Count => {
                self.push_argument(given.get(0));
                self.op(Op::Count, given.at);
            }
            Builtin::Length => {
                self.text(given, 0);
                self.op(Op::Length, given.at);
            }
            Builtin::Floor | Builtin::Ceil | Builtin::Abs => {
                self.number_argument(given, 0);
                let mut ins = self.body.ins();
                match builtin {
                    Builtin::Floor => ins.f64_floor(),
                    Builtin::Ceil => ins.f64_ceil(),
                    _ => ins.f64_abs(),
                };
            }
            Builtin::Round => {
                self.number_argument(given, 0);
                self.number_argument(given, 1);
                self.op(Op::Round, given.at);
            }
            _ => {
                if let Argument::Context(local) = given.get(0) {
                    self.accepts(local, "nsb");
                    self.body.ins().i32_eqz().if_(BlockType::Empty);
                    self.fail(411, given.at);
                    self.body.ins().end();
                }
                self.push_argument(given.get(0));
                self.op(Op::ToNumber, given.at);
            }
        }
    }

    /// Pushes the key of a lookup: the value as `$string` writes it.
    pub(crate) fn key(&mut self, expr: &'a Expr) {
        let at = self.at(expr);
        self.handle(expr);
        self.body.ins().i32_const(0);
        self.op(Op::ToString, Some(at));
    }

    /// Pushes a built-in as a value: a function that sees how many arguments it got.
    pub(super) fn builtin_value(&mut self, builtin: Builtin) {
        let id = match self.m.shared(builtin.name()) {
            Some(id) => id,
            None => {
                let id = self.m.share(builtin.name(), &function_params(), &[ValType::I64]);
                self.shared_function(id, |e| e.builtin_by_count(builtin));
                id
            }
        };
        let number = self.m.number(id);
        self.body.ins().i32_const(number as i32).i32_const(builtin.arity() as i32).i64_const(abi::UNDEFINED);
        self.body.op(Op::FnNew);
    }

    fn builtin_by_count(&mut self, builtin: Builtin) {
        self.context = Context::Local(CONTEXT);
        let most = match builtin {
            // As many as a function value takes in one call.
            Builtin::Zip => ARGUMENTS,
            _ => builtin.signature().params.len(),
        };
        for count in 0..=most {
            self.body.ins().local_get(COUNT).i32_const(count as i32).i32_eq().if_(BlockType::Empty);
            let mut arguments = Vec::new();
            for i in 0..count {
                self.argument(i);
                arguments.push(Argument::Local(self.body.stash()));
            }
            if let Some(given) = self.arrange(builtin, arguments, None) {
                self.builtin_result(builtin, &given, seq::INNER);
                self.body.ins().return_();
            }
            self.body.ins().end();
        }
        self.fail(410, None);
    }
}
