//! How values of a type stand in XML: which fields are attributes, which are children, the names of both
//! with their namespaces, and the order of the children. Types from XML Schema have it; with it a value
//! can be written for a peer that holds the order and the namespaces to be part of the type.
//!
//! Deliberately absent: XML itself. Who writes or reads elements asks here what they are.

use super::{RuleId, Schema, rule::Rule};

/// A name of XML: its namespace, empty for none, and its local part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct XmlName {
    /// The namespace's name, empty for none.
    pub namespace: String,
    /// The name without prefix.
    pub local: String,
}

impl XmlName {
    /// A name in a namespace; the empty one is none.
    pub fn new(namespace: impl Into<String>, local: impl Into<String>) -> XmlName {
        XmlName { namespace: namespace.into(), local: local.into() }
    }
}

/// What an element of a complex type has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Markup {
    /// Attributes by the order of their names; the keys have their `@`.
    pub attributes: Vec<MarkupField>,
    /// Children in the order of the type.
    pub children: Vec<MarkupField>,
    /// Other children and attributes may stand there too.
    pub open: bool,
    /// It has text and no children (`simpleContent`): the field `#text`, or a string alone.
    pub text: bool,
    /// Text may stand between the children.
    pub mixed: bool,
    /// Children of one name may stand apart, which the field `#content` holds.
    pub interleaved: bool,
}

/// A field of a value, as XML has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkupField {
    /// The field's key.
    pub key: String,
    /// The name in XML.
    pub name: XmlName,
    /// What the value is; of an array, what it is as a whole.
    pub rule: RuleId,
    /// Is the value an array, however many there are?
    pub is_array: bool,
}

/// How a value is held by an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written<'a> {
    /// As text.
    Text,
    /// With attributes or children.
    Element(&'a Markup),
    /// In any way: the type says nothing.
    Any,
}

impl Schema {
    /// How values of a rule are written, where the type is from XML Schema.
    pub fn written(&self, rule: RuleId) -> Written<'_> {
        let mut open = vec![rule];
        let mut seen = 0;
        while let Some(id) = open.pop() {
            // A rule that leads back to itself at the same value is refused when a type is read.
            seen += 1;
            if seen > self.rules.len() {
                break;
            }
            if let Some(markup) = self.markup.get(&id) {
                return Written::Element(markup);
            }
            let rule = self.rule(id);
            open.extend(rule.any.iter().rev().chain(&rule.reference).copied());
            if is_anything(rule) {
                return Written::Any;
            }
        }
        Written::Text
    }

    /// Is the text that a rule allows one of bytes in base64?
    pub fn is_base64(&self, rule: RuleId) -> bool {
        let (mut open, mut seen) = (vec![rule], 0);
        while let Some(id) = open.pop() {
            seen += 1;
            let rule = self.rule(id);
            if rule.text.is_base64 || seen > self.rules.len() {
                return rule.text.is_base64;
            }
            open.extend(rule.any.iter().chain(&rule.reference).copied());
        }
        false
    }

    /// The rule of the items, where a rule is one of arrays.
    pub fn item_rule(&self, rule: RuleId) -> RuleId {
        self.rule(rule).array.items.unwrap_or(rule)
    }

    /// All namespaces that elements and attributes of the type are in, in the order of their names.
    pub fn namespaces(&self) -> Vec<&str> {
        let fields = self.markup.values().flat_map(|markup| markup.attributes.iter().chain(&markup.children));
        let mut all: Vec<&str> = fields.map(|field| field.name.namespace.as_str()).collect();
        all.sort_unstable();
        all.dedup();
        all.retain(|namespace| !namespace.is_empty());
        all
    }
}

fn is_anything(rule: &Rule) -> bool {
    rule.is_anything() && rule.reference.is_none() && rule.any.is_empty() && rule.all.is_empty()
}
