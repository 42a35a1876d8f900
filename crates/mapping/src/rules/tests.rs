use super::*;

/// Code and the text marked, for each problem.
fn problems(text: &str) -> Vec<(String, String)> {
    let found = MapFile::parse("orders.map.yaml", text).unwrap_err();
    found
        .0
        .iter()
        .map(|p| {
            assert_eq!(p.file, "orders.map.yaml");
            let marked = text.get(p.span.start as usize..p.span.end as usize).unwrap();
            (p.code.clone(), marked.to_owned())
        })
        .collect()
}

fn pair(code: &str, marked: &str) -> (String, String) {
    (code.to_owned(), marked.to_owned())
}

#[test]
fn all_problems_of_a_file_come_at_once_with_their_places() {
    let text = r#"
mapping: orders
source: { type: order, records: 'lines[0]' }
colour: red
rules:
  - to: a.b
    from: c &
  - to: a..b
    from: d
  - from: e
  - to: x
    form: e
  - to: y
    from: [1]
  - to: list[]
    from: z
  - to: z
    lookup: { tabel: t, key: k }
"#;
    assert_eq!(
        problems(text),
        [
            pair("LG-MAP-MISSING", "mapping: orders"),
            pair("LG-MAP-RECORDS", "'lines[0]'"),
            pair("LG-MAP-KEY", "colour"),
            pair("S0207", ""),
            pair("LG-MAP-TO", "."),
            pair("LG-MAP-MISSING", "from: e"),
            pair("LG-MAP-MISSING", "to: x"),
            pair("LG-MAP-KEY", "form"),
            pair("LG-MAP-VALUE", "[1]"),
            pair("LG-MAP-EACH", "list[]"),
            pair("LG-MAP-MISSING", "{ tabel: t, key: k }"),
            pair("LG-MAP-KEY", "tabel"),
        ]
    );
}

#[test]
fn a_file_that_is_no_object_is_one_problem() {
    for (text, marked) in
        [("", ""), ("# later\n", ""), ("- a\n- b\n", "- a"), ("mapping\n", "mapping"), ("null\n", "null")]
    {
        assert_eq!(problems(text), [pair("LG-MAP-VALUE", marked)], "{text}");
    }
    let found = MapFile::parse("m.map.yaml", "").unwrap_err();
    assert_eq!(found.0[0].message, "the file is empty");
}

#[test]
fn names_that_nothing_binds_are_refused() {
    let of = |from: &str| {
        let text = format!("mapping: m\nversion: 1\nrules:\n  - to: a\n    from: >-\n      {from}\n");
        match MapFile::parse("m.map.yaml", &text) {
            Ok(_) => Vec::new(),
            Err(found) => {
                let marked = |p: &lockgate_model::Diagnostic| {
                    text.get(p.span.start as usize..p.span.end as usize).unwrap().to_owned()
                };
                found.0.iter().map(|p| (p.code.clone(), marked(p), p.help.clone().unwrap())).collect()
            }
        }
    };
    let bound = "`$` is the item, `$$` the source document; other names are bound by `:=`";
    for (from, marked, help) in [
        ("$wholly(1)", "$wholly", bound),
        ("$workflow.input", "$workflow", bound),
        ("$uppercaes(a)", "$uppercaes", "did you mean `$uppercase`?"),
        ("($total := 1; $totl)", "$totl", "did you mean `$total`?"),
        ("($b; $b := 1)", "$b", "it is bound further on: put its `:=` first"),
        ("$map(a, function($v){ $w })", "$w", "did you mean `$v`?"),
    ] {
        assert_eq!(of(from), [("LG-MAP-NAME".to_owned(), marked.to_owned(), help.to_owned())], "{from}");
    }
    // Bound by a path, and not behind it.
    assert_eq!(of("a@$x[$x.b].{\"c\": $x}"), []);
    assert_eq!(of("a[1]#$i{b: $i}"), []);
    assert_eq!(of("a@$x.b & $x").len(), 1);
    for from in [
        "($f := function($n){ $n = 0 ? 0 : $g($n - 1) }; $g := function($n){ $f($n) }; $f(3))",
        "(a ? $b := 1 : 2; $b)",
        "$map(a, function($v, $i){ $v + $i + $$.c })",
    ] {
        assert_eq!(of(from), [], "{from}");
    }
}

#[test]
fn rules_that_do_not_fit_together_are_refused() {
    let head = "mapping: m\nversion: 1\nrules:\n";
    for (rules, code, marked) in [
        ("  - { to: a, from: x }\n  - { to: a, from: y }\n", "LG-MAP-TWICE", "a"),
        ("  - { to: a, from: x }\n  - { to: a.b, from: y }\n", "LG-MAP-CLASH", "a"),
        ("  - { to: 'l[].a', from: x }\n", "LG-MAP-EACH", "'l[].a'"),
        ("  - { to: 'l[]', each: x }\n  - { to: l.a, from: x }\n", "LG-MAP-CLASH", "'l[]'"),
        ("  - { to: a, from: x, rules: [] }\n", "LG-MAP-EACH", "[]"),
        ("  - { to: a, each: x, from: y, rules: [] }\n", "LG-MAP-CLASH", "[]"),
        ("  - { to: a, from: x, lookup: { table: t, key: k } }\n", "LG-MAP-CLASH", "{ table: t, key: k }"),
    ] {
        assert_eq!(problems(&format!("{head}{rules}")), [pair(code, marked)], "{rules}");
    }
}

#[test]
fn rules_make_the_tree_of_the_target() {
    let text = r#"
mapping: orders
version: '2'
source: { type: order }
target: { type: erp }
rules:
  - to: buyer.name
    from: customer.name
  - to: items
    each: lines
    rules:
      - { to: sku, from: sku }
  - to: items[].net
    from: quantity * price
  - to: tags[]
    each: tags
  - to: buyer.country
    lookup: { table: countries, key: country, value: name }
    default: '"?"'
"#;
    let map = MapFile::parse("m", text).unwrap();
    assert_eq!((map.name.as_str(), map.version.as_str()), ("orders", "2"));
    let named = |of: &Option<(String, Span)>| of.as_ref().map(|(name, at)| (name.clone(), at.start as usize));
    assert_eq!(named(&map.source_type), Some(("order".to_owned(), text.find("order }").unwrap())));
    assert_eq!(named(&map.target_type), Some(("erp".to_owned(), text.find("erp }").unwrap())));
    let Target::Object(fields) = map.target else { panic!("an object") };
    let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["buyer", "items", "tags"]);
    assert!(
        fields.iter().all(|f| text.get(f.at.start as usize..f.at.end as usize) == Some(f.name.as_str())),
        "{fields:?}"
    );
    let Target::Array(items) = &fields[1].target else { panic!("an array") };
    assert!(matches!(&items.entry, Some(Target::Object(inner)) if inner.len() == 2));
    assert!(matches!(&fields[2].target, Target::Array(tags) if tags.entry.is_none()));
}
