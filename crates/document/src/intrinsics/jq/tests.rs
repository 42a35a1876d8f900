//! Each operation against what the program jq gives, refusals first.

use lockgate_model::Limits;
use lockgate_model::abi::jq::{Operation, SOFT};

use crate::intrinsics::tests::Bench;
use crate::{Fault, Handle};

fn run(b: &mut Bench, operation: i32, given: &[&str]) -> Result<Handle, Fault> {
    let mut handles = given.iter().map(|text| b.json(text)).collect::<Vec<_>>().into_iter();
    let mut next = || handles.next().unwrap_or(Handle::UNDEFINED);
    let (first, second, third) = (next(), next(), next());
    b.arena.jq(operation, first, second, third)
}

fn gives(operation: Operation, given: &[&str]) -> String {
    let mut b = Bench::new();
    let result = run(&mut b, operation as i32, given);
    b.shown(result)
}

#[test]
fn a_number_that_names_no_operation_is_a_defect_of_the_module() {
    let mut b = Bench::new();
    for number in [-1, Operation::ALL.len() as i32, i32::MAX, i32::MIN] {
        assert_eq!(run(&mut b, number, &["1"]), Err(Fault::WrongKind), "{number}");
    }
}

#[test]
fn what_an_operation_does_not_take_is_an_error_that_can_be_caught() {
    use Operation::*;
    let wrong: &[(Operation, &[&str])] = &[
        (Index, &[r#""a""#, r#""a""#]),
        (Index, &["1", r#""a""#]),
        (Index, &["[1]", r#""a""#]),
        (Index, &[r#"{"a":1}"#, "0"]),
        (Index, &["null", "null"]),
        (Index, &["[1]", "[1]"]),
        (Slice, &["{}", "1", "2"]),
        (Slice, &["[1]", r#""a""#, "2"]),
        (Items, &["null"]),
        (Items, &[r#""a""#]),
        (Add, &[r#""a""#, "1"]),
        (Add, &["[1]", "1"]),
        (Add, &["{}", "[]"]),
        (Subtract, &["null", "1"]),
        (Subtract, &[r#""a""#, r#""a""#]),
        (Subtract, &["undefined", "undefined"]),
        (Multiply, &["[1]", "2"]),
        (Multiply, &["{}", "2"]),
        (Divide, &["[1]", "2"]),
        (Remainder, &[r#""a""#, "2"]),
        (Negate, &["null"]),
        (Length, &["true"]),
        (Keys, &["null"]),
        (Keys, &[r#""a""#]),
        (Has, &["{}", "0"]),
        (Has, &["[]", r#""a""#]),
        (Has, &["1", r#""a""#]),
        (Sum, &[r#"[1,"a"]"#]),
        (Sum, &["null"]),
        (ToNumber, &["null"]),
        (ToNumber, &["[1]"]),
        (Join, &["[[1]]", r#"",""#]),
        (Join, &[r#"["a","b"]"#, "1"]),
        (Join, &["null", r#"",""#]),
        (Split, &["1", r#"",""#]),
        (ToEntries, &["1"]),
        (FromEntries, &["[1]"]),
        (FromEntries, &[r#"[{"key":null}]"#]),
        (FromEntries, &[r#"[{"key":[]}]"#]),
    ];
    for (operation, given) in wrong {
        assert_eq!(gives(*operation, given), "LG-JQ-TYPE", "{operation:?} {given:?}");
        let mut b = Bench::new();
        assert_eq!(run(&mut b, *operation as i32 | SOFT, given), Ok(Handle::UNDEFINED), "{operation:?} {given:?}");
    }
    for (operation, given) in [(Divide, &["1", "0"]), (Divide, &["1", "-0.0"]), (Remainder, &["1", "0.5"])] {
        assert_eq!(gives(operation, given), "LG-JQ-VALUE", "{operation:?} {given:?}");
    }
    for text in ["", " 1", "+1", "1 ", "0x1", "nan", "1e", "1e+", ".", "-", "--1", "1.2.3", "1e5e5", "é", "1e999"] {
        assert_eq!(gives(ToNumber, &[&format!("\"{text}\"")]), "LG-JQ-VALUE", "{text}");
    }
    assert_eq!(gives(Multiply, &["1e300", "1e300"]), "D1001");
}

#[test]
fn an_error_says_what_and_on_what_to_the_caller_alone() {
    let mut b = Bench::new();
    let Err(Fault::Expression(error)) = run(&mut b, Operation::Add as i32, &[r#""secret""#, "1"]) else { panic!() };
    assert_eq!(error.message(), r#"LG-JQ-TYPE: a string and a number cannot be added: "secret", 1"#);
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[test]
fn limits_are_no_errors_of_the_expression() {
    let mut b = Bench::under(&Limits { arena_bytes_max: 1 << 16, ..Limits::default() });
    assert_eq!(run(&mut b, Operation::Multiply as i32 | SOFT, &[r#""abc""#, "1e9"]), Err(Fault::ArenaFull));
    assert_eq!(run(&mut b, Operation::Multiply as i32, &[r#""abc""#, "1e300"]), Err(Fault::ArenaFull));
    let mut b = Bench::under(&Limits { cost_max: 20_000, ..Limits::default() });
    let long = format!("[{}0]", "1,".repeat(10_000));
    let list = b.json(&long);
    for operation in [Operation::Recurse, Operation::Sum, Operation::Subtract, Operation::ToEntries] {
        b.arena.set_budget(b.arena.charged() + 9_000);
        assert_eq!(b.arena.jq(operation as i32, list, list, list), Err(Fault::CostExceeded), "{operation:?}");
    }
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let mut b = Bench::new();
    let deep = b.json(&deep);
    b.arena.set_limits(&Limits { depth_max: 50, ..Limits::default() });
    for operation in [Operation::Recurse, Operation::Less, Operation::ToString] {
        assert_eq!(b.arena.jq(operation as i32, deep, deep, deep), Err(Fault::DepthExceeded), "{operation:?}");
    }
}

#[test]
fn navigates() {
    use Operation::*;
    for (operation, given, result) in [
        (Index, &[r#"{"a":[1]}"#, r#""a""#, "null"], "[1]"),
        (Index, &[r#"{"a":[1]}"#, r#""b""#, "null"], "null"),
        (Index, &["null", r#""b""#, "null"], "null"),
        (Index, &["null", "0", "null"], "null"),
        (Index, &["undefined", "0", "null"], "null"),
        (Index, &["[1,2,3]", "-1", "null"], "3"),
        (Index, &["[1,2,3]", "3", "null"], "null"),
        (Index, &["[1,2,3]", "-4", "null"], "null"),
        (Index, &["[1,2,3]", "1e300", "null"], "null"),
        (Slice, &["[1,2,3]", "1", "null"], "[2,3]"),
        (Slice, &["[1,2,3]", "null", "-1"], "[1,2]"),
        (Slice, &["[1,2,3]", "2", "1"], "[]"),
        (Slice, &["[1,2,3]", "-9", "9"], "[1,2,3]"),
        (Slice, &["[1,2,3]", "1.2", "1.2"], "[2]"),
        (Slice, &[r#""aé𝄞x""#, "1", "3"], r#""é𝄞""#),
        (Slice, &[r#""abc""#, "2", "1"], r#""""#),
        (Slice, &["null", "1", "3"], "null"),
        (Items, &[r#"{"b":1,"a":[2]}"#, "null", "null"], "[1,[2]]"),
        (Recurse, &[r#"{"a":[1,{}]}"#, "null", "null"], r#"[{"a":[1,{}]},[1,{}],1,{}]"#),
    ] {
        assert_eq!(gives(operation, given), result, "{operation:?} {given:?}");
    }
}

#[test]
fn computes() {
    use Operation::*;
    for (operation, given, result) in [
        (Add, &["1", "2"], "3"),
        (Add, &["null", "1.10"], "1.10"),
        (Add, &[r#""a""#, r#""b""#], r#""ab""#),
        (Add, &["[1]", "[2]"], "[1,2]"),
        (Add, &[r#"{"a":1,"b":1}"#, r#"{"b":2,"c":3}"#], r#"{"a":1,"b":2,"c":3}"#),
        (Subtract, &["[1,2,1.0,[3]]", "[1,[3]]"], "[2]"),
        (Subtract, &["1", "2"], "-1"),
        (Multiply, &[r#""ab""#, "2"], r#""abab""#),
        (Multiply, &["0.5", r#""ab""#], r#""ab""#),
        (Multiply, &[r#""ab""#, "0"], "null"),
        (
            Multiply,
            &[r#"{"a":{"b":1,"c":1},"d":1}"#, r#"{"a":{"b":2},"d":{"e":3}}"#],
            r#"{"a":{"b":2,"c":1},"d":{"e":3}}"#,
        ),
        (Divide, &["1", "4"], "0.25"),
        (Divide, &[r#""a, b""#, r#"", ""#], r#"["a","b"]"#),
        (Remainder, &["5.9", "-2.1"], "1"),
        (Remainder, &["-5", "3"], "-2"),
        (Remainder, &["-9223372036854775808", "-1"], "0"),
        (Sum, &["[1,2.5]", "null"], "3.5"),
        (Sum, &["[]", "null"], "null"),
        (Sum, &["[1.10]", "null"], "1.10"),
        (Sum, &[r#"{"a":"x","b":null,"c":"y"}"#, "null"], r#""xy""#),
        (Sum, &["[[1],[2],null,[3]]", "null"], "[1,2,3]"),
        (Sum, &[r#"[{"a":1},{"b":2},{"a":3}]"#, "null"], r#"{"a":3,"b":2}"#),
    ] {
        assert_eq!(gives(operation, given), result, "{operation:?} {given:?}");
    }
}

#[test]
fn what_is_added_up_leaves_its_parts_alone() {
    let mut b = Bench::new();
    let list = b.json("[[1],[2],[3]]");
    let sum = b.arena.jq(Operation::Sum as i32, list, Handle::UNDEFINED, Handle::UNDEFINED).unwrap();
    assert_eq!((b.show(sum), b.show(list)), ("[1,2,3]".to_owned(), "[[1],[2],[3]]".to_owned()));
}

#[test]
fn all_values_have_an_order() {
    let values = [
        "null",
        "false",
        "true",
        "-1",
        "0",
        "1.5",
        r#""""#,
        r#""B""#,
        r#""a""#,
        r#""\uffee""#,
        r#""𝄞""#,
        "[]",
        "[0]",
        "[0,1]",
        "[1]",
        "{}",
        r#"{"a":2}"#,
        r#"{"a":1,"b":2}"#,
        r#"{"b":1,"a":2}"#,
        r#"{"a":1,"c":0}"#,
        r#"{"b":0}"#,
    ];
    for (i, a) in values.iter().enumerate() {
        for (j, b) in values.iter().enumerate() {
            assert_eq!(gives(Operation::Less, &[a, b]), (i < j).to_string(), "{a} < {b}");
            assert_eq!(gives(Operation::LessOrEqual, &[a, b]), (i <= j).to_string(), "{a} <= {b}");
        }
    }
}

#[test]
fn inspects_and_converts() {
    use Operation::*;
    for (operation, given, result) in [
        (Length, &["null", "null"], "0"),
        (Length, &["-5", "null"], "5"),
        (Length, &["1.50", "null"], "1.50"),
        (Length, &[r#""é𝄞""#, "null"], "2"),
        (Length, &[r#"{"a":1}"#, "null"], "1"),
        (Keys, &[r#"{"b":1,"a":2}"#, "null"], r#"["a","b"]"#),
        (Keys, &["[7,8]", "null"], "[0,1]"),
        (Has, &[r#"{"a":null}"#, r#""a""#], "true"),
        (Has, &["[1]", "1"], "false"),
        (Has, &["null", "[]"], "false"),
        (Has, &["[1]", "-1"], "false"),
        (Type, &["[1]", "null"], r#""array""#),
        (
            ToString,
            &[r#"{"a":[1.50,12345678901234567890,"x"]}"#, "null"],
            r#""{\"a\":[1.50,12345678901234567890,\"x\"]}""#,
        ),
        (ToString, &[r#""x""#, "null"], r#""x""#),
        (ToNumber, &[r#""-012.50""#, "null"], "-12.50"),
        (ToNumber, &[r#"".5""#, "null"], "0.5"),
        (ToNumber, &[r#""5.""#, "null"], "5"),
        (ToNumber, &[r#""1E+2""#, "null"], "1E+2"),
        (ToNumber, &[r#""12345678901234567890""#, "null"], "12345678901234567890"),
        (Join, &[r#"["a",1,null,true]"#, r#"",""#], r#""a,1,,true""#),
        (Join, &["[]", r#"",""#], r#""""#),
        (Join, &[r#"["a","b"]"#, "null"], r#""ab""#),
        (Join, &["[1.50]", "1"], r#""1.50""#),
        (Split, &[r#""a,b,""#, r#"",""#], r#"["a","b",""]"#),
        (Split, &[r#""ab""#, r#""""#], r#"["a","b"]"#),
        (Split, &[r#""""#, r#"",""#], "[]"),
        (ToEntries, &[r#"{"b":1}"#, "null"], r#"[{"key":"b","value":1}]"#),
        (ToEntries, &["[7]", "null"], r#"[{"key":0,"value":7}]"#),
        (
            FromEntries,
            &[r#"[{"key":"a","value":1},{"k":2,"v":3},{"name":true}]"#, "null"],
            r#"{"a":1,"2":3,"true":null}"#,
        ),
    ] {
        assert_eq!(gives(operation, given), result, "{operation:?} {given:?}");
    }
}
