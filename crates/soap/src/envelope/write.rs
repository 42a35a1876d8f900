//! Writing an envelope.

use std::collections::BTreeSet;

use lockgate_document::{
    Builder, Limits, Node,
    schema::{Schema, XmlName},
    xml::{self, Namespaces, XmlOptions},
};

use super::Block;
use crate::{
    SoapError, Version,
    addressing::WSA,
    security::{WSSE, WSU, encryption::XENC, signature::DS},
    shape::{Encode, Prefixes, XOP},
};

/// What stands in an envelope.
pub(crate) struct Parts<'a> {
    pub version: Version,
    /// Header blocks of the description, with their values.
    pub headers: Vec<(&'a XmlName, &'a Schema, Node<'a>)>,
    pub blocks: &'a [Block],
    /// The element of the body, and its value.
    pub body: Option<(&'a XmlName, &'a Schema, Node<'a>)>,
    /// `wsu:Id` of the body, for who signs it.
    pub body_id: Option<&'a str>,
    pub attachments: &'a BTreeSet<String>,
}

/// The prefix of the envelope.
pub(super) const PREFIX: &str = "soap";
/// Prefixes that people know.
const PREFIXES: [(&str, &str); 6] =
    [(WSSE, "wsse"), (WSU, "wsu"), (WSA, "wsa"), (XOP, "xop"), (DS, "ds"), (XENC, "xenc")];

/// Writes the envelope, in UTF-8. The values were held to their types before.
pub(crate) fn write(parts: &Parts<'_>, limits: &Limits) -> Result<Vec<u8>, SoapError> {
    let mut used: Vec<&str> = Vec::new();
    for block in parts.blocks {
        block.namespaces(&mut used);
    }
    for (name, schema, _) in parts.headers.iter().chain(&parts.body) {
        used.push(&name.namespace);
        used.extend(schema.namespaces());
    }
    used.extend(parts.body_id.map(|_| WSU));
    used.extend((!parts.attachments.is_empty()).then_some(XOP));
    let named = PREFIXES.into_iter().filter(|(namespace, _)| used.contains(namespace));
    let named: Vec<(&str, &str)> = [(parts.version.namespace(), PREFIX)].into_iter().chain(named).collect();
    let prefixes = Prefixes::new(&named, used);
    let (mut out, mut included) = (Builder::new(limits), Vec::new());
    envelope(parts, &prefixes, &mut included, &mut out)?;
    included.sort_unstable();
    if !included.iter().eq(parts.attachments) {
        let message =
            "the message must say once where each attachment belongs: `cid:ID`, where the type is base64Binary";
        return Err(SoapError::new("LG-SOAP-ATTACHMENT", message));
    }
    print(out, &prefixes, limits)
}

/// Writes an envelope whose body holds this element, which is of no description.
pub(super) fn write_block(version: Version, block: &Block, limits: &Limits) -> Result<Vec<u8>, SoapError> {
    let prefixes = Prefixes::new(&[(version.namespace(), PREFIX)], []);
    let mut out = Builder::new(limits);
    for name in ["Envelope", "Body"] {
        out.begin_object()?;
        out.key(&prefixes.name(version.namespace(), name))?;
    }
    out.begin_object()?;
    out.key(&prefixes.name(&block.name.namespace, &block.name.local))?;
    block.write(&prefixes, &mut out)?;
    for _ in 0..3 {
        out.end()?;
    }
    print(out, &prefixes, limits)
}

fn print(out: Builder, prefixes: &Prefixes, limits: &Limits) -> Result<Vec<u8>, SoapError> {
    let document = out.finish()?;
    let options = XmlOptions { namespaces: Namespaces::new(prefixes.entries())?, ..XmlOptions::default() };
    let options = XmlOptions { bytes_max: limits.arena_bytes_max, ..options };
    let mut bytes = Vec::new();
    xml::write(document.root(), &options, &mut bytes)?;
    Ok(bytes)
}

fn envelope(
    parts: &Parts<'_>,
    prefixes: &Prefixes,
    included: &mut Vec<String>,
    out: &mut Builder,
) -> Result<(), SoapError> {
    let mut encode = Encode { prefixes, out, attachments: parts.attachments, included };
    encode.out.begin_object()?;
    encode.out.key("soap:Envelope")?;
    encode.out.begin_object()?;
    if !parts.blocks.is_empty() || !parts.headers.is_empty() {
        encode.out.key("soap:Header")?;
        encode.out.begin_object()?;
        encode.out.key("#content")?;
        encode.out.begin_array()?;
        for block in parts.blocks {
            encode.out.begin_object()?;
            encode.out.key(&prefixes.name(&block.name.namespace, &block.name.local))?;
            block.write(prefixes, encode.out)?;
            encode.out.end()?;
        }
        for (name, schema, value) in &parts.headers {
            encode.out.begin_object()?;
            element(name, schema, *value, &mut encode)?;
            encode.out.end()?;
        }
        encode.out.end()?;
        encode.out.end()?;
    }
    encode.out.key("soap:Body")?;
    encode.out.begin_object()?;
    if let Some(id) = parts.body_id {
        encode.out.key(&format!("@{}", prefixes.name(WSU, "Id")))?;
        encode.out.text(id)?;
    }
    if let Some((name, schema, value)) = parts.body {
        element(name, schema, value, &mut encode)?;
    }
    encode.out.end()?;
    encode.out.end()?;
    Ok(encode.out.end()?)
}

fn element(name: &XmlName, schema: &Schema, value: Node<'_>, encode: &mut Encode<'_>) -> Result<(), SoapError> {
    encode.out.key(&encode.prefixes.name(&name.namespace, &name.local))?;
    encode.value(schema, schema.root(), value)
}
