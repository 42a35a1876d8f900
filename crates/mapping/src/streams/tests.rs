use super::*;

fn map(rules: &str) -> MapFile {
    MapFile::parse("m.map.yaml", &format!("mapping: m\nversion: 1\nrules:\n{rules}")).unwrap()
}

/// Why it does not stream, and the text marked.
fn refused(rules: &str) -> (String, String) {
    let text = format!("mapping: m\nversion: 1\nrules:\n{rules}");
    let Whole { reason, span } = map(rules).streams().unwrap_err();
    (reason, text.get(span.start as usize..span.end as usize).unwrap().to_owned())
}

fn each(each: &str) -> String {
    format!("  - to: '[]'\n    each: >-\n      {each}\n    rules: [{{ to: a, from: a }}]\n")
}

#[test]
fn what_needs_the_whole_document_is_named_with_its_place() {
    for (expression, reason, marked) in [
        ("$reverse(lines)", "`$reverse(lines)` needs all records at once", "$reverse(lines)"),
        ("lines[0]", "`lines[0]` picks by position, which needs all records at once", "lines[0]"),
        ("lines[-1]", "`lines[-1]` picks by position, which needs all records at once", "lines[-1]"),
        ("lines[n]", "`n` may be a position: compare it, or ask `$boolean(…)` or `$exists(…)` of it", "n"),
        ("lines[a = $$.header]", "`$$.header` reads outside the record", "$$.header"),
        ("orders[paid].lines", "only the last name on the way to the records has conditions, not `orders`", "orders"),
        ("lines^(price)", "the order of `lines^(price)` needs all records at once", "lines^(price)"),
        (
            "lines#$i[$i > 2]",
            "`lines#$i[$i > 2]` brings names along (`@`, `#` or `%`): it needs all records at once",
            "lines#$i[$i > 2]",
        ),
        ("lines{sku: $sum(n)}", "`lines{sku: $sum(n)}` needs all records at once", "lines{sku: $sum(n)}"),
        ("lines.(a ? b : c)", "`(a ? b : c)` is no name on the way to the records", "(a ? b : c)"),
        ("*.lines", "`*` is no name on the way to the records", "*"),
        (
            "lines ~> $map(function($l){ $l })",
            "`lines ~> $map(function($l){ $l })` needs all records at once",
            "lines ~> $map(function($l){ $l })",
        ),
        ("[lines]", "`[lines]` needs all records at once", "[lines]"),
    ] {
        assert_eq!(refused(&each(expression)), (reason.to_owned(), marked.to_owned()), "{expression}");
    }
    let list = "  - { to: '[]', each: lines, ";
    for (rest, reason, marked) in [
        ("when: a }", "the condition of the whole array is asked of the document", "a"),
        ("default: header }", "what stands for an empty array reads the document", "header"),
        ("from: a & $$.header.id }", "`$$.header.id` reads outside the record", "$$.header.id"),
        ("from: '$lookup($$, a)' }", "`$$` reads outside the record", "$$"),
        ("rules: [{ to: a, lookup: { table: t, key: $$.k } }] }", "`$$.k` reads outside the record", "$$.k"),
        ("rules: [{ to: a.b, from: a, when: $$.k = 1 }] }", "`$$.k` reads outside the record", "$$.k"),
        (
            "rules: [{ to: 'l[]', each: parts, from: '($f := function($x){ $x + $$.k }; $f(n))' }] }",
            "`$$.k` reads outside the record",
            "$$.k",
        ),
    ] {
        assert_eq!(refused(&format!("{list}{rest}\n")), (reason.to_owned(), marked.to_owned()), "{rest}");
    }
    assert_eq!(
        refused("  - { to: a, from: b }\n"),
        ("the target is one object, made of the whole document".to_owned(), "b".to_owned())
    );
}

#[test]
fn variables_do_not_pass_from_record_to_record() {
    let (reason, _) = refused(&each("lines[$exists($x := a)]"));
    assert!(reason.ends_with("keeps a variable from one record to the next"), "{reason}");
}

#[test]
fn a_way_of_names_with_conditions_on_the_item_streams() {
    for (expression, path, conditions) in [
        ("$", &[] as &[&str], 0),
        ("$$", &[], 0),
        ("$[a = 1]", &[], 1),
        ("lines", &["lines"], 0),
        ("lines[]", &["lines"], 0),
        ("order.`the lines`", &["order", "the lines"], 0),
        ("order.lines[status != \"cancelled\" and n > 2][$exists(a)]", &["order", "lines"], 2),
        ("lines[$contains(sku, \"x\")][]", &["lines"], 1),
        ("lines[($n := a; $n = 1)]", &["lines"], 1),
        ("lines[a ? b = 1 : $not(c)]", &["lines"], 1),
    ] {
        let streams = map(&each(expression)).streams().unwrap_or_else(|whole| panic!("{expression}: {whole:?}"));
        assert_eq!(streams.path, path, "{expression}");
        assert_eq!(streams.conditions, conditions, "{expression}");
    }
    assert!(map("  - { to: '[]', each: lines, default: '[\"none\"]' }\n").streams().is_ok());
}

#[test]
fn records_of_the_source_always_stream() {
    let of = |records: &str, rules: &str| {
        let text = format!("mapping: m\nversion: 1\nsource: {{ type: t, records: {records} }}\nrules:\n{rules}");
        MapFile::parse("m.map.yaml", &text).map(|map| map.streams().unwrap().path)
    };
    let rules = "  - { to: id, from: $$.id & $.x, when: '$count($$.lines) > 1' }\n  - { to: 'l[]', each: lines }\n";
    assert_eq!(of("data.orders", rules).unwrap(), ["data", "orders"]);
    assert_eq!(of("'`a b`.c'", rules).unwrap(), ["a b", "c"]);
    assert_eq!(of("$", "  - { to: '[]', each: lines }\n").unwrap(), [""; 0]);
    for records in ["[a]", "a.", "'a[]'", "'$.a'", "'a b'", "''"] {
        let problems = of(records, rules).unwrap_err();
        assert_eq!(problems.0.iter().map(|p| p.code.as_str()).collect::<Vec<_>>(), ["LG-MAP-RECORDS"], "{records}");
    }
}

fn selected(expression: &str) -> Result<(Vec<String>, usize, usize), (String, String)> {
    let program = crate::Expression::parse(expression).unwrap().resolve(&|_| false).unwrap();
    match Selection::of(&program, expression) {
        Ok(Selection { streams, steps, .. }) => Ok((streams.path, streams.conditions, steps.len())),
        Err(Whole { reason, span }) => {
            let marked = expression.get(span.start as usize..span.end as usize).unwrap();
            Err((reason, marked.to_owned()))
        }
    }
}

#[test]
fn expressions_that_need_the_whole_document_are_named_with_their_place() {
    for (expression, reason, marked) in [
        ("$sum(lines.net)", "`$sum(lines.net)` needs all records at once", "$sum(lines.net)"),
        ("lines[0]", "`lines[0]` does not begin with names that lead to the records", "lines[0]"),
        ("$[0].id", "`$[0].id` picks by position, which needs all records at once", "$[0].id"),
        ("lines[n]", "`lines[n]` does not begin with names that lead to the records", "lines[n]"),
        ("lines.{\"id\": $$.id}", "`$$.id` reads outside the record", "$$.id"),
        (
            "lines[n = $$.n].id",
            "`lines[n = $$.n].id` does not begin with names that lead to the records",
            "lines[n = $$.n].id",
        ),
        ("lines^(n).id", "the order of `lines^(n).id` needs all records at once", "lines^(n).id"),
        ("*.id", "`*.id` does not begin with names that lead to the records", "*.id"),
        ("($x := 1; lines.id)", "`($x := 1; lines.id)` needs all records at once", "($x := 1; lines.id)"),
        ("lines.id & \"\"", "`lines.id & \"\"` needs all records at once", "lines.id & \"\""),
        ("lines{id: n}", "`lines{id: n}` needs all records at once", "lines{id: n}"),
    ] {
        assert_eq!(selected(expression), Err((reason.to_owned(), marked.to_owned())), "{expression}");
    }
    assert!(selected("lines@$l.$l.id").unwrap_err().0.contains("brings names along"));
}

#[test]
fn paths_that_go_on_from_each_record_stream() {
    for (expression, path, conditions, steps) in [
        ("$", &[] as &[&str], 0, 0),
        ("$.id", &[], 0, 1),
        ("$[a = 1].{\"id\": id}", &[], 1, 1),
        ("$[a = 1]", &[], 1, 0),
        ("lines", &["lines"], 0, 0),
        ("lines.id", &["lines"], 0, 1),
        ("data.orders.lines.id", &["data", "orders", "lines"], 0, 1),
        ("orders[paid = true].lines[0].id", &["orders"], 1, 2),
        ("orders.lines[-1]", &["orders"], 0, 1),
        ("orders.lines[n > 1][].{\"n\": n}", &["orders", "lines"], 1, 1),
        ("orders.($n := id; lines.{\"of\": $n, \"n\": n})", &["orders"], 0, 1),
        ("orders.$string()", &["orders"], 0, 1),
    ] {
        let path = path.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(selected(expression), Ok((path, conditions, steps)), "{expression}");
    }
}
