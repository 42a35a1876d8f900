//! WSDL 1.1 (W3C Note of 15 March 2001), as far as services are called by SOAP over HTTP.
//!
//! Read are definitions and the documents that they import, messages, port types, bindings of SOAP 1.1 and
//! 1.2 in the styles document/literal and rpc/literal, services and ports. What is malformed or leads nowhere
//! refuses the whole, all of it at once. What is well and cannot be called (another transport, encoded use) is left
//! out and told by [`Wsdl::left_out`], so that the rest of the service can be used.
//!
//! Deliberately absent: WSDL 2.0, fetching, SOAP encoding, MIME bindings, policies.

mod bindings;
mod documents;
mod messages;
mod part;
mod port_types;
mod services;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use lockgate_document::schema::{XmlName, XsdRef};

use crate::{
    Problem, Version,
    problem::{Place, TOLD_MAX},
};

/// Namespace of WSDL 1.1.
const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";
/// Namespaces of its SOAP bindings, for SOAP 1.1 and 1.2.
const SOAP11: &str = "http://schemas.xmlsoap.org/wsdl/soap/";
const SOAP12: &str = "http://schemas.xmlsoap.org/wsdl/soap12/";
/// Namespace of XML Schema.
const XSD: &str = "http://www.w3.org/2001/XMLSchema";
/// Messages, port types, bindings, services, operations and ports of all documents.
const COMPONENTS_MAX: usize = 20_000;
/// Parts of messages that are looked at, and operations of ports: what is named often is looked at as often.
const STEPS_MAX: usize = 1_000_000;

/// A description of services.
#[derive(Debug)]
pub struct Wsdl {
    /// The documents by name.
    pub(crate) texts: BTreeMap<String, String>,
    /// Those in which schemas stand among other things.
    pub(crate) mains: Vec<String>,
    services: Vec<Service>,
    left_out: Vec<Problem>,
}

/// A service: ports by which it can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its ports that can be called, in order.
    pub ports: Vec<Port>,
}

/// An address at which operations are answered in one version of SOAP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// The address that the description names; a hint, as an account is bound to its own.
    pub address: String,
    /// The version of SOAP.
    pub version: Version,
    /// What can be called, in order: that of its binding, which several ports may be of.
    pub operations: Arc<[Described]>,
}

/// An operation as its WSDL describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its name.
    pub name: String,
    /// `soapAction`, perhaps empty.
    pub action: String,
    /// The action of WS-Addressing: as the description says, else as the standard makes it.
    pub addressing_action: String,
    /// How its messages are made.
    pub style: Style,
    pub(crate) input: Contents,
    /// None where no answer comes.
    pub(crate) output: Option<Contents>,
    /// What faults may tell as their detail.
    pub(crate) faults: Vec<(String, XsdRef)>,
}

/// How messages are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The body holds an element of a schema.
    Document,
    /// The body holds an element named after the operation, and that holds one for each parameter.
    Rpc,
}

/// What a message holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contents {
    pub body: BodyParts,
    pub headers: Vec<XsdRef>,
}

/// What a body holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BodyParts {
    Nothing,
    Element(XsdRef),
    Wrapped { name: XmlName, parts: Vec<(String, XsdRef)> },
}

impl Described {
    /// The name of the element that its request holds, by which many services choose what they do; none where it holds
    /// none.
    pub fn element(&self) -> Option<&XmlName> {
        match &self.input.body {
            BodyParts::Nothing => None,
            BodyParts::Element(element) => Some(&element.name),
            BodyParts::Wrapped { name, .. } => Some(name),
        }
    }
}

impl Wsdl {
    /// Reads a description and all that it imports. `name` is where it is from, an https address or a path, from
    /// which the places of other documents are told; `find` hands in one of these, or none.
    pub fn read(name: &str, text: String, mut find: impl FnMut(&str) -> Option<String>) -> Result<Wsdl, Vec<Problem>> {
        let texts = documents::gather(name, text, &mut find)?;
        let (mains, read) = documents::parse(&texts, |documents| {
            let mut reader = Reader::new(documents);
            let services = reader.services();
            (documents.mains(), reader.finish(services))
        })?;
        let (services, left_out) = read?;
        Ok(Wsdl { mains, services, left_out, texts })
    }

    /// The services that can be called.
    pub fn services(&self) -> &[Service] {
        &self.services
    }
    /// All documents by name, without what people alone read (documentation, annotations, comments): what somebody else
    /// needs to read the same description.
    pub fn documents(&self) -> impl Iterator<Item = (&str, String)> {
        self.texts.iter().map(|(name, text)| (name.as_str(), documents::bare(name, text)))
    }
    /// Ports and operations that cannot be called, and why.
    pub fn left_out(&self) -> &[Problem] {
        &self.left_out
    }
    /// The port of this name; of several, the first.
    pub fn port(&self, name: &str) -> Option<&Port> {
        self.services.iter().flat_map(|service| &service.ports).find(|port| port.name == name)
    }
}

/// Reads the components of documents.
struct Reader<'d> {
    documents: &'d documents::Documents<'d>,
    problems: Vec<Problem>,
    left_out: Vec<Problem>,
    /// Bindings that were read; none of those that cannot be called.
    bound: BTreeMap<part::Place<'d>, Option<bindings::Bound>>,
    /// Operations of port types by their names.
    operations: BTreeMap<part::Place<'d>, BTreeMap<&'d str, Vec<part::Part<'d>>>>,
    steps: usize,
    /// What was told, and where.
    told: BTreeSet<(&'d str, usize, String)>,
}

impl<'d> Reader<'d> {
    fn new(documents: &'d documents::Documents<'d>) -> Self {
        let (bound, operations) = (BTreeMap::new(), BTreeMap::new());
        Reader {
            documents,
            problems: Vec::new(),
            left_out: Vec::new(),
            bound,
            operations,
            steps: 0,
            told: BTreeSet::new(),
        }
    }
    /// Goes so many steps; false where they are too many, which is told once.
    fn goes(&mut self, part: part::Part<'d>, steps: usize) -> bool {
        let was_well = self.steps <= STEPS_MAX;
        self.steps = self.steps.saturating_add(steps);
        let is_well = self.steps <= STEPS_MAX;
        if was_well && !is_well {
            let message = "the description names its messages and operations too often";
            self.problem(part, "LG-WSDL-SIZE", message, "take out ports and operations that are not needed");
        }
        is_well
    }
    fn problem(&mut self, part: part::Part<'d>, code: &'static str, message: impl Into<String>, help: &str) {
        self.problem_at(&part.place(), code, message, help);
    }
    fn problem_at(&mut self, place: &Place<'d>, code: &'static str, message: impl Into<String>, help: &str) {
        let message = message.into();
        if self.problems.len() < TOLD_MAX && self.is_new(place, &message) {
            self.problems.push(Problem::new(code, place, message, help));
        }
    }
    /// What cannot be called, though nothing is wrong with it.
    fn leave_out(&mut self, part: part::Part<'d>, message: impl Into<String>, help: &str) {
        let (place, message) = (part.place(), message.into());
        if self.left_out.len() < TOLD_MAX && self.is_new(&place, &message) {
            self.left_out.push(Problem::new("LG-WSDL-LATER", &place, message, help));
        }
    }
    /// A message is looked at wherever it is used, and told of once.
    fn is_new(&mut self, place: &Place<'d>, message: &str) -> bool {
        self.told.insert((place.file, place.range.start, message.to_owned()))
    }

    fn finish(mut self, services: Vec<Service>) -> Result<(Vec<Service>, Vec<Problem>), Vec<Problem>> {
        if self.problems.is_empty() && services.iter().all(|service| service.ports.is_empty()) {
            if self.left_out.is_empty() {
                let help = "add `service` with a `port` whose binding is of SOAP";
                if let Some(root) = self.documents.root() {
                    self.problem(root, "LG-WSDL-NONE", "the description has no port that can be called", help);
                }
            }
            self.problems.append(&mut self.left_out);
        }
        if self.problems.is_empty() { Ok((services, self.left_out)) } else { Err(self.problems) }
    }
}
