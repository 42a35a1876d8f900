use super::{Kind, finish, format, mapping, sheet};

/// The canonical form of a mapping file, which is its own canonical form.
fn mapped(text: &str) -> String {
    let once = mapping("m.map.yaml", text).unwrap_or_else(|all| panic!("{}", all.0[0].render(text)));
    assert_eq!(mapping("m.map.yaml", &once).unwrap(), once, "is not settled");
    once
}

fn plain(text: &str) -> String {
    let kind = Kind::default();
    let once = format("f.yaml", text, &kind).unwrap_or_else(|all| panic!("{}", all.0[0].render(text)));
    assert_eq!(format("f.yaml", &once, &kind).unwrap(), once, "is not settled");
    once
}

#[test]
fn a_file_with_problems_has_no_canonical_form() {
    for text in ["mapping: m\n", "mapping: m\nversion: 1\nrules:\n  - { to: a, from: 'b +' }\n", "a: [", "a: &x 1\n"] {
        assert!(mapping("m.map.yaml", text).is_err(), "{text}");
    }
    assert!(format("f.yaml", "a: *b\n", &Kind::default()).is_err());
}

#[test]
fn a_mapping_file_has_one_form() {
    let written = r#"# Orders.
version:   "1.0"
mapping: m   # its name


rules:
# the first
- from: 'a+b'
  to: 'sum'


- {to: 'name',
   from: "'Ada'"}   # constant
-   when: x=1
    # where it comes from
    from: c
    to: d
- to: items[]
  rules:
    - from: sku
      to: sku
    # - { to: old, from: old }
  each: lines[status!='gone']
- { to: e, lookup: {value: name, key:  country ,table: countries}, default: '"?"' }
- to: f
  from: 'first & " " & last & " of " & company.name & ", " & company.address.street & " " & company.address.city'
source:
    type: order
# the end
"#;
    let wanted = r#"# Orders.
mapping: m # its name
version: '1.0'
source: { type: order }

rules:
  # the first
  - { to: sum, from: a + b }

  - { to: name, from: '"Ada"' } # constant
  - to: d
    when: x = 1
    # where it comes from
    from: c
  - to: items[]
    each: lines[status != "gone"]
    rules:
      - { to: sku, from: sku }
      # - { to: old, from: old }
  - { to: e, lookup: { table: countries, key: country, value: name }, default: '"?"' }
  - to: f
    from: >-
      first
        & " "
        & last
        & " of "
        & company.name
        & ", "
        & company.address.street
        & " "
        & company.address.city
# the end
"#;
    assert_eq!(mapped(written), wanted);
}

#[test]
fn comments_stay_where_they_stand() {
    for text in [
        "# one\n\n# two\na: 1\n",
        "a: # beside the key\n  b: 1\n",
        "a:\n  # over the first\n  b: 1 # beside\n  # below\n# of the file\n",
        "a:\n  - 1\n  # over two\n  - 2\n  # below\nb: 2\n",
        "- a: 1\n  b: 2\n  # below the object\n# below the list\n",
        "a: >- # why\n  some text\n  in two lines\nb: 1\n",
        "a: 'it # is' # this\n",
        "a: {} # nothing\n",
    ] {
        assert_eq!(plain(text), text);
    }
    for (written, wanted) in [
        ("- # of the item\n  a: 1\n", "# of the item\n- a: 1\n"),
        ("-   # over\n    a: 1\n", "# over\n- a: 1\n"),
        ("a: { b: 1, # one\n  c: 2 } # two\n", "a: # two\n  b: 1 # one\n  c: 2\n"),
        ("a: [ 1,\n # over two\n 2\n # end\n ]\n", "a:\n  - 1\n  # over two\n  - 2\n  # end\n"),
        ("a:\n- 1\n# of b\nb: 2\n", "a:\n  - 1\n# of b\nb: 2\n"),
        ("a: # one\n  # two\n  text\n", "# two\na: text # one\n"),
        ("a:#no\n", "a:#no\n"),
        ("a: [ # in nothing\n ]\n", "# in nothing\na: []\n"),
        ("- [ # in nothing\n ]\n", "# in nothing\n- []\n"),
        ("- - [1, # b\n 2]\n  - 3\n", "- - - 1 # b\n    - 2\n  - 3\n"),
        ("- - [1] # b\n  - 3\n", "- - [1] # b\n  - 3\n"),
        ("- - a: # b\n      1\n    # c\n    d: 2\n", "- - a: 1 # b\n    # c\n    d: 2\n"),
        ("{ # in nothing\n}\n", "{}\n# in nothing\n"),
        ("# alone\n", "# alone\n"),
        ("", ""),
    ] {
        assert_eq!(plain(written), wanted, "{written}");
    }
}

#[test]
fn values_have_the_quotes_they_need() {
    for (written, wanted) in [
        ("'a'", "a"),
        ("\"a b\"", "a b"),
        ("'1'", "'1'"),
        ("'true'", "'true'"),
        ("~", "null"),
        ("True", "true"),
        ("1.50", "1.50"),
        ("'~'", "'~'"),
        ("''", "''"),
        ("'a: b'", "'a: b'"),
        ("'a #b'", "'a #b'"),
        ("\"it's\"", "it's"),
        ("'''it'''", "'''it'''"),
        ("\"a\\tb\"", "\"a\\tb\""),
        ("\"\\u00e4\\u2028\"", "\"ä\\u2028\""),
        ("'- a'", "'- a'"),
        ("'-a'", "-a"),
        ("'[a]'", "'[a]'"),
        ("'a[]'", "a[]"),
        ("['a[]', \"b\"]", "['a[]', b]"),
        ("'0x1F'", "'0x1F'"),
        ("!!str 1", "'1'"),
        ("\"a\\nb\"", "|-\n  a\n  b"),
        ("\"a\\nb\\n\"", "|\n  a\n  b"),
        ("\"a\\n\\n\"", "\"a\\n\\n\""),
        ("\" a\\nb\"", "\" a\\nb\""),
        ("|+\n  a\n", "\"a\\n\\n\""),
        (">\n   a\n   b\n\n   c\n", ">\n  a\n  b\n\n  c"),
    ] {
        assert_eq!(plain(&format!("k: {written}\n")), format!("k: {wanted}\n"), "{written}");
    }
    assert_eq!(plain("'1': 2\n3: 4\n'a': 5\n'x: y': 6\n\"true\": 7\n"), "'1': 2\n3: 4\na: 5\n'x: y': 6\n'true': 7\n");
}

#[test]
fn long_texts_are_folded_at_their_blanks() {
    let long = "word ".repeat(40);
    let once = plain(&format!("k: {long}\nl: '{long}'\n"));
    assert!(once.lines().all(|line| line.len() <= 101 || line.starts_with("l:")), "{once}");
    assert!(once.starts_with("k: >-\n  word word"), "{once}");
}

#[test]
fn line_ends_and_blank_lines_are_made_one() {
    assert_eq!(plain("\u{feff}a: 1\r\n\r\n\r\n\r\nb:\r\n\r\n    c: 2\r\n\r\n\r\n"), "a: 1\n\nb:\n  c: 2\n");
    assert_eq!(plain("---\n# one\na: 1\n...\n"), "# one\na: 1\n");
}

/// Lines of which files are put together; most of what comes out is no YAML.
const LINES: [&str; 24] = [
    "a: 1",
    "b:",
    "  c: text",
    "  d: { e: 1, f: [x, 'y z'] }",
    "  - item",
    "  - g: 1",
    "    h: 2",
    "- i",
    "- j: 'it''s'",
    "  k: null",
    "-",
    "  -",
    "  - - l",
    "    - m",
    "n: >-",
    "  folded text",
    "    deeper",
    "o: |",
    "p: [1,",
    "  2]",
    "q: {",
    "  r: 1 }",
    "\"s t\": \"u\\nv\"",
    "w: ''",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 10000, failure_persistence: None, ..Default::default() })]
    #[test]
    fn whatever_is_read_has_a_settled_form(
        lines in proptest::collection::vec((0..LINES.len(), 0..12usize, 0..6usize), 1..9)
    ) {
        let mut text = String::new();
        for (i, (line, around, deep)) in lines.into_iter().enumerate() {
            match around {
                0 => text.push('\n'),
                1 => text.push_str("\n  \n\n"),
                2 | 3 => text.push_str(&format!("{}# over {i}\n", " ".repeat(deep))),
                4 => text.push_str(&format!("\n{}# below {i}\n\n", " ".repeat(deep))),
                _ => {}
            }
            text.push_str(LINES[line]);
            if around == 5 || around == 6 {
                text.push_str(&format!("  # beside {i}"));
            }
            text.push('\n');
        }
        let kind = Kind::default();
        if crate::yaml::parse("f", &text).is_ok() {
            let once = format("f", &text, &kind);
            proptest::prop_assert!(once.is_ok(), "{text}\n{once:?}");
            let once = once.unwrap();
            let twice = format("f", &once, &kind);
            proptest::prop_assert_eq!(twice, Ok(once), "{}", text);
        }
    }
}

#[test]
fn what_would_not_mean_the_same_is_not_written() {
    let kind = Kind::default();
    let finished = |text: &str, other: &str, moved: bool| {
        let (root, read) = (crate::yaml::parse("f", text).unwrap(), crate::yaml::parse("f", other).unwrap());
        let written = finish("f", text, &root, sheet::read(other, &read, &kind).unwrap(), moved);
        written.map_err(|all| all.0[0].code.clone())
    };
    for other in ["a: 1", "a: 1\nb: '2'", "a: 1\nb: 2 # c", "b: 2\na: 1", "a: 1\nb: 3", "- 1", "a: 1\nb: 2\nc: 3"] {
        assert_eq!(finished("a: 1\nb: 2\n", other, false), Err("LG-FMT".to_owned()), "{other}");
    }
    assert_eq!(finished("a: 1\nb: 2\n", "b: 2\na: 1", true), Ok("b: 2\na: 1\n".to_owned()));
}
