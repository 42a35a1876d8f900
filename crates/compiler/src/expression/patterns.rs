//! `$contains`, `$split`, `$replace`, `$match` and regular expressions.
//!
//! A regular expression where a function looks for it is a constant that the intrinsics know. As a
//! value it is a matcher: a function that gives a match with a `next`. Any other function may be one
//! too; then its matches are gathered by a function of the module, once written, and the intrinsics
//! work on the list.

use lockgate_mapping::expression::ir::{Constant, Kind};
use lockgate_model::abi::{self, Op, kind};
use wasm_encoder::{BlockType, ValType};

use super::{
    arguments::{Argument, Given},
    emitter::Emitter,
    functions::FIRST,
    values::HANDLE,
};
use crate::module::{FunctionId, function_params};

/// What is looked for.
enum Token {
    /// A string or a pattern in this local.
    Plain(u32),
    /// What only the run can tell: it may be a function.
    Any(u32),
}

impl<'a> Emitter<'a> {
    /// Pushes the handle of a pattern.
    fn pattern(&mut self, source: &str, flags: &str) {
        let constant = self.m.constant_pattern(source, flags);
        self.too_large |= constant.is_none();
        self.body.ins().i64_const(abi::constant(constant.unwrap_or_default()));
    }

    /// Pushes a regular expression as a function value.
    pub(super) fn matcher(&mut self, source: &str, flags: &str) {
        self.pattern(source, flags);
        let pattern = self.body.stash();
        let next = self.shared("next match", |e| {
            let number = e.next_number();
            e.body.ins().local_get(0).i32_const(number);
            e.body.op(Op::FindNext);
        });
        let number = self.m.number(next);
        let matcher = self.shared("matcher", |e| {
            let pattern = e.held(0);
            e.body.ins().local_get(FIRST).local_get(pattern).i32_const(number as i32);
            e.body.op(Op::Find);
        });
        self.closure(matcher, 1, &[pattern]);
    }

    /// The number of the function that is being written.
    fn next_number(&mut self) -> i32 {
        self.m.shared("next match").map_or(0, |id| self.m.number(id) as i32)
    }

    /// A function of the module that is written when it is first asked for.
    fn shared(&mut self, key: &str, write: impl FnOnce(&mut Self)) -> FunctionId {
        if let Some(id) = self.m.shared(key) {
            return id;
        }
        let id = self.m.share(key, &function_params(), &[ValType::I64]);
        self.shared_function(id, write);
        id
    }

    /// Pushes what a shared function gives for these handles; it takes four at most.
    fn call_shared(&mut self, id: FunctionId, arguments: &[u32], given: &Given<'a>) {
        self.body.ins().i64_const(abi::UNDEFINED).i64_const(abi::UNDEFINED).i32_const(arguments.len() as i32);
        for i in 0..=crate::module::ARGUMENTS {
            self.local_or_undefined(arguments.get(i).copied());
        }
        match given.at {
            Some(at) => self.body.call_at(id, at),
            None => self.body.call(id),
        }
    }

    // --- arguments

    /// Argument `i`, a string or what matches.
    fn token(&mut self, given: &Given<'a>, i: usize) -> Token {
        if let Argument::Expr(expr) = given.get(i) {
            match &expr.kind {
                Kind::Regex(source, flags) => {
                    self.pattern(source, flags);
                    return Token::Plain(self.body.stash());
                }
                Kind::Constant(Constant::Text(_)) => {
                    self.handle(expr);
                    return Token::Plain(self.body.stash());
                }
                _ => {}
            }
        }
        let local = self.argument_local(given.get(i));
        self.accepts(local, "sf");
        self.body.ins().i32_eqz().if_(BlockType::Empty);
        self.fail(410, given.at);
        self.body.ins().end();
        Token::Any(local)
    }

    /// Pushes what `plain` makes with a string or a pattern, or `matched` with a function.
    fn either(&mut self, token: &Token, plain: impl FnOnce(&mut Self, u32), matched: impl FnOnce(&mut Self, u32)) {
        match token {
            Token::Plain(local) => plain(self, *local),
            Token::Any(local) => {
                self.is_function(*local);
                self.body.ins().if_(HANDLE);
                matched(self, *local);
                self.body.ins().else_();
                plain(self, *local);
                self.body.ins().end();
            }
        }
    }

    /// The text of the call, checked, in a local.
    fn subject(&mut self, given: &Given<'a>) -> u32 {
        self.checked_text(given, 0);
        self.body.stash()
    }

    /// A limit in an f64 local, and as a handle.
    fn limit(&mut self, given: &Given<'a>, i: usize) -> (u32, u32) {
        let limit = self.body.local(ValType::F64);
        self.number_argument(given, i);
        self.body.ins().local_tee(limit);
        self.body.op(Op::NewNum);
        (limit, self.body.stash())
    }

    /// A limit that is negative is error `code`, where there is a text.
    fn not_negative(&mut self, limit: u32, text: u32, code: i32, given: &Given<'a>) {
        self.body.ins().local_get(limit).f64_const(0.0.into()).f64_lt();
        self.body.ins().local_get(text).i64_eqz().i32_eqz().i32_and().if_(BlockType::Empty);
        self.fail(code, given.at);
        self.body.ins().end();
    }

    // --- functions

    /// Pushes 1 when the first argument contains the second; the locals hold them.
    pub(super) fn contains(&mut self, given: &Given<'a>) -> (u32, u32) {
        let text = self.subject(given);
        let token = self.token(given, 1);
        let plain = |e: &mut Self, token: u32| {
            e.body.ins().local_get(text).local_get(token);
            e.op(Op::Contains, given.at);
        };
        match token {
            Token::Plain(token) => {
                plain(self, token);
                (text, token)
            }
            Token::Any(token) => {
                let truth = self.body.local(ValType::I32);
                self.is_function(token);
                self.body.ins().if_(BlockType::Empty);
                self.body.ins().local_get(text).i64_eqz().i32_eqz().if_(BlockType::Empty);
                let call = self.prepare(token, given.at);
                self.apply(&call, &[text], given.at);
                self.settle();
                let found = self.body.stash();
                self.check_match(found, given);
                self.body.ins().local_get(found).i64_eqz().i32_eqz().local_set(truth).end();
                self.body.ins().else_();
                plain(self, token);
                self.body.ins().local_set(truth).end().local_get(truth);
                (text, token)
            }
        }
    }

    /// `$split(text, separator, limit)`
    pub(super) fn split(&mut self, given: &Given<'a>) {
        let text = self.subject(given);
        let token = self.token(given, 1);
        let (limit, handle) = self.limit(given, 2);
        self.either(
            &token,
            |e, token| {
                e.body.ins().local_get(text).local_get(token).local_get(limit);
                e.op(Op::Split, given.at);
            },
            |e, token| {
                e.not_negative(limit, text, 3020, given);
                e.gathered(text, token, handle, given);
                let matches = e.body.stash();
                e.body.ins().local_get(text).local_get(matches).local_get(limit);
                e.op(Op::SplitAt, given.at);
            },
        );
    }

    /// `$match(text, pattern, limit)`
    pub(super) fn matches(&mut self, given: &Given<'a>) -> u32 {
        let text = self.subject(given);
        let token = self.token(given, 1);
        let (limit, handle) = self.limit(given, 2);
        match token {
            Token::Plain(pattern) if self.is_regex(given, 1) => {
                self.body.ins().local_get(text).local_get(pattern).local_get(limit);
                self.op(Op::Match, given.at);
            }
            Token::Plain(matcher) | Token::Any(matcher) => {
                self.is_function(matcher);
                self.body.ins().i32_eqz().if_(BlockType::Empty);
                self.fail(410, given.at);
                self.body.ins().end();
                self.not_negative(limit, text, 3040, given);
                self.gathered(text, matcher, handle, given);
                let found = self.body.stash();
                let acc = self.sequence();
                self.each(found, |e, item, _, _| {
                    e.body.op(Op::ObjNew);
                    let object = e.body.stash();
                    for (to, from) in [("match", "match"), ("index", "start"), ("groups", "groups")] {
                        let (to, from) = (e.index(to), e.index(from));
                        e.body.ins().local_get(object).i32_const(to).local_get(item).i32_const(from);
                        e.body.op(Op::ObjCopy);
                    }
                    e.body.ins().local_get(object);
                    e.add(acc, Op::SeqAdd);
                });
                self.close(acc, 0);
            }
        }
        text
    }

    fn is_regex(&self, given: &Given<'a>, i: usize) -> bool {
        matches!(given.get(i), Argument::Expr(expr) if matches!(expr.kind, Kind::Regex(..)))
    }

    /// `$replace(text, pattern, replacement, limit)`
    pub(super) fn replace(&mut self, given: &Given<'a>) {
        let text = self.subject(given);
        // With a function for the replacement, a pattern is a function too.
        let by_text =
            matches!(given.get(2), Argument::Expr(expr) if matches!(expr.kind, Kind::Constant(Constant::Text(_))));
        let token = if by_text || !self.is_regex(given, 1) {
            self.token(given, 1)
        } else {
            Token::Any(self.argument_local(given.get(1)))
        };
        let by = self.argument_local(given.get(2));
        if !by_text {
            // Where there is a text, nothing can stand for what is replaced.
            self.accepts(by, "sf");
            self.body.ins().i32_eqz().local_get(by).i64_eqz().local_get(text).i64_eqz().i32_eqz().i32_and();
            self.body.ins().i32_or().if_(BlockType::Empty);
            self.fail(410, given.at);
            self.body.ins().end();
        }
        let (limit, handle) = self.limit(given, 3);
        self.either(
            &token,
            |e, token| {
                e.body.ins().local_get(text).local_get(token).local_get(by).local_get(limit);
                e.op(Op::Replace, given.at);
            },
            |e, token| {
                e.not_negative(limit, text, 3011, given);
                e.gathered(text, token, handle, given);
                let matches = e.body.stash();
                let parts = e.shared("replacements", Self::replacements);
                e.call_shared(parts, &[matches, by], given);
                let parts = e.body.stash();
                e.body.ins().local_get(text).local_get(matches).local_get(parts);
                e.op(Op::Splice, given.at);
            },
        );
    }

    /// The function that makes a list of what stands for each match of a list, by a text or a
    /// function.
    fn replacements(&mut self) {
        let (matches, by) = (FIRST, FIRST + 1);
        let parts = self.body.list();
        self.each(matches, |e, item, _, _| {
            e.is_function(by);
            e.body.ins().if_(HANDLE);
            let call = e.prepare(by, None);
            e.apply(&call, &[item], None);
            e.settle_always();
            let part = e.body.stash();
            e.body.ins().local_get(part);
            e.body.op(Op::KindOf);
            e.body.ins().i32_const(kind::STRING).i32_ne().if_(BlockType::Empty);
            e.fail(3012, None);
            e.body.ins().end().local_get(part).else_().local_get(item).local_get(by);
            e.body.op(Op::Expand);
            e.body.ins().end();
            e.add(parts, Op::ArrPush);
        });
        self.body.ins().local_get(parts);
    }

    /// Pushes the list of matches that a function gives for a text, as many as the limit.
    fn gathered(&mut self, text: u32, matcher: u32, limit: u32, given: &Given<'a>) {
        let id = self.shared("gathered matches", Self::gather_matches);
        self.call_shared(id, &[text, matcher, limit], given);
    }

    fn gather_matches(&mut self) {
        let (text, matcher, limit_handle) = (FIRST, FIRST + 1, FIRST + 2);
        // Its errors stand at the call.
        let given = &Given { arguments: Vec::new(), at: None };
        let list = self.body.list();
        let limit = self.body.local(ValType::F64);
        self.body.ins().local_get(limit_handle).i32_const(410);
        self.body.op(Op::Num);
        self.body.ins().local_set(limit);
        let count = self.body.local(ValType::F64);
        let next = self.index("next");
        // A limit of nothing asks for nothing; an unknown one is no limit.
        self.body.ins().block(BlockType::Empty);
        self.body.ins().local_get(text).i64_eqz().br_if(0);
        self.body.ins().local_get(limit).f64_const(0.0.into()).f64_le().br_if(0);
        let call = self.prepare(matcher, None);
        self.apply(&call, &[text], None);
        self.settle_always();
        let found = self.body.stash();
        self.body.ins().loop_(BlockType::Empty);
        self.check_match(found, given);
        self.body.ins().local_get(found).i64_eqz().br_if(1);
        self.body.ins().local_get(count).local_get(limit).f64_ge().br_if(1);
        self.body.ins().local_get(list).local_get(found);
        self.body.op(Op::ArrPush);
        self.body.ins().local_get(count).f64_const(1.0.into()).f64_add().local_set(count);
        self.body.ins().local_get(found).i32_const(next);
        self.body.op(Op::Get);
        let function = self.body.stash();
        let call = self.prepare(function, None);
        self.apply(&call, &[], None);
        self.settle_always();
        self.body.ins().local_set(found).br(0).end().end().local_get(list);
    }

    /// A value that is something and no match object is T1010.
    fn check_match(&mut self, found: u32, given: &Given<'a>) {
        let id = self.shared("is match", |e| {
            // One member of the right type is enough, as the standard has it.
            let members =
                [("start", kind::NUMBER), ("end", kind::NUMBER), ("groups", kind::ARRAY), ("next", kind::FUNCTION)];
            e.body.ins().local_get(FIRST).i64_eqz();
            for (name, wanted) in members {
                let k = e.index(name);
                e.body.ins().local_get(FIRST).i32_const(k);
                e.body.op(Op::Get);
                e.body.op(Op::KindOf);
                e.body.ins().i32_const(wanted).i32_eq().i32_or();
            }
            e.truth_to_handle();
        });
        self.call_shared(id, &[found], given);
        self.body.ins().i64_const(abi::constant_node(abi::NODE_FALSE)).i64_eq().if_(BlockType::Empty);
        self.fail(1010, given.at);
        self.body.ins().end();
    }
}
