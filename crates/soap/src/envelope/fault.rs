//! Faults of both versions as one (SOAP 1.1 §4.4, SOAP 1.2 Part 1 §5.4).

use std::fmt;

use lockgate_document::{Builder, Document, Limits, Node, schema::XmlName};

use super::{
    read::{Envelope, elements, text},
    write::{PREFIX, write_block},
};
use crate::{
    Block, Message, SoapError, Version,
    shape::{Decode, Names, XML},
};

/// What an endpoint says is wrong. Its `Debug` text has no word of the endpoint.
pub struct Fault {
    /// The version of its envelope.
    pub version: Version,
    /// Who is to blame.
    pub code: FaultCode,
    /// What it is more closely, from the general to the particular: what follows a `.` in the code of SOAP 1.1, the
    /// local names of the subcodes of SOAP 1.2.
    pub subcodes: Vec<String>,
    /// The reason for people, in English where there are several.
    pub reason: String,
    /// Who says so: `faultactor` or `Role`.
    pub role: Option<String>,
    /// The detail: an object with a field for each element in it, of the description's types where they name it.
    /// Undefined where there is none.
    pub detail: Document,
}

/// The code of a fault, by the names of SOAP 1.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultCode {
    /// The envelope is of another version.
    VersionMismatch,
    /// A header was not understood.
    MustUnderstand,
    /// The encoding is unknown.
    DataEncodingUnknown,
    /// The message is wrong: `Client` in SOAP 1.1. To send it again is in vain.
    Sender,
    /// The endpoint could not do it: `Server` in SOAP 1.1. It may be able to later.
    Receiver,
    /// A code of the service's own.
    Other(XmlName),
}

impl FaultCode {
    fn of(version: Version, namespace: &str, local: &str) -> FaultCode {
        if namespace != version.namespace() {
            return FaultCode::Other(XmlName::new(namespace, local));
        }
        match (version, local) {
            (_, "VersionMismatch") => FaultCode::VersionMismatch,
            (_, "MustUnderstand") => FaultCode::MustUnderstand,
            (Version::Soap12, "DataEncodingUnknown") => FaultCode::DataEncodingUnknown,
            (Version::Soap11, "Client") | (Version::Soap12, "Sender") => FaultCode::Sender,
            (Version::Soap11, "Server") | (Version::Soap12, "Receiver") => FaultCode::Receiver,
            _ => FaultCode::Other(XmlName::new(namespace, local)),
        }
    }
}

/// The envelope of a fault, for who serves: with a reason for people in English, and no detail. A code of one's own stands
/// as `Sender` does.
pub fn refusal(version: Version, code: &FaultCode, reason: &str, limits: &Limits) -> Result<Vec<u8>, SoapError> {
    let soap = |local| Block::new(version.namespace(), local);
    let local = match (version, code) {
        (_, FaultCode::VersionMismatch) => "VersionMismatch",
        (_, FaultCode::MustUnderstand) => "MustUnderstand",
        (Version::Soap12, FaultCode::DataEncodingUnknown) => "DataEncodingUnknown",
        (Version::Soap11, FaultCode::Receiver) => "Server",
        (Version::Soap12, FaultCode::Receiver) => "Receiver",
        (Version::Soap11, _) => "Client",
        (Version::Soap12, _) => "Sender",
    };
    let code = format!("{PREFIX}:{local}");
    let fault = match version {
        Version::Soap11 => soap("Fault")
            .child(Block::new("", "faultcode").text(code))
            .child(Block::new("", "faultstring").text(reason)),
        Version::Soap12 => {
            let text = soap("Text").attribute(XML, "lang", "en").text(reason);
            soap("Fault").child(soap("Code").child(soap("Value").text(code))).child(soap("Reason").child(text))
        }
    };
    write_block(version, &fault, limits)
}

fn wrong(message: &'static str) -> SoapError {
    SoapError::new("LG-SOAP-ENVELOPE", message)
}

/// The name that a text means where it stands, and what follows a point in it.
fn code<'a>(names: &Names<'a>, text: &'a str) -> (&'a str, &'a str, Vec<String>) {
    let (namespace, local) = names.element(text.trim());
    let mut steps = local.split('.');
    let first = steps.next().unwrap_or_default();
    (namespace, first, steps.map(str::to_owned).collect())
}

impl<'a> Envelope<'a> {
    /// The fault that the body holds, if it holds one.
    pub fn fault(&mut self, details: &[Message], limits: &Limits) -> Result<Option<Fault>, SoapError> {
        let Some(&(key, node)) = self.body.first() else { return Ok(None) };
        let mark = self.names.enter(node);
        let is_fault = self.names.element(key) == (self.version.namespace(), "Fault");
        let fault = match (is_fault, self.body.len()) {
            (false, _) => Ok(None),
            (true, 1) => self.read_fault(node, details, limits).map(Some),
            (true, _) => Err(wrong("a body that holds a fault holds nothing else")),
        };
        self.names.leave(mark);
        fault
    }

    fn read_fault(&mut self, node: Node<'a>, details: &[Message], limits: &Limits) -> Result<Fault, SoapError> {
        let version = self.version;
        let mut fault = Fault {
            version,
            code: FaultCode::Receiver,
            subcodes: Vec::new(),
            reason: String::new(),
            role: None,
            detail: Document::undefined(),
        };
        let mut has_code = false;
        for (key, part) in elements(node)? {
            let mark = self.names.enter(part);
            let (namespace, local) = self.names.element(key);
            // The parts are in no namespace in SOAP 1.1; many servers put them into that of the envelope.
            let is_own = namespace == version.namespace() || (version == Version::Soap11 && namespace.is_empty());
            match (version, local) {
                _ if !is_own => {}
                (Version::Soap11, "faultcode") => {
                    let (namespace, local, subcodes) = code(&self.names, text(part));
                    // So does who writes the code without its prefix.
                    let namespace = if namespace.is_empty() { version.namespace() } else { namespace };
                    (fault.code, fault.subcodes) = (FaultCode::of(version, namespace, local), subcodes);
                    has_code = true;
                }
                (Version::Soap11, "faultstring") => text(part).trim().clone_into(&mut fault.reason),
                (Version::Soap11, "faultactor") | (Version::Soap12, "Role") => {
                    fault.role = Some(text(part).trim().to_owned());
                }
                (Version::Soap11, "detail") | (Version::Soap12, "Detail") => {
                    fault.detail = self.detail(part, details, limits)?;
                }
                (Version::Soap12, "Code") => {
                    has_code = true;
                    self.code12(part, &mut fault, 0)?;
                }
                (Version::Soap12, "Reason") => fault.reason = reason(part)?,
                _ => {}
            }
            self.names.leave(mark);
        }
        if has_code { Ok(fault) } else { Err(wrong("the fault has no code")) }
    }

    /// `Code`, or a `Subcode` within it.
    fn code12(&mut self, node: Node<'a>, fault: &mut Fault, depth: usize) -> Result<(), SoapError> {
        for (key, part) in elements(node)? {
            let mark = self.names.enter(part);
            match self.names.element(key) {
                (namespace, _) if namespace != self.version.namespace() => {}
                (_, "Value") => {
                    let (namespace, local) = self.names.element(text(part).trim());
                    match depth {
                        0 => fault.code = FaultCode::of(self.version, namespace, local),
                        _ => fault.subcodes.push(local.to_owned()),
                    }
                }
                (_, "Subcode") => self.code12(part, fault, depth + 1)?,
                _ => {}
            }
            self.names.leave(mark);
        }
        Ok(())
    }

    fn detail(&mut self, node: Node<'a>, details: &[Message], limits: &Limits) -> Result<Document, SoapError> {
        let Ok(entries) = elements(node) else {
            // Some endpoints put text there.
            return Ok(Document::text(text(node)));
        };
        if entries.is_empty() {
            return Ok(Document::undefined());
        }
        let mut out = Builder::new(limits);
        out.begin_object()?;
        for (key, entry) in entries {
            let mark = self.names.enter(entry);
            let (namespace, local) = self.names.element(key);
            out.key(local)?;
            let mut found = Vec::new();
            let path = vec![local.to_owned()];
            let mut decode = Decode { names: &mut self.names, out: &mut out, path, find: &|_| None, found: &mut found };
            let typed = details.iter().find(|one| one.name.namespace == namespace && one.name.local == local);
            match typed {
                Some(message) => decode.value(&message.schema, message.schema.root(), entry)?,
                None => decode.raw(entry)?,
            }
            self.names.leave(mark);
        }
        out.end()?;
        Ok(out.finish()?)
    }
}

/// The text in English, else the first.
fn reason(node: Node<'_>) -> Result<String, SoapError> {
    let texts = elements(node)?;
    let is_english = |node: &Node<'_>| node.get("@xml:lang").as_str().is_some_and(|lang| lang.starts_with("en"));
    let chosen = texts.iter().map(|(_, node)| *node).find(is_english).or(texts.first().map(|(_, node)| *node));
    Ok(chosen.map_or("", |node| text(node)).trim().to_owned())
}

/// Code and subcodes are the endpoint's, too.
impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({}, {} bytes of reason)", self.version, self.reason.len())
    }
}
