use wasmparser::{Parser, Payload, Validator, WasmFeatures};

use super::*;

/// The intrinsics a module imports; it must validate.
fn imports(text: &str) -> Vec<String> {
    let module = expression_module(text, false).unwrap();
    valid(text, &module);
    imported(&module)
}

/// The constants of a module, in the order of their use.
fn constants(text: &str) -> String {
    let module = expression_module(text, false).unwrap();
    Parser::new(0)
        .parse_all(&module.wasm)
        .find_map(|payload| match payload.unwrap() {
            Payload::CustomSection(section) if section.name() == "lockgate.consts" => {
                Some(String::from_utf8(section.data().to_vec()).unwrap())
            }
            _ => None,
        })
        .unwrap()
}

fn valid(text: &str, module: &Compiled) {
    let features = WasmFeatures::MUTABLE_GLOBAL | WasmFeatures::FLOATS;
    if let Err(error) = Validator::new_with_features(features).validate_all(&module.wasm) {
        panic!("{text}: {error}");
    }
}

fn imported(module: &Compiled) -> Vec<String> {
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
    let source = m.source("a.flow.yaml", &Lines::default());
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
    let filtered = ["get_each", "get_ne", "len", "at", "get_num", "new_num"];
    assert_eq!(imports("$sum(lines[state != \"off\"].(quantity * price))"), filtered);
    assert_eq!(imports("$sum(order.lines.price)"), ["get_sum", "new_num"]);
    assert_eq!(imports("$max($map(lines, function($l){ $l.a - $l.b }))"), ["get", "len", "at", "get_num", "new_num"]);
    assert_eq!(imports("$max(lines.price)"), ["get", "new_num", "max"]);
}

#[test]
fn objects_and_paths_use_the_shortest_intrinsics() {
    assert_eq!(imports("{\"a\": b, \"c\": d * 2}"), ["get_num", "obj_fill"]);
    assert_eq!(imports("a.b.c"), ["get"]);
    assert_eq!(constants("a.b.c"), r#"[["a","b","c"]]"#);
    assert_eq!(imports("a[0]"), ["get_dyn", "index"]);
    assert_eq!(imports("{\"a\": [1, 2, {\"b\": null}]}"), [""; 0]);
    assert_eq!(imports("a = \"x\" ? 1 : 2"), ["get_eq"]);
}

#[test]
fn a_field_that_is_only_asked_about_is_not_fetched_first() {
    for (text, fused) in [
        ("a ? 1 : 2", "get_truthy"),
        ("a.b = 2 ? 1 : 2", "get_eq"),
        ("true = a ? 1 : 2", "get_eq"),
        ("a != \"x\" ? 1 : 2", "get_ne"),
        ("a >= 1000 ? 1 : 2", "get_cmp"),
    ] {
        assert_eq!(imports(text), [fused], "{text}");
    }
    // Which of the two cannot be compared is said of the first.
    assert_eq!(imports("1000 >= a ? 1 : 2"), ["get", "cmp"]);
    assert_eq!(imports("(a[]) ? 1 : 2"), ["get_kept", "truthy"]);
}

#[test]
fn an_object_is_made_in_one_call_of_constants_fields_and_what_is_computed() {
    let text = r#"{"a": "x", "b": c.d, "e": f * 2, "g": [h, i], "j": {"k": [1, null]}, "l": m[0]}"#;
    let made = ["get", "get_num", "arr_of", "arr_append", "obj_fill"];
    assert_eq!(imports(text).into_iter().filter(|op| made.contains(&op.as_str())).collect::<Vec<_>>(), made);
    let plan = r#"{"a":{"value":"x"},"b":["c","d"],"e":{"number":0},"g":1,"j":{"value":{"k":[1,null]}},"l":2}"#;
    assert!(constants(text).contains(plan), "{}", constants(text));
    // Six arguments to a call.
    let many = |n: usize| {
        let fields: Vec<String> = (0..n).map(|i| format!("\"f{i}\": $uppercase(a)")).collect();
        let constants = constants(&format!("{{{}}}", fields.join(", ")));
        constants.matches("\"f0\":0").count() + constants.matches("\"f6\":0").count()
    };
    assert_eq!((many(6), many(7)), (1, 2));
    assert!(constants("{\"a\": $undefined, \"b\": c}").contains(r#"{"b":["c"]}"#));
    assert!(imports("{a: b}").contains(&"obj_set_dyn".to_owned()));
}

#[test]
fn a_text_of_fields_is_made_in_one_call() {
    assert_eq!(imports("a & \" \" & b.c"), ["get", "concat", "concat_all"]);
    assert!(constants("a & \" \" & b.c").contains(r#"[["a"],{"value":" "},["b","c"]]"#));
    assert_eq!(imports("$uppercase(a) & b"), ["get", "concat", "upper"]);
    assert_eq!(imports("$ & $"), ["concat"]);
}

#[test]
fn a_step_on_one_value_makes_no_sequence_and_a_filter_before_it_none_of_its_own() {
    let one = |text: &str| {
        let names = imported(&expression_module(text, false).unwrap());
        names.iter().filter(|name| *name == "seq_one").count()
    };
    // What gives no array needs not be taken for a list.
    assert_eq!((one("a.{\"b\": c}"), one("a.(b)"), one("a.{\"b\": c}[]")), (0, 1, 1));
    let loops = |text: &str| {
        let module = expression_module(text, false).unwrap();
        valid(text, &module);
        let bodies = Parser::new(0).parse_all(&module.wasm).filter_map(|payload| match payload.unwrap() {
            Payload::CodeSectionEntry(body) => Some(body),
            _ => None,
        });
        let loops = |body: wasmparser::FunctionBody<'_>| {
            let operators = body.get_operators_reader().unwrap().into_iter();
            operators.filter(|o| matches!(o, Ok(wasmparser::Operator::Loop { .. }))).count()
        };
        bodies.map(loops).sum::<usize>()
    };
    for text in [
        "a[b = 1].(c)",
        "a[b != \"x\"][$exists(c)].{\"d\": e}",
        "a.b[c in d and $not(e = f)].(g)",
        "a[$boolean(b)].(c)",
        "a[b = 1].[c]",
        "$sum(a[b = 1].(c * 2))",
    ] {
        assert_eq!(loops(text), 1, "{text}");
    }
    // These may fail, pick by place, or take one array for its items.
    for text in ["a[b > 1].(c)", "a[b].(c)", "a[0][b = 1].(c)", "($x := a; $x[b = 1].(c))", "a[b = c + 1].(c)"] {
        assert!(loops(text) > 1, "{text}");
    }
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
    let source = m.source("f", &Lines::default());
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
