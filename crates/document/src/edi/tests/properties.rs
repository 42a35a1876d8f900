//! What is written is read back, and what was read is written the same, for any content.

use proptest::prelude::*;

use super::*;

/// Texts with all that could divide them.
fn text(signs: &'static str) -> impl Strategy<Value = String> + Clone {
    proptest::collection::vec(proptest::sample::select(signs.chars().collect::<Vec<_>>()), 0..6)
        .prop_map(|signs| signs.into_iter().collect())
}
/// An element in the generic form, in any shape that may be written.
fn element(signs: &'static str, repeats: bool) -> impl Strategy<Value = String> {
    let quoted = text(signs).prop_map(|text| serde_json::to_string(&text).unwrap()).boxed();
    let components =
        proptest::collection::vec(quoted.clone(), 1..4).prop_map(|all| format!("[{}]", all.join(","))).boxed();
    let repetitions = proptest::collection::vec(components.clone(), 1..if repeats { 4 } else { 2 })
        .prop_map(|all| format!("[{}]", all.join(",")));
    prop_oneof![quoted, components, repetitions]
}
fn segments(signs: &'static str, repeats: bool) -> impl Strategy<Value = String> {
    let elements = proptest::collection::vec(element(signs, repeats), 0..5);
    proptest::collection::vec(elements, 0..5).prop_map(|all| {
        let segment = |elements: Vec<String>| format!(r#"{{"tag":"FTX","elements":[{}]}}"#, elements.join(","));
        format!("[{}]", all.into_iter().map(segment).collect::<Vec<_>>().join(","))
    })
}

/// Writes segments within the envelope of a text, and holds what is read of it to what was written.
fn there_and_back(envelope: &str, segments: &str) -> Result<(), TestCaseError> {
    let frame = shown(&read_whole(envelope).unwrap());
    let value = json(&frame.replacen(r#""segments":[]"#, &format!(r#""segments":{segments}"#), 1));
    let text = written(&value, &Dialect::default()).unwrap();
    let read = read_whole(&text).unwrap();
    // The form that is read is the canonical one: writing it changes nothing more.
    prop_assert_eq!(&written(&read, &Dialect::default()).unwrap(), &text);
    prop_assert_eq!(flat(&read), flat(&value));
    let streamed = records(text.as_bytes().chunks(7), &Dialect::default()).unwrap();
    prop_assert_eq!(streamed.len(), 1);
    Ok(())
}
/// Each text with its place, empty ones left out.
fn flat(value: &Document) -> Vec<String> {
    let message = match value.root().get("groups").at(0) {
        none if none.is_undefined() => value.root().get("messages").at(0),
        group => group.get("messages").at(0),
    };
    let mut all = Vec::new();
    for (number, segment) in message.get("segments").items().enumerate() {
        for (element, value) in segment.get("elements").items().enumerate() {
            let repeats = value.at(0).kind() == crate::Kind::Array;
            let repetitions = if repeats { value.items().collect() } else { vec![value] };
            for (repetition, value) in repetitions.into_iter().enumerate() {
                let composite = value.kind() == crate::Kind::Array;
                let components = if composite { value.items().collect() } else { vec![value] };
                for (component, text) in components.iter().enumerate().filter(|(_, text)| text.as_str() != Some("")) {
                    all.push(format!("{number}.{element}.{repetition}.{component}={}", text.as_str().unwrap()));
                }
            }
        }
    }
    all
}

const LINES: &str = r#"{"grammar": "lines", "syntax": "edifact", "message": "ORDERS", "content": [
    {"name": "lines", "max": 9, "content": [
        {"segment": "LIN", "name": "line", "elements": ["number"]},
        {"segment": "QTY", "name": "amounts", "max": 4, "elements": [
            {"name": "amount", "components": [{"name": "value", "kind": "number"}, {"name": "text"}]}, {"name": "on", "kind": "date"}]}]}]}"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn x12_goes_there_and_back(segments in segments("AB c.?'+*0", true)) {
        let other = x12("").replace('*', "|");
        there_and_back(&other, &segments)?;
    }

    #[test]
    fn edifact_goes_there_and_back(segments in segments("AB C.?'+:*0", false)) {
        there_and_back(&edifact(""), &segments)?;
        there_and_back(&format!("UNA;|,!^~{}", edifact("").replace(':', ";").replace('+', "|").replace('\'', "~")), &segments)?;
    }

    #[test]
    fn edifact_with_repetitions_goes_there_and_back(segments in segments("aé C?'+:*中", true)) {
        there_and_back(&edifact("").replacen("UNOA:3", "UNOY:4", 1), &segments)?;
    }

    #[test]
    fn messages_by_a_grammar_go_there_and_back(
        lines in proptest::collection::vec((1u32..99, proptest::collection::vec((-99_999i64..99_999, 0u32..4, "[A-Z?:']{0,3}"), 0..4)), 0..5)
    ) {
        let mut text = String::new();
        for (number, amounts) in &lines {
            text.push_str(&format!("LIN+{number}'"));
            for (digits, scale, unit) in amounts {
                let scale = *scale as usize;
                let plain = format!("{:0>width$}", digits.abs(), width = scale + 1);
                let (whole, fraction) = plain.split_at(plain.len() - scale);
                let mark = if scale > 0 { "," } else { "" };
                let sign = if *digits < 0 { "-" } else { "" };
                let unit = unit.replace('?', "??").replace(':', "?:").replace('\'', "?'");
                let parts = if unit.is_empty() { String::new() } else { format!(":{unit}") };
                text.push_str(&format!("QTY+{sign}{whole}{mark}{fraction}{parts}+20240229'"));
            }
        }
        let count = text.replace("??", "").replace("?'", "").matches('\'').count() + 2;
        let text = format!("UNA:+,? '{UNB}UNH+1+ORDERS:D:96A:UN'{text}UNT+{count}+1'UNZ+1+77'");
        let lines = by(LINES);
        let value = read(text.as_bytes(), &lines, &Limits::default()).unwrap();
        prop_assert_eq!(written(&value, &lines).unwrap(), text);
    }

    #[test]
    fn values_by_a_grammar_go_there_and_back(
        lines in proptest::collection::vec(
            (text("AZ?+:'* "), proptest::collection::vec(("-?(0|[1-9][0-9]{0,5})([.][0-9]{1,4})?(e-?[0-9])?", text("AZ?+:'* ")), 0..4)),
            0..5,
        )
    ) {
        let quoted = |text: &String| serde_json::to_string(text).unwrap();
        let lines: Vec<String> = lines.iter().map(|(number, amounts)| {
            let amount = |(value, text): &(String, String)| {
                format!(r#"{{"amount":{{"value":{value},"text":{}}},"on":null}}"#, quoted(text))
            };
            let amounts: Vec<String> = amounts.iter().map(amount).collect();
            format!(r#"{{"line":{{"number":{}}},"amounts":[{}]}}"#, quoted(number), amounts.join(","))
        }).collect();
        let dialect = by(LINES);
        let frame = shown(&read(edifact("").as_bytes(), &dialect, &Limits::default()).unwrap());
        let value = json(&frame.replacen(r#""content":{}"#, &format!(r#""content":{{"lines":[{}]}}"#, lines.join(",")), 1));
        let text = written(&value, &dialect).unwrap();
        let read = read(text.as_bytes(), &dialect, &Limits::default()).unwrap();
        prop_assert_eq!(&written(&read, &dialect).unwrap(), &text);
        // Nothing is lost, and numbers are the same numbers.
        let (lines, again) = (value.root().get("messages").at(0).get("content").get("lines"), read.root().get("messages").at(0).get("content").get("lines"));
        prop_assert_eq!(lines.len(), again.len());
        for (line, again) in lines.items().zip(again.items()) {
            prop_assert_eq!(line.get("line").get("number").as_str().filter(|text| !text.is_empty()), again.get("line").get("number").as_str());
            for (amount, again) in line.get("amounts").items().zip(again.get("amounts").items()) {
                let (amount, again) = (amount.get("amount"), again.get("amount"));
                prop_assert!(amount.get("value") == again.get("value"));
                prop_assert_eq!(amount.get("text").as_str().filter(|text| !text.is_empty()), again.get("text").as_str());
            }
        }
    }
}
