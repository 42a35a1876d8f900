//! What documents take in memory: bytes that their arena reserves for a byte of input, of typical inputs
//! of each format. Nothing is timed; the figures are the same in every build on every machine.

#[path = "mapping/orders.rs"]
mod orders;

use std::fmt::Write as _;

use lockgate_document::{Document, FormatError, csv, fixed, xml};
use lockgate_model::Limits;

/// Bytes of a large input.
const LARGE: usize = 10_000_000;

fn main() {
    // As much as it takes.
    let limits = Limits { arena_bytes_max: u64::MAX, ..Limits::default() };
    println!("| input | bytes | arena, reserved | of a byte | most while reading |");
    println!("|---|---:|---:|---:|---:|");
    let json = |text: &[u8]| Document::parse(text, &limits).map_err(|e| FormatError::new("", 0, e.message()));
    row("JSON, one order", &orders::one(), json);
    let many = orders::many(LARGE);
    row("JSON, orders", &many, json);
    let value: serde_json::Value = serde_json::from_slice(&many).unwrap();
    row("JSON, the same, indented", &serde_json::to_vec_pretty(&value).unwrap(), json);
    row("XML, the same", xml_of(&value).as_bytes(), |text| xml::read(text, &xml::XmlOptions::default(), &limits));
    let rows = rows();
    let dialect = csv::Dialect::default();
    row("CSV, five columns", rows.as_bytes(), |text| csv::read_all(text, &dialect, &limits));
    let dialect = Document::parse(br#"{"numbers":["quantity","price"]}"#, &limits).unwrap();
    let dialect = csv::Dialect::read(dialect.root()).unwrap();
    row("CSV, two of them numbers", rows.as_bytes(), |text| csv::read_all(text, &dialect, &limits));
    let layout = Document::parse(LAYOUT.as_bytes(), &limits).unwrap();
    let layout = fixed::Layout::read(layout.root()).unwrap();
    row("fixed width, five fields", lines().as_bytes(), |text| fixed::read_all(text, &layout, &limits));
}

fn row(name: &str, text: &[u8], read: impl Fn(&[u8]) -> Result<Document, FormatError>) {
    let document = read(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let reserved = document.bytes_used();
    let peak = document.into_arena().unwrap().0.bytes_peak();
    let of_a_byte = |bytes: u64| bytes as f64 / text.len() as f64;
    println!("| {name} | {} | {reserved} | {:.2} | {:.2} |", text.len(), of_a_byte(reserved), of_a_byte(peak));
}

/// A table of positions.
fn rows() -> String {
    let mut out = "sku,name,quantity,price,note\n".to_owned();
    for number in 0.. {
        let (quantity, price) = (1 + number % 9, 199 + number * 37 % 49_800);
        let note = if number % 4 == 0 { "\"fragile, \"\"this side up\"\"\"" } else { "" };
        writeln!(out, "SKU-{number:07},Keyboard {},{quantity},{}.{:02},{note}", number % 100, price / 100, price % 100)
            .unwrap();
        if out.len() >= LARGE {
            break;
        }
    }
    out
}

const LAYOUT: &str = r#"{"fields":[{"name":"sku","width":11},{"name":"name","width":20},
    {"name":"quantity","width":5,"kind":"number"},{"name":"price","width":10,"kind":"number","decimals":2},
    {"name":"note","width":30}]}"#;

fn lines() -> String {
    let mut out = String::new();
    for number in 0.. {
        let note = if number % 4 == 0 { "fragile, \"this side up\"" } else { "" };
        writeln!(out, "SKU-{number:07}{:<20}{:05}{:010}{note:<30}", "Keyboard", 1 + number % 9, 199 + number % 49_800)
            .unwrap();
        if out.len() >= LARGE {
            break;
        }
    }
    out
}

/// The orders as XML: an element for each field, and one for each item.
fn xml_of(orders: &serde_json::Value) -> String {
    let mut out = "<orders>".to_owned();
    for order in orders.as_array().unwrap() {
        element(&mut out, "order", order);
    }
    out.push_str("</orders>");
    out
}

fn element(out: &mut String, name: &str, value: &serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::Array(items) => items.iter().for_each(|item| element(out, name, item)),
        Value::Object(fields) => {
            write!(out, "<{name}>").unwrap();
            fields.iter().for_each(|(name, value)| element(out, name, value));
            write!(out, "</{name}>").unwrap();
        }
        Value::String(text) => {
            write!(out, "<{name}>{}</{name}>", text.replace('&', "&amp;").replace('<', "&lt;")).unwrap();
        }
        other => write!(out, "<{name}>{other}</{name}>").unwrap(),
    }
}
