//! Code that would be too large is refused, and grows as the text does. What it gives is compared with jq
//! itself in `tests/proof`.

use super::filter_module;

fn size(text: &str) -> usize {
    filter_module(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}")).wasm.len()
}

#[test]
fn what_is_too_large_is_refused() {
    let generators = vec![".[]"; 300].join(", ");
    for text in [
        format!("[{{{}}}]", (0..300).map(|n| format!("a{n}: .[]")).collect::<Vec<_>>().join(", ")),
        format!("[\"{}\"]", "\\(.[])".repeat(300)),
        format!("{{a: [\"{}\"]}}", "\\(1, 2)".repeat(50_000)),
    ] {
        let problems = filter_module(&text).unwrap_err();
        assert_eq!(problems.0[0].code, "LG-EXPR-SIZE");
    }
    assert!(filter_module(&format!("[{generators}]")).is_ok());
}

#[test]
fn a_name_that_nothing_binds_is_refused_at_its_place() {
    let problems = filter_module("1 as $a | (2 as $b | $b) + $b").unwrap_err();
    assert_eq!((problems.0[0].code.as_str(), problems.0[0].span.start), ("LG-FLOW-ARGUMENT", 27));
}

#[test]
fn code_grows_as_the_text_does() {
    for bomb in ["(1, .a) | ", "(.[] // .b) | ", "if .[] then 1, 2 else 3 end | ", "(.[] and .[]) | ", "(.a?, .b) | "] {
        let [small, large] = [10, 60].map(|count| size(&format!("{}.", bomb.repeat(count))));
        assert!(large < small * 10, "{bomb}: {small} to {large}");
    }
    let nested = |count: usize| format!("{}.{}", "((1, 2) + ".repeat(count), ")".repeat(count));
    assert!(size(&nested(60)) < 10 * size(&nested(10)));
}

#[test]
fn modules_are_the_same_each_time() {
    let text = r#"{a: [.x[] | select(.n > 1) | "\(.n) \(.m // "-")"], (.k): (.y, .z)?}"#;
    assert_eq!(filter_module(text).unwrap(), filter_module(text).unwrap());
}
