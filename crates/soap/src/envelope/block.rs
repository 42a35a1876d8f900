//! Header blocks that are not of a description: small trees of names and texts.

use std::fmt;

use lockgate_document::{Builder, Fault, schema::XmlName};

use crate::shape::Prefixes;

/// An element of a header. Its `Debug` text shows names alone: what it holds may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    /// Its name.
    pub name: XmlName,
    /// Its attributes.
    pub attributes: Vec<(XmlName, String)>,
    /// Its text, where it has no children.
    pub text: String,
    /// Its children.
    pub children: Vec<Block>,
}

impl Block {
    /// An element with nothing in it.
    pub fn new(namespace: &str, local: &str) -> Block {
        let name = XmlName::new(namespace, local);
        Block { name, attributes: Vec::new(), text: String::new(), children: Vec::new() }
    }
    /// With this text.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Block {
        self.text = text.into();
        self
    }
    /// With this attribute.
    #[must_use]
    pub fn attribute(mut self, namespace: &str, local: &str, value: impl Into<String>) -> Block {
        self.attributes.push((XmlName::new(namespace, local), value.into()));
        self
    }
    /// With this child.
    #[must_use]
    pub fn child(mut self, child: Block) -> Block {
        self.children.push(child);
        self
    }

    /// All namespaces of its names.
    pub(crate) fn namespaces<'a>(&'a self, all: &mut Vec<&'a str>) {
        all.push(&self.name.namespace);
        all.extend(self.attributes.iter().map(|(name, _)| name.namespace.as_str()));
        for child in &self.children {
            child.namespaces(all);
        }
    }

    /// What stands in it, as a value of XML.
    pub(crate) fn write(&self, prefixes: &Prefixes, out: &mut Builder) -> Result<(), Fault> {
        out.begin_object()?;
        for (name, value) in &self.attributes {
            out.key(&format!("@{}", prefixes.name(&name.namespace, &name.local)))?;
            out.text(value)?;
        }
        if self.children.is_empty() {
            out.key("#text")?;
            out.text(&self.text)?;
            return out.end();
        }
        out.key("#content")?;
        out.begin_array()?;
        for child in &self.children {
            out.begin_object()?;
            out.key(&prefixes.name(&child.name.namespace, &child.name.local))?;
            child.write(prefixes, out)?;
            out.end()?;
        }
        out.end()?;
        out.end()
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({} {:?})", self.name.local, self.children)
    }
}
