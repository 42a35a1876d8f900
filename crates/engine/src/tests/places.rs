//! From a trap to the place in the sources, by the byte offsets that the compiler knows.

use std::collections::BTreeMap;

use lockgate_compiler::{Catalog, Project, Sources};
use lockgate_document::Document;
use lockgate_model::{
    Limits, Span, Timestamp,
    abi::{self, FUNCTION_NAME_CHARS_MAX, Op, Place, SourceMap},
};
use wasm_encoder::{BlockType, InstructionSink, ValType};

use super::wasm::{ENGINE, Wasm};
use crate::{Failure, Mocks};

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
    wasm.map = SourceMap {
        sources: vec!["order.flow.yaml".into()],
        lines: vec![vec![8, 4]],
        tokens: vec!["+".into()],
        places,
    };
    wasm
}

#[tokio::test]
async fn the_place_is_that_of_the_intrinsic_that_failed() {
    let failure = failing(true).evaluate("{}", Mocks::default()).await.result.unwrap_err();
    assert_eq!(failure.error.code, "T2001");
    let place = failure.place.unwrap();
    assert_eq!((place.source.as_str(), place.position, place.token.as_deref()), ("order.flow.yaml", 10, Some("+")));
    assert_eq!((place.span, place.line), (Span { start: 10, end: 13 }, Some(2)));
    // What the expression itself says needs no words about where it stands.
    assert_eq!(failure.message, failure.document.unwrap().root().get("detail").as_str().unwrap());
    assert!(!failure.message.contains("/do/0"), "{}", failure.message);
}

#[tokio::test]
async fn a_function_without_places_has_the_place_of_its_caller() {
    let failure = failing(false).evaluate("{}", Mocks::default()).await.result.unwrap_err();
    assert_eq!(failure.place.unwrap().position, 20);
}

/// What a task does.
type Does<'d> = &'d dyn Fn(&mut InstructionSink<'_>);

/// The failure of a module whose only task does this at byte 20, on the third line.
async fn stopped(does: impl Fn(&mut InstructionSink<'_>)) -> Failure {
    let mut wasm = Wasm::new(&[Op::Task]).task("/do/0/shape");
    wasm.function(&[ValType::I32], &[ValType::I32], &[], |e| {
        e.task(0);
        does(&mut e.sink);
        e.sink.i32_const(abi::DONE);
    });
    let place = Place { func: 0, offset: 1, source: 0, span: Span::new(20, 25), position: 0, token: None };
    let (sources, lines) = (vec!["erp-order.map.yaml".into()], vec![vec![8, 4]]);
    wasm.map = SourceMap { sources, lines, tokens: Vec::new(), places: vec![place] };
    wasm.evaluate(r#"{"secret":"4711"}"#, Mocks::default()).await.result.unwrap_err()
}

#[tokio::test]
async fn every_kind_of_trap_tells_its_task_and_line() {
    let divide = |sink: &mut InstructionSink<'_>| {
        sink.i32_const(7).i32_const(0).i32_div_s().drop();
    };
    let spin = |sink: &mut InstructionSink<'_>| {
        sink.loop_(BlockType::Empty).br(0).end();
    };
    let nest = |sink: &mut InstructionSink<'_>| {
        sink.i32_const(0).call(1).drop();
    };
    let convert = |sink: &mut InstructionSink<'_>| {
        sink.f64_const(1e30.into()).i32_trunc_f64_s().drop();
    };
    let unreachable = |sink: &mut InstructionSink<'_>| {
        sink.unreachable();
    };
    let traps: [(&str, &str, Does<'_>); 5] = [
        ("LG-MODULE", "unreachable", &unreachable),
        ("LG-MODULE", "divide by zero", &divide),
        ("LG-MODULE", "integer overflow", &convert),
        ("LG-LIMIT-COST", "cost_max", &spin),
        ("U1001", "nest too deeply", &nest),
    ];
    for (code, what, does) in traps {
        let failure = stopped(does).await;
        assert_eq!((failure.error.code.as_str(), failure.error.task.as_str()), (code, "/do/0/shape"), "{what}");
        let error = failure.document.unwrap();
        let text = |key: &str| error.root().get(key).as_str().unwrap().to_owned();
        assert_eq!((text("instance"), &text("detail")), ("/do/0/shape".to_owned(), &failure.message));
        assert!(failure.message.contains(what), "{}", failure.message);
        assert!(
            failure.message.ends_with("in task `/do/0/shape`, at erp-order.map.yaml line 3"),
            "{}",
            failure.message
        );
        assert!(!failure.message.contains("4711"), "{}", failure.message);
    }
}

/// A flow of one task that calls a mapping, compiled, and its failure.
async fn mapped(task: &str, rule: &str, limits: Limits) -> Failure {
    let name = serde_json::Value::from(task).to_string();
    let flow = format!(
        "document: {{ dsl: '1.0.3', namespace: t, name: f, version: '1.0.0' }}\nevaluate: {{ language: jsonata }}\ndo:\n  - {name}: {{ call: map.sizes:1@default, with: {{ input: '${{ $ }}' }} }}\n"
    );
    let rule = serde_json::Value::from(rule).to_string();
    let map = format!(
        "mapping: sizes\nversion: 1\nsource: {{}}\ntarget: {{}}\nrules:\n  - to: first\n    from: a.b\n  - to: second\n    from: {rule}\n  - to: third\n    from: a.c & \"x\"\n"
    );
    let files = [("project.yaml", "project: t\n"), ("f.flow.yaml", &flow), ("sizes.map.yaml", &map)];
    let sources = Sources(files.map(|(name, text)| (name.to_owned(), text.to_owned())).into());
    let project = Project::parse(&sources).unwrap();
    let compiled = project.compile(&Catalog { connectors: BTreeMap::new() }).unwrap().remove(0);
    let module = ENGINE.load(&compiled.wasm).unwrap();
    let input = Document::parse(br#"{"a":{"b":1,"c":"4711"}}"#, &limits).unwrap();
    let now = Timestamp::from_ms(0);
    ENGINE.evaluate(&module, input, Mocks::default(), limits, now).await.result.unwrap_err()
}

#[tokio::test]
async fn a_trap_in_a_rule_names_the_task_that_calls_the_mapping_and_the_rule() {
    let limits = Limits { cost_max: 10_000_000, ..Limits::default() };
    let rules = [
        ("LG-LIMIT-COST", "($f := function($x) { $f($x + 1) }; $f(1))"),
        ("LG-LIMIT-COST", "$sum([1..10000].($ * 2)) + $sum([1..1000000].($ * 2))"),
        ("U1001", "($f := function($x) { 1 + $f($x + 1) }; $f(1))"),
    ];
    for (code, rule) in rules {
        let failure = mapped("shape", rule, limits).await;
        assert_eq!((failure.error.code.as_str(), failure.error.task.as_str()), (code, "/do/0/shape"), "{rule}");
        assert_eq!(failure.document.unwrap().root().get("instance").as_str(), Some("/do/0/shape"));
        assert!(failure.message.ends_with("in task `/do/0/shape`, at sizes.map.yaml line 9"), "{}", failure.message);
        assert!(!failure.message.contains("4711"), "{}", failure.message);
    }
}

#[tokio::test]
async fn names_of_any_length_and_signs_are_told_short_and_plain() {
    let limits = Limits { cost_max: 1_000_000, ..Limits::default() };
    let endless = "($f := function($x) { $f($x + 1) }; $f(1))";
    for name in ["a\u{1b}[2J\u{7}b", "\u{202e}tros", "ü-名", &"long ".repeat(150)] {
        let failure = mapped(name, endless, limits).await;
        // The pointer is the task's own; what is told of it in words is not.
        assert!(failure.error.task.ends_with(name), "{:?}", failure.error.task);
        let told = failure.message.split_once("in task `").unwrap().1.split_once('`').unwrap().0;
        assert!(told.chars().count() <= FUNCTION_NAME_CHARS_MAX, "{told}");
        assert!(!failure.message.chars().any(|c| c.is_control() || c == '\u{202e}'), "{:?}", failure.message);
        assert!(failure.message.ends_with("at sizes.map.yaml line 9"), "{}", failure.message);
    }
}
