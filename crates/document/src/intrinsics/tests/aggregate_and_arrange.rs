//! Group *aggregate and arrange*.

use super::*;

#[test]
fn aggregates_refuse_what_is_no_number() {
    let mut b = Bench::new();
    for input in ["\"1\"", "null", "{}", "[1,\"2\"]", "[[1]]", "[null]"] {
        let h = b.json(input);
        assert_eq!(code(b.arena.sum(h)), "T0412", "{input}");
        assert_eq!(code(b.arena.max(h)), "T0412", "{input}");
        assert_eq!(code(b.arena.min(h)), "T0412", "{input}");
        assert_eq!(code(b.arena.average(h)), "T0412", "{input}");
    }
}

#[test]
fn aggregates_of_lists() {
    let none = f64::NAN;
    for (input, sum, count, max, min, average) in [
        ("undefined", none, 0.0, none, none, none),
        ("[]", 0.0, 0.0, none, none, none),
        ("5", 5.0, 1.0, 5.0, 5.0, 5.0),
        ("[1,2.5,-4]", -0.5, 3.0, 2.5, -4.0, -0.5 / 3.0),
        ("[0.1,0.2]", 0.1 + 0.2, 2.0, 0.2, 0.1, (0.1 + 0.2) / 2.0),
    ] {
        let mut b = Bench::new();
        let h = b.json(input);
        for (result, expected) in [
            (b.arena.sum(h), sum),
            (b.arena.count(h), count),
            (b.arena.max(h), max),
            (b.arena.min(h), min),
            (b.arena.average(h), average),
        ] {
            let result = result.unwrap();
            assert!(result == expected || (result.is_nan() && expected.is_nan()), "{input}: {result} {expected}");
        }
    }
    let mut b = Bench::new();
    let h = b.json("[\"a\",null,[]]");
    assert_eq!(b.arena.count(h), Ok(3.0));
}

#[test]
fn keys_of_objects_and_lists() {
    for (input, expected) in [
        ("undefined", "undefined"),
        ("5", "undefined"),
        ("{}", "undefined"),
        ("[]", "undefined"),
        (r#"{"a":1}"#, "\"a\""),
        (r#"{"b":1,"a":2}"#, r#"["b","a"]"#),
        (r#"[{"b":1},{"a":2,"b":3},5,[{"c":1}]]"#, r#"["b","a","c"]"#),
        (r#"{"\n\"":1,"x":2}"#, r#"["\n\"","x"]"#),
    ] {
        let mut b = Bench::new();
        let h = b.json(input);
        let result = b.arena.keys(h);
        assert_eq!(b.shown(result), expected, "{input}");
    }
}

#[test]
fn merging_objects() {
    for (input, expected) in [
        ("1", "T0412"),
        ("[{},1]", "T0412"),
        ("[null]", "T0412"),
        ("undefined", "undefined"),
        ("[]", "{}"),
        (r#"{"a":1}"#, r#"{"a":1}"#),
        (r#"[{"a":1,"b":2},{"b":3,"c":4}]"#, r#"{"a":1,"b":3,"c":4}"#),
    ] {
        let mut b = Bench::new();
        let h = b.json(input);
        let result = b.arena.merge(h);
        assert_eq!(b.shown(result), expected, "{input}");
        assert_eq!(b.show(h), input, "the sources stay");
    }
}

#[test]
fn appending() {
    for (x, y, expected) in [
        ("undefined", "undefined", "undefined"),
        ("undefined", "[1]", "[1]"),
        ("1", "undefined", "1"),
        ("1", "2", "[1,2]"),
        ("[1]", "[2,[3]]", "[1,2,[3]]"),
        ("[]", "[]", "[]"),
        ("[]", "1", "[1]"),
    ] {
        let mut b = Bench::new();
        let (x_h, y_h) = (b.json(x), b.json(y));
        let result = b.arena.append(x_h, y_h);
        assert_eq!(b.shown(result), expected, "{x} {y}");
        assert_eq!((b.show(x_h), b.show(y_h)), (x.to_owned(), y.to_owned()));
    }
}

#[test]
fn sorting() {
    for (input, expected) in [
        ("[1,\"a\"]", "D3070"),
        ("[null,1]", "D3070"),
        ("[[2],[1]]", "D3070"),
        ("[true,false]", "D3070"),
        ("undefined", "undefined"),
        ("5", "[5]"),
        ("[]", "[]"),
        ("[{}]", "[{}]"),
        ("[3,1,2]", "[1,2,3]"),
        ("[1.0,1,1e0,0]", "[0,1.0,1,1e0]"),
        ("[9007199254740993,9007199254740992,-1]", "[-1,9007199254740992,9007199254740993]"),
        ("[\"b\",\"a\",\"\",\"B\"]", r#"["","B","a","b"]"#),
        ("[\"～\",\"😀\",\"é\"]", r#"["é","😀","～"]"#),
    ] {
        let mut b = Bench::new();
        let h = b.json(input);
        let result = b.arena.sort(h);
        assert_eq!(b.shown(result), expected, "{input}");
        assert_eq!(b.show(h), input, "the list stays");
    }
}

#[test]
fn one_computed_number_makes_sorting_a_matter_of_f64() {
    let mut b = Bench::new();
    let list = b.json("[9007199254740993,9007199254740992,1]");
    let list = b.arena.arr_copy(list).unwrap();
    let computed = b.arena.new_num(9_007_199_254_740_992.0).unwrap();
    b.arena.arr_push(list, computed).unwrap();
    let sorted = b.arena.sort(list);
    assert_eq!(b.shown(sorted), "[1,9007199254740993,9007199254740992,9007199254740992]");
}

#[test]
fn distinct_values() {
    for (input, expected) in [
        ("undefined", "undefined"),
        ("5", "5"),
        ("[]", "[]"),
        ("[1]", "[1]"),
        ("[1,1.0,\"1\",1e0]", "[1,\"1\"]"),
        (r#"[{"a":1,"b":2},{"b":2,"a":1},[1],[1],null,null]"#, r#"[{"a":1,"b":2},[1],null]"#),
        ("[9007199254740993,9007199254740992]", "[9007199254740993,9007199254740992]"),
    ] {
        let mut b = Bench::new();
        let h = b.json(input);
        let result = b.arena.distinct(h);
        assert_eq!(b.shown(result), expected, "{input}");
    }
    // A sequence stays one, and so unwraps when a single item is left.
    let mut b = Bench::new();
    let sequence = b.sequence(&["1", "1"], 0);
    let result = b.arena.distinct(sequence);
    assert_eq!(b.shown(result), "1");
}

#[test]
fn many_values_are_told_apart_by_hash() {
    let mut b = Bench::new();
    let pieces = ["{\"a\":[N],\"b\":0}", "N", "\"N\"", "[N.0]", "{\"b\":0,\"a\":[N.0]}", "N.0", "[null,N]", "Ne0"];
    let all: Vec<String> = (0..400).map(|n| pieces[n % 8].replace('N', &(n / 8 % 25).to_string())).collect();
    let list = b.json(&format!("[{}]", all.join(",")));
    let few = b.arena.distinct(list).unwrap();
    // Per number: the object, the number, its string, its array, the array with null.
    assert_eq!(b.arena.len(few), Ok(25 * 5));
    assert!(b.show(few).starts_with(r#"[{"a":[0],"b":0},0,"0",[0.0],[null,0],{"a":[1],"b":0}"#));
}

#[test]
fn reversing() {
    for (input, expected) in
        [("undefined", "undefined"), ("5", "[5]"), ("[]", "[]"), ("[1]", "[1]"), ("[1,[2],3]", "[3,[2],1]")]
    {
        let mut b = Bench::new();
        let h = b.json(input);
        let result = b.arena.reverse(h);
        assert_eq!(b.shown(result), expected);
    }
}
