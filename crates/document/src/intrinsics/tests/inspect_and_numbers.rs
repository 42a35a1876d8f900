//! Groups *inspect* and *numbers*.

use super::*;

const VALUES: [(&str, i32, &str); 17] = [
    ("undefined", kind::UNDEFINED, "undefined"),
    ("null", kind::NULL, "false"),
    ("false", kind::BOOLEAN, "false"),
    ("true", kind::BOOLEAN, "true"),
    ("0", kind::NUMBER, "false"),
    ("-0.0", kind::NUMBER, "false"),
    ("0e5", kind::NUMBER, "false"),
    ("0.1", kind::NUMBER, "true"),
    ("1e400", kind::NUMBER, "true"),
    ("\"\"", kind::STRING, "false"),
    ("\"false\"", kind::STRING, "true"),
    ("[]", kind::ARRAY, "false"),
    ("[0]", kind::ARRAY, "false"),
    ("[0,[[1]]]", kind::ARRAY, "true"),
    ("[[],{},null,\"\"]", kind::ARRAY, "false"),
    ("{}", kind::OBJECT, "false"),
    ("{\"a\":null}", kind::OBJECT, "true"),
];

#[test]
fn kinds_and_truth() {
    let mut b = Bench::new();
    for (input, kind, truth) in VALUES {
        let h = b.json(input);
        assert_eq!(b.arena.kind(h), Ok(kind), "{input}");
        assert_eq!(b.arena.truthy(h), Ok(truth == "true"), "{input}");
        let boolean = b.arena.boolean(h);
        assert_eq!(b.shown(boolean), truth, "{input}");
    }
    let function = b.function(1);
    assert_eq!(b.arena.kind(function), Ok(kind::FUNCTION));
    assert_eq!(b.arena.truthy(function), Ok(false));
}

#[test]
fn equality_is_deep_and_exact() {
    let mut b = Bench::new();
    for (x, y, equal) in [
        ("1", "1.0", true),
        ("1", "10e-1", true),
        ("9007199254740993", "9007199254740992", false),
        ("0", "-0", true),
        ("1", "\"1\"", false),
        ("1", "true", false),
        ("null", "null", true),
        ("null", "false", false),
        ("true", "true", true),
        ("true", "false", false),
        ("\"é\"", "\"\\u00e9\"", true),
        ("[1,[2]]", "[1.0,[2e0]]", true),
        ("[1,2]", "[2,1]", false),
        ("[1]", "1", false),
        ("[]", "{}", false),
        (r#"{"a":1,"b":[2]}"#, r#"{"b":[2],"a":1}"#, true),
        (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false),
        (r#"{"a":1}"#, r#"{"b":1}"#, false),
        (r#"{"a":1}"#, r#"{"a":null}"#, false),
    ] {
        let (x_h, y_h) = (b.json(x), b.json(y));
        for (p, q) in [(x_h, y_h), (y_h, x_h)] {
            assert_eq!(b.arena.eq(p, q), Ok(equal), "{x} = {y}");
            assert_eq!(b.arena.ne(p, q), Ok(!equal), "{x} != {y}");
        }
        assert_eq!(b.arena.eq(x_h, Handle::UNDEFINED), Ok(false));
        assert_eq!(b.arena.ne(Handle::UNDEFINED, y_h), Ok(false));
    }
    let (f, g) = (b.function(1), b.function(2));
    assert_eq!(b.arena.eq(f, f), Ok(true));
    assert_eq!(b.arena.eq(f, g), Ok(false));
    // A computed number equals every untouched one with its f64.
    let computed = b.arena.new_num(9_007_199_254_740_992.0).unwrap();
    let odd = b.json("9007199254740993");
    assert_eq!(b.arena.eq(computed, odd), Ok(true));
}

#[test]
fn many_fields_in_another_order_are_equal() {
    let object = |order: &mut dyn Iterator<Item = u32>, odd: u32| {
        let fields: Vec<String> = order.map(|n| format!("\"k{n}\":{}", if n == odd { 0 } else { n + 1 })).collect();
        format!("{{{}}}", fields.join(","))
    };
    let mut b = Bench::new();
    let forwards = b.json(&object(&mut (0..500), 999));
    let backwards = b.json(&object(&mut (0..500).rev(), 999));
    let odd = b.json(&object(&mut (0..500).rev(), 250));
    let other = b.json(&object(&mut (1..501).rev(), 999));
    assert_eq!(b.arena.eq(forwards, backwards), Ok(true));
    assert_eq!(b.arena.eq(forwards, odd), Ok(false));
    assert_eq!(b.arena.eq(forwards, other), Ok(false));
}

#[test]
fn a_string_against_a_constant() {
    let mut b = Bench::new();
    let k = b.key("grün");
    for (input, equal) in [
        ("\"grün\"", true),
        ("\"gr\\u00fcn\"", true),
        ("\"gran\"", false),
        ("\"\"", false),
        ("1", false),
        ("undefined", false),
    ] {
        let h = b.json(input);
        assert_eq!(b.arena.eq_text(h, k), Ok(equal), "{input}");
    }
}

#[test]
fn comparisons_refuse_what_has_no_order() {
    for (x, y, expected) in [
        ("true", "1", "T2010"),
        ("1", "null", "T2010"),
        ("undefined", "[]", "T2010"),
        ("{}", "undefined", "T2010"),
        ("1", "\"1\"", "T2009"),
        ("undefined", "1", "undefined"),
        ("\"a\"", "undefined", "undefined"),
        ("undefined", "undefined", "undefined"),
    ] {
        let mut b = Bench::new();
        let (x_h, y_h) = (b.json(x), b.json(y));
        let result = b.arena.cmp(x_h, y_h, cmp::LT);
        assert_eq!(b.shown(result), expected, "{x} < {y}");
    }
    let mut b = Bench::new();
    let (x, y) = (b.json("1"), b.json("\"secret\""));
    let Err(Fault::Expression(error)) = b.arena.cmp(x, y, cmp::LT) else { panic!() };
    assert_eq!(error.value(), Some("1, \"secret\""));
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn comparisons_of_numbers_and_strings() {
    for (x, y, less, same) in [
        ("1", "2", true, false),
        ("2", "1.5", false, false),
        ("1", "1.0", false, true),
        ("9007199254740992", "9007199254740993", true, false),
        ("-1e400", "1e400", true, false),
        ("\"a\"", "\"b\"", true, false),
        ("\"a\"", "\"ab\"", true, false),
        ("\"Z\"", "\"a\"", true, false),
        ("\"\"", "\"\"", false, true),
        // By UTF-16 code units: a surrogate comes before U+FF5E.
        ("\"😀\"", "\"～\"", true, false),
        ("\"é😀\"", "\"é😁\"", true, false),
    ] {
        let mut b = Bench::new();
        let (x_h, y_h) = (b.json(x), b.json(y));
        for (how, expected) in [(cmp::LT, less), (cmp::LE, less || same), (cmp::GT, !less && !same), (cmp::GE, !less)] {
            assert_eq!(b.arena.cmp(x_h, y_h, how), Ok(Handle::boolean(expected)), "{x} {how} {y}");
        }
    }
}

#[test]
fn membership_is_strict() {
    let mut b = Bench::new();
    for (x, y, expected) in [
        ("undefined", "[1]", false),
        ("1", "undefined", false),
        ("1", "[2,1.0]", true),
        ("1", "1", true),
        ("\"1\"", "[1]", false),
        ("null", "[null]", true),
        ("[1]", "[[1]]", false),
        ("{}", "[{}]", false),
    ] {
        let (x_h, y_h) = (b.json(x), b.json(y));
        assert_eq!(b.arena.in_(x_h, y_h), Ok(expected), "{x} in {y}");
    }
    let list = b.json("[[1],2]");
    let item = b.arena.at(list, 0).unwrap();
    assert_eq!(b.arena.in_(item, list), Ok(true));
}

#[test]
fn numbers_cross_as_f64() {
    let mut b = Bench::new();
    for (input, expected) in [("\"1\"", "T2001"), ("null", "T2001"), ("[1]", "T2001"), ("1e400", "D1001")] {
        let h = b.json(input);
        assert_eq!(code(b.arena.num(h, 2001)), expected, "{input}");
    }
    assert_eq!(code(b.arena.new_num(f64::INFINITY)), "D1001");
    assert_eq!(code(b.arena.new_num(f64::NEG_INFINITY)), "D1001");
    assert!(b.arena.num(Handle::UNDEFINED, 2001).unwrap().is_nan());
    assert_eq!(b.arena.new_num(f64::NAN), Ok(Handle::UNDEFINED));
    for (input, expected) in [
        ("1.50", 1.5),
        ("-0.05", -0.05),
        ("1e2", 100.0),
        ("123456789012345678901", 123456789012345680000.0),
        ("0.1", 0.1),
    ] {
        let h = b.json(input);
        assert_eq!(b.arena.num(h, 2001), Ok(expected));
    }
    let (object, n, s, none) = (b.json(r#"{"n":2.5,"s":"x"}"#), b.key("n"), b.key("s"), b.key("none"));
    assert_eq!(b.arena.get_num(object, n, 2002), Ok(2.5));
    assert_eq!(code(b.arena.get_num(object, s, 2002)), "T2002");
    assert!(b.arena.get_num(object, none, 2002).unwrap().is_nan());
    assert_eq!(b.arena.rem(-7.0, 3.0), Ok(-1.0));
    assert!(b.arena.rem(1.0, 0.0).unwrap().is_nan());
    assert_eq!(b.arena.round(2.345, 2.0), Ok(2.34));
    let zero = b.arena.new_num(-0.0);
    assert_eq!(b.shown(zero), "0");
}

#[test]
fn ranges_refuse_bad_ends() {
    for (from, to, expected) in [
        ("\"a\"", "1", "T2003"),
        ("1.5", "2", "T2003"),
        ("true", "2", "T2003"),
        ("null", "2", "T2003"),
        ("1", "2.5", "T2004"),
        ("1", "{}", "T2004"),
        ("undefined", "\"a\"", "T2004"),
        ("1.5", "\"a\"", "T2003"),
        ("undefined", "1", "undefined"),
        ("1", "undefined", "undefined"),
        ("2", "1", "undefined"),
        ("1", "10000001", "D2014"),
        ("0", "1e300", "D2014"),
        ("9007199254740992", "9007199254740994", "D2014"),
        ("3", "3", "3"),
        ("-1", "2.0", "[-1,0,1,2]"),
        ("-1e1", "-8", "[-10,-9,-8]"),
    ] {
        let mut b = Bench::new();
        let (from_h, to_h) = (b.json(from), b.json(to));
        let result = b.arena.range(from_h, to_h);
        assert_eq!(b.shown(result), expected, "{from}..{to}");
    }
}

#[test]
fn ten_million_numbers_are_one_node_until_they_are_touched() {
    let mut b = Bench::new();
    let (from, to) = (b.json("100"), b.json("10000099"));
    let range = b.arena.range(from, to).unwrap();
    let list = b.arena.arr_new(0).unwrap();
    b.arena.arr_append(list, range).unwrap();
    for h in [range, list] {
        assert_eq!(b.arena.count(h), Ok(1e7));
        assert_eq!(b.arena.len(h), Ok(10_000_000));
        assert_eq!(b.arena.max(h), Ok(10_000_099.0));
        let last = b.arena.index(h, -1.0);
        assert_eq!(b.shown(last), "10000099");
        assert_eq!(b.arena.truthy(h), Ok(true));
        assert_eq!(b.arena.kind(h), Ok(kind::ARRAY));
    }
    assert!(b.arena.bytes_used() < 10_000);
    // Written out they do not fit.
    assert_eq!(b.arena.reverse(list), Err(Fault::ArenaFull));
}

#[test]
fn a_range_is_an_array_like_any_other() {
    let mut b = Bench::new();
    let (one, four) = (b.json("1"), b.json("4"));
    let range = b.arena.range(one, four).unwrap();
    let written = b.json("[1,2,3,4]");
    assert_eq!(b.arena.eq(range, written), Ok(true));
    assert_eq!(b.arena.eq(written, range), Ok(true));
    let text = b.arena.to_string(range, 0);
    assert_eq!(b.shown(text), "\"[1,2,3,4]\"");
    let text = b.arena.to_string(range, 1);
    assert_eq!(b.shown(text), r#""[\n  1,\n  2,\n  3,\n  4\n]""#);
    let third = b.arena.at(range, 2);
    assert_eq!(b.shown(third), "3");
    assert_eq!(b.arena.at(range, 4), Ok(Handle::UNDEFINED));
    assert_eq!(b.arena.selects(range, 3, 9), Ok(1));
    let outer = b.arena.arr_new(0).unwrap();
    b.arena.arr_push(outer, range).unwrap();
    let list = b.arena.arr_new(0).unwrap();
    b.arena.arr_append(list, range).unwrap();
    b.arena.arr_push(list, Handle::TRUE).unwrap();
    b.arena.arr_append(list, range).unwrap();
    assert_eq!(b.show(list), "[1,2,3,4,true,1,2,3,4]");
    assert_eq!(b.show(outer), "[[1,2,3,4]]");
    let acc = b.arena.seq_new().unwrap();
    b.arena.seq_push(acc, range).unwrap();
    let result = b.arena.seq_end(acc, seq::LAST);
    assert_eq!(b.shown(result), "[1,2,3,4]");
}
