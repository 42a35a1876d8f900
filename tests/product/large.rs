//! Inputs of any length through a mapping in flat memory, and what is told when something is wrong in
//! the middle of one.

use std::{
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
    thread::JoinHandle,
};

use lockgate_testkit::process::{peak_rss_bytes, program};

use crate::house::{ORDER, with_input};

const MIB: u64 = 1 << 20;
/// What the program may ever hold, whatever comes.
const RSS_MAX: u64 = 64 * MIB;

const MAPPING: &str = r#"mapping: lines
version: 1
source: { records: data.orders }
rules:
  - { to: id, from: orderId }
  - { to: name, from: 'customer.(firstName & " " & lastName)' }
  - { to: total, from: '$round($sum(lines.(quantity * unitPrice)), 2)' }
  - to: items[]
    each: lines[status != "cancelled"]
    rules: [{ to: sku, from: sku }]
"#;

/// A process, and what it wrote so far.
struct Mapped {
    child: Child,
    written: JoinHandle<(u64, Vec<u8>)>,
}

impl Mapped {
    fn start(folder: &std::path::Path, mapping: &str, arguments: &[&str]) -> Self {
        let file = folder.join("m.map.yaml");
        std::fs::write(&file, mapping).unwrap();
        Self::of(Command::new(program()).arg("map").arg(&file).args(arguments))
    }

    fn of(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        // The end of what was written is kept; a pipe that nobody reads would stop the process.
        let written = std::thread::spawn(move || {
            let (mut piece, mut bytes, mut last) = (vec![0; 1 << 16], 0, Vec::new());
            loop {
                match out.read(&mut piece).unwrap() {
                    0 => return (bytes, last),
                    length => {
                        bytes += length as u64;
                        last = piece[..length].to_vec();
                    }
                }
            }
        });
        Self { child, written }
    }

    /// Sends everything; answers how much, and how much memory it ever took.
    fn feed(&mut self, before: &str, record: &str, between: &str, after: &str, bytes_min: u64) -> (u64, u64) {
        let mut input = self.child.stdin.take().unwrap();
        let records = format!("{record}{between}").repeat((1 << 18) / record.len() + 1);
        let mut send = |text: &str| {
            input.write_all(text.as_bytes()).unwrap();
            text.len() as u64
        };
        let mut sent = send(before);
        while sent < bytes_min {
            sent += send(&records);
        }
        sent += send(record) + send(after);
        let peak = peak_rss_bytes(self.child.id());
        drop(input);
        (sent, peak)
    }

    fn end(self) -> (std::process::Output, u64, Vec<u8>) {
        let ended = self.child.wait_with_output().unwrap();
        let (bytes, last) = self.written.join().unwrap();
        (ended, bytes, last)
    }
}

fn order() -> String {
    let order: serde_json::Value = serde_json::from_str(ORDER).unwrap();
    order.to_string()
}

fn passes_in_flat_memory(bytes: u64) {
    let folder = lockgate_testkit::temp_dir();
    let mut mapped = Mapped::start(folder.path(), MAPPING, &[]);
    let (sent, peak) =
        mapped.feed("{\"head\":{\"n\":1},\"data\":{\"orders\":[", &order(), ",", "]},\"tail\":[1,2]}", bytes);
    let (ended, written, last) = mapped.end();
    assert!(ended.status.success(), "{ended:?}");
    assert!(sent >= bytes && written > sent / 20 && last.ends_with(b"]\n"), "{sent} bytes in, {written} out");
    assert!(peak < RSS_MAX, "{} MiB resident for {} MiB of input", peak / MIB, sent / MIB);
}

/// The same for a table and for XML.
#[test]
fn tables_and_xml_larger_than_the_memory_they_may_take_pass_through() {
    let bytes = if std::env::var_os("LOCKGATE_LONG").is_some() { 1 << 30 } else { 65 * MIB };
    let rules = "rules:\n  - { to: sku, from: sku }\n  - { to: net, from: '$number(quantity) * $number(price)' }\n";
    let table = format!("mapping: m\nversion: 1\nsource: {{ records: $ }}\n{rules}");
    let xml = format!("mapping: m\nversion: 1\nsource: {{ records: orders.line }}\n{rules}");
    let row = "SKU-00012,\"Keyboard, \"\"quiet\"\"\",3,49.90\r\n";
    let element = "<line><sku>SKU-00012</sku><name>Keyboard</name><quantity>3</quantity><price>49.90</price></line>";
    for (mapping, arguments, before, record, after) in [
        (table, ["--input", "csv", "--output", "csv"], "sku,name,quantity,price\r\n", row, ""),
        (xml, ["--input", "xml", "--output", "jsonl"], "<orders>", element, "</orders>"),
    ] {
        let folder = lockgate_testkit::temp_dir();
        let mut mapped = Mapped::start(folder.path(), &mapping, &arguments);
        let (sent, peak) = mapped.feed(before, record, "", after, bytes);
        let (ended, written, last) = mapped.end();
        assert!(ended.status.success(), "{ended:?}");
        let last = String::from_utf8(last).unwrap();
        assert!(sent >= bytes && written > sent / 20, "{sent} bytes in, {written} out");
        assert!(
            ["SKU-00012,149.7\r\n", "{\"sku\":\"SKU-00012\",\"net\":149.7}\n"].iter().any(|end| last.ends_with(end))
        );
        assert!(peak < RSS_MAX, "{} MiB resident for {} MiB of {}", peak / MIB, sent / MIB, arguments[1]);
    }
}

/// And for expressions by themselves.
#[test]
fn expressions_over_inputs_larger_than_the_memory_they_may_take_pass_through() {
    let bytes = if std::env::var_os("LOCKGATE_LONG").is_some() { 1 << 30 } else { 65 * MIB };
    let line = format!("{}\n", order());
    let items = "lines[status != \"cancelled\"].{\"sku\": sku}";
    for (expression, format, before, record, between, after) in [
        ("data.orders.orderId", "json", "{\"data\":{\"orders\":[", order().as_str(), ",", "]},\"tail\":1}"),
        (&format!("$.{items}"), "json", "[", order().as_str(), ",", "]"),
        (items, "jsonl", "", line.as_str(), "", ""),
        ("$[quantity = \"3\"].{\"sku\": sku}", "csv", "sku,quantity\n", "SKU-00012,3\nSKU-00013,4\n", "", ""),
    ] {
        let mut mapped = Mapped::of(Command::new(program()).args(["eval", expression, "--input", format]));
        let (sent, peak) = mapped.feed(before, record, between, after, bytes);
        let (ended, written, last) = mapped.end();
        assert!(ended.status.success(), "{ended:?}");
        assert!(sent >= bytes && written > sent / 500 && last.ends_with(b"]\n"), "{sent} bytes in, {written} out");
        assert!(peak < RSS_MAX, "{} MiB resident for {} MiB of {format}: {expression}", peak / MIB, sent / MIB);
    }
}

#[test]
fn xml_and_edi_are_written_by_records_and_read_as_their_types_say() {
    let folder = lockgate_testkit::temp_dir();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("o.yaml"), "namespaces: { \"\": \"urn:o\" }\narrays: [tag]\nrecords: out/one\n").unwrap();
    std::fs::create_dir(folder.path().join("types")).unwrap();
    let line = r#"{"type":"array","items":{"type":"object","properties":{"n":{"type":"string"}}}}"#;
    let order = format!(r#"{{"type":"object","properties":{{"line":{line},"tag":{{}}}}}}"#);
    let orders = format!(r#"{{"type":"object","properties":{{"order":{{"type":"array","items":{order}}}}}}}"#);
    let kind = format!(r#"{{"type":"object","properties":{{"orders":{orders}}}}}"#);
    std::fs::write(path("types/orders.json"), kind).unwrap();
    let mapping = "mapping: m\nversion: 1\nsource: { type: orders, records: orders.order }\nrules:\n\
                   \x20 - { to: lines, from: '$string(line)' }\n  - { to: tags, from: '$string(tag)' }\n";
    let input = "<orders xmlns='urn:o'><order><line><n>1</n></line><tag>x</tag></order><order><line><n>2</n></line>\
                 <line><n>3</n></line></order></orders>";
    let options = format!("xml:{}", path("o.yaml"));
    let map = |mapping: &str, arguments: &[&str], input: &str| {
        std::fs::write(path("m.map.yaml"), mapping).unwrap();
        let ended = with_input(Command::new(program()).arg("map").arg(path("m.map.yaml")).args(arguments), input);
        (ended.status.code(), String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap())
    };
    for whole in [&[] as &[&str], &["--whole"]] {
        let (code, out, err) = map(mapping, &[&["--input", &options, "--output", &options], whole].concat(), input);
        assert_eq!(
            (code, out.as_str(), err.as_str()),
            (
                Some(0),
                "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<out xmlns=\"urn:o\"><one><lines>[{\"n\":\"1\"}]</lines>\
                 <tags>[\"x\"]</tags></one><one><lines>[{\"n\":\"2\"},{\"n\":\"3\"}]</lines></one></out>",
                ""
            )
        );
    }
    let (code, _, err) = map(mapping, &["--input", &options], "<orders xmlns='urn:o'><order/>and<order/></orders>");
    assert!(code == Some(1) && err.contains("LG-XML-RECORDS"), "{err}");
    let edi = "UNA:+.? 'UNB+UNOC:3+A+B+261122:1305+1'UNH+1+X:D:01B:UN'BGM+1+2+xy'UNT+3+1'UNH+2+X:D:01B:UN'BGM+3'UNT+3+2'UNZ+2+1'";
    let copy = "mapping: m\nversion: 1\nrules:\n  - { to: '[]', each: $ }\n";
    for whole in [&[] as &[&str], &["--whole"]] {
        let (code, out, err) = map(copy, &[&["--input", "edi", "--output", "edi"], whole].concat(), edi);
        assert_eq!((code, out.as_str(), err.as_str()), (Some(0), &edi[9..], ""));
    }
}

#[test]
fn expressions_give_the_same_in_every_format_and_say_whether_they_stream() {
    let eval = |arguments: &[&str], input: &str| {
        let ended = with_input(Command::new(program()).arg("eval").args(arguments), input);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (ended.status.code().unwrap(), text(&ended.stdout), text(&ended.stderr))
    };
    for (expression, out) in [
        ("$[b = \"2\"].a", "\"x\"\n"),
        ("a", "[\"y\",\"x\",\"z\"]\n"),
        ("$.{\"n\": $number(b)}", "[{\"n\":1},{\"n\":2},{\"n\":3}]\n"),
        ("$[b = \"9\"]", ""),
        ("$sum($.$number(b))", "6\n"),
    ] {
        for (format, input) in [
            ("json", "[{\"a\":\"y\",\"b\":\"1\"},{\"a\":\"x\",\"b\":\"2\"},{\"a\":\"z\",\"b\":\"3\"}]"),
            ("jsonl", "{\"a\":\"y\",\"b\":\"1\"}\n{\"a\":\"x\",\"b\":\"2\"}\n{\"a\":\"z\",\"b\":\"3\"}\n"),
            ("csv", "a,b\ny,1\nx,2\nz,3\n"),
        ] {
            for whole in [&[] as &[&str], &["--whole"]] {
                let given = eval(&[&[expression, "--input", format], whole].concat(), input);
                assert_eq!((given.0, given.1.as_str()), (0, out), "{expression} {format}: {}", given.2);
            }
        }
    }
    // What is small is a whole document: no output before the trouble, and no way is refused.
    let (code, out, err) = eval(&["$.(n * 2)"], "[{\"n\":1},{\"n\":2},{\"n\":\"x\"}]");
    assert!(code == 1 && out.is_empty() && err.contains("T2001"), "{out} {err}");
    assert_eq!(eval(&["a.x"], "{\"a\":[[{\"x\":1}],{\"x\":2}]}").1, "[1,2]\n");
    let many = "{\"n\":1},".repeat(1 << 17);
    let (code, out, err) = eval(&["$.(n * 2)"], &format!("[{many}{{\"n\":\"x\"}}]"));
    assert!(code == 1 && out.ends_with(",2") && err.contains("(of record 131073)"), "{err}");
    let (code, out, err) = eval(&["a.n"], &format!("{{\"a\":[{many}{{\"n\":]}}"));
    assert!(code == 1 && out.ends_with(",1") && err.contains("record 131073"), "{err}");
    let (code, _, err) = eval(&["a.n", "--duplicates", "last"], &format!("{{\"a\":[{many}1],\"a\":2}}"));
    assert!(code == 0, "{err}");
    let folder = lockgate_testkit::temp_dir();
    let file = folder.path().join("q.jsonata");
    std::fs::write(&file, "/* of all */\n$sum(lines.net)\n").unwrap();
    let check = |arguments: &[&str]| {
        let checked = Command::new(program()).arg("check").args(arguments).output().unwrap();
        (checked.status.code(), String::from_utf8(checked.stdout).unwrap())
    };
    let (_, told) = check(&[file.to_str().unwrap()]);
    assert!(told.contains("does not stream: `$sum(lines.net)` needs all records at once (") && told.contains(":2:1)"));
    assert_eq!(check(&["-e", "lines[n > 1].id"]).1, "expression streams: records of `lines`\n");
    assert_eq!(
        check(&["--json", "-e", "$.id"]).1,
        "{\"expression\":\"expression\",\"streams\":true,\"records\":\"$\"}\n"
    );
    assert_eq!(check(&["-e", "lines[n"]).0, Some(1));
}

#[test]
fn an_input_larger_than_the_memory_it_may_take_passes_through() {
    passes_in_flat_memory(65 * MIB);
    if std::env::var_os("LOCKGATE_LONG").is_some() {
        passes_in_flat_memory(1 << 30);
    }
}

#[test]
fn what_lies_beside_the_records_takes_no_memory_either() {
    let folder = lockgate_testkit::temp_dir();
    let mut mapped = Mapped::start(folder.path(), MAPPING, &["--duplicates", "last"]);
    let (_, peak) = mapped.feed("{\"head\":[", &order(), ",", "],\"data\":{\"orders\":[]}}", 65 * MIB);
    let (ended, _, last) = mapped.end();
    assert!(ended.status.success() && last == b"[]\n", "{ended:?}");
    assert!(peak < RSS_MAX, "{} MiB resident", peak / MIB);
}

fn run(mapping: &str, arguments: &[&str], input: &str) -> (i32, String, String) {
    let folder = lockgate_testkit::temp_dir();
    let file = folder.path().join("m.map.yaml");
    std::fs::write(&file, mapping).unwrap();
    let ended = with_input(Command::new(program()).arg("map").arg(&file).args(arguments), input);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (ended.status.code().unwrap(), text(&ended.stdout), text(&ended.stderr))
}

const DOUBLE: &str = "mapping: m\nversion: 1\nrules:\n  - { to: '[]', each: a, rules: [{ to: b, from: n * 2 }] }\n";

#[test]
fn a_record_that_fails_is_named_and_what_came_before_it_stays() {
    for (input, told) in [
        ("{\"a\":[{\"n\":1},{\"n\":2},{\"n\":\"x\"},{\"n\":4}]}", "(of record 3)"),
        ("{\"a\":[{\"n\":1},{\"n\":2},{\"n\":},{\"n\":4}]}", "(record 3, byte 27)"),
        ("{\"a\":[{\"n\":1},{\"n\":2}", "the text ends too early (byte 21)"),
        ("{\"a\":[{\"n\":1},{\"n\":2}],\"a\":1}", "already (byte 23)"),
    ] {
        let (code, out, err) = run(DOUBLE, &[], input);
        assert_eq!((code, out.as_str()), (1, "[{\"b\":2},{\"b\":4}"), "{err}");
        assert!(err.contains(told), "{err}");
        let (_, lines, _) = run(DOUBLE, &["--output", "jsonl"], input);
        assert_eq!(lines, "{\"b\":2}\n{\"b\":4}\n");
        // As a whole there is no output at all.
        let (code, out, _) = run(DOUBLE, &["--whole"], input);
        assert_eq!((code, out.as_str()), (1, ""));
    }
    // An array may be the only record, which is settled at the end; a trouble before shows what it gave.
    let (code, out, _) = run(DOUBLE, &[], "{\"a\":[[{\"n\":1}],{\"n\":}]}");
    assert_eq!((code, out.as_str()), (1, "[{\"b\":2}"));
    let (_, _, err) = run(DOUBLE, &["--json"], "{\"a\":[{\"n\":1},{\"n\":}]}");
    let told: serde_json::Value = serde_json::from_str(&err).unwrap();
    assert_eq!(told["error"]["detail"], serde_json::json!({"record": 2, "byte": 19}), "{told}");
    let (code, out, err) = run(DOUBLE, &["--output", "csv"], "{\"a\":[{\"n\":1},[{\"n\":2}]]}");
    assert_eq!((code, out.as_str(), err.as_str()), (0, "b\r\n2\r\n4\r\n", ""));
}

#[test]
fn formats_and_keys_that_come_twice_are_chosen() {
    let lines = "mapping: m\nversion: 1\nsource: { records: $ }\nrules:\n  - { to: b, from: n * 2 }\n";
    for arguments in [&["--input", "jsonl"] as &[&str], &["--input", "jsonl", "--whole"]] {
        let (code, out, err) = run(lines, arguments, "{\"n\":1}\n\n{\"n\":2}");
        assert_eq!((code, out.as_str()), (0, "[{\"b\":2},{\"b\":4}]\n"), "{err}");
    }
    let (code, _, err) = run(lines, &["--input", "jsonl"], "{\"n\":1}\n{\"n\":1,\"n\":2}\n");
    assert!(code == 1 && err.contains("LG-JSON-DUPLICATE") && err.contains("record 2"), "{err}");
    let last = ["--input", "jsonl", "--output", "jsonl", "--duplicates", "last"];
    assert_eq!(run(lines, &last, "{\"n\":1}\n{\"n\":1,\"n\":2}\n").1, "{\"b\":2}\n{\"b\":4}\n");
    let (code, _, err) = run(lines, &["--lines", "--input", "jsonl"], "");
    assert!(code == 2 && err.contains("--input"), "{err}");
    let eval = |arguments: &[&str]| {
        with_input(Command::new(program()).args(["eval", "n"]).args(arguments), "{\"n\":1,\"n\":2}")
    };
    assert!(!eval(&[]).status.success());
    assert_eq!(eval(&["--duplicates", "last"]).stdout, b"2\n");
}

#[test]
fn records_go_out_before_the_input_has_ended() {
    let folder = lockgate_testkit::temp_dir();
    let file = folder.path().join("m.map.yaml");
    std::fs::write(&file, DOUBLE).unwrap();
    let mut child =
        Command::new(program()).arg("map").arg(&file).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    input.write_all(b"{\"a\":[{\"n\":1},{\"n\"").unwrap();
    let mut first = [0; 8];
    out.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"[{\"b\":2}");
    // Nobody reads any more: the end is quiet.
    drop(out);
    let _ = input.write_all(b":2}]}");
    drop(input);
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
}

#[test]
fn check_tells_which_mappings_stream_and_what_keeps_the_others_from_it() {
    let folder = lockgate_testkit::temp_dir();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("project.yaml", "project: p\n");
    for (name, source, rule) in [
        ("a", "source: { records: data.orders }\n", "{ to: id, from: $$.id }"),
        ("b", "", "{ to: '[]', each: '$', from: id }"),
        ("c", "", "{ to: '[]', each: lines, from: $$.header.id & id }"),
        ("d", "", "{ to: total, from: $sum(lines.net) }"),
    ] {
        write(&format!("{name}.map.yaml"), &format!("mapping: {name}\nversion: 1\n{source}rules:\n  - {rule}\n"));
    }
    let check = |arguments: &[&str]| {
        let checked = Command::new(program()).args(arguments).arg(folder.path()).output().unwrap();
        assert!(checked.status.success(), "{checked:?}");
        String::from_utf8(checked.stdout).unwrap()
    };
    let lines = "  a streams: records of `data.orders`\n\
                 \x20 b streams: records of the document itself\n\
                 \x20 c does not stream: `$$.header.id` reads outside the record (c.map.yaml:4:36)\n\
                 \x20 d does not stream: the target is one object, made of the whole document (d.map.yaml:4:24)\n";
    let shown = check(&["check"]);
    assert!(shown.ends_with(lines), "{shown}");
    let value: serde_json::Value = serde_json::from_str(&check(&["--json", "check"])).unwrap();
    assert_eq!(value["mappings"][0], serde_json::json!({"mapping": "a", "streams": true, "records": "data.orders"}));
    let told = &value["mappings"][2];
    assert_eq!(
        (told["reason"].as_str(), told["column"].as_u64()),
        (Some("`$$.header.id` reads outside the record"), Some(36))
    );
}
