//! Problems of a file and those by its types, told together.

use super::*;

/// Code and marked text of all problems of a file, its own and those by its types, by place.
fn all_of(text: &str, target: &str) -> Vec<(String, String)> {
    let (source, target) = (schema(ORDER), schema(target));
    let (map, mut problems) = MapFile::read("m.map.yaml", text);
    let (source, target) = (Type { name: "order", schema: &source }, Type { name: "erp", schema: &target });
    problems.0.extend(check(&map, Some(source), Some(target), &|_, _| Shape::any()).problems.0);
    let marked = |p: &Diagnostic| text.get(p.span.start as usize..p.span.end as usize).unwrap().to_owned();
    let found = problems.into_result(()).err().unwrap_or_default().0;
    found.iter().map(|p| (p.code.clone(), marked(p))).collect()
}

#[track_caller]
fn all_are(text: &str, target: &str, expected: &[(&str, &str)]) {
    let found = all_of(text, target);
    let found: Vec<_> = found.iter().map(|(code, marked)| (code.as_str(), marked.as_str())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn problems_of_the_file_and_by_its_types_come_at_once_by_their_place() {
    let required = ERP.replacen("\"properties\"", "\"required\": [\"code\", \"amount\"], \"properties\"", 1);
    let text = r#"mapping: m
source: { type: order, colour: red }
target: { type: erp }
rules:
  - { to: code, from: statsu }
  - { to: code, from: total }
  - { to: flag, form: paid }
  - { to: cdoe, from: orderId }
  - { to: tags, from: orderId }
  - { to: pieces, from: 'count +' }
  - { to: kind, from: '"ODER"' }
  - { to: note, from: '$uppercaes(orderIdd)' }
  - to: items[]
    each: lines
    when: $totl
    rules:
      - { to: sku, from: skuu }
      - { to: net, from: [1] }
      - { to: sku, from: price }
"#;
    let expected = [
        ("LG-MAP-MISSING", "mapping: m"),
        ("LG-MAP-KEY", "colour"),
        // `amount` is surely set nowhere, and `code` at two places.
        ("LG-MAP-REQUIRED", "erp"),
        ("LG-MAP-SOURCE", "statsu"),
        ("LG-MAP-TWICE", "code"),
        ("LG-MAP-KIND", "total"),
        ("LG-MAP-MISSING", "{ to: flag, form: paid }"),
        ("LG-MAP-KEY", "form"),
        ("LG-MAP-TARGET", "cdoe"),
        ("LG-MAP-ARRAY", "orderId"),
        ("S0207", ""),
        ("LG-MAP-CONSTANT", "\"ODER\""),
        ("LG-MAP-NAME", "$uppercaes"),
        ("LG-MAP-SOURCE", "orderIdd"),
        ("LG-MAP-NAME", "$totl"),
        ("LG-MAP-SOURCE", "skuu"),
        ("LG-MAP-VALUE", "[1]"),
        ("LG-MAP-TWICE", "sku"),
        ("LG-MAP-KIND", "price"),
    ];
    all_are(text, &required, &expected);
}

#[test]
fn what_only_follows_from_another_problem_is_not_told() {
    let required = ERP.replacen("\"properties\"", "\"required\": [\"code\"], \"properties\"", 1);
    let file = |rules: &str| {
        format!("{}version: 1\nsource: {{ type: order }}\ntarget: {{ type: erp }}\n{rules}", "mapping: m\n")
    };
    for (rules, expected) in [
        // The rule that is meant to set `code` has a problem of its own.
        (
            "rules:\n  - { to: code, form: orderId }\n",
            &[("LG-MAP-MISSING", "{ to: code, form: orderId }"), ("LG-MAP-KEY", "form")][..],
        ),
        ("rules:\n  - { to: code, from: '(' }\n", &[("S0203", "")]),
        ("rules:\n  - { to: code, from: $totl }\n", &[("LG-MAP-NAME", "$totl")]),
        ("rules:\n  - { to: code, lookup: plants }\n", &[("LG-MAP-VALUE", "plants")]),
        ("rules:\n  - { to: code, from: orderId, when: $totl }\n", &[("LG-MAP-NAME", "$totl")]),
        // Or no place is known for it.
        (
            "rules:\n  - { ot: code, from: orderId }\n",
            &[("LG-MAP-MISSING", "{ ot: code, from: orderId }"), ("LG-MAP-KEY", "ot")],
        ),
        ("rules:\n  - { to: 'code[0]', from: orderId }\n", &[("LG-MAP-TO", "[")]),
        ("rules:\n  - code\n", &[("LG-MAP-VALUE", "code")]),
        ("rules: code\n", &[("LG-MAP-VALUE", "code")]),
        ("rules: []\nrules:\n  - { to: code, from: orderId }\n", &[("LG-YAML-DUPLICATE-KEY", "rules")]),
        // One of the rules that clash may be right.
        (
            "rules:\n  - { to: code, from: orderId }\n  - { to: code.part, from: orderId }\n",
            &[("LG-MAP-CLASH", "code")],
        ),
        // What is no place of the document may be one of what `records` meant.
        ("rules:\n  - { to: code, from: order.idd }\n", &[("LG-MAP-SOURCE", "order")]),
    ] {
        all_are(&file(rules), &required, expected);
    }
    let records =
        "source: { type: order, records: 'a[0]' }\ntarget: { type: erp }\nrules:\n  - { to: code, from: a.b }\n";
    all_are(&format!("mapping: m\nversion: 1\n{records}"), &required, &[("LG-MAP-RECORDS", "'a[0]'")]);
}

#[test]
fn rules_without_a_place_are_held_to_the_source() {
    let text = r#"mapping: m
version: 1
rules:
  - { to: 'a[0]', from: statsu }
  - { from: customer.idd }
  - { to: code, from: orderId, rules: [{ to: x, from: 'customer.id &' }] }
  - { to: 'tags[]', from: orderId }
  - to: items[]
    each: lines
    from: skuu
    rules:
      - { to: 'x y', from: prise, default: $$.totl }
  - to: items[]
    each: customer
    rules: [{ to: sku, from: lastNam }, { to: sku, from: id }]
  - { to: 'list[].a', from: nothing.known }
"#;
    let expected = [
        ("LG-MAP-TO", "["),
        ("LG-MAP-SOURCE", "statsu"),
        ("LG-MAP-MISSING", "{ from: customer.idd }"),
        ("LG-MAP-SOURCE", "idd"),
        ("LG-MAP-EACH", "[{ to: x, from: 'customer.id &' }]"),
        ("S0207", ""),
        ("LG-MAP-EACH", "'tags[]'"),
        ("LG-MAP-SOURCE", "skuu"),
        ("LG-MAP-CLASH", "- { to: 'x y', from: prise, default: $$.totl }"),
        ("LG-MAP-TO", " "),
        ("LG-MAP-SOURCE", "prise"),
        ("LG-MAP-SOURCE", "totl"),
        ("LG-MAP-TWICE", "items[]"),
        ("LG-MAP-SOURCE", "lastNam"),
        ("LG-MAP-TWICE", "sku"),
        ("LG-MAP-EACH", "'list[].a'"),
        ("LG-MAP-TARGET", "list"),
    ];
    all_are(text, ERP, &expected);
}
