use lockgate_compiler::{Passes, Tables, Types};
use lockgate_document::{Duplicates, ParseOptions};

use super::*;
use crate::author::{format::Format, workbench::Workbench};

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

/// Bytes that come so many at a time.
struct Pieces<'t>(&'t [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let length = self.1.min(self.0.len()).min(into.len());
        let (now, later) = self.0.split_at(length);
        into[..length].copy_from_slice(now);
        self.0 = later;
        Ok(length)
    }
}

/// What comes out record by record, and the code of what failed.
fn passed(
    mapping: &Mapping,
    records: &RecordModule,
    format: &Format,
    text: &str,
    piece: usize,
) -> (String, Option<String>) {
    let bench = &mapping.bench;
    let from = Format::Json.records(&records.streams.path, &bench.limits, bench.options).unwrap();
    let mut out = Vec::new();
    let sink = &mut |bytes: &[u8]| {
        out.extend_from_slice(bytes);
        Ok(ControlFlow::Continue(()))
    };
    let meter = crate::output::Output::new(true).meter(None);
    let end = Pass::new(mapping, records, (format, format.writer(&bench.limits).unwrap()), sink).unwrap().run(
        Pieces(text.as_bytes(), piece),
        from,
        &meter,
    );
    let code = end.err().map(|exit| exit.json().to_string());
    (String::from_utf8(out).unwrap(), code)
}

fn whole(mapping: &Mapping, module: &Arc<Module>, format: &Format, text: &str) -> Result<String, Exit> {
    let input = mapping.bench.parse(text.as_bytes()).map_err(|e| Exit::failed(&e.code(), ""))?;
    let result = mapping.map(module, input, "")?;
    Ok(String::from_utf8(format.print(&result, &mapping.bench.limits)?).unwrap())
}

fn file(source: &str, rules: &str) -> String {
    format!("mapping: m\nversion: 1\n{source}rules:\n{rules}")
}

/// Rules over the places `a`, `a.b` and the document itself.
fn mappings() -> Vec<String> {
    let mut all = Vec::new();
    let eaches = [
        "a",
        "a[]",
        "a.b",
        "a.b[]",
        "$",
        "a[x != 1]",
        "a[x = 1]",
        "a[x = 1][]",
        "a.b[$exists(x)][x < 3]",
        "a.b[$not($exists(y))]",
        "$[x = 1]",
        "a[$string($) != \\\"5\\\"]",
        "a.b[$count($) = 2]",
        "a[($n := x; $n = 1)]",
    ];
    let entries = [
        "",
        ", from: x",
        ", from: $",
        ", from: '$type($)'",
        ", from: '$count($)'",
        ", default: '\"none\"'",
        ", from: '$type($) = \"object\" ? 1', default: '[]'",
        ", rules: [{ to: p, from: x }, { to: q.r, from: y, default: '0' }, { to: 's[]', each: b, from: $ }]",
        ", rules: [{ to: t, lookup: { table: t, key: '$string(x)', value: n }, when: '$exists(x)' }]",
    ];
    for each in eaches {
        for entry in entries {
            all.push(file("", &format!("  - {{ to: '[]', each: \"{each}\"{entry} }}\n")));
        }
    }
    for records in ["a", "a.b", "$"] {
        for rules in [
            "  - { to: p, from: x }\n  - { to: q, from: $$.y }\n",
            "  - { to: n, from: '$count($)' }\n  - { to: k, from: '$type($$)' }\n",
            "  - { to: '[]', each: b, from: x }\n",
            "  - { to: '[]', each: b, when: '$exists(x)' }\n",
        ] {
            all.push(file(&format!("source: {{ records: {records} }}\n"), rules));
        }
    }
    all
}

/// A small generator: the same numbers everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn list(&mut self, depth: u32) -> String {
        let items: Vec<String> = (0..[0, 1, 1, 2, 3][self.roll(5) as usize]).map(|_| self.value(depth)).collect();
        format!("[{}]", items.join(","))
    }

    fn value(&mut self, depth: u32) -> String {
        match self.roll(if depth == 0 { 4 } else { 10 }) {
            0 => "1".to_owned(),
            1 => "\"5\"".to_owned(),
            2 => "null".to_owned(),
            3 => "{}".to_owned(),
            4..=6 => self.list(depth - 1),
            _ => {
                let mut fields = Vec::new();
                for key in ["x", "y", "a", "b"] {
                    if self.roll(2) == 0 {
                        fields.push(format!("\"{key}\":{}", self.value(depth - 1)));
                    }
                }
                format!("{{{}}}", fields.join(","))
            }
        }
    }

    fn document(&mut self) -> String {
        match self.roll(4) {
            0 => self.value(4),
            1 => format!("{{\"a\":{}}}", self.list(3)),
            2 => format!("{{\"y\":2,\"a\":{{\"b\":{}}}}}", self.list(3)),
            _ => format!("{{\"a\":[{{\"b\":{}}},{{\"b\":{}}}]}}", self.list(2), self.value(2)),
        }
    }
}

#[test]
fn record_by_record_is_the_whole_document() {
    let mut dice = Dice(7);
    let rounds = if std::env::var_os("LOCKGATE_LONG").is_some() { 500 } else { 25 };
    let (mut same, mut failed) = (0, 0);
    for text in mappings() {
        let (mapping, records) = mapping(&text);
        let records = records.unwrap_or_else(|| panic!("needs the whole document: {text}"));
        let module = mapping.whole().unwrap();
        for round in 0..rounds {
            let document = dice.document();
            let format = if round % 4 == 0 { &Format::Jsonl } else { &Format::Json };
            let piece = 1 + dice.roll(40) as usize;
            let (given, trouble) = passed(&mapping, &records, format, &document, piece);
            match (whole(&mapping, &module, format, &document), trouble) {
                (Ok(expected), None) => {
                    assert_eq!(given, expected, "{document}\n{text}");
                    same += 1;
                }
                (_, Some(trouble)) if trouble.contains("LG-JSON-RECORDS") => {}
                (Err(_), Some(_)) => failed += 1,
                (expected, trouble) => {
                    let expected = expected.map_err(|exit| exit.text());
                    panic!("{document}\n{text}\nwhole: {expected:?}\nby record: {given} {trouble:?}")
                }
            }
        }
    }
    assert!(same > 2_000 && failed < same / 10, "{same} the same, {failed} failed");
}
