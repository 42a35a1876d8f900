//! From a trap to the place in the sources, by the byte offsets that the compiler knows.

use lockgate_model::{
    Span,
    abi::{self, Op, Place, SourceMap},
};
use wasm_encoder::ValType;

use super::wasm::Wasm;
use crate::Mocks;

/// Function 0 fails when called; `step`, function 1, calls it, then would fail itself.
fn failing(inner_place: bool) -> Wasm {
    let mut wasm = Wasm::new(&[Op::Task, Op::Fail, Op::SlotGet]).task("/do/0");
    let mut offsets = (0, 0);
    wasm.function(&[], &[], &[ValType::I64], |e| {
        e.i32(0).op(Op::SlotGet);
        e.sink.drop();
        e.i32(2001).op(Op::Fail);
    });
    let inner = (wasm.ops.len() + wasm.functions.len() - 1) as u32;
    wasm.function(&[ValType::I32], &[ValType::I32], &[], |e| {
        e.task(0);
        e.sink.call(inner);
        e.i32(2002).op(Op::Fail);
        e.sink.i32_const(abi::DONE);
    });
    // Locals take 3 bytes (one group of one i64) or 1 (none); a constant 2 or 3; a call 2.
    // i32.const 0, call slot_get, drop, i32.const 2001, then the failing call.
    offsets.0 += 3 + 2 + 2 + 1 + 3;
    // i32.const 0, call task, then the call of the inner function.
    offsets.1 += 1 + 2 + 2;
    let place = |func, offset, position, token| Place {
        func,
        offset,
        source: 0,
        span: Span { start: position, end: position + 3 },
        position,
        token,
    };
    let mut places = vec![place(1, offsets.1, 20, None), place(1, offsets.1 + 2, 30, None)];
    if inner_place {
        places.splice(0..0, [place(0, 3, 5, None), place(0, offsets.0, 10, Some(0))]);
    }
    wasm.map = SourceMap { sources: vec!["order.flow.yaml".into()], tokens: vec!["+".into()], places };
    wasm
}

#[tokio::test]
async fn the_place_is_that_of_the_intrinsic_that_failed() {
    let failure = failing(true).evaluate("{}", Mocks::default()).await.result.unwrap_err();
    assert_eq!(failure.error.code, "T2001");
    let place = failure.place.unwrap();
    assert_eq!((place.source.as_str(), place.position, place.token.as_deref()), ("order.flow.yaml", 10, Some("+")));
    assert_eq!(place.span, Span { start: 10, end: 13 });
}

#[tokio::test]
async fn a_function_without_places_has_the_place_of_its_caller() {
    let failure = failing(false).evaluate("{}", Mocks::default()).await.result.unwrap_err();
    assert_eq!(failure.place.unwrap().position, 20);
}
