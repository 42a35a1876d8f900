//! Groups *navigate* and *sequences*.

use super::*;

#[test]
fn stale_and_foreign_handles_are_refused() {
    let mut b = Bench::new();
    let k = b.key("a");
    let nowhere = Handle::from_raw(0x0007_0002_0000_0001);
    assert_eq!(b.arena.get(nowhere, k), Err(Fault::StaleHandle));
    assert_eq!(b.arena.len(Handle::from_raw(9)), Err(Fault::StaleHandle));
    assert_eq!(b.arena.at(Handle::from_raw(-1), 0), Err(Fault::StaleHandle));
    assert_eq!(b.arena.seq_push(nowhere, Handle::NULL), Err(Fault::StaleHandle));
    assert_eq!(b.arena.seq_push(Handle::NULL, Handle::NULL), Err(Fault::WrongKind));
    assert_eq!(b.arena.seq_end(Handle::UNDEFINED, 0), Err(Fault::WrongKind));
    assert_eq!(b.arena.get(Handle::NULL, 99), Err(Fault::WrongKind));
    let object = b.arena.obj_new().unwrap();
    assert_eq!(b.arena.arr_push(object, Handle::NULL), Err(Fault::WrongKind));
}

#[test]
fn get_is_the_last_step_of_a_path() {
    for (input, expected) in [
        ("undefined", "undefined"),
        ("null", "undefined"),
        ("\"a\"", "undefined"),
        ("1", "undefined"),
        ("{}", "undefined"),
        (r#"{"a":null}"#, "null"),
        (r#"{"a":1}"#, "1"),
        (r#"{"a":[]}"#, "[]"),
        (r#"{"a":[1]}"#, "[1]"),
        (r#"{"a":[[1,2]]}"#, "[[1,2]]"),
        ("[]", "undefined"),
        (r#"[{"b":1}]"#, "undefined"),
        (r#"[{"a":1}]"#, "1"),
        (r#"[{"a":1},{"b":2},3,null,{"a":2}]"#, "[1,2]"),
        (r#"[{"a":[1]}]"#, "[1]"),
        (r#"[{"a":[1,2]},{"a":3}]"#, "[1,2,3]"),
        (r#"[{"a":[1]},{"b":0}]"#, "[1]"),
        (r#"[{"a":[[1]]},{"a":2}]"#, "[[1],2]"),
        (r#"[{"a":[]},{"a":[]}]"#, "undefined"),
        (r#"[{"a":[]}]"#, "[]"),
        (r#"[{"a":[]},{"a":[5]}]"#, "5"),
        (r#"[[{"a":1}],[{"a":2},{"a":[3,4]}]]"#, "[1,2,3,4]"),
        (r#"[[{"a":[1,2]}]]"#, "[1,2]"),
        (r#"[[{"a":[1]}]]"#, "1"),
        (r#"[[{"a":[[1]]}]]"#, "[1]"),
        (r#"[[[{"a":1}]]]"#, "1"),
    ] {
        let mut b = Bench::new();
        let (h, k) = (b.json(input), b.key("a"));
        let result = b.arena.get(h, k);
        assert_eq!(b.shown(result), expected, "{input}.a");
    }
}

#[test]
fn a_path_is_its_steps_and_what_is_asked_about_a_field_is_asked_about_get() {
    let inputs = [
        "undefined",
        "null",
        r#"{"a":{"b":1}}"#,
        r#"{"a":[{"b":[1]},{"b":[[2]]}]}"#,
        r#"[{"a":{"b":[1,2]}}]"#,
        r#"{"a":[[{"b":3}]]}"#,
        r#"{"a":[{"b":"x"},null,{"b":[]}]}"#,
        r#"{"a":{"b":"x"}}"#,
        r#"{"a":[{"b":[]}]}"#,
    ];
    for input in inputs {
        let mut b = Bench::new();
        b.arena.set_constants(Arc::new(Constants::parse(br#"["a","b",["a","b"],"x",1]"#).unwrap()));
        let (a, last, path, x) = (0, 1, 2, Handle::constant(3));
        let h = b.json(input);
        let inner = b.arena.get_step(h, a).unwrap();
        let (value, whole) = (b.arena.get(inner, last).unwrap(), b.arena.get(h, path));
        assert_eq!(b.shown(whole), b.show(value), "{input}");
        let (step, whole) = (b.arena.get_step(inner, last), b.arena.get_step(h, path));
        assert_eq!(b.shown(whole), b.shown(step), "{input}");
        assert_eq!(b.arena.get_truthy(h, path), b.arena.truthy(value), "{input}");
        for other in [x, Handle::constant(4), Handle::UNDEFINED] {
            assert_eq!(b.arena.get_eq(h, path, other), b.arena.eq(value, other), "{input}");
            assert_eq!(b.arena.get_ne(h, path, other), b.arena.ne(value, other), "{input}");
            for how in [cmp::LT, cmp::GE] {
                assert_eq!(b.arena.get_cmp(h, path, other, how), b.arena.cmp(value, other, how), "{input}");
            }
        }
        let (sum, fused) = (b.arena.sum(value), b.arena.get_sum(h, path));
        assert_eq!(fused.map(f64::to_bits), sum.map(f64::to_bits), "{input}");
    }
}

#[test]
fn items_to_be_filtered_are_those_of_each_context_in_turn() {
    let field = [r#"[1,2]"#, "[[1,2]]", "[]", "3", "null", "[[]]", "[[[1]],2]"];
    let mut inputs: Vec<String> = field.iter().map(|value| format!(r#"{{"a":{value}}}"#)).collect();
    for (first, second) in field.iter().flat_map(|a| field.map(|b| (a, b))) {
        inputs.push(format!(r#"[{{"a":{first}}},{{"a":{second}}}]"#));
        inputs.push(format!(r#"[[{{"a":{first}}},{{"a":{second}}}],4,{{"b":1}}]"#));
    }
    inputs.extend(["[]", "{}", "undefined", "[[[]]]"].map(str::to_owned));
    for (input, made) in inputs.iter().flat_map(|input| [(input, 0), (input, array::CONS), (input, array::SEQUENCE)]) {
        let mut b = Bench::new();
        let (a, h) = (b.key("a"), b.json(input));
        if b.arena.view(h).get("a").kind() == crate::Kind::Array {
            // As a constructed array, and as a sequence.
            let value = b.arena.get(h, a).unwrap();
            let value = b.arena.arr_of(value, made).unwrap();
            b.arena.obj_set(h, a, value).unwrap();
        }
        let (list, key) = (b.arena.seq_new().unwrap(), b.json("\"a\""));
        for context in 0..b.arena.len(h).unwrap() {
            let context = b.arena.at(h, context).unwrap();
            let value = b.arena.get_dyn(context, key).unwrap();
            for i in 0..b.arena.len(value).unwrap() {
                let item = b.arena.at(value, i).unwrap();
                b.arena.seq_add(list, item).unwrap();
            }
        }
        let list = b.arena.seq_end(list, seq::INNER).unwrap();
        let each = b.arena.get_each(h, a).unwrap();
        let all = |b: &mut Bench, h| {
            let count = b.arena.len(h).unwrap();
            let items: Vec<Handle> = (0..count).map(|i| b.arena.at(h, i).unwrap()).collect();
            items.into_iter().map(|item| b.show(item)).collect::<Vec<_>>()
        };
        assert_eq!(all(&mut b, each), all(&mut b, list), "{input} {made}");
    }
}

#[test]
fn a_sequence_of_one_result_is_what_its_three_calls_give() {
    let results = ["undefined", "1", "{}", "[]", "[1]", "[1,2]", "[[1]]"];
    for flags in [0, seq::LAST, seq::INNER, seq::KEEP, seq::KEEP | seq::LAST] {
        for (made, input) in
            [(-1, "1"), (0, "1"), (array::CONS, "1"), (array::SEQUENCE, "1"), (array::SEQUENCE, "[1,2]")]
                .into_iter()
                .chain(results.map(|input| (-1, input)))
        {
            let mut b = Bench::new();
            let mut h = b.json(input);
            if made >= 0 {
                h = b.arena.arr_of(h, made).unwrap();
            }
            let acc = b.arena.seq_new().unwrap();
            assert_eq!(b.arena.seq_next(acc, h, h, 0), b.arena.at(h, 0));
            let (three, one) = (b.arena.seq_end(acc, flags), b.arena.seq_one(h, flags));
            assert_eq!(b.shown(one), b.shown(three), "{input} {made} {flags}");
        }
    }
}

#[test]
fn items_tells_one_value_from_a_list_of_one() {
    for (input, items) in
        [("undefined", 0), ("null", -1), ("\"\"", -1), ("{}", -1), ("[]", 0), ("[[]]", 1), ("[1,2]", 2)]
    {
        let mut b = Bench::new();
        let h = b.json(input);
        assert_eq!(b.arena.items(h), Ok(items), "{input}");
    }
    let mut b = Bench::new();
    let (from, to) = (b.json("1"), b.json("4"));
    let range = b.arena.range(from, to).unwrap();
    assert_eq!(b.arena.items(range), Ok(4));
}

#[test]
fn get_unwraps_a_sequence_that_an_object_holds() {
    let mut b = Bench::new();
    let k = b.key("a");
    for (flags, items, from_object, from_list) in [
        (seq::KEEP, &["1"][..], "[1]", "1"),
        (0, &["1"], "1", "1"),
        (0, &[], "undefined", "undefined"),
        (0, &["1", "2"], "[1,2]", "[1,2]"),
    ] {
        let value = b.sequence(items, flags);
        let object = b.arena.obj_new().unwrap();
        b.arena.obj_set(object, k, value).unwrap();
        let result = b.arena.get(object, k);
        assert_eq!(b.shown(result), from_object);
        // In a list the kept one flows into the new sequence and is its only item.
        let list = b.arena.arr_new(0).unwrap();
        b.arena.arr_push(list, object).unwrap();
        let result = b.arena.get(list, k);
        assert_eq!(b.shown(result), from_list);
    }
}

#[test]
fn get_step_keeps_apart_what_the_next_step_walks() {
    for (input, expected) in [
        (r#"{"a":1}"#, "1"),
        (r#"{"a":[]}"#, "undefined"),
        (r#"{"a":[1]}"#, "1"),
        (r#"{"a":[[1,2]]}"#, "[[1,2]]"),
        (r#"{"a":[1,[2]]}"#, "[1,[2]]"),
        (r#"[{"a":[[1,2]]}]"#, "[[1,2]]"),
        (r#"[{"a":1},{"a":[2]}]"#, "[1,2]"),
        (r#"[{"a":[]}]"#, "undefined"),
        ("5", "undefined"),
    ] {
        let mut b = Bench::new();
        let (h, k) = (b.json(input), b.key("a"));
        let result = b.arena.get_step(h, k);
        assert_eq!(b.shown(result), expected, "{input}.a.");
    }
}

#[test]
fn an_array_that_was_constructed_is_one_result() {
    let mut b = Bench::new();
    let k = b.key("a");
    let (one, two) = (b.json("1"), b.json("2"));
    let cons = b.arena.arr_new(array::CONS).unwrap();
    b.arena.arr_push(cons, one).unwrap();
    b.arena.arr_push(cons, two).unwrap();
    let object = b.arena.obj_new().unwrap();
    b.arena.obj_set(object, k, cons).unwrap();
    let list = b.arena.arr_new(0).unwrap();
    b.arena.arr_push(list, object).unwrap();
    b.arena.arr_push(list, object).unwrap();
    let last = b.arena.get(list, k);
    assert_eq!(b.shown(last), "[[1,2],[1,2]]");
    let step = b.arena.get_step(object, k);
    assert_eq!(b.shown(step), "[[1,2]]");
}

#[test]
fn look_up_with_a_computed_key() {
    for (input, key, expected) in [
        (r#"{"a":1}"#, "7", "T0410"),
        (r#"{"a":1}"#, "undefined", "undefined"),
        (r#"{"a":1}"#, "\"b\"", "undefined"),
        (r#"{"a":[1]}"#, "\"a\"", "[1]"),
        (r#"[{"a":[1]}]"#, "\"a\"", "1"),
        (r#"[{"a":[1]},[{"a":2}],3]"#, "\"a\"", "[1,2]"),
        ("5", "\"a\"", "undefined"),
    ] {
        let mut b = Bench::new();
        let (h, key) = (b.json(input), b.json(key));
        let result = b.arena.get_dyn(h, key);
        assert_eq!(b.shown(result), expected, "{input}");
    }
}

#[test]
fn big_objects_are_looked_up_by_index_wherever_they_came_from() {
    let mut b = Bench::new();
    let fields: Vec<String> = (0..1_000).map(|n| format!("\"key{n}\":{n}")).collect();
    let parsed = b.json(&format!("{{{}}}", fields.join(",")));
    let built = b.arena.obj_new().unwrap();
    for n in 0..1_000 {
        let (key, value) = (b.json(&format!("\"key{n}\"")), b.json(&n.to_string()));
        b.arena.obj_set_dyn(built, key, value).unwrap();
    }
    for object in [parsed, built] {
        for n in [0, 1, 23, 24, 25, 500, 999] {
            let key = b.json(&format!("\"key{n}\""));
            let result = b.arena.get_dyn(object, key);
            assert_eq!(b.shown(result), n.to_string());
        }
        let missing = b.json("\"key1000\"");
        assert_eq!(b.arena.get_dyn(object, missing), Ok(Handle::UNDEFINED));
    }
    assert_eq!(b.arena.eq(parsed, built), Ok(true));
    let key = b.json("\"key500\"");
    assert_eq!(code(b.arena.obj_set_dyn(built, key, key)), "D1009");
}

#[test]
fn wildcard_takes_all_values() {
    for (input, expected) in [
        ("undefined", "undefined"),
        ("5", "undefined"),
        ("{}", "undefined"),
        (r#"{"a":1}"#, "1"),
        (r#"{"a":1,"b":null}"#, "[1,null]"),
        (r#"{"a":[]}"#, "[]"),
        (r#"{"a":[1]}"#, "[1]"),
        (r#"{"a":[[1,[2]],{"b":[3]}],"c":4}"#, r#"[1,2,{"b":[3]},4]"#),
        ("[1,[2,[3]]]", "[1,2,3]"),
        ("[1]", "1"),
    ] {
        let mut b = Bench::new();
        let h = b.json(input);
        let result = b.arena.wildcard(h);
        assert_eq!(b.shown(result), expected, "{input}.*");
    }
}

#[test]
fn descend_takes_everything_below() {
    for (input, expected) in [
        ("undefined", "undefined"),
        ("[]", "undefined"),
        ("5", "5"),
        ("[[5]]", "5"),
        (r#"{"a":1}"#, r#"[{"a":1},1]"#),
        (r#"[{"a":[1,{"b":2}]},null]"#, r#"[{"a":[1,{"b":2}]},1,{"b":2},2,null]"#),
    ] {
        let mut b = Bench::new();
        let h = b.json(input);
        let result = b.arena.descend(h);
        assert_eq!(b.shown(result), expected, "{input}.**");
    }
}

#[test]
fn items_by_place() {
    let mut b = Bench::new();
    let list = b.json("[10,[20],30]");
    let single = b.json("7");
    for (h, len) in [(list, 3), (single, 1), (Handle::UNDEFINED, 0), (Handle::NULL, 1)] {
        assert_eq!(b.arena.len(h), Ok(len));
    }
    let none = "undefined";
    for (h, i, expected) in [(list, 1, "[20]"), (list, 3, none), (list, -1, none), (single, 0, "7"), (single, 1, none)]
    {
        let result = b.arena.at(h, i);
        assert_eq!(b.shown(result), expected);
    }
    for (h, n, expected) in [
        (list, 0.0, "10"),
        (list, 1.9, "[20]"),
        (list, -1.0, "30"),
        (list, -0.5, "30"),
        (list, -4.0, none),
        (list, 3.0, none),
        (list, f64::NAN, none),
        (list, 1e300, none),
        (single, 0.0, "7"),
        (single, -1.0, "7"),
        (single, 1.0, none),
        (Handle::UNDEFINED, 0.0, none),
    ] {
        let result = b.arena.index(h, n);
        assert_eq!(b.shown(result), expected, "[{n}]");
    }
}

#[test]
fn predicates_select_by_place_or_truth() {
    for (result, i, n, count) in [
        ("undefined", 0, 3, 0),
        ("null", 0, 3, 0),
        ("true", 2, 3, 1),
        ("\"\"", 0, 3, 0),
        ("0", 0, 3, 1),
        ("0", 1, 3, 0),
        ("1.9", 1, 3, 1),
        ("-1", 2, 3, 1),
        ("-0.5", 2, 3, 1),
        ("[0,2]", 2, 3, 1),
        ("[1,1]", 1, 3, 2),
        ("[]", 0, 3, 0),
        ("[1,true]", 0, 3, 1),
        ("[0,false]", 0, 3, 0),
        ("{\"a\":1}", 1, 3, 1),
    ] {
        let mut b = Bench::new();
        let h = b.json(result);
        assert_eq!(b.arena.selects(h, i, n), Ok(count), "[{result}] at {i} of {n}");
    }
}

/// Pushes results as a step does and closes the sequence.
fn step(b: &mut Bench, results: &[&str], flags: i32) -> String {
    let acc = b.arena.seq_new().unwrap();
    for result in results {
        let h = b.json(result);
        b.arena.seq_push(acc, h).unwrap();
    }
    let result = b.arena.seq_end(acc, flags);
    b.shown(result)
}

#[test]
fn a_step_flattens_its_results() {
    let mut b = Bench::new();
    let none = "undefined";
    for (results, last, inner, kept) in [
        (&[][..], none, "[]", none),
        (&["undefined"], none, "[]", none),
        (&["1"], "1", "[1]", "[1]"),
        (&["[]"], "[]", "[]", "[]"),
        (&["[1]"], "[1]", "[1]", "[1]"),
        (&["[[1,2]]"], "[[1,2]]", "[[1,2]]", "[[1,2]]"),
        (&["1", "[2,3]"], "[1,2,3]", "[1,2,3]", "[1,2,3]"),
        (&["[1]", "[]"], "1", "[1]", "[1]"),
        (&["[]", "[5]"], "5", "[5]", "[5]"),
        (&["[]", "[]"], none, "[]", none),
        (&["[[1]]", "[[2]]"], "[[1],[2]]", "[[1],[2]]", "[[1],[2]]"),
    ] {
        assert_eq!(step(&mut b, results, seq::LAST), last, "{results:?} last");
        assert_eq!(step(&mut b, results, seq::INNER), inner, "{results:?} inner");
        assert_eq!(step(&mut b, results, seq::LAST | seq::KEEP), kept, "{results:?} kept");
    }
}

#[test]
fn a_sequence_as_only_result_flattens_even_at_the_end() {
    let mut b = Bench::new();
    let inner = b.sequence(&["[1,2]"], seq::KEEP);
    let acc = b.arena.seq_new().unwrap();
    b.arena.seq_push(acc, inner).unwrap();
    let result = b.arena.seq_end(acc, seq::LAST);
    assert_eq!(b.shown(result), "[1,2]");
}

#[test]
fn added_items_stay_as_they_are() {
    let mut b = Bench::new();
    let (list, one) = (b.json("[1,2]"), b.json("1"));
    let acc = b.arena.seq_new().unwrap();
    b.arena.seq_add(acc, list).unwrap();
    b.arena.seq_add(acc, Handle::UNDEFINED).unwrap();
    let single = b.arena.seq_end(acc, 0);
    assert_eq!(b.shown(single), "[1,2]");
    b.arena.seq_add(acc, one).unwrap();
    let both = b.arena.seq_end(acc, 0);
    assert_eq!(b.shown(both), "[[1,2],1]");
    // An array as first result is flattened when an item is added behind it.
    let acc = b.arena.seq_new().unwrap();
    b.arena.seq_push(acc, list).unwrap();
    b.arena.seq_add(acc, list).unwrap();
    let mixed = b.arena.seq_end(acc, seq::LAST);
    assert_eq!(b.shown(mixed), "[1,2,[1,2]]");
}

#[test]
fn keep_holds_a_single_item_in_its_array() {
    let mut b = Bench::new();
    for (input, expected) in
        [("undefined", "undefined"), ("1", "[1]"), ("[]", "[]"), ("[1]", "[1]"), ("null", "[null]")]
    {
        let h = b.json(input);
        let result = b.arena.keep(h);
        assert_eq!(b.shown(result.clone()), expected);
        let again = result.and_then(|h| b.arena.keep(h));
        assert_eq!(b.shown(again), expected);
    }
    let empty = b.sequence(&[], 0);
    assert_eq!(b.arena.keep(empty), Ok(Handle::UNDEFINED));
    let one = b.sequence(&["1"], 0);
    let kept = b.arena.keep(one);
    assert_eq!(b.shown(kept), "[1]");
    let cons = b.arena.arr_new(array::CONS).unwrap();
    let kept = b.arena.keep(cons);
    assert_eq!(b.shown(kept), "[[]]");
}

#[test]
fn a_sequence_pushed_into_itself_ends() {
    let mut b = Bench::new();
    let acc = b.arena.seq_new().unwrap();
    b.arena.seq_push(acc, acc).unwrap();
    b.arena.seq_push(acc, acc).unwrap();
    b.arena.seq_add(acc, Handle::NULL).unwrap();
    b.arena.seq_push(acc, acc).unwrap();
    let result = b.arena.seq_end(acc, 0).unwrap();
    assert_eq!(b.show(result), "[null,null]");
}
