//! An element of a description, with its document.

use roxmltree::Node as Xml;

use super::WSDL;
use crate::problem;

/// A name and its namespace, which comes first.
pub(super) type Name = (String, String);

/// An element and its document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'d> {
    pub node: Xml<'d, 'd>,
    pub file: &'d str,
    /// The target namespace of its `definitions`.
    pub namespace: &'d str,
}

/// Where an element stands among all: its document, and where its text begins there.
pub(super) type Place<'d> = (&'d str, usize);

impl<'d> Part<'d> {
    pub(super) fn key(&self) -> Place<'d> {
        (self.file, self.node.range().start)
    }
    pub(super) fn attribute(&self, name: &str) -> Option<&'d str> {
        self.node.attribute(name)
    }
    pub(super) fn name(&self) -> &'d str {
        self.attribute("name").unwrap_or_default()
    }
    /// Is it this element of WSDL?
    pub(super) fn is(&self, name: &str) -> bool {
        self.node.has_tag_name((WSDL, name))
    }
    pub(super) fn children(self) -> impl Iterator<Item = Part<'d>> {
        self.node.children().filter(Xml::is_element).map(move |node| Part { node, ..self })
    }
    pub(super) fn child(self, name: &str) -> Option<Part<'d>> {
        self.children().find(|part| part.is(name))
    }
    /// The first child of this name in this namespace.
    pub(super) fn child_of(self, namespace: &str, name: &str) -> Option<Part<'d>> {
        self.children().find(|part| part.node.has_tag_name((namespace, name)))
    }
    /// The name that an attribute means where it stands; none where its prefix is not declared.
    pub(super) fn resolve(&self, written: &str) -> Option<Name> {
        let (prefix, local) = match written.trim().split_once(':') {
            Some((prefix, local)) => (Some(prefix), local),
            None => (None, written.trim()),
        };
        let namespace = match (self.node.lookup_namespace_uri(prefix), prefix) {
            (Some(namespace), _) => namespace,
            (None, Some(_)) => return None,
            // The default namespace is mostly that of WSDL, which has no components of its own.
            (None, None) => "",
        };
        // Many leave out the prefix of the target namespace.
        let namespace = if prefix.is_none() && namespace == WSDL { self.namespace } else { namespace };
        Some((namespace.to_owned(), local.to_owned()))
    }
    /// Where it stands.
    pub(super) fn place(&self) -> problem::Place<'d> {
        problem::Place { file: self.file, text: self.node.document().input_text(), range: self.node.range() }
    }
    /// Where an attribute of it stands, else itself.
    pub(super) fn place_of(&self, attribute: &str) -> problem::Place<'d> {
        let range = self.node.attribute_node(attribute).map(|attribute| attribute.range());
        problem::Place { range: range.unwrap_or_else(|| self.node.range()), ..self.place() }
    }
}
