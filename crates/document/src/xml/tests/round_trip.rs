//! Any tree of elements, written in any of the ways XML has for it, is one value; any value that XML
//! has a place for comes back as it was; and one value gives one text.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// An element, before anybody says how it is written.
#[derive(Debug, Clone)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    inside: Vec<Inside>,
}

#[derive(Debug, Clone)]
enum Inside {
    Text(String),
    Element(Element),
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "line", "größe"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["p:a", "q:b", "p:line"]).prop_map(str::to_owned),
    ]
}
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "",
            " ",
            "\n  ",
            "\t",
            "\r",
            "\r\n",
            "]]>",
            "]",
            "&",
            "<",
            "&lt;",
            "x",
            "😀",
            "'\"",
            "\u{fffd}\u{85}"
        ])
        .prop_map(str::to_owned),
        "[ -~\n]{0,12}",
    ]
}
fn element() -> impl Strategy<Value = Element> {
    let leaf = (name(), attributes(), text()).prop_map(|(name, attributes, text)| Element {
        name,
        attributes,
        inside: vec![Inside::Text(text)],
    });
    leaf.prop_recursive(4, 40, 6, |inner| {
        let inside = prop_oneof![2 => inner.prop_map(Inside::Element), 1 => text().prop_map(Inside::Text)];
        (name(), attributes(), prop::collection::vec(inside, 0..6)).prop_map(|(name, attributes, inside)| Element {
            name,
            attributes,
            inside,
        })
    })
}
fn attributes() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop::sample::select(vec!["id", "p:id", "xml:lang", "xsi:nil", "xsi:type"]).prop_map(str::to_owned);
    let space =
        prop::sample::select(vec!["preserve", "default"]).prop_map(|value| ("xml:space".to_owned(), value.to_owned()));
    let value = prop_oneof![4 => text(), 1 => Just("true".to_owned())];
    let one = prop_oneof![6 => (name, value), 1 => space];
    prop::collection::btree_map(one.prop_map(|(name, value)| (name, value)), Just(()), 0..4).prop_map(|all| {
        let mut seen = std::collections::BTreeSet::new();
        all.into_keys().filter(|(name, _)| seen.insert(name.clone())).collect()
    })
}

const SPACES: [&str; 4] = [" ", "\n", "\r\n", "\t  "];

/// Writes it in one of many ways, which `dice` chooses.
fn print(element: &Element, is_root: bool, dice: &mut impl FnMut(usize) -> usize, out: &mut String) {
    let space = |dice: &mut dyn FnMut(usize) -> usize| SPACES[dice(SPACES.len())];
    out.push('<');
    out.push_str(&element.name);
    if is_root {
        out.push_str(" xmlns:p='urn:p' xmlns:q=\"urn:q\" xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'");
    }
    for (name, value) in &element.attributes {
        out.push_str(space(dice));
        out.push_str(name);
        out.push_str(["=", " = ", "\n="][dice(3)]);
        let quote = ['"', '\''][dice(2)];
        out.push(quote);
        value.chars().for_each(|c| match c {
            '<' | '&' | '\t' | '\n' | '\r' | '"' | '\'' => out.push_str(&format!("&#{};", u32::from(c))),
            _ => out.push(c),
        });
        out.push(quote);
    }
    if element.inside.iter().all(|inside| matches!(inside, Inside::Text(text) if text.is_empty())) && dice(2) == 0 {
        out.push_str(space(dice));
        out.push_str("/>");
        return;
    }
    out.push('>');
    for inside in &element.inside {
        match dice(8) {
            0 => out.push_str("<!-- - > <b> & -->"),
            1 => out.push_str("<?pi <b> ? &?>"),
            _ => {}
        }
        match inside {
            Inside::Element(inner) => print(inner, false, dice, out),
            Inside::Text(text) => {
                // Blank texts stay literal: whether they count is for the reader to say.
                let is_blank = text.bytes().all(names::is_space);
                let whole = dice(3);
                if whole == 0 && !is_blank && !text.contains("]]>") && !text.contains('\r') {
                    out.push_str(&format!("<![CDATA[{text}]]>"));
                    continue;
                }
                text.chars().for_each(|c| match c {
                    '<' => out.push_str(["&lt;", "&#60;", "&#x3c;"][dice(3)]),
                    '&' => out.push_str("&amp;"),
                    '>' => out.push_str("&gt;"),
                    '\r' => out.push_str("&#xD;"),
                    '\n' => out.push_str(["\n", "\r\n"][dice(2)]),
                    c if !is_blank && dice(6) == 0 => out.push_str(&format!("&#{};", u32::from(c))),
                    c => out.push(c),
                });
            }
        }
    }
    out.push_str("</");
    out.push_str(&element.name);
    out.push_str([">", " >", "\n>"][dice(3)]);
}

fn printed(element: &Element, seed: u64) -> String {
    let mut state = seed | 1;
    let mut dice = |sides: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % sides as u64) as usize
    };
    let mut out = String::new();
    print(element, true, &mut dice, &mut out);
    out
}

fn options() -> Vec<XmlOptions> {
    vec![
        plain(),
        mapped(&[("urn:p", "pp"), ("urn:q", "p")]),
        arrays(&["a", "b"]),
        XmlOptions { charset: crate::charset::Charset::named("utf-16le").unwrap(), ..plain() },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_tree_is_one_value_and_one_text(tree in element(), seeds in any::<[u64; 2]>()) {
        for options in options() {
            let [one, other] = seeds.map(|seed| printed(&tree, seed));
            let value = parsed(one.as_bytes(), &options).unwrap();
            prop_assert_eq!(&json(&parsed(other.as_bytes(), &options).unwrap()), &json(&value), "{} {}", one, other);
            let text = written(&value, &options).unwrap();
            let again = parsed(&text, &options).unwrap();
            prop_assert_eq!(&json(&again), &json(&value), "{}", one);
            prop_assert_eq!(written(&again, &options).unwrap(), text);
        }
    }

    #[test]
    fn what_is_written_is_read_and_changes_no_more(value in any_value()) {
        for options in options() {
            let value = from_json(&value.to_string());
            let text = match written(&value, &options) {
                Ok(text) => text,
                // Where the options give the prefix to another namespace.
                Err(error) => {
                    prop_assert_eq!(error.code(), "LG-XML-NAMESPACE");
                    prop_assert!(options.namespaces != plain().namespaces);
                    continue;
                }
            };
            // Numbers have become texts, and texts side by side one; after that, nothing changes.
            let read = parsed(&text, &options).unwrap();
            let text = written(&read, &options).unwrap();
            let again = parsed(&text, &options).unwrap();
            prop_assert_eq!(json(&again), json(&read));
            prop_assert_eq!(written(&again, &options).unwrap(), text);
        }
    }
}

/// Values that XML has a place for, read from it or not.
fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        3 => text().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i32>().prop_map(Value::from),
    ];
    let name = prop::sample::select(vec!["a", "b", "p:a", "größe"]).prop_map(str::to_owned);
    let attribute =
        prop::sample::select(vec!["@id", "@p:id", "@xsi:nil", "@xsi:type", "@xmlns"]).prop_map(str::to_owned);
    let attributes = prop::collection::vec((attribute, scalar.clone()), 0..3);
    let leaf = prop_oneof![4 => scalar.clone(), 1 => Just(Value::Null)];
    let element = leaf.prop_recursive(4, 40, 5, move |inner| {
        let children =
            prop_oneof![3 => inner.clone(), 1 => prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from)];
        let fields = prop::collection::vec((name.clone(), children), 0..4);
        let part = prop_oneof![
            scalar.clone(),
            (name.clone(), inner).prop_map(|(name, value)| Value::from_iter([(name, value)])),
        ];
        let alone = prop_oneof![
            scalar.clone().prop_map(|text| vec![("#text".to_owned(), text)]),
            prop::collection::vec(part, 0..5).prop_map(|parts| vec![("#content".to_owned(), Value::from(parts))]),
        ];
        (attributes.clone(), prop_oneof![fields, alone])
            .prop_map(|(attributes, inside)| attributes.into_iter().chain(inside).collect())
    });
    element.prop_map(|value| serde_json::json!({ "root": { "@xmlns:p": "urn:p", "inner": value } }))
}
