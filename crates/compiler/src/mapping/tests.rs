use super::*;

fn tables() -> Tables {
    let countries = serde_json::json!({"DE": {"name": "Germany"}, "FR": {"name": "France"}});
    Tables::from([("countries".to_owned(), countries), ("list".to_owned(), serde_json::json!([1]))])
}

const HEAD: &str = "mapping: m\nversion: 1\nrules:\n";

fn problems(rules: &str) -> Vec<(String, String)> {
    let text = format!("{HEAD}{rules}");
    let found = map_module("m.map.yaml", &text, &tables(), &Types::default()).unwrap_err();
    found
        .0
        .into_iter()
        .map(|p| {
            assert_eq!(p.file, "m.map.yaml");
            (p.code.clone(), text.get(p.span.start as usize..p.span.end as usize).unwrap().to_owned())
        })
        .collect()
}

#[test]
fn what_cannot_be_compiled_is_refused_with_its_place() {
    let rules = "  - { to: a, lookup: { table: cuontries, key: c } }\n  - { to: b, lookup: { table: list, key: c } }\n  - to: c\n    from: >-\n      a &\n      $eval(a, b)\n";
    let pair = |code: &str, marked: &str| (code.to_owned(), marked.to_owned());
    assert_eq!(
        problems(rules),
        [pair("LG-MAP-TABLE", "cuontries"), pair("LG-MAP-TABLE", "list"), pair("LG-EXPR-EVAL", "$eval")]
    );
}

#[test]
fn a_value_that_no_row_of_a_table_has_is_refused() {
    let tables = Tables::from([
        ("countries".to_owned(), serde_json::json!({"DE": {"name": "Germany", "vat": 19}, "FR": "France"})),
        ("plain".to_owned(), serde_json::json!({"DE": "Germany", "FR": null})),
        ("lists".to_owned(), serde_json::json!({"DE": [{"name": "Germany"}]})),
        ("none".to_owned(), serde_json::json!({})),
    ]);
    let told = |table: &str, value: &str| {
        let text = format!("{HEAD}  - {{ to: a, lookup: {{ table: {table}, key: k, value: {value} }} }}\n");
        let found = map_module("m.map.yaml", &text, &tables, &Types::default()).err()?.0;
        let [problem] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(problem.code, "LG-MAP-TABLE");
        assert_eq!(text.get(problem.span.start as usize..problem.span.end as usize), Some(value));
        problem.help.clone()
    };
    assert_eq!(told("plain", "name").as_deref(), Some("its rows are values: leave out `value`"));
    assert_eq!(told("countries", "nmae").as_deref(), Some("did you mean `name`?"));
    assert_eq!(told("countries", "capital").as_deref(), Some("its rows have `name`, `vat`"));
    for (table, value) in [("countries", "vat"), ("lists", "name"), ("lists", "other"), ("none", "name")] {
        assert_eq!(told(table, value), None, "{table} {value}");
    }
}

#[test]
fn the_same_file_gives_the_same_bytes_and_they_validate() {
    let rules = r#"
  - { to: buyer.name, from: customer.first & " " & customer.last, when: $exists(customer) }
  - { to: buyer.country, lookup: { table: countries, key: country, value: name }, default: '"?"' }
  - to: items[]
    each: lines[status != "cancelled"]
    rules:
      - { to: net, from: '$round(quantity * price * (1 - discount / 100), 2)' }
      - { to: order, from: $$.id }
      - { to: "parts[]", each: parts, from: $uppercase($) }
  - { to: "tags[]", each: tags, default: '["none"]', when: '$count(tags) > 0' }
  - { to: total, from: '$sum(lines.(quantity * price))' }
  - { to: f, from: '($f := function($x){ $x + $$.a }; $map(lines, function($l){ $f($l.q) }))' }
"#;
    let text = format!("{HEAD}{rules}");
    let module = map_module("m.map.yaml", &text, &tables(), &Types::default()).unwrap();
    let features = wasmparser::WasmFeatures::MUTABLE_GLOBAL | wasmparser::WasmFeatures::FLOATS;
    wasmparser::Validator::new_with_features(features).validate_all(&module.wasm).unwrap();
    assert_eq!(module, map_module("m.map.yaml", &text, &tables(), &Types::default()).unwrap());
}

#[test]
fn a_mapping_that_goes_record_by_record_has_a_module_for_them() {
    let features = wasmparser::WasmFeatures::MUTABLE_GLOBAL | wasmparser::WasmFeatures::FLOATS;
    let each = "  - { to: '[]', each: 'lines[a > 1][($f := function($x){ $x = b }; $boolean($f(2)))]', rules: [{ to: 'b[]', each: c }] }\n";
    let with_records =
        "mapping: m\nversion: 1\nsource: { records: a.b }\nrules:\n  - { to: a, from: $$.a }\n".to_owned();
    for text in [format!("{HEAD}{each}"), with_records] {
        let passes = || map_record_module("m.map.yaml", &text, &tables(), &Types::default()).unwrap();
        let (Passes::Records(one), Passes::Records(two)) = (passes(), passes()) else {
            panic!("needs all of it: {text}")
        };
        wasmparser::Validator::new_with_features(features).validate_all(&one.module.wasm).unwrap();
        assert_eq!(one.module, two.module);
    }
    let total = format!("{HEAD}  - {{ to: total, from: $sum(lines.net) }}\n");
    let Passes::Whole(whole) = map_record_module("m.map.yaml", &total, &tables(), &Types::default()).unwrap() else {
        panic!("streams")
    };
    assert!(whole.reason.contains("one object") && whole.span.start > 0, "{whole:?}");
    assert!(map_record_module("m.map.yaml", HEAD, &tables(), &Types::default()).is_err());
}
