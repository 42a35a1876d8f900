use lockgate_model::Limits;

use super::*;
use crate::document::Document;
use crate::format::FormatError;

mod correspondence;
mod hostile;
mod records;
mod refusals;
mod round_trip;

fn plain() -> XmlOptions {
    XmlOptions::default()
}
/// Options with these namespaces.
fn mapped(entries: &[(&str, &str)]) -> XmlOptions {
    XmlOptions { namespaces: Namespaces::new(entries.iter().copied()).unwrap(), ..plain() }
}
fn arrays(elements: &[&str]) -> XmlOptions {
    XmlOptions { arrays: Arrays::new(elements).unwrap(), ..plain() }
}

fn parsed(bytes: &[u8], options: &XmlOptions) -> Result<Document, FormatError> {
    read(bytes, options, &Limits::default())
}
fn json(document: &Document) -> String {
    String::from_utf8(document.print(u64::MAX).unwrap()).unwrap()
}
/// What a document becomes, as JSON.
fn value(xml: &str, options: &XmlOptions) -> String {
    json(&parsed(xml.as_bytes(), options).unwrap_or_else(|error| panic!("{xml}: {error}")))
}
fn from_json(json: &str) -> Document {
    Document::parse(json.as_bytes(), &Limits::default()).unwrap()
}
fn written(document: &Document, options: &XmlOptions) -> Result<Vec<u8>, FormatError> {
    let mut out = Vec::new();
    write(document.root(), options, &mut out).map(|()| out)
}
/// What a value becomes, without the XML declaration.
fn xml(json: &str, options: &XmlOptions) -> Result<String, FormatError> {
    let out = String::from_utf8(written(&from_json(json), options)?).unwrap();
    Ok(out.strip_prefix("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n").unwrap().to_owned())
}
