//! Groups *build* and *functions*.

use super::*;

#[test]
fn nothing_is_built_on_what_cannot_change() {
    let mut b = Bench::new();
    b.arena.set_constants(Arc::new(Constants::parse(br#"[[1],{"a":1},"a"]"#).unwrap()));
    let wrong = Err(Fault::WrongKind);
    assert_eq!(b.arena.arr_push(Handle::constant(0), Handle::NULL), wrong);
    assert_eq!(b.arena.arr_append(Handle::constant(0), Handle::constant(0)), wrong);
    assert_eq!(b.arena.arr_put(Handle::constant(0), 0, Handle::NULL), wrong);
    assert_eq!(b.arena.obj_set(Handle::constant(1), 2, Handle::NULL), wrong);
    assert_eq!(b.arena.obj_set(Handle::UNDEFINED, 2, Handle::NULL), wrong);
    assert_eq!(b.arena.obj_set(Handle::NULL, 2, Handle::NULL), wrong);
    assert_eq!(b.arena.env_set(Handle::NULL, 0, Handle::NULL), wrong);
    let object = b.arena.obj_new().unwrap();
    assert_eq!(b.arena.obj_set(object, 1, Handle::NULL), wrong);
}

#[test]
fn arrays_grow() {
    let mut b = Bench::new();
    let list = b.arena.arr_new(0).unwrap();
    let (one, pair) = (b.json("1"), b.json("[2,3]"));
    b.arena.arr_push(list, Handle::UNDEFINED).unwrap();
    b.arena.arr_append(list, Handle::UNDEFINED).unwrap();
    b.arena.arr_push(list, pair).unwrap();
    b.arena.arr_append(list, pair).unwrap();
    b.arena.arr_append(list, one).unwrap();
    assert_eq!(b.show(list), "[[2,3],2,3,1]");
    b.arena.arr_append(list, list).unwrap();
    assert_eq!(b.show(list), "[[2,3],2,3,1,[2,3],2,3,1]");
    let copy = b.arena.arr_copy(list).unwrap();
    b.arena.arr_put(copy, 1, Handle::NULL).unwrap();
    assert_eq!(b.arena.arr_put(copy, 8, Handle::NULL), Err(Fault::WrongKind));
    assert_eq!(b.arena.arr_put(copy, -1, Handle::NULL), Err(Fault::WrongKind));
    assert_eq!(b.show(copy), "[[2,3],null,3,1,[2,3],2,3,1]");
    assert_eq!(b.show(list), "[[2,3],2,3,1,[2,3],2,3,1]");
    let single = b.arena.arr_copy(one);
    assert_eq!(b.shown(single), "[1]");
    let none = b.arena.arr_copy(Handle::UNDEFINED);
    assert_eq!(b.shown(none), "[]");
}

#[test]
fn a_list_is_cut_into_batches() {
    let mut b = Bench::new();
    let (list, one) = (b.json("[1,[2],3,4,5]"), b.json("7"));
    for (list, n, size, batch) in [
        (list, 0, 2, "[1,[2]]"),
        (list, 2, 2, "[5]"),
        (list, 3, 2, "undefined"),
        (list, -1, 2, "undefined"),
        (list, i64::MAX, 2, "undefined"),
        (list, 0, u32::MAX, "[1,[2],3,4,5]"),
        (one, 0, 3, "[7]"),
        (Handle::UNDEFINED, 0, 3, "undefined"),
    ] {
        let given = b.arena.batch(list, n, size);
        assert_eq!(b.shown(given), batch, "batch {n} of {size}");
    }
}

#[test]
fn items_of_constants_and_other_regions_are_appended() {
    let mut b = Bench::new();
    b.arena.set_constants(Arc::new(Constants::parse(b"[[1,2,3]]").unwrap()));
    let scratch = b.arena.open_region(b.arena.input_region()).unwrap();
    let input = b.json("[4,5]");
    b.arena.enter(scratch);
    let list = b.arena.arr_new(0).unwrap();
    for _ in 0..3 {
        b.arena.arr_append(list, Handle::constant(0)).unwrap();
        b.arena.arr_append(list, input).unwrap();
    }
    assert_eq!(b.show(list), "[1,2,3,4,5,1,2,3,4,5,1,2,3,4,5]");
}

#[test]
fn objects_take_fields_in_order() {
    let mut b = Bench::new();
    let (a, c, d) = (b.key("a"), b.key("c"), b.key("d"));
    let source = b.json(r#"{"a":[1],"b":2}"#);
    let object = b.arena.obj_new().unwrap();
    b.arena.obj_copy(object, c, source, a).unwrap();
    b.arena.obj_copy(object, d, source, d).unwrap();
    b.arena.obj_set(object, a, Handle::UNDEFINED).unwrap();
    b.arena.obj_set_num(object, a, 1.5).unwrap();
    b.arena.obj_set_num(object, d, f64::NAN).unwrap();
    assert_eq!(code(b.arena.obj_set_num(object, d, f64::INFINITY)), "D1001");
    assert_eq!(b.show(object), r#"{"c":[1],"a":1.5}"#);
    b.arena.obj_set(object, c, Handle::TRUE).unwrap();
    assert_eq!(b.show(object), r#"{"c":true,"a":1.5}"#);
}

#[test]
fn what_is_no_plan_makes_nothing() {
    let mut b = Bench::new();
    let constants = br#"["a",[],[0],{"a":6},{"a":-1},{"a":0.5},{"a":"b"},{"a":[]},{"a":{"number":"0"}},
        {"a":{"number":6}},{"a":{"other":0}},{"a":{"value":1,"number":0}},{"a":null},{"a":[1]},{"a":0}]"#;
    b.arena.set_constants(Arc::new(Constants::parse(constants).unwrap()));
    let fill = |b: &mut Bench, o, k| b.arena.obj_fill(o, k, Handle::NULL, 0, 0, 0, 0, 0, 0);
    for k in [0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 99, u32::MAX] {
        assert_eq!(fill(&mut b, Handle::UNDEFINED, k), Err(Fault::WrongKind), "{k}");
        assert_eq!(b.arena.concat_all(k, Handle::NULL, 0, 0, 0), Err(Fault::WrongKind), "{k}");
    }
    // A path of what are no names.
    assert_eq!(fill(&mut b, Handle::UNDEFINED, 13), Err(Fault::WrongKind));
    assert_eq!(b.arena.get(Handle::NULL, 1), Err(Fault::WrongKind));
    assert_eq!(b.arena.get(Handle::NULL, 2), Err(Fault::WrongKind));
    for o in [Handle::NULL, Handle::constant(14)] {
        b.arena.obj_fill(o, 14, Handle::NULL, Handle::TRUE.raw(), 0, 0, 0, 0, 0).unwrap_err();
    }
}

#[test]
fn an_object_is_filled_by_a_plan() {
    let mut b = Bench::new();
    let constants =
        br#"[{"c":["a"],"d":["b","e"],"n":{"number":1},"h":0,"v":{"value":{"x":[1.0]}},"no":["z"]},{"c":2,"i":5},{}]"#;
    b.arena.set_constants(Arc::new(Constants::parse(constants).unwrap()));
    let source = b.json(r#"{"a":[1],"b":[{"e":2},{"e":[3]}]}"#);
    let given = |x: f64, h: Handle| [h.raw(), x.to_bits().cast_signed()];
    let [h, n] = given(1.5, Handle::TRUE);
    let object = b.arena.obj_fill(Handle::UNDEFINED, 0, source, h, n, 0, 0, 0, 0).unwrap();
    assert_eq!(b.show(object), r#"{"c":[1],"d":[2,3],"n":1.5,"h":true,"v":{"x":[1.0]}}"#);
    let same = b.arena.obj_fill(object, 1, source, 0, 0, Handle::NULL.raw(), 0, 0, Handle::FALSE.raw()).unwrap();
    assert_eq!(
        (same, b.show(same)),
        (object, r#"{"c":null,"d":[2,3],"n":1.5,"h":true,"v":{"x":[1.0]},"i":false}"#.to_owned())
    );
    let [_, nan] = given(f64::NAN, Handle::NULL);
    let object = b.arena.obj_fill(Handle::UNDEFINED, 0, Handle::NULL, 0, nan, 0, 0, 0, 0).unwrap();
    assert_eq!(b.show(object), r#"{"v":{"x":[1.0]}}"#);
    let [_, infinite] = given(f64::INFINITY, Handle::NULL);
    assert_eq!(code(b.arena.obj_fill(Handle::UNDEFINED, 0, Handle::NULL, 0, infinite, 0, 0, 0, 0)), "D1001");
    let empty = b.arena.obj_fill(Handle::UNDEFINED, 2, source, 0, 0, 0, 0, 0, 0).unwrap();
    assert_eq!(b.show(empty), "{}");
    // What a call does is charged for, however much it is.
    let before = b.arena.charged();
    b.arena.obj_fill(Handle::UNDEFINED, 0, source, h, n, 0, 0, 0, 0).unwrap();
    assert!(b.arena.charged() - before >= 12);
}

#[test]
fn fields_of_many_plans_stand_apart_and_objects_grow_on() {
    let mut b = Bench::new();
    b.arena.set_constants(Arc::new(Constants::parse(br#"[{"a":0,"b":1},{"c":0},"d"]"#).unwrap()));
    let fill = |b: &mut Bench, o, k| b.arena.obj_fill(o, k, Handle::NULL, Handle::TRUE.raw(), 0, 0, 0, 0, 0).unwrap();
    let (first, second) = (fill(&mut b, Handle::UNDEFINED, 0), fill(&mut b, Handle::UNDEFINED, 0));
    fill(&mut b, first, 1);
    b.arena.obj_set(second, 2, Handle::NULL).unwrap();
    fill(&mut b, first, 0);
    assert_eq!((b.show(first), b.show(second)), (r#"{"a":true,"c":true}"#.into(), r#"{"a":true,"d":null}"#.into()));
}

#[test]
fn an_array_of_one_value_is_what_appending_it_gives() {
    for input in ["undefined", "1", "[]", "[1,[2]]", "[[1]]", "{}"] {
        let mut b = Bench::new();
        let h = b.json(input);
        let appended = b.arena.arr_new(0).unwrap();
        b.arena.arr_append(appended, h).unwrap();
        let of = b.arena.arr_of(h, 0).unwrap();
        assert_eq!(b.show(of), b.show(appended), "{input}");
    }
}

#[test]
fn computed_keys_are_strings_and_come_once() {
    let mut b = Bench::new();
    let object = b.arena.obj_new().unwrap();
    for key in ["1", "null", "[\"a\"]", "undefined"] {
        let key = b.json(key);
        assert_eq!(code(b.arena.obj_set_dyn(object, key, Handle::TRUE)), "T1003");
    }
    let key = b.json("\"a\"");
    b.arena.obj_set_dyn(object, key, Handle::UNDEFINED).unwrap();
    b.arena.obj_set_dyn(object, key, Handle::TRUE).unwrap();
    assert_eq!(code(b.arena.obj_set_dyn(object, key, Handle::FALSE)), "D1009");
    assert_eq!(code(b.arena.obj_set_dyn(object, key, Handle::UNDEFINED)), "D1009");
    assert_eq!(b.show(object), r#"{"a":true}"#);
}

#[test]
fn an_object_outlives_the_region_its_keys_were_made_in() {
    let mut b = Bench::new();
    let frame = b.arena.open_region(b.arena.input_region()).unwrap();
    let scratch = b.arena.open_region(frame).unwrap();
    b.arena.enter(frame);
    let object = b.arena.obj_new().unwrap();
    b.arena.enter(scratch);
    let key = b.arena.new_text("key").unwrap();
    b.arena.obj_set_dyn(object, key, Handle::TRUE).unwrap();
    b.arena.clear_region(scratch);
    b.arena.new_text("xxxxxxxx").unwrap();
    assert_eq!(b.show(object), r#"{"key":true}"#);
}

#[test]
fn interleaved_building_keeps_everything_apart() {
    let mut b = Bench::new();
    let keys: Vec<u32> = (0..40).map(|n| b.key(&format!("k{n}"))).collect();
    let objects: Vec<Handle> = (0..5).map(|_| b.arena.obj_new().unwrap()).collect();
    for (n, key) in keys.iter().enumerate() {
        for (o, object) in objects.iter().enumerate() {
            b.arena.obj_set_num(*object, *key, (n * 10 + o) as f64).unwrap();
        }
    }
    for (o, object) in objects.iter().enumerate() {
        let fields: Vec<String> = (0..40).map(|n| format!("\"k{n}\":{}", n * 10 + o)).collect();
        assert_eq!(b.show(*object), format!("{{{}}}", fields.join(",")));
    }
}

#[test]
fn environments_hold_variables_by_place() {
    let mut b = Bench::new();
    assert_eq!(b.arena.env_new(Handle::UNDEFINED, -1), Err(Fault::WrongKind));
    let outer = b.arena.env_new(Handle::UNDEFINED, 2).unwrap();
    let inner = b.arena.env_new(outer, 1).unwrap();
    assert_eq!(b.arena.env_get(inner, 1, 1), Ok(Handle::UNDEFINED));
    b.arena.env_set(outer, 1, Handle::TRUE).unwrap();
    b.arena.env_set(inner, 0, Handle::FALSE).unwrap();
    assert_eq!(b.arena.env_get(inner, 1, 1), Ok(Handle::TRUE));
    assert_eq!(b.arena.env_get(inner, 0, 0), Ok(Handle::FALSE));
    for (up, i) in [(0, 1), (0, -1), (1, 2), (2, 0), (0, i32::MAX), (i32::MAX, 0)] {
        assert_eq!(b.arena.env_get(inner, up, i), Err(Fault::WrongKind), "{up} {i}");
    }
    assert_eq!(b.arena.env_set(inner, 1, Handle::TRUE), Err(Fault::WrongKind));
    assert_eq!(b.arena.env_set(inner, -1, Handle::TRUE), Err(Fault::WrongKind));
}

#[test]
fn functions_know_number_arity_and_environment() {
    let mut b = Bench::new();
    let env = b.arena.env_new(Handle::UNDEFINED, 1).unwrap();
    let function = b.arena.fn_new(7, 3, env).unwrap();
    // A function may stand in its own environment: printing and comparing do not follow it.
    b.arena.env_set(env, 0, function).unwrap();
    assert_eq!(b.arena.fn_number(function), Ok(7));
    assert_eq!(b.arena.fn_arity(function), Ok(3));
    assert_eq!(b.arena.fn_env(function), Ok(env));
    assert_eq!(b.show(function), "\"\"");
    assert_eq!(b.arena.eq(function, function), Ok(true));
    for other in ["1", "undefined", "{}"] {
        let other = b.json(other);
        assert_eq!(code(b.arena.fn_number(other)), "T1006");
        assert_eq!(code(b.arena.fn_arity(other)), "T1006");
        assert_eq!(code(b.arena.fn_env(other)), "T1006");
    }
    assert_eq!(b.arena.fn_new(-1, 0, env), Err(Fault::WrongKind));
    assert_eq!(b.arena.fn_new(0, 70_000, env), Err(Fault::WrongKind));
}

#[test]
fn arguments_have_types() {
    let mut b = Bench::new();
    let array_of = |letter: u8| 0x80 | i32::from(letter);
    for (input, wanted, expected) in [
        ("1", i32::from(b's'), "T0410"),
        ("\"x\"", i32::from(b'n'), "T0410"),
        ("null", i32::from(b'o'), "T0410"),
        ("[1]", i32::from(b'n'), "T0410"),
        ("1", i32::from(b'f'), "T0410"),
        ("[1,\"a\"]", array_of(b'n'), "T0412"),
        ("\"a\"", array_of(b'n'), "T0412"),
        ("[[1]]", array_of(b'n'), "T0412"),
        ("undefined", i32::from(b's'), "undefined"),
        ("undefined", array_of(b's'), "undefined"),
        ("\"x\"", i32::from(b's'), "\"x\""),
        ("1", i32::from(b'n'), "1"),
        ("true", i32::from(b'b'), "true"),
        ("null", i32::from(b'l'), "null"),
        ("{}", i32::from(b'o'), "{}"),
        ("[1]", i32::from(b'a'), "[1]"),
        ("1", i32::from(b'a'), "[1]"),
        ("1", i32::from(b'x'), "1"),
        ("1", i32::from(b'j'), "1"),
        ("1", array_of(b'n'), "[1]"),
        ("[]", array_of(b'n'), "[]"),
        ("[1,2]", array_of(b'n'), "[1,2]"),
        ("[1,\"a\"]", array_of(b'x'), "[1,\"a\"]"),
    ] {
        let h = b.json(input);
        let result = b.arena.check(h, wanted, 2);
        assert_eq!(b.shown(result), expected, "{input} {wanted}");
    }
    let function = b.function(1);
    assert_eq!(b.arena.check(function, b'f'.into(), 1), Ok(function));
    assert_eq!(b.arena.check(function, b'x'.into(), 1), Ok(function));
    assert_eq!(code(b.arena.check(function, b'j'.into(), 1)), "T0410");
    let Err(Fault::Expression(error)) = b.arena.check(Handle::TRUE, b's'.into(), 2) else { panic!() };
    assert_eq!((error.argument(), error.value()), (Some(2), Some("true")));
}
