//! The search: everything a process has written, in the forms that data takes on its way.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::house::House;

/// Stands in every canary and nowhere else.
pub const MARK: &str = "7q9Zx2-fA31mK8-Wd0";

/// What is searched: a name for people, and bytes.
pub type Kept = Vec<(String, Vec<u8>)>;

/// The data directory with its write-ahead logs, the folder for temporary files, and the log.
pub fn written(house: &House) -> Kept {
    let mut kept = Vec::new();
    below(&house.data, &mut kept);
    below(&house.folder().join("tmp"), &mut kept);
    kept.push(("log".to_owned(), house.log().into_bytes()));
    kept
}

fn below(folder: &Path, into: &mut Kept) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        // The practice database is an endpoint: what orchestrations send there is meant to stay.
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lockgate-postgres")) {
            continue;
        }
        if path.is_dir() && !path.is_symlink() {
            below(&path, into);
        } else if path.is_file() {
            into.push((path.display().to_string(), std::fs::read(&path).unwrap_or_default()));
        }
    }
}

/// Where the mark is found, in which form, and what stands around it.
pub fn found(kept: &Kept) -> Vec<(String, &'static str, String)> {
    let mut places = Vec::new();
    let forms = forms(MARK);
    for (name, bytes) in kept {
        let mut at = |form: &'static str, bytes: &[u8], needle: &[u8]| {
            if let Some(at) = find(bytes, needle) {
                let around = &bytes[at.saturating_sub(40)..bytes.len().min(at + needle.len() + 20)];
                places.push((name.clone(), form, String::from_utf8_lossy(around).into_owned()));
            }
        };
        for (form, needle) in &forms {
            at(form, bytes, needle);
        }
        // Compressed streams are opened wherever they begin.
        for (start, _) in bytes.windows(3).enumerate().filter(|(_, magic)| *magic == [0x1f, 0x8b, 0x08]) {
            at("gzip", &gzip(&["-dc"], &bytes[start..]), MARK.as_bytes());
        }
    }
    places
}

/// The forms in which a text may lie on a disk, but for compressed ones.
fn forms(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    // What of a text's base64 does not depend on its neighbours, at each of the three offsets.
    let base64 = |offset: usize| {
        let padded = [vec![0; offset], text.as_bytes().to_vec()].concat();
        let encoded = STANDARD.encode(padded).into_bytes();
        encoded.get(offset.div_ceil(3) * 4..encoded.len() - 4).unwrap().to_vec()
    };
    let hex: String = text.bytes().map(|b| format!("{b:02x}")).collect();
    let escaped: String = text.bytes().map(|b| format!("%{b:02X}")).collect();
    vec![
        ("plain", text.as_bytes().to_vec()),
        ("base64 at 0", base64(0)),
        ("base64 at 1", base64(1)),
        ("base64 at 2", base64(2)),
        ("hex", hex.clone().into_bytes()),
        ("HEX", hex.to_uppercase().into_bytes()),
        ("UTF-16LE", text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16BE", text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        // The mark has only characters that need no escape: the plain form is found where others are.
        ("URL-escaped", escaped.into_bytes()),
    ]
}

/// Horspool's search: some hundred megabytes are looked through in an unoptimised build.
fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let last = needle.len() - 1;
    let mut skip = [needle.len(); 256];
    for (place, byte) in needle[..last].iter().enumerate() {
        skip[usize::from(*byte)] = last - place;
    }
    let mut at = 0;
    while let Some(window) = bytes.get(at..at + needle.len()) {
        if window == needle {
            return Some(at);
        }
        at += skip[usize::from(window[last])];
    }
    None
}

fn gzip(arguments: &[&str], bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new("gzip");
    child.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = child.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output.stdout
}

/// Texts as whoever leaks would write them: in a larger value, encoded with it.
pub fn leaks() -> Vec<(&'static str, Vec<u8>)> {
    let mut leaks = Vec::new();
    for (offset, form) in ["base64 at 0", "base64 at 1", "base64 at 2"].into_iter().enumerate() {
        let larger = format!("{}{MARK} and more", "x".repeat(offset));
        leaks.push((form, STANDARD.encode(&larger).into_bytes()));
    }
    leaks.push(("gzip", [vec![0; 10], gzip(&["-c"], format!("all about {MARK} and more").as_bytes())].concat()));
    for (form, bytes) in forms(MARK) {
        leaks.push((form, [b"{\"x\":\"".to_vec(), bytes, b"\"}".to_vec()].concat()));
    }
    leaks
}
