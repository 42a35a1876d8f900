//! Fuzz targets: functions of bytes that no bytes may break. A panic is a finding, and so is a promise
//! broken.
//!
//! A new target is a file here with `pub fn target(data: &[u8])`, a line in [`TARGETS`], and in `fuzz/`
//! a binary of three lines with its entry in `Cargo.toml` and a folder of seeds. A test holds the four
//! together.

use lockgate_document::RecordReader;
use lockgate_model::Limits;

pub mod compile;
pub mod csv;
pub mod described;
pub mod edi;
pub mod envelope;
pub mod evaluate;
pub mod fixed;
pub mod flow;
pub mod jq;
pub mod json;
pub mod json_records;
pub mod map_file;
pub mod multipart;
pub mod parse;
pub mod pattern;
pub mod picture;
pub mod text;
pub mod wsdl;
pub mod xml;

/// A target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: of its file here, of its binary and of its folder of seeds.
    pub name: &'static str,
    /// What is run.
    pub run: fn(&[u8]),
    /// The file in `fuzz/dictionaries` with what means something to it.
    pub dictionary: &'static str,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "parse", run: parse::target, dictionary: "expression" },
    Target { name: "compile", run: compile::target, dictionary: "expression" },
    Target { name: "evaluate", run: evaluate::target, dictionary: "expression" },
    Target { name: "jq", run: jq::target, dictionary: "jq" },
    Target { name: "json", run: json::target, dictionary: "json" },
    Target { name: "json_records", run: json_records::target, dictionary: "json" },
    Target { name: "map_file", run: map_file::target, dictionary: "yaml" },
    Target { name: "flow", run: flow::target, dictionary: "yaml" },
    Target { name: "described", run: described::target, dictionary: "yaml" },
    Target { name: "pattern", run: pattern::target, dictionary: "pattern" },
    Target { name: "picture", run: picture::target, dictionary: "picture" },
    Target { name: "text", run: text::target, dictionary: "json" },
    Target { name: "xml", run: xml::target, dictionary: "xml" },
    Target { name: "csv", run: csv::target, dictionary: "flat" },
    Target { name: "fixed", run: fixed::target, dictionary: "flat" },
    Target { name: "edi", run: edi::target, dictionary: "edi" },
    Target { name: "wsdl", run: wsdl::target, dictionary: "soap" },
    Target { name: "envelope", run: envelope::target, dictionary: "soap" },
    Target { name: "multipart", run: multipart::target, dictionary: "soap" },
];

/// Longest input a target looks at: what is longer says nothing new.
const BYTES_MAX: usize = 1 << 14;

/// The bytes as a text, unless they are none.
fn text_of(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok().filter(|text| text.len() <= BYTES_MAX)
}

/// The first lines of a text, missing ones empty, and what is behind them.
fn lines<const N: usize>(text: &str) -> ([&str; N], &str) {
    let mut rest = text;
    let lines = std::array::from_fn(|_| match rest.split_once('\n') {
        Some((line, behind)) => {
            rest = behind;
            line
        }
        None => std::mem::take(&mut rest),
    });
    (lines, rest)
}

/// Limits under which a small input stays small.
fn small() -> Limits {
    Limits { arena_bytes_max: 8 << 20, ..Limits::default() }
}

/// The records of the bytes at once, and of the bytes cut in pieces, are the same and end the same.
///
/// # Panics
/// When they are not.
fn cut_alike(data: &[u8], reader: impl Fn() -> Box<dyn RecordReader>) {
    let ended = |pieces: &[&[u8]]| {
        let (mut reader, mut records) = (reader(), Vec::new());
        for step in 0..=pieces.len() {
            match pieces.get(step) {
                Some(piece) => reader.push(piece),
                None => reader.end(),
            }
            loop {
                match reader.next() {
                    Ok(Some(record)) => records.push(record),
                    Ok(None) => break,
                    Err(error) => return (records, Some((error.code().to_owned(), error.offset()))),
                }
            }
        }
        (records, None)
    };
    let (at, third) = data.split_at(data.len() / 2);
    let (first, second) = at.split_at(at.len() / 3);
    let (whole, cut) = (ended(&[data]), ended(&[first, second, third]));
    assert!(whole == cut, "{} records and {:?}, cut {} and {:?}", whole.0.len(), whole.1, cut.0.len(), cut.1);
}

/// What the engine takes: nothing newer than the features it has switched on.
///
/// # Panics
/// When the module is not valid.
fn validate(wasm: &[u8], of: &str) {
    let features = wasmparser::WasmFeatures::MUTABLE_GLOBAL | wasmparser::WasmFeatures::FLOATS;
    if let Err(error) = wasmparser::Validator::new_with_features(features).validate_all(wasm) {
        panic!("accepted, and its module is not valid: {error}: {of}");
    }
}
