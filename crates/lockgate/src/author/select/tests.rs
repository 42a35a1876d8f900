use lockgate_compiler::{expression_module, expression_record_module};
use lockgate_document::formats::Format;

use super::*;
use crate::author::dice::{Dice, Pieces};

/// What an expression gives, printed; the text of what failed.
type Given = Result<String, String>;

struct Evaluated<'e> {
    source: Source<'e>,
    streams: Streams,
    records: Compiled,
    whole: Arc<Module>,
}

impl<'e> Evaluated<'e> {
    fn new(bench: &'e Workbench, text: &'e str) -> Self {
        let whole = bench.load(&expression_module(text, false).unwrap()).unwrap();
        let (streams, records) =
            expression_record_module(text).unwrap().unwrap_or_else(|whole| panic!("{text}: {whole:?}"));
        Self { source: Source { bench, name: "expression", text }, streams, records, whole }
    }

    fn whole(&self, document: Document) -> Given {
        let bench = self.source.bench;
        let result = bench.run(&self.whole, document).result.map_err(|failure| failure.message)?;
        Ok(String::from_utf8(result.print(bench.limits.reply_bytes_max).unwrap()).unwrap())
    }

    /// Record by record; none where it refuses to.
    fn selected(&self, format: &Format, text: &str, piece: usize) -> Option<Given> {
        let bench = self.source.bench;
        let from = format.records_of_list(&self.streams.path, &bench.limits, bench.options).unwrap();
        let mut out = Vec::new();
        let sink = &mut |bytes: &[u8]| {
            out.extend_from_slice(bytes);
            Ok(ControlFlow::Continue(()))
        };
        let select = Select::new(self.source, (&self.streams, &self.records), &self.whole, sink).unwrap()?;
        let meter = crate::output::Output::new(true).meter(None);
        let result = match select.run(Pieces(text.as_bytes(), piece), from, &meter) {
            Ok(Some(result)) => String::from_utf8(result.print(bench.limits.reply_bytes_max).unwrap()).unwrap(),
            Ok(None) => String::from_utf8(out).unwrap(),
            Err(exit) if exit.text().contains("LG-JSON-RECORDS") => return None,
            Err(exit) => return Some(Err(exit.text())),
        };
        Some(Ok(result.trim_end().to_owned()))
    }
}

/// An expression that goes record by record.
fn expression(dice: &mut Dice) -> String {
    let mut text = dice.one(&["$", "$", "$$", "a", "a", "b", "a.b", "a.b", "a.b.a", "x.a", "a.x", "b.a"]).to_owned();
    let conditions = [
        "[x != 1]",
        "[x = 1]",
        "[x > 1]",
        "[$count($) = 2]",
        "[$exists(x)]",
        "[$not($exists(y))]",
        "[$type($) = \"array\"]",
        "[$number(x & \"\") > 0]",
        "[true]",
    ];
    for _ in 0..[0, 0, 1, 2][dice.roll(4) as usize] {
        text.push_str(dice.one(&conditions));
    }
    let steps = [
        ".x",
        ".a",
        ".a",
        ".b",
        ".a[0]",
        ".b[-1]",
        ".a[x = 1]",
        ".b[$exists($)]",
        ".{\"x\": x, \"n\": $count($)}",
        ".[x, y]",
        ".[a]",
        ".$count($)",
        ".$type($)",
        ".$append(a, b)",
        ".(x ? a : b)",
        ".($n := y; b.{\"n\": $n, \"b\": $})",
        ".*",
        ".(x + 1)",
        ".a[]",
    ];
    for _ in 0..dice.roll(4) {
        text.push_str(dice.one(&steps));
    }
    text.push_str(dice.one(&["", "", "", "[]"]));
    text
}

#[test]
fn record_by_record_is_the_whole_document() {
    let mut dice = Dice(11);
    let expressions = if std::env::var_os("LOCKGATE_LONG").is_some() { 6_000 } else { 300 };
    let bench = Workbench::new().unwrap();
    let (mut same, mut failed, mut refused) = (0, 0, 0);
    for _ in 0..expressions {
        let text = expression(&mut dice);
        let evaluated = Evaluated::new(&bench, &text);
        for round in 0..40 {
            let lines = round % 4 == 0;
            let (document, input) = if lines {
                let lines: Vec<String> = (0..dice.roll(4)).map(|_| dice.document()).collect();
                (format!("[{}]", lines.join(",")), lines.join("\n"))
            } else {
                let document = dice.document();
                (document.clone(), document)
            };
            let format = if lines { Format::Jsonl } else { Format::Json };
            let whole = evaluated.whole(bench.parse(document.as_bytes()).unwrap());
            let piece = 1 + dice.roll(40) as usize;
            match (whole, evaluated.selected(&format, &input, piece)) {
                (Ok(whole), Some(Ok(selected))) => {
                    assert_eq!(selected, whole, "{text} over {document} as {format:?}");
                    same += 1;
                }
                (Err(_), Some(Err(_))) => failed += 1,
                (_, None) => refused += 1,
                (whole, selected) => panic!("{text} over {document}\n{whole:?}\n{selected:?}"),
            }
        }
    }
    let told = format!("{same} the same, {failed} failed, {refused} refused");
    assert!(same > expressions * 20 && failed > expressions / 4 && refused < same / 4, "{told}");
}

#[test]
fn what_is_no_array_hangs_on_all_records() {
    let bench = Workbench::new().unwrap();
    for (text, document, expected) in [
        ("a", r#"{"a":[]}"#, "[]"),
        ("a", r#"[{"a":[]}]"#, ""),
        ("a", r#"{"a":5}"#, "5"),
        ("a", r#"{"a":[5]}"#, "[5]"),
        ("a.b", r#"{"a":[{"b":[5]},{"b":[]}]}"#, "5"),
        ("a.b", r#"{"a":[{"b":[5]},{"c":[]}]}"#, "[5]"),
        ("$.a", r#"[{"a":[]},{"a":[]}]"#, ""),
        ("$.a", r#"[{"a":[]},{}]"#, "[]"),
        ("$[a = 1]", r#"[{"a":2},{"a":1}]"#, r#"{"a":1}"#),
        ("$[a = 1][]", r#"[{"a":2},{"a":1}]"#, r#"[{"a":1}]"#),
        ("a.{\"n\": $count($)}", r#"[{"a":[[1,2]]}]"#, r#"[{"n":1},{"n":1}]"#),
        ("a.{\"n\": $count($)}", r#"[{"a":[[1,2]]},{"a":3}]"#, r#"[{"n":2},{"n":1}]"#),
        ("$[$count($) = 1].a[0].a", r#"[5,[{"a":[[[],{"a":1}]]}],[6]]"#, ""),
        ("$[$count($) = 1].a[0].a", r#"[[5,6],[{"a":[[[],{"a":1}]]}],[]]"#, "1"),
        ("$", "[[1]]", "[[1]]"),
        ("$", "7", "7"),
    ] {
        let evaluated = Evaluated::new(&bench, text);
        assert_eq!(evaluated.whole(bench.parse(document.as_bytes()).unwrap()).unwrap(), expected, "{text} {document}");
        assert_eq!(evaluated.selected(&Format::Json, document, 1).unwrap().unwrap(), expected, "{text} {document}");
    }
}

#[test]
fn a_record_that_fails_is_named_and_what_came_before_it_stays() {
    let bench = Workbench::new().unwrap();
    let evaluated = Evaluated::new(&bench, "$.(n + 1)");
    let mut out = Vec::new();
    let sink = &mut |bytes: &[u8]| {
        out.extend_from_slice(bytes);
        Ok(ControlFlow::Continue(()))
    };
    let select = Select::new(evaluated.source, (&evaluated.streams, &evaluated.records), &evaluated.whole, sink);
    let from = Format::Json.records_of_list(&[], &bench.limits, bench.options).unwrap();
    let text = br#"[{"n":1},{"n":2},{"n":"x"},{"n":4}]"#;
    let meter = crate::output::Output::new(true).meter(None);
    let exit = select.unwrap().unwrap().run(Pieces(text, 100), from, &meter).err().unwrap();
    assert!(exit.text().contains("T2001") && exit.text().contains("(of record 3)"), "{}", exit.text());
    assert_eq!(out, b"[2,3");
}
