//! docs/formats/edi.md is what the code does: each of its interchanges is read to the value below it,
//! and that value is written as the interchange, whole and message by message.
//!
//! A fence names its example: ```` ```text 850 ```` is an interchange, ```` ```json 850 ```` its value,
//! ```` ```yml 850 ```` the grammar between them. A grammar that has examples of its own is named with
//! them: ```` ```yml 850 850-twice ````.

use std::{collections::BTreeMap, path::Path};

use lockgate_document::{
    Document, RecordReader, RecordWriter,
    edi::{self, Dialect, Grammar, Reader, Writer},
};
use lockgate_mapping::yaml;
use lockgate_model::Limits;
use lockgate_testkit::workspace_root;

#[derive(Default)]
struct Example {
    text: String,
    json: String,
    grammar: Option<Grammar>,
}

fn examples() -> BTreeMap<String, Example> {
    let page = std::fs::read_to_string(workspace_root().join(Path::new("docs/formats/edi.md"))).unwrap();
    let mut all: BTreeMap<String, Example> = BTreeMap::new();
    let mut blocks = page.split("```");
    blocks.next();
    while let (Some(block), Some(_)) = (blocks.next(), blocks.next()) {
        let (fence, text) = block.split_once('\n').unwrap();
        let mut words = fence.split_whitespace();
        let kind = words.next().unwrap_or_default();
        for name in words {
            let example = all.entry(name.to_owned()).or_default();
            match kind {
                "text" => example.text = text.to_owned(),
                "json" => example.json = text.to_owned(),
                "yml" => {
                    let node = yaml::parse("example", text).unwrap_or_else(|e| panic!("{name}: {e}"));
                    let grammar = Grammar::read(json(&node.to_json()).root());
                    example.grammar = Some(grammar.unwrap_or_else(|problem| panic!("{name}: {problem}")));
                }
                other => panic!("nothing is known of `{other} {name}`"),
            }
        }
    }
    all
}

fn json(text: &str) -> Document {
    Document::parse(text.as_bytes(), &Limits::default()).unwrap_or_else(|e| panic!("{e}: {text}"))
}
fn shown(document: &Document) -> String {
    String::from_utf8(document.print(1 << 24).unwrap()).unwrap()
}
fn dialect(example: &Example) -> Dialect {
    let advice = example.text.starts_with("UNA:+.");
    Dialect { grammars: example.grammar.iter().cloned().collect(), lines: true, advice, ..Dialect::default() }
}

#[test]
fn every_interchange_of_the_page_is_the_value_below_it() {
    let examples = examples();
    assert!(examples.len() >= 4, "{} examples", examples.len());
    for (name, example) in &examples {
        let dialect = dialect(example);
        let value = edi::read(example.text.as_bytes(), &dialect, &Limits::default())
            .unwrap_or_else(|error| panic!("{name}: {}: {error}", error.code()));
        assert_eq!(shown(&value), shown(&json(&example.json)), "{name}");
        let mut out = Vec::new();
        edi::write(value.root(), &dialect, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), example.text, "{name}");
    }
}

#[test]
fn every_interchange_of_the_page_passes_message_by_message() {
    for (name, example) in examples() {
        let dialect = dialect(&example);
        let mut reader = Reader::new(dialect.clone(), &Limits::default());
        let mut writer = Writer::new(dialect, Document::undefined().root()).unwrap();
        let mut out = Vec::new();
        let mut records = 0;
        for byte in example.text.as_bytes() {
            reader.push(&[*byte]);
            while let Some(record) = reader.next().unwrap() {
                records += 1;
                writer.write(record.root(), &mut out).unwrap();
            }
        }
        reader.end();
        assert!(reader.next().unwrap().is_none() && records > 0, "{name}");
        writer.finish(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), example.text, "{name}");
    }
}

#[test]
fn what_breaks_a_grammar_of_the_page_is_refused() {
    let examples = examples();
    for (name, wrong, right, code) in [
        ("850", "BEG*00", "BEG*99", "LG-EDI-CODE"),
        ("850", "PO1*1*", "PO1**", "LG-EDI-MISSING"),
        ("850", "CTT*2", "CTT*x", "LG-EDI-TYPE"),
        ("850", "SE*17", "SE*16", "LG-EDI-COUNT"),
        ("orders", "BGM+220", "BGM+999", "LG-EDI-CODE"),
        ("orders", "QTY+21:48", "QTY+21:4.8", "LG-EDI-TYPE"),
        ("orders", "UNS+S'", "", "LG-EDI-MISSING"),
        ("orders", "UNT+23+1", "UNT+23+2", "LG-EDI-CONTROL"),
    ] {
        let example = &examples[name];
        assert!(example.text.contains(wrong), "{name}: {wrong}");
        let text = example.text.replacen(wrong, right, 1);
        let error = edi::read(text.as_bytes(), &dialect(example), &Limits::default()).unwrap_err();
        assert_eq!(error.code(), code, "{name}, {right}: {error}");
    }
}
