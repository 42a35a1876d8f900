use std::hash::RandomState;

use lockgate_model::Limits;
use proptest::prelude::*;

use super::*;
use crate::Document;

fn parse(text: &str) -> Document {
    Document::parse(text.as_bytes(), &Limits::default()).unwrap()
}

#[test]
fn order_is_that_of_utf_16() {
    let texts = ["", "a", "ab", "b", "é", "\u{d7ff}", "\u{10000}", "\u{10ffff}", "\u{e000}", "\u{ffff}", "\u{ffff}a"];
    for (i, a) in texts.iter().enumerate() {
        for (j, b) in texts.iter().enumerate() {
            assert_eq!(order_texts(a, b), i.cmp(&j), "{a:?} {b:?}");
        }
    }
}

proptest! {
    #[test]
    fn order_agrees_with_code_units(a in "[a\u{e9}\u{ffff}\u{10000}\u{1f600}\u{d7ff}]{0,4}", b in "[a\u{e9}\u{ffff}\u{10000}\u{1f600}\u{d7ff}]{0,4}") {
        prop_assert_eq!(order_texts(&a, &b), a.encode_utf16().cmp(b.encode_utf16()));
    }

    #[test]
    fn equal_values_hash_alike(items in prop::collection::vec(prop::sample::select(vec![
        "1", "1.0", "10e-1", "0", "-0", "-0.0", "1e400", "10e399", "\"a\"", "\"\\u0061\"", "null", "true", "[]", "{}", "[1]", "[1.0]",
        "{\"a\":1,\"b\":2}", "{\"b\":2e0,\"a\":1}", "{\"a\":2,\"b\":1}",
    ]), 2)) {
        let (a, b) = (parse(items[0]), parse(items[1]));
        let (state, meter) = (RandomState::new(), &mut Meter::new(u64::MAX));
        let hashes = [&a, &b].map(|document| hash(document.root(), &state, meter).unwrap());
        prop_assert!(a != b || hashes[0] == hashes[1]);
    }
}

#[test]
fn different_values_hash_differently() {
    let state = RandomState::new();
    let mut seen = std::collections::BTreeSet::new();
    let all = [
        "null",
        "false",
        "true",
        "0",
        "1",
        "\"\"",
        "\"1\"",
        "[]",
        "[[]]",
        "[0]",
        "[0,1]",
        "[1,0]",
        "{}",
        "{\"a\":0}",
        "{\"b\":0}",
        "{\"a\":1}",
    ];
    for text in all {
        seen.insert(hash(parse(text).root(), &state, &mut Meter::new(100)).unwrap());
    }
    assert_eq!(seen.len(), all.len());
    assert_eq!(hash(parse("[1,2,3]").root(), &state, &mut Meter::new(3)), Err(Fault::CostExceeded));
    // Far below they meet, and are still not the same.
    let deep = [1, 2].map(|leaf| parse(&format!("{}{leaf}{}", "[".repeat(20), "]".repeat(20))));
    let hashes = deep.each_ref().map(|deep| hash(deep.root(), &state, &mut Meter::new(100)).unwrap());
    assert_eq!(hashes[0], hashes[1]);
    assert_ne!(deep[0], deep[1]);
}
