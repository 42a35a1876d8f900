use std::collections::BTreeMap;

use lockgate_model::{
    abi::{Header, section},
    diagnostic::Span,
};
use serde_json::{Value, json};
use wasmparser::{KnownCustom, Name, Parser, Payload, Validator, WasmFeatures};

use super::*;

/// The custom sections by name; the module must validate with nothing but the core features.
fn sections(wasm: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let features = WasmFeatures::MUTABLE_GLOBAL | WasmFeatures::FLOATS;
    Validator::new_with_features(features).validate_all(wasm).unwrap();
    let mut found = BTreeMap::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CustomSection(section) = payload.unwrap() {
            found.insert(section.name().to_owned(), section.data().to_vec());
        }
    }
    found
}

fn at(source: u32, token: Option<u32>) -> At {
    At { source, span: Span::new(3, 7), position: 2, token }
}

fn sample() -> Compiled {
    let mut m = ModuleBuilder::new("sample");
    let source = m.source("a.flow.yaml", &Lines::default());
    let token = m.token("+");
    let name = m.constant_text("name");
    assert_eq!((m.constant_text("name"), m.constant_json("1.50")), (name, 1));
    let step = m.declare("step", &[ValType::I32], &[ValType::I32]);
    let helper = m.declare("helper", &[], &[ValType::I64]);
    let mut body = Body::new(1);
    let local = body.local(ValType::F64);
    body.local(ValType::I64);
    body.ins().i32_const(0);
    body.op(Op::Task);
    body.call(helper);
    body.ins().i32_const(2001);
    body.op_at(Op::Num, at(source, Some(token)));
    body.ins().local_set(local).i32_const(0);
    m.define(step, body);
    let mut body = Body::new(0);
    body.ins().i32_const(0);
    body.op(Op::SlotGet);
    body.ins().i32_const(name as i32);
    body.op_at(Op::Get, at(source, None));
    m.define(helper, body);
    let tasks = vec![Task { pointer: "/do/0".to_owned(), handler: None, timeout: None }];
    let frame = Frame { values: 2, ints: 0, input: 0, output: 1 };
    m.finish(step, frame, tasks, Manifest::default()).unwrap()
}

#[test]
fn two_writings_give_the_same_bytes() {
    let (a, b) = (sample(), sample());
    assert_eq!(a, b);
    assert_eq!(a.digest, Digest::of(&a.wasm));
}

#[test]
fn sections_are_canonical_and_say_what_the_module_is() {
    let sections = sections(&sample().wasm);
    let of = |name: &str| String::from_utf8(sections[name].clone()).unwrap();
    let header: Header = serde_json::from_str(&of(section::HEADER)).unwrap();
    assert_eq!((header.abi, header.name.as_str()), (abi::ABI, "sample"));
    assert_eq!(of(section::CONSTS), "[\"name\",1.50]");
    assert_eq!(of(section::FRAME), "{\"input\":0,\"ints\":0,\"output\":1,\"values\":2}");
    assert_eq!(of(section::TASKS), "[{\"pointer\":\"/do/0\"}]");
    assert_eq!(of(section::OPS), "{\"operations\":[],\"runs\":[]}");
}

#[test]
fn a_place_is_where_its_call_stands_in_the_function() {
    let compiled = sample();
    let map: Value = serde_json::from_slice(&sections(&compiled.wasm)[section::MAP]).unwrap();
    assert_eq!((&map["sources"], &map["tokens"]), (&json!(["a.flow.yaml"]), &json!(["+"])));
    let places = map["places"].as_array().unwrap();
    assert_eq!(places.len(), 2);
    let mut functions = Vec::new();
    for payload in Parser::new(0).parse_all(&compiled.wasm) {
        if let Payload::CodeSectionEntry(body) = payload.unwrap() {
            functions.push(body.range());
        }
    }
    for place in places {
        let function = &functions[place[0].as_u64().unwrap() as usize];
        let offset = place[1].as_u64().unwrap() as usize;
        assert_eq!(compiled.wasm[function.start + offset], 0x10, "a call stands there");
    }
}

#[test]
fn imports_are_those_used_in_the_order_of_the_table() {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(&sample().wasm) {
        if let Payload::ImportSection(section) = payload.unwrap() {
            for import in section.into_imports() {
                let import = import.unwrap();
                assert_eq!(import.module, abi::NAMESPACE);
                names.push(import.name.to_owned());
            }
        }
    }
    assert_eq!(names, ["task", "slot_get", "get", "num"]);
}

#[test]
fn a_function_without_a_body_traps_and_function_values_need_no_table() {
    let mut m = ModuleBuilder::new("values");
    let (one, two) =
        (m.declare("one", &function_params(), &[ValType::I64]), m.declare("two", &function_params(), &[ValType::I64]));
    assert_eq!((m.number(one), m.number(two), m.number(one)), (0, 1, 0));
    m.apply();
    let step = m.declare("step", &[ValType::I32], &[ValType::I32]);
    let compiled = m.finish(step, Frame::default(), Vec::new(), Manifest::default()).unwrap();
    sections(&compiled.wasm);
}

/// What the name section says of the module and of its functions.
fn names(wasm: &[u8]) -> (String, BTreeMap<u32, String>) {
    let mut found = (String::new(), BTreeMap::new());
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CustomSection(section) = payload.unwrap() else { continue };
        let KnownCustom::Name(names) = section.as_known() else { continue };
        for name in names {
            match name.unwrap() {
                Name::Module { name, .. } => found.0 = name.to_owned(),
                Name::Function(functions) => {
                    found.1 = functions.into_iter().map(|f| f.unwrap()).map(|f| (f.index, f.name.to_owned())).collect();
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn names_are_those_of_the_modules_own_functions_and_are_plain_and_short() {
    let mut m = ModuleBuilder::new("sample");
    let source = m.source("a.map.yaml", &Lines::of("one\ntwo\n"));
    let step = m.declare("step", &[ValType::I32], &[ValType::I32]);
    let mut body = Body::new(1);
    body.ins().i32_const(0);
    body.op(Op::Task);
    body.ins().i32_const(0);
    m.define(step, body);
    for name in ["a\nb\u{1b}[2J\u{202e}", &format!("/do/0/{}/fetch line 7", "ü".repeat(9_000))] {
        m.of(name.to_owned());
        m.declare(&m.title(source, 5), &[], &[]);
    }
    let compiled = m.finish(step, Frame::default(), Vec::new(), Manifest::default()).unwrap();
    let (module, functions) = names(&compiled.wasm);
    assert_eq!(module, "sample");
    assert_eq!(functions.keys().copied().collect::<Vec<_>>(), [1, 2, 3], "function 0 is imported");
    assert_eq!((functions[&1].as_str(), functions[&2].as_str()), ("step", "a_b_[2J_ line 2"));
    assert_eq!(functions[&3].chars().count(), abi::FUNCTION_NAME_CHARS_MAX);
    assert!(
        functions[&3].starts_with("/do/0/ü") && functions[&3].ends_with("ü/fetch line 7 line 2"),
        "{}",
        functions[&3]
    );
}

#[test]
fn lines_are_told_as_far_as_places_stand_in_them() {
    let mut m = ModuleBuilder::new("sample");
    let text = "one\ntwo\nthree\nfour\n";
    let (file, bare) = (m.source("a", &Lines::of(text)), m.source("b", &Lines::default()));
    m.source("c", &Lines::of(text));
    let step = m.declare("step", &[ValType::I32], &[ValType::I32]);
    let mut body = Body::new(1);
    body.begin_at(At { span: Span::new(9, 10), ..at(file, None) });
    body.begin_at(At { span: Span::new(9, 10), ..at(bare, None) });
    body.ins().i32_const(0);
    m.define(step, body);
    let compiled = m.finish(step, Frame::default(), Vec::new(), Manifest::default()).unwrap();
    let map: Value = serde_json::from_slice(&sections(&compiled.wasm)[section::MAP]).unwrap();
    assert_eq!(map["lines"], json!([[4, 4], [], []]));
}
