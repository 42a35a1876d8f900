//! The examples of docs/formats/csv.md and docs/formats/fixed-width.md: a dialect or layout in YAML, a
//! file, and the records that it gives. A file without records is refused.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

use lockgate_document::{
    Document, FormatError, LayoutProblems,
    charset::Charset,
    csv::{self, Dialect},
    fixed::{self, Layout},
};
use lockgate_mapping::yaml;
use lockgate_model::Limits;
use lockgate_testkit::workspace_root;

/// Blocks of a page: what the fence says, and the text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let path = workspace_root().join("docs/formats").join(page);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut found: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(fence) if !open => {
                found.push((fence.to_owned(), String::new()));
                open = true;
            }
            Some(_) => open = false,
            None if open => {
                let text = &mut found.last_mut().unwrap().1;
                text.push_str(line);
                text.push('\n');
            }
            None => {}
        }
    }
    found
}

fn options(text: &str) -> Document {
    let node = yaml::parse("example", text).unwrap_or_else(|e| panic!("{text}: {e}"));
    Document::parse(node.to_json().as_bytes(), &Limits::default()).unwrap()
}
fn text(document: &Document) -> String {
    String::from_utf8(document.print(1 << 20).unwrap()).unwrap()
}

/// A format as the page has it: how to read its options, a file and records.
struct Format<T> {
    options: &'static str,
    file: &'static str,
    describe: fn(&Document) -> Result<T, LayoutProblems>,
    read: fn(&[u8], &T) -> Result<Document, FormatError>,
    write: fn(&Document, &T) -> Result<Vec<u8>, FormatError>,
    /// Whether files of the example have line ends.
    has_lines: fn(&Document) -> bool,
}

/// Holds every example; answers how many were taken and how many refused.
fn hold<T>(page: &str, format: &Format<T>) -> (usize, usize) {
    let (mut taken, mut refused) = (0, 0);
    let mut described = Document::undefined();
    let mut blocks = blocks(page).into_iter().peekable();
    while let Some((fence, block)) = blocks.next() {
        if fence == format.options {
            described = options(&block);
            continue;
        }
        assert_eq!(fence, format.file, "a block of {page} is of no known kind");
        let options = (format.describe)(&described).unwrap_or_else(|e| panic!("{page}: {e}"));
        let file = if (format.has_lines)(&described) { block.as_str() } else { block.trim_end_matches('\n') };
        let charset = described.root().get("charset").as_str().unwrap_or("utf-8");
        let mut bytes = Vec::new();
        Charset::named(charset).unwrap().encode(file, &mut bytes).unwrap();
        let read = (format.read)(&bytes, &options);
        if let Some((_, records)) = blocks.next_if(|(fence, _)| fence == "json") {
            let read = read.unwrap_or_else(|e| panic!("{page}: {block}{e}"));
            let expected = Document::parse(records.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(text(&read), text(&expected), "{page}: {block}");
            let written = (format.write)(&read, &options).unwrap_or_else(|e| panic!("{page}: {block}{e}"));
            assert_eq!(text(&(format.read)(&written, &options).unwrap()), text(&expected), "{page}: {block}");
            taken += 1;
        } else {
            assert!(read.is_err(), "{page}: {block}");
            refused += 1;
        }
    }
    (taken, refused)
}

#[test]
fn every_example_of_csv_gives_its_records() {
    let format = Format {
        options: "yaml dialect",
        file: "csv",
        describe: |options| Dialect::read(options.root()),
        read: |bytes, dialect| csv::read_all(bytes, dialect, &Limits::default()),
        write: |records, dialect| csv::write_all(records.root(), dialect),
        has_lines: |_| true,
    };
    assert_eq!(hold("csv.md", &format), (7, 0));
}

#[test]
fn every_example_of_fixed_width_gives_its_records() {
    let format = Format {
        options: "yaml layout",
        file: "file",
        describe: |options| Layout::read(options.root()),
        read: |bytes, layout| fixed::read_all(bytes, layout, &Limits::default()),
        write: |records, layout| fixed::write_all(records.root(), layout),
        has_lines: |options| options.root().get("line_end").as_str() != Some("none"),
    };
    assert_eq!(hold("fixed-width.md", &format), (3, 1));
}

#[test]
fn the_tables_name_every_member() {
    for (page, wrong) in [
        ("csv.md", Dialect::read(options("stray: 1").root()).unwrap_err()),
        ("fixed-width.md", Layout::read(options("stray: 1").root()).unwrap_err()),
        ("fixed-width.md", Layout::read(options("fields: [{ stray: 1 }]").root()).unwrap_err()),
    ] {
        let path = workspace_root().join("docs/formats").join(page);
        let text = std::fs::read_to_string(path).unwrap();
        let known = wrong.0[0].message.split_once("known are ").unwrap().1;
        for member in known.split(", ") {
            assert!(text.contains(&format!("\n| `{member}` |")), "{page} does not tell of `{member}`");
        }
    }
}
