//! Messages: their parts, each of an element or of a type.

use lockgate_document::schema::{XmlName, XsdRef};

use super::{Reader, documents::Kind, part::Part};
use crate::problem::shown;

/// A part of a message.
#[derive(Debug, Clone)]
pub(super) struct MessagePart<'d> {
    pub part: Part<'d>,
    pub of: Of,
}

/// What a part is of.
#[derive(Debug, Clone)]
pub(super) enum Of {
    Element(XsdRef),
    Type(XsdRef),
}

impl<'d> Reader<'d> {
    /// What a name in an attribute means, of this kind of component.
    pub(super) fn find(&mut self, kind: Kind, part: Part<'d>, attribute: &str) -> Option<Part<'d>> {
        let Some(written) = part.attribute(attribute) else {
            let message = format!("it does not say which {} it is of", kind.noun());
            self.problem(part, "LG-WSDL-VALUE", message, &format!("add `{attribute}`"));
            return None;
        };
        let found = part.resolve(written).and_then(|name| self.documents.get(kind, &name));
        if found.is_none() {
            let message = format!("there is no {} `{}`", kind.noun(), shown(written));
            let names = self.documents.names(kind);
            let help = match names.is_empty() {
                true => format!("the description has no {} at all: import the document that has it", kind.noun()),
                false => format!("there are {}; mind the prefix", names.join(", ")),
            };
            self.problem_at(&part.place_of(attribute), "LG-WSDL-REF", message, &help);
        }
        found
    }

    /// The parts of the message that an attribute names.
    pub(super) fn message(&mut self, user: Part<'d>) -> Option<Vec<MessagePart<'d>>> {
        let message = self.find(Kind::Message, user, "message")?;
        Some(self.parts(message))
    }

    pub(super) fn parts(&mut self, message: Part<'d>) -> Vec<MessagePart<'d>> {
        let parts: Vec<Part<'d>> = message.children().filter(|part| part.is("part")).collect();
        if !self.goes(message, parts.len() + 1) {
            return Vec::new();
        }
        parts.into_iter().filter_map(|part| Some(MessagePart { part, of: self.part(part)? })).collect()
    }

    fn part(&mut self, part: Part<'d>) -> Option<Of> {
        if part.name().is_empty() {
            self.problem(part, "LG-WSDL-VALUE", "a part of a message needs a name", "add `name`");
        }
        match (part.attribute("element"), part.attribute("type")) {
            (Some(_), None) => self.reference(part, "element").map(Of::Element),
            (None, Some(_)) => self.reference(part, "type").map(Of::Type),
            (Some(_), Some(_)) => {
                let help = "leave `element` for document style, `type` for rpc style";
                self.problem(part, "LG-WSDL-VALUE", "a part is of an element or of a type, not of both", help);
                None
            }
            (None, None) => {
                self.problem(part, "LG-WSDL-VALUE", "a part is of an element or of a type", "add `element` or `type`");
                None
            }
        }
    }

    fn reference(&mut self, part: Part<'d>, attribute: &str) -> Option<XsdRef> {
        let written = part.attribute(attribute).unwrap_or_default();
        let place = part.place_of(attribute);
        let Some((namespace, local)) = part.resolve(written) else {
            let message = format!("the prefix of `{}` is not declared", shown(written));
            self.problem_at(&place, "LG-WSDL-REF", message, "declare it by `xmlns:`");
            return None;
        };
        Some(XsdRef { name: XmlName { namespace, local }, file: part.file.to_owned(), range: place.range })
    }
}
