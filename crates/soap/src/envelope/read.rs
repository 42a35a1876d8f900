//! Reading an envelope.

use std::collections::BTreeSet;

use lockgate_document::{Document, Kind, Limits, Node, schema::XmlName, xml};

use crate::{
    SoapError, Version,
    security::{self, signature::Signed},
    shape::{Child, Mark, Names, children},
};

/// An envelope that was read, over its document.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// Its version.
    pub version: Version,
    pub(crate) names: Names<'a>,
    pub(crate) blocks: Vec<(&'a str, Node<'a>)>,
    pub(crate) body: Vec<(&'a str, Node<'a>)>,
    pub(crate) headers: Vec<HeaderBlock>,
    header: Option<Node<'a>>,
    /// The body itself, and where its declarations begin.
    pub(crate) body_element: Node<'a>,
    body_mark: Option<Mark>,
    /// The ids of what is signed, where nothing else may be read.
    signed: Option<&'a BTreeSet<String>>,
}

/// A header block: what it is and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderBlock {
    /// Its name.
    pub name: XmlName,
    /// Who receives it must understand it or refuse the message.
    pub must_understand: bool,
    /// It is for who receives the message in the end.
    pub is_ours: bool,
}

fn wrong(message: &'static str) -> SoapError {
    SoapError::new("LG-SOAP-ENVELOPE", message)
}

/// The XML of an envelope: read strictly, without document types, in bounded memory.
pub fn document(bytes: &[u8], limits: &Limits) -> Result<Document, SoapError> {
    Ok(xml::read(bytes, &xml::XmlOptions::default(), limits)?)
}

impl<'a> Envelope<'a> {
    /// What a document is as an envelope.
    pub fn of(document: &'a Document) -> Result<Envelope<'a>, SoapError> {
        let (key, root) = document.root().entries().next().ok_or_else(|| wrong("there is no element"))?;
        let mut names = Names::default();
        names.enter(root);
        let (namespace, local) = names.element(key);
        let version = match (Version::of(namespace), local) {
            (Some(version), "Envelope") => version,
            (None, "Envelope") => {
                return Err(SoapError::new("LG-SOAP-VERSION", "the envelope is neither of SOAP 1.1 nor of SOAP 1.2"));
            }
            _ => return Err(wrong("the document is no envelope: the endpoint answered something else than SOAP")),
        };
        let mut envelope = Envelope {
            version,
            names,
            blocks: Vec::new(),
            body: Vec::new(),
            headers: Vec::new(),
            header: None,
            body_element: root,
            body_mark: None,
            signed: None,
        };
        let (mut header, mut body) = (None, None);
        for (key, node) in elements(root)? {
            let mark = envelope.names.enter(node);
            let (namespace, local) = envelope.names.element(key);
            envelope.names.leave(mark);
            let place = match local {
                _ if namespace != version.namespace() => {
                    return Err(wrong("an envelope holds a header and a body alone"));
                }
                "Header" if body.is_none() => &mut header,
                "Body" => &mut body,
                _ => return Err(wrong("an envelope holds a header and a body alone, in this order")),
            };
            if place.replace(node).is_some() {
                return Err(wrong("an envelope holds one header and one body"));
            }
        }
        let body = body.ok_or_else(|| wrong("the envelope has no body"))?;
        if let Some(header) = header {
            envelope.header(header)?;
        }
        // What the body declares holds for what is read from it.
        envelope.body_element = body;
        envelope.body_mark = Some(envelope.names.enter(body));
        envelope.body = elements(body)?;
        Ok(envelope)
    }

    /// What a signed message is as an envelope, of which only what is signed can be read: its body, the timestamp, and
    /// headers that have an id of their own. To read another header is an error.
    pub fn signed(message: &'a Signed) -> Result<Envelope<'a>, SoapError> {
        Ok(Envelope { signed: Some(&message.ids), ..Envelope::of(&message.document)? })
    }

    /// Is it one of which only what is signed can be read?
    pub fn is_signed(&self) -> bool {
        self.signed.is_some()
    }

    fn header(&mut self, header: Node<'a>) -> Result<(), SoapError> {
        let outer = self.names.enter(header);
        for (key, node) in elements(header)? {
            let mark = self.names.enter(node);
            let (namespace, local) = self.names.element(key);
            let mut block = HeaderBlock { name: XmlName::new(namespace, local), must_understand: false, is_ours: true };
            for (key, value) in node.entries() {
                let Some(attribute) = key.strip_prefix('@') else { break };
                let (namespace, local) = self.names.attribute(attribute);
                if namespace != self.version.namespace() {
                    continue;
                }
                let value = value.as_str().unwrap_or_default().trim();
                if local == "mustUnderstand" {
                    block.must_understand = !matches!(value, "0" | "false");
                } else if local == self.version.role_attribute() {
                    block.is_ours = self.version.is_ours(value);
                }
            }
            self.names.leave(mark);
            self.headers.push(block);
            self.blocks.push((key, node));
        }
        self.names.leave(outer);
        self.header = Some(header);
        Ok(())
    }

    /// Shows a block of this name with its declarations in force; none where there is none, an error where
    /// there are several.
    pub(crate) fn with_block<T>(
        &mut self,
        name: &XmlName,
        show: impl FnOnce(&mut Names<'a>, Node<'a>) -> Result<T, SoapError>,
    ) -> Result<Option<T>, SoapError> {
        let mut named = self.headers.iter().zip(&self.blocks).filter(|(block, _)| block.name == *name && block.is_ours);
        let Some((_, &(_, node))) = named.next() else { return Ok(None) };
        if named.next().is_some() {
            return Err(wrong("a header comes twice"));
        }
        // The body's declarations do not hold in the header.
        if let Some(mark) = self.body_mark {
            self.names.leave(mark);
        }
        let mark = self.header.map(|header| self.names.enter(header));
        let inner = self.names.enter(node);
        // Of the security header, what is read of it is looked at by who reads it.
        let is_shown = *name == security::name()
            || self.signed.is_none_or(|ids| security::id(&self.names, node).is_some_and(|id| ids.contains(id)));
        let shown = match is_shown {
            true => show(&mut self.names, node),
            false => Err(SoapError::new("LG-SOAP-SIGNATURE", "a header is not signed that the caller reads")),
        };
        self.names.leave(mark.unwrap_or(inner));
        self.body_mark = Some(self.names.enter(self.body_element));
        shown.map(Some)
    }

    /// The header blocks, in order.
    pub fn headers(&self) -> &[HeaderBlock] {
        &self.headers
    }

    /// Refuses a message with a header that must be understood and is not among these (SOAP 1.1 §4.2.3,
    /// SOAP 1.2 Part 1 §2.4).
    pub fn understood(&self, known: &[XmlName]) -> Result<(), SoapError> {
        let must = |block: &&HeaderBlock| block.must_understand && block.is_ours && !known.contains(&block.name);
        match self.headers.iter().find(must) {
            Some(_) => {
                let message = "a header that must be understood is not: nobody here knows what it asks for";
                Err(SoapError::new("LG-SOAP-UNDERSTAND", message))
            }
            None => Ok(()),
        }
    }
}

/// The elements in an element that has no text.
pub(crate) fn elements(node: Node<'_>) -> Result<Vec<(&str, Node<'_>)>, SoapError> {
    if node.kind() == Kind::Null {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for child in children(node) {
        match child {
            Child::Element(key, value) => all.push((key, value)),
            Child::Text(text) if text.trim().is_empty() => {}
            Child::Text(_) => return Err(wrong("text stands where an envelope has elements alone")),
        }
    }
    Ok(all)
}

/// The text of an element.
pub(crate) fn text(node: Node<'_>) -> &str {
    node.as_str().or_else(|| node.get("#text").as_str()).unwrap_or_default()
}
