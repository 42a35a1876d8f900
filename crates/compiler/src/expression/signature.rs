//! A function's own signature: what it makes of the arguments of a call, when the call is made.
//!
//! Parameters take arguments from the left, each one of its letters; a parameter that may be left
//! out is, when what was given is needed further on. Arguments keep their places: what is left out
//! is not skipped, only a context value is put in. That is how the standard's implementation does it.

use lockgate_mapping::expression::ir::{Param, Signature};
use lockgate_model::abi::{self, Op};
use wasm_encoder::{BlockType, ValType};

use super::{
    emitter::Emitter,
    functions::{CONTEXT, COUNT, FIRST, REST},
    values::HANDLE,
};
use crate::module::ARGUMENTS;

/// Locals of the check.
struct Check {
    /// How many arguments the parameters so far have taken.
    taken: u32,
    /// The place of the parameter at hand: one left out keeps its place.
    place: u32,
    /// Arguments that parameters further on cannot do without.
    after: i32,
    /// The argument at hand.
    argument: u32,
}

impl<'a> Emitter<'a> {
    /// Checks the arguments of the function being written and puts in the context for one left out.
    pub(super) fn check_arguments(&mut self, signature: &Signature) {
        let required = signature.params.iter().filter(|p| !p.optional).count();
        let mut check = Check {
            taken: self.body.local(ValType::I32),
            place: self.body.local(ValType::I32),
            after: i32::try_from(required).unwrap_or(i32::MAX),
            argument: self.body.local(ValType::I64),
        };
        for (i, param) in signature.params.iter().enumerate() {
            check.after -= i32::from(!param.optional);
            self.next_accepted(&check, param);
            self.body.ins().if_(BlockType::Empty);
            self.coerce(&check, param, i);
            self.advance_both(&check);
            if param.many {
                self.body.ins().block(BlockType::Empty).loop_(BlockType::Empty);
                self.next_accepted(&check, param);
                self.body.ins().i32_eqz().br_if(1);
                self.coerce(&check, param, i);
                self.advance_both(&check);
                self.body.ins().br(0).end().end();
            }
            self.body.ins().else_();
            if param.context {
                self.insert_context(&check, param);
            } else if param.optional {
                self.advance(check.place);
            } else {
                self.fail(410, None);
            }
            self.body.ins().end();
        }
        self.body.ins().local_get(check.taken).local_get(COUNT).i32_lt_s().if_(BlockType::Empty);
        self.fail(410, None);
        self.body.ins().end();
    }

    fn advance(&mut self, local: u32) {
        self.body.ins().local_get(local).i32_const(1).i32_add().local_set(local);
    }

    fn advance_both(&mut self, check: &Check) {
        self.advance(check.taken);
        self.advance(check.place);
    }

    /// Pushes 1 when the next argument is one for this parameter.
    fn next_accepted(&mut self, check: &Check, param: &Param) {
        self.argument_at(check.taken);
        self.body.ins().local_set(check.argument);
        self.body.ins().local_get(COUNT).local_get(check.taken).i32_sub().i32_const(check.after).i32_gt_s();
        self.accepts(check.argument, &param.letters);
        self.body.ins().i32_and();
    }

    /// Pushes the argument whose number is in a local.
    fn argument_at(&mut self, number: u32) {
        for i in 0..ARGUMENTS as u32 {
            self.body.ins().local_get(number).i32_const(i as i32).i32_eq().if_(HANDLE).local_get(FIRST + i).else_();
        }
        self.body.ins().local_get(number).local_get(COUNT).i32_lt_s().if_(HANDLE);
        self.body.ins().local_get(REST).i32_const(0).local_get(number).i32_const(ARGUMENTS as i32).i32_sub();
        self.body.op(Op::EnvGet);
        self.body.ins().else_().i64_const(abi::UNDEFINED).end();
        for _ in 0..ARGUMENTS {
            self.body.ins().end();
        }
    }

    /// Sets the argument whose number is in a local to the value in another.
    fn set_argument(&mut self, number: u32, value: u32) {
        for i in 0..ARGUMENTS as u32 {
            self.body.ins().local_get(number).i32_const(i as i32).i32_eq().if_(BlockType::Empty);
            self.body.ins().local_get(value).local_set(FIRST + i).end();
        }
    }

    /// Makes the argument at the parameter's place the array that it wants; nothing, when nothing was
    /// taken for it.
    fn coerce(&mut self, check: &Check, param: &Param, i: usize) {
        if !param.array {
            return;
        }
        let wanted = param.items.map_or('a' as i32, |letter| 0x80 | letter as i32);
        self.body.ins().local_get(check.argument).i32_const(wanted).i32_const(i as i32 + 1);
        self.op(Op::Check, None);
        self.body.ins().drop();
        self.argument_at(check.place);
        self.body.ins().i64_const(abi::UNDEFINED).local_get(check.argument).i64_eqz().i32_eqz().select();
        self.body.ins().i32_const(wanted).i32_const(i as i32 + 1);
        self.op(Op::Check, None);
        self.body.ins().local_set(check.argument);
        self.set_argument(check.place, check.argument);
    }

    /// Moves the arguments from the parameter's place on up by one and puts the context there.
    fn insert_context(&mut self, check: &Check, param: &Param) {
        self.body.ins().local_get(CONTEXT).local_set(check.argument);
        self.accepts(check.argument, &param.letters);
        self.body.ins().i32_eqz().if_(BlockType::Empty);
        self.fail(411, None);
        self.body.ins().end();
        for i in (1..ARGUMENTS as u32).rev() {
            self.body.ins().local_get(check.place).i32_const(i as i32).i32_lt_s().if_(BlockType::Empty);
            self.body.ins().local_get(FIRST + i - 1).local_set(FIRST + i).end();
        }
        self.set_argument(check.place, check.argument);
        // Behind a parameter left out there is no argument that moves.
        self.body.ins().local_get(check.taken).local_get(check.place).i32_eq().if_(BlockType::Empty);
        self.advance(check.taken);
        self.advance(COUNT);
        self.body.ins().end();
        self.advance(check.place);
    }
}
