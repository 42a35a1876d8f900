use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use super::*;

/// The intrinsics a module imports; it must validate.
fn imports(text: &str) -> Vec<String> {
    let module = expression_module(text, false).unwrap();
    let features = WasmFeatures::MUTABLE_GLOBAL | WasmFeatures::FLOATS;
    if let Err(error) = Validator::new_with_features(features).validate_all(&module.wasm) {
        panic!("{text}: {error}");
    }
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(&module.wasm) {
        if let Payload::ImportSection(section) = payload.unwrap() {
            names.extend(section.into_imports().map(|import| import.unwrap().name.to_owned()));
        }
    }
    let frame = ["task", "slot_get", "slot_set", "fail", "kind", "seq_new", "seq_add", "seq_end"];
    names.retain(|name| !frame.contains(&name.as_str()));
    names
}

#[test]
fn a_refusal_stands_where_the_expression_stands_in_its_file() {
    let mut m = ModuleBuilder::new("m");
    let source = m.source("a.flow.yaml");
    let e = Expression::parse("a + $eval(b, c)").unwrap();
    for compile in [compile_expression, compile_condition] {
        let problems = compile(&mut m, &e, source, 100, &NoNames).unwrap_err().0;
        assert_eq!((problems[0].code.as_str(), problems[0].span), ("LG-EXPR-EVAL", Span::new(104, 109)));
    }
}

#[test]
fn a_call_with_too_many_arguments_is_a_valid_module() {
    for text in ["$single(a, function($f, $w) { $w }, b)", "$reduce(a, function($x, $y, $i) { $i }, b, c)"] {
        imports(text);
    }
}

#[test]
fn numbers_are_not_boxed_on_the_way() {
    assert_eq!(imports("quantity * unitPrice * (1 - discountPct / 100)"), ["get_num", "new_num"]);
    assert_eq!(imports("($net := a * b; $tax := $net * 0.2; $net + $tax > 10)"), ["get_num"]);
    assert_eq!(imports("$floor($abs(a) / 2)"), ["get_num", "new_num"]);
}

#[test]
fn an_aggregate_of_computed_numbers_builds_no_list() {
    assert_eq!(imports("$sum(lines.(quantity * price))"), ["get_step", "len", "at", "get_num", "new_num"]);
    assert_eq!(imports("$max($map(lines, function($l){ $l.a - $l.b }))"), ["get", "len", "at", "get_num", "new_num"]);
    assert!(imports("$sum(lines.price)").contains(&"sum".to_owned()));
}

#[test]
fn objects_and_paths_use_the_shortest_intrinsics() {
    assert_eq!(imports("{\"a\": b, \"c\": d * 2}"), ["get_num", "obj_new", "obj_set_num", "obj_copy"]);
    assert_eq!(imports("a.b.c"), ["get", "get_step"]);
    assert_eq!(imports("a[0]"), ["get_dyn", "index"]);
    assert_eq!(imports("{\"a\": [1, 2, {\"b\": null}]}"), [""; 0]);
    assert_eq!(imports("a = \"x\" ? 1 : 2"), ["get", "eq_text"]);
}

#[test]
fn a_literal_function_is_written_into_the_loop_and_a_value_is_called() {
    assert!(!imports("$map(a, function($x){ $x * 2 })").contains(&"fn_new".to_owned()));
    assert!(imports("$map(a, $uppercase)").contains(&"fn_new".to_owned()));
    assert!(imports("($f := function($n){ $n < 1 ? 0 : $f($n - 1) }; $f(3))").contains(&"env_new".to_owned()));
}

#[test]
fn slots_are_read_by_name() {
    struct One;
    impl Scope for One {
        fn slot(&self, name: &str) -> Option<u32> {
            (name == "line").then_some(7)
        }
    }
    let mut m = ModuleBuilder::new("m");
    let source = m.source("f");
    let e = Expression::parse("$line.price * $count($other)").unwrap();
    compile_expression(&mut m, &e, source, 0, &One).unwrap();
    compile_condition(&mut m, &e, source, 0, &One).unwrap();
}

#[test]
fn the_deepest_expression_compiles_on_a_worker_threads_stack() {
    let deepest = |open: &str, close: &str| {
        let text = |n: usize| format!("{}a{}", open.repeat(n), close.repeat(n));
        (1..400).map(text).take_while(|t| Expression::parse(t).is_ok()).last().unwrap()
    };
    let texts = [
        deepest("(", ")"),
        deepest("[", "]"),
        deepest("", " + b"),
        deepest("", ".b"),
        deepest("a[", "]"),
        deepest("function($x){", "}"),
        deepest("$f(", ")"),
        deepest("a ? ", " : 1"),
        deepest("$map(", ", function($x){$x})"),
    ];
    let check = move || texts.iter().for_each(|text| drop(imports(text)));
    std::thread::Builder::new().stack_size(2 << 20).spawn(check).unwrap().join().unwrap();
}

#[test]
fn an_expression_larger_than_an_engine_takes_is_refused() {
    let text = format!("[{}1]", "$f(a),".repeat(30_000));
    assert_eq!(expression_module(&text, false).unwrap_err().0[0].code, "LG-EXPR-SIZE");
    let lifted = format!("function($f){{{text}}}");
    assert_eq!(expression_module(&lifted, false).unwrap_err().0[0].code, "LG-EXPR-SIZE");
}

#[test]
fn every_form_validates() {
    for text in [
        "a[b = 1].c",
        "a.(b; c)",
        "*.a",
        "**",
        "a[]",
        "$sort(a, function($l, $r){ $l > $r })",
        "$sort(a, $f)",
        "$reduce(a, function($x, $y){ $x + $y }, 0)",
        "a ~> $uppercase ~> $trim()",
        "$uppercase ~> $trim",
        "$substring(?, 1)",
        "$f(1, 2, 3, 4, 5, 6)",
        "function($a, $b, $c, $d, $e)<n+s-a<n>:n>{ $e }",
        "$contains(a, \"x\") ? 1",
        "[1..3].($ * 2)",
        "{a: b, \"c\": $}",
        "{\"a\": 1, \"a\": 2}",
        "$append(1)",
        "a.{\"x\": function(){ $ }}",
        "($x := a; $x ?? b ?: c)",
        "$map(a, function($v){ $keys($v) })",
        "$not($boolean(a)) and $exists(b) or c in d",
    ] {
        imports(text);
    }
}
