use super::picture;

const HEAD: &str = "mapping: m\nversion: 1\nrules:\n";

fn drawn(rules: &str) -> String {
    let text = format!("{HEAD}{rules}");
    let svg = picture("m.map.yaml", &text).unwrap_or_else(|all| panic!("{}", all.0[0].render(&text)));
    assert_eq!(svg, picture("m.map.yaml", &text).unwrap(), "two pictures differ");
    svg
}

/// The groups of the rules.
fn rules(svg: &str) -> Vec<&str> {
    svg.split("<g class=\"rule ").filter(|part| part.contains("<title>")).skip(1).collect()
}

/// The names in the rows, of the source and of the target.
fn names(svg: &str) -> Vec<&str> {
    let rows = svg.split("<g class=\"rule").next().unwrap().split("<text").skip(3);
    rows.map(|row| row.split('>').nth(1).unwrap().split('<').next().unwrap()).collect()
}

#[test]
fn a_file_with_problems_has_no_picture() {
    assert!(picture("m.map.yaml", "mapping: m\n").is_err());
    assert!(picture("m.map.yaml", &format!("{HEAD}  - {{ to: a, from: 'b +' }}\n")).is_err());
}

#[test]
fn every_kind_of_rule_is_a_line() {
    let svg = drawn(
        r#"
  - { to: copied, from: a.b }
  - { to: computed, from: a.b + 1 }
  - { to: constant, from: '"x"' }
  - { to: condition, from: a.b, when: c = 1 }
  - { to: looked, lookup: { table: t, key: d, value: name }, default: e }
  - { to: 'list[]', each: 'f[g = 2]', rules: [{ to: h, from: h }, { to: root, from: $$.a.b }] }
  - { to: 'values[]', each: f, from: $uppercase(i) }
  - { to: 'copies[]', each: f }
  - { to: all, from: $ }
"#,
    );
    let rules = rules(&svg);
    let wires = |rule: &str| rule.matches("<circle").count();
    let kinds: Vec<_> = rules.iter().map(|rule| (rule.split('"').next().unwrap(), wires(rule))).collect();
    assert_eq!(
        kinds,
        [
            ("copy", 1),
            ("computed", 1),
            ("constant", 0),
            ("copy", 2),
            ("lookup", 2),
            ("each", 2),
            ("copy", 1),
            ("copy", 1),
            ("each", 2),
            ("each", 1),
            ("copy", 1),
        ]
    );
    for part in
        ["<title>line 9: looked\nlookup: t[d].name\ndefault: e</title>", ">table</tspan> t.name<", ">else</tspan> e<"]
    {
        assert!(svg.contains(part), "`{part}` is not in\n{svg}");
    }
    assert!(rules[3].contains("class=\"asks\"") && rules[3].contains(">when</tspan> c = 1<"), "{}", rules[3]);
}

#[test]
fn the_source_has_the_fields_that_are_read() {
    for (expression, fields) in [
        ("a.(b & c.d)", ["a", "b", "c", "d"].as_slice()),
        ("a[b = 1].c", &["a", "b", "c"]),
        ("($x := a.b; $x.c)", &["a", "b", "c"]),
        ("$map(a, function($v) { $v.b })", &["a", "b"]),
        ("$filter(a, function($v) { $v.b > 1 }).c", &["a", "b", "c"]),
        ("$reduce(a, function($s, $v) { $s + $v.b })", &["a", "b"]),
        ("$sum(a.b)", &["a", "b"]),
        ("a^(b).c", &["a", "b", "c"]),
        ("a@$x.b[c = $x.d]", &["a", "b", "c", "d"]),
        ("a.b.%.c", &["a", "b", "c"]),
        ("a{b: c}", &["a", "b", "c"]),
        ("a ? b : c", &["a", "b", "c"]),
        ("a.*.b", &["a", "*", "b"]),
        ("[a, b].c", &["a", "c", "b", "c"]),
        ("function($p) { $p.x & $$.y }(a)", &["a", "x", "y"]),
        ("1 + 2", &[]),
    ] {
        let svg = drawn(&format!("  - {{ to: z, from: '{expression}' }}\n"));
        let names = names(&svg);
        let source: Vec<&str> = names.into_iter().take_while(|name| *name != "target").skip(1).collect();
        let mut sorted = (source.clone(), fields.to_vec());
        sorted.0.sort_unstable();
        sorted.1.sort_unstable();
        assert_eq!(sorted.0, sorted.1, "{expression}");
    }
}

#[test]
fn names_and_expressions_are_text_and_nothing_else() {
    let svg = drawn(r#"  - { to: '`<a&"b>`', from: "`</text>` & '<script>\x07' & `]]>`" }"#);
    let escaped = svg.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "").replace("&quot;", "");
    assert!(!escaped.contains("&") && !svg.contains("<script") && !svg.contains('\u{7}'), "{svg}");
    assert!(svg.contains("&lt;a&amp;&quot;b&gt;"));
    let tags = (svg.matches('<').count(), svg.matches('>').count());
    assert_eq!(tags.0, tags.1);
}

#[test]
fn a_picture_grows_with_its_rules_and_no_faster() {
    let rules = |count: usize| (0..count).map(|i| format!("  - {{ to: t{i}, from: s{i} }}\n")).collect::<String>();
    let (one, ten) = (drawn(&rules(200)).len(), drawn(&rules(2000)).len());
    assert!(ten < 12 * one, "{one} {ten}");
}
