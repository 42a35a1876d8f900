//! Bindings: how the messages of a port type stand in envelopes.

use std::sync::Arc;

use lockgate_document::schema::{XmlName, XsdRef};

use super::{
    BodyParts, Contents, Described, Reader, SOAP11, SOAP12, Style, WSDL,
    documents::Kind,
    messages::{MessagePart, Of},
    part::Part,
    port_types::{Abstract, Action, Without},
};
use crate::{Problem, Version, problem::shown};

/// SOAP over HTTP, in both versions; SOAP 1.2 has a name of its own as well.
const HTTP: [&str; 2] = ["http://schemas.xmlsoap.org/soap/http", "http://www.w3.org/2003/05/soap/bindings/HTTP/"];

/// A binding that can be called.
#[derive(Clone)]
pub(super) struct Bound {
    pub version: Version,
    pub operations: Arc<[Described]>,
}

/// The namespace of the elements of bindings.
pub(super) fn namespace(version: Version) -> &'static str {
    match version {
        Version::Soap11 => SOAP11,
        Version::Soap12 => SOAP12,
    }
}

/// Why something of a binding is not read.
type Way<T> = Result<T, Without>;

fn left_out<T>(message: impl Into<String>, help: &'static str) -> Way<T> {
    Err(Without::LeftOut(message.into(), help))
}

fn style(part: Part<'_>, otherwise: Style) -> Way<Style> {
    match part.attribute("style") {
        None => Ok(otherwise),
        Some("document") => Ok(Style::Document),
        Some("rpc") => Ok(Style::Rpc),
        Some(other) => left_out(format!("the style `{}` is unknown", shown(other)), "a style is `document` or `rpc`"),
    }
}

impl<'d> Reader<'d> {
    /// What a binding says, where it is of SOAP over HTTP. It is read once, however many ports are of it.
    pub(super) fn bound(&mut self, binding: Part<'d>) -> Option<Bound> {
        if let Some(known) = self.bound.get(&binding.key()) {
            return known.clone();
        }
        let bound = self.read_binding(binding);
        self.bound.insert(binding.key(), bound.clone());
        bound
    }

    fn read_binding(&mut self, binding: Part<'d>) -> Option<Bound> {
        let port_type = self.find(Kind::PortType, binding, "type")?;
        match self.soap(binding) {
            Ok((version, style)) => {
                let operations = binding.children().filter(|part| part.is("operation"));
                let operations = operations.filter_map(|part| {
                    let described = self.described(part, port_type, version, style);
                    self.told(part, described)
                });
                let operations: Arc<[Described]> = operations.collect();
                Some(Bound { version, operations }).filter(|bound| !bound.operations.is_empty())
            }
            way => {
                self.told(binding, way);
                None
            }
        }
    }

    fn told<T>(&mut self, part: Part<'d>, way: Way<T>) -> Option<T> {
        match way {
            Ok(value) => Some(value),
            Err(Without::Wrong) => None,
            Err(Without::LeftOut(message, help)) => {
                self.leave_out(part, message, help);
                None
            }
        }
    }

    fn soap(&mut self, binding: Part<'d>) -> Way<(Version, Style)> {
        let found = Version::ALL
            .into_iter()
            .find_map(|version| binding.child_of(namespace(version), "binding").map(|part| (version, part)));
        let Some((version, part)) = found else {
            let message = format!("the binding `{}` is not of SOAP", shown(binding.name()));
            return left_out(message, "ports of other bindings cannot be called");
        };
        let transport = part.attribute("transport").unwrap_or_default();
        if !HTTP.contains(&transport) {
            let message = format!("the transport `{}` is not HTTP", shown(transport));
            return left_out(
                message,
                "a binding that can be called has the transport http://schemas.xmlsoap.org/soap/http",
            );
        }
        self.required(binding)?;
        Ok((version, style(part, Style::Document)?))
    }

    /// An extension that must be understood (WSDL 1.1 §2.1.3).
    fn required(&mut self, part: Part<'d>) -> Way<()> {
        let known =
            |part: &Part<'_>| [WSDL, SOAP11, SOAP12].contains(&part.node.tag_name().namespace().unwrap_or_default());
        let is_required = |part: &Part<'_>| matches!(part.node.attribute((WSDL, "required")), Some("true" | "1"));
        match part.children().find(|part| !known(part) && is_required(part)) {
            Some(part) => {
                let message =
                    format!("the extension `{}` must be understood and is not", shown(part.node.tag_name().name()));
                left_out(message, "ask for a port without it")
            }
            None => Ok(()),
        }
    }

    fn described(&mut self, part: Part<'d>, port_type: Part<'d>, version: Version, otherwise: Style) -> Way<Described> {
        let operation = self.operation_of(port_type, part)?;
        self.required(part)?;
        let soap = part.child_of(namespace(version), "operation");
        let action = soap.and_then(|soap| soap.attribute("soapAction")).unwrap_or_default().to_owned();
        let style = soap.map_or(Ok(otherwise), |soap| style(soap, otherwise))?;
        let Abstract { input, output, faults, action: addressing } = operation;
        let contents = Reading { version, style, operation: part.name() };
        let way_in = part.child("input");
        let way_out = part.child("output");
        if let (Some(way_out), None) = (way_out, output) {
            let message = format!("the binding of `{}` has an output that its operation has not", shown(part.name()));
            self.problem(way_out, "LG-WSDL-VALUE", message, "take it out, or add `output` to the port type");
            return Err(Without::Wrong);
        }
        let input = self.contents(input, way_in, &contents, false)?;
        let output = output.map(|output| self.contents(output, way_out, &contents, true)).transpose()?;
        let mut details = Vec::new();
        for fault in faults {
            details.extend(self.fault(fault)?);
        }
        // What is told goes before `soapAction`, and that before what is made of names (WS-Addressing Metadata, §4.4.1).
        let addressing_action = match addressing {
            Action::Told(told) => told,
            Action::Made(_) if !action.is_empty() => action.clone(),
            Action::Made(made) => made,
        };
        let name = part.name().to_owned();
        Ok(Described { name, action, addressing_action, style, input, output, faults: details })
    }

    /// What a message holds, as the binding says.
    fn contents(
        &mut self,
        abstracted: Part<'d>,
        bound: Option<Part<'d>>,
        reading: &Reading<'_>,
        is_reply: bool,
    ) -> Way<Contents> {
        let parts = self.message(abstracted).ok_or(Without::Wrong)?;
        let space = namespace(reading.version);
        let Some(bound) = bound else {
            return Ok(Contents { body: self.body(parts, None, reading, is_reply)?, headers: Vec::new() });
        };
        self.required(bound)?;
        if bound.children().any(|part| part.node.tag_name().name() == "multipartRelated") {
            return left_out(
                format!("the messages of `{}` are bound by MIME", shown(reading.operation)),
                "attachments are carried by MTOM, which needs no word in the description",
            );
        }
        let mut headers = Vec::new();
        let mut apart: Vec<&str> = Vec::new();
        for header in bound.children().filter(|part| part.node.has_tag_name((space, "header"))) {
            literal(header, reading)?;
            let held = self.message(header).ok_or(Without::Wrong)?;
            let wanted = header.attribute("part").unwrap_or_default();
            let Some(found) = held.into_iter().find(|held| held.part.name() == wanted) else {
                let message = format!("the message of this header has no part `{}`", shown(wanted));
                self.problem(header, "LG-WSDL-REF", message, "name a part of the message");
                return Err(Without::Wrong);
            };
            match found.of {
                Of::Element(element) => headers.push(element),
                Of::Type(_) => return left_out("a header is of a type instead of an element", "name an element"),
            }
            let message = |part: Part<'d>| part.attribute("message").and_then(|message| part.resolve(message));
            if message(header) == message(abstracted) {
                apart.push(wanted);
            }
        }
        let body = bound.child_of(space, "body");
        if let Some(body) = body {
            literal(body, reading)?;
        }
        let listed = body.and_then(|body| body.attribute("parts"));
        let listed: Option<Vec<&str>> = listed.map(|listed| listed.split_whitespace().collect());
        // Parts that stand in a header are not in the body, though many do not say so.
        let is_own = |part: &MessagePart<'_>| match &listed {
            Some(listed) => listed.contains(&part.part.name()),
            None => !apart.contains(&part.part.name()),
        };
        let parts = parts.into_iter().filter(is_own).collect();
        Ok(Contents { body: self.body(parts, body, reading, is_reply)?, headers })
    }

    fn body(
        &mut self,
        parts: Vec<MessagePart<'d>>,
        body: Option<Part<'d>>,
        reading: &Reading<'_>,
        is_reply: bool,
    ) -> Way<BodyParts> {
        match reading.style {
            Style::Document => {
                let mut elements = Vec::new();
                for part in parts {
                    match part.of {
                        Of::Element(element) => elements.push(element),
                        Of::Type(_) => {
                            let message =
                                format!("a part of `{}` is of a type, in the style document", shown(reading.operation));
                            return left_out(
                                message,
                                "in the style document a part is of an element (WS-I Basic Profile, R2204)",
                            );
                        }
                    }
                }
                if elements.len() > 1 {
                    let message = format!("the body of `{}` has several elements", shown(reading.operation));
                    return left_out(message, "in the style document a body has one part (WS-I Basic Profile, R2201)");
                }
                Ok(elements.pop().map_or(BodyParts::Nothing, BodyParts::Element))
            }
            Style::Rpc => {
                let mut typed = Vec::new();
                for part in parts {
                    match part.of {
                        Of::Type(of) => typed.push((part.part.name().to_owned(), of)),
                        Of::Element(_) => {
                            let message =
                                format!("a part of `{}` is of an element, in the style rpc", shown(reading.operation));
                            return left_out(
                                message,
                                "in the style rpc a part is of a type (WS-I Basic Profile, R2203)",
                            );
                        }
                    }
                }
                let namespace = body.and_then(|body| body.attribute("namespace")).unwrap_or_default();
                let local = format!("{}{}", reading.operation, if is_reply { "Response" } else { "" });
                Ok(BodyParts::Wrapped { name: XmlName::new(namespace, local), parts: typed })
            }
        }
    }

    /// The detail of a fault.
    fn fault(&mut self, fault: Part<'d>) -> Way<Option<(String, XsdRef)>> {
        let parts = self.message(fault).ok_or(Without::Wrong)?;
        let element = parts.into_iter().find_map(|part| match part.of {
            Of::Element(element) => Some((fault.name().to_owned(), element)),
            Of::Type(_) => None,
        });
        Ok(element)
    }
}

struct Reading<'a> {
    version: Version,
    style: Style,
    operation: &'a str,
}

/// Is what stands there as its schema says?
fn literal(part: Part<'_>, reading: &Reading<'_>) -> Way<()> {
    match part.attribute("use") {
        None | Some("literal") => Ok(()),
        Some("encoded") => left_out(
            format!("the messages of `{}` are encoded", shown(reading.operation)),
            "ask the service for document/literal or rpc/literal; SOAP encoding has no schema",
        ),
        Some(other) => left_out(format!("the use `{}` is unknown", shown(other)), "`use` is `literal`"),
    }
}

impl Problem {
    /// Does it tell that something is well and cannot be called?
    pub fn is_left_out(&self) -> bool {
        self.code == "LG-WSDL-LATER"
    }
}
