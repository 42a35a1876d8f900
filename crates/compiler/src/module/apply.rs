//! `apply`: the one way to call a function value.
//!
//! `apply(number, fn, context, argc, a0…a3, rest) -> handle`. The number comes from `fn_number` at
//! the call site, so that "not a function" is reported there. Arguments past the fourth stand in
//! `rest`, an environment, else undefined.
//!
//! A call in tail position does not nest: the function leaves the call in globals and returns
//! [`TAIL_CALL`], and the dispatcher goes round again. Other calls nest, and past the limit are
//! error U1001.

use lockgate_model::abi::{Op, TOO_DEEP};
use wasm_encoder::{BlockType, ValType};

use super::{Body, ModuleBuilder};

/// Arguments passed one by one.
pub const ARGUMENTS: usize = 4;
/// The global that counts nested calls.
pub(crate) const DEPTH: &str = "depth";
/// Returned by a function value whose result is that of another call; no handle has these bits.
pub const TAIL_CALL: i64 = -1;

/// Parameters of a function value: environment, context, number of arguments, `a0`…`a3`, rest.
pub fn function_params() -> Vec<ValType> {
    let mut params = vec![ValType::I64, ValType::I64, ValType::I32];
    params.extend([ValType::I64; ARGUMENTS + 1]);
    params
}

pub(super) fn apply_params() -> Vec<ValType> {
    let mut params = vec![ValType::I32];
    params.extend(function_params());
    params
}

/// Parameters of [`apply_params`] by name.
const NUMBER: u32 = 0;
const FUNCTION: u32 = 1;

/// The globals that hold a call in tail position, in the order of `apply`'s parameters.
pub(crate) fn tail_globals(m: &mut ModuleBuilder) -> Vec<u32> {
    let mut globals = vec![
        m.global("tail_number", ValType::I32),
        m.global("tail_function", ValType::I64),
        m.global("tail_context", ValType::I64),
        m.global("tail_count", ValType::I32),
    ];
    for i in 0..ARGUMENTS {
        globals.push(m.global(&format!("tail_{i}"), ValType::I64));
    }
    globals.push(m.global("tail_rest", ValType::I64));
    globals
}

/// The dispatcher over all numbered functions.
pub(super) fn body(m: &mut ModuleBuilder) -> Body {
    let depth = m.global(DEPTH, ValType::I32);
    let tail = tail_globals(m);
    let params = apply_params().len();
    let mut b = Body::new(params);
    let result = b.local(ValType::I64);
    let limit = i32::try_from(m.recursion_max).unwrap_or(i32::MAX);

    b.ins().global_get(depth).i32_const(limit).i32_ge_s().if_(BlockType::Empty);
    b.ins().i32_const(TOO_DEEP);
    b.op(Op::Fail);
    b.ins().unreachable().end();
    b.ins().global_get(depth).i32_const(1).i32_add().global_set(depth);

    b.ins().loop_(BlockType::Empty);
    // One block a function, the last in innermost: the table jumps past the ends of the others.
    let count = u32::try_from(m.numbered.len()).unwrap_or(u32::MAX);
    b.ins().block(BlockType::Empty);
    for _ in 0..count {
        b.ins().block(BlockType::Empty);
    }
    let cases: Vec<u32> = (1..=count).collect();
    b.ins().block(BlockType::Empty).local_get(NUMBER).br_table(cases, 0).end().unreachable();
    for (place, function) in (0u32..).zip(m.numbered.clone()) {
        b.ins().end();
        b.ins().local_get(FUNCTION);
        b.op(Op::FnEnv);
        for i in 2..u32::try_from(params).unwrap_or_default() {
            b.ins().local_get(i);
        }
        b.call(function);
        b.ins().local_set(result).br(count - 1 - place);
    }
    b.ins().end();

    b.ins().local_get(result).i64_const(TAIL_CALL).i64_eq().if_(BlockType::Empty);
    for (param, global) in (0u32..).zip(tail) {
        b.ins().global_get(global).local_set(param);
    }
    b.ins().br(1).end();
    b.ins().end();
    b.ins().global_get(depth).i32_const(1).i32_sub().global_set(depth);
    b.ins().local_get(result);
    b
}
