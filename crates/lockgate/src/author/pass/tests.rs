use lockgate_compiler::{Passes, Tables, Types};
use lockgate_document::{Duplicates, ParseOptions, formats::Format};

use super::*;
use crate::author::{
    dice::{Dice, Pieces},
    workbench::Workbench,
};

/// A mapping and its module for records; `None` where it needs the whole document.
fn mapping(text: &str) -> (Mapping, Option<Box<RecordModule>>) {
    let tables = Tables::from([("t".to_owned(), serde_json::json!({"1": {"n": "one"}}))]);
    let types = Types::default();
    let passes = lockgate_compiler::map_record_module("m.map.yaml", text, &tables, &types);
    let passes = passes.unwrap_or_else(|e| panic!("{text}: {e}"));
    let records = match passes {
        Passes::Records(records) => Some(records),
        Passes::Whole(_) => None,
    };
    let mut bench = Workbench::new().unwrap();
    bench.options = ParseOptions { duplicates: Duplicates::Refuse };
    (Mapping { bench, file: "m.map.yaml".to_owned(), text: text.to_owned(), tables, types }, records)
}

/// What comes out record by record, and the code of what failed.
fn passed(
    mapping: &Mapping,
    records: &RecordModule,
    (from, format): (&Format, &Format),
    text: &str,
    piece: usize,
) -> (String, Option<String>) {
    let bench = &mapping.bench;
    let from = from.records(&records.streams.path, &bench.limits, bench.options).unwrap();
    let mut out = Vec::new();
    let sink = &mut |bytes: &[u8]| {
        out.extend_from_slice(bytes);
        Ok(ControlFlow::Continue(()))
    };
    let meter = crate::output::Output::new(true).meter(None);
    let pass = Pass::new(mapping, records, (format, format.writer(&bench.limits).unwrap()), sink).unwrap();
    let end = pass.unwrap().run(Pieces(text.as_bytes(), piece), from, &meter);
    let code = end.err().map(|exit| exit.json().to_string());
    (String::from_utf8(out).unwrap(), code)
}

fn whole(mapping: &Mapping, module: &Arc<Module>, format: &Format, text: &str) -> Result<String, Exit> {
    let input = mapping.bench.parse(text.as_bytes()).map_err(|e| Exit::failed(&e.code(), ""))?;
    let result = mapping.map(module, input, "")?;
    Ok(String::from_utf8(format.print(&result, &mapping.bench.limits).map_err(|error| unwritten(&error))?).unwrap())
}

fn file(source: &str, rules: &str) -> String {
    format!("mapping: m\nversion: 1\n{source}rules:\n{rules}")
}

/// Rules over one of the places that the documents have, or often do not have.
fn rules(dice: &mut Dice) -> String {
    let place = dice.one(&["a", "a", "a.b", "a.b", "$", "a.b.a", "b", "x.a", "a.x"]);
    let conditions = [
        "[x != 1]",
        "[x = 1]",
        "[x > 1]",
        "[x >= y]",
        "[$count($) = 2]",
        "[$count($) > 1]",
        "[$exists(x)]",
        "[$not($exists(y))]",
        "[$string($) != \\\"5\\\"]",
        "[($n := x; $n = 1)]",
        "[$type($) = \\\"array\\\"]",
        "[true]",
    ];
    let mut each = place.to_owned();
    for _ in 0..[0, 1, 1, 2][dice.roll(4) as usize] {
        each.push_str(dice.one(&conditions));
    }
    each.push_str(dice.one(&["", "", "[]"]));
    let entries = [
        "",
        ", from: x",
        ", from: x * 2",
        ", from: $",
        ", from: '$type($)'",
        ", from: '$count($)'",
        ", default: '\"none\"'",
        ", from: '$type($) = \"object\" ? 1', default: '[]'",
        ", rules: [{ to: p, from: x }, { to: q.r, from: y, default: '0' }, { to: 's[]', each: b, from: $ }]",
        ", rules: [{ to: t, lookup: { table: t, key: '$string(x)', value: n }, when: '$exists(x)' }]",
    ];
    if dice.roll(6) > 0 {
        let entry = dice.one(&entries);
        return file("", &format!("  - {{ to: '[]', each: \"{each}\"{entry} }}\n"));
    }
    let records = [
        "  - { to: p, from: x }\n  - { to: q, from: $$.y }\n",
        "  - { to: p, from: x * 2 }\n",
        "  - { to: n, from: '$count($)' }\n  - { to: k, from: '$type($$)' }\n",
        "  - { to: '[]', each: b, from: x }\n",
        "  - { to: '[]', each: b, when: '$exists(x)' }\n",
    ];
    file(&format!("source: {{ records: {place} }}\n"), dice.one(&records))
}

#[test]
fn record_by_record_is_the_whole_document() {
    let mut dice = Dice(7);
    let files = if std::env::var_os("LOCKGATE_LONG").is_some() { 3_000 } else { 150 };
    let (mut same, mut failed, mut refused) = (0, 0, 0);
    for _ in 0..files {
        let text = rules(&mut dice);
        let (mapping, records) = mapping(&text);
        let records = records.unwrap_or_else(|| panic!("needs the whole document: {text}"));
        let module = mapping.whole().unwrap();
        for round in 0..40 {
            let (document, input, from) = match round % 5 {
                0 => {
                    let lines: Vec<String> = (0..dice.roll(4)).map(|_| dice.document()).collect();
                    (format!("[{}]", lines.join(",")), lines.join("\n"), Format::Jsonl)
                }
                _ => {
                    let document = dice.document();
                    (document.clone(), document, Format::Json)
                }
            };
            let format = if round % 4 == 0 { &Format::Jsonl } else { &Format::Json };
            let piece = 1 + dice.roll(40) as usize;
            let (given, trouble) = passed(&mapping, &records, (&from, format), &input, piece);
            match (whole(&mapping, &module, format, &document), trouble) {
                (Ok(expected), None) => {
                    assert_eq!(given, expected, "{document}\n{text}");
                    same += 1;
                }
                (_, Some(trouble)) if trouble.contains("LG-JSON-RECORDS") => refused += 1,
                (Err(_), Some(_)) => failed += 1,
                (expected, trouble) => {
                    let expected = expected.map_err(|exit| exit.text());
                    panic!("{document}\n{text}\nwhole: {expected:?}\nby record: {given} {trouble:?}")
                }
            }
        }
    }
    let told = format!("{same} the same, {failed} failed, {refused} refused");
    assert!(same > files * 20 && failed > files / 5 && refused < same / 10, "{told}");
}

#[test]
fn an_only_record_that_is_a_list_is_asked_as_in_the_whole_document() {
    for (each, entry, document, expected) in [
        ("o[a > 1]", "", r#"[{"o":[[{"a":2},{"a":3}]]}]"#, r#"[{"a":2},{"a":3}]"#),
        ("o[$count($) = 2]", "", r#"[{"o":[[1,2],5]}]"#, "[1,2]"),
        ("o[$count($) = 2]", "", r#"[{"o":[[1,2]]}]"#, "[]"),
        ("o", "from: a * 2", r#"[{"o":[[{"a":2},{"a":3}]]}]"#, "[4,6]"),
        ("o[$exists(a)]", "from: a * 2", r#"{"o":[{},[{"a":2},{"a":3}],1]}"#, "[4,6]"),
    ] {
        let (mapping, records) = mapping(&file("", &format!("  - {{ to: '[]', each: '{each}', {entry} }}\n")));
        let records = records.unwrap();
        let module = mapping.whole().unwrap();
        assert_eq!(whole(&mapping, &module, &Format::Json, document).unwrap().trim_end(), expected, "{each}");
        for piece in [1, 7, 1_000] {
            let (given, trouble) = passed(&mapping, &records, (&Format::Json, &Format::Json), document, piece);
            assert_eq!((given.trim_end(), trouble), (expected, None), "{each}");
        }
    }
}

#[test]
fn a_condition_that_fails_of_nothing_needs_the_whole_document() {
    let (mapping, records) = mapping(&file("", "  - { to: '[]', each: 'a.b[$number(x & \"\") > 5]' }\n"));
    let sink = &mut |_: &[u8]| Ok(ControlFlow::Continue(()));
    let writer = Format::Json.writer(&mapping.bench.limits).unwrap();
    assert!(Pass::new(&mapping, &records.unwrap(), (&Format::Json, writer), sink).unwrap().is_none());
}
